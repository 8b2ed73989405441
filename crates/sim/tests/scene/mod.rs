//! What both suites build their worlds from.

use core::net::IpAddr;
use core::time::Duration;

use rk_base::{Family, Priority, Vrid};
use rk_sim::{NodeId, Shell, World};
use rk_vrrp::{Reading, Settings, Tracker, TrackerId, TrackerKind, Version};

/// The address of the node with this number; higher numbers have higher addresses.
pub(crate) fn address(family: Family, n: usize) -> IpAddr {
    let host = u8::try_from(10 + n).expect("few nodes");
    match family {
        Family::V4 => [192, 0, 2, host].into(),
        Family::V6 => [0xfe80, 0, 0, 0, 0, 0, 0, u16::from(host)].into(),
    }
}

/// An instance with a virtual address and one tracked interface, which is up.
pub(crate) fn settings(
    family: Family,
    version: Version,
    priority: u8,
    interval: Duration,
) -> Settings {
    let mut settings = Settings::new("VI", Vrid::try_from(51).expect("not zero"), family);
    settings.version = version;
    settings.priority = Priority::new(priority);
    settings.adver_interval = interval;
    settings.addresses = vec![address(family, 100)];
    settings.trackers = vec![Tracker {
        id: TrackerId(1),
        kind: TrackerKind::Interface,
        name: "eth0".into(),
        weight: 0,
        reverse: false,
        initial: Reading::Up,
    }];
    settings
}

/// A world with one started node for each of these settings.
pub(crate) fn started(seed: u64, nodes: &[Settings], shell: Shell) -> (World, Vec<NodeId>) {
    let mut world = World::new(seed);
    let ids: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(n, s)| world.add(s.clone(), address(s.family, n), shell))
        .collect();
    for id in &ids {
        world.start(*id);
    }
    (world, ids)
}

/// Fails if anything was done without a cause.
#[track_caller]
pub(crate) fn no_complaints(world: &World) {
    assert!(world.complaints().is_empty(), "{:#?}", world.complaints());
}

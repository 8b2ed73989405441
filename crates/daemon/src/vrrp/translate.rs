//! From the configuration to what the cores and the kernel side want: total, and pure.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use rk_base::{Family, Prefix, Vrid};
use rk_config::model;
use rk_vrrp::{
    Auth, AuthData, Garp, InitialState, OldUnicastChecksum, Peer, Preempt, Reading, Settings,
    Tracker, TrackerId, TrackerKind, Transport, V3Checksum, Version,
};

/// One instance as the VRRP process runs it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// For the protocol core.
    pub(super) settings: Settings,
    /// What makes it the same virtual router across a reload, whatever its name.
    pub(super) identity: Identity,
    /// `mcast_src_ip` or `unicast_src_ip`.
    pub(super) source: Option<IpAddr>,
    /// Virtual addresses, then excluded ones, in the order in which they are set.
    pub(super) addresses: Vec<VirtualAddress>,
    /// Receive buffer asked for, in bytes.
    pub(super) rx_buffer: Option<u32>,
    /// The configuration, for the dumps.
    pub(super) config: Arc<model::Instance>,
}

/// What keeps an instance the same across a reload (keepalived: a changed name does not).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    vrid: Vrid,
    family: Family,
    interface: Arc<str>,
    /// Unicast instances may share the rest: their source and peers tell them apart.
    unicast: Option<(Option<IpAddr>, Vec<IpAddr>)>,
    group: Option<IpAddr>,
}

/// An address to put on an interface while Master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VirtualAddress {
    /// Where it goes.
    pub(super) interface: Arc<str>,
    /// Address and length.
    pub(super) prefix: Prefix,
    /// The address at the other end.
    pub(super) peer: Option<IpAddr>,
    /// Broadcast address, worked out from the prefix where `brd +` or `brd -` asks for that.
    pub(super) broadcast: Option<Ipv4Addr>,
    /// Label.
    pub(super) label: Option<String>,
    /// The kernel's scope number.
    pub(super) scope: u8,
    /// Options that are flags.
    pub(super) flags: Flags,
    /// Preferred lifetime.
    pub(super) preferred_lft: Option<model::Lifetime>,
    /// Whether losing it costs the instance its mastership.
    pub(super) tracked: bool,
    /// Whether adverts leave it out.
    pub(super) excluded: bool,
}

/// The flag options of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) dad: bool,
    pub(super) home: bool,
    pub(super) mngtmpaddr: bool,
    pub(super) noprefixroute: bool,
    pub(super) autojoin: bool,
}

/// Numbers for tracked things: the same thing has the same number for the life of the process.
#[derive(Debug, Default)]
pub(super) struct TrackerIds {
    ids: HashMap<(TrackerKind, Arc<str>), TrackerId>,
}

impl TrackerIds {
    /// The number of the `kind` called `name`, a new one if it has none.
    pub(super) fn of(&mut self, kind: TrackerKind, name: &str) -> TrackerId {
        let next = TrackerId(u32::try_from(self.ids.len()).unwrap_or(u32::MAX));
        *self.ids.entry((kind, Arc::from(name))).or_insert(next)
    }

    /// The number of the `kind` called `name`, if anything tracks it.
    pub(super) fn known(&self, kind: TrackerKind, name: &str) -> Option<TrackerId> {
        self.ids.get(&(kind, Arc::from(name))).copied()
    }
}

/// The plans of all instances of `config`.
///
/// `reading` says what a tracked thing says now; what cannot be asked yet is `Unknown`.
pub(super) fn plans(
    config: &model::Config,
    ids: &mut TrackerIds,
    reading: &dyn Fn(TrackerKind, &str) -> Reading,
) -> Vec<Plan> {
    let startup_delay = config.global.vrrp_startup_delay;
    // What a sync group tracks, each of its members tracks.
    let groups: HashMap<&str, &model::Tracks> = config
        .sync_groups
        .iter()
        .flat_map(|g| g.members.iter().map(|m| (m.as_str(), &g.track)))
        .collect();
    config
        .instances
        .iter()
        .map(|i| {
            plan(
                i,
                groups.get(i.name.as_str()).copied(),
                startup_delay,
                ids,
                reading,
            )
        })
        .collect()
}

fn plan(
    i: &model::Instance,
    group: Option<&model::Tracks>,
    startup_delay: Duration,
    ids: &mut TrackerIds,
    reading: &dyn Fn(TrackerKind, &str) -> Reading,
) -> Plan {
    let interface: Arc<str> = i.interface.as_deref().unwrap_or_default().into();
    let ordinary = i.virtual_ipaddress.iter().map(|a| (a, false));
    let excluded = i.virtual_ipaddress_excluded.iter().map(|a| (a, true));
    Plan {
        identity: identity(i, &interface),
        source: i.source_address,
        addresses: ordinary
            .chain(excluded)
            .map(|(a, excluded)| address(a, &interface, excluded))
            .collect(),
        rx_buffer: i.kernel_rx_buf_size,
        config: Arc::new(i.clone()),
        settings: Settings {
            startup_delay,
            trackers: trackers(i, group, &interface, ids, reading),
            ..settings(i, interface)
        },
    }
}

fn identity(i: &model::Instance, interface: &Arc<str>) -> Identity {
    let peers = || i.unicast_peers.iter().map(|p| p.address).collect();
    Identity {
        vrid: i.virtual_router_id,
        family: i.family,
        interface: interface.clone(),
        unicast: i.is_unicast().then(|| (i.source_address, peers())),
        group: (!i.is_unicast()).then_some(i.multicast_group),
    }
}

/// What the instance alone says; it tracks nothing yet.
fn settings(i: &model::Instance, interface: Arc<str>) -> Settings {
    Settings {
        name: i.name.as_str().into(),
        interface,
        vrid: i.virtual_router_id,
        family: i.family,
        version: version(i.version),
        priority: i.priority,
        initial_state: match i.state {
            model::InitialState::Master => InitialState::Master,
            model::InitialState::Backup => InitialState::Backup,
        },
        adver_interval: i.advert_int,
        down_timer_adverts: i.down_timer_adverts,
        preempt: preempt(i),
        addresses: i
            .virtual_ipaddress
            .iter()
            .map(|a| a.prefix.addr())
            .collect(),
        transport: transport(i),
        auth: auth(&i.authentication),
        v3_checksum: if i.v3_checksum_as_v2 {
            V3Checksum::MessageOnly
        } else {
            V3Checksum::PseudoHeader
        },
        old_unicast_checksum: match i.old_unicast_checksum {
            model::OldUnicastChecksum::Auto => OldUnicastChecksum::Auto,
            model::OldUnicastChecksum::Always => OldUnicastChecksum::Always,
            model::OldUnicastChecksum::Never => OldUnicastChecksum::Never,
        },
        skip_check_adv_addr: i.skip_check_adv_addr,
        garp: garp(&i.garp),
        lower_prio_no_advert: i.lower_prio_no_advert,
        higher_prio_send_advert: i.higher_prio_send_advert,
        owner_ignore_adverts: i.owner_ignore_adverts,
        startup_delay: Duration::ZERO,
        trackers: Vec::new(),
        sync_group: i.sync_group.as_deref().map(Into::into),
    }
}

fn garp(g: &model::Garp) -> Garp {
    Garp {
        master_repeat: g.master_repeat,
        master_delay: g.master_delay,
        master_refresh: g.master_refresh,
        master_refresh_repeat: g.master_refresh_repeat,
        lower_prio_repeat: g.lower_prio_repeat,
        lower_prio_delay: g.lower_prio_delay,
    }
}

fn version(v: model::Version) -> Version {
    match v {
        model::Version::V2 => Version::V2,
        model::Version::V3 => Version::V3,
    }
}

fn preempt(i: &model::Instance) -> Preempt {
    match (i.nopreempt, i.preempt_delay) {
        (true, _) => Preempt::No,
        (false, Duration::ZERO) => Preempt::Yes,
        (false, delay) => Preempt::Delay(delay),
    }
}

fn auth(a: &model::Authentication) -> Auth {
    match a {
        model::Authentication::None => Auth::None,
        model::Authentication::Pass(secret) => Auth::Pass(AuthData::new(secret.expose())),
        model::Authentication::Ah(secret) => Auth::Ah(AuthData::new(secret.expose())),
    }
}

fn transport(i: &model::Instance) -> Transport {
    if !i.is_unicast() {
        return Transport::Multicast {
            group: i.multicast_group,
        };
    }
    let peers = i
        .unicast_peers
        .iter()
        .map(|p| Peer {
            address: p.address,
            min_ttl: p.min_ttl,
            max_ttl: p.max_ttl,
        })
        .collect();
    Transport::Unicast {
        peers,
        ttl: i.unicast_ttl.unwrap_or(u8::MAX),
        check_source: i.check_unicast_src,
    }
}

fn trackers(
    i: &model::Instance,
    group: Option<&model::Tracks>,
    interface: &Arc<str>,
    ids: &mut TrackerIds,
    reading: &dyn Fn(TrackerKind, &str) -> Reading,
) -> Vec<Tracker> {
    let own = (!i.dont_track_primary && !interface.is_empty()).then(|| Tracker {
        id: ids.of(TrackerKind::Interface, interface),
        kind: TrackerKind::Interface,
        name: interface.clone(),
        weight: 0,
        reverse: false,
        initial: reading(TrackerKind::Interface, interface),
    });
    let lists = std::iter::once(&i.track).chain(group).flat_map(|t| {
        [
            (TrackerKind::Interface, &t.interfaces),
            (TrackerKind::Script, &t.scripts),
        ]
    });
    let tracked = lists.flat_map(|(kind, list)| list.iter().map(move |t| (kind, t)));
    // keepalived: the own interface is tracked once, with the weight it is given there.
    let named: Vec<_> = tracked
        .map(|(kind, t)| Tracker {
            id: ids.of(kind, &t.name),
            kind,
            name: t.name.as_str().into(),
            weight: t.weight,
            reverse: t.reverse,
            initial: reading(kind, &t.name),
        })
        .collect();
    own.into_iter()
        .filter(|own| named.iter().all(|t| t.id != own.id))
        .chain(named.iter().cloned())
        .collect()
}

fn address(a: &model::InterfaceAddress, own: &Arc<str>, excluded: bool) -> VirtualAddress {
    VirtualAddress {
        interface: a.dev.as_deref().map_or_else(|| own.clone(), Into::into),
        prefix: a.prefix,
        peer: a.peer,
        broadcast: a.broadcast.and_then(|b| broadcast(b, a.prefix)),
        label: a.label.clone(),
        scope: a
            .scope
            .map_or_else(|| default_scope(a.prefix.addr()), |s| s.0),
        flags: Flags {
            dad: a.dad,
            home: a.home,
            mngtmpaddr: a.mngtmpaddr,
            noprefixroute: a.noprefixroute,
            autojoin: a.autojoin,
        },
        preferred_lft: a.preferred_lft,
        tracked: !a.no_track,
        excluded,
    }
}

/// `RT_SCOPE_UNIVERSE`, or `RT_SCOPE_LINK` for an IPv6 link-local address, as the kernel would.
fn default_scope(addr: IpAddr) -> u8 {
    match addr {
        IpAddr::V6(a) if a.is_unicast_link_local() => 253,
        _ => 0,
    }
}

fn broadcast(b: model::Broadcast, prefix: Prefix) -> Option<Ipv4Addr> {
    let IpAddr::V4(addr) = prefix.addr() else {
        return None;
    };
    let host = u32::MAX.checked_shr(prefix.len().into()).unwrap_or(0);
    match b {
        model::Broadcast::Address(a) => Some(a),
        model::Broadcast::AllOnes => Some((u32::from(addr) | host).into()),
        model::Broadcast::AllZeros => Some((u32::from(addr) & !host).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcast_signs_fill_the_host_part() {
        let p: Prefix = "192.0.2.77/24".parse().unwrap();
        assert_eq!(
            broadcast(model::Broadcast::AllOnes, p),
            Some(Ipv4Addr::new(192, 0, 2, 255))
        );
        assert_eq!(
            broadcast(model::Broadcast::AllZeros, p),
            Some(Ipv4Addr::new(192, 0, 2, 0))
        );
        let host: Prefix = "192.0.2.77".parse().unwrap();
        assert_eq!(
            broadcast(model::Broadcast::AllOnes, host),
            Some(Ipv4Addr::new(192, 0, 2, 77))
        );
    }

    #[test]
    fn a_tracked_thing_keeps_its_number() {
        let mut ids = TrackerIds::default();
        let a = ids.of(TrackerKind::Script, "chk");
        let b = ids.of(TrackerKind::Interface, "chk");
        assert_ne!(a, b);
        assert_eq!(ids.of(TrackerKind::Script, "chk"), a);
        assert_eq!(ids.known(TrackerKind::Script, "nobody"), None);
    }
}

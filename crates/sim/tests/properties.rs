//! What holds for every network of two to five routers, however bad it was before.

mod scene;

use core::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rk_base::{Family, Priority};
use rk_sim::{Faults, NodeId, Shell, World};
use rk_vrrp::{Preempt, Reading, Settings, State, Version};
use scene::{address, no_complaints, settings, started};

/// The same cases each time, unless the environment asks for others.
fn config(cases: u32) -> ProptestConfig {
    let seed = std::env::var("PROPTEST_RNG_SEED")
        .ok()
        .and_then(|s| s.parse().ok());
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(cases);
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(seed.unwrap_or(9568)),
        ..<_>::default()
    }
}

/// One thing that goes wrong, or right again.
#[derive(Clone, Debug)]
enum Trouble {
    Freeze(usize, u32),
    Kill(usize),
    Stop(usize),
    Start(usize),
    Link(usize, bool),
    Move(usize, u8),
    Network {
        loss: u16,
        duplicate: u16,
        delay: u32,
    },
    Reload(usize, u8),
    AddressLost(usize),
}

/// Troubles and how many tenths of an interval pass after each.
fn troubles() -> impl Strategy<Value = Vec<(Trouble, u32)>> {
    let node = 0_usize..5;
    let one = prop_oneof![
        (node.clone(), 1_u32..120).prop_map(|(n, t)| Trouble::Freeze(n, t)),
        node.clone().prop_map(Trouble::Kill),
        node.clone().prop_map(Trouble::Stop),
        node.clone().prop_map(Trouble::Start),
        (node.clone(), any::<bool>()).prop_map(|(n, up)| Trouble::Link(n, up)),
        (node.clone(), 0_u8..2).prop_map(|(n, side)| Trouble::Move(n, side)),
        (0_u16..900, 0_u16..500, 0_u32..20).prop_map(|(loss, duplicate, delay)| Trouble::Network {
            loss,
            duplicate,
            delay
        }),
        (node.clone(), 1_u8..=254).prop_map(|(n, p)| Trouble::Reload(n, p)),
        node.prop_map(Trouble::AddressLost),
    ];
    proptest::collection::vec((one, 0_u32..60), 0..20)
}

fn preempt() -> impl Strategy<Value = Preempt> {
    prop_oneof![
        4 => Just(Preempt::Yes),
        1 => Just(Preempt::No),
        1 => (1_u64..5).prop_map(|n| Preempt::Delay(Duration::from_millis(n * 300))),
    ]
}

/// The settings of two to five routers that can hear one another.
fn routers() -> impl Strategy<Value = Vec<Settings>> {
    let node = (
        1_u8..=255,
        preempt(),
        prop_oneof![Just(10_u64), Just(100), Just(1000)],
    );
    (
        any::<bool>(),
        any::<bool>(),
        proptest::collection::vec(node, 2..=5),
    )
        .prop_map(|(v6, v2, nodes)| {
            let family = if v6 { Family::V6 } else { Family::V4 };
            let version = if v2 { Version::V2 } else { Version::V3 };
            // In version 2 another interval is another virtual router; in 3 it may differ.
            let of = |(priority, preempt, interval): (u8, Preempt, u64)| {
                let interval = if v2 { 1000 } else { interval };
                let interval = Duration::from_millis(interval);
                Settings {
                    preempt,
                    ..settings(family, version, priority, interval)
                }
            };
            nodes.into_iter().map(of).collect()
        })
}

/// The longest interval of any of them.
fn longest(nodes: &[Settings]) -> Duration {
    nodes
        .iter()
        .map(|s| s.adver_interval)
        .max()
        .unwrap_or_default()
}

/// Lets one trouble happen. `interval` is the unit of its times, in tenths.
fn trouble(world: &mut World, ids: &[NodeId], what: &Trouble, interval: Duration) {
    let id = |n: &usize| ids[n % ids.len()];
    match what {
        Trouble::Freeze(n, tenths) => world.freeze(id(n), interval * *tenths / 10),
        Trouble::Kill(n) => world.kill(id(n)),
        Trouble::Stop(n) => world.stop(id(n)),
        Trouble::Start(n) => world.start(id(n)),
        Trouble::Link(n, up) => {
            world.track(id(n), 1, if *up { Reading::Up } else { Reading::Down });
        }
        Trouble::Move(n, side) => world.move_to(id(n), *side),
        Trouble::Network {
            loss,
            duplicate,
            delay,
        } => world.set_faults(Faults {
            loss: *loss,
            duplicate: *duplicate,
            delay: interval * *delay / 10,
        }),
        Trouble::Reload(n, priority) => {
            let mut settings = world.node(id(n)).router().settings().clone();
            settings.priority = Priority::new(*priority);
            world.reload(id(n), settings);
        }
        Trouble::AddressLost(n) => {
            let family = world.node(id(n)).router().settings().family;
            world.remove_address(id(n), address(family, 100));
        }
    }
}

/// Ends every trouble: the network is good and whole, every node runs. Then waits until the
/// slowest has had time to be heard, to time out, and to preempt.
fn quiet(world: &mut World, ids: &[NodeId], interval: Duration, up: impl Fn(usize) -> bool) {
    world.set_faults(Faults::none(Duration::from_micros(200)));
    // The longest freeze ends, and the slowest packet arrives.
    world.run(interval * 15);
    for (n, id) in ids.iter().enumerate() {
        world.move_to(*id, 0);
        world.start(*id);
        world.track(*id, 1, if up(n) { Reading::Up } else { Reading::Down });
    }
    world.run(interval * 16 + Duration::from_secs(2));
}

/// The priority a node advertises.
fn priority(world: &World, id: NodeId) -> Priority {
    world.node(id).router().effective_priority()
}

/// The highest priority of those that can be Master.
fn best(world: &World, ids: &[NodeId]) -> Option<Priority> {
    let able = ids
        .iter()
        .filter(|id| world.node(**id).router().state() != State::Fault);
    able.map(|id| priority(world, *id)).max()
}

proptest! {
    #![proptest_config(config(160))]

    /// Once the network is quiet there is one Master if any node can be, never two, and with
    /// preemption it is the best one. All the way there, nothing happens without a cause.
    //= V3-6.4.3-11
    //= V3-6.4.2-7
    #[test]
    fn one_master_once_quiet(
        nodes in routers(),
        story in troubles(),
        up in any::<u8>(),
        seed in any::<u64>(),
        queue in 0_usize..50,
        tells_stalls in any::<bool>(),
    ) {
        let shell = Shell { queue, tells_stalls, ..Shell::default() };
        let interval = longest(&nodes);
        let (mut world, ids) = started(seed, &nodes, shell);
        for (what, tenths) in &story {
            trouble(&mut world, &ids, what, interval);
            world.run(interval * *tenths / 10);
        }
        let is_up = |n: usize| up >> n & 1 == 0;
        quiet(&mut world, &ids, interval, is_up);
        no_complaints(&world);

        let able = (0..ids.len()).filter(|n| is_up(*n)).count();
        let masters = world.masters();
        prop_assert_eq!(masters.len(), able.min(1), "of {} able nodes", able);
        if nodes.iter().all(|s| s.preempt == Preempt::Yes) {
            // Of several with the best priority any may be Master: a Backup accepts its like.
            let master = masters.first().map(|id| priority(&world, *id));
            prop_assert_eq!(master, best(&world, &ids));
        }
        // And it stays so.
        let moved = |world: &World| -> usize {
            ids.iter().map(|id| world.node(*id).transitions().len()).sum()
        };
        let before = moved(&world);
        world.run(interval * 20);
        prop_assert_eq!(moved(&world), before);
        prop_assert_eq!(world.masters(), masters);
    }

    /// While the Master sends and the network delivers, Backups that are stopped, at any time
    /// and for however long, with a receive queue of any length, never take over.
    #[test]
    fn a_stall_makes_no_failover(
        nodes in routers(),
        freezes in proptest::collection::vec((0_usize..5, 1_u32..200, 0_u32..80), 1..12),
        seed in any::<u64>(),
        queue in prop_oneof![Just(0_usize), 1..5_usize, Just(10_000)],
        latency in 0_u64..2000,
    ) {
        let shell = Shell {
            queue,
            // With a queue that holds everything the core needs nobody to tell it.
            tells_stalls: queue < 10_000,
            latency: Duration::from_micros(latency),
        };
        let interval = longest(&nodes);
        let (mut world, ids) = started(seed, &nodes, shell);
        world.run(interval * 20 + Duration::from_secs(2));
        let masters = world.masters();
        prop_assert_eq!(masters.len(), 1);
        let moves = |world: &World| -> Vec<usize> {
            ids.iter().map(|id| world.node(*id).transitions().len()).collect()
        };
        let before = moves(&world);
        for (n, length, pause) in freezes {
            let id = ids[n % ids.len()];
            if !masters.contains(&id) {
                world.freeze(id, interval * length / 10);
            }
            world.run(interval * pause / 10);
        }
        world.run(interval * 40);
        prop_assert_eq!(moves(&world), before);
        prop_assert_eq!(world.masters(), masters);
        no_complaints(&world);
    }

    /// A Master that was stopped, for however long, shares the place with whoever took over for
    /// less than one advert interval after it runs again.
    #[test]
    fn two_masters_for_less_than_an_interval_after_a_stall(
        nodes in routers(),
        length in 1_u32..400,
        seed in any::<u64>(),
        queue in 0_usize..50,
        no_advert in any::<bool>(),
    ) {
        let nodes: Vec<_> = nodes
            .into_iter()
            .map(|s| Settings { lower_prio_no_advert: no_advert, ..s })
            .collect();
        let interval = longest(&nodes);
        let shell = Shell { queue, ..Shell::default() };
        let (mut world, ids) = started(seed, &nodes, shell);
        world.run(interval * 20 + Duration::from_secs(2));
        let masters = world.masters();
        prop_assert_eq!(masters.len(), 1);
        let Some(master) = masters.first().copied() else { return Ok(()) };
        world.freeze(master, interval * length / 10);
        world.run(interval * length / 10 - Duration::from_nanos(1));
        // The others may have needed an election of their own; from here on it counts.
        world.clear_overlap();
        world.run(interval * 30);
        prop_assert!(world.overlap() <= interval + Duration::from_millis(1), "{:?}", world.overlap());
        prop_assert_eq!(world.masters().len(), 1);
        prop_assert_eq!(world.masters().first().copied().is_some(), !ids.is_empty());
        no_complaints(&world);
    }
}

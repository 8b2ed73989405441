//! The deployments people run, on a virtual clock.

mod scene;

use core::time::Duration;

use rk_base::Family;
use rk_sim::{Faults, NodeId, Shell, World};
use rk_vrrp::{Cause, Preempt, Reading, Settings, State, Version};
use scene::{address, no_complaints, settings, started};

const SECOND: Duration = Duration::from_secs(1);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Version 3 over IPv4, an advert a second.
fn usual(priority: u8) -> Settings {
    settings(Family::V4, Version::V3, priority, SECOND)
}

/// Two nodes of priority 150 and 100; the first is Master.
fn pair(shell: Shell) -> (World, NodeId, NodeId) {
    let (mut world, ids) = started(1, &[usual(150), usual(100)], shell);
    world.run(SECOND * 8);
    assert_eq!(world.masters(), [ids[0]]);
    (world, ids[0], ids[1])
}

//= V3-6.4.2-7
#[test]
fn the_backup_takes_over_after_the_down_interval_and_gives_back() {
    let (mut world, a, b) = pair(Shell {
        latency: Duration::ZERO,
        ..Shell::default()
    });
    let last = world
        .node(a)
        .router()
        .last_advert_sent()
        .expect("it is Master");
    world.kill(a);
    world.run(SECOND * 5);
    assert_eq!(world.masters(), [b]);
    let (at, transition) = world.node(b).transitions().last().expect("it took over");
    let waited = at.since(last);
    // Never early; the network takes up to 0.2 ms.
    let down = Duration::from_nanos(3_609_375_000);
    assert!((down..down + ms(1)).contains(&waited), "{waited:?}");
    assert!(matches!(
        transition.cause,
        Cause::Silence {
            last_heard: Some(_),
            ..
        }
    ));
    // Back again: its down interval later it preempts.
    world.start(a);
    world.run(SECOND * 5);
    assert_eq!(world.masters(), [a]);
    let (_, back) = world.node(a).transitions().last().expect("it preempted");
    assert!(
        matches!(back.cause, Cause::Preempting { .. }),
        "{}",
        back.cause
    );
    no_complaints(&world);
}

//= V3-6.4.2-8
//= V3-6.4.3-8
#[test]
fn a_graceful_stop_costs_one_skew() {
    let (mut world, a, b) = pair(Shell::default());
    let stopped = world.now();
    world.stop(a);
    world.run(SECOND);
    assert_eq!(world.masters(), [b]);
    let (at, transition) = world.node(b).transitions().last().expect("it took over");
    assert!(at.since(stopped) < ms(612), "{:?}", at.since(stopped));
    assert!(matches!(transition.cause, Cause::MasterLeft { .. }));
    no_complaints(&world);
}

#[test]
fn a_lost_link_moves_the_master_and_its_return_moves_it_back() {
    let (mut world, a, b) = pair(Shell::default());
    world.track(a, 1, Reading::Down);
    world.run(SECOND);
    assert_eq!(
        (world.masters(), world.node(a).router().state()),
        (vec![b], State::Fault)
    );
    world.track(a, 1, Reading::Up);
    world.run(SECOND * 5);
    assert_eq!(world.masters(), [a]);
    no_complaints(&world);
}

#[test]
fn nopreempt_stays_where_it_is() {
    let nopreempt = |p| Settings {
        preempt: Preempt::No,
        ..usual(p)
    };
    let (mut world, ids) = started(1, &[nopreempt(150), nopreempt(100)], Shell::default());
    world.run(SECOND * 8);
    world.kill(ids[0]);
    world.run(SECOND * 5);
    world.start(ids[0]);
    world.run(SECOND * 30);
    assert_eq!(world.masters(), [ids[1]]);
    no_complaints(&world);
}

#[test]
fn a_healed_partition_leaves_the_better_master() {
    let (mut world, a, b) = pair(Shell::default());
    world.move_to(b, 1);
    world.run(SECOND * 5);
    assert_eq!(world.masters(), [a, b]);
    world.move_to(b, 0);
    world.run(SECOND + ms(10));
    assert_eq!(world.masters(), [a]);
    no_complaints(&world);
}

#[test]
fn a_removed_address_comes_back_where_it_was() {
    let (mut world, a, _) = pair(Shell::default());
    let before = world.node(a).transitions().len();
    world.remove_address(a, address(Family::V4, 100));
    world.run(SECOND * 2);
    assert_eq!(world.masters(), [a]);
    assert_eq!(world.node(a).transitions().len(), before + 2);
    no_complaints(&world);
}

/// The backup is stopped for 10 s while its Master keeps sending; `queue` packets are kept.
fn stopped_backup(interval: Duration, shell: Shell) -> (World, NodeId, NodeId) {
    let with = |p| Settings {
        adver_interval: interval,
        ..usual(p)
    };
    let (mut world, ids) = started(1, &[with(150), with(100)], shell);
    world.run(interval * 8);
    assert_eq!(world.masters(), [ids[0]]);
    world.freeze(ids[1], SECOND * 10);
    world.run(SECOND * 10 + interval * 20);
    no_complaints(&world);
    (world, ids[0], ids[1])
}

#[test]
fn a_backup_stopped_for_ten_seconds_does_not_become_master_at_any_interval() {
    for interval in [10, 50, 100, 1000, 5000] {
        for queue in [0, 3, 200, 10_000] {
            let shell = Shell {
                queue,
                ..Shell::default()
            };
            let (world, a, b) = stopped_backup(ms(interval), shell);
            assert_eq!(world.masters(), [a], "{interval} ms, queue of {queue}");
            assert_eq!(
                world.node(b).transitions().len(),
                1,
                "{interval} ms, queue of {queue}"
            );
        }
    }
}

#[test]
fn nor_when_the_shell_does_not_notice_but_the_queue_is_long() {
    for interval in [10, 100, 1000] {
        let shell = Shell {
            queue: 10_000,
            tells_stalls: false,
            ..Shell::default()
        };
        let (world, a, b) = stopped_backup(ms(interval), shell);
        assert_eq!(
            (world.masters(), world.node(b).transitions().len()),
            (vec![a], 1)
        );
    }
}

#[test]
fn a_backup_stopped_while_its_master_dies_takes_over_a_down_interval_after_it_runs_again() {
    let (mut world, a, b) = pair(Shell::default());
    world.freeze(b, SECOND * 10);
    world.run(SECOND);
    world.kill(a);
    world.run(SECOND * 9);
    let resumed = world.now();
    world.run(SECOND * 5);
    assert_eq!(world.masters(), [b]);
    let (at, _) = world.node(b).transitions().last().expect("it took over");
    let down = Duration::from_nanos(3_609_375_000);
    assert!(
        (down..down + ms(1)).contains(&at.since(resumed)),
        "{:?}",
        at.since(resumed)
    );
}

#[test]
fn a_master_stopped_so_long_that_it_lost_its_place_takes_it_back_at_once() {
    let (mut world, a, b) = pair(Shell::default());
    world.freeze(a, SECOND * 10);
    world.run(SECOND * 10 - ms(1));
    assert_eq!(world.masters(), [b]);
    world.clear_overlap();
    world.run(SECOND * 2);
    assert_eq!(world.masters(), [a]);
    assert!(world.overlap() < ms(5), "{:?}", world.overlap());
    no_complaints(&world);
}

#[test]
fn a_worse_master_that_was_stopped_yields_at_once() {
    let nopreempt = |p| Settings {
        preempt: Preempt::No,
        ..usual(p)
    };
    let (mut world, ids) = started(1, &[nopreempt(100), nopreempt(150)], Shell::default());
    world.kill(ids[1]);
    world.run(SECOND * 8);
    world.start(ids[1]);
    world.run(SECOND * 2);
    assert_eq!(world.masters(), [ids[0]]);
    world.freeze(ids[0], SECOND * 10);
    world.run(SECOND * 10 - ms(1));
    assert_eq!(world.masters(), [ids[1]]);
    world.clear_overlap();
    world.run(SECOND * 10);
    assert_eq!(world.masters(), [ids[1]]);
    assert!(world.overlap() < ms(5), "{:?}", world.overlap());
}

#[test]
fn two_owners_end_with_one_master() {
    let (mut world, ids) = started(1, &[usual(255), usual(255)], Shell::default());
    world.run(SECOND * 10);
    assert_eq!(world.masters(), [ids[1]]);
    no_complaints(&world);
}

#[test]
fn the_same_seed_runs_the_same_way() {
    let story = |seed| {
        let (mut world, ids) =
            started(seed, &[usual(100), usual(100), usual(99)], Shell::default());
        world.set_faults(Faults {
            loss: 300,
            duplicate: 100,
            delay: ms(400),
        });
        world.run(SECOND * 120);
        let transitions = ids.iter().map(|id| world.node(*id).transitions().to_vec());
        transitions.collect::<Vec<_>>()
    };
    assert_eq!(story(7), story(7));
    assert_ne!(story(7), story(8));
}

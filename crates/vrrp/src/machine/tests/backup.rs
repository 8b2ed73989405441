//! What a Backup does with what it hears, and when it takes over.

use super::*;
use crate::settings::Preempt;

/// Priority, interval in ms, version: Skew_Time and Master_Down_Interval in nanoseconds.
const FORMULAS: [(u8, u64, Version, u64, u64); 9] = [
    (100, 1000, Version::V3, 609_375_000, 3_609_375_000),
    (254, 1000, Version::V3, 7_812_500, 3_007_812_500),
    (100, 100, Version::V3, 60_937_500, 360_937_500),
    (100, 10, Version::V3, 6_093_750, 36_093_750),
    (254, 10, Version::V3, 78_125, 30_078_125),
    (255, 1000, Version::V3, 3_906_250, 3_003_906_250),
    (100, 1000, Version::V2, 609_375_000, 3_609_375_000),
    (1, 1000, Version::V2, 996_093_750, 3_996_093_750),
    (100, 4000, Version::V2, 609_375_000, 12_609_375_000),
];

//= V3-6.1-1
//= V3-6.1-2
//= V2-6.1-1
//= V2-6.1-2
#[test]
fn skew_and_down_interval_follow_the_formulas() {
    for (priority, interval, version, skew, down) in FORMULAS {
        let settings = Settings {
            version,
            adver_interval: ms(interval),
            ..v3()
        };
        let (priority, interval) = (Priority::new(priority), ms(interval));
        let what = format!("{version:?} priority {priority} {interval:?}");
        assert_eq!(
            settings.skew_time(priority, interval),
            Duration::from_nanos(skew),
            "{what}"
        );
        assert_eq!(
            settings.master_down_interval(priority, interval),
            Duration::from_nanos(down),
            "{what}"
        );
    }
}

//= X-DOWN-1
#[test]
fn down_timer_adverts_replaces_the_three() {
    let lab = Lab::started(Settings {
        down_timer_adverts: 1,
        ..v3()
    });
    assert_eq!(lab.wait(), Duration::from_nanos(1_609_375_000));
}

//= V3-6.4.2-7
//= V2-6.4.2-2
#[test]
fn silence_makes_it_master_in_the_order_of_the_rfc() {
    for (settings, group) in [
        (v2(), "224.0.0.18"),
        (v3(), "224.0.0.18"),
        (v6(), "ff02::12"),
    ] {
        let mut lab = Lab::started(settings);
        lab.run_to_due();
        assert_eq!(
            lab.deeds(),
            [
                &format!("advert 100 to {group}"),
                "addresses present",
                "announce 5 Master",
                "BACKUP -> MASTER: no master heard for 3.609 s",
            ]
        );
        assert_eq!(lab.wait(), Duration::from_secs(1));
    }
}

//= V3-6.4.2-8
//= V2-6.4.2-2
#[test]
fn priority_zero_leaves_only_the_skew_to_wait() {
    for settings in [v2(), v3()] {
        let mut lab = Lab::started(settings);
        lab.hear(HIGH, 150);
        lab.sleep(ms(300));
        lab.hear(HIGH, 0);
        assert_eq!(lab.wait(), Duration::from_nanos(609_375_000));
        lab.out.clear();
        lab.run_to_due();
        assert_eq!(lab.router.state(), State::Master);
        assert!(
            lab.deeds()
                .contains(&"BACKUP -> MASTER: 192.0.2.20 gave up with priority 0".into())
        );
        assert_eq!(lab.router.stats().pri_zero_rcvd, 1);
    }
}

#[test]
fn the_skew_after_priority_zero_is_of_the_learned_interval() {
    let mut lab = Lab::started(with_priority(
        Settings {
            adver_interval: ms(500),
            ..v3()
        },
        180,
    ));
    let mut rx = lab.from(HIGH, 200);
    rx.settings.adver_interval = Duration::from_secs(2);
    lab.receive(&rx);
    rx.priority = 0;
    lab.receive(&rx);
    assert_eq!(lab.wait(), Duration::from_nanos(2_000_000_000 * 76 / 256));
}

//= V3-6.4.2-9
//= V3-6.1-3
//= V3-7.1-8
#[test]
fn an_acceptable_advert_sets_interval_and_timer() {
    let mut lab = Lab::started(v3());
    lab.sleep(Duration::from_secs(3));
    let mut rx = lab.from(HIGH, 100);
    rx.settings.adver_interval = Duration::from_secs(2);
    lab.receive(&rx);
    assert_eq!(lab.router.master_adver_interval(), Duration::from_secs(2));
    assert_eq!(lab.wait(), Duration::from_nanos(7_218_750_000));
    assert_eq!(
        (lab.router.master_router(), lab.router.master_priority()),
        (Some(ip(HIGH)), Some(Priority::new(100)))
    );
    // The difference is worth a line, once.
    lab.receive(&rx);
    let lines = lab.logged();
    let mismatch = "(VI_1) advertisement interval mismatch ours = 100 centi-sec \
                    rcv'd=200 centi-sec";
    assert_eq!(
        lines.iter().filter(|l| *l == mismatch).count(),
        1,
        "{lines:#?}"
    );
    assert!(
        lines.contains(
            &"(VI_1) advertisement interval updated from 1000ms to 2000ms by master".into()
        )
    );
}

//= V2-6.4.2-2
//= V2-6.1-2
#[test]
fn version_2_never_learns_an_interval() {
    let mut lab = Lab::started(v2());
    lab.hear(HIGH, 150);
    assert_eq!(lab.router.master_adver_interval(), Duration::from_secs(1));
    assert_eq!(lab.wait(), Duration::from_nanos(3_609_375_000));
}

//= V3-6.4.2-10
//= V3-6.1-4
//= V2-6.4.2-2
#[test]
fn a_lower_advert_is_discarded_and_the_timer_keeps_running() {
    for settings in [v2(), v3()] {
        let mut lab = Lab::started(settings);
        lab.sleep(Duration::from_secs(2));
        lab.hear(HIGH, 99);
        assert_eq!(lab.wait(), Duration::from_nanos(1_609_375_000));
        assert_eq!(
            lab.logged(),
            ["(VI_1) received lower priority (99) advert from 192.0.2.20 - discarding"]
        );
    }
}

//= V3-6.4.2-9
#[test]
fn nopreempt_accepts_a_lower_master_until_it_is_silent() {
    let mut lab = Lab::started(Settings {
        preempt: Preempt::No,
        ..v3()
    });
    lab.sleep(Duration::from_secs(2));
    lab.hear(LOW, 1);
    assert_eq!(lab.wait(), Duration::from_nanos(3_609_375_000));
    lab.run_to_due();
    assert_eq!(lab.router.state(), State::Master);
}

#[test]
fn nopreempt_still_elects_after_priority_zero() {
    let mut lab = Lab::started(Settings {
        preempt: Preempt::No,
        ..v3()
    });
    lab.hear(LOW, 1);
    lab.hear(LOW, 0);
    lab.run(ms(610));
    assert_eq!(lab.router.state(), State::Master);
}

/// Feeds lower adverts every half second until the instance is Master; how long that took
/// since the first of them.
fn preempted_after(lab: &mut Lab) -> Duration {
    let start = lab.now;
    while lab.router.state() == State::Backup {
        assert!(
            lab.now.since(start) < Duration::from_secs(60),
            "never Master"
        );
        lab.hear(LOW, 50);
        lab.run(ms(500));
    }
    lab.router.last_transition().since(start)
}

#[test]
fn preempt_delay_counts_from_the_first_lower_advert() {
    let settings = Settings {
        preempt: Preempt::Delay(ms(2500)),
        ..v3()
    };
    let mut lab = Lab::started(settings);
    lab.hear(HIGH, 150);
    lab.out.clear();
    lab.hear(LOW, 50);
    assert!(
        lab.logged()
            .contains(&"(VI_1) start preempt delay (2.500000)".into())
    );
    let took = preempted_after(&mut lab);
    // One whole down interval after the last accepted one, which came at 2.0 s.
    assert_eq!(took, ms(2000) + Duration::from_nanos(3_609_375_000));
}

#[test]
fn a_better_master_stops_the_preempt_delay() {
    let settings = Settings {
        preempt: Preempt::Delay(ms(2500)),
        ..v3()
    };
    let mut lab = Lab::started(settings);
    lab.hear(LOW, 50);
    lab.out.clear();
    lab.hear(HIGH, 100);
    assert!(lab.logged().contains(&"(VI_1) stop preempt delay".into()));
    assert_eq!(lab.router.preempt_until(), None);
}

//= V3-6.1-4
#[test]
fn the_owner_preempts_whatever_the_setting() {
    for preempt in [Preempt::No, Preempt::Delay(Duration::from_secs(900))] {
        let mut lab = Lab::master(with_priority(Settings { preempt, ..v3() }, 255));
        // Back to Backup by another owner with a higher address; then a lower Master appears.
        lab.hear(HIGH, 255);
        assert_eq!(lab.router.state(), State::Backup);
        lab.sleep(Duration::from_secs(2));
        lab.hear(LOW, 50);
        assert_eq!(lab.wait(), Duration::from_nanos(1_003_906_250));
    }
}

//= V3-6.4.2-11
#[test]
fn a_timer_from_before_the_last_advert_has_no_effect() {
    let mut lab = Lab::started(v3());
    let stale = lab.router.due().unwrap();
    lab.sleep(Duration::from_secs(3));
    lab.hear(HIGH, 150);
    lab.out.clear();
    lab.now = stale;
    lab.feed(Input::Timer);
    assert_eq!(lab.deeds(), [""; 0]);
    assert_eq!(lab.router.state(), State::Backup);
}

#[test]
fn the_timer_runs_from_when_the_kernel_received_the_advert() {
    let mut lab = Lab::started(v3());
    let received = lab.now + ms(500);
    let rx = lab.from(HIGH, 150);
    lab.sleep(ms(900));
    lab.receive_late(&rx, received);
    assert_eq!(
        lab.router.due(),
        Some(received + Duration::from_nanos(3_609_375_000))
    );
    // One that waited longer does not take back what the later one gave.
    lab.receive_late(&rx, received - ms(300));
    assert_eq!(
        lab.router.due(),
        Some(received + Duration::from_nanos(3_609_375_000))
    );
    // Nor one that a wrong clock puts into the future.
    lab.receive_late(&rx, lab.now + Duration::from_secs(5));
    assert_eq!(lab.wait(), Duration::from_nanos(3_609_375_000));
}

#[test]
fn a_priority_change_moves_the_deadline_by_the_difference_of_the_skews() {
    let script = tracker(1, TrackerKind::Script, -50, Reading::Up);
    let mut lab = Lab::started(Settings {
        trackers: vec![script],
        ..v3()
    });
    let start = lab.now;
    // Lower adverts in between must not make the wait start anew.
    for _ in 0..4 {
        lab.sleep(ms(500));
        lab.hear(LOW, 40);
    }
    lab.track(1, Reading::Down);
    assert_eq!(lab.router.effective_priority(), Priority::new(50));
    let skew = Duration::from_nanos(1_000_000_000 * 206 / 256);
    assert_eq!(
        lab.router.due(),
        Some(start + Duration::from_secs(3) + skew)
    );
}

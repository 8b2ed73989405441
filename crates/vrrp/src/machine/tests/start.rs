//! Start, stop, and what holds an instance in INIT.

use super::*;
use crate::settings::InitialState;

//= V3-6.4.1-2
//= V3-6.1-3
#[test]
fn a_start_waits_as_backup_for_a_whole_down_interval() {
    let mut lab = Lab::idle(v3());
    assert_eq!(lab.router.due(), None);
    lab.feed(Input::Start);
    assert_eq!(
        lab.all(),
        [
            "log: (VI_1) removing VIPs.",
            "addresses absent",
            "log: (VI_1) Entering BACKUP STATE (init)",
            "INIT -> BACKUP: started",
        ]
    );
    assert_eq!(lab.wait(), Duration::from_nanos(3_609_375_000));
    assert_eq!(lab.router.master_adver_interval(), Duration::from_secs(1));
    // Starting twice does nothing.
    lab.feed(Input::Start);
    assert_eq!(lab.all(), [""; 0]);
}

//= V3-6.4.1-1
//= V3-5.2.4-1
#[test]
fn an_owner_is_master_at_once() {
    let mut lab = Lab::idle(with_priority(v3(), 255));
    lab.feed(Input::Start);
    assert_eq!(
        lab.all(),
        [
            "log: (VI_1) removing VIPs.",
            "addresses absent",
            "advert 255 to 224.0.0.18",
            "log: (VI_1) Entering MASTER STATE",
            "log: (VI_1) setting VIPs.",
            "addresses present",
            "announce 5 Master",
            "INIT -> MASTER: started as the address owner (priority 255)",
        ]
    );
    assert_eq!(lab.wait(), Duration::from_secs(1));
}

//= X-STATE-1
#[test]
fn state_master_has_no_effect_on_timing() {
    let lab = Lab::started(Settings {
        initial_state: InitialState::Master,
        ..v3()
    });
    assert_eq!(lab.router.state(), State::Backup);
    assert_eq!(lab.wait(), Duration::from_nanos(3_609_375_000));
}

#[test]
fn without_a_source_address_it_starts_in_fault() {
    let mut lab = Lab::idle(v3());
    lab.feed(Input::SourceAddress(None));
    lab.feed(Input::Start);
    assert_eq!(
        lab.all(),
        [
            "log: (VI_1) removing VIPs.",
            "addresses absent",
            "log: (VI_1) entering FAULT state (no IPv4 address for interface)",
            "log: (VI_1) Entering FAULT STATE (init)",
            "INIT -> FAULT: no IPv4 address for interface",
        ]
    );
    assert_eq!(lab.router.due(), None);
    lab.feed(Input::SourceAddress(Some(ip(OURS))));
    assert_eq!(
        lab.deeds(),
        ["FAULT -> BACKUP: everything tracked is good again"]
    );
    assert_eq!(lab.wait(), Duration::from_nanos(3_609_375_000));
}

#[test]
fn an_unknown_script_without_weight_holds_it_in_init() {
    let script = tracker(1, TrackerKind::Script, 0, Reading::Unknown);
    let mut lab = Lab::started(Settings {
        trackers: vec![script],
        ..v3()
    });
    assert_eq!((lab.router.state(), lab.router.due()), (State::Init, None));
    assert_eq!(lab.router.scripts_init(), 1);
    lab.hear(HIGH, 50);
    assert_eq!(lab.all(), [""; 0]);
    lab.track(1, Reading::Up);
    assert_eq!(
        lab.all(),
        [
            "log: (VI_1) Entering BACKUP STATE",
            "INIT -> BACKUP: all tracked scripts have reported"
        ]
    );
}

#[test]
fn an_unknown_script_that_fails_first_leads_from_init_to_fault() {
    let script = tracker(1, TrackerKind::Script, 0, Reading::Unknown);
    let mut lab = Lab::started(Settings {
        trackers: vec![script],
        ..v3()
    });
    lab.feed(Input::Tracker {
        id: TrackerId(1),
        reading: Reading::Down,
        detail: Some("exited with status 1".into()),
    });
    assert_eq!(
        lab.all(),
        [
            "log: (VI_1): entering FAULT state due to script script1",
            "log: (VI_1) Entering FAULT STATE",
            "INIT -> FAULT: script script1: exited with status 1",
        ]
    );
}

#[test]
fn a_startup_delay_makes_it_deaf_and_starts_the_timer_at_its_end() {
    let delay = Duration::from_secs(10);
    let mut lab = Lab::started(Settings {
        startup_delay: delay,
        ..v3()
    });
    assert_eq!(lab.wait(), Duration::from_nanos(13_609_375_000));
    lab.run(Duration::from_secs(4));
    lab.hear(HIGH, 0);
    assert_eq!(lab.router.stats().advert_rcvd, 0);
    assert_eq!(lab.wait(), Duration::from_nanos(9_609_375_000));
    lab.run(Duration::from_secs(6));
    lab.hear(HIGH, 150);
    assert_eq!(lab.router.stats().advert_rcvd, 1);
}

#[test]
fn an_owner_waits_for_the_end_of_the_startup_delay() {
    let owner = Settings {
        startup_delay: ms(500),
        ..with_priority(v3(), 255)
    };
    let mut lab = Lab::started(owner);
    assert_eq!((lab.router.state(), lab.wait()), (State::Init, ms(500)));
    lab.run(ms(500));
    assert_eq!(lab.router.state(), State::Master);
}

//= V3-6.4.2-6
//= V2-6.4.2-2
#[test]
fn a_backup_stops_without_a_word_on_the_wire() {
    let mut lab = Lab::started(v3());
    lab.shutdown();
    assert_eq!(
        lab.deeds(),
        ["addresses absent", "BACKUP -> INIT: the daemon stops"]
    );
    assert_eq!((lab.router.state(), lab.router.due()), (State::Init, None));
    // Nothing but a new start wakes it.
    lab.hear(HIGH, 0);
    lab.feed(Input::Timer);
    assert_eq!(lab.deeds(), [""; 0]);
}

//= V3-6.4.3-8
//= V2-6.4.3-3
//= V3-5.2.4-3
#[test]
fn a_master_says_priority_zero_when_it_stops() {
    for settings in [v2(), v3()] {
        let mut lab = Lab::master(settings);
        lab.shutdown();
        assert_eq!(
            lab.deeds(),
            [
                "advert 0 to 224.0.0.18",
                "addresses absent",
                "MASTER -> INIT: the daemon stops"
            ]
        );
        assert_eq!(lab.router.due(), None);
        let stats = lab.router.stats();
        assert_eq!((stats.pri_zero_sent, stats.release_master), (1, 1));
    }
}

#[test]
fn a_master_told_to_keep_its_addresses_sends_nothing() {
    let mut lab = Lab::master(v3());
    lab.feed(Input::Stop {
        reason: StopReason::Deleted,
        at_stop: AtStop::Keep,
    });
    assert_eq!(lab.deeds(), ["MASTER -> INIT: no longer configured"]);
}

//= V3-6.2-1
#[test]
fn at_most_one_of_the_two_protocol_timers_runs() {
    let mut lab = Lab::started(v3());
    for _ in 0..3 {
        assert_eq!(lab.router.state(), State::Backup);
        assert!(lab.router.wait.is_some() && lab.router.adver_due.is_none());
        lab.run_to_due();
        assert_eq!(lab.router.state(), State::Master);
        assert!(lab.router.wait.is_none() && lab.router.adver_due.is_some());
        lab.hear(HIGH, 200);
    }
    lab.shutdown();
    assert!(lab.router.wait.is_none() && lab.router.adver_due.is_none());
}

//= V3-6.1-7
#[test]
fn the_same_vrid_over_the_other_family_is_another_virtual_router() {
    let (mut four, mut six) = (Lab::started(v3()), Lab::started(v6()));
    let wait = six.wait();
    four.hear(HIGH, 0);
    assert_eq!(six.wait(), wait);
    // An IPv4 advert fed to the IPv6 instance by mistake changes nothing.
    let rx = four.from(HIGH, 0);
    six.receive(&rx);
    assert_eq!((six.wait(), six.router.stats().advert_rcvd), (wait, 0));
}

//! A new configuration under a running instance.

use super::*;

fn reload(lab: &mut Lab, settings: Settings) {
    lab.feed(Input::Reload(Box::new(settings)));
}

#[test]
fn an_unchanged_master_sends_nothing_and_keeps_its_timer() {
    let mut lab = Lab::master(v3());
    lab.sleep(ms(300));
    let due = lab.router.due();
    reload(&mut lab, v3());
    assert_eq!(
        lab.all(),
        ["log: (VI_1) setting VIPs.", "addresses present"]
    );
    assert_eq!((lab.router.state(), lab.router.due()), (State::Master, due));
}

#[test]
fn an_unchanged_backup_keeps_waiting() {
    let mut lab = Lab::started(v3());
    let mut rx = lab.from(HIGH, 200);
    rx.settings.adver_interval = Duration::from_secs(2);
    lab.receive(&rx);
    lab.sleep(ms(300));
    lab.out.clear();
    let due = lab.router.due();
    reload(&mut lab, v3());
    assert_eq!(
        lab.all(),
        ["log: (VI_1) removing VIPs.", "addresses absent"]
    );
    assert_eq!((lab.router.state(), lab.router.due()), (State::Backup, due));
    assert_eq!(lab.router.master_router(), Some(ip(HIGH)));
}

#[test]
fn a_master_tells_at_once_what_changed() {
    let mut lab = Lab::master(v3());
    lab.sleep(ms(300));
    reload(&mut lab, with_priority(v3(), 150));
    assert_eq!(
        lab.deeds(),
        ["advert 150 to 224.0.0.18", "addresses present"]
    );
    // A priority is no news to scripts or logs.
    assert_eq!(lab.router.effective_priority(), Priority::new(150));
    let faster = Settings {
        adver_interval: ms(100),
        ..v3()
    };
    reload(&mut lab, faster);
    assert_eq!(lab.wait(), ms(100));
    let sent = lab.sent().pop().unwrap();
    assert_eq!(sent.payload[4..6], [0, 10]);
}

#[test]
fn new_addresses_are_advertised_installed_and_announced() {
    let mut lab = Lab::master(v3());
    let more = Settings {
        addresses: vec![ip(VIP), ip("192.0.2.101")],
        ..v3()
    };
    reload(&mut lab, more);
    assert_eq!(
        lab.deeds(),
        [
            "advert 100 to 224.0.0.18",
            "addresses present",
            "announce 5 Master"
        ]
    );
}

#[test]
fn what_trackers_said_survives_under_other_numbers() {
    let mut weighted = tracker(1, TrackerKind::Script, 20, Reading::Unknown);
    weighted.reverse = true;
    let fatal = tracker(2, TrackerKind::Script, 0, Reading::Unknown);
    let before = vec![weighted.clone(), fatal.clone()];
    let mut lab = Lab::started(Settings {
        trackers: before,
        ..v3()
    });
    lab.track(1, Reading::Up);
    lab.track(2, Reading::Up);
    assert_eq!(lab.router.effective_priority(), Priority::new(80));
    let after = vec![
        Tracker {
            id: TrackerId(7),
            ..fatal
        },
        Tracker {
            id: TrackerId(8),
            ..weighted
        },
    ];
    for _ in 0..3 {
        reload(
            &mut lab,
            Settings {
                trackers: after.clone(),
                ..v3()
            },
        );
        assert_eq!(lab.router.effective_priority(), Priority::new(80));
        assert_eq!(lab.router.state(), State::Backup);
    }
    lab.track(7, Reading::Down);
    assert_eq!(lab.router.state(), State::Fault);
}

#[test]
fn a_new_script_without_a_result_does_not_move_a_running_instance() {
    let mut lab = Lab::master(v3());
    let script = tracker(1, TrackerKind::Script, 0, Reading::Unknown);
    reload(
        &mut lab,
        Settings {
            trackers: vec![script],
            ..v3()
        },
    );
    assert_eq!(lab.router.state(), State::Master);
    lab.track(1, Reading::Down);
    assert_eq!(lab.router.state(), State::Fault);
}

#[test]
fn a_new_tracker_that_is_down_leads_to_fault() {
    let mut lab = Lab::master(v3());
    let interface = tracker(1, TrackerKind::Interface, 0, Reading::Down);
    reload(
        &mut lab,
        Settings {
            trackers: vec![interface],
            ..v3()
        },
    );
    assert_eq!(
        lab.deeds(),
        [
            "advert 0 to 224.0.0.18",
            "advert 0 to 224.0.0.18",
            "addresses absent",
            "MASTER -> FAULT: interface interface1 down",
        ]
    );
    reload(&mut lab, v3());
    assert_eq!(lab.router.state(), State::Backup);
}

#[test]
fn a_change_of_version_is_followed() {
    let mut lab = Lab::started(v3());
    let mut rx = lab.from(HIGH, 200);
    rx.settings.adver_interval = Duration::from_secs(9);
    lab.receive(&rx);
    reload(&mut lab, v2());
    assert_eq!(lab.router.master_adver_interval(), Duration::from_secs(1));
    lab.hear(HIGH, 200);
    assert_eq!(lab.router.stats().advert_rcvd, 2);
}

#[test]
fn before_the_start_it_only_replaces_the_settings() {
    let mut lab = Lab::idle(v3());
    reload(&mut lab, with_priority(v3(), 7));
    assert_eq!(lab.all(), [""; 0]);
    assert_eq!(lab.router.effective_priority(), Priority::new(7));
}

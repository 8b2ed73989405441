//! Trackers in a living instance.

use super::*;

fn tracking(trackers: Vec<Tracker>) -> Settings {
    Settings { trackers, ..v3() }
}

//= V3-5.2.4-2
//= V2-5.3.4-1
//= V3-7.2-1
#[test]
fn weights_move_the_priority_on_the_wire_within_1_and_254() {
    let scripts = vec![
        tracker(1, TrackerKind::Script, -253, Reading::Unknown),
        tracker(2, TrackerKind::Script, 253, Reading::Unknown),
    ];
    let mut lab = Lab::master(tracking(scripts));
    lab.track(1, Reading::Down);
    assert_eq!(
        lab.all(),
        [
            "log: (VI_1) Changing effective priority from 100 to 1",
            "priority 100 -> 1"
        ]
    );
    assert_eq!(lab.router.total_priority(), -153);
    lab.run_to_due();
    assert_eq!(lab.deeds(), ["advert 1 to 224.0.0.18"]);
    lab.track(1, Reading::Up);
    lab.track(2, Reading::Up);
    lab.out.clear();
    lab.run_to_due();
    assert_eq!(lab.deeds(), ["advert 254 to 224.0.0.18"]);
    assert_eq!(lab.router.total_priority(), 353);
    // The same result again is no news.
    lab.track(2, Reading::Up);
    assert_eq!(lab.all(), [""; 0]);
}

#[test]
fn a_fault_takes_a_master_down_with_two_goodbyes() {
    let interface = tracker(1, TrackerKind::Interface, 0, Reading::Up);
    let mut lab = Lab::master(tracking(vec![interface]));
    lab.track(1, Reading::Down);
    assert_eq!(
        lab.all(),
        [
            "advert 0 to 224.0.0.18",
            "advert 0 to 224.0.0.18",
            "log: (VI_1) sent 0 priority",
            "log: (VI_1) entering FAULT state (interface interface1 down)",
            "log: (VI_1) Entering FAULT STATE",
            "log: (VI_1) removing VIPs.",
            "addresses absent",
            "MASTER -> FAULT: interface interface1 down",
        ]
    );
    let stats = lab.router.stats();
    assert_eq!((stats.pri_zero_sent, stats.release_master), (1, 1));
    assert_eq!(lab.router.due(), None);
}

#[test]
fn fault_is_deaf_and_ends_in_backup_with_a_whole_wait() {
    let interface = tracker(1, TrackerKind::Interface, 0, Reading::Down);
    let mut lab = Lab::started(tracking(vec![interface]));
    lab.hear(HIGH, 0);
    lab.feed(Input::Timer);
    assert_eq!((lab.all(), lab.router.stats().advert_rcvd), (vec![], 0));
    lab.track(1, Reading::Up);
    assert_eq!(
        lab.all(),
        [
            "log: (VI_1) Entering BACKUP STATE",
            "FAULT -> BACKUP: everything tracked is good again"
        ]
    );
    assert_eq!(lab.wait(), Duration::from_nanos(3_609_375_000));
}

#[test]
fn it_stays_in_fault_until_the_last_fault_is_gone() {
    let two = vec![
        tracker(1, TrackerKind::Interface, 0, Reading::Up),
        tracker(2, TrackerKind::Bfd, 0, Reading::Up),
    ];
    let mut lab = Lab::started(tracking(two));
    lab.track(1, Reading::Down);
    lab.track(2, Reading::Down);
    lab.feed(Input::SourceAddress(None));
    assert_eq!(lab.router.faults().len(), 3);
    lab.out.clear();
    lab.track(1, Reading::Up);
    lab.feed(Input::SourceAddress(Some(ip(OURS))));
    assert_eq!((lab.deeds(), lab.router.state()), (vec![], State::Fault));
    lab.track(2, Reading::Up);
    assert_eq!(lab.router.state(), State::Backup);
}

#[test]
fn a_unicast_instance_announces_its_own_address_when_it_leaves_fault() {
    let mut settings = tracking(vec![tracker(1, TrackerKind::Interface, 0, Reading::Down)]);
    settings.transport = Transport::unicast([ip(HIGH)]);
    let mut lab = Lab::started(settings);
    lab.track(1, Reading::Up);
    assert_eq!(
        lab.deeds(),
        [
            "announce 1 Source",
            "FAULT -> BACKUP: everything tracked is good again"
        ]
    );
}

//= V3-7.2-4
#[test]
fn without_a_source_address_nothing_is_sent() {
    let mut lab = Lab::master(v3());
    lab.feed(Input::SourceAddress(None));
    assert_eq!(
        lab.deeds(),
        [
            "addresses absent",
            "MASTER -> FAULT: no IPv4 address for interface"
        ]
    );
    assert_eq!(
        (
            lab.router.stats().no_source_err,
            lab.router.stats().pri_zero_sent
        ),
        (1, 0)
    );
}

#[test]
fn one_tracked_thing_may_stand_in_several_places() {
    let twice = vec![
        tracker(1, TrackerKind::Script, 10, Reading::Unknown),
        tracker(1, TrackerKind::Script, 5, Reading::Unknown),
    ];
    let mut lab = Lab::started(tracking(twice));
    lab.track(1, Reading::Up);
    assert_eq!(lab.router.effective_priority(), Priority::new(115));
    lab.track(9, Reading::Down);
    assert_eq!(lab.router.effective_priority(), Priority::new(115));
}

//! The address owner, and what happens when there are two.

use super::*;

fn owner() -> Settings {
    with_priority(v3(), 255)
}

//= V3-5.2.4-1
//= V2-5.3.4-1
#[test]
fn tracking_never_moves_an_owner() {
    let script = tracker(1, TrackerKind::Script, -50, Reading::Down);
    let lab = Lab::started(Settings {
        trackers: vec![script],
        ..owner()
    });
    assert_eq!(lab.router.effective_priority(), Priority::OWNER);
    assert_eq!(lab.router.state(), State::Master);
}

//= X-OWNER-1
//= V3-7.1-10
//= V3-8.3.2-1
#[test]
fn the_owner_with_the_lower_address_yields_and_stays_quiet() {
    let mut lab = Lab::master(owner());
    lab.hear(HIGH, 255);
    let all = lab.all();
    assert_eq!(
        all[0],
        "log: (VI_1) CONFIGURATION ERROR: local instance and 192.0.2.20 are both configured as \
         address owner, please resolve"
    );
    assert_eq!(
        all.last().unwrap(),
        "MASTER -> BACKUP: 192.0.2.20 also claims to own the addresses (priority 255)"
    );
    for _ in 0..20 {
        lab.run(ms(900));
        lab.hear(HIGH, 255);
        assert_eq!(lab.router.state(), State::Backup);
    }
    assert!(lab.sent().is_empty());
    lab.run(Duration::from_secs(4));
    assert_eq!(lab.router.state(), State::Master);
}

//= X-OWNER-1
#[test]
fn the_owner_with_the_higher_address_gives_way_to_one_that_never_yields_and_recovers() {
    let mut lab = Lab::master(owner());
    let start = lab.now;
    while lab.router.state() == State::Master {
        assert!(
            lab.now.since(start) < Duration::from_secs(20),
            "never gave way"
        );
        lab.hear(LOW, 255);
        lab.run(ms(1000));
    }
    // Two own adverts and more than 1.2 intervals.
    assert!(lab.now.since(start) >= Duration::from_secs(2));
    assert_eq!(lab.router.effective_priority(), Priority::new(254));
    let lines = lab.logged();
    let conflicts = lines
        .iter()
        .filter(|l| l.contains("CONFIGURATION ERROR"))
        .count();
    assert_eq!(conflicts, 1, "{lines:#?}");
    lab.hear(LOW, 255);
    assert_eq!(lab.router.state(), State::Backup);
    // When the other one is gone, it owns its addresses again.
    lab.run(Duration::from_secs(5));
    assert_eq!(lab.router.state(), State::Master);
    assert_eq!(lab.router.effective_priority(), Priority::OWNER);
    assert_eq!(lab.sent().pop().unwrap().priority, Priority::OWNER);
}

#[test]
fn one_stray_advert_of_another_owner_demotes_nobody() {
    let mut lab = Lab::master(owner());
    for _ in 0..5 {
        lab.hear(LOW, 255);
        lab.run(Duration::from_secs(60));
    }
    assert_eq!(lab.router.state(), State::Master);
    assert_eq!(lab.router.effective_priority(), Priority::OWNER);
}

//= X-OWNER-1
//= V2-7.1-4
//= V3-7.1-10
#[test]
fn owner_ignore_adverts_restores_the_rule_of_the_old_rfc() {
    for settings in [with_priority(v2(), 255), owner()] {
        let mut lab = Lab::master(Settings {
            owner_ignore_adverts: true,
            ..settings
        });
        for priority in [0, 100, 255, 255] {
            lab.hear(HIGH, priority);
        }
        assert_eq!(
            lab.all(),
            ["log: (VI_1) address owner ignores advert from 192.0.2.20"]
        );
        assert_eq!(lab.router.stats().advert_rcvd, 0);
    }
    // It is the owner's alone.
    let mut lab = Lab::started(Settings {
        owner_ignore_adverts: true,
        ..v3()
    });
    lab.hear(HIGH, 200);
    assert_eq!(lab.router.stats().advert_rcvd, 1);
}

#[test]
fn an_owner_returns_from_fault_straight_to_master() {
    let interface = tracker(1, TrackerKind::Interface, 0, Reading::Up);
    let mut lab = Lab::master(Settings {
        trackers: vec![interface],
        ..owner()
    });
    lab.track(1, Reading::Down);
    assert_eq!(lab.router.state(), State::Fault);
    lab.out.clear();
    lab.track(1, Reading::Up);
    assert_eq!(
        lab.deeds().last().unwrap(),
        "FAULT -> MASTER: everything tracked is good again"
    );
}

//! What a Master does with what it hears.

use super::*;

//= V3-6.4.3-9
//= V2-6.4.3-3
#[test]
fn it_advertises_on_a_grid_of_its_interval() {
    let mut settings = v3();
    settings.garp.master_delay = Duration::ZERO;
    let mut lab = Lab::master(settings);
    let first = lab.now;
    for n in 1..=3 {
        assert_eq!(lab.router.due(), Some(first + Duration::from_secs(n)));
        lab.run_to_due();
        assert_eq!(lab.deeds(), ["advert 100 to 224.0.0.18"]);
    }
    // A little late does not shift the grid; long after, nothing is made up for.
    lab.sleep(ms(1200));
    lab.feed(Input::Timer);
    assert_eq!(lab.deeds(), ["advert 100 to 224.0.0.18"]);
    assert_eq!(lab.wait(), ms(800));
    lab.sleep(ms(2500));
    lab.feed(Input::Timer);
    assert_eq!(lab.deeds(), ["advert 100 to 224.0.0.18"]);
    assert_eq!(lab.wait(), ms(1000));
}

//= V3-6.4.3-10
//= V2-6.4.3-3
#[test]
fn priority_zero_is_answered_at_once() {
    for settings in [v2(), v3()] {
        let mut lab = Lab::master(settings);
        lab.sleep(ms(300));
        lab.hear(LOW, 0);
        assert_eq!(
            lab.all(),
            [
                "log: (VI_1) Master received priority 0 message",
                "advert 100 to 224.0.0.18"
            ]
        );
        assert_eq!(lab.wait(), Duration::from_secs(1));
    }
}

//= V3-6.4.3-11
//= V2-6.4.3-3
#[test]
fn it_yields_to_a_higher_priority() {
    for settings in [v2(), v3()] {
        let mut lab = Lab::master(settings);
        lab.sleep(ms(300));
        lab.hear(LOW, 101);
        assert_eq!(
            lab.all(),
            [
                "log: (VI_1) Master received advert from 192.0.2.1 with higher priority 101, \
                 ours 100",
                "log: (VI_1) Entering BACKUP STATE",
                "log: (VI_1) removing VIPs.",
                "addresses absent",
                "MASTER -> BACKUP: advert from 192.0.2.1 with higher priority 101, ours 100",
            ]
        );
        assert_eq!(lab.wait(), Duration::from_nanos(3_609_375_000));
        assert_eq!(lab.router.master_router(), Some(ip(LOW)));
        assert_eq!(lab.router.stats().release_master, 1);
    }
}

//= V3-6.4.3-11
#[test]
fn it_takes_over_the_interval_of_whom_it_yields_to() {
    let mut lab = Lab::master(v3());
    let mut rx = lab.from(HIGH, 200);
    rx.settings.adver_interval = ms(100);
    lab.receive(&rx);
    assert_eq!(lab.wait(), Duration::from_nanos(360_937_500));
    // And back to its own when it is Master again.
    lab.out.clear();
    lab.run_to_due();
    assert!(lab.logged().contains(
        &"(VI_1) changing advert interval from 100ms to locally configured 1000ms".into()
    ));
    assert_eq!(lab.wait(), Duration::from_secs(1));
}

//= V3-6.4.3-11
//= V3-6.4.3-13
//= V2-6.4.3-3
#[test]
fn equal_priorities_compare_the_source_addresses() {
    for settings in [v2(), v3()] {
        let mut lab = Lab::master(settings.clone());
        lab.hear(HIGH, 100);
        assert_eq!(lab.router.state(), State::Backup);
        assert!(
            lab.logged().contains(
                &"(VI_1) Master received advert from 192.0.2.20 with same priority 100 but higher \
              IP address than ours"
                    .into()
            )
        );
        // The lower address loses, whatever addresses it lists.
        let mut lab = Lab::master(settings);
        let mut rx = lab.from(LOW, 100);
        rx.settings.addresses = vec![ip("192.0.2.255")];
        lab.receive(&rx);
        assert_eq!(lab.router.state(), State::Master);
    }
}

//= V3-6.4.3-11
#[test]
fn the_tie_break_is_unsigned_and_in_network_order() {
    for (from, yields) in [
        ("192.0.2.11", true),
        ("192.0.2.9", false),
        ("200.0.0.1", true),
        ("10.255.255.255", false),
        ("192.0.3.1", true),
    ] {
        let mut lab = Lab::master(v3());
        lab.hear(from, 100);
        assert_eq!(lab.router.state() == State::Backup, yields, "{from}");
    }
    for (from, yields) in [
        ("fe80::11", true),
        ("fe80::f", false),
        ("fe80::1:0:0:1", true),
    ] {
        let mut lab = Lab::master(v6());
        lab.hear(from, 100);
        assert_eq!(lab.router.state() == State::Backup, yields, "{from}");
    }
}

//= V3-6.4.3-12
//= X-LOWPRIO-1
#[test]
fn a_losing_advert_is_answered_at_once() {
    for settings in [v2(), v3()] {
        let mut lab = Lab::master(settings);
        lab.sleep(ms(300));
        lab.hear(HIGH, 99);
        assert_eq!(
            lab.all(),
            [
                "advert 100 to 224.0.0.18",
                "log: (VI_1) Received advert from 192.0.2.20 with lower priority 99, ours 100, \
                 forcing new election",
                "announce 5 LowerPriority",
                "heard lower priority",
            ]
        );
        assert_eq!(lab.wait(), Duration::from_secs(1));
        assert_eq!(lab.router.state(), State::Master);
    }
}

//= V2-6.4.3-4
//= X-LOWPRIO-1
#[test]
fn with_lower_prio_no_advert_a_losing_advert_is_only_discarded() {
    for settings in [v2(), v3()] {
        let mut lab = Lab::master(Settings {
            lower_prio_no_advert: true,
            ..settings
        });
        lab.sleep(ms(300));
        lab.hear(HIGH, 99);
        assert_eq!(
            lab.all(),
            [
                "log: (VI_1) Received advert from 192.0.2.20 with lower priority 99, ours 100",
                "announce 5 LowerPriority",
                "heard lower priority",
            ]
        );
        assert_eq!(lab.wait(), ms(700));
    }
}

//= X-LOWPRIO-1
#[test]
fn higher_prio_send_advert_sends_once_more_before_yielding() {
    let mut lab = Lab::master(Settings {
        higher_prio_send_advert: true,
        ..v3()
    });
    lab.hear(HIGH, 200);
    let deeds = lab.deeds();
    assert_eq!(deeds[..2], ["advert 100 to 224.0.0.18", "addresses absent"]);
    assert_eq!(lab.router.state(), State::Backup);
}

#[test]
fn two_routers_with_one_address_do_not_answer_one_another_for_ever() {
    let mut lab = Lab::master(v3());
    lab.hear(OURS, 100);
    lab.hear(OURS, 100);
    assert_eq!(
        lab.all(),
        [
            "log: (VI_1) WARNING - equal priority advert received from remote host with our \
             IP address."
        ]
    );
}

#[test]
fn a_removed_address_makes_it_start_over_after_one_skew() {
    let mut lab = Lab::master(v3());
    lab.feed(Input::AddressLost(ip(VIP)));
    assert_eq!(
        lab.deeds(),
        [
            "advert 0 to 224.0.0.18",
            "addresses absent",
            "MASTER -> BACKUP: virtual address 192.0.2.100 was removed by somebody else",
        ]
    );
    assert_eq!(lab.wait(), Duration::from_nanos(609_375_000));
    lab.run_to_due();
    assert_eq!(
        lab.deeds(),
        [
            "advert 100 to 224.0.0.18",
            "addresses present",
            "announce 5 Master",
            "BACKUP -> MASTER: putting back 192.0.2.100, which somebody else removed",
        ]
    );
    // Nobody else's business in the other states.
    lab.hear(HIGH, 200);
    lab.out.clear();
    lab.feed(Input::AddressLost(ip(VIP)));
    assert_eq!(lab.deeds(), [""; 0]);
}

#[test]
fn another_router_may_use_the_skew_after_a_removed_address() {
    let mut lab = Lab::master(v3());
    lab.feed(Input::AddressLost(ip(VIP)));
    lab.hear(LOW, 100);
    assert_eq!(lab.wait(), Duration::from_nanos(3_609_375_000));
}

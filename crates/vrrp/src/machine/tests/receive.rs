//! What is dropped, why, and that nothing comes of it.

use super::*;
use crate::settings::{OldUnicastChecksum, Peer, V3Checksum};
use crate::stats::Stats;

fn unicast(settings: Settings, peers: &[&str]) -> Settings {
    Settings {
        transport: Transport::unicast(peers.iter().map(|p| ip(p))),
        ..settings
    }
}

/// A packet that must be dropped: nothing happens, as Backup and as Master, but a counter and,
/// the first time, a line.
#[track_caller]
pub(super) fn refused(
    settings: &Settings,
    spoil: impl Fn(&mut Rx, &mut Vec<u8>),
    line: &str,
    counter: fn(&Stats) -> u64,
) {
    for make in [Lab::started, Lab::master] {
        let mut lab = make(settings.clone());
        let state = lab.router.state();
        lab.sleep(ms(100));
        for priority in [0, 50, 200] {
            let mut rx = lab.from(HIGH, priority);
            let mut bytes = rx.bytes();
            spoil(&mut rx, &mut bytes);
            let due = lab.router.due();
            let counted = counter(lab.router.stats());
            lab.receive_bytes(&rx, lab.now, &bytes);
            assert_eq!(lab.router.state(), state, "priority {priority}");
            assert_eq!(lab.router.due(), due, "priority {priority}");
            assert_eq!(
                counter(lab.router.stats()),
                counted + 1,
                "priority {priority}"
            );
            assert_eq!(lab.router.master_router(), None);
        }
        assert_eq!(lab.router.stats().advert_rcvd, 0);
        // Three packets, one line.
        assert_eq!(lab.all(), [format!("log: ({}) {line}", settings.name)]);
    }
}

/// The same packets unspoiled are taken.
#[track_caller]
pub(super) fn taken(settings: &Settings, change: impl Fn(&mut Rx)) {
    let mut lab = Lab::started(settings.clone());
    let mut rx = lab.from(HIGH, 200);
    change(&mut rx);
    lab.sleep(ms(100));
    lab.receive(&rx);
    let taken = lab.router.stats().advert_rcvd;
    assert_eq!(taken, 1, "{:#?}", lab.logged());
    assert_eq!(lab.router.master_router(), Some(rx.from));
}

/// Makes the checksum right again after `change`, as a sender would.
pub(super) fn forged<F: Fn(&mut [u8])>(
    settings: &Settings,
    change: F,
) -> impl Fn(&mut Rx, &mut Vec<u8>) + use<F> {
    let v2 = settings.version == Version::V2;
    move |rx, bytes| {
        change(bytes);
        bytes[6..8].fill(0);
        let pseudo = Coverage::Pseudo {
            src: rx.from,
            dst: rx.to,
        };
        let coverage = if v2 { Coverage::Message } else { pseudo };
        let sum = crate::wire::checksum(bytes, coverage).to_be_bytes();
        bytes[6..8].copy_from_slice(&sum);
    }
}

//= V3-5.1.1.3-2
//= V3-5.1.2.3-2
//= V2-5.2.3-1
//= V3-7.1-6
//= V3-7.1-7
//= V2-7.1-6
#[test]
fn multicast_with_another_ttl_than_255_is_dropped() {
    for settings in [v2(), v3()] {
        for ttl in [0, 1, 64, 254] {
            let line = format!("invalid TTL/HL from 192.0.2.20. Received {ttl} and expect 255");
            refused(&settings, |rx, _| rx.ttl = ttl, &line, |s| s.ip_ttl_err);
        }
        taken(&settings, |_| ());
    }
    let mut lab = Lab::started(v6());
    let mut rx = lab.from("fe80::20", 200);
    rx.ttl = 254;
    lab.receive(&rx);
    assert_eq!(
        (
            lab.router.stats().ip_ttl_err,
            lab.router.stats().advert_rcvd
        ),
        (1, 0)
    );
    rx.ttl = 255;
    lab.receive(&rx);
    assert_eq!(
        (
            lab.router.stats().ip_ttl_err,
            lab.router.stats().advert_rcvd
        ),
        (1, 1)
    );
}

//= V3-7.1-1
//= V2-7.1-1
#[test]
fn another_version_is_dropped() {
    let to_v2 = |rx: &mut Rx, bytes: &mut Vec<u8>| {
        rx.settings.version = Version::V2;
        *bytes = rx.bytes();
    };
    refused(
        &v3(),
        to_v2,
        "wrong VRRP version from 192.0.2.20. Received 2 and expect 3",
        |s| s.version_err,
    );
    let to_v3 = |rx: &mut Rx, bytes: &mut Vec<u8>| {
        rx.settings.version = Version::V3;
        *bytes = rx.bytes();
    };
    refused(
        &v2(),
        to_v3,
        "wrong VRRP version from 192.0.2.20. Received 3 and expect 2",
        |s| s.version_err,
    );
    taken(&v2(), |_| ());
    taken(&v3(), |_| ());
}

//= V3-5.2.2-1
//= V3-7.1-2
//= V2-5.3.2-1
#[test]
fn another_type_is_dropped() {
    for settings in [v2(), v3()] {
        let spoil = forged(&settings, |b| b[0] = b[0] & 0xf0 | 2);
        let line = "packet type 2 from 192.0.2.20 is not an advertisement";
        refused(&settings, spoil, line, |s| s.invalid_type_rcvd);
    }
}

//= V3-7.1-3
//= V2-7.1-2
#[test]
fn an_incomplete_packet_is_dropped() {
    for (settings, need) in [(v2(), 20), (v3(), 12)] {
        for have in 8..need {
            let line = format!("packet from 192.0.2.20 too short: needs {need} octets, has {have}");
            let cut = |_: &mut Rx, bytes: &mut Vec<u8>| bytes.truncate(have);
            refused(&settings, cut, &line, |s| s.packet_len_err);
        }
        let line = "packet from 192.0.2.20 too short: needs 8 octets, has 7";
        refused(
            &settings,
            |_, bytes| bytes.truncate(7),
            line,
            |s| s.packet_len_err,
        );
    }
}

//= V3-7.1-4
//= V2-7.1-4
#[test]
fn another_vrid_is_not_ours() {
    for settings in [v2(), v3()] {
        let mut lab = Lab::started(settings);
        let due = lab.router.due();
        let mut rx = lab.from(HIGH, 0);
        rx.settings.vrid = Vrid::try_from(52).unwrap();
        lab.receive(&rx);
        assert_eq!((lab.router.due(), lab.router.stats().advert_rcvd), (due, 0));
        lab.hear(HIGH, 0);
        assert_eq!(lab.router.stats().advert_rcvd, 1);
    }
}

//= V3-7.1-5
#[test]
fn a_version_3_interval_of_zero_is_dropped() {
    let spoil = forged(&v3(), |b| b[4..6].fill(0));
    let line = "advertisement interval mismatch ours = 100 centi-sec rcv'd=0 centi-sec";
    refused(&v3(), spoil, line, |s| s.advert_interval_err);
}

//= V3-7.1-8
#[test]
fn a_version_3_interval_of_another_length_is_used() {
    taken(&v3(), |rx| {
        rx.settings.adver_interval = Duration::from_secs(7);
    });
}

//= V2-7.1-8
#[test]
fn a_version_2_interval_of_another_length_is_dropped() {
    let spoil = forged(&v2(), |b| b[5] = 2);
    let line = "advertisement interval mismatch with 192.0.2.20 mine=1 sec rcv'd=2 sec";
    refused(&v2(), spoil, line, |s| s.advert_interval_err);
}

//= V3-5.2.5-1
#[test]
fn a_version_3_advert_without_addresses_is_ignored() {
    let none = |rx: &mut Rx, bytes: &mut Vec<u8>| {
        rx.settings.addresses.clear();
        *bytes = rx.bytes();
    };
    let line = "advert from 192.0.2.20 lists no address, ignored";
    refused(&v3(), none, line, |s| s.addr_list_err);
}

#[test]
fn a_version_2_advert_without_addresses_is_used() {
    taken(&v2(), |rx| rx.settings.addresses.clear());
}

//= V3-5.2.6-1
#[test]
fn reserved_bits_do_not_matter() {
    let mut lab = Lab::started(v3());
    let mut rx = lab.from(HIGH, 200);
    let mut bytes = rx.bytes();
    forged(&v3(), |b| b[4] |= 0xf0)(&mut rx, &mut bytes);
    lab.receive_bytes(&rx, lab.now, &bytes);
    assert_eq!(lab.router.stats().advert_rcvd, 1);
}

//= V3-5.2.8-1
//= V2-7.1-3
//= V2-5.3.8-1
#[test]
fn a_wrong_checksum_is_dropped() {
    for settings in [v2(), v3()] {
        let line = format!("Invalid VRRPv{} checksum from 192.0.2.20", settings.version);
        refused(
            &settings,
            |_, bytes| bytes[6] ^= 0x40,
            &line,
            |s| s.checksum_err,
        );
        taken(&settings, |_| ());
    }
    let mut lab = Lab::started(v6());
    let mut rx = lab.from("fe80::20", 200);
    rx.coverage = Some(Coverage::Message);
    lab.receive(&rx);
    assert_eq!(
        (
            lab.router.stats().checksum_err,
            lab.router.stats().advert_rcvd
        ),
        (1, 0)
    );
    rx.coverage = None;
    lab.receive(&rx);
    assert_eq!(lab.router.stats().advert_rcvd, 1);
}

//= V3-5.2.8-2
//= X-CSUM-2
#[test]
fn the_message_only_checksum_needs_its_option_and_never_opens_the_door() {
    let message_only = |rx: &mut Rx, bytes: &mut Vec<u8>| {
        rx.coverage = Some(Coverage::Message);
        *bytes = rx.bytes();
    };
    let line = "Invalid VRRPv3 checksum from 192.0.2.20";
    refused(&v3(), message_only, line, |s| s.checksum_err);

    let as_v2 = Settings {
        v3_checksum: V3Checksum::MessageOnly,
        ..v3()
    };
    taken(&as_v2, |rx| rx.coverage = Some(Coverage::Message));
    // The pseudo-header form is a counted fallback ...
    let mut lab = Lab::started(as_v2.clone());
    lab.hear(HIGH, 200);
    assert_eq!(
        (
            lab.router.stats().advert_rcvd,
            lab.router.stats().checksum_fallback
        ),
        (1, 1)
    );
    // ... and anything else is dropped.
    refused(&as_v2, |_, bytes| bytes[7] ^= 1, line, |s| s.checksum_err);
}

//= X-CSUM-3
#[test]
fn an_old_unicast_peer_is_recognised_by_its_first_packet() {
    let old = Some(Coverage::Pseudo {
        src: ip(HIGH),
        dst: ip("224.0.0.18"),
    });
    let settings = unicast(v3(), &[HIGH]);
    let mut lab = Lab::started(settings.clone());
    let mut rx = lab.from(HIGH, 200);
    rx.coverage = old;
    lab.receive(&rx);
    assert!(lab.router.uses_old_unicast_checksum());
    assert!(
        lab.logged()
            .contains(&"(VI_1) Setting unicast VRRPv3 checksum to old version".into())
    );
    // From then on ours are of that kind as well.
    lab.run(Duration::from_secs(10));
    let sent = lab.sent().pop().unwrap();
    let (src, dst) = (ip(OURS), ip("224.0.0.18"));
    assert!(crate::wire::is_good(
        &sent.payload,
        Coverage::Pseudo { src, dst }
    ));

    let never = Settings {
        old_unicast_checksum: OldUnicastChecksum::Never,
        ..settings.clone()
    };
    let to_old = |rx: &mut Rx, bytes: &mut Vec<u8>| {
        rx.coverage = old;
        *bytes = rx.bytes();
    };
    refused(
        &never,
        to_old,
        "Invalid VRRPv3 checksum from 192.0.2.20",
        |s| s.checksum_err,
    );

    let always = Settings {
        old_unicast_checksum: OldUnicastChecksum::Always,
        ..settings
    };
    taken(&always, |rx| rx.coverage = old);
}

//= X-UNI-1
#[test]
fn a_unicast_stranger_is_named_once_and_dropped_only_when_asked() {
    let open = unicast(v3(), &["192.0.2.77"]);
    let mut lab = Lab::started(open.clone());
    lab.hear(HIGH, 200);
    lab.hear(HIGH, 200);
    assert_eq!(lab.router.stats().advert_rcvd, 2);
    let line = "(VI_1) unicast source address 192.0.2.20 not a unicast peer";
    assert_eq!(lab.logged().iter().filter(|l| *l == line).count(), 1);

    let mut closed = open.clone();
    if let Transport::Unicast { check_source, .. } = &mut closed.transport {
        *check_source = true;
    }
    let line = "unicast source address 192.0.2.20 not a unicast peer";
    refused(&closed, |_, _| (), line, |s| s.address_err);
    // A TTL bound of any peer asks for it as well.
    let mut bounded = open;
    if let Transport::Unicast { peers, .. } = &mut bounded.transport {
        peers[0].min_ttl = Some(1);
    }
    refused(&bounded, |_, _| (), line, |s| s.address_err);
}

//= X-UNI-1
#[test]
fn a_peers_ttl_bounds_are_kept() {
    let mut settings = unicast(v3(), &[HIGH]);
    taken(&settings, |rx| rx.ttl = 3);
    settings.transport = Transport::Unicast {
        peers: vec![Peer {
            address: ip(HIGH),
            min_ttl: Some(254),
            max_ttl: Some(254),
        }],
        ttl: 255,
        check_source: false,
    };
    taken(&settings, |rx| rx.ttl = 254);
    for ttl in [253, 255] {
        let line = format!("invalid TTL/HL from 192.0.2.20. Received {ttl} and expect 254 to 254");
        refused(&settings, |rx, _| rx.ttl = ttl, &line, |s| s.ip_ttl_err);
    }
}

#[test]
fn multicast_and_unicast_do_not_mix() {
    let to = |address: &'static str| {
        move |rx: &mut Rx, bytes: &mut Vec<u8>| {
            rx.to = ip(address);
            *bytes = rx.bytes();
        }
    };
    let line = "packet from 192.0.2.20 to 192.0.2.10, where we do not listen, ignored";
    refused(&v3(), to(OURS), line, |s| s.address_err);
    let line = "packet from 192.0.2.20 to 224.0.0.18, where we do not listen, ignored";
    refused(&unicast(v3(), &[HIGH]), to("224.0.0.18"), line, |s| {
        s.address_err
    });
}

//= V3-7.1-9
#[test]
fn another_address_list_is_logged_once_and_used() {
    let mut lab = Lab::started(v3());
    let mut rx = lab.from(HIGH, 200);
    rx.settings.addresses = vec![ip("192.0.2.101")];
    lab.receive(&rx);
    lab.receive(&rx);
    assert_eq!(
        (
            lab.router.stats().advert_rcvd,
            lab.router.stats().addr_list_err
        ),
        (2, 2)
    );
    rx.settings.addresses.push(ip(VIP));
    lab.receive(&rx);
    let lines: Vec<_> = lab
        .logged()
        .into_iter()
        .filter(|l| l.contains("ip addr"))
        .collect();
    assert_eq!(
        lines,
        [
            "(VI_1) ip address associated with VRID 51 not present in advert from 192.0.2.20: \
          192.0.2.100"
        ]
    );
    assert_eq!(lab.router.master_router(), Some(ip(HIGH)));
}

//= V2-7.1-7
#[test]
fn version_2_logs_and_counts_another_address_list() {
    let mut lab = Lab::started(v2());
    let mut rx = lab.from(HIGH, 200);
    rx.settings.addresses.push(ip("192.0.2.101"));
    lab.receive(&rx);
    assert!(
        lab.logged()
            .contains(&"(VI_1) expected 1 VIPs but received 2".into())
    );
    assert_eq!(lab.router.stats().addr_list_err, 1);
    // The same list raises nothing, also in another order.
    let two = Settings {
        addresses: vec![ip(VIP), ip("192.0.2.101")],
        ..v2()
    };
    let mut lab = Lab::started(two);
    let mut rx = lab.from(HIGH, 200);
    rx.settings.addresses.reverse();
    lab.receive(&rx);
    assert_eq!(
        (
            lab.router.stats().advert_rcvd,
            lab.router.stats().addr_list_err
        ),
        (1, 0)
    );
}

#[test]
fn skip_check_adv_addr_looks_only_at_a_new_master() {
    let mut lab = Lab::started(Settings {
        skip_check_adv_addr: true,
        ..v3()
    });
    let mut rx = lab.from(HIGH, 200);
    lab.receive(&rx);
    rx.settings.addresses = vec![ip("192.0.2.101")];
    lab.receive(&rx);
    assert_eq!(lab.router.stats().addr_list_err, 0);
    rx.from = ip("192.0.2.21");
    lab.receive(&rx);
    assert_eq!(lab.router.stats().addr_list_err, 1);
}

//= V3-7.1-7
//= V3-7.1-11
#[test]
fn a_line_comes_back_when_the_state_or_the_master_changes() {
    let mut lab = Lab::started(v3());
    let mut bad = lab.from(HIGH, 200);
    bad.ttl = 1;
    let lines = |lab: &mut Lab| {
        lab.receive(&bad);
        lab.receive(&bad);
        lab.logged()
            .iter()
            .filter(|l| l.contains("invalid TTL/HL"))
            .count()
    };
    assert_eq!((lines(&mut lab), lines(&mut lab)), (1, 0));
    lab.hear("192.0.2.30", 150);
    assert_eq!((lines(&mut lab), lines(&mut lab)), (1, 0));
    lab.run(Duration::from_secs(4));
    assert_eq!(lab.router.state(), State::Master);
    assert_eq!((lines(&mut lab), lines(&mut lab)), (1, 0));
    assert_eq!(lab.router.stats().ip_ttl_err, 12);
}

//! The packets of a Master, octet by octet.

use super::*;
use crate::settings::{AuthData, Peer, V3Checksum};
use crate::wire;

fn rendered(packet: &Transmit) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.render(&mut bytes);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The first packet of an instance with these settings that sends from `source`.
fn first_packet(settings: Settings, source: &str) -> Transmit {
    let mut lab = Lab::idle(settings);
    lab.feed(Input::SourceAddress(Some(ip(source))));
    lab.feed(Input::Start);
    lab.run(Duration::from_secs(5));
    lab.sent().remove(0)
}

//= V3-5.1.1.1-1
//= V3-5.1.1.2-1
//= V3-5.1.1.3-1
//= V2-7.2-1
//= V3-7.2-5
//= V2-5.2.3-1
//= V2A-1
#[test]
fn the_first_packets_are_those_that_keepalived_sends() {
    let mut v2 = with_priority(v2(), 90);
    v2.addresses = vec![ip("192.168.77.100"), ip("192.168.77.101")];
    v2.auth = Auth::Pass(AuthData::new(b"abcdefgh"));
    assert_eq!(
        hex(&rendered(&first_packet(v2, "192.168.77.2"))),
        "45c0002c00010000ff70cce3c0a84d02e000001221335a020101d618c0a84d64c0a84d656162636465666768"
    );
    let mut v3 = with_priority(v3(), 90);
    v3.vrid = Vrid::try_from(52).unwrap();
    v3.adver_interval = ms(500);
    v3.addresses = vec![ip("192.168.77.110")];
    assert_eq!(
        hex(&rendered(&first_packet(v3.clone(), "192.168.77.2"))),
        "45c0002000010000ff70ccefc0a84d02e000001231345a0100327847c0a84d6e"
    );
    v3.vrid = Vrid::try_from(55).unwrap();
    v3.adver_interval = ms(1000);
    v3.addresses = vec![ip("192.168.77.113")];
    v3.transport = Transport::unicast([ip("192.168.77.1")]);
    assert_eq!(
        hex(&rendered(&first_packet(v3, "192.168.77.2"))),
        "45c0002000010000ff709f58c0a84d02c0a84d0131375a0100644a78c0a84d71"
    );
}

//= V2A-2
#[test]
fn the_authentication_header_is_the_one_that_keepalived_sends() {
    let mut v2 = with_priority(v2(), 90);
    v2.vrid = Vrid::try_from(54).unwrap();
    v2.addresses = vec![ip("192.168.77.112")];
    v2.auth = Auth::Ah(AuthData::new(b"secret12"));
    assert_eq!(
        hex(&rendered(&first_packet(v2, "192.168.77.2"))),
        "45c0004000010000ff33cd0cc0a84d02e000001270040000c0a84d0200000001e858de69a62367e87af55098\
         21365a01020174aec0a84d700000000000000000"
    );
}

//= V3-5.1.2.1-1
//= V3-5.1.2.2-1
//= V3-5.1.2.3-1
//= V3-5.2.8-3
//= V3-5.2.9-1
#[test]
fn ipv6_adverts_go_from_the_link_local_address_to_all_vrrp_routers() {
    let packet = first_packet(v6(), "fe80::10");
    assert_eq!(
        (packet.src, packet.dst, packet.ttl),
        (ip("fe80::10"), ip("ff02::12"), 255)
    );
    assert_eq!(packet.protocol, wire::PROTOCOL_VRRP);
    let bytes = rendered(&packet);
    // No IP header: the kernel writes that.
    assert_eq!(hex(&bytes[..6]), "313364020064");
    // The order is the configuration's: link-local first.
    assert_eq!(hex(&bytes[8..24]), "fe800000000000000000000000000051");
    let (src, dst) = (packet.src, packet.dst);
    assert!(wire::is_good(&bytes, Coverage::Pseudo { src, dst }));
}

//= X-CSUM-1
//= V3-5.2.8-2
#[test]
fn the_pseudo_header_is_the_default_and_message_only_an_option() {
    let packet = first_packet(v3(), OURS);
    let (src, dst) = (packet.src, packet.dst);
    let pseudo = Coverage::Pseudo { src, dst };
    assert!(wire::is_good(&packet.payload, pseudo));
    assert!(!wire::is_good(&packet.payload, Coverage::Message));
    let as_v2 = Settings {
        v3_checksum: V3Checksum::MessageOnly,
        ..v3()
    };
    let packet = first_packet(as_v2, OURS);
    assert!(wire::is_good(&packet.payload, Coverage::Message));
    assert!(!wire::is_good(&packet.payload, pseudo));
}

//= X-UNI-1
#[test]
fn unicast_adverts_go_to_each_peer_and_count_once() {
    let mut lab = Lab::started(Settings {
        transport: Transport::Unicast {
            peers: vec![Peer::new(ip(LOW)), Peer::new(ip(HIGH))],
            ttl: 64,
            check_source: false,
        },
        ..v3()
    });
    lab.run(Duration::from_secs(5));
    assert_eq!(lab.router.stats().advert_sent, 2);
    let sent = lab.sent();
    let to: Vec<_> = sent.iter().map(|p| (p.dst, p.ttl, p.ip_id)).collect();
    assert_eq!(
        to,
        [
            (ip(LOW), 64, 1),
            (ip(HIGH), 64, 2),
            (ip(LOW), 64, 3),
            (ip(HIGH), 64, 4)
        ]
    );
    for packet in sent {
        let (src, dst) = (packet.src, packet.dst);
        assert!(wire::is_good(
            &packet.payload,
            Coverage::Pseudo { src, dst }
        ));
    }
}

//= X-UNI-2
#[test]
fn an_empty_peer_list_stays_unicast() {
    let mut lab = Lab::started(Settings {
        transport: Transport::unicast([]),
        ..v3()
    });
    lab.run(Duration::from_secs(5));
    assert_eq!(lab.router.state(), State::Master);
    assert!(lab.sent().is_empty());
}

#[test]
fn the_identification_counts_up_through_states_and_is_never_zero() {
    let mut lab = Lab::master(v3());
    lab.run(Duration::from_secs(1));
    assert_eq!(lab.sent()[0].ip_id, 2);
    lab.hear(HIGH, 200);
    lab.run(Duration::from_secs(5));
    let ids: Vec<_> = lab.sent().iter().map(|p| p.ip_id).collect();
    assert_eq!(ids, [3, 4]);
    lab.run(Duration::from_secs(65_535));
    let ids: Vec<_> = lab.sent().iter().map(|p| p.ip_id).collect();
    assert!(!ids.contains(&0));
    assert_eq!(ids.iter().filter(|id| **id == 1).count(), 1);
}

//= V3-7.2-1
#[test]
fn a_change_of_source_address_shows_in_the_next_packet() {
    let mut lab = Lab::master(v3());
    lab.run(Duration::from_secs(1));
    lab.feed(Input::SourceAddress(Some(ip(HIGH))));
    lab.run(Duration::from_secs(1));
    let packet = lab.sent().pop().unwrap();
    assert_eq!(packet.src, ip(HIGH));
    let (src, dst) = (packet.src, packet.dst);
    assert!(wire::is_good(
        &packet.payload,
        Coverage::Pseudo { src, dst }
    ));
}

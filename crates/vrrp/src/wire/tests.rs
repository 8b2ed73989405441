//! The codec against captured bytes, against itself, and against etherparse.

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use proptest::prelude::*;
use rk_base::{Family, Priority, Vrid};

use super::*;
use crate::error::Rejected;
use crate::input::RxProtocol;
use crate::settings::{Auth, AuthData, Version};

/// Bytes out of hex with blanks anywhere.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|d| u8::try_from(d).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn vrid(n: u8) -> Vrid {
    Vrid::try_from(n).unwrap()
}

/// One captured message, and what it says.
struct Sample {
    what: &'static str,
    bytes: &'static str,
    version: Version,
    src: &'static str,
    dst: &'static str,
    vrid: u8,
    priority: u8,
    interval_ms: u64,
    addresses: &'static [&'static str],
    auth: Auth,
}

/// Sent by keepalived 2.2.7 and by its development version.
fn samples() -> Vec<Sample> {
    let abcdefgh = Auth::Pass(AuthData::new(b"abcdefgh"));
    let two: &[&str] = &["192.168.77.100", "192.168.77.101"];
    vec![
        Sample {
            what: "v2 with a password",
            bytes: "2133 5a02 0101 d618 c0a84d64 c0a84d65 6162636465666768",
            version: Version::V2,
            src: "192.168.77.2",
            dst: "224.0.0.18",
            vrid: 51,
            priority: 90,
            interval_ms: 1000,
            addresses: two,
            auth: abcdefgh,
        },
        Sample {
            what: "v2 with a password, higher priority",
            bytes: "2133 6402 0101 cc18 c0a84d64 c0a84d65 6162636465666768",
            version: Version::V2,
            src: "192.168.77.1",
            dst: "224.0.0.18",
            vrid: 51,
            priority: 100,
            interval_ms: 1000,
            addresses: two,
            auth: abcdefgh,
        },
        Sample {
            what: "v2 priority 0",
            bytes: "2133 0002 0101 3019 c0a84d64 c0a84d65 6162636465666768",
            version: Version::V2,
            src: "192.168.77.1",
            dst: "224.0.0.18",
            vrid: 51,
            priority: 0,
            interval_ms: 1000,
            addresses: two,
            auth: abcdefgh,
        },
        Sample {
            what: "v3 over IPv4",
            bytes: "3134 5a01 0032 7847 c0a84d6e",
            version: Version::V3,
            src: "192.168.77.2",
            dst: "224.0.0.18",
            vrid: 52,
            priority: 90,
            interval_ms: 500,
            addresses: &["192.168.77.110"],
            auth: Auth::None,
        },
        Sample {
            what: "v3 over unicast IPv4",
            bytes: "3137 5a01 0064 4a78 c0a84d71",
            version: Version::V3,
            src: "192.168.77.2",
            dst: "192.168.77.1",
            vrid: 55,
            priority: 90,
            interval_ms: 1000,
            addresses: &["192.168.77.113"],
            auth: Auth::None,
        },
    ]
}

impl Sample {
    fn family(&self) -> Family {
        Family::of(ip(self.src))
    }

    fn coverage(&self) -> Coverage {
        match (self.version, self.family()) {
            (Version::V2, Family::V4) => Coverage::Message,
            _ => Coverage::Pseudo {
                src: ip(self.src),
                dst: ip(self.dst),
            },
        }
    }
}

//= V3-5.2.1-1
//= V3-5.2.6-1
//= V3-5.2.7-1
//= V2-5.3.1-1
//= V2-5.3.8-1
//= V3-7.2-1
//= V3-7.2-2
#[test]
fn captured_messages_read_and_write_back() {
    for sample in samples() {
        let bytes = hex(sample.bytes);
        let addresses: Vec<IpAddr> = sample.addresses.iter().map(|a| ip(a)).collect();
        let advert = Advert::parse(&bytes, sample.family()).expect(sample.what);
        assert_eq!(advert.version, sample.version, "{}", sample.what);
        assert_eq!(advert.header.message_type, TYPE_ADVERTISEMENT);
        assert_eq!(advert.header.vrid, sample.vrid);
        assert_eq!(advert.header.priority, Priority::new(sample.priority));
        assert_eq!(advert.interval, Duration::from_millis(sample.interval_ms));
        assert_eq!(advert.addresses.iter().collect::<Vec<_>>(), addresses);
        assert!(is_good(&bytes, sample.coverage()), "{}", sample.what);

        let mut written = Vec::new();
        let writer = AdvertWriter {
            version: sample.version,
            family: sample.family(),
            vrid: vrid(sample.vrid),
            priority: Priority::new(sample.priority),
            interval: Duration::from_millis(sample.interval_ms),
            addresses: &addresses,
            auth: sample.auth,
        };
        writer.emit(sample.coverage(), &mut written);
        assert_eq!(written, bytes, "{}", sample.what);
    }
}

//= V3-5.2.8-3
//= V3-5.1.1.4-1
#[test]
fn the_ipv6_checksum_has_a_pseudo_header_with_next_header_112() {
    // Worked out by hand over src, dst, length 24, next header 112 and the message.
    let (src, dst) = (ip("fe80::1"), ip("ff02::12"));
    let message = hex("3135 6401 0064 0000 fe800000000000000000000000770110");
    let sum: u32 = 0xfe80 + 1 // source
        + 0xff02 + 0x12 // destination
        + 24 + 112
        + 0x3135 + 0x6401 + 0x0064 + 0xfe80 + 0x0077 + 0x0110;
    let folded = (sum & 0xffff) + (sum >> 16);
    let expected = !u16::try_from(folded).unwrap();
    assert_eq!(PROTOCOL_VRRP, 112);
    assert_eq!(checksum(&message, Coverage::Pseudo { src, dst }), expected);
    assert_ne!(checksum(&message, Coverage::Message), expected);
}

#[test]
fn version_2_over_ipv6_has_no_authentication_data() {
    let mut bytes = Vec::new();
    let addresses = [ip("2001:db8::9")];
    let coverage = Coverage::Pseudo {
        src: ip("fe80::845a:69ff:fe06:40b"),
        dst: ip("ff02::12"),
    };
    let writer = AdvertWriter {
        version: Version::V2,
        family: Family::V6,
        vrid: vrid(5),
        priority: Priority::DEFAULT,
        interval: Duration::from_secs(1),
        addresses: &addresses,
        auth: Auth::Pass(AuthData::new(b"ignored")),
    };
    writer.emit(coverage, &mut bytes);
    assert_eq!(
        bytes,
        hex("2105 6401 0001 5eac 20010db8000000000000000000000009")
    );
    let advert = Advert::parse(&bytes, Family::V6).unwrap();
    assert_eq!(advert.tail, Tail::None);
}

//= V3-7.1-3
//= V2-7.1-2
#[test]
fn every_truncation_is_refused() {
    for sample in samples() {
        let bytes = hex(sample.bytes);
        for len in 0..bytes.len() {
            let refused = Advert::parse(&bytes[..len], sample.family());
            let need = if len < HEADER_LEN {
                HEADER_LEN
            } else {
                bytes.len()
            };
            assert_eq!(
                refused,
                Err(Rejected::Truncated { need, have: len }),
                "{}",
                sample.what
            );
        }
    }
}

#[test]
fn ethernet_padding_is_not_part_of_the_message() {
    let mut bytes = hex("3134 5a01 0032 7847 c0a84d6e");
    let len = bytes.len();
    bytes.resize(46, 0xaa);
    let advert = Advert::parse(&bytes, Family::V4).unwrap();
    assert_eq!(advert.octets, &bytes[..len]);
}

#[test]
fn other_versions_are_named() {
    for version in [0_u8, 1, 4, 15] {
        let mut bytes = hex("3134 5a01 0032 7847 c0a84d6e");
        bytes[0] = version << 4 | 1;
        let refused = Advert::parse(&bytes, Family::V4);
        assert_eq!(
            refused,
            Err(Rejected::Version {
                received: version,
                expected: Version::V3
            })
        );
    }
}

//= V3-5.2.6-1
#[test]
fn reserved_bits_are_zero_when_sent_and_ignored_when_received() {
    let mut bytes = hex("3134 5a01 f032 0000 c0a84d6e");
    let sum = checksum(&bytes, Coverage::Message).to_be_bytes();
    bytes[6..8].copy_from_slice(&sum);
    let advert = Advert::parse(&bytes, Family::V4).unwrap();
    assert_eq!(advert.interval, Duration::from_millis(500));

    let mut written = Vec::new();
    let addresses = [ip("192.168.77.110")];
    let writer = AdvertWriter {
        version: Version::V3,
        family: Family::V4,
        vrid: vrid(52),
        priority: Priority::new(90),
        interval: Duration::from_millis(40_950),
        addresses: &addresses,
        auth: Auth::None,
    };
    writer.emit(Coverage::Message, &mut written);
    assert_eq!(written[4] & 0xf0, 0);
    assert_eq!(&written[4..6], &4095_u16.to_be_bytes());
}

//= V3-5.2.9-2
#[test]
fn families_are_never_mixed_in_one_advert() {
    let addresses = [ip("fe80::1"), ip("192.0.2.1"), ip("2001:db8::1")];
    for (family, count, len) in [(Family::V4, 1, 12), (Family::V6, 2, 40)] {
        let mut bytes = Vec::new();
        let writer = AdvertWriter {
            version: Version::V3,
            family,
            vrid: vrid(1),
            priority: Priority::DEFAULT,
            interval: Duration::from_secs(1),
            addresses: &addresses,
            auth: Auth::None,
        };
        writer.emit(Coverage::Message, &mut bytes);
        assert_eq!((bytes[3], bytes.len()), (count, len));
        let advert = Advert::parse(&bytes, family).unwrap();
        assert!(advert.addresses.iter().all(|a| Family::of(a) == family));
    }
}

//= V3-5.1.1.3-1
//= V3-5.1.1.2-1
//= V2-5.2.3-1
#[test]
fn the_ipv4_header_is_the_captured_one() {
    let header = Ipv4Header {
        src: Ipv4Addr::new(192, 168, 77, 2),
        dst: Ipv4Addr::new(224, 0, 0, 18),
        ttl: 255,
        id: 1,
        protocol: PROTOCOL_VRRP,
    };
    assert_eq!(
        header.emit(24)[..],
        hex("45c0 002c 0001 0000 ff70 cce3 c0a84d02 e0000012")[..]
    );
}

//= V2A-2
#[test]
fn the_authentication_header_covers_what_does_not_change_on_the_way() {
    let key = AuthData::new(b"abcdefgh");
    let (src, group) = (Ipv4Addr::new(192, 168, 77, 2), Ipv4Addr::new(224, 0, 0, 18));
    let message = hex("2136 5a01 0201 74ae c0a84d70 0000000000000000");
    let sealed = AuthHeader::seal(&key, (src, group), (255, 1), 1, &message);
    // Next header, length, reserved, SPI = source address, sequence.
    assert_eq!(sealed[..12], hex("7004 0000 c0a84d02 00000001")[..]);
    assert_eq!(sealed[AH_LEN..], message[..]);
    let (header, rest) = AuthHeader::parse(&sealed).unwrap();
    assert_eq!((header.sequence, rest), (1, &message[..]));
    let good = |key: &AuthData, addresses, ttl_id, payload: &[u8]| {
        header.verifies(key, addresses, ttl_id, payload)
    };
    assert!(good(&key, (src, group), (255, 1), &sealed));
    // Refused: another key, sender, TTL, identification, or message.
    assert!(!good(
        &AuthData::new(b"abcdefgi"),
        (src, group),
        (255, 1),
        &sealed
    ));
    assert!(!good(
        &key,
        (Ipv4Addr::new(192, 168, 77, 3), group),
        (255, 1),
        &sealed
    ));
    assert!(!good(&key, (src, group), (254, 1), &sealed));
    assert!(!good(&key, (src, group), (255, 2), &sealed));
    let mut forged = sealed.clone();
    forged[AH_LEN + 2] = 255;
    assert!(!good(&key, (src, group), (255, 1), &forged));
    // Over unicast the TTL may change.
    let peer = Ipv4Addr::new(192, 168, 77, 1);
    let sealed = AuthHeader::seal(&key, (src, peer), (64, 1), 2, &message);
    let (header, _) = AuthHeader::parse(&sealed).unwrap();
    assert!(header.verifies(&key, (src, peer), (62, 1), &sealed));
}

#[test]
fn a_truncated_authentication_header_is_refused() {
    let sealed = AuthHeader::seal(
        &AuthData::new(b"k"),
        (Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST),
        (255, 1),
        1,
        &hex("2136 5a01 0201 74ae c0a84d70 0000000000000000"),
    );
    for len in 0..AH_LEN {
        let refused = AuthHeader::parse(&sealed[..len]);
        assert_eq!(
            refused,
            Err(Rejected::Truncated {
                need: AH_LEN,
                have: len
            })
        );
    }
    assert_eq!(AuthHeader::parse(&[0; AH_LEN]), Err(Rejected::AuthData));
}

//= V3-5.2.3-1
#[test]
fn packets_find_their_instance_by_vrid() {
    let message = hex("3134 5a01 0032 7847 c0a84d6e");
    assert_eq!(dispatch_vrid(RxProtocol::Vrrp, &message), Some(vrid(52)));
    assert_eq!(dispatch_vrid(RxProtocol::Vrrp, &[0x31]), None);
    assert_eq!(dispatch_vrid(RxProtocol::Vrrp, &[0x31, 0]), None);
    let mut sealed = vec![0; AH_LEN];
    assert_eq!(dispatch_vrid(RxProtocol::Ah, &sealed), None);
    sealed.extend_from_slice(&message);
    assert_eq!(dispatch_vrid(RxProtocol::Ah, &sealed), Some(vrid(52)));
}

//= V2A-1
//= V2A-4
#[test]
fn secrets_are_cut_padded_compared_whole_and_never_shown() {
    assert_eq!(AuthData::new(b"abc").octets(), b"abc\0\0\0\0\0");
    assert_eq!(AuthData::new(b"abcdefghij").octets(), b"abcdefgh");
    let secret = AuthData::new(b"hunter22");
    assert!(secret.matches(b"hunter22"));
    for place in 0..8 {
        let mut other = *b"hunter22";
        other[place] ^= 1;
        assert!(!secret.matches(&other), "octet {place} does not count");
    }
    for auth in [Auth::Pass(secret), Auth::Ah(secret)] {
        assert!(!format!("{auth:?}").contains("hunter"), "{auth:?}");
    }
}

fn any_address(family: Family) -> BoxedStrategy<IpAddr> {
    match family {
        Family::V4 => any::<u32>().prop_map(|n| IpAddr::V4(n.into())).boxed(),
        Family::V6 => any::<u128>().prop_map(|n| IpAddr::V6(n.into())).boxed(),
    }
}

prop_compose! {
    fn any_message()(v6 in any::<bool>(), v3 in any::<bool>())(
        family in Just(if v6 { Family::V6 } else { Family::V4 }),
        version in Just(if v3 { Version::V3 } else { Version::V2 }),
        vrid in 1_u8..=255,
        priority in any::<u8>(),
        units in 1_u64..=if v3 { 4095 } else { 255 },
        addresses in proptest::collection::vec(
            any_address(if v6 { Family::V6 } else { Family::V4 }), 0..30),
        src in any_address(if v6 { Family::V6 } else { Family::V4 }),
        dst in any_address(if v6 { Family::V6 } else { Family::V4 }),
        secret in any::<[u8; 8]>(),
    ) -> (Family, Version, u8, u8, Duration, Vec<IpAddr>, IpAddr, IpAddr, [u8; 8]) {
        let interval = match version {
            Version::V2 => Duration::from_secs(units),
            Version::V3 => Duration::from_millis(units * 10),
        };
        (family, version, vrid, priority, interval, addresses, src, dst, secret)
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        (family, version, id, priority, interval, addresses, src, dst, secret) in any_message(),
        padding in 0_usize..40,
    ) {
        let auth = Auth::Pass(AuthData::new(&secret));
        let writer = AdvertWriter {
            version,
            family,
            vrid: vrid(id),
            priority: Priority::new(priority),
            interval,
            addresses: &addresses,
            auth,
        };
        let coverage = Coverage::Pseudo { src, dst };
        let mut bytes = Vec::new();
        writer.emit(coverage, &mut bytes);
        prop_assert!(is_good(&bytes, coverage));
        let len = bytes.len();
        bytes.resize(len + padding, 0x55);
        let advert = Advert::parse(&bytes, family).unwrap();
        prop_assert_eq!(advert.octets.len(), len);
        prop_assert_eq!(advert.version, version);
        prop_assert_eq!(advert.header.vrid, id);
        prop_assert_eq!(advert.header.priority.get(), priority);
        prop_assert_eq!(advert.interval, interval);
        prop_assert_eq!(advert.addresses.iter().collect::<Vec<_>>(), addresses);
        let data = match advert.tail { Tail::Auth(data) => Some(*data), Tail::None => None };
        let has_data = version == Version::V2 && family == Family::V4;
        prop_assert_eq!(data, has_data.then_some(secret));
    }

    #[test]
    fn a_changed_word_breaks_the_checksum(
        (family, version, id, priority, interval, addresses, src, dst, _) in any_message(),
        place in any::<prop::sample::Index>(),
        flip in 1_u8..=254,
    ) {
        let writer = AdvertWriter {
            version,
            family,
            vrid: vrid(id),
            priority: Priority::new(priority),
            interval,
            addresses: &addresses,
            auth: Auth::None,
        };
        let coverage = Coverage::Pseudo { src, dst };
        let mut bytes = Vec::new();
        writer.emit(coverage, &mut bytes);
        // A single octet changed by less than all its bits cannot turn 0 into the other zero.
        let at = place.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(!is_good(&bytes, coverage));
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for family in [Family::V4, Family::V6] {
            if let Ok(advert) = Advert::parse(&bytes, family) {
                prop_assert_eq!(advert.addresses.len(), usize::from(advert.header.count));
                prop_assert_eq!(advert.addresses.iter().count(), advert.addresses.len());
            }
        }
        let _ = AuthHeader::parse(&bytes);
        let _ = Header::parse(&bytes);
        let _ = dispatch_vrid(RxProtocol::Ah, &bytes);
    }

    #[test]
    fn the_ipv4_header_reads_back_in_etherparse(
        src in any::<u32>(), dst in any::<u32>(), ttl in any::<u8>(), id in any::<u16>(),
        ah in any::<bool>(), len in 0_usize..1480,
    ) {
        let protocol = if ah { PROTOCOL_AH } else { PROTOCOL_VRRP };
        let header = Ipv4Header { src: src.into(), dst: dst.into(), ttl, id, protocol };
        let bytes = header.emit(len);
        let (read, rest) = etherparse::Ipv4Header::from_slice(&bytes).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert_eq!(read.source, header.src.octets());
        prop_assert_eq!(read.destination, header.dst.octets());
        prop_assert_eq!(read.time_to_live, ttl);
        prop_assert_eq!(read.identification, id);
        prop_assert_eq!(read.protocol.0, protocol);
        prop_assert_eq!(usize::from(read.total_len), 20 + len);
        prop_assert_eq!(read.header_checksum, read.calc_header_checksum());
        prop_assert!(!read.dont_fragment && !read.more_fragments);
        prop_assert_eq!((read.dscp.value() << 2) | read.ecn.value(), 0xc0);
    }
}

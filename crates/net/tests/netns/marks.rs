//! The tables that mark packets for IPVS, judged by `nft` and by packets.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroU32;

use rk_net::{FirewallError, FirewallSettings, Marked, Marker, Transport};

use crate::firewall::{listed, nft};
use crate::sandbox::{Host, sandboxed};

type Marks = BTreeMap<Marked, NonZeroU32>;

fn marks(all: &[(Transport, &str, &str, u16, u32)]) -> Marks {
    let one = |&(transport, first, last, port, mark): &(Transport, &str, &str, u16, u32)| {
        let (first, last) = (first.parse().unwrap(), last.parse().unwrap());
        let marked = Marked::new(transport, first, last, port).unwrap();
        (marked, NonZeroU32::new(mark).unwrap())
    };
    all.iter().map(one).collect()
}

fn two_groups(first_mark: u32) -> Marks {
    marks(&[
        (Transport::Tcp, "10.0.0.1", "10.0.0.1", 80, first_mark),
        (Transport::Tcp, "10.0.0.5", "10.0.0.9", 443, first_mark),
        (
            Transport::Tcp,
            "2001:db8::1",
            "2001:db8::1",
            80,
            first_mark + 1,
        ),
        (
            Transport::Tcp,
            "2001:db8::10",
            "2001:db8::12",
            443,
            first_mark + 1,
        ),
    ])
}

/// What keepalived 2.2.7 makes for two such groups.
const PLAIN: &str = "\
table ip keepalived_ipvs {
	map tcp_map {
		type ipv4_addr . inet_service : mark
		flags interval
		elements = { 10.0.0.1 . 80 : 0x000003e8,
			     10.0.0.5-10.0.0.9 . 443 : 0x000003e8 }
	}

	chain in {
		type filter hook input priority filter - 1; policy accept;
		meta mark set ip daddr . tcp dport map @tcp_map return
	}
}
table ip6 keepalived_ipvs {
	map tcp_map {
		type ipv6_addr . inet_service : mark
		flags interval
		elements = { 2001:db8::1 . 80 : 0x000003e9,
			     2001:db8::10-2001:db8::12 . 443 : 0x000003e9 }
	}

	chain in {
		type filter hook input priority filter - 1; policy accept;
		meta mark set ip6 daddr . tcp dport map @tcp_map return
	}
}
";

/// The same with a name, a priority, a first mark and counters.
const COUNTING: &str = "\
table ip foo {
	map tcp_map {
		type ipv4_addr . inet_service : mark
		flags interval
		counter
		elements = { 10.0.0.1 . 80 counter packets 0 bytes 0 : 0x00000032,
			     10.0.0.5-10.0.0.9 . 443 counter packets 0 bytes 0 : 0x00000032 }
	}

	chain in {
		type filter hook input priority filter + 5; policy accept;
		meta mark set ip daddr . tcp dport map @tcp_map counter packets 0 bytes 0 return
	}
}
table ip6 foo {
	map tcp_map {
		type ipv6_addr . inet_service : mark
		flags interval
		counter
		elements = { 2001:db8::1 . 80 counter packets 0 bytes 0 : 0x00000033,
			     2001:db8::10-2001:db8::12 . 443 counter packets 0 bytes 0 : 0x00000033 }
	}

	chain in {
		type filter hook input priority filter + 5; policy accept;
		meta mark set ip6 daddr . tcp dport map @tcp_map counter packets 0 bytes 0 return
	}
}
";

#[test]
fn nft_shows_the_same_as_of_keepalived() {
    sandboxed("marks::nft_shows_the_same_as_of_keepalived", || {
        let mut marker = Marker::new(FirewallSettings::ipvs());
        marker.set(&two_groups(1000)).unwrap();
        assert_eq!(listed(), PLAIN);
        // Nothing is done twice.
        let handles = nft(&["-a", "list", "ruleset"]);
        marker.set(&two_groups(1000)).unwrap();
        assert_eq!(nft(&["-a", "list", "ruleset"]), handles);
        // A run that ended without cleaning up is taken over.
        drop(marker);
        let mut marker = Marker::new(FirewallSettings::ipvs());
        marker.set(&two_groups(1000)).unwrap();
        assert_eq!(listed(), PLAIN);
        marker.clear().unwrap();
        assert_eq!(listed(), "");

        let mut marker = Marker::new(FirewallSettings {
            table: "foo".to_owned(),
            priority: 5,
            counters: true,
        });
        marker.set(&two_groups(50)).unwrap();
        assert_eq!(listed(), COUNTING);
        marker.clear().unwrap();
    });
}

#[test]
fn marks_come_change_and_go_in_place() {
    sandboxed("marks::marks_come_change_and_go_in_place", || {
        let elements = |family: &str, map: &str| {
            let text = nft(&["list", "map", family, "keepalived_ipvs", map]);
            let (_, elements) = text.split_once("elements = {").unwrap_or(("", ""));
            let elements = elements.split('}').next().unwrap();
            let mut all: Vec<String> = { elements.split(',') }
                .map(|one| one.trim().to_owned())
                .filter(|one| !one.is_empty())
                .collect();
            all.sort();
            all
        };
        let mut marker = Marker::new(FirewallSettings::ipvs());
        let mut wanted = two_groups(1000);
        marker.set(&wanted).unwrap();
        // Two more protocols; overlaps; another mark; one that goes.
        wanted.extend(marks(&[
            (Transport::Udp, "10.0.0.1", "10.0.0.1", 53, 7),
            (Transport::Sctp, "10.0.0.1", "10.0.0.255", 53, 8),
            (Transport::Sctp, "10.0.0.7", "10.0.1.3", 53, 9),
            (Transport::Tcp, "10.0.0.1", "10.0.0.1", 80, 5),
        ]));
        wanted.retain(|marked, _| {
            *marked
                != Marked::new(
                    Transport::Tcp,
                    "10.0.0.5".parse().unwrap(),
                    "10.0.0.9".parse().unwrap(),
                    443,
                )
                .unwrap()
        });
        marker.set(&wanted).unwrap();
        assert_eq!(elements("ip", "tcp_map"), ["10.0.0.1 . 80 : 0x00000005"]);
        assert_eq!(elements("ip", "udp_map"), ["10.0.0.1 . 53 : 0x00000007"]);
        assert_eq!(
            elements("ip", "sctp_map"),
            [
                "10.0.0.1-10.0.0.255 . 53 : 0x00000008",
                "10.0.1.0/30 . 53 : 0x00000009"
            ]
        );
        // Somebody deletes it: it comes back, complete, at the next change.
        assert!(marker.look().unwrap());
        nft(&["delete", "table", "ip", "keepalived_ipvs"]);
        assert!(!marker.look().unwrap());
        marker.set(&wanted).unwrap();
        assert_eq!(elements("ip", "udp_map").len(), 1);
        assert!(marker.look().unwrap());
        nft(&["delete", "table", "ip", "keepalived_ipvs"]);
        wanted.extend(marks(&[(Transport::Udp, "10.0.0.2", "10.0.0.2", 53, 7)]));
        marker.set(&wanted).unwrap();
        assert_eq!(elements("ip", "tcp_map"), ["10.0.0.1 . 80 : 0x00000005"]);
        assert_eq!(elements("ip", "udp_map").len(), 2);
        assert_eq!(elements("ip6", "tcp_map").len(), 2);
        marker.set(&Marks::new()).unwrap();
        assert_eq!(elements("ip", "tcp_map"), [""; 0]);
        marker.clear().unwrap();
        assert_eq!(listed(), "");
    });
}

#[test]
fn a_table_of_somebody_else_is_left_alone() {
    sandboxed("marks::a_table_of_somebody_else_is_left_alone", || {
        nft(&["add", "table", "ip", "keepalived_ipvs"]);
        nft(&["add", "chain", "ip", "keepalived_ipvs", "mine"]);
        let mut marker = Marker::new(FirewallSettings::ipvs());
        let error = marker.set(&two_groups(1000)).unwrap_err();
        assert!(matches!(error, FirewallError::Taken { .. }), "{error}");
        marker.clear().unwrap();
        assert!(listed().contains("chain mine"));
    });
}

#[test]
fn many_marks_take_one_transaction() {
    sandboxed("marks::many_marks_take_one_transaction", || {
        let one = |n: u16| {
            let [high, low] = n.to_be_bytes();
            let v4 = [10, 0, high, low].into();
            Marked::new(Transport::Tcp, v4, v4, 80).unwrap()
        };
        let mark = NonZeroU32::new(1000).unwrap();
        let wanted: Marks = (0..2000).map(|n| (one(n), mark)).collect();
        let mut marker = Marker::new(FirewallSettings::ipvs());
        marker.set(&wanted).unwrap();
        let shown = nft(&["list", "map", "ip", "keepalived_ipvs", "tcp_map"]);
        assert_eq!(shown.matches("0x000003e8").count(), 2000);
        marker.clear().unwrap();
    });
}

#[test]
fn packets_bear_the_mark() {
    sandboxed("marks::packets_bear_the_mark", || {
        let host = Host::new();
        let _here = host.enter();
        host.ip("addr add 2001:db8::11/128 dev lo nodad");
        host.ip("addr add 10.0.0.7/32 dev lo");
        let mut wanted = two_groups(1000);
        wanted.extend(marks(&[(Transport::Udp, "10.0.0.7", "10.0.0.7", 53, 7)]));
        let mut marker = Marker::new(FirewallSettings::ipvs());
        marker.set(&wanted).unwrap();
        nft(&["add table inet seen"]);
        nft(&["add chain inet seen in { type filter hook input priority 10; }"]);
        for mark in ["1000", "1001", "7"] {
            nft(&[&format!("add rule inet seen in meta mark {mark} counter")]);
        }
        for address in ["10.0.0.7:443", "[2001:db8::11]:443", "10.0.0.7:444"] {
            let listener = TcpListener::bind(address).unwrap();
            let mut client = TcpStream::connect(address).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            client.write_all(b"x").unwrap();
            server.read_exact(&mut [0]).unwrap();
        }
        let server = UdpSocket::bind("10.0.0.7:53").unwrap();
        let client = UdpSocket::bind("10.0.0.7:0").unwrap();
        client.send_to(b"x", "10.0.0.7:53").unwrap();
        server.recv(&mut [0]).unwrap();
        let counted = nft(&["list", "table", "inet", "seen"]);
        let packets = |mark: &str| -> u32 {
            let line = counted.lines().find(|line| line.contains(mark)).unwrap();
            let mut words = line.split_whitespace().skip_while(|it| *it != "packets");
            words.nth(1).unwrap().parse().unwrap()
        };
        assert!(packets("0x000003e8") >= 3, "{counted}");
        assert!(packets("0x000003e9") >= 3, "{counted}");
        assert_eq!(packets("0x00000007"), 1, "{counted}");
        marker.clear().unwrap();
    });
}

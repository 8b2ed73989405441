//! Byte for byte what keepalived sends: the same configuration, on the same node, first with
//! keepalived and then with ours.

use std::time::Duration;

use rk_lab::{Daemon, Frame, Which};

use crate::bed::{Bed, DEV, SOON, ours};
use crate::cell::{Cast, Cell, Family, every_cell};

/// How many adverts are compared before the stop.
const ADVERTS: usize = 3;

every_cell! {
    same_adverts_and_announcements => |cell: Cell, name| {
        let Some(bed) = Bed::new(name) else { return };
        let configuration = cell.configuration(&bed.one, &bed.two, 150);
        let announcements = 10;
        let theirs = sent(&bed, Which::Keepalived, &configuration, announcements);
        let mut mine = sent(&bed, ours(), &configuration, announcements);
        if (cell.family, cell.cast) == (Family::V6, Cast::Unicast) && ours() == Which::Rkeepalived {
            // keepalived 2.2.7 leaves this hop limit to the kernel; RFC 9568 5.1.2.3 wants 255.
            for packet in mine.adverts.iter_mut().chain([&mut mine.last]) {
                assert_eq!(packet[7], 255);
                packet[7] = 64;
            }
        }
        theirs.same_as(&mine);
    };
}

/// What a daemon sends from its start to its end.
struct Sent {
    /// The first adverts, from the IP header on.
    adverts: Vec<Vec<u8>>,
    /// The announcements: destination and packet.
    announcements: Vec<(String, Vec<u8>)>,
    /// The advert with priority 0, without the running number and its checksum.
    last: Vec<u8>,
}

impl Sent {
    #[track_caller]
    fn same_as(&self, other: &Self) {
        assert_eq!(
            hex(&self.adverts),
            hex(&other.adverts),
            "adverts: keepalived's, ours"
        );
        assert_eq!(
            hex([&self.last]),
            hex([&other.last]),
            "the last advert: keepalived's, ours"
        );
        let list = |sent: &Self| -> Vec<String> {
            let mut all: Vec<String> = sent
                .announcements
                .iter()
                .map(|(to, p)| format!("{to} {}", hex([p])[0]))
                .collect();
            // Long lists are announced in the batches in which the kernel took the addresses, and
            // how much goes into one depends on how busy it is.
            if all.len() > 20 {
                all.sort();
            }
            all
        };
        assert_eq!(list(self), list(other), "announcements: keepalived's, ours");
    }
}

/// Runs a daemon on node one through becoming master and a clean stop.
fn sent(bed: &Bed, which: Which, configuration: &str, announcements: usize) -> Sent {
    let mut wire = bed.one.capture(DEV);
    let mut daemon = Daemon::start(&bed.one, which, configuration);
    daemon.wait_state("VI_1", "MASTER", SOON);
    let is_advert = |frame: &Frame| frame.sent && frame.vrrp().is_some();
    let adverts: Vec<_> = (0..ADVERTS)
        .map(|n| {
            wire.next(&format!("advert {n}"), 3 * SOON, is_advert)
                .packet
        })
        .collect();
    // The kernel announces a new address itself too (unsolicited, for its own reasons); those
    // precede or equal the daemon's in form, and both runs have them.
    let announced: Vec<_> = wire
        .frames()
        .into_iter()
        .filter(|f| f.sent && f.announces().is_some())
        .collect();
    assert!(
        announced.len() >= announcements,
        "{} announcements",
        announced.len()
    );
    let frames = wire.frames();
    let first = |wanted: &dyn Fn(&Frame) -> bool| frames.iter().position(|f| f.sent && wanted(f));
    assert!(
        first(&|f| f.vrrp().is_some()) < first(&|f| f.announces().is_some()),
        "the first advert precedes the first announcement"
    );
    assert!(daemon.stop().success(), "a clean end");
    let is_last = |frame: &Frame| frame.sent && frame.vrrp().is_some_and(|v| v.priority == 0);
    let mut last = wire
        .next("priority 0", Duration::from_secs(2), is_last)
        .packet;
    if last[0] >> 4 == 4 {
        last[4..6].fill(0);
        last[10..12].fill(0);
    }
    Sent {
        adverts,
        announcements: announced
            .into_iter()
            .take(announcements)
            .map(|frame| (frame.destination.to_string(), frame.packet))
            .collect(),
        last,
    }
}

fn hex<B: AsRef<[u8]>>(packets: impl IntoIterator<Item = B>) -> Vec<String> {
    let one = |packet: B| {
        packet
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    packets.into_iter().map(one).collect()
}

/// Configurations whose adverts are odd in one way each.
mod odd {
    use super::*;

    #[track_caller]
    fn compare(name: &str, instance: &str, announcements: usize) {
        let Some(bed) = Bed::new(name) else { return };
        let configuration = format!(
            "vrrp_instance VI_1 {{\ninterface {DEV}\nvirtual_router_id 7\n{instance}\n}}\n"
        );
        let theirs = sent(&bed, Which::Keepalived, &configuration, announcements);
        theirs.same_as(&sent(&bed, ours(), &configuration, announcements));
    }

    #[test]
    fn address_owner() {
        let addresses = "virtual_ipaddress {\n10.77.0.200\n}";
        compare(
            "owner",
            &format!("priority 255\nadvert_int 1\n{addresses}"),
            5,
        );
    }

    #[test]
    fn twenty_addresses_and_excluded_ones() {
        let many: String = (1..=20).map(|n| format!("10.77.1.{n}/32\n")).collect();
        compare(
            "twenty",
            &format!(
                "priority 90\nversion 3\nadvert_int 0.1\nvirtual_ipaddress {{\n{many}}}\n\
                 virtual_ipaddress_excluded {{\n10.77.2.1/32\n}}"
            ),
            105,
        );
    }

    #[test]
    fn ten_milliseconds() {
        let addresses = "virtual_ipaddress {\n10.77.0.200\n}";
        compare(
            "fast",
            &format!("priority 1\nversion 3\nadvert_int 0.01\n{addresses}"),
            5,
        );
    }

    #[test]
    fn another_group_and_another_ttl() {
        let addresses = "virtual_ipaddress {\n10.77.0.200\n}";
        let unicast = "unicast_ttl 77\nunicast_peer {\n10.77.0.2\n}";
        compare(
            "ttl",
            &format!("priority 100\nversion 3\nadvert_int 0.1\n{unicast}\n{addresses}"),
            5,
        );
    }

    #[test]
    fn announced_as_told() {
        let addresses = "virtual_ipaddress {\n10.77.0.200\n}";
        let garp = "garp_master_repeat 2\ngarp_master_delay 0";
        compare(
            "garp",
            &format!("priority 100\nversion 3\nadvert_int 0.1\n{garp}\n{addresses}"),
            2,
        );
    }
}

//! The interop matrix: {v2, v3} x {IPv4, IPv6} x {multicast, unicast}, PASS where v2 over IPv4
//! has it; ours as master with keepalived as backup, and the other way round. Every cell goes
//! through takeover on a crash, handback on return, graceful stop, and link loss.

use std::net::IpAddr;
use std::time::Duration;

use rk_lab::{Capture, Daemon, Node, Vrrp, Which};

use crate::bed::{Bed, DEV, SOON, link_local, ours};

/// The priority of the node that is master while it is there.
const HIGH: u8 = 200;
/// The priority of the other.
const LOW: u8 = 100;
/// What both authenticate with; longer than the 8 bytes that count.
const PASSWORD: &str = "changeme-now";

#[derive(Clone, Copy, PartialEq)]
enum Family {
    V4,
    V6,
}

#[derive(Clone, Copy, PartialEq)]
enum Cast {
    Multicast,
    Unicast,
}

#[derive(Clone, Copy, PartialEq)]
enum Auth {
    None,
    Pass,
}

/// One cell.
#[derive(Clone, Copy)]
struct Cell {
    version: u8,
    family: Family,
    cast: Cast,
    auth: Auth,
}

impl Cell {
    fn addresses(&self) -> [&'static str; 2] {
        match self.family {
            Family::V4 => ["10.77.0.100", "10.77.0.101"],
            Family::V6 => ["fe80::77:100", "fd77::100"],
        }
    }

    /// v2 knows whole seconds only.
    fn interval(&self) -> Duration {
        Duration::from_millis(if self.version == 2 { 1000 } else { 200 })
    }

    /// How long the low node waits behind the last advert (RFC 3768 and RFC 9568, section 6.1).
    fn down_time(&self, priority: u8) -> Duration {
        self.interval() * 3 + self.interval() * (256 - u32::from(priority)) / 256
    }

    fn configuration(&self, me: &Node, peer: &Node, priority: u8) -> String {
        let source = |node: &Node| match self.family {
            Family::V4 => node
                .addresses(DEV)
                .into_iter()
                .find(IpAddr::is_ipv4)
                .expect("an IPv4 address"),
            Family::V6 => link_local(node).into(),
        };
        let cast = match self.cast {
            Cast::Multicast => String::new(),
            Cast::Unicast => format!(
                "unicast_src_ip {}\nunicast_peer {{\n{}\n}}\n",
                source(me),
                source(peer)
            ),
        };
        let auth = match self.auth {
            Auth::None => String::new(),
            Auth::Pass => {
                format!("authentication {{\nauth_type PASS\nauth_pass {PASSWORD}\n}}\n")
            }
        };
        let [first, second] = self.addresses();
        let length = if self.family == Family::V4 { 24 } else { 64 };
        format!(
            "vrrp_instance VI_1 {{
                state BACKUP
                interface {DEV}
                virtual_router_id 51
                priority {priority}
                version {}
                advert_int {}
                {auth}{cast}
                virtual_ipaddress {{
                    {first}/{length}
                    {second}/{length}
                }}
            }}\n",
            self.version,
            self.interval().as_secs_f64(),
        )
    }

    /// Everything the wire must show of an advertisement of `node`.
    #[track_caller]
    fn check(&self, advert: &Vrrp, by: Which, (from, to): (IpAddr, IpAddr), priority: u8) {
        assert_eq!((advert.source, advert.destination), (from, to));
        assert_eq!(
            (advert.version, advert.vrid, advert.priority),
            (self.version, 51, priority)
        );
        assert_eq!(advert.tos, 0xc0);
        // keepalived 2.2.7 leaves the hop limit of IPv6 unicast to the kernel.
        let kernels = by == Which::Keepalived && from.is_ipv6() && self.cast == Cast::Unicast;
        assert_eq!(advert.ttl, if kernels { 64 } else { 255 });
        assert!(advert.checksum_ok, "checksum of {advert:?}");
        assert_eq!(advert.interval, self.interval());
        assert_eq!(
            advert.addresses,
            self.addresses().map(|a| a.parse::<IpAddr>().unwrap())
        );
        let expected: &[u8] = match (self.version, self.family, self.auth) {
            (2, Family::V4, Auth::Pass) => &PASSWORD.as_bytes()[..8],
            (2, Family::V4, Auth::None) => &[0; 8],
            _ => &[],
        };
        assert_eq!(advert.trailer, expected);
    }

    fn run(self, name: &str, high: Which, low: Which) {
        let Some(bed) = Bed::new(name) else { return };
        let (one, two) = (&bed.one, &bed.two);
        let (high_conf, low_conf) = (
            self.configuration(one, two, HIGH),
            self.configuration(two, one, LOW),
        );
        let mut wire = two.capture(DEV);
        let mut seen_by_client = bed.client.capture(DEV);

        let mut a = Daemon::start(one, high, &high_conf);
        a.wait_state("VI_1", "MASTER", SOON);
        let mut b = Daemon::start(two, low, &low_conf);
        b.wait_state("VI_1", "BACKUP", SOON);
        self.owns(one, true);
        let advert = wire.next_advert("an advert of the high node", SOON, |v| v.priority != 0);
        self.check(&advert, high, self.endpoints(one, two), HIGH);

        // Takeover when the master dies without a word.
        seen_by_client.skip();
        a.crash();
        b.wait_state("VI_1", "MASTER", SOON);
        self.owns(two, true);
        let (from, to) = self.endpoints(two, one);
        let advert = wire.next_advert("an advert of the low node", SOON, |v| v.source == from);
        self.check(&advert, low, (from, to), LOW);
        self.not_early(&wire, from);
        self.announced(&mut seen_by_client, two);

        // Handback; what the dead one left behind is gone before it is master again.
        let mut a = Daemon::start(one, high, &high_conf);
        self.handed_back(&mut a, &mut b, one, two);
        self.announced(&mut seen_by_client, one);

        // Graceful stop: priority 0 first, so the other waits the skew time only.
        wire.skip();
        a.stop();
        self.owns(one, false);
        let (from, _) = self.endpoints(one, two);
        wire.next_advert("priority 0", SOON, |v| v.priority == 0 && v.source == from);
        b.wait_state("VI_1", "MASTER", SOON);
        self.owns(two, true);

        let mut a = Daemon::start(one, high, &high_conf);
        self.handed_back(&mut a, &mut b, one, two);

        // Link loss.
        bed.cable_one.pull();
        a.wait_state("VI_1", "FAULT", SOON);
        self.owns(one, false);
        b.wait_state("VI_1", "MASTER", SOON);
        self.owns(two, true);
        bed.cable_one.plug();
        self.handed_back(&mut a, &mut b, one, two);

        assert!(b.stop().success() && a.stop().success(), "a clean end");
        self.owns(one, false);
        self.owns(two, false);
    }

    #[track_caller]
    fn handed_back(&self, a: &mut Daemon<'_>, b: &mut Daemon<'_>, one: &Node, two: &Node) {
        a.wait_state("VI_1", "BACKUP", SOON);
        a.wait_state("VI_1", "MASTER", SOON);
        b.wait_state("VI_1", "BACKUP", SOON);
        self.owns(one, true);
        self.owns(two, false);
    }

    /// Waits until `node` has all addresses, or none.
    #[track_caller]
    fn owns(&self, node: &Node, present: bool) {
        for address in self.addresses() {
            node.wait_address(DEV, address, present, SOON);
        }
    }

    /// Where an advert of `me` comes from and goes to.
    fn endpoints(&self, me: &Node, peer: &Node) -> (IpAddr, IpAddr) {
        let own = |node: &Node| match self.family {
            Family::V4 => node
                .addresses(DEV)
                .into_iter()
                .find(IpAddr::is_ipv4)
                .expect("an IPv4 address"),
            Family::V6 => link_local_of(node, self.addresses()[0]),
        };
        let to = match (self.cast, self.family) {
            (Cast::Unicast, _) => own(peer),
            (Cast::Multicast, Family::V4) => "224.0.0.18".parse().unwrap(),
            (Cast::Multicast, Family::V6) => "ff02::12".parse().unwrap(),
        };
        (own(me), to)
    }

    /// The first advert of the new master came a down time after the last of the old, or later.
    #[track_caller]
    fn not_early(&self, wire: &Capture, new: IpAddr) {
        let adverts = wire.adverts();
        let first = adverts
            .iter()
            .position(|(_, v)| v.source == new)
            .expect("its first advert");
        let last = adverts[..first].last().expect("an advert before it");
        let waited = adverts[first].0 - last.0;
        // The kernel stamps both, with the microseconds between interface and daemon on top.
        let due = self.down_time(LOW) - Duration::from_millis(1);
        assert!(waited >= due, "the backup waited {waited:?}, not {due:?}");
    }

    /// The client heard where every address is now.
    #[track_caller]
    fn announced(&self, client: &mut Capture, owner: &Node) {
        let mac = owner.ip_json(&format!("link show {DEV}"))[0]["address"].to_string();
        for address in self.addresses() {
            let address: IpAddr = address.parse().unwrap();
            let what = format!("{address} announced at {mac}");
            let from = client.mark();
            let deadline = SOON;
            rk_lab::eventually(deadline, &what, || {
                client.frames()[..from.max(client.mark())]
                    .iter()
                    .rev()
                    .find(|frame| frame.announces() == Some(address))
                    .filter(|frame| format!("\"{}\"", frame.source) == mac)
                    .map(|_| ())
            });
        }
    }
}

/// The node's own link-local address, not the virtual one.
fn link_local_of(node: &Node, not: &str) -> IpAddr {
    let not: IpAddr = not.parse().unwrap();
    let own = |address: &IpAddr| {
        matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local()) && *address != not
    };
    node.addresses(DEV)
        .into_iter()
        .find(own)
        .expect("a link-local address")
}

macro_rules! matrix {
    ($($name:ident: $version:literal $family:ident $cast:ident $auth:ident;)*) => { $(
        mod $name {
            use super::*;

            const CELL: Cell = Cell {
                version: $version,
                family: Family::$family,
                cast: Cast::$cast,
                auth: Auth::$auth,
            };

            #[test]
            fn ours_is_master() {
                CELL.run(stringify!($name), ours(), Which::Keepalived);
            }

            #[test]
            fn keepalived_is_master() {
                CELL.run(stringify!($name), Which::Keepalived, ours());
            }
        }
    )* };
}

matrix! {
    v2_ipv4_multicast: 2 V4 Multicast None;
    v2_ipv4_multicast_pass: 2 V4 Multicast Pass;
    v2_ipv4_unicast: 2 V4 Unicast None;
    v2_ipv4_unicast_pass: 2 V4 Unicast Pass;
    v2_ipv6_multicast: 2 V6 Multicast None;
    v2_ipv6_unicast: 2 V6 Unicast None;
    v3_ipv4_multicast: 3 V4 Multicast None;
    v3_ipv4_unicast: 3 V4 Unicast None;
    v3_ipv6_multicast: 3 V6 Multicast None;
    v3_ipv6_unicast: 3 V6 Unicast None;
}

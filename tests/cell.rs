//! One kind of VRRP: its configuration, and what its advertisements must look like.

use std::net::IpAddr;
use std::time::Duration;

use rk_lab::{Node, Vrrp, Which};

use crate::bed::{DEV, link_local};

/// What both sides authenticate with; longer than the 8 bytes that count.
pub(crate) const PASSWORD: &str = "changeme-now";

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Family {
    V4,
    V6,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Cast {
    Multicast,
    Unicast,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Auth {
    None,
    Pass,
}

/// Version, family, way of sending, and authentication.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) version: u8,
    pub(crate) family: Family,
    pub(crate) cast: Cast,
    pub(crate) auth: Auth,
}

impl Cell {
    /// The two virtual addresses.
    pub(crate) fn addresses(&self) -> [&'static str; 2] {
        match self.family {
            Family::V4 => ["10.77.0.100", "10.77.0.101"],
            Family::V6 => ["fe80::77:100", "fd77::100"],
        }
    }

    /// v2 knows whole seconds only.
    pub(crate) fn interval(&self) -> Duration {
        Duration::from_millis(if self.version == 2 { 1000 } else { 200 })
    }

    /// How long a backup waits behind the last advert (RFC 3768 and RFC 9568, section 6.1).
    pub(crate) fn down_time(&self, priority: u8) -> Duration {
        self.interval() * 3 + self.interval() * (256 - u32::from(priority)) / 256
    }

    /// The configuration of `me`, whose only peer is `peer`.
    pub(crate) fn configuration(&self, me: &Node, peer: &Node, priority: u8) -> String {
        let cast = match self.cast {
            Cast::Multicast => String::new(),
            Cast::Unicast => format!(
                "unicast_src_ip {}\nunicast_peer {{\n{}\n}}\n",
                self.own_address(me),
                self.own_address(peer)
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

    /// The node's own address of this family, never a virtual one.
    pub(crate) fn own_address(&self, node: &Node) -> IpAddr {
        match self.family {
            Family::V4 => {
                let mut all = node.addresses(DEV).into_iter();
                all.find(IpAddr::is_ipv4).expect("an IPv4 address")
            }
            Family::V6 => link_local(node).into(),
        }
    }

    /// Where an advert of `me` comes from and goes to.
    pub(crate) fn endpoints(&self, me: &Node, peer: &Node) -> (IpAddr, IpAddr) {
        let to = match (self.cast, self.family) {
            (Cast::Unicast, _) => self.own_address(peer),
            (Cast::Multicast, Family::V4) => "224.0.0.18".parse().unwrap(),
            (Cast::Multicast, Family::V6) => "ff02::12".parse().unwrap(),
        };
        (self.own_address(me), to)
    }

    /// Everything the wire must show of an advertisement.
    #[track_caller]
    pub(crate) fn check(
        &self,
        advert: &Vrrp,
        by: Which,
        (from, to): (IpAddr, IpAddr),
        priority: u8,
    ) {
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
}

/// Makes a module of tests for every kind of VRRP that keepalived speaks.
macro_rules! every_cell {
    ($($test:ident => $run:expr;)*) => {
        $crate::cell::every_cell! { @cells [$($test => $run;)*]
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
    };
    (@cells $tests:tt
     $($name:ident: $version:literal $family:ident $cast:ident $auth:ident;)*) => { $(
        mod $name {
            use super::*;

            const NAME: &str = stringify!($name);
            const CELL: $crate::cell::Cell = $crate::cell::Cell {
                version: $version,
                family: $crate::cell::Family::$family,
                cast: $crate::cell::Cast::$cast,
                auth: $crate::cell::Auth::$auth,
            };

            $crate::cell::every_cell! { @tests $tests }
        }
    )* };
    (@tests [$($test:ident => $run:expr;)*]) => { $(
        #[test]
        fn $test() {
            $run(CELL, NAME);
        }
    )* };
}
pub(crate) use every_cell;

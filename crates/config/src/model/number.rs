//! Numbers of the kernel's routing that people write as numbers or as names of iproute2.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares a number of the kernel with those of its values that have a name everywhere.
macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($inner:ty) { $($(#[$what:meta])* $value:ident = $n:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl $name {
            $($(#[$what])* pub const $value: Self = Self($n);)*
        }
    )*};
}

/// Declares which numbers people see as they are.
macro_rules! shown {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

shown!(RouteTable RouteProtocol Scope RouteType InterfaceGroup RulePriority IpProtocol
       RouterPreference MplsLabel);

numbers! {
    /// A routing table (`RTA_TABLE`).
    RouteTable(u32) {
        /// `main`.
        MAIN = 254,
    }
    /// Who made a route or a rule (`rtm_protocol`, `FRA_PROTOCOL`).
    RouteProtocol(u8) {
        /// `keepalived`: what is added here, unless the file says otherwise.
        KEEPALIVED = 18,
    }
    /// How far away an address or a destination is (`rtm_scope`, `ifa_scope`).
    Scope(u8) {
        /// `global`: anywhere.
        GLOBAL = 0,
    }
    /// What a route does with packets (`rtm_type`).
    RouteType(u8) {
        /// `unicast`: sends them on.
        UNICAST = 1,
        /// `local`: takes them in.
        LOCAL = 2,
        /// `broadcast`: takes them in, and sends them as broadcast.
        BROADCAST = 3,
        /// `anycast`: takes them in, and sends them as unicast.
        ANYCAST = 4,
        /// `multicast`.
        MULTICAST = 5,
        /// `blackhole`: drops them.
        BLACKHOLE = 6,
        /// `unreachable`: answers that the destination cannot be reached.
        UNREACHABLE = 7,
        /// `prohibit`: answers that the administrator does not allow it.
        PROHIBIT = 8,
        /// `throw`: goes on with the next rule.
        THROW = 9,
        /// `nat`.
        NAT = 10,
        /// `xresolve`.
        XRESOLVE = 11,
    }
    /// The type of service (IPv4) or traffic class (IPv6) of a packet.
    DsField(u8) {}
    /// A group of interfaces.
    InterfaceGroup(u32) {}
    /// When a rule has its turn: the lowest number first.
    RulePriority(u32) {}
    /// A protocol above IP, as the assigned numbers have it.
    IpProtocol(u8) {}
    /// How much a router is preferred to others (RFC 4191 section 2.1); the kernel takes any
    /// other number for medium.
    RouterPreference(u8) {
        /// `medium`.
        MEDIUM = 0,
        /// `high`.
        HIGH = 1,
        /// `low`.
        LOW = 3,
    }
    /// A label of MPLS (20 bits).
    MplsLabel(u32) {}
}

impl RouteType {
    /// The names, each with its number.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("unicast", Self::UNICAST),
        ("local", Self::LOCAL),
        ("broadcast", Self::BROADCAST),
        ("brd", Self::BROADCAST),
        ("anycast", Self::ANYCAST),
        ("multicast", Self::MULTICAST),
        ("blackhole", Self::BLACKHOLE),
        ("unreachable", Self::UNREACHABLE),
        ("prohibit", Self::PROHIBIT),
        ("throw", Self::THROW),
        ("nat", Self::NAT),
        ("xresolve", Self::XRESOLVE),
    ];

    /// The type that `name` stands for.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut names = Self::NAMES.iter();
        names.find(|(n, _)| *n == name).map(|(_, kind)| *kind)
    }
}

/// The realms that traffic is counted in; 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realms {
    /// The realm of the source.
    pub from: u8,
    /// The realm of the destination.
    pub to: u8,
}

impl fmt::Display for Realms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.from, self.to)
    }
}

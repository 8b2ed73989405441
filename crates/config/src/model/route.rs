//! Lines of `virtual_routes` and `static_routes`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rk_base::{Family, Prefix};
use serde::{Deserialize, Serialize};

use super::Origin;
use super::number::{
    DsField, MplsLabel, Realms, RouteProtocol, RouteTable, RouteType, RouterPreference, Scope,
};

/// One line of `virtual_routes` or `static_routes`. `Display` writes it as `ip route` takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Where it leads; `default` is the prefix of length 0 of its family.
    pub dest: Prefix,
    /// What it does with packets.
    pub kind: RouteType,
    /// `table`.
    pub table: RouteTable,
    /// `scope`.
    pub scope: Scope,
    /// `protocol`. A route that is tracked is [`RouteProtocol::KEEPALIVED`].
    pub protocol: RouteProtocol,
    /// `metric`; `None` leaves it to the kernel (0 for IPv4, 1024 for IPv6).
    pub metric: Option<u32>,
    /// `tos`.
    pub tos: Option<DsField>,
    /// `src`: the source address that packets prefer.
    pub src: Option<IpAddr>,
    /// `from`: the sources it is for (IPv6 only).
    pub from: Option<Prefix>,
    /// The way of packets, when there is one. Beside `legs` it has no gateway.
    pub hop: Hop,
    /// `nexthop`, and the gateways on both sides of an `or`.
    pub legs: Vec<Leg>,
    /// What TCP and path MTU discovery start with.
    pub metrics: Metrics,
    /// `expires` (IPv6 only).
    pub expires: Option<Duration>,
    /// `pref` (IPv6 only).
    pub pref: Option<RouterPreference>,
    /// `ttl-propagate` enabled or disabled.
    pub ttl_propagate: Option<bool>,
    /// Where it goes among equal ones.
    pub placement: Placement,
    /// `no_track`: nobody minds when someone else removes it.
    pub no_track: bool,
    /// `track_group` (static only).
    pub track_group: Option<String>,
    /// The line.
    pub origin: Origin,
}

impl Route {
    /// The family of its addresses.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.dest.family()
    }

    /// The interfaces that it names.
    pub fn interfaces(&self) -> impl Iterator<Item = &str> {
        let legs = self.legs.iter().map(|leg| &leg.hop);
        let hops = std::iter::once(&self.hop).chain(legs);
        hops.filter_map(|hop| hop.dev.as_deref())
    }
}

/// A way of packets to their next router.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// `via`: the gateway.
    pub via: Option<IpAddr>,
    /// `dev`.
    pub dev: Option<String>,
    /// `onlink`: the gateway is a neighbour although no prefix says so.
    pub onlink: bool,
    /// `realms` (IPv4 only).
    pub realms: Option<Realms>,
    /// `encap`.
    pub encap: Option<Encap>,
}

/// One of several ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The way.
    pub hop: Hop,
    /// `weight`: its share of the traffic.
    pub weight: LegWeight,
}

/// The share of a leg, 1 to 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct LegWeight(u8);

impl LegWeight {
    /// What a leg has that says nothing.
    pub const ONE: Self = Self(0);

    /// `weight`, if it is 1 to 256.
    #[must_use]
    pub fn new(weight: u16) -> Option<Self> {
        weight.checked_sub(1)?.try_into().ok().map(Self)
    }

    /// The weight, 1 to 256.
    #[must_use]
    pub fn get(self) -> u16 {
        u16::from(self.0) + 1
    }

    /// The weight less one, as the kernel wants it (`rtnh_hops`).
    #[must_use]
    pub const fn hops(self) -> u8 {
        self.0
    }
}

impl TryFrom<u16> for LegWeight {
    type Error = rk_base::OutOfRange;
    fn try_from(weight: u16) -> Result<Self, Self::Error> {
        Self::new(weight).ok_or(rk_base::OutOfRange)
    }
}

impl From<LegWeight> for u16 {
    fn from(weight: LegWeight) -> Self {
        weight.get()
    }
}

/// What packets are wrapped into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encap {
    /// `mpls`: labels, the outer one first.
    Mpls(Vec<MplsLabel>),
    /// `ip`: a tunnel over IPv4.
    Ip(TunnelEncap<Ipv4Addr>),
    /// `ip6`: a tunnel over IPv6.
    Ip6(TunnelEncap<Ipv6Addr>),
    /// `ila`: the locator, the upper half of an IPv6 address.
    Ila(u64),
}

/// The outer header of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TunnelEncap<A> {
    /// `id`: the key of the tunnel.
    pub id: Option<u64>,
    /// `dst`: the far end.
    pub dst: Option<A>,
    /// `src`: the near end.
    pub src: Option<A>,
    /// `tos` (IPv4) or `tc` (IPv6).
    pub tos: Option<DsField>,
    /// `ttl` (IPv4) or `hoplimit` (IPv6).
    pub ttl: Option<u8>,
    /// `flags`, as the kernel numbers them.
    pub flags: Option<u16>,
}

impl<A> Default for TunnelEncap<A> {
    fn default() -> Self {
        Self {
            id: None,
            dst: None,
            src: None,
            tos: None,
            ttl: None,
            flags: None,
        }
    }
}

/// Where a route goes among equal ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Placement {
    /// `add`: nowhere, when there is one.
    Add,
    /// `prepend`: before them.
    #[default]
    Prepend,
    /// `append`: behind them.
    Append,
}

/// What TCP and path MTU discovery start with; `None` is the kernel's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metrics {
    /// `mtu` in bytes.
    pub mtu: Option<Metric<u32>>,
    /// `advmss` in bytes.
    pub advmss: Option<Metric<u32>>,
    /// `reordering` in segments.
    pub reordering: Option<Metric<u32>>,
    /// `cwnd` in segments.
    pub cwnd: Option<Metric<u32>>,
    /// `ssthresh` in segments.
    pub ssthresh: Option<Metric<u32>>,
    /// `rtt`, 200 ms to 120 s, as the two that follow.
    pub rtt: Option<Metric<Duration>>,
    /// `rttvar`.
    pub rttvar: Option<Metric<Duration>>,
    /// `rto_min`.
    pub rto_min: Option<Metric<Duration>>,
    /// `hoplimit`.
    pub hoplimit: Option<u8>,
    /// `window` in bytes.
    pub window: Option<u32>,
    /// `initcwnd` in segments.
    pub initcwnd: Option<u32>,
    /// `initrwnd` in segments.
    pub initrwnd: Option<u32>,
    /// `quickack`.
    pub quickack: Option<bool>,
    /// `fastopen_no_cookie`.
    pub fastopen_no_cookie: Option<bool>,
    /// `features ecn`.
    pub ecn: bool,
    /// `congctl`.
    pub congctl: Option<Metric<String>>,
}

/// A value that the kernel may learn better, unless it is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric<T> {
    /// The value.
    pub value: T,
    /// `lock`.
    pub lock: bool,
}

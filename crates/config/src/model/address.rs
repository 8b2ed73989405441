//! Addresses of interfaces and of unicast peers.

use std::net::{IpAddr, Ipv4Addr};

use rk_base::{Family, Prefix};
use serde::{Deserialize, Serialize};

use super::{Origin, Scope};

/// One line of `virtual_ipaddress`, `virtual_ipaddress_excluded` or `static_ipaddress`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceAddress {
    /// The address; `/32` or `/128` when the line gives no length.
    pub prefix: Prefix,
    /// `dev`, when the line names one. Otherwise the instance's interface (virtual addresses)
    /// or [`super::Global::default_interface`] (static addresses).
    pub dev: Option<String>,
    /// `label` (IPv4 only, at most 15 bytes).
    pub label: Option<String>,
    /// `broadcast` or `brd` (IPv4 only).
    pub broadcast: Option<Broadcast>,
    /// `scope`; `None` leaves it to the kernel's `global` (IPv4 only).
    pub scope: Option<Scope>,
    /// `peer`: the far end of a point-to-point address.
    pub peer: Option<IpAddr>,
    /// `home`: the Mobile IPv6 home address flag.
    pub home: bool,
    /// Whether duplicate address detection is left on (`-nodad`); off is the default here.
    pub dad: bool,
    /// `mngtmpaddr`.
    pub mngtmpaddr: bool,
    /// `noprefixroute`.
    pub noprefixroute: bool,
    /// `autojoin`.
    pub autojoin: bool,
    /// `no_track`: nobody minds when someone else removes the address.
    pub no_track: bool,
    /// `preferred_lft`; `None` means zero for an IPv6 /128 and forever otherwise.
    pub preferred_lft: Option<Lifetime>,
    /// `use_vmac`: put this address on a macvlan of its interface.
    pub use_vmac: bool,
    /// `track_group` (static addresses only).
    pub track_group: Option<String>,
    /// The line.
    pub origin: Origin,
}

impl InterfaceAddress {
    /// A line that says `prefix` and nothing else.
    #[must_use]
    pub fn new(prefix: Prefix, origin: Origin) -> Self {
        Self {
            prefix,
            dev: None,
            label: None,
            broadcast: None,
            scope: None,
            peer: None,
            home: false,
            dad: false,
            mngtmpaddr: false,
            noprefixroute: false,
            autojoin: false,
            no_track: false,
            preferred_lft: None,
            use_vmac: false,
            track_group: None,
            origin,
        }
    }

    /// The family of the address.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.prefix.family()
    }
}

/// The broadcast address of an IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Broadcast {
    /// Written out.
    Address(Ipv4Addr),
    /// `+`: the host bits all ones.
    AllOnes,
    /// `-`: the host bits all zeros.
    AllZeros,
}

/// How long an address is preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lifetime {
    /// `forever`.
    Forever,
    /// So many seconds; 0 makes the address deprecated.
    Seconds(u32),
}

/// One line of `unicast_peer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnicastPeer {
    /// Whom adverts are sent to.
    pub address: IpAddr,
    /// `min_ttl`: the least TTL an advert from this peer may have.
    pub min_ttl: Option<u8>,
    /// `max_ttl`: the greatest one.
    pub max_ttl: Option<u8>,
    /// The line.
    pub origin: Origin,
}

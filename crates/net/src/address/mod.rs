//! Virtual addresses: what shall exist, what has to be done for it, and doing it in short steps.

mod message;
mod writer;

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use rk_base::{IfIndex, Prefix};

use crate::netlink::in_brackets;
pub use writer::{AddressWriter, Completion, OpId};

/// keepalived's number in `IFA_PROTO`: `ip` shows by it whose an address is.
const PROTOCOL_KEEPALIVED: u8 = 18;

/// Extra properties of an address, as the configuration words them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddressFlags {
    /// No duplicate address detection (IPv6; keepalived always sets it for virtual addresses).
    pub nodad: bool,
    /// Mobile IPv6 home address.
    pub home: bool,
    /// Manage temporary addresses made from this one (IPv6).
    pub mngtmpaddr: bool,
    /// Make no route for the network of the address.
    pub noprefixroute: bool,
    /// Join the multicast group it is at once.
    pub autojoin: bool,
}

impl AddressFlags {
    /// As `IFA_F_*`.
    #[must_use]
    pub const fn bits(self) -> u32 {
        let mut bits = 0;
        if self.nodad {
            bits |= libc::IFA_F_NODAD;
        }
        if self.home {
            bits |= libc::IFA_F_HOMEADDRESS;
        }
        if self.mngtmpaddr {
            bits |= libc::IFA_F_MANAGETEMPADDR;
        }
        if self.noprefixroute {
            bits |= libc::IFA_F_NOPREFIXROUTE;
        }
        if self.autojoin {
            bits |= libc::IFA_F_MCAUTOJOIN;
        }
        bits
    }
}

/// An address that shall be on an interface.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The interface.
    pub ifindex: IfIndex,
    /// The address with its prefix length.
    pub prefix: Prefix,
    /// The other end of a point-to-point address, of the same family.
    pub peer: Option<IpAddr>,
    /// IPv4: the broadcast address; none is made up if unset.
    pub broadcast: Option<Ipv4Addr>,
    /// IPv4: the label. It must begin with the name of the interface; 15 bytes at most.
    pub label: Option<String>,
    /// `RT_SCOPE_*`: 0 global, 200 site, 253 link, 254 host. The kernel sets its own for IPv6.
    pub scope: u8,
    /// Extra properties.
    pub flags: AddressFlags,
    /// Seconds for which it is preferred as a source address; for ever if unset.
    pub preferred_lft: Option<u32>,
}

impl Address {
    /// `prefix` on `ifindex`, of global scope, without duplicate address detection for IPv6.
    #[must_use]
    pub fn new(ifindex: IfIndex, prefix: Prefix) -> Self {
        let flags = AddressFlags {
            nodad: prefix.addr().is_ipv6(),
            ..AddressFlags::default()
        };
        Self {
            ifindex,
            prefix,
            peer: None,
            broadcast: None,
            label: None,
            scope: 0,
            flags,
            preferred_lft: None,
        }
    }
}

/// Something to be done to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Make it exist; no error if it does.
    Add(Address),
    /// Make it not exist; no error if it does not. Only interface, address, prefix length and peer
    /// count.
    Delete(Address),
}

impl Op {
    /// The address it is about.
    #[must_use]
    pub const fn address(&self) -> &Address {
        match self {
            Self::Add(a) | Self::Delete(a) => a,
        }
    }
}

/// How an [`Op`] that went well left things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The kernel did it.
    Changed,
    /// It was so already.
    Already,
}

/// Why an [`Op`] could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The interface does not exist (any more).
    #[error("no such interface{}", in_brackets(said))]
    NoInterface {
        /// The kernel's words.
        said: Option<String>,
    },
    /// `CAP_NET_ADMIN` is missing.
    #[error("not permitted to change addresses (CAP_NET_ADMIN is needed)")]
    NotPermitted,
    /// The family is switched off on the interface (`disable_ipv6`).
    #[error("the address family is disabled on the interface{}", in_brackets(said))]
    FamilyDisabled {
        /// The kernel's words.
        said: Option<String>,
    },
    /// The kernel had no memory, or its answer was lost: worth another try.
    #[error("the kernel is out of buffers")]
    Busy,
    /// Anything else, most often that the address cannot be an interface's.
    #[error("{}{}", io::Error::from_raw_os_error(*errno), in_brackets(said))]
    Kernel {
        /// Why.
        errno: i32,
        /// The kernel's words.
        said: Option<String>,
    },
}

impl AddressError {
    /// Whether the same op may go well later although nothing else has changed.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::Busy)
    }

    fn of(errno: i32, said: Option<String>) -> Self {
        match errno {
            libc::ENODEV | libc::ENXIO => Self::NoInterface { said },
            libc::EPERM | libc::EACCES => Self::NotPermitted,
            libc::ENOMEM | libc::ENOBUFS | libc::EAGAIN => Self::Busy,
            libc::EOPNOTSUPP | libc::EAFNOSUPPORT => Self::FamilyDisabled { said },
            errno => Self::Kernel { errno, said },
        }
    }
}

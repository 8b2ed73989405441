//! Addresses with a prefix length, families, and interface indices.

use core::fmt;
use core::net::IpAddr;
use core::num::NonZeroU32;
use core::str::FromStr;

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of `addr`.
    #[must_use]
    pub const fn of(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// How many bits an address of this family has.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// The kernel's number of a network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IfIndex(NonZeroU32);

impl IfIndex {
    /// The index the kernel gave; `None` for 0, which means "no interface".
    #[must_use]
    pub const fn new(n: u32) -> Option<Self> {
        match NonZeroU32::new(n) {
            Some(n) => Some(Self(n)),
            None => None,
        }
    }

    /// The number the kernel uses.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for IfIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An address with the length of its network prefix, host bits kept (`192.0.2.1/24`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Prefix {
    addr: IpAddr,
    len: u8,
}

/// Why a text is not a [`Prefix`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrefixError {
    /// The part before the slash is no IP address.
    Address,
    /// The part after the slash is no number the family allows.
    Length,
}

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "not an IP address",
            Self::Length => "prefix length out of range (0..=32 for IPv4, 0..=128 for IPv6)",
        })
    }
}

impl std::error::Error for PrefixError {}

impl Prefix {
    /// `addr/len`, if the family has that many bits.
    ///
    /// # Errors
    /// [`PrefixError::Length`] otherwise.
    pub const fn new(addr: IpAddr, len: u8) -> Result<Self, PrefixError> {
        if len > Family::of(addr).bits() {
            return Err(PrefixError::Length);
        }
        Ok(Self { addr, len })
    }

    /// The single address `addr` (`/32` or `/128`).
    #[must_use]
    pub const fn host(addr: IpAddr) -> Self {
        Self {
            addr,
            len: Family::of(addr).bits(),
        }
    }

    /// The address, host bits included.
    #[must_use]
    pub const fn addr(self) -> IpAddr {
        self.addr
    }

    /// The length of the network part in bits.
    #[must_use]
    pub const fn len(self) -> u8 {
        self.len
    }

    /// Whether the prefix is the whole family (`/0`).
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The family of the address.
    #[must_use]
    pub const fn family(self) -> Family {
        Family::of(self.addr)
    }

    /// Whether the prefix names one address only.
    #[must_use]
    pub const fn is_host(self) -> bool {
        self.len == self.family().bits()
    }

    /// Whether `addr` lies inside this prefix.
    #[must_use]
    pub fn contains(self, addr: IpAddr) -> bool {
        fn same(a: u128, b: u128, bits: u8, len: u8) -> bool {
            len == 0 || (a ^ b) >> (bits - len) == 0
        }
        match (self.addr, addr) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                same(u32::from(a).into(), u32::from(b).into(), 32, self.len)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128, self.len),
            _ => false,
        }
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;
    fn from_str(s: &str) -> Result<Self, PrefixError> {
        let (addr, len) = match s.split_once('/') {
            None => (s, None),
            Some((addr, len)) => (addr, Some(len)),
        };
        let addr: IpAddr = addr.parse().map_err(|_| PrefixError::Address)?;
        match len {
            None => Ok(Self::host(addr)),
            Some(len) => Self::new(addr, len.parse().map_err(|_| PrefixError::Length)?),
        }
    }
}

/// As keepalived prints it: `/32` and `/128` are left out.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_host() {
            self.addr.fmt(f)
        } else {
            write!(f, "{}/{}", self.addr, self.len)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_read_and_print() {
        for (text, shown) in [
            ("192.0.2.1/24", "192.0.2.1/24"),
            ("192.0.2.1/32", "192.0.2.1"),
            ("fe80::1", "fe80::1"),
        ] {
            assert_eq!(text.parse::<Prefix>().unwrap().to_string(), shown);
        }
        assert_eq!("192.0.2.1/33".parse::<Prefix>(), Err(PrefixError::Length));
        assert_eq!("192.0.2/24".parse::<Prefix>(), Err(PrefixError::Address));
    }

    #[test]
    fn containment_respects_family_and_length() {
        let p: Prefix = "192.0.2.1/24".parse().unwrap();
        assert!(p.contains("192.0.2.200".parse().unwrap()));
        assert!(!p.contains("192.0.3.1".parse().unwrap()));
        assert!(!p.contains("::1".parse().unwrap()));
        assert!(
            "0.0.0.0/0"
                .parse::<Prefix>()
                .unwrap()
                .contains("198.51.100.1".parse().unwrap())
        );
    }
}

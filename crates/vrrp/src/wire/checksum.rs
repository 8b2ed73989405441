//! The Internet checksum (RFC 1071), with and without a pseudo header.

use core::net::IpAddr;

use super::message::PROTOCOL_VRRP;

/// What a VRRP checksum covers besides the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// The message alone: VRRPv2, and VRRPv3 over IPv4 as RFC 9568 §5.2.8 says.
    Message,
    /// Also a pseudo header: IPv6 (RFC 8200 §8.1), and VRRPv3 over IPv4 as everybody does it.
    /// Addresses of two families cover the message alone.
    Pseudo {
        /// The source address.
        src: IpAddr,
        /// The destination address.
        dst: IpAddr,
    },
}

/// Adds `octets`, as big-endian 16-bit words, to a running sum; an odd last octet is padded.
fn add(mut sum: u64, octets: &[u8]) -> u64 {
    let (pairs, rest) = octets.as_chunks::<2>();
    for pair in pairs {
        sum += u64::from(u16::from_be_bytes(*pair));
    }
    if let [last] = rest {
        sum += u64::from(*last) << 8;
    }
    sum
}

/// The ones' complement of the folded sum.
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // At most 16 bits are left.
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

/// The checksum over `octets`: what belongs into a checksum field that is zero in them, and 0
/// if the field is already right.
#[must_use]
pub fn checksum(octets: &[u8], coverage: Coverage) -> u16 {
    let pseudo = match coverage {
        Coverage::Message => 0,
        Coverage::Pseudo { src, dst } => {
            let len = u64::try_from(octets.len()).unwrap_or(u64::MAX);
            let tail = (len >> 16) + (len & 0xffff) + u64::from(PROTOCOL_VRRP);
            match (src, dst) {
                (IpAddr::V4(s), IpAddr::V4(d)) => add(add(tail, &s.octets()), &d.octets()),
                (IpAddr::V6(s), IpAddr::V6(d)) => add(add(tail, &s.octets()), &d.octets()),
                _ => 0,
            }
        }
    };
    fold(add(pseudo, octets))
}

/// Whether a message that carries its checksum adds up.
#[must_use]
pub fn is_good(octets: &[u8], coverage: Coverage) -> bool {
    checksum(octets, coverage) == 0
}

//! Why a received packet was not used.

use core::net::IpAddr;
use core::time::Duration;

use crate::settings::Version;

/// Why a received packet was dropped, in the order in which it is checked. No timer was touched
/// and no state changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Too short for its headers, or for the addresses it announces.
    #[error("truncated: needs {need} octets, has {have}")]
    Truncated {
        /// Octets it would need.
        need: usize,
        /// Octets there are.
        have: usize,
    },
    /// The TTL or hop limit is not allowed.
    #[error("TTL/HL {ttl} not within {min}..={max}")]
    Ttl {
        /// What it had.
        ttl: u8,
        /// The least allowed.
        min: u8,
        /// The greatest allowed.
        max: u8,
    },
    /// Another protocol version.
    #[error("version {received}, ours {expected}")]
    Version {
        /// The packet's.
        received: u8,
        /// Ours.
        expected: Version,
    },
    /// Another virtual router.
    #[error("VRID {0} is not ours")]
    Vrid(u8),
    /// An authentication type that no RFC knows.
    #[error("unknown authentication type {0}")]
    UnknownAuthType(u8),
    /// Another authentication type than ours.
    #[error("authentication type {received}, ours {expected}")]
    AuthType {
        /// The packet's.
        received: u8,
        /// Ours.
        expected: u8,
    },
    /// The wrong password, or an authentication header that does not verify.
    #[error("authentication data does not match")]
    AuthData,
    /// An authentication header whose sequence number did not grow.
    #[error("authentication header replayed: sequence {received} after {last}")]
    Replayed {
        /// The packet's.
        received: u32,
        /// The last one accepted.
        last: u32,
    },
    /// Version 2: another interval than ours. Version 3: an interval of zero.
    #[error("advertisement interval {}s, ours {}s", received.as_secs_f32(), expected.as_secs_f32())]
    Interval {
        /// The packet's.
        received: Duration,
        /// Ours.
        expected: Duration,
    },
    /// Not an advertisement.
    #[error("type {0} is not ADVERTISEMENT")]
    Type(u8),
    /// A version 3 advert without addresses.
    #[error("no address in the advert")]
    NoAddresses,
    /// The checksum is wrong.
    #[error("wrong checksum")]
    Checksum,
    /// The addresses of the IP header are of another family.
    #[error("wrong address family")]
    Family,
    /// Multicast where we do unicast, or the reverse, or another group.
    #[error("sent to {0}, which is not where we listen")]
    Destination(IpAddr),
    /// The sender is not one of our unicast peers.
    #[error("{0} is not a unicast peer")]
    NotAPeer(IpAddr),
    /// We own the addresses and ignore adverts.
    #[error("the address owner ignores adverts")]
    Owner,
}

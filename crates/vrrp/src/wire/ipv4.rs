//! The IPv4 header in front of an advert. We build it ourselves (`IP_HDRINCL`) as the installed
//! base does, so that both look the same to a filter.

use core::net::Ipv4Addr;

use super::checksum::{Coverage, checksum};

/// ```text
///  0                   1                   2                   3
/// +-------+-------+---------------+-------------------------------+
/// | 4     | 5     | TOS 0xc0      | total length                  |
/// +-------+-------+---------------+-------------------------------+
/// | identification                | 0 (no flags, no offset)       |
/// +---------------+---------------+-------------------------------+
/// | TTL           | protocol      | header checksum               |
/// +---------------+---------------+-------------------------------+
/// | source                                                        |
/// +---------------------------------------------------------------+
/// | destination                                                   |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ipv4Header {
    /// The primary address of the sending interface.
    pub src: Ipv4Addr,
    /// The group or a peer.
    pub dst: Ipv4Addr,
    /// 255 for multicast (RFC 9568 §5.1.1.3).
    pub ttl: u8,
    /// Not 0: for that the kernel would put in one of its own.
    pub id: u16,
    /// 112, or 51 with an authentication header.
    pub protocol: u8,
}

impl Ipv4Header {
    /// Octets of the header: there are never options.
    pub const LEN: usize = 20;
    /// Internetwork control, as every routing protocol marks its packets.
    pub const TOS: u8 = 0xc0;

    /// The header of a packet with `payload_len` octets behind it.
    #[must_use]
    pub fn emit(&self, payload_len: usize) -> [u8; Self::LEN] {
        let total = u16::try_from(Self::LEN + payload_len).unwrap_or(u16::MAX);
        let mut header = [0; Self::LEN];
        header[0] = 0x45;
        header[1] = Self::TOS;
        header[2..4].copy_from_slice(&total.to_be_bytes());
        header[4..6].copy_from_slice(&self.id.to_be_bytes());
        header[8] = self.ttl;
        header[9] = self.protocol;
        header[12..16].copy_from_slice(&self.src.octets());
        header[16..20].copy_from_slice(&self.dst.octets());
        let sum = checksum(&header, Coverage::Message);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        header
    }
}

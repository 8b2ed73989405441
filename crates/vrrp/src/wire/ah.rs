//! The IP authentication header of RFC 2338 §5.3.6.3: HMAC-MD5-96 (RFC 2403) in front of the
//! VRRP message. Kept because the installed base still has it; IPv4 only.

use core::net::Ipv4Addr;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;

use super::message::PROTOCOL_VRRP;
use crate::error::Rejected;
use crate::settings::AuthData;

/// Octets of an authentication header with a 96-bit integrity check value.
pub const AH_LEN: usize = 24;
const ICV_OFFSET: usize = 12;
const ICV_LEN: usize = 12;

/// ```text
///  0                   1                   2                   3
/// +---------------+---------------+-------------------------------+
/// | next hdr 112  | length 4      | reserved                      |
/// +---------------+---------------+-------------------------------+
/// | security parameter index: the source address                  |
/// +---------------------------------------------------------------+
/// | sequence number, from 1                                       |
/// +---------------------------------------------------------------+
/// | integrity check value, 12 octets                          ... |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthHeader {
    /// The source address, as the installed base fills it.
    pub spi: u32,
    /// Grows with every packet.
    pub sequence: u32,
    /// The first 96 bits of the digest.
    pub icv: [u8; ICV_LEN],
}

/// The fields of the IPv4 header that the digest covers. Those that may change on the way count
/// as zero: type of service, fragment offset, checksum, and over unicast the TTL.
#[derive(Clone, Copy, Debug)]
struct Covered {
    src: Ipv4Addr,
    dst: Ipv4Addr,
    ttl: u8,
    id: u16,
}

impl AuthHeader {
    /// Splits a payload into its authentication header and the VRRP message behind it.
    ///
    /// # Errors
    /// [`Rejected::Truncated`] if there is not even a header, [`Rejected::AuthData`] if it is
    /// not one of ours.
    pub fn parse(payload: &[u8]) -> Result<(Self, &[u8]), Rejected> {
        let truncated = Rejected::Truncated {
            need: AH_LEN,
            have: payload.len(),
        };
        let (head, message) = payload.split_first_chunk::<AH_LEN>().ok_or(truncated)?;
        let [next, len, _, _, s0, s1, s2, s3, q0, q1, q2, q3, icv @ ..] = *head;
        if next != PROTOCOL_VRRP || len != 4 {
            return Err(Rejected::AuthData);
        }
        let spi = u32::from_be_bytes([s0, s1, s2, s3]);
        let sequence = u32::from_be_bytes([q0, q1, q2, q3]);
        Ok((Self { spi, sequence, icv }, message))
    }

    /// Puts an authentication header in front of `message`, which already carries its checksum.
    #[must_use]
    pub fn seal(
        key: &AuthData,
        (src, dst): (Ipv4Addr, Ipv4Addr),
        (ttl, id): (u8, u16),
        sequence: u32,
        message: &[u8],
    ) -> Vec<u8> {
        let mut payload = vec![0; AH_LEN];
        payload[0] = PROTOCOL_VRRP;
        payload[1] = 4;
        payload[4..8].copy_from_slice(&src.octets());
        payload[8..12].copy_from_slice(&sequence.to_be_bytes());
        payload.extend_from_slice(message);
        let icv = digest(key, Covered { src, dst, ttl, id }, &payload)
            .finalize()
            .into_bytes();
        for (to, from) in payload.iter_mut().skip(ICV_OFFSET).take(ICV_LEN).zip(icv) {
            *to = from;
        }
        payload
    }

    /// Whether the digest of a received `payload` is right.
    #[must_use]
    pub fn verifies(
        &self,
        key: &AuthData,
        (src, dst): (Ipv4Addr, Ipv4Addr),
        (ttl, id): (u8, u16),
        payload: &[u8],
    ) -> bool {
        digest(key, Covered { src, dst, ttl, id }, payload)
            .verify_truncated_left(&self.icv)
            .is_ok()
    }
}

/// The digest over the covered part of the IP header and `payload` with its check value zero.
fn digest(key: &AuthData, ip: Covered, payload: &[u8]) -> Hmac<Md5> {
    let mut mac =
        Hmac::<Md5>::new_from_slice(key.octets()).expect("HMAC takes a key of any length");
    let total = u16::try_from(20 + payload.len()).unwrap_or(u16::MAX);
    let ttl = if ip.dst.is_multicast() { ip.ttl } else { 0 };
    mac.update(&[0x45, 0]);
    mac.update(&total.to_be_bytes());
    mac.update(&ip.id.to_be_bytes());
    mac.update(&[0, 0, ttl, super::PROTOCOL_AH, 0, 0]);
    mac.update(&ip.src.octets());
    mac.update(&ip.dst.octets());
    let (head, rest) = payload.split_at(payload.len().min(ICV_OFFSET));
    mac.update(head);
    mac.update(&[0; ICV_LEN]);
    mac.update(rest.get(ICV_LEN..).unwrap_or_default());
    mac
}

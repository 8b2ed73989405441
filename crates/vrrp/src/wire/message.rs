//! The VRRP message itself.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use rk_base::{Family, Priority, Vrid};

use super::ah::AH_LEN;
use super::checksum::{Coverage, checksum};
use crate::error::Rejected;
use crate::input::RxProtocol;
use crate::settings::{Auth, Version};

/// The IP protocol number of VRRP.
pub const PROTOCOL_VRRP: u8 = 112;
/// The IP protocol number of the authentication header.
pub const PROTOCOL_AH: u8 = 51;
/// The only type there is.
pub const TYPE_ADVERTISEMENT: u8 = 1;
/// Octets before the first address.
pub const HEADER_LEN: usize = 8;

/// The fixed part of a message, as it stands there: nothing is judged yet.
///
/// ```text
///  0                   1                   2                   3
/// +-------+-------+---------------+---------------+---------------+
/// |version| type  | VRID          | priority      | count         |
/// +-------+-------+---------------+---------------+---------------+
/// | v2: auth type | v2: seconds   | checksum                      |
/// | v3: 4 reserved bits, 12 bits of centiseconds  |               |
/// +---------------+---------------+-------------------------------+
/// | addresses (4 or 16 octets each)                           ... |
/// +---------------------------------------------------------------+
/// | v2 over IPv4: 8 octets of authentication data                 |
/// +---------------------------------------------------------------+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version nibble.
    pub version: u8,
    /// The type nibble.
    pub message_type: u8,
    /// The virtual router; 0 is not valid, but may stand there.
    pub vrid: u8,
    /// The sender's priority.
    pub priority: Priority,
    /// How many addresses it says follow.
    pub count: u8,
    /// The version 2 authentication type.
    pub auth_type: u8,
    /// The version 2 interval in seconds.
    pub seconds: u8,
    /// The version 3 interval in centiseconds; the reserved bits are ignored.
    pub centis: u16,
    /// The checksum.
    pub checksum: u16,
}

impl Header {
    /// The fixed part of `octets`.
    ///
    /// # Errors
    /// [`Rejected::Truncated`] if there are fewer than eight.
    pub fn parse(octets: &[u8]) -> Result<Self, Rejected> {
        let Some((head, _)) = octets.split_first_chunk::<HEADER_LEN>() else {
            return Err(Rejected::Truncated {
                need: HEADER_LEN,
                have: octets.len(),
            });
        };
        let [vt, vrid, priority, count, b4, b5, c0, c1] = *head;
        Ok(Self {
            version: vt >> 4,
            message_type: vt & 0x0f,
            vrid,
            priority: Priority::new(priority),
            count,
            auth_type: b4,
            seconds: b5,
            centis: u16::from_be_bytes([b4 & 0x0f, b5]),
            checksum: u16::from_be_bytes([c0, c1]),
        })
    }

    /// The interval, read as `version` says.
    #[must_use]
    pub fn interval(&self, version: Version) -> Duration {
        match version {
            Version::V2 => Duration::from_secs(self.seconds.into()),
            Version::V3 => Duration::from_millis(u64::from(self.centis) * 10),
        }
    }
}

/// The addresses of a received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressList<'a> {
    family: Family,
    octets: &'a [u8],
}

impl<'a> AddressList<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.octets.len() / address_len(self.family)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// The addresses in their order on the wire.
    #[must_use]
    pub fn iter(&self) -> Addresses<'a> {
        Addresses {
            family: self.family,
            octets: self.octets,
        }
    }

    /// Whether `address` is among them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.iter().any(|a| a == address)
    }
}

impl<'a> IntoIterator for &AddressList<'a> {
    type Item = IpAddr;
    type IntoIter = Addresses<'a>;
    fn into_iter(self) -> Addresses<'a> {
        self.iter()
    }
}

/// Iterator over an [`AddressList`].
#[derive(Clone, Debug)]
pub struct Addresses<'a> {
    family: Family,
    octets: &'a [u8],
}

impl Iterator for Addresses<'_> {
    type Item = IpAddr;
    fn next(&mut self) -> Option<IpAddr> {
        match self.family {
            Family::V4 => {
                let (first, rest) = self.octets.split_first_chunk::<4>()?;
                self.octets = rest;
                Some(Ipv4Addr::from(*first).into())
            }
            Family::V6 => {
                let (first, rest) = self.octets.split_first_chunk::<16>()?;
                self.octets = rest;
                Some(Ipv6Addr::from(*first).into())
            }
        }
    }
}

/// What follows the addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail<'a> {
    /// Nothing: version 3, and version 2 over IPv6.
    None,
    /// Eight octets of authentication data: version 2 over IPv4.
    Auth(&'a [u8; 8]),
}

/// A complete message: everything it announces is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert<'a> {
    /// The fixed part.
    pub header: Header,
    /// Which version it is.
    pub version: Version,
    /// Its interval.
    pub interval: Duration,
    /// Its addresses.
    pub addresses: AddressList<'a>,
    /// What follows them.
    pub tail: Tail<'a>,
    /// The message without the padding of a short Ethernet frame: what the checksum covers.
    pub octets: &'a [u8],
}

impl<'a> Advert<'a> {
    /// Reads a message that came over `family`. Octets behind its end are ignored: short
    /// Ethernet frames are padded.
    ///
    /// # Errors
    /// [`Rejected::Version`] for other versions than 2 and 3, [`Rejected::Truncated`] if
    /// anything it announces is not there.
    pub fn parse(octets: &'a [u8], family: Family) -> Result<Self, Rejected> {
        let header = Header::parse(octets)?;
        let version = match header.version {
            2 => Version::V2,
            3 => Version::V3,
            received => {
                return Err(Rejected::Version {
                    received,
                    expected: Version::V3,
                });
            }
        };
        let list = usize::from(header.count) * address_len(family);
        let need = HEADER_LEN + list + tail_len(version, family);
        let truncated = Rejected::Truncated {
            need,
            have: octets.len(),
        };
        let message = octets.get(..need).ok_or(truncated)?;
        let body = message.get(HEADER_LEN..).ok_or(truncated)?;
        let (list, tail) = body.split_at_checked(list).ok_or(truncated)?;
        Ok(Self {
            header,
            version,
            interval: header.interval(version),
            addresses: AddressList {
                family,
                octets: list,
            },
            tail: tail.first_chunk::<8>().map_or(Tail::None, Tail::Auth),
            octets: message,
        })
    }
}

/// A message to be written.
#[derive(Clone, Copy, Debug)]
pub struct AdvertWriter<'a> {
    /// The version.
    pub version: Version,
    /// The family of the packet that will carry it.
    pub family: Family,
    /// The virtual router.
    pub vrid: Vrid,
    /// The priority.
    pub priority: Priority,
    /// The interval: whole seconds in version 2, centiseconds in 3. Out of range becomes the
    /// nearest that fits.
    pub interval: Duration,
    /// The addresses, of which the first 255 of `family` fit.
    pub addresses: &'a [IpAddr],
    /// Authentication: its type and data, in version 2 over IPv4 only.
    pub auth: Auth,
}

impl AdvertWriter<'_> {
    /// Appends the message with its checksum to `buf`.
    pub fn emit(&self, coverage: Coverage, buf: &mut Vec<u8>) {
        let start = buf.len();
        let of_family = || {
            self.addresses
                .iter()
                .filter(|a| Family::of(**a) == self.family)
        };
        let count = of_family().take(255).count();
        let (b4, b5) = match self.version {
            Version::V2 => {
                let auth = if self.family == Family::V4 {
                    self.auth.number()
                } else {
                    Auth::None.number()
                };
                (
                    auth,
                    u8::try_from(self.interval.as_secs().max(1)).unwrap_or(u8::MAX),
                )
            }
            Version::V3 => {
                let centis = (self.interval.as_millis() / 10).clamp(1, 4095);
                let [hi, lo] = u16::try_from(centis).unwrap_or(4095).to_be_bytes();
                (hi & 0x0f, lo)
            }
        };
        buf.extend_from_slice(&[
            self.version.number() << 4 | TYPE_ADVERTISEMENT,
            self.vrid.get(),
            self.priority.get(),
            u8::try_from(count).unwrap_or(u8::MAX),
            b4,
            b5,
            0,
            0,
        ]);
        for address in of_family().take(count) {
            match address {
                IpAddr::V4(a) => buf.extend_from_slice(&a.octets()),
                IpAddr::V6(a) => buf.extend_from_slice(&a.octets()),
            }
        }
        if tail_len(self.version, self.family) > 0 {
            buf.extend_from_slice(match &self.auth {
                Auth::Pass(data) => data.octets(),
                Auth::None | Auth::Ah(_) => &[0; 8],
            });
        }
        // The checksum is the last thing to be known (RFC 9568 §7.2).
        if let Some(message) = buf.get_mut(start..) {
            let [hi, lo] = checksum(message, coverage).to_be_bytes();
            if let [_, _, _, _, _, _, c0, c1, ..] = message {
                (*c0, *c1) = (hi, lo);
            }
        }
    }
}

/// Octets of one address.
const fn address_len(family: Family) -> usize {
    match family {
        Family::V4 => 4,
        Family::V6 => 16,
    }
}

/// Octets behind the addresses. Version 2 knows IPv4 only; the installed base sends it over
/// IPv6 all the same, without authentication data.
const fn tail_len(version: Version, family: Family) -> usize {
    match (version, family) {
        (Version::V2, Family::V4) => 8,
        _ => 0,
    }
}

/// The VRID of a received packet, to find its instance by; `None` if it is too short.
#[must_use]
pub fn dispatch_vrid(protocol: RxProtocol, payload: &[u8]) -> Option<Vrid> {
    let message = match protocol {
        RxProtocol::Vrrp => payload,
        RxProtocol::Ah => payload.get(AH_LEN..)?,
    };
    message.get(1).copied().and_then(|n| Vrid::try_from(n).ok())
}

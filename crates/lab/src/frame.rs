//! Frames as the wire shows them, read without any code of the product: what the product sends
//! is judged here, so nothing of the product may do the judging.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// The address of an Ethernet interface.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MacAddr(pub [u8; 6]);

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One frame that an interface sent or received.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The kernel's receive time stamp, since the epoch, in nanoseconds.
    pub at: Duration,
    /// Whether the node itself sent it.
    pub sent: bool,
    /// Source MAC.
    pub source: MacAddr,
    /// Destination MAC.
    pub destination: MacAddr,
    /// Everything behind the Ethernet header.
    pub packet: Vec<u8>,
    /// What it is.
    pub kind: Kind,
}

/// What a frame is, as far as failover is concerned.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A VRRP advertisement, over IPv4, IPv6, or behind an authentication header.
    Vrrp(Vrrp),
    /// An ARP message.
    Arp(Arp),
    /// An IPv6 neighbour advertisement.
    NeighbourAdvert(NeighbourAdvert),
    /// Anything else.
    Other,
}

/// A VRRP advertisement.
///
/// ```text
///  v2/v3, IPv4 or IPv6       v2 only (IPv4)
///  version type | vrid       ... addresses ...
///  priority     | count      8 bytes of authentication data
///  v2: auth type | seconds
///  v3: 0 | centiseconds (12 bits)
///  checksum
///  addresses
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vrrp {
    /// Source address of the packet.
    pub source: IpAddr,
    /// Destination address of the packet.
    pub destination: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// TOS or traffic class.
    pub tos: u8,
    /// IPv4 identification.
    pub id: Option<u16>,
    /// 2 or 3.
    pub version: u8,
    /// Virtual router.
    pub vrid: u8,
    /// Priority; 0 means that the sender retires.
    pub priority: u8,
    /// v2: authentication type.
    pub auth_type: Option<u8>,
    /// The interval announced.
    pub interval: Duration,
    /// The addresses announced.
    pub addresses: Vec<IpAddr>,
    /// What follows the addresses (v2 over IPv4: 8 bytes).
    pub trailer: Vec<u8>,
    /// The checksum field as sent.
    pub checksum: u16,
    /// Whether that is right, by the rule of this version and family.
    pub checksum_ok: bool,
    /// Whether it came behind an IPsec authentication header.
    pub behind_ah: bool,
    /// The message from the version on.
    pub message: Vec<u8>,
}

/// An ARP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// 1 request, 2 reply.
    pub operation: u16,
    /// Sender MAC.
    pub sender_mac: MacAddr,
    /// Sender address.
    pub sender: Ipv4Addr,
    /// Target MAC.
    pub target_mac: MacAddr,
    /// Target address.
    pub target: Ipv4Addr,
}

impl Arp {
    /// Whether it announces the sender's own address.
    #[must_use]
    pub fn is_gratuitous(&self) -> bool {
        self.sender == self.target
    }
}

/// An IPv6 neighbour advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighbourAdvert {
    /// Source of the packet.
    pub source: Ipv6Addr,
    /// Destination of the packet.
    pub destination: Ipv6Addr,
    /// Hop limit.
    pub hop_limit: u8,
    /// Router, solicited, override: the upper three bits.
    pub flags: u8,
    /// The address announced.
    pub target: Ipv6Addr,
    /// Target link-layer address option.
    pub mac: Option<MacAddr>,
}

impl Frame {
    /// Reads a frame with its Ethernet header; `None` if it is too short to have one.
    #[must_use]
    pub fn read(at: Duration, sent: bool, bytes: &[u8]) -> Option<Self> {
        let (destination, rest) = bytes.split_first_chunk::<6>()?;
        let (source, rest) = rest.split_first_chunk::<6>()?;
        let (ethertype, packet) = rest.split_first_chunk::<2>()?;
        let kind = match u16::from_be_bytes(*ethertype) {
            0x0800 => ipv4(packet),
            0x0806 => arp(packet),
            0x86dd => ipv6(packet),
            _ => None,
        };
        Some(Self {
            at,
            sent,
            source: MacAddr(*source),
            destination: MacAddr(*destination),
            packet: packet.to_vec(),
            kind: kind.unwrap_or(Kind::Other),
        })
    }

    /// The advertisement in it, if it is one.
    #[must_use]
    pub fn vrrp(&self) -> Option<&Vrrp> {
        match &self.kind {
            Kind::Vrrp(vrrp) => Some(vrrp),
            _ => None,
        }
    }

    /// The ARP message in it, if it is one.
    #[must_use]
    pub fn arp(&self) -> Option<&Arp> {
        match &self.kind {
            Kind::Arp(arp) => Some(arp),
            _ => None,
        }
    }

    /// The neighbour advertisement in it, if it is one.
    #[must_use]
    pub fn neighbour_advert(&self) -> Option<&NeighbourAdvert> {
        match &self.kind {
            Kind::NeighbourAdvert(na) => Some(na),
            _ => None,
        }
    }

    /// The address that a gratuitous ARP or an unsolicited neighbour advertisement announces.
    #[must_use]
    pub fn announces(&self) -> Option<IpAddr> {
        match &self.kind {
            Kind::Arp(arp) if arp.is_gratuitous() => Some(arp.sender.into()),
            Kind::NeighbourAdvert(na) if na.flags & 0x40 == 0 => Some(na.target.into()),
            _ => None,
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.sent { "->" } else { "<-" };
        write!(
            f,
            "{}.{:06} {way} ",
            self.at.as_secs() % 1000,
            self.at.subsec_micros()
        )?;
        match &self.kind {
            Kind::Vrrp(v) => write!(
                f,
                "vrrp v{} {} > {} vrid {} prio {} every {:?} {:?}",
                v.version, v.source, v.destination, v.vrid, v.priority, v.interval, v.addresses
            ),
            Kind::Arp(a) => {
                write!(
                    f,
                    "arp op {} {} at {} for {}",
                    a.operation, a.sender, a.sender_mac, a.target
                )
            }
            Kind::NeighbourAdvert(n) => {
                write!(
                    f,
                    "na {} > {} target {} flags {:#x}",
                    n.source, n.destination, n.target, n.flags
                )
            }
            Kind::Other => write!(f, "{} bytes from {}", self.packet.len(), self.source),
        }
    }
}

/// The checksum of RFC 1071 over `bytes`; 0 when `bytes` include a correct checksum.
#[must_use]
pub fn internet_checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        let low = pair.get(1).copied().unwrap_or(0);
        sum += u32::from(u16::from_be_bytes([pair[0], low]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

fn ipv4(packet: &[u8]) -> Option<Kind> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
    let mut body = packet.get(header..total.min(packet.len()))?;
    let mut protocol = *packet.get(9)?;
    let behind_ah = protocol == 51;
    if behind_ah {
        let length = (usize::from(*body.get(1)?) + 2) * 4;
        protocol = *body.first()?;
        body = body.get(length..)?;
    }
    if protocol != 112 {
        return None;
    }
    let address = |at: usize| -> Option<Ipv4Addr> {
        Some(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?.into())
    };
    let envelope = Envelope {
        source: address(12)?.into(),
        destination: address(16)?.into(),
        tos: packet[1],
        ttl: packet[8],
        id: Some(u16::from_be_bytes([packet[4], packet[5]])),
        behind_ah,
    };
    vrrp(&envelope, body).map(Kind::Vrrp)
}

fn ipv6(packet: &[u8]) -> Option<Kind> {
    let (header, body) = packet.split_first_chunk::<40>()?;
    let address = |at: usize| -> Option<Ipv6Addr> {
        Some(<[u8; 16]>::try_from(header.get(at..at + 16)?).ok()?.into())
    };
    let (source, destination) = (address(8)?, address(24)?);
    let body = body.get(..usize::from(u16::from_be_bytes([header[4], header[5]])))?;
    match header[6] {
        112 => {
            let envelope = Envelope {
                source: source.into(),
                destination: destination.into(),
                tos: (header[0] << 4) | (header[1] >> 4),
                ttl: header[7],
                id: None,
                behind_ah: false,
            };
            vrrp(&envelope, body).map(Kind::Vrrp)
        }
        58 if *body.first()? == 136 => {
            let target: [u8; 16] = body.get(8..24)?.try_into().ok()?;
            let option = body.get(24..32).filter(|option| option[..2] == [2, 1]);
            Some(Kind::NeighbourAdvert(NeighbourAdvert {
                source,
                destination,
                hop_limit: header[7],
                flags: *body.get(4)? & 0xe0,
                target: target.into(),
                mac: option.and_then(|option| Some(MacAddr(option[2..].try_into().ok()?))),
            }))
        }
        _ => None,
    }
}

fn arp(packet: &[u8]) -> Option<Kind> {
    let fixed = packet.first_chunk::<28>()?;
    if fixed[..6] != [0, 1, 8, 0, 6, 4] {
        return None;
    }
    let mac = |at: usize| Some(MacAddr(fixed[at..at + 6].try_into().ok()?));
    let address = |at: usize| -> Option<Ipv4Addr> {
        Some(<[u8; 4]>::try_from(&fixed[at..at + 4]).ok()?.into())
    };
    Some(Kind::Arp(Arp {
        operation: u16::from_be_bytes([fixed[6], fixed[7]]),
        sender_mac: mac(8)?,
        sender: address(14)?,
        target_mac: mac(18)?,
        target: address(24)?,
    }))
}

/// What the IP header says about an advertisement.
struct Envelope {
    source: IpAddr,
    destination: IpAddr,
    ttl: u8,
    tos: u8,
    id: Option<u16>,
    behind_ah: bool,
}

fn vrrp(envelope: &Envelope, message: &[u8]) -> Option<Vrrp> {
    let (header, rest) = message.split_first_chunk::<8>()?;
    let version = header[0] >> 4;
    let width = if envelope.source.is_ipv4() { 4 } else { 16 };
    let addresses = rest.get(..usize::from(header[3]) * width)?;
    let (auth_type, interval) = if version == 2 {
        (Some(header[4]), Duration::from_secs(header[5].into()))
    } else {
        let centis = u16::from_be_bytes([header[4] & 0x0f, header[5]]);
        (None, Duration::from_millis(u64::from(centis) * 10))
    };
    Some(Vrrp {
        source: envelope.source,
        destination: envelope.destination,
        ttl: envelope.ttl,
        tos: envelope.tos,
        id: envelope.id,
        version,
        vrid: header[1],
        priority: header[2],
        auth_type,
        interval,
        addresses: addresses.chunks(width).filter_map(one_address).collect(),
        trailer: rest[addresses.len()..].to_vec(),
        checksum: u16::from_be_bytes([header[6], header[7]]),
        checksum_ok: checksum_ok(envelope, version, message),
        behind_ah: envelope.behind_ah,
        message: message.to_vec(),
    })
}

/// v2 over IPv4 sums the message alone; v3, and everything over IPv6, a pseudo-header too.
fn checksum_ok(envelope: &Envelope, version: u8, message: &[u8]) -> bool {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::new();
    match (envelope.source, envelope.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) if version == 3 => {
            bytes.extend(source.octets());
            bytes.extend(destination.octets());
            bytes.extend([0, 112]);
            bytes.extend(&length.to_be_bytes()[2..]);
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            bytes.extend(source.octets());
            bytes.extend(destination.octets());
            bytes.extend(length.to_be_bytes());
            bytes.extend([0, 0, 0, 112]);
        }
        _ => {}
    }
    bytes.extend(message);
    internet_checksum(&bytes) == 0
}

fn one_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => Some(IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        _ => Some(IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An advertisement of keepalived 2.2.7, PASS, two addresses, behind a made-up Ethernet header.
    const PASS: &str = "01005e000012 02fe00000002 0800 \
        45c0002c00010000ff70cce3c0a84d02e0000012 \
        21335a020101d618c0a84d64c0a84d656162636465666768";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn reads_an_advertisement_of_keepalived() {
        let frame = Frame::read(Duration::ZERO, false, &bytes(PASS)).unwrap();
        let advert = frame.vrrp().unwrap();
        assert_eq!((advert.version, advert.vrid, advert.priority), (2, 51, 90));
        assert_eq!((advert.ttl, advert.tos, advert.id), (255, 0xc0, Some(1)));
        assert_eq!(advert.auth_type, Some(1));
        assert_eq!(advert.trailer, b"abcdefgh");
        assert_eq!(advert.interval, Duration::from_secs(1));
        assert_eq!(
            advert.addresses,
            ["192.168.77.100", "192.168.77.101"].map(|a| a.parse::<IpAddr>().unwrap())
        );
        assert!(advert.checksum_ok);
    }

    #[test]
    fn sees_a_wrong_checksum_and_survives_every_truncation() {
        let mut wrong = bytes(PASS);
        wrong[14 + 20 + 2] ^= 1;
        assert!(
            !Frame::read(Duration::ZERO, false, &wrong)
                .unwrap()
                .vrrp()
                .unwrap()
                .checksum_ok
        );
        for length in 0..wrong.len() {
            if let Some(frame) = Frame::read(Duration::ZERO, false, &wrong[..length]) {
                // Without its trailer it is still an advertisement; without its addresses not.
                assert!(
                    frame.vrrp().is_none() || length >= 14 + 20 + 16,
                    "{length} bytes"
                );
            }
        }
    }

    #[test]
    fn reads_a_gratuitous_arp() {
        let frame = "ffffffffffff 02fe00000002 0806 0001 0800 06 04 0001 \
            02fe00000002 c0a84d64 ffffffffffff c0a84d64";
        let frame = Frame::read(Duration::ZERO, true, &bytes(frame)).unwrap();
        assert!(frame.arp().unwrap().is_gratuitous());
        assert_eq!(frame.announces(), Some("192.168.77.100".parse().unwrap()));
    }
}

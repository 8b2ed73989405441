//! Socket addresses and control messages as bytes, and what is read from them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rk_base::{Family, IfIndex, Instant};

use super::socket::Sockets;
use super::{Frame, Received, SocketId};
use crate::clock::StampReader;
use crate::sys::{Control, Name, RecvSlot, SendSlot};

/// Control messages are aligned to the size of a long.
const ALIGN: usize = size_of::<usize>();
/// `struct cmsghdr`: a length of the size of a long, level and type.
const HEADER: usize = ALIGN + 8;
/// The kernel has no packet smaller than this charged to a socket's buffer, nor one larger.
const LARGEST_CHARGE: usize = 16 * 1024;

/// A `sockaddr_in` or `sockaddr_in6`; the scope makes a link-local destination unambiguous.
fn name_of(address: IpAddr, scope: Option<IfIndex>) -> Name {
    let mut name = Name {
        bytes: [0; 28],
        len: 16,
    };
    match address {
        IpAddr::V4(a) => {
            name.bytes[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
            name.bytes[4..8].copy_from_slice(&a.octets());
        }
        IpAddr::V6(a) => {
            name.bytes[..2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
            name.bytes[8..24].copy_from_slice(&a.octets());
            let scope = if needs_scope(a) {
                scope.map_or(0, IfIndex::get)
            } else {
                0
            };
            name.bytes[24..28].copy_from_slice(&scope.to_ne_bytes());
            name.len = 28;
        }
    }
    name
}

fn needs_scope(a: Ipv6Addr) -> bool {
    a.is_unicast_link_local() || (a.is_multicast() && matches!(a.segments()[0] & 0xf, 1 | 2))
}

fn address_of(name: &Name) -> Option<IpAddr> {
    let b = &name.bytes;
    match i32::from(u16::from_ne_bytes([b[0], b[1]])) {
        libc::AF_INET => {
            let a: [u8; 4] = b[4..8].try_into().ok()?;
            Some(Ipv4Addr::from(a).into())
        }
        libc::AF_INET6 => {
            let a: [u8; 16] = b[8..24].try_into().ok()?;
            Some(Ipv6Addr::from(a).into())
        }
        _ => None,
    }
}

/// The message the kernel gets for `frame`.
pub(super) fn slot_for<'a>(frame: &Frame<'a>, ifindex: Option<IfIndex>) -> SendSlot<'a> {
    let mut control = Control([0; 64]);
    let mut control_len = 0;
    if frame.destination.is_ipv6() {
        if let Some(IpAddr::V6(source)) = frame.source {
            let mut info = [0; 20];
            info[..16].copy_from_slice(&source.octets());
            info[16..].copy_from_slice(&ifindex.map_or(0, IfIndex::get).to_ne_bytes());
            put(&mut control.0, &mut control_len, libc::IPV6_PKTINFO, &info);
        }
        if let Some(limit) = frame.hop_limit {
            let limit = i32::from(limit).to_ne_bytes();
            put(
                &mut control.0,
                &mut control_len,
                libc::IPV6_HOPLIMIT,
                &limit,
            );
        }
    }
    let name = name_of(frame.destination, ifindex);
    SendSlot {
        name,
        control,
        control_len,
        data: frame.bytes,
    }
}

/// Appends an `IPPROTO_IPV6` control message.
fn put(buffer: &mut [u8; 64], len: &mut usize, kind: i32, data: &[u8]) {
    let start = *len;
    let cmsg_len = HEADER + data.len();
    buffer[start..start + ALIGN].copy_from_slice(&cmsg_len.to_ne_bytes());
    buffer[start + ALIGN..start + ALIGN + 4].copy_from_slice(&libc::IPPROTO_IPV6.to_ne_bytes());
    buffer[start + ALIGN + 4..start + HEADER].copy_from_slice(&kind.to_ne_bytes());
    buffer[start + HEADER..start + cmsg_len].copy_from_slice(data);
    *len = start + cmsg_len.next_multiple_of(ALIGN);
}

/// Walks the control messages of a packet: (level, type, data). Stops at the first that does not
/// fit, as the kernel cuts them when there is no room.
fn control_messages(mut bytes: &[u8]) -> impl Iterator<Item = (i32, i32, &[u8])> {
    std::iter::from_fn(move || {
        let len = usize::from_ne_bytes(bytes.get(..ALIGN)?.try_into().ok()?);
        let level = int(bytes.get(ALIGN..ALIGN + 4)?)?;
        let kind = int(bytes.get(ALIGN + 4..HEADER)?)?;
        let data = bytes.get(HEADER..len)?;
        bytes = bytes
            .get(len.checked_next_multiple_of(ALIGN)?..)
            .unwrap_or_default();
        Some((level, kind, data))
    })
}

fn int(bytes: &[u8]) -> Option<i32> {
    Some(i32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?))
}

fn long(bytes: &[u8]) -> Option<i64> {
    Some(i64::from_ne_bytes(bytes.get(..8)?.try_into().ok()?))
}

/// What the control messages of a packet said.
#[derive(Debug, Default, PartialEq, Eq)]
struct Meta {
    /// Wall clock, nanoseconds.
    stamp: Option<i64>,
    hop_limit: Option<u8>,
    ifindex: Option<IfIndex>,
    destination: Option<IpAddr>,
    /// Packets dropped on this socket until this one was queued; wraps.
    drops: Option<u32>,
}

impl Meta {
    fn read(control: &[u8]) -> Self {
        let mut meta = Self::default();
        for (level, kind, data) in control_messages(control) {
            match (level, kind) {
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => meta.stamp = stamp(data),
                (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => {
                    meta.drops = int(data).map(i32::cast_unsigned);
                }
                (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                    meta.hop_limit = int(data).and_then(|n| u8::try_from(n).ok());
                }
                // struct in_pktinfo: interface, the local address it came to, destination.
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => meta.ifindex = ifindex(data),
                // struct in6_pktinfo: destination, interface.
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let address = data.get(..16).and_then(|a| <[u8; 16]>::try_from(a).ok());
                    meta.destination = address.map(|a| Ipv6Addr::from(a).into());
                    meta.ifindex = data.get(16..).and_then(ifindex);
                }
                _ => {}
            }
        }
        meta
    }
}

fn stamp(data: &[u8]) -> Option<i64> {
    long(data)?
        .checked_mul(1_000_000_000)?
        .checked_add(long(data.get(8..)?)?)
}

fn ifindex(data: &[u8]) -> Option<IfIndex> {
    IfIndex::new(int(data)?.cast_unsigned())
}

/// What a receiving socket remembers from packet to packet.
pub(super) struct Seen {
    /// The last moment it was known to hold nothing.
    floor: Instant,
    /// The kernel's count of dropped packets, as last heard.
    drops: u32,
    /// Size of its buffer, bytes.
    buffer: usize,
    /// Packets read since it was last empty.
    since_empty: usize,
}

impl Seen {
    pub(super) fn new(floor: Instant, buffer: usize) -> Self {
        Self {
            floor,
            drops: 0,
            buffer,
            since_empty: 0,
        }
    }

    /// The packet in `slot`; `None` if it has no sender or, for IPv4, no whole header.
    pub(super) fn packet<'a>(
        &mut self,
        socket: SocketId,
        family: Family,
        slot: &'a RecvSlot,
        stamps: &StampReader,
        now: Instant,
    ) -> Option<Received<'a>> {
        let meta = Meta::read(&slot.control.0[..slot.control_len]);
        let dropped = meta.drops.map_or(0, |drops| self.dropped(drops));
        let data = slot.data.get(..slot.len)?;
        let (ip_header, payload, destination) = match family {
            Family::V4 => {
                let header = usize::from(data.first()? & 0x0f) * 4;
                let (header, payload) = data.split_at_checked(header)?;
                let to: [u8; 4] = header.get(16..20)?.try_into().ok()?;
                (header, payload, Ipv4Addr::from(to).into())
            }
            Family::V6 => (&[][..], data, meta.destination?),
        };
        Some(Received {
            socket,
            source: address_of(&slot.name)?,
            destination,
            hop_limit: meta.hop_limit.or_else(|| ip_header.get(8).copied())?,
            ifindex: meta.ifindex,
            at: stamps.place(meta.stamp, self.floor, now),
            ip_header,
            payload,
            truncated: slot.flags & libc::MSG_TRUNC != 0,
            dropped,
        })
    }

    fn dropped(&mut self, drops: u32) -> u32 {
        let new = drops.wrapping_sub(self.drops);
        // The count only grows; a smaller one is an older packet's, read after a newer count.
        if new > u32::MAX / 2 {
            return 0;
        }
        self.drops = drops;
        new
    }

    /// The socket was found empty by a read that began at `at`.
    pub(super) fn emptied(&mut self, at: Instant) {
        self.floor = at;
    }

    /// Packets dropped *after* the last one that was queued.
    ///
    /// Each packet carries the count at its own queueing, so that after an overflow nothing in the
    /// buffer tells of it. The socket itself is asked, but only when what was read can have filled
    /// the buffer.
    pub(super) fn dropped_after(&mut self, read: usize, full: bool, of: &Sockets) -> Option<u32> {
        self.since_empty += read;
        if full {
            return None;
        }
        let read = std::mem::take(&mut self.since_empty);
        if read.saturating_mul(LARGEST_CHARGE) < self.buffer {
            return None;
        }
        let dropped = self.dropped(of.drops()?);
        (dropped > 0).then_some(dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cmsg(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut bytes = (HEADER + data.len()).to_ne_bytes().to_vec();
        bytes.extend(level.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
        bytes
    }

    fn all_of_ipv4() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut time = 7i64.to_ne_bytes().to_vec();
        time.extend(5i64.to_ne_bytes());
        bytes.extend(cmsg(libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS, &time));
        bytes.extend(cmsg(libc::IPPROTO_IP, libc::IP_TTL, &255i32.to_ne_bytes()));
        let mut info = 3i32.to_ne_bytes().to_vec();
        info.extend([0; 8]);
        bytes.extend(cmsg(libc::IPPROTO_IP, libc::IP_PKTINFO, &info));
        bytes.extend(cmsg(
            libc::SOL_SOCKET,
            libc::SO_RXQ_OVFL,
            &9u32.to_ne_bytes(),
        ));
        bytes
    }

    #[test]
    fn control_messages_are_read() {
        let want = Meta {
            stamp: Some(7_000_000_005),
            hop_limit: Some(255),
            ifindex: IfIndex::new(3),
            destination: None,
            drops: Some(9),
        };
        assert_eq!(Meta::read(&all_of_ipv4()), want);
    }

    #[test]
    fn cut_or_lying_control_messages_are_left_out() {
        let whole = all_of_ipv4();
        for n in 0..whole.len() {
            let _ = Meta::read(&whole[..n]);
        }
        let mut lying = cmsg(libc::IPPROTO_IP, libc::IP_TTL, &64i32.to_ne_bytes());
        for len in [0, 1, HEADER - 1, usize::MAX, usize::MAX - 7] {
            lying[..ALIGN].copy_from_slice(&len.to_ne_bytes());
            assert_eq!(Meta::read(&lying), Meta::default(), "length {len}");
        }
    }

    #[test]
    fn what_we_put_the_reader_finds() {
        let frame = Frame {
            socket: SocketId(0),
            source: Some("fe80::1".parse().unwrap()),
            destination: "ff02::12".parse().unwrap(),
            hop_limit: Some(7),
            bytes: &[],
        };
        let slot = slot_for(&frame, IfIndex::new(5));
        let meta = Meta::read(&slot.control.0[..slot.control_len]);
        assert_eq!(meta.destination, frame.source);
        assert_eq!((meta.ifindex, meta.hop_limit), (IfIndex::new(5), Some(7)));
        assert_eq!(address_of(&slot.name), Some(frame.destination));
        assert_eq!(slot.name.bytes[24..28], 5u32.to_ne_bytes());
    }

    #[test]
    fn only_new_drops_count_and_never_twice() {
        let mut seen = Seen::new(Instant::ZERO, 0);
        assert_eq!([3, 3, 10, 9, 10].map(|n| seen.dropped(n)), [3, 0, 7, 0, 0]);
        seen.drops = u32::MAX;
        assert_eq!(seen.dropped(1), 2);
    }

    #[test]
    fn a_packet_without_a_whole_ipv4_header_is_none() {
        let stamps = StampReader::new(crate::Clock::new());
        let mut seen = Seen::new(Instant::ZERO, 0);
        let mut slot = RecvSlot::new(64);
        slot.name = name_of("192.0.2.1".parse().unwrap(), None);
        slot.data[0] = 0x46;
        slot.data[8] = 255;
        for len in 0..24 {
            slot.len = len;
            assert!(
                seen.packet(SocketId(0), Family::V4, &slot, &stamps, Instant::ZERO)
                    .is_none()
            );
        }
        slot.len = 30;
        let got = seen
            .packet(SocketId(0), Family::V4, &slot, &stamps, Instant::ZERO)
            .unwrap();
        assert_eq!(
            (got.ip_header.len(), got.payload.len(), got.hop_limit),
            (24, 6, 255)
        );
    }
}

//! Telling the neighbours where a virtual address is now: gratuitous ARP and unsolicited
//! Neighbour Advertisements, as whole Ethernet frames by one packet socket.
//!
//! Both kinds go through `AF_PACKET`, so that a thousand addresses on any mix of interfaces and
//! families are a handful of system calls.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;
use std::time::Duration;

use rk_base::IfIndex;
use socket2::{Domain, Socket, Type};

use crate::clock::Clock;
use crate::reflector::Link;
use crate::sys::{self, Control, Name, SendSlot};

/// A 48-bit link-layer address.
pub type Mac = [u8; 6];

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// `ARPHRD_ETHER`.
const HARDWARE_ETHERNET: u16 = 1;
const BROADCAST: Mac = [0xff; 6];
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// The Ethernet address of ff02::1 (RFC 2464 §7).
const ALL_NODES_MAC: Mac = [0x33, 0x33, 0, 0, 0, 1];
const ICMPV6: u8 = 58;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;

/// Length of a gratuitous ARP frame, without padding.
pub const ARP_LEN: usize = 42;
/// Length of a Neighbour Advertisement frame with its target link-layer address.
pub const NA_LEN: usize = 86;

/// "The address is at this MAC now", for one address on one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The interface the frame leaves by.
    pub ifindex: IfIndex,
    /// Its MAC: what the neighbours shall remember.
    pub mac: Mac,
    /// The virtual address.
    pub address: IpAddr,
    /// IPv6: whether this machine forwards on the interface (the Router flag).
    pub router: bool,
}

/// Why an interface needs, or takes, no announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unannounceable {
    /// Not Ethernet: no ARP of this shape exists there.
    #[error("not an Ethernet interface (hardware type {0})")]
    NotEthernet(u16),
    /// The interface is set not to do address resolution (`IFF_NOARP`).
    #[error("the interface does no address resolution")]
    NoArp,
    /// The loopback has no neighbours.
    #[error("the loopback interface has no neighbours")]
    Loopback,
}

impl Announcement {
    /// The announcement of `address` on `link`.
    ///
    /// # Errors
    /// [`Unannounceable`] if there is nobody to be told on that kind of interface.
    pub fn new(link: &Link, address: IpAddr, router: bool) -> Result<Self, Unannounceable> {
        if link.is_loopback() {
            return Err(Unannounceable::Loopback);
        }
        if link.hardware_type != HARDWARE_ETHERNET {
            return Err(Unannounceable::NotEthernet(link.hardware_type));
        }
        if link.is_noarp() {
            return Err(Unannounceable::NoArp);
        }
        let mac = link
            .mac
            .ok_or(Unannounceable::NotEthernet(link.hardware_type))?;
        Ok(Self {
            ifindex: link.index,
            mac,
            address,
            router,
        })
    }

    /// The frame, and how many bytes of it count.
    fn frame(&self) -> ([u8; NA_LEN], usize) {
        match self.address {
            IpAddr::V4(address) => {
                let mut frame = [0; NA_LEN];
                frame[..ARP_LEN].copy_from_slice(&gratuitous_arp(self.mac, address));
                (frame, ARP_LEN)
            }
            IpAddr::V6(address) => (
                neighbour_advertisement(self.mac, address, self.router),
                NA_LEN,
            ),
        }
    }

    /// A `sockaddr_ll`: family, EtherType, interface; the frame itself holds the addresses.
    fn name(&self) -> Name {
        let ethertype = if self.address.is_ipv4() {
            ETHERTYPE_ARP
        } else {
            ETHERTYPE_IPV6
        };
        let mut name = Name {
            bytes: [0; 28],
            len: 20,
        };
        name.bytes[..2].copy_from_slice(&(libc::AF_PACKET as u16).to_ne_bytes());
        name.bytes[2..4].copy_from_slice(&ethertype.to_be_bytes());
        name.bytes[4..8].copy_from_slice(&self.ifindex.get().to_ne_bytes());
        name.bytes[11] = 6;
        name
    }
}

/// Whether this machine forwards IPv6 on `link`: then its advertisements say Router.
///
/// Reads a file of the thread's network namespace; no if it cannot be read.
#[must_use]
pub fn forwards_ipv6(link: &Link) -> bool {
    let path = format!("/proc/sys/net/ipv6/conf/{}/forwarding", link.name);
    std::fs::read_to_string(path).is_ok_and(|text| text.trim() != "0")
}

/// A gratuitous ARP: a broadcast request in which sender and target are the same address
/// (RFC 5944 §4.6), as keepalived sends it: the target MAC is the broadcast one.
///
/// ```text
///  0       6      12    14    16    18 19 20    22      28   32      38   42
///  |ff.. dst|  src | 0806|  1  |0800 |6|4|  1  | src MAC| VIP |ff..    | VIP |
/// ```
#[must_use]
pub fn gratuitous_arp(mac: Mac, address: Ipv4Addr) -> [u8; ARP_LEN] {
    let mut f = [0; ARP_LEN];
    f[0..6].copy_from_slice(&BROADCAST);
    f[6..12].copy_from_slice(&mac);
    f[12..14].copy_from_slice(&ETHERTYPE_ARP.to_be_bytes());
    f[14..16].copy_from_slice(&HARDWARE_ETHERNET.to_be_bytes());
    f[16..18].copy_from_slice(&ETHERTYPE_IPV4.to_be_bytes());
    f[18] = 6;
    f[19] = 4;
    f[21] = 1;
    f[22..28].copy_from_slice(&mac);
    f[28..32].copy_from_slice(&address.octets());
    f[32..38].copy_from_slice(&BROADCAST);
    f[38..42].copy_from_slice(&address.octets());
    f
}

/// An unsolicited Neighbour Advertisement (RFC 4861 §4.4, §7.2.6): from the address to all nodes,
/// Override set, Router as told, with the target link-layer address.
///
/// ```text
///  0        14          54   55 56    58        62               78    80       86
///  | Ethernet | IPv6 hdr | 136|0| cksum|R.O.....  | target address | 2 1 | MAC   |
/// ```
#[must_use]
pub fn neighbour_advertisement(mac: Mac, address: Ipv6Addr, router: bool) -> [u8; NA_LEN] {
    const ICMP_LEN: u8 = 32;
    let mut f = [0; NA_LEN];
    f[0..6].copy_from_slice(&ALL_NODES_MAC);
    f[6..12].copy_from_slice(&mac);
    f[12..14].copy_from_slice(&ETHERTYPE_IPV6.to_be_bytes());
    f[14] = 0x60;
    f[19] = ICMP_LEN;
    f[20] = ICMPV6;
    f[21] = 255;
    f[22..38].copy_from_slice(&address.octets());
    f[38..54].copy_from_slice(&ALL_NODES.octets());
    f[54] = NEIGHBOUR_ADVERTISEMENT;
    f[58] = 0x20 | if router { 0x80 } else { 0 };
    f[62..78].copy_from_slice(&address.octets());
    f[78] = 2;
    f[79] = 1;
    f[80..86].copy_from_slice(&mac);
    // The pseudo-header's sum is that of both addresses, the length and the next header.
    let pseudo = u32::from(ICMP_LEN) + u32::from(ICMPV6);
    let checksum = internet_checksum(pseudo, &f[22..]);
    f[56..58].copy_from_slice(&checksum.to_be_bytes());
    f
}

/// RFC 1071 over `data` (of even length), starting from `sum`.
fn internet_checksum(sum: u32, data: &[u8]) -> u16 {
    let words = data
        .chunks_exact(2)
        .map(|w| u32::from(u16::from_be_bytes([w[0], w[1]])));
    let mut sum = words.fold(sum, u32::wrapping_add);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

/// Why a frame did not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnounceError {
    /// The interface does not exist any more.
    #[error("the interface is gone")]
    InterfaceGone,
    /// The interface is down.
    #[error("the interface is down")]
    InterfaceDown,
    /// The send queue is full: worth another try later.
    #[error("the send queue is full")]
    Busy,
    /// Another errno of the kernel.
    #[error("{}", io::Error::from_raw_os_error(*.0))]
    Other(i32),
}

impl AnnounceError {
    fn of(errno: i32) -> Self {
        match errno {
            libc::ENODEV | libc::ENXIO => Self::InterfaceGone,
            libc::ENETDOWN => Self::InterfaceDown,
            libc::EAGAIN | libc::ENOBUFS => Self::Busy,
            other => Self::Other(other),
        }
    }
}

/// What one call of [`Announcer::send`] did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many announcements, from the front of the slice, are dealt with (sent or failed).
    pub done: usize,
    /// Those that failed, by their place in the slice.
    pub failed: Vec<(usize, AnnounceError)>,
}

/// The packet socket of the process.
#[derive(Debug)]
pub struct Announcer {
    socket: Socket,
    clock: Clock,
}

impl Announcer {
    /// Opens the socket; it receives nothing.
    ///
    /// # Errors
    /// `PermissionDenied` without `CAP_NET_RAW`; out of file descriptors.
    pub fn new(clock: Clock) -> io::Result<Self> {
        // Protocol 0: no packet is ever queued for us.
        let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking().cloexec(), None)?;
        // Several bursts of 1,000 frames may stand in the queues of slow interfaces.
        let wanted: i32 = 4 << 20;
        if sys::setsockopt_int(
            socket.as_fd(),
            libc::SOL_SOCKET,
            libc::SO_SNDBUFFORCE,
            wanted,
        )
        .is_err()
        {
            socket.set_send_buffer_size(4 << 20)?;
        }
        Ok(Self { socket, clock })
    }

    /// Sends from the front of `announcements`, as many as fit into `budget` (at least one batch
    /// of 64). What is left must be handed in again, after the loop had its turn.
    pub fn send(&self, announcements: &[Announcement], budget: Duration) -> Sent {
        let start = self.clock.now();
        let mut sent = Sent::default();
        while sent.done < announcements.len() {
            let left = &announcements[sent.done..];
            self.send_batch(&left[..left.len().min(sys::BATCH)], &mut sent);
            if self.clock.now().since(start) >= budget {
                break;
            }
        }
        sent
    }

    fn send_batch(&self, batch: &[Announcement], sent: &mut Sent) {
        let frames: Vec<_> = batch.iter().map(Announcement::frame).collect();
        let slots: Vec<_> = batch
            .iter()
            .zip(&frames)
            .map(|(announcement, (frame, len))| SendSlot {
                name: announcement.name(),
                control: Control([0; 64]),
                control_len: 0,
                data: &frame[..*len],
            })
            .collect();
        let mut next = 0;
        while next < slots.len() {
            match sys::sendmmsg(self.socket.as_fd(), &slots[next..]) {
                Ok(n) => next += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    let error = AnnounceError::of(e.raw_os_error().unwrap_or(0));
                    sent.failed.push((sent.done + next, error));
                    next += 1;
                }
            }
        }
        sent.done += batch.len();
    }
}

#[cfg(test)]
mod tests {
    use etherparse::{NetSlice, SlicedPacket, TransportSlice};

    use super::*;

    const MAC: Mac = [2, 0, 0, 0, 0, 9];

    #[test]
    fn the_arp_is_a_broadcast_request_for_itself() {
        let frame = gratuitous_arp(MAC, Ipv4Addr::new(192, 0, 2, 7));
        let packet = SlicedPacket::from_ethernet(&frame).unwrap();
        let Some(NetSlice::Arp(arp)) = packet.net else {
            panic!("no ARP: {packet:?}")
        };
        assert_eq!(arp.operation(), etherparse::ArpOperation::REQUEST);
        assert_eq!(arp.sender_hw_addr(), MAC);
        assert_eq!(arp.target_hw_addr(), [0xff; 6]);
        assert_eq!(arp.sender_protocol_addr(), [192, 0, 2, 7]);
        assert_eq!(arp.target_protocol_addr(), [192, 0, 2, 7]);
        assert_eq!(frame[..6], [0xff; 6]);
        assert_eq!(frame[6..12], MAC);
    }

    #[test]
    fn the_advertisement_has_flags_option_and_a_checksum_others_accept() {
        for (router, flags) in [(true, 0xa0), (false, 0x20)] {
            let vip: Ipv6Addr = "2001:db8::feed:7".parse().unwrap();
            let frame = neighbour_advertisement(MAC, vip, router);
            let packet = SlicedPacket::from_ethernet(&frame).unwrap();
            let Some(NetSlice::Ipv6(ip)) = packet.net else {
                panic!("no IPv6: {packet:?}")
            };
            assert_eq!(ip.header().source_addr(), vip);
            assert_eq!(ip.header().destination_addr(), ALL_NODES);
            assert_eq!(ip.header().hop_limit(), 255);
            assert_eq!(usize::from(ip.header().payload_length()), NA_LEN - 54);
            let Some(TransportSlice::Icmpv6(icmp)) = packet.transport else {
                panic!("no ICMPv6")
            };
            assert_eq!((icmp.type_u8(), icmp.code_u8()), (136, 0));
            assert!(icmp.is_checksum_valid(vip.octets(), ALL_NODES.octets()));
            assert_eq!(frame[58], flags);
            assert_eq!(frame[62..78], vip.octets());
            assert_eq!(frame[78..], [2, 1, 2, 0, 0, 0, 0, 9]);
        }
    }

    #[test]
    fn only_interfaces_with_neighbours_are_announced_on() {
        let vip = "192.0.2.7".parse().unwrap();
        let mut link = Link::sample("eth0", 4);
        link.mac = Some(MAC);
        assert_eq!(Announcement::new(&link, vip, false).unwrap().mac, MAC);
        link.flags |= libc::IFF_NOARP as u32;
        assert_eq!(
            Announcement::new(&link, vip, false),
            Err(Unannounceable::NoArp)
        );
        link.hardware_type = 65534;
        assert_eq!(
            Announcement::new(&link, vip, false),
            Err(Unannounceable::NotEthernet(65534))
        );
        link.flags = libc::IFF_LOOPBACK as u32;
        assert_eq!(
            Announcement::new(&link, vip, false),
            Err(Unannounceable::Loopback)
        );
    }
}

//! Opening one pair of sockets: everything that is set on them, and why.

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsFd;

use rk_base::{Family, IfIndex};
use socket2::{Domain, InterfaceIndexOrAddress, SockFilter, Socket, Type};

use super::{Key, Peers};
use crate::sys;

/// Longer than any advert: 255 IPv6 addresses, and an authentication trailer behind them.
pub(super) const TRUNCATE_AT: usize = 4352;

/// `TC_PRIO_CONTROL`: adverts overtake the payload in the queue of the interface.
const PRIORITY_CONTROL: u32 = 6;
/// Internetwork control, as the DSCP of an advert has it.
const TRAFFIC_CLASS: u32 = 0xc0;
/// Where the kernel finds the checksum in a VRRP packet.
const CHECKSUM_AT: i32 = 6;
/// `IPV6_MULTICAST_ALL` and `IPV6_FREEBIND`, which not every libc version names.
const IPV6_MULTICAST_ALL: i32 = 29;
const IPV6_FREEBIND: i32 = 78;
/// `SO_MEMINFO` gives nine `u32`; this is the place of the count of dropped packets.
const SK_MEMINFO_DROPS: usize = 8;

/// A thousand adverts that come or go at once are charged with a byte count of nearly a million,
/// four times what a socket is given by default.
const BUFFER: usize = 4 << 20;

/// What the configuration says about a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// Size of the receive buffer in bytes; if unset, room for some thousand adverts.
    pub receive_buffer: Option<usize>,
    /// IPv6 unicast: the hop limit to send with (`unicast_ttl`); 255 if unset.
    pub hop_limit: Option<u8>,
}

/// Why a pair could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The interface does not exist (any more), or has no addresses of this family.
    #[error("no such interface")]
    NoInterface,
    /// Multicast needs an interface.
    #[error("multicast adverts need an interface")]
    InterfaceNeeded,
    /// Raw sockets need `CAP_NET_RAW`.
    #[error("not permitted to open raw sockets (CAP_NET_RAW is needed)")]
    NotPermitted,
    /// The process or the system is out of file descriptors.
    #[error("out of file descriptors: raise the limit (LimitNOFILE= of systemd, `ulimit -n`)")]
    TooManyFiles,
    /// Anything else; `step` says at what.
    #[error("cannot {step}: {source}")]
    Kernel {
        /// What was being done.
        step: &'static str,
        /// What the kernel answered.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    fn at(step: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.raw_os_error() {
            Some(libc::ENODEV | libc::ENXIO) => Self::NoInterface,
            Some(libc::EPERM | libc::EACCES) => Self::NotPermitted,
            Some(libc::EMFILE | libc::ENFILE) => Self::TooManyFiles,
            _ => Self::Kernel { step, source },
        }
    }

    pub(super) fn kernel(errno: nix::Error) -> Self {
        Self::at("watch the socket")(errno.into())
    }
}

/// A receiving and a sending socket.
pub(super) struct Sockets {
    pub(super) rx: Socket,
    pub(super) tx: Socket,
}

impl Sockets {
    pub(super) fn open(key: &Key, options: &SocketOptions) -> Result<Self, OpenError> {
        if matches!(key.peers, Peers::Multicast(_)) && key.ifindex.is_none() {
            return Err(OpenError::InterfaceNeeded);
        }
        Ok(Self {
            rx: receiver(key, options)?,
            tx: sender(key, options)?,
        })
    }

    /// The size of the receive buffer the kernel gave, bytes.
    pub(super) fn receive_buffer(&self) -> usize {
        self.rx.recv_buffer_size().unwrap_or(0)
    }

    /// Whether the interface the pair was bound to does not exist any more.
    pub(super) fn has_lost_interface(&self) -> bool {
        let mut name = [0; libc::IFNAMSIZ];
        let asked = sys::getsockopt(
            self.tx.as_fd(),
            libc::SOL_SOCKET,
            libc::SO_BINDTODEVICE,
            &mut name,
        );
        asked.is_err_and(|e| e.raw_os_error() == Some(libc::ENODEV))
    }

    /// The kernel's count of packets it dropped on the receiving socket; wraps.
    pub(super) fn drops(&self) -> Option<u32> {
        let mut info = [0; 4 * (SK_MEMINFO_DROPS + 1)];
        let n = sys::getsockopt(
            self.rx.as_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            &mut info,
        )
        .ok()?;
        let drops = info.get(..n)?.get(4 * SK_MEMINFO_DROPS..)?.get(..4)?;
        Some(u32::from_ne_bytes(drops.try_into().ok()?))
    }
}

fn raw(key: &Key, protocol: i32) -> Result<Socket, OpenError> {
    let domain = match key.family() {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    };
    let kind = Type::RAW.nonblocking().cloexec();
    let socket = Socket::new(domain, kind, Some(protocol.into()))
        .map_err(OpenError::at("open a raw socket"))?;
    if let Some(ifindex) = key.ifindex {
        // Bound by index, so that a renamed interface stays the same one.
        sys::setsockopt_int(
            socket.as_fd(),
            libc::SOL_SOCKET,
            libc::SO_BINDTOIFINDEX,
            ifindex.get().cast_signed(),
        )
        .map_err(OpenError::at("bind to the interface"))?;
    }
    Ok(socket)
}

fn receiver(key: &Key, options: &SocketOptions) -> Result<Socket, OpenError> {
    let socket = raw(key, key.protocol.number().into())?;
    let set = |level, name, step| {
        sys::setsockopt_int(socket.as_fd(), level, name, 1).map_err(OpenError::at(step))
    };
    set(
        libc::SOL_SOCKET,
        libc::SO_TIMESTAMPNS,
        "ask for receive times",
    )?;
    set(
        libc::SOL_SOCKET,
        libc::SO_RXQ_OVFL,
        "ask for the count of lost packets",
    )?;
    match key.family() {
        Family::V4 => {
            set(libc::IPPROTO_IP, libc::IP_RECVTTL, "ask for the TTL")?;
            set(libc::IPPROTO_IP, libc::IP_PKTINFO, "ask for the interface")?;
            socket
                .set_multicast_all_v4(false)
                .map_err(OpenError::at("leave other groups"))?;
        }
        Family::V6 => {
            set(
                libc::IPPROTO_IPV6,
                libc::IPV6_RECVHOPLIMIT,
                "ask for the hop limit",
            )?;
            set(
                libc::IPPROTO_IPV6,
                libc::IPV6_RECVPKTINFO,
                "ask for the interface",
            )?;
            // Kernels before 4.20 have no such switch; membership alone then has to do.
            let _ = sys::setsockopt_int(socket.as_fd(), libc::IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
        }
    }
    let size = options.receive_buffer.unwrap_or(BUFFER);
    set_buffer(&socket, size, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF)
        .map_err(OpenError::at("size the receive buffer"))?;
    match (key.peers, key.ifindex) {
        (Peers::Multicast(group), Some(ifindex)) => join(&socket, group, ifindex)?,
        (Peers::Multicast(_), None) => return Err(OpenError::InterfaceNeeded),
        (Peers::Unicast(source), _) => bind(&socket, source, key.ifindex)?,
    }
    discard(&socket);
    Ok(socket)
}

/// Until it was bound, the socket took adverts from every interface: away with them.
fn discard(socket: &Socket) {
    const MANY: usize = 10_000;
    for _ in 0..MANY {
        if socket.recv(&mut [MaybeUninit::uninit(); 1]).is_err() {
            return;
        }
    }
}

/// Above the system's limit if we may, else as far as it goes.
fn set_buffer(socket: &Socket, size: usize, force: i32, plain: i32) -> io::Result<()> {
    let size = i32::try_from(size).unwrap_or(i32::MAX);
    sys::setsockopt_int(socket.as_fd(), libc::SOL_SOCKET, force, size)
        .or_else(|_| sys::setsockopt_int(socket.as_fd(), libc::SOL_SOCKET, plain, size))
}

fn join(socket: &Socket, group: IpAddr, ifindex: IfIndex) -> Result<(), OpenError> {
    match group {
        IpAddr::V4(group) => {
            let interface = InterfaceIndexOrAddress::Index(ifindex.get());
            socket.join_multicast_v4_n(&group, &interface)
        }
        IpAddr::V6(group) => socket.join_multicast_v6(&group, ifindex.get()),
    }
    .map_err(OpenError::at("join the multicast group"))
}

/// Binds to an address, also to one that is not there yet (or was taken away): the pair must not
/// depend on who comes first at boot.
fn bind(socket: &Socket, source: IpAddr, ifindex: Option<IfIndex>) -> Result<(), OpenError> {
    let address: SocketAddr = match source {
        IpAddr::V4(a) => {
            socket
                .set_freebind_v4(true)
                .map_err(OpenError::at("bind freely"))?;
            SocketAddrV4::new(a, 0).into()
        }
        IpAddr::V6(a) => {
            sys::setsockopt_int(socket.as_fd(), libc::IPPROTO_IPV6, IPV6_FREEBIND, 1)
                .map_err(OpenError::at("bind freely"))?;
            let scope = if a.is_unicast_link_local() {
                ifindex.map_or(0, IfIndex::get)
            } else {
                0
            };
            SocketAddrV6::new(a, 0, 0, scope).into()
        }
    };
    socket
        .bind(&address.into())
        .map_err(OpenError::at("bind to the unicast source"))
}

fn sender(key: &Key, options: &SocketOptions) -> Result<Socket, OpenError> {
    let socket = match key.family() {
        // IPPROTO_RAW: the header is ours (with its protocol), and nothing is ever received.
        Family::V4 => raw(key, libc::IPPROTO_RAW)?,
        Family::V6 => raw(key, key.protocol.number().into())?,
    };
    socket
        .set_priority(PRIORITY_CONTROL)
        .map_err(OpenError::at("raise the priority"))?;
    set_buffer(&socket, BUFFER, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)
        .map_err(OpenError::at("size the send buffer"))?;
    match key.family() {
        Family::V4 => sender_v4(&socket, key)?,
        Family::V6 => sender_v6(&socket, key, options)?,
    }
    if let Peers::Unicast(source) = key.peers {
        bind(&socket, source, key.ifindex)?;
    }
    Ok(socket)
}

fn sender_v4(socket: &Socket, key: &Key) -> Result<(), OpenError> {
    socket
        .set_header_included_v4(true)
        .map_err(OpenError::at("send our own IP header"))?;
    if let (Peers::Multicast(_), Some(ifindex)) = (key.peers, key.ifindex) {
        socket
            .set_multicast_loop_v4(false)
            .map_err(OpenError::at("turn off the loop"))?;
        // By index: struct ip_mreqn {group, address, interface}. An address would have to exist,
        // and two interfaces can have the same.
        let mut request = [0; 12];
        request[..4].copy_from_slice(&Ipv4Addr::UNSPECIFIED.octets());
        request[8..].copy_from_slice(&ifindex.get().to_ne_bytes());
        sys::setsockopt(
            socket.as_fd(),
            libc::IPPROTO_IP,
            libc::IP_MULTICAST_IF,
            &request,
        )
        .map_err(OpenError::at("choose the interface for multicast"))?;
    }
    Ok(())
}

fn sender_v6(socket: &Socket, key: &Key, options: &SocketOptions) -> Result<(), OpenError> {
    let set = |name, value, step| {
        sys::setsockopt_int(socket.as_fd(), libc::IPPROTO_IPV6, name, value)
            .map_err(OpenError::at(step))
    };
    // The one way to keep a raw socket with a protocol from receiving it.
    socket
        .attach_filter(&[DROP_ALL])
        .map_err(OpenError::at("shut the receiving side"))?;
    set(libc::IPV6_CHECKSUM, CHECKSUM_AT, "have checksums filled in")?;
    socket
        .set_tclass_v6(TRAFFIC_CLASS)
        .map_err(OpenError::at("set the traffic class"))?;
    let limit = i32::from(options.hop_limit.unwrap_or(255));
    set(libc::IPV6_UNICAST_HOPS, limit, "set the hop limit")?;
    if let (Peers::Multicast(_), Some(ifindex)) = (key.peers, key.ifindex) {
        set(libc::IPV6_MULTICAST_HOPS, 255, "set the hop limit")?;
        socket
            .set_multicast_loop_v6(false)
            .map_err(OpenError::at("turn off the loop"))?;
        socket
            .set_multicast_if_v6(ifindex.get())
            .map_err(OpenError::at("choose the interface for multicast"))?;
    }
    Ok(())
}

/// Classic BPF `ret #0`: of every packet, keep nothing.
const DROP_ALL: SockFilter = SockFilter::new(0x06, 0, 0, 0);

const _: () = assert!(TRUNCATE_AT >= 8 + 255 * size_of::<Ipv6Addr>() + 64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_the_kernel_s_reason_or_what_to_do() {
        let error =
            |errno| OpenError::at("join the multicast group")(io::Error::from_raw_os_error(errno));
        let full = error(libc::ENOBUFS).to_string();
        assert!(
            full.starts_with("cannot join the multicast group: No buffer space"),
            "{full}"
        );
        assert!(error(libc::EPERM).to_string().contains("CAP_NET_RAW"));
        assert!(error(libc::EMFILE).to_string().contains("LimitNOFILE"));
        assert!(matches!(error(libc::ENODEV), OpenError::NoInterface));
    }
}

//! The sockets adverts come in and go out by.
//!
//! One pair of sockets for each (interface, family, protocol, multicast group or unicast source),
//! however many virtual routers share it, as keepalived does. All receiving sockets hang in one
//! nested epoll instance, so that a thousand of them are one waker for the runtime, and are read
//! and written in batches (`recvmmsg`, `sendmmsg`).

mod message;
mod socket;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use rk_base::{Family, IfIndex, Instant};
use tokio::io::unix::AsyncFd;

use crate::clock::{Clock, StampReader};
use crate::sys::{self, Owned, RecvSlot};
use message::{Seen, slot_for};
pub use socket::{OpenError, SocketOptions};
use socket::{Sockets, TRUNCATE_AT};

/// The IP protocol adverts are carried in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// VRRP itself: 112.
    Vrrp,
    /// VRRP inside an IP authentication header (version 2 over IPv4 only): 51.
    Ah,
}

impl Protocol {
    /// The number in the IP header.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Vrrp => 112,
            Self::Ah => 51,
        }
    }
}

/// To whom the adverts of a socket pair go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peers {
    /// Everybody in this multicast group (224.0.0.18, ff02::12, or as configured).
    Multicast(IpAddr),
    /// Single routers; the address is the one we send from and receive at (`unicast_src_ip`).
    Unicast(IpAddr),
}

impl Peers {
    /// The group, or the source.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        match self {
            Self::Multicast(a) | Self::Unicast(a) => a,
        }
    }
}

/// What makes two virtual routers share a socket pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The interface both sockets are bound to; only unicast can do without.
    pub ifindex: Option<IfIndex>,
    /// VRRP or AH.
    pub protocol: Protocol,
    /// Multicast group or unicast source; its family is the socket's.
    pub peers: Peers,
}

impl Key {
    /// The family of the sockets.
    #[must_use]
    pub const fn family(&self) -> Family {
        Family::of(self.peers.address())
    }
}

/// A socket pair of a [`Pool`]. Never used again for another pair after it was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(u64);

/// A packet as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// The pair it came in by.
    pub socket: SocketId,
    /// The sender.
    pub source: IpAddr,
    /// The destination in its IP header: a group, or one of our addresses.
    pub destination: IpAddr,
    /// TTL or hop limit on arrival.
    pub hop_limit: u8,
    /// The interface it came in by.
    pub ifindex: Option<IfIndex>,
    /// When the kernel took it from the driver. (In the first moments after the machine's first
    /// socket asked for such times the kernel has none, and this is when it was read.)
    pub at: Instant,
    /// IPv4: the header with its options, as received. IPv6: empty.
    pub ip_header: &'a [u8],
    /// What follows the IP header.
    pub payload: &'a [u8],
    /// Whether the packet was longer than any advert can be, and was cut.
    pub truncated: bool,
    /// How many packets the kernel dropped on this socket between the previous one and this.
    pub dropped: u32,
}

/// What a call of [`Pool::drain`] did.
#[derive(Debug, Default)]
pub struct Drained {
    /// Packets handed out.
    pub packets: usize,
    /// Whether there may be more to read: the limit of one call was reached.
    pub more: bool,
    /// Sockets on which the kernel dropped packets because the buffer was full, and how many
    /// since the drain before. The buffer keeps the *oldest* packets: what was lost is newer than
    /// all that was read.
    pub overflowed: Vec<(SocketId, u32)>,
    /// Sockets that could not be read.
    pub failed: Vec<(SocketId, io::Error)>,
}

/// A packet to send.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The pair to send by.
    pub socket: SocketId,
    /// IPv6: the source address, or `None` for the kernel's choice. Not looked at for IPv4, whose
    /// header says it.
    pub source: Option<IpAddr>,
    /// Group or peer.
    pub destination: IpAddr,
    /// IPv6: the hop limit, if not the socket's. Not looked at for IPv4.
    pub hop_limit: Option<u8>,
    /// IPv4: the whole datagram with its header (the kernel fills length and header checksum).
    /// IPv6: what follows the header; the kernel fills the checksum at offset 6.
    pub bytes: &'a [u8],
}

/// Why a packet did not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The interface does not exist any more: open a pair on its successor.
    #[error("the interface is gone")]
    InterfaceGone,
    /// The interface is administratively down; it can come back.
    #[error("the interface is down")]
    InterfaceDown,
    /// No route to the destination; a multicast one also while the interface is down.
    #[error("no route to the destination (or the interface is down)")]
    Unreachable,
    /// The source address is not on the interface (any more).
    #[error("the source address is not on the interface")]
    NoSource,
    /// A firewall rule refused it.
    #[error("refused by a local firewall rule")]
    Refused,
    /// The send queue is full; the next advert may pass.
    #[error("the send queue is full")]
    Busy,
    /// Longer than the interface can carry.
    #[error("longer than the MTU of the interface")]
    TooLong,
    /// The pair was closed.
    #[error("the socket was closed")]
    Closed,
    /// Another errno of the kernel.
    #[error("{}", io::Error::from_raw_os_error(*.0))]
    Other(i32),
}

impl SendError {
    fn of(errno: i32) -> Self {
        match errno {
            libc::ENODEV | libc::ENXIO => Self::InterfaceGone,
            libc::ENETDOWN => Self::InterfaceDown,
            libc::ENETUNREACH | libc::EHOSTUNREACH => Self::Unreachable,
            libc::EADDRNOTAVAIL => Self::NoSource,
            libc::EPERM | libc::EACCES => Self::Refused,
            libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM => Self::Busy,
            libc::EMSGSIZE => Self::TooLong,
            other => Self::Other(other),
        }
    }

    /// Whether the socket's other packets will fare no better now.
    const fn is_of_the_socket(self) -> bool {
        matches!(
            self,
            Self::InterfaceGone | Self::InterfaceDown | Self::Closed
        )
    }
}

/// A socket pair as it is shown to people.
#[derive(Clone, Copy, Debug)]
pub struct SocketInfo {
    /// Its name in the pool.
    pub id: SocketId,
    /// What it was opened for.
    pub key: Key,
    /// How often it was opened and not yet closed.
    pub users: usize,
    /// File descriptor of the receiving socket.
    pub rx: RawFd,
    /// File descriptor of the sending socket.
    pub tx: RawFd,
}

/// keepalived's words for a pair, without the leading `VRRP sockpool: `.
impl fmt::Display for SocketInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, address) = match self.key.peers {
            Peers::Multicast(a) => ("multicast", a),
            Peers::Unicast(a) => ("unicast", a),
        };
        write!(
            f,
            "[ifindex({:3}), family({}), proto({}), fd({},{}) {kind}, address({address})]",
            self.key.ifindex.map_or(0, IfIndex::get),
            self.key.family(),
            self.key.protocol.number(),
            self.rx,
            self.tx,
        )
    }
}

struct Entry {
    key: Key,
    users: usize,
    sockets: Sockets,
    seen: Seen,
}

impl Entry {
    /// What an error of the kernel means for this pair. It names the lack of a route or a source,
    /// for which there may be a plainer reason.
    fn explain(&self, frame: &Frame<'_>, error: SendError) -> SendError {
        match error {
            SendError::Unreachable | SendError::NoSource | SendError::Other(libc::EINVAL)
                if self.sockets.has_lost_interface() =>
            {
                SendError::InterfaceGone
            }
            // IPv6 calls a source that is not on the interface an invalid argument.
            SendError::Other(libc::EINVAL) if frame.source.is_some_and(|s| s.is_ipv6()) => {
                SendError::NoSource
            }
            error => error,
        }
    }
}

/// All sockets adverts travel by. See the module.
pub struct Pool {
    entries: HashMap<SocketId, Entry>,
    by_key: HashMap<Key, SocketId>,
    next_id: u64,
    epoll: AsyncFd<Owned<Epoll>>,
    stamps: StampReader,
    clock: Clock,
    slots: Vec<RecvSlot>,
    /// The last drain ended at its limit.
    more: bool,
}

/// Which sockets of `epoll` have something to read, without waiting.
fn look(epoll: &Epoll, events: &mut [EpollEvent]) -> io::Result<usize> {
    match epoll.wait(events, EpollTimeout::ZERO) {
        Ok(n) => Ok(n),
        Err(nix::Error::EINTR) => Ok(0),
        Err(e) => Err(e.into()),
    }
}

/// How many sockets one look at the epoll instance reports.
const EVENTS: usize = 64;
/// How many packets one [`Pool::drain`] hands out at most: about a millisecond's worth.
const DRAIN_LIMIT: usize = 512;

impl Pool {
    /// An empty pool. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the process is out of file descriptors.
    pub fn new(clock: Clock) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        Ok(Self {
            entries: HashMap::new(),
            by_key: HashMap::new(),
            next_id: 0,
            epoll: sys::watch(epoll)?,
            stamps: StampReader::new(clock),
            clock,
            slots: (0..sys::BATCH)
                .map(|_| RecvSlot::new(TRUNCATE_AT))
                .collect(),
            more: false,
        })
    }

    /// The pair for `key`, opened now unless somebody has it open already (then `options` are
    /// those of the first).
    ///
    /// # Errors
    /// See [`OpenError`]; nothing stays open then.
    pub fn open(&mut self, key: Key, options: &SocketOptions) -> Result<SocketId, OpenError> {
        if let Some(&id) = self.by_key.get(&key) {
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.users += 1;
            }
            return Ok(id);
        }
        // Before the socket exists it has certainly received nothing.
        let floor = self.clock.now();
        let sockets = Sockets::open(&key, options)?;
        let id = SocketId(self.next_id);
        let event = EpollEvent::new(EpollFlags::EPOLLIN, id.0);
        self.epoll
            .get_ref()
            .get()
            .add(sockets.rx.as_fd(), event)
            .map_err(OpenError::kernel)?;
        self.next_id += 1;
        let seen = Seen::new(floor, sockets.receive_buffer());
        self.entries.insert(
            id,
            Entry {
                key,
                users: 1,
                sockets,
                seen,
            },
        );
        self.by_key.insert(key, id);
        Ok(id)
    }

    /// Gives up one use of a pair; the last one closes it. An unknown pair is no error.
    pub fn close(&mut self, id: SocketId) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.users -= 1;
        if entry.users == 0 {
            self.by_key.remove(&entry.key);
            // Closing the descriptor takes it out of the epoll instance, too.
            self.entries.remove(&id);
        }
    }

    /// All pairs, in the order they were opened.
    #[must_use]
    pub fn sockets(&self) -> Vec<SocketInfo> {
        let mut all: Vec<_> = self
            .entries
            .keys()
            .filter_map(|&id| self.socket(id))
            .collect();
        all.sort_unstable_by_key(|info| info.id);
        all
    }

    /// One pair.
    #[must_use]
    pub fn socket(&self, id: SocketId) -> Option<SocketInfo> {
        self.entries.get(&id).map(|entry| SocketInfo {
            id,
            key: entry.key,
            users: entry.users,
            rx: entry.sockets.rx.as_raw_fd(),
            tx: entry.sockets.tx.as_raw_fd(),
        })
    }

    /// Waits until a [`drain`](Self::drain) would find something. After one that ended at its limit
    /// the runtime looks at its timers and other sockets first. Cancel-safe.
    ///
    /// # Errors
    /// None that a working kernel gives.
    pub async fn readable(&self) -> io::Result<()> {
        if self.more {
            tokio::task::yield_now().await;
        }
        loop {
            let mut guard = self.epoll.readable().await?;
            let looked = guard.try_io(|epoll| {
                // One event is enough to know; drain asks again.
                match look(epoll.get_ref().get(), &mut [EpollEvent::empty()])? {
                    0 => Err(io::ErrorKind::WouldBlock.into()),
                    _ => Ok(()),
                }
            });
            if let Ok(result) = looked {
                return result;
            }
        }
    }

    /// Hands out every packet the kernel has queued, at most some hundred a call (`more` then
    /// says so). Needs no [`readable`](Self::readable) before it: when a timer is late, drain
    /// until `more` is false before believing that a peer is silent.
    ///
    /// Packets of one socket come in the order of arrival; sockets in no order.
    ///
    /// # Errors
    /// When the sockets cannot be watched at all; trouble with one of them is in the result.
    pub fn drain(&mut self, mut deliver: impl FnMut(Received<'_>)) -> io::Result<Drained> {
        let mut result = Drained::default();
        let mut events = [EpollEvent::empty(); EVENTS];
        self.more = false;
        loop {
            let ready = look(self.epoll.get_ref().get(), &mut events)?;
            self.stamps.refresh(self.clock);
            let mut again = ready == EVENTS;
            for event in &events[..ready] {
                again |= self.drain_socket(SocketId(event.data()), &mut result, &mut deliver);
            }
            if !again {
                return Ok(result);
            }
            if result.packets >= DRAIN_LIMIT {
                self.more = true;
                result.more = true;
                return Ok(result);
            }
        }
    }

    /// Reads one batch from a socket; true if it may hold more.
    fn drain_socket(
        &mut self,
        id: SocketId,
        result: &mut Drained,
        deliver: &mut impl FnMut(Received<'_>),
    ) -> bool {
        let Self {
            entries,
            by_key,
            slots,
            stamps,
            clock,
            ..
        } = self;
        let Some(entry) = entries.get_mut(&id) else {
            return false;
        };
        let before = clock.now();
        let n = match sys::recvmmsg(entry.sockets.rx.as_fd(), slots) {
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => 0,
            // Signals, and errors that ICMP or a link event left on the socket: gone once read.
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return true,
            Err(e) => {
                result.failed.push((id, e));
                return false;
            }
        };
        let family = entry.key.family();
        let now = clock.now();
        for slot in &slots[..n] {
            let Some(packet) = entry.seen.packet(id, family, slot, stamps, now) else {
                continue;
            };
            if packet.dropped > 0 {
                note_overflow(&mut result.overflowed, id, packet.dropped);
            }
            if belongs_elsewhere(&entry.key, packet.destination, by_key) {
                continue;
            }
            result.packets += 1;
            deliver(packet);
        }
        let full = n == slots.len();
        if !full {
            entry.seen.emptied(before);
        }
        if let Some(dropped) = entry.seen.dropped_after(n, full, &entry.sockets) {
            note_overflow(&mut result.overflowed, id, dropped);
        }
        full
    }

    /// Sends all frames, in batches of one system call for frames of the same pair that stand
    /// together. Never waits. The result names the frames (by their place in the slice) that did
    /// not leave; it is empty and unallocated when all went well.
    pub fn send(&mut self, frames: &[Frame<'_>]) -> Vec<(usize, SendError)> {
        let mut failed = Vec::new();
        // A dead interface is asked once, not once for each virtual router on it.
        let mut dead: HashMap<SocketId, SendError> = HashMap::new();
        let mut start = 0;
        for run in frames.chunk_by(|a, b| a.socket == b.socket) {
            let id = run[0].socket;
            match (self.entries.get(&id), dead.get(&id)) {
                (Some(entry), None) => {
                    if let Some(error) = send_run(entry, run, start, &mut failed) {
                        dead.insert(id, error);
                    }
                }
                (_, error) => {
                    let error = error.copied().unwrap_or(SendError::Closed);
                    failed.extend((start..start + run.len()).map(|at| (at, error)));
                }
            }
            start += run.len();
        }
        failed
    }
}

/// Sends `run` (of one pair, whose first frame has place `start`) by that pair. The result is an
/// error under which no other frame of the pair can leave.
fn send_run(
    entry: &Entry,
    run: &[Frame<'_>],
    start: usize,
    failed: &mut Vec<(usize, SendError)>,
) -> Option<SendError> {
    let mut next = 0;
    while next < run.len() {
        let batch = &run[next..run.len().min(next + sys::BATCH)];
        let slots: Vec<_> = batch
            .iter()
            .map(|frame| slot_for(frame, entry.key.ifindex))
            .collect();
        match sys::sendmmsg(entry.sockets.tx.as_fd(), &slots) {
            Ok(n) => next += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => {
                let error = entry.explain(&run[next], SendError::of(e.raw_os_error().unwrap_or(0)));
                if error.is_of_the_socket() {
                    failed.extend((start + next..start + run.len()).map(|at| (at, error)));
                    return Some(error);
                }
                failed.push((start + next, error));
                next += 1;
            }
        }
    }
    None
}

/// Whether a multicast pair overheard a packet that a unicast pair of the pool receives, too.
///
/// Multicast pairs are open to every advert on their interface, so that an advert that was sent to
/// the wrong kind of address can be reported instead of being lost.
fn belongs_elsewhere(key: &Key, destination: IpAddr, by_key: &HashMap<Key, SocketId>) -> bool {
    match key.peers {
        Peers::Multicast(_) if !destination.is_multicast() => {
            let unicast = Key {
                peers: Peers::Unicast(destination),
                ..*key
            };
            by_key.contains_key(&unicast)
                || by_key.contains_key(&Key {
                    ifindex: None,
                    ..unicast
                })
        }
        _ => false,
    }
}

fn note_overflow(overflowed: &mut Vec<(SocketId, u32)>, id: SocketId, dropped: u32) {
    match overflowed.iter_mut().find(|(known, _)| *known == id) {
        Some((_, n)) => *n = n.saturating_add(dropped),
        None => overflowed.push((id, dropped)),
    }
}

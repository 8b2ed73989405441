//! What links and addresses there are, and every change to them, in order.
//!
//! One socket both subscribes and dumps, so that notifications and the parts of a dump come in the
//! order the kernel made them and a dump can never undo a newer notification. When the socket
//! overflows, everything still queued is read first, then all is dumped again; the difference to
//! the picture before is reported like any other change.

mod link;
mod table;

use std::collections::VecDeque;
use std::io;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rk_base::IfIndex;
use rtnetlink::MulticastGroup;

use crate::netlink::{Datagram, ReceiveBuffer, RouteSocket, append, split};
pub use link::{Link, LinkAddress};
pub use table::{Change, Table};

/// Enough for the notifications of some thousand addresses that come while we are busy.
const DEFAULT_BUFFER: ReceiveBuffer = ReceiveBuffer {
    bytes: 8 << 20,
    beyond: true,
};
/// How many datagrams one look takes at most: less than a millisecond's work.
const LOOK: usize = 64;

/// Why the kernel could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ReflectorError {
    /// The socket could not be opened, read or written: nothing can be known any more.
    #[error("the netlink socket failed")]
    Socket(#[from] io::Error),
    /// The kernel refused to list something.
    #[error("the kernel refused to list {what}: {}", io::Error::from_raw_os_error(*errno))]
    Refused {
        /// Links or addresses.
        what: &'static str,
        /// Why.
        errno: i32,
    },
}

/// What is to be listed, in this order: addresses need their links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dump {
    Links,
    Addresses,
}

impl Dump {
    const fn what(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Addresses => "addresses",
        }
    }

    fn request(self) -> RouteNetlinkMessage {
        match self {
            Self::Links => {
                let mut message = LinkMessage::default();
                message.header.interface_family = AddressFamily::Unspec;
                // Counters are most of a link message, and of no use here.
                let mask = vec![LinkExtentMask::SkipStats];
                message.attributes.push(LinkAttribute::ExtMask(mask));
                RouteNetlinkMessage::GetLink(message)
            }
            Self::Addresses => RouteNetlinkMessage::GetAddress(AddressMessage::default()),
        }
    }
}

/// Follows the kernel's tables of links and addresses. See the module.
pub struct Reflector {
    socket: RouteSocket,
    table: Table,
    sequence: u32,
    /// What is being listed now, with the sequence number of the request.
    running: Option<(Dump, u32)>,
    /// What is still to be listed in this round.
    waiting: VecDeque<Dump>,
    /// The listing that runs was disturbed and has to be done again.
    interrupted: bool,
    /// Messages were lost: list all again once the queue is empty.
    lost: bool,
    /// The round makes up for a loss (and is not the first one).
    recovering: bool,
    /// The last look ended before the queue did.
    more: bool,
    changes: Vec<Change>,
}

impl Reflector {
    /// Subscribes and lists everything there is. `receive_buffer` is large if unset.
    ///
    /// The namespace is that of the calling thread.
    ///
    /// # Errors
    /// See [`ReflectorError`].
    pub async fn open(receive_buffer: Option<ReceiveBuffer>) -> Result<Self, ReflectorError> {
        let groups = [
            MulticastGroup::Link,
            MulticastGroup::Ipv4Ifaddr,
            MulticastGroup::Ipv6Ifaddr,
        ];
        let socket = RouteSocket::open(
            &groups.map(|group| group as u32),
            receive_buffer.unwrap_or(DEFAULT_BUFFER),
        )?;
        let mut reflector = Self {
            socket,
            table: Table::default(),
            sequence: 0,
            running: None,
            waiting: VecDeque::new(),
            interrupted: false,
            lost: false,
            recovering: false,
            more: false,
            changes: Vec::new(),
        };
        reflector.begin_round()?;
        while reflector.is_listing() {
            reflector.look()?;
            if reflector.is_listing() {
                reflector.socket.readable().await?;
            }
        }
        reflector.changes.clear();
        Ok(reflector)
    }

    /// The picture as of the last changes handed out.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Waits for changes; the [`table`](Self::table) has them already when they are returned.
    /// Hands out some hundred at most and then lets the runtime look at its timers and sockets, so
    /// that adverts go out in between. Cancel-safe.
    ///
    /// # Errors
    /// See [`ReflectorError`].
    pub async fn next(&mut self) -> Result<Vec<Change>, ReflectorError> {
        loop {
            if self.more {
                tokio::task::yield_now().await;
            }
            self.socket.readable().await?;
            self.look()?;
            if !self.changes.is_empty() {
                return Ok(std::mem::take(&mut self.changes));
            }
        }
    }

    /// The changes that are there already, without waiting: to be called before acting on the
    /// table when it must be current.
    ///
    /// # Errors
    /// See [`ReflectorError`].
    pub fn poll_now(&mut self) -> Result<Vec<Change>, ReflectorError> {
        self.look()?;
        Ok(std::mem::take(&mut self.changes))
    }

    fn is_listing(&self) -> bool {
        self.running.is_some() || !self.waiting.is_empty() || self.lost
    }

    fn begin_round(&mut self) -> Result<(), ReflectorError> {
        self.table.begin_round();
        self.waiting = [Dump::Links, Dump::Addresses].into();
        self.running = None;
        self.ask_next()
    }

    /// Asks for the next listing; a socket can have only one under way.
    fn ask_next(&mut self) -> Result<(), ReflectorError> {
        let Some(dump) = self.waiting.pop_front() else {
            self.running = None;
            if self.lost {
                // What was lost can be part of this very round: it proves nothing to be gone.
                return Ok(());
            }
            self.table.sweep(&mut self.changes);
            if std::mem::take(&mut self.recovering) {
                self.changes.push(Change::Resynced);
            }
            return Ok(());
        };
        self.sequence = self.sequence.wrapping_add(1).max(1);
        let mut request = Vec::new();
        append(
            &mut request,
            NLM_F_REQUEST | NLM_F_DUMP,
            self.sequence,
            dump.request(),
        );
        self.running = Some((dump, self.sequence));
        self.interrupted = false;
        self.socket.send(&request)?;
        Ok(())
    }

    /// Reads what is queued, up to a limit.
    fn look(&mut self) -> Result<(), ReflectorError> {
        self.more = true;
        for _ in 0..LOOK {
            let messages: Vec<_> = match self.socket.receive()? {
                Datagram::Messages(bytes) => split(bytes).filter_map(parse).collect(),
                Datagram::Lost => {
                    self.lost = true;
                    continue;
                }
                Datagram::Empty => {
                    if self.lost && self.running.is_none() {
                        self.lost = false;
                        self.recovering = true;
                        self.begin_round()?;
                        continue;
                    }
                    self.socket.found_empty();
                    self.more = false;
                    return Ok(());
                }
            };
            for message in messages {
                self.take(message)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, message: NetlinkMessage<RouteNetlinkMessage>) -> Result<(), ReflectorError> {
        /// The listing saw a table that changed meanwhile.
        const NLM_F_DUMP_INTR: u16 = 0x10;
        let (header, payload) = message.into_parts();
        let of_dump = self
            .running
            .filter(|(_, sequence)| header.sequence_number == *sequence);
        if of_dump.is_some() && header.flags & NLM_F_DUMP_INTR != 0 {
            self.interrupted = true;
        }
        match (payload, of_dump) {
            (NetlinkPayload::InnerMessage(inner), _) => self.apply(inner),
            (NetlinkPayload::Done(_), Some((dump, _))) => {
                if self.interrupted {
                    self.waiting.push_front(dump);
                }
                self.ask_next()?;
            }
            (NetlinkPayload::Error(error), Some((dump, _))) if error.code.is_some() => {
                let errno = error.raw_code().saturating_abs();
                return Err(ReflectorError::Refused {
                    what: dump.what(),
                    errno,
                });
            }
            (NetlinkPayload::Overrun(_), _) => self.lost = true,
            _ => {}
        }
        Ok(())
    }

    fn apply(&mut self, message: RouteNetlinkMessage) {
        let Self { table, changes, .. } = self;
        match message {
            RouteNetlinkMessage::NewLink(m) if !is_bridge_port(&m) => {
                if let Some(link) = Link::read(&m) {
                    table.add_link(link, changes);
                }
            }
            RouteNetlinkMessage::DelLink(m) if !is_bridge_port(&m) => {
                if let Some(index) = IfIndex::new(m.header.index) {
                    table.remove_link(index, changes);
                }
            }
            RouteNetlinkMessage::NewAddress(m) => {
                if let Some(address) = LinkAddress::read(&m) {
                    table.add_address(address, changes);
                }
            }
            RouteNetlinkMessage::DelAddress(m) => {
                if let Some(address) = LinkAddress::read(&m) {
                    table.remove_address(&address, changes);
                }
            }
            _ => {}
        }
    }
}

/// A bridge speaks of its ports in link messages of its own family: a port that leaves its bridge
/// is "deleted" there, but the interface stays.
fn is_bridge_port(message: &LinkMessage) -> bool {
    message.header.interface_family == AddressFamily::Bridge
}

fn parse(bytes: &[u8]) -> Option<NetlinkMessage<RouteNetlinkMessage>> {
    match NetlinkMessage::deserialize(bytes) {
        Ok(message) => Some(message),
        Err(error) => {
            // Seen once by whoever debugs; the table stays as it is.
            tracing::debug!(%error, "netlink message not understood");
            None
        }
    }
}

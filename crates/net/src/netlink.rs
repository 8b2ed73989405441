//! A non-blocking route-netlink socket in the tokio runtime, and what all users of it share.

use std::io;
use std::os::fd::AsFd;

use netlink_packet_core::{
    ErrorMessage, NLM_F_ACK_TLVS, NLM_F_CAPPED, NetlinkBuffer, NetlinkHeader, NetlinkMessage,
    NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sys::{self, Owned};

/// No message the kernel makes is longer: dumps come in pieces of at most 32 KiB.
const BUFFER: usize = 64 * 1024;
const NLMSGERR_ATTR_MSG: u16 = 1;

/// The receive buffer of a netlink socket: what comes while it is full is lost, and asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveBuffer {
    /// The size; the kernel doubles it for its own bookkeeping.
    pub bytes: u32,
    /// Whether it may be more than `net.core.rmem_max`, if the kernel permits that at all.
    pub beyond: bool,
}

/// One netlink socket.
pub(crate) struct RouteSocket {
    fd: AsyncFd<Owned<Socket>>,
    buffer: Vec<u8>,
}

/// What [`RouteSocket::receive`] found.
#[derive(Debug)]
pub(crate) enum Datagram<'a> {
    /// One or more netlink messages.
    Messages(&'a [u8]),
    /// Nothing is queued now.
    Empty,
    /// Messages were lost: the receive buffer overflowed.
    Lost,
}

impl RouteSocket {
    /// A socket in the namespace of this thread, subscribed to `groups`, with this receive
    /// buffer.
    pub(crate) fn open(groups: &[u32], receive_buffer: ReceiveBuffer) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.set_non_blocking(true)?;
        socket.bind(&SocketAddr::new(0, 0))?;
        socket.set_ext_ack(true)?;
        // Errors need not repeat the request: its sequence number says which it was.
        socket.set_cap_ack(true)?;
        let size = i32::try_from(receive_buffer.bytes).unwrap_or(i32::MAX);
        let set = |option| sys::setsockopt_int(socket.as_fd(), libc::SOL_SOCKET, option, size);
        // A kernel that refuses the first (no CAP_NET_ADMIN in the first user namespace) gives as
        // much as its limit allows by the second.
        if !receive_buffer.beyond || set(libc::SO_RCVBUFFORCE).is_err() {
            set(libc::SO_RCVBUF)?;
        }
        for &group in groups {
            socket.add_membership(group)?;
        }
        let fd = sys::watch(socket)?;
        Ok(Self {
            fd,
            buffer: vec![0; BUFFER],
        })
    }

    /// Hands one datagram of requests to the kernel, which acts on them before this returns.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<()> {
        loop {
            match self
                .fd
                .get_ref()
                .get()
                .send_to(bytes, &SocketAddr::new(0, 0), libc::MSG_DONTWAIT)
            {
                Ok(_) => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Takes one datagram, if one is there.
    pub(crate) fn receive(&mut self) -> io::Result<Datagram<'_>> {
        loop {
            let socket = &self.fd.get_ref().get();
            let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
            match socket.recv(&mut &mut self.buffer[..], flags) {
                // Larger than the buffer: what was cut off is as good as lost.
                Ok(n) if n > self.buffer.len() => return Ok(Datagram::Lost),
                Ok(n) => return Ok(Datagram::Messages(&self.buffer[..n])),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Datagram::Empty),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => return Ok(Datagram::Lost),
                Err(e) => return Err(e),
            }
        }
    }

    /// Waits until there is something to [`receive`](Self::receive). Cancel-safe. The holder must
    /// have called [`found_empty`](Self::found_empty) when there was nothing.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        let mut guard = self.fd.readable().await?;
        // Readiness is kept until somebody finds the socket empty.
        guard.retain_ready();
        Ok(())
    }

    /// Tells the runtime that a receive found nothing.
    pub(crate) fn found_empty(&self) {
        // AsyncFd forgets its readiness when the operation it tries would block.
        let nothing = |_: &Owned<Socket>| Err::<(), _>(io::ErrorKind::WouldBlock.into());
        let _ = self.fd.try_io(Interest::READABLE, nothing);
    }
}

/// Splits a datagram into its netlink messages; stops at the first that is cut short.
pub(crate) fn split(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let len = NetlinkBuffer::new_checked(bytes).ok()?.length() as usize;
        let message = bytes.get(..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}

/// Puts a request at the end of `buffer`, aligned as netlink wants it.
pub(crate) fn append(
    buffer: &mut Vec<u8>,
    flags: u16,
    sequence_number: u32,
    message: RouteNetlinkMessage,
) {
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    header.sequence_number = sequence_number;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
    message.finalize();
    let start = buffer.len();
    buffer.resize(start + message.buffer_len().next_multiple_of(4), 0);
    message.serialize(&mut buffer[start..]);
}

/// The kernel's words about an error, if it has any (extended ACK).
pub(crate) fn error_text(flags: u16, error: &ErrorMessage) -> Option<String> {
    /// The header of the refused request, which stands before the attributes.
    const REQUEST_HEADER: usize = 16;
    if flags & NLM_F_ACK_TLVS == 0 {
        return None;
    }
    let request = &error.header;
    let skip = if flags & NLM_F_CAPPED != 0 {
        REQUEST_HEADER
    } else {
        let len = u32::from_ne_bytes(request.get(..4)?.try_into().ok()?);
        (len as usize).next_multiple_of(4)
    };
    let mut attributes = request.get(skip..)?;
    loop {
        let len = usize::from(u16::from_ne_bytes(attributes.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(attributes.get(2..4)?.try_into().ok()?);
        let value = attributes.get(4..len)?;
        if kind == NLMSGERR_ATTR_MSG {
            let text = value.split(|&b| b == 0).next().unwrap_or_default();
            return Some(String::from_utf8_lossy(text).into_owned());
        }
        attributes = attributes.get(len.next_multiple_of(4)..)?;
    }
}

/// The kernel's words as the end of a message.
pub(crate) fn in_brackets(said: &Option<String>) -> String {
    said.as_ref()
        .map(|said| format!(" ({said})"))
        .unwrap_or_default()
}

//! A netlink socket to nf_tables: transactions and questions, answered before the call returns.
//!
//! The kernel works on what is sent inside the `send` call and has queued its answers when that
//! returns, so nothing here ever waits, and an answer that is not there was lost.

use std::io;
use std::os::fd::AsFd;

use netlink_packet_core::{
    DefaultNla, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use netlink_packet_netfilter::nftables::{GenAttribute, GenMessage, NfTablesMessage};
use netlink_packet_netfilter::none::ControlMessage;
use netlink_packet_netfilter::{
    NetfilterHeader, NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily,
    NetfilterSubsystem,
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_NETFILTER};

use super::request::Request;
use crate::netlink::{error_text, split};
use crate::sys;

/// Holds the largest message: dumps come in pieces of at most 32 KiB.
const RECEIVE: usize = 64 * 1024;
/// A transaction is one send; tens of thousands of addresses fit.
const SEND_BUFFER: i32 = 4 << 20;
/// For the answers, should each request of a large transaction be refused.
const RECEIVE_BUFFER: i32 = 1 << 20;
const NFNL_SUBSYS_NFTABLES: u16 = 10;
const NFNL_MSG_BATCH_BEGIN: u8 = 16;
const NFNL_BATCH_GENID: u16 = 1;
/// How often a dump is begun anew because the ruleset changed in its midst.
const DUMPS: usize = 8;

/// What the kernel says no with.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) errno: i32,
    pub(super) said: Option<String>,
}

impl Refusal {
    fn of(errno: i32) -> Self {
        Self { errno, said: None }
    }
}

/// The kernel's answer, or what went wrong on the way.
#[derive(Debug)]
pub(super) enum Failure {
    /// The kernel refuses; nothing has changed.
    Refused(Refusal),
    /// Its answer was lost: it may have done it or not.
    Unanswered,
    /// The socket fails.
    Socket(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Socket(error)
    }
}

/// The state of all tables of the namespace, counted by the kernel at each change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(u32);

pub(super) struct NfSocket {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

impl NfSocket {
    /// Opens it in the namespace of this thread.
    pub(super) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_NETFILTER)?;
        socket.set_non_blocking(true)?;
        socket.bind(&SocketAddr::new(0, 0))?;
        socket.set_ext_ack(true)?;
        // Errors need not repeat the request: its sequence number says which it was.
        socket.set_cap_ack(true)?;
        for (force, plain, size) in [
            (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, SEND_BUFFER),
            (libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, RECEIVE_BUFFER),
        ] {
            // Without CAP_NET_ADMIN in the first user namespace the kernel gives what its limit
            // allows.
            if sys::setsockopt_int(socket.as_fd(), libc::SOL_SOCKET, force, size).is_err() {
                sys::setsockopt_int(socket.as_fd(), libc::SOL_SOCKET, plain, size)?;
            }
        }
        Ok(Self {
            socket,
            sequence: 0,
            buffer: vec![0; RECEIVE],
        })
    }

    /// Has the kernel do all of `requests` or none. With `expected`, only if nobody has changed
    /// any table since (else `ERESTART`).
    pub(super) fn transaction(
        &mut self,
        requests: Vec<Request>,
        expected: Option<Generation>,
    ) -> Result<(), Failure> {
        let first = self.sequence.wrapping_add(1);
        let mut bytes = Vec::new();
        let begin = match expected {
            None => ControlMessage::BatchBegin,
            Some(Generation(id)) => ControlMessage::Other {
                message_type: NFNL_MSG_BATCH_BEGIN,
                attributes: vec![DefaultNla::new(NFNL_BATCH_GENID, id.to_be_bytes().to_vec())],
            },
        };
        self.append(&mut bytes, 0, control(begin));
        let count = requests.len();
        for (n, request) in requests.into_iter().enumerate() {
            // Errors are answered in any case; success is told by the last answer alone.
            let ack = if n + 1 == count { NLM_F_ACK } else { 0 };
            self.append(&mut bytes, request.flags | ack, request.message);
        }
        let last = self.sequence;
        self.append(&mut bytes, 0, control(ControlMessage::BatchEnd));
        self.send(&bytes)?;
        let mut verdict = None;
        self.answers(|header, payload| {
            let number = header.sequence_number.wrapping_sub(first);
            if number > last.wrapping_sub(first) {
                return; // Left over from a question that was given up.
            }
            if let NetlinkPayload::Error(error) = payload {
                let errno = error.raw_code().saturating_abs();
                // The first error is the cause, those after it may be its effects.
                if errno != 0 && !matches!(verdict, Some(Err(_))) {
                    let said = error_text(header.flags, &error);
                    verdict = Some(Err(Failure::Refused(Refusal { errno, said })));
                } else if verdict.is_none() {
                    verdict = Some(Ok(()));
                }
            }
        })?;
        verdict.unwrap_or(Err(Failure::Unanswered))
    }

    /// The state the tables are in now.
    pub(super) fn generation(&mut self) -> Result<Generation, Failure> {
        let attributes = Vec::new();
        let ask = NfTablesMessage::GetGen(GenMessage { attributes });
        let header = NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, 0);
        let answers = self.ask(&NetfilterMessage::new(header, ask))?;
        let attributes = answers.into_iter().flat_map(|answer| match answer {
            NfTablesMessage::NewGen(message) => message.attributes,
            _ => Vec::new(),
        });
        let mut ids = attributes.filter_map(|attribute| match attribute {
            GenAttribute::Id(id) => Some(Generation(id)),
            _ => None,
        });
        ids.next().ok_or(Failure::Unanswered)
    }

    /// Asks for one object; without it the kernel refuses with `ENOENT`.
    pub(super) fn ask(
        &mut self,
        question: &NetfilterMessage,
    ) -> Result<Vec<NfTablesMessage>, Failure> {
        let (answers, interrupted) = self.question(NLM_F_ACK, question.clone())?;
        debug_assert!(!interrupted, "only dumps can be");
        Ok(answers)
    }

    /// Asks for all objects of a kind.
    pub(super) fn dump(
        &mut self,
        question: &NetfilterMessage,
    ) -> Result<Vec<NfTablesMessage>, Failure> {
        for _ in 0..DUMPS {
            match self.question(NLM_F_DUMP, question.clone()) {
                Ok((answers, false)) => return Ok(answers),
                Ok((_, true))
                | Err(Failure::Refused(Refusal {
                    errno: libc::EINTR, ..
                })) => {}
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Refused(Refusal::of(libc::EINTR)))
    }

    fn question(
        &mut self,
        flags: u16,
        question: NetfilterMessage,
    ) -> Result<(Vec<NfTablesMessage>, bool), Failure> {
        let mut bytes = Vec::new();
        self.append(&mut bytes, flags, question);
        let sequence = self.sequence;
        self.send(&bytes)?;
        let mut found = Vec::new();
        let mut interrupted = false;
        let mut end = None;
        self.answers(|header, payload| {
            if header.sequence_number != sequence {
                return;
            }
            interrupted |= header.flags & NLM_F_DUMP_INTR != 0;
            match payload {
                NetlinkPayload::InnerMessage(NetfilterMessage {
                    inner: NetfilterMessageInner::NfTables(message),
                    ..
                }) => found.push(message),
                NetlinkPayload::Done(_) => end = Some(Ok(())),
                NetlinkPayload::Error(error) => {
                    end = Some(match error.raw_code().saturating_abs() {
                        0 => Ok(()),
                        errno => Err(Failure::Refused(Refusal {
                            errno,
                            said: error_text(header.flags, &error),
                        })),
                    });
                }
                _ => {}
            }
        })?;
        end.unwrap_or(Err(Failure::Unanswered))?;
        Ok((found, interrupted))
    }

    /// Puts a message at the end of `bytes`, under the next sequence number.
    fn append(&mut self, bytes: &mut Vec<u8>, flags: u16, message: NetfilterMessage) {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
        message.finalize();
        let start = bytes.len();
        bytes.resize(start + message.buffer_len().next_multiple_of(4), 0);
        message.serialize(&mut bytes[start..]);
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let kernel = SocketAddr::new(0, 0);
        loop {
            match self.socket.send_to(bytes, &kernel, libc::MSG_DONTWAIT) {
                Ok(_) => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Gives all that is queued to `each`. Messages the library cannot read are left out: what
    /// depends on them is then missing, never wrong.
    fn answers(
        &mut self,
        mut each: impl FnMut(NetlinkHeader, NetlinkPayload<NetfilterMessage>),
    ) -> Result<(), Failure> {
        loop {
            let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
            match self.socket.recv(&mut &mut self.buffer[..], flags) {
                Ok(n) if n > self.buffer.len() => return Err(Failure::Unanswered),
                Ok(n) => {
                    for message in split(&self.buffer[..n]) {
                        if let Ok(message) =
                            NetlinkMessage::<NetfilterMessage>::deserialize(message)
                        {
                            let (header, payload) = message.into_parts();
                            each(header, payload);
                        }
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => {
                    return Err(Failure::Unanswered);
                }
                Err(e) => return Err(e.into()),
            }
        }
    }
}

fn control(message: ControlMessage) -> NetfilterMessage {
    // A batch names its subsystem in the header.
    let header = NetfilterHeader::new(NetfilterProtoFamily::Unspec, 0, NFNL_SUBSYS_NFTABLES);
    let message = NetfilterMessage::new(header, message);
    debug_assert_eq!(message.subsys(), NetfilterSubsystem::None);
    message
}

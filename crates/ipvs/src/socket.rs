//! A generic netlink socket: batches of requests and questions, answered before the call returns.
//!
//! The kernel works on what is sent inside the `send` call and has queued its answers when that
//! returns, and a dump makes its next piece inside the `recv` call. So nothing here ever waits, and
//! an answer that is not there was lost. (That is why this is not a connection task of
//! netlink-proto: there a lost answer is a request that never ends.)

use std::io;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST,
    NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload,
    NlasIterator,
};
use netlink_packet_generic::constants::{CTRL_ATTR_FAMILY_ID, GENL_HDRLEN};
use netlink_packet_generic::ctrl::nlas::GenlCtrlAttrs;
use netlink_packet_generic::ctrl::{GenlCtrl, GenlCtrlCmd};
use netlink_packet_generic::{GenlFamily, GenlMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_GENERIC};
use nix::sys::socket::{getsockopt, setsockopt, sockopt};

use crate::error::TableError;
use crate::wire::Payload;

/// Holds the largest message: dumps come in pieces of at most 32 KiB.
const RECEIVE: usize = 64 * 1024;
/// Room for the answers, should every request of a batch be refused.
const RECEIVE_BUFFER: usize = 1 << 20;
/// What an answer takes of the receive buffer: the kernel counts its own bookkeeping.
const ANSWER: usize = 1024;
/// The most requests in one send. More do not make it faster, and each send holds the kernel's
/// generic netlink lock and this thread.
const BATCH: usize = 128;
/// How often a dump is begun anew because it was interrupted.
const DUMPS: usize = 8;
const NLMSGERR_ATTR_MSG: u16 = 1;

/// What the kernel says no with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    pub(crate) errno: i32,
    pub(crate) said: Option<String>,
}

/// The receive buffer of the socket to the kernel: it decides how many commands go in one send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceiveBuffer {
    /// Enough for the largest batch.
    #[default]
    Ample,
    /// So many bytes, up to the kernel's limit or `beyond` it.
    Of {
        /// The size.
        bytes: u32,
        /// Whether it may be more than `net.core.rmem_max`.
        beyond: bool,
    },
}

/// The socket, and the number the kernel gave to family `IPVS`.
pub(crate) struct GenlSocket {
    socket: Socket,
    family: u16,
    sequence: u32,
    batch: usize,
    buffer: Vec<u8>,
    /// Kept for the next batch.
    outgoing: Vec<u8>,
}

/// One message of the kernel.
enum Answer<'a> {
    /// Error number (0: done) and words.
    Verdict(Denial),
    /// The end of a dump, with an error number or 0.
    End(i32),
    /// What was asked for: command and attributes.
    Told(u8, &'a [u8]),
}

impl GenlSocket {
    /// Opens it in the namespace of this thread. The family may be missing; see
    /// [`resolve`](Self::resolve).
    pub(crate) fn open(buffer: ReceiveBuffer) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_GENERIC)?;
        socket.set_non_blocking(true)?;
        socket.bind(&SocketAddr::new(0, 0))?;
        socket.set_ext_ack(true)?;
        // Errors need not repeat the request: its sequence number says which it was.
        socket.set_cap_ack(true)?;
        let (bytes, beyond) = match buffer {
            ReceiveBuffer::Ample => (RECEIVE_BUFFER, true),
            ReceiveBuffer::Of { bytes, beyond } => {
                (usize::try_from(bytes).unwrap_or(RECEIVE_BUFFER), beyond)
            }
        };
        // Without CAP_NET_ADMIN in the first user namespace the kernel gives what its limit allows.
        if !beyond || setsockopt(&socket, sockopt::RcvBufForce, &bytes).is_err() {
            setsockopt(&socket, sockopt::RcvBuf, &bytes)?;
        }
        let room = getsockopt(&socket, sockopt::RcvBuf)?;
        Ok(Self {
            socket,
            family: 0,
            sequence: 0,
            batch: (room / ANSWER).clamp(1, BATCH),
            buffer: vec![0; RECEIVE],
            outgoing: Vec::new(),
        })
    }

    /// How many requests [`transact`](Self::transact) takes at once.
    pub(crate) const fn batch(&self) -> usize {
        self.batch
    }

    /// Asks the kernel for the number of the family. Whether it was another one before is told.
    pub(crate) fn resolve(&mut self) -> Result<bool, TableError> {
        let question = GenlCtrl {
            cmd: GenlCtrlCmd::GetFamily,
            nlas: vec![GenlCtrlAttrs::FamilyName(Payload::family_name().to_owned())],
        };
        self.outgoing.clear();
        let sequence = self.append(NLM_F_ACK, GenlMessage::from_payload(question));
        self.send()?;
        let mut number = None;
        let mut verdict = None;
        self.answers(|answer_to, _, answer| {
            if answer_to != sequence {
                return;
            }
            match answer {
                // Not parsed as a whole: the library knows no attributes newer than itself.
                Answer::Told(_, attributes) => {
                    for attribute in NlasIterator::new(attributes).flatten() {
                        if attribute.kind() == CTRL_ATTR_FAMILY_ID {
                            number = attribute.value().try_into().ok().map(u16::from_ne_bytes);
                        }
                    }
                }
                Answer::Verdict(denial) => verdict = Some(denial),
                Answer::End(_) => {}
            }
        })?;
        match (verdict, number) {
            (Some(Denial { errno: 0, .. }), Some(number)) => {
                let changed = self.family != number;
                self.family = number;
                Ok(changed)
            }
            (Some(Denial { errno, .. }), _) if errno == libc::ENOENT => Err(TableError::NoIpvs),
            (Some(Denial { errno, said }), _) if errno != 0 => Err(TableError::Kernel {
                what: "the family of IPVS",
                errno,
                said,
            }),
            _ => Err(TableError::AnswersLost),
        }
    }

    /// Has the kernel do each of `requests`, at most [`batch`](Self::batch) of them, and tells which
    /// it denied, by their place.
    pub(crate) fn transact(
        &mut self,
        requests: impl ExactSizeIterator<Item = Payload>,
    ) -> Result<Vec<(usize, Denial)>, TableError> {
        let count = requests.len();
        debug_assert!(count <= self.batch, "more answers than there is room for");
        if count == 0 {
            return Ok(Vec::new());
        }
        self.outgoing.clear();
        let first = self.sequence.wrapping_add(1);
        for (n, request) in requests.enumerate() {
            // Errors are answered in any case; success is told by the last answer alone.
            let ack = if n + 1 == count { NLM_F_ACK } else { 0 };
            let mut message = GenlMessage::from_payload(request);
            message.set_resolved_family_id(self.family);
            self.append(ack, message);
        }
        self.send()?;
        let mut denied = Vec::new();
        let mut complete = false;
        self.answers(|answer_to, _, answer| {
            let place = answer_to.wrapping_sub(first) as usize;
            if let Answer::Verdict(denial) = answer
                && place < count
            {
                complete |= place + 1 == count;
                if denial.errno != 0 {
                    denied.push((place, denial));
                }
            }
        })?;
        if complete {
            Ok(denied)
        } else {
            Err(TableError::AnswersLost)
        }
    }

    /// Asks for one thing. `None` says that the kernel denied it with `ESRCH`: there is none.
    pub(crate) fn ask<T>(
        &mut self,
        what: &'static str,
        question: Payload,
        mut read: impl FnMut(u8, &[u8]) -> Result<Option<T>, TableError>,
    ) -> Result<Option<T>, TableError> {
        let mut found = None;
        match self.question(NLM_F_ACK, question, |command, attributes| {
            if let Some(it) = read(command, attributes)? {
                found = Some(it);
            }
            Ok(())
        })? {
            Ok(_) => Ok(found),
            Err(denial) if denial.errno == libc::ESRCH => Ok(None),
            Err(denial) => Err(self.denied(what, denial)),
        }
    }

    /// Asks for all things of a kind.
    pub(crate) fn dump<T>(
        &mut self,
        what: &'static str,
        question: &Payload,
        mut read: impl FnMut(u8, &[u8]) -> Result<Option<T>, TableError>,
    ) -> Result<Vec<T>, TableError> {
        for _ in 0..DUMPS {
            let mut found = Vec::new();
            let end = self.question(NLM_F_DUMP, question.clone(), |command, attributes| {
                found.extend(read(command, attributes)?);
                Ok(())
            })?;
            match end {
                Ok(Whole::Yes) => return Ok(found),
                Ok(Whole::Interrupted) => {}
                Err(denial) if denial.errno == libc::EINTR => {}
                Err(denial) => return Err(self.denied(what, denial)),
            }
        }
        Err(TableError::AnswersLost)
    }

    /// What it means that a question was denied.
    fn denied(&mut self, what: &'static str, denial: Denial) -> TableError {
        let Denial { errno, said } = denial;
        match errno {
            libc::EPERM | libc::EACCES => TableError::NotPermitted,
            // No such family: the module went. Asking for it may bring it back, empty.
            libc::ENOENT => match self.resolve() {
                Ok(_) => TableError::AnswersLost,
                Err(error) => error,
            },
            errno => TableError::Kernel { what, errno, said },
        }
    }

    fn question(
        &mut self,
        flags: u16,
        question: Payload,
        mut each: impl FnMut(u8, &[u8]) -> Result<(), TableError>,
    ) -> Result<Result<Whole, Denial>, TableError> {
        self.outgoing.clear();
        let mut message = GenlMessage::from_payload(question);
        message.set_resolved_family_id(self.family);
        let sequence = self.append(flags, message);
        self.send()?;
        let mut whole = Whole::Yes;
        let mut unreadable = Ok(());
        let mut end = None;
        self.answers(|answer_to, flags, answer| {
            if answer_to != sequence {
                return;
            }
            if flags & NLM_F_DUMP_INTR != 0 {
                whole = Whole::Interrupted;
            }
            match answer {
                Answer::Verdict(denial) => end = Some(denial),
                Answer::End(errno) => end = Some(Denial { errno, said: None }),
                Answer::Told(command, attributes) if unreadable.is_ok() => {
                    unreadable = each(command, attributes);
                }
                Answer::Told(..) => {}
            }
        })?;
        unreadable?;
        match end {
            None => Err(TableError::AnswersLost),
            Some(Denial { errno: 0, .. }) => Ok(Ok(whole)),
            Some(denial) => Ok(Err(denial)),
        }
    }

    /// Puts a message at the end of what is to be sent, under the next sequence number.
    fn append<F>(&mut self, flags: u16, message: GenlMessage<F>) -> u32
    where
        F: GenlFamily + netlink_packet_core::Emitable + std::fmt::Debug,
    {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
        message.finalize();
        let start = self.outgoing.len();
        let end = start + message.buffer_len().next_multiple_of(4);
        self.outgoing.resize(end, 0);
        message.serialize(&mut self.outgoing[start..]);
        self.sequence
    }

    fn send(&self) -> io::Result<()> {
        let kernel = SocketAddr::new(0, 0);
        loop {
            match self
                .socket
                .send_to(&self.outgoing, &kernel, libc::MSG_DONTWAIT)
            {
                Ok(_) => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Gives all that is queued to `each`, with the sequence number it answers to and its flags.
    fn answers(&mut self, mut each: impl FnMut(u32, u16, Answer<'_>)) -> Result<(), TableError> {
        // What is left in the queue after a loss answers to this call too: it is taken out.
        let mut lost = false;
        loop {
            let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
            match self.socket.recv(&mut &mut self.buffer[..], flags) {
                Ok(n) if n > self.buffer.len() => lost = true,
                Ok(n) => {
                    for message in split(&self.buffer[..n]) {
                        if let Some(answer) = parse(&message) {
                            each(message.sequence_number(), message.flags(), answer);
                        }
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && lost => {
                    return Err(TableError::AnswersLost);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => lost = true,
                Err(e) => return Err(e.into()),
            }
        }
    }
}

/// Whether a dump saw the table in one state.
enum Whole {
    Yes,
    Interrupted,
}

/// Splits a datagram into its netlink messages; stops at the first that is cut short.
fn split(mut bytes: &[u8]) -> impl Iterator<Item = NetlinkBuffer<&[u8]>> {
    std::iter::from_fn(move || {
        let len = NetlinkBuffer::new_checked(bytes).ok()?.length() as usize;
        let message = bytes.get(..len)?;
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some(NetlinkBuffer::new(message))
    })
}

/// What a message says; `None` for one that says nothing to us.
fn parse<'a>(message: &NetlinkBuffer<&'a [u8]>) -> Option<Answer<'a>> {
    let payload = message.payload();
    match message.message_type() {
        NLMSG_ERROR => {
            let errno = i32::from_ne_bytes(payload.get(..4)?.try_into().ok()?);
            Some(Answer::Verdict(Denial {
                errno: errno.saturating_neg(),
                said: error_text(message.flags(), payload.get(4..).unwrap_or_default()),
            }))
        }
        NLMSG_DONE => {
            let errno = payload.get(..4).and_then(|it| it.try_into().ok());
            let errno = errno.map_or(0, i32::from_ne_bytes);
            Some(Answer::End(errno.saturating_neg()))
        }
        kind if kind > NLMSG_RESERVED => {
            Some(Answer::Told(*payload.first()?, payload.get(GENL_HDRLEN..)?))
        }
        _ => None,
    }
}

/// Types up to here are netlink's own.
const NLMSG_RESERVED: u16 = 15;

/// The kernel's words about an error, if it has any (extended ACK). `request` is the refused one,
/// of which a capped answer has the header only.
fn error_text(flags: u16, request: &[u8]) -> Option<String> {
    const HEADER: usize = 16;
    if flags & NLM_F_ACK_TLVS == 0 {
        return None;
    }
    let skip = if flags & NLM_F_CAPPED != 0 {
        HEADER
    } else {
        let len = u32::from_ne_bytes(request.get(..4)?.try_into().ok()?);
        (len as usize).next_multiple_of(4)
    };
    let mut attributes = NlasIterator::new(request.get(skip..)?).flatten();
    let text = attributes.find(|it| it.kind() == NLMSGERR_ATTR_MSG)?;
    let text = text.value().split(|&b| b == 0).next().unwrap_or_default();
    Some(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, Name, Protocol, Service, ServiceKey};

    #[test]
    fn lost_answers_are_noticed_and_forgotten() {
        rk_lab::Guest::new().modules(&["ip_vs"]).run(|| {
            let mut socket = GenlSocket::open(ReceiveBuffer::Ample).unwrap();
            socket.resolve().unwrap();
            assert_eq!(socket.batch(), BATCH);
            let key = ServiceKey::Address {
                protocol: Protocol::Tcp,
                address: [10, 0, 0, 1].into(),
                port: 80,
            };
            let missing = Command::SetService(Service::new(key, Name::new("rr").unwrap()));
            let batch = [missing; BATCH];
            let denied = socket.transact(batch.iter().map(Command::payload)).unwrap();
            assert_eq!(denied.len(), BATCH);
            assert!(denied.iter().all(|(_, it)| it.errno == libc::ESRCH));

            // The least that the kernel gives has room for a few answers.
            setsockopt(&socket.socket, sockopt::RcvBuf, &1).unwrap();
            let lost = socket.transact(batch.iter().map(Command::payload));
            assert!(matches!(lost, Err(TableError::AnswersLost)), "{lost:?}");
            let one = socket.transact([missing.payload()].into_iter()).unwrap();
            assert_eq!(one.len(), 1);
            assert!(!socket.resolve().unwrap());
        });
    }

    proptest::proptest! {
        #[test]
        fn no_datagram_is_too_strange_to_read(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
            kind in 0..40u16,
            flags in proptest::prelude::any::<u16>(),
        ) {
            // With a header that is right, or nothing behind it would be reached.
            let len = u32::try_from(16 + bytes.len()).unwrap();
            let mut datagram = len.to_ne_bytes().to_vec();
            datagram.extend(kind.to_ne_bytes());
            datagram.extend(flags.to_ne_bytes());
            datagram.extend([0; 8]);
            datagram.extend(&bytes);
            for datagram in [&datagram, &bytes] {
                for message in split(datagram) {
                    let _ = parse(&message);
                }
            }
        }
    }
}

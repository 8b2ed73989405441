//! Adds and deletes addresses in steps that never hold up the loop for long.
//!
//! ```text
//!  submit(id, ops) ──▶ queue ──step()──▶ 16 requests in one send, acknowledged by one answer
//!                                         (and one more for each that failed)
//!                       ◀─ Completion { id, results, last } as soon as they are done
//! ```
//!
//! The kernel acts on a request inside the `send` call, about 20 µs for an address, and its
//! answers are queued when the call returns. So a step is a few small sends, each followed by
//! reading the answers, until its time budget is spent.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;

use super::{AddressError, Op, Outcome};
use crate::clock::Clock;
use crate::netlink::{Datagram, ReceiveBuffer, RouteSocket, append, error_text, split};

/// Requests in one send: about 0.4 ms.
const CHUNK: usize = 16;
/// Holds the answers even if each of a chunk's requests fails with a long text.
const BUFFER: ReceiveBuffer = ReceiveBuffer {
    bytes: 1 << 20,
    beyond: true,
};

/// The caller's name for a set of ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub u64);

/// Ops of one submission that are done.
#[derive(Debug, PartialEq, Eq)]
pub struct Completion {
    /// The submission.
    pub id: OpId,
    /// Its next ops in order, each with what became of it.
    pub results: Vec<(Op, Result<Outcome, AddressError>)>,
    /// Whether these were its last ones.
    pub last: bool,
}

struct Submission {
    id: OpId,
    ops: VecDeque<Op>,
}

/// The only one that changes addresses. See the module.
pub struct AddressWriter {
    socket: RouteSocket,
    clock: Clock,
    queue: VecDeque<Submission>,
    sequence: u32,
    request: Vec<u8>,
}

impl AddressWriter {
    /// Opens its netlink socket, in the namespace of this thread. Must be called inside a tokio
    /// runtime.
    ///
    /// # Errors
    /// Out of file descriptors.
    pub fn new(clock: Clock) -> io::Result<Self> {
        Ok(Self {
            socket: RouteSocket::open(&[], BUFFER)?,
            clock,
            queue: VecDeque::new(),
            sequence: 0,
            request: Vec::new(),
        })
    }

    /// Queues `ops`, to be done in order, after all that was queued before. No op is done before
    /// [`step`](Self::step) is called. A submission without ops completes at the next step.
    pub fn submit(&mut self, id: OpId, ops: Vec<Op>) {
        self.queue.push_back(Submission {
            id,
            ops: ops.into(),
        });
    }

    /// Takes back what is still queued under `id`; ops already done stay done, and no
    /// [`Completion`] with `last` follows.
    pub fn cancel(&mut self, id: OpId) -> Vec<Op> {
        let mut taken = Vec::new();
        self.queue.retain_mut(|submission| {
            let matches = submission.id == id;
            if matches {
                taken.extend(submission.ops.drain(..));
            }
            !matches
        });
        taken
    }

    /// Whether nothing is queued.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Waits until there is something to [`step`](Self::step) for, and lets the runtime look at
    /// its timers and sockets once in any case, so that a loop over a long queue stays awake.
    pub async fn ready(&self) {
        if self.is_idle() {
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
    }

    /// Does queued ops until the queue is empty or `budget` would be exceeded (one chunk of 16 at
    /// least) and says what became of them.
    ///
    /// # Errors
    /// When the socket fails as a whole; the ops in question are back in the queue.
    pub fn step(&mut self, budget: Duration) -> io::Result<Vec<Completion>> {
        let start = self.clock.now();
        let mut before = start;
        let mut completions = Vec::new();
        while !self.is_idle() {
            self.chunk(&mut completions)?;
            let now = self.clock.now();
            // The next chunk will need about as long as this one.
            if now.since(start) + now.since(before) > budget {
                break;
            }
            before = now;
        }
        Ok(completions)
    }

    /// Sends one chunk and reads its answers.
    fn chunk(&mut self, completions: &mut Vec<Completion>) -> io::Result<()> {
        let first = self.sequence.wrapping_add(1);
        let ops = self.queue.iter().flat_map(|s| &s.ops).take(CHUNK);
        let count = ops.clone().count();
        self.request.clear();
        for (n, op) in ops.enumerate() {
            self.sequence = self.sequence.wrapping_add(1);
            let kind = match op {
                Op::Add(_) => NLM_F_CREATE | NLM_F_EXCL,
                Op::Delete(_) => 0,
            };
            // Errors are answered in any case; success is told by the last answer alone.
            let ack = if n + 1 == count { NLM_F_ACK } else { 0 };
            append(
                &mut self.request,
                NLM_F_REQUEST | kind | ack,
                self.sequence,
                op.message(),
            );
        }
        let results = if count == 0 {
            Vec::new()
        } else {
            match self.socket.send(&self.request) {
                Ok(()) => self.answers(first, count)?,
                Err(e) if is_busy(&e) => vec![Some(Err(AddressError::Busy)); count],
                Err(e) => return Err(e),
            }
        };
        self.complete(results, completions);
        Ok(())
    }

    /// One result for each request from `first` on.
    fn answers(
        &mut self,
        first: u32,
        count: usize,
    ) -> io::Result<Vec<Option<Result<Outcome, AddressError>>>> {
        let mut results = vec![None; count];
        let mut lost = false;
        loop {
            let bytes = match self.socket.receive()? {
                Datagram::Messages(bytes) => bytes,
                Datagram::Lost => {
                    lost = true;
                    continue;
                }
                Datagram::Empty => break,
            };
            for message in split(bytes) {
                let Ok(message) = NetlinkMessage::<RouteNetlinkMessage>::deserialize(message)
                else {
                    continue;
                };
                let (header, NetlinkPayload::Error(error)) = message.into_parts() else {
                    continue;
                };
                let place = header.sequence_number.wrapping_sub(first) as usize;
                let op = self.queue.iter().flat_map(|s| &s.ops).nth(place);
                if let (Some(result), Some(op)) = (results.get_mut(place), op) {
                    let errno = error.raw_code().saturating_abs();
                    *result = Some(verdict(op, errno, || error_text(header.flags, &error)));
                }
            }
        }
        self.socket.found_empty();
        // The last request is always answered: if it was not, the others' errors may be lost, too.
        lost |= results.last().is_some_and(Option::is_none);
        for result in results.iter_mut().filter(|r| r.is_none()) {
            *result = Some(if lost {
                Err(AddressError::Busy)
            } else {
                Ok(Outcome::Changed)
            });
        }
        Ok(results)
    }

    /// Takes the ops that have results off the queue.
    fn complete(
        &mut self,
        results: Vec<Option<Result<Outcome, AddressError>>>,
        completions: &mut Vec<Completion>,
    ) {
        let mut results = results.into_iter().flatten();
        while let Some(submission) = self.queue.front_mut() {
            let id = submission.id;
            let had = submission.ops.len();
            let done: Vec<_> = std::iter::from_fn(|| {
                let op = submission.ops.pop_front()?;
                match results.next() {
                    Some(result) => Some((op, result)),
                    None => {
                        submission.ops.push_front(op);
                        None
                    }
                }
            })
            .collect();
            let last = submission.ops.is_empty();
            if done.is_empty() && had > 0 {
                return;
            }
            match completions.last_mut() {
                Some(c) if c.id == id && !c.last => {
                    c.results.extend(done);
                    c.last = last;
                }
                _ => completions.push(Completion {
                    id,
                    results: done,
                    last,
                }),
            }
            if !last {
                return;
            }
            self.queue.pop_front();
        }
    }
}

fn is_busy(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ENOBUFS | libc::EAGAIN | libc::ENOMEM)
    )
}

fn verdict(
    op: &Op,
    errno: i32,
    said: impl FnOnce() -> Option<String>,
) -> Result<Outcome, AddressError> {
    match (op, errno) {
        (_, 0) => Ok(Outcome::Changed),
        // ENODEV: the interface went, and its addresses with it.
        (Op::Add(_), libc::EEXIST) | (Op::Delete(_), libc::EADDRNOTAVAIL | libc::ENODEV) => {
            Ok(Outcome::Already)
        }
        (_, errno) => Err(AddressError::of(errno, said())),
    }
}

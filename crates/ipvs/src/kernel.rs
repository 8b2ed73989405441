//! The kernel's table over generic netlink.

use rk_ipvs_sys as sys;
use tokio::task::yield_now;

use crate::command::Command;
use crate::dest::DestEntry;
use crate::error::{CommandError, Refusal, TableError};
use crate::service::{ServiceEntry, ServiceKey};
use crate::setting::{Info, Timeouts};
use crate::socket::{GenlSocket, ReceiveBuffer};
use crate::sync::SyncDaemon;
use crate::table::Table;
use crate::wire::{Message, Payload};

/// After how many services read other tasks may run.
const READ: u32 = 32;

/// The IPVS table of a network namespace.
///
/// It stays in the namespace of the thread that opened it, and may be moved to other threads: to
/// use the table of another namespace, open it on a thread that has entered that one.
pub struct Kernel {
    socket: GenlSocket,
    /// Counts dumps of real servers.
    read: u32,
}

impl Kernel {
    /// The table of the namespace of this thread.
    ///
    /// # Errors
    /// [`TableError::NoIpvs`]: load the module and try again. See [`TableError`].
    pub fn open() -> Result<Self, TableError> {
        Self::open_with(ReceiveBuffer::Ample)
    }

    /// The same over a socket with this receive buffer.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(buffer: ReceiveBuffer) -> Result<Self, TableError> {
        let mut socket = GenlSocket::open(buffer)?;
        socket.resolve()?;
        Ok(Self { socket, read: 0 })
    }

    /// Whether `some` is the stop of a sync daemon, and that one does not run. A daemon that is
    /// stopped before its thread has begun ends with `EINTR`, and that error netlink does not
    /// answer with.
    async fn has_stopped(&mut self, some: &[Command]) -> bool {
        let [Command::DelDaemon { state, .. }] = some else {
            return false;
        };
        let running = self.daemons().await;
        running.is_ok_and(|running| running.iter().all(|daemon| daemon.state != *state))
    }
}

/// As many of the first of `commands` as go in one send: a batch, but the stop of a sync daemon
/// goes alone, because its answer may be missing.
fn together(commands: &[Command], batch: usize) -> &[Command] {
    let alone = |command: &Command| matches!(command, Command::DelDaemon { .. });
    let len = match commands.iter().take(batch).position(alone) {
        Some(0) => 1,
        Some(stop) => stop,
        None => batch.min(commands.len()),
    };
    commands.get(..len).unwrap_or(commands)
}

impl Table for Kernel {
    async fn info(&mut self) -> Result<Info, TableError> {
        let question = Payload::new(sys::IPVS_CMD_GET_INFO, |_| {});
        let answer = self.socket.ask("the version of IPVS", question, |c, a| {
            Ok(match Message::parse(c, a)? {
                Message::Info(info) => Some(info),
                _ => None,
            })
        })?;
        answer.ok_or(TableError::AnswersLost)
    }

    async fn timeouts(&mut self) -> Result<Timeouts, TableError> {
        let question = Payload::new(sys::IPVS_CMD_GET_CONFIG, |_| {});
        let answer = self.socket.ask("the timeouts of IPVS", question, |c, a| {
            Ok(match Message::parse(c, a)? {
                Message::Timeouts(timeouts) => Some(timeouts),
                _ => None,
            })
        })?;
        answer.ok_or(TableError::AnswersLost)
    }

    async fn daemons(&mut self) -> Result<Vec<SyncDaemon>, TableError> {
        let question = Payload::new(sys::IPVS_CMD_GET_DAEMON, |_| {});
        self.socket.dump("the sync daemons", &question, |c, a| {
            Ok(match Message::parse(c, a)? {
                Message::Daemon(daemon) => Some(daemon),
                _ => None,
            })
        })
    }

    async fn services(&mut self) -> Result<Vec<ServiceEntry>, TableError> {
        let question = Payload::new(sys::IPVS_CMD_GET_SERVICE, |_| {});
        self.socket.dump("the virtual servers", &question, |c, a| {
            Ok(match Message::parse(c, a)? {
                Message::Service(entry) => Some(entry),
                _ => None,
            })
        })
    }

    async fn service(&mut self, key: &ServiceKey) -> Result<Option<ServiceEntry>, TableError> {
        let question = Payload::new(sys::IPVS_CMD_GET_SERVICE, |to| {
            to.nest(sys::IPVS_CMD_ATTR_SERVICE, |to| key.write(to));
        });
        self.socket.ask("a virtual server", question, |c, a| {
            Ok(match Message::parse(c, a)? {
                Message::Service(entry) => Some(entry),
                _ => None,
            })
        })
    }

    async fn dests(&mut self, of: &ServiceKey) -> Result<Vec<DestEntry>, TableError> {
        self.read = self.read.wrapping_add(1);
        if self.read.is_multiple_of(READ) {
            yield_now().await;
        }
        let question = Payload::new(sys::IPVS_CMD_GET_DEST, |to| {
            to.nest(sys::IPVS_CMD_ATTR_SERVICE, |to| of.write(to));
        });
        self.socket.dump("the real servers", &question, |c, a| {
            Ok(match Message::parse(c, a)? {
                Message::Dest(entry) => Some(entry),
                _ => None,
            })
        })
    }

    async fn apply(&mut self, commands: &[Command]) -> Result<Vec<Refusal>, TableError> {
        let mut refused = Vec::new();
        let mut done = 0;
        while let Some(rest) = commands.get(done..).filter(|rest| !rest.is_empty()) {
            if done > 0 {
                yield_now().await;
            }
            let some = together(rest, self.socket.batch());
            let denied = match self.socket.transact(some.iter().map(Command::payload)) {
                Ok(denied) => denied,
                Err(TableError::AnswersLost) if self.has_stopped(some).await => Vec::new(),
                Err(error) => return Err(error),
            };
            // A generic netlink family that is gone is the same error number as an unknown
            // scheduler or real server.
            if denied.iter().any(|(_, it)| it.errno == libc::ENOENT) && self.socket.resolve()? {
                return Err(TableError::AnswersLost);
            }
            for (place, denial) in denied {
                if denial.errno == libc::EPERM {
                    return Err(TableError::NotPermitted);
                }
                if let Some(command) = some.get(place) {
                    refused.push(Refusal {
                        index: done + place,
                        error: CommandError::new(command, denial.errno, denial.said),
                    });
                }
            }
            done += some.len();
        }
        Ok(refused)
    }
}

//! One attempt at a change, and what to do when it fails.

use super::Family;
use super::error::FirewallError;
use super::existing::{Existing, Known, look};
use super::request::{self, Request};
use super::socket::{Failure, Generation, NfSocket, Refusal};

/// Why an attempt failed.
pub(super) enum Attempt {
    /// For good.
    Failed(FirewallError),
    /// As [`Attempt::judge`] says.
    Kernel(Failure),
}

/// What to do about a failed attempt.
pub(super) enum Next {
    /// Try the same again.
    Again,
    /// Others changed our tables, or an answer was lost: look at what there is, and make all of
    /// it anew.
    Anew,
    /// Tell the caller.
    GiveUp(FirewallError),
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        Self::Kernel(failure)
    }
}

impl Attempt {
    /// What to do, where our tables are called `table` and `had` says whether they were there.
    pub(super) fn judge(self, table: &str, had: bool) -> Next {
        let refusal = match self {
            Self::Failed(error) => return Next::GiveUp(error),
            Self::Kernel(Failure::Socket(error)) => match error.raw_os_error() {
                Some(libc::ENOBUFS | libc::EAGAIN | libc::ENOMEM) => {
                    return Next::GiveUp(FirewallError::Busy);
                }
                _ => return Next::GiveUp(FirewallError::Socket(error)),
            },
            Self::Kernel(Failure::Unanswered) => return Next::Anew,
            Self::Kernel(Failure::Refused(refusal)) => refusal,
        };
        match refusal.errno {
            libc::ERESTART | libc::EINTR | libc::EAGAIN => Next::Again,
            // A set or table that we had is gone, or one came up beside us.
            libc::ENOENT | libc::EEXIST if had => Next::Anew,
            libc::EPERM | libc::EACCES => Next::GiveUp(FirewallError::NotPermitted),
            libc::ENOMEM | libc::ENOBUFS => Next::GiveUp(FirewallError::Busy),
            // ENOENT for what we have just looked for: the kernel lacks a part (a module) of it.
            libc::EOPNOTSUPP | libc::EAFNOSUPPORT | libc::ENOENT => {
                Next::GiveUp(FirewallError::Unsupported { said: refusal.said })
            }
            errno => Next::GiveUp(FirewallError::Kernel {
                table: table.to_owned(),
                errno,
                said: refusal.said,
            }),
        }
    }
}

/// The socket, opened at the first need.
pub(super) fn opened(socket: &mut Option<NfSocket>) -> Result<&mut NfSocket, Attempt> {
    if socket.is_none() {
        let opened = NfSocket::open().map_err(|error| {
            Attempt::Failed(match error.raw_os_error() {
                Some(libc::EPROTONOSUPPORT) => FirewallError::Unsupported { said: None },
                _ => FirewallError::Socket(error),
            })
        })?;
        *socket = Some(opened);
    }
    Ok(socket.as_mut().expect("it was opened above"))
}

/// Our tables, one a family.
pub(super) struct Tables<'a> {
    /// What they are called.
    pub(super) name: &'a str,
    /// What is in them.
    pub(super) known: &'a Known,
    /// The keyword that names them.
    pub(super) keyword: &'static str,
}

impl Tables<'_> {
    /// What removes leftovers where tables are `needed`, and where it is `uncertain` what there
    /// is; and the generation that this was seen in, if anything was looked at.
    pub(super) fn make_room(
        &self,
        socket: &mut NfSocket,
        needed: impl Fn(Family) -> bool,
        uncertain: bool,
    ) -> Result<(Vec<Request>, Option<Generation>), Attempt> {
        let mut requests = Vec::new();
        let mut expected = None;
        for family in [Family::Ipv4, Family::Ipv6] {
            let needed = needed(family);
            if !needed && !uncertain {
                continue;
            }
            // What we see of others' tables must still be so when the transaction takes effect.
            expected = Some(match expected {
                Some(generation) => generation,
                None => generation(socket)?,
            });
            match look(socket, family, self.name, self.known)? {
                Existing::None => {}
                Existing::Leftover(handle) => {
                    requests.push(request::delete_table(family, handle));
                }
                Existing::Foreign if !needed => {}
                Existing::Foreign => {
                    return Err(Attempt::Failed(FirewallError::Taken {
                        family,
                        table: self.name.to_owned(),
                        keyword: self.keyword,
                    }));
                }
            }
        }
        Ok((requests, expected))
    }

    /// Removes them, but not those of others.
    pub(super) fn clear(&self, socket: &mut NfSocket) -> Result<(), Attempt> {
        let (requests, expected) = self.make_room(socket, |_| false, true)?;
        if !requests.is_empty() {
            socket.transaction(requests, expected)?;
        }
        Ok(())
    }
}

/// The first question to nftables: where there is none, the kernel calls it an invalid one.
pub(super) fn generation(socket: &mut NfSocket) -> Result<Generation, Attempt> {
    socket.generation().map_err(|failure| match failure {
        Failure::Refused(Refusal {
            errno: libc::EINVAL | libc::EOPNOTSUPP,
            said,
        }) => Attempt::Failed(FirewallError::Unsupported { said }),
        failure => failure.into(),
    })
}

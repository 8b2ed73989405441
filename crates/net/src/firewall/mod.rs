//! Drops packets to and from virtual addresses with nftables: VRRP's Accept_Mode off (keywords
//! `no_accept` and `vrrp_strict`).
//!
//! ```text
//!  set(addresses) ─▶ difference to what is installed ─▶ one nftables transaction ─▶ done
//!                    (tables, chains, sets on first need)      (all of it or nothing)
//! ```
//!
//! A Master that is not the owner has the virtual addresses on its interfaces only to answer for
//! them by ARP and neighbour discovery: the firewall keeps everything else from them.
//!
//! Everything happens inside the call: a change is one `send` to the kernel, below 0.1 ms for a few
//! addresses (0.5 ms when a table has to be made) and about 3 µs for each of many. Who has thousands
//! and something else to do meanwhile goes in steps ([`Firewall::step`]).
//= rfc9568 §6.4.3 (Master): does not accept packets to virtual addresses if Accept_Mode is false.
//= rfc3768 §6.4.3 (Master): accepts them only if it is the owner.

mod attempt;
mod content;
mod error;
mod existing;
mod layout;
mod marks;
mod request;
mod socket;

use std::collections::BTreeSet;

use attempt::{Attempt, Next, Tables, opened};
use content::{Content, Difference, SetName};
use socket::NfSocket;

pub use content::Dropped;
pub use error::{Family, FirewallError};
pub use marks::{Marked, Marker, Transport};

/// How often a change is tried against others that change nftables at the same time.
const ATTEMPTS: usize = 16;

/// How the tables are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirewallSettings {
    /// The name of both tables, `ip` and `ip6` (`nftables`); at most 254 bytes.
    pub table: String,
    /// The priority of the base chains (`nftables_priority`).
    pub priority: i32,
    /// Whether each rule counts its packets (`nftables_counters`).
    pub counters: bool,
}

impl FirewallSettings {
    /// Those of the tables that mark packets for IPVS (`nftables_ipvs`), by default.
    #[must_use]
    pub fn ipvs() -> Self {
        Self {
            table: "keepalived_ipvs".to_owned(),
            ..Self::default()
        }
    }
}

impl Default for FirewallSettings {
    fn default() -> Self {
        Self {
            table: "keepalived".to_owned(),
            priority: -1,
            counters: false,
        }
    }
}

/// The only one that changes our tables. See the module.
pub struct Firewall {
    settings: FirewallSettings,
    socket: Option<NfSocket>,
    installed: Content,
    /// Somebody else changed our tables, or an answer was lost: `installed` says nothing (and is
    /// empty) until the tables are made anew.
    uncertain: bool,
}

/// How far a [step](Firewall::step) went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All is as it was asked to be.
    Done,
    /// There is more to do: step again.
    More,
}

impl Firewall {
    /// Nothing is opened or changed until it is needed; then it is in the network namespace of
    /// the calling thread.
    #[must_use]
    pub fn new(settings: FirewallSettings) -> Self {
        Self {
            settings,
            socket: None,
            installed: Content::default(),
            uncertain: false,
        }
    }

    /// Makes `dropped` what is dropped, no more and no less. What is so already costs nothing.
    ///
    /// Call it before the addresses are added to their interfaces, and after they are deleted. A
    /// table of our name that is there at the first need is replaced if an earlier run (or
    /// keepalived) left it behind. Tables that others delete meanwhile come back, complete, at the
    /// next change.
    ///
    /// # Errors
    /// See [`FirewallError`]; what was dropped before still is.
    pub fn set(&mut self, dropped: &BTreeSet<Dropped>) -> Result<(), FirewallError> {
        self.step(dropped, usize::MAX).map(|_| ())
    }

    /// Goes towards `dropped` as [`set`](Self::set) does, by a transaction of at most `at_most`
    /// addresses (one at least), those to be dropped before those that no longer are.
    ///
    /// # Errors
    /// As for [`set`](Self::set).
    pub fn step(
        &mut self,
        dropped: &BTreeSet<Dropped>,
        at_most: usize,
    ) -> Result<Progress, FirewallError> {
        for _ in 0..ATTEMPTS {
            // Tables made anew replace others, which may have been complete.
            let at_most = if self.uncertain {
                usize::MAX
            } else {
                at_most.max(1)
            };
            let difference = self.installed.difference(dropped, at_most);
            let progress = if difference.complete {
                Progress::Done
            } else {
                Progress::More
            };
            if difference.is_empty() && !self.uncertain {
                return Ok(progress);
            }
            match self.attempt(&difference) {
                Ok(()) => {
                    self.installed.apply(difference);
                    self.uncertain = false;
                    return Ok(progress);
                }
                Err(failure) => match self.judge(failure) {
                    Next::Again | Next::Anew => {}
                    Next::GiveUp(error) => return Err(error),
                },
            }
        }
        Err(FirewallError::Busy)
    }

    /// Removes our tables with all they hold, also those that an earlier run or keepalived left
    /// behind; not those of others. For the start, before the first [`set`](Self::set), and for
    /// the end, when the addresses are gone.
    ///
    /// # Errors
    /// See [`FirewallError`]. A kernel without nftables has nothing to remove, which is none.
    pub fn clear(&mut self) -> Result<(), FirewallError> {
        for _ in 0..ATTEMPTS {
            match self.attempt_clear() {
                Ok(()) => {
                    self.installed = Content::default();
                    self.uncertain = false;
                    return Ok(());
                }
                Err(failure) => match self.judge(failure) {
                    Next::Again | Next::Anew => {}
                    Next::GiveUp(FirewallError::Unsupported { .. }) => return Ok(()),
                    Next::GiveUp(error) => return Err(error),
                },
            }
        }
        Err(FirewallError::Busy)
    }

    fn attempt(&mut self, difference: &Difference) -> Result<(), Attempt> {
        let socket = opened(&mut self.socket)?;
        let ours = tables(&self.settings);
        let needed = |family| difference.sets.contains(&SetName::main_of(family));
        let (mut requests, expected) = ours.make_room(socket, needed, self.uncertain)?;
        requests.extend(layout::transition(&self.settings, difference));
        if !requests.is_empty() {
            socket.transaction(requests, expected)?;
        }
        Ok(())
    }

    fn attempt_clear(&mut self) -> Result<(), Attempt> {
        tables(&self.settings).clear(opened(&mut self.socket)?)
    }

    fn judge(&mut self, failure: Attempt) -> Next {
        let had = self.installed != Content::default();
        let next = failure.judge(&self.settings.table, had);
        if matches!(next, Next::Anew) {
            self.forget();
        }
        next
    }

    /// Has the next attempt look at what there is, and make it anew in one transaction, so that
    /// there is no moment without it.
    fn forget(&mut self) {
        self.installed = Content::default();
        self.uncertain = true;
    }
}

/// Our tables by these settings, as the kernel may already have them.
fn tables(settings: &FirewallSettings) -> Tables<'_> {
    Tables {
        name: &settings.table,
        known: &layout::KNOWN,
        keyword: "nftables",
    }
}

#[cfg(test)]
mod tests {
    use super::socket::{Failure, Refusal};
    use super::*;

    /// What becomes of an attempt that the kernel refuses with `errno`.
    fn refused(firewall: &mut Firewall, errno: i32) -> Option<FirewallError> {
        let said = Some("words".to_owned());
        match firewall.judge(Failure::Refused(Refusal { errno, said }).into()) {
            Next::Again | Next::Anew => None,
            Next::GiveUp(error) => Some(error),
        }
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        let mut firewall = Firewall::new(FirewallSettings::default());
        for errno in [libc::ERESTART, libc::EINTR, libc::EAGAIN] {
            assert!(refused(&mut firewall, errno).is_none());
        }
        for errno in [libc::EOPNOTSUPP, libc::EAFNOSUPPORT, libc::ENOENT] {
            let error = refused(&mut firewall, errno).unwrap();
            assert!(
                matches!(error, FirewallError::Unsupported { .. }),
                "{error}"
            );
        }
        let error = refused(&mut firewall, libc::EPERM).unwrap();
        assert!(matches!(error, FirewallError::NotPermitted), "{error}");
        let error = refused(&mut firewall, libc::ENOMEM).unwrap();
        assert!(error.retryable(), "{error}");
        let error = refused(&mut firewall, libc::EBUSY).unwrap();
        assert!(!error.retryable());
        let text = error.to_string();
        assert!(
            text.contains("`keepalived`") && text.ends_with("(words)"),
            "{text}"
        );
        assert!(!firewall.uncertain);
    }

    #[test]
    fn what_others_changed_is_looked_at_again() {
        let mut firewall = Firewall::new(FirewallSettings::default());
        let one = BTreeSet::from([Dropped::Everywhere([192, 0, 2, 1].into())]);
        let difference = firewall.installed.difference(&one, usize::MAX);
        firewall.installed.apply(difference);
        assert!(refused(&mut firewall, libc::ENOENT).is_none());
        assert!(firewall.uncertain);
        assert_eq!(firewall.installed, Content::default());
        // The same refusal of tables made anew has another reason.
        assert!(refused(&mut firewall, libc::ENOENT).is_some());
    }
}

//! Keeps the kernel's table as it is wanted: what the IPVS wrapper does, whatever the table is.

use std::collections::{HashMap, HashSet};

use rk_config::model::Origin;
use rk_ipvs::{Command, Object, Reason, Refusal, ServiceKey, State, Table, TableError, reconcile};
use tracing::{error, info, warn};

use super::table::Want;

/// How many wishes become commands at once: what ten thousand of them take would stay with the
/// process.
const AT_ONCE: usize = 512;
/// How many changes that somebody else made are named one by one.
const NAMED: usize = 5;

/// Why the table is read and compared as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// At the start, when somebody else's services may be in our places, or an earlier run's.
    First,
    /// To see whether somebody changed what is ours.
    Repair,
    /// Because it is not known which commands the kernel has carried out.
    Lost,
}

/// What the table should hold, and what it is known to hold.
#[derive(Debug, Default)]
pub(super) struct Keeper {
    wanted: State,
    known: State,
    /// Every service this process has ever put there: only these may be taken away.
    ours: HashSet<ServiceKey>,
    /// Where the services stand in the configuration.
    origins: HashMap<ServiceKey, Origin>,
    /// Something did not work, and is to be tried again at the next pass.
    unsettled: bool,
}

impl Keeper {
    /// Takes over where services stand in the configuration.
    pub(super) fn configured(&mut self, origins: HashMap<ServiceKey, Origin>) {
        self.origins = origins;
    }

    /// Whether something is to be tried again.
    pub(super) const fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// Remembers what is wanted, without telling the kernel: a pass will.
    pub(super) fn remember(&mut self, wants: &[Want]) {
        for want in wants {
            self.want(want);
        }
    }

    /// Does what is wanted, one command for each difference and in the order of `wants`.
    ///
    /// # Errors
    /// The table as a whole cannot be changed. What is wanted is remembered.
    pub(super) async fn fulfil<T: Table>(
        &mut self,
        table: &mut T,
        wants: &[Want],
    ) -> Result<(), TableError> {
        // What fails is remembered all the same, and left to the next pass.
        let mut result = Ok(());
        for wants in wants.chunks(AT_ONCE) {
            let commands: Vec<Command> = wants.iter().filter_map(|want| self.want(want)).collect();
            if result.is_ok() {
                result = self.apply(table, &commands).await;
            }
        }
        result
    }

    /// Remembers one thing; the command that makes it so, if one is needed.
    fn want(&mut self, want: &Want) -> Option<Command> {
        match *want {
            Want::Service(key, Some(service)) => {
                self.ours.insert(key);
                let service = rk_ipvs::Entry::new(service);
                let normal = *service.service();
                if self.wanted.entry(&key).is_none() {
                    self.wanted.put(service);
                } else if let Err(errno) = self.wanted.apply(&Command::SetService(normal)) {
                    debug_assert_eq!(errno, 0, "a service that is there can be changed");
                }
                match self.known.entry(&key) {
                    None => Some(Command::NewService(normal)),
                    Some(there) if *there.service() != normal => Some(Command::SetService(normal)),
                    Some(_) => None,
                }
            }
            Want::Service(key, None) => {
                self.wanted.take(&key);
                self.known.entry(&key).map(|_| Command::DelService(key))
            }
            Want::Dest(key, _, Some(dest)) => {
                self.wanted.entry_mut(&key)?.put(dest);
                let there = self.known.entry(&key).and_then(|e| e.dest(&dest.key));
                match there {
                    None => Some(Command::NewDest(key, dest)),
                    Some(there) if *there != dest => Some(Command::SetDest(key, dest)),
                    Some(_) => None,
                }
            }
            Want::Dest(key, dest, None) => {
                if let Some(entry) = self.wanted.entry_mut(&key) {
                    entry.take(&dest);
                }
                let there = self.known.entry(&key).and_then(|e| e.dest(&dest));
                there.map(|_| Command::DelDest(key, dest))
            }
        }
    }

    /// Reads the table, and makes it what is wanted.
    ///
    /// # Errors
    /// The table cannot be read or changed.
    pub(super) async fn pass<T: Table>(
        &mut self,
        table: &mut T,
        why: Pass,
    ) -> Result<(), TableError> {
        self.unsettled = false;
        let Self { wanted, ours, .. } = &*self;
        let actual = table
            .read(|key| ours.contains(key) || wanted.entry(key).is_some())
            .await?;
        let commands = reconcile(&actual, &self.wanted, &self.ours);
        match why {
            Pass::First if !actual.is_empty() => {
                info!("IPVS: taking over {} services that are there", actual.len());
            }
            Pass::Repair if actual != self.known => self.report(&commands),
            _ => {}
        }
        self.known = actual;
        self.apply(table, &commands).await
    }

    /// Says what somebody else has changed.
    fn report(&self, commands: &[Command]) {
        let count = commands.len();
        if count == 0 {
            return;
        }
        warn!("IPVS: somebody else changed our virtual servers: {count} changes to put back");
        for command in commands.iter().take(NAMED) {
            warn!("IPVS: putting back: {command}");
        }
    }

    /// Forgets what the kernel was known to hold; the next pass finds out.
    pub(super) fn lost(&mut self) {
        self.unsettled = true;
    }

    async fn apply<T: Table>(
        &mut self,
        table: &mut T,
        commands: &[Command],
    ) -> Result<(), TableError> {
        if commands.is_empty() {
            return Ok(());
        }
        let refusals = table
            .apply(commands)
            .await
            .inspect_err(|_| self.unsettled = true)?;
        let mut refused = refusals.iter().peekable();
        for (index, command) in commands.iter().enumerate() {
            let refusal = refused.next_if(|refusal| refusal.index == index);
            let done = match refusal {
                None => true,
                Some(refusal) => self.refused(refusal),
            };
            if done {
                // What was not known to be there is so no more; what is added over something
                // unknown is looked at in the next pass.
                let _ = self.known.apply(command);
            }
        }
        Ok(())
    }

    /// Whether a refused command has its effect all the same.
    fn refused(&mut self, refusal: &Refusal) -> bool {
        let error = &refusal.error;
        let exists = error.reason == Reason::Exists;
        if error.already() && !exists {
            return true;
        }
        // Somebody else was there first, or is too quick for us: the next pass looks again.
        self.unsettled |= exists || error.reason == Reason::Missing || error.retryable();
        let origin = match error.object() {
            Object::Service(key) | Object::Dest(key, _) => self.origins.get(&key),
            Object::Daemon(_) | Object::Table => None,
        };
        if !exists {
            match origin {
                Some(origin) => error!("{origin}: IPVS: {error}"),
                None => error!("IPVS: {error}"),
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;

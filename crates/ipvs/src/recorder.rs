//! A table in memory that behaves as the kernel's and remembers what it was told: for tests, and
//! for benches with more real servers than a kernel at hand has room for.

use crate::command::Command;
use crate::dest::DestEntry;
use crate::error::{CommandError, Refusal, TableError};
use crate::service::{ServiceEntry, ServiceKey};
use crate::setting::{Info, Timeouts};
use crate::state::{Entry, State};
use crate::stats::Stats;
use crate::sync::SyncDaemon;
use crate::table::Table;

/// Looks at each command and says with which error number to refuse it.
type Refuse = Box<dyn FnMut(&Command) -> Option<i32> + Send>;
/// Says whether the next call fails as a whole.
type Fail = Box<dyn FnMut() -> Option<TableError> + Send>;

/// Is given each command instead of its being kept.
type Watch = Box<dyn FnMut(&Command) -> std::io::Result<()> + Send>;

/// The test double for [`Kernel`](crate::Kernel).
#[derive(Default)]
pub struct Recorder {
    state: State,
    timeouts: Option<Timeouts>,
    daemons: Vec<SyncDaemon>,
    told: Vec<Command>,
    refuse: Option<Refuse>,
    fail: Option<Fail>,
    watch: Option<Watch>,
}

/// What the kernel starts with.
const TIMEOUTS: Timeouts = Timeouts {
    tcp: 900,
    tcp_fin: 120,
    udp: 300,
};

impl Recorder {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The services now there.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The services, to be changed as somebody else would with `ipvsadm`: nothing is recorded.
    pub const fn by_hand(&mut self) -> &mut State {
        &mut self.state
    }

    /// Every command so far, also the refused ones, in order.
    #[must_use]
    pub fn told(&self) -> &[Command] {
        &self.told
    }

    /// The same, and forgets them.
    pub fn take_told(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.told)
    }

    /// From now on refuses the commands for which `refuse` gives an error number.
    pub fn refuse(&mut self, refuse: impl FnMut(&Command) -> Option<i32> + Send + 'static) {
        self.refuse = Some(Box::new(refuse));
    }

    /// From now on fails the calls for which `fail` gives an error.
    pub fn fail(&mut self, fail: impl FnMut() -> Option<TableError> + Send + 'static) {
        self.fail = Some(Box::new(fail));
    }

    /// From now on gives each command to `watch`, also those that are refused, and keeps none for
    /// [`Self::told`]. Where `watch` fails, so does the call.
    pub fn watch(&mut self, watch: impl FnMut(&Command) -> std::io::Result<()> + Send + 'static) {
        self.watch = Some(Box::new(watch));
    }

    fn check(&mut self) -> Result<(), TableError> {
        match self.fail.as_mut().and_then(|fail| fail()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn perform(&mut self, command: &Command) -> Result<(), i32> {
        if let Some(errno) = self.refuse.as_mut().and_then(|refuse| refuse(command)) {
            return Err(errno);
        }
        match command {
            Command::NewDaemon(daemon) => {
                if self.daemons.iter().any(|other| other.state == daemon.state) {
                    return Err(libc::EEXIST);
                }
                self.daemons.push(*daemon);
            }
            Command::DelDaemon { state, .. } => {
                let there = self.daemons.iter().position(|other| other.state == *state);
                self.daemons.remove(there.ok_or(libc::ESRCH)?);
            }
            Command::SetTimeouts(timeouts) => {
                let before = self.timeouts.unwrap_or(TIMEOUTS);
                self.timeouts = Some(timeouts.or(before));
            }
            _ => self.state.apply(command)?,
        }
        Ok(())
    }
}

impl Table for Recorder {
    async fn info(&mut self) -> Result<Info, TableError> {
        self.check()?;
        Ok(Info {
            version: (1, 2, 1),
            connection_table_size: 4096,
        })
    }

    async fn timeouts(&mut self) -> Result<Timeouts, TableError> {
        self.check()?;
        Ok(self.timeouts.unwrap_or(TIMEOUTS))
    }

    async fn daemons(&mut self) -> Result<Vec<SyncDaemon>, TableError> {
        self.check()?;
        Ok(self.daemons.clone())
    }

    async fn services(&mut self) -> Result<Vec<ServiceEntry>, TableError> {
        self.check()?;
        let entries = self.state.entries().map(|entry| ServiceEntry {
            service: *entry.service(),
            stats: Stats::default(),
        });
        Ok(entries.collect())
    }

    async fn service(&mut self, key: &ServiceKey) -> Result<Option<ServiceEntry>, TableError> {
        self.check()?;
        Ok(self.state.entry(key).map(|entry| ServiceEntry {
            service: *entry.service(),
            stats: Stats::default(),
        }))
    }

    async fn dests(&mut self, of: &ServiceKey) -> Result<Vec<DestEntry>, TableError> {
        self.check()?;
        let dests = self.state.entry(of).into_iter().flat_map(Entry::dests);
        let entries = dests.map(|dest| DestEntry {
            dest: *dest,
            active: 0,
            inactive: 0,
            persistent: 0,
            stats: Stats::default(),
        });
        Ok(entries.collect())
    }

    async fn apply(&mut self, commands: &[Command]) -> Result<Vec<Refusal>, TableError> {
        self.check()?;
        match &mut self.watch {
            Some(watch) => commands.iter().try_for_each(watch)?,
            None => self.told.extend(commands),
        }
        let mut refused = Vec::new();
        for (index, command) in commands.iter().enumerate() {
            if let Err(errno) = self.perform(command) {
                refused.push(Refusal {
                    index,
                    error: CommandError::new(command, errno, None),
                });
            }
        }
        Ok(refused)
    }
}

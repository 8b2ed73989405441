//! The parent at work: keeps its children running, and passes on what it is told.
//!
//! ```text
//!   signals ─────────┐                     ┌── children: start, reload, ask, end
//!   children's links ┼─► Event ─► handle ──┼── systemd
//!   deadlines ───────┘                     └── log, dump file
//! ```

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use super::process::Child;
use super::respawn::Respawn;
use super::{ending, load, systemd};
use crate::cli::{Options, Process};
use crate::dump::{self, Dump};
use crate::ipc::{FromChild, ToChild};
use crate::pidfile::PidFile;
use crate::signal::{Held, Signal};
use crate::{Config, names};

/// Everything that wakes the parent.
#[derive(Debug)]
pub(crate) enum Event {
    /// A signal.
    Signal(Signal),
    /// The child with this pid said something.
    Said(Pid, FromChild),
    /// The child with this pid takes requests again.
    Writable(Pid),
    /// A moment that something waits for has come.
    Deadline,
}

/// The place of one child.
#[derive(Debug)]
struct Slot {
    process: Process,
    state: State,
    respawn: Respawn,
    pid_file: Option<PidFile>,
}

impl Slot {
    /// Nothing is under way: no start, no reload.
    fn is_settled(&self) -> bool {
        match &self.state {
            State::Idle | State::Leaving(_) => true,
            State::Running(child) => child.ready && !child.reloading,
            State::Waiting(_) => false,
        }
    }
}

/// How a child is.
#[derive(Debug)]
enum State {
    /// There is nothing for it to do.
    Idle,
    /// It runs.
    Running(Child),
    /// It died, and comes back then.
    Waiting(Instant),
    /// It runs, but was told to end: there is nothing for it to do any more.
    Leaving(Child),
}

/// How far a reload has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reload {
    /// There is none.
    Idle,
    /// The children are at it.
    Running,
    /// And another one was asked for meanwhile.
    Queued,
}

/// Where in its life the daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The children are starting.
    Starting,
    /// All is well.
    Running,
    /// The children were told to end; those that have not by then are killed.
    Stopping {
        status: u8,
        kill_at: Option<Instant>,
    },
}

/// The parent.
#[derive(Debug)]
pub(crate) struct Supervisor {
    options: Options,
    config: Arc<Config>,
    slots: Vec<Slot>,
    phase: Phase,
    reload: Reload,
    events: UnboundedSender<Event>,
    /// How a child is started.
    start_child: StartChild,
}

/// Starts a child process: [`Child::start`], but in tests.
type StartChild = fn(Process, &Config, &Options, &UnboundedSender<Event>) -> io::Result<Child>;

impl Supervisor {
    /// Runs the daemon to its end.
    ///
    /// `pid_files` are those of the children.
    ///
    /// # Errors
    /// The runtime cannot be set up.
    pub(crate) fn run(
        options: Options,
        config: Arc<Config>,
        signals: Held,
        pid_files: Vec<(Process, Option<PidFile>)>,
    ) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting the runtime of the parent process")?;
        let (events, inbox) = unbounded_channel();
        let slots = pid_files
            .into_iter()
            .map(|(process, file)| Slot {
                process,
                state: State::Idle,
                respawn: Respawn::default(),
                pid_file: file,
            })
            .collect();
        let mut supervisor = Self {
            options,
            config,
            slots,
            phase: Phase::Starting,
            reload: Reload::Idle,
            events,
            start_child: Child::start,
        };
        let status = runtime.block_on(supervisor.serve(signals, inbox))?;
        Ok(ExitCode::from(status))
    }

    /// The loop; gives the exit status.
    async fn serve(
        &mut self,
        signals: Held,
        mut inbox: UnboundedReceiver<Event>,
    ) -> anyhow::Result<u8> {
        let signals = signals.listen().context("listening to signals")?;
        self.start_children();
        if self.running().next().is_none() && self.phase == Phase::Starting {
            tracing::warn!("Warning - keepalived has no configuration to run");
        }
        self.settle();
        loop {
            if let Phase::Stopping { status, .. } = self.phase
                && !self.any_alive()
            {
                return Ok(status);
            }
            let deadline = self.deadline();
            let event = tokio::select! {
                biased;
                signal = signals.recv() => Event::Signal(signal.context("reading a signal")?),
                Some(event) = inbox.recv() => event,
                () = sleep_until(deadline), if deadline.is_some() => Event::Deadline,
            };
            self.handle(event);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Signal(Signal::Reload) => self.reload_requested(),
            Event::Signal(Signal::Stop) => self.stop(0),
            Event::Signal(Signal::ChildEnded) => self.collect_ended(),
            Event::Signal(Signal::DumpData) => self.dump_data(),
            Event::Signal(Signal::DumpStats) => self.ask(ToChild::DumpStats),
            Event::Signal(Signal::DumpStatsAndClear) => self.ask(ToChild::DumpStatsAndClear),
            Event::Signal(Signal::DumpJson) => self.ask(ToChild::DumpJson),
            Event::Said(pid, message) => self.said(pid, message),
            Event::Writable(pid) => {
                if let Some(child) = self.child(pid) {
                    child.writable();
                }
            }
            Event::Deadline => self.deadline_passed(),
        }
    }

    //------- Children

    /// Starts every child that has something to do and does not run.
    fn start_children(&mut self) {
        for at in 0..self.slots.len() {
            let wanted = wanted(self.slots[at].process, &self.options, &self.config);
            if wanted && matches!(self.slots[at].state, State::Idle) {
                self.start(at);
            }
        }
    }

    fn start(&mut self, at: usize) {
        let process = self.slots[at].process;
        if self.slots[at].pid_file.is_none() {
            let path = names::pid_files(&self.options, &self.config).path(Some(process));
            match PidFile::claim(&path) {
                Ok(file) => self.slots[at].pid_file = Some(file),
                Err(e) => {
                    tracing::error!("{e}: the {} process is not started", ending::title(process));
                    return;
                }
            }
        }
        let slot = &mut self.slots[at];
        match (self.start_child)(process, &self.config, &self.options, &self.events) {
            Ok(child) => {
                let pid = child.pid;
                tracing::info!(
                    "Starting {} child process, pid={pid}",
                    ending::title(process)
                );
                if let Some(file) = &mut slot.pid_file
                    && let Err(e) = file.write(pid.as_raw().unsigned_abs())
                {
                    tracing::error!("the pid file of process {pid} cannot be written: {e}");
                }
                slot.state = State::Running(child);
            }
            Err(e) => {
                let delay = slot
                    .respawn
                    .delay(Duration::ZERO)
                    .max(Duration::from_secs(1));
                tracing::error!("{} process cannot be started: {e}", ending::title(process));
                slot.state = State::Waiting(Instant::now() + delay);
            }
        }
    }

    /// Every child that runs.
    fn running(&mut self) -> impl Iterator<Item = &mut Child> {
        self.slots
            .iter_mut()
            .filter_map(|slot| match &mut slot.state {
                State::Running(child) => Some(child),
                State::Idle | State::Waiting(_) | State::Leaving(_) => None,
            })
    }

    /// The child with this pid.
    fn child(&mut self, pid: Pid) -> Option<&mut Child> {
        self.running().find(|child| child.pid == pid)
    }

    fn any_alive(&self) -> bool {
        self.slots
            .iter()
            .any(|slot| matches!(slot.state, State::Running(_) | State::Leaving(_)))
    }

    fn ask(&mut self, message: ToChild) {
        for child in self.running() {
            child.ask(message);
        }
    }

    fn said(&mut self, pid: Pid, message: FromChild) {
        if let FromChild::Status(line) = message {
            return systemd::tell(&systemd::Event::Status(line));
        }
        let Some(child) = self.child(pid) else { return };
        match message {
            FromChild::Ready => child.ready = true,
            FromChild::ReloadDone => child.reloading = false,
            FromChild::Status(_) => {}
        }
        self.settle();
    }

    /// Whether a child that runs is still at its start or its reload.
    fn under_way(&self) -> bool {
        let busy = |slot: &Slot| matches!(slot.state, State::Running(_)) && !slot.is_settled();
        self.slots.iter().any(busy)
    }

    /// Tells the world when a start or a reload is over.
    fn settle(&mut self) {
        if !self.slots.iter().all(Slot::is_settled) {
            let stopping = matches!(self.phase, Phase::Stopping { .. });
            if self.reload == Reload::Queued && !stopping && !self.under_way() {
                // A child died of what was wanted before, and waits; this may be the remedy.
                self.reload = Reload::Idle;
                self.begin_reload();
            }
            return;
        }
        match (self.phase, self.reload) {
            (Phase::Starting, _) => {
                self.phase = Phase::Running;
                tracing::info!("Startup complete");
            }
            (Phase::Running, Reload::Running | Reload::Queued) => {
                tracing::info!("Reload complete");
            }
            (Phase::Running, Reload::Idle) | (Phase::Stopping { .. }, _) => return,
        }
        systemd::tell(&systemd::Event::Ready);
        crate::sys::release_memory();
        if std::mem::replace(&mut self.reload, Reload::Idle) == Reload::Queued {
            tracing::debug!("Processing queued reload");
            self.begin_reload();
        }
    }

    //------- Deaths

    /// Sees which processes have ended. Not all are children of ours: what a script left behind
    /// becomes ours when its parent ends.
    fn collect_ended(&mut self) {
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return,
                Err(Errno::EINTR) => {}
                Err(e) => return tracing::error!("waiting for children: {e}"),
                Ok(ended) => self.ended(&ended),
            }
        }
    }

    fn ended(&mut self, how: &WaitStatus) {
        let Some(pid) = how.pid() else { return };
        let found = self.slots.iter_mut().find(|slot| match &slot.state {
            State::Running(child) | State::Leaving(child) => child.pid == pid,
            State::Idle | State::Waiting(_) => false,
        });
        let Some(slot) = found else { return };
        let before = std::mem::replace(&mut slot.state, State::Idle);
        let stopping = matches!(self.phase, Phase::Stopping { .. });
        let State::Running(child) = before else {
            // It was told to.
            slot.pid_file = None;
            return;
        };
        if stopping {
            // Its pid file goes with the slot.
            return;
        }
        ending::report(slot.process, how);
        if let Some(status) = ending::permanent(how) {
            systemd::tell(&systemd::Event::Failed(status));
            return self.stop(status);
        }
        let name = ending::title(slot.process);
        if self.options.dont_respawn {
            tracing::error!("{name} child process({pid}) died: Exiting");
            return self.stop(0);
        }
        tracing::error!("{name} child process({pid}) died: Respawning");
        if let Some(file) = &mut slot.pid_file {
            // A number that names nobody would mislead; one that cannot be removed is no worse.
            let _ = file.clear();
        }
        let delay = slot.respawn.delay(child.started.elapsed());
        tracing::info!(
            "Restart of {name} process delayed {} seconds to limit respawn rate",
            delay.as_secs()
        );
        slot.state = State::Waiting(Instant::now() + delay);
        if delay.is_zero() {
            self.deadline_passed();
        }
        self.settle();
    }

    //------- Deadlines

    /// The next moment something waits for.
    fn deadline(&self) -> Option<Instant> {
        if let Phase::Stopping { kill_at, .. } = self.phase {
            return kill_at;
        }
        self.slots
            .iter()
            .filter_map(|slot| match slot.state {
                State::Waiting(until) => Some(until),
                State::Idle | State::Running(_) | State::Leaving(_) => None,
            })
            .min()
    }

    fn deadline_passed(&mut self) {
        let now = Instant::now();
        if let Phase::Stopping { status, kill_at } = self.phase {
            if kill_at.is_some_and(|at| at <= now) {
                self.phase = Phase::Stopping {
                    status,
                    kill_at: None,
                };
                for slot in &self.slots {
                    if let State::Running(child) | State::Leaving(child) = &slot.state {
                        let name = ending::title(slot.process).to_lowercase();
                        tracing::error!("{name} process failed to die - forcing termination");
                        child.kill(libc::SIGKILL);
                    }
                }
            }
            return;
        }
        for at in 0..self.slots.len() {
            if matches!(self.slots[at].state, State::Waiting(until) if until <= now) {
                self.slots[at].state = State::Idle;
                if wanted(self.slots[at].process, &self.options, &self.config) {
                    self.start(at);
                }
            }
        }
    }

    //------- Reload

    fn reload_requested(&mut self) {
        match (self.phase, self.reload) {
            (Phase::Stopping { .. }, _) => {}
            // A child that is still starting has not read the old configuration yet either; what
            // is asked of it later would be lost if it died on the way.
            (Phase::Starting, _) | (_, Reload::Running | Reload::Queued) if self.under_way() => {
                tracing::debug!("Reload queued");
                self.reload = Reload::Queued;
            }
            (Phase::Starting | Phase::Running, _) => self.begin_reload(),
        }
    }

    fn begin_reload(&mut self) {
        tracing::info!("Reloading ...");
        systemd::tell(&systemd::Event::Reloading);
        let refused = match load::judge(load::read(&self.options)) {
            Err(_) => Some("The new configuration cannot be used".to_owned()),
            Ok(config) => match unchangeable(&self.config, &config) {
                Some(what) => Some(format!(
                    "Cannot change {what} at a reload - please restart keepalived"
                )),
                None => {
                    self.reload = Reload::Running;
                    self.take_over(config);
                    None
                }
            },
        };
        if let Some(why) = refused {
            tracing::error!("{why}");
            tracing::error!("The old configuration stays in force");
            systemd::tell(&systemd::Event::Ready);
        }
        self.settle();
    }

    fn take_over(&mut self, mut config: Arc<Config>) {
        super::settle_umask(&self.options, &mut config, self.config.global.umask);
        self.config = config;
        super::mention_absent(&self.options, &self.config);
        for slot in &mut self.slots {
            let wanted = wanted(slot.process, &self.options, &self.config);
            match std::mem::replace(&mut slot.state, State::Idle) {
                State::Running(mut child) if wanted => {
                    if let Err(e) = child.reload(&self.config) {
                        tracing::error!("process {} cannot be reloaded: {e}", child.pid);
                    }
                    slot.state = State::Running(child);
                }
                State::Running(child) => {
                    child.kill(libc::SIGTERM);
                    slot.state = State::Leaving(child);
                }
                // It is started at once, with what may well be the remedy.
                State::Idle | State::Waiting(_) => {}
                State::Leaving(child) => slot.state = State::Leaving(child),
            }
        }
        self.start_children();
    }

    //------- Stop

    fn stop(&mut self, status: u8) {
        if matches!(self.phase, Phase::Stopping { .. }) {
            return;
        }
        tracing::info!("Stopping");
        systemd::tell(&systemd::Event::Stopping);
        for slot in &self.slots {
            if let State::Running(child) | State::Leaving(child) = &slot.state {
                child.kill(libc::SIGTERM);
                // Stopped children cannot obey.
                child.kill(libc::SIGCONT);
            }
        }
        let kill_at = Some(Instant::now() + self.config.global.child_wait_time);
        self.phase = Phase::Stopping { status, kill_at };
    }

    //------- Dumps

    fn dump_data(&mut self) {
        tracing::info!(
            "Printing parent data for process({}) on signal",
            std::process::id()
        );
        let names = names::names(&self.options, &self.config);
        let path = dump::path(Dump::ParentData, &self.config, &names);
        let text = dump::global::render(&self.config, dump::global::Reader::Parent);
        dump::write_logged(&path, &text);
        self.ask(ToChild::DumpData);
        // As in keepalived, this also starts a child that should be there and is not.
        self.start_children();
    }
}

/// Sleeps until then; for ever without one.
async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Whether `process` is to run: it may, and there is something for it to do.
pub(crate) fn wanted(process: Process, options: &Options, config: &Config) -> bool {
    let allowed = &options.wanted;
    match process {
        Process::Vrrp => {
            let configured = !config.instances.is_empty()
                || !config.static_addresses.is_empty()
                || !config.static_routes.is_empty()
                || !config.static_rules.is_empty();
            allowed.vrrp && (configured || allowed.even_unconfigured)
        }
        Process::Checker => {
            let configured = !config.virtual_servers.is_empty();
            allowed.checker && (configured || allowed.even_unconfigured)
        }
        // This process does not exist yet; that was said at the start.
        Process::Bfd => false,
    }
}

/// What a reload would have to change and cannot.
fn unchangeable(old: &Config, new: &Config) -> Option<&'static str> {
    let (old, new) = (&old.global, &new.global);
    [
        ("network namespace", old.net_namespace != new.net_namespace),
        (
            "IPVS network namespace",
            old.net_namespace_ipvs != new.net_namespace_ipvs,
        ),
        ("instance name", old.instance != new.instance),
        ("use_pid_dir", old.use_pid_dir != new.use_pid_dir),
        ("nftables table name", old.nftables != new.nftables),
        (
            "IPVS nftables table name",
            old.lvs.nftables_ipvs != new.lvs.nftables_ipvs,
        ),
        (
            "disable_local_igmp",
            old.disable_local_igmp != new.disable_local_igmp,
        ),
    ]
    .into_iter()
    .find_map(|(what, changed)| changed.then_some(what))
}

#[cfg(test)]
mod tests;

//! The IPVS wrapper: the thread that owns the kernel's table.
//!
//! The loop tells it what is wanted and goes on; it gathers what has come meanwhile, so that a
//! thousand changes are a few system calls. It looks at the whole table now and then, and puts
//! back what somebody else has changed.
//!
//! The kernel works inside the system call, and may load a module for it, or wait for a lock that
//! others hold: that is why it is a thread, and no task of the loop.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use rk_config::model::{self, Origin};
use rk_ipvs::{Command, ServiceKey, SyncDaemon, Table, TableError, Timeouts};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tracing::{error, info, warn};

use super::keeper::{Keeper, Pass};
use super::table::Want;
use crate::cli::Options;
use crate::ipvs::{followed_sync_daemon, own_sync_daemons, sync_commands};

/// Between two looks at the whole table.
const PASS: Duration = Duration::from_secs(30);
/// The same while something has not worked.
const SOON: Duration = Duration::from_secs(2);

/// The handle of the loop. Dropped, it ends the thread once it has done what was asked.
#[derive(Debug)]
pub(super) struct Wrapper {
    requests: mpsc::UnboundedSender<Request>,
}

/// What the configuration says about the table as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Setup {
    /// `lvs_timeouts`; zero leaves the kernel's.
    pub(super) timeouts: Timeouts,
    /// `lvs_sync_daemon` without an instance: both run.
    pub(super) sync: Vec<SyncDaemon>,
    /// One with an instance: the VRRP process has it.
    pub(super) followed: Option<SyncDaemon>,
    /// `lvs_flush`: at the start.
    pub(super) flush: bool,
    /// `lvs_flush_on_stop`.
    pub(super) flush_on_stop: model::LvsFlush,
    /// Where services stand; the keeper takes it.
    pub(super) origins: HashMap<ServiceKey, Origin>,
}

impl Setup {
    /// What `config` says. Without the VRRP process (`-C`) nobody has what an instance would.
    pub(super) fn of(
        config: &model::Config,
        options: &Options,
        origins: HashMap<ServiceKey, Origin>,
    ) -> Self {
        let global = &config.global;
        let seconds =
            |t: Option<Duration>| t.map_or(0, |t| u32::try_from(t.as_secs()).unwrap_or(u32::MAX));
        Self {
            timeouts: Timeouts {
                tcp: seconds(global.lvs.timeouts.tcp),
                tcp_fin: seconds(global.lvs.timeouts.tcpfin),
                udp: seconds(global.lvs.timeouts.udp),
            },
            sync: own_sync_daemons(config),
            followed: followed_sync_daemon(config).filter(|_| options.wanted.vrrp),
            flush: global.lvs_flush,
            flush_on_stop: global.lvs_flush_on_stop,
            origins,
        }
    }
}

enum Request {
    /// What should be there from now on.
    Wants(Vec<Want>),
    /// The configuration, at the start and at each reload.
    Setup(Box<Setup>),
    /// The end.
    Finish {
        keep: bool,
        done: oneshot::Sender<()>,
    },
}

impl Wrapper {
    /// Starts the thread. `open` gives the table, and is called again while it cannot.
    pub(super) fn start<T: Table>(
        setup: Setup,
        open: impl FnMut() -> Result<T, TableError> + Send + 'static,
    ) -> Self {
        let (requests, inbox) = mpsc::unbounded_channel();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build();
            match runtime {
                Ok(runtime) => runtime.block_on(Task::new(open).run(setup, inbox)),
                Err(e) => error!("IPVS: nothing is balanced: {e}"),
            }
        };
        if let Err(e) = thread::Builder::new().name("ipvs".to_owned()).spawn(run) {
            error!("IPVS: nothing is balanced: no thread for it: {e}");
        }
        Self { requests }
    }

    /// Tells what should be there. Never waits.
    pub(super) fn want(&self, wants: Vec<Want>) {
        if !wants.is_empty() {
            // The thread ends only with this handle.
            let _ = self.requests.send(Request::Wants(wants));
        }
    }

    /// Takes over a configuration.
    pub(super) fn setup(&self, setup: Setup) {
        let _ = self.requests.send(Request::Setup(Box::new(setup)));
    }

    /// Puts everything in order for the end: what was wanted last, then timeouts and sync daemons
    /// as they were; with `keep` the services stay.
    pub(super) async fn finish(self, keep: bool, limit: Duration) {
        let (done, finished) = oneshot::channel();
        let _ = self.requests.send(Request::Finish { keep, done });
        if tokio::time::timeout(limit, finished).await.is_err() {
            warn!("IPVS: the kernel is too slow: some virtual servers were not removed");
        }
    }
}

struct Task<T, F> {
    open: F,
    table: Option<T>,
    /// What was said last about why the table cannot be used, so that it is said once.
    complaint: Option<String>,
    keeper: Keeper,
    setup: Setup,
    /// The kernel's own timeouts, once changed.
    original: Option<Timeouts>,
    /// The sync daemons that this process has started.
    sync: Vec<SyncDaemon>,
    /// What was said last about why they cannot be.
    sync_complaint: Option<String>,
    /// Whether the first pass is over.
    started: bool,
}

impl<T: Table, F: FnMut() -> Result<T, TableError>> Task<T, F> {
    fn new(open: F) -> Self {
        Self {
            open,
            table: None,
            complaint: None,
            keeper: Keeper::default(),
            setup: Setup::default(),
            original: None,
            sync: Vec::new(),
            sync_complaint: None,
            started: false,
        }
    }

    async fn run(mut self, setup: Setup, mut inbox: mpsc::UnboundedReceiver<Request>) {
        self.begin(setup).await;
        let mut pass_at = Instant::now() + PASS;
        loop {
            let request = tokio::select! {
                biased;
                request = inbox.recv() => request,
                () = sleep_until(pass_at) => {
                    self.look().await;
                    self.set_sync().await;
                    pass_at = Instant::now() + self.period();
                    continue;
                }
            };
            match request {
                None => return,
                Some(Request::Setup(setup)) => self.reload(*setup).await,
                Some(Request::Wants(mut wants)) => {
                    // What has come meanwhile goes along.
                    let mut after = None;
                    while let Ok(next) = inbox.try_recv() {
                        match next {
                            Request::Wants(more) => wants.extend(more),
                            other => {
                                after = Some(other);
                                break;
                            }
                        }
                    }
                    self.fulfil(&wants).await;
                    match after {
                        Some(Request::Setup(setup)) => self.reload(*setup).await,
                        Some(Request::Finish { keep, done }) => {
                            self.end(keep).await;
                            let _ = done.send(());
                            return;
                        }
                        Some(Request::Wants(_)) | None => {}
                    }
                }
                Some(Request::Finish { keep, done }) => {
                    self.end(keep).await;
                    let _ = done.send(());
                    return;
                }
            }
            pass_at = pass_at.min(Instant::now() + self.period());
        }
    }

    fn period(&self) -> Duration {
        let leaving = self.setup.sync.is_empty() && !self.sync.is_empty();
        if self.table.is_none() || self.keeper.is_unsettled() || leaving {
            SOON
        } else {
            PASS
        }
    }

    /// Opens the table if it is not open; says once that it cannot be.
    fn ready(&mut self) -> bool {
        if self.table.is_some() {
            return true;
        }
        match (self.open)() {
            Ok(table) => {
                self.table = Some(table);
                true
            }
            Err(e) => {
                self.complain(&e);
                false
            }
        }
    }

    fn complain(&mut self, e: &TableError) {
        let why = e.to_string();
        if self.complaint.as_ref() != Some(&why) {
            error!(
                "IPVS: {why}. Real servers are checked, but nothing is balanced until this works"
            );
            self.complaint = Some(why);
        }
    }

    async fn begin(&mut self, mut setup: Setup) {
        self.keeper.configured(std::mem::take(&mut setup.origins));
        self.setup = setup;
        if self.ready() {
            self.first().await;
        }
    }

    /// Everything that is done once, when there is a table.
    async fn first(&mut self) {
        self.started = true;
        if self.setup.flush {
            self.tell(&[Command::Flush]).await;
        }
        self.set_timeouts().await;
        self.set_sync().await;
        self.run_pass(Pass::First).await;
    }

    async fn reload(&mut self, mut setup: Setup) {
        self.keeper.configured(std::mem::take(&mut setup.origins));
        let before = std::mem::replace(&mut self.setup, setup);
        if !self.started {
            return;
        }
        if before.timeouts != self.setup.timeouts {
            self.set_timeouts().await;
        }
        if before.sync != self.setup.sync {
            self.change_sync().await;
        }
        self.look().await;
    }

    async fn fulfil(&mut self, wants: &[Want]) {
        if !self.started || !self.ready() {
            self.keeper.remember(wants);
            self.look().await;
            return;
        }
        let Some(table) = &mut self.table else { return };
        if let Err(e) = self.keeper.fulfil(table, wants).await {
            self.failed(&e);
            if self.ready() {
                self.run_pass(Pass::Lost).await;
            }
        }
    }

    /// Compares all of it.
    async fn look(&mut self) {
        if !self.ready() {
            return;
        }
        if !self.started {
            return self.first().await;
        }
        let why = if self.keeper.is_unsettled() {
            Pass::Lost
        } else {
            Pass::Repair
        };
        self.run_pass(why).await;
    }

    async fn run_pass(&mut self, why: Pass) {
        let Some(table) = &mut self.table else { return };
        if let Err(e) = self.keeper.pass(table, why).await {
            self.failed(&e);
        } else if self.complaint.take().is_some() {
            info!("IPVS: the kernel's table can be used now");
        }
    }

    /// The table as a whole failed: it is opened anew, and read, at the next turn.
    fn failed(&mut self, e: &TableError) {
        if !e.retryable() {
            self.complain(e);
        }
        self.keeper.lost();
        self.table = None;
    }

    /// Commands that are not about services.
    async fn tell(&mut self, commands: &[Command]) {
        let Some(table) = &mut self.table else { return };
        match table.apply(commands).await {
            Ok(refusals) => {
                for refusal in refusals.iter().filter(|r| !r.error.already()) {
                    error!("IPVS: {}", refusal.error);
                }
            }
            Err(e) => self.failed(&e),
        }
    }

    async fn set_timeouts(&mut self) {
        let Some(table) = &mut self.table else { return };
        let wanted = self.setup.timeouts;
        if wanted == Timeouts::default() {
            return self.restore_timeouts().await;
        }
        if self.original.is_none() {
            match table.timeouts().await {
                Ok(timeouts) => self.original = Some(timeouts),
                Err(e) => return self.failed(&e),
            }
        }
        let original = self.original.unwrap_or_default();
        self.tell(&[Command::SetTimeouts(wanted.or(original))])
            .await;
    }

    async fn restore_timeouts(&mut self) {
        if let Some(original) = self.original.take() {
            self.tell(&[Command::SetTimeouts(original)]).await;
        }
    }

    /// Another line: at once, but not while the VRRP process takes over. It puts its own into the
    /// places of ours; what it leaves of them goes at the next look. Two that take away and put
    /// in would meet, and the kernel knows a daemon by its role alone.
    async fn change_sync(&mut self) {
        match &self.setup.followed {
            Some(heir) if self.setup.sync.is_empty() => {
                let same = |one: &SyncDaemon| {
                    (one.interface, one.sync_id) == (heir.interface, heir.sync_id)
                };
                self.sync.retain(|one| !same(one));
            }
            _ => self.set_sync().await,
        }
    }

    /// Makes the sync daemons that run those that are wanted. Others stay.
    async fn set_sync(&mut self) {
        if !self.started || (self.sync.is_empty() && self.setup.sync.is_empty()) {
            return;
        }
        let Some(table) = &mut self.table else { return };
        let refusals = match table.daemons().await {
            Ok(running) => {
                let commands = sync_commands(&running, &self.sync, &self.setup.sync);
                table.apply(&commands).await
            }
            Err(e) => Err(e),
        };
        let refused = match refusals {
            Ok(refusals) => refusals.into_iter().find(|r| !r.error.already()),
            Err(e) => return self.failed(&e),
        };
        let Some(refused) = refused else {
            self.sync.clone_from(&self.setup.sync);
            self.sync_complaint = None;
            return;
        };
        let why = refused.error.to_string();
        if self.sync_complaint.as_ref() != Some(&why) {
            error!("IPVS: {why}. It is tried again; everything else goes on");
            self.sync_complaint = Some(why);
        }
    }

    async fn end(&mut self, keep: bool) {
        if !self.started {
            return;
        }
        if self.setup.flush_on_stop == model::LvsFlush::All && !keep {
            self.tell(&[Command::Flush]).await;
        } else if self.keeper.is_unsettled() {
            self.look().await;
        }
        self.setup.sync.clear();
        self.set_sync().await;
        self.restore_timeouts().await;
    }
}

#[cfg(test)]
mod tests;

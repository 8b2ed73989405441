//! `lvs_sync_daemon` with an instance: the kernel's connection synchronisation follows its state.
//!
//! A Master tells the others of the connections it has; everybody else listens. The kernel takes
//! its time to start and stop such a daemon, so a thread of its own does it, and the loop never
//! waits for it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rk_config::model;
use rk_ipvs::{SyncDaemon, SyncState, Table, TableError};
use rk_vrrp::State;
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use super::router::Routers;
use crate::ipvs::{followed_line, opener, own_sync_daemons, sync_commands, sync_daemon};

/// Between two looks at what runs: something may have been missing, or somebody else at work.
const LOOK: Duration = Duration::from_secs(30);

/// The daemon of the one instance that `lvs_sync_daemon` names.
#[derive(Debug, Default)]
pub(super) struct Follower {
    line: Option<model::LvsSyncDaemon>,
    /// The id unless the line says one: the instance's VRID.
    vrid: u8,
    thread: Option<mpsc::Sender<Request>>,
}

enum Request {
    Want(Option<SyncDaemon>),
    /// What runs is somebody else's from now on.
    Leave,
    Finish(oneshot::Sender<()>),
}

impl Follower {
    /// Takes over a configuration, at the start and at each reload; `routers` are those of it.
    pub(super) fn apply(&mut self, config: &model::Config, routers: &Routers) {
        self.line = followed_line(config);
        let Some(line) = &self.line else {
            // Without an instance the line is the checker process's: it puts its own daemons into
            // the places of ours. Two that take away and put in would meet.
            if !own_sync_daemons(config).is_empty() {
                self.send(Request::Leave);
            }
            return self.want(None);
        };
        let name = line.inst.as_deref().unwrap_or_default();
        let of = routers.iter().find(|(_, router, _)| router.name() == name);
        let Some((_, router, core)) = of else {
            warn!(
                "{}: lvs_sync_daemon: there is no instance {name}, so nothing is synchronised",
                line.origin
            );
            self.line = None;
            return self.want(None);
        };
        self.vrid = router.plan.settings.vrid.get();
        if self.thread.is_none() {
            let open = opener(&config.global);
            self.thread = start(open)
                .inspect_err(|e| error!("lvs_sync_daemon: no thread for it: {e}"))
                .ok();
        }
        self.enter(core.state());
    }

    /// The instance `name` has entered `state`, its addresses are done and everybody is told.
    pub(super) fn entered(&self, name: &str, state: State) {
        let ours = |line: &model::LvsSyncDaemon| line.inst.as_deref() == Some(name);
        // An instance that stops or goes takes its daemon along.
        if state != State::Init && self.line.as_ref().is_some_and(ours) {
            self.enter(state);
        }
    }

    fn enter(&self, state: State) {
        let role = match state {
            State::Master => SyncState::Master,
            State::Init | State::Backup | State::Fault => SyncState::Backup,
        };
        let line = self.line.as_ref();
        self.want(line.and_then(|line| sync_daemon(line, role, self.vrid)));
    }

    fn want(&self, daemon: Option<SyncDaemon>) {
        self.send(Request::Want(daemon));
    }

    fn send(&self, request: Request) {
        if let Some(thread) = &self.thread {
            // The thread ends only with this handle.
            let _ = thread.send(request);
        }
    }

    /// Ends what runs; waits for the kernel up to `limit`.
    pub(super) async fn finish(&mut self, limit: Duration) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        let (done, finished) = oneshot::channel();
        let _ = thread.send(Request::Finish(done));
        if tokio::time::timeout(limit, finished).await.is_err() {
            warn!("the kernel is too slow: its sync daemon may still run");
        }
    }
}

/// Starts the thread.
fn start<T: Table + 'static>(
    open: impl FnMut() -> Result<T, TableError> + Send + 'static,
) -> std::io::Result<mpsc::Sender<Request>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (requests, inbox) = mpsc::channel();
    std::thread::Builder::new()
        .name("lvs_sync".to_owned())
        .spawn(move || run(open, &inbox, &runtime))?;
    Ok(requests)
}

fn run<T: Table>(
    open: impl FnMut() -> Result<T, TableError>,
    inbox: &mpsc::Receiver<Request>,
    runtime: &tokio::runtime::Runtime,
) {
    let mut keeper = Keeper {
        open,
        table: None,
        ours: None,
        complaint: None,
    };
    let mut wanted = None;
    loop {
        match inbox.recv_timeout(LOOK) {
            Ok(Request::Want(want)) => wanted = want,
            Ok(Request::Leave) => {
                keeper.ours = None;
                wanted = None;
            }
            Ok(Request::Finish(done)) => {
                runtime.block_on(keeper.make(None));
                let _ = done.send(());
                return;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        runtime.block_on(keeper.make(wanted));
    }
}

/// Makes what runs what is wanted.
struct Keeper<T, F> {
    open: F,
    table: Option<T>,
    /// What we have started.
    ours: Option<SyncDaemon>,
    /// What was said last about why it does not work, so that it is said once.
    complaint: Option<String>,
}

impl<T: Table, F: FnMut() -> Result<T, TableError>> Keeper<T, F> {
    async fn make(&mut self, wanted: Option<SyncDaemon>) {
        if wanted.is_none() && self.ours.is_none() {
            return;
        }
        match self.try_make(wanted).await {
            Ok(None) => self.complaint = None,
            Ok(Some(refused)) => self.complain(refused),
            Err(e) => {
                // It is opened anew the next time.
                self.table = None;
                self.complain(e.to_string());
            }
        }
    }

    /// What the kernel refused, if it did.
    async fn try_make(&mut self, wanted: Option<SyncDaemon>) -> Result<Option<String>, TableError> {
        let table = match &mut self.table {
            Some(table) => table,
            none => none.insert((self.open)()?),
        };
        let running = table.daemons().await?;
        let commands = sync_commands(&running, self.ours.as_slice(), wanted.as_slice());
        if commands.is_empty() {
            self.ours = wanted;
            return Ok(None);
        }
        let refusals = table.apply(&commands).await?;
        let refused = refusals.into_iter().find(|r| !r.error.already());
        if let Some(refused) = refused {
            return Ok(Some(refused.error.to_string()));
        }
        self.ours = wanted;
        match wanted {
            Some(it) => info!(
                "IPVS: sync daemon runs as {} on {} (id {})",
                it.state, it.interface, it.sync_id
            ),
            None => info!("IPVS: sync daemon stopped"),
        }
        Ok(None)
    }

    fn complain(&mut self, why: String) {
        if self.complaint.as_ref() != Some(&why) {
            error!("lvs_sync_daemon: {why}. VRRP goes on; connections are not synchronised");
            self.complaint = Some(why);
        }
    }
}

#[cfg(test)]
mod tests;

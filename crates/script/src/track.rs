//! Tracked scripts: each run again and again on its own grid.
//!
//! ```text
//!   grid      |-------|-------|-------|-------|-------|
//!   run       |##|    |##|    |###############X~~|    |##|
//!                                     ^ skipped       ^ next tick after the end
//!                                             X timeout: reported at once as failed, then
//!                                               TERM, and KILL 2 s later, to the group
//! ```

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

use crate::command::Command;
use crate::process::{Outcome, Running, spawn};

/// How long after TERM a script that overran its time is killed.
const GRACE: Duration = Duration::from_secs(2);
/// A timeout that comes this late says that the machine stalled, not that the script hangs.
const STALL: Duration = Duration::from_millis(200);
/// The shortest grid: what the configuration language can express.
const SHORTEST: Duration = Duration::from_millis(1);

/// A script to be tracked (`vrrp_script`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackScript {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// What is run.
    pub command: Command,
    /// From the start of one run to the start of the next.
    pub interval: Duration,
    /// How long a run may take.
    pub timeout: Duration,
}

/// The end of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The script's name.
    pub script: Arc<str>,
    /// How the run ended.
    pub outcome: Outcome,
    /// How long it took; for [`Outcome::TimedOut`], until it was given up.
    pub took: Duration,
}

/// All tracked scripts of a process.
///
/// Every end of a run is sent to the channel given at the start. When nobody reads, the runs wait.
/// Dropped, it ends what is running: TERM, and KILL a second later.
#[derive(Debug)]
pub struct Tracks {
    results: mpsc::Sender<Finished>,
    running: HashMap<Arc<str>, (TrackScript, Task)>,
}

impl Tracks {
    /// No script yet; results will go to `results`.
    #[must_use]
    pub fn new(results: mpsc::Sender<Finished>) -> Self {
        Self {
            results,
            running: HashMap::new(),
        }
    }

    /// Makes `scripts` the ones that are tracked. The first run of a new one starts at once.
    ///
    /// A script that is already tracked in just this way keeps its grid and its run; one that is
    /// no longer wanted is ended so, too. Of two with the same name the last counts.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn apply(&mut self, scripts: impl IntoIterator<Item = TrackScript>) {
        let mut before = std::mem::take(&mut self.running);
        for script in scripts {
            let kept = before
                .remove(&script.name)
                .filter(|(old, _)| *old == script);
            let (_, task) = kept.unwrap_or_else(|| {
                let task = Task(tokio::spawn(run(script.clone(), self.results.clone())));
                (script.clone(), task)
            });
            self.running
                .insert(Arc::clone(&script.name), (script, task));
        }
    }

    /// How many scripts are tracked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether no script is tracked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }
}

/// A task that ends with its handle.
#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs `script` for ever, or until nobody wants its results.
async fn run(script: TrackScript, results: mpsc::Sender<Finished>) {
    let mut grid = interval(script.interval.max(SHORTEST));
    grid.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        grid.tick().await;
        let started = Instant::now();
        let (outcome, overran) = match spawn(&script.command).await {
            Err(error) => (Outcome::NotRun(error), None),
            Ok(mut running) => match judge(&script, &mut running, started, &mut grid).await {
                Some(outcome) => (outcome, None),
                None => (Outcome::TimedOut, Some(running)),
            },
        };
        let finished = Finished {
            script: Arc::clone(&script.name),
            outcome,
            took: started.elapsed(),
        };
        // The verdict does not wait for the end of a script that hangs, nor its end for a reader.
        let report = results.send(finished);
        let cleanup = async {
            if let Some(mut running) = overran {
                clean_up(&script, &mut running, &mut grid).await;
            }
        };
        let (reported, ()) = tokio::join!(report, cleanup);
        if reported.is_err() {
            return;
        }
    }
}

/// Waits for the end of a run; `None` when its time is up first.
async fn judge(
    script: &TrackScript,
    running: &mut Running,
    started: Instant,
    grid: &mut Interval,
) -> Option<Outcome> {
    let mut deadline = started + script.timeout;
    loop {
        tokio::select! {
            biased;
            outcome = running.wait() => return Some(outcome),
            () = sleep_until(deadline) => {
                // If this very process did not run for a while, the script may not have either.
                if Instant::now() - deadline < STALL {
                    return None;
                }
                deadline = Instant::now() + script.timeout;
            }
            _ = grid.tick() => skip(script, "already running"),
        }
    }
}

/// Ends a script that overran its time.
async fn clean_up(script: &TrackScript, running: &mut Running, grid: &mut Interval) {
    let mut end = pin!(running.terminate(GRACE));
    loop {
        tokio::select! {
            biased;
            _ = &mut end => return,
            _ = grid.tick() => skip(script, "being timed out"),
        }
    }
}

/// Says that a tick of the grid passes without a run.
fn skip(script: &TrackScript, why: &str) {
    tracing::info!(
        "Track script {} is {why}, expect idle - skipping run",
        script.name
    );
}

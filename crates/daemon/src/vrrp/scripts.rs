//! Track scripts: run by their own tasks, judged here, told to the instances that track them.

use std::collections::HashMap;
use std::sync::Arc;

use rk_config::model;
use rk_script::{Finished, Outcome, TrackScript, Tracks, Umask};
use rk_vrrp::Reading;
use rk_vrrp::tracking::{Run, ScriptEvent, ScriptState, ScriptStatus};
use tokio::sync::mpsc;
use tracing::info;

use crate::outlets;

/// How many results may wait to be read: more than a machine has scripts ending at once.
const BACKLOG: usize = 256;

/// All track scripts of the process.
#[derive(Debug)]
pub(super) struct Scripts {
    tracks: Tracks,
    results: mpsc::Receiver<Finished>,
    states: HashMap<Arc<str>, ScriptState>,
    configured: Vec<Arc<model::Script>>,
}

/// What a script's run has changed for those who track it.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) name: Arc<str>,
    pub(super) reading: Reading,
    /// In words, for causes.
    pub(super) detail: Arc<str>,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let (sender, results) = mpsc::channel(BACKLOG);
        Self {
            tracks: Tracks::new(sender),
            results,
            states: HashMap::new(),
            configured: Vec::new(),
        }
    }

    /// Takes over the scripts of a configuration. Unchanged ones keep their grid and result;
    /// only those that something tracks are run.
    ///
    /// Nothing runs before [`Scripts::start`].
    pub(super) fn apply(&mut self, config: &model::Config) {
        let tracked: std::collections::HashSet<&str> = config
            .instances
            .iter()
            .flat_map(|i| &i.track.scripts)
            .chain(config.sync_groups.iter().flat_map(|g| &g.track.scripts))
            .map(|t| t.name.as_str())
            .collect();
        self.configured = config
            .scripts
            .iter()
            .filter(|s| tracked.contains(s.name.as_str()) && s.command.verdict.may_run())
            .map(|s| Arc::new(s.clone()))
            .collect();
        let mut old = std::mem::take(&mut self.states);
        for script in &self.configured {
            let name: Arc<str> = script.name.as_str().into();
            let initial = if script.init_fail {
                ScriptStatus::InitFail
            } else {
                ScriptStatus::Unknown
            };
            let mut state = ScriptState::new(name.clone(), script.rise, script.fall, initial);
            if let Some(before) = old.remove(&name) {
                state.inherit(&before);
            }
            self.states.insert(name, state);
        }
    }

    /// Runs what was last applied.
    pub(super) fn start(&mut self, umask: Umask) {
        let runs: Vec<_> = self
            .configured
            .iter()
            .filter_map(|script| {
                Some(TrackScript {
                    name: script.name.as_str().into(),
                    command: outlets::command(&script.command, umask)?,
                    interval: script.interval,
                    timeout: script.timeout,
                })
            })
            .collect();
        self.tracks.apply(runs);
    }

    /// What `name` says now.
    pub(super) fn reading(&self, name: &str) -> Reading {
        self.states
            .get(name)
            .map_or(Reading::Unknown, ScriptState::reading)
    }

    /// The scripts with their states, for the dumps.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&model::Script, &ScriptState)> {
        self.configured
            .iter()
            .filter_map(|s| Some((&**s, self.states.get(s.name.as_str())?)))
    }

    /// The end of the next run. Cancel-safe; never returns when nothing runs.
    pub(super) async fn finished(&mut self) -> Finished {
        match self.results.recv().await {
            Some(finished) => finished,
            // The sender lives in `tracks`, as long as `self`.
            None => std::future::pending().await,
        }
    }

    /// Judges a run: logs what it means, and says what those who track the script must hear.
    pub(super) fn record(&mut self, finished: &Finished) -> Option<Spoken> {
        let state = self.states.get_mut(&finished.script)?;
        let run = match &finished.outcome {
            Outcome::Exited(status) => Run::Exited(u8::try_from(*status).unwrap_or(u8::MAX)),
            Outcome::Signalled(signal) => Run::Signalled(*signal),
            Outcome::TimedOut => Run::TimedOut,
            Outcome::NotRun(error) => {
                info!("Script {} was not run: {error}", finished.script);
                Run::NotStarted
            }
        };
        let mut events: Vec<ScriptEvent> = Vec::new();
        let changed = state.record(run, &mut events);
        for event in events {
            info!("{event}");
        }
        changed.then(|| Spoken {
            name: finished.script.clone(),
            reading: state.reading(),
            detail: run.to_string().into(),
        })
    }
}

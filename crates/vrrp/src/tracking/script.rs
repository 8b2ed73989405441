//! When the runs of a track script make it good or bad.

use core::fmt;
use std::sync::Arc;

use super::Reading;

/// How one run of a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It ended by itself with this status; 0 is success.
    Exited(u8),
    /// A signal that was not ours ended it.
    Signalled(i32),
    /// It had to be told to end. Always a failure, whatever status it found time to return.
    TimedOut,
    /// It could not be started.
    NotStarted,
}

impl Run {
    /// Whether the run counts as a success.
    #[must_use]
    pub const fn succeeded(self) -> bool {
        matches!(self, Self::Exited(0))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(n) => write!(f, "exited with status {n}"),
            Self::Signalled(n) => write!(f, "due to signal {n}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::NotStarted => f.write_str("could not be started"),
        }
    }
}

/// What is known about a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptStatus {
    /// It has not run yet.
    Unknown,
    /// It has not run yet and counts as failed (`init_fail`).
    InitFail,
    /// It counts as good.
    Good,
    /// It counts as bad.
    Bad,
}

/// A line a script is worth in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptEvent {
    /// The exit status is another than last time.
    NowReturning {
        /// The script.
        script: Arc<str>,
        /// Its exit status.
        status: u8,
    },
    /// It counts as good from now on.
    Succeeded {
        /// The script.
        script: Arc<str>,
    },
    /// It counts as bad from now on.
    Failed {
        /// The script.
        script: Arc<str>,
        /// How the last run ended.
        run: Run,
    },
}

impl fmt::Display for ScriptEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NowReturning { script, status } => {
                write!(f, "Script `{script}` now returning {status}")
            }
            Self::Succeeded { script } => write!(f, "VRRP_Script({script}) succeeded"),
            Self::Failed {
                script,
                run: Run::TimedOut,
            } => {
                write!(f, "VRRP_Script({script}) timed_out")
            }
            Self::Failed { script, run } => write!(f, "VRRP_Script({script}) failed ({run})"),
        }
    }
}

/// The result of a track script, over its runs.
///
/// `result` counts 0 ..= rise + fall - 1; the script is good from `rise` on. The first run
/// decides alone, whatever `rise`, `fall` and `init_fail` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptState {
    name: Arc<str>,
    rise: u32,
    fall: u32,
    result: u32,
    status: ScriptStatus,
    last_run: Option<Run>,
}

impl ScriptState {
    /// A script that has not run. `rise` and `fall` below 1 count as 1.
    #[must_use]
    pub fn new(name: Arc<str>, rise: u32, fall: u32, initial: ScriptStatus) -> Self {
        let (rise, fall) = (rise.max(1), fall.max(1));
        let result = if initial == ScriptStatus::Good {
            rise.saturating_add(fall) - 1
        } else {
            0
        };
        Self {
            name,
            rise,
            fall,
            result,
            status: initial,
            last_run: None,
        }
    }

    /// The status now.
    #[must_use]
    pub const fn status(&self) -> ScriptStatus {
        self.status
    }

    /// The counter, as the dump shows it.
    #[must_use]
    pub const fn result(&self) -> u32 {
        self.result
    }

    /// How the last run ended.
    #[must_use]
    pub const fn last_run(&self) -> Option<Run> {
        self.last_run
    }

    /// What the instances that track it are told.
    #[must_use]
    pub const fn reading(&self) -> Reading {
        match self.status {
            ScriptStatus::Unknown => Reading::Unknown,
            ScriptStatus::Good => Reading::Up,
            ScriptStatus::Bad | ScriptStatus::InitFail => Reading::Down,
        }
    }

    /// Takes the end of a run. Appends what is worth a log line, in order, and says whether
    /// [`ScriptState::reading`] is another than before.
    pub fn record(&mut self, run: Run, out: &mut Vec<ScriptEvent>) -> bool {
        let before = self.reading();
        if let Run::Exited(status) = run
            && self.last_run.is_some_and(|last| last != run)
        {
            out.push(ScriptEvent::NowReturning {
                script: self.name.clone(),
                status,
            });
        }
        self.last_run = Some(run);
        let first = matches!(self.status, ScriptStatus::Unknown | ScriptStatus::InitFail);
        let top = self.rise.saturating_add(self.fall) - 1;
        let good = self.status == ScriptStatus::Good;
        self.result = match (run.succeeded(), good) {
            (true, true) => top,
            (true, false) if first || self.result + 1 >= self.rise => top,
            (true, false) => self.result + 1,
            (false, true) if self.result > self.rise => self.result - 1,
            (false, _) => 0,
        };
        let status = if self.result >= self.rise {
            ScriptStatus::Good
        } else {
            ScriptStatus::Bad
        };
        if status != self.status {
            self.status = status;
            let script = self.name.clone();
            out.push(if status == ScriptStatus::Good {
                ScriptEvent::Succeeded { script }
            } else {
                ScriptEvent::Failed { script, run }
            });
        }
        self.reading() != before
    }

    /// Takes over what is known about the same script from before a reload.
    pub fn inherit(&mut self, old: &Self) {
        self.last_run = old.last_run;
        self.status = old.status;
        self.result = match old.status {
            ScriptStatus::Good => self.rise.saturating_add(self.fall) - 1,
            _ => 0,
        };
    }
}

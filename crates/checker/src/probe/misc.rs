//! `MISC_CHECK`: a program decides.

use std::time::Duration;

use rk_script::{Command, SpawnError, spawn};
use tokio::time::timeout;

use super::Report;
use crate::Outcome;

/// From TERM to KILL for a program whose time is up.
const GRACE: Duration = Duration::from_secs(2);

/// The settings of a `MISC_CHECK`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MiscProbe {
    /// What is run, and as whom.
    pub command: Command,
    /// `misc_timeout`.
    pub timeout: Duration,
    /// What its exit status means.
    pub exit_status: ExitStatus,
}

/// What the exit status of a program means.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ExitStatus {
    /// 0 is up, anything else down.
    #[default]
    Plain,
    /// `misc_dynamic`: 0 is up, 1 down, 2..=255 up with weight 0..=253.
    Dynamic,
}

pub(super) async fn attempt(probe: &MiscProbe) -> Report {
    use rk_script::Outcome as End;
    let mut running = match spawn(&probe.command).await {
        Ok(running) => running,
        Err(SpawnError::Kernel {
            errno: libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE,
            ..
        }) => {
            let line = format!("Misc check {} could not be started", probe.command);
            return Report::new(Outcome::Unable(line));
        }
        Err(error) => return Report::failure(format!("not run: {error}")),
    };
    let end = match timeout(probe.timeout, running.wait()).await {
        Ok(end) => end,
        Err(_) => {
            // Whatever it still says on TERM is too late.
            running.terminate(GRACE).await;
            End::TimedOut
        }
    };
    let exit_status = match end {
        End::Exited(status) => Some(status),
        _ => None,
    };
    let report = match (end, probe.exit_status) {
        (End::Exited(0), ExitStatus::Plain) => Report::success(),
        (End::Exited(0), ExitStatus::Dynamic) => Report::new(Outcome::Weight(None)),
        (End::Exited(status @ 2..=255), ExitStatus::Dynamic) => {
            Report::new(Outcome::Weight(Some(i64::from(status) - 2)))
        }
        (End::Signalled(signal), _) => Report::failure(format!("due to signal {signal}")),
        (end, _) => Report::failure(end.to_string()),
    };
    Report {
        exit_status,
        ..report
    }
}

//! The VRRP process.

use std::process::ExitCode;

use crate::ipc::ChildStart;

/// Runs the VRRP process until the parent ends it.
pub(crate) fn run(start: ChildStart) -> ExitCode {
    tracing::info!(?start, "VRRP process");
    ExitCode::SUCCESS
}

//! Many virtual servers and many checks: beside keepalived in a guest that has IPVS, and more of
//! both with the commands written to a file.

mod checks;
mod config;
mod listener;
mod meter;
mod programmed;
mod recorded;
mod turns;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use rk_lab::{Guest, GuestOutput, Lab};

use self::meter::Meter;
use super::Table;
use crate::{Verdict, need, tool};

/// The word with which this program calls itself inside the guest.
pub(crate) const INSIDE: &str = "inside-the-guest";
/// Of the guest, in MiB.
const MEMORY: u32 = 1024;

pub(crate) fn run() -> Result<Verdict> {
    need::packages(&[need::LAB])?;
    need::enter_lab()?;
    let program = tool::rkeepalived("release")?;
    go_first();
    let guest = in_guest(&program)?;
    let mut table = Table::default();
    let lab = Lab::new("bench")?.offer(&program);
    recorded::checks(&lab, &mut table)?;
    recorded::reload(&lab, &mut table)?;
    Ok(Verdict::from(
        table.end() == Verdict::Good && guest == Verdict::Good,
    ))
}

/// Others may use the machine too: from here on this process and what it starts go before them, if
/// it may say so. Where it may not, the figures are only worse.
fn go_first() {
    let own = std::process::id().to_string();
    let renice = Command::new("renice")
        .args(["-n", "-15", "-p", &own])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !renice.is_ok_and(|status| status.success()) {
        println!("without priority: what else runs on this machine shows in the figures");
    }
}

/// Has [`inside`] run in a guest, and prints what it prints.
fn in_guest(program: &Path) -> Result<Verdict> {
    let own = std::env::current_exe().context("where this program is")?;
    let meter = tempfile::tempdir().context("a directory for the meter")?;
    let words = [own.as_path(), program, meter.path()].map(|path| format!("'{}'", path.display()));
    let [own, program, files] = words;
    let guest = Guest::new()
        .memory(MEMORY)
        .deadline(Duration::from_mins(4))
        .share(meter.path());
    let script = format!("exec {own} bench lvs {INSIDE} {program} {files}");
    let output = metered(meter.path(), || Ok(guest.script(&script)?))?;
    match output.verdict {
        rk_lab::Verdict::Exit(status @ (0 | 1)) => {
            print!("{}", output.stdout);
            Ok(Verdict::from(status == 0))
        }
        _ => bail!("{output}"),
    }
}

/// Answers the guest's questions for its CPU time while it runs.
fn metered(directory: &Path, guest: impl FnOnce() -> Result<GuestOutput>) -> Result<GuestOutput> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let meter = scope.spawn(|| meter::serve(directory, &over));
        let output = guest();
        over.store(true, Ordering::Relaxed);
        meter
            .join()
            .map_err(|_| anyhow!("the meter's thread died"))??;
        output
    })
}

/// What needs a kernel with IPVS; `files` is shared with the machine outside.
pub(crate) fn inside(program: &Path, files: &Path) -> Result<Verdict> {
    let lab = Lab::new("bench")?.offer(program);
    let mut table = Table::default();
    let mut meter = Meter::new(files);
    programmed::run(&lab, &mut meter, &mut table)?;
    checks::run(&lab, &mut meter, &mut table)?;
    Ok(table.end())
}

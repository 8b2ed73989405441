//! Many virtual servers and many checks: beside keepalived in a guest that has IPVS, and more of
//! both with the commands written to a file.

mod checks;
mod config;
mod listener;
mod programmed;
mod recorded;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rk_lab::{Guest, Lab};

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
    let guest = in_guest(&program)?;
    let mut table = Table::default();
    let lab = Lab::new("bench")?.offer(&program);
    recorded::checks(&lab, &mut table)?;
    recorded::reload(&lab, &mut table)?;
    Ok(Verdict::from(
        table.end() == Verdict::Good && guest == Verdict::Good,
    ))
}

/// Has [`inside`] run in a guest, and prints what it prints.
fn in_guest(program: &Path) -> Result<Verdict> {
    let own = std::env::current_exe().context("where this program is")?;
    let [own, program] = [&own, program].map(|path| format!("'{}'", path.display()));
    let output = Guest::new()
        .memory(MEMORY)
        .deadline(Duration::from_mins(3))
        .script(&format!("exec {own} bench lvs {INSIDE} {program}"))?;
    match output.verdict {
        rk_lab::Verdict::Exit(status @ (0 | 1)) => {
            print!("{}", output.stdout);
            Ok(Verdict::from(status == 0))
        }
        _ => bail!("{output}"),
    }
}

/// What needs a kernel with IPVS.
pub(crate) fn inside(program: &Path) -> Result<Verdict> {
    let lab = Lab::new("bench")?.offer(program);
    let mut table = Table::default();
    programmed::run(&lab, &mut table)?;
    checks::run(&lab, &mut table)?;
    Ok(table.end())
}

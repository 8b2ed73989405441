//! What five hundred TCP checks a second cost.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rk_lab::{Daemon, Lab, Node, Which, pause};

use super::config::{Checked, Servers};
use super::listener::Listener;
use super::meter::Meter;
use super::turns::{Turns, Watch, memory_line, steady, watch};
use crate::bench::{Table, median, resident};

/// What the configuration has: a check a second of each.
const SERVERS: Servers = Servers {
    virtuals: 125,
    reals: 4,
    checked: Checked::Every(1),
};
/// How often each program is watched.
const ROUNDS: usize = 3;
/// For how long.
const WATCHED: Duration = Duration::from_secs(8);

pub(super) fn run(lab: &Lab, meter: &mut Meter<'_>, table: &mut Table) -> Result<()> {
    let all = f64::from(SERVERS.all());
    let before = meter.read()?;
    pause(WATCHED);
    let idle = meter.read()?.percent_since(before);
    let turns = Turns::take(lab, ROUNDS, |node, which| turn(node, which, meter))?;
    table.head(&format!("{all} TCP checks a second, in a guest"));
    // One is a little behind the other with its timers.
    let [ours, theirs] = turns.each(|(seen, _)| (seen.cpu - idle) * all / seen.rate, median);
    let what = "CPU of the guest, above one that does nothing";
    table.line(what, ours, Some(theirs), Some(theirs), "%");
    let [ours, theirs] = turns.each(|(seen, _)| seen.rate, median);
    table.line("checks made", ours, Some(theirs), None, "/s");
    let [ours, theirs] = turns.each(|(_, memory)| *memory, median);
    memory_line(table, ours, Some(theirs));
    Ok(())
}

/// One watch, and the memory of the checker process in MiB.
fn turn(node: &Node, which: Which, meter: &mut Meter<'_>) -> Result<(Watch, f64)> {
    let listener = Listener::start(node)?;
    let mut daemon = Daemon::start(node, which, &SERVERS.text(1));
    let pid = daemon.checker_pid();
    steady(&listener, SERVERS);
    let seen = watch(&listener, WATCHED, || meter.read())?;
    let memory = resident(node, pid).context("memory")?;
    daemon.stop();
    let rate = seen.rate;
    ensure!(
        rate > f64::from(SERVERS.all()) * 0.8,
        "{which:?} made only {rate:.0} checks a second"
    );
    Ok((seen, memory))
}

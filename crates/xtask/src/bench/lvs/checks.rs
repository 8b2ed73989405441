//! What five hundred TCP checks a second cost.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rk_lab::{Daemon, Lab, Node, Which, eventually, pause};

use super::config::{Checked, Servers};
use super::listener::Listener;
use super::meter::Meter;
use crate::bench::{BOTH, SOON, Table, median, resident};

/// What the configuration has: a check a second of each.
const SERVERS: Servers = Servers {
    virtuals: 125,
    reals: 4,
    checked: Checked::Every(1),
};
/// How often each program is watched, in turns: others use the machine too.
const ROUNDS: usize = 3;
/// For how long.
const WATCHED: Duration = Duration::from_secs(8);

/// What was seen of one run.
struct Seen {
    /// Checks in a second.
    rate: f64,
    /// CPU of the whole guest, in percent of one processor.
    cpu: f64,
    /// Of the checker process, in MiB.
    memory: f64,
}

pub(super) fn run(lab: &Lab, meter: &mut Meter<'_>, table: &mut Table) -> Result<()> {
    let all = f64::from(SERVERS.virtuals * SERVERS.reals);
    let nodes = ["ours", "theirs"].map(|name| lab.node(name));
    let before = meter.read()?;
    pause(WATCHED);
    let idle = meter.read()?.percent_since(before);
    let mut rounds = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        for (n, which) in BOTH.into_iter().enumerate() {
            let seen = watch(&nodes[n], which, meter)?;
            let rate = seen.rate;
            ensure!(
                rate > all * 0.8,
                "{which:?} made only {rate:.0} checks a second"
            );
            rounds[n].push(seen);
        }
    }
    let both = |of: &dyn Fn(&Seen) -> f64| {
        [0, 1].map(|n: usize| median(rounds[n].iter().map(of).collect()))
    };
    table.head(&format!("{all} TCP checks a second, in a guest"));
    // One is a little behind the other with its timers.
    let [ours, theirs] = both(&|seen| (seen.cpu - idle) * all / seen.rate);
    let what = "CPU of the guest, above one that does nothing";
    table.line(what, ours, Some(theirs), Some(theirs), "%");
    let [ours, theirs] = both(&|seen| seen.rate);
    table.line("checks made", ours, Some(theirs), None, "/s");
    let [ours, theirs] = both(&|seen| seen.memory);
    let what = "memory of the checker process";
    table.line(what, ours, Some(theirs), None, "MiB");
    Ok(())
}

fn watch(node: &Node, which: Which, meter: &mut Meter<'_>) -> Result<Seen> {
    let listener = Listener::start(node)?;
    let mut daemon = Daemon::start(node, which, &SERVERS.text(1));
    let pid = daemon.checker_pid();
    steady(&listener, SERVERS);
    let (taken, before) = (listener.taken(), meter.read()?);
    pause(WATCHED);
    let (taken, after) = (listener.taken() - taken, meter.read()?);
    let memory = resident(node, pid).context("memory")?;
    daemon.stop();
    Ok(Seen {
        rate: taken as f64 / (after.at - before.at),
        cpu: after.percent_since(before),
        memory,
    })
}

/// Waits until every server was asked for the first time, and most of them twice more.
pub(super) fn steady(listener: &Listener<'_>, servers: Servers) {
    let begun = u64::from(servers.virtuals * servers.reals * 3);
    eventually(SOON, "all servers are checked", || {
        (listener.taken() >= begun).then_some(())
    });
}

//! What five hundred TCP checks a second cost.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rk_lab::{Daemon, Lab, Node, Which, eventually, pause};

use super::config::{Checked, Servers};
use super::listener::Listener;
use crate::bench::{BOTH, SOON, Table, cpu_ticks, resident, smallest};

/// What the configuration has: a check a second of each.
const SERVERS: Servers = Servers {
    virtuals: 125,
    reals: 4,
    checked: Checked::Every(1),
};
/// How often each program is watched; the cheapest counts, for others use the machine too.
const ROUNDS: usize = 2;
/// For how long.
const WATCHED: Duration = Duration::from_secs(8);

/// What a check costs.
pub(super) struct Cost {
    /// Checks in a second.
    pub(super) rate: f64,
    /// CPU of the checker process, in percent of one core.
    pub(super) cpu: f64,
}

pub(super) fn run(lab: &Lab, table: &mut Table) -> Result<()> {
    let all = SERVERS.virtuals * SERVERS.reals;
    let nodes = ["ours", "theirs"].map(|name| lab.node(name));
    let mut cpu = [const { Vec::new() }; 2];
    let mut memory = [f64::NAN; 2];
    for _ in 0..ROUNDS {
        for (n, which) in BOTH.into_iter().enumerate() {
            let (cost, resident) = measure(&nodes[n], which)?;
            ensure!(
                cost.rate > f64::from(all) * 0.8,
                "{which:?} made only {:.0} checks a second",
                cost.rate
            );
            // One is a little behind the other with its timers.
            cpu[n].push(cost.cpu * f64::from(all) / cost.rate);
            memory[n] = resident;
        }
    }
    let [ours, theirs] = cpu.map(|cpu| smallest(&cpu));
    table.head(&format!("{all} TCP checks a second, in a guest"));
    let what = "CPU of the checker process";
    table.line(what, ours, Some(theirs), Some(theirs), "%");
    let what = "memory of the checker process";
    table.line(what, memory[0], Some(memory[1]), None, "MiB");
    Ok(())
}

fn measure(node: &Node, which: Which) -> Result<(Cost, f64)> {
    let listener = Listener::start(node)?;
    let mut daemon = Daemon::start(node, which, &SERVERS.text(1));
    let pid = daemon.checker_pid();
    let rate = f64::from(SERVERS.virtuals * SERVERS.reals);
    let cost = watch(node, pid, &listener, rate, WATCHED)?;
    let memory = resident(node, pid).context("memory")?;
    daemon.stop();
    Ok((cost, memory))
}

/// Watches the checker process for as long as `watched`, once it makes about `rate` checks a
/// second.
pub(super) fn watch(
    node: &Node,
    pid: i32,
    listener: &Listener<'_>,
    rate: f64,
    watched: Duration,
) -> Result<Cost> {
    // Every server was asked for the first time, and the first ones for a second time.
    let begun = (rate * 3.0) as u64;
    eventually(SOON, "all servers are checked", || {
        (listener.taken() >= begun).then_some(())
    });
    let look = || Some((cpu_ticks(node, pid)?, listener.taken(), Instant::now()));
    let before = look().context("CPU time")?;
    pause(watched);
    let after = look().context("CPU time")?;
    let seconds = (after.2 - before.2).as_secs_f64();
    Ok(Cost {
        rate: (after.1 - before.1) as f64 / seconds,
        // A tick is a hundredth of a second on every Linux that runs this.
        cpu: f64::from(after.0 - before.0) / seconds,
    })
}

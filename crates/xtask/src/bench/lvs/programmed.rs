//! How soon the kernel has a thousand virtual servers.

use std::io;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rk_lab::{Daemon, IpvsTable, Lab, Node, Which, pause};

use super::config::{Checked, Servers};
use super::meter::Meter;
use crate::bench::{BOTH, SOON, Table, median, resident, smallest};

/// What the configuration has.
const SERVERS: Servers = Servers {
    virtuals: 1_000,
    reals: 4,
    checked: Checked::Never,
};
/// How often each program starts; the quickest counts, for others use the machine too.
const ROUNDS: usize = 6;
/// How often to look at the table, which takes a while itself.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What one start took.
struct Start {
    seconds: f64,
    /// CPU of the whole guest in that time, in seconds: what is left when nobody else uses the
    /// machine.
    cpu: f64,
    /// Of the checker process, when all is there, in MiB.
    memory: f64,
    table: IpvsTable,
}

pub(super) fn run(lab: &Lab, meter: &mut Meter<'_>, table: &mut Table) -> Result<()> {
    let nodes = ["ours", "theirs"].map(|name| lab.node(name));
    let mut starts = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        for (n, which) in BOTH.into_iter().enumerate() {
            starts[n].push(start(&nodes[n], which, meter)?);
        }
    }
    let [ours, theirs] = &starts;
    ensure!(
        ours[0].table == theirs[0].table,
        "the tables of the two differ"
    );
    let all = |of: fn(&Start) -> f64| {
        [ours, theirs].map(|starts| starts.iter().map(of).collect::<Vec<_>>())
    };
    let [own, other] = all(|one| one.seconds).map(|seconds| smallest(&seconds));
    let Servers {
        virtuals, reals, ..
    } = SERVERS;
    table.head(&format!("{virtuals} virtual servers x {reals}, in a guest"));
    table.line(
        "from the start until IPVS has all of them",
        own,
        Some(other),
        Some(other),
        "s",
    );
    let [cpu, of_theirs] = all(|one| one.cpu).map(median);
    table.line("CPU of the guest for that", cpu, Some(of_theirs), None, "s");
    let [memory, of_theirs] = all(|one| one.memory).map(median);
    let what = "memory of the checker process";
    table.line(what, memory, Some(of_theirs), None, "MiB");
    println!("{:<52} {:>12.2} x", "  as fast (goal: 2 x)", other / own);
    Ok(())
}

fn start(node: &Node, which: Which, meter: &mut Meter<'_>) -> Result<Start> {
    let before = meter.read()?;
    let started = Instant::now();
    let mut daemon = Daemon::start(node, which, &SERVERS.text(1));
    let all = (SERVERS.virtuals * SERVERS.reals) as usize;
    while dests(node)? < all {
        ensure!(
            started.elapsed() < SOON,
            "{which:?} has not added all real servers; log:\n{}",
            daemon.log()
        );
        pause(LOOK_EVERY);
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu = meter.read()?.cpu - before.cpu;
    let memory = resident(node, daemon.checker_pid()).context("memory")?;
    let table = node.ipvs();
    daemon.stop();
    // Whoever had to stop in a hurry has left some services, and while another namespace has any
    // the kernel leaves out lines of the file that `dests` reads.
    node.sh("ipvsadm -C");
    Ok(Start {
        seconds,
        cpu,
        memory,
        table,
    })
}

/// How many real servers the kernel has; read without a program, which the guest's one processor
/// would have to start.
fn dests(node: &Node) -> Result<usize> {
    let text = match node.in_net(|| std::fs::read_to_string("/proc/thread-self/net/ip_vs")) {
        // The module is not loaded yet.
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
        text => text.context("the kernel's IPVS table")?,
    };
    let lines = text.lines().filter(|line| line.starts_with("  ->"));
    // The head has such a line, too.
    Ok(lines.count().saturating_sub(1))
}

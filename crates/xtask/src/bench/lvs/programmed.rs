//! How soon the kernel has a thousand virtual servers.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rk_ipvs::{Kernel, Table as _, TableError};
use rk_lab::{Daemon, IpvsTable, Lab, Node, Which, pause};

use super::config::{Checked, Servers};
use super::meter::Meter;
use super::turns::{Turns, memory_line};
use crate::bench::{SOON, Table, median, resident, smallest};

/// What the configuration has.
const SERVERS: Servers = Servers {
    virtuals: 1_000,
    reals: 4,
    checked: Checked::Never,
};
/// How often each program starts; the quickest counts, for others use the machine too.
const ROUNDS: usize = 6;
/// How often to look at the table.
const LOOK_EVERY: Duration = Duration::from_millis(5);

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
    let starts = Turns::take(lab, ROUNDS, |node, which| start(node, which, meter))?;
    let [ours, theirs] = starts.all();
    ensure!(
        ours[0].table == theirs[0].table,
        "the tables of the two differ"
    );
    let Servers {
        virtuals, reals, ..
    } = SERVERS;
    table.head(&format!("{virtuals} virtual servers x {reals}, in a guest"));
    let [own, other] = starts.each(|one| one.seconds, |all| smallest(&all));
    let what = "from the start until IPVS has all of them";
    table.line(what, own, Some(other), Some(other), "s");
    let [cpu, of_theirs] = starts.each(|one| one.cpu, median);
    table.line("CPU of the guest for that", cpu, Some(of_theirs), None, "s");
    let [memory, of_theirs] = starts.each(|one| one.memory, median);
    memory_line(table, memory, Some(of_theirs));
    println!("{:<52} {:>12.2} x", "  as fast (goal: 2 x)", other / own);
    Ok(())
}

fn start(node: &Node, which: Which, meter: &mut Meter<'_>) -> Result<Start> {
    let mut looker = Looker::new(node)?;
    let before = meter.read()?;
    let started = Instant::now();
    let mut daemon = Daemon::start(node, which, &SERVERS.text(1));
    while !looker.sees_all()? {
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
    // Whoever had to stop in a hurry has left some services.
    node.sh("ipvsadm -C");
    Ok(Start {
        seconds,
        cpu,
        memory,
        table,
    })
}

/// Sees when the kernel has everything, without taking much of the guest's one processor: it asks
/// for the last virtual server alone, and for the others once that one is complete.
struct Looker {
    runtime: tokio::runtime::Runtime,
    kernel: Kernel,
}

impl Looker {
    fn new(node: &Node) -> Result<Self> {
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
            kernel: node.in_net(Kernel::open)?,
        })
    }

    fn sees_all(&mut self) -> Result<bool, TableError> {
        let Self { runtime, kernel } = self;
        let reals = SERVERS.reals as usize;
        runtime.block_on(async {
            let last = SERVERS.service(SERVERS.virtuals - 1);
            if kernel.dests(&last).await?.len() < reals {
                return Ok(false);
            }
            let all = kernel.read(|_| true).await?;
            let complete = all.entries().filter(|entry| entry.len() == reals).count();
            Ok(complete == SERVERS.virtuals as usize)
        })
    }
}

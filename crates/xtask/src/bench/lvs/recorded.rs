//! More than a guest has room for: rkeepalived alone, its IPVS commands written to a file.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rk_lab::{Lab, Node, Process, Which, eventually, pause};

use super::config::{Checked, PORT, Servers};
use super::listener::Listener;
use super::meter::Reading;
use super::turns::{memory_line, middle, steady, watch};
use crate::bench::{SOON, Table, cpu_ticks, resident, smallest};

/// More than ten thousand checks, because the second of `delay_loop` begins behind a check, and
/// others use the machine too.
const MANY_CHECKS: Servers = Servers {
    virtuals: 3_000,
    reals: 4,
    checked: Checked::Every(1),
};
/// How many a second that must be.
const RATE: f64 = 10_000.0;
/// For how long they are watched, and how often.
const WATCHED: Duration = Duration::from_secs(5);
const WATCHES: usize = 3;

/// 64,000 real servers with a check each, which comes about once a day.
const MANY_SERVERS: Servers = Servers {
    virtuals: 16_000,
    reals: 4,
    checked: Checked::Every(100_000),
};
/// How many times one weight changes; the quickest counts, for others use the machine too.
const RELOADS: u32 = 5;

/// Our daemon with its commands in a file.
struct Recorded<'a> {
    node: &'a Node,
    process: Process,
    told: PathBuf,
}

impl<'a> Recorded<'a> {
    fn start(node: &'a Node, configuration: String) -> Self {
        node.write("/run/bench.conf", configuration);
        let process = node.spawn(
            Which::Rkeepalived.program(),
            &[
                "--rk-record-ipvs=/run/told",
                "-nl",
                "-f/run/bench.conf",
                "-p/run/keepalived.pid",
                "-c/run/checkers.pid",
            ],
        );
        Self {
            node,
            process,
            told: node.path("/run/told"),
        }
    }

    fn pid(&self, file: &str) -> i32 {
        eventually(SOON, "a pid file", || {
            self.node.read(file)?.trim().parse().ok()
        })
    }

    /// How many bytes of commands there are.
    fn told(&self) -> u64 {
        fs::metadata(&self.told).map_or(0, |file| file.len())
    }

    /// Waits until the commands for all these servers are there.
    fn programmed(&self, servers: Servers) {
        let lines = (servers.virtuals * (servers.reals + 1)) as usize;
        eventually(SOON, "all servers in the table", || {
            let told = fs::read_to_string(&self.told).ok()?;
            (told.lines().count() == lines).then_some(())
        });
    }

    fn memory(&self, pid_file: &str) -> Result<f64> {
        resident(self.node, self.pid(pid_file)).context("memory")
    }

    fn stop(mut self) {
        self.node.kill("TERM", &[self.pid("/run/keepalived.pid")]);
        self.process.wait_exit(SOON);
    }
}

pub(super) fn checks(lab: &Lab, table: &mut Table) -> Result<()> {
    let node = lab.node("checks");
    let listener = Listener::start(&node)?;
    let daemon = Recorded::start(&node, MANY_CHECKS.text(1));
    daemon.programmed(MANY_CHECKS);
    let before = daemon.told();
    let pid = daemon.pid("/run/checkers.pid");
    steady(&listener, MANY_CHECKS);
    let started = Instant::now();
    let read = || {
        let ticks = cpu_ticks(&node, pid).context("CPU time")?;
        Ok(Reading {
            at: started.elapsed().as_secs_f64(),
            // A tick is a hundredth of a second on every Linux that runs this.
            cpu: f64::from(ticks) / 100.0,
        })
    };
    let mut watches = Vec::new();
    for _ in 0..WATCHES {
        watches.push(watch(&listener, WATCHED, read)?);
    }
    ensure!(
        daemon.told() == before,
        "real servers that answer went down"
    );
    table.head("TCP checks, recorded");
    let rate = middle(&watches, |seen| seen.rate);
    table.at_least("checks made in a second", rate, RATE, "/s");
    let cpu = middle(&watches, |seen| seen.cpu);
    table.line("CPU of the checker process", cpu, None, None, "%");
    memory_line(table, daemon.memory("/run/checkers.pid")?, None);
    daemon.stop();
    Ok(())
}

pub(super) fn reload(lab: &Lab, table: &mut Table) -> Result<()> {
    let node = lab.node("reload");
    let listener = Listener::start(&node)?;
    let started = Instant::now();
    let mut daemon = Recorded::start(&node, MANY_SERVERS.text(1));
    daemon.programmed(MANY_SERVERS);
    let up = started.elapsed().as_secs_f64();
    let (mut whole, mut parent) = (Vec::new(), Vec::new());
    for weight in 2..2 + RELOADS {
        let (seconds, of_parent) = change(&mut daemon, weight)?;
        whole.push(seconds);
        parent.push(of_parent);
    }
    let all = MANY_SERVERS.all();
    table.head(&format!("{all} real servers, recorded"));
    table.line(
        "from the start until IPVS has all of them",
        up,
        None,
        None,
        "s",
    );
    let what = "reload: from HUP to the one command";
    table.line(what, smallest(&whole), None, Some(1.0), "s");
    let what = "reload: of this until the child has heard of it";
    table.line(what, smallest(&parent), None, None, "s");
    let memory = daemon.memory("/run/keepalived.pid")?;
    table.line("memory of the parent", memory, None, None, "MiB");
    memory_line(table, daemon.memory("/run/checkers.pid")?, None);
    daemon.stop();
    drop(listener);
    Ok(())
}

/// Changes the weight of the last real server: seconds until the command for that is there, and
/// the part of them until the child was told. There must be no other command since the last
/// change, which shows what came behind that one too.
fn change(daemon: &mut Recorded<'_>, weight: u32) -> Result<(f64, f64)> {
    let before = daemon.told();
    daemon
        .node
        .write("/run/bench.conf", MANY_SERVERS.text(weight));
    let pid = daemon.pid("/run/keepalived.pid");
    daemon.process.skip_lines();
    let started = Instant::now();
    daemon.node.kill("HUP", &[pid]);
    while daemon.told() == before {
        ensure!(started.elapsed() < SOON, "the reload changed nothing");
        pause(Duration::from_millis(1));
    }
    let seconds = started.elapsed().as_secs_f64();
    let heard = daemon.process.wait_for_line("Reloading", SOON);
    // The parent says so too, before it reads.
    let heard = if heard.text.ends_with("...") {
        daemon.process.wait_for_line("Reloading", SOON)
    } else {
        heard
    };
    // Only then all is done, and the memory given back.
    daemon.process.wait_for_line("Reload complete", SOON);
    let told = fs::read_to_string(&daemon.told)?;
    let commands = told.lines().count();
    let known = MANY_SERVERS.virtuals * (MANY_SERVERS.reals + 1);
    let expected = (known + weight - 1) as usize;
    let last = told.lines().last().unwrap_or_default();
    ensure!(
        commands == expected && last.contains(&PORT.to_string()),
        "{commands} commands instead of {expected} for one weight; the last one: {last}"
    );
    Ok((seconds, (heard.at - started).as_secs_f64()))
}

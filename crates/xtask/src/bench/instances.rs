//! Four times 255 instances on one process: how soon all addresses are up, and what it costs.

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rk_lab::{Daemon, Lab, Node, Which, eventually, pause};

use super::{BOTH, SOON, Table, cpu_ticks, resident};
use crate::{Verdict, need, tool};

/// Interfaces, and instances on each.
const INTERFACES: u8 = 4;
const EACH: u8 = 255;
/// How long the CPU time is watched.
const WATCHED: Duration = Duration::from_secs(10);

/// What one program needed.
struct Cost {
    /// Seconds from the start until every address was up, less the down time.
    up: f64,
    /// CPU of the VRRP process as master and as backup, in percent of one core.
    cpu: [f64; 2],
    /// Its resident memory as master and as backup, in MiB.
    memory: [f64; 2],
}

pub(crate) fn run() -> Result<Verdict> {
    need::packages(&[need::LAB])?;
    need::enter_lab()?;
    let program = tool::rkeepalived("release")?;
    let mut table = Table::default();
    let costs = BOTH.map(|which| cost(&program, which));
    let [ours, theirs] = costs;
    let (ours, theirs) = (ours?, theirs?);
    let all = u32::from(INTERFACES) * u32::from(EACH);
    table.head(&format!("{all} instances on one process"));
    let what = "at 1 s: all addresses up, behind their time";
    table.line(what, ours.up, Some(theirs.up), Some(2.0), "s");
    for (role, name) in ["master", "backup"].iter().enumerate() {
        let what = format!("at 100 ms: CPU as {name}");
        let limit = theirs.cpu[role] / 2.0;
        table.line(
            &what,
            ours.cpu[role],
            Some(theirs.cpu[role]),
            Some(limit),
            "%",
        );
        let what = format!("at 100 ms: memory as {name}");
        table.line(
            &what,
            ours.memory[role],
            Some(theirs.memory[role]),
            None,
            "MiB",
        );
    }
    Ok(table.end())
}

fn address(interface: u8, vrid: u8) -> IpAddr {
    IpAddr::from([10, 80 + interface, 1, vrid])
}

fn configuration(priority: u8, interval: f64) -> String {
    let mut text = String::new();
    for interface in 0..INTERFACES {
        for vrid in 1..=EACH {
            text.push_str(&format!(
                "vrrp_instance V{interface}_{vrid} {{\ninterface eth{interface}\n\
                 virtual_router_id {vrid}\npriority {priority}\nversion 3\n\
                 advert_int {interval}\ngarp_master_delay 0\ngarp_master_repeat 1\n\
                 virtual_ipaddress {{\n{}/32\n}}\n}}\n",
                address(interface, vrid)
            ));
        }
    }
    text
}

/// Two nodes on four bridges.
fn nodes(program: &Path) -> Result<(Lab, [Node; 2])> {
    let lab = Lab::new("bench")?.offer(program);
    let nodes = [lab.node("one"), lab.node("two")];
    for interface in 0..INTERFACES {
        let bridge = format!("lan{interface}");
        lab.bridge(&bridge);
        for (node, host) in nodes.iter().zip([1, 2]) {
            let own = format!("10.{}.0.{host}/16", 80 + interface);
            lab.link(&bridge, node, &format!("eth{interface}"), &[&own]);
        }
    }
    Ok((lab, nodes))
}

/// How many of the virtual addresses a node has.
fn count(node: &Node) -> usize {
    let is_virtual = |address: &IpAddr| match address {
        IpAddr::V4(v4) => v4.octets()[2] == 1,
        IpAddr::V6(_) => false,
    };
    (0..INTERFACES)
        .map(|n| {
            node.addresses(&format!("eth{n}"))
                .iter()
                .filter(|a| is_virtual(a))
                .count()
        })
        .sum()
}

fn cost(program: &Path, which: Which) -> Result<Cost> {
    let all = usize::from(INTERFACES) * usize::from(EACH);
    let everything = |node: &Node| {
        eventually(SOON, &format!("{all} addresses ({which:?})"), || {
            (count(node) == all).then_some(())
        });
    };
    // At 1 s, alone.
    let (_lab, [one, two]) = nodes(program)?;
    let mut daemon = Daemon::start(&one, which, &configuration(100, 1.0));
    daemon.wait_for_line("Entering BACKUP STATE", SOON);
    let listening = Instant::now();
    everything(&one);
    let down = Duration::from_secs(3) + Duration::from_secs(1) * (256 - 100) / 256;
    let up = listening.elapsed().as_secs_f64() - down.as_secs_f64();
    daemon.stop();

    // At 100 ms, against its like.
    let mut master = Daemon::start(&one, which, &configuration(200, 0.1));
    master.wait_for_line("Entering MASTER STATE", SOON);
    everything(&one);
    let mut backup = Daemon::start(&two, which, &configuration(100, 0.1));
    backup.wait_for_line("Entering BACKUP STATE", SOON);
    // What a start costs is over after a few seconds.
    pause(Duration::from_secs(5));
    let pids = [(&one, master.vrrp_pid()), (&two, backup.vrrp_pid())];
    let ticks = || pids.map(|(node, pid)| cpu_ticks(node, pid));
    let (before, started) = (ticks(), Instant::now());
    pause(WATCHED);
    let (after, took) = (ticks(), started.elapsed().as_secs_f64());
    let mut cpu = [0.0; 2];
    for role in 0..2 {
        let (before, after) = (
            before[role].context("CPU time")?,
            after[role].context("CPU time")?,
        );
        // A tick is a hundredth of a second on every Linux that runs this.
        cpu[role] = f64::from(after - before) / took;
    }
    anyhow::ensure!(count(&one) == all, "the master lost addresses ({which:?})");
    anyhow::ensure!(count(&two) == 0, "the backup took addresses ({which:?})");
    let memory = pids.map(|(node, pid)| resident(node, pid).unwrap_or(f64::NAN));
    Ok(Cost { up, cpu, memory })
}

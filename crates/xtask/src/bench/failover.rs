//! How late a failover is.
//!
//! The master is on another node (keepalived; with many addresses rkeepalived). It is stopped
//! (SIGSTOP), so that nothing but its silence is heard, and continued for the next run. Everything
//! is read off the wire with the kernel's time stamps: the last advert of the old master, the
//! first of the new one, and the first announcement of each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rk_lab::{Capture, Daemon, Frame, Lab, Node, Which, eventually, pause};

use super::failover_client::Pinger;
use super::{BOTH, SOON, Table, largest, median, millis_between, smallest};
use crate::{Verdict, need, tool};

/// The priorities of the peer and of the program under test.
const HIGH: u8 = 200;
const LOW: u8 = 100;
/// Addresses that fit into an advert; the others are excluded from it.
const IN_ADVERT: usize = 200;

/// One measurement.
struct Run {
    /// First advert behind the instant when it was due, in ms; negative is early.
    late: f64,
    /// Last address announced behind the first advert, in ms.
    announced: f64,
    /// The longest time between two adverts in the first second, in ms.
    gap: f64,
}

pub(crate) fn run() -> Result<Verdict> {
    need::packages(&[need::LAB])?;
    need::enter_lab()?;
    let program = tool::rkeepalived("release")?;
    let mut table = Table::default();
    for (interval, runs) in [(0.01, 20), (0.1, 20), (1.0, 3)] {
        let [ours, theirs] = measure(&program, interval, 1, runs)?;
        table.head(&format!(
            "1 address every {} ms, {runs} runs",
            interval * 1000.0
        ));
        late(&mut table, &ours, &theirs);
        announced(&mut table, &ours, &theirs, 1.0);
    }
    for (addresses, limit) in [(200, 5.0), (1000, 50.0)] {
        for interval in [0.01, 0.1] {
            let [ours, theirs] = measure(&program, interval, addresses, 3)?;
            table.head(&format!(
                "{addresses} addresses every {} ms, 3 runs",
                interval * 1000.0
            ));
            announced(&mut table, &ours, &theirs, limit);
            gaps(&mut table, &ours, &theirs, interval);
        }
    }
    client(&program, &mut table)?;
    Ok(table.end())
}

fn late(table: &mut Table, ours: &[Run], theirs: &[Run]) {
    let values = |runs: &[Run]| runs.iter().map(|run| run.late).collect::<Vec<_>>();
    let (mine, reference) = (
        median(values(ours)),
        some(theirs).map(|runs| median(values(runs))),
    );
    table.line(
        "first advert behind its time, median",
        mine,
        reference,
        Some(1.0),
        "ms",
    );
    // What two medians differ by from run to run.
    let limit = reference.map(|reference| reference + 0.1);
    table.line(
        "... and not later than keepalived's",
        mine,
        reference,
        limit,
        "ms",
    );
    let early = |runs: &[Run]| (-smallest(&values(runs))).max(0.0);
    // The clock of the stamps is the wall clock, steered by up to 500 ppm.
    let what = "the earliest, before its time";
    table.line(what, early(ours), some(theirs).map(early), Some(0.02), "ms");
}

fn announced(table: &mut Table, ours: &[Run], theirs: &[Run], limit: f64) {
    let middle = |runs: &[Run]| median(runs.iter().map(|run| run.announced).collect());
    let what = "all addresses announced behind the first advert";
    table.line(
        what,
        middle(ours),
        some(theirs).map(middle),
        Some(limit),
        "ms",
    );
}

/// An advert that is missed makes a gap of two intervals.
fn gaps(table: &mut Table, ours: &[Run], theirs: &[Run], interval: f64) {
    let longest = |runs: &[Run]| largest(&runs.iter().map(|run| run.gap).collect::<Vec<_>>());
    let what = "longest gap between adverts meanwhile";
    let limit = Some(interval * 1000.0 * 1.9);
    table.line(what, longest(ours), some(theirs).map(longest), limit, "ms");
}

/// The runs, if there are any.
fn some(runs: &[Run]) -> Option<&[Run]> {
    (!runs.is_empty()).then_some(runs)
}

/// The addresses of a bench: 10.78.0.1 and on.
fn addresses(count: usize) -> Vec<IpAddr> {
    (1..=count)
        .map(|n| IpAddr::from([10, 78, u8::try_from(n >> 8).unwrap_or(255), (n & 255) as u8]))
        .collect()
}

fn configuration(priority: u8, interval: f64, addresses: &[IpAddr]) -> String {
    let list = |some: &[IpAddr]| some.iter().map(|a| format!("{a}/32\n")).collect::<String>();
    let (inside, excluded) = addresses.split_at(addresses.len().min(IN_ADVERT));
    let excluded = match excluded {
        [] => String::new(),
        some => format!("virtual_ipaddress_excluded {{\n{}}}\n", list(some)),
    };
    format!(
        "vrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 51\npriority {priority}\n\
         version 3\nadvert_int {interval}\nvirtual_ipaddress {{\n{}}}\n{excluded}}}\n",
        list(inside)
    )
}

/// The old master, the new one, and a client, on one bridge.
struct Wire {
    lab: Lab,
    one: Node,
    two: Node,
}

impl Wire {
    fn new(program: &std::path::Path) -> Result<Self> {
        let lab = Lab::new("bench")?.offer(program);
        lab.bridge("lan");
        let (one, two) = (lab.node("one"), lab.node("two"));
        lab.link("lan", &one, "eth0", &["10.77.0.1/16"]);
        lab.link("lan", &two, "eth0", &["10.77.0.2/16"]);
        Ok(Self { lab, one, two })
    }
}

/// Measures both programs.
fn measure(
    program: &std::path::Path,
    interval: f64,
    count: usize,
    runs: usize,
) -> Result<[Vec<Run>; 2]> {
    let mut results = Vec::new();
    for which in BOTH {
        let wire = Wire::new(program)?;
        let all = addresses(count);
        // The peer has what fits into an advert, so that both send the same list.
        let in_advert = &all[..all.len().min(IN_ADVERT)];
        // With many addresses at 10 ms keepalived would fall silent by itself now and then.
        let peer = if count > 1 {
            Which::Rkeepalived
        } else {
            Which::Keepalived
        };
        let theirs = configuration(HIGH, interval, in_advert);
        let mut peer = Daemon::start(&wire.one, peer, &theirs);
        peer.wait_state("VI_1", "MASTER", SOON);
        let mut daemon = Daemon::start(&wire.two, which, &configuration(LOW, interval, &all));
        daemon.wait_state("VI_1", "BACKUP", SOON);
        let capture = wire.two.capture("eth0");
        let mut list = Vec::new();
        let mut disturbed = 0;
        // keepalived takes seconds for what takes ours milliseconds: once is enough to see it.
        let slow = which == Which::Keepalived && count > 1;
        let (runs, patience) = if slow { (1, 1) } else { (runs, 3 * runs + 10) };
        while list.len() < runs {
            match one_run(&capture, &peer, &mut daemon, interval, &all)? {
                Some(run) => list.push(run),
                None => disturbed += 1,
            }
            if disturbed > patience {
                // Of keepalived it is worth knowing; of ours it is no measurement.
                let ours = which == Which::Rkeepalived;
                anyhow::ensure!(!ours, "this machine is too busy to measure on");
                break;
            }
        }
        if disturbed > 0 {
            println!("({which:?}: {disturbed} more runs in which the peer itself fell silent)");
        }
        results.push(list);
    }
    let theirs = results.pop().context("two programs")?;
    let ours = results.pop().context("two programs")?;
    Ok([ours, theirs])
}

/// Stops the peer, and lets it run again once `daemon` has taken over.
fn one_run(
    capture: &Capture,
    peer: &Daemon<'_>,
    daemon: &mut Daemon<'_>,
    interval: f64,
    addresses: &[IpAddr],
) -> Result<Option<Run>> {
    // Calm first: a peer that was just continued has much to do, and may fall silent over it.
    let mark = eventually(SOON, "a time in which only the peer is heard", || {
        let mark = capture.mark();
        pause(Duration::from_millis(300) + Duration::from_secs_f64(interval));
        let heard = capture.since(mark);
        let mut priorities = heard
            .iter()
            .filter_map(|f| Some(f.vrrp()?.priority))
            .peekable();
        (priorities.peek().is_some() && priorities.all(|p| p == HIGH)).then_some(mark)
    });
    daemon.process().skip_lines();
    let frozen = peer.freeze();
    daemon.wait_state("VI_1", "MASTER", SOON);
    let wanted = addresses.len();
    eventually(SOON, &format!("{wanted} addresses announced"), || {
        (announcements(&capture.since(mark)).len() >= wanted).then_some(())
    });
    // The second after the takeover is what the gaps are read from.
    pause(Duration::from_secs(1));
    let run = read_off(&capture.since(mark), interval)?;
    peer.thaw(frozen);
    daemon.wait_state("VI_1", "BACKUP", SOON);
    // Withdrawn before the next run, or there would be nothing to add.
    eventually(SOON, "the addresses are withdrawn", || {
        let here = daemon.node().addresses("eth0");
        (!addresses.iter().any(|address| here.contains(address))).then_some(())
    });
    Ok(run)
}

/// When each address was first announced by the node itself.
fn announcements(frames: &[Frame]) -> HashMap<IpAddr, Duration> {
    let mut first = HashMap::new();
    for frame in frames.iter().filter(|frame| frame.sent) {
        if let Some(address) = frame.announces() {
            first.entry(address).or_insert(frame.at);
        }
    }
    first
}

/// The measurement that is in these frames; `None` if the peer fell silent by itself before it was
/// stopped, so that the failover was another one.
fn read_off(frames: &[Frame], interval: f64) -> Result<Option<Run>> {
    let adverts = |priority: u8| {
        let of = move |frame: &&Frame| frame.vrrp().is_some_and(|v| v.priority == priority);
        frames
            .iter()
            .filter(of)
            .map(|frame| frame.at)
            .collect::<Vec<_>>()
    };
    let last = *adverts(HIGH).last().context("an advert of the peer")?;
    let mine = adverts(LOW);
    let first = mine
        .iter()
        .position(|at| *at > last)
        .context("an advert of the new master")?;
    let (before, mine) = mine.split_at(first);
    let first = mine[0];
    let down = Duration::from_secs_f64(interval) * 3
        + Duration::from_secs_f64(interval) * (256 - u32::from(LOW)) / 256;
    let announced = announcements(frames)
        .into_values()
        .max()
        .context("announcements")?;
    let first_second = mine
        .iter()
        .take_while(|at| **at < first + Duration::from_secs(1));
    let mut first_second: Vec<_> = first_second.copied().collect();
    // Silence up to the end of the second counts as well.
    first_second.push(first + Duration::from_secs(1));
    let gap = first_second
        .windows(2)
        .map(|pair| millis_between(pair[0], pair[1]));
    Ok(before.is_empty().then(|| Run {
        late: millis_between(last + down, first),
        announced: millis_between(first, announced),
        gap: largest(&gap.collect::<Vec<_>>()).max(0.0),
    }))
}

/// A client that pings every millisecond: the time without an answer, against the time from the
/// last answer of the old master to the first announcement of the new.
fn client(program: &std::path::Path, table: &mut Table) -> Result<()> {
    let mut beyond = Vec::new();
    let mut outages = Vec::new();
    for which in BOTH {
        let wire = Wire::new(program)?;
        let client = wire.lab.node("client");
        wire.lab.link("lan", &client, "eth0", &["10.77.0.9/16"]);
        client.sh("ip route add 10.78.0.0/16 dev eth0");
        let all = addresses(1);
        let mut peer = Daemon::start(
            &wire.one,
            Which::Keepalived,
            &configuration(HIGH, 0.1, &all),
        );
        peer.wait_state("VI_1", "MASTER", SOON);
        let mut daemon = Daemon::start(&wire.two, which, &configuration(LOW, 0.1, &all));
        daemon.wait_state("VI_1", "BACKUP", SOON);
        let mut capture = client.capture("eth0");
        let pinger = Pinger::start(&client, all[0])?;
        eventually(SOON, "an answer", || pinger.last().map(|_| ()));
        // A neighbour entry younger than a second is not replaced: let it come of age.
        pause(Duration::from_secs(2));
        capture.skip();
        // The node is gone as if its power were: processes, and the kernel that answers.
        wire.one.sh("ip link set eth0 down");
        let is_news = |frame: &Frame| frame.announces() == Some(all[0]);
        let announcement = capture.next("the announcement", SOON, is_news).at;
        let (before, after) = eventually(SOON, "an answer of the new master", || {
            pinger.around(announcement)
        });
        outages.push(millis_between(before, after));
        beyond.push(millis_between(announcement, after));
    }
    table.head("a client that pings every millisecond, at 100 ms");
    table.line(
        "without an answer",
        outages[0],
        Some(outages[1]),
        None,
        "ms",
    );
    // A millisecond between two pings, and one for the way of one of them.
    table.line(
        "... of it behind the announcement",
        beyond[0],
        Some(beyond[1]),
        Some(3.0),
        "ms",
    );
    Ok(())
}

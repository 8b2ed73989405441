//! The table while servers fail and come back, and after reloads, beside Debian's keepalived.
//!
//! What decides is the same for both, to the server: in place of its own checks every real server
//! gets a connection to a port of its own on the director, which the test opens and closes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rk_lab::{Daemon, IpvsTable, Node, Rivals, Which};

use crate::bed::skipped;
use crate::lvs::each::{configurations, each, guest, hosts, lab};

/// The checks there are.
const CHECKS: [&str; 10] = [
    "TCP_CHECK",
    "UDP_CHECK",
    "PING_CHECK",
    "HTTP_GET",
    "SSL_GET",
    "SMTP_CHECK",
    "DNS_CHECK",
    "MISC_CHECK",
    "BFD_CHECK",
    "FILE_CHECK",
];
/// The port of the first server's check.
pub(super) const FIRST: u16 = 20_000;
/// Every second a check; for this long none of keepalived's has changed its mind.
const CALM: Duration = Duration::from_millis(2500);
const PATIENCE: Duration = Duration::from_secs(30);

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A configuration that neither of them starts on, with different statuses: see `lvs::tables`.
const REFUSED: &str = "0426.conf";
/// A configuration that has its service twice: keepalived checks the servers of both blocks, of
/// which ours makes one.
const TWICE: &str = "0275.conf";
/// Configurations that no reload leads to, and why.
const RESTARTS: &[(&str, &str)] = &[
    (
        "0417.conf",
        "another network namespace needs a restart, under keepalived too",
    ),
    (
        "deprecated.conf",
        "another table of the firewall (vrrp_iptables) needs a restart",
    ),
];

/// Whatever can depend on a check: quorums, sorry servers, weights, inhibition, and services of
/// all kinds.
const ALL_KINDS: &str = "
virtual_server_group G {
    192.0.2.40-42 80
    192.0.2.50 8080
    fwmark 7
}
virtual_server 192.0.2.1 80 {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    sorry_server 10.0.0.99 8080
    real_server 10.0.0.1 80 {
    }
    real_server 10.0.0.2 80 {
    }
}
virtual_server 192.0.2.2 80 {
    lb_algo wrr
    lb_kind DR
    protocol TCP
    quorum 4
    hysteresis 2
    sorry_server 10.0.0.99 80
    sorry_server_inhibit
    real_server 10.0.0.1 80 {
        weight 1
    }
    real_server 10.0.0.2 80 {
        weight 2
    }
    real_server 10.0.0.3 80 {
        weight 3
        inhibit_on_failure
    }
    real_server 10.0.0.4 80 {
        weight 0
    }
}
virtual_server 192.0.2.3 53 {
    lb_algo wlc
    lb_kind NAT
    protocol UDP
    quorum 2
    inhibit_on_failure
    sorry_server 10.0.0.99 53
    real_server 10.0.0.1 53 {
        uthreshold 20
        lthreshold 10
    }
    real_server 10.0.0.2 5353 {
    }
}
virtual_server 192.0.2.4 80 {
    lb_algo sh
    lb_kind NAT
    protocol TCP
    alpha
    omega
    quorum 2
    sorry_server 10.0.0.1 80
    real_server 10.0.0.1 80 {
    }
    real_server 10.0.0.2 80 {
        inhibit_on_failure
    }
    real_server 10.0.0.3 80 {
    }
}
virtual_server fwmark 5 {
    lb_algo mh
    lb_kind DR
    persistence_timeout 60
    real_server 10.0.0.1 80 {
    }
    real_server 10.0.0.2 80 {
    }
}
virtual_server group G {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    quorum 2
    sorry_server 10.0.0.99 80
    real_server 10.0.0.1 80 {
    }
    real_server 10.0.0.2 81 {
        inhibit_on_failure
    }
    real_server 10.0.0.3 82 {
        weight 3
    }
}
virtual_server 2001:db8::1 443 {
    lb_algo lblc
    lb_kind TUN type gue port 6080
    protocol SCTP
    real_server 2001:db8::11 443 {
    }
    real_server 2001:db8::12 443 {
        weight 7
        inhibit_on_failure
    }
}
";

/// `text` with one check in every real server, and how many there are. `ha_suspend` goes as well:
/// the addresses are not there.
fn checkable(text: &str) -> (String, u16) {
    let mut changed = String::new();
    let mut servers = 0;
    let mut server_begins = false;
    // Inside a check: how deep, and whether it has begun.
    let mut inside: Option<(usize, bool)> = None;
    for line in text.lines() {
        let words: Vec<&str> = line
            .split_whitespace()
            .take_while(|word| !word.starts_with(['#', '!']))
            .collect();
        let count = |brace: char| -> usize { words.iter().map(|w| w.matches(brace).count()).sum() };
        let first = words.first().map_or("", |word| word.trim_end_matches('{'));
        if inside.is_none() && CHECKS.contains(&first) {
            inside = Some((0, false));
        }
        if let Some((depth, begun)) = inside {
            let begun = begun || count('{') > 0;
            let depth = (depth + count('{')).saturating_sub(count('}'));
            inside = (depth > 0 || !begun).then_some((depth, begun));
            continue;
        }
        if first == "ha_suspend" {
            continue;
        }
        changed.push_str(line);
        changed.push('\n');
        server_begins |= first == "real_server";
        if server_begins && count('{') > 0 {
            server_begins = false;
            let check = format!(
                "TCP_CHECK {{
                    connect_ip 127.0.0.1
                    connect_port {}
                    connect_timeout 2
                    retry 0
                    delay_loop 1
                    warmup 1
                }}\n",
                FIRST + servers
            );
            // A definition of several lines goes on to its end.
            let goes_on = line.trim_end().ends_with('\\');
            changed.push_str(&if goes_on {
                check.replace('\n', " \\\n")
            } else {
                check
            });
            servers += 1;
        }
    }
    (changed, servers)
}

/// The ports of the checks on a node, open or closed.
pub(super) struct Doors<'a> {
    node: &'a Node,
    open: BTreeMap<u16, TcpListener>,
}

impl<'a> Doors<'a> {
    /// All closed.
    pub(super) fn of(node: &'a Node) -> Self {
        Self {
            node,
            open: BTreeMap::new(),
        }
    }

    /// Opens and closes until exactly those of `0..servers` are open that `wanted` names.
    pub(super) fn set(&mut self, servers: u16, wanted: impl Fn(u16) -> bool) {
        self.open
            .retain(|server, _| *server < servers && wanted(*server));
        for server in (0..servers).filter(|server| wanted(*server)) {
            let address = (Ipv4Addr::LOCALHOST, FIRST + server);
            let open = || self.node.open_port(address.into());
            self.open.entry(server).or_insert_with(open);
        }
    }
}

/// How often a check has changed its mind.
pub(crate) fn verdicts(daemon: &Daemon<'_>) -> usize {
    daemon.count(": TCP_CHECK on service") + daemon.count(" success.")
}

/// How often keepalived's checks are to change their minds.
#[derive(Clone, Copy)]
enum Changes {
    /// At least once, and then no more for a while.
    Some,
    /// Perhaps not at all: there may be servers that are left out, so that nothing checks them.
    Any,
    /// So often and no more.
    Exactly(usize),
}

/// Whether ours has as many checks as keepalived.
#[derive(Clone, Copy, PartialEq)]
enum Checks {
    AsMany,
    Fewer,
}

/// Waits until keepalived's checks have changed their minds, and the other's as well; how often
/// keepalived's have since the start, which was `seen` before.
#[track_caller]
fn wait_verdicts(
    rivals: &mut Rivals<'_>,
    moment: &str,
    mut seen: usize,
    changes: Changes,
    checks: Checks,
) -> usize {
    let (before, mut since) = (seen, Instant::now());
    let until = Instant::now() + PATIENCE;
    loop {
        let now = verdicts(rivals.reference());
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        let calm = since.elapsed() > CALM;
        let done = match changes {
            Changes::Some => calm && seen > before,
            Changes::Any => calm,
            Changes::Exactly(count) => seen == before + count,
        };
        if done {
            break;
        }
        assert!(
            Instant::now() < until,
            "{moment}: keepalived's checks have changed {seen} times\n{}",
            rivals.reference().log()
        );
        rk_lab::pause(LOOK_EVERY);
    }
    let until = Instant::now() + PATIENCE;
    let (mut others, mut since) = (0, Instant::now());
    loop {
        let now = verdicts(rivals.other());
        if now != others {
            (others, since) = (now, Instant::now());
        }
        match checks {
            Checks::AsMany if others == seen => return seen,
            Checks::Fewer if since.elapsed() > CALM => return seen,
            Checks::AsMany | Checks::Fewer => {}
        }
        assert!(
            Instant::now() < until,
            "{moment}: keepalived's checks have changed {seen} times, the other's {others} times\n\
             {}\n{}",
            rivals.reference().log(),
            rivals.other().log()
        );
        rk_lab::pause(LOOK_EVERY);
    }
}

/// A daemon of ours that is never stopped: each of its reloads must come to what a start does.
struct Reloaded<'a> {
    doors: Doors<'a>,
    daemon: Option<Daemon<'a>>,
}

impl<'a> Reloaded<'a> {
    fn on(node: &'a Node) -> Self {
        Self {
            doors: Doors::of(node),
            daemon: None,
        }
    }

    /// Reloads to `text`, whose `servers` are all well; the table becomes `wanted`.
    #[track_caller]
    fn reload(&mut self, text: &str, servers: u16, wanted: &IpvsTable) {
        self.doors.set(servers, |_| true);
        let node = self.doors.node;
        match &self.daemon {
            Some(running) => running.reload(text),
            None => self.daemon = Some(Daemon::start(node, Which::Rkeepalived, text)),
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let table = node.ipvs();
            if table == *wanted {
                return;
            }
            assert!(
                Instant::now() < until,
                "after a reload the table is\n{table}instead of\n{wanted}log:\n{}",
                self.daemon.as_ref().map(Daemon::log).unwrap_or_default()
            );
            rk_lab::pause(LOOK_EVERY);
        }
    }
}

/// From start to stop with `text`, whose `servers` fail and come back; a word about it.
fn fail_and_recover(
    nodes: [&Node; 2],
    text: &str,
    servers: u16,
    checks: Checks,
    reloaded: Option<&mut Reloaded<'_>>,
) -> String {
    let mut doors = nodes.map(Doors::of);
    for doors in &mut doors {
        doors.set(servers, |_| true);
    }
    let mut rivals = Rivals::start(nodes, Which::Rkeepalived, text);
    let table = match rivals.outcome("start") {
        Ok(table) if table.is_empty() => {
            rivals.stop();
            return "nothing to balance".to_owned();
        }
        Ok(table) => table,
        Err(status) => return format!("refused, {status}"),
    };
    let mut seen = wait_verdicts(&mut rivals, "start", 0, Changes::Some, checks);
    let all_are_checked = seen == usize::from(servers);
    let mut lines = vec![table.lines().len()];
    let table = rivals.same_ipvs("all seen");
    lines.push(table.lines().len());
    if let Some(reloaded) = reloaded {
        reloaded.reload(text, servers, &table);
    }
    let steps: [(&str, &dyn Fn(u16) -> bool); 5] = [
        ("the first of two fails", &|server| server % 2 == 1),
        ("all fail", &|_| false),
        ("one of three is back", &|server| server % 3 == 1),
        ("two of three are back", &|server| server % 3 != 2),
        ("all are back", &|_| true),
    ];
    for (moment, wanted) in steps {
        let changing = (0..servers)
            .filter(|server| doors[0].open.contains_key(server) != wanted(*server))
            .count();
        for doors in &mut doors {
            doors.set(servers, wanted);
        }
        let changes = match changing {
            _ if !all_are_checked => Changes::Any,
            count => Changes::Exactly(count),
        };
        seen = wait_verdicts(&mut rivals, moment, seen, changes, checks);
        lines.push(rivals.same_rules(moment).lines().len());
    }
    rivals.same_ipvs("at the end");
    let left = rivals.stop();
    format!(
        "{servers} servers; lines: {lines:?}, {} left",
        left.lines().len()
    )
}

/// The same for each of these, those once that differ in nothing but their checks; every `of`th
/// of them from the `part`th.
fn each_fails_and_recovers(all: &[(PathBuf, String)], part: usize, of: usize) {
    let mut known = BTreeSet::new();
    let chosen: Vec<(PathBuf, String)> = all
        .iter()
        .filter(|(path, _)| !path.ends_with(REFUSED))
        .map(|(path, text)| (path.clone(), checkable(text).0))
        .filter(|(_, text)| text.contains("real_server") && known.insert(text.clone()))
        .skip(part)
        .step_by(of)
        .collect();
    each(&chosen, |queue| {
        let lab = lab();
        let [third] = hosts(&lab, ["third"]);
        let mut reloaded = Reloaded::on(&third);
        queue.work(&lab, |nodes, path, text| {
            let restarts = RESTARTS.iter().any(|(name, _)| path.ends_with(name));
            let reloaded = (!restarts).then_some(&mut reloaded);
            let twice = path.ends_with(TWICE);
            let checks = if twice { Checks::Fewer } else { Checks::AsMany };
            fail_and_recover(nodes, text, checkable(text).1, checks, reloaded)
        });
    });
}

#[test]
fn every_kind_of_service() {
    guest().run(|| {
        let all = [(PathBuf::from("all kinds"), ALL_KINDS.to_owned())];
        each_fails_and_recovers(&all, 0, 1);
    });
}

#[test]
fn samples() {
    guest().run(|| each_fails_and_recovers(&configurations("spec/samples"), 0, 1));
}

/// Of the corpus a quarter, which takes each guest a minute or two, unless all are asked for, as
/// `cargo xtask soak` does. Start and stop are compared for every file in any case.
fn corpus(part: usize) {
    let all = std::env::var_os("RKEEPALIVED_TEST_THOROUGH").is_some();
    if !all && !rk_lab::inside() {
        skipped("three of four configurations; RKEEPALIVED_TEST_THOROUGH=1 takes them all");
    }
    let of = if all { 2 } else { 8 };
    guest().run(move || each_fails_and_recovers(&configurations("corpus"), part, of));
}

#[test]
fn corpus_part_0() {
    corpus(0);
}

#[test]
fn corpus_part_1() {
    corpus(1);
}

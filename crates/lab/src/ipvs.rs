//! The kernel's IPVS table of a node, and two daemons compared by theirs.
//!
//! The machine's kernel may have no IPVS: all of this belongs into [`crate::in_guest`].

use std::fmt;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::daemon::{Daemon, Which};
use crate::node::Node;

/// For how long nothing may change in a table and in a log until they count as settled.
const QUIET: Duration = Duration::from_millis(250);
/// For how long keepalived must have logged nothing until it has no more to say.
const SILENCE: Duration = Duration::from_secs(2);
/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(40);
/// How long a table may take to become what it must be.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a table is read with: `ipvsadm -Sn` has everything but thresholds, timeouts and the
/// synchronisation daemons.
const READ: [&[&str]; 4] = [
    &["-Sn"],
    &["-Ln", "--thresholds"],
    &["-Ln", "--timeout"],
    &["-Ln", "--daemon"],
];
/// The timeouts of a kernel that was told nothing.
const TIMEOUTS: &str = "Timeout (tcp tcpfin udp): 900 120 300";

/// A node's IPVS table as `ipvsadm -Sn` prints it, sorted, with the thresholds of a destination
/// (`-x`, `-y`) where it has any. Two tables are equal when the kernel would balance alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpvsTable {
    lines: Vec<String>,
    settings: Vec<String>,
}

impl IpvsTable {
    /// Services (`-A ...`) and destinations (`-a ...`).
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Timeouts and synchronisation daemons, as `ipvsadm -L --timeout` and `--daemon` print them.
    #[must_use]
    pub fn settings(&self) -> &[String] {
        &self.settings
    }

    /// The destinations of a service, such as `-t 192.0.2.1:80` or `-f 5`: `ADDRESS:PORT ...`.
    #[must_use]
    pub fn destinations(&self, service: &str) -> Vec<&str> {
        let prefix = format!("-a {service} -r ");
        let all = self.lines.iter();
        all.filter_map(|line| line.strip_prefix(&prefix)).collect()
    }

    /// Whether there is no service at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether it is that of a kernel that was told nothing.
    fn is_pristine(&self) -> bool {
        self.lines.is_empty() && self.settings == [TIMEOUTS]
    }

    /// From what the commands of [`READ`] print.
    fn parse([rules, thresholds, timeouts, daemons]: [&str; 4]) -> Self {
        let mut lines: Vec<String> = rules.lines().map(|line| line.trim().to_owned()).collect();
        let mut service = String::new();
        for line in thresholds.lines() {
            let mut words = line.split_whitespace();
            let (first, second) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let option = match first {
                "TCP" => "-t",
                "UDP" => "-u",
                "SCTP" => "--sctp-service",
                "FWM" => "-f",
                "->" => {
                    let bounds = (words.next().unwrap_or("0"), words.next().unwrap_or("0"));
                    with_thresholds(&mut lines, &format!("-a {service} -r {second} "), bounds);
                    continue;
                }
                _ => continue,
            };
            service = format!("{option} {second}");
            if first == "FWM" && words.next() == Some("IPv6") {
                service.push_str(" -6");
            }
        }
        let settings = timeouts.lines().chain(daemons.lines());
        let settings = settings.map(|line| line.trim().to_owned()).collect();
        lines.sort_unstable();
        Self { lines, settings }
    }
}

/// Adds to the destination that starts with `prefix` its upper and lower threshold.
fn with_thresholds(lines: &mut [String], prefix: &str, (upper, lower): (&str, &str)) {
    let Some(line) = lines.iter_mut().find(|line| line.starts_with(prefix)) else {
        return;
    };
    for (option, value) in [("-x", upper), ("-y", lower)] {
        if value.parse().is_ok_and(|count: u32| count > 0) {
            line.push_str(&format!(" {option} {value}"));
        }
    }
}

impl fmt::Display for IpvsTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.lines.iter().chain(&self.settings) {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

/// What one table has and the other has not: `-` only the first, `+` only the second.
fn difference(first: &IpvsTable, second: &IpvsTable) -> String {
    let all = |table: &IpvsTable| -> Vec<String> {
        let lines = table.lines.iter().chain(&table.settings);
        lines.cloned().collect()
    };
    let (first, second) = (all(first), all(second));
    let only = |these: &[String], those: &[String], sign: char| -> String {
        let missing = these.iter().filter(|line| !those.contains(line));
        missing.map(|line| format!("{sign} {line}\n")).collect()
    };
    only(&first, &second, '-') + &only(&second, &first, '+')
}

impl Node {
    /// The node's IPVS table now.
    ///
    /// # Panics
    /// If `ipvsadm` fails: the kernel has no IPVS.
    #[track_caller]
    #[must_use]
    pub fn ipvs(&self) -> IpvsTable {
        let printed = READ.map(|arguments| self.ipvsadm(arguments));
        IpvsTable::parse(printed.each_ref().map(String::as_str))
    }

    /// Runs `ipvsadm` on the node's table.
    ///
    /// # Panics
    /// If it fails.
    #[track_caller]
    pub fn ipvsadm(&self, arguments: &[&str]) -> String {
        // Without nsenter and a shell: starting a program takes a guest some 20 ms.
        let output = self.in_net(|| Command::new("ipvsadm").args(arguments).output());
        match output {
            Ok(output) if output.status.success() => {
                String::from_utf8_lossy(&output.stdout).into_owned()
            }
            other => panic!("{}: ipvsadm {arguments:?}: {other:?}", self.name()),
        }
    }

    /// Empties the node's IPVS table and ends its synchronisation daemons.
    ///
    /// # Panics
    /// If `ipvsadm` fails.
    #[track_caller]
    pub fn clear_ipvs(&self) {
        self.ipvsadm(&["-C"]);
        self.ipvsadm(&["--set", "900", "120", "300"]);
        for daemon in self.ipvsadm(&["-Ln", "--daemon"]).lines() {
            let state = daemon.split_whitespace().next().unwrap_or("");
            self.ipvsadm(&["--stop-daemon", state]);
        }
    }

    /// The kernel's own list, without the counters of connections, for frequent looks. Empty where
    /// there is no IPVS yet.
    fn ipvs_summary(&self) -> String {
        let text = self.in_net(|| std::fs::read_to_string("/proc/thread-self/net/ip_vs"));
        let text = text.unwrap_or_default();
        let kept = text
            .lines()
            .map(|line| match line.trim_start().strip_prefix("-> ") {
                Some(destination) => destination
                    .split_whitespace()
                    .take(3)
                    .collect::<Vec<_>>()
                    .join(" "),
                None => line.to_owned(),
            });
        kept.collect::<Vec<_>>().join("\n")
    }

    /// Waits until the table is as `wanted` says, and returns it.
    ///
    /// # Panics
    /// When the deadline passes first; with `what` and the last table.
    #[track_caller]
    pub fn wait_ipvs(
        &self,
        what: &str,
        deadline: Duration,
        wanted: impl Fn(&IpvsTable) -> bool,
    ) -> IpvsTable {
        let until = Instant::now() + deadline;
        loop {
            let table = self.ipvs();
            if wanted(&table) {
                return table;
            }
            assert!(
                Instant::now() < until,
                "{}: not within {deadline:?}: {what}; the table is\n{table}",
                self.name()
            );
            crate::pause(LOOK_EVERY);
        }
    }

    /// An interface `dev` with a default route and `addresses` into which everything vanishes: a
    /// connection attempt through it ends with its timeout and nothing else. Names are not asked
    /// for there: the node has no name server.
    ///
    /// # Panics
    /// If there is one already.
    #[track_caller]
    pub fn void(&self, dev: &str, addresses: &[&str]) {
        let mut script = format!("ip link add {dev} type dummy && ip link set {dev} up");
        for address in addresses {
            let nodad = if address.contains(':') { " nodad" } else { "" };
            script.push_str(&format!(" && ip address add {address} dev {dev}{nodad}"));
        }
        script.push_str(&format!(
            " && ip route add default dev {dev} && ip -6 route add default dev {dev} \
             && : > /run/resolv.conf && mount --bind /run/resolv.conf /etc/resolv.conf"
        ));
        self.sh(&script);
    }
}

impl Daemon<'_> {
    /// The node's table once the checker process runs and neither the table nor the log has
    /// changed for a while.
    ///
    /// # Panics
    /// If that never happens.
    #[track_caller]
    pub fn settled_ipvs(&mut self) -> IpvsTable {
        self.wait_checkers();
        let mut calm = Calm::new(QUIET);
        let until = Instant::now() + PATIENCE;
        while !calm.is_calm((self.node().ipvs_summary(), self.count(""))) {
            assert!(
                Instant::now() < until,
                "{} is never quiet; log:\n{}",
                self.node().name(),
                self.log()
            );
            crate::pause(LOOK_EVERY);
        }
        self.node().ipvs()
    }

    /// Waits for the checker process, by its pid file.
    #[track_caller]
    fn wait_checkers(&self) {
        let node = self.node();
        let until = Instant::now() + PATIENCE;
        while node.read("/run/checkers.pid").is_none() {
            assert!(
                Instant::now() < until,
                "{}: no checker process; log:\n{}",
                node.name(),
                self.log()
            );
            crate::pause(LOOK_EVERY);
        }
    }
}

/// Since when something has looked the same, and for how long it must.
struct Calm<T> {
    seen: Option<T>,
    since: Instant,
    enough: Duration,
}

impl<T: PartialEq> Calm<T> {
    fn new(enough: Duration) -> Self {
        Self {
            seen: None,
            since: Instant::now(),
            enough,
        }
    }

    /// Whether it has looked like `now` for long enough.
    fn is_calm(&mut self, now: T) -> bool {
        if self.seen.as_ref() != Some(&now) {
            (self.seen, self.since) = (Some(now), Instant::now());
        }
        self.since.elapsed() >= self.enough
    }
}

/// Debian's keepalived and another daemon with the same configuration, each on a node of its own,
/// compared by the tables they make.
#[derive(Debug)]
pub struct Rivals<'a> {
    reference: Daemon<'a>,
    other: Daemon<'a>,
    reloads: usize,
}

impl<'a> Rivals<'a> {
    /// Starts both, keepalived on the first node. Their tables should be empty, as they are on a
    /// new node and after [`Self::stop`].
    ///
    /// # Panics
    /// If one cannot be started.
    #[track_caller]
    #[must_use]
    pub fn start(nodes: [&'a Node; 2], other: Which, configuration: &str) -> Self {
        Self {
            reference: Daemon::start(nodes[0], Which::Keepalived, configuration),
            other: Daemon::start(nodes[1], other, configuration),
            reloads: 0,
        }
    }

    /// The table of a keepalived that was started on `configuration` on a fresh node: what a
    /// reload must come to, where keepalived's own leaves stale services behind. Nothing is left
    /// of it.
    ///
    /// # Panics
    /// If it cannot be started, or never settles.
    #[track_caller]
    #[must_use]
    pub fn cold_ipvs(node: &Node, configuration: &str) -> IpvsTable {
        let mut daemon = Daemon::start(node, Which::Keepalived, configuration);
        let table = daemon.settled_ipvs();
        daemon.stop();
        if !node.ipvs().is_pristine() {
            node.clear_ipvs();
        }
        table
    }

    /// Debian's keepalived.
    pub fn reference(&mut self) -> &mut Daemon<'a> {
        &mut self.reference
    }

    /// The one it is compared with.
    pub fn other(&mut self) -> &mut Daemon<'a> {
        &mut self.other
    }

    /// Waits until keepalived's table is settled and the other's equals it, and returns it.
    /// `moment` is for the message.
    ///
    /// # Panics
    /// If the other does not come to the same; with the difference and both logs.
    #[track_caller]
    pub fn same_ipvs(&mut self, moment: &str) -> IpvsTable {
        match self.outcome(moment) {
            Ok(table) => table,
            Err(status) => panic!(
                "{moment}: keepalived ended with {status}; its log:\n{}",
                self.reference.log()
            ),
        }
    }

    /// As [`Self::same_ipvs`], for a configuration that keepalived may refuse.
    ///
    /// # Errors
    /// With which status keepalived ended, if it did; the other ended too. The statuses are not
    /// compared: 2.2.7 ends with 0 or 2 where a child gives up, whichever process is first.
    ///
    /// # Panics
    /// As [`Self::same_ipvs`] does, and if only keepalived ends.
    #[track_caller]
    pub fn outcome(&mut self, moment: &str) -> Result<IpvsTable, ExitStatus> {
        // What 2.2.7 says behind its last change.
        let line = match self.reloads {
            0 => "Startup complete",
            _ => "Reload complete",
        };
        let wanted = self.reloads.max(1);
        // Where no child is left that could do anything, it says something else, or nothing.
        let mut silence = Calm::new(SILENCE);
        loop {
            let lines = self.reference.count("");
            let silent = silence.is_calm(lines) && lines > 0;
            if silent || self.reference.count(line) >= wanted {
                break;
            }
            if !self.reference.process().is_running() {
                let status = self.reference.process().wait_exit(PATIENCE);
                self.other.process().wait_exit(PATIENCE);
                return Err(status);
            }
            crate::pause(LOOK_EVERY);
        }
        Ok(self.compare(moment, None))
    }

    /// Waits until the other's table is settled and is `wanted`: for the moments at which
    /// keepalived itself is no model.
    ///
    /// # Panics
    /// If it does not come to that; with the difference and both logs.
    #[track_caller]
    pub fn other_is(&mut self, wanted: &IpvsTable, moment: &str) {
        self.compare(moment, Some(wanted));
    }

    #[track_caller]
    fn compare(&mut self, moment: &str, wanted: Option<&IpvsTable>) -> IpvsTable {
        let until = Instant::now() + PATIENCE;
        let mut calm = Calm::new(QUIET);
        let (first, second) = (self.reference.node(), self.other.node());
        loop {
            while !calm.is_calm((first.ipvs_summary(), second.ipvs_summary())) {
                crate::pause(LOOK_EVERY);
            }
            let wanted = wanted.map_or_else(|| first.ipvs(), Clone::clone);
            let table = second.ipvs();
            if table == wanted {
                return wanted;
            }
            assert!(
                Instant::now() < until,
                "{moment}: the tables differ (- wanted, + {:?}):\n{}\
                 ---- keepalived's log:\n{}---- the other's log:\n{}",
                self.other.which(),
                difference(&wanted, &table),
                self.reference.log(),
                self.other.log()
            );
            calm = Calm::new(QUIET);
        }
    }

    /// Gives both a new configuration.
    ///
    /// # Panics
    /// If one of them has ended.
    #[track_caller]
    pub fn reload(&mut self, configuration: &str) {
        self.reloads += 1;
        self.reference.reload(configuration);
        self.other.reload(configuration);
    }

    /// Stops both in order, compares what they leave, and clears it away.
    ///
    /// # Panics
    /// If they leave different tables, or do not end.
    #[track_caller]
    pub fn stop(mut self) -> IpvsTable {
        self.reference.signal("TERM");
        self.other.stop();
        self.reference.process().wait_exit(PATIENCE);
        let [reference, other] = [&self.reference, &self.other].map(|daemon| daemon.node().ipvs());
        assert!(
            reference == other,
            "after the stop the tables differ (- keepalived, + {:?}):\n{}---- the other's log:\n{}",
            self.other.which(),
            difference(&reference, &other),
            self.other.log()
        );
        if !reference.is_pristine() {
            for daemon in [&self.reference, &self.other] {
                daemon.node().clear_ipvs();
            }
        }
        reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "\
-A -t 192.0.2.1:80 -s mh -p 300
-a -t 192.0.2.1:80 -r 10.0.0.2:80 -i -w 0 --tun-type ipip
-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 3
-A -f 5 -6 -s lblc
-a -f 5 -6 -r [2001:db8::1]:0 -g -w 1
";
    const THRESHOLDS: &str = "\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn
  -> RemoteAddress:Port
TCP  192.0.2.1:80 mh persistent 300
  -> 10.0.0.1:80                  100        50         0          0
  -> 10.0.0.2:80                  0          0          0          0
FWM  5 IPv6 lblc
  -> [2001:db8::1]:0              7          0          0          0
";

    #[test]
    fn a_table_is_sorted_and_has_its_thresholds() {
        let table = IpvsTable::parse([RULES, THRESHOLDS, TIMEOUTS, ""]);
        assert_eq!(
            table.lines(),
            [
                "-A -f 5 -6 -s lblc",
                "-A -t 192.0.2.1:80 -s mh -p 300",
                "-a -f 5 -6 -r [2001:db8::1]:0 -g -w 1 -x 7",
                "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 3 -x 100 -y 50",
                "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -i -w 0 --tun-type ipip",
            ]
        );
        assert_eq!(table.settings(), [TIMEOUTS]);
        let one = "[2001:db8::1]:0 -g -w 1 -x 7";
        assert_eq!(table.destinations("-f 5 -6"), [one]);
        assert!(!table.is_pristine());
        assert!(IpvsTable::parse(["", "", TIMEOUTS, ""]).is_pristine());
    }

    #[test]
    fn a_difference_names_the_lines_of_either_side() {
        let one = IpvsTable::parse(["-A -f 1 -s rr\n-A -f 2 -s rr\n", "", "", ""]);
        let two = IpvsTable::parse(["-A -f 2 -s rr\n-A -f 3 -s rr\n", "", "", ""]);
        assert_eq!(difference(&one, &two), "- -A -f 1 -s rr\n+ -A -f 3 -s rr\n");
        assert_eq!(difference(&one, &one), "");
    }
}

//! The kernel's IPVS table of a node.
//!
//! The machine's kernel may have no IPVS: all of this belongs into [`crate::in_guest`].

use std::fmt;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::node::Node;

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(80);
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
    pub(crate) lines: Vec<String>,
    pub(crate) settings: Vec<String>,
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
    pub(crate) fn is_pristine(&self) -> bool {
        self.lines.is_empty() && self.settings == [TIMEOUTS]
    }

    /// From what the commands of [`READ`] print.
    pub(crate) fn parse([rules, thresholds, timeouts, daemons]: [&str; 4]) -> Self {
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

    /// As [`Self::ipvs`], without timeouts and synchronisation daemons.
    ///
    /// # Panics
    /// If `ipvsadm` fails.
    #[track_caller]
    #[must_use]
    pub fn ipvs_rules(&self) -> IpvsTable {
        let [rules, thresholds] = [READ[0], READ[1]].map(|arguments| self.ipvsadm(arguments));
        IpvsTable::parse([&rules, &thresholds, "", ""])
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
    pub(crate) fn ipvs_summary(&self) -> String {
        let text = std::fs::read_to_string(format!("/proc/{}/net/ip_vs", self.pid()));
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
}

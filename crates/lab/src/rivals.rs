//! Two daemons on one configuration, compared by the IPVS tables that they make.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use crate::daemon::{Daemon, Which};
use crate::ipvs::IpvsTable;
use crate::node::Node;

/// For how long nothing may change in a table and in a log until they count as settled.
const QUIET: Duration = Duration::from_millis(250);
/// For how long keepalived must have logged nothing until it has no more to say.
const SILENCE: Duration = Duration::from_secs(2);
/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(80);
/// How long a table may take to become what it must be.
const PATIENCE: Duration = Duration::from_secs(30);

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

    /// As [`Self::same_ipvs`], but for timeouts and synchronisation daemons, which a check does not
    /// change.
    ///
    /// # Panics
    /// If the other does not come to the same; with the difference and both logs.
    #[track_caller]
    pub fn same_rules(&mut self, moment: &str) -> IpvsTable {
        self.compare(moment, None, Node::ipvs_rules)
    }

    /// As [`Self::same_ipvs`], for a configuration that keepalived may refuse.
    ///
    /// # Errors
    /// With which status keepalived ended, if it did; the other ended with the same.
    ///
    /// # Panics
    /// As [`Self::same_ipvs`] does, and if only one of them ends, or with another status.
    #[track_caller]
    pub fn outcome(&mut self, moment: &str) -> Result<IpvsTable, ExitStatus> {
        if let Some(status) = self.wait_reference() {
            let other = self.other.process().wait_exit(PATIENCE);
            assert_eq!(
                status,
                other,
                "{moment}: with what they ended; keepalived's log:\n{}---- the other's:\n{}",
                self.reference.log(),
                self.other.log()
            );
            self.clear();
            return Err(status);
        }
        Ok(self.compare(moment, None, Node::ipvs))
    }

    /// Waits until both have ended; keepalived's status and the other's.
    ///
    /// # Panics
    /// If one of them does not end.
    #[track_caller]
    pub fn wait_exits(&mut self) -> [ExitStatus; 2] {
        let daemons = [&mut self.reference, &mut self.other];
        let statuses = daemons.map(|daemon| daemon.process().wait_exit(PATIENCE));
        self.clear();
        statuses
    }

    /// Clears away what they left, once their children are gone too: 2.2.7 does not wait for them
    /// when it gives up.
    #[track_caller]
    fn clear(&self) {
        for daemon in [&self.reference, &self.other] {
            let (node, comm) = (daemon.node(), daemon.which().comm());
            crate::eventually(PATIENCE, &format!("end of all {comm}"), || {
                node.pids(comm).is_empty().then_some(())
            });
            if !node.ipvs().is_pristine() {
                node.clear_ipvs();
            }
        }
    }

    /// Waits until the tables differ in exactly this: a line with `-` only keepalived's has, with
    /// `+` only the other's.
    ///
    /// # Panics
    /// If they do not come to that; with the difference and both logs.
    #[track_caller]
    pub fn differ(&mut self, moment: &str, wanted: &str) {
        let ended = self.wait_reference();
        assert_eq!(ended, None, "{moment}: keepalived ended");
        let until = Instant::now() + PATIENCE;
        let (first, second) = (self.reference.node(), self.other.node());
        loop {
            let mut calm = Calm::new(QUIET);
            while !calm.is_calm((first.ipvs_summary(), second.ipvs_summary())) {
                crate::pause(LOOK_EVERY);
            }
            let difference = difference(&first.ipvs(), &second.ipvs());
            if difference == wanted {
                return;
            }
            assert!(
                Instant::now() < until,
                "{moment}: the tables differ in\n{difference}instead of\n{wanted}\
                 ---- keepalived's log:\n{}---- the other's log:\n{}",
                self.reference.log(),
                self.other.log()
            );
        }
    }

    /// Waits until keepalived has done what it does after a start or a reload, or has ended; its
    /// status then.
    fn wait_reference(&mut self) -> Option<ExitStatus> {
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
                return None;
            }
            if !self.reference.process().is_running() {
                return Some(self.reference.process().wait_exit(PATIENCE));
            }
            crate::pause(LOOK_EVERY);
        }
    }

    /// Waits until the other's table is settled and is `wanted`: for the moments at which
    /// keepalived itself is no model.
    ///
    /// # Panics
    /// If it does not come to that; with the difference and both logs.
    #[track_caller]
    pub fn other_is(&mut self, wanted: &IpvsTable, moment: &str) {
        self.compare(moment, Some(wanted), Node::ipvs);
    }

    #[track_caller]
    fn compare(
        &mut self,
        moment: &str,
        wanted: Option<&IpvsTable>,
        read: impl Fn(&Node) -> IpvsTable,
    ) -> IpvsTable {
        let until = Instant::now() + PATIENCE;
        let mut calm = Calm::new(QUIET);
        let (first, second) = (self.reference.node(), self.other.node());
        loop {
            while !calm.is_calm((first.ipvs_summary(), second.ipvs_summary())) {
                crate::pause(LOOK_EVERY);
            }
            let wanted = wanted.map_or_else(|| read(first), Clone::clone);
            let table = read(second);
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
    /// If they leave different tables, end with different statuses, or do not end.
    #[track_caller]
    pub fn stop(mut self) -> IpvsTable {
        self.reference.signal("TERM");
        let other = self.other.stop();
        let reference = self.reference.process().wait_exit(PATIENCE);
        assert_eq!(
            reference,
            other,
            "after the stop: with what they ended; keepalived's log:\n{}---- the other's:\n{}",
            self.reference.log(),
            self.other.log()
        );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_lines_of_either_side() {
        let one = IpvsTable::parse(["-A -f 1 -s rr\n-A -f 2 -s rr\n", "", "", ""]);
        let two = IpvsTable::parse(["-A -f 2 -s rr\n-A -f 3 -s rr\n", "", "", ""]);
        assert_eq!(difference(&one, &two), "- -A -f 1 -s rr\n+ -A -f 3 -s rr\n");
        assert_eq!(difference(&one, &one), "");
    }
}

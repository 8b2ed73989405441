//! keepalived or rkeepalived on a node, started and stopped with the same words.

use std::borrow::Cow;
use std::os::unix::fs::MetadataExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use crate::node::Node;
use crate::process::{Line, Process};

/// Where every test's configuration goes, as on a real machine.
const CONFIGURATION: &str = "/etc/keepalived/keepalived.conf";
/// How long a daemon may take for what it does at once.
const SOON: Duration = Duration::from_secs(10);

/// Which of the two programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Debian's keepalived, from `PATH`.
    Keepalived,
    /// Ours, as [`crate::Lab::offer`] put it into the node.
    Rkeepalived,
}

impl Which {
    /// The program's path inside a node.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Keepalived => "keepalived",
            Self::Rkeepalived => "/run/lab/rkeepalived",
        }
    }

    /// The command name its processes have.
    #[must_use]
    pub fn comm(self) -> &'static str {
        match self {
            Self::Keepalived => "keepalived",
            Self::Rkeepalived => "rkeepalived",
        }
    }
}

/// A running daemon: parent and children. Dropping kills the parent, whose death ends the rest;
/// the node's end ends everything.
#[derive(Debug)]
pub struct Daemon<'a> {
    node: &'a Node,
    which: Which,
    process: Process,
}

impl<'a> Daemon<'a> {
    /// Writes `configuration`, [`fitted`] to this machine, to `/etc/keepalived/keepalived.conf` and
    /// starts the daemon in the foreground with its log on stderr.
    ///
    /// # Panics
    /// If it cannot be started.
    #[track_caller]
    #[must_use]
    pub fn start(node: &'a Node, which: Which, configuration: &str) -> Self {
        node.write(CONFIGURATION, fitted(configuration).as_bytes());
        Self::start_as_is(node, which, &[])
    }

    /// Starts it on the configuration that is there, with more arguments.
    ///
    /// # Panics
    /// If it cannot be started.
    #[track_caller]
    #[must_use]
    pub fn start_as_is(node: &'a Node, which: Which, more: &[&str]) -> Self {
        let mut arguments = vec!["-n", "-l", "-D", "-f", CONFIGURATION];
        arguments.extend(["-p", "/run/keepalived.pid", "-r", "/run/vrrp.pid"]);
        arguments.extend(["-c", "/run/checkers.pid", "-b", "/run/bfd.pid"]);
        arguments.extend(more);
        let process = node.spawn(which.program(), &arguments);
        Self {
            node,
            which,
            process,
        }
    }

    /// Which program runs.
    #[must_use]
    pub fn which(&self) -> Which {
        self.which
    }

    /// The node it runs on.
    #[must_use]
    pub fn node(&self) -> &'a Node {
        self.node
    }

    /// Waits for a line of its log; see [`Process::wait_for_line`].
    ///
    /// # Panics
    /// When the deadline passes first.
    #[track_caller]
    pub fn wait_for_line(&mut self, part: &str, deadline: Duration) -> Line {
        self.process.wait_for_line(part, deadline)
    }

    /// Waits for `(INSTANCE) Entering STATE STATE`.
    ///
    /// # Panics
    /// When the deadline passes first.
    #[track_caller]
    pub fn wait_state(&mut self, instance: &str, state: &str, deadline: Duration) -> Line {
        self.process
            .wait_for_line(&format!("({instance}) Entering {state} STATE"), deadline)
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.text()
    }

    /// How many lines of its log contain `part`.
    #[must_use]
    pub fn count(&self, part: &str) -> usize {
        self.process.count(part)
    }

    /// The process itself.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The number in a pid file, once it is there.
    #[track_caller]
    fn pid(&self, file: &str) -> i32 {
        crate::eventually(
            SOON,
            &format!("{file} of {}; log:\n{}", self.node.name(), self.log()),
            || self.node.read(file)?.trim().parse().ok(),
        )
    }

    /// The parent's number inside the node, from its pid file.
    ///
    /// # Panics
    /// If the pid file does not appear.
    #[track_caller]
    #[must_use]
    pub fn parent_pid(&self) -> i32 {
        self.pid("/run/keepalived.pid")
    }

    /// The VRRP process's number inside the node, from its pid file.
    ///
    /// # Panics
    /// If the pid file does not appear.
    #[track_caller]
    #[must_use]
    pub fn vrrp_pid(&self) -> i32 {
        self.pid("/run/vrrp.pid")
    }

    /// The checker process's number inside the node, from its pid file.
    ///
    /// # Panics
    /// If the pid file does not appear.
    #[track_caller]
    #[must_use]
    pub fn checker_pid(&self) -> i32 {
        self.pid("/run/checkers.pid")
    }

    /// Sends a signal to the parent, as an administrator does.
    ///
    /// # Panics
    /// If it is not running.
    #[track_caller]
    pub fn signal(&self, signal: &str) {
        self.node.kill(signal, &[self.parent_pid()]);
    }

    /// Writes a new configuration and sends HUP.
    ///
    /// # Panics
    /// If it is not running.
    #[track_caller]
    pub fn reload(&self, configuration: &str) {
        self.node
            .write(CONFIGURATION, fitted(configuration).as_bytes());
        self.signal("HUP");
    }

    /// TERM, and waits for the end.
    ///
    /// # Panics
    /// If it does not end.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.process.wait_exit(SOON)
    }

    /// As if the power had gone, except that the kernel keeps its addresses: parent and children
    /// are killed without a chance to say or do anything.
    ///
    /// # Panics
    /// If it is not running.
    #[track_caller]
    pub fn crash(&mut self) {
        let parent = self.parent_pid();
        // A stopped parent neither restarts its child nor signals it.
        let mut pids = vec![self.vrrp_pid(), parent];
        pids.extend(
            self.node
                .pids(self.which.comm())
                .iter()
                .filter(|pid| **pid != parent),
        );
        self.node.kill("STOP", &[parent]);
        pids.sort_unstable_by_key(|pid| *pid == parent);
        pids.dedup();
        self.node.kill("KILL", &pids);
        self.process.resume_nsenter();
        self.process.wait_exit(SOON);
    }

    /// Stops the VRRP process (SIGSTOP); the answer continues it.
    ///
    /// # Panics
    /// If it is not running.
    #[track_caller]
    pub fn freeze(&self) -> i32 {
        let pid = self.vrrp_pid();
        self.node.kill("STOP", &[pid]);
        pid
    }

    /// Continues a process that [`Self::freeze`] stopped.
    ///
    /// # Panics
    /// If it is gone.
    #[track_caller]
    pub fn thaw(&self, pid: i32) {
        self.node.kill("CONT", &[pid]);
    }
}

/// A configuration as it can work here. In the namespace of an ordinary user the root directory
/// belongs to nobody, so script security (rightly) refuses every script: there it is left out.
#[must_use]
pub fn fitted(configuration: &str) -> Cow<'_, str> {
    let root_is_roots = std::fs::metadata("/").is_ok_and(|root| root.uid() == 0);
    if root_is_roots {
        return Cow::Borrowed(configuration);
    }
    let kept = configuration
        .lines()
        .filter(|line| line.trim() != "enable_script_security");
    Cow::Owned(kept.map(|line| format!("{line}\n")).collect())
}

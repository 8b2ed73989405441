//! A running program and the lines it writes.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::node::{children_of, pid_of};

/// One line of output and when it was read.
#[derive(Clone, Debug)]
pub struct Line {
    /// When the lab read it.
    pub at: Instant,
    /// The line without its end.
    pub text: String,
}

/// Lines so far, and the bell that rings for each.
type Lines = Arc<(Mutex<Vec<Line>>, Condvar)>;

/// A program inside a node. Dropping kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    /// `nsenter`, which ends as its child ends.
    child: Child,
    lines: Lines,
    readers: Vec<JoinHandle<()>>,
    /// How many lines [`Self::wait_for_line`] has already gone past.
    seen: usize,
}

impl Process {
    /// Starts `command` (an `nsenter` that forks) with its output collected.
    #[track_caller]
    pub(crate) fn start(name: &str, mut command: Command) -> Self {
        let spawned = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => panic!("{name}: {error}"),
        };
        let lines = Lines::default();
        let mut readers = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            readers.push(collect(stdout, &lines));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.push(collect(stderr, &lines));
        }
        Self {
            name: name.to_owned(),
            child,
            lines,
            readers,
            seen: 0,
        }
    }

    /// Every line so far.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        locked(&self.lines.0).clone()
    }

    /// Every line so far as one text.
    #[must_use]
    pub fn text(&self) -> String {
        locked(&self.lines.0)
            .iter()
            .map(|line| format!("{}\n", line.text))
            .collect()
    }

    /// How many lines so far contain `part`.
    #[must_use]
    pub fn count(&self, part: &str) -> usize {
        locked(&self.lines.0)
            .iter()
            .filter(|line| line.text.contains(part))
            .count()
    }

    /// Waits for a line that contains `part` and returns it. Lines are consumed: the next call
    /// looks only behind the line that this one found, so calls in sequence assert an order.
    ///
    /// # Panics
    /// With the whole log, when the deadline passes or the program ends without that line.
    #[track_caller]
    pub fn wait_for_line(&mut self, part: &str, deadline: Duration) -> Line {
        let until = Instant::now() + deadline;
        let mut lines = locked(&self.lines.0);
        loop {
            if let Some(at) = lines[self.seen..]
                .iter()
                .position(|line| line.text.contains(part))
            {
                self.seen += at + 1;
                return lines[self.seen - 1].clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let log: String = lines
                    .iter()
                    .map(|line| format!("  {}\n", line.text))
                    .collect();
                let behind = self.seen;
                drop(lines);
                panic!(
                    "{}: no line with `{part}` within {deadline:?} behind line {behind}; its log:\n{log}",
                    self.name
                );
            }
            lines = self
                .lines
                .1
                .wait_timeout(lines, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(lines, _)| lines);
        }
    }

    /// Forgets the lines so far: [`Self::wait_for_line`] then looks at new ones only.
    pub fn skip_lines(&mut self) {
        self.seen = locked(&self.lines.0).len();
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end; its output is then complete.
    ///
    /// # Panics
    /// When the deadline passes first.
    #[track_caller]
    pub fn wait_exit(&mut self, deadline: Duration) -> ExitStatus {
        let what = format!("end of {}; its log:\n{}", self.name, self.text());
        let child = &mut self.child;
        let status = crate::eventually(deadline, &what, || child.try_wait().ok().flatten());
        // Its last words may still be in the pipe. A descendant can hold the pipe open for ever,
        // so this is not waited for any longer than reading them takes.
        let patience = Instant::now();
        while !self.readers.iter().all(JoinHandle::is_finished)
            && patience.elapsed() < Duration::from_secs(2)
        {
            crate::pause(Duration::from_millis(1));
        }
        status
    }

    /// The program's number outside of the node (the one `nsenter` started).
    #[must_use]
    pub fn outer_pid(&self) -> Option<Pid> {
        children_of(pid_of(&self.child)).first().copied()
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.outer_pid() {
            kill(pid, signal).ok();
        }
    }

    /// `nsenter` stops itself when its child is stopped; this lets it run on.
    pub(crate) fn resume_nsenter(&self) {
        kill(pid_of(&self.child), Signal::SIGCONT).ok();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_running() {
            self.signal(Signal::SIGKILL);
            self.resume_nsenter();
            self.child.kill().ok();
            self.child.wait().ok();
        }
        if std::thread::panicking() {
            #[expect(
                clippy::print_stderr,
                reason = "the log of a failed test is what one reads"
            )]
            {
                eprintln!("---- {} wrote:\n{}----", self.name, self.text());
            }
        }
        // A descendant may hold the pipe open, so the readers are left to end by themselves.
        self.readers.clear();
    }
}

/// Reads `from` line by line until its end.
fn collect(from: impl Read + Send + 'static, into: &Lines) -> JoinHandle<()> {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut raw = Vec::new();
        while matches!(from.read_until(b'\n', &mut raw), Ok(1..)) {
            let text = String::from_utf8_lossy(&raw).trim_end().to_owned();
            locked(&into.0).push(Line {
                at: Instant::now(),
                text,
            });
            into.1.notify_all();
            raw.clear();
        }
        into.1.notify_all();
    })
}

/// The lock, whether or not a holder panicked: the data are plain lists.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The lines on their way to the writer: bounded, so that no writer can hold the daemon up.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::writer::Writer;

/// How many lines may wait.
const LIMIT: usize = 16_384;

/// How long the writer lets lines gather after it has written some. A line that comes alone is
/// written at once, and of a thousand in a row not each wakes the writer.
const GATHER: Duration = Duration::from_millis(3);

/// How important a line is, as syslog has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Error,
    Warning,
    Info,
    Debug,
}

impl Severity {
    /// The number that goes into the syslog priority.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Error => 3,
            Self::Warning => 4,
            Self::Info => 6,
            Self::Debug => 7,
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) severity: Severity,
    /// When it was said, since the epoch: wall-clock time, for people.
    pub(super) time: Duration,
    pub(super) text: String,
}

impl Line {
    /// A line said now.
    pub(super) fn now(severity: Severity, text: String) -> Self {
        let time = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            severity,
            time,
            text,
        }
    }
}

/// A bounded queue with a writer at its end.
#[derive(Clone, Debug)]
pub(super) struct Queue(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Something changed that the writer or [`Queue::drain`] waits for.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    lines: VecDeque<Line>,
    /// Lines that found no room.
    lost: u64,
    /// The writer, while it is not at work.
    writer: Option<Writer>,
    /// A thread does the writing.
    background: bool,
    /// That thread waits for lines: whoever brings one wakes it, which is a system call.
    idle: bool,
    /// Somebody waits for the lines to be written.
    drained: bool,
}

impl Queue {
    /// A queue that `writer` empties at once, on the thread that logs.
    pub(super) fn new(writer: Writer) -> Self {
        let state = State {
            lines: VecDeque::new(),
            lost: 0,
            writer: Some(writer),
            background: false,
            idle: false,
            drained: false,
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }))
    }

    /// A panic while logging is no reason to stop logging.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line, or counts it when there is no room.
    pub(super) fn push(&self, line: Line) {
        let mut state = self.lock();
        if !state.background {
            if let Some(writer) = &mut state.writer {
                writer.write(&[line]);
            }
            return;
        }
        if state.lines.len() >= LIMIT {
            state.lost += 1;
            return;
        }
        state.lines.push_back(line);
        if std::mem::take(&mut state.idle) {
            self.0.changed.notify_all();
        }
    }

    /// Puts another writer at the end; lines that wait go there too.
    pub(super) fn replace_writer(&self, writer: Writer) {
        let mut state = self.lock();
        while state.writer.is_none() {
            state = self
                .0
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.writer = Some(writer);
        self.0.changed.notify_all();
    }

    /// Has a thread do the writing from now on.
    pub(super) fn run_in_background(&self) {
        self.lock().background = true;
        let queue = self.clone();
        let started = std::thread::Builder::new()
            .name("log".into())
            .spawn(move || queue.write_for_ever());
        if started.is_err() {
            self.lock().background = false;
        }
    }

    /// Waits until all lines are written, for `limit` at most.
    pub(super) fn drain(&self, limit: Duration) {
        let mut state = self.lock();
        if !state.background {
            return;
        }
        state.drained = true;
        self.0.changed.notify_all();
        let busy = |state: &mut State| !state.lines.is_empty() || state.writer.is_none();
        drop(self.0.changed.wait_timeout_while(state, limit, busy));
    }

    fn write_for_ever(&self) {
        loop {
            let mut state = self.lock();
            while state.lines.is_empty() || state.writer.is_none() {
                state.idle = true;
                state = self
                    .0
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            state.idle = false;
            let mut lines = Vec::from(std::mem::take(&mut state.lines));
            let lost = std::mem::take(&mut state.lost);
            let Some(mut writer) = state.writer.take() else {
                continue;
            };
            // Written without the lock: this may take as long as it likes.
            drop(state);
            if lost > 0 {
                let text = format!("{lost} log messages were lost: nobody took them in time");
                lines.push(Line::now(Severity::Warning, text));
            }
            writer.write(&lines);
            let mut state = self.lock();
            state.writer = Some(writer);
            self.0.changed.notify_all();
            let patient = |state: &mut State| !state.drained;
            drop(self.0.changed.wait_timeout_while(state, GATHER, patient));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logging::writer::Destination;

    #[test]
    fn a_writer_that_hangs_holds_nobody_up() {
        let (destination, lines) = Destination::memory();
        let queue = Queue::new(Writer::new(vec![destination]));
        queue.run_in_background();
        // The writer cannot write while we hold what it writes into.
        let held = lines.lock().unwrap();
        for n in 0..3 * LIMIT {
            queue.push(Line::now(Severity::Info, n.to_string()));
        }
        queue.drain(Duration::from_millis(1));
        drop(held);
        queue.drain(Duration::from_secs(30));
        let lines = lines.lock().unwrap();
        // The writer may have found time to tell of the loss twice.
        let told = |line: &Line| -> Option<usize> {
            let (count, rest) = line.text.split_once(' ')?;
            let said = rest == "log messages were lost: nobody took them in time";
            count.parse().ok().filter(|_| said)
        };
        let lost: usize = lines.iter().filter_map(told).sum();
        let written = lines.iter().filter(|line| told(line).is_none()).count();
        assert_eq!(lost + written, 3 * LIMIT, "{lost} lost");
        assert!(lost > 0 && written >= LIMIT, "{lost} lost");
        assert_eq!(lines[0].text, "0");
    }
}

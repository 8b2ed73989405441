//! Where lines end up.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
#[cfg(test)]
use std::sync::{Arc, Mutex};

use super::queue::Line;
use super::syslog::Syslog;
use crate::sys;

/// Writes each line to every destination.
#[derive(Debug)]
pub(super) struct Writer(Vec<Destination>);

impl Writer {
    /// A writer to these destinations.
    pub(super) fn new(destinations: Vec<Destination>) -> Self {
        Self(destinations)
    }

    /// Writes one line everywhere. What fails is not reported: there is nowhere to report it to.
    pub(super) fn write(&mut self, line: &Line) {
        for destination in &mut self.0 {
            destination.write(line);
        }
    }
}

/// One place for lines.
#[derive(Debug)]
pub(super) enum Destination {
    /// The system log.
    Syslog(Syslog),
    /// Standard error: `Sat Nov 21 04:23:39 2026: text`.
    Console,
    /// A file, with nanoseconds in its times.
    File(PathBuf, Option<File>),
    /// What a test looks at.
    #[cfg(test)]
    Memory(Arc<Mutex<Vec<Line>>>),
}

impl Destination {
    /// Appends to the file at `path`, which is opened with the first line.
    pub(super) fn file(path: PathBuf) -> Self {
        Self::File(path, None)
    }

    /// A destination that keeps the lines, and the lines.
    #[cfg(test)]
    pub(super) fn memory() -> (Self, Arc<Mutex<Vec<Line>>>) {
        let lines = Arc::default();
        (Self::Memory(Arc::clone(&lines)), lines)
    }

    fn write(&mut self, line: &Line) {
        let seconds = i64::try_from(line.time.as_secs()).unwrap_or(i64::MAX);
        match self {
            Self::Syslog(syslog) => syslog.write(line),
            Self::Console => {
                let text = format!("{}: {}\n", sys::local_time(seconds, c"%c"), line.text);
                let _ = std::io::stderr().write_all(text.as_bytes());
            }
            Self::File(path, file) => {
                if file.is_none() {
                    *file = OpenOptions::new()
                        .append(true)
                        .create(true)
                        .mode(0o600)
                        // Nobody who may write to the directory chooses what we append to.
                        .custom_flags(libc::O_NOFOLLOW)
                        .open(path)
                        .ok();
                }
                let text = format!(
                    "{}.{:09} {}: {}\n",
                    sys::local_time(seconds, c"%a %b %d %H:%M:%S"),
                    line.time.subsec_nanos(),
                    sys::local_time(seconds, c"%Y"),
                    line.text
                );
                if let Some(file) = file {
                    let _ = file.write_all(text.as_bytes());
                }
            }
            #[cfg(test)]
            Self::Memory(lines) => lines.lock().unwrap().push(line.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logging::queue::Severity;

    #[test]
    fn files_are_appended_to_but_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (log, link) = (dir.path().join("log"), dir.path().join("link"));
        std::fs::write(&log, "before\n").unwrap();
        std::os::unix::fs::symlink(&log, &link).unwrap();
        let line = Line::now(Severity::Info, "hello".into());
        Destination::file(link).write(&line);
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "before\n");
        Destination::file(log.clone()).write(&line);
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(
            text.starts_with("before\n") && text.ends_with(": hello\n"),
            "{text}"
        );
    }
}

//! Where lines end up.

use std::ffi::CStr;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
#[cfg(test)]
use std::sync::{Arc, Mutex};

use super::queue::Line;
use super::syslog::Syslog;
use crate::sys;

/// How much goes to a destination in one write, unless a line is longer. A pipe takes so much as a
/// whole, so that the lines of several processes do not mix.
const CHUNK: usize = 4096;

/// Writes each line to every destination.
#[derive(Debug)]
pub(super) struct Writer(Vec<Destination>);

impl Writer {
    /// A writer to these destinations.
    pub(super) fn new(destinations: Vec<Destination>) -> Self {
        Self(destinations)
    }

    /// Writes lines everywhere. What fails is not reported: there is nowhere to report it to.
    pub(super) fn write(&mut self, lines: &[Line]) {
        for destination in &mut self.0 {
            destination.write(lines);
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

    fn write(&mut self, lines: &[Line]) {
        match self {
            Self::Syslog(syslog) => syslog.write(lines),
            Self::Console => {
                let mut time = LocalTime::new(c"%c");
                in_chunks(&mut std::io::stderr(), lines, |text, line| {
                    let time = time.of(line);
                    let _ = writeln!(text, "{time}: {}", line.text);
                });
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
                let Some(file) = file else { return };
                let mut time = LocalTime::new(c"%a %b %d %H:%M:%S");
                let mut year = LocalTime::new(c"%Y");
                in_chunks(file, lines, |text, line| {
                    let (time, year) = (time.of(line), year.of(line));
                    let nanos = line.time.subsec_nanos();
                    let _ = writeln!(text, "{time}.{nanos:09} {year}: {}", line.text);
                });
            }
            #[cfg(test)]
            Self::Memory(kept) => kept.lock().unwrap().extend_from_slice(lines),
        }
    }
}

/// Writes lines, as `put` forms them, many at once.
fn in_chunks(to: &mut impl io::Write, lines: &[Line], mut put: impl FnMut(&mut String, &Line)) {
    let (mut text, mut whole) = (String::new(), 0);
    for line in lines {
        put(&mut text, line);
        if text.len() > CHUNK && whole > 0 {
            let _ = to.write_all(&text.as_bytes()[..whole]);
            text.drain(..whole);
        }
        whole = text.len();
    }
    let _ = to.write_all(text.as_bytes());
}

/// Forms the times of lines; most follow another one of the same second.
struct LocalTime {
    format: &'static CStr,
    last: Option<(u64, String)>,
}

impl LocalTime {
    const fn new(format: &'static CStr) -> Self {
        Self { format, last: None }
    }

    fn of(&mut self, line: &Line) -> &str {
        let seconds = line.time.as_secs();
        self.last.take_if(|(at, _)| *at != seconds);
        let form = || {
            let signed = i64::try_from(seconds).unwrap_or(i64::MAX);
            (seconds, sys::local_time(signed, self.format))
        };
        &self.last.get_or_insert_with(form).1
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
        Destination::file(link).write(std::slice::from_ref(&line));
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "before\n");
        Destination::file(log.clone()).write(&[line]);
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(
            text.starts_with("before\n") && text.ends_with(": hello\n"),
            "{text}"
        );
    }

    #[test]
    fn many_lines_are_few_writes_and_none_is_torn() {
        struct Writes(Vec<String>);
        impl io::Write for Writes {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.push(String::from_utf8(bytes.to_vec()).unwrap());
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut lines: Vec<_> = (0..500)
            .map(|n| Line::now(Severity::Info, format!("line {n}")))
            .collect();
        lines[250].text = "x".repeat(2 * CHUNK);
        let mut writes = Writes(Vec::new());
        in_chunks(&mut writes, &lines, |text, line| {
            let _ = writeln!(text, "{}", line.text);
        });
        let expected: String = lines
            .iter()
            .map(|line| format!("{}\n", line.text))
            .collect();
        assert_eq!(writes.0.concat(), expected);
        assert!(writes.0.len() < 6, "{} writes", writes.0.len());
        for one in &writes.0 {
            assert!(one.ends_with('\n'));
            assert!(one.len() <= CHUNK || one.starts_with("xx"), "{}", one.len());
        }
    }
}

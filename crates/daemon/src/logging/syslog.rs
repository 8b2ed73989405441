//! The system log: datagrams to `/dev/log`, as the C library's `syslog` writes them.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use super::queue::{Line, Severity};
use crate::cli::Facility;
use crate::sys;

/// How long one line may wait for a daemon that does not read. Only the writer thread waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection to the syslog daemon, made anew when the daemon was restarted.
#[derive(Debug)]
pub(super) struct Syslog {
    path: PathBuf,
    ident: String,
    facility: Facility,
    socket: Option<UnixDatagram>,
    /// One that is connected to nobody: with no daemon there, a try costs one system call.
    spare: Option<UnixDatagram>,
    /// Lines that nobody took.
    lost: u64,
}

impl Syslog {
    /// Logs as `ident` to the daemon behind `path`.
    pub(super) fn new(path: impl Into<PathBuf>, ident: String, facility: Facility) -> Self {
        Self {
            path: path.into(),
            ident,
            facility,
            socket: None,
            spare: None,
            lost: 0,
        }
    }

    /// Sends lines; counts those that nobody takes, and tells the count with the next that somebody
    /// takes. Lines that come together are given up together: waiting for each of them would be
    /// waiting too long.
    pub(super) fn write(&mut self, lines: &[Line]) {
        for (done, line) in lines.iter().enumerate() {
            if !self.tell_lost(line) || !self.send(line) {
                self.lost += (lines.len() - done) as u64;
                return;
            }
        }
    }

    /// Tells how many lines were lost before `line`, if any were. Whether nothing is left to tell.
    fn tell_lost(&mut self, line: &Line) -> bool {
        if self.lost == 0 {
            return true;
        }
        let text = format!(
            "{} log messages were lost: syslog did not take them",
            self.lost
        );
        let taken = self.send(&Line {
            severity: Severity::Warning,
            text,
            time: line.time,
        });
        if taken {
            self.lost = 0;
        }
        taken
    }

    /// Whether the line was taken; a connection that broke is made again once.
    fn send(&mut self, line: &Line) -> bool {
        let mut datagram = None;
        for _ in 0..2 {
            if self.socket.is_none() {
                self.socket = self.connect().ok();
            }
            let Some(socket) = &self.socket else {
                return false;
            };
            let text = datagram.get_or_insert_with(|| self.datagram(line));
            match socket.send(text.as_bytes()) {
                Ok(_) => return true,
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return false,
                Err(_) => self.socket = None,
            }
        }
        false
    }

    fn connect(&mut self) -> std::io::Result<UnixDatagram> {
        let socket = match self.spare.take() {
            Some(socket) => socket,
            None => {
                let socket = UnixDatagram::unbound()?;
                socket.set_write_timeout(Some(PATIENCE))?;
                socket
            }
        };
        match socket.connect(&self.path) {
            Ok(()) => Ok(socket),
            Err(e) => {
                self.spare = Some(socket);
                Err(e)
            }
        }
    }

    /// `<30>Nov 21 04:23:39 Keepalived[9]: text`
    fn datagram(&self, line: &Line) -> String {
        let priority = self.facility.0 * 8 + line.severity.number();
        let seconds = i64::try_from(line.time.as_secs()).unwrap_or(i64::MAX);
        let time = sys::local_time(seconds, c"%h %e %T");
        format!(
            "<{priority}>{time} {}[{}]: {}",
            self.ident,
            std::process::id(),
            line.text
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line {
            severity: Severity::Info,
            time: Duration::ZERO,
            text: text.into(),
        }
    }

    fn received(server: &UnixDatagram) -> String {
        let mut buffer = [0; 1000];
        let len = server.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..len].to_vec()).unwrap()
    }

    #[test]
    fn lines_look_as_the_c_library_writes_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let server = UnixDatagram::bind(&path).unwrap();
        let mut syslog = Syslog::new(&path, "Keepalived_vrrp".into(), Facility(16 + 3));
        syslog.write(&[line("(VI_1) Entering MASTER STATE")]);
        let text = received(&server);
        let end = format!(
            " Keepalived_vrrp[{}]: (VI_1) Entering MASTER STATE",
            std::process::id()
        );
        assert!(text.starts_with("<158>") && text.ends_with(&end), "{text}");
    }

    #[test]
    fn a_restarted_daemon_is_found_again_and_told_what_it_missed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut syslog = Syslog::new(&path, "Keepalived".into(), Facility::DAEMON);
        syslog.write(&[line("nobody there"), line("still nobody")]);
        let first = UnixDatagram::bind(&path).unwrap();
        syslog.write(&[line("one")]);
        assert!(received(&first).ends_with(": 2 log messages were lost: syslog did not take them"));
        assert!(received(&first).ends_with(": one"));
        drop(first);
        std::fs::remove_file(&path).unwrap();
        let second = UnixDatagram::bind(&path).unwrap();
        syslog.write(&[line("two")]);
        assert!(received(&second).ends_with(": two"));
    }
}

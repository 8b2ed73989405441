//! A running script: waiting for it, and ending it with everything it started.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use crate::command::Command;
use crate::spawn::{Prepared, SpawnError, fork};

/// How often a file that someone is writing to is tried again, and how long between.
const BUSY_TRIES: u32 = 20;
/// See [`BUSY_TRIES`].
const BUSY_PAUSE: Duration = Duration::from_millis(5);
/// From TERM to KILL for a script that nobody waits for any more.
const DROP_GRACE: Duration = Duration::from_secs(1);
/// How much of a file is looked at to tell a text from a program.
const LOOK: u64 = 256;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The script returned this status, 0..=255.
    Exited(i32),
    /// This signal ended the script, sent by itself or by someone else.
    Signalled(i32),
    /// The script was still running when its time was up; whatever it does then does not count.
    TimedOut,
    /// The script did not start.
    NotRun(SpawnError),
}

impl Outcome {
    /// Whether this is the one good end: status 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        *self == Self::Exited(0)
    }
}

/// In words: `exited with status 1`.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(status) => write!(f, "exited with status {status}"),
            Self::Signalled(signal) => write!(f, "was ended by signal {signal}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::NotRun(error) => write!(f, "was not run: {error}"),
        }
    }
}

/// A script that runs in a process group of its own.
///
/// Dropped before it has ended, it is ended with its whole group: TERM at once, KILL a second
/// later, or at once when the runtime ends, too.
#[derive(Debug)]
pub struct Running {
    /// Taken only by `drop`.
    child: Option<Child>,
    group: Pid,
    ended: bool,
    /// Whether `drop` has already been merciful.
    doomed: bool,
}

/// Starts `command` in the environment of keepalived's scripts.
///
/// Own process group, standard streams on `/dev/null`, the daemon's directory, its environment
/// without `IFS`, `LD_PRELOAD` and `LD_LIBRARY_PATH`, the command's mask and credentials, default
/// signals and scheduling, no descriptor above 2; TERM when the daemon dies. A text that the
/// kernel cannot execute for want of a `#!` line is run by `/bin/sh`.
///
/// Needs a tokio runtime with I/O and time. Returns once the file is being executed.
///
/// # Errors
/// [`SpawnError`]: nothing was run.
pub async fn spawn(command: &Command) -> Result<Running, SpawnError> {
    let mut tries = 1;
    let errno = loop {
        match launch(command).await? {
            Ok(running) => return Ok(running),
            Err(libc::ETXTBSY) if tries < BUSY_TRIES => {
                tries += 1;
                sleep(BUSY_PAUSE).await;
            }
            Err(errno) => break errno,
        }
    };
    if errno == libc::ENOEXEC && is_text(&command.path) {
        let through_shell = Command {
            path: "/bin/sh".into(),
            argv: ["sh".into(), command.path.clone().into_os_string()]
                .into_iter()
                .chain(command.argv.iter().skip(1).cloned())
                .collect(),
            ..command.clone()
        };
        return launch(&through_shell)
            .await?
            .map_err(|errno| refusal(&through_shell, errno));
    }
    Err(refusal(command, errno))
}

/// One try; the inner error is the system's error number.
async fn launch(command: &Command) -> Result<Result<Running, i32>, SpawnError> {
    let Some(prepared) = Prepared::new(command) else {
        return Err(SpawnError::NulByte(command.path.clone()));
    };
    Ok(match fork(prepared).await {
        Ok(child) => {
            // A child that has just been started has not been waited for, so it has its number.
            let pid =
                child
                    .id()
                    .and_then(|pid| i32::try_from(pid).ok())
                    .ok_or(SpawnError::Kernel {
                        path: command.path.clone(),
                        errno: libc::ESRCH,
                    })?;
            Ok(Running {
                child: Some(child),
                group: Pid::from_raw(pid),
                ended: false,
                doomed: false,
            })
        }
        Err(error) => Err(error.raw_os_error().unwrap_or(libc::EIO)),
    })
}

/// What the system's error number means for `command`.
fn refusal(command: &Command, errno: i32) -> SpawnError {
    let path = command.path.clone();
    match errno {
        libc::ENOENT if path.exists() => SpawnError::NoInterpreter(path),
        libc::ENOENT | libc::ENOTDIR => SpawnError::NotFound(path),
        libc::EACCES => SpawnError::NotExecutable {
            path,
            uid: command.user.uid,
            gid: command.user.gid,
        },
        libc::ENOEXEC => SpawnError::BadFormat(path),
        libc::ETXTBSY => SpawnError::BeingWritten(path),
        errno => SpawnError::Kernel { path, errno },
    }
}

/// Whether the beginning of the file at `path` is something a shell could read.
fn is_text(path: &Path) -> bool {
    use std::io::Read;
    let mut beginning = Vec::new();
    let read = std::fs::File::open(path).and_then(|f| f.take(LOOK).read_to_end(&mut beginning));
    read.is_ok() && !beginning.contains(&0)
}

impl Running {
    /// The script's process id, which is also the id of its process group.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.group.as_raw().unsigned_abs()
    }

    /// Waits for the end. May be dropped and called again.
    pub async fn wait(&mut self) -> Outcome {
        let child = self.child.as_mut().expect("only drop takes the child");
        let status = child.wait().await;
        self.ended = true;
        match status {
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => Outcome::Exited(code),
                (None, Some(signal)) => Outcome::Signalled(signal),
                (None, None) => Outcome::Signalled(0),
            },
            // Cannot happen but for a foreign `waitpid(-1)` in this process that took the status.
            Err(error) => Outcome::NotRun(SpawnError::Kernel {
                path: std::path::PathBuf::from(format!("/proc/{}", self.group)),
                errno: error.raw_os_error().unwrap_or(libc::ECHILD),
            }),
        }
    }

    /// Ends the whole group: TERM now, KILL after `grace` or, for what the script leaves behind,
    /// as soon as the script itself is gone.
    pub async fn terminate(&mut self, grace: Duration) -> Outcome {
        self.signal_group(Signal::SIGTERM);
        let outcome = match timeout(grace, self.wait()).await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.signal_group(Signal::SIGKILL);
                self.wait().await
            }
        };
        // The group outlives its leader for as long as it has members, so its number is either
        // still ours or free.
        self.signal_group(Signal::SIGKILL);
        outcome
    }

    /// Sends `signal` to the script and to what it has started in its group.
    fn signal_group(&self, signal: Signal) {
        // ESRCH: all of them have just ended, which is what is wanted.
        let _ = killpg(self.group, signal);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let (child, group) = (self.child.take(), self.group);
        match Handle::try_current() {
            Ok(runtime) if !self.doomed => {
                let mut doomed = Self {
                    child,
                    group,
                    ended: false,
                    doomed: true,
                };
                runtime.spawn(async move { doomed.terminate(DROP_GRACE).await });
            }
            _ => self.signal_group(Signal::SIGKILL),
        }
    }
}

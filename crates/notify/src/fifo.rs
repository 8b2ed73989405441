//! Named pipes that carry a line per event, and the programs that read them.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, fchown, geteuid, mkfifo};
use rk_script::{Command, Credentials, Umask, spawn};
use tokio::task::JoinHandle;

/// What the mode of a new pipe is before the mask.
const NOMINAL_MODE: u32 = 0o644;
/// `PIPE_BUF` of Linux: only lines up to this long arrive whole or not at all.
const ATOMIC: usize = 4096;

/// Where the pipe is and whose it becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FifoSettings {
    /// Its path.
    pub path: PathBuf,
    /// Owner and group of a pipe we make.
    pub owner: Credentials,
    /// Taken off mode 0644 of a pipe we make.
    pub umask: Umask,
}

/// Why there is no pipe to write to.
#[derive(Debug, thiserror::Error)]
pub enum FifoError {
    /// Something else is at that path, or a symbolic link: remove it, or name another path.
    #[error("{0} exists and is not a FIFO")]
    NotAFifo(PathBuf),
    /// Someone else could read or feed the pipe: remove it, or give it to the right user.
    #[error("FIFO {path} belongs to uid {uid}, not to root or uid {wanted}")]
    ForeignOwner {
        /// Its path.
        path: PathBuf,
        /// Whose it is.
        uid: u32,
        /// Whose it should be.
        wanted: u32,
    },
    /// The kernel refused one step.
    #[error("cannot {step} FIFO {path}: {source}")]
    Kernel {
        /// `create`, `open`, `set the owner of`, ...
        step: &'static str,
        /// Its path.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is in the pipe.
    Whole,
    /// The pipe is full: nobody reads, or not fast enough. The line is lost.
    Lost,
}

/// A named pipe, open for writing whether anyone reads or not.
///
/// Keep it across a reload that leaves its [`FifoSettings`] as they were: readers then see no end
/// of file and lose no line. Dropped, it is removed if it was made here.
#[derive(Debug)]
pub struct Fifo {
    settings: FifoSettings,
    pipe: File,
    made: bool,
    lost: u64,
}

impl Fifo {
    /// Opens the pipe, making it if there is none.
    ///
    /// # Errors
    /// [`FifoError`] names the path and what to do about it.
    pub fn open(settings: FifoSettings) -> Result<Self, FifoError> {
        let failed = |step| {
            let path = settings.path.clone();
            move |source: std::io::Error| FifoError::Kernel { step, path, source }
        };
        let path = &settings.path;
        let made = match mkfifo(path, Mode::from_bits_truncate(0o600)) {
            Ok(()) => true,
            Err(nix::Error::EEXIST) => false,
            Err(errno) => return Err(failed("create")(errno.into())),
        };
        // Before the open, which would block or act on a device; the check after it is the one
        // that counts.
        let found = std::fs::symlink_metadata(path).map_err(failed("look at"))?;
        if !found.file_type().is_fifo() {
            return Err(FifoError::NotAFifo(path.clone()));
        }
        // For reading too: writing then never fails for want of a reader, and no reader ever sees
        // the end of the file.
        let pipe = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW).bits())
            .open(path)
            .map_err(failed("open"))?;
        let found = pipe.metadata().map_err(failed("look at"))?;
        if !found.file_type().is_fifo() {
            return Err(FifoError::NotAFifo(path.clone()));
        }
        let wanted = settings.owner.uid;
        if ![0, wanted, geteuid().as_raw()].contains(&found.uid()) {
            return Err(FifoError::ForeignOwner {
                path: path.clone(),
                uid: found.uid(),
                wanted,
            });
        }
        let fifo = Self {
            settings,
            pipe,
            made,
            lost: 0,
        };
        if made {
            fifo.dress()?;
        }
        Ok(fifo)
    }

    /// Gives a pipe we made its owner and mode.
    fn dress(&self) -> Result<(), FifoError> {
        let failed = |step, source| FifoError::Kernel {
            step,
            path: self.path().into(),
            source,
        };
        let FifoSettings { owner, umask, .. } = &self.settings;
        let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
        fchown(&self.pipe, Some(uid), Some(gid))
            .map_err(|errno| failed("set the owner of", errno.into()))?;
        self.pipe
            .set_permissions(Permissions::from_mode(NOMINAL_MODE & !umask.0))
            .map_err(|source| failed("set the mode of", source))
    }

    /// Where the pipe is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.settings.path
    }

    /// What the pipe was opened with.
    #[must_use]
    pub fn settings(&self) -> &FifoSettings {
        &self.settings
    }

    /// Writes `line`, which brings its newline, at once or not at all.
    ///
    /// A lost line is logged, but only the first in a row.
    pub fn write(&mut self, line: &str) -> Written {
        let result = if line.len() > ATOMIC {
            Err(ErrorKind::InvalidInput.into())
        } else {
            (&self.pipe).write(line.as_bytes())
        };
        let path = self.settings.path.display();
        match result {
            Ok(_) => {
                if self.lost > 0 {
                    tracing::warn!("FIFO {path}: read again, {} lines were lost", self.lost);
                    self.lost = 0;
                }
                Written::Whole
            }
            Err(error) => {
                if self.lost == 0 {
                    let why = match error.kind() {
                        ErrorKind::WouldBlock => "it is full, is its reader running?".into(),
                        ErrorKind::InvalidInput => format!("longer than {ATOMIC} bytes"),
                        _ => error.to_string(),
                    };
                    tracing::warn!("FIFO {path}: a line is lost: {why}");
                }
                self.lost += 1;
                Written::Lost
            }
        }
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        if !self.made {
            return;
        }
        // Only if the path still leads to our own pipe.
        let ours = |ours: std::fs::Metadata, there: std::fs::Metadata| {
            (ours.dev(), ours.ino()) == (there.dev(), there.ino())
        };
        let there = std::fs::symlink_metadata(self.path());
        if self
            .pipe
            .metadata()
            .and_then(|m| there.map(|t| ours(m, t)))
            .unwrap_or(false)
        {
            let _ = std::fs::remove_file(self.path());
        }
    }
}

/// The program that reads a pipe, running as long as this value lives.
#[derive(Debug)]
pub struct FifoScript {
    command: Command,
    task: JoinHandle<()>,
}

impl FifoScript {
    /// Starts `command` with the pipe's path as its last argument.
    ///
    /// When it ends, `TAG notify fifo script terminated` is logged; it is not started again.
    /// Keep it across a reload that changes neither its command nor its pipe.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(command: Command, pipe: &Path, tag: &'static str) -> Self {
        let whole = command.clone().args([pipe]);
        let task = tokio::spawn(async move {
            match spawn(&whole).await {
                Ok(mut running) => {
                    running.wait().await;
                    tracing::info!("{tag} notify fifo script terminated");
                }
                Err(error) => tracing::error!("{tag} notify fifo script: {error}"),
            }
        });
        Self { command, task }
    }

    /// The command it was started with, without the pipe's path.
    #[must_use]
    pub fn command(&self) -> &Command {
        &self.command
    }
}

impl Drop for FifoScript {
    fn drop(&mut self) {
        // The task owns the process, which is killed with it.
        self.task.abort();
    }
}

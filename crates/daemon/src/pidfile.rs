//! Pid files: where they are, who may have them, what is in them.
//!
//! A daemon holds a write lock on each of its pid files from before it goes into the background
//! until it ends: the lock, not the number in the file, says whether another one is running. An
//! open-file-description lock survives the forks on the way into the background and ends with the
//! process, whatever ends it.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};

use crate::cli::{PidPaths, Process};

/// The directory for run-time files.
const RUN: &str = "/run";

/// What decides about the names of pid files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scheme {
    /// `-p`, `-r`, `-c`, `-b`.
    pub(crate) given: PidPaths,
    /// `net_namespace` or `-s`.
    pub(crate) namespace: Option<String>,
    /// `instance`.
    pub(crate) instance: Option<String>,
    /// `use_pid_dir`.
    pub(crate) use_pid_dir: bool,
}

impl Scheme {
    /// The pid file of `process` (the parent for `None`).
    pub(crate) fn path(&self, process: Option<Process>) -> PathBuf {
        let (given, name) = match process {
            None => (&self.given.parent, "keepalived"),
            Some(Process::Vrrp) => (&self.given.vrrp, "vrrp"),
            Some(Process::Checker) => (&self.given.checker, "checkers"),
            Some(Process::Bfd) => (&self.given.bfd, "bfd"),
        };
        if let Some(given) = given {
            return given.clone();
        }
        let mut path = PathBuf::from(RUN);
        if self.use_pid_dir || self.instance.is_some() || self.namespace.is_some() {
            path.push("keepalived");
        }
        if let Some(namespace) = &self.namespace {
            path.push(namespace);
        }
        path.push(match &self.instance {
            Some(instance) => format!("{name}_{instance}.pid"),
            None => format!("{name}.pid"),
        });
        path
    }
}

/// Why a pid file cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PidFileError {
    /// Another daemon is running.
    #[error("Another process has pid file {} locked", .0.display())]
    Locked(PathBuf),
    /// Another daemon, one that takes no locks, is running.
    #[error("Process {pid} ({name}) from pid file {} is running", path.display())]
    Running {
        /// The file.
        path: PathBuf,
        /// Who is in it.
        pid: u32,
        /// What that process is called.
        name: String,
    },
    /// The file cannot be made.
    #[error("Unable to open pid file {}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// A pid file that this daemon has, and nobody else. It is removed with the value; a directory
/// that was made for it goes too, once it is empty.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
    file: File,
    /// This process is the one to remove it.
    mine: bool,
}

impl PidFile {
    /// Takes the file at `path`, without writing to it yet.
    ///
    /// # Errors
    /// [`PidFileError`]; then nothing was changed, but for an empty file that may be left.
    pub(crate) fn claim(path: &Path) -> Result<Self, PidFileError> {
        let failed = |error: io::Error| PidFileError::Io {
            path: path.to_owned(),
            error,
        };
        if let Some(dir) = path
            .parent()
            .filter(|dir| dir.starts_with("/run/keepalived"))
        {
            make_directory(dir).map_err(failed)?;
        }
        loop {
            let existed = path.symlink_metadata().is_ok();
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o644)
                .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
                .open(path)
                .map_err(failed)?;
            match lock(&file) {
                Ok(()) => {}
                Err(Errno::EAGAIN | Errno::EACCES) => {
                    return Err(PidFileError::Locked(path.to_owned()));
                }
                Err(e) => return Err(failed(e.into())),
            }
            // The one who had it may have removed it between our open and our lock.
            let ours = file.metadata().map_err(failed)?;
            let Ok(there) = path.symlink_metadata() else {
                continue;
            };
            if (ours.dev(), ours.ino()) != (there.dev(), there.ino()) {
                continue;
            }
            let mut claimed = Self {
                path: path.to_owned(),
                file,
                mine: false,
            };
            if existed && let Some((pid, name)) = claimed.keepalived_inside() {
                return Err(PidFileError::Running {
                    path: path.to_owned(),
                    pid,
                    name,
                });
            }
            claimed.mine = true;
            return Ok(claimed);
        }
    }

    /// A keepalived that takes no locks (before 2.3) and is running, going by the number in the
    /// file. Another process that happens to have the number is no reason not to start.
    fn keepalived_inside(&mut self) -> Option<(u32, String)> {
        let mut text = String::new();
        (&self.file).take(32).read_to_string(&mut text).ok()?;
        let pid: u32 = text.trim().parse().ok()?;
        if pid == std::process::id() {
            return None;
        }
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        let name = name.trim_end().to_owned();
        name.starts_with("keepalived").then_some((pid, name))
    }

    /// Writes `pid` into the file, readable for everybody whatever the umask is.
    ///
    /// # Errors
    /// The disk is full.
    pub(crate) fn write(&mut self, pid: u32) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(0o644))?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(format!("{pid}\n").as_bytes())
    }

    /// Empties the file: the process it is for does not run now.
    ///
    /// # Errors
    /// The disk has gone.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        self.file.set_len(0)
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if !self.mine {
            return;
        }
        remove(&self.path);
    }
}

/// Removes the pid file at `path` if it is about this process.
pub(crate) fn remove_own(path: &Path) {
    let own = format!("{}\n", std::process::id());
    if std::fs::read_to_string(path).is_ok_and(|text| text == own) {
        remove(path);
    }
}

/// Removes a pid file, and the directory that was made for it once it is empty.
fn remove(path: &Path) {
    // Gone already is as good.
    let _ = std::fs::remove_file(path);
    let mut dir = path.parent();
    while let Some(d) = dir.filter(|d| d.starts_with("/run/keepalived")) {
        if std::fs::remove_dir(d).is_err() {
            break;
        }
        dir = d.parent();
    }
}

/// Makes `dir` and what is missing above it, open for everybody to look into whatever the umask
/// is.
fn make_directory(dir: &Path) -> io::Result<()> {
    match std::fs::create_dir(dir) {
        Ok(()) => std::fs::set_permissions(dir, Permissions::from_mode(0o755)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let above = dir.parent().ok_or(e)?;
            make_directory(above)?;
            make_directory(dir)
        }
        Err(e) => Err(e),
    }
}

/// A write lock on all of the file, held by the open file and not by the process.
fn lock(file: &File) -> Result<(), Errno> {
    let whole = libc::flock {
        l_type: i16::try_from(libc::F_WRLCK).unwrap_or_default(),
        l_whence: 0,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&whole)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_instance_namespace_and_directory() {
        let scheme = |namespace: Option<&str>, instance: Option<&str>, use_pid_dir| Scheme {
            namespace: namespace.map(str::to_owned),
            instance: instance.map(str::to_owned),
            use_pid_dir,
            given: PidPaths::default(),
        };
        for (scheme, parent, vrrp) in [
            (
                scheme(None, None, false),
                "/run/keepalived.pid",
                "/run/vrrp.pid",
            ),
            (
                scheme(None, Some("foo"), false),
                "/run/keepalived/keepalived_foo.pid",
                "/run/keepalived/vrrp_foo.pid",
            ),
            (
                scheme(Some("N"), None, false),
                "/run/keepalived/N/keepalived.pid",
                "/run/keepalived/N/vrrp.pid",
            ),
            (
                scheme(Some("N"), Some("foo"), true),
                "/run/keepalived/N/keepalived_foo.pid",
                "/run/keepalived/N/vrrp_foo.pid",
            ),
            (
                scheme(None, None, true),
                "/run/keepalived/keepalived.pid",
                "/run/keepalived/vrrp.pid",
            ),
        ] {
            assert_eq!(scheme.path(None), Path::new(parent));
            assert_eq!(scheme.path(Some(Process::Vrrp)), Path::new(vrrp));
        }
        let default = scheme(None, None, false);
        assert_eq!(
            default.path(Some(Process::Checker)),
            Path::new("/run/checkers.pid")
        );
        assert_eq!(default.path(Some(Process::Bfd)), Path::new("/run/bfd.pid"));
        let given = PidPaths {
            vrrp: Some("/x".into()),
            ..PidPaths::default()
        };
        let given = Scheme {
            given,
            ..scheme(None, Some("foo"), false)
        };
        assert_eq!(given.path(Some(Process::Vrrp)), Path::new("/x"));
        assert_eq!(
            given.path(None),
            Path::new("/run/keepalived/keepalived_foo.pid")
        );
    }

    #[test]
    fn a_pid_file_belongs_to_one_and_goes_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pid");
        let mut first = PidFile::claim(&path).unwrap();
        first.write(4711).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "4711\n");
        assert_eq!(
            path.metadata().unwrap().permissions().mode() & 0o7777,
            0o644
        );
        let refused = PidFile::claim(&path).unwrap_err();
        assert!(matches!(refused, PidFileError::Locked(_)), "{refused}");
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "4711\n",
            "a refusal changes nothing"
        );
        drop(first);
        assert!(!path.exists());
        drop(PidFile::claim(&path).unwrap());
    }

    #[test]
    fn leftovers_are_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pid");
        // Nonsense, nobody, and a live process that is no keepalived: this test.
        for text in [
            "nonsense",
            "999999999\n",
            &format!("{}\n", std::os::unix::process::parent_id()),
        ] {
            std::fs::write(&path, text).unwrap();
            let mut file = PidFile::claim(&path).unwrap();
            file.write(5).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "5\n");
        }
    }

    #[test]
    fn a_keepalived_without_locks_is_respected() {
        let dir = tempfile::tempdir().unwrap();
        // Any program under that name will do.
        let program = dir.path().join("keepalived");
        std::fs::copy("/bin/cat", &program).unwrap();
        let mut other = std::process::Command::new(&program)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // It answers: so the exec, which gives it its name, is over.
        other.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        other.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let path = dir.path().join("a.pid");
        let text = format!("{}\n", other.id());
        std::fs::write(&path, &text).unwrap();
        let refused = PidFile::claim(&path).unwrap_err();
        assert!(matches!(refused, PidFileError::Running { .. }), "{refused}");
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            text,
            "a refusal changes nothing"
        );
        drop(other.stdin.take());
        other.wait().unwrap();
        PidFile::claim(&path).unwrap();
    }

    #[test]
    fn directories_are_open_for_everybody() {
        let dir = tempfile::tempdir().unwrap();
        let (outer, inner) = (dir.path().join("a"), dir.path().join("a/b"));
        make_directory(&inner).unwrap();
        make_directory(&inner).unwrap();
        for made in [outer, inner] {
            assert_eq!(
                made.metadata().unwrap().permissions().mode() & 0o7777,
                0o755
            );
        }
        std::fs::write(dir.path().join("file"), "").unwrap();
        assert!(make_directory(&dir.path().join("file/c")).is_err());
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        std::fs::write(&target, "precious").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(matches!(
            PidFile::claim(&link),
            Err(PidFileError::Io { .. })
        ));
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "precious");
    }
}

//! Entering a named network namespace (`net_namespace`).

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, setns};

/// Where iproute2 keeps the names.
const DIRECTORY: &str = "/run/netns";

/// Why a namespace could not be entered.
#[derive(Debug, thiserror::Error)]
pub enum NetnsError {
    /// The name is empty, or holds a slash, or is `.` or `..`.
    #[error("`{name}` cannot be the name of a network namespace")]
    Name {
        /// The name as given.
        name: String,
    },
    /// Nobody made a namespace of this name.
    #[error("network namespace `{name}` does not exist ({})", path.display())]
    Missing {
        /// The name as given.
        name: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The process may not enter it (`CAP_SYS_ADMIN` is needed).
    #[error("not permitted to enter network namespace `{name}` (CAP_SYS_ADMIN is needed)")]
    NotPermitted {
        /// The name as given.
        name: String,
    },
    /// Anything else the kernel said, for example that the file is no namespace.
    #[error("cannot enter network namespace `{name}`: {source}")]
    Kernel {
        /// The name as given.
        name: String,
        /// The kernel's reason.
        #[source]
        source: io::Error,
    },
}

/// Moves the calling thread into the network namespace `name`.
///
/// A namespace belongs to a thread, and sockets stay in the namespace they were opened in: call
/// this before the runtime is built and before any other thread exists; what is started later
/// (threads, scripts) inherits it.
///
/// # Errors
/// See [`NetnsError`]; the thread stays where it was.
pub fn enter(name: &str) -> Result<(), NetnsError> {
    enter_in(Path::new(DIRECTORY), name)
}

/// Moves the calling thread into the network namespace of process 1, the one without a name.
///
/// # Errors
/// See [`NetnsError`]; the thread stays where it was.
pub fn enter_default() -> Result<(), NetnsError> {
    enter_in(Path::new("/proc/1/ns"), "net")
}

fn enter_in(directory: &Path, name: &str) -> Result<(), NetnsError> {
    let owned = || name.to_owned();
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(NetnsError::Name { name: owned() });
    }
    let path = directory.join(name);
    let classify = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => NetnsError::Missing {
            name: owned(),
            path: path.clone(),
        },
        io::ErrorKind::PermissionDenied => NetnsError::NotPermitted { name: owned() },
        _ => NetnsError::Kernel {
            name: owned(),
            source,
        },
    };
    let file = File::open(&path).map_err(classify)?;
    setns(&file, CloneFlags::CLONE_NEWNET).map_err(|e| classify(e.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_directory_are_refused() {
        for name in ["", ".", "..", "../pid", "a/b", "a\0"] {
            assert!(
                matches!(enter(name), Err(NetnsError::Name { .. })),
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_missing_namespace_names_the_place() {
        let error = enter("rk-there-is-no-such-namespace").unwrap_err();
        assert!(matches!(error, NetnsError::Missing { .. }));
        assert!(
            error
                .to_string()
                .contains("/run/netns/rk-there-is-no-such-namespace")
        );
    }

    #[test]
    fn a_file_that_is_no_namespace_is_refused() {
        let error = enter_in(Path::new("/etc"), "passwd").unwrap_err();
        assert!(
            matches!(
                error,
                NetnsError::Kernel { .. } | NetnsError::NotPermitted { .. }
            ),
            "{error}"
        );
    }
}

//! Running in a network namespace.
//!
//! keepalived also makes a mount namespace, to have `/run/keepalived` for itself. Here the pid
//! files of a namespace have a directory of their own under the very name they have outside
//! there, so scripts see the file system that everybody sees.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, setns};

/// Why a namespace cannot be entered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NamespaceError {
    /// There is none of that name.
    #[error("Failed to open {}: {error}", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
        /// Why it cannot be opened.
        error: io::Error,
    },
    /// The kernel refuses.
    #[error("Unable to enter {}: {error}", path.display())]
    Refused {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Enters the network namespace `name`. Affects this thread and what it starts: call it before
/// there are others.
///
/// # Errors
/// [`NamespaceError`] names the file.
pub(crate) fn enter(name: &str) -> Result<(), NamespaceError> {
    // Where iproute2 keeps them.
    let path = Path::new("/run/netns").join(name);
    let namespace = File::open(&path).map_err(|error| NamespaceError::Missing {
        path: path.clone(),
        error,
    })?;
    setns(&namespace, CloneFlags::CLONE_NEWNET).map_err(|e| NamespaceError::Refused {
        path,
        error: e.into(),
    })
}

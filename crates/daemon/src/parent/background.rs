//! Going into the background.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;

use nix::unistd::{ForkResult, setsid};

use crate::sys;

/// Leaves the caller's session, directory and terminal. The caller's process ends here with
/// status 0; only the daemon returns. There must be no other thread yet.
///
/// # Errors
/// No process can be started, or `/dev/null` cannot be opened.
pub(crate) fn go() -> io::Result<()> {
    leave_caller()?;
    setsid()?;
    // A session's first process could get a terminal again by opening one; its child cannot.
    leave_caller()?;
    std::env::set_current_dir("/")?;
    let null = OwnedFd::from(
        OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/null")?,
    );
    nix::unistd::dup2_stdin(&null)?;
    nix::unistd::dup2_stdout(&null)?;
    nix::unistd::dup2_stderr(&null)?;
    Ok(())
}

/// Goes on in a new process.
fn leave_caller() -> io::Result<()> {
    match sys::fork()? {
        ForkResult::Child => Ok(()),
        // No destructor runs here: pid files and locks are the daemon's now.
        ForkResult::Parent { .. } => std::process::exit(0),
    }
}

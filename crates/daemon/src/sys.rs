//! The few system calls that no crate offers in a safe form: the only `unsafe` of this crate.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Takes over a descriptor that the kernel has just handed to this process.
///
/// Only for numbers that nothing else owns: what `SCM_RIGHTS` delivered, or what the parent left
/// open across `exec` for this very purpose.
pub(crate) fn adopt_fd(fd: RawFd) -> OwnedFd {
    // SAFETY: by the contract above `fd` is open and has no other owner in this process.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

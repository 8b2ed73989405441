//! The values every part of the project speaks in: VRIDs, priorities, times, prefixes.
//!
//! No dependency, no I/O, no clock: an [`Instant`] is a number that the shell (or a test's
//! virtual clock) hands in.
#![forbid(unsafe_code)]

mod address;
mod time;
mod transport;
mod vrrp;

pub use address::{Family, IfIndex, Prefix, PrefixError};
pub use core::time::Duration;
pub use time::Instant;
pub use transport::Transport;
pub use vrrp::{OutOfRange, Priority, Vrid};

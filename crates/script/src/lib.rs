//! Runs scripts: the ones that are tracked, and one by one those that others ask for.
//!
//! In the order data flows: a [`Command`] says what to run and as whom ([`Credentials`]);
//! [`spawn()`] starts it in the environment keepalived's scripts know; [`Running`] waits for it and
//! ends it with everything it started; [`Tracks`] repeats it on a fixed grid and reports each
//! [`Finished`] run. Whether a run counts as up or down (rise, fall) is decided elsewhere, and so is
//! whether a script is safe to run: `rk_config` looks at it when it reads the configuration.
//!
//! All of it runs on the caller's single-threaded tokio runtime, but for the forks: those happen
//! on one thread of their own, so that a file on a slow disk never holds up an advert.
#![deny(unsafe_code)]

mod command;
mod process;
#[allow(
    unsafe_code,
    reason = "raw system calls live here and nowhere else in this crate"
)]
mod spawn;
mod track;
mod user;

pub use command::{Command, Umask};
pub use process::{Outcome, Running, spawn};
pub use spawn::SpawnError;
pub use track::{Finished, TrackScript, Tracks};
pub use user::{Credentials, Supplementary, UnknownUser};

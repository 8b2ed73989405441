//! Runs scripts: the ones that are tracked, and one by one those that others ask for.
//!
//! In the order data flows: a [`Command`] says what to run and as whom ([`Credentials`]);
//! [`inspect`] tells, before anything runs, whether the file can be run at all and whether someone
//! who is not root could swap it; [`spawn()`] starts it in the environment keepalived's scripts
//! know; [`Running`] waits for it and ends it with everything it started; [`Tracks`] repeats it on
//! a fixed grid and reports each [`Finished`] run. Whether a run counts as up or down (rise, fall)
//! is decided elsewhere.
//!
//! All of it runs on the caller's single-threaded tokio runtime, but for the forks: those happen
//! on one thread of their own, so that a file on a slow disk never holds up an advert.
#![deny(unsafe_code)]

mod command;
mod process;
mod security;
#[allow(unsafe_code)]
mod spawn;
mod track;
mod user;

pub use command::{Command, Umask};
pub use process::{Outcome, Running, spawn};
pub use security::{Flaw, Inspection, SearchPath, Unusable, inspect};
pub use spawn::SpawnError;
pub use track::{Finished, TrackScript, Tracks};
pub use user::{Credentials, Supplementary, UnknownUser};

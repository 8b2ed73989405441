//! What can happen to the load balancer.

use core::net::IpAddr;
use std::sync::Arc;

use crate::outcome::Outcome;

use super::settings::Settings;

/// A check, as long as it is in the configuration. The number says nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(pub(super) u32);

/// One attempt of a check. No two attempts of one [`super::Director`] have the same number, so an
/// outcome that comes too late is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub(super) u64);

/// Everything that can happen.
#[derive(Clone, Debug)]
pub enum Input {
    /// The daemon is ready. Before this, [`Input::Address`], [`Input::File`] and [`Input::Bfd`]
    /// only set the scene.
    Start,
    /// [`super::Director::due`] has come.
    Timer,
    /// An attempt has ended.
    Done {
        /// Which check.
        check: CheckId,
        /// Which attempt of it.
        attempt: Attempt,
        /// How it went.
        outcome: Outcome,
    },
    /// An address came to this host or left it (`ha_suspend`). Feed only what was there before
    /// the start and what changes afterwards.
    Address {
        /// The address.
        addr: IpAddr,
        /// Where it is now.
        now: Whereabouts,
    },
    /// A BFD session changed its state.
    Bfd {
        /// The session's name.
        session: Arc<str>,
        /// Its state.
        state: SessionState,
    },
    /// A `track_file` was read.
    File {
        /// The name of the `track_file`.
        file: Arc<str>,
        /// The number in it; 0 when it cannot be read.
        value: i32,
    },
    /// The configuration was read again.
    Reload(Box<Settings>),
    /// The daemon stops. Nothing but [`super::Director::desired`], then empty, is of use
    /// afterwards.
    Stop,
}

/// Whether an address is on this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// It is.
    Here,
    /// It is not.
    Gone,
}

/// What a BFD session says about its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Up.
    Up,
    /// Down, init, or administratively down.
    Down,
}

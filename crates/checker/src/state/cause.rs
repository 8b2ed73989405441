//! Why a server or a quorum changed its state, typed, and as a phrase.

use core::fmt;
use std::sync::Arc;

use crate::outcome::Failure;

use super::check::Kind;
use super::name::Endpoint;

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The daemon started.
    Startup,
    /// A check succeeded.
    CheckSucceeded(CheckCause),
    /// A check failed.
    CheckFailed {
        /// Which one, and how often it tried.
        check: CheckCause,
        /// What the last attempt found.
        failure: Failure,
    },
    /// A real server's change of state moved the quorum.
    RealServer {
        /// Which one.
        real: Endpoint,
        /// Why that changed.
        why: Arc<Cause>,
    },
    /// A reload added it, removed it or changed what it needs.
    Reload,
    /// The daemon stops.
    Stop,
}

/// Which check brought a change about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckCause {
    /// Which check.
    pub kind: Kind,
    /// The attempt that decided, from 1.
    pub attempt: u32,
    /// How many attempts a check of this kind has before it counts as failed.
    pub of: u32,
}

impl fmt::Display for CheckCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Bfd { session } => write!(f, "{} {session}", self.kind),
            Kind::File { file, .. } => write!(f, "{} {file}", self.kind),
            Kind::Misc { script } => write!(f, "{} [{script}]", self.kind),
            kind => kind.fmt(f),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Startup => f.write_str("startup"),
            Self::CheckSucceeded(check) => write!(f, "{check} succeeded"),
            Self::CheckFailed { check, failure } => write!(
                f,
                "{check} failed, attempt {} of {}: {failure}",
                check.attempt, check.of
            ),
            Self::RealServer { real, why } => write!(f, "real server {real}: {why}"),
            Self::Reload => f.write_str("the configuration changed"),
            Self::Stop => f.write_str("the daemon stops"),
        }
    }
}

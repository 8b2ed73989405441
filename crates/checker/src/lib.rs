//! Virtual servers, real servers and their health checks.
//!
//! [`state`] decides and [`probe`] looks: the first is sans-IO (which attempt is due, what its
//! outcome means for retries, weights, quorum and the sorry server), the second makes one attempt
//! against one endpoint and says how it went, as an [`Outcome`].
#![deny(unsafe_code)]

mod outcome;
pub mod probe;
pub mod state;

pub use outcome::{Failure, Outcome};

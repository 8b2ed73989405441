//! The Virtual Router Redundancy Protocol as plain decisions: no socket, no clock, no thread.
//!
//! In the order in which a packet travels:
//!
//! 1. [`wire`] reads an advertisement out of received bytes, and writes ours: VRRPv2 (RFC 3768)
//!    and VRRPv3 (RFC 9568), their checksums, the IPv4 header, and the authentication of RFC 2338.
//! 2. [`Instance`] is one virtual router: feed it [`Input`]s with the time, perform the
//!    [`Output`]s in the order in which they come, and call it again at [`Instance::due`].
//! 3. [`tracking`] turns what scripts, interfaces and files say into a priority or a fault.
//! 4. [`SyncGroup`] moves several instances together.
//!
//! Everything the core says to humans is a typed value: [`Event`] for the log, [`Cause`] for the
//! reason of a transition. Their `Display` is the sentence.
#![forbid(unsafe_code)]

mod cause;
mod error;
mod event;
mod group;
mod input;
mod machine;
mod output;
mod settings;
mod stats;
pub mod tracking;
pub mod wire;

pub use cause::{Cause, FaultReason};
pub use error::Rejected;
pub use event::{Event, Level, Occurrence};
pub use group::{GroupEvent, GroupOutput, GroupTransition, SyncGroup};
pub use input::{AtStop, Input, RxMeta, RxProtocol, StopReason};
pub use machine::{Instance, State};
pub use output::{Addresses, Announce, AnnounceReason, Output, Transition, Transmit};
/// The values of the signatures: VRIDs, priorities, instants.
pub use rk_base;
pub use settings::{
    Auth, AuthData, Garp, InitialState, OldUnicastChecksum, Peer, Preempt, Settings, Transport,
    V3Checksum, Version,
};
pub use stats::Stats;
pub use tracking::{Reading, Tracker, TrackerId, TrackerKind};

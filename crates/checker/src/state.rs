//! Which attempt is due and what its outcome means: sans-IO.
//!
//! In the order in which a failure travels:
//!
//! 1. [`Settings`] say which virtual servers there are, of which real servers, checked how.
//! 2. A [`Check`] is due; [`Output::Probe`] asks for an attempt, [`Input::Done`] brings its
//!    [`Outcome`](crate::Outcome).
//! 3. Retries exhausted, the check is down and so is its real server; with it may go the quorum,
//!    and then the sorry server takes over.
//! 4. [`Output::Service`] and [`Output::Destination`] say what the kernel's table should hold.
//! 5. [`Event`], [`Notice`] and [`Mail`] say it to people and scripts; [`Cause`] says why.

mod cause;
mod check;
mod director;
mod event;
mod input;
mod name;
mod notice;
mod output;
mod settings;
mod table;
mod timer;

pub use cause::{Cause, CheckCause};
pub use check::{Check, Http, Kind, ProbeKey, Proof, Timing, Url};
pub use director::{CheckView, Desired, Director, Part, RealView, VirtualView};
pub use event::{Activity, Course, Event, Level, Move, Place, Quorum};
pub use input::{Attempt, CheckId, Input, SessionState, Whereabouts};
pub use name::{DestinationKey, Endpoint, Protocol, ServiceKey, VirtualName};
pub use notice::{Health, Mail, MailBody, Notice, Subject};
pub use output::{Destination, Output, Probe};
pub use settings::{
    Encapsulation, Forward, Persistence, RealServer, Service, Settings, SorryServer, Tunnel,
    TunnelChecksum, VirtualServer,
};

#[cfg(test)]
mod tests;

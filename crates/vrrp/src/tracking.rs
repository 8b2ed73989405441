//! From what trackers say to a priority or a fault: pure, and always from the inputs, never by
//! adding to what was there before (so that no reload can flip a sign).

mod priority;
mod script;
#[cfg(test)]
mod tests;

pub use priority::{Effect, effect, effective_priority, total_priority};
pub use script::{Run, ScriptEvent, ScriptState, ScriptStatus};

use core::fmt;
use std::sync::Arc;

/// A small number that the daemon chose for a tracked thing; the same in all its instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackerId(pub u32);

/// What kind of thing is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrackerKind {
    /// A network interface (`track_interface`, and the own one).
    Interface,
    /// A script (`track_script`).
    Script,
    /// A number in a file (`track_file`).
    File,
    /// A quorum of processes (`track_process`).
    Process,
    /// A BFD session (`track_bfd`).
    Bfd,
}

impl fmt::Display for TrackerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interface => "interface",
            Self::Script => "script",
            Self::File => "file",
            Self::Process => "process",
            Self::Bfd => "BFD instance",
        })
    }
}

/// One thing watched by one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracker {
    /// By which [`crate::Input::Tracker`] names it.
    pub id: TrackerId,
    /// What it is.
    pub kind: TrackerKind,
    /// Its name, as it stands in the log.
    pub name: Arc<str>,
    /// How much it moves the priority; 0 lets it decide between health and fault instead.
    pub weight: i32,
    /// `reverse`: the direction of the weight, or of up and down if the weight is 0.
    pub reverse: bool,
    /// What it says before it has said anything.
    pub initial: Reading,
}

/// What a tracked thing says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Nothing yet: a script that has not run. Without a weight it holds the instance in INIT.
    Unknown,
    /// Interface up, script succeeded, quorum present, session up.
    Up,
    /// The opposite.
    Down,
    /// The number in a file.
    Value(i64),
}

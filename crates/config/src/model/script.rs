//! Commands to run and what is known about them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Origin;

/// A command string, split into its words, with the user that runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The words as configured, never empty; the first one is `argv[0]`.
    pub argv: Vec<String>,
    /// The file to execute: `argv[0]`, or where the search path has it.
    pub path: String,
    /// Who runs it.
    pub run_as: RunAs,
    /// Whether it may run.
    pub verdict: Verdict,
    /// Where it was written.
    pub origin: Origin,
}

/// The user and group of a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunAs {
    /// User number.
    pub uid: u32,
    /// Group number.
    pub gid: u32,
    /// Name of the user, when it is known.
    pub user: Option<String>,
    /// Which other groups the process gets.
    pub groups: SupplementaryGroups,
}

impl RunAs {
    /// Root, without supplementary groups.
    pub const ROOT: Self = Self {
        uid: 0,
        gid: 0,
        user: None,
        groups: SupplementaryGroups::None,
    };

    /// Whether any part of it is root's.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.uid == 0 || self.gid == 0
    }
}

/// Which supplementary groups a script gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SupplementaryGroups {
    /// None at all.
    #[default]
    None,
    /// Those of its user (`:group`, `set_supplementary_groups`).
    OfUser,
}

/// What the check of a script's file said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It may run.
    Usable,
    /// Others than root may change it, but `enable_script_security` is not set: it runs.
    InsecureButRuns {
        /// The path element that others may write.
        path: String,
    },
    /// Others than root may change it: it must not run.
    Insecure {
        /// The path element that others may write.
        path: String,
    },
    /// There is no such file, or it cannot be reached.
    NotFound,
    /// The file is there but its user may not execute it, or it is no file.
    NotExecutable,
    /// Its user or group does not exist, or no user could be chosen.
    NoUser,
}

impl Verdict {
    /// Whether the daemon may run the script.
    #[must_use]
    pub const fn may_run(&self) -> bool {
        matches!(self, Self::Usable | Self::InsecureButRuns { .. })
    }
}

/// One `vrrp_script`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// Its name.
    pub name: String,
    /// What runs. A script that may not run ([`Verdict::may_run`]) tracks nothing: every
    /// `track_script` entry that named it is already gone.
    pub command: Command,
    /// `interval`: from start to start.
    pub interval: Duration,
    /// `timeout`, else the interval.
    pub timeout: Duration,
    /// `weight`: 0 means that failing is a fault.
    pub weight: i32,
    /// `weight N reverse`.
    pub reverse: bool,
    /// `rise`: successes in a row that bring it up.
    pub rise: u32,
    /// `fall`: failures in a row that bring it down.
    pub fall: u32,
    /// `init_fail`: down until the first result.
    pub init_fail: bool,
    /// The block.
    pub origin: Origin,
}

/// The scripts and mails of an instance or a sync group. Boxed: most of thousands have none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notify {
    /// `notify_master`.
    pub master: Option<Box<Command>>,
    /// `notify_backup`.
    pub backup: Option<Box<Command>>,
    /// `notify_fault`.
    pub fault: Option<Box<Command>>,
    /// `notify_stop`.
    pub stop: Option<Box<Command>>,
    /// `notify`: on any change, with type, name, state and priority as further arguments.
    pub generic: Option<Box<Command>>,
    /// `notify_master_rx_lower_pri` (instances only).
    pub master_rx_lower_pri: Option<Box<Command>>,
    /// `notify_deleted` (instances only): report DELETED instead of FAULT on removal by reload.
    pub deleted: bool,
    /// The script of `notify_deleted`, if it has one.
    pub deleted_script: Option<Box<Command>>,
    /// `smtp_alert`, else `smtp_alert_vrrp`, else the global `smtp_alert`, else off.
    pub smtp_alert: bool,
    /// `notify_priority_changes`: priority changes go to the FIFOs.
    pub priority_changes: bool,
}

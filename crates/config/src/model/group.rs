//! Sets of instances and of interfaces.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Notify, Origin, Tracks};

/// One `vrrp_sync_group`: instances that change state together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncGroup {
    /// Its name.
    pub name: String,
    /// The members that exist.
    pub members: Vec<String>,
    /// What is tracked for every member.
    pub track: Tracks,
    /// `sync_group_tracking_weight`: members keep weighted trackers.
    pub sync_group_tracking_weight: bool,
    /// Scripts and mails of the group.
    pub notify: Notify,
    /// The block.
    pub origin: Origin,
}

/// One `track_group`: instances that static entries follow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackGroup {
    /// Its name.
    pub name: String,
    /// The members that exist.
    pub members: Vec<String>,
    /// The block.
    pub origin: Origin,
}

/// One `garp_group`: interfaces that share the pacing of announcements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GarpGroup {
    /// `garp_interval`; zero means none.
    pub garp_interval: Duration,
    /// `gna_interval`; zero means none.
    pub gna_interval: Duration,
    /// `interface` and `interfaces`.
    pub interfaces: Vec<String>,
    /// Each interface has a pacing of its own (`interface`), not a shared one (`interfaces`).
    pub separate: bool,
    /// The block.
    pub origin: Origin,
}

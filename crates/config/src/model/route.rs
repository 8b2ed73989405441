//! Routes and policy rules, checked word by word and kept as the words they were written in.

use serde::{Deserialize, Serialize};

use super::Origin;

/// One line of `virtual_routes` or `static_routes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// What the line says, as pairs of option and value; flags have no value.
    pub words: Vec<RouteWord>,
    /// `no_track`.
    pub no_track: bool,
    /// `track_group` (static only).
    pub track_group: Option<String>,
    /// The line.
    pub origin: Origin,
}

/// One line of `virtual_rules` or `static_rules`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What the line says, as pairs of option and value; flags have no value.
    pub words: Vec<RouteWord>,
    /// `no_track`.
    pub no_track: bool,
    /// `track_group` (static only).
    pub track_group: Option<String>,
    /// The line.
    pub origin: Origin,
}

/// An option of a route or a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteWord {
    /// The option under its first name: `dest`, `via`, `dev`, `metric`, `nexthop` ...
    pub option: String,
    /// Its values in order (`mtu lock 1400` has two); empty for a flag.
    pub values: Vec<String>,
}

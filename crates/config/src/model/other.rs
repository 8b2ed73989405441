//! Files, processes, BFD sessions and interfaces that are watched.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Origin;

/// One `track_file`: a file whose number drives tracking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackFile {
    /// Its name in `track_file` blocks.
    pub name: String,
    /// The path to watch.
    pub file: String,
    /// What the number in the file is multiplied by; 0 makes any other number a fault.
    pub weight: i32,
    /// `weight N reverse`.
    pub reverse: bool,
    /// `init_file`.
    pub init_file: Option<InitFile>,
    /// The block.
    pub origin: Origin,
}

/// `init_file`: create the file at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitFile {
    /// The number to write.
    pub value: i32,
    /// Also over a file that is there.
    pub overwrite: bool,
}

/// One `vrrp_track_process`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackProcess {
    /// Its name in `track_process` blocks.
    pub name: String,
    /// The process and the arguments to look for.
    pub process: Vec<String>,
    /// How the arguments are compared.
    pub param_match: ParamMatch,
    /// By how much the priority moves; 0 means fault.
    pub weight: i32,
    /// `weight N reverse`.
    pub reverse: bool,
    /// Least number of matching processes.
    pub quorum: u32,
    /// Greatest number of matching processes.
    pub quorum_max: Option<u32>,
    /// Wait after a process ended.
    pub terminate_delay: Duration,
    /// Wait after a process started.
    pub fork_delay: Duration,
    /// Match on the whole command line.
    pub full_command: bool,
    /// The block.
    pub origin: Origin,
}

/// How the arguments of a tracked process are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParamMatch {
    /// They do not matter.
    #[default]
    None,
    /// All of them, exactly.
    Exact,
    /// The first ones (`initial`).
    Initial,
    /// The beginning of the last one too (`partial`).
    Partial,
}

/// One `bfd_instance`, as far as tracking needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BfdSession {
    /// Its name.
    pub name: String,
    /// `neighbor_ip`.
    pub neighbor_ip: IpAddr,
    /// `source_ip`.
    pub source_ip: Option<IpAddr>,
    /// `min_rx`.
    pub min_rx: Duration,
    /// `min_tx`.
    pub min_tx: Duration,
    /// `idle_tx`.
    pub idle_tx: Duration,
    /// `multiplier`.
    pub multiplier: u8,
    /// `passive`.
    pub passive: bool,
    /// `ttl` or `hoplimit`.
    pub ttl: Option<u8>,
    /// `max_hops`; `None` means any.
    pub max_hops: Option<u8>,
    /// `multihop`.
    pub multihop: bool,
    /// `weight` for VRRP tracking.
    pub weight: i32,
    /// `weight N reverse`.
    pub reverse: bool,
    /// Events go to the VRRP process.
    pub vrrp: bool,
    /// Events go to the checker process.
    pub checker: bool,
    /// The block.
    pub origin: Origin,
}

/// One line of `linkbeat_interfaces`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linkbeat {
    /// Whose link is polled.
    pub interface: String,
    /// How.
    pub method: LinkbeatMethod,
    /// The line.
    pub origin: Origin,
}

/// How link state is polled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkbeatMethod {
    /// Whichever works.
    #[default]
    Auto,
    /// `MII`.
    Mii,
    /// `ETHTOOL`.
    Ethtool,
    /// `IOCTL`.
    Ioctl,
}

/// One line of `interface_up_down_delays`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceDelay {
    /// Whose state is debounced.
    pub interface: String,
    /// Before "down" is believed.
    pub down: Duration,
    /// Before "up" is believed.
    pub up: Duration,
    /// The line.
    pub origin: Origin,
}

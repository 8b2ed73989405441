//! The typed configuration: what a file means, after every default and rule was applied.
//!
//! Values are *resolved*: an instance's setting is its own, else the global one, else the
//! default, after the rules between settings (strict mode, family, owner) had their say. What a
//! rule changed has a diagnostic. The parent process sends the whole [`Config`] to its children,
//! so every type here is `Serialize + Deserialize`, in forms that do not describe themselves too:
//! no `flatten`, `untagged` or `skip_serializing_if`.

mod address;
mod checker;
mod global;
mod group;
mod instance;
mod iproute;
mod lvs;
mod lvs_settings;
mod number;
mod other;
mod route;
mod rule;
mod script;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use address::{Broadcast, InterfaceAddress, Lifetime, UnicastPeer};
pub use checker::{
    Bind, Check, Checker, Connection, DnsCheck, DnsRecord, HttpCheck, HttpVersion, MiscCheck,
    Regex, RegexOption, SmtpCheck, Sni, Ssl, Timing, TlsCheck, UdpCheck, Url,
};
pub use global::{
    DynamicInterfaces, Global, Iptables, LvsFlush, LvsSyncDaemon, Mail, NotifyFifo, Process,
    RxBufs, Snmp,
};
pub use group::{GarpGroup, SyncGroup, TrackGroup};
pub use instance::{
    Authentication, ExtraGarp, Garp, InitialState, Instance, Ipvlan, IpvlanMode,
    OldUnicastChecksum, Tracked, Tracks, Version, Vmac,
};
pub use lvs::{
    Forwarding, Granularity, GroupEntry, GroupTarget, Persistence, Protocol, RealServer, Scheduler,
    SchedulerFlags, Service, SorryServer, Tunnel, TunnelChecksum, TunnelKind, VirtualServer,
    VirtualServerGroup, join_services,
};
pub use lvs_settings::{LvsSettings, LvsTimeouts};
pub use number::{
    DsField, InterfaceGroup, IpProtocol, MplsLabel, Realms, RouteProtocol, RouteTable, RouteType,
    RouterPreference, RulePriority, Scope,
};
pub use other::{
    BfdSession, InitFile, InterfaceDelay, Linkbeat, LinkbeatMethod, ParamMatch, TrackFile,
    TrackProcess,
};
pub use route::{Encap, Hop, Leg, LegWeight, Metric, Metrics, Placement, Route, TunnelEncap};
pub use rule::{FwMark, Rule, RuleAction, Selector, Span};
pub use script::{Command, Notify, RunAs, Script, SupplementaryGroups, Verdict};

/// Everything a configuration says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// `global_defs` and the settings of the top level.
    pub global: Global,
    /// `vrrp_script` blocks in file order, also those that cannot run (see [`Command::verdict`]).
    pub scripts: Vec<Script>,
    /// `track_file` and `vrrp_track_file` blocks.
    pub track_files: Vec<TrackFile>,
    /// `vrrp_track_process` blocks.
    pub track_processes: Vec<TrackProcess>,
    /// `bfd_instance` blocks.
    pub bfd_sessions: Vec<BfdSession>,
    /// `vrrp_instance` blocks in file order. Instances that keepalived drops are left out.
    pub instances: Vec<Instance>,
    /// `vrrp_sync_group` blocks.
    pub sync_groups: Vec<SyncGroup>,
    /// `track_group` blocks.
    pub track_groups: Vec<TrackGroup>,
    /// `garp_group` blocks.
    pub garp_groups: Vec<GarpGroup>,
    /// `static_ipaddress` lines.
    pub static_addresses: Vec<InterfaceAddress>,
    /// `static_routes` lines.
    pub static_routes: Vec<Route>,
    /// `static_rules` lines.
    pub static_rules: Vec<Rule>,
    /// `linkbeat_interfaces` lines.
    pub linkbeat_interfaces: Vec<Linkbeat>,
    /// `interface_up_down_delays` lines.
    pub interface_up_down_delays: Vec<InterfaceDelay>,
    /// `virtual_server_group` blocks in file order.
    pub virtual_server_groups: Vec<VirtualServerGroup>,
    /// `virtual_server` blocks in file order. Those that keepalived drops are left out.
    pub virtual_servers: Vec<VirtualServer>,
    /// The `SSL` block.
    pub ssl: Option<Box<Ssl>>,
}

/// Where in the configuration a thing was said, for messages at run time.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// The name of the file as it was opened.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Bytes that must not reach a log, a dump or a panic message: `Debug` shows their number only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes the secret in.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes themselves, for the wire.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} secret bytes>", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "<7 secret bytes>");
    }
}

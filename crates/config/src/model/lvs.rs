//! Load balancing: `virtual_server_group`, `virtual_server`, `real_server`, `sorry_server`.
//!
//! Everything is resolved: what a real server does not say it has from its service, what the
//! method or the kind of service forces (a port, persistence, a quorum that can be reached) is
//! already forced.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

pub use rk_base::Transport as Protocol;

use rk_base::Family;
use serde::{Deserialize, Serialize};

use super::checker::{Checker, Timing};
use super::{Command, Origin};

/// One `virtual_server_group`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualServerGroup {
    /// Its name.
    pub name: Arc<str>,
    /// The lines, in file order; never empty.
    pub entries: Vec<GroupEntry>,
    /// The block.
    pub origin: Origin,
}

/// One line of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupEntry {
    /// What it stands for.
    pub target: GroupTarget,
    /// The line.
    pub origin: Origin,
}

/// What a line of a group stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GroupTarget {
    /// IPv4 addresses in a row; one address has `first == last`.
    V4 {
        /// The first one.
        first: Ipv4Addr,
        /// The last one, not below the first.
        last: Ipv4Addr,
        /// The port; 0 means every port, and makes the service persistent.
        port: u16,
    },
    /// IPv6 addresses in a row.
    V6 {
        /// The first one.
        first: Ipv6Addr,
        /// The last one, not below the first.
        last: Ipv6Addr,
        /// The port; 0 means every port, and makes the service persistent.
        port: u16,
    },
    /// Packets with a firewall mark.
    Fwmark {
        /// The mark.
        mark: u32,
        /// `inet` or `inet6`; `None` leaves it to the real servers.
        family: Option<Family>,
    },
}

impl GroupTarget {
    /// The family, if the line says it.
    #[must_use]
    pub const fn family(self) -> Option<Family> {
        match self {
            Self::V4 { .. } => Some(Family::V4),
            Self::V6 { .. } => Some(Family::V6),
            Self::Fwmark { family, .. } => family,
        }
    }

    /// The port, if it is about addresses.
    #[must_use]
    pub const fn port(self) -> Option<u16> {
        match self {
            Self::V4 { port, .. } | Self::V6 { port, .. } => Some(port),
            Self::Fwmark { .. } => None,
        }
    }

    /// Every address, from the first to the last. There may be very many.
    pub fn addresses(self) -> impl Iterator<Item = IpAddr> {
        let (first, last, v4) = match self {
            Self::V4 { first, last, .. } => (
                u128::from(u32::from(first)),
                u128::from(u32::from(last)),
                true,
            ),
            Self::V6 { first, last, .. } => (u128::from(first), u128::from(last), false),
            // An empty row.
            Self::Fwmark { .. } => (1, 0, true),
        };
        (first..=last).map(move |n| {
            if v4 {
                IpAddr::V4(Ipv4Addr::from(u32::try_from(n).unwrap_or(u32::MAX)))
            } else {
                IpAddr::V6(Ipv6Addr::from(n))
            }
        })
    }
}

/// One `virtual_server`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VirtualServer {
    /// What is balanced.
    pub service: Service,
    /// `lb_algo` or `lvs_sched`; `wlc` if there is none.
    pub scheduler: Scheduler,
    /// `flag-1` and its friends.
    pub flags: SchedulerFlags,
    /// `ops`: every packet is scheduled by itself (UDP and marks only).
    pub ops: bool,
    /// `lb_kind` or `lvs_method`; NAT if there is none.
    pub forwarding: Forwarding,
    /// How long clients keep their server; `None` means that they do not.
    pub persistence: Option<Persistence>,
    /// `persistence_engine`, for example `sip`.
    pub persistence_engine: Option<Arc<str>>,
    /// `quorum`: the least weight alive; at most the weight of all real servers together, which
    /// may be 0.
    pub quorum: u32,
    /// `hysteresis`; below the quorum, or 0.
    pub hysteresis: u32,
    /// `quorum_up`.
    pub quorum_up: Option<Box<Command>>,
    /// `quorum_down`.
    pub quorum_down: Option<Box<Command>>,
    /// `alpha`: real servers are down until a check says otherwise.
    pub alpha: bool,
    /// `omega`: the end of the daemon runs the scripts of failure.
    pub omega: bool,
    /// `ha_suspend`: checks run only while this host has the address.
    pub ha_suspend: bool,
    /// `inhibit_on_failure` of real servers that do not say.
    pub inhibit_on_failure: bool,
    /// `weight` of real servers that give none.
    pub weight: u32,
    /// `smtp_alert`, else `smtp_alert_checker`, else the global `smtp_alert`, else off.
    pub smtp_alert: bool,
    /// `virtualhost`.
    pub virtualhost: Option<Arc<str>>,
    /// `snmp_name`.
    pub snmp_name: Option<Arc<str>>,
    /// Times of checks, as written here; every [`Checker`] has them applied.
    pub timing: Timing,
    /// `sorry_server`.
    pub sorry_server: Option<Box<SorryServer>>,
    /// The `real_server` blocks in file order.
    pub real_servers: Vec<RealServer>,
    /// The block.
    pub origin: Origin,
}

/// Makes one of all blocks about the same service: as the first one says, with the real servers of
/// all. Gives what the others were about, and where they stand. Two services of one group are the
/// same if their transport and family are.
///
/// keepalived: the kernel has one service for them all.
pub fn join_services(all: &mut Vec<VirtualServer>) -> Vec<(Service, Origin)> {
    let key = |one: &VirtualServer| {
        let mut key = one.service.clone();
        if let Service::Group { index, .. } = &mut key {
            *index = 0;
        }
        key
    };
    let mut keys = HashSet::with_capacity(all.len());
    if all.iter().all(|one| keys.insert(key(one))) {
        return Vec::new();
    }
    drop(keys);
    let mut firsts: HashMap<Service, usize> = HashMap::new();
    let mut kept: Vec<VirtualServer> = Vec::with_capacity(all.len());
    let mut joined = Vec::new();
    for service in std::mem::take(all) {
        let key = key(&service);
        let Some(first) = firsts.get(&key).and_then(|&n| kept.get_mut(n)) else {
            firsts.insert(key, kept.len());
            kept.push(service);
            continue;
        };
        let address = |server: &RealServer| (server.addr, server.port);
        let there: HashSet<_> = first.real_servers.iter().map(address).collect();
        let mut more = service.real_servers;
        more.retain(|server| !there.contains(&address(server)));
        first.real_servers.append(&mut more);
        joined.push((service.service, service.origin));
    }
    *all = kept;
    joined
}

impl VirtualServer {
    /// A service of which nothing else is said, without servers.
    #[must_use]
    pub fn new(service: Service, origin: Origin) -> Self {
        Self {
            service,
            scheduler: Scheduler::default(),
            flags: SchedulerFlags::default(),
            ops: false,
            forwarding: Forwarding::default(),
            persistence: None,
            persistence_engine: None,
            quorum: 1,
            hysteresis: 0,
            quorum_up: None,
            quorum_down: None,
            alpha: false,
            omega: false,
            ha_suspend: false,
            inhibit_on_failure: false,
            weight: 1,
            smtp_alert: false,
            virtualhost: None,
            snmp_name: None,
            timing: Timing::default(),
            sorry_server: None,
            real_servers: Vec::new(),
            origin,
        }
    }

    /// The weight of all real servers together.
    #[must_use]
    pub fn total_weight(&self) -> u64 {
        self.real_servers.iter().map(|r| u64::from(r.weight)).sum()
    }
}

/// What a virtual server balances.
///
/// Shown as keepalived names it in its log and FIFO lines: `[192.0.2.1]:tcp:80`, `FWM 9`,
/// `[NAME]:0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Service {
    /// `virtual_server IP [PORT]`.
    Address {
        /// The address.
        addr: IpAddr,
        /// The port; 0 means every port.
        port: u16,
        /// The transport.
        protocol: Protocol,
    },
    /// `virtual_server fwmark N`.
    Fwmark {
        /// The mark.
        mark: u32,
        /// `ip_family`, else that of the servers, else IPv4.
        family: Family,
    },
    /// `virtual_server group NAME`.
    Group {
        /// The [`VirtualServerGroup`], which exists and fits the family of the servers.
        name: Arc<str>,
        /// Which of the virtual servers of this group it is, from 0.
        index: u32,
        /// The transport of its addresses; `None` if the group has marks alone.
        protocol: Option<Protocol>,
        /// The family of marks that name none.
        family: Family,
    },
}

impl Service {
    /// The transport; marks have none.
    #[must_use]
    pub const fn protocol(&self) -> Option<Protocol> {
        match self {
            Self::Address { protocol, .. } => Some(*protocol),
            Self::Group { protocol, .. } => *protocol,
            Self::Fwmark { .. } => None,
        }
    }

    /// The port of an address.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::Address { port, .. } => Some(*port),
            Self::Fwmark { .. } | Self::Group { .. } => None,
        }
    }

    /// The family, unless a group has it.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        match self {
            Self::Address { addr, .. } => Some(Family::of(*addr)),
            Self::Fwmark { family, .. } => Some(*family),
            Self::Group { .. } => None,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address {
                addr,
                port,
                protocol,
            } => write!(f, "[{addr}]:{protocol}:{port}"),
            Self::Fwmark { mark, .. } => write!(f, "FWM {mark}"),
            Self::Group { name, index, .. } => write!(f, "[{name}]:{index}"),
        }
    }
}

/// A scheduler of the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the kernel's")]
pub enum Scheduler {
    Rr,
    Wrr,
    Lc,
    #[default]
    Wlc,
    Lblc,
    Sh,
    Mh,
    Dh,
    Fo,
    Ovf,
    Lblcr,
    Sed,
    Nq,
    Twos,
}

impl Scheduler {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Rr,
        Self::Wrr,
        Self::Lc,
        Self::Wlc,
        Self::Lblc,
        Self::Sh,
        Self::Mh,
        Self::Dh,
        Self::Fo,
        Self::Ovf,
        Self::Lblcr,
        Self::Sed,
        Self::Nq,
        Self::Twos,
    ];

    /// The name the kernel knows it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rr => "rr",
            Self::Wrr => "wrr",
            Self::Lc => "lc",
            Self::Wlc => "wlc",
            Self::Lblc => "lblc",
            Self::Sh => "sh",
            Self::Mh => "mh",
            Self::Dh => "dh",
            Self::Fo => "fo",
            Self::Ovf => "ovf",
            Self::Lblcr => "lblcr",
            Self::Sed => "sed",
            Self::Nq => "nq",
            Self::Twos => "twos",
        }
    }

    /// The scheduler of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Flags of a service beyond persistence and one-packet scheduling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SchedulerFlags {
    /// `hashed` (`IP_VS_SVC_F_HASHED`, 0x02); the kernel sets it by itself.
    pub hashed: bool,
    /// `flag-1`, `sh-fallback`, `mh-fallback` (`IP_VS_SVC_F_SCHED1`, 0x08).
    pub sched1: bool,
    /// `flag-2`, `sh-port`, `mh-port` (`IP_VS_SVC_F_SCHED2`, 0x10).
    pub sched2: bool,
    /// `flag-3` (`IP_VS_SVC_F_SCHED3`, 0x20).
    pub sched3: bool,
}

/// How packets get to a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Forwarding {
    /// Addresses are rewritten.
    #[default]
    Nat,
    /// Packets are sent on as they are, to the server's MAC address.
    Dr,
    /// Packets are put into a tunnel.
    Tun(Tunnel),
}

impl Forwarding {
    /// Whether packets keep their port, so that the server must listen at that of the service.
    #[must_use]
    pub const fn keeps_port(self) -> bool {
        !matches!(self, Self::Nat)
    }
}

impl fmt::Display for Forwarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nat => "NAT",
            Self::Dr => "DR",
            Self::Tun(_) => "TUN",
        })
    }
}

/// The tunnel of [`Forwarding::Tun`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tunnel {
    /// `type`.
    pub kind: TunnelKind,
    /// `port` of a GUE tunnel; 0 for the others.
    pub port: u16,
    /// `nocsum`, `csum` or `remcsum`.
    pub checksum: TunnelChecksum,
}

/// Which tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TunnelKind {
    /// IP in IP.
    #[default]
    Ipip,
    /// Generic UDP encapsulation.
    Gue,
    /// Generic routing encapsulation.
    Gre,
}

/// The checksum of a tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TunnelChecksum {
    /// `nocsum`.
    #[default]
    None,
    /// `csum`.
    Checksum,
    /// `remcsum`: left to the far end.
    Remote,
}

/// How long clients keep their server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Persistence {
    /// `persistence_timeout` in whole seconds; 360 s unless given.
    pub timeout: Duration,
    /// `persistence_granularity`; `None` means that each address is a client.
    pub granularity: Option<Granularity>,
}

impl Persistence {
    /// What a service has that must be persistent and does not say how long.
    pub const DEFAULT: Self = Self {
        timeout: Duration::from_secs(360),
        granularity: None,
    };
}

/// Which addresses count as one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Granularity {
    /// Those that are equal under this mask.
    Mask(Ipv4Addr),
    /// Those whose first so many bits are equal (1..=128).
    Length(u8),
}

/// One `sorry_server`: who answers when the quorum is lost. Its weight is always 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SorryServer {
    /// Its address.
    pub addr: IpAddr,
    /// Its port: as written, else 0; always that of the service with DR and TUN, and 0 for a
    /// mark with them.
    pub port: u16,
    /// `sorry_server_lvs_method`, else that of the service.
    pub forwarding: Forwarding,
    /// `sorry_server_inhibit`: it keeps its place, with weight 0, while it is not needed.
    pub inhibit: bool,
    /// The line.
    pub origin: Origin,
}

/// One `real_server`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RealServer {
    /// Its address.
    pub addr: IpAddr,
    /// The port in the kernel's table. With DR and TUN that of the service, and 0 for a mark.
    /// With NAT as written if that is not 0, else that of the service. Services of groups have it
    /// as written, else 0; their entries decide instead where the method keeps ports.
    pub port: u16,
    /// `weight`, else that of the service; at most 2^31 - 1.
    pub weight: u32,
    /// `lvs_method`, else that of the service.
    pub forwarding: Forwarding,
    /// `uthreshold`: connections with which it gets no new ones; 0 means no limit.
    pub uthreshold: u32,
    /// `lthreshold`: connections with which it gets new ones again; 0 means no limit.
    pub lthreshold: u32,
    /// `inhibit_on_failure`: weight 0 instead of removal.
    pub inhibit_on_failure: bool,
    /// `alpha`: down until a check says otherwise.
    pub alpha: bool,
    /// `smtp_alert`, else `smtp_alert_checker`, else the global `smtp_alert`, else on.
    pub smtp_alert: bool,
    /// `notify_up`.
    pub notify_up: Option<Box<Command>>,
    /// `notify_down`.
    pub notify_down: Option<Box<Command>>,
    /// `virtualhost`, else that of the service.
    pub virtualhost: Option<Arc<str>>,
    /// `snmp_name`.
    pub snmp_name: Option<Arc<str>>,
    /// Times of checks, as written here; every [`Checker`] has them applied.
    pub timing: Option<Box<Timing>>,
    /// The checkers in file order; none means that the server is always up.
    pub checkers: Vec<Checker>,
    /// The block.
    pub origin: Origin,
}

impl RealServer {
    /// A server of which nothing else is said, without checkers.
    #[must_use]
    pub const fn new(addr: IpAddr, port: u16, origin: Origin) -> Self {
        Self {
            addr,
            port,
            weight: 1,
            forwarding: Forwarding::Nat,
            uthreshold: 0,
            lthreshold: 0,
            inhibit_on_failure: false,
            alpha: false,
            smtp_alert: true,
            notify_up: None,
            notify_down: None,
            virtualhost: None,
            snmp_name: None,
            timing: None,
            checkers: Vec::new(),
            origin,
        }
    }
}

#[cfg(test)]
mod tests;

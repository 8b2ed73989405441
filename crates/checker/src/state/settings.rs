//! What the configuration says about virtual and real servers, resolved: every default is in place.

use core::net::IpAddr;
use std::sync::Arc;

use super::check::Check;
use super::name::{DestinationKey, Endpoint, Protocol, ServiceKey, VirtualName};

/// The whole load balancing part of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The virtual servers in the order of the file. Of two with the same name the first counts.
    pub virtual_servers: Vec<VirtualServer>,
    /// `rs_init_notifies`: `notify_up` also runs for servers that are taken to be up at start.
    pub rs_init_notifies: bool,
    /// `no_checker_emails`: mails about a real server only when the server itself changed, not
    /// when one of its checks did.
    pub no_checker_emails: bool,
    /// Extension: checks that are equal in every setting are made once, for all their servers.
    pub share_probes: bool,
}

/// `virtual_server`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualServer {
    /// Which one it is.
    pub name: VirtualName,
    /// `protocol`; `None` for a mark.
    pub protocol: Option<Protocol>,
    /// The services of the kernel's table: one, or one per group entry (ranges expanded, in the
    /// order in which they are to be made: addresses, then marks). Of two virtual servers with
    /// the same entry the first one has it.
    pub entries: Arc<[ServiceKey]>,
    /// What the kernel must know about each of them.
    pub service: Service,
    /// `quorum`: 1 or more.
    pub quorum: u32,
    /// `hysteresis`: less than the quorum.
    pub hysteresis: u32,
    /// `alpha`: being down at start is no news. (The servers have their own.)
    pub alpha: bool,
    /// `omega`: say goodbye at stop.
    pub omega: bool,
    /// `ha_suspend`: checks run only while one of the entries' addresses is on this host.
    pub ha_suspend: bool,
    /// `sorry_server`.
    pub sorry_server: Option<SorryServer>,
    /// `smtp_alert` of the virtual server: mails about its quorum.
    pub smtp_alert: bool,
    /// The real servers in the order of the file. Of two with the same address and port the first
    /// counts.
    pub real_servers: Vec<RealServer>,
}

impl VirtualServer {
    /// A virtual server with keepalived's defaults and without real servers.
    #[must_use]
    pub fn new(name: VirtualName) -> Self {
        let (protocol, entries) = match name {
            VirtualName::Address(Endpoint {
                addr,
                port,
                protocol,
            }) => {
                let protocol = protocol.unwrap_or(Protocol::Udp);
                let entry = ServiceKey::Address {
                    addr,
                    port,
                    protocol,
                };
                (Some(protocol), vec![entry])
            }
            VirtualName::Mark { mark, family } => (None, vec![ServiceKey::Mark { mark, family }]),
            VirtualName::Group { .. } => (None, Vec::new()),
        };
        Self {
            name,
            protocol,
            entries: entries.into(),
            service: Service::default(),
            quorum: 1,
            hysteresis: 0,
            alpha: false,
            omega: false,
            ha_suspend: false,
            sorry_server: None,
            smtp_alert: false,
            real_servers: Vec::new(),
        }
    }
}

/// What the kernel knows about a service besides its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// `lb_algo`.
    pub scheduler: Arc<str>,
    /// `ops`.
    pub one_packet: bool,
    /// `hashed`.
    pub hashed: bool,
    /// `flag-1` (`sh-fallback`, `mh-fallback`), `flag-2` (`sh-port`, `mh-port`), `flag-3`.
    pub flags: [bool; 3],
    /// `persistence_timeout` and what goes with it.
    pub persistence: Option<Persistence>,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            scheduler: "wlc".into(),
            one_packet: false,
            hashed: false,
            flags: [false; 3],
            persistence: None,
        }
    }
}

/// Clients stay with their server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persistence {
    /// For how many seconds.
    pub timeout: u32,
    /// `persistence_granularity`: the IPv4 mask as a number (255.255.255.0 is `0xffff_ff00`), or
    /// the IPv6 prefix length.
    pub granularity: Option<u32>,
    /// `persistence_engine`.
    pub engine: Option<Arc<str>>,
}

/// `lb_kind`, `lvs_method`: how packets reach a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Forward {
    /// Addresses are rewritten; the destination has the real server's port.
    #[default]
    Nat,
    /// Frames are readdressed; the destination has the port of the service.
    DirectRoute,
    /// Packets are wrapped; the destination has the port of the service.
    Tunnel(Tunnel),
}

/// How packets are wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tunnel {
    /// `type`.
    pub encapsulation: Encapsulation,
    /// `nocsum`, `csum`, `remcsum`.
    pub checksum: TunnelChecksum,
}

/// In what packets are wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encapsulation {
    /// IP in IP.
    #[default]
    Ipip,
    /// Generic UDP encapsulation.
    Gue {
        /// The UDP port.
        port: u16,
    },
    /// Generic routing encapsulation.
    Gre,
}

/// The checksum of the wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TunnelChecksum {
    /// None.
    #[default]
    No,
    /// The ordinary one.
    Yes,
    /// Remote checksum offload.
    Remote,
}

/// `real_server`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealServer {
    /// The address.
    pub addr: IpAddr,
    /// The port.
    pub port: u16,
    /// `weight`: up to 2147483647.
    pub weight: u32,
    /// `lvs_method`.
    pub forward: Forward,
    /// `uthreshold`; 0 for none.
    pub uthreshold: u32,
    /// `lthreshold`; 0 for none.
    pub lthreshold: u32,
    /// `inhibit_on_failure`: weight 0 instead of removal.
    pub inhibit_on_failure: bool,
    /// `alpha`: down until a check succeeds.
    pub alpha: bool,
    /// `smtp_alert` of the real server.
    pub smtp_alert: bool,
    /// Its checks; without any it is always up.
    pub checks: Vec<Check>,
}

impl RealServer {
    /// A server with keepalived's defaults and without checks.
    #[must_use]
    pub const fn new(addr: IpAddr, port: u16) -> Self {
        Self {
            addr,
            port,
            weight: 1,
            forward: Forward::Nat,
            uthreshold: 0,
            lthreshold: 0,
            inhibit_on_failure: false,
            alpha: false,
            smtp_alert: false,
            checks: Vec::new(),
        }
    }

    /// Its name in the log, within a virtual server of this protocol.
    #[must_use]
    pub const fn endpoint(&self, protocol: Option<Protocol>) -> Endpoint {
        Endpoint {
            addr: self.addr,
            port: self.port,
            protocol,
        }
    }

    /// Its key within `service`.
    #[must_use]
    pub const fn key(&self, service: ServiceKey) -> DestinationKey {
        destination_key(self.addr, self.port, self.forward, service)
    }
}

/// `sorry_server`: serves while the others are too few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SorryServer {
    /// The address.
    pub addr: IpAddr,
    /// The port.
    pub port: u16,
    /// `sorry_server_lvs_method`.
    pub forward: Forward,
    /// `sorry_server_inhibit`: present with weight 0 while it is not needed.
    pub inhibit: bool,
}

impl SorryServer {
    /// Its name in the log, within a virtual server of this protocol.
    #[must_use]
    pub const fn endpoint(&self, protocol: Option<Protocol>) -> Endpoint {
        Endpoint {
            addr: self.addr,
            port: self.port,
            protocol,
        }
    }

    /// Its key within `service`.
    #[must_use]
    pub const fn key(&self, service: ServiceKey) -> DestinationKey {
        destination_key(self.addr, self.port, self.forward, service)
    }
}

/// Only NAT can change the port: else the kernel wants the one of the service (0 for a mark).
const fn destination_key(
    addr: IpAddr,
    port: u16,
    forward: Forward,
    service: ServiceKey,
) -> DestinationKey {
    let port = match forward {
        Forward::Nat => port,
        Forward::DirectRoute | Forward::Tunnel(_) => service.port(),
    };
    DestinationKey { addr, port }
}

//! What things are called: in log lines, in FIFO lines, and as keys that survive a reload.

use core::fmt;
use core::net::IpAddr;
use std::sync::Arc;

use rk_base::Family;
pub use rk_base::Transport as Protocol;

/// An address, a port and a transport, shown as keepalived does: `[192.0.2.1]:tcp:80`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The address.
    pub addr: IpAddr,
    /// The port; 0 for any.
    pub port: u16,
    /// The transport; `None` (shown as `none`) behind a firewall mark.
    pub protocol: Option<Protocol>,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { addr, port, .. } = self;
        match self.protocol {
            Some(protocol) => write!(f, "[{addr}]:{protocol}:{port}"),
            None => write!(f, "[{addr}]:none:{port}"),
        }
    }
}

/// Which `virtual_server` block: its identity across a reload, and its name in the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VirtualName {
    /// `virtual_server ADDRESS PORT`.
    Address(Endpoint),
    /// `virtual_server fwmark N`.
    Mark {
        /// The mark.
        mark: u32,
        /// The family it balances.
        family: Family,
    },
    /// `virtual_server group NAME`.
    Group {
        /// The group's name.
        name: Arc<str>,
        /// 0 for the first virtual server that uses the group, 1 for the second ...
        index: u32,
    },
}

impl fmt::Display for VirtualName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(endpoint) => endpoint.fmt(f),
            Self::Mark { mark, .. } => write!(f, "FWM {mark}"),
            Self::Group { name, index } => write!(f, "[{name}]:{index}"),
        }
    }
}

/// One service of the kernel's table. A virtual server with a group has one per entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceKey {
    /// By address, port and transport.
    Address {
        /// The address.
        addr: IpAddr,
        /// The port; 0 for any.
        port: u16,
        /// The transport.
        protocol: Protocol,
    },
    /// By firewall mark.
    Mark {
        /// The mark.
        mark: u32,
        /// The family.
        family: Family,
    },
}

impl ServiceKey {
    /// The port; 0 for a mark.
    #[must_use]
    pub const fn port(self) -> u16 {
        match self {
            Self::Address { port, .. } => port,
            Self::Mark { .. } => 0,
        }
    }

    /// The address, if the service has one.
    #[must_use]
    pub const fn addr(self) -> Option<IpAddr> {
        match self {
            Self::Address { addr, .. } => Some(addr),
            Self::Mark { .. } => None,
        }
    }
}

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Address {
                addr,
                port,
                protocol,
            } => Endpoint {
                addr,
                port,
                protocol: Some(protocol),
            }
            .fmt(f),
            Self::Mark { mark, .. } => write!(f, "FWM {mark}"),
        }
    }
}

/// One destination within a service of the kernel's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DestinationKey {
    /// The real server's address.
    pub addr: IpAddr,
    /// The port as the kernel has it (see [`crate::state::Forward`]).
    pub port: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_keepalived_writes_them() {
        let endpoint = |addr: &str, protocol| Endpoint {
            addr: addr.parse().unwrap(),
            port: 80,
            protocol,
        };
        let v4 = endpoint("192.0.2.1", Some(Protocol::Tcp));
        assert_eq!(v4.to_string(), "[192.0.2.1]:tcp:80");
        let v6 = endpoint("2001:db8::1", Some(Protocol::Sctp));
        assert_eq!(
            VirtualName::Address(v6).to_string(),
            "[2001:db8::1]:sctp:80"
        );
        assert_eq!(
            endpoint("192.0.2.1", None).to_string(),
            "[192.0.2.1]:none:80"
        );
        let mark = VirtualName::Mark {
            mark: 9,
            family: Family::V4,
        };
        assert_eq!(mark.to_string(), "FWM 9");
        let group = VirtualName::Group {
            name: "WEB".into(),
            index: 1,
        };
        assert_eq!(group.to_string(), "[WEB]:1");
    }
}

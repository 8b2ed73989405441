//! One change to the table, as one message.

use std::fmt;

use rk_ipvs_sys as sys;

use crate::dest::{Dest, DestKey};
use crate::service::{Service, ServiceKey};
use crate::setting::Timeouts;
use crate::sync::{SyncDaemon, SyncState};
use crate::wire::Payload;

/// A change to the table. `Copy`: a start makes tens of thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Adds a virtual service without real servers.
    NewService(Service),
    /// Changes scheduler, flags, persistence and engine of a service in place.
    SetService(Service),
    /// Removes a service and its real servers.
    DelService(ServiceKey),
    /// Adds a real server.
    NewDest(ServiceKey, Dest),
    /// Changes method, weight and thresholds of a real server in place; connections stay.
    SetDest(ServiceKey, Dest),
    /// Removes a real server. Its connections end or go on as the kernel's sysctls say.
    DelDest(ServiceKey, DestKey),
    /// Starts a sync daemon.
    NewDaemon(SyncDaemon),
    /// Stops a sync daemon.
    DelDaemon {
        /// Which one.
        state: SyncState,
        /// The id it was started with; the kernel does not look at it.
        sync_id: u8,
    },
    /// Sets the timeouts of connections.
    SetTimeouts(Timeouts),
    /// Sets the counters of a service and its real servers to zero; `None` is all services.
    Zero(Option<ServiceKey>),
    /// Removes all services, whoever added them.
    Flush,
}

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A virtual service.
    Service(ServiceKey),
    /// A real server of a virtual service.
    Dest(ServiceKey, DestKey),
    /// A sync daemon.
    Daemon(SyncState),
    /// All of the table.
    Table,
}

impl Command {
    /// What it is about.
    #[must_use]
    pub const fn object(&self) -> Object {
        match self {
            Self::NewService(service) | Self::SetService(service) => Object::Service(service.key),
            Self::DelService(key) | Self::Zero(Some(key)) => Object::Service(*key),
            Self::NewDest(service, dest) | Self::SetDest(service, dest) => {
                Object::Dest(*service, dest.key)
            }
            Self::DelDest(service, dest) => Object::Dest(*service, *dest),
            Self::NewDaemon(daemon) => Object::Daemon(daemon.state),
            Self::DelDaemon { state, .. } => Object::Daemon(*state),
            Self::SetTimeouts(_) | Self::Zero(None) | Self::Flush => Object::Table,
        }
    }

    /// The virtual service it is about, itself or by one of its real servers.
    #[must_use]
    pub const fn service(&self) -> Option<ServiceKey> {
        match self.object() {
            Object::Service(service) | Object::Dest(service, _) => Some(service),
            Object::Daemon(_) | Object::Table => None,
        }
    }

    /// Name and number of the socket option that once did the same. keepalived's log names
    /// commands by them.
    #[must_use]
    pub const fn socket_option(&self) -> (&'static str, u32) {
        match self {
            Self::NewService(_) => ("IP_VS_SO_SET_ADD", sys::IP_VS_SO_SET_ADD),
            Self::SetService(_) => ("IP_VS_SO_SET_EDIT", sys::IP_VS_SO_SET_EDIT),
            Self::DelService(_) => ("IP_VS_SO_SET_DEL", sys::IP_VS_SO_SET_DEL),
            Self::NewDest(..) => ("IP_VS_SO_SET_ADDDEST", sys::IP_VS_SO_SET_ADDDEST),
            Self::SetDest(..) => ("IP_VS_SO_SET_EDITDEST", sys::IP_VS_SO_SET_EDITDEST),
            Self::DelDest(..) => ("IP_VS_SO_SET_DELDEST", sys::IP_VS_SO_SET_DELDEST),
            Self::NewDaemon(_) => ("IP_VS_SO_SET_STARTDAEMON", sys::IP_VS_SO_SET_STARTDAEMON),
            Self::DelDaemon { .. } => ("IP_VS_SO_SET_STOPDAEMON", sys::IP_VS_SO_SET_STOPDAEMON),
            Self::SetTimeouts(_) => ("IP_VS_SO_SET_TIMEOUT", sys::IP_VS_SO_SET_TIMEOUT),
            Self::Zero(_) => ("IP_VS_SO_SET_ZERO", sys::IP_VS_SO_SET_ZERO),
            Self::Flush => ("IP_VS_SO_SET_FLUSH", sys::IP_VS_SO_SET_FLUSH),
        }
    }

    /// The message.
    pub(crate) fn payload(&self) -> Payload {
        const SERVICE: u32 = sys::IPVS_CMD_ATTR_SERVICE;
        const DEST: u32 = sys::IPVS_CMD_ATTR_DEST;
        const DAEMON: u32 = sys::IPVS_CMD_ATTR_DAEMON;
        match self {
            Self::NewService(service) => Payload::new(sys::IPVS_CMD_NEW_SERVICE, |to| {
                to.nest(SERVICE, |to| service.write(to));
            }),
            Self::SetService(service) => Payload::new(sys::IPVS_CMD_SET_SERVICE, |to| {
                to.nest(SERVICE, |to| service.write(to));
            }),
            Self::DelService(key) => Payload::new(sys::IPVS_CMD_DEL_SERVICE, |to| {
                to.nest(SERVICE, |to| key.write(to));
            }),
            Self::NewDest(key, dest) => Payload::new(sys::IPVS_CMD_NEW_DEST, |to| {
                to.nest(SERVICE, |to| key.write(to));
                to.nest(DEST, |to| dest.write(to));
            }),
            Self::SetDest(key, dest) => Payload::new(sys::IPVS_CMD_SET_DEST, |to| {
                to.nest(SERVICE, |to| key.write(to));
                to.nest(DEST, |to| dest.write(to));
            }),
            Self::DelDest(key, dest) => Payload::new(sys::IPVS_CMD_DEL_DEST, |to| {
                to.nest(SERVICE, |to| key.write(to));
                to.nest(DEST, |to| dest.write(to));
            }),
            Self::NewDaemon(daemon) => Payload::new(sys::IPVS_CMD_NEW_DAEMON, |to| {
                to.nest(DAEMON, |to| daemon.write(to));
            }),
            Self::DelDaemon { state, sync_id } => Payload::new(sys::IPVS_CMD_DEL_DAEMON, |to| {
                to.nest(DAEMON, |to| SyncDaemon::write_stop(*state, *sync_id, to));
            }),
            Self::SetTimeouts(timeouts) => {
                Payload::new(sys::IPVS_CMD_SET_CONFIG, |to| timeouts.write(to))
            }
            Self::Zero(Some(key)) => Payload::new(sys::IPVS_CMD_ZERO, |to| {
                to.nest(SERVICE, |to| key.write(to));
            }),
            Self::Zero(None) => Payload::new(sys::IPVS_CMD_ZERO, |_| {}),
            Self::Flush => Payload::new(sys::IPVS_CMD_FLUSH, |_| {}),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(key) => write!(f, "virtual server {key}"),
            Self::Dest(service, dest) => {
                write!(f, "real server {dest} of virtual server {service}")
            }
            Self::Daemon(state) => write!(f, "{state} sync daemon"),
            Self::Table => f.write_str("the IPVS table"),
        }
    }
}

impl fmt::Display for Command {
    /// What it does, after "while": `adding real server 10.0.0.2:80 of virtual server ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = self.object();
        match self {
            Self::NewService(_) | Self::NewDest(..) => write!(f, "adding {object}"),
            Self::SetService(_) | Self::SetDest(..) => write!(f, "changing {object}"),
            Self::DelService(_) | Self::DelDest(..) => write!(f, "removing {object}"),
            Self::NewDaemon(daemon) => {
                write!(f, "starting the {object} on {}", daemon.interface)
            }
            Self::DelDaemon { .. } => write!(f, "stopping the {object}"),
            Self::SetTimeouts(timeouts) => write!(f, "setting the timeouts ({timeouts})"),
            Self::Zero(_) => write!(f, "zeroing the counters of {object}"),
            Self::Flush => write!(f, "flushing {object}"),
        }
    }
}

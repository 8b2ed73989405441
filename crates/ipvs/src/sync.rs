//! The sync daemons: threads of the kernel that tell a second director of the connections.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rk_ipvs_sys as sys;

use crate::name::Name;
use crate::wire::{self, WireError, Writer};

/// Which of the two daemons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SyncState {
    /// It tells others.
    Master,
    /// It listens.
    Backup,
}

impl SyncState {
    const fn number(self) -> u32 {
        match self {
            Self::Master => sys::IP_VS_STATE_MASTER,
            Self::Backup => sys::IP_VS_STATE_BACKUP,
        }
    }
}

impl fmt::Display for SyncState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "master",
            Self::Backup => "backup",
        })
    }
}

/// A sync daemon. What is `None` the kernel decides: group 224.0.0.81, port 8848, TTL 1, a length
/// that fits the MTU of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncDaemon {
    /// Which one.
    pub state: SyncState,
    /// The interface it speaks on. It must exist and be up.
    pub interface: Name,
    /// Daemons of another id are not listened to; 0 listens to all.
    pub sync_id: u8,
    /// The longest message in bytes, without headers.
    pub max_len: Option<u16>,
    /// The multicast group.
    pub group: Option<IpAddr>,
    /// The UDP port.
    pub port: Option<u16>,
    /// The TTL or hop limit of its messages.
    pub ttl: Option<u8>,
}

const PART: &str = "a sync daemon";

impl SyncDaemon {
    /// A daemon for which the kernel decides all but these.
    #[must_use]
    pub const fn new(state: SyncState, interface: Name, sync_id: u8) -> Self {
        Self {
            state,
            interface,
            sync_id,
            max_len: None,
            group: None,
            port: None,
            ttl: None,
        }
    }

    /// Writes all of it.
    pub(crate) fn write(&self, to: &mut Writer) {
        to.u32(sys::IPVS_DAEMON_ATTR_STATE, self.state.number());
        to.name(sys::IPVS_DAEMON_ATTR_MCAST_IFN, &self.interface);
        to.u32(sys::IPVS_DAEMON_ATTR_SYNC_ID, u32::from(self.sync_id));
        if let Some(len) = self.max_len {
            to.u16(sys::IPVS_DAEMON_ATTR_SYNC_MAXLEN, len);
        }
        if let Some(port) = self.port {
            // In the byte order of the machine, unlike all other ports.
            to.u16(sys::IPVS_DAEMON_ATTR_MCAST_PORT, port);
        }
        if let Some(ttl) = self.ttl {
            to.u8(sys::IPVS_DAEMON_ATTR_MCAST_TTL, ttl);
        }
        match self.group {
            Some(IpAddr::V4(group)) => {
                to.put(sys::IPVS_DAEMON_ATTR_MCAST_GROUP, &group.octets());
            }
            Some(IpAddr::V6(group)) => {
                to.put(sys::IPVS_DAEMON_ATTR_MCAST_GROUP6, &group.octets());
            }
            None => {}
        }
    }

    /// Writes what it takes to stop one.
    pub(crate) fn write_stop(state: SyncState, sync_id: u8, to: &mut Writer) {
        to.u32(sys::IPVS_DAEMON_ATTR_STATE, state.number());
        to.u32(sys::IPVS_DAEMON_ATTR_SYNC_ID, u32::from(sync_id));
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let missing = |attribute| WireError::Missing {
            part: PART,
            attribute,
        };
        let (mut state, mut interface, mut sync_id) = (None, None, None);
        let (mut max_len, mut group, mut port, mut ttl) = (None, None, None, None);
        for attribute in wire::attributes(bytes, PART) {
            let it = attribute?;
            match it.kind {
                sys::IPVS_DAEMON_ATTR_STATE => {
                    state = Some(match it.u32("IPVS_DAEMON_ATTR_STATE")? {
                        sys::IP_VS_STATE_MASTER => SyncState::Master,
                        sys::IP_VS_STATE_BACKUP => SyncState::Backup,
                        _ => {
                            return Err(WireError::Value {
                                attribute: "IPVS_DAEMON_ATTR_STATE",
                            });
                        }
                    });
                }
                sys::IPVS_DAEMON_ATTR_MCAST_IFN => {
                    interface = it.name("IPVS_DAEMON_ATTR_MCAST_IFN")?;
                }
                sys::IPVS_DAEMON_ATTR_SYNC_ID => {
                    // The kernel keeps eight bits of it on the wire.
                    sync_id = Some(it.u32("IPVS_DAEMON_ATTR_SYNC_ID")? as u8);
                }
                sys::IPVS_DAEMON_ATTR_SYNC_MAXLEN => {
                    max_len = Some(it.u16("IPVS_DAEMON_ATTR_SYNC_MAXLEN")?);
                }
                sys::IPVS_DAEMON_ATTR_MCAST_GROUP => {
                    let bytes = it.four("IPVS_DAEMON_ATTR_MCAST_GROUP")?;
                    group = Some(Ipv4Addr::from(bytes).into());
                }
                sys::IPVS_DAEMON_ATTR_MCAST_GROUP6 => {
                    let bytes = it.sixteen("IPVS_DAEMON_ATTR_MCAST_GROUP6")?;
                    group = Some(Ipv6Addr::from(bytes).into());
                }
                sys::IPVS_DAEMON_ATTR_MCAST_PORT => {
                    port = Some(it.u16("IPVS_DAEMON_ATTR_MCAST_PORT")?);
                }
                sys::IPVS_DAEMON_ATTR_MCAST_TTL => {
                    ttl = Some(it.u8("IPVS_DAEMON_ATTR_MCAST_TTL")?);
                }
                _ => {}
            }
        }
        Ok(Self {
            state: state.ok_or(missing("IPVS_DAEMON_ATTR_STATE"))?,
            interface: interface.ok_or(missing("IPVS_DAEMON_ATTR_MCAST_IFN"))?,
            sync_id: sync_id.ok_or(missing("IPVS_DAEMON_ATTR_SYNC_ID"))?,
            max_len,
            group,
            port,
            ttl,
        })
    }
}

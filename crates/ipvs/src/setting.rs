//! What holds for all services of a namespace: timeouts, and what the kernel says of itself.

use std::fmt;

use rk_ipvs_sys as sys;

use crate::wire::{self, WireError, Writer};

/// How long a connection is remembered without traffic, in seconds (`ipvsadm --set`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// An established TCP connection.
    pub tcp: u32,
    /// A TCP connection after a FIN.
    pub tcp_fin: u32,
    /// UDP.
    pub udp: u32,
}

impl Timeouts {
    /// These, with what is 0 ("as it is") taken from `original`. The kernel itself would take 0 to
    /// mean "unchanged", but not on the way back.
    #[must_use]
    pub const fn or(self, original: Self) -> Self {
        const fn or(wanted: u32, original: u32) -> u32 {
            if wanted == 0 { original } else { wanted }
        }
        Self {
            tcp: or(self.tcp, original.tcp),
            tcp_fin: or(self.tcp_fin, original.tcp_fin),
            udp: or(self.udp, original.udp),
        }
    }

    pub(crate) fn write(&self, to: &mut Writer) {
        to.u32(sys::IPVS_CMD_ATTR_TIMEOUT_TCP, self.tcp);
        to.u32(sys::IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, self.tcp_fin);
        to.u32(sys::IPVS_CMD_ATTR_TIMEOUT_UDP, self.udp);
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut found = Self::default();
        for attribute in wire::attributes(bytes, "timeouts") {
            let it = attribute?;
            match it.kind {
                // A kernel without TCP or UDP in IPVS does not tell these.
                sys::IPVS_CMD_ATTR_TIMEOUT_TCP => {
                    found.tcp = it.u32("IPVS_CMD_ATTR_TIMEOUT_TCP")?;
                }
                sys::IPVS_CMD_ATTR_TIMEOUT_TCP_FIN => {
                    found.tcp_fin = it.u32("IPVS_CMD_ATTR_TIMEOUT_TCP_FIN")?;
                }
                sys::IPVS_CMD_ATTR_TIMEOUT_UDP => {
                    found.udp = it.u32("IPVS_CMD_ATTR_TIMEOUT_UDP")?;
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

impl fmt::Display for Timeouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tcp, tcp_fin, udp } = self;
        write!(f, "tcp {tcp} s, tcp after FIN {tcp_fin} s, udp {udp} s")
    }
}

/// What the kernel says of its IPVS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// Its version: 1.2.1 since 2006.
    pub version: (u8, u8, u8),
    /// The size of the table of connections.
    pub connection_table_size: u32,
}

impl Info {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let (mut version, mut size) = (None, 0);
        for attribute in wire::attributes(bytes, "info") {
            let it = attribute?;
            match it.kind {
                sys::IPVS_INFO_ATTR_VERSION => version = Some(it.u32("IPVS_INFO_ATTR_VERSION")?),
                sys::IPVS_INFO_ATTR_CONN_TAB_SIZE => {
                    size = it.u32("IPVS_INFO_ATTR_CONN_TAB_SIZE")?;
                }
                _ => {}
            }
        }
        let version = version.ok_or(WireError::Missing {
            part: "info",
            attribute: "IPVS_INFO_ATTR_VERSION",
        })?;
        let [_, major, minor, patch] = version.to_be_bytes();
        Ok(Self {
            version: (major, minor, patch),
            connection_table_size: size,
        })
    }
}

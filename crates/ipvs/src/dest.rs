//! A real server of a virtual service ("destination"), and how packets reach it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use rk_base::Family;
use rk_ipvs_sys as sys;

use crate::stats::Stats;
use crate::wire::{self, WireError, Writer};

/// What tells the real servers of one service apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DestKey {
    /// Its address; with tunnels it may be of another family than the service.
    pub address: IpAddr,
    /// Its port; that of the service unless packets are translated.
    pub port: u16,
}

impl fmt::Display for DestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.address, self.port).fmt(f)
    }
}

/// What checksum goes into the outer header of a tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TunnelFlags(u16);

impl TunnelFlags {
    /// None (`nocsum`).
    pub const NO_CHECKSUM: Self = Self(sys::IP_VS_TUNNEL_ENCAP_FLAG_NOCSUM as u16);
    /// A checksum (`csum`).
    pub const CHECKSUM: Self = Self(sys::IP_VS_TUNNEL_ENCAP_FLAG_CSUM as u16);
    /// Remote checksum offload (`remcsum`), of gue only.
    pub const REMOTE_CHECKSUM: Self = Self(sys::IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM as u16);

    /// As they stand in the attribute.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }
}

/// How the outer packet of a tunnel looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tunnel {
    /// IP in IP.
    Ipip,
    /// Generic UDP encapsulation.
    Gue {
        /// Where the real server listens; not 0.
        port: u16,
        /// The checksum.
        flags: TunnelFlags,
    },
    /// GRE.
    Gre {
        /// The checksum.
        flags: TunnelFlags,
    },
}

/// How packets reach a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Forward {
    /// Addresses and ports are translated (`NAT`).
    Nat,
    /// The packet goes unchanged to the link address of the real server (`DR`).
    Direct,
    /// The packet goes inside of another (`TUN`).
    Tunnel(Tunnel),
    /// Another method, which somebody else set: local delivery (1) or bypass (4).
    Other(u32),
}

/// A real server with all that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dest {
    /// What identifies it within its service.
    pub key: DestKey,
    /// How packets reach it.
    pub forward: Forward,
    /// Its share; 0 takes no new connections. The kernel refuses more than `i32::MAX`.
    pub weight: u32,
    /// Above this many connections it gets no new ones; 0 is no limit.
    pub upper_threshold: u32,
    /// Below this many it gets new ones again; 0 is three quarters of the upper.
    pub lower_threshold: u32,
}

const PART: &str = "a real server";

impl DestKey {
    /// Writes what the kernel finds a real server by.
    pub(crate) fn write(&self, to: &mut Writer) {
        let family = wire::family_number(Family::of(self.address));
        to.u16(sys::IPVS_DEST_ATTR_ADDR_FAMILY, family);
        to.put(sys::IPVS_DEST_ATTR_ADDR, &wire::address_bytes(self.address));
        to.port(sys::IPVS_DEST_ATTR_PORT, self.port);
    }
}

impl Dest {
    /// A real server without thresholds.
    #[must_use]
    pub const fn new(key: DestKey, forward: Forward, weight: u32) -> Self {
        Self {
            key,
            forward,
            weight,
            upper_threshold: 0,
            lower_threshold: 0,
        }
    }

    /// Writes all of it.
    pub(crate) fn write(&self, to: &mut Writer) {
        self.key.write(to);
        let method = match self.forward {
            Forward::Nat => sys::IP_VS_CONN_F_MASQ,
            Forward::Direct => sys::IP_VS_CONN_F_DROUTE,
            Forward::Tunnel(_) => sys::IP_VS_CONN_F_TUNNEL,
            Forward::Other(number) => number,
        };
        to.u32(sys::IPVS_DEST_ATTR_FWD_METHOD, method);
        to.u32(sys::IPVS_DEST_ATTR_WEIGHT, self.weight);
        if let Forward::Tunnel(tunnel) = self.forward {
            let (kind, port, flags) = match tunnel {
                Tunnel::Ipip => (sys::IP_VS_CONN_F_TUNNEL_TYPE_IPIP, 0, TunnelFlags(0)),
                Tunnel::Gue { port, flags } => (sys::IP_VS_CONN_F_TUNNEL_TYPE_GUE, port, flags),
                Tunnel::Gre { flags } => (sys::IP_VS_CONN_F_TUNNEL_TYPE_GRE, 0, flags),
            };
            to.u8(sys::IPVS_DEST_ATTR_TUN_TYPE, kind as u8);
            to.port(sys::IPVS_DEST_ATTR_TUN_PORT, port);
            to.u16(sys::IPVS_DEST_ATTR_TUN_FLAGS, flags.0);
        }
        to.u32(sys::IPVS_DEST_ATTR_U_THRESH, self.upper_threshold);
        to.u32(sys::IPVS_DEST_ATTR_L_THRESH, self.lower_threshold);
    }
}

/// A real server as the kernel tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestEntry {
    /// What was set.
    pub dest: Dest,
    /// Connections that are established.
    pub active: u32,
    /// Connections in any other state.
    pub inactive: u32,
    /// Clients that will come back.
    pub persistent: u32,
    /// What it has done.
    pub stats: Stats,
}

impl DestEntry {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let missing = |attribute| WireError::Missing {
            part: PART,
            attribute,
        };
        let (mut family, mut address, mut port) = (None, None, None);
        let (mut method, mut kind, mut tunnel_port, mut flags) = (0, 0, 0, 0);
        let mut weight = 0;
        let (mut upper_threshold, mut lower_threshold) = (0, 0);
        let (mut active, mut inactive, mut persistent) = (0, 0, 0);
        let mut stats = Stats::default();
        let mut wide = false;
        for attribute in wire::attributes(bytes, PART) {
            let it = attribute?;
            match it.kind {
                sys::IPVS_DEST_ATTR_ADDR_FAMILY => {
                    family = Some(it.family("IPVS_DEST_ATTR_ADDR_FAMILY")?);
                }
                sys::IPVS_DEST_ATTR_ADDR => address = Some(it.sixteen("IPVS_DEST_ATTR_ADDR")?),
                sys::IPVS_DEST_ATTR_PORT => port = Some(it.port("IPVS_DEST_ATTR_PORT")?),
                sys::IPVS_DEST_ATTR_FWD_METHOD => {
                    method = it.u32("IPVS_DEST_ATTR_FWD_METHOD")? & sys::IP_VS_CONN_F_FWD_MASK;
                }
                sys::IPVS_DEST_ATTR_WEIGHT => weight = it.u32("IPVS_DEST_ATTR_WEIGHT")?,
                sys::IPVS_DEST_ATTR_TUN_TYPE => {
                    kind = u32::from(it.u8("IPVS_DEST_ATTR_TUN_TYPE")?);
                }
                sys::IPVS_DEST_ATTR_TUN_PORT => tunnel_port = it.port("IPVS_DEST_ATTR_TUN_PORT")?,
                sys::IPVS_DEST_ATTR_TUN_FLAGS => flags = it.u16("IPVS_DEST_ATTR_TUN_FLAGS")?,
                sys::IPVS_DEST_ATTR_U_THRESH => {
                    upper_threshold = it.u32("IPVS_DEST_ATTR_U_THRESH")?;
                }
                sys::IPVS_DEST_ATTR_L_THRESH => {
                    lower_threshold = it.u32("IPVS_DEST_ATTR_L_THRESH")?;
                }
                sys::IPVS_DEST_ATTR_ACTIVE_CONNS => {
                    active = it.u32("IPVS_DEST_ATTR_ACTIVE_CONNS")?;
                }
                sys::IPVS_DEST_ATTR_INACT_CONNS => {
                    inactive = it.u32("IPVS_DEST_ATTR_INACT_CONNS")?;
                }
                sys::IPVS_DEST_ATTR_PERSIST_CONNS => {
                    persistent = it.u32("IPVS_DEST_ATTR_PERSIST_CONNS")?;
                }
                sys::IPVS_DEST_ATTR_STATS64 => {
                    stats = Stats::parse(it.value)?;
                    wide = true;
                }
                // Kernels before 4.1 have 32 bits only.
                sys::IPVS_DEST_ATTR_STATS if !wide => stats = Stats::parse(it.value)?,
                _ => {}
            }
        }
        let family = family.ok_or(missing("IPVS_DEST_ATTR_ADDR_FAMILY"))?;
        let address = address.ok_or(missing("IPVS_DEST_ATTR_ADDR"))?;
        let flags = TunnelFlags(flags);
        let forward = match (method, kind) {
            (sys::IP_VS_CONN_F_MASQ, _) => Forward::Nat,
            (sys::IP_VS_CONN_F_DROUTE, _) => Forward::Direct,
            (sys::IP_VS_CONN_F_TUNNEL, sys::IP_VS_CONN_F_TUNNEL_TYPE_IPIP) => {
                Forward::Tunnel(Tunnel::Ipip)
            }
            (sys::IP_VS_CONN_F_TUNNEL, sys::IP_VS_CONN_F_TUNNEL_TYPE_GUE) => {
                Forward::Tunnel(Tunnel::Gue {
                    port: tunnel_port,
                    flags,
                })
            }
            (sys::IP_VS_CONN_F_TUNNEL, sys::IP_VS_CONN_F_TUNNEL_TYPE_GRE) => {
                Forward::Tunnel(Tunnel::Gre { flags })
            }
            // A method or a tunnel of a newer kernel.
            (method, _) => Forward::Other(method),
        };
        Ok(Self {
            dest: Dest {
                key: DestKey {
                    address: wire::address_of(family, address),
                    port: port.ok_or(missing("IPVS_DEST_ATTR_PORT"))?,
                },
                forward,
                weight,
                upper_threshold,
                lower_threshold,
            },
            active,
            inactive,
            persistent,
            stats,
        })
    }
}

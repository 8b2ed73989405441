//! A virtual service: what identifies it, and how it schedules.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;

use rk_base::Family;
pub use rk_base::Transport as Protocol;
use rk_ipvs_sys as sys;

use crate::name::Name;
use crate::stats::Stats;
use crate::wire::{self, WireError, Writer};

/// What tells one virtual service from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceKey {
    /// Packets of a protocol to an address and port.
    Address {
        /// The protocol.
        protocol: Protocol,
        /// The virtual address.
        address: IpAddr,
        /// The port; 0 is every port (of a persistent service).
        port: u16,
    },
    /// Packets with a firewall mark.
    Mark {
        /// The mark.
        mark: NonZeroU32,
        /// The family of the packets: the same mark may be two services.
        family: Family,
    },
}

impl ServiceKey {
    /// The family of the packets to it.
    #[must_use]
    pub const fn family(&self) -> Family {
        match self {
            Self::Address { address, .. } => Family::of(*address),
            Self::Mark { family, .. } => *family,
        }
    }

    /// Writes what the kernel finds a service by.
    pub(crate) fn write(&self, to: &mut Writer) {
        to.u16(sys::IPVS_SVC_ATTR_AF, wire::family_number(self.family()));
        match *self {
            Self::Mark { mark, .. } => to.u32(sys::IPVS_SVC_ATTR_FWMARK, mark.get()),
            Self::Address {
                protocol,
                address,
                port,
            } => {
                let protocol = u16::from(protocol.number());
                to.u16(sys::IPVS_SVC_ATTR_PROTOCOL, protocol);
                to.put(sys::IPVS_SVC_ATTR_ADDR, &wire::address_bytes(address));
                to.port(sys::IPVS_SVC_ATTR_PORT, port);
            }
        }
    }
}

impl fmt::Display for ServiceKey {
    /// As keepalived's log has it: `10.0.0.1:tcp:80`, `[2001:db8::1]:udp:53`, `FWM 7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address {
                protocol,
                address: IpAddr::V4(address),
                port,
            } => write!(f, "{address}:{protocol}:{port}"),
            Self::Address {
                protocol,
                address: IpAddr::V6(address),
                port,
            } => write!(f, "[{address}]:{protocol}:{port}"),
            Self::Mark {
                mark,
                family: Family::V4,
            } => write!(f, "FWM {mark}"),
            Self::Mark {
                mark,
                family: Family::V6,
            } => write!(f, "FWM {mark} (IPv6)"),
        }
    }
}

/// The three flags whose meaning the scheduler gives (`sh-port`, `mh-fallback` and so on).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SchedulerFlags(u32);

impl SchedulerFlags {
    /// `flag-1`; `sh-fallback` of scheduler sh, `mh-fallback` of mh.
    pub const ONE: Self = Self(sys::IP_VS_SVC_F_SCHED1);
    /// `flag-2`; `sh-port` of sh, `mh-port` of mh.
    pub const TWO: Self = Self(sys::IP_VS_SVC_F_SCHED2);
    /// `flag-3`.
    pub const THREE: Self = Self(sys::IP_VS_SVC_F_SCHED3);

    /// The flags of both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all flags of `other` are set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Which clients count as one for persistence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// Each address by itself.
    #[default]
    Address,
    /// Addresses that agree in these bits (services of IPv4).
    Mask(Ipv4Addr),
    /// Addresses that agree in this many first bits (services of IPv6).
    Prefix(u8),
}

impl Granularity {
    /// As the kernel has it for a service of this family. A value of the other family counts as
    /// none: the kernel has no way to say it.
    fn number(self, family: Family) -> u32 {
        match (family, self) {
            (Family::V4, Self::Mask(mask)) => u32::from_ne_bytes(mask.octets()),
            (Family::V4, _) => u32::MAX,
            (Family::V6, Self::Prefix(bits)) => u32::from(bits),
            (Family::V6, _) => u32::from(Family::V6.bits()),
        }
    }

    fn of(family: Family, number: u32) -> Self {
        match family {
            Family::V4 if number == u32::MAX => Self::Address,
            Family::V4 => Self::Mask(Ipv4Addr::from(number.to_ne_bytes())),
            Family::V6 if number >= u32::from(Family::V6.bits()) => Self::Address,
            Family::V6 => Self::Prefix(number as u8),
        }
    }
}

/// Clients come back to the same real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Persistence {
    /// For how many seconds after the last connection ended.
    pub timeout: u32,
    /// Which clients count as one.
    pub granularity: Granularity,
}

/// A virtual service with all that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Service {
    /// What identifies it.
    pub key: ServiceKey,
    /// `rr`, `wlc` ...: module `ip_vs_NAME` of the kernel.
    pub scheduler: Name,
    /// Flags for the scheduler.
    pub flags: SchedulerFlags,
    /// Each datagram is scheduled by itself (`ops`, UDP).
    pub one_packet: bool,
    /// Whether clients come back to the same real server.
    pub persistence: Option<Persistence>,
    /// The persistence engine (`sip`): module `ip_vs_pe_NAME`.
    pub engine: Option<Name>,
}

const PART: &str = "a service";

impl Service {
    /// A service without persistence and flags.
    #[must_use]
    pub const fn new(key: ServiceKey, scheduler: Name) -> Self {
        Self {
            key,
            scheduler,
            flags: SchedulerFlags(0),
            one_packet: false,
            persistence: None,
            engine: None,
        }
    }

    /// The same service as the kernel will tell it, so that what was asked for can be compared with
    /// what is there: a granularity that says nothing is none.
    #[must_use]
    pub fn normal(mut self) -> Self {
        let family = self.key.family();
        if let Some(persistence) = &mut self.persistence {
            let number = persistence.granularity.number(family);
            persistence.granularity = Granularity::of(family, number);
        }
        self
    }

    /// Writes all of it.
    pub(crate) fn write(&self, to: &mut Writer) {
        self.key.write(to);
        to.name(sys::IPVS_SVC_ATTR_SCHED_NAME, &self.scheduler);
        if let Some(engine) = &self.engine {
            to.name(sys::IPVS_SVC_ATTR_PE_NAME, engine);
        }
        let mut flags = self.flags.0;
        if self.persistence.is_some() {
            flags |= sys::IP_VS_SVC_F_PERSISTENT;
        }
        if self.one_packet {
            flags |= sys::IP_VS_SVC_F_ONEPACKET;
        }
        let [a, b, c, d] = flags.to_ne_bytes();
        // Then the mask: every flag is meant.
        let flags = [a, b, c, d, 0xff, 0xff, 0xff, 0xff];
        to.put(sys::IPVS_SVC_ATTR_FLAGS, &flags);
        let (timeout, granularity) = match self.persistence {
            Some(p) => (p.timeout, p.granularity),
            None => (0, Granularity::Address),
        };
        to.u32(sys::IPVS_SVC_ATTR_TIMEOUT, timeout);
        let netmask = granularity.number(self.key.family());
        to.u32(sys::IPVS_SVC_ATTR_NETMASK, netmask);
    }
}

/// A virtual service as the kernel tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEntry {
    /// What was set.
    pub service: Service,
    /// What it has done.
    pub stats: Stats,
}

impl ServiceEntry {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let missing = |attribute| WireError::Missing {
            part: PART,
            attribute,
        };
        let (mut family, mut protocol, mut address, mut port, mut mark) =
            (None, None, None, None, None);
        let (mut scheduler, mut engine, mut flags) = (None, None, 0);
        let (mut timeout, mut netmask) = (0, u32::MAX);
        let mut stats = Stats::default();
        let mut wide = false;
        for attribute in wire::attributes(bytes, PART) {
            let it = attribute?;
            match it.kind {
                sys::IPVS_SVC_ATTR_AF => family = Some(it.family("IPVS_SVC_ATTR_AF")?),
                sys::IPVS_SVC_ATTR_PROTOCOL => {
                    protocol = Some(it.u16("IPVS_SVC_ATTR_PROTOCOL")?);
                }
                sys::IPVS_SVC_ATTR_ADDR => address = Some(it.sixteen("IPVS_SVC_ATTR_ADDR")?),
                sys::IPVS_SVC_ATTR_PORT => port = Some(it.port("IPVS_SVC_ATTR_PORT")?),
                sys::IPVS_SVC_ATTR_FWMARK => mark = Some(it.u32("IPVS_SVC_ATTR_FWMARK")?),
                sys::IPVS_SVC_ATTR_SCHED_NAME => {
                    scheduler = it.name("IPVS_SVC_ATTR_SCHED_NAME")?;
                }
                sys::IPVS_SVC_ATTR_PE_NAME => engine = it.name("IPVS_SVC_ATTR_PE_NAME")?,
                sys::IPVS_SVC_ATTR_FLAGS => {
                    // The flags, and the mask of those that are valid: all.
                    let both = it.u64("IPVS_SVC_ATTR_FLAGS")?.to_ne_bytes();
                    let [a, b, c, d, ..] = both;
                    flags = u32::from_ne_bytes([a, b, c, d]);
                }
                sys::IPVS_SVC_ATTR_TIMEOUT => timeout = it.u32("IPVS_SVC_ATTR_TIMEOUT")?,
                sys::IPVS_SVC_ATTR_NETMASK => netmask = it.u32("IPVS_SVC_ATTR_NETMASK")?,
                sys::IPVS_SVC_ATTR_STATS64 => {
                    stats = Stats::parse(it.value)?;
                    wide = true;
                }
                // Kernels before 4.1 have 32 bits only.
                sys::IPVS_SVC_ATTR_STATS if !wide => stats = Stats::parse(it.value)?,
                _ => {}
            }
        }
        let family = family.ok_or(missing("IPVS_SVC_ATTR_AF"))?;
        let key = match mark.and_then(NonZeroU32::new) {
            Some(mark) => ServiceKey::Mark { mark, family },
            None => ServiceKey::Address {
                protocol: u8::try_from(protocol.ok_or(missing("IPVS_SVC_ATTR_PROTOCOL"))?)
                    .ok()
                    .and_then(Protocol::numbered)
                    .ok_or(WireError::Value {
                        attribute: "IPVS_SVC_ATTR_PROTOCOL",
                    })?,
                address: wire::address_of(family, address.ok_or(missing("IPVS_SVC_ATTR_ADDR"))?),
                port: port.ok_or(missing("IPVS_SVC_ATTR_PORT"))?,
            },
        };
        let all = SchedulerFlags::ONE
            .with(SchedulerFlags::TWO)
            .with(SchedulerFlags::THREE);
        let persistent = flags & sys::IP_VS_SVC_F_PERSISTENT != 0;
        Ok(Self {
            service: Service {
                key,
                scheduler: scheduler.ok_or(missing("IPVS_SVC_ATTR_SCHED_NAME"))?,
                flags: SchedulerFlags(flags & all.0),
                one_packet: flags & sys::IP_VS_SVC_F_ONEPACKET != 0,
                persistence: persistent.then(|| Persistence {
                    timeout,
                    granularity: Granularity::of(family, netmask),
                }),
                engine,
            },
            stats,
        })
    }
}

//! From what the core wants to what the kernel's table takes.

use std::num::NonZeroU32;

use rk_base::Family;
use rk_checker::state::{self, Output};
use rk_ipvs as ipvs;

use super::translate::family;

/// One thing that the table should hold from now on, or should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// A service; its real servers follow.
    Service(ipvs::ServiceKey, Option<ipvs::Service>),
    /// A real server of a service.
    Dest(ipvs::ServiceKey, ipvs::DestKey, Option<ipvs::Dest>),
}

impl Want {
    /// What an output of the core asks for, if it is about the table.
    ///
    /// # Errors
    /// The name of a scheduler or engine that the kernel cannot be told.
    pub(super) fn of(output: &Output) -> Result<Option<Self>, ipvs::NameError> {
        Ok(match output {
            Output::Service { service, want } => {
                let Some(key) = key(*service) else {
                    return Ok(None);
                };
                let want = want.as_ref().map(|want| self::service(key, want));
                Some(Self::Service(key, want.transpose()?))
            }
            Output::Destination {
                service,
                destination,
                want,
            } => key(*service).map(|key| {
                let to = ipvs::DestKey {
                    address: destination.addr,
                    port: destination.port,
                };
                Self::Dest(key, to, want.map(|want| dest(to, want)))
            }),
            _ => None,
        })
    }
}

/// `None` for mark 0, which is no mark.
pub(super) fn key(key: state::ServiceKey) -> Option<ipvs::ServiceKey> {
    Some(match key {
        state::ServiceKey::Address {
            addr,
            port,
            protocol,
        } => ipvs::ServiceKey::Address {
            protocol,
            address: addr,
            port,
        },
        state::ServiceKey::Mark { mark, .. } => ipvs::ServiceKey::Mark {
            mark: NonZeroU32::new(mark)?,
            family: family(key),
        },
    })
}

fn service(key: ipvs::ServiceKey, want: &state::Service) -> Result<ipvs::Service, ipvs::NameError> {
    let mut service = ipvs::Service::new(key, ipvs::Name::new(&*want.scheduler)?);
    let flags = [
        ipvs::SchedulerFlags::ONE,
        ipvs::SchedulerFlags::TWO,
        ipvs::SchedulerFlags::THREE,
    ];
    for (flag, _) in flags.into_iter().zip(want.flags).filter(|(_, set)| *set) {
        service.flags = service.flags.with(flag);
    }
    service.one_packet = want.one_packet;
    if let Some(persistence) = &want.persistence {
        let granularity = match (key.family(), persistence.granularity) {
            (_, None) => ipvs::Granularity::Address,
            (Family::V4, Some(mask)) => ipvs::Granularity::Mask(mask.into()),
            (Family::V6, Some(bits)) => {
                ipvs::Granularity::Prefix(u8::try_from(bits).unwrap_or(u8::MAX))
            }
        };
        service.persistence = Some(ipvs::Persistence {
            timeout: persistence.timeout,
            granularity,
        });
        if let Some(engine) = &persistence.engine {
            service.engine = Some(ipvs::Name::new(&**engine)?);
        }
    }
    Ok(service)
}

fn dest(key: ipvs::DestKey, want: state::Destination) -> ipvs::Dest {
    let mut dest = ipvs::Dest::new(key, forward(want.forward), want.weight);
    dest.upper_threshold = want.uthreshold;
    dest.lower_threshold = want.lthreshold;
    dest
}

fn forward(forward: state::Forward) -> ipvs::Forward {
    let tunnel = match forward {
        state::Forward::Nat => return ipvs::Forward::Nat,
        state::Forward::DirectRoute => return ipvs::Forward::Direct,
        state::Forward::Tunnel(tunnel) => tunnel,
    };
    let flags = match tunnel.checksum {
        state::TunnelChecksum::No => ipvs::TunnelFlags::NO_CHECKSUM,
        state::TunnelChecksum::Yes => ipvs::TunnelFlags::CHECKSUM,
        state::TunnelChecksum::Remote => ipvs::TunnelFlags::REMOTE_CHECKSUM,
    };
    ipvs::Forward::Tunnel(match tunnel.encapsulation {
        state::Encapsulation::Ipip => ipvs::Tunnel::Ipip,
        state::Encapsulation::Gue { port } => ipvs::Tunnel::Gue { port, flags },
        state::Encapsulation::Gre => ipvs::Tunnel::Gre { flags },
    })
}

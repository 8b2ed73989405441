//! Any service, real server, sync daemon and table, for property tests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::{
    Dest, DestKey, Entry, Family, Forward, Granularity, Name, Persistence, Protocol,
    SchedulerFlags, Service, ServiceKey, State, SyncDaemon, SyncState, Timeouts, Tunnel,
    TunnelFlags,
};

pub(crate) fn name() -> impl Strategy<Value = Name> {
    "[a-z][a-z0-9_.]{0,14}".prop_map(|name| Name::new(name).unwrap())
}

pub(crate) fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| Ipv4Addr::from(octets).into()),
        any::<[u8; 16]>().prop_map(|octets| Ipv6Addr::from(octets).into()),
    ]
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![
        Just(Protocol::Tcp),
        Just(Protocol::Udp),
        Just(Protocol::Sctp)
    ]
}

fn family() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::V4), Just(Family::V6)]
}

pub(crate) fn service_key() -> impl Strategy<Value = ServiceKey> {
    let by_address = (protocol(), address(), any::<u16>());
    let by_mark = (any::<NonZeroU32>(), family());
    prop_oneof![
        by_address.prop_map(|(protocol, address, port)| ServiceKey::Address {
            protocol,
            address,
            port
        }),
        by_mark.prop_map(|(mark, family)| ServiceKey::Mark { mark, family }),
    ]
}

fn flags() -> impl Strategy<Value = SchedulerFlags> {
    let all = [
        SchedulerFlags::ONE,
        SchedulerFlags::TWO,
        SchedulerFlags::THREE,
    ];
    (0..8usize).prop_map(move |set| {
        let chosen = all.iter().enumerate().filter(|(n, _)| set >> n & 1 != 0);
        chosen.fold(SchedulerFlags::default(), |sum, (_, flag)| sum.with(*flag))
    })
}

fn granularity() -> impl Strategy<Value = Granularity> {
    prop_oneof![
        Just(Granularity::Address),
        any::<[u8; 4]>().prop_map(|mask| Granularity::Mask(mask.into())),
        any::<u8>().prop_map(Granularity::Prefix),
    ]
}

/// Any service of this key.
pub(crate) fn service_of(key: ServiceKey) -> impl Strategy<Value = Service> {
    let persistence =
        (any::<u32>(), granularity()).prop_map(|(timeout, granularity)| Persistence {
            timeout,
            granularity,
        });
    (
        name(),
        flags(),
        any::<bool>(),
        option::of(persistence),
        option::of(name()),
    )
        .prop_map(
            move |(scheduler, flags, one_packet, persistence, engine)| Service {
                key,
                scheduler,
                flags,
                one_packet,
                persistence,
                engine,
            },
        )
}

pub(crate) fn service() -> impl Strategy<Value = Service> {
    service_key().prop_flat_map(service_of)
}

fn forward() -> impl Strategy<Value = Forward> {
    let flags = || {
        prop_oneof![
            Just(TunnelFlags::NO_CHECKSUM),
            Just(TunnelFlags::CHECKSUM),
            Just(TunnelFlags::REMOTE_CHECKSUM)
        ]
    };
    prop_oneof![
        Just(Forward::Nat),
        Just(Forward::Direct),
        Just(Forward::Tunnel(Tunnel::Ipip)),
        (any::<u16>(), flags())
            .prop_map(|(port, flags)| Forward::Tunnel(Tunnel::Gue { port, flags })),
        flags().prop_map(|flags| Forward::Tunnel(Tunnel::Gre { flags })),
        Just(Forward::Other(1)),
        Just(Forward::Other(4)),
    ]
}

/// Any real server of this key that the kernel takes.
pub(crate) fn dest_of(key: DestKey) -> impl Strategy<Value = Dest> {
    (forward(), 0..=i32::MAX as u32, any::<(u32, u32)>()).prop_map(
        move |(forward, weight, (a, b))| Dest {
            key,
            forward,
            weight,
            upper_threshold: a.max(b),
            lower_threshold: a.min(b),
        },
    )
}

pub(crate) fn dest() -> impl Strategy<Value = Dest> {
    (address(), any::<u16>())
        .prop_map(|(address, port)| DestKey { address, port })
        .prop_flat_map(dest_of)
}

pub(crate) fn daemon() -> impl Strategy<Value = SyncDaemon> {
    (
        any::<bool>(),
        name(),
        any::<u8>(),
        option::of(any::<u16>()),
        option::of(address()),
        option::of(any::<u16>()),
        option::of(any::<u8>()),
    )
        .prop_map(
            |(master, interface, sync_id, max_len, group, port, ttl)| SyncDaemon {
                state: if master {
                    SyncState::Master
                } else {
                    SyncState::Backup
                },
                interface,
                sync_id,
                max_len,
                group,
                port,
                ttl,
            },
        )
}

pub(crate) fn timeouts() -> impl Strategy<Value = Timeouts> {
    any::<(u32, u32, u32)>().prop_map(|(tcp, tcp_fin, udp)| Timeouts { tcp, tcp_fin, udp })
}

/// Of few enough keys that two tables have some in common.
pub(crate) fn small_key(n: u8) -> ServiceKey {
    match n {
        0..6 => ServiceKey::Address {
            protocol: if n.is_multiple_of(2) {
                Protocol::Tcp
            } else {
                Protocol::Udp
            },
            address: Ipv4Addr::new(10, 0, 0, n).into(),
            port: 80,
        },
        _ => ServiceKey::Mark {
            mark: NonZeroU32::new(u32::from(n)).unwrap(),
            family: Family::V6,
        },
    }
}

fn small_dest() -> impl Strategy<Value = Dest> {
    (0..5u8, 0..2u16).prop_flat_map(|(n, port)| {
        dest_of(DestKey {
            address: Ipv4Addr::new(10, 1, 0, n).into(),
            port,
        })
    })
}

/// A table with some of eight services, each with some of ten real servers.
pub(crate) fn state() -> impl Strategy<Value = State> {
    let entry = (0..8u8)
        .prop_flat_map(|n| (service_of(small_key(n)), vec(small_dest(), 0..6)))
        .prop_map(|(service, dests)| {
            let mut entry = Entry::new(service);
            for dest in dests {
                entry.put(dest);
            }
            entry
        });
    vec(entry, 0..8).prop_map(|entries| entries.into_iter().collect())
}

//! Arbitrary packets, at arbitrary moments, into the parser and into living instances.
//!
//! The first octet chooses what the instances are, then steps follow: an octet for how much
//! time passes and what happens, and for packets a length and the octets themselves. Whatever
//! comes, nothing panics, a served timer is not due again, and only a Master advertises.
#![no_main]

use std::net::IpAddr;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use rk_vrrp::rk_base::{Family, Instant, Priority, Vrid};
use rk_vrrp::{
    Auth, AuthData, Input, Instance, OldUnicastChecksum, Output, Preempt, Reading, RxMeta,
    RxProtocol, Settings, State, Tracker, TrackerId, TrackerKind, Transport, V3Checksum, Version,
    wire,
};

fuzz_target!(|data: &[u8]| {
    for family in [Family::V4, Family::V6] {
        if let Ok(advert) = wire::Advert::parse(data, family) {
            assert_eq!(
                advert.addresses.iter().count(),
                usize::from(advert.header.count)
            );
            assert!(advert.octets.len() <= data.len());
        }
    }
    let _ = wire::AuthHeader::parse(data);
    for protocol in [RxProtocol::Vrrp, RxProtocol::Ah] {
        let _ = wire::dispatch_vrid(protocol, data);
    }
    if let Some((&choice, steps)) = data.split_first() {
        live(choice, steps);
    }
});

/// The settings that the bits of `choice` stand for.
fn settings(choice: u8) -> Settings {
    let bit = |n: u8| choice & 1 << n != 0;
    let family = if bit(0) { Family::V6 } else { Family::V4 };
    let mut s = Settings::new("F", Vrid::try_from(51).expect("not zero"), family);
    s.version = if bit(1) { Version::V3 } else { Version::V2 };
    s.priority = Priority::new(if bit(2) { 255 } else { 100 });
    s.preempt = match (bit(3), bit(4)) {
        (false, _) => Preempt::Yes,
        (true, false) => Preempt::No,
        (true, true) => Preempt::Delay(Duration::from_secs(2)),
    };
    if bit(5) {
        s.transport = Transport::unicast([address(family, 1), address(family, 20)]);
        s.old_unicast_checksum = OldUnicastChecksum::Auto;
    }
    if bit(6) {
        s.auth = Auth::Ah(AuthData::new(b"secret12"));
        s.v3_checksum = V3Checksum::MessageOnly;
    } else if bit(7) {
        s.auth = Auth::Pass(AuthData::new(b"secret12"));
    }
    s.addresses = vec![address(family, 100)];
    s.trackers = vec![Tracker {
        id: TrackerId(1),
        kind: TrackerKind::Script,
        name: "t".into(),
        weight: if bit(3) { -30 } else { 0 },
        reverse: bit(4),
        initial: Reading::Up,
    }];
    s
}

fn address(family: Family, host: u8) -> IpAddr {
    match family {
        Family::V4 => [192, 0, 2, host].into(),
        Family::V6 => [0xfe80, 0, 0, 0, 0, 0, 0, host.into()].into(),
    }
}

fn live(choice: u8, mut steps: &[u8]) {
    let settings = settings(choice);
    let family = settings.family;
    let dst = match &settings.transport {
        Transport::Multicast { group } => *group,
        Transport::Unicast { .. } => address(family, 10),
    };
    let mut router = Instance::new(settings);
    let mut out = Vec::new();
    let mut now = Instant::from_micros(1_000_000);
    router.handle(
        now,
        Input::SourceAddress(Some(address(family, 10))),
        &mut out,
    );
    router.handle(now, Input::Start, &mut out);
    while let Some((&step, rest)) = steps.split_first() {
        steps = rest;
        now = now + Duration::from_millis(u64::from(step >> 4) * 130);
        out.clear();
        let was = router.state();
        match step & 0x0f {
            0..=7 => {
                let Some((&[len, from], rest)) = steps.split_first_chunk::<2>() else {
                    return;
                };
                let (packet, rest) = rest.split_at(rest.len().min(usize::from(len)));
                steps = rest;
                let meta = RxMeta {
                    ttl: if step & 1 == 0 { 255 } else { from },
                    protocol: if step & 2 == 0 {
                        RxProtocol::Vrrp
                    } else {
                        RxProtocol::Ah
                    },
                    ..RxMeta::new(address(family, from), dst, now)
                };
                // Half of them with a good checksum, or nothing deep would be reached.
                let mut packet = packet.to_vec();
                if step & 4 == 0
                    && let Some(field) = packet.get_mut(6..8)
                {
                    field.fill(0);
                    let coverage = wire::Coverage::Pseudo { src: meta.src, dst };
                    let sum = wire::checksum(&packet, coverage).to_be_bytes();
                    if let Some(field) = packet.get_mut(6..8) {
                        field.copy_from_slice(&sum);
                    }
                }
                router.handle(
                    now,
                    Input::Packet {
                        meta,
                        payload: &packet,
                    },
                    &mut out,
                );
            }
            8..=11 => {
                now = router.due().map_or(now, |due| due.max(now));
                router.handle(now, Input::Timer, &mut out);
            }
            12 => router.handle(
                now,
                Input::Stalled {
                    length: Duration::from_secs(1),
                },
                &mut out,
            ),
            13 => {
                let reading = if step & 16 == 0 {
                    Reading::Up
                } else {
                    Reading::Down
                };
                let input = Input::Tracker {
                    id: TrackerId(1),
                    reading,
                    detail: None,
                };
                router.handle(now, input, &mut out);
            }
            14 => router.handle(now, Input::AddressLost(address(family, 100)), &mut out),
            _ => {
                let changed = Box::new(self::settings(choice ^ step & 0x18));
                router.handle(now, Input::Reload(changed), &mut out);
            }
        }
        router.handle(now, Input::Timer, &mut out);
        assert!(
            router.due().is_none_or(|due| due > now),
            "a served timer is due again"
        );
        let advertised = out.iter().any(|o| matches!(o, Output::Send(_)));
        let master = [was, router.state()].contains(&State::Master)
            || out
                .iter()
                .any(|o| matches!(o, Output::Transition(t) if t.to == State::Master));
        assert!(!advertised || master, "an advert without a Master");
        let transitions = out
            .iter()
            .filter(|o| matches!(o, Output::Transition(_)))
            .count();
        assert!(transitions <= 2, "one input, many transitions");
    }
}

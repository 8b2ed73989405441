//! Scenarios: one instance on a virtual clock, and everything it wants done, as text.

mod announce;
mod authentication;
mod backup;
mod honest_time;
mod log;
mod master;
mod owner;
mod receive;
mod reload;
mod start;
mod track;
mod transmit;

use core::net::IpAddr;
use core::time::Duration;

use rk_base::{Family, Instant, Priority, Vrid};

use crate::input::{AtStop, Input, RxMeta, StopReason};
use crate::output::{Addresses, Output, Transmit};
use crate::settings::{Auth, Settings, Transport, Version};
use crate::tracking::{Reading, Tracker, TrackerId, TrackerKind};
use crate::wire::{AdvertWriter, Coverage};
use crate::{Event, Instance, Level, State};

/// Where the router under test sends from.
const OURS: &str = "192.0.2.10";
/// A router with a lower address.
const LOW: &str = "192.0.2.1";
/// A router with a higher address.
const HIGH: &str = "192.0.2.20";
/// The virtual address.
const VIP: &str = "192.0.2.100";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Version 3 over IPv4, VRID 51, priority 100, an advert a second, one address.
fn v3() -> Settings {
    let mut settings = Settings::new("VI_1", Vrid::try_from(51).unwrap(), Family::V4);
    settings.version = Version::V3;
    settings.addresses = vec![ip(VIP)];
    settings
}

/// The same in version 2.
fn v2() -> Settings {
    Settings {
        version: Version::V2,
        ..v3()
    }
}

/// The same over IPv6.
fn v6() -> Settings {
    let mut settings = Settings::new("VI_6", Vrid::try_from(51).unwrap(), Family::V6);
    settings.addresses = vec![ip("fe80::51"), ip("2001:db8::51")];
    settings
}

fn with_priority(settings: Settings, priority: u8) -> Settings {
    Settings {
        priority: Priority::new(priority),
        ..settings
    }
}

fn tracker(id: u32, kind: TrackerKind, weight: i32, initial: Reading) -> Tracker {
    let name = format!("{kind}{id}").replace(' ', "_").into();
    Tracker {
        id: TrackerId(id),
        kind,
        name,
        weight,
        reverse: false,
        initial,
    }
}

/// An advert to feed, as another router with the same configuration would send it.
#[derive(Clone, Debug)]
struct Rx {
    settings: Settings,
    from: IpAddr,
    to: IpAddr,
    priority: u8,
    ttl: u8,
    coverage: Option<Coverage>,
}

impl Rx {
    fn bytes(&self) -> Vec<u8> {
        let s = &self.settings;
        let coverage = self.coverage.unwrap_or(match (s.version, s.family) {
            (Version::V2, Family::V4) => Coverage::Message,
            _ => Coverage::Pseudo {
                src: self.from,
                dst: self.to,
            },
        });
        let mut bytes = Vec::new();
        let writer = AdvertWriter {
            version: s.version,
            family: s.family,
            vrid: s.vrid,
            priority: Priority::new(self.priority),
            interval: s.adver_interval,
            addresses: &s.addresses,
            auth: s.auth,
        };
        writer.emit(coverage, &mut bytes);
        bytes
    }
}

/// One instance and its clock.
struct Lab {
    router: Instance,
    now: Instant,
    out: Vec<Output>,
}

impl Lab {
    /// An instance that knows its source address and has not started. The clock is at an hour,
    /// so that nothing depends on starting at zero.
    fn idle(settings: Settings) -> Self {
        let source = match settings.family {
            Family::V4 => ip(OURS),
            Family::V6 => ip("fe80::10"),
        };
        let mut lab = Self {
            router: Instance::new(settings),
            now: Instant::ZERO + Duration::from_secs(3600),
            out: Vec::new(),
        };
        lab.feed(Input::SourceAddress(Some(source)));
        lab
    }

    /// A started instance; what the start said is forgotten.
    fn started(settings: Settings) -> Self {
        let mut lab = Self::idle(settings);
        lab.feed(Input::Start);
        lab.out.clear();
        lab
    }

    /// A Master; what led there is forgotten.
    fn master(settings: Settings) -> Self {
        let mut lab = Self::started(settings);
        if lab.router.state() != State::Master {
            lab.run_to_due();
        }
        assert_eq!(lab.router.state(), State::Master);
        lab.out.clear();
        lab
    }

    fn feed(&mut self, input: Input<'_>) {
        self.router.handle(self.now, input, &mut self.out);
    }

    /// Lets time pass without anybody looking.
    fn sleep(&mut self, by: Duration) {
        self.now = self.now + by;
    }

    /// Lets time pass, and serves every timer when it is due.
    fn run(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(due) = self.router.due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.feed(Input::Timer);
        }
        self.now = end;
    }

    /// Serves the next timer.
    fn run_to_due(&mut self) {
        let due = self.router.due().expect("a timer is running");
        self.now = self.now.max(due);
        self.feed(Input::Timer);
    }

    /// How long until the next timer.
    fn wait(&self) -> Duration {
        self.router
            .due()
            .expect("a timer is running")
            .since(self.now)
    }

    /// An advert that another router of the same configuration sends.
    fn from(&self, from: &str, priority: u8) -> Rx {
        let settings = self.router.settings().clone();
        let to = match &settings.transport {
            Transport::Multicast { group } => *group,
            Transport::Unicast { .. } => self.router.source().unwrap(),
        };
        Rx {
            settings,
            from: ip(from),
            to,
            priority,
            ttl: 255,
            coverage: None,
        }
    }

    fn receive(&mut self, rx: &Rx) {
        self.receive_late(rx, self.now);
    }

    /// A packet that waited in the queue since `at`.
    fn receive_late(&mut self, rx: &Rx, at: Instant) {
        let bytes = rx.bytes();
        self.receive_bytes(rx, at, &bytes);
    }

    fn receive_bytes(&mut self, rx: &Rx, at: Instant, payload: &[u8]) {
        let meta = RxMeta {
            ttl: rx.ttl,
            ..RxMeta::new(rx.from, rx.to, at)
        };
        self.feed(Input::Packet { meta, payload });
    }

    fn hear(&mut self, from: &str, priority: u8) {
        let rx = self.from(from, priority);
        self.receive(&rx);
    }

    fn track(&mut self, id: u32, reading: Reading) {
        self.feed(Input::Tracker {
            id: TrackerId(id),
            reading,
            detail: None,
        });
    }

    fn shutdown(&mut self) {
        self.feed(Input::Stop {
            reason: StopReason::Shutdown,
            at_stop: AtStop::Release,
        });
    }

    /// Everything said since the last call, log lines left out.
    fn deeds(&mut self) -> Vec<String> {
        self.out
            .drain(..)
            .filter(|o| !matches!(o, Output::Log(_)))
            .map(|o| shown(&o))
            .collect()
    }

    /// Everything said since the last call, log lines included.
    fn all(&mut self) -> Vec<String> {
        self.out.drain(..).map(|o| shown(&o)).collect()
    }

    /// The log lines since the last call.
    fn logged(&mut self) -> Vec<String> {
        let events = self.out.drain(..).filter_map(|o| match o {
            Output::Log(event) => Some(event.to_string()),
            _ => None,
        });
        events.collect()
    }

    /// The packets since the last call.
    fn sent(&mut self) -> Vec<Transmit> {
        let packets = self.out.drain(..).filter_map(|o| match o {
            Output::Send(packet) => Some(packet),
            _ => None,
        });
        packets.collect()
    }
}

/// An output in words.
fn shown(output: &Output) -> String {
    match output {
        Output::Send(t) => format!("advert {} to {}", t.priority, t.dst),
        Output::Addresses(Addresses::Present) => "addresses present".into(),
        Output::Addresses(Addresses::Absent) => "addresses absent".into(),
        Output::Announce(a) => format!("announce {} {:?}", a.repeat, a.reason),
        Output::Transition(t) => format!("{} -> {}: {}", t.from, t.to, t.cause),
        Output::PriorityChanged { from, to } => format!("priority {from} -> {to}"),
        Output::RxLowerPriority => "heard lower priority".into(),
        Output::WantsMaster => "wants to be master".into(),
        Output::Log(event) => format!("log: {event}"),
    }
}

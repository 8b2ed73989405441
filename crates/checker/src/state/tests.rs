//! The load balancer on a virtual clock.

mod checks;
mod http;
mod quorum;
mod random;
mod reload;
mod stress;
mod told;

use core::net::IpAddr;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rk_base::{Duration, Instant};

use super::*;
use crate::outcome::{Failure, Outcome};

pub(super) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A check with delay_loop 10 s, no warm-up, retry 1 and delay_before_retry 2 s.
pub(super) fn check(kind: Kind, key: &str) -> Check {
    Check {
        probe: ProbeKey(key.as_bytes().into()),
        kind,
        timing: Timing {
            delay_loop: secs(10),
            warmup: secs(0),
            retry: 1,
            delay_before_retry: secs(2),
        },
        alpha: false,
        log_all_failures: false,
    }
}

pub(super) fn misc(key: &str) -> Check {
    let script = "/m".into();
    check(Kind::Misc { script }, key)
}

/// 10.0.1.N:80 with one TCP_CHECK called `rN`.
pub(super) fn real(n: u8) -> RealServer {
    let mut real = RealServer::new(ip(&format!("10.0.1.{n}")), 80);
    real.checks.push(check(Kind::Tcp, &format!("r{n}")));
    real
}

/// 10.0.0.N:80 over TCP.
pub(super) fn virtual_server(n: u8, reals: Vec<RealServer>) -> VirtualServer {
    let mut one = VirtualServer::new(VirtualName::Address(Endpoint {
        addr: ip(&format!("10.0.0.{n}")),
        port: 80,
        protocol: Some(Protocol::Tcp),
    }));
    one.real_servers = reals;
    one
}

/// 10.0.1.99:80.
pub(super) fn sorry() -> SorryServer {
    SorryServer {
        addr: ip("10.0.1.99"),
        port: 80,
        forward: Forward::Nat,
        inhibit: false,
    }
}

pub(super) fn settings(virtual_servers: Vec<VirtualServer>) -> Settings {
    Settings {
        virtual_servers,
        ..Settings::default()
    }
}

pub(super) fn failure(text: &str) -> Outcome {
    Outcome::Failure(Failure(text.into()))
}

/// What the kernel's table would hold, if it did what it is told.
pub(super) type Table = BTreeMap<ServiceKey, (Service, BTreeMap<DestinationKey, Destination>)>;

/// The director, its clock, and a world that does what it is told.
pub(super) struct World {
    pub(super) director: Director,
    pub(super) now: Instant,
    pub(super) table: Table,
    /// Attempts that are under way, by the key of their probe.
    pub(super) running: HashMap<Arc<str>, Probe>,
    /// What every attempt finds at once, by the key of its probe; unless told, it hangs.
    pub(super) answers: HashMap<Arc<str>, Outcome>,
    /// What was said since the last look, one line an output.
    said: Vec<String>,
    pub(super) causes: Vec<Cause>,
}

impl World {
    /// Before the start.
    pub(super) fn asleep(settings: Settings) -> Self {
        Self {
            director: Director::new(settings, 1),
            now: Instant::ZERO + secs(1_000),
            table: Table::new(),
            running: HashMap::new(),
            answers: HashMap::new(),
            said: Vec::new(),
            causes: Vec::new(),
        }
    }

    pub(super) fn started(settings: Settings) -> Self {
        let mut world = Self::asleep(settings);
        world.feed(Input::Start);
        world
    }

    /// Started, and nobody looks at what was said.
    pub(super) fn quietly(settings: Settings) -> Self {
        let mut world = Self::started(settings);
        world.said.clear();
        world
    }

    /// Probes called so find this from now on.
    pub(super) fn answer(&mut self, key: &str, outcome: Outcome) -> &mut Self {
        self.answers.insert(key.into(), outcome);
        self
    }

    pub(super) fn feed(&mut self, input: Input) {
        let mut out = Vec::new();
        self.director.handle(self.now, input, &mut out);
        self.perform(out);
        self.check_invariants();
    }

    /// The attempt of this probe that is under way ends.
    pub(super) fn end(&mut self, key: &str, outcome: Outcome) {
        let probe = self.running.remove(key).expect("an attempt under way");
        self.feed(Input::Done {
            check: probe.check,
            attempt: probe.attempt,
            outcome,
        });
    }

    /// Lets time pass; attempts whose answer is known end at once.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.answer_all();
        while let Some(due) = self.director.due().filter(|due| *due <= end) {
            assert!(due >= self.now, "due in the past");
            self.now = due;
            self.feed(Input::Timer);
            self.answer_all();
        }
        self.now = end;
    }

    fn answer_all(&mut self) {
        loop {
            let mut ready: Vec<_> = self
                .running
                .keys()
                .filter(|key| self.answers.contains_key(*key))
                .cloned()
                .collect();
            ready.sort();
            if ready.is_empty() {
                return;
            }
            for key in ready {
                let outcome = self.answers[&key].clone();
                self.end(&key, outcome);
            }
        }
    }

    fn perform(&mut self, out: Vec<Output>) {
        for output in out {
            let line = match output {
                Output::Probe(probe) => {
                    let key: Arc<str> = str::from_utf8(&probe.probe.0).unwrap().into();
                    let line = format!("probe {key} url {}", probe.url);
                    let twice = self.running.insert(key, probe);
                    assert_eq!(twice, None, "an attempt while one is under way");
                    line
                }
                Output::Cancel { check, attempt } => {
                    let before = self.running.len();
                    self.running
                        .retain(|_, one| (one.check, one.attempt) != (check, attempt));
                    assert_eq!(self.running.len() + 1, before, "nothing to cancel");
                    "cancel".to_owned()
                }
                Output::Service { service, want } => match want {
                    Some(want) => {
                        let line = format!("service {service} {}", want.scheduler);
                        self.table.entry(service).or_default().0 = want;
                        line
                    }
                    None => {
                        let gone = self.table.remove(&service).expect("a known service");
                        assert!(gone.1.is_empty(), "destinations left in {service}");
                        format!("service {service} gone")
                    }
                },
                Output::Destination {
                    service,
                    destination,
                    want,
                } => {
                    let known = self.table.get_mut(&service).expect("a known service");
                    let DestinationKey { addr, port } = destination;
                    match want {
                        Some(want) => {
                            known.1.insert(destination, want);
                            format!("{service} -> {addr}:{port} weight {}", want.weight)
                        }
                        None => {
                            known.1.remove(&destination);
                            format!("{service} -> {addr}:{port} gone")
                        }
                    }
                }
                Output::Log(event) => format!("log {event}"),
                Output::Notify(notice) => {
                    self.causes.push(notice.cause.clone());
                    format!("notify {notice}")
                }
                Output::Mail(mail) => format!("mail {} {}", mail.subject_line(), mail.body),
            };
            self.said.push(line);
        }
    }

    /// What was said since the last look.
    pub(super) fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    /// Of what was said, the log lines.
    pub(super) fn logged(&mut self) -> Vec<String> {
        let said = self.said();
        let lines = said.iter().filter_map(|line| line.strip_prefix("log "));
        lines.map(str::to_owned).collect()
    }

    /// Of what was said, the mails.
    pub(super) fn mailed(&mut self) -> Vec<String> {
        let said = self.said();
        let lines = said.iter().filter_map(|line| line.strip_prefix("mail "));
        lines.map(str::to_owned).collect()
    }

    /// The destinations of the service 10.0.0.N:80: `10.0.1.1:80=1 ...`.
    pub(super) fn pool(&self, n: u8) -> String {
        let service = ServiceKey::Address {
            addr: ip(&format!("10.0.0.{n}")),
            port: 80,
            protocol: Protocol::Tcp,
        };
        self.pool_of(service)
    }

    pub(super) fn pool_of(&self, service: ServiceKey) -> String {
        let pool = &self.table[&service].1;
        let shown = pool
            .iter()
            .map(|(key, one)| format!("{}:{}={}", key.addr, key.port, one.weight));
        shown.collect::<Vec<_>>().join(" ")
    }

    /// What must hold after every input.
    pub(super) fn check_invariants(&self) {
        // The table follows from inputs, whichever way it is computed.
        let desired: Table = self
            .director
            .desired()
            .map(|one| {
                let pool = one.destinations.iter().copied().collect();
                (one.key, (one.service.clone(), pool))
            })
            .collect();
        assert_eq!(
            self.table, desired,
            "said one by one, and asked for as a whole"
        );
        for one in self.director.virtual_servers() {
            let mut weight = 0;
            for real in one.real_servers() {
                let failed = |check: &CheckView<'_>| check.health == Health::Down;
                let alive = !real.checks.iter().any(failed);
                assert_eq!(real.health == Health::Up, alive, "{}", real.endpoint);
                weight += if alive { u64::from(real.weight) } else { 0 };
            }
            assert_eq!(one.weight(), weight);
        }
    }
}

/// The same server after a round of good checks.
pub(super) fn well(world: &mut World, keys: &[&str]) {
    for key in keys {
        world.answer(key, Outcome::Success);
    }
    world.pass(secs(5));
    world.said();
}

#[test]
fn a_start_in_parts_is_the_start() {
    let many = || {
        let mut all: Vec<_> = (0..200).map(|n| virtual_server(n, vec![real(n)])).collect();
        all[100].sorry_server = Some(sorry());
        all[150].alpha = true;
        settings(all)
    };
    let now = Instant::ZERO + secs(1_000);
    let mut whole = Vec::new();
    Director::new(many(), 1).handle(now, Input::Start, &mut whole);
    let mut director = Director::new(many(), 1);
    let (mut parts, mut next) = (Vec::new(), Some(Part::FIRST));
    while let Some(part) = next {
        let mut out = Vec::new();
        next = director.start_part(now, part, &mut out);
        parts.push(out);
    }
    assert_eq!(parts.len(), 4);
    assert!(parts.iter().all(|part| part.len() < whole.len() / 2));
    assert_eq!(parts.concat(), whole);
    let mut more = Vec::new();
    assert!(director.start_part(now, Part::FIRST, &mut more).is_none());
    assert_eq!(more, []);
}

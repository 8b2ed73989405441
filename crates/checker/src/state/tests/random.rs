//! Whatever happens in whatever order.

use proptest::prelude::*;

use super::*;

/// A configuration in a few numbers, so that two of them have something in common.
#[derive(Clone, Debug)]
struct Plan {
    quorum: u32,
    hysteresis: u32,
    sorry: Option<(u8, bool)>,
    share: bool,
    ha_suspend: bool,
    group: bool,
    /// (server, weight, inhibit, alpha, direct, checks as bits)
    reals: Vec<(u8, u32, bool, bool, bool, u8)>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let real = (
        1u8..5,
        0u32..4,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        0u8..32,
    );
    (
        1u32..5,
        0u32..4,
        proptest::option::of((1u8..6, any::<bool>())),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        proptest::collection::vec(real, 0..5),
    )
        .prop_map(
            |(quorum, hysteresis, sorry, share, ha_suspend, group, reals)| Plan {
                quorum,
                hysteresis: hysteresis.min(quorum - 1),
                sorry,
                share,
                ha_suspend,
                group,
                reals,
            },
        )
}

fn checks(n: u8, alpha: bool, bits: u8) -> Vec<Check> {
    let urls = ["/a", "/b"].map(|path| Url {
        path: path.into(),
        proofs: [Proof::Status].into(),
    });
    let kinds = [
        Kind::Tcp,
        Kind::Misc {
            script: "/m".into(),
        },
        Kind::Http(Http {
            urls: urls.into(),
            fast_recovery: false,
        }),
        Kind::File {
            file: "f".into(),
            weight: 2,
            reverse: false,
        },
        Kind::Bfd {
            session: "s".into(),
        },
    ];
    let chosen = kinds
        .into_iter()
        .enumerate()
        .filter(|(bit, _)| bits >> bit & 1 == 1);
    let made = chosen.map(|(bit, kind)| {
        let mut one = check(kind, &format!("{n}-{bit}"));
        one.alpha = alpha;
        one
    });
    made.collect()
}

fn build(plan: &Plan) -> Settings {
    let mut all = Vec::new();
    for n in 1..=2 {
        let mut one = virtual_server(n, Vec::new());
        if n == 2 && plan.group {
            one.name = VirtualName::Group {
                name: "G".into(),
                index: 0,
            };
            let second = ServiceKey::Address {
                addr: ip("10.0.0.3"),
                port: 8080,
                protocol: Protocol::Tcp,
            };
            one.entries = [one.entries[0], second].into();
        }
        (one.quorum, one.hysteresis) = (plan.quorum, plan.hysteresis);
        one.ha_suspend = plan.ha_suspend;
        one.sorry_server = plan.sorry.map(|(n, inhibit)| SorryServer {
            addr: ip(&format!("10.0.1.{n}")),
            inhibit,
            ..sorry()
        });
        for &(n, weight, inhibit, alpha, direct, bits) in &plan.reals {
            let mut server = RealServer::new(ip(&format!("10.0.1.{n}")), 80);
            server.weight = weight;
            server.inhibit_on_failure = inhibit;
            server.alpha = alpha;
            server.forward = if direct {
                Forward::DirectRoute
            } else {
                Forward::Nat
            };
            server.checks = checks(n, alpha, bits);
            one.real_servers.push(server);
        }
        all.push(one);
    }
    Settings {
        share_probes: plan.share,
        ..settings(all)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    /// One of the attempts under way ends: success, a weight, failure, unable.
    End(usize, u8),
    File(i32),
    Session(bool),
    Address(u8, bool),
    Reload(Plan),
    ReloadSame,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u64..15).prop_map(Step::Wait),
        12 => (any::<usize>(), 0u8..8).prop_map(|(which, how)| Step::End(which, how)),
        2 => prop_oneof![-3i32..4, Just(i32::MIN)].prop_map(Step::File),
        2 => any::<bool>().prop_map(Step::Session),
        1 => (1u8..4, any::<bool>()).prop_map(|(n, here)| Step::Address(n, here)),
        1 => plan().prop_map(Step::Reload),
        1 => Just(Step::ReloadSame),
    ]
}

/// The name and quorum of each virtual server.
fn quorums(world: &World) -> HashMap<VirtualName, (Health, u64)> {
    let all = world.director.virtual_servers();
    all.map(|one| (one.settings().name.clone(), (one.quorum(), one.weight())))
        .collect()
}

/// The table as the rules have it, worked out from settings, findings and quorums alone.
fn by_the_rules(director: &Director) -> Table {
    let mut table = Table::new();
    for one in &director.virtuals {
        let sorry = one.set.sorry_server.as_ref().filter(|_| !one.quorum);
        for entry in one.set.entries.iter() {
            let mut pool: BTreeMap<DestinationKey, Destination> = BTreeMap::new();
            let mut put = |key: DestinationKey, destination: Destination| {
                let there = pool.get(&key).map(|there| there.weight);
                if there.is_none_or(|there| destination.weight > there) {
                    pool.insert(key, destination);
                }
            };
            for real in &one.reals {
                let checks: Vec<_> = real.checks.iter().map(|id| &director.checks[*id]).collect();
                let base = i64::from(real.set.weight);
                let parts = checks.iter().map(|check| match check.set.kind {
                    Kind::File { .. } => check.found.weight.unwrap_or(0),
                    _ => check.found.weight.unwrap_or(base) - base,
                });
                let weight = (base + parts.sum::<i64>()).max(0);
                let serves = checks.iter().all(|check| check.found.up) && sorry.is_none();
                let destination = Destination {
                    weight: if serves {
                        u32::try_from(weight).unwrap()
                    } else {
                        0
                    },
                    forward: real.set.forward,
                    uthreshold: 0,
                    lthreshold: 0,
                };
                if serves || real.set.inhibit_on_failure {
                    put(real.set.key(*entry), destination);
                }
            }
            if let Some(set) = &one.set.sorry_server
                && (sorry.is_some() || set.inhibit)
            {
                let destination = Destination {
                    weight: u32::from(sorry.is_some()),
                    forward: set.forward,
                    uthreshold: 0,
                    lthreshold: 0,
                };
                put(set.key(*entry), destination);
            }
            table.insert(*entry, (one.set.service.clone(), pool));
        }
    }
    table
}

/// Attempts of different servers may share a name here; the world of the other tests may not.
struct Crowd {
    world: World,
    running: Vec<Probe>,
}

impl Crowd {
    fn feed(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.world.director.handle(self.world.now, input, &mut out);
        for output in &out {
            match output {
                Output::Probe(probe) => {
                    let same = |one: &Probe| one.check == probe.check;
                    assert!(!self.running.iter().any(same), "overlaps itself");
                    self.running.push(probe.clone());
                }
                Output::Cancel { check, attempt } => {
                    let before = self.running.len();
                    self.running
                        .retain(|one| (one.check, one.attempt) != (*check, *attempt));
                    assert_eq!(self.running.len() + 1, before);
                }
                _ => {}
            }
        }
        let rest = out
            .iter()
            .filter(|one| !matches!(one, Output::Probe(_) | Output::Cancel { .. }));
        self.world.perform(rest.cloned().collect());
        self.world.check_invariants();
        if self.world.director.stage == director::Stage::Running {
            self.check_timers();
            let rules = by_the_rules(&self.world.director);
            assert_eq!(self.world.table, rules, "said one by one, and by the rules");
        }
        out
    }

    /// Each check that runs is either due or under way.
    fn check_timers(&self) {
        let mut waiting = 0;
        for id in self.world.director.checks.ids() {
            let check = &self.world.director.checks[id];
            let active = check.members.iter().any(|member| {
                let all = &self.world.director.virtuals;
                all[member.virtual_server].active
            });
            let under_way = self.running.iter().any(|one| one.check == id);
            let waits = matches!(check.phase, table::Phase::Waiting(_));
            assert!(!check.members.is_empty());
            assert_eq!(active && check.set.kind.probes(), under_way || waits);
            assert!(!(under_way && waits));
            waiting += usize::from(waits);
        }
        assert_eq!(self.world.director.timers.len(), waiting);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn everything_follows_from_what_is_known(
        first in plan(),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut crowd = Crowd { world: World::asleep(build(&first)), running: Vec::new() };
        let mut current = first;
        crowd.feed(Input::Start);
        for step in steps {
            let before = quorums(&crowd.world);
            match step.clone() {
                Step::Wait(n) => {
                    let end = crowd.world.now + secs(n);
                    while let Some(due) = crowd.world.director.due().filter(|due| *due <= end) {
                        crowd.world.now = due.max(crowd.world.now);
                        crowd.feed(Input::Timer);
                    }
                    crowd.world.now = end;
                }
                Step::End(which, how) => {
                    if crowd.running.is_empty() {
                        continue;
                    }
                    let which = which % crowd.running.len();
                    let probe = crowd.running.swap_remove(which);
                    let script = probe.probe.0.ends_with(b"-1");
                    let outcome = match how {
                        0..=2 if script => Outcome::Weight(how.checked_sub(1).map(i64::from)),
                        0..=3 => Outcome::Success,
                        4..=6 => failure("x"),
                        _ => Outcome::Unable("x".into()),
                    };
                    crowd.feed(Input::Done { check: probe.check, attempt: probe.attempt, outcome });
                }
                Step::File(value) => {
                    crowd.feed(Input::File { file: "f".into(), value });
                }
                Step::Session(up) => {
                    let state = if up { SessionState::Up } else { SessionState::Down };
                    crowd.feed(Input::Bfd { session: "s".into(), state });
                }
                Step::Address(n, here) => {
                    let now = if here { Whereabouts::Here } else { Whereabouts::Gone };
                    crowd.feed(Input::Address { addr: ip(&format!("10.0.0.{n}")), now });
                }
                Step::Reload(plan) => {
                    current = plan;
                    crowd.feed(Input::Reload(Box::new(build(&current))));
                }
                Step::ReloadSame => {
                    let due = crowd.world.director.due();
                    let said = crowd.feed(Input::Reload(Box::new(build(&current))));
                    prop_assert_eq!(said, vec![]);
                    prop_assert_eq!(crowd.world.director.due(), due);
                }
            }
            // The quorum moves only beyond the band.
            let (quorum, band) = (u64::from(current.quorum), u64::from(current.hysteresis));
            for (name, (now, weight)) in quorums(&crowd.world) {
                match now {
                    Health::Up => prop_assert!(weight > 0 && weight >= quorum - band),
                    Health::Down => prop_assert!(weight < quorum + band),
                }
                let same_plan = !matches!(step, Step::Reload(_));
                if let Some((was, _)) = before.get(&name).filter(|_| same_plan) {
                    let inside = weight > 0 && weight >= quorum - band && weight < quorum + band;
                    prop_assert!(!inside || now == *was || matches!(step, Step::Wait(_)));
                }
            }
        }
        crowd.feed(Input::Stop);
        prop_assert!(crowd.world.table.is_empty() && crowd.running.is_empty());
        prop_assert_eq!(crowd.world.director.due(), None);
    }

    #[test]
    fn a_reload_ends_where_a_cold_start_ends(first in plan(), second in plan()) {
        // With every check up and known, only the settings decide.
        let settle = |world: &mut Crowd| {
            for _ in 0..8 {
                while let Some(probe) = world.running.pop() {
                    let outcome = Outcome::Success;
                    world.feed(Input::Done { check: probe.check, attempt: probe.attempt, outcome });
                }
                if let Some(due) = world.world.director.due() {
                    world.world.now = due.max(world.world.now) + secs(20);
                    world.feed(Input::Timer);
                }
            }
        };
        let begin = |plan: &Plan| {
            let mut crowd = Crowd { world: World::asleep(build(plan)), running: Vec::new() };
            crowd.feed(Input::Bfd { session: "s".into(), state: SessionState::Up });
            for n in 1..4 {
                crowd.feed(Input::Address { addr: ip(&format!("10.0.0.{n}")), now: Whereabouts::Here });
            }
            crowd.feed(Input::Start);
            settle(&mut crowd);
            crowd
        };
        let mut warm = begin(&first);
        warm.feed(Input::Reload(Box::new(build(&second))));
        settle(&mut warm);
        let cold = begin(&second);
        // Within the band both answers are right, and the path decides.
        let (quorum, band) = (u64::from(second.quorum), u64::from(second.hysteresis));
        let open = quorums(&cold.world)
            .values()
            .any(|(_, weight)| *weight > 0 && *weight >= quorum - band && *weight < quorum + band);
        if !open {
            prop_assert_eq!(warm.world.table, cold.world.table);
        }
    }
}

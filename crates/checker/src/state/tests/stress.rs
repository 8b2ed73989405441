//! Ten thousand checks for an hour: no timer is lost, and nothing contradicts itself.

use super::*;

#[test]
fn ten_thousand_checks_for_an_hour() {
    let address = |n: u32| IpAddr::from([10, (n >> 16) as u8, (n >> 8) as u8, n as u8]);
    let virtual_servers = (0..1_000).map(|n| {
        let mut one = VirtualServer::new(VirtualName::Address(Endpoint {
            addr: address(n),
            port: 80,
            protocol: Some(Protocol::Tcp),
        }));
        (one.quorum, one.hysteresis) = (4, 2);
        one.sorry_server = (n % 2 == 0).then(sorry);
        one.real_servers = (0..10)
            .map(|m| {
                let mut server = RealServer::new(address((1 << 20) + n * 16 + m), 80);
                let mut check = check(Kind::Tcp, &format!("{n}-{m}"));
                check.timing.warmup = secs(60);
                check.timing.delay_loop = secs(60);
                server.checks.push(check);
                server
            })
            .collect();
        one
    });
    let mut director = Director::new(settings(virtual_servers.collect()), 7);
    let mut now = Instant::ZERO;
    let end = now + secs(3_600);
    let mut out = Vec::new();
    let mut table = Table::new();
    let mut quorum: HashMap<VirtualName, Health> = HashMap::new();
    let (mut attempts, mut input) = (0u64, Some(Input::Start));
    let mut random = timer::Random::new(11);
    while now <= end {
        director.handle(now, input.take().unwrap_or(Input::Timer), &mut out);
        let mut at = 0;
        while at < out.len() {
            match out[at].clone() {
                Output::Probe(probe) => {
                    attempts += 1;
                    // A tenth fails.
                    let fails = random.below(secs(10)) < secs(1);
                    let outcome = if fails {
                        failure("x")
                    } else {
                        Outcome::Success
                    };
                    let (check, attempt) = (probe.check, probe.attempt);
                    let done = Input::Done {
                        check,
                        attempt,
                        outcome,
                    };
                    director.handle(now, done, &mut out);
                }
                Output::Service { service, want } => {
                    table.entry(service).or_default().0 = want.expect("none is removed");
                }
                Output::Destination {
                    service,
                    destination,
                    want,
                } => {
                    let pool = &mut table.get_mut(&service).expect("a known service").1;
                    match want {
                        Some(want) => pool.insert(destination, want),
                        None => pool.remove(&destination),
                    };
                }
                Output::Notify(Notice {
                    subject: Subject::Quorum(name),
                    health,
                    ..
                }) => {
                    let before = quorum.insert(name, health);
                    assert_ne!(before, Some(health), "told twice of the same");
                }
                _ => {}
            }
            at += 1;
        }
        out.clear();
        now = director.due().expect("ten thousand checks and none due");
    }
    // Each about once a minute, and more often where it failed.
    assert!((590_000..700_000).contains(&attempts), "{attempts}");
    let mut desired = Table::new();
    for one in director.desired() {
        let pool = one.destinations.iter().copied().collect();
        desired.insert(one.key, (one.service.clone(), pool));
    }
    assert_eq!(table, desired);
    for one in director.virtual_servers() {
        assert_eq!(quorum[&one.settings().name], one.quorum());
        let (quorum, weight) = (one.quorum(), one.weight());
        assert!(quorum == Health::Down || weight >= 2, "{weight}");
        assert!(quorum == Health::Up || weight < 6, "{weight}");
    }
}

/// One of 64,000 weights changes: a reload says just that, and so does a check.
#[test]
fn one_weight_among_sixty_four_thousand() {
    let build = |weight| {
        let virtual_servers = (0..16_000u32).map(|n| {
            let [_, a, b, c] = n.to_be_bytes();
            let mut one = VirtualServer::new(VirtualName::Address(Endpoint {
                addr: IpAddr::from([10, a, b, c]),
                port: 80,
                protocol: Some(Protocol::Tcp),
            }));
            one.real_servers = (1..=4)
                .map(|m| {
                    let mut server = RealServer::new(IpAddr::from([11 + m, a, b, c]), 80);
                    if (n, m) == (7_777, 3) {
                        server.weight = weight;
                    }
                    server.checks.push(misc(&format!("{n}-{m}")));
                    server
                })
                .collect();
            one
        });
        settings(virtual_servers.collect())
    };
    let mut director = Director::new(build(1), 1);
    let mut out = Vec::new();
    director.handle(Instant::ZERO, Input::Start, &mut out);
    out.clear();
    director.handle(Instant::ZERO, Input::Reload(Box::new(build(5))), &mut out);
    let place = "service [14.0.30.97]:tcp:80 of VS [10.0.30.97]:tcp:80";
    let said: Vec<_> = out.iter().map(|one| format!("{one:?}")).collect();
    assert_eq!(out.len(), 2, "{said:#?}");
    assert!(matches!(&out[0], Output::Log(event)
        if event.to_string() == format!("Changing weight from 1 to 5 for active {place}")));
    assert!(matches!(&out[1], Output::Destination { want: Some(want), .. } if want.weight == 5));
    // The same from a check.
    out.clear();
    director.handle(Instant::ZERO + secs(1), Input::Timer, &mut out);
    assert_eq!(out.len(), 64_000);
    let probe = out.iter().find_map(|one| match one {
        Output::Probe(probe) if &*probe.probe.0 == b"7777-3" => Some(probe.clone()),
        _ => None,
    });
    let probe = probe.expect("an attempt of it");
    out.clear();
    let done = Input::Done {
        check: probe.check,
        attempt: probe.attempt,
        outcome: Outcome::Weight(Some(9)),
    };
    director.handle(Instant::ZERO + secs(2), done, &mut out);
    let kernel = out
        .iter()
        .filter(|one| matches!(one, Output::Destination { .. }));
    assert_eq!(kernel.count(), 1);
}

//! What a new configuration keeps, and what it says.

use super::*;

fn reload(world: &mut World, settings: Settings) {
    world.feed(Input::Reload(Box::new(settings)));
}

/// Two servers, of which the first has failed.
fn half() -> (World, Settings) {
    let with = settings(vec![virtual_server(1, vec![real(1), real(2)])]);
    let mut world = World::quietly(with.clone());
    world.answer("r1", failure("x"));
    well(&mut world, &["r2"]);
    (world, with)
}

#[test]
fn the_same_again_says_nothing_and_keeps_the_rhythm() {
    let (mut world, with) = half();
    let due = world.director.due();
    reload(&mut world, with.clone());
    assert_eq!((world.said(), world.director.due()), (vec![], due));
    world.answers.clear();
    world.pass(secs(10));
    world.said();
    reload(&mut world, with);
    assert_eq!(world.said(), [] as [&str; 0], "attempts under way go on");
    world.end("r1", Outcome::Success);
    assert_eq!(world.pool(1), "10.0.1.1:80=1 10.0.1.2:80=1");
}

#[test]
fn what_was_down_stays_down_and_retries_go_on() {
    let (mut world, mut with) = half();
    for server in &mut with.virtual_servers[0].real_servers {
        server.checks[0].timing.retry = 2;
        server.checks[0].timing.delay_loop = secs(30);
    }
    reload(&mut world, with.clone());
    assert_eq!(world.pool(1), "10.0.1.2:80=1");
    assert_eq!(
        world.director.due(),
        Some(world.now + secs(1)),
        "another timing"
    );
    world.answer("r2", failure("x")).pass(secs(2));
    assert_eq!(world.pool(1), "10.0.1.2:80=1", "one of three");
    with.virtual_servers[0].real_servers[1].weight = 3;
    reload(&mut world, with);
    world.pass(secs(3));
    assert_eq!(world.pool(1), "", "three of three, across two reloads");
}

#[test]
fn what_was_down_must_prove_itself_to_another_check() {
    let (mut world, mut with) = half();
    with.virtual_servers[0].real_servers[0].checks = vec![check(Kind::Udp, "other")];
    reload(&mut world, with.clone());
    assert_eq!(world.pool(1), "10.0.1.2:80=1");
    assert_eq!(
        world.said(),
        ["log Activating healthchecker for service [10.0.1.1]:tcp:80 for VS [10.0.0.1]:tcp:80"]
    );
    world.answer("other", Outcome::Success).pass(secs(1));
    assert_eq!(world.pool(1), "10.0.1.1:80=1 10.0.1.2:80=1");
    // One that was up and gets another check is not doubted, not even with alpha.
    let mut alpha = check(Kind::Ping, "third");
    alpha.alpha = true;
    with.virtual_servers[0].real_servers[1].checks = vec![alpha];
    reload(&mut world, with);
    assert_eq!(world.pool(1), "10.0.1.1:80=1 10.0.1.2:80=1");
}

#[test]
fn who_fails_by_a_kept_check_is_not_also_doubted_for_a_new_one() {
    let (mut world, mut with) = half();
    let server = &mut with.virtual_servers[0].real_servers[0];
    server.checks.push(check(Kind::Udp, "new"));
    let mut alpha = check(Kind::Ping, "alpha");
    alpha.alpha = true;
    reload(&mut world, with.clone());
    world.answer("r1", Outcome::Success).pass(secs(12));
    assert_eq!(world.pool(1), "10.0.1.1:80=1 10.0.1.2:80=1");
    // With alpha it is.
    world.answer("r1", failure("x")).pass(secs(12));
    with.virtual_servers[0].real_servers[0].checks.push(alpha);
    reload(&mut world, with);
    world.answer("r1", Outcome::Success).pass(secs(12));
    assert_eq!(world.pool(1), "10.0.1.2:80=1");
    world.end("alpha", Outcome::Success);
    assert_eq!(world.pool(1), "10.0.1.1:80=1 10.0.1.2:80=1");
}

#[test]
fn another_timing_never_puts_an_attempt_off() {
    let (mut world, mut with) = half();
    world.pass(secs(5));
    let due = world.director.due();
    for server in &mut with.virtual_servers[0].real_servers {
        server.checks[0].timing.warmup = secs(1_000_000);
    }
    reload(&mut world, with);
    assert_eq!(world.director.due(), due);
}

#[test]
fn without_the_check_that_failed_nothing_speaks_against_it() {
    let (mut world, mut with) = half();
    with.virtual_servers[0].real_servers[0].checks.clear();
    reload(&mut world, with);
    assert_eq!(world.pool(1), "10.0.1.1:80=1 10.0.1.2:80=1");
    assert_eq!(world.causes.last(), Some(&Cause::Reload));
}

#[test]
fn weights_methods_and_thresholds_change_in_place() {
    let (mut world, mut with) = half();
    let server = |with: &mut Settings, edit: fn(&mut RealServer)| {
        edit(&mut with.virtual_servers[0].real_servers[1]);
    };
    server(&mut with, |one| one.weight = 7);
    reload(&mut world, with.clone());
    let changed = "[10.0.0.1]:tcp:80 -> 10.0.1.2:80 weight 7";
    assert_eq!(
        world.said(),
        [
            "log Changing weight from 1 to 7 for active service [10.0.1.2]:tcp:80 of VS \
             [10.0.0.1]:tcp:80",
            changed,
        ]
    );
    server(&mut with, |one| one.uthreshold = 100);
    reload(&mut world, with.clone());
    assert_eq!(world.said(), [changed], "thresholds alone count, too");
    server(&mut with, |one| one.forward = Forward::DirectRoute);
    reload(&mut world, with.clone());
    assert_eq!(world.said(), [changed]);
    with.virtual_servers[0].service.scheduler = "rr".into();
    reload(&mut world, with);
    assert_eq!(world.said(), ["service [10.0.0.1]:tcp:80 rr"]);
}

#[test]
fn a_dynamic_weight_survives_and_is_never_added_twice() {
    let mut server = RealServer::new(ip("10.0.1.1"), 80);
    server.weight = 5;
    server.checks.push(misc("m"));
    let mut with = settings(vec![virtual_server(1, vec![server])]);
    let mut world = World::quietly(with.clone());
    world.answer("m", Outcome::Weight(Some(7))).pass(secs(2));
    for weight in [6, 5, 6, 5] {
        with.virtual_servers[0].real_servers[0].weight = weight;
        reload(&mut world, with.clone());
        assert_eq!(world.pool(1), "10.0.1.1:80=7");
    }
    world.answer("m", Outcome::Weight(None)).pass(secs(10));
    assert_eq!(world.pool(1), "10.0.1.1:80=5");
}

#[test]
fn a_removed_server_is_told_and_a_new_one_comes_quietly() {
    let (mut world, mut with) = half();
    with.virtual_servers[0].real_servers = vec![real(3), real(2)];
    with.virtual_servers[0].real_servers[0].smtp_alert = true;
    reload(&mut world, with.clone());
    assert_eq!(
        world.said(),
        [
            "log service [10.0.1.1]:tcp:80 no longer exist",
            "[10.0.0.1]:tcp:80 -> 10.0.1.3:80 weight 1",
            "log Activating healthchecker for service [10.0.1.3]:tcp:80 for VS [10.0.0.1]:tcp:80",
        ]
    );
    with.virtual_servers[0].real_servers.remove(0);
    reload(&mut world, with);
    assert_eq!(
        world.said(),
        [
            "log service [10.0.1.3]:tcp:80 no longer exist",
            "log Removing service [10.0.1.3]:tcp:80 from VS [10.0.0.1]:tcp:80",
            "[10.0.0.1]:tcp:80 -> 10.0.1.3:80 gone",
            "notify RS [10.0.1.3]:tcp:80 [10.0.0.1]:tcp:80 DOWN",
            "mail Realserver [10.0.1.3]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN => \
             Removing <=",
        ]
    );
}

#[test]
fn a_removed_virtual_server_leaves_nothing_behind() {
    let (mut world, mut with) = half();
    with.virtual_servers[0] = virtual_server(2, vec![real(5)]);
    world.answers.clear();
    world.pass(secs(10));
    world.said();
    reload(&mut world, with);
    assert_eq!(
        world.said(),
        [
            "log Removing Virtual Server [10.0.0.1]:tcp:80",
            "log Removing service [10.0.1.2]:tcp:80 from VS [10.0.0.1]:tcp:80",
            "[10.0.0.1]:tcp:80 -> 10.0.1.2:80 gone",
            "notify RS [10.0.1.2]:tcp:80 [10.0.0.1]:tcp:80 DOWN",
            "service [10.0.0.1]:tcp:80 gone",
            "notify VS [10.0.0.1]:tcp:80 DOWN",
            "cancel",
            "cancel",
            "service [10.0.0.2]:tcp:80 wlc",
            "[10.0.0.2]:tcp:80 -> 10.0.1.5:80 weight 1",
            "log Gained quorum 1+0=1 <= 1 for VS [10.0.0.2]:tcp:80",
            "notify VS [10.0.0.2]:tcp:80 UP",
            "log Activating healthchecker for service [10.0.1.5]:tcp:80 for VS [10.0.0.2]:tcp:80",
        ]
    );
    assert_eq!(world.director.checks.ids().count(), 1);
}

#[test]
fn entries_of_a_group_come_and_go_by_themselves() {
    let entry = |n: u8| ServiceKey::Address {
        addr: ip(&format!("10.0.0.{n}")),
        port: 8000 + u16::from(n),
        protocol: Protocol::Tcp,
    };
    let with = |entries: &[u8]| {
        let mut one = VirtualServer::new(VirtualName::Group {
            name: "G".into(),
            index: 0,
        });
        one.protocol = Some(Protocol::Tcp);
        one.entries = entries.iter().map(|n| entry(*n)).collect();
        one.real_servers = vec![real(1)];
        one.real_servers[0].forward = Forward::DirectRoute;
        settings(vec![one])
    };
    let mut world = World::quietly(with(&[1, 2]));
    reload(&mut world, with(&[2, 3]));
    assert_eq!(
        world.said(),
        [
            "log VS [[10.0.0.1]:tcp:8001] in group G no longer exists",
            "[10.0.0.1]:tcp:8001 -> 10.0.1.1:8001 gone",
            "service [10.0.0.1]:tcp:8001 gone",
            "log VS [[10.0.0.3]:tcp:8003] added into group G",
            "service [10.0.0.3]:tcp:8003 wlc",
            "[10.0.0.3]:tcp:8003 -> 10.0.1.1:8003 weight 1",
        ]
    );
    assert!(world.director.desired_service(entry(3)).is_some());
    assert_eq!(world.director.desired_service(entry(1)), None);
    reload(&mut world, settings(Vec::new()));
    let last = "log Removing Virtual Server Group [G]".to_owned();
    assert!(world.said().contains(&last));
}

#[test]
fn an_entry_that_two_want_belongs_to_the_first() {
    let group = |n: u8| {
        let mut one = virtual_server(1, vec![real(n)]);
        one.name = VirtualName::Group {
            name: "G".into(),
            index: u32::from(n),
        };
        one
    };
    let mut world = World::started(settings(vec![group(1), group(2)]));
    assert_eq!(world.pool(1), "10.0.1.1:80=1");
    reload(&mut world, settings(vec![group(2), group(1)]));
    assert_eq!(world.pool(1), "10.0.1.2:80=1");
    reload(&mut world, settings(vec![group(1)]));
    assert_eq!(world.pool(1), "10.0.1.1:80=1");
}

#[test]
fn another_method_can_mean_another_port() {
    let mut with = settings(vec![virtual_server(1, vec![real(1)])]);
    with.virtual_servers[0].real_servers[0].port = 8080;
    let mut world = World::quietly(with.clone());
    assert_eq!(world.pool(1), "10.0.1.1:8080=1");
    with.virtual_servers[0].real_servers[0].forward = Forward::DirectRoute;
    reload(&mut world, with);
    assert_eq!(world.pool(1), "10.0.1.1:80=1");
}

#[test]
fn quorum_and_sorry_server_can_change_in_place() {
    let (mut world, mut with) = half();
    with.virtual_servers[0].quorum = 2;
    with.virtual_servers[0].sorry_server = Some(sorry());
    reload(&mut world, with.clone());
    assert_eq!(world.pool(1), "10.0.1.99:80=1");
    let moved = SorryServer {
        addr: ip("10.0.1.98"),
        ..sorry()
    };
    with.virtual_servers[0].sorry_server = Some(moved);
    reload(&mut world, with.clone());
    assert_eq!(world.pool(1), "10.0.1.98:80=1");
    with.virtual_servers[0].real_servers[0].inhibit_on_failure = true;
    reload(&mut world, with.clone());
    assert_eq!(world.pool(1), "10.0.1.1:80=0 10.0.1.98:80=1");
    with.virtual_servers[0].sorry_server = None;
    reload(&mut world, with);
    assert_eq!(world.pool(1), "10.0.1.1:80=0 10.0.1.2:80=1");
}

#[test]
fn ha_suspend_can_come_and_go() {
    let (mut world, mut with) = half();
    with.virtual_servers[0].ha_suspend = true;
    reload(&mut world, with.clone());
    assert_eq!(world.director.due(), None);
    let said = world.logged();
    assert!(said.iter().all(|line| line.starts_with("Suspending")) && said.len() == 2);
    with.virtual_servers[0].ha_suspend = false;
    reload(&mut world, with);
    assert_eq!(world.director.due(), Some(world.now + secs(1)));
    assert_eq!(world.pool(1), "10.0.1.2:80=1");
}

#[test]
fn sharing_can_be_turned_on_and_off() {
    let mut with = settings(vec![
        virtual_server(1, vec![real(1)]),
        virtual_server(2, vec![real(1)]),
    ]);
    with.share_probes = true;
    let mut world = World::quietly(with.clone());
    world.answer("r1", failure("x")).pass(secs(2));
    assert_eq!(
        (world.pool(1), world.pool(2)),
        (String::new(), String::new())
    );
    world.said();
    // A third one joins, and knows at once what the others know.
    with.virtual_servers.push(virtual_server(3, vec![real(1)]));
    reload(&mut world, with.clone());
    assert_eq!(world.pool(3), "");
    assert_eq!(world.director.checks.ids().count(), 1);
    with.share_probes = false;
    reload(&mut world, with.clone());
    assert_eq!(world.director.checks.ids().count(), 3);
    assert_eq!(
        (world.pool(1), world.pool(2)),
        (String::new(), String::new())
    );
    with.share_probes = true;
    reload(&mut world, with);
    assert_eq!(world.director.checks.ids().count(), 1);
    world.answer("r1", Outcome::Success).pass(secs(12));
    assert_eq!(world.pool(3), "10.0.1.1:80=1");
}

#[test]
fn of_equal_names_the_first_counts() {
    let mut twice = virtual_server(1, vec![real(1), real(1), real(2)]);
    twice.real_servers[1].weight = 9;
    let other = virtual_server(1, vec![real(3)]);
    let world = World::started(settings(vec![twice, other]));
    assert_eq!(world.pool(1), "10.0.1.1:80=1 10.0.1.2:80=1");
}

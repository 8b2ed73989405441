//! The quorum, its hysteresis, the sorry server, weights, inhibition, and the end.

use super::*;

/// Four servers of weight 1, quorum 3 with hysteresis 1: gained at 4, lost below 2.
fn four(edit: impl FnOnce(&mut VirtualServer)) -> World {
    let mut one = virtual_server(1, (1..=4).map(real).collect());
    one.quorum = 3;
    one.hysteresis = 1;
    edit(&mut one);
    let mut world = World::quietly(settings(vec![one]));
    well(&mut world, &["r1", "r2", "r3", "r4"]);
    world
}

fn fail(world: &mut World, n: u8) {
    world.answer(&format!("r{n}"), failure("x")).pass(secs(12));
}

fn recover(world: &mut World, n: u8) {
    world
        .answer(&format!("r{n}"), Outcome::Success)
        .pass(secs(12));
}

fn about_pool(world: &mut World) -> Vec<String> {
    let mut said = world.said();
    said.retain(|line| !line.starts_with("probe") && !line.contains("TCP"));
    said
}

#[test]
fn hysteresis_is_a_band_in_which_nothing_happens() {
    let mut world = four(|_| {});
    let quorum = |world: &World| {
        let one = world.director.virtual_servers().next().unwrap();
        (one.weight(), one.quorum())
    };
    fail(&mut world, 1);
    fail(&mut world, 2);
    assert_eq!(quorum(&world), (2, Health::Up));
    world.said();
    fail(&mut world, 3);
    assert_eq!(quorum(&world), (1, Health::Down));
    let lost = "Lost quorum 3-1=2 > 1 for VS [10.0.0.1]:tcp:80".to_owned();
    assert!(world.logged().contains(&lost));
    recover(&mut world, 3);
    recover(&mut world, 2);
    assert_eq!(quorum(&world), (3, Health::Down));
    world.said();
    recover(&mut world, 1);
    assert_eq!(quorum(&world), (4, Health::Up));
    let gained = "Gained quorum 3+1=4 <= 4 for VS [10.0.0.1]:tcp:80".to_owned();
    assert!(world.logged().contains(&gained));
}

#[test]
fn without_a_sorry_server_the_others_stay_whatever_the_quorum() {
    let mut world = four(|_| {});
    for n in 1..=3 {
        fail(&mut world, n);
    }
    assert_eq!(world.pool(1), "10.0.1.4:80=1");
    recover(&mut world, 1);
    assert_eq!(world.pool(1), "10.0.1.1:80=1 10.0.1.4:80=1");
}

#[test]
fn the_sorry_server_takes_over_and_hands_back() {
    let mut world = four(|one| {
        one.sorry_server = Some(sorry());
        one.smtp_alert = true;
    });
    fail(&mut world, 1);
    fail(&mut world, 2);
    about_pool(&mut world);
    fail(&mut world, 3);
    // The one that fails goes first; then the sorry server comes, then the others go.
    assert_eq!(
        about_pool(&mut world),
        [
            "log Removing service [10.0.1.3]:tcp:80 from VS [10.0.0.1]:tcp:80",
            "[10.0.0.1]:tcp:80 -> 10.0.1.3:80 gone",
            "notify RS [10.0.1.3]:tcp:80 [10.0.0.1]:tcp:80 DOWN",
            "log Lost quorum 3-1=2 > 1 for VS [10.0.0.1]:tcp:80",
            "log Adding sorry server [10.0.1.99]:tcp:80 to VS [10.0.0.1]:tcp:80",
            "[10.0.0.1]:tcp:80 -> 10.0.1.99:80 weight 1",
            "log Removing alive servers from the pool for VS [10.0.0.1]:tcp:80",
            "[10.0.0.1]:tcp:80 -> 10.0.1.4:80 gone",
            "notify VS [10.0.0.1]:tcp:80 DOWN",
            "mail Virtualserver [10.0.0.1]:tcp:80 - DOWN => Lost quorum 3-1=2 > 1 <=",
        ]
    );
    recover(&mut world, 1);
    recover(&mut world, 2);
    // Said to be added, though the sorry server still serves.
    assert_eq!(
        about_pool(&mut world),
        [
            "log Adding service [10.0.1.1]:tcp:80 to VS [10.0.0.1]:tcp:80",
            "notify RS [10.0.1.1]:tcp:80 [10.0.0.1]:tcp:80 UP",
            "log Adding service [10.0.1.2]:tcp:80 to VS [10.0.0.1]:tcp:80",
            "notify RS [10.0.1.2]:tcp:80 [10.0.0.1]:tcp:80 UP",
        ]
    );
    assert_eq!(world.pool(1), "10.0.1.99:80=1");
    recover(&mut world, 3);
    assert_eq!(
        about_pool(&mut world),
        [
            "log Adding service [10.0.1.3]:tcp:80 to VS [10.0.0.1]:tcp:80",
            "notify RS [10.0.1.3]:tcp:80 [10.0.0.1]:tcp:80 UP",
            "log Gained quorum 3+1=4 <= 4 for VS [10.0.0.1]:tcp:80",
            "log Removing sorry server [10.0.1.99]:tcp:80 from VS [10.0.0.1]:tcp:80",
            "log Adding alive servers to the pool for VS [10.0.0.1]:tcp:80",
            "[10.0.0.1]:tcp:80 -> 10.0.1.1:80 weight 1",
            "[10.0.0.1]:tcp:80 -> 10.0.1.2:80 weight 1",
            "[10.0.0.1]:tcp:80 -> 10.0.1.3:80 weight 1",
            "[10.0.0.1]:tcp:80 -> 10.0.1.4:80 weight 1",
            "[10.0.0.1]:tcp:80 -> 10.0.1.99:80 gone",
            "notify VS [10.0.0.1]:tcp:80 UP",
            "mail Virtualserver [10.0.0.1]:tcp:80 - UP => Gained quorum 3+1=4 <= 4 <=",
        ]
    );
}

#[test]
fn inhibited_servers_stay_with_weight_zero() {
    let mut world = four(|one| {
        one.sorry_server = Some(SorryServer {
            inhibit: true,
            ..sorry()
        });
        for real in &mut one.real_servers[..2] {
            real.inhibit_on_failure = true;
        }
    });
    let all = "10.0.1.1:80=1 10.0.1.2:80=1 10.0.1.3:80=1 10.0.1.4:80=1";
    assert_eq!(world.pool(1), format!("{all} 10.0.1.99:80=0"));
    fail(&mut world, 1);
    assert_eq!(
        world.pool(1),
        "10.0.1.1:80=0 10.0.1.2:80=1 10.0.1.3:80=1 10.0.1.4:80=1 10.0.1.99:80=0"
    );
    fail(&mut world, 3);
    about_pool(&mut world);
    fail(&mut world, 4);
    assert_eq!(world.pool(1), "10.0.1.1:80=0 10.0.1.2:80=0 10.0.1.99:80=1");
    let said = about_pool(&mut world);
    let enabling = "log Enabling sorry server [10.0.1.99]:tcp:80 to VS [10.0.0.1]:tcp:80";
    assert!(said.contains(&enabling.to_owned()), "{said:?}");
    for n in [1, 3, 4] {
        recover(&mut world, n);
    }
    let said = about_pool(&mut world);
    for line in [
        "log Enabling service [10.0.1.1]:tcp:80 of VS [10.0.0.1]:tcp:80",
        "log Disabling sorry server [10.0.1.99]:tcp:80 from VS [10.0.0.1]:tcp:80",
    ] {
        assert!(said.contains(&line.to_owned()), "{said:?}");
    }
    assert_eq!(world.pool(1), format!("{all} 10.0.1.99:80=0"));
}

#[test]
fn the_sorry_server_may_be_one_of_the_others() {
    let mut world = four(|one| {
        one.sorry_server = Some(SorryServer {
            addr: ip("10.0.1.4"),
            ..sorry()
        });
    });
    for n in 1..=3 {
        fail(&mut world, n);
    }
    assert_eq!(world.pool(1), "10.0.1.4:80=1");
    fail(&mut world, 4);
    assert_eq!(
        world.pool(1),
        "10.0.1.4:80=1",
        "it says sorry, whatever its check says"
    );
    for n in 1..=4 {
        recover(&mut world, n);
    }
    assert_eq!(
        world.pool(1),
        "10.0.1.1:80=1 10.0.1.2:80=1 10.0.1.3:80=1 10.0.1.4:80=1"
    );
}

#[test]
fn a_start_without_quorum_is_told_unless_alpha_expects_it() {
    let start = |edit: fn(&mut VirtualServer)| {
        let mut one = virtual_server(1, vec![real(1)]);
        one.smtp_alert = true;
        edit(&mut one);
        let mut said = World::started(settings(vec![one])).said();
        said.retain(|line| !line.contains("Activating") && !line.starts_with("service"));
        said
    };
    let down = "Starting with quorum down 2+0=2 > 1 for VS [10.0.0.1]:tcp:80";
    let told = [
        "notify VS [10.0.0.1]:tcp:80 DOWN".to_owned(),
        "mail Virtualserver [10.0.0.1]:tcp:80 - DOWN => Starting with quorum down 2+0=2 > 1 <="
            .to_owned(),
    ];
    assert_eq!(
        start(|one| (one.quorum, one.sorry_server) = (2, Some(sorry()))),
        [
            &[
                format!("log {down}"),
                "log Adding sorry server [10.0.1.99]:tcp:80 to VS [10.0.0.1]:tcp:80".into(),
                "[10.0.0.1]:tcp:80 -> 10.0.1.99:80 weight 1".into(),
                "log Removing alive servers from the pool for VS [10.0.0.1]:tcp:80".into(),
            ][..],
            &told
        ]
        .concat()
    );
    assert_eq!(
        start(|one| one.quorum = 2),
        [
            &[
                "[10.0.0.1]:tcp:80 -> 10.0.1.1:80 weight 1".into(),
                format!("log {down}"),
            ][..],
            &told
        ]
        .concat()
    );
    let alpha = |one: &mut VirtualServer| {
        one.alpha = true;
        one.real_servers[0].alpha = true;
        one.real_servers[0].checks[0].alpha = true;
        one.real_servers[0].inhibit_on_failure = true;
    };
    assert_eq!(start(alpha), ["[10.0.0.1]:tcp:80 -> 10.0.1.1:80 weight 0"]);
    // Somebody else serves: that is worth a word, expected or not.
    let said = start(|one| {
        one.alpha = true;
        one.sorry_server = Some(sorry());
        one.real_servers[0].checks[0].alpha = true;
    });
    let down = "log Starting with quorum down 1+0=1 > 0 for VS [10.0.0.1]:tcp:80";
    assert_eq!(said[0], down);
    assert!(said.contains(&told[0]), "{said:?}");
    assert_eq!(
        start(|_| {})[1..],
        [
            "log Gained quorum 1+0=1 <= 1 for VS [10.0.0.1]:tcp:80",
            "notify VS [10.0.0.1]:tcp:80 UP",
            "mail Virtualserver [10.0.0.1]:tcp:80 - UP => Starting with quorum up 1+0=1 <= 1 <=",
        ]
    );
}

#[test]
fn rs_init_notifies_tells_of_servers_that_count_as_up() {
    let mut with = settings(vec![virtual_server(1, vec![real(1)])]);
    with.rs_init_notifies = true;
    let said = World::started(with).said();
    let up = "notify RS [10.0.1.1]:tcp:80 [10.0.0.1]:tcp:80 UP".to_owned();
    assert!(said.contains(&up), "{said:?}");
}

/// One server of weight 5 with a MISC_CHECK called `m`.
fn dynamic(edit: impl FnOnce(&mut VirtualServer)) -> World {
    let mut server = RealServer::new(ip("10.0.1.1"), 80);
    server.weight = 5;
    server.checks.push(misc("m"));
    let mut one = virtual_server(1, vec![server]);
    edit(&mut one);
    World::quietly(settings(vec![one]))
}

#[test]
fn a_script_sets_the_weight_and_takes_it_along_when_it_fails() {
    let mut world = dynamic(|_| {});
    let weight = |world: &mut World, weight| {
        world.answer("m", Outcome::Weight(weight)).pass(secs(10));
        world.pool(1)
    };
    assert_eq!(weight(&mut world, None), "10.0.1.1:80=5");
    world.said();
    assert_eq!(weight(&mut world, Some(7)), "10.0.1.1:80=7");
    let place = "active service [10.0.1.1]:tcp:80 of VS [10.0.0.1]:tcp:80";
    assert_eq!(
        about_pool(&mut world),
        [
            format!("log Changing weight from 5 to 7 for {place}"),
            "[10.0.0.1]:tcp:80 -> 10.0.1.1:80 weight 7".into(),
        ]
    );
    assert_eq!(weight(&mut world, Some(7)), "10.0.1.1:80=7");
    assert_eq!(about_pool(&mut world).len(), 0);
    world
        .answer("m", failure("exited with status 1"))
        .pass(secs(12));
    assert_eq!(world.pool(1), "");
    let said = about_pool(&mut world);
    assert!(!said.iter().any(|line| line.contains("weight")), "{said:?}");
    world.answer("m", Outcome::Weight(Some(253))).pass(secs(10));
    assert_eq!(
        about_pool(&mut world)[..4],
        [
            format!("log Changing weight from 5 to 253 for in{place}"),
            "log Misc check for [[10.0.1.1]:tcp:80 VS [10.0.0.1]:tcp:80] by [/m] succeeded.".into(),
            "log Adding service [10.0.1.1]:tcp:80 to VS [10.0.0.1]:tcp:80".into(),
            "[10.0.0.1]:tcp:80 -> 10.0.1.1:80 weight 253".into(),
        ]
    );
    assert_eq!(weight(&mut world, None), "10.0.1.1:80=5");
}

#[test]
fn a_weight_of_zero_stays_in_the_table_and_costs_the_quorum() {
    let mut world = dynamic(|_| {});
    world.answer("m", Outcome::Weight(Some(0))).pass(secs(5));
    assert_eq!(world.pool(1), "10.0.1.1:80=0");
    let lost = "Lost quorum 1-0=1 > 0 for VS [10.0.0.1]:tcp:80".to_owned();
    assert!(world.logged().contains(&lost));
}

#[test]
fn a_weight_can_bring_the_quorum_and_the_alive_back() {
    let mut world = dynamic(|one| {
        one.quorum = 4;
        one.hysteresis = 1;
        one.sorry_server = Some(sorry());
    });
    assert_eq!(world.pool(1), "10.0.1.1:80=5");
    world.answer("m", Outcome::Weight(Some(2))).pass(secs(5));
    assert_eq!(world.pool(1), "10.0.1.99:80=1");
    world.answer("m", Outcome::Weight(Some(4))).pass(secs(10));
    assert_eq!(world.pool(1), "10.0.1.99:80=1", "within the band");
    world.answer("m", Outcome::Weight(Some(6))).pass(secs(10));
    assert_eq!(world.pool(1), "10.0.1.1:80=6");
}

#[test]
fn a_group_is_many_services_of_one_state() {
    let mut one = VirtualServer::new(VirtualName::Group {
        name: "G".into(),
        index: 0,
    });
    one.protocol = Some(Protocol::Tcp);
    let entry = |n: u8, port| ServiceKey::Address {
        addr: ip(&format!("10.0.0.{n}")),
        port,
        protocol: Protocol::Tcp,
    };
    let mark = ServiceKey::Mark {
        mark: 7,
        family: rk_base::Family::V4,
    };
    one.entries = [entry(1, 80), entry(2, 8080), mark].into();
    one.real_servers = vec![real(1), real(2)];
    one.real_servers[0].forward = Forward::DirectRoute;
    let mut world = World::started(settings(vec![one]));
    // NAT has the port of the server, the others that of the entry, and a mark none.
    let pools = |world: &World| [entry(1, 80), entry(2, 8080), mark].map(|key| world.pool_of(key));
    assert_eq!(
        pools(&world),
        [
            "10.0.1.1:80=1 10.0.1.2:80=1",
            "10.0.1.1:8080=1 10.0.1.2:80=1",
            "10.0.1.1:0=1 10.0.1.2:80=1",
        ]
    );
    let said = world.said();
    assert!(said.contains(&"notify VS [G]:0 UP".to_owned()), "{said:?}");
    world.answer("r1", failure("x")).pass(secs(2));
    assert_eq!(pools(&world), ["10.0.1.2:80=1"; 3]);
}

#[test]
fn omega_says_goodbye_for_all_that_live() {
    let mut one = virtual_server(1, (1..=3).map(real).collect());
    one.omega = true;
    one.smtp_alert = true;
    one.sorry_server = Some(SorryServer {
        inhibit: true,
        ..sorry()
    });
    for real in &mut one.real_servers {
        real.smtp_alert = true;
        real.inhibit_on_failure = true;
    }
    let mut world = World::quietly(settings(vec![one]));
    world.answer("r1", failure("x"));
    well(&mut world, &["r2", "r3"]);
    world.feed(Input::Stop);
    let service = "[10.0.0.1]:tcp:80";
    let mail = |n: u8| {
        format!(
            "mail Realserver [10.0.1.{n}]:tcp:80 of virtual server {service} - DOWN => Shutting \
             down <="
        )
    };
    assert_eq!(
        world.said(),
        [
            format!("{service} -> 10.0.1.99:80 gone"),
            format!("log Shutting down (inhibited) service [10.0.1.1]:tcp:80 from VS {service}"),
            format!("{service} -> 10.0.1.1:80 gone"),
            format!("log Shutting down service [10.0.1.2]:tcp:80 from VS {service}"),
            format!("{service} -> 10.0.1.2:80 gone"),
            format!("notify RS [10.0.1.2]:tcp:80 {service} DOWN"),
            mail(2),
            format!("log Shutting down service [10.0.1.3]:tcp:80 from VS {service}"),
            format!("{service} -> 10.0.1.3:80 gone"),
            format!("notify RS [10.0.1.3]:tcp:80 {service} DOWN"),
            mail(3),
            format!("service {service} gone"),
            format!("notify VS {service} DOWN"),
            format!("mail Virtualserver {service} - DOWN => Shutting down <="),
        ]
    );
    assert_eq!((world.table.len(), world.director.due()), (0, None));
}

#[test]
fn without_omega_a_stop_is_nobodys_business() {
    let mut world = World::quietly(settings(vec![virtual_server(1, vec![real(1)])]));
    world.pass(secs(1));
    world.said();
    world.feed(Input::Stop);
    assert_eq!(
        world.said(),
        [
            "cancel",
            "log Shutting down service [10.0.1.1]:tcp:80 from VS [10.0.0.1]:tcp:80",
            "[10.0.0.1]:tcp:80 -> 10.0.1.1:80 gone",
            "service [10.0.0.1]:tcp:80 gone",
        ]
    );
}

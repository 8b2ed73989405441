//! Files, BFD sessions, and addresses that come and go.

use super::*;

const RS: &str = "[10.0.1.1]:tcp:80";
const VS: &str = "[10.0.0.1]:tcp:80";

fn with(kind: Kind, edit: impl FnOnce(&mut Check)) -> Settings {
    let mut server = RealServer::new(ip("10.0.1.1"), 80);
    server.weight = 10;
    server.smtp_alert = true;
    let mut a = check(kind, "a");
    edit(&mut a);
    server.checks.push(a);
    settings(vec![virtual_server(1, vec![server])])
}

fn file(weight: i32) -> Kind {
    Kind::File {
        file: "tf".into(),
        weight,
        reverse: false,
    }
}

fn says(value: i32) -> Input {
    Input::File {
        file: "tf".into(),
        value,
    }
}

fn session(state: SessionState) -> Input {
    Input::Bfd {
        session: "N".into(),
        state,
    }
}

#[test]
fn a_file_adds_to_the_weight() {
    let mut world = World::quietly(with(file(2), |_| {}));
    assert_eq!(world.director.due(), None, "nobody asks for it");
    world.feed(says(5));
    assert_eq!(
        world.said(),
        [
            format!("log Changing weight from 10 to 20 for active service {RS} of VS {VS}"),
            format!("{VS} -> 10.0.1.1:80 weight 20"),
        ]
    );
    world.feed(says(-30));
    assert_eq!(world.pool(1), "10.0.1.1:80=0", "never below 0");
    world.feed(says(0));
    assert_eq!(world.pool(1), "10.0.1.1:80=10");
    world.feed(says(i32::MIN));
    assert_eq!(world.pool(1), "");
    world.feed(says(1));
    assert_eq!(world.pool(1), "10.0.1.1:80=12");
    world.feed(says(i32::MAX));
    assert_eq!(world.pool(1), "10.0.1.1:80=2147483647");
}

#[test]
fn a_file_without_weight_is_a_fault_or_none() {
    let mut world = World::quietly(with(file(0), |_| {}));
    world.feed(says(5));
    let said = world.said();
    assert_eq!(
        said[..3],
        [
            format!("log ({RS}): tracked file tf now FAULT state"),
            format!("log Removing service {RS} from VS {VS}"),
            format!("{VS} -> 10.0.1.1:80 gone"),
        ]
    );
    assert!(
        !said.iter().any(|line| line.starts_with("mail Real")),
        "{said:?}"
    );
    world.feed(says(6));
    assert_eq!(world.said(), [] as [&str; 0], "no news");
    world.feed(says(0));
    assert_eq!(
        world.said()[..2],
        [
            format!("log ({RS}): tracked file tf leaving FAULT state"),
            format!("log Adding service {RS} to VS {VS}"),
        ]
    );
}

#[test]
fn what_is_known_before_the_start_counts_from_the_start() {
    let mut world = World::asleep(with(file(0), |_| {}));
    world.feed(says(1));
    world.feed(Input::Start);
    assert_eq!(world.pool(1), "");
    let said = world.said();
    let down = format!("notify RS {RS} {VS} DOWN");
    assert!(said.contains(&down), "{said:?}");
    world.feed(says(0));
    assert_eq!(world.pool(1), "10.0.1.1:80=10");

    let mut world = World::asleep(with(file(2), |_| {}));
    world.feed(says(3));
    world.feed(Input::Start);
    assert_eq!(world.pool(1), "10.0.1.1:80=16");
}

#[test]
fn a_reload_forgets_nothing_that_was_told() {
    let mut world = World::quietly(with(file(0), |_| {}));
    world.feed(says(1));
    world.said();
    world.feed(Input::Reload(Box::new(with(file(0), |_| {}))));
    assert_eq!(world.said(), [] as [&str; 0]);
    // Another check of the same file knows what the file says.
    let other = with(file(3), |a| a.probe = ProbeKey(b"b"[..].into()));
    world.feed(Input::Reload(Box::new(other)));
    assert_eq!(world.pool(1), "10.0.1.1:80=13");
}

#[test]
fn a_session_decides_about_its_server() {
    let kind = || Kind::Bfd {
        session: "N".into(),
    };
    let mut world = World::quietly(with(kind(), |_| {}));
    world.feed(session(SessionState::Down));
    assert_eq!(
        world.said()[..3],
        [
            format!("log BFD check of [N] RS({RS}) is DOWN"),
            format!("log Removing service {RS} from VS {VS}"),
            format!("{VS} -> 10.0.1.1:80 gone"),
        ]
    );
    world.feed(session(SessionState::Down));
    assert_eq!(world.said(), [] as [&str; 0]);
    world.feed(session(SessionState::Up));
    let said = world.said();
    assert_eq!(said[0], format!("log BFD check of [N] RS({RS}) is UP"));
    assert_eq!(
        said.last().unwrap(),
        &format!(
            "mail Realserver {RS} of virtual server {VS} - UP => BFD CHECK N succeeded on \
             service <="
        )
    );

    let mut world = World::quietly(with(kind(), |a| a.alpha = true));
    assert_eq!(world.pool(1), "");
    world.feed(session(SessionState::Down));
    assert_eq!(
        world.logged(),
        [format!("BFD check of [N] RS({RS}) is DOWN")]
    );
    world.feed(session(SessionState::Up));
    assert_eq!(world.pool(1), "10.0.1.1:80=10");
}

fn address(n: u8, now: Whereabouts) -> Input {
    Input::Address {
        addr: ip(&format!("10.0.0.{n}")),
        now,
    }
}

#[test]
fn checks_follow_the_address() {
    let mut one = virtual_server(1, vec![real(1)]);
    one.ha_suspend = true;
    let mut world = World::started(settings(vec![one]));
    assert_eq!(world.pool(1), "10.0.1.1:80=1", "it is served all the same");
    let activity = |word: &str| format!("log {word} healthchecker for service {RS} for VS {VS}");
    assert_eq!(world.said().last().unwrap(), &activity("Deactivating"));
    assert_eq!(world.director.due(), None);
    world.feed(address(2, Whereabouts::Here));
    assert_eq!(world.director.due(), None, "somebody else's");
    world.feed(address(1, Whereabouts::Here));
    assert_eq!(world.said(), [activity("Activating")]);
    assert_eq!(world.director.due(), Some(world.now + secs(1)));
    world.answer("r1", failure("x")).pass(secs(1));
    assert_eq!(world.pool(1), "");
    world.answers.clear();
    world.pass(secs(10));
    world.said();
    world.feed(address(1, Whereabouts::Gone));
    assert_eq!(world.said(), [activity("Suspending"), "cancel".into()]);
    assert_eq!((world.pool(1), world.director.due()), (String::new(), None));
    world.feed(address(1, Whereabouts::Gone));
    assert_eq!(world.said(), [] as [&str; 0]);
}

#[test]
fn retries_do_not_survive_a_suspension() {
    let mut one = virtual_server(1, vec![real(1)]);
    one.ha_suspend = true;
    let mut world = World::asleep(settings(vec![one]));
    world.feed(address(1, Whereabouts::Here));
    world.feed(Input::Start);
    world.answer("r1", Outcome::Success).pass(secs(2));
    world.answer("r1", failure("x")).pass(secs(10));
    world.feed(address(1, Whereabouts::Gone));
    world.feed(address(1, Whereabouts::Here));
    world.pass(secs(1));
    assert_eq!(
        world.pool(1),
        "10.0.1.1:80=1",
        "what failed then was another time"
    );
    world.pass(secs(2));
    assert_eq!(world.pool(1), "");
}

#[test]
fn a_group_follows_any_of_its_addresses_and_a_mark_none() {
    let mut one = VirtualServer::new(VirtualName::Group {
        name: "G".into(),
        index: 0,
    });
    one.protocol = Some(Protocol::Tcp);
    let entry = |n: u8| ServiceKey::Address {
        addr: ip(&format!("10.0.0.{n}")),
        port: 80,
        protocol: Protocol::Tcp,
    };
    one.entries = [entry(1), entry(2)].into();
    one.ha_suspend = true;
    one.real_servers = vec![real(1)];
    let mut mark = VirtualServer::new(VirtualName::Mark {
        mark: 9,
        family: rk_base::Family::V6,
    });
    mark.ha_suspend = true;
    mark.real_servers = vec![real(2)];
    let mut world = World::asleep(settings(vec![one, mark]));
    world.feed(address(2, Whereabouts::Here));
    world.feed(Input::Start);
    world.pass(secs(1));
    assert_eq!(world.running.len(), 2);
    world.feed(address(1, Whereabouts::Here));
    world.feed(address(2, Whereabouts::Gone));
    assert_eq!(world.running.len(), 2);
    world.feed(address(1, Whereabouts::Gone));
    assert_eq!(
        world.running.keys().map(|key| &**key).collect::<Vec<_>>(),
        ["r2"]
    );
}

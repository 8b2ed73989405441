//! The walk through the URLs of an HTTP check.

use super::*;

const RS: &str = "[10.0.1.1]:tcp:80";

fn urls(paths: &[(&str, Proof)]) -> Http {
    let url = |(path, proof): &(&str, Proof)| Url {
        path: (*path).into(),
        proofs: [*proof].into(),
    };
    Http {
        urls: paths.iter().map(url).collect(),
        fast_recovery: false,
    }
}

fn three() -> Http {
    urls(&[
        ("/a", Proof::Status),
        ("/b", Proof::Digest),
        ("/c", Proof::Regex),
    ])
}

fn world(http: Http, edit: impl FnOnce(&mut Check)) -> World {
    let mut a = check(Kind::Http(http), "a");
    edit(&mut a);
    let mut server = RealServer::new(ip("10.0.1.1"), 80);
    server.checks.push(a);
    World::quietly(settings(vec![virtual_server(1, vec![server])]))
}

/// The URL that is asked for next, and how long that takes.
fn next(world: &mut World) -> (usize, u64) {
    let before = world.now;
    world.now = world.director.due().expect("a next attempt");
    world.feed(Input::Timer);
    (world.running["a"].url, world.now.since(before).as_secs())
}

#[test]
fn one_url_a_step_and_round_and_round() {
    let mut world = world(three(), |_| {});
    assert_eq!(next(&mut world), (0, 1));
    for url in [1, 2, 0, 1, 2, 0] {
        world.end("a", Outcome::Success);
        assert_eq!(next(&mut world), (url, 10));
    }
    // Up from the start: only the end of the first walk is news.
    assert_eq!(
        world.logged(),
        [format!("Remote Web server {RS} succeed on service.")]
    );
}

#[test]
fn the_failed_url_is_asked_first_and_then_all_of_them() {
    let mut world = world(three(), |_| {});
    next(&mut world);
    world.end("a", Outcome::Success);
    assert_eq!(next(&mut world), (1, 10));
    world.said();
    world.end("a", failure("MD5 digest error to"));
    assert_eq!(next(&mut world), (1, 2), "a retry of the same");
    world.end("a", failure("MD5 digest error to"));
    assert_eq!(
        world.logged()[..2],
        [
            format!("HTTP_CHECK on service {RS} failed after 1 retries."),
            format!("Removing service {RS} from VS [10.0.0.1]:tcp:80"),
        ]
    );
    assert_eq!(next(&mut world), (1, 10));
    world.end("a", failure("MD5 digest error to"));
    assert_eq!(next(&mut world), (1, 10));
    world.said();
    for url in [0, 1, 2] {
        world.end("a", Outcome::Success);
        assert_eq!(world.pool(1), "");
        assert_eq!(next(&mut world), (url, 10));
    }
    world.end("a", Outcome::Success);
    assert_eq!(world.pool(1), "10.0.1.1:80=1");
    assert_eq!(
        world.logged()[..6],
        [
            format!("MD5 digest success to {RS} url(/b)"),
            format!("HTTP status code success to {RS} url(/a)"),
            format!("MD5 digest success to {RS} url(/b)"),
            format!("Regex match success to {RS} url(/c)"),
            format!("Remote Web server {RS} succeed on service."),
            format!("Adding service {RS} to VS [10.0.0.1]:tcp:80"),
        ]
    );
}

#[test]
fn another_failure_on_the_way_up_starts_over_without_retries() {
    let mut world = world(three(), |_| {});
    next(&mut world);
    world.end("a", failure("x"));
    assert_eq!(next(&mut world), (0, 10));
    world.end("a", Outcome::Success);
    next(&mut world);
    world.end("a", Outcome::Success);
    assert_eq!(next(&mut world).0, 1);
    world.end("a", failure("x"));
    assert_eq!(next(&mut world), (1, 10), "this one must succeed now");
    world.end("a", Outcome::Success);
    assert_eq!(next(&mut world).0, 0);
    assert_eq!(world.pool(1), "");
}

#[test]
fn a_single_url_must_succeed_twice() {
    let mut world = world(urls(&[("/", Proof::Status)]), |_| {});
    next(&mut world);
    world.end("a", failure("x"));
    next(&mut world);
    world.end("a", Outcome::Success);
    assert_eq!(world.pool(1), "");
    next(&mut world);
    world.end("a", Outcome::Success);
    assert_eq!(world.pool(1), "10.0.1.1:80=1");
}

#[test]
fn down_it_is_asked_no_faster_than_the_retries() {
    let mut world = world(three(), |a| a.timing.delay_before_retry = secs(25));
    next(&mut world);
    world.end("a", failure("x"));
    assert_eq!(next(&mut world), (0, 25));
    world.end("a", Outcome::Success);
    assert_eq!(next(&mut world), (0, 10));
}

#[test]
fn fast_recovery_waits_for_nothing_but_failures() {
    let fast = Http {
        fast_recovery: true,
        ..three()
    };
    let mut world = world(fast, |_| {});
    next(&mut world);
    // The first time round.
    for url in [1, 2] {
        world.end("a", Outcome::Success);
        assert_eq!(next(&mut world), (url, 0));
    }
    for url in [0, 1, 2, 0] {
        world.end("a", Outcome::Success);
        assert_eq!(next(&mut world), (url, 10));
    }
    world.end("a", failure("x"));
    assert_eq!(next(&mut world), (0, 2));
    world.end("a", failure("x"));
    assert_eq!(next(&mut world), (0, 10));
    world.end("a", failure("x"));
    assert_eq!(next(&mut world), (0, 10));
    for url in [0, 1, 2] {
        world.end("a", Outcome::Success);
        assert_eq!(next(&mut world), (url, 0));
    }
    world.end("a", Outcome::Success);
    assert_eq!(world.pool(1), "10.0.1.1:80=1");
    assert_eq!(next(&mut world), (0, 10));
}

#[test]
fn alpha_needs_a_whole_walk() {
    let mut world = world(three(), |a| a.alpha = true);
    assert_eq!(world.pool(1), "");
    for url in [0, 1, 2] {
        assert_eq!(next(&mut world).0, url);
        assert_eq!(world.pool(1), "");
        world.end("a", Outcome::Success);
    }
    assert_eq!(world.pool(1), "10.0.1.1:80=1");
}

#[test]
fn every_failure_has_its_words_on_request() {
    let mut world = world(three(), |a| a.log_all_failures = true);
    next(&mut world);
    world.end("a", Outcome::Success);
    next(&mut world);
    world.said();
    world.end("a", failure("HTTP status code error to server RS."));
    next(&mut world);
    world.end("a", failure("Timeout WEB read server RS."));
    assert_eq!(
        world.logged()[..3],
        [
            "HTTP status code error to server RS.".to_owned(),
            "Timeout WEB read server RS.".to_owned(),
            format!("HTTP_CHECK on service {RS} failed after 1 retries."),
        ]
    );
}

#[test]
fn without_a_url_there_is_nothing_to_fail() {
    let world = world(urls(&[]), |a| a.alpha = true);
    assert_eq!(world.pool(1), "10.0.1.1:80=1");
    assert_eq!(world.director.due(), None);
}

//! When attempts are made, and what each of their outcomes means and says.

use super::*;

const VS: &str = "[10.0.0.1]:tcp:80";
const RS: &str = "[10.0.1.1]:tcp:80";

fn one(check: Check) -> Settings {
    let mut server = RealServer::new(ip("10.0.1.1"), 80);
    server.checks.push(check);
    settings(vec![virtual_server(1, vec![server])])
}

#[test]
fn a_start_fills_the_table_before_it_checks_anything() {
    let mut world = World::started(one(check(Kind::Tcp, "a")));
    assert_eq!(
        world.said(),
        [
            "service [10.0.0.1]:tcp:80 wlc".to_owned(),
            "[10.0.0.1]:tcp:80 -> 10.0.1.1:80 weight 1".to_owned(),
            format!("log Gained quorum 1+0=1 <= 1 for VS {VS}"),
            format!("notify VS {VS} UP"),
            format!("log Activating healthchecker for service {RS} for VS {VS}"),
        ]
    );
    assert_eq!(world.director.due(), Some(world.now + secs(1)));
}

#[test]
fn the_first_attempts_are_spread_over_the_warm_up() {
    let mut first = Vec::new();
    for seed in 0..100 {
        let mut a = check(Kind::Tcp, "a");
        a.timing.warmup = secs(30);
        let mut director = Director::new(one(a), seed);
        director.handle(Instant::ZERO, Input::Start, &mut Vec::new());
        first.push(director.due().unwrap().since(Instant::ZERO));
    }
    assert!(first.iter().all(|at| (secs(1)..secs(31)).contains(at)));
    assert!(first.iter().any(|at| *at < secs(5)) && first.iter().any(|at| *at > secs(26)));
}

#[test]
fn the_next_attempt_counts_from_the_end_of_the_last() {
    let mut world = World::quietly(one(check(Kind::Tcp, "a")));
    world.pass(secs(1));
    assert_eq!(world.said(), ["probe a url 0"]);
    assert_eq!(world.director.due(), None, "under way");
    world.pass(secs(4));
    world.end("a", Outcome::Success);
    assert_eq!(world.logged(), [format!("TCP connection to {RS} success.")]);
    assert_eq!(world.director.due(), Some(world.now + secs(10)));
    // Success again is no news.
    world.pass(secs(10));
    world.end("a", Outcome::Success);
    assert_eq!(world.said(), ["probe a url 0"]);
}

#[test]
fn a_script_counts_from_its_start_and_never_overlaps_itself() {
    let mut world = World::quietly(one(misc("a")));
    world.pass(secs(1));
    let began = world.now;
    world.pass(secs(4));
    world.end("a", Outcome::Weight(None));
    assert_eq!(world.director.due(), Some(began + secs(10)));
    world.pass(secs(6));
    world.pass(secs(15));
    world.end("a", Outcome::Weight(None));
    assert_eq!(world.director.due(), Some(world.now), "at once, it is late");
    world.pass(secs(0));
    // A retry counts from the start, too.
    let began = world.now;
    world.pass(secs(1));
    world.end("a", failure("exited with status 1"));
    assert_eq!(world.director.due(), Some(began + secs(2)));
}

#[test]
fn one_failure_in_the_first_round_is_enough() {
    let mut world = World::quietly(one(check(Kind::Tcp, "a")));
    world.pass(secs(1));
    world.said();
    world.end("a", failure("refused"));
    assert_eq!(
        world.said(),
        [
            format!("log TCP_CHECK on service {RS} failed."),
            format!("log Removing service {RS} from VS {VS}"),
            "[10.0.0.1]:tcp:80 -> 10.0.1.1:80 gone".to_owned(),
            format!("notify RS {RS} {VS} DOWN"),
            format!("log Lost quorum 1-0=1 > 0 for VS {VS}"),
            format!("notify VS {VS} DOWN"),
        ]
    );
    assert_eq!(world.director.due(), Some(world.now + secs(10)));
}

#[test]
fn afterwards_it_is_tried_again_as_often_as_configured() {
    let mut a = check(Kind::Tcp, "a");
    a.timing.retry = 2;
    let mut world = World::quietly(one(a));
    well(&mut world, &["a"]);
    world.answers.clear();
    world.pass(secs(6));
    for _ in 0..2 {
        world.said();
        world.end("a", failure("refused"));
        assert_eq!(
            world.said(),
            [] as [&str; 0],
            "no word while it may be chance"
        );
        assert_eq!(world.director.due(), Some(world.now + secs(2)));
        world.pass(secs(2));
    }
    world.said();
    world.end("a", failure("refused"));
    assert_eq!(
        world.said()[..2],
        [
            format!("log TCP_CHECK on service {RS} failed after 2 retries."),
            format!("log Removing service {RS} from VS {VS}"),
        ]
    );
    let causes: Vec<String> = world.causes.iter().map(ToString::to_string).collect();
    assert_eq!(
        causes[1..],
        [
            "TCP_CHECK failed, attempt 3 of 3: refused",
            "real server [10.0.1.1]:tcp:80: TCP_CHECK failed, attempt 3 of 3: refused",
        ]
    );
    assert_eq!(world.director.due(), Some(world.now + secs(10)));
}

/// As keepalived's do, which their rhythm shows (`tests/lvs/rhythm.rs`).
#[test]
fn some_checks_go_on_with_their_retries_while_they_are_down() {
    let http = Kind::Http(Http {
        urls: [Url {
            path: "/".into(),
            proofs: [].into(),
        }]
        .into(),
        fast_recovery: false,
    });
    for (kind, down) in [
        (Kind::Tcp, [2, 2, 10]),
        (Kind::Smtp, [2, 2, 10]),
        (Kind::Udp, [10, 10, 10]),
        (Kind::Ping, [10, 10, 10]),
        (Kind::Dns, [10, 10, 10]),
        (http, [10, 10, 10]),
    ] {
        let mut a = check(kind.clone(), "a");
        a.timing.retry = 2;
        a.log_all_failures = true;
        let mut world = World::quietly(one(a));
        well(&mut world, &["a"]);
        world.answers.clear();
        world.pass(secs(10));
        for (round, pauses) in [[2, 2, 10], down, down].into_iter().enumerate() {
            for pause in pauses {
                world.said();
                world.end("a", failure("no"));
                let due = Some(world.now + secs(pause));
                assert_eq!(world.director.due(), due, "{kind} {round}");
                let silent = round > 0;
                assert_eq!(world.said().is_empty(), silent, "{kind} {round}");
                world.pass(secs(pause));
            }
        }
    }
}

/// As keepalived's, again by its rhythm.
#[test]
fn a_mail_server_has_all_its_retries_in_the_first_round() {
    let mut a = check(Kind::Smtp, "a");
    a.timing.retry = 2;
    let mut world = World::quietly(one(a));
    world.pass(secs(2));
    for _ in 0..2 {
        world.end("a", failure("554"));
        assert_eq!(world.director.due(), Some(world.now + secs(2)));
        assert_eq!(world.pool(1), "10.0.1.1:80=1");
        world.pass(secs(2));
    }
    world.end("a", failure("554"));
    assert_eq!(world.pool(1), "");
}

#[test]
fn one_success_brings_it_back_and_all_retries_with_it() {
    let mut world = World::quietly(one(check(Kind::Tcp, "a")));
    world.answer("a", failure("refused")).pass(secs(5));
    world.said();
    world.answer("a", Outcome::Success).pass(secs(10));
    assert_eq!(
        world.said(),
        [
            "probe a url 0".to_owned(),
            format!("log TCP connection to {RS} success."),
            format!("log Adding service {RS} to VS {VS}"),
            "[10.0.0.1]:tcp:80 -> 10.0.1.1:80 weight 1".to_owned(),
            format!("notify RS {RS} {VS} UP"),
            format!("log Gained quorum 1+0=1 <= 1 for VS {VS}"),
            format!("notify VS {VS} UP"),
        ]
    );
    world.answers.clear();
    world.pass(secs(10));
    for round in 0..3 {
        world.said();
        world.end("a", failure("refused"));
        assert_eq!(world.said().len(), 0, "round {round}: a retry of its own");
        world.pass(secs(2));
        world.end("a", Outcome::Success);
        world.pass(secs(10));
    }
}

#[test]
fn an_attempt_that_could_not_be_made_changes_nothing() {
    let mut world = World::quietly(one(check(Kind::Tcp, "a")));
    let unable = || Outcome::Unable("TCP socket bind failed. Rescheduling.".into());
    world.answer("a", unable()).pass(secs(35));
    assert_eq!(world.logged(), ["TCP socket bind failed. Rescheduling."; 4]);
    assert_eq!(world.pool(1), "10.0.1.1:80=1");
    world.answer("a", failure("refused")).pass(secs(10));
    assert_eq!(
        world.logged()[0],
        format!("TCP_CHECK on service {RS} failed.")
    );
    world.answer("a", unable()).pass(secs(100));
    assert_eq!(world.pool(1), "", "down stays down");
}

#[test]
fn alpha_is_down_until_a_success_and_says_so_once() {
    let mut a = check(Kind::Tcp, "a");
    a.alpha = true;
    let mut with = one(a);
    with.virtual_servers[0].real_servers[0].alpha = true;
    with.virtual_servers[0].alpha = true;
    let mut world = World::started(with);
    assert_eq!(
        world.said(),
        [
            "service [10.0.0.1]:tcp:80 wlc".to_owned(),
            format!("log Activating healthchecker for service {RS} for VS {VS}"),
        ]
    );
    world.answer("a", failure("refused")).pass(secs(31));
    let said = world.said();
    let said: Vec<_> = said
        .iter()
        .filter(|line| !line.starts_with("probe"))
        .collect();
    assert_eq!(
        said,
        [
            &format!("log TCP_CHECK on service {RS} failed."),
            &format!("notify RS {RS} {VS} DOWN"),
        ]
    );
    world.answer("a", Outcome::Success).pass(secs(10));
    assert_eq!(
        world.said()[1..],
        [
            format!("log TCP connection to {RS} success."),
            format!("log Adding service {RS} to VS {VS}"),
            "[10.0.0.1]:tcp:80 -> 10.0.1.1:80 weight 1".to_owned(),
            format!("notify RS {RS} {VS} UP"),
            format!("log Gained quorum 1+0=1 <= 1 for VS {VS}"),
            format!("notify VS {VS} UP"),
        ]
    );
}

#[test]
fn every_failed_attempt_is_logged_on_request() {
    let lines = |kind: Kind, text: &str| {
        let mut a = check(kind, "a");
        a.timing.retry = 3;
        a.log_all_failures = true;
        let mut world = World::quietly(one(a));
        world.answer("a", Outcome::Success).pass(secs(2));
        world.said();
        world.answer("a", failure(text)).pass(secs(60));
        let mut lines = world.logged();
        lines.retain(|line| !line.starts_with("Removing") && !line.starts_with("Lost"));
        lines
    };
    let tcp = format!("TCP connection to {RS} failed.");
    assert_eq!(
        lines(Kind::Tcp, &tcp),
        [
            tcp.clone(),
            tcp.clone(),
            tcp.clone(),
            tcp,
            format!("TCP_CHECK on service {RS} failed after 3 retries."),
        ]
    );
    let by = format!("Misc check for [{RS} VS {VS}] by [/m]");
    let script = || Kind::Misc {
        script: "/m".into(),
    };
    assert_eq!(
        lines(script(), "exited with status 1"),
        [
            format!("{by} failed, will do 3 retries (exited with status 1)."),
            format!("{by} failed on retry 1/3 (exited with status 1)."),
            format!("{by} failed on retry 2/3 (exited with status 1)."),
            format!("{by} failed after 3 retries (exited with status 1)."),
        ]
    );
    assert_eq!(
        lines(script(), "timed out")[3],
        format!("{by} timed out after 3 retries.")
    );
    assert_eq!(
        lines(
            Kind::Smtp,
            "SMTP_CHECK Bad greeting banner from server [10.0.1.1]:25"
        ),
        vec!["SMTP_CHECK Bad greeting banner from server [10.0.1.1]:25"; 4]
    );
    assert_eq!(
        lines(
            Kind::Dns,
            &format!("DNS_CHECK ({RS}) read timeout from socket")
        ),
        [
            format!("DNS_CHECK ({RS}) read timeout from socket"),
            format!("DNS_CHECK ({RS}) read timeout from socket"),
            format!("DNS_CHECK ({RS}) read timeout from socket"),
            format!("DNS_CHECK ({RS}) read timeout from socket after 3 retries"),
        ]
    );
}

#[test]
fn each_check_has_its_own_lines() {
    // What it says when it fails at once, when it fails after retries, and when it is well.
    let lines = |kind: Kind, retry: u32| {
        let mut a = check(kind, "a");
        a.timing.retry = retry;
        let mut world = World::quietly(one(a));
        let mut all = Vec::new();
        for outcome in [failure("why"), Outcome::Success, failure("why")] {
            world.answer("a", outcome).pass(secs(20));
            let lines = world.logged();
            let ours = lines.into_iter().filter(|line| {
                !["Lost", "Gained", "Removing", "Adding"]
                    .iter()
                    .any(|word| line.starts_with(word))
            });
            all.extend(ours);
        }
        all
    };
    assert_eq!(
        lines(Kind::Udp, 1),
        [
            format!("UDP_CHECK on service {RS} failed."),
            format!("UDP connection to {RS} success."),
            format!("UDP_CHECK on service {RS} failed after 1 retries."),
        ]
    );
    assert_eq!(
        lines(Kind::Tcp, 0)[2],
        format!("TCP_CHECK on service {RS} failed.")
    );
    assert_eq!(
        lines(Kind::Ping, 2),
        [
            format!("ICMP CHECK on service {RS} failed."),
            format!("ICMP connection to {RS} success."),
            format!("ICMP CHECK on service {RS} of {VS} failed after 2 retries."),
        ]
    );
    assert_eq!(
        lines(Kind::Smtp, 1),
        [
            "why".to_owned(),
            format!("Remote SMTP server {RS} succeed on service."),
            "why".to_owned(),
        ]
    );
    assert_eq!(
        lines(Kind::Dns, 1),
        ["why".to_owned(), "why after 1 retries".to_owned(),]
    );
    let http = Http {
        urls: [Url {
            path: "/".into(),
            proofs: [Proof::Status, Proof::Digest].into(),
        }]
        .into(),
        fast_recovery: true,
    };
    assert_eq!(
        lines(Kind::Ssl(http), 2),
        [
            format!("SSL_CHECK on service {RS} failed after 2 retries."),
            format!("HTTP status code success to {RS} url(/)"),
            format!("MD5 digest success to {RS} url(/)"),
            format!("HTTP status code success to {RS} url(/)"),
            format!("MD5 digest success to {RS} url(/)"),
            format!("Remote Web server {RS} succeed on service."),
            format!("SSL_CHECK on service {RS} failed after 2 retries."),
        ]
    );
    let by = format!("Misc check for [{RS} VS {VS}] by [/m]");
    let script = || Kind::Misc {
        script: "/m".into(),
    };
    assert_eq!(
        lines(script(), 1),
        [
            format!("{by} failed after 1 retry (why)."),
            format!("{by} succeeded."),
            format!("{by} failed after 1 retry (why)."),
        ]
    );
    assert_eq!(
        lines(script(), 0)[0],
        format!("{by} failed with retry disabled (why).")
    );
}

#[test]
fn late_and_foreign_outcomes_are_not_listened_to() {
    let mut world = World::quietly(one(check(Kind::Tcp, "a")));
    world.pass(secs(1));
    let old = world.running["a"].clone();
    world.end("a", Outcome::Success);
    world.pass(secs(10));
    world.said();
    world.feed(Input::Done {
        check: old.check,
        attempt: old.attempt,
        outcome: failure("refused"),
    });
    assert_eq!(world.said().len(), 0);
    assert_eq!(world.running.len(), 1, "the one under way still is");
    world.end("a", Outcome::Success);
    world.feed(Input::Stop);
    world.feed(Input::Done {
        check: old.check,
        attempt: old.attempt,
        outcome: failure("refused"),
    });
    assert_eq!(world.director.due(), None);
}

#[test]
fn alive_means_that_no_check_has_failed() {
    let mut with = one(check(Kind::Tcp, "a"));
    let second = check(Kind::Udp, "b");
    with.virtual_servers[0].real_servers[0].checks.push(second);
    let mut world = World::quietly(with);
    well(&mut world, &["a", "b"]);
    world.answer("a", failure("x")).answer("b", failure("y"));
    world.pass(secs(12));
    assert_eq!(world.pool(1), "");
    world.answer("a", Outcome::Success).pass(secs(12));
    assert_eq!(world.pool(1), "", "one of two is not enough");
    world.answer("b", Outcome::Success).pass(secs(12));
    assert_eq!(world.pool(1), "10.0.1.1:80=1");
}

#[test]
fn mails_tell_of_checks_or_only_of_servers() {
    let run = |no_checker_emails| {
        let mut with = one(check(Kind::Tcp, "a"));
        with.no_checker_emails = no_checker_emails;
        let server = &mut with.virtual_servers[0].real_servers[0];
        server.smtp_alert = true;
        server.checks.push(check(Kind::Ping, "b"));
        server.checks.push(misc("c"));
        let mut world = World::quietly(with);
        for key in ["a", "b", "c"] {
            world.answer(key, Outcome::Success);
        }
        world.pass(secs(5));
        world.answer("a", failure("x")).pass(secs(13));
        world.answer("b", failure("x")).pass(secs(13));
        world.answer("a", Outcome::Success).pass(secs(10));
        world.answer("b", Outcome::Success).pass(secs(10));
        world.mailed()
    };
    let mail = |health: &str, body: &str| {
        format!("Realserver {RS} of virtual server {VS} - {health} => {body} on service <=")
    };
    assert_eq!(
        run(false),
        [
            mail("UP", "MISC CHECK succeeded"),
            mail("DOWN", "TCP CHECK failed"),
            mail("DOWN", "ICMP CHECK failed"),
            mail("DOWN", "TCP CHECK succeed"),
            mail("UP", "ICMP CHECK succeed"),
        ]
    );
    assert_eq!(
        run(true),
        [
            mail("DOWN", "TCP CHECK failed"),
            mail("UP", "ICMP CHECK succeed")
        ]
    );
}

#[test]
fn a_shared_probe_is_made_once_for_all_who_are_set_alike() {
    let three = |share| {
        let mut with = settings(vec![
            virtual_server(1, vec![real(1)]),
            virtual_server(2, vec![real(1)]),
            virtual_server(3, vec![real(1)]),
        ]);
        with.share_probes = share;
        // The third one is asked at another pace.
        with.virtual_servers[2].real_servers[0].checks[0]
            .timing
            .delay_loop = secs(20);
        with
    };
    let attempts = |share| {
        let mut world = World::quietly(three(share));
        let mut out = Vec::new();
        let now = world.now + secs(1);
        world.director.handle(now, Input::Timer, &mut out);
        let probes = out.iter().filter(|one| matches!(one, Output::Probe(_)));
        probes.count()
    };
    assert_eq!((attempts(false), attempts(true)), (3, 2));
    // One outcome, and both are told.
    let mut with = three(true);
    with.virtual_servers.pop();
    let mut world = World::quietly(with);
    world.answer("r1", failure("x")).pass(secs(2));
    assert_eq!(
        (world.pool(1), world.pool(2)),
        (String::new(), String::new())
    );
    let said = world.said();
    let down = |n: u8| format!("notify RS [10.0.1.1]:tcp:80 [10.0.0.{n}]:tcp:80 DOWN");
    assert!(
        said.contains(&down(1)) && said.contains(&down(2)),
        "{said:?}"
    );
    let lines = said.iter().filter(|line| line.contains("TCP_CHECK"));
    assert_eq!(lines.count(), 1, "{said:?}");
}

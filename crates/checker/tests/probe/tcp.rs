//! `TCP_CHECK`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use rk_checker::probe::{HttpProbe, Probe};

use crate::server::{Full, nobody, own_address, tcp, tcp_at};
use crate::{assert_verdict, endpoint, impatient, report};

#[tokio::test]
async fn a_connection_is_enough() {
    let (address, seen) = tcp(|mut visit| visit.hold());
    assert_verdict(&report(&endpoint(address), &Probe::Tcp).await, "success");
    assert_eq!(seen.first(), b"gone", "it is closed at once");
    let (address, _) = tcp_at(IpAddr::V6(Ipv6Addr::LOCALHOST), |mut visit| visit.hold());
    assert_verdict(&report(&endpoint(address), &Probe::Tcp).await, "success");
}

#[tokio::test]
async fn nobody_there_and_no_answer() {
    assert_verdict(
        &report(&endpoint(nobody()), &Probe::Tcp).await,
        "TCP connection to [192.0.2.1]:tcp:80 failed.",
    );
    let full = Full::new();
    assert_verdict(
        &report(&impatient(full.address), &Probe::Tcp).await,
        "TCP connection to [192.0.2.1]:tcp:80 timeout.",
    );
}

#[tokio::test]
async fn source_address_and_port() {
    let (address, seen) = tcp(|mut visit| {
        visit.request();
        if let Ok(from) = visit.stream.peer_addr() {
            visit.seen.add(from.to_string().as_bytes());
        }
        visit.say(b"HTTP/1.0 200 OK\r\n\r\n");
    });
    let mut endpoint = endpoint(address);
    let from = own_address();
    endpoint.bind.addr = Some(from.into());
    endpoint.bind.port = 4711;
    endpoint.bind.interface = Some("lo".into());
    let page = Probe::Http(Box::new(HttpProbe::new("/")));
    assert_verdict(&report(&endpoint, &page).await, "success");
    assert_eq!(seen.nth(1), format!("{from}:4711").as_bytes());
    // The same port again, and nothing of the last connection is in the way.
    for _ in 0..5 {
        assert_verdict(&report(&endpoint, &Probe::Tcp).await, "success");
    }
}

#[tokio::test]
async fn what_is_wrong_with_this_host_says_nothing_about_the_other() {
    let (address, _) = tcp(|mut visit| visit.hold());
    let unable = "unable: TCP socket bind failed. Rescheduling.";
    let mut foreign = endpoint(address);
    foreign.bind.addr = Some("192.0.2.99".parse().unwrap());
    let found = report(&foreign, &Probe::Tcp).await;
    assert_verdict(&found, unable);
    assert_eq!(
        found.lines,
        ["Checker bind failed: Cannot assign requested address"]
    );

    let mut nowhere = endpoint(address);
    nowhere.bind.interface = Some("nonesuch".into());
    let found = report(&nowhere, &Probe::Tcp).await;
    assert_verdict(&found, unable);
    assert_eq!(
        found.lines,
        ["Checker can't bind to device nonesuch: No such device"]
    );

    let mut mixed = endpoint(address);
    mixed.bind.addr = Some("::1".parse().unwrap());
    assert_verdict(&report(&mixed, &Probe::Tcp).await, unable);
}

#[tokio::test]
async fn dropping_the_attempt_closes_the_connection() {
    let (address, seen) = tcp(|mut visit| visit.hold());
    let endpoint = endpoint(address);
    let probe = Probe::Smtp(rk_checker::probe::SmtpProbe::default());
    let attempt = rk_checker::probe::attempt(&endpoint, &probe, 0);
    let given = tokio::time::timeout(std::time::Duration::from_millis(100), attempt).await;
    assert!(given.is_err(), "the server says nothing");
    assert_eq!(seen.first(), b"gone");
    let metrics = tokio::runtime::Handle::current().metrics();
    assert_eq!(metrics.num_alive_tasks(), 0);
}

#[test]
fn addresses_are_compared_with_their_scope() {
    // Whoever builds endpoints gives the interface of a link-local address as its scope.
    let scoped: SocketAddr = "[fe80::1%7]:80".parse().unwrap();
    assert_eq!(endpoint(scoped).addr.to_string(), "[fe80::1%7]:80");
}

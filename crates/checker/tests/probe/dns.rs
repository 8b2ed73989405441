//! `DNS_CHECK` against dnsmasq, and against others.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use rk_checker::probe::{DnsProbe, Endpoint, Probe};
use tokio::time::timeout;

use crate::server::{Daemon, installed, nobody, own_address, udp};
use crate::{assert_verdict, endpoint, impatient, report};

fn asks(name: &str, kind: &str) -> Probe {
    Probe::Dns(DnsProbe::new(name, kind).unwrap())
}

#[tokio::test]
async fn a_real_server() {
    if !installed("dnsmasq") {
        return;
    }
    let address = SocketAddr::from((own_address(), 5353));
    let _dnsmasq = Daemon::start(
        Command::new("dnsmasq")
            .args(["--no-daemon", "--conf-file=/dev/null", "--bind-interfaces"])
            .args(["--no-resolv", "--no-hosts", "--pid-file="])
            .arg(format!("--listen-address={}", address.ip()))
            .arg(format!("--port={}", address.port()))
            .args([
                "--host-record=www.example.test,192.0.2.7",
                "--local=/example.test/",
            ])
            .args(["--txt-record=note.example.test,hello"]),
        address,
    );
    let endpoint = endpoint(address);
    for (name, kind) in [
        ("www.example.test", "A"),
        ("www.example.test.", "a"),
        ("note.example.test", "TXT"),
        // No such record, but the name exists: an empty answer is fine.
        ("www.example.test", "AAAA"),
    ] {
        assert_verdict(&report(&endpoint, &asks(name, kind)).await, "success");
    }
    assert_verdict(
        &report(&endpoint, &asks("none.example.test", "A")).await,
        "DNS_CHECK ([192.0.2.1]:tcp:80) read error occurred. (rcode = 3)",
    );
    // It knows no other server to ask about the root: REFUSED.
    assert_verdict(
        &report(&endpoint, &Probe::Dns(DnsProbe::default())).await,
        "DNS_CHECK ([192.0.2.1]:tcp:80) read error occurred. (rcode = 5)",
    );
}

#[tokio::test]
async fn the_query_on_the_wire() {
    let (server, seen) = udp(|query| Some([&query[..2], b"\x81\x80", &query[4..]].concat()));
    assert_verdict(
        &report(&endpoint(server), &Probe::Dns(DnsProbe::default())).await,
        "success",
    );
    let query = seen.first();
    assert_eq!(
        query[2..],
        *b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01"
    );
    report(&endpoint(server), &Probe::Dns(DnsProbe::default())).await;
    report(&endpoint(server), &Probe::Dns(DnsProbe::default())).await;
    let ids = [&query[..2], &seen.nth(1)[..2], &seen.nth(2)[..2]].concat();
    assert_ne!(ids, query[..2].repeat(3), "identifiers are random");
}

const TIMEOUT: &str = "DNS_CHECK ([192.0.2.1]:tcp:80) read timeout from socket";

#[tokio::test]
async fn what_is_no_answer_is_passed_over() {
    let wrong_id = |query: &[u8]| Some([b"xx\x81\x80", &query[4..]].concat());
    let no_answer = |query: &[u8]| Some(query.to_vec());
    let short = |query: &[u8]| Some(query[..3].to_vec());
    let probe = Probe::Dns(DnsProbe::default());
    for server in [udp(wrong_id), udp(no_answer), udp(short), udp(|_| None)] {
        assert_verdict(&report(&impatient(server.0), &probe).await, TIMEOUT);
    }
    // Garbage behind a good header, and a datagram longer than DNS has: only the header counts.
    let (long, _) = udp(|query| Some([&query[..2], b"\x81\x80", &[0xff; 9000]].concat()));
    assert_verdict(&report(&endpoint(long), &probe).await, "success");
}

#[tokio::test]
async fn a_flood_of_non_answers_does_not_prolong_the_attempt() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let (_, from) = socket.recv_from(&mut [0; 512]).unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end && socket.send_to(b"no", from).is_ok() {}
    });
    let probe = Probe::Dns(DnsProbe::default());
    let endpoint = impatient(address);
    let found = timeout(Duration::from_secs(5), report(&endpoint, &probe)).await;
    assert_verdict(&found.unwrap(), TIMEOUT);
}

#[tokio::test]
async fn nobody_there() {
    let probe = Probe::Dns(DnsProbe::default());
    assert_verdict(
        &report(&endpoint(nobody()), &probe).await,
        "DNS_CHECK ([192.0.2.1]:tcp:80) failed to read socket; errno 111 (Connection refused)",
    );
    let mut foreign: Endpoint = endpoint(nobody());
    foreign.bind.addr = Some("192.0.2.99".parse().unwrap());
    assert_verdict(
        &report(&foreign, &probe).await,
        "unable: DNS_CHECK ([192.0.2.1]:tcp:80) UDP socket bind failed. Rescheduling.",
    );
}

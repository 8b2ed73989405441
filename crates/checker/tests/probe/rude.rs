//! Servers that send too slowly, or nonsense. Those that send too much are in `memory.rs`.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::http::{get, probe};
use crate::server::tcp;
use crate::{RS, assert_verdict, endpoint, report};

#[tokio::test]
async fn one_octet_now_and_then() {
    for (head, problem) in [
        ("", "Timeout HTTP read"),
        ("HTTP/1.0 200 OK\r\n\r\n", "Timeout HTTP read"),
    ] {
        let (address, seen) = tcp(move |mut visit| {
            visit.request();
            visit.say(head.as_bytes());
            while visit.stream.write_all(b"a").is_ok() {
                rk_lab::pause(Duration::from_millis(10));
            }
            visit.seen.add(b"gone");
        });
        let mut endpoint = endpoint(address);
        // Long enough for a busy machine to connect in.
        endpoint.connect_timeout = Duration::from_millis(200);
        let start = Instant::now();
        let found = report(&endpoint, &probe(get("/"))).await;
        assert_verdict(&found, &format!("{problem} server {RS}."));
        let took = start.elapsed();
        assert!(
            took >= Duration::from_millis(2400),
            "12 times the timeout: {took:?}"
        );
        assert!(took < Duration::from_secs(20), "{took:?}");
        assert_eq!(seen.nth(1), b"gone");
    }
}

#[tokio::test]
async fn a_server_that_does_not_listen() {
    // Half closed from the start: the answer comes before the question is read.
    let (address, _) = tcp(|mut visit| {
        visit.say(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
        visit.stream.shutdown(std::net::Shutdown::Write).unwrap();
        visit.hold();
    });
    assert_verdict(
        &report(&endpoint(address), &probe(get("/"))).await,
        "success",
    );
}

#[tokio::test]
async fn random_octets() {
    for seed in 0..50u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let octets: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        })
        .take(5000)
        .collect();
        let (address, _) = crate::server::web(octets);
        let found = report(&endpoint(address), &probe(get("/"))).await;
        assert_ne!(crate::verdict(&found), "success", "{seed}");
    }
}

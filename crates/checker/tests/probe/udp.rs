//! `UDP_CHECK` against an echo service and worse.

use std::time::{Duration, Instant};

use rk_checker::probe::{Probe, Reply, UdpProbe, hex, hex_pattern};

use crate::server::{nobody, udp};
use crate::{assert_verdict, endpoint, impatient, report};

fn probe(payload: &str, reply: Option<Reply>) -> Probe {
    Probe::Udp(UdpProbe {
        payload: hex(payload).unwrap(),
        reply,
    })
}

fn wanted(pattern: &str) -> Option<Reply> {
    Some(Reply {
        pattern: hex_pattern(pattern).unwrap(),
        ..Reply::default()
    })
}

const MISMATCH: &str = "UDP check to [192.0.2.1]:tcp:80 reply data mismatch.";
const FAILED: &str = "UDP connection to [192.0.2.1]:tcp:80 failed.";

#[tokio::test]
async fn an_echo() {
    let (echo, seen) = udp(|datagram| Some(datagram.to_vec()));
    let echo = endpoint(echo);
    assert_verdict(&report(&echo, &probe("4142", None)).await, "success");
    assert_eq!(seen.first(), b"AB");
    for (pattern, expected) in [
        ("4142", "success"),
        ("41424344", "success"),
        ("4x42", "success"),
        ("", "success"),
        ("4143", MISMATCH),
    ] {
        assert_verdict(
            &report(&echo, &probe("4142", wanted(pattern))).await,
            expected,
        );
    }
    let of_length = |min_length, max_length| {
        Some(Reply {
            min_length,
            max_length,
            ..Reply::default()
        })
    };
    assert_verdict(
        &report(&echo, &probe("4142", of_length(3, 255))).await,
        MISMATCH,
    );
    assert_verdict(
        &report(&echo, &probe("4142", of_length(0, 1))).await,
        MISMATCH,
    );
    assert_verdict(
        &report(&echo, &probe("4142", of_length(2, 2))).await,
        "success",
    );
}

#[tokio::test]
async fn the_default_payload() {
    let (echo, seen) = udp(|datagram| Some(datagram.to_vec()));
    assert_verdict(&report(&endpoint(echo), &probe("", None)).await, "success");
    assert_eq!(seen.first(), b"keepalived check - keepalived ch");
}

#[tokio::test]
async fn silence_is_good_unless_a_reply_is_required() {
    let (mute, _) = udp(|_| None);
    let mute = impatient(mute);
    let start = Instant::now();
    assert_verdict(&report(&mute, &probe("00", None)).await, "success");
    assert!(
        start.elapsed() >= Duration::from_millis(150),
        "it takes the whole time"
    );
    assert_verdict(&report(&mute, &probe("00", wanted(""))).await, FAILED);
}

#[tokio::test]
async fn a_refused_port() {
    let start = Instant::now();
    assert_verdict(
        &report(&endpoint(nobody()), &probe("00", None)).await,
        FAILED,
    );
    assert_verdict(
        &report(&endpoint(nobody()), &probe("00", wanted(""))).await,
        FAILED,
    );
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "it is known at once"
    );
}

#[tokio::test]
async fn a_huge_reply() {
    let (flood, _) = udp(|_| Some(vec![b'x'; 65000]));
    assert_verdict(
        &report(&endpoint(flood), &probe("00", wanted(""))).await,
        MISMATCH,
    );
    assert_verdict(
        &report(&endpoint(flood), &probe("00", None)).await,
        "success",
    );
}

#[tokio::test]
async fn bound_to_nothing_of_ours() {
    let (echo, _) = udp(|datagram| Some(datagram.to_vec()));
    let mut endpoint = endpoint(echo);
    endpoint.bind.addr = Some("192.0.2.99".parse().unwrap());
    assert_verdict(
        &report(&endpoint, &probe("00", None)).await,
        "unable: UDP socket bind failed. Rescheduling.",
    );
}

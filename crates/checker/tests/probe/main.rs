//! Every probe against real servers of its kind, and against rude ones, on loopback addresses of
//! its own or in namespaces of its own.
//!
//! Verdicts and lines are those that Debian's keepalived 2.2.7 gave when it was shown the same
//! servers, except where `doc/compatibility.md` says otherwise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod dns;
mod http;
mod misc;
mod net;
mod parity;
mod regex;
mod rude;
mod server;
mod smtp;
mod tcp;
mod tls;
mod udp;

use std::net::SocketAddr;
use std::time::Duration;

use rk_checker::Outcome;
use rk_checker::probe::{Endpoint, Probe, Report, attempt};

/// What log lines call the server in these tests.
const RS: &str = "[192.0.2.1]:tcp:80";

/// The endpoint at `addr`; answers have 5 s.
fn endpoint(addr: SocketAddr) -> Endpoint {
    Endpoint::new(RS, addr)
}

/// The same for those that will not answer.
fn impatient(addr: SocketAddr) -> Endpoint {
    Endpoint {
        connect_timeout: Duration::from_millis(150),
        ..endpoint(addr)
    }
}

async fn report(endpoint: &Endpoint, probe: &Probe) -> Report {
    attempt(endpoint, probe, 0).await
}

/// The outcome in words: `success`, or the line of the log.
fn verdict(report: &Report) -> String {
    match &report.outcome {
        Outcome::Success => "success".to_owned(),
        Outcome::Weight(weight) => format!("weight {weight:?}"),
        Outcome::Failure(failure) => failure.to_string(),
        Outcome::Unable(line) => format!("unable: {line}"),
    }
}

/// Fails the test unless the attempt ends with `expected`.
#[track_caller]
fn assert_verdict(report: &Report, expected: &str) {
    assert_eq!(verdict(report), expected, "{report:?}");
}

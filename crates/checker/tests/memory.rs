//! Servers that send too much: what the process needs at most is measured, which is why these
//! tests have one to themselves and run one after the other.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use rk_checker::probe::{Digest, Endpoint, HttpProbe, Probe, Regex, RegexCheck, Report, attempt};
use rk_checker::{Failure, Outcome};

/// The most memory this process ever had, in kilobytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Answers one request with `head`, and with `octets` again and again, `times` times or until
/// nobody listens.
fn pours(head: &'static str, octets: Vec<u8>, times: usize) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut octet = [0];
        while !request.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut octet), Ok(1)) {
            request.push(octet[0]);
        }
        stream.write_all(head.as_bytes()).unwrap();
        for _ in 0..times {
            if stream.write_all(&octets).is_err() {
                break;
            }
        }
    });
    address
}

/// One attempt, which must not make the process grow by more than `most` kilobytes.
async fn measured(address: SocketAddr, http: HttpProbe, most: u64) -> Report {
    let mut endpoint = Endpoint::new("RS", address);
    endpoint.connect_timeout = Duration::from_secs(30);
    let before = peak();
    let report = attempt(&endpoint, &Probe::Http(Box::new(http)), 0).await;
    let grown = peak() - before;
    assert!(grown < most, "{grown} kB more for {report:?}");
    report
}

fn failure(line: &str) -> Outcome {
    Outcome::Failure(Failure(line.to_owned()))
}

#[tokio::test]
async fn memory_is_bounded_whatever_is_sent() {
    const HEAD: &str = "HTTP/1.0 200 OK\r\n\r\n";
    let gigabyte = pours(HEAD, vec![b'a'; 1 << 16], 1 << 14);
    let report = measured(gigabyte, HttpProbe::new("/"), 8 * 1024).await;
    assert_eq!(report.outcome, Outcome::Success);
    assert_eq!(report.http.unwrap().received, 1 << 30);

    // Hashed and searched, and every octet begins a match that does not end: the worst case.
    let address = pours(HEAD, vec![b'a'; 1 << 16], 1 << 9);
    let mut hash = openssl::hash::Hasher::new(openssl::hash::MessageDigest::md5()).unwrap();
    for _ in 0..1 << 9 {
        hash.update(&[b'a'; 1 << 16]).unwrap();
    }
    let mut http = HttpProbe::new("/");
    http.digest = Some(Digest(hash.finish().unwrap()[..].try_into().unwrap()));
    http.regex = Some(RegexCheck::new(Regex::new("a+b", []).unwrap()));
    let report = measured(address, http, 16 * 1024).await;
    assert_eq!(report.outcome, failure("Regex match failed server RS."));
    let line = "Regex partial match preserve too large - discarding";
    assert_eq!(report.lines, [line]);

    // Heads without an end.
    for octets in ["X-Long: yes\r\n".repeat(1000), "x".repeat(10_000)] {
        let address = pours("HTTP/1.0 200 OK\r\n", octets.into_bytes(), usize::MAX);
        let report = measured(address, HttpProbe::new("/"), 4 * 1024).await;
        let no_data = failure("Read, no data received from  server RS.");
        assert_eq!(report.outcome, no_data);
    }
}

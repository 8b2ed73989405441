//! A process without descriptors left, which is why this test has one to itself.

use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsRawFd;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rk_checker::Outcome;
use rk_checker::probe::{DnsProbe, Endpoint, HttpProbe, Probe, SmtpProbe, UdpProbe, attempt};

#[tokio::test]
async fn is_no_failure_of_the_server() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = Endpoint::new("RS", listener.local_addr().unwrap());
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let next = std::fs::File::open("/dev/null").unwrap();
    let left = u64::try_from(next.as_raw_fd()).unwrap();
    drop(next);
    for (probe, line) in [
        (Probe::Tcp, "TCP socket bind failed. Rescheduling."),
        (
            Probe::Udp(UdpProbe::default()),
            "UDP socket bind failed. Rescheduling.",
        ),
        (Probe::Ping, "ICMP socket bind failed. Rescheduling."),
        (
            Probe::Http(Box::new(HttpProbe::new("/"))),
            "WEB socket bind failed. Rescheduling",
        ),
        (
            Probe::Smtp(SmtpProbe::default()),
            "SMTP_CHECK socket bind failed. Rescheduling.",
        ),
        (
            Probe::Dns(DnsProbe::default()),
            "DNS_CHECK (RS) UDP socket bind failed. Rescheduling.",
        ),
    ] {
        setrlimit(Resource::RLIMIT_NOFILE, left, hard).unwrap();
        let report = attempt(&endpoint, &probe, 0).await;
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
        assert_eq!(report.outcome, Outcome::Unable(line.to_owned()));
        assert!(
            report.lines[0].ends_with("Too many open files"),
            "{report:?}"
        );
    }
    let report = attempt(&endpoint, &Probe::Tcp, 0).await;
    assert_eq!(
        report.outcome,
        Outcome::Success,
        "and it goes on afterwards"
    );
}

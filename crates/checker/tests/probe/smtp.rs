//! `SMTP_CHECK` against aiosmtpd and Postfix, and against rude servers.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;
use std::time::Duration;

use rk_checker::probe::{Probe, SmtpProbe};

use crate::server::{Daemon, Full, Visit, nobody, own_address, skipped, tcp};
use crate::{assert_verdict, endpoint, impatient, report};

fn probe() -> Probe {
    Probe::Smtp(SmtpProbe::default())
}

/// Says the lines, each but the first after hearing one; then `end`.
pub(crate) fn speaks(
    lines: &'static [&'static str],
    end: fn(Visit),
) -> (SocketAddr, crate::server::Seen) {
    tcp(move |mut visit| {
        for line in lines {
            visit.say(line.as_bytes());
            if !hears(&mut visit) {
                return;
            }
        }
        end(visit);
    })
}

/// Reads one line; `false` at the end.
fn hears(visit: &mut Visit) -> bool {
    use std::io::Read;
    let mut line = Vec::new();
    let mut octet = [0];
    while !line.ends_with(b"\n") {
        match visit.stream.read(&mut octet) {
            Ok(1) => line.push(octet[0]),
            _ => break,
        }
    }
    visit.seen.add(&line);
    !line.is_empty()
}

fn close(_: Visit) {}
fn hold(mut visit: Visit) {
    visit.hold();
}

#[tokio::test]
async fn a_real_server() {
    let module = "/usr/lib/python3/dist-packages/aiosmtpd";
    if !std::path::Path::new(module).exists() {
        return skipped("python3-aiosmtpd is not installed");
    }
    let address = SocketAddr::from((own_address(), 2525));
    let _server = Daemon::start(
        Command::new("/usr/bin/python3")
            .args(["-m", "aiosmtpd", "-n", "-l", &address.to_string()])
            .current_dir("/"),
        address,
    );
    let endpoint = endpoint(address);
    assert_verdict(&report(&endpoint, &probe()).await, "success");
    let rude_name = Probe::Smtp(SmtpProbe {
        helo_name: String::new(),
    });
    assert_verdict(
        &report(&endpoint, &rude_name).await,
        &format!(
            "SMTP_CHECK Bad HELO response from server [{}]:2525",
            address.ip()
        ),
    );
}

/// Postfix needs root, users of its own and its directories: a guest has all of them.
#[test]
fn postfix() {
    if !std::path::Path::new("/usr/lib/postfix/sbin/smtpd").exists() {
        return skipped("postfix is not installed");
    }
    rk_lab::in_guest(|| {
        // Those of an ordinary user's guest belong to somebody else.
        if std::fs::metadata("/").unwrap().uid() != 0 {
            return skipped("Postfix insists on root's files");
        }
        let postfix = |settings: &[&str]| {
            let settings = settings.join("' '");
            let all = format!(
                "postconf -e inet_interfaces=127.0.0.1 compatibility_level=3.6 alias_maps= '{settings}'
                 postfix stop 2> /dev/null; postfix start"
            );
            let output = Command::new("/bin/sh").args(["-c", &all]).output().unwrap();
            let log = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{log}");
            let address = SocketAddr::from(([127, 0, 0, 1], 25));
            let what = format!("Postfix; it says {log}");
            rk_lab::eventually(Duration::from_secs(20), &what, || {
                std::net::TcpStream::connect(address).ok()
            });
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(report(&endpoint(address), &probe()))
        };
        assert_verdict(&postfix(&["smtpd_banner=$myhostname ESMTP"]), "success");
        // It knows no host of our name, and says so before it is asked for anything else.
        let refuses = [
            "smtpd_delay_reject=no",
            "smtpd_helo_restrictions=check_helo_access static:reject",
        ];
        assert_verdict(
            &postfix(&refuses),
            "SMTP_CHECK Bad HELO response from server [127.0.0.1]:25",
        );
        // Its guard at the door greets in two lines, with a second between them.
        let guarded = [
            "smtpd_helo_restrictions=",
            "postscreen_access_list=",
            "postscreen_greet_action=enforce",
            "postscreen_greet_wait=1s",
            "postscreen_dnsbl_sites=",
        ];
        let master = "postconf -M smtp/inet='smtp inet n - n - 1 postscreen' \
                      smtpd/pass='smtpd pass - - n - - smtpd'";
        let changed = Command::new("/bin/sh").args(["-c", master]).status();
        assert!(changed.unwrap().success());
        assert_verdict(&postfix(&guarded), "success");
    });
}

#[tokio::test]
async fn the_dialogue_on_the_wire() {
    let (address, seen) = speaks(&["220 hi\r\n", "250 ok\r\n", "221 bye\r\n"], close);
    assert_verdict(&report(&endpoint(address), &probe()).await, "success");
    assert_eq!(seen.nth(0), b"HELO smtpchecker.keepalived.org\r\n");
    assert_eq!(seen.nth(1), b"QUIT\r\n");
    assert_eq!(seen.nth(2), b"", "closed");
}

#[tokio::test]
async fn good_ones_and_bad_ones() {
    const BANNER: &str = "Bad greeting banner from";
    const HELO: &str = "Bad HELO response from";
    const FAILURE: &str = "Read failure from";
    type Lines = &'static [&'static str];
    let cases: &[(Lines, &str)] = &[
        (&["220 hi\n", "250 ok\n", "999 bye\n"], ""),
        (&["220 hi\r\n", "250 ok\r\n", "what?\r\n"], ""),
        (&["220\r\n", "250\r\n", "221\r\n"], ""),
        (
            &[
                "220-hi\r\n220-legal text\r\n220 there\r\n",
                "250-a\r\n250 ok\r\n",
                "221 bye\r\n",
            ],
            "",
        ),
        (&["554 no\r\n"], BANNER),
        (&["2200 hi\r\n"], BANNER),
        (&["hello\r\n"], BANNER),
        (&["\r\n"], BANNER),
        (&["220 hi\r\n", "500 what\r\n"], HELO),
        (&["220 hi\r\n", "250ok\r\n"], HELO),
        (&[], FAILURE),
        (&["220 hi\r\n", "250 ok\r\n"], FAILURE),
    ];
    for (lines, problem) in cases {
        let (address, _) = speaks(lines, close);
        let expected = if problem.is_empty() {
            "success".to_owned()
        } else {
            format!("SMTP_CHECK {problem} server [127.0.0.1]:{}", address.port())
        };
        assert_verdict(&report(&endpoint(address), &probe()).await, &expected);
    }
    let (address, _) = speaks(&["220 hi\r\n"], Visit::reset);
    assert_verdict(
        &report(&endpoint(address), &probe()).await,
        &format!("SMTP_CHECK Read failure from server {}", bracketed(address)),
    );
}

fn bracketed(address: SocketAddr) -> String {
    format!("[{}]:{}", address.ip(), address.port())
}

#[tokio::test]
async fn no_answer_at_any_step() {
    let silent: [&'static [&'static str]; 4] = [
        &[],
        &["220 hi\r\n"],
        &["220 hi\r\n", "250 ok\r\n"],
        &["220-and then noth"],
    ];
    for lines in silent {
        let (address, _) = speaks(lines, hold);
        let expected = format!("SMTP_CHECK Read timeout from server {}", bracketed(address));
        assert_verdict(&report(&impatient(address), &probe()).await, &expected);
    }
    let full = Full::new();
    assert_verdict(
        &report(&impatient(full.address), &probe()).await,
        &format!(
            "SMTP_CHECK Connection timeout to server {}",
            bracketed(full.address)
        ),
    );
    let nobody = nobody();
    assert_verdict(
        &report(&endpoint(nobody), &probe()).await,
        &format!(
            "SMTP_CHECK Could not connect to server {}",
            bracketed(nobody)
        ),
    );
}

#[tokio::test]
async fn endless_greetings() {
    for line in ["x".repeat(1000), "220-hello\r\n".repeat(100)] {
        let (address, _) = tcp(move |mut visit| {
            use std::io::Write;
            while visit.stream.write_all(line.as_bytes()).is_ok() {}
        });
        assert_verdict(
            &report(&endpoint(address), &probe()).await,
            &format!(
                "SMTP_CHECK Bad greeting banner from server {}",
                bracketed(address)
            ),
        );
    }
}

#[tokio::test]
async fn one_octet_now_and_then() {
    let (address, _) = tcp(|mut visit| {
        use std::io::Write;
        while visit.stream.write_all(b"2").is_ok() {
            rk_lab::pause(Duration::from_millis(10));
        }
    });
    let mut endpoint = endpoint(address);
    endpoint.connect_timeout = Duration::from_millis(50);
    assert_verdict(
        &report(&endpoint, &probe()).await,
        &format!("SMTP_CHECK Read timeout from server {}", bracketed(address)),
    );
}

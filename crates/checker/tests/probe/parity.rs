//! Debian's keepalived and these probes are shown the same servers, and must say the same.
//!
//! keepalived's checkers run only where there is IPVS, so this happens in a guest.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use rk_checker::probe::{
    DnsProbe, Endpoint, ExitStatus, HttpProbe, MiscProbe, Probe, Reply, Report, SmtpProbe,
    StatusCodes, UdpProbe, attempt, hex_pattern,
};
use rk_lab::{Daemon, Lab, Node, Which, in_guest};
use rk_script::{Command, Credentials};

use crate::http::{digest_of, get, probe};
use crate::server::{LIMIT, Visit, nobody, tcp, udp};
use crate::verdict;

/// One real server with one checker, and what they say about it.
struct Case {
    address: SocketAddr,
    /// The checker's block, without what all have.
    check: String,
    probe: Probe,
    /// keepalived's line about a success, where it has one; `RS` is the server.
    success: &'static str,
}

const VIRTUAL: &str = "[192.0.2.80]:tcp:80";

fn http(octets: &str, end: fn(Visit), change: fn(&mut HttpProbe), words: &str) -> Case {
    let octets = octets.to_owned();
    let (address, _) = tcp(move |mut visit| {
        visit.request();
        visit.say(octets.as_bytes());
        end(visit);
    });
    let mut page = get("/a?b=c");
    change(&mut page);
    Case {
        address,
        check: format!("HTTP_GET {{ COMMON\nurl {{\npath /a?b=c\n{words}\n}} }}"),
        probe: probe(page),
        success: "Remote Web server RS succeed on service.",
    }
}

fn ssl(address: SocketAddr) -> Case {
    Case {
        address,
        check: "SSL_GET { COMMON\nurl {\npath /page\n} }".into(),
        probe: crate::tls::anonymous_ssl_get(),
        success: "Remote Web server RS succeed on service.",
    }
}

fn smtp(lines: &'static [&'static str], end: fn(Visit)) -> Case {
    let (address, _) = crate::smtp::speaks(lines, end);
    Case {
        address,
        check: "SMTP_CHECK { COMMON }".into(),
        probe: Probe::Smtp(SmtpProbe::default()),
        success: "Remote SMTP server RS succeed on service.",
    }
}

fn dns(answer: fn(&[u8]) -> Option<Vec<u8>>) -> Case {
    Case {
        address: udp(answer).0,
        check: "DNS_CHECK { COMMON }".into(),
        probe: Probe::Dns(DnsProbe::default()),
        success: "",
    }
}

fn datagram(answer: fn(&[u8]) -> Option<Vec<u8>>, pattern: Option<&str>, words: &str) -> Case {
    let reply = pattern.map(|pattern| Reply {
        pattern: hex_pattern(pattern).unwrap(),
        min_length: if words.contains("min_reply_length") {
            3
        } else {
            0
        },
        max_length: 255,
    });
    Case {
        address: udp(answer).0,
        check: format!("UDP_CHECK {{ COMMON\npayload 4142\n{words}\n}}"),
        probe: Probe::Udp(UdpProbe {
            payload: b"AB".to_vec(),
            reply,
        }),
        success: "UDP connection to RS success.",
    }
}

fn misc(node: &Node, number: usize, body: &str, exit_status: ExitStatus) -> Case {
    let path = format!("/run/check{number}.sh");
    node.script(&path, &format!("#!/bin/sh\n{body}\n"));
    let dynamic = match exit_status {
        ExitStatus::Plain => "",
        ExitStatus::Dynamic => "misc_dynamic",
    };
    Case {
        address: nobody(),
        check: format!(
            "MISC_CHECK {{\nlog_all_failures\nretry 1\ndelay_before_retry 1\nmisc_timeout 1\n\
             misc_path {path}\n{dynamic}\n}}"
        ),
        probe: Probe::Misc(MiscProbe {
            command: Command::new(node.path(&path), Credentials::current()),
            timeout: Duration::from_secs(1),
            exit_status,
        }),
        success: "succeeded.",
    }
}

fn close(_: Visit) {}

fn hold(mut visit: Visit) {
    visit.hold();
}

fn reset(visit: Visit) {
    rk_lab::pause(Duration::from_millis(200));
    visit.reset();
}

fn cases(node: &Node) -> Vec<Case> {
    const OK: &str = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let as_is = |_: &mut HttpProbe| {};
    let simple = |address, check: &str, probe, success| Case {
        address,
        check: format!("{check} {{ COMMON }}"),
        probe,
        success,
    };
    let open = || tcp(hold).0;
    let ping = "ICMP connection to RS success.";
    vec![
        simple(
            open(),
            "TCP_CHECK",
            Probe::Tcp,
            "TCP connection to RS success.",
        ),
        simple(nobody(), "TCP_CHECK", Probe::Tcp, ""),
        simple(nobody(), "PING_CHECK", Probe::Ping, ping),
        simple(
            "10.9.0.77:7".parse().unwrap(),
            "PING_CHECK",
            Probe::Ping,
            ping,
        ),
        http(OK, close, as_is, ""),
        http(&OK.replace("200", "500"), close, as_is, ""),
        http(
            &OK.replace("200", "404"),
            close,
            |page| page.status = StatusCodes(vec![302..=302, 400..=410]),
            "status_code 302 400-410",
        ),
        http("", close, as_is, ""),
        http("garbage", close, as_is, ""),
        http("", Visit::reset, as_is, ""),
        http("", hold, as_is, ""),
        http("HTTP/1.0 200 OK\r\n\r\nhello", hold, as_is, ""),
        http("HTTP/1.0 200 OK\r\n\r\nhello", reset, as_is, ""),
        http(
            "HTTP/1.0 200 OK\nContent-Length: 5\n\nhello",
            close,
            as_is,
            "",
        ),
        http("ICY 200 OK\r\n\r\nhello", close, as_is, ""),
        http("HTTP/1.1 2000 OK\r\n\r\nhello", close, as_is, ""),
        http(
            OK,
            close,
            |page| page.digest = Some(digest_of(b"hello")),
            "digest 5d41402abc4b2a76b9719d911017c592",
        ),
        http(
            OK,
            close,
            |page| page.digest = Some(digest_of(b"other")),
            "digest 795f3202b17cb6bc3d4b771d8c6c9eaf",
        ),
        http(
            "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nhello",
            close,
            as_is,
            "",
        ),
        ssl(crate::tls::expired()),
        // It stays: of one that is gone at once keepalived may see the end before it sees that it
        // is connected, and says that the connection failed.
        ssl(tcp(|mut visit| {
            visit.say(b"nonsense, not TLS at all");
            visit.hold();
        })
        .0),
        ssl(tcp(hold).0),
        ssl(nobody()),
        smtp(&["220 hi\r\n", "250 ok\r\n", "221 bye\r\n"], close),
        smtp(&["220 hi\n", "250 ok\n", "999 bye\n"], close),
        smtp(&["554 no\r\n"], close),
        smtp(&["2200 hi\r\n"], close),
        smtp(&["220 hi\r\n", "500 what\r\n"], close),
        smtp(&[], close),
        smtp(&[], Visit::reset),
        smtp(&["220 hi\r\n", "250 ok\r\n"], close),
        smtp(&[], hold),
        smtp(&["220 hi\r\n"], hold),
        smtp(&["220 hi\r\n", "250 ok\r\n"], hold),
        dns(|query| Some([&query[..2], b"\x81\x80", &query[4..]].concat())),
        dns(|query| Some([&query[..2], b"\x81\x83", &query[4..]].concat())),
        dns(|query| Some([b"xx\x81\x80", &query[4..]].concat())),
        dns(|query| Some(query.to_vec())),
        dns(|query| Some(query[..3].to_vec())),
        dns(|_| None),
        simple(nobody(), "DNS_CHECK", Probe::Dns(DnsProbe::default()), ""),
        datagram(|sent| Some(sent.to_vec()), None, ""),
        datagram(|_| None, None, ""),
        datagram(
            |sent| Some(sent.to_vec()),
            Some("4142"),
            "require_reply 4142",
        ),
        datagram(
            |sent| Some(sent.to_vec()),
            Some("41424344"),
            "require_reply 41424344",
        ),
        datagram(
            |sent| Some(sent.to_vec()),
            Some("4x43"),
            "require_reply 4x43",
        ),
        datagram(
            |sent| Some(sent.to_vec()),
            Some("4142"),
            "require_reply 4142\nmin_reply_length 3",
        ),
        datagram(|_| None, Some(""), "require_reply"),
        misc(node, 0, "exit 0", ExitStatus::Plain),
        misc(node, 1, "exit 1", ExitStatus::Plain),
        misc(node, 2, "exit 9", ExitStatus::Plain),
        misc(node, 3, "exit 9", ExitStatus::Dynamic),
        misc(node, 4, "kill -9 $$", ExitStatus::Dynamic),
        misc(node, 5, "exec sleep 30", ExitStatus::Plain),
    ]
}

/// What the log must have about `case`, and what it must not have.
fn expected(case: &Case, service: &str, verdict: &str) -> (Vec<String>, Option<String>) {
    let is_success = verdict == "success" || verdict.starts_with("weight");
    if matches!(case.probe, Probe::Misc(_)) {
        let whom = format!("[{service} VS {VIRTUAL}]");
        let what = match verdict {
            _ if is_success => case.success.to_owned(),
            "timed out" => "] timed out after 1 retry.".to_owned(),
            verdict => format!("({verdict})"),
        };
        return (vec![whom, what], None);
    }
    match (is_success, case.success) {
        (true, "") => (vec![], Some(format!("DNS_CHECK ({service})"))),
        (true, success) => (vec![success.replace("RS", service)], None),
        (false, _) => (vec![verdict.to_owned()], None),
    }
}

#[test]
fn keepalived_says_the_same() {
    in_guest(|| {
        let lab = Lab::new("parity").unwrap();
        let node = lab.node("director");
        node.net_sh("ip link add d0 type dummy; ip link set d0 up; ip addr add 10.9.0.1/24 dev d0");
        let cases = node.in_net(|| cases(&node));
        let mut configuration = "global_defs {\nscript_user root\nenable_script_security\n}\n\
             virtual_server 192.0.2.80 80 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n\
             delay_loop 60\nwarmup 0\n"
            .to_owned();
        for case in &cases {
            let common = "log_all_failures\nretry 1\ndelay_before_retry 1\nconnect_timeout 1\n";
            let check = case.check.replace("COMMON", common);
            let (ip, port) = (case.address.ip(), case.address.port());
            writeln!(configuration, "real_server {ip} {port} {{\n{check}\n}}").unwrap();
        }
        configuration.push_str("}\n");
        let mut keepalived = Daemon::start(&node, Which::Keepalived, &configuration);

        let ours: Vec<(String, Report)> = node.in_net(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let each = cases.iter().map(|case| {
                let (ip, port) = (case.address.ip(), case.address.port());
                let service = format!("[{ip}]:tcp:{port}");
                let endpoint = Endpoint {
                    connect_timeout: Duration::from_secs(1),
                    ..Endpoint::new(&service, case.address)
                };
                let report = runtime.block_on(attempt(&endpoint, &case.probe, 0));
                (service, report)
            });
            each.collect()
        });
        for (case, (service, report)) in cases.iter().zip(&ours) {
            let (parts, without) = expected(case, service, &verdict(report));
            let find = || {
                let log = keepalived.log();
                let all = |line: &&str| parts.iter().all(|part| line.contains(part.as_str()));
                (parts.is_empty() || log.lines().any(|line| all(&line))).then_some(())
            };
            rk_lab::eventually(LIMIT, &format!("{}: {parts:?}", case.check), find);
            let http = report.http.as_ref();
            if let Some(line) = http.and_then(|it| it.mismatch(service, VIRTUAL, "/a?b=c")) {
                assert_eq!(keepalived.count(&line), 1, "{line}");
            }
            if let Some(without) = without {
                assert_eq!(keepalived.count(&without), 0, "{}", case.check);
            }
        }
        keepalived.stop();
    });
}

//! Load balancing: every keyword lands in its field.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use std::collections::BTreeSet;

use rk_config::Loaded;
use rk_config::model::{Check, Forwarding, Sni, Tunnel};
use rk_config::table::Context;
use serde_json::Value;
use support::lvs::{
    BASICS, checker, first_checker, first_server, json, load, only, server, service,
};
use support::messages;

/// Each line alone changes the value at a place of the model to the given one, and all keywords
/// of the context but `others` are among them.
#[track_caller]
fn each(
    context: Context,
    rows: &[(&str, &str, &str)],
    others: &[&str],
    make: impl Fn(&str) -> Loaded,
    part: impl Fn(&Loaded) -> Value,
) {
    let mut seen: BTreeSet<&str> = others.iter().copied().collect();
    for (line, pointer, want) in rows {
        let loaded = make(line);
        let status = loaded.exit_status();
        assert_eq!(status, 0, "{line}: {}", messages(&loaded));
        let want: Value = serde_json::from_str(want).unwrap();
        let got = part(&loaded).pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(got, want, "{line}");
        seen.extend(line.split(';').filter_map(|l| l.split(' ').next()));
    }
    for keyword in context.keywords() {
        assert!(
            seen.contains(keyword.name),
            "{} is not tested",
            keyword.name
        );
    }
}

/// Without any of the lines, the places have other values.
#[track_caller]
fn differs(rows: &[(&str, &str, &str)], plain: &Value, same: &[&str]) {
    for (line, pointer, want) in rows {
        let want: Value = serde_json::from_str(want).unwrap();
        let got = plain.pointer(pointer).cloned().unwrap_or_default();
        let word = line.split(' ').next().unwrap();
        assert!(got != want || same.contains(&word), "{line} is the default");
    }
}

const SECS_7: &str = r#"{"secs":7,"nanos":0}"#;

const MILLIS_1500: &str = r#"{"secs":1,"nanos":500000000}"#;

#[test]
fn every_keyword_of_a_service() {
    let rows = [
        ("retry 7", "/timing/retry", "7"),
        (
            "delay_before_retry 1.5",
            "/timing/delay_before_retry",
            MILLIS_1500,
        ),
        ("warmup 7", "/timing/warmup", SECS_7),
        ("connect_timeout 7", "/timing/connect_timeout", SECS_7),
        ("delay_loop 7", "/timing/delay_loop", SECS_7),
        ("inhibit_on_failure", "/inhibit_on_failure", "true"),
        ("lb_algo wrr", "/scheduler", r#""wrr""#),
        ("lvs_sched sed", "/scheduler", r#""sed""#),
        ("lb_algo sh;hashed", "/flags/hashed", "true"),
        ("flag-1", "/flags/sched1", "true"),
        ("flag-2", "/flags/sched2", "true"),
        ("flag-3", "/flags/sched3", "true"),
        ("lb_algo sh;sh-port", "/flags/sched2", "true"),
        ("lb_algo sh;sh-fallback", "/flags/sched1", "true"),
        ("lb_algo mh;mh-port", "/flags/sched2", "true"),
        ("lb_algo mh;mh-fallback", "/flags/sched1", "true"),
        ("protocol UDP;ops", "/ops", "true"),
        ("lvs_method NAT;lb_kind NAT", "/forwarding", r#""Nat""#),
        ("persistence_engine sip", "/persistence_engine", r#""sip""#),
        ("persistence_timeout 7", "/persistence/timeout", SECS_7),
        (
            "persistence_granularity 255.255.255.0",
            "/persistence/granularity/Mask",
            r#""255.255.255.0""#,
        ),
        ("protocol sctp", "/service/Address/protocol", r#""Sctp""#),
        ("ha_suspend", "/ha_suspend", "true"),
        ("smtp_alert", "/smtp_alert", "true"),
        ("virtualhost h", "/virtualhost", r#""h""#),
        ("snmp_name n", "/snmp_name", r#""n""#),
        ("alpha", "/alpha", "true"),
        ("omega", "/omega", "true"),
        (
            "quorum_up \"/usr/bin/true a\"",
            "/quorum_up/argv/1",
            r#""a""#,
        ),
        (
            "quorum_down \"/usr/bin/true b\"",
            "/quorum_down/argv/1",
            r#""b""#,
        ),
        ("weight 9;quorum 4", "/quorum", "4"),
        ("weight 9;quorum 4;hysteresis 2", "/hysteresis", "2"),
        ("weight 9", "/weight", "9"),
        ("sorry_server 192.0.2.30 81", "/sorry_server/port", "81"),
        (
            "sorry_server 192.0.2.30 81;sorry_server_inhibit",
            "/sorry_server/inhibit",
            "true",
        ),
        (
            "sorry_server 192.0.2.30 80;sorry_server_lvs_method DR",
            "/sorry_server/forwarding",
            r#""Dr""#,
        ),
    ];
    let others = ["real_server", "ip_family"];
    let part = |l: &Loaded| json(only(l));
    each(Context::VirtualServer, &rows, &others, service, part);
    differs(&rows, &part(&service("")), &["lvs_method"]);
}

#[test]
fn every_keyword_of_a_real_server() {
    let rows = [
        ("weight 9", "/weight", "9"),
        (
            "lvs_method NAT;lvs_method TUN",
            "/forwarding/Tun/kind",
            r#""Ipip""#,
        ),
        ("uthreshold 7", "/uthreshold", "7"),
        ("lthreshold 7", "/lthreshold", "7"),
        ("inhibit_on_failure", "/inhibit_on_failure", "true"),
        (
            "notify_up \"/usr/bin/true a\"",
            "/notify_up/argv/1",
            r#""a""#,
        ),
        (
            "notify_down \"/usr/bin/true b\"",
            "/notify_down/argv/1",
            r#""b""#,
        ),
        ("alpha", "/alpha", "true"),
        ("retry 7", "/timing/retry", "7"),
        (
            "delay_before_retry 1.5",
            "/timing/delay_before_retry",
            MILLIS_1500,
        ),
        ("warmup 7", "/timing/warmup", SECS_7),
        ("connect_timeout 7", "/timing/connect_timeout", SECS_7),
        ("delay_loop 7", "/timing/delay_loop", SECS_7),
        ("smtp_alert no", "/smtp_alert", "false"),
        ("virtualhost h", "/virtualhost", r#""h""#),
        ("snmp_name n", "/snmp_name", r#""n""#),
        (
            "MISC_CHECK {;misc_path /usr/bin/true;}",
            "/checkers/0/check/Misc/command/path",
            r#""/usr/bin/true""#,
        ),
        (
            "TCP_CHECK {;}",
            "/checkers/0/check/Tcp/target",
            r#""192.0.2.20:8080""#,
        ),
        (
            "PING_CHECK {;}",
            "/checkers/0/check/Ping/target",
            r#""192.0.2.20:8080""#,
        ),
        (
            "UDP_CHECK {;}",
            "/checkers/0/check/Udp/0/target",
            r#""192.0.2.20:8080""#,
        ),
        (
            "SMTP_CHECK {;}",
            "/checkers/0/check/Smtp/1/helo_name",
            r#""smtpchecker.keepalived.org""#,
        ),
        (
            "HTTP_GET {;url {;path /a;};}",
            "/checkers/0/check/Http/1/urls/0/path",
            r#""/a""#,
        ),
        (
            "SSL_GET {;url {;path /a;};}",
            "/checkers/0/check/Http/1/tls/verify",
            "false",
        ),
        (
            "DNS_CHECK {;}",
            "/checkers/0/check/Dns/1/record",
            r#""SOA""#,
        ),
        (
            "FILE_CHECK {;track_file F;}",
            "/checkers/0/check/File/track_file",
            r#""F""#,
        ),
        (
            "BFD_CHECK {;name B;}",
            "/checkers/0/check/Bfd/name",
            r#""B""#,
        ),
    ];
    let part = |l: &Loaded| json(first_server(l));
    let make = |lines: &str| {
        // DR and TUN keep the port of the service.
        let text = if lines.contains("TUN") {
            lines.to_owned()
        } else {
            return server(lines);
        };
        load(&format!(
            "virtual_server 192.0.2.10 80 {{;{BASICS};real_server 192.0.2.20 {{;{text};}};}}"
        ))
    };
    each(Context::RealServer, &rows, &[], make, part);
    differs(&rows, &part(&server("")), &[]);
}

/// The settings that all checkers with a connection share.
const CONNECTION: [(&str, &str, &str); 13] = [
    ("connect_ip 192.0.2.9", "target", r#""192.0.2.9:8080""#),
    ("connect_port 9", "target", r#""192.0.2.20:9""#),
    ("bindto 192.0.2.1", "bind/address", r#""192.0.2.1""#),
    ("bind_port 9", "bind/port", "9"),
    ("bind_if eth0", "bind/interface", r#""eth0""#),
    ("connect_timeout 7", "timeout", SECS_7),
    ("fwmark 9", "bind/fwmark", "9"),
    ("warmup 7", "", SECS_7),
    ("delay_loop 7", "", SECS_7),
    ("alpha", "", "true"),
    ("log_all_failures", "", "true"),
    ("retry 7", "", "7"),
    ("delay_before_retry 1.5", "", MILLIS_1500),
];

/// Tests the shared settings of one kind and `more` of its own, with `needed` always there.
#[track_caller]
fn kind(keyword: &str, context: Context, at: &str, needed: &str, more: &[(&str, &str, &str)]) {
    let mut rows: Vec<(&str, String, &str)> = Vec::new();
    for (line, place, want) in CONNECTION {
        let word = line.split(' ').next().unwrap();
        if context.find(word).is_some() {
            let place = match place {
                "" => format!("/{word}"),
                place => format!("/check/{at}/{place}"),
            };
            rows.push((line, place, want));
        }
    }
    rows.extend(more.iter().map(|(l, p, w)| (*l, (*p).to_owned(), *w)));
    let rows: Vec<_> = rows.iter().map(|(l, p, w)| (*l, p.as_str(), *w)).collect();
    let others: Vec<&str> = needed
        .split(';')
        .filter_map(|l| l.split(' ').next())
        .chain(["nb_get_retry", "host"])
        .collect();
    let make = |lines: &str| checker(keyword, &format!("{needed};{lines}"));
    let part = |l: &Loaded| json(first_checker(l));
    each(context, &rows, &others, make, part);
    differs(&rows, &part(&make("")), &[]);
}

#[test]
fn every_keyword_of_the_plain_checkers() {
    kind("TCP_CHECK", Context::TcpCheck, "Tcp", "", &[]);
    kind("PING_CHECK", Context::PingCheck, "Ping", "", &[]);
    let helo = [("helo_name me", "/check/Smtp/1/helo_name", r#""me""#)];
    kind("SMTP_CHECK", Context::SmtpCheck, "Smtp/0", "", &helo);
}

#[test]
fn every_keyword_of_udp_and_dns_checkers() {
    let udp = [
        ("payload 00 ff", "/check/Udp/1/payload", "[0,255]"),
        ("require_reply", "/check/Udp/1/require_reply", "true"),
        (
            "require_reply 1x xX 2F",
            "/check/Udp/1/reply",
            "[[16,240],[0,0],[47,255]]",
        ),
        ("min_reply_length 3", "/check/Udp/1/min_reply_length", "3"),
        ("max_reply_length 3", "/check/Udp/1/max_reply_length", "3"),
    ];
    kind("UDP_CHECK", Context::UdpCheck, "Udp/0", "", &udp);
    let dns = [
        ("type aaaa", "/check/Dns/1/record", r#""AAAA""#),
        ("name www.example", "/check/Dns/1/name", r#""www.example""#),
    ];
    kind("DNS_CHECK", Context::DnsCheck, "Dns/0", "", &dns);
}

#[test]
fn every_keyword_of_http_checkers() {
    let page = "url {;path /;}";
    let rows = [
        (
            "virtualhost h",
            "/check/Http/1/urls/0/virtualhost",
            r#""h""#,
        ),
        ("http_protocol 1.1", "/check/Http/1/version", r#""V1_1""#),
        (
            "http_protocol 1.0c",
            "/check/Http/1/version",
            r#""V1_0Close""#,
        ),
        ("fast_recovery", "/check/Http/1/fast_recovery", "true"),
    ];
    let mut plain = rows.to_vec();
    // Without TLS there is no name to send; the words are taken all the same.
    plain.push(("enable_sni;connect_port 1", "/check/Http/1/tls", "null"));
    plain.push(("sni_name h;connect_port 1", "/check/Http/1/tls", "null"));
    let part = |l: &Loaded| json(first_checker(l));
    let make = |lines: &str| checker("HTTP_GET", &format!("{page};{lines}"));
    let others = connection_words();
    each(Context::HttpGet, &plain, &others, make, part);
    kind(
        "HTTP_GET",
        Context::HttpGet,
        "Http/0",
        "url {;path /;};enable_sni;sni_name h",
        &rows,
    );

    let mut rows = rows.to_vec();
    rows.extend([
        ("enable_sni", "/check/Http/1/tls/sni", r#""VirtualHost""#),
        ("sni_name h", "/check/Http/1/tls/sni", r#"{"Name":"h"}"#),
        ("sni_name", "/check/Http/1/tls/sni", r#""VirtualHost""#),
        (
            "tls_compliant",
            "/check/Http/1/urls/0/tls_compliant",
            "true",
        ),
        ("ssl_verify", "/check/Http/1/tls/verify", "true"),
    ]);
    kind("SSL_GET", Context::SslGet, "Http/0", page, &rows);
}

fn connection_words() -> Vec<&'static str> {
    CONNECTION
        .iter()
        .filter_map(|(line, ..)| line.split(' ').next())
        .chain(["nb_get_retry", "url"])
        .collect()
}

#[test]
fn every_keyword_of_a_page() {
    let rows = [
        ("path /b", "/path", r#""/b""#),
        (
            "digest 00112233445566778899aAbBcCdDeEfF",
            "/digest",
            "[0,17,34,51,68,85,102,119,136,153,170,187,204,221,238,255]",
        ),
        (
            "status_code 200 300-302",
            "/status",
            "[[200,200],[300,302]]",
        ),
        ("virtualhost h", "/virtualhost", r#""h""#),
        (
            r#"regex "a\.b\\.c d""#,
            "/regex/pattern",
            "[97,46,98,92,46,99,32,100]",
        ),
        ("regex a;regex_no_match", "/regex/no_match", "true"),
        (
            "regex a;regex_options utf caseless utf",
            "/regex/options",
            r#"["caseless","utf"]"#,
        ),
        ("regex a;regex_min_offset 3", "/regex/min_offset", "3"),
        ("regex a;regex_max_offset 5", "/regex/max_offset", "5"),
        ("regex a;regex_stack 10 20", "/regex/stack", "[10,20]"),
    ];
    for (keyword, context) in [
        ("HTTP_GET", Context::HttpGetUrl),
        ("SSL_GET", Context::SslGetUrl),
    ] {
        let mut rows = rows.to_vec();
        if keyword == "SSL_GET" {
            rows.push(("tls_compliant", "/tls_compliant", "true"));
        }
        let make = |lines: &str| {
            let path = if lines.starts_with("path") {
                ""
            } else {
                "path /"
            };
            checker(keyword, &format!("url {{;{path};{lines};}}"))
        };
        let part = |l: &Loaded| {
            let Check::Http(_, http) = &first_checker(l).check else {
                panic!("no HTTP checker");
            };
            json(&http.urls[0])
        };
        each(context, &rows, &[], make, part);
        differs(&rows, &part(&make("")), &[]);
    }
    let page = checker("HTTP_GET", "url {;path /;}");
    let Check::Http(_, http) = &first_checker(&page).check else {
        panic!("no HTTP checker");
    };
    assert_eq!(http.urls[0].status, [(200, 299)]);
    for (status, good) in [(199, false), (200, true), (299, true), (300, false)] {
        assert_eq!(http.urls[0].accepts(status), good, "{status}");
    }
}

#[test]
fn every_keyword_of_commands_files_and_sessions() {
    let rows = [
        ("retry 7", "/retry", "7"),
        ("delay_before_retry 1.5", "/delay_before_retry", MILLIS_1500),
        ("warmup 7", "/warmup", SECS_7),
        ("delay_loop 7", "/delay_loop", SECS_7),
        ("alpha", "/alpha", "true"),
        ("log_all_failures", "/log_all_failures", "true"),
        (
            "misc_path /usr/bin/false",
            "/check/Misc/command/path",
            r#""/usr/bin/false""#,
        ),
        ("misc_timeout 7", "/check/Misc/timeout", SECS_7),
        ("misc_dynamic", "/check/Misc/dynamic", "true"),
        ("user daemon", "/check/Misc/command/run_as/uid", "1"),
    ];
    let part = |l: &Loaded| json(first_checker(l));
    let make = |lines: &str| checker("MISC_CHECK", &format!("misc_path /usr/bin/true;{lines}"));
    each(Context::MiscCheck, &rows, &[], make, part);
    differs(&rows, &part(&make("")), &[]);

    let rows = [
        ("weight -2", "/check/File/weight", "-2"),
        ("weight 4 reverse", "/check/File/reverse", "true"),
    ];
    let make = |lines: &str| checker("FILE_CHECK", &format!("track_file F;{lines}"));
    each(Context::FileCheck, &rows, &["track_file"], make, part);
    differs(&rows, &part(&make("")), &[]);
    assert_eq!(
        part(&make("")).pointer("/check/File/weight"),
        Some(&Value::from(3))
    );

    let rows = [("alpha", "/alpha", "true")];
    let make = |lines: &str| checker("BFD_CHECK", &format!("name B;{lines}"));
    each(Context::BfdCheck, &rows, &["name"], make, part);
}

#[test]
fn sni_follows_the_words_in_order() {
    let sni = |lines: &str| {
        let loaded = checker("SSL_GET", &format!("url {{;path /;}};{lines}"));
        let Check::Http(_, http) = &first_checker(&loaded).check else {
            panic!("no HTTP checker");
        };
        http.tls.as_ref().unwrap().sni.clone()
    };
    assert_eq!(sni(""), Sni::Off);
    assert_eq!(sni("enable_sni"), Sni::VirtualHost);
    assert_eq!(sni("sni_name a;enable_sni"), Sni::Name("a".into()));
    assert_eq!(sni("enable_sni;sni_name a"), Sni::Name("a".into()));
    assert_eq!(sni("enable_sni no"), Sni::Off);
}

#[test]
fn the_ssl_block_is_kept() {
    let loaded = load("SSL {;password p;ca /a;certificate /c;key /k;}");
    let ssl = loaded.config.ssl.as_ref().unwrap();
    assert_eq!(ssl.password.as_ref().unwrap().expose(), b"p");
    assert_eq!(ssl.ca.as_deref(), Some("/a"));
    assert_eq!(ssl.certificate.as_deref(), Some("/c"));
    assert_eq!(ssl.key.as_deref(), Some("/k"));
}

#[test]
fn tunnels_with_their_options() {
    for (words, want) in [
        ("TUN", r#"{"kind":"Ipip","port":0,"checksum":"None"}"#),
        (
            "TUN type gre csum",
            r#"{"kind":"Gre","port":0,"checksum":"Checksum"}"#,
        ),
        (
            "TUN type gue port 6080 remcsum",
            r#"{"kind":"Gue","port":6080,"checksum":"Remote"}"#,
        ),
        (
            "TUN type gue port 1 nocsum",
            r#"{"kind":"Gue","port":1,"checksum":"None"}"#,
        ),
    ] {
        let loaded = load(&format!(
            "virtual_server 192.0.2.10 80 {{;lb_algo rr;protocol TCP;lb_kind {words};\
             real_server 192.0.2.20 {{;}};}}"
        ));
        assert_eq!(loaded.exit_status(), 0, "{words}");
        let want: Value = serde_json::from_str(&format!("{{\"Tun\":{want}}}")).unwrap();
        assert_eq!(json(only(&loaded).forwarding), want, "{words}");
        assert_eq!(json(first_server(&loaded).forwarding), want, "{words}");
    }
    for words in [
        "TUN type gue",
        "TUN type gre port 4",
        "TUN type ipip csum",
        "TUN type gre remcsum",
        "TUN zzz",
        "TUN type zzz",
    ] {
        let loaded = server(&format!("lvs_method {words}"));
        assert_eq!(loaded.exit_status(), 5, "{words}");
        let method = first_server(&loaded).forwarding;
        assert_eq!(method, Forwarding::Tun(Tunnel::default()));
    }
}

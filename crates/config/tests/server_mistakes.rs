//! Mistakes in load balancing that loading reports: each has its code and its exit status, and
//! is gone when the line is mended.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use support::lvs::load;
use support::messages;

const ONE: &str = "real_server 192.0.2.20 80 {;TCP_CHECK {;};}";

/// A wrong text, its code and status, where `~` stands for what a service needs, and the same
/// mended.
type Mistake = (&'static str, &'static str, u8, &'static str);

const SERVICES: &[Mistake] = &[
    (
        "virtual_server 300.1.1.1 80 {;~;}",
        "RK0901",
        5,
        "virtual_server 192.0.2.1 80 {;~;}",
    ),
    (
        "virtual_server 192.0.2.1 x {;~;}",
        "RK0901",
        5,
        "virtual_server 192.0.2.1 80 {;~;}",
    ),
    (
        "virtual_server fwmark x {;~;}",
        "RK0901",
        5,
        "virtual_server 192.0.2.1 80 {;~;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;BASICS;}",
        "RK0901",
        5,
        "virtual_server 192.0.2.1 80 {;~;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;real_server 300.1.1.1 80 {;};}",
        "RK0901",
        5,
        "virtual_server 192.0.2.1 80 {;~;real_server 192.0.2.21 80 {;};}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;mh-port;}",
        "RK0902",
        5,
        "virtual_server 192.0.2.1 80 {;~;lb_algo mh;mh-port;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;ops;}",
        "RK0902",
        5,
        "virtual_server 192.0.2.1 80 {;~;protocol UDP;ops;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;persistence_granularity x;}",
        "RK0902",
        5,
        "virtual_server 192.0.2.1 80 {;~;persistence_granularity 255.255.255.0;}",
    ),
    (
        "virtual_server fwmark 3 {;~;}",
        "RK0902",
        5,
        "virtual_server fwmark 3 {;lb_algo rr;lb_kind NAT;ONE;}",
    ),
    (
        "virtual_server fwmark 3 {;lb_algo rr;lb_kind NAT;ONE;ha_suspend;}",
        "RK0902",
        5,
        "virtual_server fwmark 3 {;lb_algo rr;lb_kind NAT;ONE;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;quorum 2;}",
        "RK0904",
        5,
        "virtual_server 192.0.2.1 80 {;~;quorum 1;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;BASICS;real_server 192.0.2.20 80 {;weight 0;};}",
        "RK0904",
        5,
        "virtual_server 192.0.2.1 80 {;BASICS;real_server 192.0.2.20 80 {;weight 1;};}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;hysteresis 1;}",
        "RK0904",
        5,
        "virtual_server 192.0.2.1 80 {;~;weight 2;quorum 2;hysteresis 1;}",
    ),
    (
        "virtual_server 192.0.2.1 81 {;~;lb_kind DR;}",
        "RK0905",
        5,
        "virtual_server 192.0.2.1 80 {;~;lb_kind DR;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;lb_kind TUN;sorry_server 192.0.2.9 81;}",
        "RK0905",
        5,
        "virtual_server 192.0.2.1 80 {;~;lb_kind TUN;sorry_server 192.0.2.9;}",
    ),
    (
        "virtual_server fwmark 3 {;lb_algo rr;lb_kind DR;ONE;}",
        "RK0905",
        5,
        "virtual_server fwmark 3 {;lb_algo rr;lb_kind NAT;ONE;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;lb_algo rr;lb_kind NAT;ONE;}",
        "RK0906",
        5,
        "virtual_server 192.0.2.1 80 {;lb_algo rr;lb_kind NAT;protocol UDP;ONE;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;protocol TCP;lb_kind NAT;ONE;}",
        "RK0906",
        5,
        "virtual_server 192.0.2.1 80 {;protocol TCP;lb_kind NAT;lb_algo wlc;ONE;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;protocol TCP;lb_algo rr;ONE;}",
        "RK0906",
        5,
        "virtual_server 192.0.2.1 80 {;protocol TCP;lb_algo rr;lb_kind NAT;ONE;}",
    ),
    (
        "virtual_server 192.0.2.1 0 {;~;}",
        "RK0907",
        5,
        "virtual_server 192.0.2.1 0 {;~;persistence_timeout 60;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;sorry_server_inhibit;}",
        "RK0908",
        5,
        "virtual_server 192.0.2.1 80 {;~;sorry_server 192.0.2.9 80;sorry_server_inhibit;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;inhibit_on_failure;sorry_server 192.0.2.20 80;}",
        "RK0908",
        5,
        "virtual_server 192.0.2.1 80 {;~;inhibit_on_failure;sorry_server 192.0.2.20 80;\
         sorry_server_inhibit;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;lb_kind TUN type gue;}",
        "RK0911",
        5,
        "virtual_server 192.0.2.1 80 {;~;lb_kind TUN type gue port 6080;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;lb_kind nat;}",
        "RK0407",
        5,
        "virtual_server 192.0.2.1 80 {;~;lb_kind NAT;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;ONE;}",
        "RK0502",
        5,
        "virtual_server 192.0.2.1 80 {;~;}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;real_server 2001:db8::1 80 {;};}",
        "RK0715",
        5,
        "virtual_server 192.0.2.1 80 {;~;real_server 192.0.2.22 80 {;};}",
    ),
    (
        "virtual_server 192.0.2.1 80 {;~;sorry_server 2001:db8::1 80;}",
        "RK0715",
        5,
        "virtual_server 192.0.2.1 80 {;~;sorry_server 192.0.2.22 80;}",
    ),
];

const GROUPS: &[Mistake] = &[
    (
        "virtual_server_group G {;192.0.2.20-10 80;}",
        "RK0909",
        5,
        "virtual_server_group G {;192.0.2.10-20 80;}",
    ),
    (
        "virtual_server_group G {;}",
        "RK0909",
        5,
        "virtual_server_group G {;fwmark 3;}",
    ),
    (
        "virtual_server_group G {;192.0.2.1 80;2001:db8::1 80;fwmark 3;}",
        "RK0909",
        5,
        "virtual_server_group G {;192.0.2.1 80;2001:db8::1 80;fwmark 3 inet;}",
    ),
    (
        "virtual_server_group G {;fwmark 3 ipv6;}",
        "RK0407",
        5,
        "virtual_server_group G {;fwmark 3 inet6;}",
    ),
    (
        "virtual_server group G {;~;}",
        "RK0503",
        0,
        "virtual_server_group G {;192.0.2.1 80;};virtual_server group G {;~;}",
    ),
    (
        "virtual_server_group G {;2001:db8::1 80;};virtual_server group G {;~;}",
        "RK0715",
        0,
        "virtual_server_group G {;192.0.2.1 80;};virtual_server group G {;~;}",
    ),
    (
        "virtual_server_group G {;192.0.2.1 81;};virtual_server group G {;~;lb_kind DR;}",
        "RK0905",
        5,
        "virtual_server_group G {;192.0.2.1 80;};virtual_server group G {;~;lb_kind DR;}",
    ),
];

/// Mistakes in a real server; `~` is not used.
const SERVERS: &[Mistake] = &[
    ("HTTP_GET {;}", "RK0903", 5, "HTTP_GET {;url {;path /;};}"),
    (
        "HTTP_GET {;url {;};url {;path /;};}",
        "RK0910",
        5,
        "HTTP_GET {;url {;path /a;};url {;path /;};}",
    ),
    (
        "HTTP_GET {;url {;path /;status_code 99;};}",
        "RK0910",
        5,
        "HTTP_GET {;url {;path /;status_code 100;};}",
    ),
    (
        "HTTP_GET {;url {;path /;digest 00112233445566778899aabbccddee;};}",
        "RK0407",
        5,
        "HTTP_GET {;url {;path /;digest 00112233445566778899aabbccddeeff;};}",
    ),
    (
        "HTTP_GET {;nb_get_retry 3;url {;path /;};}",
        "RK0411",
        5,
        "HTTP_GET {;retry 3;url {;path /;};}",
    ),
    (
        "TCP_CHECK {;nb_get_retry 3;}",
        "RK0301",
        5,
        "TCP_CHECK {;retry 3;}",
    ),
    (
        "TCP_CHECK {;bindto 2001:db8::1;}",
        "RK0715",
        5,
        "TCP_CHECK {;bindto 192.0.2.1;}",
    ),
    (
        "TCP_CHECK {;connect_ip fe80::1;}",
        "RK0903",
        5,
        "TCP_CHECK {;connect_ip fe80::1;bind_if eth0;}",
    ),
    (
        "MISC_CHECK {;misc_dynamic;}",
        "RK0903",
        5,
        "MISC_CHECK {;misc_path /usr/bin/true;misc_dynamic;}",
    ),
    (
        "MISC_CHECK {;misc_path /nonexistent;}",
        "RK0603",
        0,
        "MISC_CHECK {;misc_path /usr/bin/true;}",
    ),
    (
        "MISC_CHECK {;misc_path /usr/bin/true;user nobody9;}",
        "RK0504",
        5,
        "MISC_CHECK {;misc_path /usr/bin/true;user nobody;}",
    ),
    (
        "UDP_CHECK {;payload zz;}",
        "RK0903",
        5,
        "UDP_CHECK {;payload 0a;}",
    ),
    (
        "UDP_CHECK {;min_reply_length 9;max_reply_length 8;}",
        "RK0903",
        5,
        "UDP_CHECK {;min_reply_length 8;max_reply_length 9;}",
    ),
    (
        "DNS_CHECK {;name a..b;}",
        "RK0903",
        5,
        "DNS_CHECK {;name ab.c;}",
    ),
    (
        "FILE_CHECK {;track_file X;}",
        "RK0503",
        5,
        "FILE_CHECK {;track_file F;}",
    ),
    ("BFD_CHECK {;name X;}", "RK0503", 5, "BFD_CHECK {;name B;}"),
];

#[track_caller]
fn try_all(mistakes: &[Mistake], make: impl Fn(&str) -> String) {
    for (bad, code, status, good) in mistakes {
        let loaded = load(&make(bad));
        let said = messages(&loaded);
        assert_eq!(loaded.exit_status(), *status, "{bad}\n{said}");
        let mine: Vec<_> = loaded
            .diagnostics
            .iter()
            .filter(|d| d.code.to_string() == *code)
            .collect();
        assert!(!mine.is_empty(), "{bad}: no {code}\n{said}");
        assert!(mine.iter().all(|d| d.place.is_some()), "{bad}\n{said}");
        let loaded = load(&make(good));
        assert_eq!(loaded.exit_status(), 0, "{good}\n{}", messages(&loaded));
        let left = loaded
            .diagnostics
            .iter()
            .any(|d| d.code.to_string() == *code);
        assert!(!left, "{good}: still {code}\n{}", messages(&loaded));
    }
}

#[test]
fn mistakes_in_services_and_groups() {
    let basics = "lb_algo rr;lb_kind NAT;protocol TCP";
    let make = |text: &str| {
        text.replace('~', "BASICS;ONE")
            .replace("BASICS", basics)
            .replace("ONE", ONE)
    };
    try_all(SERVICES, make);
    try_all(GROUPS, make);
}

#[test]
fn mistakes_in_checkers() {
    try_all(SERVERS, |text| {
        format!(
            "virtual_server 192.0.2.1 80 {{;lb_algo rr;lb_kind NAT;protocol TCP;\
             real_server 192.0.2.20 80 {{;{text};}};}}"
        )
    });
}

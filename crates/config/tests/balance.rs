//! Load balancing: what is not said has its default or comes from the block around it, and what
//! other settings force is forced.
//!
//! Ports, times, weights and families are those that keepalived 2.2.7 shows for the same text
//! in its dump and in the kernel's table.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on ends"
)]

mod support;

use std::time::Duration;

use rk_config::model::{Check, Checker, GroupTarget, Persistence, Service};
use rk_config::{Loaded, Severity};
use serde_json::Value;
use support::lvs::{checker, first_checker, first_server, json, load, only, server};
use support::messages;

#[test]
fn what_is_not_said_comes_from_further_out() {
    // Values of a service count also when they stand behind its servers.
    let loaded = load(
        "virtual_server 192.0.2.10 80 {;lb_algo rr;lb_kind DR;protocol TCP;delay_loop 7;\
         real_server 192.0.2.20 81 {;TCP_CHECK {;};MISC_CHECK {;misc_path /usr/bin/true;\
         delay_loop 9;};DNS_CHECK {;};};\
         real_server 192.0.2.21 {;delay_loop 3;retry 5;delay_before_retry 2;warmup 4;\
         connect_timeout 6;alpha no;virtualhost rs.example;TCP_CHECK {;};\
         MISC_CHECK {;misc_path /usr/bin/true;};\
         HTTP_GET {;url {;path /;};url {;path /x;virtualhost url.example;};};};\
         alpha;retry 4;virtualhost vs.example;connect_timeout 2;delay_before_retry 1.5;\
         inhibit_on_failure;weight 3;quorum 6;}",
    );
    let service = only(&loaded);
    assert_eq!(service.quorum, 6, "{}", messages(&loaded));
    let [first, second] = service.real_servers.as_slice() else {
        panic!("{}", messages(&loaded));
    };
    assert_eq!((first.weight, first.port, second.port), (3, 80, 80));
    assert!(first.alpha && first.inhibit_on_failure && !second.alpha);
    assert_eq!(first.virtualhost.as_deref(), Some("vs.example"));
    let times = |c: &Checker| {
        let [a, b, d] = [c.delay_loop, c.warmup, c.delay_before_retry].map(|t| t.as_secs_f32());
        (a, b, c.retry, d, c.alpha)
    };
    let want = [
        (7.0, 7.0, 4, 1.5, true),
        (9.0, 9.0, 4, 1.5, true),
        (7.0, 7.0, 4, 1.5, true),
    ];
    let got: Vec<_> = first.checkers.iter().map(times).collect();
    assert_eq!(got, want);
    for checker in &second.checkers {
        assert_eq!(times(checker), (3.0, 4.0, 5, 2.0, false));
    }
    // The check goes to the port as written, the packets to that of the service.
    let shown = |c: &Checker| c.connection().map(|c| (c.target.to_string(), c.timeout));
    let secs = Duration::from_secs;
    let want = Some(("192.0.2.20:81".to_owned(), secs(2)));
    assert_eq!(shown(&first.checkers[0]), want);
    let want = Some(("192.0.2.21:80".to_owned(), secs(6)));
    assert_eq!(shown(&second.checkers[0]), want);
    // The timeout of a command is the interval of the service.
    for (server, n) in [(first, 1), (second, 1)] {
        let Check::Misc(misc) = &server.checkers[n].check else {
            panic!("no command");
        };
        assert_eq!(misc.timeout, secs(7));
    }
    let Check::Http(_, http) = &second.checkers[2].check else {
        panic!("no pages");
    };
    let hosts: Vec<_> = http.urls.iter().map(|u| u.virtualhost.as_deref()).collect();
    assert_eq!(hosts, [Some("rs.example"), Some("url.example")]);
}

#[test]
fn defaults_of_each_kind() {
    let page = "url {;path /;}";
    for (kind, needed, retry, before) in [
        ("TCP_CHECK", "", 1, 1),
        ("PING_CHECK", "", 1, 1),
        ("UDP_CHECK", "", 1, 1),
        ("SMTP_CHECK", "", 1, 1),
        ("HTTP_GET", page, 1, 3),
        ("SSL_GET", page, 1, 3),
        ("DNS_CHECK", "", 3, 60),
        ("MISC_CHECK", "misc_path /usr/bin/true", 0, 1),
    ] {
        let loaded = checker(kind, needed);
        let c = first_checker(&loaded);
        let secs = Duration::from_secs;
        assert_eq!(c.keyword(), kind);
        assert_eq!(
            (c.retry, c.delay_before_retry),
            (retry, secs(before)),
            "{kind}"
        );
        assert_eq!((c.delay_loop, c.warmup), (secs(60), secs(60)), "{kind}");
        if let Some(connection) = c.connection() {
            assert_eq!(connection.timeout, secs(5), "{kind}");
            assert_eq!(connection.bind, None, "{kind}");
        }
    }
    let loaded = checker("DNS_CHECK", "delay_loop 7");
    assert_eq!(
        first_checker(&loaded).delay_before_retry,
        Duration::from_secs(7)
    );
    let Check::Dns(_, dns) = &first_checker(&loaded).check else {
        panic!("no DNS checker");
    };
    assert_eq!(dns.name.as_ref(), ".");
}

#[test]
fn global_settings_reach_servers_and_checkers() {
    let body = "virtual_server 192.0.2.10 80 {;lb_algo rr;lb_kind NAT;protocol TCP;\
                real_server 192.0.2.20 {;TCP_CHECK {;};TCP_CHECK {;log_all_failures no;};};}";
    let of = |globals: &str| {
        let loaded = load(&format!("{body};global_defs {{;{globals};}}"));
        let service = only(&loaded);
        let server = &service.real_servers[0];
        let logs: Vec<bool> = server.checkers.iter().map(|c| c.log_all_failures).collect();
        (service.smtp_alert, server.smtp_alert, logs)
    };
    assert_eq!(of(""), (false, true, vec![false, false]));
    assert_eq!(of("smtp_alert no"), (false, false, vec![false, false]));
    assert_eq!(
        of("smtp_alert no;smtp_alert_checker"),
        (true, true, vec![false, false])
    );
    assert_eq!(
        of("checker_log_all_failures"),
        (false, true, vec![true, false])
    );
}

#[test]
fn settings_of_load_balancing_as_a_whole() {
    let loaded = load(
        "global_defs {;lvs_timeouts tcp 7 tcpfin 8 udp 9;nftables_ipvs;nftables_ipvs_priority -5;\
         nftables_ipvs_start_fwmark 77;checker_share_probes;rs_init_notifies;no_checker_emails;\
         snmp_vs_stats_update_interval 2;snmp_rs_stats_update_interval 3;\
         lvs_netlink_cmd_rcv_bufs 4096;lvs_netlink_cmd_rcv_bufs_force;\
         lvs_netlink_monitor_rcv_bufs 8192;lvs_netlink_monitor_rcv_bufs_force;}",
    );
    assert_eq!(loaded.exit_status(), 0, "{}", messages(&loaded));
    let lvs = &loaded.config.global.lvs;
    let secs = |n| Some(Duration::from_secs(n));
    let t = lvs.timeouts;
    assert_eq!((t.tcp, t.tcpfin, t.udp), (secs(7), secs(8), secs(9)));
    assert_eq!(lvs.nftables_ipvs.as_deref(), Some("keepalived_ipvs"));
    assert_eq!(
        (lvs.nftables_ipvs_priority, lvs.nftables_ipvs_start_fwmark),
        (-5, 77)
    );
    assert!(lvs.checker_share_probes && lvs.rs_init_notifies && lvs.no_checker_emails);
    assert_eq!(Some(lvs.snmp_vs_stats_update_interval), secs(2));
    assert_eq!(lvs.snmp_rs_stats_update_interval, secs(3));
    assert_eq!(lvs.netlink_cmd_rcv_bufs, Some(4096));
    assert_eq!(lvs.netlink_monitor_rcv_bufs, Some(8192));
    assert!(lvs.netlink_cmd_rcv_bufs_force && lvs.netlink_monitor_rcv_bufs_force);
    let plain = load("").config.global;
    assert_eq!(plain.lvs, rk_config::model::LvsSettings::default());
    assert!(plain.rest.is_empty() && loaded.config.global.rest.is_empty());
    // A value that is none leaves the kernel's.
    let loaded = load("global_defs {;lvs_timeouts tcp x udp 2678401 tcpfin 8;}");
    assert_eq!(loaded.exit_status(), 5);
    let t = loaded.config.global.lvs.timeouts;
    assert_eq!((t.tcp, t.tcpfin, t.udp), (None, secs(8), None));
}

/// The service of a heading, with these real servers.
fn named(heading: &str, method: &str, rest: &str) -> Loaded {
    let protocol = if heading.contains("fwmark") {
        ""
    } else {
        "protocol TCP"
    };
    load(&format!(
        "virtual_server {heading} {{;lb_algo rr;lb_kind {method};{protocol};{rest};}}"
    ))
}

#[test]
fn ports_by_method_and_kind_of_service() {
    let two = "sorry_server 192.0.2.30 81;real_server 192.0.2.20 81 {;TCP_CHECK {;};};\
               real_server 192.0.2.21 {;TCP_CHECK {;};}";
    let group = "virtual_server_group G {;192.0.2.10 80;};";
    for (heading, method, ports, checks, sorry, status) in [
        ("192.0.2.10 80", "NAT", [81, 80], [81, 80], 81, 0),
        ("192.0.2.10 80", "DR", [80, 80], [81, 80], 80, 5),
        ("fwmark 9", "NAT", [81, 0], [81, 0], 81, 0),
        ("fwmark 9", "DR", [0, 0], [81, 0], 0, 5),
        ("group G", "NAT", [81, 0], [81, 0], 81, 0),
        ("group G", "TUN", [81, 0], [81, 0], 81, 5),
    ] {
        let text = if heading.contains("group") { group } else { "" };
        let loaded = load(&format!(
            "{text}virtual_server {heading} {{;lb_algo rr;lb_kind {method};{};{two};}}",
            if heading.contains("fwmark") {
                ""
            } else {
                "protocol TCP"
            }
        ));
        let what = format!("{heading} {method}: {}", messages(&loaded));
        let service = only(&loaded);
        let got: Vec<u16> = service.real_servers.iter().map(|r| r.port).collect();
        assert_eq!(got, ports, "{what}");
        let got = service
            .real_servers
            .iter()
            .map(|r| r.checkers[0].connection());
        let got: Vec<u16> = got.map(|c| c.unwrap().target.port()).collect();
        assert_eq!(got, checks, "{what}");
        assert_eq!(service.sorry_server.as_ref().unwrap().port, sorry, "{what}");
        assert_eq!(loaded.exit_status(), status, "{what}");
    }
    // A zero is no port.
    for method in ["NAT", "DR"] {
        let loaded = named("192.0.2.10 80", method, "real_server 192.0.2.20 0 {;}");
        assert_eq!(loaded.exit_status(), 0, "{}", messages(&loaded));
        assert_eq!(only(&loaded).real_servers[0].port, 80, "{method}");
    }
    let loaded = named(
        "192.0.2.10 80",
        "NAT",
        "sorry_server 192.0.2.30;real_server 192.0.2.20 {;}",
    );
    assert_eq!(only(&loaded).sorry_server.as_ref().unwrap().port, 0);
}

#[test]
fn services_for_every_port_are_persistent() {
    let one = "real_server 192.0.2.20 {;}";
    for (heading, more, status, want) in [
        ("192.0.2.10 0", "", 5, Some(360)),
        ("192.0.2.10", "", 5, Some(360)),
        ("192.0.2.10", "persistence_timeout 20", 0, Some(20)),
        ("192.0.2.10", "persistence_timeout", 0, Some(360)),
        ("192.0.2.10 80", "", 0, None),
        (
            "192.0.2.10 80",
            "persistence_granularity 255.255.0.0",
            0,
            Some(360),
        ),
        ("group G", "", 5, Some(360)),
        ("fwmark 9", "", 0, None),
    ] {
        let group = "virtual_server_group G {;192.0.2.11 80;192.0.2.10;};";
        let loaded = load(&format!(
            "{group}virtual_server {heading} {{;lb_algo rr;lb_kind NAT;{};{more};{one};}}",
            if heading.contains("fwmark") {
                ""
            } else {
                "protocol TCP"
            }
        ));
        let what = format!("{heading} {more}: {}", messages(&loaded));
        assert_eq!(loaded.exit_status(), status, "{what}");
        let timeout = only(&loaded).persistence.map(|p| p.timeout.as_secs());
        assert_eq!(timeout, want, "{what}");
    }
    assert_eq!(Persistence::DEFAULT.timeout.as_secs(), 360);
}

#[test]
fn families_of_services_by_mark() {
    for (lines, family, servers, status) in [
        ("real_server 192.0.2.20 {;}", "V4", 1, 0),
        ("real_server 2001:db8::20 {;}", "V6", 1, 0),
        ("ip_family inet6;real_server 2001:db8::20 {;}", "V6", 1, 0),
        ("real_server 192.0.2.20 {;};ip_family inet6", "V4", 1, 5),
        (
            "real_server 192.0.2.20 {;};real_server 2001:db8::20 {;}",
            "V4",
            1,
            5,
        ),
        (
            "persistence_granularity 64;real_server 2001:db8::20 {;}",
            "V6",
            1,
            0,
        ),
        (
            "persistence_granularity 64;real_server 192.0.2.20 {;};real_server 2001:db8::20 {;}",
            "V6",
            1,
            5,
        ),
    ] {
        let loaded = named("fwmark 9", "NAT", lines);
        let what = format!("{lines}: {}", messages(&loaded));
        assert_eq!(loaded.exit_status(), status, "{what}");
        let service = only(&loaded);
        let want = format!(r#"{{"Fwmark":{{"mark":9,"family":"{family}"}}}}"#);
        let want: Value = serde_json::from_str(&want).unwrap();
        assert_eq!(json(&service.service), want, "{what}");
        assert_eq!(service.real_servers.len(), servers, "{what}");
    }
    // Servers behind tunnels may be of both families, so none of them decides alone.
    for (lines, family) in [
        (
            "real_server 192.0.2.20 {;};real_server 2001:db8::20 {;}",
            "V4",
        ),
        (
            "real_server 2001:db8::20 {;};real_server 192.0.2.20 {;}",
            "V4",
        ),
        (
            "real_server 2001:db8::20 {;};real_server 2001:db8::21 {;}",
            "V6",
        ),
        ("real_server 2001:db8::20 {;};ip_family inet", "V4"),
        ("ip_family inet6;real_server 192.0.2.20 {;}", "V6"),
    ] {
        let loaded = named("fwmark 9", "TUN", lines);
        let what = format!("{lines}: {}", messages(&loaded));
        assert_eq!(loaded.exit_status(), 0, "{what}");
        let want = format!(r#"{{"Fwmark":{{"mark":9,"family":"{family}"}}}}"#);
        let want: Value = serde_json::from_str(&want).unwrap();
        assert_eq!(json(&only(&loaded).service), want, "{what}");
    }
    // Only tunnels carry the other family.
    let loaded = named("192.0.2.10 80", "TUN", "real_server 2001:db8::20 {;}");
    assert_eq!(loaded.exit_status(), 0, "{}", messages(&loaded));
    assert_eq!(only(&loaded).real_servers.len(), 1);
}

#[test]
fn quorums_that_can_be_reached() {
    for (lines, quorum, hysteresis, status) in [
        ("real_server 192.0.2.20 {;}", 1, 0, 0),
        ("weight 5;quorum 5;real_server 192.0.2.20 {;}", 5, 0, 0),
        (
            "quorum 8;real_server 192.0.2.20 {;weight 3;};weight 5",
            3,
            0,
            5,
        ),
        ("real_server 192.0.2.20 {;weight 0;}", 0, 0, 5),
        (
            "real_server 192.0.2.20 {;weight 0;};real_server 192.0.2.21 {;}",
            1,
            0,
            0,
        ),
        ("quorum 3;real_server 192.0.2.20 {;weight 0;}", 0, 0, 5),
        (
            "quorum 3;hysteresis 5;real_server 192.0.2.20 {;weight 0;}",
            0,
            0,
            5,
        ),
        (
            "quorum 3;hysteresis 3;real_server 192.0.2.20 {;weight 5;}",
            3,
            2,
            5,
        ),
        ("hysteresis 1;real_server 192.0.2.20 {;weight 5;}", 1, 0, 5),
        // The second one does not count.
        (
            "quorum 2;real_server 192.0.2.20 80 {;};real_server 192.0.2.20 80 {;}",
            1,
            0,
            5,
        ),
    ] {
        let loaded = named("192.0.2.10 80", "NAT", lines);
        let what = format!("{lines}: {}", messages(&loaded));
        assert_eq!(loaded.exit_status(), status, "{what}");
        let service = only(&loaded);
        assert_eq!(
            (service.quorum, service.hysteresis),
            (quorum, hysteresis),
            "{what}"
        );
    }
}

#[test]
fn real_servers_are_there_once() {
    for (lines, status) in [
        (
            "real_server 192.0.2.20 80 {;};real_server 192.0.2.20 80 {;}",
            5,
        ),
        // One with another only after the port of the service was taken.
        (
            "real_server 192.0.2.20 80 {;};real_server 192.0.2.20 {;}",
            0,
        ),
    ] {
        let loaded = named("192.0.2.10 80", "NAT", lines);
        assert_eq!(loaded.exit_status(), status, "{}", messages(&loaded));
        assert_eq!(only(&loaded).real_servers.len(), 1, "{lines}");
        let said = loaded
            .diagnostics
            .iter()
            .any(|d| d.severity > Severity::Note);
        assert!(said, "{lines}");
    }
}

#[test]
fn groups_and_who_uses_them() {
    let loaded = load(
        "virtual_server group G {;lb_algo rr;lb_kind NAT;protocol TCP;real_server 192.0.2.20 {;};};\
         virtual_server_group G {;192.0.2.10-12 80;192.0.2.16/30 82;fwmark 7;\
         192.0.2.14;};\
         virtual_server group G {;lb_algo rr;lb_kind NAT;protocol UDP;persistence_timeout;\
         real_server 192.0.2.20 {;};};\
         virtual_server_group M {;fwmark 8 inet6;};\
         virtual_server group M {;lb_algo rr;lb_kind NAT;real_server 2001:db8::20 {;};}",
    );
    let names: Vec<String> = loaded
        .config
        .virtual_servers
        .iter()
        .map(|v| v.service.to_string())
        .collect();
    assert_eq!(names, ["[G]:0", "[G]:1", "[M]:0"], "{}", messages(&loaded));
    let Service::Group {
        protocol, family, ..
    } = &loaded.config.virtual_servers[2].service
    else {
        panic!("no group");
    };
    assert_eq!((*protocol, json(family)), (None, Value::from("V6")));
    let [group, marks] = loaded.config.virtual_server_groups.as_slice() else {
        panic!("{}", messages(&loaded));
    };
    let line = marks.entries[0].origin.line;
    assert_eq!(line, marks.origin.line + 1);
    let sizes: Vec<usize> = group
        .entries
        .iter()
        .map(|e| e.target.addresses().count())
        .collect();
    assert_eq!(sizes, [3, 4, 0, 1]);
    let mark = GroupTarget::Fwmark {
        mark: 7,
        family: None,
    };
    assert_eq!(group.entries[2].target, mark);
}

#[test]
fn services_that_are_not_used_are_left_out() {
    let server = "lb_algo rr;lb_kind NAT;protocol TCP;real_server 192.0.2.20 {;}";
    for (text, status) in [
        (format!("virtual_server group NONE {{;{server};}}"), 0),
        (
            format!(
                "virtual_server group G {{;{server};}};virtual_server_group G {{;2001:db8::1 80;}}"
            ),
            0,
        ),
        (
            format!(
                "virtual_server group G {{;{server};}};\
                 virtual_server_group G {{;2001:db8::1 80;192.0.2.1 80;}}"
            ),
            0,
        ),
        (
            "virtual_server 192.0.2.10 80 {;lb_algo rr;lb_kind NAT;protocol TCP;\
             sorry_server 192.0.2.30 80;}"
                .to_owned(),
            5,
        ),
        ("virtual_server 300.1.1.1 80 {;}".to_owned(), 5),
    ] {
        // The others keep their scripts.
        let loaded = load(&format!(
            "{text};virtual_server fwmark 9 {{;lb_algo rr;lb_kind NAT;\
             quorum_up \"/usr/bin/true a\";real_server 192.0.2.21 {{;\
             notify_down \"/usr/bin/true b\";}};}}"
        ));
        assert_eq!(
            loaded.exit_status(),
            status,
            "{text}: {}",
            messages(&loaded)
        );
        let service = only(&loaded);
        assert_eq!(service.service.to_string(), "FWM 9");
        assert_eq!(service.quorum_up.as_ref().unwrap().argv[1], "a");
        let down = service.real_servers[0].notify_down.as_ref();
        assert_eq!(down.unwrap().argv[1], "b");
        assert!(
            loaded
                .diagnostics
                .iter()
                .any(|d| d.severity > Severity::Note),
            "{text}"
        );
    }
}

#[test]
fn commands_that_cannot_run_have_no_checker() {
    let loaded = server(
        "MISC_CHECK {;misc_path /nonexistent;};TCP_CHECK {;log_all_failures;};\
         MISC_CHECK {;misc_path /usr/bin/true;};MISC_CHECK {;misc_path /usr/bin/true;\
         user nosuch9;};notify_up /nonexistent",
    );
    let server = first_server(&loaded);
    let kinds: Vec<_> = server.checkers.iter().map(Checker::keyword).collect();
    assert_eq!(kinds, ["TCP_CHECK", "MISC_CHECK"], "{}", messages(&loaded));
    assert!(server.checkers[0].log_all_failures && !server.checkers[1].log_all_failures);
    assert_eq!(server.notify_up, None);
}

#[test]
fn hosts_of_an_smtp_checker_are_checkers() {
    let loaded = checker(
        "SMTP_CHECK",
        "host {;connect_port 25;connect_timeout 9;};host {;connect_ip 192.0.2.99;retry 7;};\
         delay_loop 3",
    );
    let checkers = &first_server(&loaded).checkers;
    let shown: Vec<_> = checkers
        .iter()
        .map(|c| {
            let place = c.connection().unwrap();
            (
                place.target.to_string(),
                place.timeout.as_secs(),
                c.retry,
                c.delay_loop.as_secs(),
            )
        })
        .collect();
    let want = [
        ("192.0.2.20:25".to_owned(), 9, 7, 3),
        ("192.0.2.99:8080".to_owned(), 5, 7, 3),
    ];
    assert_eq!(shown, want, "{}", messages(&loaded));
}

#[test]
fn places_of_a_check_are_of_one_family() {
    for (lines, target, bind) in [
        ("bindto 2001:db8::1", "192.0.2.20:8080", None),
        (
            "connect_ip 2001:db8::9;bindto 2001:db8::1",
            "[2001:db8::9]:8080",
            Some("2001:db8::1"),
        ),
        (
            "bindto 192.0.2.1;connect_ip 2001:db8::9",
            "192.0.2.20:8080",
            Some("192.0.2.1"),
        ),
    ] {
        let loaded = checker("TCP_CHECK", lines);
        let place = first_checker(&loaded).connection().unwrap();
        assert_eq!(place.target.to_string(), target, "{lines}");
        let from = place
            .bind
            .as_ref()
            .and_then(|b| b.address)
            .map(|a| a.to_string());
        assert_eq!(from.as_deref(), bind, "{lines}");
    }
}

#[test]
fn the_model_travels_as_json() {
    let loaded = load(
        "SSL {;key /k;};virtual_server_group G {;192.0.2.10-12 80;fwmark 3 inet;};\
         virtual_server group G {;lb_algo rr;lb_kind TUN type gue port 6080;protocol TCP;\
         sorry_server 192.0.2.30;real_server 192.0.2.20 {;UDP_CHECK {;require_reply 1x;};\
         SSL_GET {;sni_name a;url {;path /;regex a;};};MISC_CHECK {;misc_path /usr/bin/true;};\
         FILE_CHECK {;track_file F;};};}",
    );
    assert_eq!(loaded.exit_status(), 0, "{}", messages(&loaded));
    let text = serde_json::to_string(&loaded.config).unwrap();
    let back: rk_config::Config = serde_json::from_str(&text).unwrap();
    assert_eq!(back, loaded.config);
}

#[test]
fn a_check_of_a_session_that_cannot_be_used_stays() {
    let checks = |session: &str| {
        let loaded = load(&format!(
            "{session}virtual_server 192.0.2.10 80 {{;lb_algo rr;lb_kind NAT;protocol TCP;\
             real_server 192.0.2.20 80 {{;BFD_CHECK {{;name X;}};}};}}"
        ));
        assert_eq!(loaded.exit_status(), 5, "{session}");
        assert_eq!(
            loaded.diagnostics.len(),
            if session.is_empty() { 2 } else { 1 }
        );
        only(&loaded).real_servers[0].checkers.len()
    };
    assert_eq!(checks("bfd_instance X {;min_rx 20;};"), 1);
    let mixed = "bfd_instance X {;neighbor_ip 192.0.2.2;source_ip 2001:db8::1;};";
    assert_eq!(checks(mixed), 1);
    assert_eq!(checks(""), 0);
}

#[test]
fn blocks_about_one_service_are_one() {
    let block = |heading: &str, weight: u32, servers: &[u8]| {
        let servers: String = servers
            .iter()
            .map(|n| format!("real_server 192.0.2.{n} 80 {{;weight {weight};}};"))
            .collect();
        let protocol = if heading.contains("fwmark") {
            ""
        } else {
            "protocol TCP"
        };
        format!("virtual_server {heading} {{;lb_algo rr;lb_kind NAT;{protocol};{servers}}};")
    };
    for heading in ["192.0.2.10 80", "fwmark 9"] {
        let text = block(heading, 3, &[20]) + &block(heading, 4, &[20, 21]);
        let mut loaded = load(&text);
        assert_eq!(loaded.exit_status(), 0, "{}", messages(&loaded));
        let joined = rk_config::model::join_services(&mut loaded.config.virtual_servers);
        let lines: Vec<u32> = joined.iter().map(|(_, origin)| origin.line).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let servers = &only(&loaded).real_servers;
        let all: Vec<_> = servers
            .iter()
            .map(|s| (s.addr.to_string(), s.weight))
            .collect();
        let wanted = [("192.0.2.20".to_owned(), 3), ("192.0.2.21".to_owned(), 4)];
        assert_eq!(all, wanted, "{heading}");
    }
    let text = block("192.0.2.10 80", 1, &[20]) + &block("192.0.2.10 81", 1, &[20]);
    assert_eq!(load(&text).config.virtual_servers.len(), 2);
}

//! Load balancing: what is not said has its default or comes from the block around it, and what
//! other settings force is forced.
//!
//! Ports, times, weights and families are those that keepalived 2.2.7 shows for the same text
//! in its dump and in the kernel's table.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod services;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use rk_config::model::{Check, Checker};
use support::lvs::{checker, first_checker, first_server, load, only, server};
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
    assert_eq!(dns.name.as_ref(), "");
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
fn an_smtp_checker_with_a_place_of_its_own_is_one_beside_its_hosts() {
    for (own, first) in [
        ("connect_port 26", Some("192.0.2.20:26")),
        ("connect_ip 192.0.2.98", Some("192.0.2.98:8080")),
        ("bindto 192.0.2.97", Some("192.0.2.20:8080")),
        ("connect_timeout 9", Some("192.0.2.20:8080")),
        ("retry 9;delay_loop 3;helo_name a", None),
    ] {
        let body = format!("host {{;connect_ip 192.0.2.99;}};{own}");
        let loaded = checker("SMTP_CHECK", &body);
        let all = first_server(&loaded).checkers.iter();
        let places = all.map(|c| c.connection().unwrap().target.to_string());
        let wanted = first.into_iter().chain(["192.0.2.99:8080"]);
        assert_eq!(
            places.collect::<Vec<_>>(),
            wanted.collect::<Vec<_>>(),
            "{own}"
        );
    }
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

//! Services as a whole: their ports, families, quorums and servers, and which are left out.

use rk_config::model::{GroupTarget, Persistence, Service};
use rk_config::{Loaded, Severity};
use serde_json::Value;

use crate::support::lvs::{json, load, only};
use crate::support::messages;

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

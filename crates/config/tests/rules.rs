//! The rules between the settings of an instance: verdict, message, and what the settings become.
//!
//! The verdicts and messages are those of keepalived 2.2.7 for the same text.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use std::time::Duration;

use rk_config::model::{Authentication, Instance, Version};
use rk_config::{Loaded, Severity};
use support::{Machine, messages, test};

const V4: &str = "virtual_ipaddress {\n192.0.2.5\n}\n";
const V6: &str = "virtual_ipaddress {\nfe80::5\n2001:db8::5\n}\n";

/// An instance with these addresses and settings; `;` ends a line.
fn load(global: &str, addresses: &str, settings: &str) -> Loaded {
    let settings = settings.replace(';', "\n");
    let global = global.replace(';', "\n");
    let text = format!(
        "global_defs {{\nenable_script_security\n{global}\n}}\nvrrp_instance V {{\ninterface eth0\n\
         virtual_router_id 5\n{addresses}{settings}\n}}\n"
    );
    test(text, &Machine::default())
}

#[track_caller]
fn says(loaded: &Loaded, status: u8, says: &str) {
    let said = loaded
        .diagnostics
        .iter()
        .filter(|d| d.severity > Severity::Note);
    let found = said
        .clone()
        .any(|d| d.message.contains(says) && !says.is_empty());
    let fits = if says.is_empty() {
        said.count() == 0
    } else {
        found
    };
    assert!(
        loaded.exit_status() == status && fits,
        "want {status} {says:?}, got {}\n{}",
        loaded.exit_status(),
        messages(loaded)
    );
}

fn instance(loaded: &Loaded) -> &Instance {
    loaded.config.instances.first().unwrap()
}

//= X-STRICT-1
#[test]
fn settings_that_contradict_each_other() {
    for (addresses, settings, status, message) in [
        (
            V4,
            "state MASTER;nopreempt",
            5,
            "nopreempt is incompatible with priority 255",
        ),
        (
            V4,
            "state MASTER;priority 9;nopreempt",
            5,
            "nopreempt will not work with initial state MASTER - clearing",
        ),
        (
            V4,
            "state MASTER;preempt_delay 5",
            5,
            "preempt delay will not work with initial state MASTER - clearing",
        ),
        (
            V4,
            "nopreempt;preempt_delay 5",
            5,
            "preempt_delay is incompatible with nopreempt mode - resetting",
        ),
        (
            V4,
            "priority 255;preempt_delay 5",
            5,
            "preempt delay will not work",
        ),
        (V4, "priority 255;state BACKUP", 0, ""),
        (V4, "state MASTER;priority 100", 0, ""),
        (
            V4,
            "state SLAVE",
            5,
            "(V) unknown state 'SLAVE', defaulting to BACKUP",
        ),
        (
            V4,
            "version 3;authentication {;auth_type PASS;auth_pass 1234;}",
            5,
            "VRRP version 3 does not support authentication. Ignoring.",
        ),
        (
            V4,
            "authentication {;auth_type PASS;}",
            5,
            "Authentication specified but no password given. Ignoring",
        ),
        (
            V4,
            "authentication {;auth_type pass;auth_pass 1234;}",
            5,
            "unknown authentication type 'pass'",
        ),
        (V4, "authentication {;auth_pass 1234;}", 0, ""),
        (
            V4,
            "authentication {;auth_type PASS;auth_pass 123456789;}",
            5,
            "Truncating auth_pass to 8 characters",
        ),
        (
            V6,
            "version 2",
            5,
            "vrrp_version 2 conflicts with configured or deduced version",
        ),
        (V4, "version 3;advert_int 50", 5, "Setting to 40.95s"),
        (
            V4,
            "version 3;advert_int 0.255",
            5,
            "must be in units of 10ms - rounding",
        ),
        (V4, "advert_int 0.5", 5, "must be an integer. rounding"),
        (V6, "advert_int 1.5", 0, ""),
        (
            V4,
            "unicast_src_ip 192.0.2.1",
            5,
            "A unicast keyword has been specified without any unicast peers.",
        ),
        (
            V4,
            "unicast_src_ip 192.0.2.1;unicast_peer {;192.0.2.2;}",
            0,
            "",
        ),
        (
            V4,
            "unicast_peer {;192.0.2.2;fe80::3;}",
            5,
            "MUST be of the same family !!! Skipping...",
        ),
        (V4, "unicast_peer {;}", 5, "without any unicast peers"),
        (V4, "unicast_peer {;192.0.2.2;192.0.2.2;}", 0, ""),
        (
            V4,
            "mcast_src_ip fe80::1",
            5,
            "and src address[fe80::1] MUST be of the same family",
        ),
        (
            "",
            "version 3",
            5,
            "No VIP specified; at least one is required",
        ),
        (
            "",
            "virtual_ipaddress {;}",
            5,
            "No VIP specified; at least one is sensible",
        ),
        (
            "",
            "virtual_ipaddress {;192.0.2.5;fe80::5;}",
            5,
            "address family must match VRRP instance [fe80::5] - ignoring",
        ),
        ("", "no_virtual_ipaddress", 0, ""),
        (V6, "virtual_ipaddress_excluded {;192.0.2.5;}", 0, ""),
        (V6, "native_ipv6", 0, ""),
        (V4, "strict_mode;state MASTER", 0, ""),
        (
            V4,
            "strict_mode;priority 255;state BACKUP",
            5,
            "State MASTER must match being address owner",
        ),
        (
            V4,
            "strict_mode;state MASTER;priority 9",
            5,
            "State MASTER must match being address owner",
        ),
        (
            V4,
            "strict_mode;authentication {;auth_type PASS;auth_pass 1234;}",
            5,
            "Strict mode does not support authentication. Ignoring.",
        ),
        (
            V4,
            "strict_mode;preempt_delay 5",
            5,
            "preempt_delay is incompatible with strict mode - resetting",
        ),
        (
            V4,
            "strict_mode;accept",
            5,
            "accept mode for VRRP version 2 does not comply with RFC3768",
        ),
        (V4, "strict_mode;version 3;accept", 0, ""),
        (
            V4,
            "strict_mode;down_timer_adverts 5",
            5,
            "down_timer_adverts is incompatible with strict mode - resetting",
        ),
        (
            V4,
            "strict_mode;lower_prio_no_advert false",
            5,
            "Strict mode requires no lower priority advert. resetting",
        ),
        (
            V4,
            "strict_mode;higher_prio_send_advert",
            5,
            "strict mode requires higher_prio_send_advert to be clear. resetting",
        ),
        (V4, "strict_mode;nopreempt", 0, ""),
        (
            "",
            "strict_mode;virtual_ipaddress {;2001:db8::5;}",
            5,
            "the first IPv6 VIP address must be link local",
        ),
        ("", "virtual_ipaddress {;2001:db8::5;}", 0, ""),
        (
            V4,
            "track_interface {;eth0;}",
            5,
            "Ignoring track_interface eth0 since own interface",
        ),
        (
            V4,
            "track_interface {;eth1 weight 254;}",
            5,
            "cannot be +/-254. Setting to +/-253",
        ),
        (
            V4,
            "track_interface {;eth1;eth1;}",
            5,
            "duplicate track_interface eth1 - ignoring",
        ),
        (
            V4,
            "track_interface {;eth9;}",
            5,
            "tracked interface eth9 doesn't exist",
        ),
        (
            V4,
            "use_vmac;promote_secondaries",
            5,
            "promote_secondaries is automatically set for vmacs - ignoring",
        ),
        (V4, "use_vmac;vmac_xmit_base", 0, ""),
        (
            V4,
            "vmac_xmit_base",
            5,
            "vmac_xmit_base is only valid with a VMAC",
        ),
        (V4, "linkbeat_use_polling", 5, "is deprecated"),
        (V4, "old_unicast_checksum", 5, "without any unicast peers"),
    ] {
        says(&load("", addresses, settings), status, message);
    }
}

//= X-STRICT-1
#[test]
fn what_settings_become() {
    let l = load("", V4, "state MASTER;preempt_delay 5");
    assert_eq!(instance(&l).preempt_delay, Duration::ZERO);
    assert!(instance(&l).priority.is_owner());
    let l = load("", V4, "advert_int 1.5");
    assert_eq!(instance(&l).advert_int, Duration::from_secs(2));
    let l = load("", V6, "advert_int 0.256");
    assert_eq!(instance(&l).advert_int, Duration::from_millis(260));
    assert_eq!(instance(&l).version, Version::V3);
    let l = load("vrrp_version 3", V4, "");
    assert_eq!(instance(&l).version, Version::V3);
    let l = load("", V4, "authentication {;auth_type pass;auth_pass 1234;}");
    assert_eq!(instance(&l).authentication, Authentication::None);
    let l = load(
        "",
        V4,
        "authentication {;auth_type PASS;auth_pass 123456789;}",
    );
    let Authentication::Pass(secret) = &instance(&l).authentication else {
        panic!()
    };
    assert_eq!(secret.expose(), b"12345678");
    let l = load("vrrp_strict", V4, "priority 100");
    assert!(instance(&l).lower_prio_no_advert && !instance(&l).accept);
    assert_eq!(instance(&l).garp.lower_prio_repeat, 0);
    let l = load(
        "vrrp_garp_master_repeat 3;vrrp_garp_master_delay 7",
        V4,
        "garp_master_delay 0",
    );
    let garp = &instance(&l).garp;
    assert_eq!((garp.master_repeat, garp.master_delay), (3, Duration::ZERO));
    assert_eq!(
        (garp.lower_prio_repeat, garp.lower_prio_delay),
        (3, Duration::ZERO)
    );
    let l = load("vrrp_mcast_group4 225.0.0.18", V4, "");
    assert_eq!(instance(&l).multicast_group.to_string(), "225.0.0.18");
    let l = load("smtp_alert;smtp_alert_vrrp false", V4, "");
    assert!(!instance(&l).notify.smtp_alert);
    let l = load(
        "dynamic_interfaces",
        V4,
        "track_interface {;later0 weight -10;}",
    );
    says(&l, 0, "");
    assert_eq!(instance(&l).track.interfaces[0].weight, -10);
    let l = load("", V4, "unicast_peer {;192.0.2.2 min_ttl 250 max_ttl 255;}");
    assert!(instance(&l).is_unicast() && instance(&l).check_unicast_src);
    assert_eq!(instance(&l).unicast_peers[0].min_ttl, Some(250));
}

#[test]
fn addresses_with_every_option() {
    let text = "virtual_ipaddress {;192.0.2.5/24 brd + dev eth1 label eth1:1 scope link no_track;\
                192.0.2.6 peer 192.0.2.7 noprefixroute home preferred_lft forever -nodad;}";
    let l = load("", "", text);
    says(&l, 0, "");
    let [first, second] = instance(&l).virtual_ipaddress.as_slice() else {
        panic!()
    };
    assert_eq!(first.prefix.to_string(), "192.0.2.5/24");
    assert_eq!(first.dev.as_deref(), Some("eth1"));
    assert_eq!(first.label.as_deref(), Some("eth1:1"));
    assert_eq!(first.broadcast, Some(rk_config::model::Broadcast::AllOnes));
    assert!(first.no_track && !first.dad);
    assert_eq!(second.peer.unwrap().to_string(), "192.0.2.7");
    assert!(second.home && second.noprefixroute && second.dad);
}

#[test]
fn groups_and_duplicates() {
    let two = "vrrp_instance A {;interface eth0;virtual_router_id 5;virtual_ipaddress {;192.0.2.5;};};\
               vrrp_instance B {;interface eth0;virtual_router_id 6;virtual_ipaddress {;192.0.2.6;};};";
    for (extra, status, message) in [
        ("vrrp_sync_group G {;group {;A;B;};}", 0, ""),
        (
            "vrrp_sync_group G {;group {;A;};}",
            5,
            "Sync group G has only 1 virtual router(s)",
        ),
        (
            "vrrp_sync_group G {;group {;A;A;};}",
            5,
            "cannot exist in more than one sync group; ignoring G",
        ),
        (
            "vrrp_sync_group G {;group {;A;B;C;};}",
            5,
            "Virtual router C specified in sync group G doesn't exist - ignoring",
        ),
        (
            "vrrp_sync_group G {;}",
            5,
            "Sync group G has no virtual router(s). removing",
        ),
        (
            "vrrp_sync_group G {;group {;};}",
            5,
            "Warning - sync group G has empty group block",
        ),
        (
            "vrrp_instance C {;interface eth0;virtual_router_id 5;virtual_ipaddress {;192.0.2.7;};}",
            5,
            "A and C both use VRID 5 with IPv4 on interface eth0",
        ),
        (
            "vrrp_instance C {;interface eth0;virtual_router_id 5;virtual_ipaddress {;fe80::7;};}",
            0,
            "",
        ),
        (
            "vrrp_instance C {;interface eth1;virtual_router_id 5;virtual_ipaddress {;192.0.2.7;};}",
            0,
            "",
        ),
    ] {
        let text = format!("{two}{extra};").replace(';', "\n");
        says(&test(text, &Machine::default()), status, message);
    }
}

#[test]
fn a_configuration_survives_the_way_to_the_children() {
    let text = "vrrp_script S {;script \"/usr/bin/test -e '/a b'\";weight -5 reverse;};\
                vrrp_instance A {;interface eth0;virtual_router_id 5;virtual_ipaddress {;\
                192.0.2.5/24 dev eth1;};track_script {;S;};authentication {;auth_type AH;\
                auth_pass secret;};virtual_routes {;192.0.2.0/24 via 192.0.2.1 metric 5;};\
                virtual_rules {;from 192.0.2.0/24 table 100 priority 5;};\
                notify \"/usr/bin/true a\" root root;};"
        .replace(';', "\n");
    let loaded = test(text, &Machine::default());
    let json = serde_json::to_string(&loaded.config).unwrap();
    let back: rk_config::Config = serde_json::from_str(&json).unwrap();
    assert_eq!(back, loaded.config);
    let script = &back.scripts[0];
    assert_eq!(script.command.argv, ["/usr/bin/test", "-e", "/a b"]);
    let tracked = &back.instances[0].track.scripts[0];
    assert_eq!((tracked.weight, tracked.reverse), (-5, true));
    let route = &back.instances[0].virtual_routes[0];
    assert_eq!(route.hop.via, Some("192.0.2.1".parse().unwrap()));
    assert_eq!(route.metric, Some(5));
    assert!(!format!("{back:?}").contains("secret\""));
}

#[test]
fn misspelt_keywords_are_guessed() {
    let l = load("", V4, "virtual_routr_id 7");
    let d = l
        .diagnostics
        .iter()
        .find(|d| d.message.contains("Unknown keyword"))
        .unwrap();
    assert_eq!(d.help.as_deref(), Some("did you mean `virtual_router_id`?"));
    let l = load("", V4, "router_id x");
    let d = l
        .diagnostics
        .iter()
        .find(|d| d.message.contains("Unknown keyword"))
        .unwrap();
    let text = d.help.as_deref().unwrap();
    assert!(text.contains("`virtual_router_id`"), "{text}");
    let l = load("", V4, "process_names");
    let d = l
        .diagnostics
        .iter()
        .find(|d| d.message.contains("Unknown keyword"))
        .unwrap();
    assert_eq!(
        d.help.as_deref(),
        Some("`process_names` belongs in global_defs")
    );
}

#[test]
fn what_does_nothing_yet_is_said_once() {
    let l = load(
        "",
        V4,
        "virtual_routes {;};auth_hmac {;};virtual_routes {;}",
    );
    let routes: Vec<_> = l
        .unsupported
        .iter()
        .filter(|u| u.keyword == "virtual_routes")
        .collect();
    assert_eq!(
        (routes.len(), routes[0].count, routes[0].context),
        (1, 2, "vrrp_instance")
    );
    assert_eq!(l.files.name(routes[0].file), "main.conf");
}

//! What lines of routes and rules become.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so and ends"
)]

mod support;

use std::time::Duration;

use rk_config::model::{
    DsField, Encap, Leg, MplsLabel, Placement, Route, RouteProtocol, RouteTable, RouteType, Rule,
    RuleAction, RulePriority, Span, TunnelEncap,
};
use support::{Machine, test};

const GROUP: &str = "track_group TG {\ngroup {\nV\n}\n}\nvrrp_instance V {\ninterface eth0\n\
                     virtual_router_id 5\nvirtual_ipaddress {\n192.0.2.5\n}\n}\n";

fn routes(lines: &str) -> Vec<Route> {
    let text = format!("{GROUP}static_routes {{\n{lines}\n}}\n");
    test(text, &Machine::default()).config.static_routes
}

fn route(line: &str) -> Route {
    let routes = routes(line);
    let [route] = routes.as_slice() else {
        panic!("{line}: {routes:?}")
    };
    route.clone()
}

fn rules(lines: &str) -> Vec<Rule> {
    let text = format!("{GROUP}static_rules {{\n{lines}\n}}\n");
    test(text, &Machine::default()).config.static_rules
}

#[test]
fn routes_as_ip_takes_them() {
    for (line, want) in [
        ("default", "0.0.0.0/0 table 254 proto 18 scope 0"),
        (
            "default6 dev eth0",
            "::/0 table 254 proto 18 scope 0 dev eth0",
        ),
        (
            "any via fe80::1 dev eth0",
            "::/0 table 254 proto 18 scope 0 via fe80::1 dev eth0",
        ),
        (
            "blackhole 10.0.0.0/8 table 7 metric 3",
            "blackhole 10.0.0.0/8 table 7 proto 18 scope 0 metric 3",
        ),
        (
            "13 10.0.0.0/8 protocol 4 no_track scope link tos 0x10",
            "13 10.0.0.0/8 tos 0x10 table 254 proto 4 scope 253",
        ),
        (
            "10.0.0.0/8 dev eth0 mtu lock 1400 rtt 300ms rttvar 4000 rto_min lock 2s features ecn \
             congctl lock reno quickack 1 hoplimit 5",
            "10.0.0.0/8 table 254 proto 18 scope 0 dev eth0 mtu lock 1400 rtt 300ms \
             rttvar 1000ms rto_min 2000ms hoplimit 5 quickack 1 features ecn congctl lock reno",
        ),
        (
            "10.0.0.0/8 or 192.0.2.2 via 192.0.2.1",
            "10.0.0.0/8 table 254 proto 18 scope 0 nexthop via 192.0.2.1 weight 1 \
             nexthop via 192.0.2.2 weight 1",
        ),
        (
            "10.0.0.0/8 nexthop via 192.0.2.1 encap mpls 16/17 weight 256 nexthop \
             nexthop dev eth1 onlink realms 1/2",
            "10.0.0.0/8 table 254 proto 18 scope 0 nexthop encap mpls 16/17 via 192.0.2.1 \
             weight 256 nexthop dev eth1 onlink realms 1/2 weight 1",
        ),
        (
            "10.0.0.0/8 encap ip id 18446744073709551615 ttl 7 dst 192.0.2.9 dev eth0",
            "10.0.0.0/8 table 254 proto 18 scope 0 \
             encap ip id 18446744073709551615 dst 192.0.2.9 ttl 7 dev eth0",
        ),
        (
            "2001:db8::/48 encap ila 1:ab:0:4 dev eth0 pref high expires 60",
            "2001:db8::/48 table 254 proto 18 scope 0 encap ila 1:ab:0:4 dev eth0 expires 60 \
             pref high",
        ),
        (
            "2001:db8::/48 from 2001:db8:9::/48 dev eth0 ttl-propagate disabled pref 8",
            "2001:db8::/48 from 2001:db8:9::/48 table 254 proto 18 scope 0 dev eth0 pref 8 \
             ttl-propagate disabled",
        ),
    ] {
        assert_eq!(route(line).to_string(), want, "{line}");
    }
}

#[test]
fn a_route_goes_ahead_of_its_like_unless_it_says_otherwise() {
    for (line, want) in [
        ("10.0.0.0/8 dev eth0", Placement::Prepend),
        ("blackhole 10.0.0.0/8", Placement::Prepend),
        ("10.0.0.0/8 dev eth0 add", Placement::Add),
        ("10.0.0.0/8 dev eth0 add append", Placement::Append),
    ] {
        assert_eq!(route(line).placement, want, "{line}");
    }
}

#[test]
fn tunnels_keep_what_ip_cannot_say() {
    let r = route("10.0.0.0/8 dev eth0 encap ip id 5 flags 3 tos 0x10 append track_group TG");
    let tunnel = TunnelEncap {
        id: Some(5),
        flags: Some(3),
        tos: Some(DsField(16)),
        ..TunnelEncap::default()
    };
    assert_eq!(r.hop.encap, Some(Encap::Ip(tunnel)));
    assert_eq!(r.placement, Placement::Append);
    assert_eq!(r.track_group.as_deref(), Some("TG"));
    assert_eq!((r.kind, r.table), (RouteType::UNICAST, RouteTable::MAIN));
}

#[test]
fn an_encapsulation_that_is_none_is_left_out_and_a_leg_with_a_bad_value_too() {
    let r = route(
        "10.0.0.0/8 nexthop via 192.0.2.1 encap mpls 16/17/18 nexthop dev eth0 weight 0 \
         nexthop dev eth1 encap mpls 5 nexthop via 192.0.2.2 zzz nexthop dev eth0",
    );
    let encaps: Vec<_> = r
        .legs
        .iter()
        .map(|leg: &Leg| leg.hop.encap.clone())
        .collect();
    let mpls = Encap::Mpls(vec![MplsLabel(5)]);
    assert_eq!(encaps, [None, Some(mpls), None]);
}

#[test]
fn times_are_counted_as_the_kernel_counts_them_and_kept_in_bounds() {
    for (text, want) in [
        ("rtt 102", 200),
        ("rtt 4000", 500),
        ("rttvar 4000", 1_000),
        ("rto_min 4000", 4_000),
        ("rtt 250ms", 250),
        ("rtt 1.5", 1_500),
        ("rtt 3secs", 3_000),
        ("rtt 500s", 120_000),
        ("rto_min 1ms", 200),
    ] {
        let metrics = route(&format!("10.0.0.0/8 dev eth0 {text}")).metrics;
        let time = metrics.rtt.or(metrics.rttvar).or(metrics.rto_min).unwrap();
        assert_eq!(time.value, Duration::from_millis(want), "{text}");
    }
}

#[test]
fn a_line_is_dropped_for_a_word_that_means_nothing() {
    for line in [
        "10.0.0.0/8 dev eth0 metric 0x10",
        "10.0.0.0/8 dev eth0 mtu 0x578",
        "10.0.0.0/8 dev eth0 nonsense",
        "256 10.0.0.0/8 dev eth0",
        "10.0.0.0/8 via 2001:db8::1",
        "10.0.0.0/8 dev eth0 inet6 x",
        "2001:db8::/48 dev eth0 realms 1",
        "10.0.0.0/8 dev eth0 pref low",
        "10.0.0.0/8 dev eth0 expires 5",
        "10.0.0.0/8 from 10.0.0.0/8",
        "10.0.0.0/8 dev nosuchif9",
        "dev eth0",
    ] {
        assert_eq!(routes(line), [], "{line}");
    }
    for line in [
        "priority 5 table 0",
        "priority 5 l3mdev prohibit",
        "priority 5 prohibit sup_pl 4",
        "priority 5 table 9 pref 4",
        "priority 5 from 10.0.0.0/8 to 2001:db8::/48 table 9",
        "priority 5 table 9 tunnel-id 0x5",
        "priority 5",
    ] {
        assert_eq!(rules(line), [], "{line}");
    }
}

#[test]
fn rules_as_ip_takes_them() {
    for (line, want) in [
        (
            "from 10.0.0.0/8 to 10.1.0.0/16 order 5 not tos 16 fwmark 0x10/0xff lookup 9",
            "not from 10.0.0.0/8 to 10.1.0.0/16 tos 0x10 fwmark 16/255 priority 5 protocol 18 \
             table 9",
        ),
        (
            "priority 5 iif eth0 oif eth1 l3mdev tunnel-id 9 uidrange 5-6 no_track protocol 4",
            "from all iif eth0 oif eth1 tun_id 9 uidrange 5-6 priority 5 protocol 4 l3mdev",
        ),
        (
            "priority 5 ipproto udp sport 1-2 dport 3-3 table main realms 1/2 sup_pl 4 \
             sup_group 7",
            "from all ipproto 17 sport 1-2 dport 3-3 priority 5 protocol 18 realms 1/2 \
             suppress_prefixlength 4 suppress_ifgroup 7 table 254",
        ),
        (
            "priority 5 type goto 7",
            "from all priority 5 protocol 18 goto 7",
        ),
    ] {
        let rules = rules(line);
        let [rule] = rules.as_slice() else {
            panic!("{line}: {rules:?}")
        };
        assert_eq!(rule.to_string(), want, "{line}");
    }
}

#[test]
fn rules_without_a_priority_get_the_next_lower_one_of_their_family() {
    let found = rules("to 10.0.0.0/8 table 9\nfrom 2001:db8::/48 nop\nnop\nnop priority 3");
    let priorities: Vec<_> = found.iter().map(|r| r.priority).collect();
    assert_eq!(priorities, [16_384, 16_384, 16_383, 3].map(RulePriority));
}

#[test]
fn what_is_tracked_has_our_protocol() {
    let found = rules("priority 5 nop protocol 4\npriority 6 nop protocol 4 no_track");
    let protocols: Vec<_> = found.iter().map(|r| r.protocol).collect();
    assert_eq!(protocols, [RouteProtocol::KEEPALIVED, RouteProtocol(4)]);
}

#[test]
fn of_ports_and_protocols_only_the_word_is_lost() {
    let found = rules("priority 5 prohibit sport 80 dport 80-81 ipproto nonsense");
    assert_eq!(found[0].action, RuleAction::Prohibit);
    assert_eq!((found[0].when.sport, found[0].when.ipproto), (None, None));
    let dport = Span {
        first: 80,
        last: 81,
    };
    assert_eq!(found[0].when.dport, Some(dport));
}

#[test]
fn a_group_of_a_rule_needs_an_interface() {
    let found = rules("priority 5 nop track_group TG\npriority 6 nop iif eth0 track_group TG");
    let groups: Vec<_> = found.iter().map(|r| r.track_group.as_deref()).collect();
    assert_eq!(groups, [None, Some("TG")]);
}

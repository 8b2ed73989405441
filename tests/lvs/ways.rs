//! Where checks go and where they come from: `connect_ip`, `connect_port`, `bindto`, `bind_port`,
//! `bind_if` and `fwmark` of every check that has them, as the packets on the wire show. No kernel
//! with IPVS is needed: without, servers are checked all the same.

use rk_lab::{Daemon, Which};

use crate::bed::SOON;

/// The checks, with what their packets are.
const CHECKS: [(&str, &str, &str); 6] = [
    ("TCP_CHECK", "tcp", ""),
    ("HTTP_GET", "tcp", "url {\npath /\n}"),
    ("SSL_GET", "tcp", "url {\npath /\n}"),
    ("SMTP_CHECK", "tcp", ""),
    ("UDP_CHECK", "udp", ""),
    ("DNS_CHECK", "udp", ""),
];

#[test]
fn every_check_takes_the_way_it_is_told() {
    let Some(lab) = crate::bed::lab("ways") else {
        return;
    };
    let node = lab.node("one");
    // Two ways out; by the table of routes everything takes the first.
    node.sh("ip link set lo up
        for n in 0 1; do
            ip link add d$n type veth peer name p$n && ip link set d$n up && ip link set p$n up
        done
        ip address add 10.1.0.1/24 dev d0
        ip address add 10.1.0.7/24 dev d1 noprefixroute
        ip address add fd01::1/64 dev d0 nodad
        ip address add fd01::7/128 dev d1 nodad
        ip route add fd01::/64 dev d1 metric 2000
        ip route add 10.1.0.0/24 dev d1 metric 2000
        for n in 0 1; do
            ip neigh add 10.1.0.9 lladdr 02:00:00:00:00:09 dev d$n
            ip neigh add fd01::9 lladdr 02:00:00:00:00:09 dev d$n
        done
        nft add table inet t
        nft 'add chain inet t out { type filter hook output priority 0; }'");
    let mut wanted = Vec::new();
    let mut services = String::new();
    for (family, real, connect, bind) in [
        ("ip", "10.1.0.8", "10.1.0.9", "10.1.0.7"),
        ("ip6", "fd01::8", "fd01::9", "fd01::7"),
    ] {
        let mut checks = String::new();
        for (number, (check, protocol, more)) in (1..).zip(CHECKS) {
            let (to, from) = (7000 + number, 8000 + number);
            checks += &format!(
                "{check} {{
                    connect_ip {connect}
                    connect_port {to}
                    bindto {bind}
                    bind_port {from}
                    bind_if d1
                    fwmark {number}
                    connect_timeout 1
                    {more}
                }}\n"
            );
            wanted.push((
                format!("{family}_{number}"),
                format!(
                    "meta mark {number} oifname d1 {family} saddr {bind} {family} daddr {connect} \
                     {protocol} sport {from} {protocol} dport {to}"
                ),
            ));
        }
        checks += &format!(
            "PING_CHECK {{
                connect_ip {connect}
                bindto {bind}
                bind_if d1
                fwmark 99
                connect_timeout 1
            }}\n"
        );
        let icmp = if family == "ip" { "icmp" } else { "icmpv6" };
        wanted.push((
            format!("{family}_ping"),
            format!(
                "meta mark 99 oifname d1 {family} saddr {bind} {family} daddr {connect} \
                 {icmp} type echo-request"
            ),
        ));
        // And where nothing is said: the real server itself.
        checks += "TCP_CHECK {\nconnect_timeout 1\n}\n";
        wanted.push((
            format!("{family}_plain"),
            format!("meta mark 0 oifname d0 {family} daddr {real} tcp dport 80"),
        ));
        let service = if family == "ip" {
            "192.0.2.1"
        } else {
            "2001:db8::1"
        };
        services += &format!(
            "virtual_server {service} 80 {{
                lvs_sched rr
                lvs_method NAT
                protocol TCP
                warmup 0
                delay_loop 1
                real_server {real} 80 {{
                    {checks}
                }}
            }}\n"
        );
    }
    for (name, rule) in &wanted {
        node.sh(&format!(
            "nft add counter inet t {name} && nft add rule inet t out {rule} counter name {name}"
        ));
    }
    let mut daemon = Daemon::start(&node, Which::Rkeepalived, &services);
    let missing = || {
        let counters = node.sh("nft list counters table inet t");
        let mut missing = Vec::new();
        for (name, rule) in &wanted {
            let (_, rest) = counters
                .split_once(&format!("counter {name} {{"))
                .expect("it is there");
            if rest.split_whitespace().nth(1) == Some("0") {
                missing.push(rule.clone());
            }
        }
        missing
    };
    let until = std::time::Instant::now() + SOON;
    while !missing().is_empty() {
        let late = std::time::Instant::now() > until;
        assert!(!late, "never sent: {:#?}\n{}", missing(), daemon.log());
        rk_lab::pause(std::time::Duration::from_millis(100));
    }
    daemon.stop();
}

//! The table of the load balancer: the same services with the same servers on every node.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::diagnostic::Severity;
use crate::lint::{seconds, server_name};
use crate::model::{
    Config, Forwarding, Granularity, GroupTarget, LvsSyncDaemon, Origin, RealServer, Service,
    TunnelChecksum, TunnelKind, VirtualServer,
};

use super::{Finding, Node, Pairs, Spot};

/// What must be the same on every node.
pub(super) fn compare(pairs: &Pairs<'_>, out: &mut Vec<Finding>) {
    let (a, b) = (pairs.a, pairs.b);
    let (on_a, on_b) = (by_service(a.config), by_service(b.config));
    for server in &a.config.virtual_servers {
        match on_b.get(&server.service) {
            Some(other) => {
                settings([a, b], [server, other], out);
                real_servers([a, b], [server, other], out);
            }
            None => out.push(missing(server, a, b)),
        }
    }
    for server in &b.config.virtual_servers {
        if !on_a.contains_key(&server.service) {
            out.push(missing(server, b, a));
        }
    }
    sync_daemon(a, b, out);
}

fn by_service(config: &Config) -> HashMap<&Service, &VirtualServer> {
    let servers = config.virtual_servers.iter();
    servers.map(|s| (&s.service, s)).collect()
}

fn spot(node: Node<'_>, origin: &Origin, text: String) -> Spot {
    Spot {
        node: node.name.to_owned(),
        origin: origin.clone(),
        text,
    }
}

fn finding(code: crate::Code, message: String, spots: Vec<Spot>, help: &str) -> Finding {
    Finding {
        code,
        severity: Severity::Warning,
        message,
        spots,
        help: help.to_owned(),
    }
}

fn missing(server: &VirtualServer, has: Node<'_>, lacks: Node<'_>) -> Finding {
    let message = format!(
        "virtual server {} is on {}, but not on {}",
        server.service, has.name, lacks.name
    );
    let here = spot(has, &server.origin, "only here".to_owned());
    let help = "serve the same virtual servers on every node";
    finding(super::SERVERS, message, vec![here], help)
}

/// How a service is balanced, one text for each thing that may differ.
fn shown(server: &VirtualServer, config: &Config) -> Vec<(&'static str, String)> {
    let persistence = match &server.persistence {
        None => "off".to_owned(),
        Some(p) => match p.granularity {
            None => seconds(p.timeout),
            Some(Granularity::Mask(mask)) => format!("{} for {mask}", seconds(p.timeout)),
            Some(Granularity::Length(length)) => format!("{} for /{length}", seconds(p.timeout)),
        },
    };
    let flags = server.flags;
    let mut out = vec![
        ("lb_algo", server.scheduler.to_string()),
        ("lb_kind", method(server.forwarding)),
        ("persistence", persistence),
        ("ops", server.ops.to_string()),
        (
            "flags of the scheduler",
            [
                (flags.sched1, "1"),
                (flags.sched2, "2"),
                (flags.sched3, "3"),
            ]
            .into_iter()
            .filter_map(|(on, name)| on.then_some(name))
            .collect(),
        ),
        ("quorum", server.quorum.to_string()),
    ];
    if let Service::Group { name, .. } = &server.service {
        let group = config.virtual_server_groups.iter();
        let group = group.clone().find(|g| g.name == *name);
        let mut targets: Vec<GroupTarget> = group
            .into_iter()
            .flat_map(|g| g.entries.iter().map(|e| e.target))
            .collect();
        targets.sort_unstable_by_key(|t| format!("{t:?}"));
        out.push(("the group", format!("{targets:?}")));
    }
    out
}

/// The method with the options of a tunnel.
fn method(forwarding: Forwarding) -> String {
    match forwarding {
        Forwarding::Tun(tunnel) => {
            let kind = match tunnel.kind {
                TunnelKind::Ipip => "ipip",
                TunnelKind::Gue => "gue",
                TunnelKind::Gre => "gre",
            };
            let checksum = match tunnel.checksum {
                TunnelChecksum::None => "nocsum",
                TunnelChecksum::Checksum => "csum",
                TunnelChecksum::Remote => "remcsum",
            };
            format!("TUN type {kind} port {} {checksum}", tunnel.port)
        }
        other => other.to_string(),
    }
}

fn settings(nodes: [Node<'_>; 2], servers: [&VirtualServer; 2], out: &mut Vec<Finding>) {
    let [a, b] = [0, 1].map(|n| shown(servers[n], nodes[n].config));
    let differ: Vec<_> = a
        .into_iter()
        .zip(b)
        .filter(|((_, on_a), (_, on_b))| on_a != on_b)
        .collect();
    let Some(((what, _), _)) = differ.first() else {
        return;
    };
    let message = format!("virtual server {}: {what} differs", servers[0].service);
    // What a group is made of fills lines; where it stands says enough.
    let text = |list: Vec<(&str, &String)>| {
        let parts: Vec<String> = list
            .into_iter()
            .map(|(what, text)| match what {
                "the group" => "its own addresses and marks in the group".to_owned(),
                _ => format!("{what} {text}"),
            })
            .collect();
        parts.join(", ")
    };
    let on_a = text(differ.iter().map(|((w, t), _)| (*w, t)).collect());
    let on_b = text(differ.iter().map(|(_, (w, t))| (*w, t)).collect());
    let spots = vec![
        spot(nodes[0], &servers[0].origin, on_a),
        spot(nodes[1], &servers[1].origin, on_b),
    ];
    let help = "balance in the same way on every node";
    out.push(finding(super::SERVICE, message, spots, help));
}

fn real_servers(nodes: [Node<'_>; 2], servers: [&VirtualServer; 2], out: &mut Vec<Finding>) {
    type Known<'a> = HashMap<(IpAddr, u16), &'a RealServer>;
    let of = |n: usize| -> Known<'_> {
        let reals = servers[n].real_servers.iter();
        reals.map(|r| ((r.addr, r.port), r)).collect()
    };
    let known = [of(0), of(1)];
    let service = &servers[0].service;
    for (n, other) in [(0, 1), (1, 0)] {
        for real in &servers[n].real_servers {
            let twin = known[other].get(&(real.addr, real.port)).copied();
            let name = server_name(real);
            let message = match twin {
                None => format!(
                    "virtual server {service}: real server {name} is on {}, but not on {}",
                    nodes[n].name, nodes[other].name
                ),
                Some(twin) if n == 0 && twin.weight != real.weight => {
                    format!("virtual server {service}: the weight of real server {name} differs")
                }
                Some(twin) if n == 0 && twin.forwarding != real.forwarding => {
                    format!("virtual server {service}: the method of real server {name} differs")
                }
                Some(twin) if n == 0 && kinds(twin) != kinds(real) => {
                    let message = format!(
                        "virtual server {service}: real server {name} is not checked in the same \
                         way"
                    );
                    let spots = [(nodes[n], real), (nodes[other], twin)];
                    let spots = spots.map(|(node, r)| spot(node, &r.origin, checked(r)));
                    let help = "write the same checkers on every node";
                    out.push(finding(super::CHECKERS, message, spots.into(), help));
                    continue;
                }
                Some(_) => continue,
            };
            let show = |r: &RealServer| format!("weight {}, {}", r.weight, method(r.forwarding));
            let mut spots = vec![spot(nodes[n], &real.origin, show(real))];
            spots.extend(twin.map(|t| spot(nodes[other], &t.origin, show(t))));
            let help = "balance to the same real servers on every node";
            out.push(finding(super::REAL_SERVERS, message, spots, help));
        }
    }
}

/// What checks a real server, sorted.
fn kinds(real: &RealServer) -> Vec<&'static str> {
    let mut kinds: Vec<_> = real
        .checkers
        .iter()
        .map(crate::model::Checker::keyword)
        .collect();
    kinds.sort_unstable();
    kinds
}

fn checked(real: &RealServer) -> String {
    match kinds(real).as_slice() {
        [] => "no checker".to_owned(),
        kinds => kinds.join(", "),
    }
}

/// Connections are only handed over if both sides name the same number, port and group.
fn sync_daemon(a: Node<'_>, b: Node<'_>, out: &mut Vec<Finding>) {
    let of = |node: Node<'_>| -> Option<(LvsSyncDaemon, String)> {
        let daemon = node.config.global.lvs_sync_daemon.clone()?;
        let vrid = daemon.inst.as_ref().and_then(|name| {
            let instances = &node.config.instances;
            let found = instances.iter().find(|i| i.name == *name)?;
            Some(found.virtual_router_id.get())
        });
        let id = daemon.id.or(vrid).unwrap_or(0);
        let port = daemon.port.unwrap_or(8848);
        let group = daemon
            .group
            .map_or_else(|| "224.0.0.81".to_owned(), |g| g.to_string());
        Some((daemon, format!("id {id}, port {port}, group {group}")))
    };
    let (message, spots) = match (of(a), of(b)) {
        (None, None) => return,
        (Some((_, on_a)), Some((_, on_b))) if on_a == on_b => return,
        (Some((x, on_a)), Some((y, on_b))) => (
            "lvs_sync_daemon differs".to_owned(),
            vec![spot(a, &x.origin, on_a), spot(b, &y.origin, on_b)],
        ),
        (Some((daemon, on_a)), None) => (
            format!("lvs_sync_daemon is on {}, but not on {}", a.name, b.name),
            vec![spot(a, &daemon.origin, on_a)],
        ),
        (None, Some((daemon, on_b))) => (
            format!("lvs_sync_daemon is on {}, but not on {}", b.name, a.name),
            vec![spot(b, &daemon.origin, on_b)],
        ),
    };
    let help = "write the same id, port and group on every node";
    out.push(finding(super::SYNC_DAEMON, message, spots, help));
}

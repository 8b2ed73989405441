//! What must be alike on two nodes, and what must not.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use rk_base::Family;

use crate::diagnostic::Severity;
use crate::lint::seconds;
use crate::model::{
    Authentication, Config, InitialState, Instance, InterfaceAddress, SyncGroup, Version,
};

use super::{Finding, Node, Pairs, Router, Spot, watch};

/// A finding about a router, with a spot on each node.
pub(super) fn about(
    r: &Router<'_>,
    code: crate::Code,
    message: &str,
    spots: [String; 2],
) -> Finding {
    let [on_a, on_b] = spots;
    Finding {
        code,
        severity: Severity::Warning,
        message: format!("{}: {message}", r.on_a.name),
        spots: vec![spot(r.a, r.on_a, on_a), spot(r.b, r.on_b, on_b)],
        help: String::new(),
    }
}

fn spot(node: Node<'_>, instance: &Instance, text: String) -> Spot {
    Spot {
        node: node.name.to_owned(),
        origin: instance.origin.clone(),
        text,
    }
}

impl Finding {
    pub(super) fn note(mut self) -> Self {
        self.severity = Severity::Note;
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}

/// What must be the same on every node.
pub(super) fn alike(pairs: &Pairs<'_>, out: &mut Vec<Finding>) {
    missing(pairs, out);
    for r in &pairs.routers {
        if r.on_a.family != r.on_b.family {
            // Everything else follows from this.
            out.push(family(r));
            continue;
        }
        out.extend(router_id(r));
        out.extend(version(r));
        out.extend(interval(r));
        out.extend(authentication(r));
        out.extend(multicast(r));
        out.extend(virtual_addresses(r));
        out.extend(preemption(r));
        out.extend(vmac(r));
        out.extend(watch::notify(r));
    }
    groups(pairs, out);
    super::servers::compare(pairs, out);
}

/// What must differ or mirror between any two nodes.
pub(super) fn apart(pairs: &Pairs<'_>, out: &mut Vec<Finding>) {
    let (groups_a, groups_b) = (by_name(pairs.a.config), by_name(pairs.b.config));
    for r in &pairs.routers {
        out.extend(priority(r));
        out.extend(state(r));
        out.extend(peers(r));
        out.extend(watch::weights(r, &groups_a, &groups_b));
        out.extend(watch::tracking(r, &groups_a, &groups_b));
    }
    watch::crossed(pairs, &groups_a, out);
    names(pairs, out);
}

fn missing(pairs: &Pairs<'_>, out: &mut Vec<Finding>) {
    let on_a = pairs.only_a.iter().map(|i| (pairs.a, pairs.b, i));
    let on_b = pairs.only_b.iter().map(|i| (pairs.b, pairs.a, i));
    for (has, lacks, i) in on_a.chain(on_b) {
        let text = format!(
            "virtual_router_id {} on {}",
            i.virtual_router_id,
            i.interface.as_deref().unwrap_or("no interface")
        );
        out.push(Finding {
            code: super::MISSING,
            severity: Severity::Warning,
            message: format!("{}: is on {} but not on {}", i.name, has.name, lacks.name),
            spots: vec![spot(has, i, text)],
            help: format!("add the instance on {}, or remove it here", lacks.name),
        });
    }
}

fn family(r: &Router<'_>) -> Finding {
    let show = |f: Family| match f {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    };
    let (a, b) = (show(r.on_a.family), show(r.on_b.family));
    let text = format!(
        "speaks {a} on {} and {b} on {}, so both become master",
        r.a.name, r.b.name
    );
    let spots = [format!("adverts over {a}"), format!("adverts over {b}")];
    about(r, super::FAMILY, &text, spots)
        .help("the first virtual address decides: list the same one first on every node")
}

fn router_id(r: &Router<'_>) -> Option<Finding> {
    let (a, b) = (r.on_a.virtual_router_id, r.on_b.virtual_router_id);
    (a != b).then(|| {
        let text = format!(
            "virtual_router_id is {a} on {} and {b} on {}; they do not hear each other, so both \
             become master",
            r.a.name, r.b.name
        );
        let show = |id| format!("virtual_router_id {id}");
        about(r, super::VRID, &text, [show(a), show(b)])
            .help("write the same virtual_router_id on every node")
    })
}

fn version(r: &Router<'_>) -> Option<Finding> {
    let (a, b) = (r.on_a.version.number(), r.on_b.version.number());
    (a != b).then(|| {
        let text = format!(
            "speaks VRRP version {a} on {} and {b} on {}; each drops the other's adverts, so both \
             become master",
            r.a.name, r.b.name
        );
        let show = |v| format!("version {v}");
        about(r, super::VERSION, &text, [show(a), show(b)])
            .help("write the same version (or vrrp_version) on every node")
    })
}

fn interval(r: &Router<'_>) -> Option<Finding> {
    let (a, b) = (r.on_a.advert_int, r.on_b.advert_int);
    (a != b).then(|| {
        let (a, b) = (seconds(a), seconds(b));
        let strict = r.on_a.version == Version::V2 && r.on_b.version == Version::V2;
        let then = if strict {
            "each drops the other's adverts, so both become master"
        } else {
            "the time until a takeover depends on who was master"
        };
        let text = format!(
            "advert_int is {a} on {} and {b} on {}; {then}",
            r.a.name, r.b.name
        );
        let show = |t| format!("advert_int {t}");
        let finding = about(r, super::INTERVAL, &text, [show(a), show(b)])
            .help("write the same advert_int on every node");
        if strict { finding } else { finding.note() }
    })
}

fn authentication(r: &Router<'_>) -> Option<Finding> {
    let (a, b) = (&r.on_a.authentication, &r.on_b.authentication);
    if a == b || r.on_a.version != Version::V2 || r.on_b.version != Version::V2 {
        return None;
    }
    let kind = |a: &Authentication| match a {
        Authentication::None => "no authentication",
        Authentication::Pass(_) => "auth_type PASS",
        Authentication::Ah(_) => "auth_type AH",
    };
    let what = if kind(a) == kind(b) {
        format!("the passwords on {} and {} differ", r.a.name, r.b.name)
    } else {
        format!("{} on {}, {} on {}", kind(a), r.a.name, kind(b), r.b.name)
    };
    let text = format!("{what}; each drops the other's adverts, so both become master");
    let spots = [kind(a).to_owned(), kind(b).to_owned()];
    Some(
        about(r, super::AUTHENTICATION, &text, spots)
            .help("write the same auth_type and auth_pass (8 bytes count) on every node"),
    )
}

fn multicast(r: &Router<'_>) -> Option<Finding> {
    let (a, b) = (r.on_a.multicast_group, r.on_b.multicast_group);
    (a != b && !r.on_a.is_unicast() && !r.on_b.is_unicast()).then(|| {
        let text = format!(
            "sends to {a} on {} and to {b} on {}; they do not hear each other, so both become \
             master",
            r.a.name, r.b.name
        );
        about(
            r,
            super::MULTICAST,
            &text,
            [a, b].map(|g| format!("multicast group {g}")),
        )
        .help("write the same vrrp_mcast_group4 or vrrp_mcast_group6 on every node")
    })
}

fn list(addresses: &[&InterfaceAddress]) -> String {
    let all = addresses.iter().map(|a| a.prefix.to_string());
    all.collect::<Vec<_>>().join(", ")
}

fn virtual_addresses(r: &Router<'_>) -> Vec<Finding> {
    let mut out = Vec::new();
    let blocks = [
        (
            "virtual_ipaddress",
            &r.on_a.virtual_ipaddress,
            &r.on_b.virtual_ipaddress,
        ),
        (
            "virtual_ipaddress_excluded",
            &r.on_a.virtual_ipaddress_excluded,
            &r.on_b.virtual_ipaddress_excluded,
        ),
    ];
    for (block, a, b) in blocks {
        let set =
            |all: &[InterfaceAddress]| -> BTreeSet<_> { all.iter().map(|x| x.prefix).collect() };
        let (set_a, set_b) = (set(a), set(b));
        let only_a: Vec<_> = a.iter().filter(|x| !set_b.contains(&x.prefix)).collect();
        let only_b: Vec<_> = b.iter().filter(|x| !set_a.contains(&x.prefix)).collect();
        if !only_a.is_empty() || !only_b.is_empty() {
            let side = |only: &[&InterfaceAddress], node: Node<'_>| {
                (!only.is_empty()).then(|| format!("only {} has {}", node.name, list(only)))
            };
            let sides = [side(&only_a, r.a), side(&only_b, r.b)];
            let sides: Vec<_> = sides.into_iter().flatten().collect();
            let text = format!("{block} differs: {}", sides.join("; "));
            let spots = [a.len(), b.len()].map(|n| format!("addresses in {block}: {n}"));
            out.push(
                about(r, super::ADDRESSES, &text, spots)
                    .help("list the same addresses with the same prefix lengths on every node"),
            );
        } else if block == "virtual_ipaddress"
            && a.iter().map(|x| x.prefix).ne(b.iter().map(|x| x.prefix))
        {
            let text = format!(
                "the virtual addresses stand in another order on {} and {}",
                r.a.name, r.b.name
            );
            let spots = [a, b].map(|all| list(&all.iter().collect::<Vec<_>>()));
            out.push(
                about(r, super::ORDER, &text, spots)
                    .note()
                    .help("list the addresses in the same order on every node"),
            );
        }
    }
    out
}

fn preemption(r: &Router<'_>) -> Option<Finding> {
    let of = |i: &Instance| match (i.nopreempt, i.preempt_delay) {
        (true, _) => "nopreempt".to_owned(),
        (false, d) if d.is_zero() => "preempts at once".to_owned(),
        (false, d) => format!("preempt_delay {}", seconds(d)),
    };
    let (a, b) = (of(r.on_a), of(r.on_b));
    (a != b).then(|| {
        let text = format!(
            "preemption is not the same: {a} on {}, {b} on {}",
            r.a.name, r.b.name
        );
        let finding = about(r, super::PREEMPTION, &text, [a, b])
            .help("write the same preemption on every node, with state BACKUP on all of them");
        let one_sided = r.on_a.nopreempt != r.on_b.nopreempt;
        if one_sided { finding } else { finding.note() }
    })
}

fn vmac(r: &Router<'_>) -> Option<Finding> {
    let (a, b) = (r.on_a.use_vmac.is_some(), r.on_b.use_vmac.is_some());
    (a != b).then(|| {
        let show = |on| if on { "use_vmac" } else { "no use_vmac" };
        let with = if a { r.a.name } else { r.b.name };
        let text = format!("only {with} has use_vmac; the MAC address changes at each takeover");
        about(r, super::VMAC, &text, [a, b].map(|on| show(on).to_owned()))
            .note()
            .help("write use_vmac on every node or on none")
    })
}

/// The sync groups by their names.
fn by_name(c: &Config) -> HashMap<&str, &SyncGroup> {
    let all = c.sync_groups.iter();
    all.map(|g| (g.name.as_str(), g)).collect()
}

fn groups(pairs: &Pairs<'_>, out: &mut Vec<Finding>) {
    let (all_a, all_b) = (by_name(pairs.a.config), by_name(pairs.b.config));
    // The names may differ; what is together on one node must be together on the other.
    let mut to_b: HashMap<&str, &str> = HashMap::new();
    let mut to_a: HashMap<&str, &str> = HashMap::new();
    for r in &pairs.routers {
        let find = |i: &Instance, all: &HashMap<&str, _>| {
            let name = i.sync_group.as_deref()?;
            all.get(name).copied()
        };
        let (on_a, on_b): (Option<&SyncGroup>, Option<&SyncGroup>) =
            (find(r.on_a, &all_a), find(r.on_b, &all_b));
        match (on_a, on_b) {
            (None, None) => {}
            (Some(group), None) => out.push(alone(r, group, r.a, r.b)),
            (None, Some(group)) => out.push(alone(r, group, r.b, r.a)),
            (Some(a), Some(b)) => {
                let same_b = *to_b.entry(&a.name).or_insert(&b.name) == b.name;
                let same_a = *to_a.entry(&b.name).or_insert(&a.name) == a.name;
                if same_a && same_b {
                    continue;
                }
                let text = format!(
                    "changes state with other instances in sync group {} on {} than in {} on {}",
                    a.name, r.a.name, b.name, r.b.name
                );
                let spots = [a, b].map(|g| format!("with {}", g.members.join(", ")));
                out.push(
                    about(r, super::GROUP, &text, spots)
                        .help("put the same instances into the same sync groups"),
                );
            }
        }
    }
}

fn alone(r: &Router<'_>, group: &SyncGroup, has: Node<'_>, lacks: Node<'_>) -> Finding {
    let text = format!(
        "is in sync group {} on {}, in none on {}",
        group.name, has.name, lacks.name
    );
    let show = |node: Node<'_>| {
        if node.name == has.name {
            format!("in {}", group.name)
        } else {
            "in no sync group".to_owned()
        }
    };
    about(r, super::GROUP, &text, [show(r.a), show(r.b)])
        .help("put the same instances into the same sync groups")
}

fn priority(r: &Router<'_>) -> Option<Finding> {
    let (a, b) = (r.on_a.priority, r.on_b.priority);
    (a == b).then(|| {
        let n = a.get();
        let what = if a.is_owner() {
            "both claim to own the addresses"
        } else {
            "who is master depends on who started first"
        };
        let text = format!(
            "priority is {n} on both {} and {}; {what}",
            r.a.name, r.b.name
        );
        let spots = [format!("priority {n}"), format!("priority {n}")];
        about(r, super::PRIORITY, &text, spots).help("give each node a priority of its own")
    })
}

fn state(r: &Router<'_>) -> Option<Finding> {
    let master = |i: &Instance| i.state == InitialState::Master;
    let text = match (master(r.on_a), master(r.on_b)) {
        (true, true) => format!("state is MASTER on both {} and {}", r.a.name, r.b.name),
        (true, false) if r.on_a.priority < r.on_b.priority => format!(
            "state is MASTER on {}, but {} has the higher priority",
            r.a.name, r.b.name
        ),
        (false, true) if r.on_b.priority < r.on_a.priority => format!(
            "state is MASTER on {}, but {} has the higher priority",
            r.b.name, r.a.name
        ),
        _ => return None,
    };
    let show = |i: &Instance| {
        let state = if master(i) { "MASTER" } else { "BACKUP" };
        format!("state {state}, priority {}", i.priority.get())
    };
    let spots = [show(r.on_a), show(r.on_b)];
    Some(
        about(r, super::STATE, &text, spots)
            .note()
            .help("only the priority decides; write state BACKUP on every node"),
    )
}

fn peers(r: &Router<'_>) -> Vec<Finding> {
    let mut out = Vec::new();
    let (a, b) = (r.on_a, r.on_b);
    if a.is_unicast() != b.is_unicast() {
        let (uni, multi) = if a.is_unicast() {
            (r.a, r.b)
        } else {
            (r.b, r.a)
        };
        let text = format!(
            "{} sends unicast, {} multicast; they do not hear each other, so both become master",
            uni.name, multi.name
        );
        let show = |i: &Instance| {
            let way = if i.is_unicast() {
                "unicast"
            } else {
                "multicast"
            };
            way.to_owned()
        };
        out.push(
            about(r, super::PEERS, &text, [show(a), show(b)])
                .help("write unicast_src_ip and unicast_peer on every node or on none"),
        );
        return out;
    }
    let list = |i: &Instance| -> String {
        let all: Vec<String> = i
            .unicast_peers
            .iter()
            .map(|p| p.address.to_string())
            .collect();
        let source = i
            .source_address
            .map_or_else(|| "?".to_owned(), |s: IpAddr| s.to_string());
        format!("from {source} to {}", all.join(", "))
    };
    let sources = (a.source_address, b.source_address);
    if let (Some(source), true) = (sources.0, sources.0 == sources.1 && a.is_unicast()) {
        let text = format!(
            "sends from {source} on both {} and {}; each takes the other's adverts for its own",
            r.a.name, r.b.name
        );
        let help = "write the address of each node itself as unicast_src_ip, and that of the \
                    other one in unicast_peer";
        out.push(about(r, super::PEERS, &text, [list(a), list(b)]).help(help));
        return out;
    }
    let sides = [(r.a, a, r.b, b), (r.b, b, r.a, a)];
    for (node, i, other, o) in sides {
        let Some(source) = o.source_address.filter(|_| i.is_unicast()) else {
            continue;
        };
        if i.unicast_peers.iter().any(|p| p.address == source) {
            continue;
        }
        let text = format!(
            "{} does not list {source}, the source address of {}, as a unicast peer",
            node.name, other.name
        );
        let help = format!("add {source} to unicast_peer on {}", node.name);
        out.push(about(r, super::PEERS, &text, [list(a), list(b)]).help(help));
    }
    out
}

fn names(pairs: &Pairs<'_>, out: &mut Vec<Finding>) {
    let (a, b) = (pairs.a, pairs.b);
    let (Some(on_a), Some(on_b)) = (&a.config.global.router_id, &b.config.global.router_id) else {
        return;
    };
    if on_a == on_b {
        out.push(Finding {
            code: super::ROUTER_ID,
            severity: Severity::Note,
            message: format!("router_id is {on_a} on both {} and {}", a.name, b.name),
            spots: Vec::new(),
            help: "give each node a router_id of its own".to_owned(),
        });
    }
}

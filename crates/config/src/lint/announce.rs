//! Gratuitous ARP, neighbour advertisements, and the addresses that adverts go between.

use std::time::Duration;

use rk_base::Family;

use super::{Ctx, Lint, lint, seconds};
use crate::diagnostic::Diagnostic;
use crate::model::Instance;

/// Announcing the addresses should not take longer.
const SLOW: Duration = Duration::from_secs(2);

pub(super) const LINTS: &[Lint] = &[
    lint(
        2101,
        "slow-announcements",
        slow_announcements,
        "The pause between gratuitous ARP messages (or neighbour advertisements), times the \
         number of addresses and repeats, is how long hosts may go on sending to the old master.",
        example!(
            "global_defs {\n    vrrp_garp_interval 1\n}\n",
            "    garp_master_repeat 5\n"
        ),
        example!(
            "global_defs {\n    vrrp_garp_interval 0.001\n}\n",
            "    garp_master_repeat 5\n"
        ),
    ),
    lint(
        2102,
        "single-announcement",
        single_announcement,
        "Without a second burst and without refresh, a switch that was not yet forwarding when \
         the addresses moved never hears of it.",
        example!("", "    garp_master_delay 0\n"),
        example!("", "    garp_master_delay 5\n"),
    ),
    lint(
        2103,
        "peer-is-self",
        peer_is_self,
        "A unicast peer is the other router. When one file is copied to both nodes, each lists \
         itself, and perhaps nobody lists the other.",
        example!(
            "",
            "    unicast_src_ip 192.0.2.2\n    unicast_peer {\n        192.0.2.2\n    }\n"
        ),
        example!(
            "",
            "    unicast_src_ip 192.0.2.2\n    unicast_peer {\n        192.0.2.3\n    }\n"
        ),
    ),
    lint(
        2104,
        "unicast-without-source",
        unicast_without_source,
        "Without unicast_src_ip the kernel's first address of the interface is the source; when \
         an address is added or the order changes, the peers no longer know this router.",
        example!("", "    unicast_peer {\n        192.0.2.3\n    }\n"),
        example!(
            "",
            "    unicast_src_ip 192.0.2.2\n    unicast_peer {\n        192.0.2.3\n    }\n"
        ),
    ),
    lint(
        2105,
        "source-is-virtual",
        source_is_virtual,
        "The source of the adverts is one of the virtual addresses, which only the master has: a \
         backup cannot send from it.",
        example!("", "    mcast_src_ip 192.0.2.10\n"),
        example!("", "    mcast_src_ip 192.0.2.2\n"),
    ),
    lint(
        2106,
        "peer-is-virtual",
        peer_is_virtual,
        "A unicast peer is one of the virtual addresses: the adverts go to whoever is master, \
         this router included.",
        example!(
            "",
            "    unicast_src_ip 192.0.2.2\n    unicast_peer {\n        192.0.2.10\n    }\n"
        ),
        example!(
            "",
            "    unicast_src_ip 192.0.2.2\n    unicast_peer {\n        192.0.2.3\n    }\n"
        ),
    ),
];

fn slow_announcements(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for i in &c.config.instances {
        let all = || {
            i.virtual_ipaddress
                .iter()
                .chain(&i.virtual_ipaddress_excluded)
        };
        let of = |f: Family| all().filter(|a| a.family() == f).count();
        let kinds = [
            (Family::V4, i.garp.garp_interval, "gratuitous ARP"),
            (Family::V6, i.garp.gna_interval, "neighbour advertisements"),
        ];
        for (family, pause, what) in kinds {
            let messages = of(family).saturating_mul(i.garp.master_repeat as usize);
            let gaps = u32::try_from(messages.saturating_sub(1)).unwrap_or(u32::MAX);
            let time = pause.saturating_mul(gaps);
            if time > SLOW {
                let text = format!(
                    "({}) {messages} messages of {what} take {}",
                    i.name,
                    seconds(time)
                );
                let d = c.warn(&i.origin, "garp_master_repeat", text);
                out.push(d.help("shorten vrrp_garp_interval, or the garp_interval of the group"));
            }
        }
    }
    out
}

fn single_announcement(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let once = |i: &&Instance| {
        i.garp.master_delay.is_zero()
            && i.garp.master_refresh.is_zero()
            && !i.virtual_ipaddress.is_empty()
    };
    let instances = c.config.instances.iter();
    instances
        .filter(once)
        .map(|i| {
            let text = format!("({}) the addresses are announced only once", i.name);
            c.note(&i.origin, "garp_master_delay", text)
                .help("set garp_master_delay (5 is the default) or garp_master_refresh")
        })
        .collect()
}

fn peer_is_self(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for i in &c.config.instances {
        for peer in &i.unicast_peers {
            let own = |addresses: &super::Addresses| {
                let mut all = addresses.values().flatten();
                all.any(|p| p.addr() == peer.address)
            };
            if i.source_address == Some(peer.address) || c.addresses.is_some_and(own) {
                let text = format!(
                    "({}) unicast peer {} is this router itself",
                    i.name, peer.address
                );
                let d = c.warn(&peer.origin, "", text);
                out.push(d.help("write the address of the other router"));
            }
        }
    }
    out
}

fn unicast_without_source(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let instances = c.config.instances.iter();
    instances
        .filter(|i| i.is_unicast() && i.source_address.is_none())
        .map(|i| {
            let text = format!(
                "({}) the source of the unicast adverts is left to chance",
                i.name
            );
            c.note(&i.origin, "unicast_peer", text)
                .help("write unicast_src_ip with the address that the peers list")
        })
        .collect()
}

/// Whether `address` is one of the virtual addresses of an instance.
fn is_virtual(i: &Instance, address: std::net::IpAddr) -> bool {
    let mut all = i
        .virtual_ipaddress
        .iter()
        .chain(&i.virtual_ipaddress_excluded);
    all.any(|v| v.prefix.addr() == address)
}

fn source_is_virtual(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for i in c.config.instances.iter().filter(|i| !i.priority.is_owner()) {
        if let Some(source) = i.source_address.filter(|s| is_virtual(i, *s)) {
            let text = format!(
                "({}) the source address {source} is a virtual address",
                i.name
            );
            let keyword = if i.is_unicast() {
                "unicast_src_ip"
            } else {
                "mcast_src_ip"
            };
            let d = c.warn(&i.origin, keyword, text);
            out.push(d.help("write an address that this machine always has"));
        }
    }
    out
}

fn peer_is_virtual(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for i in &c.config.instances {
        for peer in i.unicast_peers.iter().filter(|p| is_virtual(i, p.address)) {
            let text = format!(
                "({}) unicast peer {} is a virtual address",
                i.name, peer.address
            );
            let d = c.warn(&peer.origin, "", text);
            out.push(d.help("write the address that the other router always has"));
        }
    }
    out
}

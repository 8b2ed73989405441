//! Schedulers, weights, persistence and groups of virtual servers.

use std::collections::HashSet;

use super::{Ctx, Lint, lint, server_name, services};
use crate::diagnostic::Diagnostic;
use crate::model::{Check, Granularity, GroupTarget, Scheduler, Service};

pub(super) const LINTS: &[Lint] = &[
    lint(
        2909,
        "weights-ignored",
        weights_ignored,
        "The schedulers rr and lc do not look at weights (but for 0), so weights that differ, or \
         that a checker changes, have no effect.",
        "virtual_server 192.0.2.10 80 {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server 198.51.100.20 80 {
        weight 1
        TCP_CHECK {
        }
    }
    real_server 198.51.100.21 80 {
        weight 3
        TCP_CHECK {
        }
    }
}",
        "virtual_server 192.0.2.10 80 {
    lb_algo wrr
    lb_kind NAT
    protocol TCP
    real_server 198.51.100.20 80 {
        weight 1
        TCP_CHECK {
        }
    }
    real_server 198.51.100.21 80 {
        weight 3
        TCP_CHECK {
        }
    }
}",
    ),
    lint(
        2910,
        "thresholds-reversed",
        thresholds_reversed,
        "lthreshold is above uthreshold, or there is no uthreshold. The kernel refuses such a \
         server, so it never is in the table.",
        "virtual_server 192.0.2.10 80 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    real_server 198.51.100.20 80 {
        uthreshold 100
        lthreshold 200
        TCP_CHECK {
        }
    }
}",
        "virtual_server 192.0.2.10 80 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    real_server 198.51.100.20 80 {
        uthreshold 200
        lthreshold 100
        TCP_CHECK {
        }
    }
}",
    ),
    lint(
        2911,
        "granularity-is-no-length",
        granularity,
        "The granularity of an IPv4 service is a mask. A number alone is read as one too: 24 is \
         0.0.0.24, which throws nearly all clients together.",
        service!("    persistence_granularity 24\n"),
        service!("    persistence_granularity 255.255.255.0\n"),
    ),
    lint(
        2912,
        "engine-without-persistence",
        engine,
        "persistence_engine says how clients are recognised, but clients are not remembered.",
        "virtual_server 192.0.2.10 5060 {
    lb_algo wlc
    lb_kind NAT
    protocol UDP
    persistence_engine sip
    real_server 198.51.100.20 5060 {
        PING_CHECK {
        }
    }
}",
        "virtual_server 192.0.2.10 5060 {
    lb_algo wlc
    lb_kind NAT
    protocol UDP
    persistence_engine sip
    persistence_timeout 360
    real_server 198.51.100.20 5060 {
        PING_CHECK {
        }
    }
}",
    ),
    lint(
        2913,
        "unused-server-group",
        unused_group,
        "No virtual_server uses this group.",
        service!("virtual_server_group G {\n    192.0.2.11 80\n}\n", ""),
        "virtual_server_group G {
    192.0.2.11 80
}
virtual_server group G {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    real_server 198.51.100.20 80 {
        TCP_CHECK {
        }
    }
}",
    ),
    lint(
        2914,
        "group-too-large",
        group_too_large,
        "A line of a group stands for tens of thousands of addresses. Each becomes a service of \
         its own in the kernel, with every real server in it.",
        "virtual_server_group G {
    10.0.0.0/8 80
}
virtual_server group G {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    real_server 198.51.100.20 80 {
        TCP_CHECK {
        }
    }
}",
        "virtual_server_group G {
    fwmark 8
}
virtual_server group G {
    lb_algo wlc
    lb_kind NAT
    real_server 198.51.100.20 80 {
        TCP_CHECK {
        }
    }
}",
    ),
    lint(
        2915,
        "suspended-for-ever",
        suspended,
        "With ha_suspend the servers are checked only while this machine has the address of the \
         service, but no instance brings it and the machine does not have it.",
        service!("    ha_suspend\n"),
        service!(
            "vrrp_instance V {
    interface eth0
    virtual_router_id 10
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
}
",
            "    ha_suspend\n"
        ),
    ),
];

fn weights_ignored(c: &Ctx<'_>) -> Vec<Diagnostic> {
    services(c, |s| {
        if !matches!(s.scheduler, Scheduler::Rr | Scheduler::Lc) {
            return None;
        }
        let mut weights: Vec<u32> = s.real_servers.iter().map(|r| r.weight).collect();
        weights.retain(|w| *w != 0);
        weights.sort_unstable();
        weights.dedup();
        let dynamic = s.real_servers.iter().flat_map(|r| &r.checkers);
        let dynamic = dynamic.clone().any(|c| match &c.check {
            Check::Misc(misc) => misc.dynamic,
            _ => false,
        });
        (weights.len() > 1 || dynamic).then(|| {
            let better = match s.scheduler {
                Scheduler::Rr => Scheduler::Wrr,
                _ => Scheduler::Wlc,
            };
            let text = format!("VS {}: lb_algo {} ignores weights", s.service, s.scheduler);
            c.warn(&s.origin, "lb_algo", text)
                .help(format!("write lb_algo {better}"))
        })
    })
}

fn thresholds_reversed(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let servers = c.config.virtual_servers.iter();
    let wrong = servers.flat_map(|s| {
        let reals = s.real_servers.iter();
        reals.filter(|r| r.lthreshold > r.uthreshold)
    });
    wrong
        .map(|r| {
            let text = format!(
                "real server {}: lthreshold {} is above uthreshold {}",
                server_name(r),
                r.lthreshold,
                r.uthreshold
            );
            let d = c.warn(&r.origin, "lthreshold", text);
            d.help("write a uthreshold above the lthreshold")
        })
        .collect()
}

fn granularity(c: &Ctx<'_>) -> Vec<Diagnostic> {
    services(c, |s| {
        let Some(Granularity::Mask(mask)) = s.persistence?.granularity else {
            return None;
        };
        let bits = u32::from(mask);
        // A mask has its ones in front.
        (bits.leading_ones() + bits.trailing_zeros() < 32).then(|| {
            let text = format!(
                "VS {}: the granularity is {mask}, which is no mask",
                s.service
            );
            let d = c.warn(&s.origin, "persistence_granularity", text);
            match u8::try_from(bits) {
                Ok(length @ 1..=32) => {
                    let mask = std::net::Ipv4Addr::from(u32::MAX << (32 - length));
                    d.help(format!("write persistence_granularity {mask}"))
                }
                _ => d.help("write a mask such as 255.255.255.0"),
            }
        })
    })
}

fn engine(c: &Ctx<'_>) -> Vec<Diagnostic> {
    services(c, |s| {
        (s.persistence_engine.is_some() && s.persistence.is_none()).then(|| {
            let text = format!("VS {}: persistence_engine without persistence", s.service);
            c.warn(&s.origin, "persistence_engine", text)
                .help("add persistence_timeout")
        })
    })
}

fn unused_group(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let used: HashSet<&str> = c
        .config
        .virtual_servers
        .iter()
        .filter_map(|s| match &s.service {
            Service::Group { name, .. } => Some(name.as_ref()),
            _ => None,
        })
        .collect();
    let groups = c.config.virtual_server_groups.iter();
    groups
        .filter(|g| !used.contains(g.name.as_ref()))
        .map(|g| {
            let text = format!("virtual_server_group {} is not used", g.name);
            let d = c.warn(&g.origin, "", text);
            d.help(format!(
                "write virtual_server group {} {{ ... }}, or leave the group out",
                g.name
            ))
        })
        .collect()
}

/// More addresses in a line than anybody means to have services for.
const MANY: u128 = 4096;

fn group_too_large(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let groups = c.config.virtual_server_groups.iter();
    let entries = groups.flat_map(|g| g.entries.iter().map(move |e| (g, e)));
    entries
        .filter_map(|(group, entry)| {
            let more = match entry.target {
                GroupTarget::V4 { first, last, .. } => {
                    u128::from(u32::from(last) - u32::from(first))
                }
                GroupTarget::V6 { first, last, .. } => u128::from(last) - u128::from(first),
                GroupTarget::Fwmark { .. } => 0,
            };
            (more >= MANY).then(|| {
                let count = more.saturating_add(1);
                let text = format!("group {}: this line makes {count} services", group.name);
                c.warn(&entry.origin, "", text)
                    .help("mark the packets with a firewall rule and write fwmark N instead")
            })
        })
        .collect()
}

fn suspended(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let Some(addresses) = c.addresses else {
        return Vec::new();
    };
    let instances = c.config.instances.iter();
    let lists = instances.flat_map(|i| {
        i.virtual_ipaddress
            .iter()
            .chain(&i.virtual_ipaddress_excluded)
    });
    let lists = lists.chain(&c.config.static_addresses);
    let mut here: HashSet<std::net::IpAddr> = lists.map(|a| a.prefix.addr()).collect();
    here.extend(addresses.values().flatten().map(|p| p.addr()));
    services(c, |s| {
        let Service::Address { addr, .. } = &s.service else {
            return None;
        };
        (s.ha_suspend && !here.contains(addr)).then(|| {
            let text = format!(
                "VS {}: ha_suspend waits for {addr}, which no instance brings",
                s.service
            );
            c.warn(&s.origin, "ha_suspend", text)
                .help("add the address to a vrrp_instance, or leave ha_suspend out")
        })
    })
}

//! Virtual servers, their real servers and their groups.

use std::collections::HashMap;

use super::{Ctx, Lint, lint, server_name, services};
use crate::diagnostic::Diagnostic;
use crate::model::{Service, VirtualServer};

pub(super) const LINTS: &[Lint] = &[
    lint(
        2901,
        "quorum-needs-all",
        quorum_needs_all,
        "The quorum leaves no room: when any one of several servers fails, the service has lost \
         its quorum and the others are taken out of the pool, or scripts act as if they were.",
        service!("    quorum 2\n"),
        service!("    quorum 1\n"),
    ),
    lint(
        2902,
        "persistence-with-ops",
        persistence_with_ops,
        "One-packet scheduling forgets a client with each packet; persistence is there to remember \
         it. Together they keep a template for each client that has next to no use.",
        "virtual_server 192.0.2.10 53 {
    lb_algo wlc
    lb_kind NAT
    protocol UDP
    ops
    persistence_timeout 60
    real_server 198.51.100.20 53 {
        DNS_CHECK {
        }
    }
}",
        "virtual_server 192.0.2.10 53 {
    lb_algo wlc
    lb_kind NAT
    protocol UDP
    ops
    real_server 198.51.100.20 53 {
        DNS_CHECK {
        }
    }
}",
    ),
    lint(
        2903,
        "sorry-is-real",
        sorry_is_real,
        "The sorry server is one of the real servers. It answers when the others are gone, but \
         when the quorum is lost it may well be the one that failed, and nobody checks it there.",
        service!("    sorry_server 198.51.100.20 80\n"),
        service!("    sorry_server 198.51.100.99 80\n"),
    ),
    lint(
        2904,
        "server-is-service",
        server_is_service,
        "A real server has the address of its own service: packets for it come back to the \
         director, which balances them again.",
        "virtual_server 192.0.2.10 80 {
    lb_algo wlc
    lb_kind DR
    protocol TCP
    real_server 192.0.2.10 80 {
        TCP_CHECK {
        }
    }
}",
        "virtual_server 192.0.2.10 80 {
    lb_algo wlc
    lb_kind DR
    protocol TCP
    real_server 192.0.2.20 80 {
        TCP_CHECK {
        }
    }
}",
    ),
    lint(
        2905,
        "same-service",
        same_service,
        "Two virtual servers are for the same address, port and protocol (or mark). The kernel has \
         one table entry for both; each fights for its own scheduler and servers in it.",
        service!(
            "virtual_server 192.0.2.10 80 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    real_server 198.51.100.22 80 {
        TCP_CHECK {
        }
    }
}
",
            ""
        ),
        service!(
            "virtual_server 192.0.2.10 81 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    real_server 198.51.100.22 80 {
        TCP_CHECK {
        }
    }
}
",
            ""
        ),
    ),
    lint(
        2907,
        "server-without-checker",
        without_checker,
        "A real server has no checker, so it stays in the pool when it is dead, and a sorry server \
         never has its turn.",
        "virtual_server 192.0.2.10 80 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    real_server 198.51.100.20 80 {
        weight 1
    }
}",
        "virtual_server 192.0.2.10 80 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    real_server 198.51.100.20 80 {
        weight 1
        TCP_CHECK {
        }
    }
}",
    ),
    lint(
        2908,
        "omega-without-script",
        omega_without_script,
        "omega makes the end of the daemon run quorum_down and notify_down, but neither is there.",
        service!("    omega\n"),
        service!("    omega\n    quorum_down /bin/true\n"),
    ),
    lint(
        2916,
        "sync-daemon-without-service",
        sync_without_service,
        "The synchronisation daemon hands the connections of virtual servers over to the backup. \
         Without a virtual server it only sends to the network; addresses need none of it.",
        example!(
            "global_defs {\n    lvs_sync_daemon eth0 inst V id 10\n}\n",
            ""
        ),
        concat!(
            "global_defs {\n    lvs_sync_daemon eth0 inst V id 10\n}\n",
            service!(""),
            "\n",
            example!("", "")
        ),
    ),
];

fn quorum_needs_all(c: &Ctx<'_>) -> Vec<Diagnostic> {
    services(c, |s| {
        let weights = s.real_servers.iter().map(|r| u64::from(r.weight));
        let least = weights.clone().filter(|w| *w > 0).min()?;
        let several = weights.filter(|w| *w > 0).count() > 1;
        let left = s.total_weight() - least;
        (several && u64::from(s.quorum) > left).then(|| {
            let text = format!(
                "VS {}: quorum {} needs every server; without one of them {left} is left",
                s.service, s.quorum
            );
            c.warn(&s.origin, "quorum", text)
                .help(format!("write a quorum of {left} or less"))
        })
    })
}

fn persistence_with_ops(c: &Ctx<'_>) -> Vec<Diagnostic> {
    services(c, |s| {
        (s.ops && s.persistence.is_some()).then(|| {
            let text = format!(
                "VS {}: ops and persistence work against each other",
                s.service
            );
            c.warn(&s.origin, "ops", text)
                .help("leave ops or the persistence out")
        })
    })
}

fn sorry_is_real(c: &Ctx<'_>) -> Vec<Diagnostic> {
    services(c, |s| {
        let sorry = s.sorry_server.as_ref()?;
        let same =
            |port: u16| port == sorry.port || (sorry.port == 0 && s.service.port() == Some(port));
        let real = s.real_servers.iter();
        let real = real
            .clone()
            .find(|r| r.addr == sorry.addr && same(r.port))?;
        let text = format!(
            "VS {}: the sorry server {} is also a real server",
            s.service,
            server_name(real)
        );
        let d = c.warn(&sorry.origin, "", text);
        Some(
            c.also(d, &real.origin, "here")
                .help("take a server that is not in the pool"),
        )
    })
}

fn server_is_service(c: &Ctx<'_>) -> Vec<Diagnostic> {
    services(c, |s| {
        let Service::Address { addr, .. } = &s.service else {
            return None;
        };
        let real = s.real_servers.iter().find(|r| r.addr == *addr)?;
        let text = format!(
            "VS {}: real server {} has the address of the service",
            s.service,
            server_name(real)
        );
        let d = c.warn(&real.origin, "", text);
        Some(d.help("write the address that the server has for itself"))
    })
}

fn same_service(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut seen: HashMap<&Service, &VirtualServer> = HashMap::new();
    services(c, |s| {
        if matches!(s.service, Service::Group { .. }) {
            return None;
        }
        let first = seen.insert(&s.service, s)?;
        let text = format!("VS {} is configured twice", s.service);
        let d = c.warn(&s.origin, "", text);
        Some(
            c.also(d, &first.origin, "first here")
                .help("put the real servers into one block"),
        )
    })
}

fn without_checker(c: &Ctx<'_>) -> Vec<Diagnostic> {
    services(c, |s| {
        let bare = s.real_servers.iter().filter(|r| r.checkers.is_empty());
        let first = bare.clone().next()?;
        let more = match bare.count() {
            1 => String::new(),
            n => format!(", nor have {} others", n - 1),
        };
        let text = format!(
            "VS {}: real server {} has no checker{more}",
            s.service,
            server_name(first)
        );
        let d = c.warn(&first.origin, "", text);
        Some(d.help("add TCP_CHECK { }, or another checker, to each real_server"))
    })
}

fn sync_without_service(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let daemon = c.config.global.lvs_sync_daemon.as_ref();
    let idle = daemon.filter(|_| c.config.virtual_servers.is_empty());
    idle.into_iter()
        .map(|daemon| {
            let text = "lvs_sync_daemon has no connections to hand over: there is no \
                        virtual_server"
                .to_owned();
            c.warn(&daemon.origin, "", text)
                .help("remove it, or include the file with the virtual servers")
        })
        .collect()
}

fn omega_without_script(c: &Ctx<'_>) -> Vec<Diagnostic> {
    services(c, |s| {
        let scripts =
            s.quorum_down.is_some() || s.real_servers.iter().any(|r| r.notify_down.is_some());
        (s.omega && !scripts).then(|| {
            let text = format!("VS {}: omega has no script to run", s.service);
            c.note(&s.origin, "omega", text)
                .help("add quorum_down or notify_down, or leave omega out")
        })
    })
}

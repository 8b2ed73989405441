//! BFD sessions: their pace, and whom they talk to.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::{Ctx, Lint, lint, seconds};
use crate::diagnostic::Diagnostic;

/// A process beside others on a machine does not keep shorter intervals.
const SHORT: Duration = Duration::from_millis(10);

pub(super) const LINTS: &[Lint] = &[
    lint(
        2309,
        "bfd-slower-than-adverts",
        slower,
        "A BFD session notices a failure after multiplier times min_rx. When that is longer than \
         the backup waits for adverts anyway, the session gains nothing.",
        example!(
            "bfd_instance peer {
    neighbor_ip 192.0.2.3
    min_rx 2000
    multiplier 5
}
",
            "    track_bfd {\n        peer\n    }\n"
        ),
        example!(
            "bfd_instance peer {
    neighbor_ip 192.0.2.3
    min_rx 100
    multiplier 5
}
",
            "    track_bfd {\n        peer\n    }\n"
        ),
    ),
    lint(
        2310,
        "bfd-interval-too-short",
        too_short,
        "min_rx and min_tx are milliseconds. A process on a busy machine does not run every few of \
         them, so the session goes down while both ends are well.",
        example!(
            "bfd_instance peer {
    neighbor_ip 192.0.2.3
    min_rx 1
    min_tx 1
}
",
            "    track_bfd {\n        peer\n    }\n"
        ),
        example!(
            "bfd_instance peer {
    neighbor_ip 192.0.2.3
    min_rx 100
    min_tx 100
}
",
            "    track_bfd {\n        peer\n    }\n"
        ),
    ),
    lint(
        2311,
        "bfd-neighbor-out-of-reach",
        out_of_reach,
        "The neighbour is in no network of this machine, but its packets may not pass a router: \
         without max_hops or multihop they must come with a TTL of 255. The session never comes up.",
        example!(
            "bfd_instance peer {\n    neighbor_ip 203.0.113.3\n}\n",
            "    track_bfd {\n        peer\n    }\n"
        ),
        example!(
            "bfd_instance peer {\n    neighbor_ip 203.0.113.3\n    multihop true\n}\n",
            "    track_bfd {\n        peer\n    }\n"
        ),
    ),
    lint(
        2312,
        "bfd-neighbor-is-self",
        is_self,
        "The neighbour is this machine. The block was copied from the other node, where this \
         address is the neighbour.",
        example!(
            "bfd_instance peer {\n    neighbor_ip 192.0.2.2\n}\n",
            "    track_bfd {\n        peer\n    }\n"
        ),
        example!(
            "bfd_instance peer {\n    neighbor_ip 192.0.2.3\n}\n",
            "    track_bfd {\n        peer\n    }\n"
        ),
    ),
];

fn slower(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let sessions: HashMap<_, _> = c
        .config
        .bfd_sessions
        .iter()
        .map(|b| (b.name.as_str(), b))
        .collect();
    let mut out = Vec::new();
    let mut said = HashSet::new();
    for i in &c.config.instances {
        let wait = i.advert_int * u32::from(i.down_timer_adverts);
        for t in c.tracked(i) {
            let Some(b) = sessions.get(t.name.as_str()) else {
                continue;
            };
            let is_bfd = i.track.bfd.iter().any(|x| std::ptr::eq(x, t));
            let detect = b.min_rx * u32::from(b.multiplier);
            if !is_bfd || detect < wait || !said.insert(b.name.as_str()) {
                continue;
            }
            let text = format!(
                "BFD session {} needs {} to notice a failure, the backup of {} only {}",
                b.name,
                seconds(detect),
                i.name,
                seconds(wait)
            );
            let d = c.warn(&b.origin, "min_rx", text);
            let d = c.also(d, &t.origin, "tracked here");
            out.push(d.help("shorten min_rx (milliseconds) or multiplier, on both ends"));
        }
    }
    out
}

fn too_short(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let sessions = c.config.bfd_sessions.iter();
    sessions
        .filter(|b| b.min_rx.min(b.min_tx) < SHORT)
        .map(|b| {
            let (keyword, time) = if b.min_rx < SHORT {
                ("min_rx", b.min_rx)
            } else {
                ("min_tx", b.min_tx)
            };
            let text = format!(
                "BFD session {}: no process keeps a {keyword} of {} ms",
                b.name,
                time.as_millis()
            );
            c.warn(&b.origin, keyword, text)
                .help("write 50 or more milliseconds, and 3 as multiplier, on both ends")
        })
        .collect()
}

fn out_of_reach(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let Some(addresses) = c.addresses else {
        return Vec::new();
    };
    let networks: Vec<_> = addresses.values().flatten().collect();
    let sessions = c.config.bfd_sessions.iter();
    sessions
        .filter(|b| !b.multihop && b.max_hops == Some(0))
        .filter(|b| {
            let same = networks
                .iter()
                .filter(|p| p.addr().is_ipv4() == b.neighbor_ip.is_ipv4());
            let mut known = same.filter(|p| !p.addr().is_loopback()).peekable();
            known.peek().is_some() && !known.any(|p| p.contains(b.neighbor_ip))
        })
        .map(|b| {
            let text = format!(
                "BFD session {}: {} is in no network of this machine",
                b.name, b.neighbor_ip
            );
            c.warn(&b.origin, "neighbor_ip", text).help(
                "check the digits; if routers are between them, write max_hops N or multihop true",
            )
        })
        .collect()
}

fn is_self(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let own = |address| {
        let mut all = c.addresses.into_iter().flat_map(|a| a.values().flatten());
        all.any(|p| p.addr() == address)
    };
    let sessions = c.config.bfd_sessions.iter();
    sessions
        .filter(|b| b.source_ip == Some(b.neighbor_ip) || own(b.neighbor_ip))
        .map(|b| {
            let text = format!(
                "BFD session {}: {} is an address of this machine",
                b.name, b.neighbor_ip
            );
            c.warn(&b.origin, "neighbor_ip", text)
                .help("write the address of the other node")
        })
        .collect()
}

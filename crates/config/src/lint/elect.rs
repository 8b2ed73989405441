//! Priorities, preemption and the time until a takeover.

use std::time::Duration;

use super::{Ctx, Lint, lint, seconds};
use crate::diagnostic::Diagnostic;
use crate::model::Instance;

/// A takeover that needs longer is worth a word.
const SLOW: Duration = Duration::from_secs(10);

/// Adverts that come faster are often late on a busy machine.
const FAST: Duration = Duration::from_millis(100);

pub(super) const LINTS: &[Lint] = &[
    lint(
        2001,
        "weights-out-of-range",
        out_of_range,
        "The weights of the trackers can push the priority below 1 or above 254. It is cut there, \
         so two nodes can end with the same priority and a further failure changes nothing.",
        example!(=> "vrrp_script web {
    script /bin/true
    weight -50
}
", "    priority 40
    virtual_ipaddress {
        192.0.2.10/24
    }
    track_script {
        web
    }
"),
        example!(
            "vrrp_script web {
    script /bin/true
    weight -50
}
",
            "    track_script {\n        web\n    }\n"
        ),
    ),
    lint(
        2002,
        "weights-on-owner",
        weights_on_owner,
        "Priority 255 says that the router owns the addresses; no tracker ever changes it, so the \
         weights have no effect.",
        example!(=> "vrrp_script web {
    script /bin/true
    weight -50
}
", "    priority 255
    virtual_ipaddress {
        192.0.2.2/24
    }
    track_script {
        web
    }
"),
        example!(=> "vrrp_script web {
    script /bin/true
    weight -50
}
", "    priority 254
    virtual_ipaddress {
        192.0.2.10/24
    }
    track_script {
        web
    }
"),
    ),
    lint(
        2003,
        "weights-with-nopreempt",
        weights_with_nopreempt,
        "With nopreempt a backup leaves a master with a lower priority alone. A check that only \
         lowers the priority therefore moves nothing, unless the other nodes may preempt; \
         weight 0 makes its failure a fault, which does.",
        example!(
            "vrrp_script web {
    script /bin/true
    weight -50
}
",
            "    state BACKUP
    nopreempt
    track_script {
        web
    }
"
        ),
        example!(
            "vrrp_script web {
    script /bin/true
    weight 0
}
",
            "    state BACKUP
    nopreempt
    track_script {
        web
    }
"
        ),
    ),
    lint(
        2004,
        "owner-without-address",
        owner_without_address,
        "Priority 255, or state MASTER without a priority, says that the interface has the \
         virtual addresses as its own (RFC 9568 section 1.7). Such a router takes over at once, \
         ignores its trackers and cannot be preempted.",
        example!(=> "", "    state MASTER
    virtual_ipaddress {
        192.0.2.10/24
    }
"),
        example!("", "    state MASTER\n"),
    ),
    lint(
        2005,
        "single-missed-advert",
        single_missed_advert,
        "With down_timer_adverts 1 a single lost advert makes the backup take over while the \
         master is well.",
        example!("", "    down_timer_adverts 1\n"),
        example!("", "    down_timer_adverts 3\n"),
    ),
    lint(
        2006,
        "slow-takeover",
        slow_takeover,
        "Nobody answers for the addresses from the death of the master until the backup has \
         missed its adverts: down_timer_adverts times advert_int, and a little more.",
        example!("", "    advert_int 10\n"),
        example!("", "    advert_int 1\n"),
    ),
    lint(
        2007,
        "fast-adverts",
        fast_adverts,
        "With adverts this fast, a pause of the machine (a snapshot, a busy hypervisor) looks \
         like a dead master.",
        example!("", "    version 3\n    advert_int 0.02\n"),
        example!("", "    version 3\n    advert_int 0.25\n"),
    ),
    lint(
        2008,
        "delay-beyond-dead-interval",
        delay_beyond_dead_interval,
        "An interface's down delay is cut to (down_timer_adverts - 1) times advert_int of the \
         instances on it: after that the backup takes over anyway.",
        example!("interface_up_down_delays {\n    eth0 8\n}\n", ""),
        example!("interface_up_down_delays {\n    eth0 2\n}\n", ""),
    ),
    lint(
        2009,
        "strict-drops-packets",
        strict_drops_packets,
        "Strict mode drops every packet to the virtual addresses unless the router owns them: \
         they answer no ping and no service on this machine can be reached through them.",
        example!("global_defs {\n    vrrp_strict\n}\n", ""),
        example!("", ""),
    ),
];

fn out_of_range(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for i in c.config.instances.iter().filter(|i| !i.priority.is_owner()) {
        let (down, up) = c.swing(i);
        let base = i32::from(i.priority.get());
        let (low, high) = (base.saturating_add(down), base.saturating_add(up));
        if low >= 1 && high <= 254 {
            continue;
        }
        let text = format!(
            "({}) trackers move priority {base} between {low} and {high}; it stays within 1 and 254",
            i.name
        );
        let d = c.warn(&i.origin, "priority", text);
        out.push(d.help("move the priority towards the middle, or use smaller weights"));
    }
    out
}

fn weights_on_owner(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for i in c.config.instances.iter().filter(|i| i.priority.is_owner()) {
        if let Some(t) = c.tracked(i).into_iter().find(|t| t.weight != 0) {
            let text = format!(
                "({}) the weight of {} never changes priority 255",
                i.name, t.name
            );
            let d = c.warn(&i.origin, "priority", text);
            let d = c.also(d, &t.origin, "the weighted tracker");
            out.push(d.help("write a priority of 254 or less"));
        }
    }
    out
}

fn weights_with_nopreempt(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for i in c.config.instances.iter().filter(|i| i.nopreempt) {
        if let Some(t) = c.tracked(i).into_iter().find(|t| t.weight != 0) {
            let text = format!(
                "({}) nopreempt keeps the addresses here although {} lowers the priority",
                i.name, t.name
            );
            let d = c.warn(&t.origin, "", text);
            let d = match c.place(&i.origin, "nopreempt") {
                Some(place) => d.label(place, "nopreempt stands here"),
                None => d,
            };
            out.push(d.help(
                "give the tracker weight 0, so that its failure is a fault, or remove nopreempt \
                 on every node",
            ));
        }
    }
    out
}

fn owner_without_address(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let Some(addresses) = c.addresses else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for i in c.config.instances.iter().filter(|i| i.priority.is_owner()) {
        let own = i.interface.as_ref().and_then(|name| addresses.get(name));
        let Some(own) = own else { continue };
        let missing = i
            .virtual_ipaddress
            .iter()
            .find(|v| !own.iter().any(|o| o.addr() == v.prefix.addr()));
        if let Some(missing) = missing {
            let text = format!(
                "({}) has priority 255, but {} is no address of its interface",
                i.name,
                missing.prefix.addr()
            );
            let d = c.warn(&i.origin, "priority", text);
            out.push(d.help("write a priority of 254 or less"));
        }
    }
    out
}

fn single_missed_advert(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let instances = c.config.instances.iter();
    instances
        .filter(|i| i.down_timer_adverts == 1)
        .map(|i| {
            let text = format!("({}) one lost advert makes a backup take over", i.name);
            c.warn(&i.origin, "down_timer_adverts", text)
                .help("write 3, the value of the protocol, and a shorter advert_int instead")
        })
        .collect()
}

/// How long a backup waits after the last advert (RFC 9568 section 6.1).
fn dead_interval(i: &Instance) -> Duration {
    let skew = (256 - u32::from(i.priority.get())).min(255);
    i.advert_int * u32::from(i.down_timer_adverts) + i.advert_int * skew / 256
}

fn slow_takeover(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let instances = c.config.instances.iter();
    instances
        .filter(|i| dead_interval(i) > SLOW)
        .map(|i| {
            let wait = seconds(dead_interval(i));
            let text = format!(
                "({}) a backup takes over {wait} after the last advert",
                i.name
            );
            c.note(&i.origin, "advert_int", text)
                .help("write a shorter advert_int on every node")
        })
        .collect()
}

fn fast_adverts(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let instances = c.config.instances.iter();
    instances
        .filter(|i| i.advert_int < FAST)
        .map(|i| {
            let wait = seconds(dead_interval(i));
            let text = format!(
                "({}) a pause of {wait} looks like a dead master to the backups",
                i.name
            );
            c.note(&i.origin, "advert_int", text)
                .help("raise advert_int or down_timer_adverts unless the machines never pause")
        })
        .collect()
}

fn delay_beyond_dead_interval(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for delay in &c.config.interface_up_down_delays {
        let limit = |i: &Instance| i.advert_int * u32::from(i.down_timer_adverts.saturating_sub(1));
        let on_it = c.config.instances.iter();
        let on_it = on_it.filter(|i| i.interface.as_ref() == Some(&delay.interface));
        let Some(first) = on_it.min_by_key(|i| limit(i)) else {
            continue;
        };
        if delay.down > limit(first) {
            let text = format!(
                "down delay {} of {} is cut to {}, when the backups of {} are about to take over",
                seconds(delay.down),
                delay.interface,
                seconds(limit(first)),
                first.name
            );
            let d = c.warn(&delay.origin, "", text);
            let d = c.also(d, &first.origin, "this instance is on the interface");
            out.push(d.help("write a shorter delay, or a longer advert_int on every node"));
        }
    }
    out
}

fn strict_drops_packets(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let instances = c.config.instances.iter();
    instances
        .filter(|i| i.strict && !i.accept && !i.virtual_ipaddress.is_empty())
        .map(|i| {
            let text = format!(
                "({}) strict mode drops all packets to its virtual addresses, ping included",
                i.name
            );
            c.warn(&i.origin, "strict_mode", text)
                .help("remove vrrp_strict (or strict_mode) unless this machine only forwards")
        })
        .collect()
}

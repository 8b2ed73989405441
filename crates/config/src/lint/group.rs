//! Members of one sync group, which always change state together.

use super::{Ctx, Lint, lint, seconds};
use crate::diagnostic::Diagnostic;
use crate::model::Instance;

/// Two members on two interfaces, with lines of their own.
macro_rules! members {
    ($first:literal, $second:literal) => {
        concat!(
            "vrrp_sync_group G {
    group {
        V
        W
    }
}
vrrp_instance V {
    interface eth0
    virtual_router_id 10
",
            $first,
            "    virtual_ipaddress {
        192.0.2.10/24
    }
}
vrrp_instance W {
    interface eth1
    virtual_router_id 10
",
            $second,
            "    virtual_ipaddress {
        198.51.100.10/24
    }
}"
        )
    };
}

pub(super) const LINTS: &[Lint] = &[
    lint(
        2501,
        "group-mixed-preemption",
        mixed_preemption,
        "A sync group takes over only when every member wants to. A member with nopreempt (or a \
         longer preempt_delay) holds all the others back.",
        members!("    priority 150\n    nopreempt\n", "    priority 150\n"),
        members!(
            "    priority 150\n    nopreempt\n",
            "    priority 150\n    nopreempt\n"
        ),
    ),
    lint(
        2502,
        "group-mixed-interval",
        mixed_interval,
        "A sync group becomes master when its slowest member does, so a short advert_int in one \
         member is of no use beside a long one.",
        members!("    priority 150\n", "    priority 150\n    advert_int 3\n"),
        members!("    priority 150\n", "    priority 150\n"),
    ),
    lint(
        2503,
        "group-mixed-priority",
        mixed_priority,
        "Members of a sync group have different priorities. If the order of the nodes is not the \
         same for each member, every takeover of one drags the others there and back.",
        members!("    priority 150\n", "    priority 90\n"),
        members!("    priority 150\n", "    priority 150\n"),
    ),
];

/// Each group's first member with the first later member that differs from it.
fn differing<'a, T: PartialEq>(
    c: &Ctx<'a>,
    of: impl Fn(&Instance) -> T,
) -> Vec<(&'a str, &'a Instance, &'a Instance)> {
    let mut firsts: std::collections::HashMap<&str, (&Instance, bool)> =
        std::collections::HashMap::new();
    let mut out = Vec::new();
    for i in &c.config.instances {
        let Some(group) = i.sync_group.as_deref() else {
            continue;
        };
        let (first, said) = firsts.entry(group).or_insert((i, false));
        if !*said && of(first) != of(i) {
            *said = true;
            out.push((group, *first, i));
        }
    }
    out
}

fn mixed_preemption(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let found = differing(c, |i| (i.nopreempt, i.preempt_delay)).into_iter();
    found
        .map(|(group, first, other)| {
            let text = format!(
                "{} and {} of sync group {group} do not preempt alike",
                first.name, other.name
            );
            let (with, without) = if first.nopreempt || !first.preempt_delay.is_zero() {
                (first, other)
            } else {
                (other, first)
            };
            let keyword = if with.nopreempt {
                "nopreempt"
            } else {
                "preempt_delay"
            };
            let d = c.warn(&with.origin, keyword, text);
            let d = c.also(d, &without.origin, "the other member");
            d.help("write the same preemption in all members, on every node")
        })
        .collect()
}

fn mixed_interval(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let found = differing(c, |i| i.advert_int).into_iter();
    found
        .map(|(group, first, other)| {
            let text = format!(
                "advert_int of {} is {}, of {} in the same sync group {group} {}",
                other.name,
                seconds(other.advert_int),
                first.name,
                seconds(first.advert_int)
            );
            let d = c.warn(&other.origin, "advert_int", text);
            let d = c.also(d, &first.origin, "the other member");
            d.help("write the same advert_int in all members, on every node")
        })
        .collect()
}

fn mixed_priority(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let found = differing(c, |i| i.priority).into_iter();
    found
        .map(|(group, first, other)| {
            let text = format!(
                "priority of {} is {}, of {} in the same sync group {group} {}",
                other.name,
                other.priority.get(),
                first.name,
                first.priority.get()
            );
            let d = c.note(&other.origin, "priority", text);
            let d = c.also(d, &first.origin, "the other member");
            d.help("write the same priority in all members of the group")
        })
        .collect()
}

//! What the nodes watch and do about it: trackers, their weights, notify scripts, sync groups that
//! different nodes would win.

use std::collections::{BTreeSet, HashMap};

use crate::lint::numbered;
use crate::model::{Instance, SyncGroup};

use super::compare::about;
use super::{Finding, Node, Pairs, Router};

/// Scripts that one node runs at a change of state, and the other does not.
pub(super) fn notify(r: &Router<'_>) -> Option<Finding> {
    let scripts = |i: &Instance| {
        let n = &i.notify;
        let all = [
            (n.master.is_some(), "notify_master"),
            (n.backup.is_some(), "notify_backup"),
            (n.fault.is_some(), "notify_fault"),
            (n.stop.is_some(), "notify_stop"),
            (n.generic.is_some(), "notify"),
        ];
        let set = all.into_iter().filter(|(is_set, _)| *is_set);
        set.map(|(_, keyword)| keyword).collect::<Vec<_>>()
    };
    let (a, b) = (scripts(r.on_a), scripts(r.on_b));
    (a != b).then(|| {
        let only = |these: &[&str], others: &[&str], node: Node<'_>| {
            let mut left = these
                .iter()
                .filter(|k| !others.contains(k))
                .copied()
                .peekable();
            left.peek()?;
            let left: Vec<_> = left.collect();
            Some(format!("only {} has {}", node.name, left.join(", ")))
        };
        let sides = [only(&a, &b, r.a), only(&b, &a, r.b)];
        let text: Vec<_> = sides.into_iter().flatten().collect();
        let show = |these: Vec<&str>| match these.as_slice() {
            [] => "no notify script".to_owned(),
            these => these.join(", "),
        };
        about(r, super::NOTIFY, &text.join("; "), [show(a), show(b)])
            .note()
            .help("write the same notify scripts on every node")
    })
}

/// What is tracked on one node while nothing is on the other.
pub(super) fn tracking(
    r: &Router<'_>,
    groups_a: &HashMap<&str, &SyncGroup>,
    groups_b: &HashMap<&str, &SyncGroup>,
) -> Option<Finding> {
    let tracked = |groups: &HashMap<&str, &SyncGroup>, i: &Instance| -> BTreeSet<String> {
        let group = i.sync_group.as_deref();
        let group = group.and_then(|name| groups.get(name).copied());
        let tracks = std::iter::once(&i.track).chain(group.map(|g| &g.track));
        tracks
            .flat_map(|t| {
                [&t.scripts, &t.processes, &t.files, &t.bfd]
                    .into_iter()
                    .flatten()
            })
            .map(|t| t.name.clone())
            .collect()
    };
    let (a, b) = (tracked(groups_a, r.on_a), tracked(groups_b, r.on_b));
    (a.is_empty() != b.is_empty()).then(|| {
        let names = |set: &BTreeSet<String>| {
            let all: Vec<&str> = set.iter().map(String::as_str).collect();
            all.join(", ")
        };
        let (with, without, what) = if b.is_empty() {
            (r.a, r.b, names(&a))
        } else {
            (r.b, r.a, names(&b))
        };
        let text = format!(
            "only {} tracks {what}; {} takes over and stays whatever is broken there",
            with.name, without.name
        );
        let show = |set: &BTreeSet<String>| match set.is_empty() {
            true => "tracks nothing".to_owned(),
            false => format!("tracks {}", names(set)),
        };
        about(r, super::TRACKING, &text, [show(&a), show(&b)])
            .help(format!("track the same on {}", without.name))
    })
}

/// The members of a sync group that different nodes would win.
pub(super) fn crossed(
    pairs: &Pairs<'_>,
    groups_a: &HashMap<&str, &SyncGroup>,
    out: &mut Vec<Finding>,
) {
    let mut first: HashMap<&str, &Router<'_>> = HashMap::new();
    for r in pairs
        .routers
        .iter()
        .filter(|r| r.on_a.priority != r.on_b.priority)
    {
        let group = r.on_a.sync_group.as_deref();
        let Some(group) = group.and_then(|name| groups_a.get(name)) else {
            continue;
        };
        let stronger = |r: &Router<'_>| r.on_a.priority > r.on_b.priority;
        let other = *first.entry(group.name.as_str()).or_insert(r);
        if stronger(other) == stronger(r) {
            continue;
        }
        let name = |r: &Router<'_>| {
            let node = if stronger(r) { r.a } else { r.b };
            node.name.to_owned()
        };
        let text = format!(
            "{} has the higher priority, but {} has it for `{}` in the same sync group {}; each \
             takeover drags the group there and back",
            name(r),
            name(other),
            other.on_a.name,
            group.name
        );
        let show = |i: &Instance| format!("priority {}", i.priority.get());
        out.push(
            about(r, super::GROUP, &text, [show(r.on_a), show(r.on_b)])
                .help("give all members of a group the same priority on each node"),
        );
    }
}

/// Lowest and highest priority that the trackers of an instance and its group can make.
fn range(groups: &HashMap<&str, &SyncGroup>, i: &Instance) -> (i32, i32) {
    let group = i.sync_group.as_deref();
    let group = group.and_then(|name| groups.get(name).copied());
    let tracks = std::iter::once(&i.track).chain(group.map(|g| &g.track));
    let (mut low, mut high) = (i32::from(i.priority.get()), i32::from(i.priority.get()));
    for t in tracks.flat_map(numbered) {
        let by = if t.reverse { -t.weight } else { t.weight };
        low = low.saturating_add(by.min(0));
        high = high.saturating_add(by.max(0));
    }
    (low.clamp(1, 254), high.clamp(1, 254))
}

pub(super) fn weights(
    r: &Router<'_>,
    groups_a: &HashMap<&str, &SyncGroup>,
    groups_b: &HashMap<&str, &SyncGroup>,
) -> Option<Finding> {
    if r.on_a.priority.is_owner() || r.on_b.priority.is_owner() {
        return None;
    }
    let (low_a, high_a) = range(groups_a, r.on_a);
    let (low_b, high_b) = range(groups_b, r.on_b);
    // A tracked file can move the priority by any number.
    if !r.on_a.track.files.is_empty() || !r.on_b.track.files.is_empty() {
        return None;
    }
    let (strong, weak, low, high, moves) = if high_a > high_b {
        (r.a, r.b, low_a, high_b, low_a < high_a)
    } else {
        (r.b, r.a, low_b, high_a, low_b < high_b)
    };
    (moves && high_a != high_b && low >= high).then(|| {
        let text = format!(
            "when every tracker of {} fails its priority is still {low}, and that of {} is {high}; \
             the addresses stay",
            strong.name, weak.name
        );
        let show = |low, high| format!("priority {low} to {high}");
        about(
            r,
            super::WEIGHTS,
            &text,
            [show(low_a, high_a), show(low_b, high_b)],
        )
        .help("make the weight greater than the difference of the priorities")
    })
}

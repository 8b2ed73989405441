//! The table that `ipvsadm` prints: for every configuration with virtual servers the same as under
//! Debian's keepalived, at the start and behind the stop.

use std::path::{Path, PathBuf};

use rk_lab::{Node, Rivals, Which};

use crate::lvs::each::{configurations, configurations_in, each, guest, lab};

/// A configuration that is different at the start, why, and how.
struct Exception {
    file: &'static str,
    why: &'static str,
    how: Different,
}

enum Different {
    /// The tables: a line with `-` only keepalived's has, with `+` only ours.
    Tables(&'static str),
    /// Both end, but with these statuses: keepalived's and ours.
    Statuses([i32; 2]),
}

/// All that are known; each is held to its difference, and is in doc/compatibility.md.
const EXCEPTIONS: &[Exception] = &[
    Exception {
        file: "virtual_server.real_server.BFD_CHECK.conf",
        why: "there is no BFD process yet, so nobody says that the peer is silent",
        how: Different::Tables("+ -a -t 192.0.2.21:80 -r 192.0.2.30:80 -m -w 1\n"),
    },
    Exception {
        file: "0426.conf",
        why: "a network namespace that cannot be entered is a failure",
        how: Different::Statuses([0, 1]),
    },
];

/// Starts both daemons on the configuration, and stops them again.
fn start_and_stop(other: Which, nodes: [&Node; 2], path: &Path, text: &str) -> String {
    let mut rivals = Rivals::start(nodes, other, text);
    let exception = EXCEPTIONS
        .iter()
        .find(|one| other == Which::Rkeepalived && path.ends_with(one.file));
    if let Some(exception) = exception {
        match exception.how {
            Different::Tables(lines) => {
                rivals.differ("start", lines);
                rivals.stop();
            }
            Different::Statuses(wanted) => {
                let statuses = rivals.wait_exits().map(|status| status.code());
                assert_eq!(statuses, wanted.map(Some));
            }
        }
        return format!("differs: {}", exception.why);
    }
    match rivals.outcome("start") {
        Ok(table) => {
            let left = rivals.stop();
            format!("{} lines, {} left", table.lines().len(), left.lines().len())
        }
        Err(status) => format!("refused, {status}"),
    }
}

/// The same with every `of`th configuration from the `part`th.
fn all(other: Which, directory: &'static str, part: usize, of: usize) {
    guest().run(move || {
        let all = configurations(directory);
        let chosen: Vec<_> = all.into_iter().skip(part).step_by(of).collect();
        compare(other, &chosen);
    });
}

fn compare(other: Which, chosen: &[(PathBuf, String)]) {
    each(chosen, |queue| {
        queue.work(&lab(), |nodes, path, text| {
            start_and_stop(other, nodes, path, text)
        });
    });
}

// keepalived beside itself: that every comparison has a settled table to compare with, at the
// start and behind the stop, whatever the configuration.

#[test]
fn keepalived_beside_itself() {
    all(Which::Keepalived, "spec/samples", 0, 2);
}

// Ours beside keepalived.

#[test]
fn samples_of_every_option() {
    all(Which::Rkeepalived, "spec/samples", 0, 1);
}

#[test]
fn conf_samples() {
    guest().run(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf-samples");
        let all: Vec<_> = ["lvs-dr", "lvs-nat"]
            .iter()
            .flat_map(|deployment| configurations_in(&root.join(deployment)))
            .collect();
        assert_eq!(all.len(), 3, "{all:?}");
        compare(Which::Rkeepalived, &all);
    });
}

#[test]
fn corpus_part_0() {
    all(Which::Rkeepalived, "corpus", 0, 2);
}

#[test]
fn corpus_part_1() {
    all(Which::Rkeepalived, "corpus", 1, 2);
}

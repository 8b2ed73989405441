//! The table that `ipvsadm` prints: for every configuration with virtual servers the same as under
//! Debian's keepalived, at the start and behind the stop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rk_lab::{Guest, Lab, Node, Rivals, Which};

use crate::parity::material;

/// The interfaces that the configurations speak of.
const INTERFACES: &[&str] = &[
    "eth1", "eth2", "ens3", "ens33", "ens160", "ens192", "enp0s3", "enp0s8", "bond0", "br0",
];
/// A configuration takes a few seconds.
pub(crate) const DEADLINE: Duration = Duration::from_mins(13);

/// The configurations with virtual servers below `directory`, in the order of their names, without
/// the [`EXCEPTIONS`].
pub(crate) fn configurations(directory: &str) -> Vec<(PathBuf, String)> {
    let Some(directory) = material(directory) else {
        return Vec::new();
    };
    let mut all: Vec<_> = std::fs::read_dir(directory)
        .expect("a directory of configurations")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "conf"))
        .filter_map(|path| {
            let bytes = std::fs::read(&path).expect("a configuration");
            Some((path, String::from_utf8(bytes).ok()?))
        })
        .filter(|(_, text)| text.contains("virtual_server"))
        .filter(|(path, _)| named_in(EXCEPTIONS, path).is_none())
        .collect();
    all.sort();
    all
}

/// Configurations whose tables differ, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "virtual_server.real_server.BFD_CHECK.conf",
        "there is no BFD process yet",
    ),
    ("0401.conf", "there is no BFD process yet"),
    (
        "deprecated.conf",
        "lvs_sync_daemon_interface of an instance is not followed",
    ),
    (
        "0143.conf",
        "lvs_sync_daemon_interface of an instance is not followed",
    ),
    (
        "0392.conf",
        "2.2.7 ends when no instance is left; ours waits for a reload",
    ),
    (
        "0393.conf",
        "its checks fail within seconds of the start, each daemon's at a moment of its own",
    ),
    (
        "0394.conf",
        "a limit of a few microseconds kills the processes of both again and again",
    ),
    (
        "0422.conf",
        "the VRRP process of 2.2.7 crashes again and again; ours refuses to start",
    ),
];
/// The reason in `list` for the file of that name.
pub(crate) fn named_in(list: &'static [(&str, &str)], path: &Path) -> Option<&'static str> {
    let named = list.iter().find(|(name, _)| path.ends_with(name));
    named.map(|(_, reason)| *reason)
}

/// Every how many-th of all these configurations a suite has time for, and `cargo xtask soak`.
pub(crate) fn every(suite: usize) -> usize {
    if std::env::var_os("RKEEPALIVED_TEST_THOROUGH").is_some() {
        1
    } else {
        suite
    }
}

/// Hosts from which nothing is reached: every check that needs a network hangs.
pub(crate) fn hosts<const N: usize>(lab: &Lab, names: [&str; N]) -> [Node; N] {
    names.map(|name| {
        let node = lab.node(name);
        node.void("eth0", &["10.77.0.1/24", "fd77::1/64"]);
        for dev in INTERFACES {
            node.sh(&format!(
                "ip link add {dev} type dummy && ip link set {dev} up"
            ));
        }
        // For a configuration that names a network namespace, it is the node's own.
        node.sh("mkdir -p /run/netns && : > /run/netns/low \
             && mount --bind /proc/self/ns/net /run/netns/low");
        node
    })
}

/// Does something with each of the configurations on two hosts, whatever became of those before:
/// behind one that failed the hosts are new.
///
/// # Panics
/// If `job` did for one of them.
#[track_caller]
pub(crate) fn each<'a>(
    lab: &Lab,
    all: impl IntoIterator<Item = &'a (PathBuf, String)>,
    mut job: impl FnMut([&Node; 2], &Path, &str) -> String,
) {
    let mut nodes = hosts(lab, ["one", "two"]);
    let mut different = Vec::new();
    for (path, text) in all {
        let name = path.file_name().unwrap_or_default().display();
        let job = || job(nodes.each_ref(), path, text);
        match catch_unwind(AssertUnwindSafe(job)) {
            Ok(word) => eprintln!("{name}: {word}"),
            Err(_) => {
                different.push(name.to_string());
                nodes = hosts(lab, ["one", "two"]);
            }
        }
    }
    assert!(different.is_empty(), "not the same: {different:?}");
}

/// Starts both daemons on every `of`th configuration from the `part`th, and stops them again.
fn start_and_stop(other: Which, directory: &'static str, part: usize, of: usize) {
    Guest::new().deadline(DEADLINE).run(move || {
        let all = configurations(directory);
        let lab = crate::bed::lab("tables").expect("a guest can make namespaces");
        each(&lab, all.iter().skip(part).step_by(of), |nodes, _, text| {
            let mut rivals = Rivals::start(nodes, other, text);
            match rivals.outcome("start") {
                Ok(table) => {
                    let left = rivals.stop();
                    format!("{} lines, {} left", table.lines().len(), left.lines().len())
                }
                Err(status) => format!("refused, {status}"),
            }
        });
    });
}

// keepalived beside itself: that every comparison has a settled table to compare with, at the
// start and behind the stop, whatever the configuration.

#[test]
fn keepalived_beside_itself() {
    start_and_stop(Which::Keepalived, "spec/samples", 0, 2);
}

// Ours beside keepalived.

#[test]
fn samples_of_every_option() {
    start_and_stop(Which::Rkeepalived, "spec/samples", 0, 1);
}

#[test]
fn corpus_part_0() {
    start_and_stop(Which::Rkeepalived, "corpus", 0, 4 * every(4));
}

#[test]
fn corpus_part_1() {
    start_and_stop(Which::Rkeepalived, "corpus", 1, 4 * every(4));
}

#[test]
fn corpus_part_2() {
    start_and_stop(Which::Rkeepalived, "corpus", 2, 4 * every(4));
}

#[test]
fn corpus_part_3() {
    start_and_stop(Which::Rkeepalived, "corpus", 3, 4 * every(4));
}

//! The table that `ipvsadm` prints: for every configuration with virtual servers the same as under
//! Debian's keepalived.

use std::path::PathBuf;
use std::time::Duration;

use rk_lab::{Guest, Lab, Node, Rivals, Which};

use crate::parity::material;

/// The interfaces that the configurations speak of.
const INTERFACES: &[&str] = &[
    "eth1", "eth2", "ens3", "ens33", "ens160", "ens192", "enp0s3", "enp0s8", "bond0", "br0",
];
/// A configuration takes one to three seconds.
const DEADLINE: Duration = Duration::from_mins(4);

/// The configurations with virtual servers below `directory`, in the order of their names.
fn configurations(directory: &str) -> Vec<(PathBuf, String)> {
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
        .collect();
    all.sort();
    all
}

/// Two hosts from which nothing is reached: every check that needs a network hangs.
fn hosts(lab: &Lab) -> [Node; 2] {
    ["one", "two"].map(|name| {
        let node = lab.node(name);
        node.void("eth0", &["10.77.0.1/24", "fd77::1/64"]);
        for dev in INTERFACES {
            node.sh(&format!(
                "ip link add {dev} type dummy && ip link set {dev} up"
            ));
        }
        node
    })
}

/// Starts both daemons on every `of`th configuration from the `part`th, and stops them again.
fn start_and_stop(other: Which, directory: &'static str, part: usize, of: usize) {
    Guest::new().deadline(DEADLINE).run(move || {
        let all = configurations(directory);
        let lab = crate::bed::lab("tables").expect("a guest can make namespaces");
        let nodes = hosts(&lab);
        for (path, text) in all.iter().skip(part).step_by(of) {
            let name = path.file_name().unwrap_or_default().display();
            let mut rivals = Rivals::start([&nodes[0], &nodes[1]], other, text);
            let outcome = rivals.outcome(&format!("start on {name}"));
            match outcome {
                Ok(table) => {
                    let left = rivals.stop();
                    eprintln!(
                        "{name}: {} lines, {} left",
                        table.lines().len(),
                        left.lines().len()
                    );
                }
                Err(status) => eprintln!("{name}: refused, {status}"),
            }
        }
    });
}

// keepalived beside itself: that every comparison has a settled table to compare with, at the
// start and behind the stop, whatever the configuration.

#[test]
fn samples_of_every_option() {
    start_and_stop(Which::Keepalived, "spec/samples", 0, 1);
}

#[test]
fn one_in_eight_of_the_corpus() {
    start_and_stop(Which::Keepalived, "corpus", 0, 8);
}

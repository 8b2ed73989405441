//! Many configurations in one guest, several at a time: most of the time goes by in waiting for
//! the timers of daemons.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rk_lab::{Guest, Lab, Node};

use crate::world::material;

/// Interfaces that configurations name, besides `eth0`: not to have one of them ends 2.2.7, now
/// and then by a crash. One file uses a definition that it lacks on this machine.
const INTERFACES: &[&str] = &[
    "eth1", "eth2", "eth3", "ens3", "ens33", "ens160", "ens192", "enp0s3", "enp0s8", "bond0",
    "br0", "'$IF'",
];
/// How many configurations are at work at once.
const WORKERS: usize = 3;
/// What a guest may take for all that it is given.
const DEADLINE: Duration = Duration::from_mins(8);

/// A guest for many configurations.
pub(crate) fn guest() -> Guest {
    Guest::new().memory(1024).deadline(DEADLINE)
}

/// The configurations with virtual servers of other people below `directory`, in the order of
/// their names, as they can run in a guest.
pub(crate) fn configurations(directory: &str) -> Vec<(PathBuf, String)> {
    material(directory).map_or(Vec::new(), |directory| configurations_in(&directory))
}

/// The same of a directory that is there.
pub(crate) fn configurations_in(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut all: Vec<(PathBuf, String)> = std::fs::read_dir(directory)
        .expect("a directory")
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            path.extension().filter(|e| *e == "conf")?;
            let bytes = std::fs::read(&path).ok()?;
            Some((path, runnable(&String::from_utf8(bytes).ok()?)))
        })
        .filter(|(_, text)| text.contains("virtual_server"))
        .collect();
    all.sort();
    all
}

/// Without real-time priorities, which come with a limit on processor time: a real processor needs
/// a small part of what a guest's does, which has others to wait for besides.
fn runnable(text: &str) -> String {
    let limits = |line: &&str| {
        let word = line.split_whitespace().next().unwrap_or("");
        let ends = ["_rt_priority", "_rlimit_rtime", "_rlimit_rttime"];
        ends.iter().any(|end| word.ends_with(end))
    };
    let kept = text.lines().filter(|line| !limits(line));
    kept.map(|line| format!("{line}\n")).collect()
}

/// A laboratory of a worker.
pub(crate) fn lab() -> Lab {
    crate::bed::lab("each").expect("a guest can make namespaces")
}

/// Hosts from which nothing is reached: every check that needs a network hangs.
pub(crate) fn hosts<const N: usize>(lab: &Lab, names: [&str; N]) -> [Node; N] {
    names.map(|name| {
        let node = lab.node(name);
        node.void("eth0", &["10.77.0.1/24", "fd77::1/64"]);
        // One program start instead of one for each.
        let add = INTERFACES.iter().map(|dev| {
            format!("ip link add {dev} type dummy && ip link set {dev} multicast on up\n")
        });
        let add: String = add.collect();
        // For a configuration that names a network namespace, it is the node's own.
        node.sh(&format!(
            "set -e
            {add}
            ip link set eth0 multicast on
            mkdir -p /run/netns
            : > /run/netns/low
            mount --bind /proc/self/ns/net /run/netns/low"
        ));
        node
    })
}

/// What is still to be done, and what has failed.
pub(crate) struct Queue<'a> {
    all: &'a [(PathBuf, String)],
    next: AtomicUsize,
    failed: Mutex<Vec<String>>,
}

/// Lets workers, each a thread, take all of these from a queue.
///
/// # Panics
/// If something failed, with the names; what went wrong is above.
#[track_caller]
pub(crate) fn each(all: &[(PathBuf, String)], worker: impl Fn(&Queue<'_>) + Sync) {
    let queue = Queue {
        all,
        next: AtomicUsize::new(0),
        failed: Mutex::default(),
    };
    std::thread::scope(|scope| {
        for _ in 0..WORKERS.min(all.len()) {
            scope.spawn(|| worker(&queue));
        }
    });
    let failed = queue.failed.into_inner().expect("no worker panicked");
    assert!(failed.is_empty(), "not the same: {failed:?}");
}

impl Queue<'_> {
    /// Does `job` with one configuration after the other on two hosts, whatever became of those
    /// before: behind one that failed the hosts are new. It answers with a word about it.
    pub(crate) fn work(&self, lab: &Lab, mut job: impl FnMut([&Node; 2], &Path, &str) -> String) {
        let mut nodes = hosts(lab, ["one", "two"]);
        while let Some((path, text)) = self.all.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let name = path.file_name().unwrap_or_default().display();
            let started = std::time::Instant::now();
            for node in &nodes {
                // 2.2.7 leaves some behind when it gives up.
                for file in ["keepalived", "vrrp", "checkers", "bfd"] {
                    std::fs::remove_file(node.path(&format!("/run/{file}.pid"))).ok();
                }
            }
            let job = || job(nodes.each_ref(), path, text);
            match catch_unwind(AssertUnwindSafe(job)) {
                Ok(word) => eprintln!("{name}: {word} ({:.1?})", started.elapsed()),
                Err(_) => {
                    eprintln!("{name}: FAILED");
                    let mut failed = self.failed.lock().expect("nobody panics with it");
                    failed.push(name.to_string());
                    drop(failed);
                    nodes = hosts(lab, ["one", "two"]);
                }
            }
        }
    }
}

//! Every configuration of `conf-samples/` is good, and runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rk_lab::{Daemon, fitted};

use crate::bed::{DEV, SOON, lab, ours};

/// Every `.conf` below `conf-samples/`.
fn samples() -> Vec<PathBuf> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("conf-samples")];
    let mut found = Vec::new();
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).expect("a directory of samples") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "conf")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn each_is_good_and_becomes_master() {
    let Some(lab) = lab("samples") else { return };
    lab.bridge("lan");
    let samples = samples();
    assert!(samples.len() >= 9, "{samples:?}");
    for sample in samples {
        let node = lab.node("one");
        let text = std::fs::read_to_string(&sample).expect("a sample");
        // The address that a node of a deployment must have for its peers.
        let own = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("unicast_src_ip "))
            .unwrap_or("192.0.2.1");
        lab.link("lan", &node, DEV, &[&format!("{own}/24"), "2001:db8::1/64"]);
        lab.link("lan", &node, "eth1", &["198.51.100.1/24"]);
        for script in ["notify.sh"] {
            if let Ok(content) = std::fs::read_to_string(sample.with_file_name(script)) {
                node.script(&format!("/etc/keepalived/{script}"), &content);
            }
        }
        let fitted = fitted(&text);
        node.write("/etc/keepalived/keepalived.conf", fitted.as_bytes());
        // Without script security, `-t` is right to complain (6); with it, all is well.
        let good = if fitted == text { 0 } else { 6 };
        let test = format!("{} -t -f /etc/keepalived/keepalived.conf", ours().program());
        let output = node.try_sh(&test);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            output.status.code(),
            Some(good),
            "{}:\n{said}",
            sample.display()
        );
        let mut daemon = Daemon::start_as_is(&node, ours(), &[]);
        daemon.wait_for_line("Entering MASTER STATE", SOON);
        let complaints = ["not supported yet", "Unknown keyword", "deprecated"];
        for complaint in complaints {
            assert_eq!(
                daemon.count(complaint),
                0,
                "{}:\n{}",
                sample.display(),
                daemon.log()
            );
        }
        assert!(daemon.stop().success(), "{}: a clean end", sample.display());
    }
}

/// The nodes of a deployment agree with each other, and are written as `fmt` writes them.
#[test]
fn nodes_of_a_deployment_agree() {
    let Some(lab) = lab("samples") else { return };
    let node = lab.node("one");
    lab.bridge("lan");
    lab.link("lan", &node, DEV, &["192.0.2.9/24", "2001:db8::9/64"]);
    lab.link("lan", &node, "eth1", &["198.51.100.9/24"]);
    let mut deployments: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for sample in samples() {
        let deployment = sample.parent().expect("a directory").to_owned();
        let named = sample.strip_prefix(env!("CARGO_MANIFEST_DIR"));
        let there = format!("/etc/keepalived/{}", named.expect("ours").display());
        node.write(&there, std::fs::read(&sample).expect("a sample"));
        deployments.entry(deployment).or_default().push(there);
    }
    assert!(deployments.len() >= 5, "{deployments:?}");
    for paths in deployments.values() {
        let files = paths.join(" ");
        let fmt = node.try_sh(&format!("{} fmt --check {files}", ours().program()));
        assert!(fmt.status.success(), "{files}: {fmt:?}");
        // One node has nobody to agree with.
        let cluster = if paths.len() > 1 { "--cluster" } else { "" };
        let program = ours().program();
        let lint = format!("{program} lint {cluster} --format plain {files}");
        let lint = node.try_sh(&lint);
        assert!(lint.status.success(), "{files}: {lint:?}");
        // What is said of a cluster has a code of its own hundred.
        let said = [lint.stdout, lint.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains("[RK28"), "{said}");
    }
}

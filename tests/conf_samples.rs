//! Every configuration of `conf-samples/` is good, and runs.

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
    assert!(samples.len() >= 2, "{samples:?}");
    for sample in samples {
        let node = lab.node("one");
        lab.link("lan", &node, DEV, &["192.0.2.1/24", "2001:db8::1/64"]);
        let text = std::fs::read_to_string(&sample).expect("a sample");
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

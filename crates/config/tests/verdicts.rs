//! The same verdicts as keepalived, file by file, where its files are at hand.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rk_config::{Options, load};
use support::{Disk, Machine, listed, messages, spec_dir};

/// Reads `file<TAB>...` lines and gives column `column` by file.
fn expected(path: &Path, column: usize) -> BTreeMap<String, u8> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            Some((
                (*fields.first()?).to_owned(),
                fields.get(column)?.parse().ok()?,
            ))
        })
        .collect()
}

/// Compares the verdicts; every disagreement must be listed and every listed one be there.
fn compare(
    want: &BTreeMap<String, u8>,
    listed: &BTreeSet<String>,
    run: impl Fn(&str) -> rk_config::Loaded,
) {
    let mut wrong = Vec::new();
    for (file, status) in want {
        let loaded = run(file);
        let same = loaded.exit_status() == *status;
        let known = listed.contains(file);
        if same == known {
            wrong.push(format!(
                "{file}: keepalived {status}, here {}{}\n{}",
                loaded.exit_status(),
                if known { " (listed as different)" } else { "" },
                messages(&loaded)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        want.len(),
        wrong.join("\n")
    );
}

#[test]
fn corpus() {
    let Some(dir) = spec_dir() else { return };
    let dir = dir.join("corpus");
    let machine = Machine::with_interfaces(
        "lo eth0 eth1 ens33 ens3 ens160 ens192 enp0s3 enp0s8 bond0 br0 pr_eth0 pr_eth1",
    );
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    compare(
        &expected(&dir.join("EXPECTED.tsv"), 2),
        &listed("corpus"),
        |file| {
            let disk = Disk::default().with(file, fs::read(dir.join(file)).unwrap());
            load(file, &options, &disk, &machine)
        },
    );
}

#[test]
fn samples() {
    let Some(dir) = spec_dir() else { return };
    let dir = dir.join("spec/samples");
    let machine = Machine::with_interfaces("lo eth0 eth1 eth0p eth1p");
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    let mut disk = Disk::default();
    for entry in fs::read_dir(&dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        disk = disk.with(&name, fs::read(entry.path()).unwrap());
    }
    compare(
        &expected(&dir.join("EXPECTED.tsv"), 1),
        &listed("samples"),
        |file| load(file, &options, &disk, &machine),
    );
}

/// The guides' files: the status with their scripts absent.
#[test]
fn guides() {
    let Some(dir) = spec_dir() else { return };
    let dir = dir.join("guides");
    let machine = Machine::with_interfaces("lo eth0 eth1 eth2 ens33 ens160");
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    let want = [
        ("haproxy-active.conf", 6),
        ("haproxy-standby.conf", 6),
        ("hot-standby.conf", 5),
        ("web-ha-1.conf", 5),
        ("web-ha-2.conf", 5),
        ("lvs-dr-1.conf", 5),
        ("lvs-dr-2.conf", 5),
        ("annotated.conf", 5),
    ];
    let want = want.iter().map(|(f, s)| ((*f).to_owned(), *s)).collect();
    compare(&want, &BTreeSet::new(), |file| {
        let disk = Disk::default().with(file, fs::read(dir.join(file)).unwrap());
        load(file, &options, &disk, &machine)
    });
}

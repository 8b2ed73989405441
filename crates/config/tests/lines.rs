//! The same lines as keepalived's: what it complains about, is complained about here.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rk_config::{Options, Severity, load};
use support::{Disk, Machine, listed, spec_dir};

/// The line numbers of keepalived's messages: `(Line N) ...` and `(FILE: Line N) ...`.
fn theirs(text: &str, file: &str) -> BTreeMap<u32, BTreeSet<String>> {
    let mut out: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for message in text.lines() {
        let Some(rest) = message.strip_prefix('(') else {
            continue;
        };
        let rest = match rest.split_once(": Line ") {
            Some((name, rest)) if name == file => rest,
            Some((name, _)) if !name.contains(')') => {
                panic!("{file}: a message about {name}: {message}")
            }
            _ => match rest.strip_prefix("Line ") {
                Some(rest) => rest,
                None => continue,
            },
        };
        let Some((number, said)) = rest.split_once(") ") else {
            continue;
        };
        if let Ok(number) = number.parse() {
            out.entry(number).or_default().insert(said.to_owned());
        }
    }
    out
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
    let mut wrong = String::new();
    let mut count = 0;
    let mut stale = listed("corpus");
    stale.retain(|what| what.contains(':'));
    let mut diags: Vec<_> = fs::read_dir(dir.join("diag"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    diags.sort();
    for diag in diags {
        let name = diag.file_name().unwrap().to_str().unwrap();
        let file = name.replace(".head.txt", ".conf");
        let text = String::from_utf8_lossy(&fs::read(&diag).unwrap()).into_owned();
        let disk = Disk::default().with(&file, fs::read(dir.join(&file)).unwrap());
        let loaded = load(&file, &options, &disk, &machine);
        let ours: BTreeSet<u32> = loaded
            .diagnostics
            .iter()
            .filter(|d| d.severity > Severity::Note)
            .filter_map(|d| d.place.map(|p| p.line))
            .collect();
        for (line, said) in theirs(&text, &file) {
            let known = stale.remove(&format!("{file}:{line}"));
            if ours.contains(&line) == known {
                count += 1;
                wrong.push_str(&format!("{file}:{line}: {said:?}\n"));
            }
        }
    }
    assert!(
        wrong.is_empty() && stale.is_empty(),
        "{count} lines:\n{wrong}\nlisted in vain: {stale:?}"
    );
}

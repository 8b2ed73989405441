//! The same verdict as keepalived's, by the real program on files of others.
//!
//! The files are not ours to copy. They are looked for below the directory that
//! `RKEEPALIVED_SPEC_DIR` names, or below any directory beside the checkout: `corpus/` with what
//! keepalived 2.4 said of each file, and `spec/samples/`. Without them these tests are skipped,
//! and say so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::bed::lab;
use crate::world::{OURS, TWO_INTERFACES, WORLD, material, place, run_all, world};

/// The expected statuses: the column called `head_exit`.
fn expected(directory: &Path) -> BTreeMap<String, i32> {
    let text = fs::read_to_string(directory.join("EXPECTED.tsv")).expect("EXPECTED.tsv");
    let mut lines = text
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let column = lines
        .next()
        .and_then(|names| names.iter().position(|name| *name == "head_exit"))
        .expect("a column head_exit");
    let expected: BTreeMap<_, _> = lines
        .map(|fields| {
            let status = fields[column].parse().expect("a status");
            (fields[0].to_owned(), status)
        })
        .collect();
    assert!(expected.len() > 20, "{} files", expected.len());
    expected
}

/// The disagreements that `doc/compatibility.md` lists for `set`: file, or `FILE:LINE`.
fn listed(set: &str) -> BTreeSet<String> {
    let text = include_str!("../doc/compatibility.md");
    let (_, section) = text
        .split_once("\n## Verdicts of `-t`\n")
        .expect("the section on verdicts");
    let section = section.split("\n## ").next().unwrap_or("");
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter_map(|cell| Some(cell.strip_prefix(set)?.strip_prefix('/')?.to_owned()))
        .collect()
}

/// Compares what was found with what is listed: neither may have more.
fn compare(set: &str, total: usize, found: &BTreeMap<String, String>) {
    let listed = listed(set);
    let unlisted: Vec<_> = found
        .iter()
        .filter(|(what, _)| !listed.contains(*what))
        .map(|(what, how)| format!("{what}: {how}"))
        .collect();
    let stale: Vec<_> = listed.iter().filter(|l| !found.contains_key(*l)).collect();
    assert!(
        unlisted.is_empty() && stale.is_empty(),
        "{set}: {} of {total} files differ and are not in doc/compatibility.md:\n{}\n\
         there, but not different: {stale:?}",
        unlisted.len(),
        unlisted.join("\n"),
    );
}

/// Cases where keepalived's verdict is none that anybody wants, by their names in the list.
const OWN: [(&str, &str); 6] = [
    ("quote", "vrrp_script S {\n script \"/usr/bin/true a\n}\n"),
    ("env", "global_defs {\n router_id ${_ENV}\n}\n"),
    ("bfd", "bfd_instance {\n neighbor_ip 192.0.2.9\n}\n"),
    ("neighbor", "bfd_instance B {\n neighbor_ip\n}\n"),
    ("itself", "include ./itself.conf\n"),
    (
        "link",
        "global_defs {\n enable_script_security\n script_user root\n}\n\
         vrrp_script S {\n script /bin/true\n}\n\
         vrrp_instance V {\n interface lo\n virtual_router_id 5\n\
         virtual_ipaddress {\n 192.0.2.5\n }\n track_script {\n S\n }\n}\n",
    ),
];

/// What the list says of a case of [`OWN`]: our status.
fn own_status(name: &str) -> Option<i32> {
    let start = format!("| `own/{name}`");
    let text = include_str!("../doc/compatibility.md");
    let row = text.lines().find(|line| line.starts_with(&start))?;
    row.split(" | ").nth(2)?.trim().parse().ok()
}

#[test]
fn own_cases() {
    let Some(lab) = lab("parity-own") else { return };
    let node = world(&lab, "ip link set lo up");
    let inside = |name: &str| format!("/run/own/{name}.conf");
    for (name, text) in OWN {
        node.write(&format!("{WORLD}{}", inside(name)), text);
    }
    let files: Vec<_> = OWN.iter().map(|(name, _)| inside(name)).collect();
    let said = run_all(&node, OURS, &files);
    for (name, _) in OWN {
        let ours = &said[&inside(name)];
        assert!(ours.status.is_some(), "{name}: {}", ours.text);
        assert_eq!(ours.status, own_status(name), "{name}:\n{}", ours.text);
    }
    let names: BTreeSet<_> = OWN.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        listed("own"),
        names,
        "the list has these cases and no others"
    );
}

#[test]
fn corpus() {
    let Some(directory) = material("corpus") else {
        return;
    };
    let Some(lab) = lab("parity") else { return };
    let mut interfaces = String::from("set -e\n");
    let names = [
        "eth0", "eth1", "ens33", "ens3", "ens160", "ens192", "enp0s3", "enp0s8", "bond0", "br0",
    ];
    for (k, name) in (1..).zip(names) {
        let kind = match name {
            "bond0" | "br0" => "type bridge".to_owned(),
            _ => format!("type veth peer name pr_{name}"),
        };
        interfaces.push_str(&format!(
            "ip link add {name} {kind}; ip link set {name} up\n\
             [ ! -e /sys/class/net/pr_{name} ] || ip link set pr_{name} up\n\
             ip address add 198.18.{k}.2/24 dev {name}\n\
             ip address add fd00:198:18:{k}::2/64 dev {name} nodad\n"
        ));
    }
    let node = world(&lab, &interfaces);
    let expected = expected(&directory);
    let inside = |file: &str| format!("/run/{}/{file}", file.trim_end_matches(".conf"));
    for file in expected.keys() {
        let text = fs::read(directory.join(file)).expect("a file of the list");
        node.write(&format!("{WORLD}{}", inside(file)), text);
    }
    let files: Vec<_> = expected.keys().map(|file| inside(file)).collect();
    let said = run_all(&node, OURS, &files);
    let mut found = BTreeMap::new();
    for (file, status) in &expected {
        let ours = &said[&inside(file)];
        if ours.status != Some(*status) {
            let how = format!("keepalived {status}, here {:?}\n{}", ours.status, ours.text);
            found.insert(file.clone(), how);
        }
        let stem = file.trim_end_matches(".conf");
        let theirs = fs::read(directory.join(format!("diag/{stem}.head.txt"))).unwrap_or_default();
        let theirs = String::from_utf8_lossy(&theirs).into_owned();
        let places = ours.places();
        for message in theirs.lines() {
            let Some((named, line)) = place(message) else {
                continue;
            };
            let named = if named.is_empty() { file } else { &named };
            let named = named.rsplit('/').next().unwrap_or(named);
            let there = places
                .iter()
                .any(|(f, l)| *l == line && f.rsplit('/').next() == Some(named));
            if !there {
                let how = format!("keepalived says: {message}");
                found.insert(format!("{named}:{line}"), how);
            }
        }
    }
    compare("corpus", expected.len(), &found);
}

#[test]
fn samples() {
    let Some(directory) = material("spec/samples") else {
        return;
    };
    let Some(lab) = lab("parity-samples") else {
        return;
    };
    let node = world(&lab, TWO_INTERFACES);
    let expected = expected(&directory);
    for entry in fs::read_dir(&directory).expect("the samples") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = fs::read(&path).expect("a sample");
        node.write(&format!("{WORLD}/run/samples/{name}"), text);
    }
    let inside = |file: &str| format!("/run/samples/{file}");
    let files: Vec<_> = expected.keys().map(|file| inside(file)).collect();
    let said = run_all(&node, OURS, &files);
    let mut found = BTreeMap::new();
    for (file, status) in &expected {
        let ours = &said[&inside(file)];
        if ours.status != Some(*status) {
            let how = format!("keepalived {status}, here {:?}\n{}", ours.status, ours.text);
            found.insert(file.clone(), how);
        }
    }
    compare("samples", expected.len(), &found);
}

//! `doc/pain-points.md`: what people suffer from, held against the specification's list, the tree
//! of the repository and the examples of the codes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on ends"
)]

#[path = "../../config/tests/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::Path;

use rk_config::lint::{self, Addresses, Subject, cluster};
use rk_config::{Code, FileKind, Loaded, Options, load};
use rk_report::explain::{Example, examples};
use support::{Disk, Machine, messages, spec_dir};

/// A row of our table.
struct Row {
    key: String,
    codes: Vec<String>,
    action: String,
}

fn rows() -> Vec<Row> {
    let book = include_str!("../../../doc/pain-points.md");
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_matches('|');
        inner.split('|').map(|c| c.trim().to_owned()).collect()
    };
    let table = book.lines().filter(|l| l.starts_with("| ")).skip(1);
    table
        .map(|line| {
            let [key, trouble, codes, action] = cells(line).try_into().expect(line);
            assert!(!trouble.is_empty(), "{line}");
            Row {
                key,
                codes: codes.split_whitespace().map(str::to_owned).collect(),
                action,
            }
        })
        .collect()
}

/// The keys of the rows of the specification's lists: numbers, the runners-up in their order, and
/// the first words about security.
fn wanted(text: &str) -> Vec<String> {
    const RUNNERS_UP: [&str; 7] = [
        "logging",
        "sync daemon",
        "quorum",
        "bfd",
        "namespaces",
        "active-active",
        "iptables",
    ];
    let mut keys = Vec::new();
    for line in text.lines() {
        if let Some(list) = line.strip_prefix("Runners-up: ") {
            assert_eq!(list.split("); ").count(), RUNNERS_UP.len(), "{list}");
            keys.extend(RUNNERS_UP.map(str::to_owned));
        }
        let Some(first) = line.strip_prefix("| ").and_then(|l| l.split('|').next()) else {
            continue;
        };
        let first = first.trim();
        let word = first.split([' ', ',']).next().unwrap();
        match word {
            "#" | "Item" => {}
            "after" => keys.push(first.split(" [").next().unwrap().to_owned()),
            word => keys.push(word.to_owned()),
        }
    }
    keys
}

#[test]
fn every_pain_point_is_in_the_table_once() {
    let keys: Vec<String> = rows().into_iter().map(|r| r.key).collect();
    let set: BTreeSet<String> = keys.iter().map(|k| k.to_lowercase()).collect();
    assert_eq!(set.len(), keys.len(), "{keys:?}");
    let Some(dir) = spec_dir() else { return };
    let text = std::fs::read_to_string(dir.join("spec/pain-points.md")).unwrap();
    let wanted: BTreeSet<String> = wanted(&text).iter().map(|k| k.to_lowercase()).collect();
    assert!(wanted.len() >= 45, "{wanted:?}");
    let missing: Vec<_> = wanted.symmetric_difference(&set).collect();
    assert!(missing.is_empty(), "in one of the lists only: {missing:?}");
}

#[test]
fn every_row_says_what_is_done() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for row in rows() {
        let Row { key, codes, action } = row;
        assert!(!action.is_empty(), "{key}");
        let paths: Vec<&str> = action.split('`').skip(1).step_by(2).collect();
        for path in paths.iter().filter(|p| p.contains('/')) {
            assert!(root.join(path).exists(), "{key}: there is no {path}");
        }
        if codes.is_empty() {
            let part = action.starts_with("part: ") && paths.iter().any(|p| p.contains('/'));
            let reason = action.strip_prefix("not a matter of configuration: ");
            assert!(
                part || reason.is_some_and(|r| r.len() > 20),
                "{key}: {action}"
            );
        }
    }
}

fn machine(mode: u32) -> Machine {
    let mut machine = Machine::default()
        .with_file("main.conf", mode)
        .with_file("/tmp/check", 0o777)
        .with_file("/usr/local/bin/check", 0o755)
        .with_file("/opt/open/check", 0o755)
        .with_file("/etc/keepalived/ca.pem", 0o644)
        .with_file("/etc/keepalived/client.pem", 0o644)
        .with_file("/etc/keepalived/client.key", 0o600)
        .with_file("/etc/ssl/open.key", 0o644);
    for (path, mode) in [("/opt/open", 0o777), ("/etc/ssl", 0o755)] {
        machine
            .files
            .insert(path.to_owned(), (FileKind::Directory, mode));
    }
    for (name, keeps) in [("eth2", false), ("eth3", true)] {
        machine.interfaces.insert(name.to_owned());
        machine.networkd.insert(name.to_owned(), keeps);
    }
    machine
}

/// The codes that reading and linting a text give.
fn found(text: &str, mode: u32) -> (BTreeSet<String>, Loaded) {
    let machine = machine(mode);
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    let disk = Disk::default()
        .with("main.conf", text)
        .with("conf.d/site.conf", "# a file in a directory\n");
    let loaded = load("main.conf", &options, &disk, &machine);
    let addresses: Addresses = [("eth0", "192.0.2.2/24"), ("eth1", "198.51.100.2/24")]
        .map(|(name, prefix)| (name.to_owned(), vec![prefix.parse().unwrap()]))
        .into();
    let findings = lint::check(&Subject {
        config: &loaded.config,
        files: &loaded.files,
        host: &machine,
        addresses: Some(&addresses),
    });
    let all = loaded.diagnostics.iter().chain(&findings);
    let mut codes: BTreeSet<String> = all.map(|d| d.code.to_string()).collect();
    codes.extend(loaded.unsupported.iter().map(|u| u.code().to_string()));
    (codes, loaded)
}

/// What is wrong with the examples of these codes.
fn check(codes: BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for code in codes {
        if let Some(rule) = cluster::find(&code) {
            // `pairs_of_files_are_compared` of rk-config makes the findings of the examples.
            let own = format!("[{code}]: ");
            if !rule.example.findings.contains(&own) {
                wrong.push(format!("{code} is not in its example"));
            }
            continue;
        }
        let (bad, good) = match lint::find(&code) {
            Some(lint) => (lint.bad.to_owned(), lint.good.to_owned()),
            None => {
                let known = Code::ALL.iter().find(|(c, _)| c.to_string() == code);
                let example = known.and_then(|(code, _)| examples(*code));
                let Some((Example::Text(bad), Example::Text(good))) = example else {
                    wrong.push(format!("{code} does not exist, or has no example of text"));
                    continue;
                };
                (bad, good)
            }
        };
        let (in_bad, loaded) = found(&bad, 0o644);
        if !in_bad.contains(&code) {
            wrong.push(format!(
                "{code} is not found in\n{bad}\n{}",
                messages(&loaded)
            ));
        }
        if found(&good, 0o600).0.contains(&code) {
            wrong.push(format!("{code} is still found in\n{good}"));
        }
    }
    wrong
}

#[test]
fn every_code_of_the_table_finds_its_example_and_not_the_mended_one() {
    let codes: BTreeSet<String> = rows().into_iter().flat_map(|r| r.codes).collect();
    assert!(codes.len() > 60, "{}", codes.len());
    let wrong = check(codes);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What keepalived never tells, and what tells it here.
const NEVER_TOLD: &[(&str, &[&str])] = &[
    ("nopreempt with state MASTER", &["RK0705"]),
    ("equal priorities", &["RK2808"]),
    (
        "weights that can never change who wins",
        &["RK2812", "RK2002", "RK2003"],
    ),
    ("weights that push outside 1..254", &["RK2001"]),
    ("advert_int that version 2 cannot carry", &["RK0707"]),
    ("interface delays beyond the dead interval", &["RK2008"]),
    ("passwords longer than 8", &["RK0408"]),
    ("secrets readable by others", &["RK2601", "RK2603"]),
    ("VRID clash on one interface", &["RK0712"]),
    ("VIP inside no connected network", &["RK2201"]),
    ("VIP that is also static", &["RK2203"]),
    ("a script that is missing or not executable", &["RK0603"]),
    ("a script that others may write", &["RK0602", "RK2401"]),
    ("a timeout beyond interval times fall", &["RK2304"]),
    ("weight 0 against others in a sync group", &["RK2306"]),
    ("a quorum above the sum of weights", &["RK0904"]),
    ("persistence with one-packet scheduling", &["RK2902"]),
    ("a sorry server that is a real one", &["RK2903"]),
    ("DR or TUN with differing ports", &["RK0905"]),
    ("checker timeouts beyond delay_loop", &["RK2951"]),
    ("BFD intervals that nobody keeps", &["RK2310", "RK2309"]),
    ("a unicast peer that is an own address", &["RK2103"]),
    (
        "unused scripts, groups, definitions",
        &["RK2301", "RK2302", "RK2303", "RK2913", "RK2701"],
    ),
    ("a definition used before it is set", &["RK2703"]),
    ("$NAME that stayed", &["RK2702"]),
    ("old spellings", &["RK0411", "RK0301", "RK0407"]),
];

#[test]
fn what_keepalived_never_tells_is_told() {
    for (what, codes) in NEVER_TOLD {
        let wrong = check(codes.iter().map(|code| (*code).to_owned()).collect());
        assert!(wrong.is_empty(), "{what}: {}", wrong.join("\n"));
    }
}

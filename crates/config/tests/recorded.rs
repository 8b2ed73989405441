//! What keepalived said of small texts: the status of a configuration test and the lines that its
//! messages are about.
//!
//! `data/recorded.txt` has templates, each with the texts that were put in the place of `<%>`.
//! It was recorded from keepalived 2.2.7 in a network namespace with the interfaces below; where
//! 2.4 answers otherwise, nothing was recorded. We may say more, but not of another status.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use std::collections::BTreeSet;

use support::{Machine, messages, test};

/// Short names for what many templates begin with.
const BEGINNINGS: [(&str, &str); 4] = [
    (
        "<I>\n",
        "vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\nvirtual_ipaddress {\n192.0.2.5\n}\n",
    ),
    (
        "<VS>\n",
        "virtual_server 192.0.2.21 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n",
    ),
    ("<RS>\n", "real_server 192.0.2.30 80 {\n"),
    (
        "<SEC>\n",
        "global_defs {\nenable_script_security\nscript_user root\n}\n",
    ),
];

struct Row {
    text: String,
    status: u8,
    lines: BTreeSet<u32>,
}

/// The texts with what is expected of each.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let recorded = include_str!("data/recorded.txt");
    for section in recorded.split("==\n").filter(|s| !s.trim().is_empty()) {
        let (template, variants) = section.split_once("--\n").unwrap();
        for line in variants.lines() {
            let (expected, variant) = line.split_once('\t').unwrap();
            let (status, lines) = expected.split_once(' ').unwrap();
            let variant = if variant == "<none>" { "" } else { variant };
            let mut text = template.replace("<%>", &variant.replace("\\n", "\n"));
            for (short, long) in BEGINNINGS {
                text = text.replace(short, long);
            }
            let lines = lines.split(',').filter(|l| *l != "-");
            rows.push(Row {
                text,
                status: status.parse().unwrap(),
                lines: lines.map(|l| l.parse().unwrap()).collect(),
            });
        }
    }
    rows
}

fn machine() -> Machine {
    Machine::with_interfaces(
        "lo eth0 eth1 ens33 ens3 ens160 ens192 enp0s3 enp0s8 bond0 br0 eth0p eth1p",
    )
}

#[test]
fn statuses_and_lines_are_those_that_were_recorded() {
    let rows = rows();
    assert!(rows.len() > 300, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for row in &rows {
        let loaded = test(row.text.clone(), &machine());
        let lines: BTreeSet<u32> = loaded
            .diagnostics
            .iter()
            .filter_map(|d| d.place)
            .map(|place| place.line)
            .collect();
        let missing: Vec<_> = row.lines.difference(&lines).collect();
        if loaded.exit_status() != row.status || !missing.is_empty() {
            wrong.push(format!(
                "---\n{}want {}, got {}; nothing about the lines {missing:?}\n{}",
                row.text,
                row.status,
                loaded.exit_status(),
                messages(&loaded)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
}

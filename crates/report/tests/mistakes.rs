//! What is said about people's mistakes: each of `mistakes/*.txt`, as a terminal without colours
//! shows it. `INSTA_UPDATE=always` writes what is said now.
//!
//! A case begins with `=== what is wrong`; `--- NAME` begins a further file. `SERVER` on the first
//! line puts the rest into a real server.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

#[path = "../../config/tests/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use rk_config::{Loaded, Options, Severity, load};
use rk_report::text::{Colour, text};
use support::{Disk, Machine};

const MAIN: &str = "main.conf";

/// A mistake: its name, and the files that have it.
struct Case {
    name: String,
    files: Vec<(String, String)>,
}

fn cases(book: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in book.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            cases.push(Case {
                name: name.to_owned(),
                files: vec![(MAIN.to_owned(), String::new())],
            });
            continue;
        }
        let case = cases.last_mut().expect("a case begins with ===");
        if let Some(name) = line.strip_prefix("--- ") {
            case.files.push((name.to_owned(), String::new()));
            continue;
        }
        let (_, text) = case.files.last_mut().unwrap();
        // What no text file can show.
        let line = match line {
            "    router_id LONG" => format!("    router_id {}", "x".repeat(1100)),
            line => line.replace("BOM", "\u{feff}"),
        };
        text.push_str(&line);
        text.push('\n');
    }
    for case in &mut cases {
        let (_, text) = &mut case.files[0];
        if let Some(inner) = text.strip_prefix("SERVER\n") {
            let inner: String = inner.lines().map(|l| format!("        {l}\n")).collect();
            *text = format!(
                "virtual_server 192.0.2.10 80 {{\n    protocol TCP\n    lb_algo rr\n    lb_kind NAT\n    \
                 real_server 198.51.100.1 80 {{\n{inner}    }}\n}}\n"
            );
        }
        if text.starts_with('\u{feff}') {
            *text = text.replace('\n', "\r\n");
        }
    }
    cases
}

fn read(case: &Case) -> Loaded {
    let mut disk = Disk::default();
    for (name, text) in &case.files {
        disk = disk.with(name, text.as_str());
    }
    let options = Options {
        config_id: Some("two".into()),
        test_mode: true,
        ..Options::default()
    };
    load(MAIN, &options, &disk, &Machine::default())
}

/// The words of a case: what is wrong, and what is said, for the snapshot.
fn shown(case: &Case, loaded: &Loaded) -> String {
    let mut out = format!("=== {} (status {})\n", case.name, loaded.exit_status());
    for d in &loaded.diagnostics {
        if d.severity > Severity::Note {
            write!(out, "{}", text(&loaded.files, d, Colour::No)).unwrap();
        }
    }
    // A line of a thousand letters is no use in a snapshot.
    out.replace(&"x".repeat(60), "")
        .replace('\u{feff}', "<BOM>")
}

#[test]
fn what_is_said_about_mistakes() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut books: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
        .collect();
    books.sort();
    let mut names = BTreeSet::new();
    let mut helpless = Vec::new();
    for book in books {
        let stem = book.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut said = String::new();
        for case in cases(&std::fs::read_to_string(&book).unwrap()) {
            let loaded = read(&case);
            let told: Vec<_> = loaded
                .diagnostics
                .iter()
                .filter(|d| d.severity > Severity::Note)
                .collect();
            if told.is_empty() {
                helpless.push(format!("{stem}: nothing is said about {}", case.name));
            }
            helpless.extend(
                told.iter()
                    .filter(|d| d.help.is_none())
                    .map(|d| format!("{stem}: {}: {} {}", case.name, d.code, d.message)),
            );
            writeln!(said, "{}", shown(&case, &loaded)).unwrap();
            assert!(
                names.insert(case.name.clone()),
                "{} is there twice",
                case.name
            );
        }
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "mistakes" }, {
            insta::assert_snapshot!(stem, said);
        });
    }
    assert!(names.len() >= 150, "only {} mistakes", names.len());
    assert!(helpless.is_empty(), "no help for:\n{}", helpless.join("\n"));
}

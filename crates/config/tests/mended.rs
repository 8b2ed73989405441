//! Files with one mistake each, and the same files mended by doing what the message says:
//! `tests/data/mended/NN-NAME.{broken,mended}.conf`. The first line names the code.
//!
//! A snapshot holds code, line, exit status and hint of each.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use rk_config::lint::{self, Subject};
use rk_config::{Diagnostic, Loaded, Options, Severity, load};
use support::{Disk, Machine, messages};

const MAIN: &str = "/etc/keepalived/keepalived.conf";

fn read(text: &str) -> Loaded {
    let disk = Disk::default()
        .with(MAIN, text)
        .with("/etc/keepalived/more.inc", "# nothing yet\n");
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    load(MAIN, &options, &disk, &Machine::default())
}

/// Everything that a person is told with `-t`.
fn told(loaded: &Loaded) -> Vec<&Diagnostic> {
    let all = loaded.diagnostics.iter();
    all.filter(|d| d.severity > Severity::Note).collect()
}

/// The text with the first replacement that is offered put in.
fn replaced(text: &str, told: &[&Diagnostic]) -> Option<String> {
    let fix = told.iter().find_map(|d| d.replacement.as_ref())?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let line = &mut lines[fix.place.line as usize - 1];
    let from = fix.place.column as usize;
    line.replace_range(from..from + fix.place.len as usize, &fix.text);
    Some(lines.join("\n") + "\n")
}

/// The pairs by name: broken, mended.
fn pairs() -> BTreeMap<String, [String; 2]> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mended");
    let mut pairs = BTreeMap::new();
    for entry in std::fs::read_dir(&directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(stem) = name.strip_suffix(".broken.conf") else {
            continue;
        };
        let text = |kind: &str| {
            std::fs::read_to_string(directory.join(format!("{stem}.{kind}.conf"))).unwrap()
        };
        pairs.insert(stem.to_owned(), [text("broken"), text("mended")]);
    }
    pairs
}

#[test]
fn a_broken_file_is_mended_by_its_message() {
    let mut said = String::new();
    let mut by_replacement = 0;
    let pairs = pairs();
    assert!(pairs.len() >= 80);
    for (name, [broken, mended]) in &pairs {
        let code = broken.lines().next().unwrap().trim_start_matches("# ");
        let loaded = read(broken);
        let messages_of_broken = messages(&loaded);
        let told = told(&loaded);
        let first = told
            .iter()
            .find(|d| d.code.to_string() == code)
            .unwrap_or_else(|| panic!("{name}: no {code} among\n{messages_of_broken}"));
        let help = first.help.as_deref().unwrap_or_default();
        assert!(
            !help.is_empty(),
            "{name}: {} says not what to do",
            first.message
        );
        assert!(
            told[0].follows.is_none() && told[0].code == first.code,
            "{name}: something else comes first:\n{messages_of_broken}"
        );
        let follow = told.iter().filter(|d| d.follows.is_some()).count();
        let further = told.len() - follow - 1;
        assert!(
            further <= 1,
            "{name}: too much beside it:\n{messages_of_broken}"
        );
        let line = first.place.map_or(0, |p| p.line);
        let status = loaded.exit_status();
        said.push_str(&format!(
            "{name}: {code} line {line} status {status} (+{further}, {follow} follow): {help}\n"
        ));
        if let Some(text) = replaced(broken, &told) {
            assert_eq!(&text, mended, "{name}: the replacement does not mend it");
            by_replacement += 1;
        }
        let loaded = read(mended);
        let left = messages(&loaded);
        assert_eq!(loaded.exit_status(), 0, "{name} mended:\n{left}");
        assert!(
            loaded
                .diagnostics
                .iter()
                .all(|d| d.severity == Severity::Note),
            "{name} mended:\n{left}"
        );
        let machine = Machine::default().with_file(MAIN, 0o600);
        let found = lint::check(&Subject {
            config: &loaded.config,
            files: &loaded.files,
            host: &machine,
            addresses: None,
        });
        let found: Vec<_> = found
            .iter()
            .map(|d| format!("{} {}", d.code, d.message))
            .collect();
        assert_eq!(found, Vec::<String>::new(), "{name} mended");
    }
    assert!(by_replacement >= 10, "only {by_replacement} by replacement");
    insta::assert_snapshot!(said);
}

//! The tests of the core and the table of requirements agree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../doc/rfc/requirements.tsv"
));

/// One row: level, disposition, where it is proven.
struct Row<'t> {
    level: &'t str,
    disposition: &'t str,
    place: &'t str,
}

fn table() -> BTreeMap<&'static str, Row<'static>> {
    let lines = TABLE
        .lines()
        .filter(|l| !l.starts_with('#') && !l.starts_with("id\t"));
    let mut rows = BTreeMap::new();
    for line in lines {
        let cells: Vec<_> = line.split('\t').collect();
        let [id, level, text, disposition, place] = cells[..] else {
            panic!("not five cells: {line:?}");
        };
        assert!(!text.is_empty(), "{id} says nothing");
        assert!(["M", "S", "O", "D"].contains(&level), "{id}: level {level}");
        assert!(
            ["core", "config", "network"].contains(&place),
            "{id}: {place}"
        );
        let kinds = ["deviation: ", "later: ", "n/a: "];
        let known = disposition.is_empty() || kinds.iter().any(|k| disposition.starts_with(k));
        assert!(known, "{id}: {disposition}");
        let before = rows.insert(
            id,
            Row {
                level,
                disposition,
                place,
            },
        );
        assert!(before.is_none(), "{id} stands there twice");
    }
    rows
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("the directory is in the checkout") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Every ID that a test of this crate or of the simulator cites.
fn cited() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for directory in [root.join("src"), root.join("../sim/tests")] {
        sources(&directory, &mut files);
    }
    let mut ids = BTreeSet::new();
    for file in files {
        for line in fs::read_to_string(file).expect("sources are text").lines() {
            let Some(tag) = line.trim_start().strip_prefix("//= ") else {
                continue;
            };
            // A tag with the name of an RFC says which line obeys, not which test proves.
            if !tag.starts_with("RFC ") {
                ids.extend(tag.split_whitespace().map(str::to_owned));
            }
        }
    }
    ids
}

#[test]
fn every_cited_requirement_exists() {
    let table = table();
    let unknown: Vec<_> = cited()
        .into_iter()
        .filter(|id| !table.contains_key(&**id))
        .collect();
    assert!(unknown.is_empty(), "no such requirement: {unknown:?}");
}

#[test]
fn every_requirement_that_the_core_can_prove_is_cited() {
    let cited = cited();
    let missing: Vec<_> = table()
        .into_iter()
        .filter(|(_, row)| row.place == "core" && row.level == "M" && row.disposition.is_empty())
        .map(|(id, _)| id)
        .filter(|id| !cited.contains(*id))
        .collect();
    assert!(missing.is_empty(), "no test cites {missing:?}");
}

//! The ledger of RFC requirements: which test proves which, and what is left out, and why.
//!
//! `doc/rfc/requirements.tsv` has one line a requirement: ID, level (M must, S should, O may,
//! D definition), paraphrase, disposition. A test names what it proves in a comment above it:
//!
//! ```text
//! //= V3-5.1.1.3-2 V2-5.2.3-1 refused
//! #[test]
//! fn another_ttl_is_refused() {
//! ```
//!
//! Whatever follows the IDs is a remark. An empty disposition promises a test; `deviation: WHY`
//! and `later: WHY` are honest about the rest.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::{Verdict, tool};

/// One row of the table.
struct Requirement {
    id: String,
    level: String,
    text: String,
    disposition: String,
}

/// A test that names an ID.
struct Proof {
    id: String,
    place: String,
}

/// The ledger, and what is wrong with it.
pub(crate) struct Ledger {
    lines: Vec<String>,
    wrong: Vec<String>,
    met: usize,
}

impl Ledger {
    /// Reads the table and every source file.
    pub(crate) fn read() -> Result<Self> {
        let root = tool::root();
        let table = root.join("doc/rfc/requirements.tsv");
        let table = fs::read_to_string(&table).with_context(|| table.display().to_string())?;
        let requirements = parse_table(&table)?;
        let mut proofs = Vec::new();
        for directory in ["crates", "tests", "src", "fuzz/fuzz_targets"] {
            for file in sources(&root.join(directory))? {
                let text = fs::read_to_string(&file)?;
                let name = file
                    .strip_prefix(&root)
                    .unwrap_or(&file)
                    .display()
                    .to_string();
                proofs.extend(parse_source(&name, &text));
            }
        }
        Ok(Self::join(&requirements, &proofs))
    }

    fn join(requirements: &[Requirement], proofs: &[Proof]) -> Self {
        let mut by_id: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for proof in proofs {
            by_id.entry(&proof.id).or_default().push(&proof.place);
        }
        let mut ledger = Self {
            lines: Vec::new(),
            wrong: Vec::new(),
            met: 0,
        };
        for one in requirements {
            let tests = by_id.remove(one.id.as_str()).unwrap_or_default();
            let verdict = match (one.disposition.as_str(), tests.is_empty()) {
                ("", false) => {
                    ledger.met += 1;
                    "met"
                }
                ("", true) if one.level == "M" => {
                    ledger.wrong.push(format!(
                        "{}: neither test nor disposition: {}",
                        one.id, one.text
                    ));
                    "MISSING"
                }
                ("", true) => "not tested",
                (disposition, _) => disposition,
            };
            ledger
                .lines
                .push(format!("{:<16} {} {verdict}", one.id, one.level));
            ledger
                .lines
                .push(format!("                   {}", one.text));
            for test in tests {
                ledger.lines.push(format!("                   by {test}"));
            }
        }
        for (id, places) in by_id {
            ledger
                .wrong
                .push(format!("{}: no such requirement: {id}", places.join(", ")));
        }
        ledger
    }

    /// What is wrong, one line each.
    pub(crate) fn wrong(&self) -> &[String] {
        &self.wrong
    }
}

/// Prints the ledger.
pub(crate) fn run() -> Result<Verdict> {
    let ledger = Ledger::read()?;
    for line in &ledger.lines {
        println!("{line}");
    }
    println!("{} met", ledger.met);
    for line in &ledger.wrong {
        println!("WRONG {line}");
    }
    Ok(Verdict::from(ledger.wrong.is_empty()))
}

fn parse_table(text: &str) -> Result<Vec<Requirement>> {
    let mut all: Vec<Requirement> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') || line.starts_with("id\t") {
            continue;
        }
        let mut cells = line.split('\t').map(|cell| cell.trim().to_owned());
        let (Some(id), Some(level), Some(text)) = (cells.next(), cells.next(), cells.next()) else {
            bail!(
                "requirements.tsv line {}: not `id level paraphrase disposition`",
                number + 1
            );
        };
        if all.iter().any(|other| other.id == id) {
            bail!("requirements.tsv line {}: {id} a second time", number + 1);
        }
        all.push(Requirement {
            id,
            level,
            text,
            disposition: cells.next().unwrap_or_default(),
        });
    }
    Ok(all)
}

/// The IDs named above each function of a file.
fn parse_source(file: &str, text: &str) -> Vec<Proof> {
    let mut proofs = Vec::new();
    let mut waiting: Vec<String> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if let Some(tag) = line.strip_prefix("//= ") {
            waiting.extend(
                tag.split([' ', ','])
                    .take_while(|word| is_id(word))
                    .map(str::to_owned),
            );
        } else if let Some(name) = function(line) {
            for id in waiting.drain(..) {
                proofs.push(Proof {
                    id,
                    place: format!("{file}:{} {name}", number + 1),
                });
            }
        } else if !line.starts_with("//") && !line.starts_with("#[") && !line.is_empty() {
            // A tag inside a function says which line obeys; only tests prove.
            waiting.clear();
        }
    }
    proofs
}

/// `V3-5.2.4-1`, `V2A-...`, `X-CSUM-1`.
fn is_id(word: &str) -> bool {
    let family = word.split('-').next().unwrap_or("");
    ["V3", "V2", "V2A", "B", "B1", "BM", "X"].contains(&family) && word.contains('-')
}

/// The name of the function whose head this line is.
fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// Every Rust file below `directory`.
pub(crate) fn sources(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let Ok(list) = fs::read_dir(&directory) else {
            continue;
        };
        for entry in list {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_belongs_to_the_next_function() {
        let text = "//= V3-5.2.1-1 V3-5.2.2-1 refused\n#[test]\nfn one() {\n\
                    //= V3-9-9 this obeys\nlet x = 1;\n}\n//= X-CSUM-1\nfn two() {}\n";
        let found: Vec<_> = parse_source("a.rs", text)
            .into_iter()
            .map(|p| (p.id, p.place))
            .collect();
        let expect = |id: &str, place: &str| (id.to_owned(), place.to_owned());
        assert_eq!(
            found,
            [
                expect("V3-5.2.1-1", "a.rs:3 one"),
                expect("V3-5.2.2-1", "a.rs:3 one"),
                expect("X-CSUM-1", "a.rs:8 two")
            ]
        );
    }

    #[test]
    fn a_must_without_a_test_and_an_unknown_id_are_wrong() {
        let table = "id\tlevel\ttext\tdisposition\nV3-1-1\tM\tone\t\nV3-1-2\tM\ttwo\tlater: BFD\n\
                     V3-1-3\tS\tthree\t\nV3-1-4\tM\tfour\t\n";
        let proofs = parse_source("a.rs", "//= V3-1-4 V3-7-7\nfn t() {}\n");
        let ledger = Ledger::join(&parse_table(table).unwrap(), &proofs);
        assert_eq!(ledger.met, 1);
        assert_eq!(ledger.wrong.len(), 2, "{:?}", ledger.wrong);
        assert!(ledger.wrong[0].starts_with("V3-1-1"));
        assert!(ledger.wrong[1].contains("V3-7-7"));
    }
}

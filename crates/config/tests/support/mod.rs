//! What the tests of this crate share.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::print_stderr,
    reason = "each test binary uses its own part"
)]

pub mod lvs;
mod machine;

use std::collections::BTreeSet;
use std::path::PathBuf;

use rk_config::Loaded;

pub use machine::{Disk, Machine, test};

/// The directory with the specification's samples, if this machine has one.
pub fn spec_dir() -> Option<PathBuf> {
    let dir = match std::env::var_os("RKEEPALIVED_SPEC_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    if dir.join("spec").is_dir() {
        return Some(dir);
    }
    eprintln!("skipped: no specification at {}", dir.display());
    None
}

/// The disagreements with keepalived that `doc/compatibility.md` lists for `set`: `FILE`, or
/// `FILE:LINE`.
pub fn listed(set: &str) -> BTreeSet<String> {
    let text = include_str!("../../../../doc/compatibility.md");
    let (_, section) = text.split_once("\n## Verdicts of `-t`\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let cells = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    cells
        .filter_map(|cell| Some(cell.strip_prefix(set)?.strip_prefix('/')?.to_owned()))
        .collect()
}

/// The messages of a load, one a line.
pub fn messages(loaded: &Loaded) -> String {
    let lines: Vec<String> = loaded
        .diagnostics
        .iter()
        .map(|d| {
            let line = d.place.map_or(0, |p| p.line);
            format!("  {} {}:{line}: {}", d.code, d.severity, d.message)
        })
        .collect();
    lines.join("\n")
}

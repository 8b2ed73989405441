//! The table of keywords against the specification's list of what keepalived knows.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use rk_config::table;

use crate::{Verdict, tool};

/// Compares the two and prints every difference.
pub(crate) fn run() -> Result<Verdict> {
    let dir = std::env::var_os("RKEEPALIVED_SPEC_DIR")
        .map_or_else(|| tool::root().join("../shared"), PathBuf::from);
    let path = dir.join("spec/keywords.tsv");
    let list = fs::read_to_string(&path).with_context(|| {
        format!(
            "{}: RKEEPALIVED_SPEC_DIR names the directory that has spec/keywords.tsv",
            path.display()
        )
    })?;
    let found = table::compare(&list);
    for difference in &found.differences {
        println!("{difference}");
    }
    let missing = found
        .differences
        .iter()
        .filter(|d| d.what == table::What::Missing)
        .count();
    println!(
        "{} keywords in the list, {} rows in the table, {missing} missing, {} different",
        found.listed,
        found.rows,
        found.differences.len() - missing
    );
    Ok(found.differences.is_empty().into())
}

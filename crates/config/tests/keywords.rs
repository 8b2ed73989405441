//! The table against the list of keepalived's keywords, where that list is at hand.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on ends"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rk_config::table::Context;

#[test]
fn every_keyword_of_keepalived_is_a_row() {
    let Some(dir) = support::spec_dir() else {
        return;
    };
    let text = fs::read_to_string(dir.join("spec/keywords.tsv")).unwrap();
    let contexts: BTreeMap<&str, Context> = Context::ALL.iter().map(|c| (c.name(), *c)).collect();
    let mut wanted = BTreeSet::new();
    for line in text.lines().skip(1) {
        let mut fields = line.split('\t');
        let (context, keyword) = (fields.next().unwrap(), fields.next().unwrap());
        wanted.insert((context, keyword));
        let found = contexts.get(context).and_then(|c| c.find(keyword));
        assert!(found.is_some(), "{context} {keyword} is no row");
    }
    let rows: BTreeSet<(&str, &str)> = Context::ALL
        .iter()
        .flat_map(|c| c.keywords().map(|k| (c.name(), k.name)))
        .collect();
    let more: Vec<_> = rows.difference(&wanted).collect();
    assert!(
        more.is_empty(),
        "rows that keepalived does not know: {more:?}"
    );
}

#[test]
fn there_are_as_many_rows_as_keepalived_has_words() {
    let rows: usize = Context::ALL.iter().map(|c| c.keywords().count()).sum();
    assert_eq!(rows, 838);
}

//! The table against the list of keepalived's keywords, where that list is at hand.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on ends"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rk_config::manual;
use rk_config::table::{Context, compare};

/// The list; its last two columns are what a keyword means and what bad values do.
fn list() -> Option<String> {
    let dir = support::spec_dir()?;
    Some(fs::read_to_string(dir.join("spec/keywords.tsv")).unwrap())
}

#[test]
fn every_keyword_of_keepalived_is_a_row_and_every_column_agrees() {
    let Some(list) = list() else { return };
    let found = compare(&list);
    let shown: Vec<String> = found.differences.iter().map(ToString::to_string).collect();
    assert!(
        shown.is_empty(),
        "{} differences:\n{}",
        shown.len(),
        shown.join("\n")
    );
    assert_eq!((found.listed, found.rows), (838, 838));
}

#[test]
fn words_of_our_own_are_these() {
    let ours = [
        ("global_defs", "checker_share_probes"),
        ("virtual_server.real_server.SSL_GET", "ssl_verify"),
    ];
    assert_eq!(compare("").extensions, ours);
}

#[test]
fn a_wrong_list_is_noticed() {
    let head = "context\tkeyword\taliases\targs\tdefault\tin_2_2_7\tprocess\n";
    let found = |row: &str| {
        let differences = compare(&format!("{head}{row}\n")).differences;
        let listed = |d: &&rk_config::table::Difference| d.what != rk_config::table::What::Unlisted;
        let shown: Vec<String> = differences
            .iter()
            .filter(listed)
            .map(ToString::to_string)
            .collect();
        shown.join("; ")
    };
    for (row, want) in [
        ("vrrp_instance\tnopreempt\t\t(none)\toff\tyes\tvrrp", ""),
        (
            "vrrp_instance\tno_such\t\t(none)\toff\tyes\tvrrp",
            "vrrp_instance no_such: missing",
        ),
        (
            "no_such\tpriority\t\t(none)\toff\tyes\tvrrp",
            "no_such priority: missing",
        ),
        (
            "vrrp_instance\tunicast_ttl\t\tINT(1..255)\t255 (IPv4), kernel (IPv6)\tyes\tvrrp",
            "vrrp_instance unicast_ttl: args is `INT(0..255)`, the list says `INT(1..255)`",
        ),
        (
            "vrrp_instance\tnopreempt\tpreempt\t(none)\ton\tno\tchecker",
            "vrrp_instance nopreempt: default is `off`, the list says `on`; \
             vrrp_instance nopreempt: in_2_2_7 is `yes`, the list says `no`; \
             vrrp_instance nopreempt: process is `vrrp`, the list says `checker`; \
             vrrp_instance nopreempt: aliases is ``, the list says `preempt`",
        ),
    ] {
        assert_eq!(found(row), want);
    }
}

/// The help is in words of our own, and says in which unit a number is.
#[test]
fn no_help_repeats_the_list_and_numbers_have_units() {
    let Some(list) = list() else { return };
    let contexts: BTreeMap<&str, Context> = Context::ALL.iter().map(|c| (c.name(), *c)).collect();
    let mut wrong = Vec::new();
    let plain = |text: &str| text.trim_end_matches('.').to_lowercase();
    let meanings: Vec<String> = list
        .lines()
        .filter_map(|l| l.split('\t').nth(7).map(plain))
        .collect();
    for line in list.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let keyword = contexts[fields[0]].find(fields[1]).unwrap();
        let help = plain(keyword.help);
        if meanings.contains(&help) {
            wrong.push(format!(
                "{} {}: the words of the list",
                fields[0], fields[1]
            ));
        }
        let told = |unit: &str| help.contains(&unit.to_lowercase());
        let seconds = fields[3].contains(" seconds") || fields[3].starts_with("SECS");
        let referred = help.contains('`');
        let unit_missing = (seconds && !told("seconds") && !referred)
            || (fields[3].starts_with("MSECS") && !told("milliseconds"))
            || (fields[3].ends_with(" microseconds") && !told("microseconds") && !referred)
            || (fields[3].ends_with(" bytes") && !told("bytes"));
        if unit_missing {
            wrong.push(format!("{} {}: which unit?", fields[0], fields[1]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Compares a file below `doc` with what the table makes; `BLESS=1` writes it.
fn current(name: &str, want: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../doc")
        .join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, want).unwrap();
    }
    let have = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        have == want,
        "doc/{name} is out of date; run this test with BLESS=1"
    );
}

#[test]
fn the_reference_is_current() {
    current("keywords.md", &manual::markdown());
}

#[test]
fn the_manual_page_is_current() {
    current("man/rkeepalived.conf.5", &manual::roff());
}

/// Runs a program over the manual page; gives what it has to say, or nothing if it is not there.
fn told(program: &str, arguments: &[&str]) -> Option<String> {
    let page = tempfile::NamedTempFile::new().unwrap();
    fs::write(page.path(), manual::roff()).unwrap();
    let ran = Command::new(program)
        .args(arguments)
        .arg(page.path())
        .stdin(Stdio::null())
        .output();
    match ran {
        Ok(out) => {
            let mut text = String::from_utf8_lossy(&out.stdout).into_owned();
            text.push_str(&String::from_utf8_lossy(&out.stderr));
            Some(text)
        }
        Err(_) => {
            eprintln!("skipped: {program} is not installed");
            None
        }
    }
}

#[test]
fn groff_finds_nothing_wrong_with_the_page() {
    let Some(text) = told("groff", &["-man", "-Tutf8", "-ww", "-z"]) else {
        return;
    };
    assert_eq!(text, "");
}

#[test]
fn mandoc_finds_nothing_wrong_with_the_page() {
    let Some(text) = told("mandoc", &["-Tlint", "-Wwarning"]) else {
        return;
    };
    assert_eq!(text, "");
}

//! Large and hostile input: it ends, says what is wrong, and the work grows with the text.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use rk_config::{Options, ReadError, Source, load};
use support::{Disk, Machine, messages, test};

/// 65,024 instances made by two nested sequences.
fn sequence_text(outer: u32, inner: u32) -> String {
    format!(
        "$ONE=\\\nvrrp_instance V_${{I}}_${{V}} {{ \\\ninterface eth${{I}} \\\n\
         virtual_router_id ${{V}} \\\npriority 100 \\\nnopreempt \\\nvirtual_ipaddress {{ \\\n\
         10.1.${{I}}.${{V}}/16 dev eth${{I}} \\\n}} \\\n}}\n\
         ~SEQ(I, 0, {}) ~SEQ(V, 1, {inner}) $ONE\n",
        outer - 1
    )
}

#[test]
fn as_many_instances_as_there_can_be() {
    let names: Vec<String> = (0..256).map(|n| format!("eth{n}")).collect();
    let machine = Machine::with_interfaces(&names.join(" "));
    let loaded = test(sequence_text(255, 255), &machine);
    assert_eq!(loaded.exit_status(), 0, "{}", messages(&loaded));
    assert_eq!(loaded.config.instances.len(), 255 * 255);
    let last = loaded.config.instances.last().unwrap();
    assert_eq!(last.name, "V_254_255");
    assert_eq!(
        last.virtual_ipaddress[0].prefix.to_string(),
        "10.1.254.255/16"
    );
    assert_eq!(last.origin.line, 11);
}

#[test]
fn ten_megabytes_of_instances() {
    let mut text = String::new();
    for n in 0..60_000_u32 {
        let (a, b) = (n / 250, n % 250 + 1);
        text.push_str(&format!(
            "vrrp_instance VI_{n} {{\n    state BACKUP\n    interface eth{a}\n    \
             virtual_router_id {b}\n    priority 100\n    advert_int 1\n    nopreempt\n    \
             virtual_ipaddress {{\n        10.0.{a}.{b}/24 dev eth{a}\n    }}\n}}\n"
        ));
    }
    assert!(text.len() > 10_000_000, "{}", text.len());
    let names: Vec<String> = (0..256).map(|n| format!("eth{n}")).collect();
    let loaded = test(text, &Machine::with_interfaces(&names.join(" ")));
    assert_eq!(loaded.exit_status(), 0, "{}", messages(&loaded));
    assert_eq!(loaded.config.instances.len(), 60_000);
}

#[test]
fn a_file_that_is_too_long_is_refused_by_name() {
    let disk = Disk::default().with("main.conf", vec![b'x'; (64 << 20) + 1]);
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    let loaded = load("main.conf", &options, &disk, &Machine::default());
    assert_eq!(loaded.outcome, rk_config::Outcome::NoMainFile);
    assert!(
        loaded.diagnostics[0]
            .message
            .contains("more than the 67108864 allowed")
    );
}

#[test]
fn a_file_of_another_kind_is_not_quoted_without_end() {
    let bytes: Vec<u8> = (0..2_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let loaded = test(bytes, &Machine::default());
    assert_eq!(loaded.exit_status(), 5);
    assert!(loaded.diagnostics.len() <= 10_001);
}

#[test]
fn blocks_that_never_end_and_quotes_that_never_close() {
    // Most lines by lines of a definition: a round of a sequence takes far longer.
    let block = format!("$A=\\\n{}@n x\n", "@n x \\\n".repeat(2_000));
    for (text, says) in [
        ("vrrp_instance V {\n".to_owned(), "missing '}'s"),
        ("global_defs {\n".repeat(5_000), "missing '}'s"),
        ("\"".repeat(999), "Unterminated quote"),
        ("}\n".repeat(5_000), "Extra '}' found"),
        ("{\n".repeat(5_000), "Unexpected '{'"),
        ("$A=$B\n$B=$A\n$A\n".to_owned(), "expands without end"),
        (
            "$A=$B$B\n$B=$C$C\n$C=$D$D\n$D=$E$E\n$E=xx\n$A\n".to_owned(),
            "Unknown keyword",
        ),
        (
            block + "~SEQ(a,1,1000000) ~SEQ(b,1,5) $A\n",
            "definitions and sequences expand to more than 4194304 lines",
        ),
        (
            format!("~SEQ(a,1,1000000) @n {}\n", "x".repeat(900)),
            "definitions and sequences expand to more than 33554432 bytes",
        ),
    ] {
        let loaded = test(text.clone(), &Machine::default());
        assert_eq!(loaded.exit_status(), 5);
        let said = loaded.diagnostics.iter().any(|d| d.message.contains(says));
        assert!(
            said,
            "{says}: {}",
            messages(&loaded).chars().take(500).collect::<String>()
        );
    }
}

#[test]
fn a_directory_of_many_files_is_read_in_its_order() {
    let mut disk = Disk::default().with("main.conf", "include d/*.conf\nbogus_last\n");
    for n in 0..200 {
        disk = disk.with(&format!("d/{n:03}.conf"), format!("bogus{n}\n"));
    }
    let loaded = load("main.conf", &Options::default(), &disk, &Machine::default());
    let words = |d: &rk_config::Diagnostic| d.message.split('\'').nth(1).map(str::to_owned);
    let said: Vec<_> = loaded.diagnostics.iter().filter_map(words).collect();
    let mut want: Vec<_> = (0..200).map(|n| format!("bogus{n}")).collect();
    want.push("bogus_last".to_owned());
    assert_eq!(said, want);
}

/// Finds as many files as anybody asks for.
struct Endless;

impl Source for Endless {
    fn read(&self, path: &str, _limit: usize) -> Result<Vec<u8>, ReadError> {
        Ok(match path {
            "main.conf" => b"global_defs {\n}\n  include conf.d/*.conf\n".to_vec(),
            _ => b"bogus\n".to_vec(),
        })
    }
    fn glob(&self, pattern: &str, limit: usize) -> Vec<String> {
        match pattern {
            "main.conf" => vec![pattern.to_owned()],
            _ => (0..limit.min(100_000))
                .map(|n| format!("conf.d/{n}.conf"))
                .collect(),
        }
    }
    fn is_dir(&self, _path: &str) -> bool {
        true
    }
}

#[test]
fn a_pattern_that_matches_too_many_files_is_refused_where_it_stands() {
    let loaded = load(
        "main.conf",
        &Options::default(),
        &Endless,
        &Machine::default(),
    );
    assert_eq!(loaded.diagnostics.len(), 1, "{}", messages(&loaded));
    let d = &loaded.diagnostics[0];
    assert_eq!(d.message, "the configuration has more than 65536 files");
    let place = d.place.unwrap();
    assert_eq!((place.line, place.column), (3, 10));
    assert_eq!(loaded.exit_status(), 5);
}

#[test]
fn includes_that_nest_too_deep_are_named() {
    let mut disk = Disk::default();
    for n in 0..100 {
        disk = disk.with(&format!("f{n}"), format!("include f{}\n", n + 1));
    }
    disk = disk.with("f100", "bogus\n");
    let loaded = load("f0", &Options::default(), &disk, &Machine::default());
    assert!(messages(&loaded).contains("nest deeper than 64"));
}

#[test]
fn what_follows_is_found_among_many_mistakes() {
    let mut text = String::new();
    for n in 0..2_500_u32 {
        text.push_str(&format!(
            "vrrp_instance V{n} {{\n    interface eth0\n    virtual_router_id 0\n    \
             virtual_ipaddress {{\n        192.0.2.1/24\n    }}\n    track_script {{\n        \
             s{n}\n    }}\n}}\n"
        ));
    }
    let loaded = test(text, &Machine::default());
    let follow = |part: &str| {
        let all = loaded.diagnostics.iter();
        let said = all.filter(|d| d.message.contains(part));
        let (with, without): (Vec<_>, Vec<_>) = said.partition(|d| d.follows.is_some());
        (with.len(), without.len())
    };
    assert_eq!(follow("the virtual router id must be set"), (2_500, 0));
    assert_eq!(follow("outside range"), (0, 2_500));
}

#[test]
fn one_missing_brace_among_many_blocks_is_the_cause() {
    let mut text = String::from("vrrp_script first {\n    script /bin/true\n");
    for n in 0..20_000_u32 {
        text.push_str(&format!("vrrp_script s{n} {{\n    script /bin/true\n}}\n"));
    }
    let loaded = test(text, &Machine::default());
    let mut roots = loaded.diagnostics.iter().filter(|d| d.follows.is_none());
    let first = roots.next().unwrap();
    assert_eq!(first.place.unwrap().line, 3, "{}", first.message);
    let help = first.help.as_deref().unwrap();
    assert!(
        help.contains("`vrrp_script` in line 1 is missing"),
        "{help}"
    );
    assert!(loaded.diagnostics.iter().any(|d| d.follows.is_some()));
}

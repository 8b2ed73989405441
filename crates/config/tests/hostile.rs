//! Input that nobody means: each is refused with a place, and a limit by its name.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use rk_config::{Loaded, Options, load};
use support::{Disk, Machine, messages, test};

/// That a message with these words stands at this line and column (from 1) of the main file.
#[track_caller]
fn told(loaded: &Loaded, words: &str, line: u32, column: u32) {
    let mut all = loaded.diagnostics.iter();
    let found = all.find(|d| d.message.contains(words));
    let said: String = messages(loaded).chars().take(800).collect();
    let d = found.unwrap_or_else(|| panic!("{words}: {said}"));
    let place = d.place.unwrap_or_else(|| panic!("{words} has no place"));
    assert_eq!(
        (place.line, place.column + 1),
        (line, column),
        "{words}: {said}"
    );
    assert!(d.help.is_some(), "{words}: no help");
}

#[test]
fn each_is_a_message_with_a_place() {
    let rows: &[(&str, Vec<u8>, &str, u32, u32)] = &[
        (
            "a definition without end",
            b"$A=x $B\n$B=$A\n  $A\n".to_vec(),
            "the definition $",
            3,
            3,
        ),
        (
            "a sequence of 10^12 rounds",
            b"use_pid_dir\n~SEQ(n, 1, 1000000000000) bogus$n\n".to_vec(),
            "a sequence may have 1048576 rounds at most",
            2,
            1,
        ),
        (
            "a sequence that never gets there",
            b"~SEQ(n, 1, 0, 5) bogus$n\n".to_vec(),
            "Invalid ~SEQ values",
            1,
            1,
        ),
        (
            "a file that includes itself",
            b"use_pid_dir\ninclude main.conf\n".to_vec(),
            "'main.conf' includes itself",
            2,
            9,
        ),
        (
            "a NUL byte",
            b"global_defs {\nrouter_id a\0b\n}\n".to_vec(),
            "embedded NULs",
            2,
            1,
        ),
        (
            "bytes of no character set",
            b"global_defs {\n\xff\xfe\x80 1\n}\n".to_vec(),
            "Unknown keyword",
            2,
            1,
        ),
        (
            "a line of a megabyte",
            [b"use_pid_dir\n".as_slice(), &[b'x'; 1 << 20], b"\n"].concat(),
            "line too long",
            2,
            1,
        ),
        (
            "a brace too few",
            b"vrrp_instance V {\ninterface eth0\n".to_vec(),
            "There are 1 missing '}'s",
            2,
            1,
        ),
        (
            "a brace too many",
            b"global_defs {\n}\n  }\n".to_vec(),
            "Extra '}' found",
            3,
            3,
        ),
        (
            "a brace out of nowhere",
            b"use_pid_dir\n {\n}\n".to_vec(),
            "Unexpected '{'",
            2,
            2,
        ),
        (
            "a quote that is not closed",
            b"global_defs {\nrouter_id \"one\n}\n".to_vec(),
            "Unterminated quote",
            2,
            11,
        ),
        (
            "a byte order mark",
            b"\xef\xbb\xbfglobal_defs {\nrouter_id a\n}\n".to_vec(),
            "Unknown keyword '\u{feff}global_defs'",
            1,
            1,
        ),
    ];
    for (what, text, words, line, column) in rows {
        let loaded = test(text.clone(), &Machine::default());
        assert_ne!(loaded.exit_status(), 0, "{what}");
        told(&loaded, words, *line, *column);
    }
}

#[test]
fn line_ends_of_other_systems_are_no_mistake() {
    let text = "global_defs {\r\n    router_id one\r\n}\r\nvrrp_instance V {\r\n    interface eth0\r\n    \
                virtual_router_id 5\r\n    virtual_ipaddress {\r\n        192.0.2.1\r\n    }\r\n}\r\n";
    let loaded = test(text, &Machine::default());
    assert_eq!(loaded.exit_status(), 0, "{}", messages(&loaded));
    assert_eq!(loaded.config.global.router_id.as_deref(), Some("one"));
}

#[test]
fn includes_have_a_depth_and_a_loop_is_seen_at_once() {
    let mut disk = Disk::default();
    for n in 0..70 {
        disk = disk.with(&format!("f{n}"), format!("\ninclude f{}\n", n + 1));
    }
    let disk = disk.with("f70", "bogus\n");
    let loaded = load("f0", &Options::default(), &disk, &Machine::default());
    told(&loaded, "includes nest deeper than 64", 2, 9);
    let d = &loaded.diagnostics[0];
    assert_eq!(d.via.len(), 63, "the way there is told");
    let disk = Disk::default()
        .with("a", "include b\n")
        .with("b", "# b\ninclude a\n");
    let loaded = load("a", &Options::default(), &disk, &Machine::default());
    told(&loaded, "'a' includes itself", 2, 9);
    assert_eq!(loaded.diagnostics.len(), 1);
}

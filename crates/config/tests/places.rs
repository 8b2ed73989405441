//! Where messages point: beside the line that is wrong also the one that it contradicts.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use rk_config::Diagnostic;
use support::{Machine, messages, test};

/// The message with this code.
fn one(text: &str, code: &str) -> Diagnostic {
    let loaded = test(text, &Machine::default());
    let mut all = loaded.diagnostics.iter();
    let found = all.find(|d| d.code.to_string() == code);
    found
        .unwrap_or_else(|| panic!("{}", messages(&loaded)))
        .clone()
}

/// The line that the message is about, and the first one that belongs to it.
fn lines(d: &Diagnostic) -> (u32, Option<u32>) {
    (
        d.place.unwrap().line,
        d.labels.first().map(|l| l.place.line),
    )
}

#[test]
fn a_repeated_setting_shows_the_first_one() {
    for (text, want) in [
        (
            "vrrp_instance V {\nstate MASTER\ninterface eth0\nstate BACKUP\n}\n",
            (4, Some(2)),
        ),
        // Blocks between the two do not matter, nor what stands in them.
        (
            "vrrp_sync_group G {\ngroup {\nA\n}\ntrack_script {\ngroup\n}\ngroup {\nB\n}\n}\n",
            (8, Some(2)),
        ),
        (
            "global_defs {\nnftables a\n}\nvrrp_instance V {\nnftables x\n}\n\
             global_defs {\n# nothing\nnftables b\n}\n",
            (9, Some(2)),
        ),
        // A comment says nothing.
        (
            "vrrp_instance V {\nstate MASTER # {\n# state MASTER\nstate BACKUP\n}\n",
            (4, Some(2)),
        ),
        // What comes out of a definition stands in no line as it was read.
        (
            "$S=state BACKUP\nvrrp_instance V {\nstate MASTER\n$S\n}\n",
            (4, Some(1)),
        ),
    ] {
        assert_eq!(lines(&one(text, "RK0410")), want, "{text}");
    }
}

#[test]
fn a_pattern_is_shown_where_it_is_wrong() {
    let page = |regex: &str| {
        format!(
            "virtual_server 192.0.2.1 80 {{\nprotocol TCP\nlb_algo rr\nlb_kind NAT\n\
             real_server 192.0.2.2 80 {{\nHTTP_GET {{\nurl {{\npath /\n{regex}\n}}\n}}\n}}\n}}\n"
        )
    };
    // The machine of the tests finds the mistake at the end of the pattern.
    let d = one(&page("  regex \"a(b\""), "RK0912");
    assert_eq!(
        d.message,
        "regex 'a(b' cannot be used: missing closing parenthesis"
    );
    let place = d.place.unwrap();
    assert_eq!((place.line, place.column, place.len), (9, 12, 1));
    // Where escapes were read, the whole word is shown.
    let place = one(&page("regex \"a\\\\(\\\\d\""), "RK0912").place.unwrap();
    assert_eq!((place.line, place.column), (9, 6));
    assert!(place.len > 1);
}

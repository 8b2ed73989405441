//! The examples of `explain` are read by the language they explain.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on ends"
)]

#[path = "../../config/tests/support/mod.rs"]
mod support;

use rk_config::Severity;
use rk_config::table::{Context, Standing};
use rk_report::explain::{codes, example, explain};
use support::{Machine, messages, test};

#[test]
fn examples_of_keywords_are_read_as_meant() {
    let machine = Machine::default()
        .with_file("/usr/local/bin/check", 0o755)
        .with_file("/etc/keepalived/hmac.key", 0o600);
    let mut wrong = Vec::new();
    for context in Context::ALL {
        for keyword in context.keywords() {
            let Some(text) = example(*context, keyword) else {
                assert_eq!(keyword.name, "as");
                continue;
            };
            // The inside of a block is left to the reader.
            let lines = text.lines().filter(|line| line.trim() != "...");
            let text = lines.collect::<Vec<_>>().join("\n") + "\n";
            let loaded = test(text.clone(), &machine);
            // What the blocks around it lack is not the example's subject.
            let depth = text.lines().map(|l| l.len() - l.trim_start().len()).max();
            let own = depth.unwrap() / 4 + 1;
            let old = matches!(keyword.standing, Standing::Deprecated(_) | Standing::Old(_));
            let bad = loaded.diagnostics.iter().any(|d| {
                let code = d.code.to_string();
                let here = d.place.is_some_and(|p| p.line as usize == own);
                let words = ["RK03", "RK04", "RK08"].iter().any(|k| code.starts_with(k));
                d.severity > Severity::Note && here && words && !(old && code == "RK0411")
            });
            if bad {
                let name = format!("{} {}", context.name(), keyword.name);
                wrong.push(format!("{name}:\n{text}\n{}\n", messages(&loaded)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_not_known_is_answered_with_what_may_be_meant() {
    for (word, part) in [
        ("virtual_routr_id", "did you mean virtual_router_id?"),
        ("RK0399", "did you mean RK03"),
        ("state_file_location", "state_dump_file"),
        ("qqqqqqqq", "codes look like"),
    ] {
        let said = explain(word).unwrap_err();
        assert!(said.contains(part), "{said}");
    }
    assert!(codes().count() > 100);
}

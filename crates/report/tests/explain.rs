//! The examples of `explain` are read by the language they explain.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on ends"
)]

#[path = "../../config/tests/support/mod.rs"]
mod support;

use rk_config::table::{Context, Standing};
use rk_config::{Code, Loaded, Options, Severity, load};
use rk_report::explain::{codes, example, examples, explain};
use support::{Disk, Machine, messages, test};

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

#[test]
fn examples_of_codes_have_the_mistake_and_the_mended_ones_have_not() {
    let machine = Machine::default();
    let read = |text: &str| {
        let disk = Disk::default()
            .with("main.conf", text)
            .with("conf.d/site.conf", "# a file in a directory\n");
        let options = Options {
            test_mode: true,
            ..Options::default()
        };
        load("main.conf", &options, &disk, &machine)
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for (code, title) in Code::ALL {
        let Some((bad, good)) = examples(*code) else {
            continue;
        };
        count += 1;
        let has = |loaded: &Loaded| loaded.diagnostics.iter().any(|d| d.code == *code);
        let (bad, good) = (read(&bad), read(&good));
        if !has(&bad) {
            wrong.push(format!("{code} ({title}) is not in\n{}", messages(&bad)));
        }
        if has(&good) {
            wrong.push(format!("{code} ({title}) is left in\n{}", messages(&good)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 60, "only {count} codes have examples");
}

//! The examples of `explain` are read by the language they explain.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

#[path = "../../config/tests/support/mod.rs"]
mod support;

use std::process::Command;

use rk_config::table::{Context, Standing};
use rk_config::{Code, Loaded, Options, Severity, load};
use rk_report::explain::{Example, codes, example, examples, explain};
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
    let machine = Machine::default()
        .with_file("/tmp/check", 0o777)
        .with_file("/usr/local/bin/check", 0o755);
    let read = |example: &Example| {
        let (main, disk) = match example {
            Example::Text(text) => (
                "main.conf".to_owned(),
                Disk::default().with("main.conf", text.as_str()),
            ),
            Example::Shell(script) => written(script),
        };
        let disk = disk.with("conf.d/site.conf", "# a file in a directory\n");
        let options = Options {
            test_mode: true,
            ..Options::default()
        };
        load(&main, &options, &disk, &machine)
    };
    let mut wrong = Vec::new();
    for (code, title) in Code::ALL {
        let Some((bad, good)) = examples(*code) else {
            wrong.push(format!("{code} ({title}) has no example"));
            continue;
        };
        let has = |loaded: &Loaded| match code.to_string().as_str() {
            "RK1001" => !loaded.unsupported.is_empty(),
            _ => loaded.diagnostics.iter().any(|d| d.code == *code),
        };
        let (bad, good) = (read(&bad), read(&good));
        if !has(&bad) {
            wrong.push(format!("{code} ({title}) is not in\n{}", messages(&bad)));
        }
        if has(&good) {
            wrong.push(format!("{code} ({title}) is left in\n{}", messages(&good)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files that the commands of an example write, and which one is tested.
fn written(script: &str) -> (String, Disk) {
    let dir = tempfile::tempdir().unwrap();
    let (commands, tested) = script.trim_end().rsplit_once('\n').unwrap();
    let main = tested.strip_prefix("rkeepalived -t -f ").expect(script);
    let mut shell = Command::new("sh");
    let status = shell
        .args(["-ec", commands])
        .current_dir(dir.path())
        .status();
    assert!(status.unwrap().success(), "{script}");
    let mut disk = Disk::default();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        disk = disk.with(&name, std::fs::read(entry.path()).unwrap());
    }
    (main.trim_matches('\'').to_owned(), disk)
}

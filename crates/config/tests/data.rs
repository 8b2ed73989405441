//! Files and what is said about them: `tests/data/{ok,warn,err}/NAME.conf` with `NAME.expect`.
//!
//! `BLESS=1` writes what is said now. `ok` files have no message above a note, `warn` files
//! still have status 0, `err` files have not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rk_config::{Loaded, Options, Place, Severity, load};
use support::{Disk, Machine};

fn shown(loaded: &Loaded) -> String {
    let at = |p: &Place| {
        format!(
            "{}:{}:{}+{}",
            loaded.files.name(p.file),
            p.line,
            p.column + 1,
            p.len
        )
    };
    let mut out = format!("status {}\n", loaded.exit_status());
    for d in &loaded.diagnostics {
        let place = d
            .place
            .as_ref()
            .map_or_else(String::new, |p| format!(" {}", at(p)));
        writeln!(out, "{} {}{place}: {}", d.code, d.severity, d.message).unwrap();
        if let Some(p) = d.place.filter(|p| p.len > 0) {
            let line = String::from_utf8_lossy(loaded.files.line(p.file, p.line)).into_owned();
            let caret = " ".repeat(p.column as usize) + &"^".repeat(p.len as usize);
            writeln!(out, "    | {line}\n    | {caret}").unwrap();
        }
        for label in &d.labels {
            writeln!(out, "    {} at {}", label.text, at(&label.place)).unwrap();
        }
        for via in &d.via {
            writeln!(out, "    {} at {}", via.how, at(&via.place)).unwrap();
        }
        if let Some(help) = &d.help {
            writeln!(out, "    help: {help}").unwrap();
        }
    }
    for u in &loaded.unsupported {
        writeln!(
            out,
            "{u} ({}:{}, {} times)",
            loaded.files.name(u.file),
            u.line,
            u.count
        )
        .unwrap();
    }
    out
}

#[test]
fn what_is_said_about_each_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let bless = std::env::var_os("BLESS").is_some();
    let machine = Machine::default();
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for kind in ["ok", "warn", "err"] {
        let mut disk = Disk::default();
        let mut names = Vec::new();
        for entry in fs::read_dir(root.join(kind)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.ends_with(".conf") {
                names.push(name.clone());
            }
            disk = disk.with(&name, fs::read(&path).unwrap());
        }
        names.sort();
        for name in names {
            count += 1;
            let loaded = load(&name, &options, &disk, &machine);
            let loud = loaded
                .diagnostics
                .iter()
                .any(|d| d.severity > Severity::Note);
            let fits = match kind {
                "ok" => !loud && loaded.exit_status() == 0,
                "warn" => loud && loaded.exit_status() == 0,
                _ => loaded.exit_status() != 0,
            };
            let got = shown(&loaded);
            let file = root.join(kind).join(name.replace(".conf", ".expect"));
            if bless {
                fs::write(&file, &got).unwrap();
            }
            let want = fs::read_to_string(&file).unwrap_or_default();
            if !fits || want != got {
                wrong.push(format!("{kind}/{name}:\n--- want\n{want}--- got\n{got}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 10, "only {count} files");
}

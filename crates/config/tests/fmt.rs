//! Formatted text means what the text meant before: the same configuration and the same messages,
//! for every file at hand and for text made at random. Formatting twice changes nothing more, and
//! no comment is lost.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rk_config::fmt::{Broken, format};
use rk_config::{Loaded, Options, load};
use serde_json::Value;
use support::{Disk, Machine};

/// What a load says, without the places.
fn meaning(loaded: &Loaded) -> String {
    let mut config = serde_json::to_value(&loaded.config).unwrap();
    forget_places(&mut config);
    let mut out = format!("{} {:?}\n", loaded.exit_status(), loaded.outcome);
    let mut said = Vec::new();
    // What to do about braces and keywords in the wrong place, and about all that follows from
    // them, depends on the lines they stand in.
    let of_lines = |code: String| {
        let of_words = ["RK01", "RK02", "RK04", "RK08"]
            .iter()
            .any(|part| code.starts_with(part));
        !of_words || code == "RK0402"
    };
    let broken = loaded
        .diagnostics
        .iter()
        .any(|d| d.code.to_string().starts_with("RK03"));
    for d in &loaded.diagnostics {
        // Labels are places: one that has moved to the line of the message needs none.
        let via: Vec<String> = d.via.iter().map(|v| v.how.to_string()).collect();
        let (code, severity, class) = (d.code, d.severity, d.class);
        // What to do about a brace depends on what touches it, which layout takes apart.
        let help = d.help.as_ref();
        let help = help.filter(|_| !broken && !of_lines(code.to_string()));
        let message = without_numbers_of_lines(&d.message);
        said.push(format!(
            "{code} {severity} {class:?} {message} {via:?} {help:?}\n"
        ));
    }
    // Where braces do not pair the messages are in the order of their lines, and braces move.
    said.sort();
    out += &said.concat();
    for u in &loaded.unsupported {
        out += &format!("{u} {}\n", u.count);
    }
    out + &serde_json::to_string_pretty(&config).unwrap()
}

/// Removes `{"file": ..., "line": ...}`.
fn forget_places(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.len() == 2 && map.contains_key("file") && map.contains_key("line") {
                map.clear();
            }
            map.values_mut().for_each(forget_places);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_places),
        _ => {}
    }
}

/// `main.conf:12` and `line 12` without the number.
fn without_numbers_of_lines(message: &str) -> String {
    let mut out = String::new();
    let mut rest = message;
    while let Some(at) = rest.find(".conf:").or_else(|| rest.find("line ")) {
        let (before, after) = rest.split_at(at + 5);
        out.push_str(before);
        rest = after.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
    }
    out + rest
}

/// The comments of a text, sorted: behind a brace that moves they may change places.
fn comments(text: &[u8]) -> Vec<String> {
    let mut out = Vec::new();
    for line in text.split(|b| *b == b'\n') {
        if line.contains(&0) || line.len() > 1022 {
            continue;
        }
        let mut quoted = false;
        let mut escaped = false;
        for (at, b) in line.iter().enumerate() {
            match b {
                b'"' => quoted = !quoted,
                b'#' | b'!' if !quoted && !escaped => {
                    let text = String::from_utf8_lossy(&line[at..]);
                    out.push(text.trim_end().to_owned());
                    break;
                }
                _ => {}
            }
            escaped = *b == b'\\' && !quoted && !escaped;
        }
    }
    out.sort();
    out
}

/// A text for people: control characters are escaped, long words of one letter shortened.
fn abridged(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let escaped: Vec<String> = text.lines().map(|l| l.escape_debug().to_string()).collect();
    let mut out = String::new();
    for c in escaped.join("\n").chars() {
        if c != 'y' || !out.ends_with("yy") {
            out.push(c);
        }
    }
    out
}

/// Everything that must hold for a text, `read` being how it is loaded. Whether it was laid out.
#[track_caller]
fn hold(name: &str, text: &[u8], read: impl Fn(Vec<u8>) -> Loaded) -> bool {
    let formatted = match format(text) {
        Ok(formatted) => formatted.text,
        Err(Broken::Unclosed { .. } | Broken::ExtraClose { .. } | Broken::TooLarge) => {
            return false;
        }
    };
    let shown = || {
        format!(
            "{name}\n--- before\n{}\n--- after\n{}",
            abridged(text),
            abridged(&formatted)
        )
    };
    let again = format(&formatted).unwrap_or_else(|e| panic!("{e}\n{}", shown()));
    if again.text != formatted {
        let (first, second) = (abridged(&formatted), abridged(&again.text));
        let differs = first.lines().zip(second.lines()).find(|(a, b)| a != b);
        panic!("not the same again: {differs:#?}\n{}", shown());
    }
    assert_eq!(comments(text), comments(&formatted), "{}", shown());
    let (before, after) = (
        meaning(&read(text.to_vec())),
        meaning(&read(formatted.clone())),
    );
    if before != after {
        let differs = before.lines().zip(after.lines()).find(|(a, b)| a != b);
        panic!("{differs:#?}\n{}", shown());
    }
    true
}

/// The configuration files of a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "conf" || e == "inc"))
        .collect();
    out.sort();
    out
}

/// Checks every file of a directory, the others beside it; how many there are, and how many could
/// be laid out.
fn hold_all(dir: &Path) -> (usize, usize) {
    let machine = Machine::with_interfaces(
        "lo eth0 eth1 eth2 ens33 ens3 ens160 ens192 enp0s3 enp0s8 bond0 br0 pr_eth0 pr_eth1",
    );
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    let files = files(dir);
    let name = |p: &Path| p.file_name().unwrap().to_string_lossy().into_owned();
    let mut laid_out = 0;
    for file in &files {
        let read = |text: Vec<u8>| {
            let mut disk = Disk::default();
            for other in &files {
                disk = disk.with(&name(other), fs::read(other).unwrap());
            }
            load(
                &name(file),
                &options,
                &disk.with(&name(file), text),
                &machine,
            )
        };
        laid_out += usize::from(hold(&name(file), &fs::read(file).unwrap(), read));
    }
    (files.len(), laid_out)
}

#[test]
fn the_corpus() {
    let Some(dir) = support::spec_dir() else {
        return;
    };
    let (files, laid_out) = hold_all(&dir.join("corpus"));
    // The others have braces that do not pair.
    assert!(
        files > 200 && laid_out * 10 > files * 9,
        "{laid_out} of {files}"
    );
}

#[test]
fn the_samples_and_guides() {
    let Some(dir) = support::spec_dir() else {
        return;
    };
    for part in ["spec/samples", "guides"] {
        let (files, laid_out) = hold_all(&dir.join(part));
        assert!(files > 5 && laid_out > 5, "{part}: {laid_out} of {files}");
    }
}

#[test]
fn our_own_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (files, laid_out) = hold_all(&root.join("../../conf-samples/haproxy-pair"));
    assert_eq!((files, laid_out), (2, 2));
    for part in ["ok", "warn", "err"] {
        let (files, laid_out) = hold_all(&root.join("tests/data").join(part));
        assert!(files > 0 && laid_out > 0, "{part}: {laid_out} of {files}");
    }
}

/// What random text is made of: everything that has a meaning of its own, and some words.
fn fragment() -> impl Strategy<Value = String> {
    let fixed = |text: &'static str| Just(text.to_owned());
    prop_oneof![
        4 => fixed(" "),
        3 => prop::sample::select(vec!["  ", "\t", "\r", "\u{b}"]).prop_map(str::to_owned),
        6 => fixed("\n"),
        1 => fixed("\r\n"),
        4 => fixed("{"),
        4 => fixed("}"),
        8 => prop::sample::select(vec![
            "global_defs", "router_id", "vrrp_instance", "V", "interface", "eth0", "priority",
            "100", "virtual_ipaddress", "192.0.2.1/24", "virtual_router_id", "51", "notify",
            "/usr/bin/true", "notification_email", "a@b", "bogus", "use_pid_dir", "x",
        ]).prop_map(str::to_owned),
        3 => prop::sample::select(vec![
            "# one", "! two", "#", "\\#", "\\", "\\\n", "'", "\"", "\"a  b\"", "'a  b'", "\\\"",
            "\u{e9}", "~", "@", "$", "\u{feff}",
        ]).prop_map(str::to_owned),
        3 => prop::sample::select(vec![
            "$A=", "$A", "${A}", "${B}", "\n$B=", "\n$A=\\\n", "${_HASH}", "${_INSTANCE}",
            "\n@vm ", "\n@^vm ", "\n@other ", "\n~SEQ(n, 2) ", "\n~LST({a, b}, {1, 2}) ", "$n",
            "${n}", "\n$I=include", "$I ./inc",
        ]).prop_map(str::to_owned),
        1 => prop::sample::select(vec![
            "\ninclude ./inc\n", "include ./inc", "\nincludem ./none\n", "\ninclude  ./in{c,d} ",
            "include",
        ]).prop_map(str::to_owned),
        1 => fixed("\0"),
        1 => (400_usize..1100).prop_map(|n| "y".repeat(n)),
    ]
}

/// Lines as people write them, so that deep structure is seen, too.
fn statement() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "vrrp_instance V {\n",
        "  interface eth0 # c\n",
        "\tvirtual_router_id  51\n",
        "}\n",
        "}",
        "virtual_ipaddress{ 192.0.2.1/24   dev eth0 }\n",
        "virtual_ipaddress\n\n# c\n{ # d\n",
        "192.0.2.2/24\n",
        "global_defs\n{\n",
        "$V=vrrp_instance W {\n",
        "$V\n",
        "$M=\\\n  priority   5 \\\n advert_int  2\n",
        " $M\n",
        "notify \"/usr/bin/true  a\" root\n",
        "@vm priority  7 {\n",
        "\n\n",
        "~SEQ(n, 2) vrrp_instance V$n { interface eth0 }\n",
    ])
    .prop_map(str::to_owned)
}

#[test]
fn a_sequence_that_takes_the_lines_behind_it_stays() {
    let text =
        "global_defs  {\n}\n~SEQ(n, 2) $M=\\\n  priority   5 \\\n x  2\n{@vm priority  7 {\n";
    let out = format(text.as_bytes()).unwrap();
    assert_eq!(out.left_from, Some(3));
    let rest = text.split_once("}\n").unwrap().1;
    assert_eq!(
        String::from_utf8(out.text).unwrap(),
        format!("global_defs {{\n}}\n{rest}")
    );
    random(text);
}

fn random(text: &str) {
    let machine = Machine::default();
    let options = Options {
        test_mode: true,
        config_id: Some("vm".to_owned()),
        ..Options::default()
    };
    hold("random", text.as_bytes(), |text| {
        let disk = Disk::default()
            .with("inc", "router_id  b\n$A=q w\n")
            .with("main.conf", text);
        load("main.conf", &options, &disk, &machine)
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn text_of_fragments(parts in prop::collection::vec(fragment(), 0..40)) {
        random(&parts.concat());
    }

    #[test]
    fn text_of_statements(
        parts in prop::collection::vec(prop_oneof![3 => statement(), 1 => fragment()], 0..25),
    ) {
        random(&parts.concat());
    }

    /// Any bytes: no panic, and what can be laid out stays so.
    #[test]
    fn any_bytes(text in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(out) = format(&text) {
            prop_assert_eq!(&format(&out.text).unwrap().text, &out.text);
        }
    }
}

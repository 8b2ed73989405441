//! The command line: the same words give the same status, on the same stream, as keepalived's.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rk_lab::{Node, Which};

use crate::bed::{DEV, lab, ours};

fn command(which: Which) -> Command {
    Command::new(match which {
        Which::Keepalived => "/usr/sbin/keepalived",
        Which::Rkeepalived => env!("CARGO_BIN_EXE_rkeepalived"),
    })
}

fn run(which: Which, arguments: &[&str]) -> Output {
    let mut command = command(which);
    let output = command.args(arguments).output();
    output.expect("the program starts")
}

/// Both programs' answers to the same words.
fn both(arguments: &[&str]) -> [Output; 2] {
    [run(Which::Keepalived, arguments), run(ours(), arguments)]
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn what_needs_no_daemon() {
    if !Path::new("/usr/sbin/keepalived").exists() {
        return crate::bed::skipped("keepalived is not installed");
    }
    for arguments in [
        &["--signum=STOP"][..],
        &["--signum", "RELOAD"],
        &["--signum=DATA"],
        &["--signum=STATS"],
        &["--signum=STATS_CLEAR"],
        &["--signum=JSON"],
    ] {
        let [theirs, mine] = both(arguments);
        assert_eq!(text(&theirs.stdout), text(&mine.stdout), "{arguments:?}");
        assert_eq!(theirs.status.code(), mine.status.code(), "{arguments:?}");
    }
    for arguments in [&["-v"][..], &["--version"], &["-h"], &["--help"]] {
        let [theirs, mine] = both(arguments);
        assert_eq!(
            (theirs.status.code(), mine.status.code()),
            (Some(0), Some(0)),
            "{arguments:?}"
        );
        assert!(
            mine.stdout.is_empty() && !mine.stderr.is_empty(),
            "{arguments:?} is on stderr"
        );
        assert!(
            theirs.stdout.is_empty() && !theirs.stderr.is_empty(),
            "{arguments:?}"
        );
    }
    for arguments in [
        &["--signum=NONSENSE"][..],
        &["-Z"],
        &["--no-such-option"],
        &["-f"],
        &["-n", "-p"],
        &["--use-file="],
    ] {
        let [theirs, mine] = both(arguments);
        assert_eq!(theirs.status.code(), mine.status.code(), "{arguments:?}");
        assert_eq!(mine.status.code(), Some(1), "{arguments:?}");
        assert_eq!(
            theirs.stderr.is_empty(),
            mine.stderr.is_empty(),
            "{arguments:?}: {}{}",
            text(&theirs.stderr),
            text(&mine.stderr)
        );
    }
    let version = run(ours(), &["-v"]);
    let version = text(&version.stderr);
    for part in [
        "Keepalived v",
        "Config options:",
        "System options:",
        "VRRP",
        "VRRP_AUTH",
    ] {
        assert!(
            version.contains(part),
            "monitoring looks for `{part}` in\n{version}"
        );
    }
}

/// Configurations, and what `-t` answers: the statuses that scripts rely on.
const VERDICTS: &[(&str, &str, i32)] = &[
    ("empty", "", 0),
    (
        "good",
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n",
        0,
    ),
    (
        "unknown keyword",
        "global_defs {\nno_such_keyword 1\n}\n",
        5,
    ),
    (
        "bad number",
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 300\n}\n",
        5,
    ),
    (
        "no brace",
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\n",
        5,
    ),
    (
        "missing interface",
        "vrrp_instance A {\ninterface eth7\nvirtual_router_id 1\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n",
        5,
    ),
    (
        "no value",
        "vrrp_instance A {\ninterface\nvirtual_router_id 1\n}\n",
        2,
    ),
    ("strict include", "includem /etc/keepalived/none.conf\n", 6),
    ("optional include", "include /etc/keepalived/none.conf\n", 0),
    (
        "script without security",
        "vrrp_script s {\nscript /usr/bin/true\n}\nvrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n10.0.0.1\n}\ntrack_script {\ns\n}\n}\n",
        6,
    ),
];

#[test]
fn a_configuration_test_ends_as_keepalived_s() {
    let Some(lab) = lab("verdicts") else { return };
    lab.bridge("lan");
    let node = lab.node("one");
    lab.link("lan", &node, DEV, &["10.0.0.9/24"]);
    let status = |which: Which| -> (Option<i32>, String) {
        let command = format!("{} -t -f /etc/keepalived/keepalived.conf", which.program());
        let output = node.try_sh(&command);
        (
            output.status.code(),
            text(&output.stderr) + &text(&output.stdout),
        )
    };
    for (what, conf, expected) in VERDICTS {
        node.write("/etc/keepalived/keepalived.conf", conf);
        for which in [Which::Keepalived, ours()] {
            let (code, said) = status(which);
            assert_eq!(code, Some(*expected), "{what}, {which:?}:\n{said}");
        }
    }
}

#[test]
fn a_complaint_points_at_the_word() {
    if ours() == Which::Keepalived {
        return crate::bed::skipped("keepalived names the line only");
    }
    let Some(lab) = lab("caret") else { return };
    let node = lab.node("one");
    let said = |node: &Node, conf: &str| {
        node.write("/etc/keepalived/keepalived.conf", conf);
        let output = node.try_sh("/run/lab/rkeepalived -t -f /etc/keepalived/keepalived.conf");
        text(&output.stderr)
    };
    let typo = said(
        &node,
        "vrrp_instance A {\n    interface lo\n    virtual_router_di 51\n    virtual_ipaddress {\n        10.0.0.1\n    }\n}\n",
    );
    for part in [
        "keepalived.conf",
        "virtual_router_di 51",
        "^",
        "did you mean",
        "virtual_router_id",
    ] {
        assert!(typo.contains(part), "no `{part}` in\n{typo}");
    }
    assert!(
        typo.contains(":3:5") || typo.contains("Line 3"),
        "line and column in\n{typo}"
    );
}

#[test]
fn complaints_are_told_in_the_form_that_is_asked_for() {
    if ours() == Which::Keepalived {
        return crate::bed::skipped("keepalived has one form");
    }
    let Some(lab) = lab("forms") else { return };
    let node = lab.node("one");
    let file = "/etc/keepalived/keepalived.conf";
    let run = |arguments: &str| node.try_sh(&format!("/run/lab/rkeepalived {arguments}"));
    node.write(file, "global_defs {\n    router_idd x\n}\n");
    let plain = run(&format!("-t --format=plain -f {file}"));
    assert_eq!(plain.status.code(), Some(5));
    assert_eq!(
        text(&plain.stdout),
        format!(
            "{file}:2:5: error[RK0301]: Unknown keyword 'router_idd' (did you mean `router_id`?)\n"
        )
    );
    assert_eq!(text(&plain.stderr), "");
    let json = text(&run(&format!("-t --format json -f {file}")).stdout);
    assert!(
        json.starts_with('{')
            && json.contains("\"text\":\"router_id\"")
            && json.lines().count() == 1,
        "{json}"
    );
    let sarif = text(&run(&format!("lint --format sarif {file}")).stdout);
    assert!(
        sarif.contains("\"version\": \"2.1.0\"") && sarif.contains("RK0301"),
        "{sarif}"
    );
    // Text stays where keepalived has it, and plain of colours when no terminal reads it.
    let shown = run(&format!("-t -f {file}"));
    assert_eq!(text(&shown.stdout), "");
    assert!(!text(&shown.stderr).contains('\u{1b}'), "{shown:?}");
    assert_eq!(
        run(&format!("-t --format xml -f {file}")).status.code(),
        Some(1)
    );
    // A warning that keepalived does not count is counted when that is asked for.
    node.write(file, "include nowhere.conf\n");
    assert_eq!(run(&format!("-t -f {file}")).status.code(), Some(0));
    assert_eq!(
        run(&format!("-t --strict -f {file}")).status.code(),
        Some(5)
    );
    node.write(file, "global_defs {\n    router_id x\n}\n");
    assert_eq!(
        run(&format!("-t --strict -f {file}")).status.code(),
        Some(0)
    );
}

#[test]
fn codes_and_keywords_are_explained() {
    if ours() == Which::Keepalived {
        return crate::bed::skipped("keepalived explains nothing");
    }
    let Some(lab) = lab("explain") else { return };
    let node = lab.node("one");
    let run = |arguments: &str| node.try_sh(&format!("/run/lab/rkeepalived explain {arguments}"));
    for (word, parts) in [
        ("RK0301", &["a word is no keyword here", "Mended:"][..]),
        ("rk2001", &["weights-out-of-range", "Finds:"]),
        ("virtual_router_id", &["INT(1..255)", "vrrp_instance web {"]),
    ] {
        let said = run(word);
        assert!(said.status.success(), "{said:?}");
        let said = text(&said.stdout);
        for part in parts {
            assert!(said.contains(part), "no `{part}` in\n{said}");
        }
    }
    let unknown = run("virtual_routr_id");
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        text(&unknown.stderr).contains("did you mean virtual_router_id?"),
        "{unknown:?}"
    );
}

#[test]
fn lint_says_what_is_allowed_but_hardly_meant() {
    if ours() == Which::Keepalived {
        return crate::bed::skipped("keepalived has no lint");
    }
    let Some(lab) = lab("lint") else { return };
    let node = lab.node("one");
    let conf = |state: &str, priority: u8| {
        format!(
            "vrrp_instance A {{\n    state {state}\n    interface lo\n    virtual_router_id 51\n    \
             priority {priority}\n    authentication {{\n        auth_type PASS\n        \
             auth_pass 1111\n    }}\n    virtual_ipaddress {{\n        127.0.0.77/8\n    }}\n}}\n"
        )
    };
    node.write("/etc/keepalived/a.conf", conf("MASTER", 90));
    node.write("/etc/keepalived/b.conf", conf("BACKUP", 100));
    let lint = |arguments: &str| node.try_sh(&format!("/run/lab/rkeepalived lint {arguments}"));
    // The exit status stays that of a configuration test ...
    let alone = lint("/etc/keepalived/a.conf");
    assert!(alone.status.success(), "{alone:?}");
    let said = text(&alone.stdout);
    assert!(
        said.contains("RK2602") && said.contains("auth_pass 1111"),
        "{said}"
    );
    // ... unless warnings are to count.
    assert_eq!(
        lint("--strict /etc/keepalived/a.conf").status.code(),
        Some(5)
    );
    let pair = lint("--cluster /etc/keepalived/a.conf /etc/keepalived/b.conf");
    let said = text(&pair.stdout);
    assert!(
        said.contains("RK2813") && said.contains("b.conf:1: state BACKUP"),
        "{said}"
    );
    assert_eq!(lint("").status.code(), Some(2), "no file");
}

#[test]
fn fmt_is_a_command_and_generated_documents_are_printed() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rkeepalived"))
        .args(["fmt", "--check"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, b"global_defs { }\n").unwrap();
    drop(input);
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stdout).contains("\n-global_defs { }\n+global_defs {\n+}\n"));
    for (document, first) in [("man5", ".\\\" "), ("man", ".ie "), ("zsh", "#compdef ")] {
        let out = run(Which::Rkeepalived, &["--generate", document]);
        assert!(text(&out.stdout).starts_with(first), "{document}");
        assert_eq!(out.status.code(), Some(0), "{document}");
    }
    let out = run(Which::Rkeepalived, &["--generate", "tcsh"]);
    assert_eq!(out.status.code(), Some(1));
}

#[test]
fn genhash_asks_and_prints_the_same() {
    if !Path::new("/usr/sbin/keepalived").exists() {
        return crate::bed::skipped("keepalived is not installed");
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener
        .local_addr()
        .expect("its address")
        .port()
        .to_string();
    let (told, seen) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = [0; 1000];
            let length = stream.read(&mut request).expect("a request");
            told.send(text(&request[..length])).ok();
            let answer = b"HTTP/1.0 200 OK\r\nContent-Length: 11\r\n\r\nhello world";
            stream.write_all(answer).expect("somebody listens");
        }
    });
    let asks = ["-s", "127.0.0.1", "-p", &port, "-u", "/page?x=y"];
    for more in [
        &[][..],
        &["-P", "1.0c"],
        &["-P1.1", "-V", "www.example.org"],
        &["-v"],
        &["-Tv"],
    ] {
        // Its own letter may lead a bundle.
        let arguments = match more {
            ["-Tv"] => [more, &asks].concat(),
            _ => [&["--genhash"][..], &asks, more].concat(),
        };
        let [theirs, mine] = both(&arguments);
        let shown = |output: &Output| {
            assert_eq!(output.status.code(), Some(0), "{arguments:?}");
            // How long it took is nobody's business here.
            let text = text(&output.stdout);
            let time = text.find(" = ").unwrap_or(text.len());
            text[..time].to_owned()
        };
        assert_eq!(shown(&mine), shown(&theirs), "{arguments:?}");
        assert!(shown(&mine).contains("5eb63bbbe01eeed093cb22bb8f5acdc3"));
        assert_eq!(seen.recv(), seen.recv(), "the same request");
    }
    for arguments in [
        &["-T"][..],
        &["-T", "-x"],
        &["-T", "-h"],
        &["-Th"],
        &["-T", "-s", "nobody", "-p", "1", "-u", "/"],
    ] {
        let [theirs, mine] = both(arguments);
        assert_eq!(theirs.status.code(), mine.status.code(), "{arguments:?}");
        assert!(
            mine.stdout.is_empty() && !mine.stderr.is_empty(),
            "{arguments:?}"
        );
    }
    // A server that never answers: time to look at the process.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = silent.local_addr().expect("its address").port().to_string();
    for which in [Which::Keepalived, ours()] {
        let mut child = command(which)
            .args(["-T", "-s", "127.0.0.1", "-p", &port, "-u", "/"])
            .stdout(Stdio::null())
            .spawn()
            .expect("genhash");
        let _connected = silent.accept().expect("a connection");
        let comm = std::fs::read_to_string(format!("/proc/{}/comm", child.id()));
        child.kill().expect("it waits");
        child.wait().expect("its end");
        assert_eq!(comm.expect("its name"), "genhash\n", "{which:?}");
    }
    if ours() == Which::Rkeepalived {
        // No digest is no success, and nothing that could be taken for one.
        let refused = run(ours(), &["-T", "-s", "127.0.0.1", "-p", "9", "-u", "/"]);
        assert_eq!(refused.status.code(), Some(1));
        assert_eq!(
            (
                text(&refused.stdout).as_str(),
                text(&refused.stderr).as_str()
            ),
            ("", "Connection failed\n")
        );
    }
}

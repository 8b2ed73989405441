//! The language, example by example: each row is a text, the status of a configuration test, and
//! what the first message says.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod expansion;
#[path = "../support/mod.rs"]
mod support;

use rk_config::{Loaded, Options, load};
use support::{Disk, Machine, messages};

/// A valid instance whose closing brace is still to come.
const INSTANCE: &str =
    "vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\nvirtual_ipaddress {\n192.0.2.5\n}\n";
/// The same with what a track_script needs before it.
const SECURE: &str = "global_defs {\nenable_script_security\nscript_user root\n}\n";

fn run(text: &str) -> Loaded {
    let text = text
        .replace("<INSTANCE>\n", INSTANCE)
        .replace("<SECURE>\n", SECURE);
    let disk = Disk::default()
        .with("main.conf", text)
        .with("i1.inc", "bogus_1\n")
        .with("i2.inc", "bogus_2\n")
        .with("opens.inc", "global_defs {\n")
        .with("checks.inc", "global_defs {\ninclude_check\n}\n")
        .with("address.inc", "192.0.2.77 dev eth0\n")
        .with("sub/a.inc", "include ./b.inc\n")
        .with("sub/b.inc", "bogus_b\n")
        .with("exec.inc", "bogus_exec\n");
    let mut disk = disk;
    disk.files.get_mut("exec.inc").unwrap().1 = 0o755;
    let options = Options {
        config_id: Some("idA".into()),
        test_mode: true,
        ..Options::default()
    };
    let mut machine = Machine::default();
    machine.env.insert("KAX".into(), "hello".into());
    load("main.conf", &options, &disk, &machine)
}

/// Checks status and counted messages of each row.
fn check(rows: &[(&str, u8, &[&str])]) {
    let mut wrong = Vec::new();
    for (text, status, says) in rows {
        let loaded = run(text);
        let said: Vec<&str> = loaded
            .diagnostics
            .iter()
            .filter(|d| d.severity > rk_config::Severity::Note)
            .map(|d| d.message.as_str())
            .collect();
        let fits = said.len() >= says.len() && says.iter().zip(&said).all(|(w, s)| s.contains(w));
        let silent = says.is_empty() == said.is_empty();
        if loaded.exit_status() != *status || !fits || !silent {
            wrong.push(format!(
                "---\n{text}\nwant {status} {says:?}\ngot {}\n{}",
                loaded.exit_status(),
                messages(&loaded)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn comments_and_words() {
    check(&[
        ("", 0, &[]),
        (
            "# one\n! two\nuse_pid_dir # three\nuse_pid_dir!four\n",
            0,
            &[],
        ),
        ("bogus#tail\n", 5, &["Unknown keyword 'bogus'"]),
        ("bogus\\#tail \\!\n", 5, &["Unknown keyword 'bogus#tail'"]),
        (
            "global_defs {\nrouter_id \"a#b!c\"\n}\nbogus\"x#y\"\n",
            5,
            &["Unknown keyword 'bogus'"],
        ),
        ("use_pid_dir\nbog\0us\nuse_pid_dir\n", 5, &["embedded NULs"]),
        (
            "global_defs {\r\nrouter_id a\r\n}\r\nbogus 1\r\n",
            5,
            &["Unknown keyword 'bogus'"],
        ),
        ("use_pid_dir\rbogus 1\n", 0, &[]),
        (
            "\u{feff}use_pid_dir\n",
            5,
            &["Unknown keyword '\u{feff}use_pid_dir'"],
        ),
        (
            "global_defs {\nrouter_id \"caf\u{e9}\"\n}\nb\u{f6}gus 1\n",
            5,
            &["'b\u{f6}gus'"],
        ),
        ("global_defs\t{\n\u{c} router_id\u{b}a\n}\n", 0, &[]),
        ("bogus 1", 5, &["Unknown keyword 'bogus'"]),
        ("\"bogus word\" x\n", 5, &["Unknown keyword 'bogus word'"]),
        (
            "global_defs {\nrouter_id \"abc\n}\n",
            5,
            &["Unterminated quote 'router_id \"abc'"],
        ),
        ("'bogus word' x\n", 5, &["Unknown keyword ''bogus'"]),
        ("bo\\gus\\n x\n", 5, &["Unknown keyword 'bo\\gus\\n'"]),
        (
            "global_defs {\nrouter_id \\\nabc\n}\n",
            5,
            &["Unknown keyword 'router_id\\'", "Unknown keyword 'abc'"],
        ),
    ]);
    for (n, pieces) in [(1022, 0), (1023, 1), (1024, 1), (2100, 2)] {
        let loaded = run(&format!("{}\nuse_pid_dir\n", "x".repeat(n)));
        let long = loaded
            .diagnostics
            .iter()
            .filter(|d| d.message.contains("too long"))
            .count();
        assert_eq!((loaded.exit_status(), long), (5, pieces), "{n}");
    }
}

#[test]
fn braces() {
    check(&[
        ("global_defs\n# note\n{\nrouter_id a\n}\n", 0, &[]),
        ("global_defs{router_id a}\n", 0, &[]),
        (
            "vrrp_instance V { interface eth0\nvirtual_router_id 5\nvirtual_ipaddress { 192.0.2.5 } }\n",
            0,
            &[],
        ),
        ("global_defs { router_id a smtp_alert on }\n", 0, &[]),
        (
            "global_defs {\nrouter_id a}b\n",
            5,
            &["Unknown keyword 'b'"],
        ),
        (
            "vrrp_instance V {\ninterface eth0 virtual_router_id 5\nvirtual_ipaddress {\n192.0.2.5\n}\n}\n",
            5,
            &["(V) the virtual router id must be set"],
        ),
        ("<INSTANCE>\npriority 50 60 70\n}\n", 0, &[]),
        (
            "vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\nvirtual_ipaddress { 192.0.2.5 192.0.2.6 }\n}\n",
            5,
            &["Unknown configuration entry '192.0.2.6' for ip address - ignoring"],
        ),
        (
            "global_defs {\nnotification_email { a@x.org b@x.org }\n}\n",
            0,
            &[],
        ),
        (
            "Global_Defs {\n}\n",
            5,
            &[
                "Unknown keyword 'Global_Defs'",
                "Unexpected '{' - ignoring",
                "Extra '}'",
            ],
        ),
        (
            "vrrp_instance V\ninterface eth0\nvirtual_router_id 5\nvirtual_ipaddress {\n192.0.2.5\n}\n}\n",
            5,
            &["Missing '{'"],
        ),
        (
            "static_ipaddress\n192.0.2.5 dev eth0\n}\n",
            5,
            &["Missing '{'"],
        ),
        (
            "<INSTANCE>\n",
            5,
            &["There are 1 missing '}'s or extra '{'s"],
        ),
        ("global_defs {\n}\n}\n", 5, &["Extra '}' found"]),
        (
            "{\nuse_pid_dir\n}\n",
            5,
            &["Unexpected '{' - ignoring", "Extra '}'"],
        ),
        (
            "global_defs {\n{\nrouter_id a\n}\n",
            5,
            &["Unexpected '{' - ignoring"],
        ),
        (
            "<INSTANCE>\nbogus {\nx 1\n}\npriority 50\n}\n",
            5,
            &[
                "Unknown keyword 'bogus'",
                "Unexpected '{'",
                "Unknown keyword 'x'",
                "Unknown keyword 'priority'",
            ],
        ),
        (
            "vrrp_instance {\nbogus 1\n}\nbogus 2\n",
            5,
            &["vrrp_instance must have a name", "Unknown keyword 'bogus'"],
        ),
        (
            "global_defs {\nrouter_id a\n}\nglobal_defs {\nrouter_id b\n}\n",
            0,
            &[],
        ),
        (
            "<INSTANCE>\n}\n<INSTANCE>\n}\n",
            5,
            &["vrrp instance V already defined"],
        ),
    ]);
}

#[test]
fn numbers_and_booleans() {
    let priority = |p: &str| format!("<INSTANCE>\npriority {p}\n}}\n");
    for (value, status, says) in [
        ("0x32", 5, "invalid number '0x32'"),
        ("050", 0, ""),
        ("+50", 0, ""),
        ("\" 50\"", 0, ""),
        ("50x", 5, "invalid number '50x'"),
        ("-1", 5, "negative number '-1'"),
        ("50.0", 5, "invalid number '50.0'"),
        ("256", 5, "number '256' outside range [1, 255]"),
        ("99999999999999999999", 5, "outside unsigned integer range"),
    ] {
        let says: &[&str] = if says.is_empty() { &[] } else { &[says] };
        check(&[(&priority(value), status, says)]);
    }
    for (word, status) in [
        ("true", 0),
        ("on", 0),
        ("yes", 0),
        ("false", 0),
        ("off", 0),
        ("no", 0),
        ("", 0),
        ("TRUE", 5),
        ("Yes", 5),
        ("1", 5),
        ("0", 5),
        ("enable", 5),
    ] {
        let loaded = run(&format!("<INSTANCE>\nsmtp_alert {word}\n}}\n"));
        assert_eq!(loaded.exit_status(), status, "{word}");
    }
    check(&[
        ("<INSTANCE>\nversion 3\nadvert_int 0.25\n}\n", 0, &[]),
        ("<INSTANCE>\nversion 3\nadvert_int .5\n}\n", 0, &[]),
        ("<INSTANCE>\nversion 3\nadvert_int 1.\n}\n", 0, &[]),
        (
            "<INSTANCE>\nversion 3\nadvert_int 1e0\n}\n",
            5,
            &["invalid number '1e0'"],
        ),
        (
            "<INSTANCE>\nadvert_int 1.5\n}\n",
            5,
            &["(V) VRRPv2 advertisement interval 1.500000s must be an integer. rounding"],
        ),
        (
            "<INSTANCE>\nadvert_int \"\"\n}\n",
            5,
            &["number '' outside range [0.010000, 255.000000]"],
        ),
        (
            "global_defs {\nvrrp_garp_interval 0.1234567\n}\n",
            5,
            &["too many decimal places"],
        ),
        (
            "<INSTANCE>\npriority\n}\nbogus\n",
            2,
            &["*** Configuration line starting `priority` is missing a parameter"],
        ),
        ("<INSTANCE>\nskip_check_adv_addr false\n}\n", 0, &[]),
    ]);
}

#[test]
fn exit_classes() {
    check(&[
        (
            "vrrp_instance V {\ninterface nosuchif9\nvirtual_router_id 5\nvirtual_ipaddress {\n192.0.2.5\n}\n}\n",
            5,
            &["WARNING - interface nosuchif9 for vrrp_instance V doesn't exist"],
        ),
        (
            "linkbeat_interfaces {\nnosuchif9\n}\n",
            4,
            &["unknown interface nosuchif9 specified for linkbeat interface"],
        ),
        (
            "linkbeat_interfaces {\nnosuchif9\n}\nbogus\n",
            5,
            &["unknown interface"],
        ),
        (
            "bogus\nvrrp_script S {\nscript \"/usr/bin/true\"\n}\n<INSTANCE>\ntrack_script {\nS\n}\n}\n",
            6,
            &["Unknown keyword 'bogus'", "SECURITY VIOLATION"],
        ),
        (
            "net_namespace nosuchns\nbogus 1\n",
            0,
            &["cannot be entered"],
        ),
        (
            "vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\n}\n",
            5,
            &["(V) No VIP specified; at least one is sensible"],
        ),
    ]);
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    let machine = Machine::default();
    let none = load("none.conf", &options, &Disk::default(), &machine);
    assert_eq!(
        (none.exit_status(), none.outcome),
        (0, rk_config::Outcome::NoMainFile)
    );
    let strict = Options {
        strict_includes: true,
        ..options.clone()
    };
    assert_eq!(
        load("none.conf", &strict, &Disk::default(), &machine).exit_status(),
        4
    );
    let dir = Disk::default().with("sub/x", "");
    assert_eq!(load("sub", &options, &dir, &machine).exit_status(), 0);
    let two = Disk::default()
        .with("m1.conf", "use_pid_dir\n")
        .with("m2.conf", "bogus_2\n");
    let several = load("m*.conf", &options, &two, &machine);
    assert_eq!(several.exit_status(), 5);
    assert!(
        several
            .diagnostics
            .iter()
            .any(|d| d.message.contains("multiple configuration file"))
    );
    assert!(
        several
            .diagnostics
            .iter()
            .any(|d| d.message.contains("bogus_2"))
    );
}

#[test]
fn scripts() {
    let tracked = |script: &str| {
        format!(
            "<SECURE>\nvrrp_script S {{\nscript {script}\n}}\n<INSTANCE>\ntrack_script {{\nS\n}}\n}}\n"
        )
    };
    for (script, status) in [
        ("/usr/bin/true a b", 0),
        ("\"/usr/bin/test 'a b' = \\\"a b\\\"\"", 0),
        ("'/usr/bin/true a'", 0),
        ("\"/usr/bin/true a", 5),
        ("\"/nonexistent/x\"", 5),
        // Only keepalived 2.4 refuses a path through a symbolic link.
        ("\"/bin/true\"", 0),
    ] {
        let loaded = run(&tracked(script));
        assert_eq!(
            loaded.exit_status(),
            status,
            "{script}\n{}",
            messages(&loaded)
        );
    }
    check(&[
        (
            "global_defs {\nscript_user root\n}\nvrrp_script S {\nscript \"/usr/bin/true\"\n}\n<INSTANCE>\n}\n",
            6,
            &["SECURITY VIOLATION"],
        ),
        (
            "<SECURE>\nvrrp_script S {\nscript \"/usr/bin/true\"\n}\n<INSTANCE>\n}\n",
            0,
            &[],
        ),
        (
            "global_defs {\nenable_script_security\n}\n<INSTANCE>\nnotify /usr/bin/true root root\n}\n",
            0,
            &[],
        ),
        (
            "global_defs {\nenable_script_security\n}\n<INSTANCE>\nnotify /usr/bin/true nosuchuser9\n}\n",
            0,
            &["does not exist - not running it"],
        ),
        (
            "global_defs {\nenable_script_security\n}\n<INSTANCE>\nnotify /usr/bin/true\n}\n",
            5,
            &["Unable to set default user"],
        ),
        (
            "<INSTANCE>\ntrack_script {\nS\n}\n}\n<SECURE>\nvrrp_script S {\nscript \"/usr/bin/true\"\n}\n",
            5,
            &["(V) track script S not found, ignoring..."],
        ),
        (
            "static_routes {\ninet6 default via fe80::9 dev eth0\n}\n",
            5,
            &["Route must have a destination"],
        ),
        (
            "static_rules {\npriority 500 table 100 ipproto tcp sport 80\n}\n",
            5,
            &["invalid sport range 80"],
        ),
    ]);
}

#[test]
fn an_instance_that_lacks_what_it_needs_ends_the_daemon() {
    let other = "<INSTANCE>\n}\n";
    let lacking = |lines: &str| format!("{other}vrrp_instance W {{\n{lines}\n}}\n");
    let addresses = "virtual_ipaddress {\n192.0.2.6\n}";
    for lines in [
        format!("interface eth0\n{addresses}"),
        format!("interface eth0\nvirtual_router_id 300\n{addresses}"),
        format!("virtual_router_id 6\n{addresses}"),
        "interface eth0\nvirtual_router_id 6\nversion 3".to_owned(),
    ] {
        let loaded = run(&lacking(&lines));
        assert_eq!(loaded.outcome, rk_config::Outcome::Permanent, "{lines}");
        assert_eq!(loaded.exit_status(), 5, "{lines}");
        assert_eq!(loaded.config.instances.len(), 1, "{lines}");
    }
    let loaded = run(&lacking("interface eth0\nvirtual_router_id 6"));
    assert_eq!(loaded.outcome, rk_config::Outcome::Usable);
}

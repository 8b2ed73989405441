//! Every lint finds its failing example and is silent about the mended one; the cluster lint
//! reads the pairs in `data/lint`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use rk_config::lint::cluster::{self, Node};
use rk_config::lint::{self, Addresses, Subject};
use rk_config::{Class, Diagnostic, FileKind, Loaded, Options, Outcome, Severity, load};
use support::{Disk, Machine, messages};

const MAIN: &str = "/etc/keepalived/keepalived.conf";

/// A node with two networks and a directory that anybody may change.
fn machine(mode: u32) -> Machine {
    let mut machine = Machine::default().with_file(MAIN, mode);
    for (name, keeps) in [("eth2", false), ("eth3", true)] {
        machine.interfaces.insert(name.to_owned());
        machine.networkd.insert(name.to_owned(), keeps);
    }
    let open = (FileKind::Directory, 0o777);
    machine.files.insert("/opt/open".into(), open);
    machine
        .files
        .insert("/etc/ssl".into(), (FileKind::Directory, 0o755));
    machine
        .with_file("/opt/open/check", 0o755)
        .with_file("/etc/keepalived/ca.pem", 0o644)
        .with_file("/etc/keepalived/client.pem", 0o644)
        .with_file("/etc/keepalived/client.key", 0o600)
        .with_file("/etc/ssl/open.key", 0o644)
}

fn addresses() -> Addresses {
    let known = [
        ("eth0", "192.0.2.2/24"),
        ("eth1", "198.51.100.2/24"),
        ("lo", "127.0.0.1/8"),
    ];
    let prefix = |text: &str| vec![text.parse().unwrap()];
    known.map(|(n, a)| (n.to_owned(), prefix(a))).into()
}

fn read(text: &str, machine: &Machine) -> Loaded {
    let options = Options {
        test_mode: true,
        ..Options::default()
    };
    load(MAIN, &options, &Disk::default().with(MAIN, text), machine)
}

/// What loading and the lints say about a text in a file of `mode`.
fn run(text: &str, mode: u32) -> (Loaded, Vec<Diagnostic>) {
    let machine = machine(mode);
    let loaded = read(text, &machine);
    let addresses = addresses();
    let found = lint::check(&Subject {
        config: &loaded.config,
        files: &loaded.files,
        host: &machine,
        addresses: Some(&addresses),
    });
    (loaded, found)
}

fn show(found: &[Diagnostic]) -> String {
    let line = |d: &Diagnostic| d.place.map_or(0, |p| p.line);
    let all = found.iter();
    let lines = all.map(|d| format!("{} line {}: {}", d.code, line(d), d.message));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_lint_finds_its_example_and_not_the_mended_one() {
    for l in lint::all() {
        let (loaded, found) = run(l.bad, 0o644);
        let said = messages(&loaded);
        // A name that is not replaced leaves an instance without what it needs.
        let can_end = l.code.to_string() == "RK2703";
        assert!(
            loaded.outcome == Outcome::Usable || can_end,
            "{l:?} bad:\n{said}"
        );
        let mine: Vec<_> = found.iter().filter(|d| d.code == l.code).collect();
        assert!(
            !mine.is_empty(),
            "{l:?} finds nothing; others:\n{}\n{said}",
            show(&found)
        );
        for d in mine {
            assert_eq!(d.class, Class::Ok, "{l:?} counts for the exit status");
            assert_ne!(d.severity, Severity::Error, "{l:?}");
            assert!(d.help.is_some(), "{l:?} gives no help");
            let place = d.place.unwrap_or_else(|| panic!("{l:?} has no place"));
            assert!(place.len > 0, "{l:?} points at nothing");
        }
        let (loaded, found) = run(l.good, 0o600);
        let said = messages(&loaded);
        assert_eq!(loaded.outcome, Outcome::Usable, "{l:?} good:\n{said}");
        assert_eq!(show(&found), "", "{l:?}: the mended example is not clean");
    }
}

#[test]
fn mended_examples_load_without_mistakes() {
    for l in lint::all() {
        let (loaded, _) = run(l.good, 0o600);
        // Scripts without script security are status 6; the examples leave that out.
        let status = loaded.exit_status();
        assert!(matches!(status, 0 | 6), "{l:?}:\n{}", messages(&loaded));
    }
}

#[test]
fn numbers_and_names_are_unique() {
    let codes: Vec<_> = lint::all().map(|l| l.code).collect();
    assert!(codes.windows(2).all(|w| w[0] < w[1]), "{codes:?}");
    let names: BTreeSet<_> = lint::all().map(|l| l.name).collect();
    assert_eq!(names.len(), codes.len());
    for l in lint::all() {
        assert_eq!(lint::find(l.name).unwrap().code, l.code);
        assert_eq!(
            lint::find(&l.code.to_string().to_lowercase()).unwrap().code,
            l.code
        );
    }
    assert!(lint::find("RK0101").is_none());
}

#[test]
fn the_book_of_lints_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../doc/lints.md");
    let want = lint::book();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &want).unwrap();
    }
    let have = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        have == want,
        "doc/lints.md is out of date; run this test with BLESS=1"
    );
}

#[test]
fn a_finding_points_at_the_keyword_and_not_at_the_block() {
    let text = "vrrp_instance V {\n    interface eth0\n    virtual_router_id 10\n    \
                priority 100\n    advert_int 30 # long\n    virtual_ipaddress {\n        \
                192.0.2.10/24\n    }\n}\n";
    let (_, found) = run(text, 0o600);
    assert_eq!(
        show(&found),
        "RK2006 line 5: (V) a backup takes over 108.28 s after the last advert"
    );
    let place = found[0].place.unwrap();
    assert_eq!((place.column, place.len), (4, 13));
}

#[test]
fn a_writable_script_names_the_directory_and_its_mode() {
    let text = lint::find("script-writable").unwrap().bad;
    let (_, found) = run(text, 0o600);
    let d = found
        .iter()
        .find(|d| d.code.to_string() == "RK2401")
        .unwrap();
    assert_eq!(
        d.message,
        "script /opt/open/check runs as root, but others may change /opt/open; the directory has \
         mode 0777 and owner 0"
    );
    assert_eq!(d.help.as_deref(), Some("chmod go-w /opt/open"));
}

#[test]
fn nothing_is_said_about_networks_that_are_not_known() {
    let machine = machine(0o600);
    for l in lint::all() {
        let loaded = read(l.bad, &machine);
        let found = lint::check(&Subject {
            config: &loaded.config,
            files: &loaded.files,
            host: &machine,
            addresses: None,
        });
        let of_networks = ["RK2004", "RK2201", "RK2202", "RK2207"];
        let said = found.iter().map(|d| d.code.to_string());
        let said: Vec<_> = said.filter(|c| of_networks.contains(&&**c)).collect();
        assert!(said.is_empty(), "{l:?}: {said:?}");
    }
}

#[test]
fn many_instances_take_linear_time_and_few_findings() {
    let mut text = String::new();
    for n in 0..3000_u32 {
        let (a, b) = (n / 250, n % 250 + 1);
        text.push_str(&format!(
            "vrrp_instance V{n} {{\ninterface eth{}\nvirtual_router_id {b}\nadvert_int 30\n\
             mcast_src_ip 10.0.0.1\nunicast_peer {{\n10.1.{a}.{b}\n}}\n\
             virtual_ipaddress {{\n10.0.{a}.{b}\n}}\n}}\n",
            n % 2
        ));
    }
    let (_, found) = run(&text, 0o600);
    let slow: Vec<_> = found
        .iter()
        .filter(|d| d.code.to_string() == "RK2006")
        .collect();
    let (rest, shown): (Vec<&Diagnostic>, Vec<&Diagnostic>) =
        slow.into_iter().partition(|d| d.place.is_none());
    assert_eq!(shown.len(), 500);
    let text = "2500 more findings of slow-takeover are not shown";
    assert_eq!(rest[0].message, text);
}

#[test]
fn definitions_are_read_as_the_language_reads_them() {
    let text = "$A=${B}\n$B=1\n@node $C=2\n$M=\\\n  priority ${p} \\\n# why \\\n  advert_int $A $C\n\
                ~SEQ(p, 1, 2) vrrp_instance V$p {\n~LST({v, w}, {1, 2}) $v ${w}\n\
                weight $C\n$M\n}\nnotify \"/bin/sh -c 'echo $HOME'\"\n";
    let (_, found) = run(text, 0o600);
    let said = found
        .iter()
        .filter(|d| d.code.to_string().starts_with("RK27"));
    let said: Vec<_> = said.map(|d| d.message.clone()).collect();
    assert_eq!(said, Vec::<String>::new());
}

/// The findings about the files `text` of as many nodes, called a, b, c.
fn compare(texts: &[&str]) -> Vec<cluster::Finding> {
    let named: Vec<_> = ["a", "b", "c"].into_iter().zip(texts).collect();
    let named: Vec<_> = named.iter().map(|(n, t)| (*n, (**t).to_owned())).collect();
    compare_as(&named.iter().collect::<Vec<_>>())
}

/// The findings about nodes with these names, which are their configuration ids, too.
fn compare_as(named: &[&(&str, String)]) -> Vec<cluster::Finding> {
    let machine = machine(0o600);
    let loaded: Vec<_> = named
        .iter()
        .map(|(id, text)| {
            let options = Options {
                test_mode: true,
                config_id: Some((*id).to_owned()),
                ..Options::default()
            };
            let disk = Disk::default().with(MAIN, text.as_str());
            load(MAIN, &options, &disk, &machine)
        })
        .collect();
    for l in &loaded {
        assert_eq!(l.outcome, Outcome::Usable, "{}", messages(l));
        assert!(matches!(l.exit_status(), 0 | 6), "{}", messages(l));
    }
    let nodes: Vec<_> = named
        .iter()
        .zip(&loaded)
        .map(|((name, _), l)| Node {
            name,
            config: &l.config,
        })
        .collect();
    cluster::check(&nodes)
}

#[test]
fn pairs_of_files_are_compared() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/lint/cluster");
    let mut pairs: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    pairs.sort();
    assert!(pairs.len() >= 20);
    let mut seen = BTreeSet::new();
    for pair in pairs {
        let text = |name: &str| std::fs::read_to_string(pair.join(name)).unwrap_or_default();
        let both = text("both.conf");
        // One file for both nodes, which tells them apart by the configuration id; or a file for
        // each of two or three.
        let nodes: Vec<(&str, String)> = if both.is_empty() {
            let named = ["a", "b", "c"].map(|id| (id, text(&format!("{id}.conf"))));
            named.into_iter().filter(|(_, t)| !t.is_empty()).collect()
        } else {
            ["a", "b"].map(|id| (id, both.clone())).into()
        };
        let of = |order: &[usize]| {
            let nodes: Vec<_> = order.iter().map(|n| &nodes[*n]).collect();
            compare_as(&nodes)
        };
        let all: Vec<usize> = (0..nodes.len()).collect();
        let found = of(&all);
        for f in &found {
            seen.insert(f.code);
            assert!(!f.help.is_empty(), "{f}");
        }
        let said: String = found.iter().map(ToString::to_string).collect();
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(pair.join("findings.txt"), &said).unwrap();
        }
        assert_eq!(said, text("findings.txt"), "{}", pair.display());
        // Which node is named first changes the words only.
        let mut codes: Vec<_> = found.iter().map(|f| f.code).collect();
        let mut turned: Vec<_> = of(&[1, 0]).iter().map(|f| f.code).collect();
        codes.sort();
        turned.sort();
        if nodes.len() == 2 {
            assert_eq!(codes, turned, "{} turned round", pair.display());
        }
        // A node agrees with itself but for what must differ.
        for f in of(&[0, 0]) {
            let apart = ["RK2808", "RK2809", "RK2813", "RK2817"];
            assert!(
                apart.contains(&&*f.code.to_string()),
                "{}: {f}",
                pair.display()
            );
        }
    }
    for rule in cluster::RULES {
        let findings = rule.example.findings;
        let own = format!("[{}]: ", rule.code);
        assert!(findings.contains(&own), "{rule:?} is not in its example");
    }
    let unseen: Vec<_> = cluster::RULES
        .iter()
        .filter(|r| !seen.contains(&r.code))
        .collect();
    assert!(unseen.is_empty(), "no pair for {unseen:?}");
}

#[test]
fn three_nodes_are_compared_two_by_two_where_they_must_differ() {
    let node = |priority: u8, id: u8| {
        format!(
            "vrrp_instance V {{\ninterface eth0\nvirtual_router_id {id}\npriority {priority}\n\
             virtual_ipaddress {{\n192.0.2.10/24\n}}\n}}\n"
        )
    };
    let found = compare(&[&node(150, 10), &node(100, 11), &node(100, 11)]);
    let said: Vec<_> = found
        .iter()
        .map(|f| (f.code.to_string(), f.spots[1].node.clone()))
        .collect();
    let want = [("RK2802", "b"), ("RK2802", "c"), ("RK2808", "c")];
    assert_eq!(said, want.map(|(c, n)| (c.to_owned(), n.to_owned())));
}

#[test]
fn no_finding_shows_a_password() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/lint/cluster/07-password");
    let text = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    let found = compare(&[&text("a.conf"), &text("b.conf")]);
    assert_eq!(found.len(), 1);
    assert!(!format!("{found:?}").contains("k7Gm"));
}

#[test]
fn findings_about_one_line_of_a_sequence_are_told_once() {
    let text = "$VI=vrrp_instance V$id { \\\n  interface eth0 \\\n  virtual_router_id $id \\\n  \
                advert_int 30 \\\n  virtual_ipaddress { \\\n    192.0.2.$id \\\n  } \\\n}\n\
                ~SEQ(id, 10, 29) $VI\n";
    let (_, found) = run(text, 0o600);
    let slow = found.iter().filter(|d| d.code.to_string() == "RK2006");
    let said: Vec<_> = slow.map(|d| d.message.clone()).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].ends_with("; 19 more in this line are alike"),
        "{said:?}"
    );
}

#[test]
fn addresses_on_the_wrong_interface_are_told_of_once() {
    let text = "vrrp_instance V {\n    interface eth0\n    virtual_router_id 10\n    \
                virtual_ipaddress {\n        203.0.113.1\n        203.0.113.2\n        203.0.113.3\n        \
                192.0.2.10\n        203.0.113.4 dev eth1\n    }\n}\n";
    let (_, found) = run(text, 0o600);
    let said = "RK2201 line 5: (V) 203.0.113.1 is in no network of eth0, nor are 2 others\n\
                RK2201 line 9: (V) 203.0.113.4 is in no network of eth1";
    assert_eq!(show(&found), said);
}

#[test]
fn a_file_that_only_a_checker_follows_is_used() {
    let text = "track_file drain {\n    file /run/drain\n}\nvirtual_server 192.0.2.10 80 {\n    \
                lb_algo wlc\n    lb_kind NAT\n    protocol TCP\n    real_server 198.51.100.20 80 {\n        \
                FILE_CHECK {\n            track_file drain\n        }\n    }\n}\n";
    let (loaded, found) = run(text, 0o600);
    assert_eq!(loaded.exit_status(), 0, "{}", messages(&loaded));
    assert!(!show(&found).contains("RK2302"), "{}", show(&found));
}

#[test]
fn a_finding_about_a_sequence_points_at_its_line() {
    let text = "$VI=vrrp_instance V$id { \\\n  interface eth0 \\\n  virtual_router_id $id \\\n  \
                advert_int 30 \\\n  virtual_ipaddress { \\\n    192.0.2.$id \\\n  } \\\n}\n\
                ~SEQ(id, 10, 11) $VI\n\n\nvrrp_script x {\n    script /bin/true\n}\nadvert_int 1\n";
    let (_, found) = run(text, 0o600);
    let slow = found.iter().filter(|d| d.code.to_string() == "RK2006");
    let lines: Vec<_> = slow.map(|d| d.place.unwrap().line).collect();
    assert!(lines.iter().all(|l| *l <= 9), "{}", show(&found));
    assert_eq!(lines.len(), 2, "{}", show(&found));
}

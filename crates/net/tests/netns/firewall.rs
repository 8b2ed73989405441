//! The firewall's objects, judged by `nft`.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use rk_base::IfIndex;
use rk_net::firewall::{Family, Progress};
use rk_net::{Dropped, Firewall, FirewallError, FirewallSettings};
use serde_json::Value;

use crate::sandbox::sandboxed;

pub(crate) fn index(n: u32) -> IfIndex {
    IfIndex::new(n).unwrap()
}

pub(crate) fn dropped(on: IfIndex, addresses: &[&str]) -> BTreeSet<Dropped> {
    let one = |a: &&str| Dropped::new(a.parse().unwrap(), on);
    addresses.iter().map(one).collect()
}

pub(crate) fn nft(args: &[&str]) -> String {
    // It wants a line to end before each closing brace.
    let out = Command::new("nft")
        .args(
            args.iter()
                .map(|arg| arg.replace("; }", ";\n}\n").replace("} }", "}\n}\n")),
        )
        .output()
        .expect("nft(8) of nftables is needed");
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "nft {args:?}: {stderr}");
    String::from_utf8(out.stdout).unwrap()
}

/// The ruleset as `nft` shows it, without what only we put there: the comment of the table.
pub(crate) fn listed() -> String {
    let ours = |line: &&str| line.trim() != "comment \"rkeepalived\"";
    let text = nft(&["list", "ruleset"]);
    text.lines()
        .filter(ours)
        .map(|l| format!("{l}\n"))
        .collect()
}

/// The same as JSON, each object with its handle: made anew, it would have another.
fn objects() -> Vec<Value> {
    let ruleset: Value = serde_json::from_str(&nft(&["-j", "list", "ruleset"])).unwrap();
    let all = ruleset["nftables"].as_array().unwrap();
    let described = |o: &&Value| o.get("metainfo").is_none();
    all.iter().filter(described).cloned().collect()
}

/// The elements of a set, sorted, as text.
fn elements(family: &str, set: &str) -> Vec<String> {
    let objects = objects();
    let found = objects
        .iter()
        .map(|o| &o["set"])
        .find(|s| s["family"] == family && s["name"] == set)
        .unwrap_or_else(|| panic!("no set {set} in {objects:?}"));
    let text = |e: &Value| match e {
        Value::String(s) => s.clone(),
        e => {
            let parts = e["concat"].as_array().unwrap().iter();
            let parts: Vec<_> = parts.map(|p| p.as_str().unwrap()).collect();
            parts.join(" . ")
        }
    };
    let none = Vec::new();
    let all = found["elem"].as_array().unwrap_or(&none);
    let mut all: Vec<_> = all.iter().map(text).collect();
    all.sort();
    all
}

pub(crate) fn firewall() -> Firewall {
    Firewall::new(FirewallSettings::default())
}

#[test]
fn nothing_is_made_until_needed_and_nothing_is_left() {
    sandboxed(
        "firewall::nothing_is_made_until_needed_and_nothing_is_left",
        || {
            let mut firewall = firewall();
            firewall.set(&BTreeSet::new()).unwrap();
            assert_eq!(listed(), "");
            firewall.set(&dropped(index(1), &["192.0.2.1"])).unwrap();
            let text = listed();
            assert!(text.contains("table ip keepalived"), "{text}");
            assert!(!text.contains("table ip6"), "{text}");
            // Who looks at the tables sees whose they are.
            assert!(nft(&["list", "ruleset"]).contains("comment \"rkeepalived\""));
            firewall
                .set(&dropped(index(1), &["192.0.2.1", "fe80::1"]))
                .unwrap();
            assert!(listed().contains("table ip6 keepalived"));
            firewall.clear().unwrap();
            assert_eq!(listed(), "");
            // And begins anew after that.
            firewall.set(&dropped(index(1), &["192.0.2.1"])).unwrap();
            assert_eq!(elements("ip", "vips"), ["192.0.2.1"]);
            firewall.clear().unwrap();
            firewall.clear().unwrap();
            assert_eq!(listed(), "");
        },
    );
}

#[test]
fn only_the_difference_is_changed() {
    sandboxed("firewall::only_the_difference_is_changed", || {
        let lo = index(1);
        let mut firewall = firewall();
        let first = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "fe80::1"];
        firewall.set(&dropped(lo, &first)).unwrap();
        let before = objects();
        firewall.set(&dropped(lo, &first)).unwrap();
        assert_eq!(objects(), before);
        let second = ["192.0.2.2", "192.0.2.3", "2001:db8::2", "fe80::2"];
        firewall.set(&dropped(lo, &second)).unwrap();
        assert_eq!(elements("ip", "vips"), ["192.0.2.2", "192.0.2.3"]);
        assert_eq!(elements("ip6", "vips"), ["2001:db8::2"]);
        assert_eq!(elements("ip6", "vips_link_local"), ["fe80::2 . lo"]);
        // All but the elements is what it was, by its handle.
        let rest = |objects: Vec<Value>| -> Vec<Value> {
            let strip = |mut o: Value| {
                if let Some(set) = o
                    .get_mut("set")
                    .filter(|s| s["name"] != "neighbor-discovery")
                {
                    set.as_object_mut().unwrap().remove("elem");
                }
                o
            };
            objects.into_iter().map(strip).collect()
        };
        assert_eq!(rest(objects()), rest(before));
        // Tables stay when nothing is left in them, as keepalived's do.
        firewall.set(&BTreeSet::new()).unwrap();
        for (family, set) in [("ip", "vips"), ("ip6", "vips"), ("ip6", "vips_link_local")] {
            assert_eq!(elements(family, set), [""; 0]);
        }
    });
}

#[test]
fn the_settings_are_obeyed() {
    sandboxed("firewall::the_settings_are_obeyed", || {
        let mut firewall = Firewall::new(FirewallSettings {
            table: "other".into(),
            priority: -150,
            counters: true,
        });
        let both = dropped(index(1), &["192.0.2.1", "fe80::1"]);
        firewall.set(&both).unwrap();
        let objects = objects();
        for object in &objects {
            let (kind, inner) = object.as_object().unwrap().iter().next().unwrap();
            let name = if kind == "table" { "name" } else { "table" };
            assert_eq!(inner[name], "other", "{object}");
            if inner.get("hook").is_some() {
                assert_eq!(inner["prio"], -150);
            }
            if kind == "rule" {
                let expressions = inner["expr"].as_array().unwrap();
                assert!(
                    expressions.iter().any(|e| e.get("counter").is_some()),
                    "{object}"
                );
            }
        }
        assert!(nft(&["list", "tables"]).contains("table ip other"));
    });
}

#[test]
fn thousands_of_addresses_go_at_once_or_in_steps() {
    sandboxed(
        "firewall::thousands_of_addresses_go_at_once_or_in_steps",
        || {
            let mut firewall = firewall();
            let many = |n: u32| -> BTreeSet<Dropped> {
                let v4 = (0..n).map(|i| IpAddr::from((0x0a00_0000 + i).to_be_bytes()));
                let v6 = (0..n)
                    .map(|i| IpAddr::from((0x2001_0db8_u128 << 96 | u128::from(i)).to_be_bytes()));
                v4.chain(v6).map(|a| Dropped::new(a, index(1))).collect()
            };
            for (n, by) in [(1500, usize::MAX), (3, 100), (2500, 512), (0, usize::MAX)] {
                let mut steps = 1;
                while firewall.step(&many(n), by).unwrap() == Progress::More {
                    steps += 1;
                }
                let changed = if n == 2500 { 2 * 2497 } else { 2 * 1497 };
                let expected = if by == usize::MAX {
                    1
                } else {
                    usize::div_ceil(changed, by)
                };
                assert_eq!(steps, expected);
                for family in ["ip", "ip6"] {
                    assert_eq!(elements(family, "vips").len(), n as usize);
                }
            }
        },
    );
}

#[test]
fn leftovers_are_replaced_or_cleared() {
    sandboxed("firewall::leftovers_are_replaced_or_cleared", || {
        let lo = index(1);
        // A run that ended without a word ...
        let mut crashed = firewall();
        crashed
            .set(&dropped(lo, &["192.0.2.1", "2001:db8::1"]))
            .unwrap();
        drop(crashed);
        // ... leaves nothing behind for the next, which may clear at once or not.
        let mut next = firewall();
        next.set(&dropped(lo, &["192.0.2.9"])).unwrap();
        assert_eq!(elements("ip", "vips"), ["192.0.2.9"]);
        next.clear().unwrap();
        assert_eq!(listed(), "");
        // The same for one that keepalived would have left, and for an empty table.
        let shape = "table ip keepalived { set vips { type ipv4_addr; elements = { 192.0.2.7 }; }
            chain in { type filter hook input priority -1; ip daddr @vips drop; }
            chain out { type filter hook output priority -1; ip saddr @vips drop; } }";
        nft(&[shape]);
        nft(&["add table ip6 keepalived"]);
        next.set(&dropped(lo, &["192.0.2.9", "2001:db8::9"]))
            .unwrap();
        assert_eq!(elements("ip", "vips"), ["192.0.2.9"]);
        assert_eq!(elements("ip6", "vips"), ["2001:db8::9"]);
        next.clear().unwrap();
        nft(&[shape]);
        firewall().clear().unwrap();
        assert_eq!(listed(), "");
    });
}

#[test]
fn tables_of_others_are_left_alone() {
    sandboxed("firewall::tables_of_others_are_left_alone", || {
        let lo = index(1);
        nft(&[
            "table ip keepalived { chain in { type filter hook input priority 0; tcp dport 1 drop; } }",
        ]);
        nft(&["table inet keepalived { chain mine { accept; } }"]);
        let theirs = listed();
        let mut firewall = firewall();
        firewall.clear().unwrap();
        let error = firewall
            .set(&dropped(lo, &["192.0.2.1", "2001:db8::1"]))
            .unwrap_err();
        assert!(
            matches!(&error, FirewallError::Taken { family: Family::Ipv4, table, .. } if table == "keepalived"),
            "{error}"
        );
        assert!(
            error.to_string().contains("nft delete table ip keepalived"),
            "{error}"
        );
        assert_eq!(listed(), theirs);
        // The other family has its own table, and what is not needed does not matter.
        firewall.set(&dropped(lo, &["2001:db8::1"])).unwrap();
        assert_eq!(elements("ip6", "vips"), ["2001:db8::1"]);
        firewall.clear().unwrap();
        assert_eq!(listed(), theirs);
        // Once it is gone, the same call succeeds.
        nft(&["delete table ip keepalived"]);
        firewall.set(&dropped(lo, &["192.0.2.1"])).unwrap();
        assert_eq!(elements("ip", "vips"), ["192.0.2.1"]);
    });
}

#[test]
fn what_others_delete_comes_back_whole() {
    sandboxed("firewall::what_others_delete_comes_back_whole", || {
        let lo = index(1);
        let mut firewall = firewall();
        firewall
            .set(&dropped(lo, &["192.0.2.1", "fe80::1"]))
            .unwrap();
        let whole = listed();
        nft(&["flush ruleset"]);
        firewall
            .set(&dropped(lo, &["192.0.2.1", "192.0.2.2", "fe80::1"]))
            .unwrap();
        assert_eq!(elements("ip", "vips"), ["192.0.2.1", "192.0.2.2"]);
        assert_eq!(elements("ip6", "vips_link_local"), ["fe80::1 . lo"]);
        // Elements that others took out, and one table of two.
        nft(&["delete element ip keepalived vips { 192.0.2.2 }"]);
        firewall
            .set(&dropped(lo, &["192.0.2.1", "fe80::1"]))
            .unwrap();
        assert_eq!(listed(), whole);
        nft(&["delete table ip6 keepalived"]);
        firewall.set(&BTreeSet::new()).unwrap();
        let text = listed();
        assert!(
            !text.contains("elements = { 192") && !text.contains("fe80::1 "),
            "{text}"
        );
        firewall
            .set(&dropped(lo, &["192.0.2.1", "fe80::1"]))
            .unwrap();
        assert_eq!(elements("ip", "vips"), ["192.0.2.1"]);
        assert_eq!(elements("ip6", "vips_link_local"), ["fe80::1 . lo"]);
    });
}

#[test]
fn without_the_capability_it_says_so() {
    const NAME: &str = "firewall::without_the_capability_it_says_so";
    const WITHOUT: &str = "RK_NET_WITHOUT_NET_ADMIN";
    if std::env::var_os(WITHOUT).is_some() {
        let error = firewall()
            .set(&dropped(index(1), &["192.0.2.1"]))
            .unwrap_err();
        assert!(matches!(error, FirewallError::NotPermitted), "{error}");
        assert!(!error.retryable());
        return;
    }
    sandboxed(NAME, || {
        let out = Command::new("setpriv")
            .arg("--bounding-set=-net_admin")
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", NAME])
            .env(WITHOUT, "1")
            .output()
            .expect("setpriv(1) of util-linux is needed");
        let text = String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success() && text.contains("1 passed"), "{text}");
    });
}

#[test]
fn each_change_is_one_transaction() {
    sandboxed("firewall::each_change_is_one_transaction", || {
        use std::io::{BufRead, BufReader};
        use std::process::Stdio;
        let mut monitor = Command::new("nft")
            .arg("monitor")
            .stdout(Stdio::piped())
            .spawn()
            .expect("nft(8) of nftables is needed");
        let (sender, lines) = std::sync::mpsc::channel();
        let stdout = BufReader::new(monitor.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        // It listens once it reports one of these.
        let deadline = Instant::now() + Duration::from_secs(10);
        while lines.recv_timeout(Duration::from_millis(20)).is_err() {
            assert!(Instant::now() < deadline, "nft monitor reports nothing");
            nft(&["add table arp hello; delete table arp hello"]);
        }
        nft(&["add table arp begin"]);
        let lo = index(1);
        let mut firewall = firewall();
        for addresses in [
            &["192.0.2.1", "2001:db8::1", "fe80::1"][..],
            &["192.0.2.1", "2001:db8::1", "fe80::1"],
            &["192.0.2.2", "2001:db8::2", "fe80::2"],
            &[],
        ] {
            firewall.set(&dropped(lo, addresses)).unwrap();
        }
        firewall.clear().unwrap();
        nft(&["add table arp end"]);
        let mut seen = Vec::new();
        while !seen
            .last()
            .is_some_and(|l: &String| l.contains("table arp end"))
        {
            seen.push(lines.recv_timeout(Duration::from_secs(10)).unwrap());
        }
        monitor.kill().unwrap();
        monitor.wait().unwrap();
        reader.join().unwrap();
        let begin = seen
            .iter()
            .position(|l| l.contains("table arp begin"))
            .unwrap();
        let generations = seen[begin + 2..]
            .iter()
            .filter(|l| l.contains("new generation"));
        // The first, the third and the fourth `set`, and `clear`.
        assert_eq!(generations.count(), 4, "{seen:#?}");
    });
}

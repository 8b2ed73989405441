//! `nftables_ipvs`: groups of addresses behind one firewall mark each, as Debian's keepalived sets
//! them, in a guest whose kernel has nftables.

use std::time::Duration;

use rk_lab::{Daemon, Guest, Http, Node, Rivals, Which};

use crate::bed::{DEV, ours};

/// As [`crate::bed::SOON`], for a machine that is emulated, instruction by instruction.
const SOON: Duration = Duration::from_secs(90);

/// What the group's servers are behind.
const VIP: &str = "192.0.2.80";

fn global(more: &str) -> String {
    format!("global_defs {{\nnftables_ipvs\n{more}\n}}\n")
}

fn group(name: &str, entries: &str) -> String {
    format!("virtual_server_group {name} {{\n{entries}\n}}\n")
}

fn server(service: &str, method: &str, protocol: &str, real: &str) -> String {
    format!(
        "virtual_server {service} {{
            lvs_sched rr
            lvs_method {method}
            protocol {protocol}
            real_server {real} {{
                weight 3
            }}
        }}\n"
    )
}

/// The first configuration, of everything that decides about a mark.
fn first() -> String {
    [
        global(""),
        group("web", &format!("{VIP} 80\n192.0.2.81-85 443")),
        group("six", "2001:db8:1::1 80\n2001:db8:1::10-12 443"),
        group("own", "192.0.2.90 80\nfwmark 77"),
        group("tunnelled", "192.0.2.91 80\n2001:db8:1::91 80"),
        server("group web", "NAT", "TCP", "10.0.0.11 80"),
        server("group web", "NAT", "UDP", "10.0.0.11 80"),
        server("group six", "DR", "TCP", "2001:db8:2::11 80"),
        server("group own", "NAT", "TCP", "10.0.0.11 80"),
        server("group tunnelled", "TUN", "SCTP", "10.0.0.11 80"),
        server("192.0.2.92 80", "NAT", "TCP", "10.0.0.11 80"),
    ]
    .concat()
}

/// What it becomes: entries come and go, a virtual server goes, another comes.
fn second() -> String {
    [
        global(""),
        group(
            "web",
            &format!("{VIP} 80\n192.0.2.83-87 443\n192.0.2.88 81"),
        ),
        group("six", "2001:db8:1::1 80"),
        group("new", "192.0.2.93 80"),
        server("group new", "NAT", "TCP", "10.0.0.11 80"),
        server("group web", "NAT", "TCP", "10.0.0.11 80"),
        server("group six", "DR", "TCP", "2001:db8:2::11 80"),
    ]
    .concat()
}

/// The rules of a node as `nft` lists them: tables, maps and rules in an order of their own, and
/// without our signature, which keepalived has not.
fn rules(node: &Node) -> String {
    let text = node.net_sh("nft list ruleset");
    let kept = text
        .lines()
        .filter(|line| !line.contains("comment \"rkeepalived\""));
    let kept: Vec<&str> = kept.collect();
    let mut tables: Vec<String> = kept
        .split_inclusive(|line| *line == "}")
        .map(|table| {
            let mut blocks: Vec<String> = table
                .split(|line| line.is_empty())
                .map(|block| {
                    // Elements have no order, and each rule is for another protocol.
                    let (mut some, rest): (Vec<&str>, Vec<&str>) = block
                        .iter()
                        .map(|line| line.trim_start_matches("\t\telements = {"))
                        .map(|line| line.trim_matches([' ', '\t', ',', '}']))
                        .partition(|line| line.contains(" : 0x") || line.contains("meta mark set"));
                    some.sort_unstable();
                    [rest, some].concat().join("\n")
                })
                .collect();
            // The head of the table stands in the first block, its end in the last.
            let head = blocks[0].lines().next().unwrap_or_default().to_owned();
            for block in &mut blocks {
                *block = block
                    .replace(&head, "")
                    .replace("\n}", "")
                    .trim()
                    .to_owned();
            }
            blocks.sort();
            format!("{head}\n{}\n", blocks.join("\n"))
        })
        .collect();
    tables.sort();
    tables.concat()
}

#[track_caller]
fn same_rules(nodes: [&Node; 2], moment: &str) -> String {
    let wanted = rules(nodes[0]);
    let mut last = String::new();
    for _ in 0..100 {
        last = rules(nodes[1]);
        if last == wanted {
            return wanted;
        }
        rk_lab::pause(std::time::Duration::from_millis(50));
    }
    panic!("{moment}: keepalived has\n{wanted}\nthe other has\n{last}");
}

#[test]
fn groups_are_marked_as_by_keepalived_and_served() {
    Guest::debian().run(|| {
        let lab = crate::bed::lab("marks").expect("a guest can make namespaces");
        lab.bridge("front");
        lab.bridge("back");
        let (one, two) = (lab.node("one"), lab.node("two"));
        let (client, real) = (lab.node("client"), lab.node("real"));
        for (number, node) in [(1, &one), (2, &two)] {
            lab.link("front", node, DEV, &[&format!("192.0.2.{number}/24")]);
            let back = [
                format!("10.0.0.{number}/24"),
                format!("2001:db8:2::{number}/64"),
            ];
            lab.link("back", node, "eth1", &[&back[0], &back[1]]);
        }
        lab.link("front", &client, DEV, &["192.0.2.9/24"]);
        lab.link("back", &real, DEV, &["10.0.0.11/24"]);
        real.sh("ip route add default via 10.0.0.2");
        two.sh(&format!(
            "echo 1 > /proc/sys/net/ipv4/ip_forward && ip address add {VIP}/32 dev {DEV}"
        ));
        let _http = Http::start(&real, "0.0.0.0:80", "real");

        let mut rivals = Rivals::start([&one, &two], ours(), &first());
        let table = rivals.same_ipvs("at the start").to_string();
        assert!(table.contains("-A -f 1000 -s rr") && table.contains("-A -f 1003 -6 -s rr"));
        let marked = same_rules([&one, &two], "at the start");
        assert!(
            marked.contains("192.0.2.81-192.0.2.85 . 443 : 0x000003e8"),
            "{marked}"
        );
        // There is no other service for it than that of the mark.
        let answer = client.sh(&format!("curl -s --max-time 10 http://{VIP}/"));
        assert_eq!(answer.trim(), "real");

        // The dumps name the marks.
        let marks = |node: &Node| {
            let text = rk_lab::eventually(SOON, "the end of a dump", || {
                let text = node.read("/tmp/keepalived_check.data")?;
                text.contains("VS VIP").then_some(text)
            });
            let lines = text.lines().filter(|line| {
                line.contains("ipvs nftables")
                    || line.contains("Fwmark")
                    || line.contains("Group =")
            });
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        rivals.reference().signal("USR1");
        rivals.other().signal("USR1");
        assert_eq!(marks(&one), marks(&two));
        assert!(marks(&two).contains(&"  Fwmark TCP: 1000 UDP: 1001 SCTP: 0".to_owned()));

        rivals.reload(&second());
        rivals.same_ipvs("after the reload");
        let marked = same_rules([&one, &two], "after the reload");
        assert!(marked.contains("192.0.2.93 . 80 : 0x000003ec"), "{marked}");
        let answer = client.sh(&format!("curl -s --max-time 10 http://{VIP}/"));
        assert_eq!(answer.trim(), "real");

        if ours() == Which::Rkeepalived {
            // keepalived's stay away for good.
            two.sh("nft flush ruleset");
            rivals.other().signal("HUP");
            rk_lab::eventually(SOON, "rules that somebody flushed", || {
                // Without the maps that nothing uses any more.
                let all = rules(&two);
                let mut elements = marked.lines().filter(|line| line.contains(" : 0x"));
                elements.all(|element| all.contains(element)).then_some(())
            });
            assert_eq!(rivals.other().count("somebody else removed our tables"), 1);
        }
        rivals.stop();
        assert_eq!([rules(&one), rules(&two)], ["", ""], "after the stop");

        if ours() == Which::Rkeepalived {
            somebody_elses_table(&two, &client);
        }
    });
}

/// What is in the way is named, with what to do; other services are served all the same.
fn somebody_elses_table(node: &Node, client: &Node) {
    node.sh("nft add table ip keepalived_ipvs && nft add chain ip keepalived_ipvs mine");
    let conf = [
        global("nftables_ipvs_start_fwmark 5"),
        group("web", "192.0.2.93 80"),
        server("group web", "NAT", "TCP", "10.0.0.11 80"),
        server(&format!("{VIP} 80"), "NAT", "TCP", "10.0.0.11 80"),
    ]
    .concat();
    let mut daemon = Daemon::start(node, Which::Rkeepalived, &conf);
    daemon.wait_for_line(
        "is somebody else's: configure another name with `nftables_ipvs NAME`",
        SOON,
    );
    node.wait_ipvs("both services", SOON, |table| table.lines().len() == 4);
    let answer = client.sh(&format!("curl -s --max-time 10 http://{VIP}/"));
    assert_eq!(answer.trim(), "real");
    // Out of the way, it works without a word to the daemon.
    node.sh("nft delete table ip keepalived_ipvs");
    daemon.wait_for_line("packets are marked now", SOON);
    assert!(rules(node).contains("192.0.2.93 . 80 : 0x00000005"));
    daemon.stop();
    assert_eq!(rules(node), "");
}

/// The kernel's table is in a namespace of its own, through which the clients come: there packets
/// are marked, and nowhere else.
#[test]
fn packets_are_marked_where_the_table_is() {
    Guest::debian().run(|| {
        let lab = crate::bed::lab("marks").expect("a guest can make namespaces");
        lab.bridge("front");
        lab.bridge("back");
        let (client, real) = (lab.node("client"), lab.node("real"));
        lab.link("front", &client, DEV, &["192.0.2.9/24"]);
        lab.link("back", &real, DEV, &["10.0.0.11/24"]);
        real.sh("ip route add default via 10.0.0.1");
        let _http = Http::start(&real, "0.0.0.0:80", "real");
        let conf = [
            "net_namespace_ipvs low\n".to_owned(),
            global(""),
            group("web", &format!("{VIP} 80")),
            server("group web", "NAT", "TCP", "10.0.0.11 80"),
        ]
        .concat();
        for which in [Which::Keepalived, ours()] {
            let node = lab.node("director");
            lab.link("front", &node, DEV, &[]);
            lab.link("back", &node, "eth1", &[]);
            node.sh(&format!(
                "set -e
                mkdir -p /run/netns
                ip netns add low
                ip link set {DEV} netns low
                ip link set eth1 netns low
                ip -n low link set {DEV} up
                ip -n low link set eth1 up
                ip -n low address add {VIP}/24 dev {DEV}
                ip -n low address add 10.0.0.1/24 dev eth1
                ip netns exec low sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
                modprobe ip_vs"
            ));
            // The director before it had the same addresses.
            for neighbour in [&client, &real] {
                neighbour.sh(&format!("ip neighbour flush dev {DEV}"));
            }
            let low = |command: &str| node.sh(&format!("ip netns exec low {command}"));
            let mut daemon = Daemon::start(&node, which, &conf);
            rk_lab::eventually(SOON, "the service of the mark", || {
                low("ipvsadm -Sn")
                    .contains("-A -f 1000 -s rr")
                    .then_some(())
            });
            let marks = |rules: &str| rules.contains("192.0.2.80 . 80 : 0x000003e8");
            let places = || {
                (
                    marks(&node.sh("nft list ruleset")),
                    marks(&low("nft list ruleset")),
                )
            };
            let answer = || {
                let output = client.try_sh(&format!("curl -s --max-time 5 http://{VIP}/"));
                String::from_utf8_lossy(&output.stdout).trim().to_owned()
            };
            rk_lab::eventually(SOON, &format!("{which:?}: marks"), || {
                (places() == (false, true)).then_some(())
            });
            assert_eq!(answer(), "real", "{which:?}");
            assert!(daemon.stop().success());
            assert_eq!(places(), (false, false), "{which:?}");
            assert_eq!(low("ipvsadm -Sn"), "", "{which:?}");
        }
    });
}

//! What `global_defs` and the command line say about the table as a whole, beside keepalived.

use std::collections::BTreeSet;
use std::time::Duration;

use rk_lab::{Daemon, Guest, IpvsTable, Lab, Node, Which};

use crate::bed::SOON;

/// One service with two servers.
const SERVICE: &str = "virtual_server 10.9.0.1 80 {
    lvs_sched rr
    lvs_method NAT
    protocol TCP
    real_server 10.9.1.1 80 {
    }
    real_server 10.9.1.2 80 {
        weight 2
    }
}";
/// What somebody else has put into the table.
const FOREIGN: &str = "-A -t 10.9.9.9:99 -s wlc";
/// The same service as ours, with another scheduler and a server more: what a run left behind.
const LEFT: [&str; 2] = [
    "-A -t 10.9.0.1:80 -s wlc",
    "-a -t 10.9.0.1:80 -r 10.9.1.3:80 -m",
];

fn guest() -> Guest {
    Guest::new().deadline(Duration::from_mins(2))
}

fn lab() -> (Lab, [Node; 2]) {
    let lab = crate::bed::lab("options").expect("a guest can make namespaces");
    let nodes = ["one", "two"].map(|name| {
        let node = lab.node(name);
        node.void("eth0", &["10.77.0.1/24"]);
        node.sh("modprobe ip_vs");
        node
    });
    (lab, nodes)
}

fn configuration(global: &str) -> String {
    format!("global_defs {{\n{global}\n}}\n{SERVICE}\n")
}

/// What a daemon leaves at each step of its life.
#[derive(Debug, PartialEq)]
struct Life {
    started: IpvsTable,
    reloaded: Option<IpvsTable>,
    stopped: IpvsTable,
}

/// Lets a daemon run on a table that is as `before` makes it.
#[track_caller]
fn live(node: &Node, which: Which, before: &[&str], words: &[&str], confs: &[String]) -> Life {
    for rule in before {
        node.ipvsadm(&rule.split(' ').collect::<Vec<_>>());
    }
    node.write("/etc/keepalived/keepalived.conf", confs[0].as_bytes());
    let mut daemon = Daemon::start_as_is(node, which, words);
    daemon.wait_for_line("Gained quorum", SOON);
    let started = daemon.settled_ipvs();
    let reloaded = confs.get(1).map(|second| {
        daemon.reload(second);
        daemon.wait_for_line("Reloading", SOON);
        daemon.settled_ipvs()
    });
    assert!(daemon.stop().success());
    let stopped = node.ipvs();
    node.clear_ipvs();
    Life {
        started,
        reloaded,
        stopped,
    }
}

/// Both live alike; how.
#[track_caller]
fn alike(nodes: &[Node; 2], before: &[&str], words: &[&str], confs: &[String]) -> Life {
    let theirs = live(&nodes[0], Which::Keepalived, before, words, confs);
    let mine = live(&nodes[1], Which::Rkeepalived, before, words, confs);
    assert_eq!(theirs, mine, "{words:?} {confs:?}");
    mine
}

#[test]
fn what_is_left_and_what_is_flushed() {
    guest().run(|| {
        let (_lab, nodes) = lab();
        // -I: all of it stays.
        let plain = [configuration("")];
        let life = alike(&nodes, &[], &["-I"], &plain);
        assert_eq!(life.stopped, life.started);
        assert_eq!(life.started.lines().len(), 3);

        // Without it, what is ours goes, and what is somebody else's stays.
        let life = alike(&nodes, &[FOREIGN], &[], &plain);
        assert_eq!(life.started.lines().len(), 4);
        assert_eq!(life.stopped.lines(), [FOREIGN]);

        // lvs_flush: nobody else's, and nothing that an earlier run left.
        let flush = [configuration("lvs_flush")];
        let left = [FOREIGN, LEFT[0], LEFT[1]];
        let life = alike(&nodes, &left, &[], &flush);
        assert_eq!(life.started.lines().len(), 3);
        assert!(life.stopped.is_empty());

        // lvs_flush_on_stop: everything, or ours with whatever somebody added to it.
        let life = alike(
            &nodes,
            &[FOREIGN],
            &[],
            &[configuration("lvs_flush_on_stop")],
        );
        assert_eq!(life.started.lines().len(), 4);
        assert!(life.stopped.is_empty());
        let own = [configuration("lvs_flush_on_stop VS")];
        let life = alike(&nodes, &[FOREIGN], &[], &own);
        assert_eq!(life.stopped.lines(), [FOREIGN]);
        // And -I is stronger than both.
        let life = alike(&nodes, &[], &["-I"], &own);
        assert_eq!(life.stopped, life.started);
    });
}

#[test]
fn timeouts_and_synchronisation() {
    guest().run(|| {
        let (_lab, nodes) = lab();
        // Some of the timeouts, then others; at the end the kernel's own.
        let confs = [
            configuration("lvs_timeouts tcp 700 udp 60"),
            configuration("lvs_timeouts tcpfin 30 udp 90"),
        ];
        let life = alike(&nodes, &[], &[], &confs);
        let timeouts = |table: &IpvsTable| table.settings()[0].clone();
        assert_eq!(
            timeouts(&life.started),
            "Timeout (tcp tcpfin udp): 700 120 60"
        );
        let reloaded = life.reloaded.as_ref().expect("a reload");
        assert_eq!(timeouts(reloaded), "Timeout (tcp tcpfin udp): 900 30 90");
        assert_eq!(
            timeouts(&life.stopped),
            "Timeout (tcp tcpfin udp): 900 120 300"
        );

        // Without an instance both daemons run, whoever is the Master; -I stops them all the same.
        let confs = [
            configuration("lvs_sync_daemon eth0 id 7 maxlen 1400 port 8849 ttl 2 group 224.0.0.88"),
            configuration("lvs_sync_daemon eth0 id 8"),
        ];
        for words in [&[][..], &["-I"]] {
            let life = alike(&nodes, &[], words, &confs);
            let reloaded = life.reloaded.as_ref().expect("a reload");
            for (table, id) in [(&life.started, 7), (reloaded, 8)] {
                let syncing = format!("syncid={id}");
                let both = table.settings().iter().filter(|l| l.contains(&syncing));
                assert_eq!(both.count(), 2, "{table}");
            }
            assert_eq!(life.stopped.settings().len(), 1, "{}", life.stopped);
        }
    });
}

/// The receive buffers of all sockets for links and addresses on a node.
fn rooms(node: &Node) -> BTreeSet<u32> {
    let all = node.sh("ss --no-header -f netlink -a -m -p");
    let of_line = |line: &str| {
        let (_, room) = line.split_once("skmem:(")?.1.split_once(",rb")?;
        room.split(',').next()?.parse().ok()
    };
    let of_programs = |line: &&str| line.contains("rtnl:") && !line.contains("rtnl:kernel");
    let lines = all.lines().filter(of_programs);
    lines.filter_map(of_line).collect()
}

#[test]
fn the_socket_that_follows_addresses_has_the_room_that_it_is_given() {
    guest().modules(&["netlink_diag"]).run(|| {
        let (_lab, nodes) = lab();
        let text = |more: &str| {
            let global = format!("lvs_netlink_monitor_rcv_bufs {more}");
            let suspended =
                configuration(&global).replacen("lvs_sched", "ha_suspend\nlvs_sched", 1);
            suspended.replacen("weight 2", "weight 2\nTCP_CHECK {\n}", 1)
        };
        // The kernel doubles what it is asked for, and has a limit unless it is forced.
        let steps = [
            ("100000", 200_000),
            ("5000000", 2 * 212_992),
            ("5000000\nlvs_netlink_monitor_rcv_bufs_force", 10_000_000),
        ];
        for (node, which) in [
            (&nodes[0], Which::Keepalived),
            (&nodes[1], Which::Rkeepalived),
        ] {
            for (more, room) in steps {
                let mut daemon = Daemon::start(node, which, &text(more));
                rk_lab::eventually(SOON, &format!("{which:?}: {more}"), || {
                    (rooms(node) == BTreeSet::from([room])).then_some(())
                });
                daemon.stop();
            }
        }
        // A reload changes ours as well, and addresses that come behind it are seen.
        let (node, which) = (&nodes[1], Which::Rkeepalived);
        let mut daemon = Daemon::start(node, which, &text(steps[0].0));
        daemon.wait_for_line("Deactivating", SOON);
        daemon.reload(&text(steps[2].0));
        rk_lab::eventually(SOON, "a larger one", || {
            (rooms(node) == BTreeSet::from([steps[2].1])).then_some(())
        });
        node.sh("ip address add 10.9.0.1/32 dev eth0");
        daemon.wait_for_line("Activating", SOON);
        daemon.stop();
    });
}

/// Without the VRRP process nobody has the daemons that an instance would have: none is left of
/// those that the checker process had. (keepalived leaves them for ever at such a reload; what it
/// does at a start is the model.)
#[test]
fn an_instance_without_its_process_synchronises_nothing() {
    guest().run(|| {
        let (_lab, nodes) = lab();
        let instance = "vrrp_instance VI_1 {
            interface eth0
            virtual_router_id 51
            virtual_ipaddress {
                10.77.0.100
            }
        }";
        let text = |line: &str| format!("{}{instance}\n", configuration(line));
        let (own, followed) = (
            text("lvs_sync_daemon eth0 id 7"),
            text("lvs_sync_daemon eth0 VI_1 id 7"),
        );
        let back = [followed.clone(), own.clone()];
        let life = alike(&nodes, &[], &["-C"], &back);
        let nothing = life.started.settings();
        assert_eq!(nothing.len(), 1, "{}", life.started);
        let reloaded = life.reloaded.as_ref().expect("a reload");
        assert_eq!(reloaded.settings().len(), 3, "{reloaded}");

        let there = [own, followed];
        let life = live(&nodes[1], Which::Rkeepalived, &[], &["-C"], &there);
        assert_eq!(life.started.settings(), reloaded.settings());
        let gone = life.reloaded.as_ref().expect("a reload");
        assert_eq!(gone.settings(), nothing, "{gone}");
    });
}

/// keepalived gives every client of such a group a server of its own, whatever is configured.
#[test]
fn clients_of_a_group_count_as_one_as_far_as_configured() {
    guest().run(|| {
        let (_lab, nodes) = lab();
        let text = |heading: &str| {
            format!(
                "virtual_server_group G {{
                    fd00::10 80
                }}
                virtual_server {heading} {{
                    lvs_sched rr
                    lvs_method NAT
                    protocol TCP
                    persistence_timeout 60
                    persistence_granularity 64
                    real_server fd00::21 80 {{
                    }}
                }}\n"
            )
        };
        let plain = alike(&nodes, &[], &[], &[text("fd00::10 80")]);
        assert!(plain.started.lines()[0].ends_with("-p 60 -M 64"));
        let group = live(&nodes[1], Which::Rkeepalived, &[], &[], &[text("group G")]);
        assert_eq!(group.started, plain.started);
        let theirs = live(&nodes[0], Which::Keepalived, &[], &[], &[text("group G")]);
        assert!(!theirs.started.lines()[0].contains("-M"));
    });
}

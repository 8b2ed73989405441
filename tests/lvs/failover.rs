//! Connections that are there already: across a failed check, and across a failover.

use std::time::Duration;

use rk_lab::{Daemon, Guest, Node, Which};

use crate::bed::{DEV, SOON};
use crate::lvs::bed::{Cluster, Method, SERVICE, VIP};
use crate::lvs::client::{Drip, Load};
use crate::lvs::traffic::check;

/// The longest a failed check, or a dead director, may go unnoticed in a slow guest.
const NOTICED: Duration = Duration::from_secs(20);

/// A server whose check fails while it still serves: with `inhibit_on_failure` it keeps what it
/// has and gets nothing new, and no request is lost.
fn inhibited(which: Which) {
    let cluster = Cluster::new(Method::Dr, 1);
    let director = &cluster.directors[0];
    let check = format!("inhibit_on_failure\n{}", check());
    let configuration = cluster.configuration("delay_loop 1", &check);
    let mut daemon = Daemon::start(director, which, &configuration);
    cluster.wait_servers(director, &[1, 2, 3, 4], SOON);

    // One long answer from each server.
    let drips: Vec<Drip> = (0..4).map(|_| Drip::start(&cluster.client)).collect();
    let load = Load::start(&cluster.client);
    load.wait_more(8);
    cluster.servers[1].fail_check();
    cluster.wait_servers(director, &[1, 3, 4], NOTICED);
    let table = director.ipvs();
    assert_eq!(table.destinations(SERVICE).len(), 4, "{table}");
    // What was on its way when the weight changed has arrived behind the first of these.
    load.wait_more(1);
    let since = load.answers().len();
    load.wait_more(12);
    for drip in &drips {
        assert!(drip.goes_on());
    }
    cluster.servers[1].pass_check();
    cluster.wait_servers(director, &[1, 2, 3, 4], NOTICED);

    let during: Vec<_> = load.answers()[since..since + 12].to_vec();
    assert!(!during.contains(&Ok("server2".to_owned())), "{during:?}");
    let lost: Vec<_> = load.stop().into_iter().filter_map(Result::err).collect();
    assert!(lost.is_empty(), "{lost:?}");
    daemon.stop();
}

/// Whether the directors tell each other about connections.
#[derive(Clone, Copy, PartialEq)]
enum Sync {
    Yes,
    No,
}

/// The master loses its cable in the middle of a long answer. With the synchronisation daemon the
/// answer goes on through the other director; without it, it cannot.
fn failover(which: Which, sync: Sync) {
    let cluster = Cluster::new(Method::Dr, 2);
    let [one, two] = &cluster.directors[..] else {
        unreachable!("two were asked for")
    };
    // Each tells the other about a connection at its first packet, not at its third.
    for director in [one, two] {
        director.sh("modprobe ip_vs && echo 1 50 > /proc/sys/net/ipv4/vs/sync_threshold");
    }
    let global = match sync {
        Sync::Yes => format!("global_defs {{\nlvs_sync_daemon {DEV} VI_1 id 51\n}}\n"),
        Sync::No => String::new(),
    };
    let service = cluster.configuration("delay_loop 1", &check());
    let configuration = |priority: u8| {
        format!(
            "{global}
            vrrp_instance VI_1 {{
                state BACKUP
                interface {DEV}
                virtual_router_id 51
                priority {priority}
                advert_int 1
                virtual_ipaddress {{
                    {VIP}/32
                }}
            }}
            {service}"
        )
    };
    let mut first = Daemon::start(one, which, &configuration(150));
    let mut second = Daemon::start(two, which, &configuration(100));
    first.wait_state("VI_1", "MASTER", NOTICED);
    one.wait_address(DEV, VIP, true, SOON);
    for director in [one, two] {
        cluster.wait_servers(director, &[1, 2, 3, 4], SOON);
    }
    if sync == Sync::Yes {
        for (director, role) in [(one, "master"), (two, "backup")] {
            director.wait_ipvs(&format!("{role} synchronisation"), SOON, |table| {
                let daemon = format!("{role} sync daemon (mcast={DEV}, syncid=51");
                table
                    .settings()
                    .iter()
                    .any(|line| line.starts_with(&daemon))
            });
        }
    }

    let drip = Drip::start(&cluster.client);
    let connection = drip.local().to_string();
    if sync == Sync::Yes {
        rk_lab::eventually(SOON, "the connection known to the other director", || {
            let all = two.ipvsadm(&["-Lnc"]);
            let mut lines = all.lines();
            lines
                .any(|line| line.contains(&connection) && line.contains("ESTABLISHED"))
                .then_some(())
        });
    }
    assert!(drip.goes_on());
    cluster.cables[0].pull();
    second.wait_state("VI_1", "MASTER", NOTICED);
    two.wait_address(DEV, VIP, true, SOON);
    assert_eq!(drip.goes_on(), sync == Sync::Yes);
    let answers = cluster.ask(8);
    assert_eq!((answers.by.len(), answers.lost), (4, 0), "{answers:?}");
    if sync == Sync::Yes {
        two.wait_ipvs("master synchronisation", SOON, |table| {
            let mut daemons = table.settings().iter();
            daemons.any(|line| line.starts_with("master sync daemon"))
        });
    }

    second.stop();
    first.stop();
    for director in [one, two] {
        let left = director.ipvs();
        assert!(left.is_empty(), "{left}");
        assert_eq!(left.settings().len(), 1, "{left}");
    }
}

/// What a node synchronises as: `master` or `backup` with an id, or both, if at all.
#[track_caller]
fn wait_roles(node: &Node, roles: &[(&str, u8)]) {
    let wanted: Vec<String> = roles
        .iter()
        .map(|(role, id)| format!("{role} sync daemon (mcast={DEV}, syncid={id},"))
        .collect();
    node.wait_ipvs(&format!("{roles:?} synchronisation"), SOON, |table| {
        let daemons = &table.settings()[1..];
        daemons.len() == wanted.len()
            && (daemons.iter().zip(&wanted)).all(|(line, start)| line.starts_with(start))
    });
}

/// The synchronisation follows the state of its instance, and a reload.
fn follows(which: Which) {
    let lab = crate::bed::lab("sync").expect("a guest can make namespaces");
    let node = lab.node("one");
    node.void(DEV, &["192.0.2.1/24"]);
    lab.bridge("lan");
    lab.link("lan", &node, "vrrp0", &["10.77.0.1/24"]);
    node.sh("modprobe ip_vs");
    let configuration = |line: &str| {
        format!(
            "global_defs {{
                {line}
            }}
            vrrp_instance VI_1 {{
                interface vrrp0
                virtual_router_id 51
                priority 100
                advert_int 1
                virtual_ipaddress {{
                    10.77.0.100/24
                }}
            }}
            virtual_server 10.77.0.100 80 {{
                lvs_sched rr
                lvs_method NAT
                protocol TCP
                real_server 10.77.0.7 80 {{
                }}
            }}"
        )
    };
    let line = format!("lvs_sync_daemon {DEV} inst VI_1");
    let mut daemon = Daemon::start(&node, which, &configuration(&line));
    wait_roles(&node, &[("backup", 51)]);
    wait_roles(&node, &[("master", 51)]);
    node.sh("ip link set vrrp0 down");
    daemon.wait_state("VI_1", "FAULT", SOON);
    wait_roles(&node, &[("backup", 51)]);
    node.sh("ip link set vrrp0 up");
    wait_roles(&node, &[("master", 51)]);
    // keepalived's own reload goes wrong here in several ways.
    if which == Which::Rkeepalived {
        daemon.reload(&configuration(&format!("{line} id 9 ttl 3")));
        wait_roles(&node, &[("master", 9)]);
        daemon.reload(&configuration(&line.replace("VI_1", "VI_2")));
        daemon.wait_for_line("lvs_sync_daemon: there is no instance VI_2", SOON);
        wait_roles(&node, &[]);
        daemon.reload(&configuration(&line));
        wait_roles(&node, &[("master", 51)]);
        daemon.reload(&configuration(""));
        wait_roles(&node, &[]);
        daemon.reload(&configuration(&line));
        wait_roles(&node, &[("master", 51)]);
        // Without an instance it is the checker process that has them: neither takes away what
        // the other has just put in, whether the id is another or the same.
        for id in [51, 7] {
            daemon.reload(&configuration(&format!("lvs_sync_daemon {DEV} id {id}")));
            wait_roles(&node, &[("master", id), ("backup", id)]);
            daemon.reload(&configuration(&line));
            wait_roles(&node, &[("master", 51)]);
        }
    }
    assert!(daemon.stop().success());
    wait_roles(&node, &[]);

    // The deprecated form, which has no id of its own.
    let deprecated = configuration("").replace(
        "virtual_router_id 51",
        &format!("virtual_router_id 51\nlvs_sync_daemon_interface {DEV}"),
    );
    let mut daemon = Daemon::start(&node, which, &deprecated);
    wait_roles(&node, &[("backup", 0)]);
    wait_roles(&node, &[("master", 0)]);
    assert!(daemon.stop().success());
    wait_roles(&node, &[]);
}

/// The guest for a cluster with two directors.
fn guest() -> Guest {
    Guest::new().memory(512).deadline(Duration::from_mins(4))
}

#[test]
fn keepalived_inhibits_without_losing_a_request() {
    guest().run(|| inhibited(Which::Keepalived));
}

#[test]
fn keepalived_fails_over_with_its_connections() {
    guest().run(|| failover(Which::Keepalived, Sync::Yes));
}

#[test]
fn without_synchronisation_a_connection_ends_with_its_director() {
    guest().run(|| failover(Which::Keepalived, Sync::No));
}

#[test]
fn keepalived_synchronises_as_its_instance_says() {
    guest().run(|| follows(Which::Keepalived));
}

#[test]
fn rkeepalived_synchronises_as_its_instance_says() {
    guest().run(|| follows(Which::Rkeepalived));
}

#[test]
fn rkeepalived_inhibits_without_losing_a_request() {
    guest().run(|| inhibited(Which::Rkeepalived));
}

#[test]
fn rkeepalived_fails_over_with_its_connections() {
    guest().run(|| failover(Which::Rkeepalived, Sync::Yes));
}

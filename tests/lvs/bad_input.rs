//! What goes wrong with the table, and what goes on all the same.

use std::time::Duration;

use rk_lab::{Daemon, Guest, IpvsTable, Rivals, Which};

use crate::bed::SOON;

fn guest() -> Guest {
    Guest::new().deadline(Duration::from_mins(2))
}

const CONF: &str = "/etc/keepalived/keepalived.conf";

fn service(address: &str, scheduler: &str, servers: &str) -> String {
    format!(
        "virtual_server {address} {{
            lvs_sched {scheduler}
            lvs_method NAT
            protocol TCP
            {servers}
        }}\n"
    )
}

/// A server whose check fails at once and leaves a mark.
const FAILING: &str = "real_server 127.0.0.1 9 {
    warmup 0
    notify_down \"/usr/bin/touch /run/down\"
    TCP_CHECK {
        retry 0
        warmup 0
    }
}";
const SECURE: &str = "global_defs {\nenable_script_security\nscript_user root\n}\n";

#[test]
fn without_permission_the_checks_go_on() {
    guest().run(|| {
        let lab = crate::bed::lab("bad").expect("a guest can make namespaces");
        let node = lab.node("one");
        node.sh("ip link set lo up && modprobe ip_vs");
        let conf = SECURE.to_owned() + &service("10.9.0.1 80", "rr", FAILING);
        node.write(CONF, conf.as_bytes());
        let program = Which::Rkeepalived.program();
        let words = [
            "--bounding-set",
            "-net_admin",
            program,
            "-n",
            "-l",
            "-D",
            "-C",
            "-f",
            CONF,
        ];
        let mut daemon = node.spawn("setpriv", &words);
        daemon.wait_for_line("not permitted to use IPVS (CAP_NET_ADMIN", SOON);
        rk_lab::eventually(SOON, "the script of a failed check", || {
            node.read("/run/down")
        });
        assert!(daemon.is_running());
        assert_eq!(daemon.count("not permitted to use IPVS"), 1, "said once");
    });
}

#[test]
fn a_scheduler_that_the_kernel_has_not_is_named_with_its_place() {
    guest().run(|| {
        let lab = crate::bed::lab("bad").expect("a guest can make namespaces");
        let node = lab.node("one");
        node.sh("ip link set lo up && modprobe ip_vs ip_vs_rr && modprobe ip_vs_rr");
        // From here on the kernel finds no module.
        node.sh("echo /bin/false > /proc/sys/kernel/modprobe");
        let good = "real_server 10.9.1.1 80 {\n}";
        let conf = SECURE.to_owned()
            + &service("10.9.0.1 80", "sed", FAILING)
            + &service("10.9.0.2 80", "rr", good);
        let line = conf.lines().position(|line| line.contains("10.9.0.1"));
        let line = line.expect("the service") + 1;
        let mut daemon = Daemon::start(&node, Which::Rkeepalived, &conf);
        let said = daemon.wait_for_line(&format!("{CONF}:{line}: IPVS: "), SOON);
        assert!(said.text.contains("sed"), "{said:?}");
        node.wait_ipvs("the other service", SOON, |table| {
            table.lines().len() == 2 && table.destinations("-t 10.9.0.2:80").len() == 1
        });
        rk_lab::eventually(SOON, "the script of a failed check", || {
            node.read("/run/down")
        });
        assert!(daemon.stop().success());
        assert!(node.ipvs().is_empty());
    });
}

#[test]
fn what_somebody_changes_by_hand_is_put_back_and_reported() {
    guest().run(|| {
        let lab = crate::bed::lab("bad").expect("a guest can make namespaces");
        let node = lab.node("one");
        let servers = "real_server 10.9.1.1 80 {\n}\nreal_server 10.9.1.2 80 {\nweight 3\n}";
        let conf = service("10.9.0.1 80", "rr", servers) + &service("10.9.0.2 80", "rr", servers);
        let mut daemon = Daemon::start(&node, Which::Rkeepalived, &conf);
        let right = node.wait_ipvs("both services", SOON, |table| table.lines().len() == 6);
        for change in [
            "-D -t 10.9.0.1:80",
            "-e -t 10.9.0.2:80 -r 10.9.1.2:80 -m -w 1",
            "-d -t 10.9.0.2:80 -r 10.9.1.1:80",
            "-a -t 10.9.0.2:80 -r 10.9.1.9:80 -m",
            "-E -t 10.9.0.2:80 -s wlc",
            "-A -t 10.9.9.9:80 -s wlc",
        ] {
            node.ipvsadm(&change.split(' ').collect::<Vec<_>>());
        }
        daemon.reload(&conf);
        daemon.wait_for_line("somebody else changed our virtual servers", SOON);
        let foreign = "-A -t 10.9.9.9:80 -s wlc".to_owned();
        node.wait_ipvs("all of it as before", SOON, |table| {
            let mut wanted = right.lines().to_vec();
            wanted.push(foreign.clone());
            wanted.sort_unstable();
            table.lines() == wanted
        });
        daemon.wait_for_line("putting back: ", SOON);
        assert!(daemon.stop().success());
        assert_eq!(node.ipvs().lines(), [foreign]);
    });
}

#[test]
fn bad_addresses_and_ports_are_named_with_their_lines() {
    guest().run(|| {
        let lab = crate::bed::lab("bad").expect("a guest can make namespaces");
        let nodes = ["one", "two"].map(|name| {
            let node = lab.node(name);
            node.void("eth0", &["10.77.0.1/24", "fd77::1/64"]);
            node
        });
        let good = "real_server 10.9.1.1 80 {\n}\n";
        let bad = [
            "real_server 10.9.1.2 65536 {\n}\n",
            "real_server no.such.name.invalid 80 {\n}\n",
            "real_server fd00::1 80 {\n}\n",
            "real_server 10.9.1.300 80 {\n}\n",
        ];
        let services = [
            service(
                "10.9.0.1 80",
                "rr",
                &(good.to_owned() + &bad.concat() + good),
            ),
            service("10.9.0.2 0", "rr", good),
            service("10.9.0.3 80", "rr", "real_server 10.9.1.1 0 {\n}"),
            service("10.9.0.4 65536", "rr", good),
            service("no.such.name.invalid 80", "rr", good),
            service("fd00::5 80", "rr", good),
            service("10.9.0.6 80", "nothing", good),
            service("10.9.0.7 80", "rr", good),
        ];
        let conf = services.concat();
        let mut rivals = Rivals::start([&nodes[0], &nodes[1]], Which::Rkeepalived, &conf);
        let table = rivals.same_ipvs("start");
        assert_eq!(table.destinations("-t 10.9.0.7:80").len(), 1, "{table}");
        let lines = conf.lines().enumerate().filter(|(_, line)| {
            [
                " 65536",
                "no.such",
                "real_server fd00::1",
                "10.9.1.300",
                "nothing",
            ]
            .iter()
            .any(|bad| line.contains(bad))
        });
        for (number, line) in lines {
            // A family shows at the end of the block, as in keepalived.
            let number = number + usize::from(line.contains("fd00::1"));
            let place = format!("{CONF}: Line {})", number + 1);
            assert!(
                rivals.other().count(&place) > 0,
                "{place} {line}; the log:\n{}",
                rivals.other().log()
            );
        }
        rivals.stop();
    });
}

/// With a receive buffer that has room for a few answers, which is the least that the kernel gives,
/// what the kernel had no room to say is asked again, and everything gets there.
#[test]
fn a_socket_without_room_for_answers_is_enough() {
    guest().run(|| {
        let lab = crate::bed::lab("bad").expect("a guest can make namespaces");
        let node = lab.node("one");
        node.sh("ip link set lo up");
        let many = |servers: &str| -> String {
            let global = "global_defs {\nlvs_netlink_cmd_rcv_bufs 1\n}\n".to_owned();
            let services = (1..=40).map(|n| service(&format!("10.9.0.{n} 80"), "rr", servers));
            services.fold(global, |all, one| all + &one)
        };
        let ten = |from: u8| -> String {
            let all = (from..from + 10).map(|n| format!("real_server 127.0.1.{n} 80 {{\n}}\n"));
            all.collect()
        };
        let mut daemon = Daemon::start(&node, Which::Rkeepalived, &many(&ten(1)));
        let all = |count: usize| move |table: &IpvsTable| table.lines().len() == count;
        node.wait_ipvs("40 services of 10 servers", SOON, all(40 * 11));
        // Half of it changes, by the daemon and by hand.
        daemon.reload(&many(&ten(6)));
        let changed = |table: &IpvsTable| {
            let here = |part: &str| table.lines().iter().any(|line| line.contains(part));
            all(40 * 11)(table) && !here(" 127.0.1.5:80 ") && here(" 127.0.1.15:80 ")
        };
        node.wait_ipvs("other servers", SOON, changed);
        node.sh("ipvsadm -C");
        daemon.reload(&many(&ten(6)));
        node.wait_ipvs("all of it again", SOON, changed);
        assert!(daemon.stop().success());
        assert!(node.ipvs().is_empty());
    });
}

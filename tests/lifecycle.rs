//! The life of the daemon: start, reload, dumps, stop, and every way to die.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use rk_lab::{Daemon, Node, Process, Which, eventually, pause};

use crate::bed::{Bed, DEV, SOON, ours};

/// One instance at 0.2 s, with these addresses.
fn configuration(name: &str, vrid: u8, priority: u8, addresses: &[&str]) -> String {
    format!(
        "vrrp_instance {name} {{
            interface {DEV}
            virtual_router_id {vrid}
            priority {priority}
            version 3
            advert_int 0.2
            virtual_ipaddress {{
                {}
            }}
        }}\n",
        addresses.join("\n")
    )
}

/// Everything that happens to the addresses of a node.
fn watch_addresses(node: &Node) -> Process {
    let watch = node.spawn("ip", &["-o", "monitor", "address"]);
    // It listens once its socket is open; before that an event would be missed.
    let mut number = 0;
    eventually(SOON, "`ip monitor` sees addresses", || {
        number += 1;
        node.sh(&format!("ip address add 127.1.0.{number}/32 dev lo"));
        (watch.count("127.1.0.") > 0).then_some(())
    });
    watch
}

#[test]
fn term_retires_first_and_then_withdraws() {
    let Some(bed) = Bed::new("term") else { return };
    let mut wire = bed.two.capture(DEV);
    let mut daemon = Daemon::start(
        &bed.one,
        ours(),
        &configuration("VI_1", 51, 100, &["10.77.0.100/24", "10.77.0.101/24"]),
    );
    daemon.wait_state("VI_1", "MASTER", SOON);
    bed.one.wait_address(DEV, "10.77.0.101", true, SOON);
    assert!(daemon.stop().success(), "a clean end");
    wire.next_advert("priority 0", SOON, |v| v.priority == 0);
    daemon.wait_for_line("(VI_1) sent 0 priority", SOON);
    daemon.wait_for_line("(VI_1) removing VIPs", SOON);
    daemon.wait_for_line("Stopped", SOON);
    assert!(!bed.one.has(DEV, "10.77.0.100") && !bed.one.has(DEV, "10.77.0.101"));
    for file in ["/run/keepalived.pid", "/run/vrrp.pid"] {
        assert_eq!(bed.one.read(file), None, "{file} is gone");
    }
}

#[test]
fn pid_files_and_a_second_start() {
    let Some(bed) = Bed::new("pid") else { return };
    let conf = configuration("VI_1", 51, 100, &["10.77.0.100/24"]);
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_state("VI_1", "BACKUP", SOON);
    let (parent, child) = (daemon.parent_pid(), daemon.vrrp_pid());
    let pids = bed.one.pids(ours().comm());
    assert!(
        pids.contains(&parent) && pids.contains(&child) && parent != child,
        "{pids:?}"
    );
    for file in ["/run/keepalived.pid", "/run/vrrp.pid"] {
        let mode = std::fs::metadata(bed.one.path(file))
            .expect(file)
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o644, "{file}");
    }
    let mut second = Daemon::start(&bed.one, ours(), &conf);
    let status = second.process().wait_exit(SOON);
    assert!(status.success(), "a second start ends with {status}");
    second.wait_for_line("already running", SOON);
    assert_eq!(
        (daemon.parent_pid(), daemon.vrrp_pid()),
        (parent, child),
        "the first is untouched"
    );
    daemon.wait_state("VI_1", "MASTER", SOON);
}

#[test]
fn reload_without_a_change_disturbs_nothing() {
    let Some(bed) = Bed::new("reload-same") else {
        return;
    };
    let conf = configuration("VI_1", 51, 100, &["10.77.0.100/24", "fd77::100/64"]);
    // v3 over IPv4 carries IPv4 only.
    let conf = conf.replace("fd77::100/64", "10.77.0.101/24");
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_state("VI_1", "MASTER", SOON);
    bed.one.wait_address(DEV, "10.77.0.101", true, SOON);
    let child = daemon.vrrp_pid();
    let mut wire = bed.two.capture(DEV);
    let watch = watch_addresses(&bed.one);
    daemon.process().skip_lines();
    let states = daemon.count("Entering");
    for round in 0..3 {
        daemon.reload(&conf);
        daemon.wait_for_line("Reload", SOON);
        let mark = wire.mark();
        eventually(SOON, &format!("adverts after reload {round}"), || {
            let new = wire.since(mark);
            (new.iter().filter(|f| f.vrrp().is_some()).count() >= 5).then_some(())
        });
    }
    wire.skip();
    wire.next_advert("an advert", SOON, |_| true);
    assert_eq!(
        daemon.count("Entering"),
        states,
        "no transition:\n{}",
        daemon.log()
    );
    assert_eq!(
        watch.count(DEV),
        0,
        "no address is touched:\n{}",
        watch.text()
    );
    assert!(
        wire.adverts().iter().all(|(_, v)| v.priority == 100),
        "nobody retires"
    );
    assert_eq!(daemon.vrrp_pid(), child, "the same process");
}

#[test]
fn reload_changes_only_what_changed() {
    let Some(bed) = Bed::new("reload-change") else {
        return;
    };
    let stays = configuration("stays", 51, 100, &["10.77.0.100/24"]);
    let goes = configuration("goes", 52, 100, &["10.77.0.110/24"]);
    let comes = configuration("comes", 53, 100, &["10.77.0.120/24"]);
    let alters = configuration("alters", 54, 100, &["10.77.0.130/24", "10.77.0.131/24"]);
    let altered = configuration("alters", 54, 100, &["10.77.0.130/24", "10.77.0.132/24"]);
    let mut daemon = Daemon::start(&bed.one, ours(), &format!("{stays}{goes}{alters}"));
    for address in ["10.77.0.100", "10.77.0.110", "10.77.0.131"] {
        bed.one.wait_address(DEV, address, true, SOON);
    }
    let mut wire = bed.two.capture(DEV);
    let watch = watch_addresses(&bed.one);
    daemon.process().skip_lines();
    daemon.reload(&format!("{stays}{comes}{altered}"));
    daemon.wait_state("comes", "MASTER", SOON);
    for (address, present) in [
        ("10.77.0.100", true),
        ("10.77.0.110", false),
        ("10.77.0.120", true),
        ("10.77.0.130", true),
        ("10.77.0.131", false),
        ("10.77.0.132", true),
    ] {
        bed.one.wait_address(DEV, address, present, SOON);
    }
    assert_eq!(
        watch.count("10.77.0.100/"),
        0,
        "untouched:\n{}",
        watch.text()
    );
    assert_eq!(
        watch.count("10.77.0.130/"),
        0,
        "untouched:\n{}",
        watch.text()
    );
    assert_eq!(daemon.count("(stays) Entering MASTER"), 1);
    assert_eq!(daemon.count("(alters) Entering MASTER"), 1);
    wire.next_advert("the deleted one retires", SOON, |v| {
        v.vrid == 52 && v.priority == 0
    });
    wire.next_advert("the new list", SOON, |v| {
        v.vrid == 54 && v.addresses.iter().any(|a| a.to_string() == "10.77.0.132")
    });
}

#[test]
fn reload_takes_a_new_priority() {
    let Some(bed) = Bed::new("reload-priority") else {
        return;
    };
    let conf = |priority| configuration("VI_1", 51, priority, &["10.77.0.100/24"]);
    let mut low = Daemon::start(&bed.two, Which::Keepalived, &conf(150));
    low.wait_state("VI_1", "MASTER", SOON);
    let mut daemon = Daemon::start(&bed.one, ours(), &conf(100));
    daemon.wait_state("VI_1", "BACKUP", SOON);
    daemon.reload(&conf(200));
    daemon.wait_state("VI_1", "MASTER", SOON);
    low.wait_state("VI_1", "BACKUP", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", true, SOON);
    daemon.reload(&conf(90));
    low.wait_state("VI_1", "MASTER", SOON);
    daemon.wait_state("VI_1", "BACKUP", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", false, SOON);
}

#[test]
fn usr1_and_usr2_write_dumps() {
    let Some(bed) = Bed::new("dumps") else { return };
    let conf = configuration("VI_1", 51, 100, &["10.77.0.100/24"]);
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_state("VI_1", "MASTER", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", true, SOON);
    daemon.signal("USR1");
    let data = eventually(SOON, "/tmp/keepalived.data", || {
        bed.one
            .read("/tmp/keepalived.data")
            .filter(|text| text.contains("10.77.0.100"))
    });
    for line in [
        " VRRP Instance = VI_1",
        "   State = MASTER",
        "   Virtual Router ID = 51",
        "   Effective priority = 100",
        "   Using src_ip = 10.77.0.1",
    ] {
        assert!(
            data.lines().any(|l| l == line),
            "no line `{line}` in\n{data}"
        );
    }
    assert!(
        data.contains("     10.77.0.100/24 dev eth0 scope global set"),
        "{data}"
    );
    let mode = |file: &str| {
        std::fs::metadata(bed.one.path(file))
            .expect("the dump")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("/tmp/keepalived.data"), 0o600);
    daemon.signal("USR2");
    let stats = eventually(SOON, "/tmp/keepalived.stats", || {
        bed.one
            .read("/tmp/keepalived.stats")
            .filter(|text| text.contains("Became master"))
    });
    assert!(
        stats.lines().any(|line| line == "VRRP Instance: VI_1"),
        "{stats}"
    );
    assert!(
        stats.lines().any(|line| line.trim() == "Became master: 1"),
        "{stats}"
    );
    assert_eq!(mode("/tmp/keepalived.stats"), 0o600);
    assert_eq!(
        daemon.count("Entering MASTER"),
        1,
        "a dump disturbs nothing"
    );
}

#[test]
fn a_killed_child_comes_back() {
    let Some(bed) = Bed::new("child") else { return };
    let conf = configuration("VI_1", 51, 100, &["10.77.0.100/24"]);
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_state("VI_1", "MASTER", SOON);
    let (parent, child) = (daemon.parent_pid(), daemon.vrrp_pid());
    for round in 0..2 {
        let child = daemon.vrrp_pid();
        daemon.process().skip_lines();
        bed.one.kill("KILL", &[child]);
        daemon.wait_for_line("Respawning", SOON);
        daemon.wait_state("VI_1", "MASTER", SOON);
        bed.one.wait_address(DEV, "10.77.0.100", true, SOON);
        assert_ne!(daemon.vrrp_pid(), child, "round {round}");
    }
    assert_eq!(daemon.parent_pid(), parent);
    assert!(!bed.one.pids(ours().comm()).contains(&child));
    assert!(daemon.stop().success(), "a clean end");
    assert!(!bed.one.has(DEV, "10.77.0.100"));
}

#[test]
fn a_reload_does_not_wait_for_a_child_that_died_of_the_one_before() {
    if ours() == Which::Keepalived {
        return;
    }
    let Some(bed) = Bed::new("remedy") else {
        return;
    };
    let conf = configuration("VI_1", 51, 100, &["10.77.0.100/24"]);
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_for_line("Startup complete", SOON);
    // Each death makes the wait longer: 0, 1, 2, 4 seconds.
    for _ in 0..3 {
        let pid = daemon.vrrp_pid();
        bed.one.kill("KILL", &[pid]);
        daemon.wait_for_line("Starting VRRP child process", SOON);
        eventually(SOON, "the next one", || {
            let next: i32 = bed.one.read("/run/vrrp.pid")?.trim().parse().ok()?;
            (pid != next).then_some(())
        });
        daemon.wait_for_line("(VI_1) Entering BACKUP STATE", SOON);
    }
    let pid = daemon.freeze();
    daemon.reload(&conf.replace("priority 100", "priority 90"));
    daemon.wait_for_line("Reloading ...", SOON);
    bed.one.kill("KILL", &[pid]);
    let died = daemon.wait_for_line("process delayed 4 seconds", SOON);
    daemon.reload(&conf);
    daemon.wait_for_line("Reloading ...", SOON);
    let back = daemon.wait_for_line("Starting VRRP child process", SOON);
    let waited = back.at.duration_since(died.at);
    assert!(waited < Duration::from_secs(3), "{waited:?}");
    daemon.wait_for_line("Reload complete", SOON);
    daemon.wait_state("VI_1", "MASTER", SOON);
    daemon.stop();
}

#[test]
fn a_killed_parent_takes_the_child_along_in_order() {
    let Some(bed) = Bed::new("parent") else {
        return;
    };
    let mut wire = bed.two.capture(DEV);
    let conf = configuration("VI_1", 51, 100, &["10.77.0.100/24"]);
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_state("VI_1", "MASTER", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", true, SOON);
    bed.one.kill("KILL", &[daemon.parent_pid()]);
    wire.next_advert("priority 0", SOON, |v| v.priority == 0);
    bed.one.wait_address(DEV, "10.77.0.100", false, SOON);
    eventually(SOON, "no process left", || {
        bed.one.pids(ours().comm()).is_empty().then_some(())
    });
}

#[test]
fn what_a_crash_left_is_gone_after_the_next_start() {
    let Some(bed) = Bed::new("leftovers") else {
        return;
    };
    let conf =
        |priority| configuration("VI_1", 51, priority, &["10.77.0.100/24", "10.77.0.101/24"]);
    let mut daemon = Daemon::start(&bed.one, ours(), &conf(100));
    daemon.wait_state("VI_1", "MASTER", SOON);
    bed.one.wait_address(DEV, "10.77.0.101", true, SOON);
    daemon.crash();
    assert!(
        bed.one.has(DEV, "10.77.0.100"),
        "a crash leaves the addresses"
    );
    // Meanwhile a better node has them.
    let mut other = Daemon::start(&bed.two, Which::Keepalived, &conf(200));
    other.wait_state("VI_1", "MASTER", SOON);
    let mut daemon = Daemon::start(&bed.one, ours(), &conf(100));
    daemon.wait_state("VI_1", "BACKUP", SOON);
    for address in ["10.77.0.100", "10.77.0.101"] {
        bed.one.wait_address(DEV, address, false, SOON);
    }
    // It does not become master meanwhile, nor take the addresses again.
    pause(Duration::from_secs(2));
    assert_eq!(daemon.count("Entering MASTER"), 0, "{}", daemon.log());
    assert!(!bed.one.has(DEV, "10.77.0.100"));
}

#[test]
fn a_deleted_address_is_put_back() {
    let Some(bed) = Bed::new("repair") else {
        return;
    };
    let conf = configuration("VI_1", 51, 100, &["10.77.0.100/24", "10.77.0.101/24"]);
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_state("VI_1", "MASTER", SOON);
    bed.one.wait_address(DEV, "10.77.0.101", true, SOON);
    bed.one
        .sh(&format!("ip address del 10.77.0.100/24 dev {DEV}"));
    daemon.wait_for_line("reports IP 10.77.0.100 removed from eth0", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", true, SOON);
    bed.one.wait_address(DEV, "10.77.0.101", true, SOON);
}

//! Bad input of every kind: a clear message that names file and line or instance, and the
//! failover goes on.

use std::time::{Duration, Instant};

use rk_lab::{Daemon, Node, Which, eventually};

use crate::bed::{Bed, DEV, SOON, instance, lab, ours};

const CONF: &str = "/etc/keepalived/keepalived.conf";

/// What `-t` of ours says of a file: status (`None` if a signal ended it) and text.
fn test_status(node: &Node) -> (Option<i32>, String) {
    let output = node.try_sh(&format!("timeout 60 {} -t -f {CONF}", ours().program()));
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn unreadable_configurations_are_refused_with_a_place() {
    if ours() == Which::Keepalived {
        return crate::bed::skipped("keepalived never ends on some of these");
    }
    let Some(lab) = lab("bad-files") else { return };
    let node = lab.node("one");
    lab.bridge("lan");
    lab.link("lan", &node, DEV, &["10.77.0.1/24"]);
    let whole = instance(100, "");
    let truncated = &whole[..whole.len() / 2];
    let mut binary: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    binary.extend(whole.bytes());
    let long_line = format!("vrrp_instance {} {{\n}}\n", "x".repeat(1_000_000));
    let nested = "vrrp_instance A {\n".repeat(10_000);
    for (what, conf) in [
        ("truncated", truncated.as_bytes()),
        ("binary", &binary),
        ("a line of a megabyte", long_line.as_bytes()),
        ("ten thousand blocks, none closed", nested.as_bytes()),
        ("recursive include", b"include keepalived.conf\n"),
        (
            "recursive definition",
            b"$A=$B\n$B=$A\nvrrp_instance ${A} {\n}\n",
        ),
        (
            "no end of quotes",
            b"vrrp_script s {\nscript \"never closed\n}\n",
        ),
    ] {
        node.write(CONF, conf);
        let started = Instant::now();
        let (status, text) = test_status(&node);
        let took = started.elapsed();
        let start = text.chars().take(2000).collect::<String>();
        assert!(matches!(status, Some(0..=6)), "{what}: {status:?}\n{start}");
        assert!(took < Duration::from_secs(20), "{what} took {took:?}");
        assert!(
            text.len() < 1_000_000,
            "{what}: a flood of {} bytes",
            text.len()
        );
        if what != "a line of a megabyte" {
            assert_ne!(status, Some(0), "{what} is no good");
            assert!(
                text.contains("keepalived.conf"),
                "{what}: which file?\n{start}"
            );
        }
    }
}

#[test]
fn a_hundred_megabytes() {
    if ours() == Which::Keepalived {
        return crate::bed::skipped("keepalived takes minutes");
    }
    let Some(lab) = lab("bad-huge") else { return };
    let node = lab.node("one");
    lab.bridge("lan");
    lab.link("lan", &node, DEV, &["10.77.0.1/24"]);
    let line = "# nothing to see here, nothing at all, for a hundred megabytes on end .......\n";
    let mut conf = line.repeat(100_000_000 / line.len());
    conf.push_str(&instance(100, ""));
    // At a start it is read or refused, in a sensible time; never the machine brought down.
    node.write(CONF, &conf);
    let started = Instant::now();
    let (status, text) = test_status(&node);
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "took {:?}",
        started.elapsed()
    );
    assert!(matches!(status, Some(0..=6)), "{status:?} {text}");
    assert!(
        status == Some(0) || text.contains("keepalived.conf"),
        "{text}"
    );
    // At a reload what runs goes on.
    let mut daemon = Daemon::start(&node, ours(), &instance(100, ""));
    daemon.wait_state("VI_1", "MASTER", SOON);
    node.wait_address(DEV, "10.77.0.100", true, SOON);
    let mut wire = node.capture(DEV);
    daemon.reload(&conf);
    daemon.wait_for_line("Reload", SOON);
    for _ in 0..20 {
        let advert = wire.next_advert("an advert during the reload", 4 * SOON, |_| true);
        assert_eq!(advert.priority, 100, "{}", daemon.log());
    }
    assert!(node.has(DEV, "10.77.0.100"), "{}", daemon.log());
}

#[test]
fn a_reload_of_nothing_or_nonsense_keeps_what_runs() {
    if ours() == Which::Keepalived {
        return crate::bed::skipped("keepalived withdraws what it can no longer read");
    }
    let Some(bed) = Bed::new("bad-reload") else {
        return;
    };
    let mut daemon = Daemon::start(&bed.one, ours(), &instance(100, ""));
    daemon.wait_state("VI_1", "MASTER", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", true, SOON);
    let mut wire = bed.two.capture(DEV);
    for what in ["gone", "a strict include that is missing"] {
        bed.one.sh(&format!("rm -f {CONF}"));
        if what != "gone" {
            bed.one.write(CONF, "includem /etc/keepalived/none.conf\n");
        }
        daemon.process().skip_lines();
        daemon.signal("HUP");
        daemon.wait_for_line("Reload", SOON);
        for _ in 0..10 {
            let advert = wire.next_advert("an advert behind the reload", SOON, |_| true);
            assert_eq!(advert.priority, 100, "{what}: {}", daemon.log());
        }
        assert!(bed.one.has(DEV, "10.77.0.100"), "{what}: {}", daemon.log());
    }
    assert_eq!(daemon.count("Entering MASTER"), 1, "{}", daemon.log());
}

#[test]
fn a_missing_interface_ends_with_status_2() {
    let Some(bed) = Bed::new("bad-interface") else {
        return;
    };
    let conf = instance(100, "").replace(DEV, "eth7");
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_for_line("eth7", SOON);
    let status = daemon.process().wait_exit(SOON);
    assert_eq!(status.code(), Some(2), "{}", daemon.log());
}

#[test]
fn a_missing_file_ends_with_status_6() {
    let Some(bed) = Bed::new("bad-missing") else {
        return;
    };
    bed.one.sh(&format!("rm -f {CONF}"));
    let mut daemon = Daemon::start_as_is(&bed.one, ours(), &[]);
    let status = daemon.process().wait_exit(SOON);
    assert_eq!(status.code(), Some(6), "{}", daemon.log());
    assert!(daemon.log().contains("keepalived.conf"), "{}", daemon.log());
}

#[test]
fn what_is_not_supported_yet_is_said_once() {
    if ours() == Which::Keepalived {
        return crate::bed::skipped("this is about ours");
    }
    let Some(bed) = Bed::new("not-yet") else {
        return;
    };
    let conf = instance(100, "") + "bfd_instance far {\nneighbor_ip 10.77.0.9\n}\n";
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_state("VI_1", "MASTER", SOON);
    let lines: Vec<_> = daemon
        .log()
        .lines()
        .filter(|line| line.contains("not supported yet"))
        .map(str::to_owned)
        .collect();
    assert!(
        lines
            .iter()
            .any(|l| l.contains("bfd_instance") && l.contains("keepalived.conf")),
        "{lines:?}\n{}",
        daemon.log()
    );
    let mut unique = lines.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), lines.len(), "once: {lines:#?}");
}

/// The node fails over to keepalived and back while a script of it misbehaves.
#[track_caller]
fn failover_goes_on(bed: &Bed, conf: &str, complaint: &str) {
    let mut daemon = Daemon::start(&bed.one, ours(), conf);
    if !complaint.is_empty() {
        daemon.wait_for_line(complaint, SOON);
    }
    let mut peer = Daemon::start(&bed.two, Which::Keepalived, &instance(50, ""));
    peer.wait_state("VI_1", "BACKUP", SOON);
    daemon.process().skip_lines();
    eventually(SOON, &format!("master; log:\n{}", daemon.log()), || {
        bed.one.has(DEV, "10.77.0.100").then_some(())
    });
    bed.cable_one.pull();
    peer.wait_state("VI_1", "MASTER", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", false, SOON);
    bed.cable_one.plug();
    bed.one.wait_address(DEV, "10.77.0.100", true, SOON);
    peer.wait_state("VI_1", "BACKUP", SOON);
    assert!(daemon.stop().success(), "a clean end");
    bed.one.wait_address(DEV, "10.77.0.100", false, SOON);
}

/// A configuration with a check and a notify script.
fn scripted(check: &str, weight: &str) -> String {
    format!(
        "global_defs {{
            script_user root
            enable_script_security
        }}
        vrrp_script chk {{
            script {check}
            interval 1
            timeout 1
            {weight}
        }}\n"
    ) + &instance(
        100,
        "track_script {\nchk\n}\nnotify /etc/keepalived/notify.sh",
    )
}

const CHECK: &str = "/etc/keepalived/check.sh";

#[test]
fn scripts_that_are_absent() {
    let Some(bed) = Bed::new("bad-absent") else {
        return;
    };
    failover_goes_on(&bed, &scripted(CHECK, "weight 10"), "check.sh");
}

#[test]
fn a_check_script_that_hangs() {
    let Some(bed) = Bed::new("bad-hangs") else {
        return;
    };
    bed.one.script(
        CHECK,
        "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1000; done\n",
    );
    bed.one.script("/etc/keepalived/notify.sh", "#!/bin/sh\n");
    failover_goes_on(&bed, &scripted(CHECK, "weight 10"), "timed");
}

#[test]
fn a_notify_script_that_hangs() {
    let Some(bed) = Bed::new("bad-notify") else {
        return;
    };
    bed.one.script(CHECK, "#!/bin/sh\n");
    bed.one
        .script("/etc/keepalived/notify.sh", "#!/bin/sh\nexec sleep 1000\n");
    failover_goes_on(
        &bed,
        &scripted(CHECK, "weight 10"),
        "VRRP_Script(chk) succeeded",
    );
}

#[test]
fn scripts_that_fork_and_leave() {
    let Some(bed) = Bed::new("bad-forks") else {
        return;
    };
    let forks = "#!/bin/sh\nfor i in 1 2 3 4 5; do sleep 1000 & done\nexit 0\n";
    bed.one.script(CHECK, forks);
    bed.one.script("/etc/keepalived/notify.sh", forks);
    failover_goes_on(
        &bed,
        &scripted(CHECK, "weight 10"),
        "VRRP_Script(chk) succeeded",
    );
}

#[test]
fn scripts_that_flood_their_output() {
    let Some(bed) = Bed::new("bad-floods") else {
        return;
    };
    let floods = "#!/bin/sh\nhead -c 50000000 /dev/zero\nhead -c 50000000 /dev/zero >&2\nexit 0\n";
    bed.one.script(CHECK, floods);
    bed.one.script("/etc/keepalived/notify.sh", floods);
    failover_goes_on(
        &bed,
        &scripted(CHECK, "weight 10"),
        "VRRP_Script(chk) succeeded",
    );
}

#[test]
fn a_kernel_without_ipvs_costs_the_balancing_only() {
    if ours() == Which::Keepalived {
        return crate::bed::skipped("keepalived ends");
    }
    let Some(bed) = Bed::new("no-ipvs") else {
        return;
    };
    bed.one.sh("ip link set lo up");
    if bed
        .one
        .try_sh("modprobe -n ip_vs || test -e /proc/net/ip_vs")
        .status
        .success()
    {
        return crate::bed::skipped("this kernel has IPVS");
    }
    let conf = format!(
        "global_defs {{
            lvs_sync_daemon {DEV} VI_1
        }}
        {}
        virtual_server 10.77.0.100 80 {{
            lvs_sched rr
            lvs_method NAT
            protocol TCP
            real_server 10.77.0.1 9 {{
                TCP_CHECK {{
                    retry 0
                    warmup 0
                }}
            }}
        }}",
        instance(100, "")
    );
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    // The checker process says it of the table and VRRP's of the sync daemon, whoever is first.
    for _ in 0..2 {
        daemon.wait_for_line(
            "this kernel has no IPVS: load it with `modprobe ip_vs`",
            SOON,
        );
    }
    daemon.wait_state("VI_1", "MASTER", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", true, SOON);
    daemon.wait_for_line("TCP_CHECK on service [10.77.0.1]:tcp:9 failed", SOON);
    daemon.reload(&conf);
    daemon.wait_for_line("Reload", SOON);
    assert!(daemon.stop().success());
    for part in [
        "IPVS: this kernel has no IPVS",
        "lvs_sync_daemon: this kernel",
    ] {
        assert_eq!(
            daemon.count(part),
            1,
            "{part} is said once:\n{}",
            daemon.log()
        );
    }
}

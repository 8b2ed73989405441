//! What moves a priority: scripts and interfaces, with and without weight, forward and reverse.

use rk_lab::{Daemon, Node, Which};

use crate::bed::{Bed, DEV, SOON, instance, ours};

/// A script that succeeds while /tmp/good exists.
const CHECK: &str = "#!/bin/sh\n[ -e /tmp/good ]\n";

/// An instance with a script on it; `script` and `track` go into their blocks.
fn configuration(priority: u8, script: &str, track: &str) -> String {
    let defaults = "global_defs {\nscript_user root\nenable_script_security\n}\n";
    let check = format!("script /etc/keepalived/check.sh\ninterval 1\n{script}");
    let instance = instance(priority, &format!("track_script {{\nchk {track}\n}}"));
    format!("{defaults}vrrp_script chk {{\n{check}\n}}\n{instance}")
}

/// The peer, whose priority does not move.
fn peer(node: &Node, priority: u8) -> Daemon<'_> {
    let mut daemon = Daemon::start(node, Which::Keepalived, &instance(priority, ""));
    daemon.wait_state("VI_1", "BACKUP", SOON);
    daemon
}

fn good(node: &Node, good: bool) {
    if good {
        node.write("/tmp/good", "");
    } else {
        node.sh("rm -f /tmp/good");
    }
}

#[test]
fn a_positive_weight_is_won_and_lost() {
    let Some(bed) = Bed::new("weight-plus") else {
        return;
    };
    bed.one.script("/etc/keepalived/check.sh", CHECK);
    good(&bed.one, true);
    let mut other = peer(&bed.two, 110);
    let conf = configuration(100, "weight 20\nrise 2\nfall 2", "");
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_for_line("VRRP_Script(chk) succeeded", SOON);
    daemon.wait_for_line("(VI_1) Changing effective priority from 100 to 120", SOON);
    daemon.wait_state("VI_1", "MASTER", SOON);
    good(&bed.one, false);
    daemon.wait_for_line("VRRP_Script(chk) failed (exited with status 1)", SOON);
    daemon.wait_for_line("(VI_1) Changing effective priority from 120 to 100", SOON);
    other.wait_state("VI_1", "MASTER", SOON);
    daemon.wait_state("VI_1", "BACKUP", SOON);
    good(&bed.one, true);
    daemon.wait_for_line("(VI_1) Changing effective priority from 100 to 120", SOON);
    daemon.wait_state("VI_1", "MASTER", SOON);
}

#[test]
fn a_negative_weight_is_taken_off() {
    let Some(bed) = Bed::new("weight-minus") else {
        return;
    };
    bed.one.script("/etc/keepalived/check.sh", CHECK);
    good(&bed.one, true);
    let mut other = peer(&bed.two, 110);
    let mut daemon = Daemon::start(&bed.one, ours(), &configuration(120, "weight -30", ""));
    daemon.wait_state("VI_1", "MASTER", SOON);
    good(&bed.one, false);
    daemon.wait_for_line("(VI_1) Changing effective priority from 120 to 90", SOON);
    other.wait_state("VI_1", "MASTER", SOON);
    good(&bed.one, true);
    daemon.wait_for_line("(VI_1) Changing effective priority from 90 to 120", SOON);
    daemon.wait_state("VI_1", "MASTER", SOON);
}

#[test]
fn a_reverse_weight_counts_the_other_way() {
    let Some(bed) = Bed::new("weight-reverse") else {
        return;
    };
    bed.one.script("/etc/keepalived/check.sh", CHECK);
    let conf = configuration(100, "", "weight 20 reverse");
    good(&bed.one, true);
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_for_line("(VI_1) Changing effective priority from 100 to 80", SOON);
    good(&bed.one, false);
    daemon.wait_for_line("(VI_1) Changing effective priority from 80 to 100", SOON);
    good(&bed.one, true);
    daemon.wait_for_line("(VI_1) Changing effective priority from 100 to 80", SOON);
    if ours() == Which::Rkeepalived {
        // keepalived forgets the sign here: 80 becomes 120.
        daemon.reload(&conf);
        daemon.wait_for_line("Reload", SOON);
        let mut wire = bed.two.capture(DEV);
        for _ in 0..8 {
            let advert = wire.next_advert("an advert after the reload", SOON, |_| true);
            assert_eq!(advert.priority, 80);
        }
    }
}

#[test]
fn without_weight_a_failure_is_a_fault() {
    let Some(bed) = Bed::new("weight-none") else {
        return;
    };
    bed.one.script("/etc/keepalived/check.sh", CHECK);
    good(&bed.one, true);
    let mut wire = bed.two.capture(DEV);
    let mut other = peer(&bed.two, 50);
    let mut daemon = Daemon::start(&bed.one, ours(), &configuration(100, "", ""));
    daemon.wait_state("VI_1", "MASTER", SOON);
    good(&bed.one, false);
    daemon.wait_for_line("VRRP_Script(chk) failed (exited with status 1)", SOON);
    daemon.wait_state("VI_1", "FAULT", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", false, SOON);
    wire.next_advert("priority 0", SOON, |v| v.priority == 0);
    other.wait_state("VI_1", "MASTER", SOON);
    good(&bed.one, true);
    daemon.wait_state("VI_1", "BACKUP", SOON);
    daemon.wait_state("VI_1", "MASTER", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", true, SOON);
}

#[test]
fn a_tracked_interface_faults_or_weighs() {
    let Some(bed) = Bed::new("track-interface") else {
        return;
    };
    let second = bed.lab.link("lan", &bed.one, "eth1", &["10.78.0.1/24"]);
    let third = bed.lab.link("lan", &bed.one, "eth2", &["10.79.0.1/24"]);
    let conf = instance(100, "track_interface {\neth1\neth2 weight -40\n}");
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    daemon.wait_state("VI_1", "MASTER", SOON);
    third.pull();
    daemon.wait_for_line("(VI_1) Changing effective priority from 100 to 60", SOON);
    third.plug();
    daemon.wait_for_line("(VI_1) Changing effective priority from 60 to 100", SOON);
    second.pull();
    daemon.wait_state("VI_1", "FAULT", SOON);
    bed.one.wait_address(DEV, "10.77.0.100", false, SOON);
    second.plug();
    daemon.wait_state("VI_1", "BACKUP", SOON);
    daemon.wait_state("VI_1", "MASTER", SOON);
}

#[test]
fn nopreempt_and_preempt_delay() {
    let Some(bed) = Bed::new("preempt") else {
        return;
    };
    let mut low = Daemon::start(&bed.two, Which::Keepalived, &instance(100, ""));
    low.wait_state("VI_1", "MASTER", SOON);
    let mut daemon = Daemon::start(&bed.one, ours(), &instance(200, "nopreempt"));
    daemon.wait_state("VI_1", "BACKUP", SOON);
    let mut wire = bed.one.capture(DEV);
    for _ in 0..10 {
        wire.next_advert("the low master's advert", SOON, |v| v.priority == 100);
    }
    assert_eq!(daemon.count("Entering MASTER"), 0, "it does not preempt");
    low.stop();
    daemon.wait_state("VI_1", "MASTER", SOON);
    daemon.stop();

    let mut low = Daemon::start(&bed.two, Which::Keepalived, &instance(100, ""));
    low.wait_state("VI_1", "MASTER", SOON);
    let mut daemon = Daemon::start(&bed.one, ours(), &instance(200, "preempt_delay 1"));
    daemon.wait_for_line("(VI_1) start preempt delay", SOON);
    daemon.wait_state("VI_1", "MASTER", SOON);
    low.wait_state("VI_1", "BACKUP", SOON);
}

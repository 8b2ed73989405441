//! Time is honest: a machine that stood still does not blame the others for it.
//!
//! Setting the wall clock cannot be tried here without setting the machine's (time namespaces
//! leave it alone); that the cores know no clock at all is one of the invariants, and the daemon's
//! timer is on the monotonic one.

use std::time::Duration;

use rk_lab::{Daemon, Which, pause};

use crate::bed::{Bed, DEV, SOON, ours, skipped};

fn configuration(priority: u8, interval: f64) -> String {
    format!(
        "vrrp_instance VI_1 {{
            interface {DEV}
            virtual_router_id 51
            priority {priority}
            version 3
            advert_int {interval}
            virtual_ipaddress {{
                10.77.0.100/24
            }}
        }}\n"
    )
}

/// A backup stands still for ten seconds while its master keeps sending.
fn backup_stands_still(name: &str, interval: f64) {
    if ours() == Which::Keepalived {
        return skipped("keepalived starts a false failover here");
    }
    let Some(bed) = Bed::new(name) else { return };
    let mut master = Daemon::start(&bed.one, Which::Keepalived, &configuration(200, interval));
    master.wait_state("VI_1", "MASTER", SOON);
    let mut wire = bed.one.capture(DEV);
    let mut daemon = Daemon::start(&bed.two, ours(), &configuration(100, interval));
    daemon.wait_state("VI_1", "BACKUP", SOON);
    let own = "10.77.0.2".parse().ok();
    for round in 0..2 {
        let pid = daemon.freeze();
        pause(Duration::from_secs(if round == 0 { 10 } else { 4 }));
        wire.skip();
        daemon.thaw(pid);
        // Three down times on, by the master's own count.
        for _ in 0..12 {
            wire.next_advert("the master's advert", SOON, |v| v.priority == 200);
        }
        assert_eq!(
            daemon.count("Entering MASTER"),
            0,
            "round {round}:\n{}",
            daemon.log()
        );
        assert!(
            wire.adverts().iter().all(|(_, v)| Some(v.source) != own),
            "round {round}"
        );
    }
    // And it still is a backup: when the master dies, it takes over.
    master.crash();
    daemon.wait_state("VI_1", "MASTER", SOON);
    bed.two.wait_address(DEV, "10.77.0.100", true, SOON);
}

#[test]
fn a_backup_that_stood_still_at_10_ms() {
    backup_stands_still("frozen-10ms", 0.01);
}

#[test]
fn a_backup_that_stood_still_at_100_ms() {
    backup_stands_still("frozen-100ms", 0.1);
}

#[test]
fn a_backup_that_stood_still_at_1_s() {
    backup_stands_still("frozen-1s", 1.0);
}

/// A master stands still until its backup took over, and goes on: within one advert interval one
/// of the two has stepped down, by the protocol.
fn master_stands_still(name: &str, interval: f64, mine: u8, peers: u8, more: &str) {
    let Some(bed) = Bed::new(name) else { return };
    let mut daemon = Daemon::start(&bed.one, ours(), &configuration(mine, interval));
    daemon.wait_state("VI_1", "MASTER", SOON);
    let conf = configuration(peers, interval).replace("version", &format!("{more}\nversion"));
    let mut peer = Daemon::start(&bed.two, Which::Keepalived, &conf);
    peer.wait_state("VI_1", "BACKUP", SOON);
    let pid = daemon.freeze();
    peer.wait_state("VI_1", "MASTER", SOON);
    bed.two.wait_address(DEV, "10.77.0.100", true, SOON);
    let mut wire = bed.client.capture(DEV);
    wire.next_advert("the new master's advert", SOON, |v| v.priority == peers);
    daemon.process().skip_lines();
    let mark = wire.mark();
    daemon.thaw(pid);
    if mine > peers {
        peer.wait_state("VI_1", "BACKUP", SOON);
        bed.two.wait_address(DEV, "10.77.0.100", false, SOON);
        assert!(bed.one.has(DEV, "10.77.0.100"), "it resumed");
    } else {
        daemon.wait_state("VI_1", "BACKUP", SOON);
        bed.one.wait_address(DEV, "10.77.0.100", false, SOON);
        assert!(bed.two.has(DEV, "10.77.0.100"), "the new master stays");
    }
    // Both spoke for no longer than an interval.
    wire.skip();
    let (winner, loser) = (mine.max(peers), mine.min(peers));
    for _ in 0..5 {
        wire.next_advert("the only master's advert", SOON, |v| v.priority == winner);
    }
    let adverts: Vec<_> = wire
        .since(mark)
        .into_iter()
        .filter_map(|frame| Some((frame.at, frame.vrrp()?.priority)))
        .collect();
    let first = adverts.iter().find(|(_, priority)| *priority == mine);
    let last = adverts.iter().rfind(|(_, priority)| *priority == loser);
    if let (Some((first, _)), Some((last, _))) = (first, last) {
        let both = last.saturating_sub(*first);
        // The interval, and what a busy machine may add to any wake-up.
        let limit = Duration::from_secs_f64(interval) + Duration::from_millis(50);
        assert!(both <= limit, "two masters for {both:?}: {adverts:?}");
    }
}

#[test]
fn a_master_that_stood_still_resumes_at_100_ms() {
    master_stands_still("thawed-high-100ms", 0.1, 200, 100, "");
}

#[test]
fn a_master_that_stood_still_resumes_at_1_s() {
    master_stands_still("thawed-high-1s", 1.0, 200, 100, "");
}

#[test]
fn a_master_that_stood_still_steps_down_at_100_ms() {
    master_stands_still("thawed-low-100ms", 0.1, 100, 200, "nopreempt");
}

#[test]
fn a_master_that_stood_still_steps_down_at_1_s() {
    master_stands_still("thawed-low-1s", 1.0, 100, 200, "nopreempt");
}

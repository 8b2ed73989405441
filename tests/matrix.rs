//! The interop matrix: {v2, v3} x {IPv4, IPv6} x {multicast, unicast}, PASS where v2 over IPv4
//! has it; ours as master with keepalived as backup, the other way round, and ours on both sides.
//! Every cell goes through takeover on a crash, handback on return, graceful stop, and link loss.

use std::net::IpAddr;
use std::time::Duration;

use rk_lab::{Capture, Daemon, Node, Which};

use crate::bed::{Bed, DEV, SOON, announced, ours};
use crate::cell::{Cell, every_cell};

/// The priority of the node that is master while it is there.
const HIGH: u8 = 200;
/// The priority of the other.
const LOW: u8 = 100;

every_cell! {
    ours_is_master => |cell: Cell, name| run(cell, name, ours(), Which::Keepalived);
    keepalived_is_master => |cell: Cell, name| run(cell, name, Which::Keepalived, ours());
    ours_is_both => |cell: Cell, name| run(cell, name, ours(), ours());
}

fn run(cell: Cell, name: &str, high: Which, low: Which) {
    let Some(bed) = Bed::new(name) else { return };
    let (one, two) = (&bed.one, &bed.two);
    let high_conf = cell.configuration(one, two, HIGH);
    let low_conf = cell.configuration(two, one, LOW);
    let (from_one, from_two) = (cell.endpoints(one, two), cell.endpoints(two, one));
    let mut wire = two.capture(DEV);
    let mut client = bed.client.capture(DEV);

    let mut a = Daemon::start(one, high, &high_conf);
    a.wait_state("VI_1", "MASTER", SOON);
    let mut b = Daemon::start(two, low, &low_conf);
    b.wait_state("VI_1", "BACKUP", SOON);
    owns(cell, one, true);
    let advert = wire.next_advert("an advert of the high node", SOON, |v| v.priority != 0);
    cell.check(&advert, high, from_one, HIGH);

    // Takeover when the master dies without a word.
    client.skip();
    a.crash();
    b.wait_state("VI_1", "MASTER", SOON);
    owns(cell, two, true);
    let advert = wire.next_advert("an advert of the low node", SOON, |v| {
        v.source == from_two.0
    });
    cell.check(&advert, low, from_two, LOW);
    not_early(cell, &wire, from_two.0);
    heard(cell, &mut client, two);

    // Handback; what the dead one left behind is gone before it is master again.
    let mut a = Daemon::start(one, high, &high_conf);
    handed_back(cell, &mut a, &mut b);
    heard(cell, &mut client, one);

    // Graceful stop: priority 0 first, so the other waits the skew time only.
    wire.skip();
    client.skip();
    assert!(a.stop().success(), "a clean end");
    owns(cell, one, false);
    let last = wire.next_advert("priority 0", SOON, |v| v.priority == 0);
    assert_eq!(last.source, from_one.0);
    b.wait_state("VI_1", "MASTER", SOON);
    owns(cell, two, true);
    heard(cell, &mut client, two);

    let mut a = Daemon::start(one, high, &high_conf);
    handed_back(cell, &mut a, &mut b);

    // Link loss.
    client.skip();
    bed.cable_one.pull();
    a.wait_state("VI_1", "FAULT", SOON);
    owns(cell, one, false);
    b.wait_state("VI_1", "MASTER", SOON);
    owns(cell, two, true);
    heard(cell, &mut client, two);
    bed.cable_one.plug();
    handed_back(cell, &mut a, &mut b);

    assert!(b.stop().success() && a.stop().success(), "a clean end");
    owns(cell, one, false);
    owns(cell, two, false);
}

#[track_caller]
fn handed_back(cell: Cell, a: &mut Daemon<'_>, b: &mut Daemon<'_>) {
    a.wait_state("VI_1", "BACKUP", SOON);
    a.wait_state("VI_1", "MASTER", SOON);
    b.wait_state("VI_1", "BACKUP", SOON);
    owns(cell, a.node(), true);
    owns(cell, b.node(), false);
}

/// Waits until `node` has all addresses, or none.
#[track_caller]
fn owns(cell: Cell, node: &Node, present: bool) {
    for address in cell.addresses() {
        node.wait_address(DEV, address, present, SOON);
    }
}

/// Waits until the client heard from `owner` about every address.
#[track_caller]
fn heard(cell: Cell, client: &mut Capture, owner: &Node) {
    for address in cell.addresses() {
        announced(client, owner, address.parse().expect("a literal"));
    }
}

/// The first advert of the new master came a down time after the last of the old, or later.
#[track_caller]
fn not_early(cell: Cell, wire: &Capture, new: IpAddr) {
    let adverts = wire.adverts();
    let first = adverts
        .iter()
        .position(|(_, v)| v.source == new)
        .expect("its first advert");
    let last = adverts[..first].last().expect("an advert before it");
    let waited = adverts[first].0 - last.0;
    // The kernel stamps both, with the microseconds between interface and daemon on top.
    let due = cell.down_time(LOW) - Duration::from_millis(1);
    assert!(waited >= due, "the backup waited {waited:?}, not {due:?}");
}

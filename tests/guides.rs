//! The deployments of published guides, as their readers type them, slips included: each file
//! starts unedited where its interfaces are, does what it does under keepalived, and fails over.
//!
//! The files are not ours to copy. They are looked for in `guides/` of the directory that
//! `RKEEPALIVED_SPEC_DIR` names, or of any directory beside the checkout; without them these
//! tests are skipped, and say so.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use rk_lab::{Cable, Daemon, Lab, Node, Process, Vrrp, Which, eventually};

use crate::bed::{DEV, SOON, announced, answers, lab, ours, skipped};

const CONF: &str = "/etc/keepalived/keepalived.conf";

/// A guide's file, or `None` where there are none.
pub(crate) fn guide(name: &str) -> Option<String> {
    let beside = || {
        let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
        let mut all = std::fs::read_dir(parent)
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()));
        all.find(|directory| directory.join("guides").join(name).is_file())
    };
    let directory = std::env::var_os("RKEEPALIVED_SPEC_DIR")
        .map(PathBuf::from)
        .or_else(beside);
    let read = |directory: PathBuf| std::fs::read_to_string(directory.join("guides").join(name));
    let found = directory.and_then(|directory| read(directory).ok());
    if found.is_none() {
        skipped(&format!("the guides' {name} is not here"));
    }
    found
}

/// Two nodes and a client, each with interfaces of the guide's names and network.
struct Site {
    _lab: Lab,
    one: Node,
    two: Node,
    client: Node,
    cable: Cable,
}

impl Site {
    /// `network` is the first three numbers of the network's addresses.
    fn new(name: &str, network: &str, interfaces: usize) -> Option<Self> {
        let lab = lab(name)?;
        let nodes = ["one", "two", "client"].map(|name| lab.node(name));
        let mut cables = Vec::new();
        for interface in 0..interfaces {
            let bridge = format!("lan{interface}");
            lab.bridge(&bridge);
            for (node, host) in nodes.iter().zip([21, 22, 29]) {
                let address = match interface {
                    0 => format!("{network}.{host}/24"),
                    n => format!("10.{n}.0.{host}/24"),
                };
                cables.push(lab.link(&bridge, node, &format!("eth{interface}"), &[&address]));
            }
        }
        let [one, two, client] = nodes;
        Some(Self {
            _lab: lab,
            one,
            two,
            client,
            cable: cables.swap_remove(0),
        })
    }
}

/// What `-t` says of the file in place: status and text.
fn test_status(node: &Node, which: Which) -> (Option<i32>, String) {
    let output = node.try_sh(&format!("{} -t -f {CONF}", which.program()));
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// Puts the file in place and asks both daemons what they think of it.
#[track_caller]
fn verdict(node: &Node, file: &str, expected: i32) {
    node.write(CONF, file);
    for which in [Which::Keepalived, ours()] {
        let (status, text) = test_status(node, which);
        assert_eq!(status, Some(expected), "{which:?} -t:\n{text}");
    }
}

/// A process that `killall -0 haproxy` finds.
fn haproxy(node: &Node) -> Process {
    node.sh("[ -e /run/haproxy ] || cp \"$(command -v sleep)\" /run/haproxy");
    let process = node.spawn("/run/haproxy", &["1000"]);
    eventually(SOON, "haproxy runs", || {
        (!node.pids("haproxy").is_empty()).then_some(())
    });
    process
}

#[test]
fn haproxy_pair() {
    let (Some(active), Some(standby)) =
        (guide("haproxy-active.conf"), guide("haproxy-standby.conf"))
    else {
        return;
    };
    let Some(site) = Site::new("guide-haproxy", "10.8.8", 1) else {
        return;
    };
    let (one, two) = (&site.one, &site.two);
    verdict(one, &active, 6);
    verdict(two, &standby, 6);
    let _two = haproxy(two);
    let on_one = haproxy(one);
    let mut wire = site.client.capture(DEV);
    let mut a = Daemon::start(one, ours(), &active);
    let mut b = Daemon::start(two, ours(), &standby);
    a.wait_for_line("VRRP_Script(check_haproxy) succeeded", SOON);
    a.wait_for_line("(LVS_HAP) Changing effective priority from 5 to 7", SOON);
    b.wait_for_line("SLAVE", SOON);
    b.wait_for_line("(LVS_HAP) Changing effective priority from 4 to 6", SOON);
    a.wait_state("LVS_HAP", "MASTER", SOON);
    one.wait_address(DEV, "10.8.8.40", true, SOON);
    let advert = wire.next_advert("an advert with the bonus", SOON, |v| v.priority == 7);
    assert_eq!(
        (advert.version, advert.vrid, advert.auth_type),
        (2, 51, Some(1))
    );
    assert_eq!(advert.trailer, b"changeme");
    assert_eq!(advert.addresses, ["10.8.8.40".parse::<IpAddr>().unwrap()]);
    // One HAProxy ends, and only its own node notices: the address moves.
    wire.skip();
    drop(on_one);
    a.wait_for_line(
        "VRRP_Script(check_haproxy) failed (exited with status 1)",
        SOON,
    );
    a.wait_for_line("(LVS_HAP) Changing effective priority from 7 to 5", SOON);
    b.wait_state("LVS_HAP", "MASTER", SOON);
    two.wait_address(DEV, "10.8.8.40", true, SOON);
    one.wait_address(DEV, "10.8.8.40", false, SOON);
    announced(&mut wire, two, "10.8.8.40".parse().unwrap());
    assert!(answers(&site.client, "10.8.8.40"));
    // And back.
    let _one = haproxy(one);
    a.wait_for_line("(LVS_HAP) Changing effective priority from 5 to 7", SOON);
    a.wait_state("LVS_HAP", "MASTER", SOON);
    one.wait_address(DEV, "10.8.8.40", true, SOON);
    two.wait_address(DEV, "10.8.8.40", false, SOON);
}

#[test]
fn hot_standby() {
    let (Some(file), Some(notify), Some(check)) = (
        guide("hot-standby.conf"),
        guide("notify.sh"),
        guide("chk_haproxy.sh"),
    ) else {
        return;
    };
    let Some(site) = Site::new("guide-hot-standby", "192.168.80", 1) else {
        return;
    };
    let (one, two) = (&site.one, &site.two);
    verdict(one, &file, 5);
    for node in [one, two] {
        node.script("/etc/keepalived/notify.sh", &notify);
        node.script("/etc/keepalived/chk_haproxy.sh", &check);
        // What the guide's scripts call; `mail` takes its subject behind -s.
        node.sh("cp \"$(command -v sleep)\" /run/haproxy");
        node.script(
            "/etc/init.d/haproxy",
            "#!/bin/sh\n/run/haproxy 1000 > /dev/null 2>&1 &\n",
        );
        node.script(
            "/etc/init.d/keepalived",
            "#!/bin/sh\necho \"$*\" >> /run/stopped\n",
        );
        node.script(
            "/usr/local/sbin/mail",
            "#!/bin/sh\necho \"$2\" >> /run/mails\n",
        );
    }
    verdict(one, &file, 6);
    let mut wire = site.client.capture(DEV);
    let mut a = Daemon::start(one, ours(), &file);
    // There is no shell in between: `[[` is not a program.
    a.wait_for_line("[[", SOON);
    a.wait_for_line("(VI_1) Changing effective priority from 100 to 102", SOON);
    a.wait_state("VI_1", "MASTER", SOON);
    one.wait_address(DEV, "192.168.80.114", true, SOON);
    let advert = wire.next_advert("an advert with the bonus", SOON, |v| v.priority == 102);
    assert_eq!((advert.vrid, advert.auth_type), (111, Some(1)));
    assert_eq!(advert.trailer, b"1111\0\0\0\0");
    let mails = || one.read("/run/mails").unwrap_or_default();
    eventually(SOON, "the script's mail about master", || {
        mails().contains("one to be master").then_some(())
    });
    assert!(
        !one.pids("haproxy").is_empty(),
        "the check script started HAProxy"
    );
    // The script repairs HAProxy before anybody misses it.
    one.sh("killall haproxy");
    eventually(SOON, "HAProxy runs again", || {
        (!one.pids("haproxy").is_empty()).then_some(())
    });
    assert_eq!(one.read("/run/stopped"), None);

    let mut b = Daemon::start(two, ours(), &file);
    b.wait_for_line("(VI_1) Changing effective priority from 100 to 102", SOON);
    // Same file, same priority: whoever has the address keeps it, until it dies.
    for _ in 0..4 {
        wire.next_advert("the master's advert", SOON, |_| true);
    }
    assert_eq!(b.count("Entering MASTER"), 0, "{}", b.log());
    site.cable.pull();
    a.wait_state("VI_1", "FAULT", SOON);
    b.wait_state("VI_1", "MASTER", SOON);
    two.wait_address(DEV, "192.168.80.114", true, SOON);
    one.wait_address(DEV, "192.168.80.114", false, SOON);
    eventually(SOON, "the script's mail about fault", || {
        mails().contains("one to be fault").then_some(())
    });
}

/// A pair whose `auth_type pass` is unknown, so that nothing authenticates.
fn pair_without_authentication(name: &str, files: [&str; 2], address: &str) {
    let [Some(first), Some(second)] = files.map(guide) else {
        return;
    };
    let Some(site) = Site::new(name, "192.168.4", 1) else {
        return;
    };
    let (one, two) = (&site.one, &site.two);
    // Where the kernel has no IPVS, keepalived's checker process ends the whole daemon; the VRRP
    // part is what this is about.
    let more: &[&str] = match ours() {
        Which::Keepalived => &["-P"],
        Which::Rkeepalived => &[],
    };
    let start = |node, file: &str| {
        verdict(node, file, 5);
        Daemon::start_as_is(node, ours(), more)
    };
    let mut wire = site.client.capture(DEV);
    let mut a = start(one, &first);
    a.wait_for_line("pass", SOON);
    a.wait_state("VI_1", "MASTER", SOON);
    one.wait_address(DEV, address, true, SOON);
    let plain = |advert: &Vrrp, priority| {
        assert_eq!(
            (advert.version, advert.vrid, advert.priority),
            (2, 51, priority)
        );
        assert_eq!(
            (advert.auth_type, advert.trailer.as_slice()),
            (Some(0), &[0; 8][..])
        );
        assert_eq!(advert.addresses, [address.parse::<IpAddr>().unwrap()]);
    };
    plain(&wire.next_advert("an advert", SOON, |_| true), 100);
    let mut b = start(two, &second);
    b.wait_state("VI_1", "BACKUP", SOON);
    wire.skip();
    a.crash();
    b.wait_state("VI_1", "MASTER", SOON);
    two.wait_address(DEV, address, true, SOON);
    announced(&mut wire, two, address.parse().unwrap());
    plain(
        &wire.next_advert("an advert of the second", SOON, |_| true),
        50,
    );
    let mut a = start(one, &first);
    a.wait_state("VI_1", "MASTER", SOON);
    b.wait_state("VI_1", "BACKUP", SOON);
    one.wait_address(DEV, address, true, SOON);
    two.wait_address(DEV, address, false, SOON);
    if ours() == Which::Rkeepalived && files[0].starts_with("lvs") {
        let log = a.log();
        assert!(
            log.lines()
                .any(|l| l.contains("IPVS: this kernel has no IPVS")
                    || l.contains("Activating healthchecker")),
            "the LVS part is at work, whatever the kernel has:\n{log}"
        );
    }
}

#[test]
fn web_pair() {
    pair_without_authentication(
        "guide-web",
        ["web-ha-1.conf", "web-ha-2.conf"],
        "192.168.4.80",
    );
}

// The balancing itself is in `lvs::guides`: it needs a kernel with IPVS.
#[test]
fn lvs_directors() {
    pair_without_authentication(
        "guide-lvs",
        ["lvs-dr-1.conf", "lvs-dr-2.conf"],
        "192.168.4.15",
    );
}

#[test]
fn every_option_annotated() {
    let Some(file) = guide("annotated.conf") else {
        return;
    };
    let Some(site) = Site::new("guide-annotated", "192.168.200", 3) else {
        return;
    };
    let (one, two) = (&site.one, &site.two);
    verdict(one, &file, 5);
    let mut wire = site.client.capture(DEV);
    let mut a = Daemon::start(one, ours(), &file);
    a.wait_state("VI_1", "MASTER", SOON);
    for (dev, address) in [
        ("eth0", "192.168.200.100"),
        ("eth1", "192.168.200.101"),
        ("eth2", "192.168.200.102"),
    ] {
        one.wait_address(dev, address, true, SOON);
    }
    // Strict mode has thrown the authentication header away.
    let advert = wire.next_advert("an advert", SOON, |_| true);
    assert!(!advert.behind_ah);
    assert_eq!(advert.destination, "225.0.0.18".parse::<IpAddr>().unwrap());
    assert_eq!(
        (advert.version, advert.priority, advert.auth_type),
        (2, 100, Some(0))
    );
    let addresses = [100, 101, 102].map(|n| IpAddr::from([192, 168, 200, n]));
    assert_eq!(advert.addresses, addresses);
    let labels = one.ip_json("address show dev eth2").to_string();
    assert!(labels.contains("\"label\":\"eth2:1\""), "{labels}");
    // And keeps the master from answering at its addresses; at its own it does.
    assert!(answers(&site.client, "192.168.200.21"));
    eventually(SOON, "the drop rule for the virtual addresses", || {
        (!answers(&site.client, "192.168.200.100")).then_some(())
    });
    let mut b = Daemon::start(two, ours(), &file);
    b.wait_state("VI_1", "BACKUP", SOON);
    site.cable.pull();
    a.wait_state("VI_1", "FAULT", SOON);
    b.wait_state("VI_1", "MASTER", SOON);
    two.wait_address("eth0", "192.168.200.100", true, SOON);
    one.wait_address("eth1", "192.168.200.101", false, SOON);
    assert!(b.stop().success(), "a clean end");
    if two.sh("command -v nft || :").contains("nft") {
        assert_eq!(
            two.sh("nft list tables"),
            "",
            "the drop rules go with the daemon"
        );
    }
}

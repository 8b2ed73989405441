//! What the RFCs ask of a router as a whole, and only a network can show: who answers for the
//! virtual addresses, and what is never forwarded. (The protocol itself is proven in `rk-vrrp`.)

use std::net::{IpAddr, Ipv6Addr};

use rk_lab::{Daemon, Frame, Kind, Node, Which, eventually};

use crate::bed::{Bed, DEV, SOON, answers, ours};

const V4: &str = "10.77.0.100";
const V6: &str = "fd77::100";

/// One instance for each family; `more` goes into both.
fn both_families(priority: u8, more: &str) -> String {
    let instance = |name: &str, vrid: u8, addresses: &str| {
        format!(
            "vrrp_instance {name} {{
                interface {DEV}
                virtual_router_id {vrid}
                priority {priority}
                version 3
                advert_int 0.2
                {more}
                virtual_ipaddress {{
                    {addresses}
                }}
            }}\n"
        )
    };
    instance("four", 51, "10.77.0.100/24") + &instance("six", 52, "fe80::77:100/64\nfd77::100/64")
}

fn mac(node: &Node) -> String {
    let link = node.ip_json(&format!("link show {DEV}"));
    link[0]["address"]
        .as_str()
        .expect("a MAC address")
        .to_owned()
}

/// Makes the client believe that `address` lives at `node`.
fn point(client: &Node, address: &str, node: &Node) {
    let mac = mac(node);
    client.sh(&format!(
        "ip neigh replace {address} lladdr {mac} nud permanent dev {DEV}"
    ));
}

/// The frames that answer "who has `address`?".
fn replies(frames: &[Frame], address: &str) -> Vec<Frame> {
    let address: IpAddr = address.parse().expect("a literal");
    let is_reply = |frame: &&Frame| match &frame.kind {
        Kind::Arp(arp) => arp.operation == 2 && IpAddr::from(arp.sender) == address,
        Kind::NeighbourAdvert(na) => na.flags & 0x40 != 0 && IpAddr::from(na.target) == address,
        _ => false,
    };
    frames.iter().filter(is_reply).cloned().collect()
}

//= V3-6.4.2-1 V3-6.4.2-2 V3-6.4.2-5 V2-6.4.2-1 the backup
//= V3-6.4.3-1 V3-6.4.3-2 V3-6.4.3-3 V3-6.4.3-6 X-ACCEPT-1 the master
#[test]
fn the_master_answers_for_the_addresses_and_the_backup_does_not() {
    let Some(bed) = Bed::new("rfc-answers") else {
        return;
    };
    for node in [&bed.one, &bed.two] {
        node.sh("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    }
    let a = Daemon::start(&bed.one, ours(), &both_families(200, ""));
    for instance in ["four", "six"] {
        // Either may be first.
        eventually(SOON, &format!("{instance} is master:\n{}", a.log()), || {
            (a.count(&format!("({instance}) Entering MASTER STATE")) > 0).then_some(())
        });
    }
    let mut b = Daemon::start(&bed.two, ours(), &both_families(100, ""));
    b.wait_for_line("Entering BACKUP STATE", SOON);
    b.wait_for_line("Entering BACKUP STATE", SOON);
    for address in [V4, V6] {
        bed.one.wait_address(DEV, address, true, SOON);
        let capture = bed.client.capture(DEV);
        bed.client.sh(&format!("ip neigh flush dev {DEV}"));
        assert!(
            answers(&bed.client, address),
            "the master accepts packets for {address}"
        );
        let found = eventually(SOON, &format!("an answer to who has {address}"), || {
            let found = replies(&capture.frames(), address);
            (!found.is_empty()).then_some(found)
        });
        for frame in &found {
            assert_eq!(
                frame.source.to_string(),
                mac(&bed.one),
                "only the master answers: {frame}"
            );
            if let Some(na) = frame.neighbour_advert() {
                assert_eq!(na.flags & 0x80, 0x80, "the Router flag: {frame}");
            }
        }
        // Even a frame that is sent to the backup gets nowhere.
        point(&bed.client, address, &bed.two);
        bed.two
            .sh("echo 0 > /proc/sys/net/ipv6/conf/all/forwarding");
        assert!(
            !answers(&bed.client, address),
            "the backup accepts nothing for {address}"
        );
        point(&bed.client, address, &bed.one);
        assert!(answers(&bed.client, address), "while the master still does");
    }
    let low: [u8; 3] = V6.parse::<Ipv6Addr>().expect("a literal").octets()[13..]
        .try_into()
        .unwrap();
    let group = format!(
        "ff02::1:ff{:02x}:{:x}",
        low[0],
        u16::from_be_bytes([low[1], low[2]])
    );
    let groups = bed.one.sh(&format!("ip -6 maddr show dev {DEV}"));
    assert!(groups.contains(&group), "{group} in\n{groups}");
}

//= X-ACCEPT-1 refused
#[test]
fn a_master_that_accepts_nothing_still_answers_who_has_it() {
    let Some(bed) = Bed::new("rfc-no-accept") else {
        return;
    };
    let mut daemon = Daemon::start(&bed.one, ours(), &both_families(200, "no_accept"));
    daemon.wait_for_line("Entering MASTER STATE", SOON);
    for address in [V4, V6] {
        bed.one.wait_address(DEV, address, true, SOON);
        eventually(SOON, &format!("packets to {address} are dropped"), || {
            (!answers(&bed.client, address)).then_some(())
        });
        let capture = bed.client.capture(DEV);
        bed.client.sh(&format!("ip neigh flush dev {DEV}"));
        assert!(!answers(&bed.client, address));
        eventually(SOON, &format!("an answer to who has {address}"), || {
            (!replies(&capture.frames(), address).is_empty()).then_some(())
        });
    }
    assert!(
        answers(&bed.client, "10.77.0.1"),
        "its own address is not meant"
    );
    daemon.reload(&both_families(200, ""));
    for address in [V4, V6] {
        eventually(SOON, &format!("{address} is accepted"), || {
            answers(&bed.client, address).then_some(())
        });
    }
    daemon.reload(&both_families(200, "no_accept"));
    for address in [V4, V6] {
        eventually(SOON, &format!("packets to {address} are dropped"), || {
            (!answers(&bed.client, address)).then_some(())
        });
    }
}

//= V3-5.1.1.2-2 V3-5.1.2.2-2 V2-5.2.2-1
#[test]
fn adverts_are_never_forwarded() {
    let Some(bed) = Bed::new("rfc-forward") else {
        return;
    };
    bed.lab.bridge("other");
    bed.lab
        .link("other", &bed.one, "eth1", &["10.78.0.1/24", "fd78::1/64"]);
    let beyond = bed.lab.node("beyond");
    bed.lab
        .link("other", &beyond, "eth0", &["10.78.0.9/24", "fd78::9/64"]);
    bed.one.sh(
        "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
    );
    beyond.sh("ip route add 10.77.0.0/24 via 10.78.0.1");
    bed.two.sh("ip route add 10.78.0.0/24 via 10.77.0.1");
    let _router = Daemon::start(&bed.one, ours(), &both_families(200, ""));
    let mut near = bed.one.capture(DEV);
    let far = beyond.capture(DEV);
    // Another virtual router on the same wire, in both families and in version 2.
    let v2 = "vrrp_instance two {\ninterface eth0\nvirtual_router_id 63\nversion 2\n\
              virtual_ipaddress {\n10.77.0.130\n}\n}\n";
    let others = both_families(100, "")
        .replace("_id 51", "_id 61")
        .replace("_id 52", "_id 62");
    let others = others
        .replace("77:100", "77:120")
        .replace("77::100", "77::120");
    let others = others.replace("0.100/", "0.120/") + v2;
    let _others = Daemon::start(&bed.two, Which::Keepalived, &others);
    for vrid in [61, 62, 63] {
        for _ in 0..3 {
            near.next_advert("an advert of the other router", SOON, |v| v.vrid == vrid);
        }
    }
    // The way is open for everything else.
    assert!(
        answers(&bed.two, "10.78.0.9"),
        "ordinary packets are forwarded"
    );
    let passed: Vec<_> = far
        .frames()
        .into_iter()
        .filter(|f| f.vrrp().is_some())
        .collect();
    assert!(passed.is_empty(), "{passed:?}");
}

//= V2A-3
#[test]
fn version_3_has_no_authentication_and_says_so() {
    let Some(bed) = Bed::new("rfc-v3-auth") else {
        return;
    };
    let auth = "authentication {\nauth_type PASS\nauth_pass hunter2\n}";
    let mut wire = bed.two.capture(DEV);
    let mut daemon = Daemon::start(&bed.one, ours(), &both_families(100, auth));
    daemon.wait_for_line("uthentication", SOON);
    let advert = wire.next_advert("an advert", SOON, |v| v.vrid == 51);
    assert_eq!(
        (advert.version, advert.trailer.len()),
        (3, 0),
        "sent without, not refused"
    );
}

//= V2A-4
#[test]
fn the_password_is_nowhere_to_be_read() {
    if ours() == Which::Keepalived {
        return crate::bed::skipped("2.2.7 writes it into its dump");
    }
    let Some(bed) = Bed::new("rfc-secret") else {
        return;
    };
    let conf = |password: &str| {
        format!(
            "vrrp_instance VI_1 {{
                interface {DEV}
                virtual_router_id 51
                authentication {{
                    auth_type PASS
                    auth_pass {password}
                }}
                virtual_ipaddress {{
                    10.77.0.100/24
                }}
            }}\n"
        )
    };
    // Somebody else's password is wrong, which is worth a line in the log.
    let mut other = Daemon::start(&bed.two, Which::Keepalived, &conf("otherone"));
    other.wait_state("VI_1", "MASTER", SOON);
    bed.one
        .write("/etc/keepalived/keepalived.conf", conf("hunter2x"));
    let mut daemon = Daemon::start_as_is(&bed.one, ours(), &["-d"]);
    daemon.wait_for_line("received an invalid passwd", SOON);
    daemon.wait_state("VI_1", "MASTER", SOON);
    daemon.signal("USR1");
    let dump = eventually(SOON, "the dump", || {
        bed.one
            .read("/tmp/keepalived.data")
            .filter(|text| text.contains("VRRP Instance = VI_1"))
    });
    let titles: String = bed
        .one
        .pids("rkeepalived")
        .iter()
        .filter_map(|pid| bed.one.read(&format!("/proc/{pid}/cmdline")))
        .collect();
    assert!(!titles.is_empty());
    for (place, text) in [
        ("log", daemon.log()),
        ("dump", dump),
        ("process title", titles),
    ] {
        assert!(
            !text.contains("hunter2x"),
            "the password in the {place}:\n{text}"
        );
        assert!(
            !text.contains("otherone"),
            "the other's password in the {place}:\n{text}"
        );
    }
}

//= X-VMAC-1
#[test]
fn without_a_virtual_mac_the_interface_s_own_is_used() {
    let Some(bed) = Bed::new("rfc-mac") else {
        return;
    };
    let mut wire = bed.client.capture(DEV);
    let _daemon = Daemon::start(&bed.one, ours(), &both_families(100, ""));
    let own = mac(&bed.one);
    let four: IpAddr = V4.parse().expect("a literal");
    for announced in [four, V6.parse().expect("a literal")] {
        let news = wire.next("an announcement", SOON, |f| {
            f.announces() == Some(announced)
        });
        assert_eq!(news.source.to_string(), own);
        match &news.kind {
            Kind::Arp(arp) => assert_eq!(arp.sender_mac.to_string(), own),
            Kind::NeighbourAdvert(na) => {
                assert_eq!(na.mac.map(|mac| mac.to_string()), Some(own.clone()));
            }
            _ => unreachable!("only these announce"),
        }
    }
    let advert = wire.next("an advert", SOON, |f| f.vrrp().is_some());
    assert_eq!(advert.source.to_string(), own);
}

//= X-V4V6-1
#[test]
fn an_instance_advertises_one_family_and_holds_both() {
    let Some(bed) = Bed::new("rfc-families") else {
        return;
    };
    let conf = format!(
        "vrrp_instance VI_1 {{
            interface {DEV}
            virtual_router_id 51
            version 3
            advert_int 0.2
            virtual_ipaddress {{
                10.77.0.100/24
                fd77::101/64
            }}
            virtual_ipaddress_excluded {{
                fd77::100/64
            }}
        }}\n"
    );
    let mut wire = bed.two.capture(DEV);
    let mut daemon = Daemon::start(&bed.one, ours(), &conf);
    // Where it cannot be advertised it is left out, with a word; excluded, it is held.
    daemon.wait_for_line(
        "address family must match VRRP instance [fd77::101/64]",
        SOON,
    );
    bed.one.wait_address(DEV, V4, true, SOON);
    bed.one.wait_address(DEV, V6, true, SOON);
    let advert = wire.next_advert("an advert", SOON, |_| true);
    assert_eq!(advert.addresses, [V4.parse::<IpAddr>().expect("a literal")]);
    assert!(!bed.one.has(DEV, "fd77::101"));
}

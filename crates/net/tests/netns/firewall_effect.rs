//! What the firewall does to packets, and what keepalived makes of the same addresses.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use rk_base::IfIndex;
use rk_net::{Dropped, Firewall, FirewallSettings};

use crate::firewall::{dropped, firewall, index, listed};
use crate::sandbox::{Host, sandboxed, skipped, two_hosts};

/// Sends to a virtual address and then to the host's own, and says what came first. One wire keeps
/// the order, so what has not come before the second was dropped.
fn first_of(receiver: &UdpSocket, sender: &UdpSocket, vip: SocketAddr, own: SocketAddr) -> String {
    sender.send_to(b"virtual", vip).unwrap();
    sender.send_to(b"own", own).unwrap();
    let mut buffer = [0; 16];
    let mut first = None;
    loop {
        let (n, _) = receiver
            .recv_from(&mut buffer)
            .expect("the own address answers");
        let text = String::from_utf8(buffer[..n].to_vec()).unwrap();
        let last = text == "own";
        let first = first.get_or_insert(text);
        if last {
            return first.clone();
        }
    }
}

fn udp(host: &Host, bind: &str) -> UdpSocket {
    let socket = host.run(|| UdpSocket::bind(bind).unwrap());
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    socket
}

/// Polls until `host` knows the link-layer address of `address`.
fn resolve(host: &Host, address: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let neighbours = host.ip(&format!("neigh show to {address} dev vb"));
        if neighbours.contains("lladdr 02:00:00:00:00:0a") {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "nobody answers for {address}: {neighbours}"
        );
    }
}

//= V3-6.1-6 V3-6.4.3-7 V2-6.4.3-2
#[test]
fn packets_to_virtual_addresses_are_dropped_and_neighbours_answered() {
    sandboxed(
        "firewall_effect::packets_to_virtual_addresses_are_dropped_and_neighbours_answered",
        || {
            let (a, b) = two_hosts();
            a.ip("addr add 10.0.0.100/32 dev va");
            for (host, dev, address) in [
                (&a, "va", "2001:db8::1/64"),
                (&a, "va", "2001:db8::100/64"),
                (&a, "va", "fe80::100/64"),
                (&b, "vb", "2001:db8::2/64"),
            ] {
                host.ip(&format!("addr add {address} dev {dev} nodad"));
            }
            let va = a.ifindex("va");
            let scope = b.ifindex("vb");
            for (vip, own, local, peer) in [
                ("10.0.0.100", "10.0.0.1", "10.0.0.2:0", "10.0.0.2"),
                (
                    "2001:db8::100",
                    "2001:db8::1",
                    "[2001:db8::2]:0",
                    "2001:db8::2",
                ),
                ("fe80::100", "fe80::a", "[::]:0", "fe80::b"),
            ] {
                let any = if vip.contains(':') {
                    "[::]:0"
                } else {
                    "0.0.0.0:0"
                };
                let receiver = udp(&a, any);
                let port = receiver.local_addr().unwrap().port();
                let sender = udp(&b, local);
                let at = |host: &str, scope: IfIndex| match host.parse().unwrap() {
                    IpAddr::V6(v6) if host.starts_with("fe80") => {
                        std::net::SocketAddrV6::new(v6, port, 0, scope.get()).into()
                    }
                    ip => SocketAddr::new(ip, port),
                };
                let (to_vip, to_own) = (at(vip, scope), at(own, scope));
                // Neighbours known, all packets arrive in order.
                for to in [to_vip, to_own] {
                    sender.send_to(b"warm", to).unwrap();
                    receiver.recv_from(&mut [0; 16]).unwrap();
                }
                assert_eq!(first_of(&receiver, &sender, to_vip, to_own), "virtual");

                let mut firewall = a.run(|| {
                    let mut firewall = firewall();
                    firewall.set(&dropped(va, &[vip])).unwrap();
                    firewall
                });
                assert_eq!(first_of(&receiver, &sender, to_vip, to_own), "own", "{vip}");
                // Nor does anything leave from it.
                let from = a.run(|| {
                    let vip = at(vip, va);
                    UdpSocket::bind(SocketAddr::new(vip.ip(), 0)).or_else(|_| {
                        let mut bind = vip;
                        bind.set_port(0);
                        UdpSocket::bind(bind)
                    })
                });
                let refused = from.unwrap().send_to(b"out", at(peer, va)).unwrap_err();
                assert_eq!(
                    refused.kind(),
                    std::io::ErrorKind::PermissionDenied,
                    "{vip}"
                );
                // Who asks for it is answered all the same.
                b.ip("neigh flush dev vb");
                assert!(
                    !b.ip(&format!("neigh show to {vip} dev vb"))
                        .contains("lladdr")
                );
                sender.send_to(b"lost", to_vip).unwrap();
                resolve(&b, vip);

                // Another interface of the same link-local address is another's.
                if vip.starts_with("fe80") {
                    a.run(|| firewall.set(&dropped(index(1), &[vip])).unwrap());
                    assert_eq!(first_of(&receiver, &sender, to_vip, to_own), "virtual");
                    let named = Dropped::OnNamed(vip.parse().unwrap(), "va".into());
                    a.run(|| firewall.set(&BTreeSet::from([named])).unwrap());
                    assert_eq!(first_of(&receiver, &sender, to_vip, to_own), "own");
                }
                a.run(|| firewall.set(&BTreeSet::new()).unwrap());
                assert_eq!(first_of(&receiver, &sender, to_vip, to_own), "virtual");
                a.run(|| firewall.clear().unwrap());
                a.run(|| assert_eq!(listed(), ""));
            }
        },
    );
}

/// A keepalived of its own, stopped when the test ends.
struct Keepalived {
    parent: std::process::Child,
    /// Where its VRRP process wrote its number.
    pid_file: String,
}

/// How a keepalived ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Asked,
    Killed,
}

impl Keepalived {
    /// Ends it and its child, and waits for both.
    fn end(self, how: End) {
        let child = std::fs::read_to_string(&self.pid_file).unwrap();
        let parent = self.parent.id().to_string();
        if how == End::Killed {
            // A child whose parent ends cleans up and follows: one that is stopped cannot.
            for (signal, pid) in [
                ("-STOP", child.trim()),
                ("-9", &parent),
                ("-9", child.trim()),
            ] {
                assert!(
                    Command::new("kill")
                        .args([signal, pid])
                        .status()
                        .unwrap()
                        .success()
                );
            }
        }
        drop(self);
        let deadline = Instant::now() + Duration::from_secs(10);
        let status = format!("/proc/{}/stat", child.trim());
        while std::fs::read_to_string(&status).is_ok_and(|text| !text.contains(") Z ")) {
            assert!(Instant::now() < deadline, "{status} is still there");
        }
    }
}

impl Drop for Keepalived {
    fn drop(&mut self) {
        if matches!(self.parent.try_wait(), Ok(None)) {
            let _ = Command::new("kill")
                .arg(self.parent.id().to_string())
                .status();
        }
        let _ = self.parent.wait();
    }
}

#[test]
fn the_objects_are_those_of_keepalived() {
    const NAME: &str = "firewall_effect::the_objects_are_those_of_keepalived";
    sandboxed(NAME, || {
        if Command::new("keepalived")
            .arg("--version")
            .output()
            .is_err()
        {
            skipped(NAME, "keepalived is not installed");
            return;
        }
        let directory = std::env::temp_dir().join(format!("rk-firewall-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let file = |name: &str| directory.join(name).to_str().unwrap().to_owned();
        let (a, _b) = two_hosts();
        let _at_a = a.enter();
        let va = a.ifindex("va");
        let v4 = ["10.0.0.100", "10.0.0.101"];
        let v6 = ["fe80::100", "2001:db8::100", "2001:db8::101"];
        for (counters, named, end) in [
            (false, false, End::Asked),
            (true, false, End::Asked),
            (false, true, End::Killed),
        ] {
            let global = if counters { "nftables_counters" } else { "" };
            let track = if named { "dont_track_primary" } else { "" };
            let instance = |name: &str, vrid: u8, vips: &[&str]| {
                let vips = vips.join("\n");
                format!(
                    "vrrp_instance {name} {{\ninterface va\nvirtual_router_id {vrid}\n{track}\n\
                     priority 100\nadvert_int 0.1\nno_accept\nvirtual_ipaddress {{\n{vips}\n}}\n}}\n"
                )
            };
            let text = format!(
                "global_defs {{\nvrrp_version 3\n{global}\n}}\n{}{}",
                instance("four", 4, &v4),
                instance("six", 6, &v6)
            );
            std::fs::write(file("conf"), text).unwrap();
            let keepalived = Keepalived {
                parent: Command::new("keepalived")
                    .args(["-P", "-n", "-l", "-f", &file("conf")])
                    .args(["-p", &file("pid"), "-r", &file("vrrp.pid")])
                    .stdout(std::process::Stdio::null())
                    .stderr(std::process::Stdio::null())
                    .spawn()
                    .unwrap(),
                pid_file: file("vrrp.pid"),
            };
            let deadline = Instant::now() + Duration::from_secs(20);
            let complete = |text: &str| {
                let all = v4.iter().chain(&v6);
                all.into_iter().all(|vip| text.contains(vip))
            };
            while !complete(&listed()) {
                assert!(
                    Instant::now() < deadline,
                    "keepalived makes no rules: {}",
                    listed()
                );
            }
            let theirs = listed();
            keepalived.end(end);
            match end {
                End::Asked => assert_eq!(listed(), "", "keepalived has not cleaned up"),
                // What is left is replaced below.
                End::Killed => assert_eq!(comparable(&listed()), comparable(&theirs)),
            }
            let _ = std::fs::remove_file(file("pid"));
            let _ = std::fs::remove_file(file("vrrp.pid"));

            let mut firewall = Firewall::new(FirewallSettings {
                counters,
                ..FirewallSettings::default()
            });
            let mut vips = dropped(va, &v4);
            vips.extend(dropped(va, &v6));
            if named {
                let link_local: std::net::Ipv6Addr = v6[0].parse().unwrap();
                vips.remove(&Dropped::On(link_local, va));
                vips.insert(Dropped::OnNamed(link_local, "va".into()));
            }
            firewall.set(&vips).unwrap();
            assert_eq!(comparable(&listed()), comparable(&theirs));
            firewall.clear().unwrap();
            assert_eq!(listed(), "");
        }
        std::fs::remove_dir_all(&directory).unwrap();
    });
}

/// Without what differs from run to run: packet counts, and the order of the elements of a set.
fn comparable(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut set: Option<Vec<String>> = None;
    for line in text.lines() {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        if let Some(i) = words.iter().position(|&w| w == "packets") {
            words.drain(i..i + 4);
        }
        if words.first() == Some(&"elements") {
            set = Some(Vec::new());
            words.drain(..3);
        }
        let Some(elements) = set.as_mut() else {
            lines.push(words.join(" "));
            continue;
        };
        let line = words.join(" ");
        elements.extend(
            line.trim_end_matches('}')
                .split(',')
                .map(|e| e.trim().to_owned()),
        );
        if line.ends_with('}') {
            elements.retain(|e| !e.is_empty());
            elements.sort();
            lines.push(format!("elements {elements:?}"));
            set = None;
        }
    }
    lines
}

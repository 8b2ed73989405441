//! What needs a network of its own: pings, marks, hosts that are not there.

use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rk_checker::probe::{
    DnsProbe, Endpoint, HttpProbe, PingGroupRange, Probe, Report, SmtpProbe, UdpProbe, attempt,
};
use rk_lab::{Lab, Node};
use socket2::{Domain, Socket, Type};

use crate::server::skipped;
use crate::{RS, verdict};

/// A host on a network with nobody else, or `None` (said aloud) where that cannot be made.
fn host() -> Option<(Lab, Node)> {
    match Lab::new("probe") {
        Ok(lab) => {
            let node = lab.node("director");
            node.net_sh(
                "ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up; \
                 ip addr add 10.9.0.1/24 dev v0; ip addr add fd09::1/64 dev v0 nodad",
            );
            Some((lab, node))
        }
        Err(error) if std::env::var_os("RKEEPALIVED_TEST_LAB").is_none() => {
            skipped(&format!("{error:#}"));
            None
        }
        Err(error) => panic!("{error:#}"),
    }
}

/// One attempt from inside of `node`.
fn from(node: &Node, endpoint: &Endpoint, probe: &Probe, number: u64) -> Report {
    node.in_net(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(attempt(endpoint, probe, number))
    })
}

fn at(address: &str) -> Endpoint {
    let address: SocketAddr = address.parse().unwrap();
    Endpoint {
        connect_timeout: Duration::from_millis(300),
        ..Endpoint::new(RS, address)
    }
}

fn ping_range(node: &Node, range: Option<&str>) -> String {
    node.in_net(|| {
        let path = "/proc/sys/net/ipv4/ping_group_range";
        // /proc/sys/net shows the namespace of whoever opens it.
        if let Some(range) = range {
            fs::write(path, range).unwrap();
        }
        fs::read_to_string(path).unwrap().trim().to_owned()
    })
}

#[test]
fn ping() {
    let Some((_lab, node)) = host() else { return };
    // Refused the kernel's echo socket, as in every new namespace, and allowed it.
    for range in [None, Some("0 0")] {
        let range = ping_range(&node, range);
        for address in ["10.9.0.1:0", "[fd09::1]:0", "127.0.0.1:80", "[::1]:0"] {
            for number in [0, 1, 65_536] {
                let found = from(&node, &at(address), &Probe::Ping, number);
                assert_eq!(verdict(&found), "success", "{address} {range}");
            }
        }
        let found = from(&node, &at("10.9.0.77:0"), &Probe::Ping, 0);
        let timeout = format!("ICMP connection to address {RS} timeout.");
        assert_eq!(verdict(&found), timeout, "{range}");
        let found = from(&node, &at("10.77.0.77:0"), &Probe::Ping, 0);
        assert_eq!(verdict(&found), format!("ICMP connection to {RS} failed."));
        let mut foreign = at("10.9.0.1:0");
        foreign.bind.addr = Some("10.55.0.1".parse().unwrap());
        let found = from(&node, &foreign, &Probe::Ping, 0);
        assert_eq!(
            verdict(&found),
            "unable: ICMP socket bind failed. Rescheduling."
        );
    }
}

#[test]
fn ping_on_the_wire() {
    let Some((_lab, node)) = host() else { return };
    ping_range(&node, Some("0 0"));
    node.net_sh("ip neigh add 10.9.0.77 lladdr 02:00:00:00:00:77 dev v0");
    let mut wire = node.in_net(|| {
        // Every IPv4 packet on any interface, coming and going (packet(7)).
        let every = i32::from(u16::from_ne_bytes([8, 0]));
        let protocol = Some(socket2::Protocol::from(every));
        let socket = Socket::new(Domain::PACKET, Type::RAW, protocol).unwrap();
        socket.set_read_timeout(Some(crate::server::LIMIT)).unwrap();
        socket
    });
    from(&node, &at("10.9.0.77:0"), &Probe::Ping, 7);
    let mut buffer = [0; 2000];
    let packet = loop {
        let length = wire.read(&mut buffer).expect("the echo request");
        if length >= 42 && buffer[23] == 1 && buffer[34] == 8 {
            break buffer[..length].to_vec();
        }
    };
    let (ip, icmp) = packet[14..].split_at(20);
    assert_eq!(ip[6] & 0x40, 0x40, "Don't Fragment");
    assert_eq!(icmp[..2], [8, 0]);
    assert_eq!(icmp[6..8], [0, 7], "the sequence number");
    let motto = b"keepalived check - ".repeat(7);
    assert_eq!(icmp[8..], motto[..128]);
}

#[test]
fn the_range_of_groups_that_may_ping() {
    let Some((_lab, node)) = host() else { return };
    if ping_range(&node, None) != "1\t0" {
        return skipped("groups 1 and 0 are not both known in this user namespace");
    }
    let during = node.in_net(|| {
        let range = PingGroupRange::widen().unwrap();
        assert!(range.is_some());
        assert!(
            PingGroupRange::widen().unwrap().is_none(),
            "it is wide enough now"
        );
        fs::read_to_string("/proc/sys/net/ipv4/ping_group_range").unwrap()
    });
    assert_eq!(during.trim(), "0\t0");
    assert_eq!(ping_range(&node, None), "1\t0");
}

#[test]
fn hosts_that_are_not_there() {
    let Some((_lab, node)) = host() else { return };
    node.net_sh("ip route add unreachable 10.66.0.0/16");
    // No route at all, and one that says no.
    for address in ["10.77.0.77:80", "10.66.0.1:80"] {
        let endpoint = at(address);
        let ip = endpoint.addr.ip();
        for (probe, expected) in [
            (Probe::Tcp, format!("TCP connection to {RS} failed.")),
            (
                Probe::Udp(UdpProbe::default()),
                format!("UDP connection to {RS} failed."),
            ),
            (
                Probe::Http(Box::new(HttpProbe::new("/"))),
                format!("HTTP_CHECK - network unreachable server {RS}."),
            ),
            (
                Probe::Smtp(SmtpProbe::default()),
                format!(
                    "SMTP_CHECK Network unreachable for server {ip} - real server [192.0.2.1]:80"
                ),
            ),
            (
                Probe::Dns(DnsProbe::default()),
                format!("DNS_CHECK ({RS}) network unreachable for [{ip}]:80"),
            ),
        ] {
            assert_eq!(verdict(&from(&node, &endpoint, &probe, 0)), expected);
        }
    }
    // Nobody answers the ARP request: after three seconds the kernel knows.
    let mut dead = at("10.9.0.78:80");
    let start = Instant::now();
    dead.connect_timeout = Duration::from_secs(20);
    let found = from(&node, &dead, &Probe::Udp(UdpProbe::default()), 0);
    assert_eq!(verdict(&found), format!("UDP connection to {RS} failed."));
    assert!(
        start.elapsed() < Duration::from_secs(15),
        "told by ICMP, not by silence"
    );
}

#[test]
fn marks() {
    let Some((_lab, node)) = host() else { return };
    node.net_sh(
        "nft add table inet t; \
         nft 'add chain inet t out { type filter hook output priority 0; }'; \
         nft add rule inet t out meta mark != 7 meta l4proto '{ tcp, udp, icmp }' counter drop",
    );
    let server = node.in_net(|| std::net::TcpListener::bind("10.9.0.1:0").unwrap());
    let mut endpoint = at(&server.local_addr().unwrap().to_string());
    endpoint.connect_timeout = Duration::from_millis(100);
    let timeout = format!("TCP connection to {RS} timeout.");
    assert_eq!(verdict(&from(&node, &endpoint, &Probe::Tcp, 0)), timeout);
    endpoint.fwmark = 7;
    // What comes back has no mark of ours.
    node.net_sh("nft add rule inet t out tcp flags == syn,ack accept");
    node.net_sh("sysctl -qw net.ipv4.fwmark_reflect=1 net.ipv4.tcp_fwmark_accept=1");
    endpoint.connect_timeout = Duration::from_secs(5);
    assert_eq!(verdict(&from(&node, &endpoint, &Probe::Tcp, 0)), "success");
}

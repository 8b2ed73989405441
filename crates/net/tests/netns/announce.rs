//! Announcements as the neighbour sees them.

use std::io::Read;
use std::net::IpAddr;
use std::time::Duration;

use rk_base::IfIndex;
use rk_net::announce::{AnnounceError, gratuitous_arp, neighbour_advertisement};
use rk_net::{Announcement, Announcer, Clock, Reflector, Unannounceable};
use socket2::{Domain, Protocol, Socket, Type};

use crate::sandbox::{Host, block_on, sandboxed, two_hosts};

/// A socket that sees every frame of a namespace.
pub(crate) fn tap(host: &Host) -> Socket {
    let all = i32::from((libc::ETH_P_ALL as u16).to_be());
    let kind = Type::RAW.nonblocking();
    let socket = host
        .run(|| Socket::new(Domain::PACKET, kind, Some(Protocol::from(all))))
        .unwrap();
    socket.set_recv_buffer_size(4 << 20).unwrap();
    socket
}

/// The next frame that `wanted` says yes to.
pub(crate) async fn captured(tap: &Socket, wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    loop {
        let mut buffer = [0; 2048];
        match (&*tap).read(&mut buffer) {
            Ok(n) if wanted(&buffer[..n]) => return buffer[..n].to_vec(),
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                tokio::task::yield_now().await;
            }
            Err(e) => panic!("{e}"),
        }
    }
}

const MAC_A: [u8; 6] = [2, 0, 0, 0, 0, 10];
const BUDGET: Duration = Duration::from_millis(1);

/// Sends all, in as many calls as it takes.
fn send_all(announcer: &Announcer, mut left: &[Announcement]) {
    while !left.is_empty() {
        let sent = announcer.send(left, BUDGET);
        assert_eq!(sent.failed, []);
        left = &left[sent.done..];
    }
}

#[test]
fn neighbours_hear_of_every_address() {
    sandboxed("announce::neighbours_hear_of_every_address", || {
        let (a, b) = two_hosts();
        let _at_a = a.enter();
        block_on(async {
            let announcer = Announcer::new(Clock::new()).unwrap();
            let reflector = Reflector::open(None).await.unwrap();
            let link = reflector.table().by_name("va").unwrap();
            let tap = tap(&b);
            let vips: Vec<IpAddr> = (0..500u16)
                .flat_map(|n| {
                    let [hi, lo] = n.to_be_bytes();
                    let v4 = IpAddr::from([10, 1, hi, lo]);
                    [v4, IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, n])]
                })
                .collect();
            let all: Vec<_> = vips
                .iter()
                .map(|vip| Announcement::new(link, *vip, true).unwrap())
                .collect();
            send_all(&announcer, &all);
            for vip in vips {
                let ours = |f: &[u8]| {
                    f.starts_with(&[0xff; 6]) || f.starts_with(&[0x33, 0x33, 0, 0, 0, 1])
                };
                let frame = captured(&tap, ours).await;
                match vip {
                    IpAddr::V4(v4) => assert_eq!(frame, gratuitous_arp(MAC_A, v4)),
                    IpAddr::V6(v6) => {
                        assert_eq!(frame, neighbour_advertisement(MAC_A, v6, true));
                    }
                }
            }
        });
    });
}

#[test]
fn neighbours_believe_what_they_hear() {
    sandboxed("announce::neighbours_believe_what_they_hear", || {
        let (a, b) = two_hosts();
        let _at_a = a.enter();
        block_on(async {
            // The neighbour knows the addresses at another machine's MAC.
            for vip in ["10.0.0.100", "fe80::100"] {
                b.ip(&format!(
                    "neigh add {vip} lladdr 02:00:00:00:00:99 dev vb nud stale"
                ));
            }
            let announcer = Announcer::new(Clock::new()).unwrap();
            let reflector = Reflector::open(None).await.unwrap();
            let link = reflector.table().by_name("va").unwrap();
            let all = ["10.0.0.100", "fe80::100"]
                .map(|vip| Announcement::new(link, vip.parse().unwrap(), false).unwrap());
            // A neighbour hardly believes two changes within a second of one another, so the
            // announcement is repeated, as the protocol does, until it does.
            loop {
                send_all(&announcer, &all);
                let table = b.ip("neigh show dev vb");
                if !table.contains("02:00:00:00:00:99") {
                    assert_eq!(table.matches("02:00:00:00:00:0a").count(), 2, "{table}");
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    });
}

#[test]
fn trouble_on_one_interface_leaves_the_others_alone() {
    sandboxed(
        "announce::trouble_on_one_interface_leaves_the_others_alone",
        || {
            let (a, b) = two_hosts();
            let _at_a = a.enter();
            a.ip("link add down0 type veth peer name down1");
            block_on(async {
                let announcer = Announcer::new(Clock::new()).unwrap();
                let reflector = Reflector::open(None).await.unwrap();
                let table = reflector.table();
                let on = |name: &str, vip: &str| {
                    Announcement::new(table.by_name(name).unwrap(), vip.parse().unwrap(), false)
                };
                let mut gone = on("down1", "10.0.0.103").unwrap();
                gone.ifindex = IfIndex::new(4711).unwrap();
                let all = [
                    on("down0", "10.0.0.101").unwrap(),
                    on("va", "10.0.0.102").unwrap(),
                    gone,
                    on("va", "10.0.0.104").unwrap(),
                ];
                let tap = tap(&b);
                let sent = announcer.send(&all, BUDGET);
                assert_eq!(sent.done, 4);
                assert_eq!(
                    sent.failed,
                    [
                        (0, AnnounceError::InterfaceDown),
                        (2, AnnounceError::InterfaceGone)
                    ]
                );
                for last in [102, 104] {
                    let frame = captured(&tap, |f| f.len() == 42).await;
                    assert_eq!(frame, gratuitous_arp(MAC_A, [10, 0, 0, last].into()));
                }
                assert_eq!(on("lo", "10.0.0.1"), Err(Unannounceable::Loopback));
            });
        },
    );
}

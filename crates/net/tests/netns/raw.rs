//! Adverts over a wire between two namespaces.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use rk_base::Instant;
use rk_net::raw::OpenError;
use rk_net::{Clock, Frame, Key, Peers, Pool, Protocol, SendError, SocketId, SocketOptions};

use crate::sandbox::{Host, INSIDE, block_on, sandboxed, two_hosts};

const GROUP4: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn pool(host: &Host) -> Pool {
    host.run(|| Pool::new(Clock::new()).unwrap())
}

fn key(host: &Host, dev: &str, peers: Peers) -> Key {
    Key {
        ifindex: Some(host.ifindex(dev)),
        protocol: Protocol::Vrrp,
        peers,
    }
}

fn open(host: &Host, pool: &mut Pool, dev: &str, peers: Peers) -> SocketId {
    let key = key(host, dev, peers);
    host.run(|| pool.open(key, &SocketOptions::default()).unwrap())
}

/// A datagram with a header as VRRP wants it, length and checksum left to the kernel.
fn datagram(from: &str, to: IpAddr, id: u16, payload: &[u8]) -> Vec<u8> {
    let (IpAddr::V4(from), IpAddr::V4(to)) = (ip(from), to) else {
        panic!("not IPv4")
    };
    let mut bytes = vec![0x45, 0xc0, 0, 0];
    bytes.extend(id.to_be_bytes());
    bytes.extend([0, 0, 255, 112, 0, 0]);
    bytes.extend(from.octets());
    bytes.extend(to.octets());
    bytes.extend(payload);
    bytes
}

/// What [`rk_net::Received`] says, owned.
#[derive(Debug, PartialEq)]
struct Got {
    socket: SocketId,
    source: IpAddr,
    destination: IpAddr,
    hop_limit: u8,
    ifindex: u32,
    at: Instant,
    header: Vec<u8>,
    payload: Vec<u8>,
}

/// Waits until `n` packets came.
async fn receive(pool: &mut Pool, n: usize) -> Vec<Got> {
    let mut got = Vec::new();
    while got.len() < n {
        pool.readable().await.unwrap();
        drain(pool, &mut got);
    }
    got
}

fn drain(pool: &mut Pool, got: &mut Vec<Got>) {
    loop {
        let drained = pool
            .drain(|r| {
                assert!(!r.truncated);
                got.push(Got {
                    socket: r.socket,
                    source: r.source,
                    destination: r.destination,
                    hop_limit: r.hop_limit,
                    ifindex: r.ifindex.unwrap().get(),
                    at: r.at,
                    header: r.ip_header.to_vec(),
                    payload: r.payload.to_vec(),
                });
            })
            .unwrap();
        assert!(drained.failed.is_empty());
        if !drained.more {
            return;
        }
    }
}

#[test]
fn multicast_v4_arrives_as_it_was_sent() {
    sandboxed("raw::multicast_v4_arrives_as_it_was_sent", || {
        let (a, b) = two_hosts();
        block_on(async {
            let clock = Clock::new();
            let (mut pa, mut pb) = (pool(&a), pool(&b));
            let sa = open(&a, &mut pa, "va", Peers::Multicast(GROUP4));
            let sb = open(&b, &mut pb, "vb", Peers::Multicast(GROUP4));
            let frames: Vec<_> = (1..=100u16)
                .map(|id| datagram("10.0.0.1", GROUP4, id, &[0x31, 51, 100, 0, 0, 100, 1, 2]))
                .collect();
            let frames: Vec<_> = frames
                .iter()
                .map(|bytes| Frame {
                    socket: sa,
                    source: None,
                    destination: GROUP4,
                    hop_limit: None,
                    bytes,
                })
                .collect();
            let before = clock.now();
            assert_eq!(pa.send(&frames), []);
            let got = receive(&mut pb, frames.len()).await;
            for (n, packet) in got.iter().enumerate() {
                assert_eq!(packet.socket, sb);
                assert_eq!(packet.source, ip("10.0.0.1"));
                assert_eq!(packet.destination, GROUP4);
                assert_eq!(packet.hop_limit, 255);
                assert_eq!(packet.ifindex, b.ifindex("vb").get());
                assert_eq!(packet.payload, [0x31, 51, 100, 0, 0, 100, 1, 2]);
                // Header as given, with the length filled in; no TTL lost on the way.
                assert_eq!(packet.header[..4], [0x45, 0xc0, 0, 28]);
                assert_eq!(packet.header[4..6], (n as u16 + 1).to_be_bytes());
                assert!(before <= packet.at, "{packet:?}");
            }
            assert!(got.iter().all(|p| p.at <= clock.now()));
            assert!(got.is_sorted_by_key(|p| p.at));
            // No loop: our own adverts do not come back.
            let mut own = Vec::new();
            drain(&mut pa, &mut own);
            assert_eq!(own, []);
            // The time is the kernel's: before anybody looked. (Right after the first socket of the
            // machine has asked for it, the kernel still stamps packets as they are read.)
            loop {
                assert_eq!(pa.send(&frames[..1]), []);
                pb.readable().await.unwrap();
                let queued = clock.now();
                if receive(&mut pb, 1).await[0].at <= queued {
                    break;
                }
            }
        });
    });
}

#[test]
fn multicast_v6_has_source_class_hop_limit_and_checksum() {
    sandboxed(
        "raw::multicast_v6_has_source_class_hop_limit_and_checksum",
        || {
            let (a, b) = two_hosts();
            block_on(async {
                let group = ip("ff02::12");
                let (mut pa, mut pb) = (pool(&a), pool(&b));
                let tap = crate::announce::tap(&b);
                let sa = open(&a, &mut pa, "va", Peers::Multicast(group));
                open(&b, &mut pb, "vb", Peers::Multicast(group));
                // A second link-local, to see that the source is the one asked for.
                a.ip("addr add fe80::aa/64 dev va nodad");
                let bytes = [0x31, 51, 100, 0, 0, 100, 0, 0];
                for source in ["fe80::a", "fe80::aa"] {
                    let frame = Frame {
                        socket: sa,
                        source: Some(ip(source)),
                        destination: group,
                        hop_limit: None,
                        bytes: &bytes,
                    };
                    assert_eq!(pa.send(&[frame]), []);
                    let got = receive(&mut pb, 1).await.remove(0);
                    assert_eq!(got.source, ip(source));
                    assert_eq!((got.destination, got.hop_limit), (group, 255));
                    assert_eq!(got.ifindex, b.ifindex("vb").get());
                    assert!(got.header.is_empty());
                    assert_eq!(got.payload[..6], bytes[..6]);
                    assert_ne!(got.payload[6..], [0, 0], "checksum not filled in");
                }
                // On the wire: the traffic class, and the checksum over pseudo-header and packet.
                let frame = crate::announce::captured(&tap, |f| f.get(20) == Some(&112)).await;
                assert_eq!(u16::from_be_bytes([frame[14], frame[15]]) >> 4 & 0xff, 0xc0);
                let mut sum = 8 + 112;
                for word in frame[22..62].chunks_exact(2) {
                    sum += u32::from(u16::from_be_bytes([word[0], word[1]]));
                }
                assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff);
            });
        },
    );
}

#[test]
fn unicast_works_for_addresses_that_come_later() {
    sandboxed("raw::unicast_works_for_addresses_that_come_later", || {
        let (a, b) = two_hosts();
        block_on(async {
            let (mut pa, mut pb) = (pool(&a), pool(&b));
            for (from, to) in [("10.0.0.11", "10.0.0.12"), ("fd00::11", "fd00::12")] {
                let sa = open(&a, &mut pa, "va", Peers::Unicast(ip(from)));
                let sb = open(&b, &mut pb, "vb", Peers::Unicast(ip(to)));
                let len = if ip(from).is_ipv4() { 24 } else { 64 };
                let nodad = if ip(from).is_ipv4() { "" } else { "nodad" };
                a.ip(&format!("addr add {from}/{len} dev va {nodad}"));
                b.ip(&format!("addr add {to}/{len} dev vb {nodad}"));
                let vrrp = [0x31, 51, 100, 0, 0, 100, 0, 0];
                let bytes = match ip(to) {
                    IpAddr::V4(_) => datagram(from, ip(to), 1, &vrrp),
                    IpAddr::V6(_) => vrrp.to_vec(),
                };
                let frame = Frame {
                    socket: sa,
                    source: Some(ip(from)),
                    destination: ip(to),
                    hop_limit: Some(77),
                    bytes: &bytes,
                };
                assert_eq!(pa.send(&[frame]), []);
                let got = receive(&mut pb, 1).await.remove(0);
                assert_eq!(
                    (got.socket, got.source, got.destination),
                    (sb, ip(from), ip(to))
                );
                // For IPv4 the header speaks, for IPv6 the frame.
                let limit = if ip(to).is_ipv4() { 255 } else { 77 };
                assert_eq!(got.hop_limit, limit);
            }
        });
    });
}

#[test]
fn each_advert_is_delivered_once_and_strays_are_not_lost() {
    sandboxed(
        "raw::each_advert_is_delivered_once_and_strays_are_not_lost",
        || {
            let (a, b) = two_hosts();
            block_on(async {
                let (mut pa, mut pb) = (pool(&a), pool(&b));
                let sa = open(&a, &mut pa, "va", Peers::Unicast(ip("10.0.0.1")));
                let multicast = open(&b, &mut pb, "vb", Peers::Multicast(GROUP4));
                let other = open(&b, &mut pb, "vb", Peers::Multicast(ip("224.0.0.99")));
                assert_ne!(multicast, other);
                let bytes = datagram("10.0.0.1", ip("10.0.0.2"), 1, &[0; 8]);
                let frame = Frame {
                    socket: sa,
                    source: None,
                    destination: ip("10.0.0.2"),
                    hop_limit: None,
                    bytes: &bytes,
                };
                // Sent to an address although everybody here listens to a group: seen, so that the
                // mistake can be told.
                assert_eq!(pa.send(&[frame]), []);
                let strays = receive(&mut pb, 2).await;
                assert_eq!(strays.len(), 2);
                assert!(strays.iter().all(|p| p.destination == ip("10.0.0.2")));
                // Once somebody listens at that address, it is theirs alone.
                let unicast = open(&b, &mut pb, "vb", Peers::Unicast(ip("10.0.0.2")));
                assert_eq!(pa.send(&[frame]), []);
                let mut got = receive(&mut pb, 1).await;
                drain(&mut pb, &mut got);
                assert_eq!(got.iter().map(|p| p.socket).collect::<Vec<_>>(), [unicast]);
            });
        },
    );
}

#[test]
fn an_overflow_is_told_though_no_packet_came_after_it() {
    sandboxed(
        "raw::an_overflow_is_told_though_no_packet_came_after_it",
        || {
            let (a, b) = two_hosts();
            block_on(async {
                let (mut pa, mut pb) = (pool(&a), pool(&b));
                let sa = open(&a, &mut pa, "va", Peers::Multicast(GROUP4));
                let key = key(&b, "vb", Peers::Multicast(GROUP4));
                let options = SocketOptions {
                    receive_buffer: Some(20_000),
                    ..SocketOptions::default()
                };
                let sb = b.run(|| pb.open(key, &options).unwrap());
                let bytes = datagram("10.0.0.1", GROUP4, 1, &[0; 8]);
                let frame = Frame {
                    socket: sa,
                    source: None,
                    destination: GROUP4,
                    hop_limit: None,
                    bytes: &bytes,
                };
                assert_eq!(pa.send(&[frame; 600]), []);
                let (mut read, mut lost) = (0, 0);
                let drained = pb
                    .drain(|r| {
                        assert_eq!(r.dropped, 0, "the queue holds the oldest packets");
                        read += 1;
                    })
                    .unwrap();
                for (socket, dropped) in drained.overflowed {
                    assert_eq!(socket, sb);
                    lost += dropped;
                }
                assert!(read > 0 && lost > 0, "{read} read, {lost} lost");
                assert_eq!(read + lost, 600);
                // Told once. The next packet has nothing new to say.
                assert_eq!(pa.send(&[frame]), []);
                pb.readable().await.unwrap();
                let drained = pb.drain(|r| assert_eq!(r.dropped, 0)).unwrap();
                assert_eq!((drained.packets, drained.overflowed), (1, vec![]));
            });
        },
    );
}

#[test]
fn a_lost_interface_is_a_typed_error_for_each_frame() {
    sandboxed(
        "raw::a_lost_interface_is_a_typed_error_for_each_frame",
        || {
            let (a, _b) = two_hosts();
            block_on(async {
                let mut pa = pool(&a);
                let group6 = ip("ff02::12");
                let s4 = open(&a, &mut pa, "va", Peers::Multicast(GROUP4));
                let s6 = open(&a, &mut pa, "va", Peers::Multicast(group6));
                let bytes = datagram("10.0.0.1", GROUP4, 1, &[0; 8]);
                let v4 = Frame {
                    socket: s4,
                    source: None,
                    destination: GROUP4,
                    hop_limit: None,
                    bytes: &bytes,
                };
                let v6 = Frame {
                    socket: s6,
                    source: Some(ip("fe80::a")),
                    destination: group6,
                    bytes: &bytes[20..],
                    ..v4
                };
                let frames = [v4, v4, v6, v6, v4];
                assert_eq!(pa.send(&frames), []);
                a.ip("link set va down");
                let down = pa.send(&frames);
                assert_eq!(
                    down.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
                    [0, 1, 2, 3, 4]
                );
                let expected = |e: &SendError| {
                    matches!(
                        e,
                        SendError::InterfaceDown | SendError::Unreachable | SendError::NoSource
                    )
                };
                assert!(down.iter().all(|(_, e)| expected(e)), "{down:?}");
                a.ip("link del va");
                let gone = pa.send(&frames);
                assert_eq!(gone.len(), 5);
                assert!(
                    gone.iter()
                        .all(|(_, e)| matches!(e, SendError::InterfaceGone)),
                    "{gone:?}"
                );
                pa.close(s4);
                assert_eq!(pa.send(&[v4]), [(0, SendError::Closed)]);
                // Reading is no trouble either.
                let drained = pa.drain(|r| panic!("{r:?}")).unwrap();
                assert_eq!(drained.packets, 0);
            });
        },
    );
}

#[test]
fn opening_says_what_is_missing_and_shares_what_is_there() {
    sandboxed(
        "raw::opening_says_what_is_missing_and_shares_what_is_there",
        || {
            let (a, _b) = two_hosts();
            block_on(async {
                let mut pa = pool(&a);
                let options = SocketOptions::default();
                let mut wanted = key(&a, "va", Peers::Multicast(GROUP4));
                let first = a.run(|| pa.open(wanted, &options)).unwrap();
                assert_eq!(a.run(|| pa.open(wanted, &options)).unwrap(), first);
                let shown = pa.sockets();
                assert_eq!(shown.len(), 1);
                let text = shown[0].to_string();
                assert!(text.starts_with("[ifindex("), "{text}");
                assert!(
                    text.contains("family(IPv4), proto(112), fd(")
                        && text.ends_with(") multicast, address(224.0.0.18)]"),
                    "{text}"
                );
                pa.close(first);
                assert_eq!(pa.sockets().len(), 1);
                pa.close(first);
                assert_eq!(pa.sockets().len(), 0);
                wanted.ifindex = rk_base::IfIndex::new(4711);
                let error = a.run(|| pa.open(wanted, &options)).unwrap_err();
                assert!(matches!(error, OpenError::NoInterface), "{error:?}");
                wanted.ifindex = None;
                let error = a.run(|| pa.open(wanted, &options)).unwrap_err();
                assert!(matches!(error, OpenError::InterfaceNeeded), "{error:?}");
            });
        },
    );
}

#[test]
fn many_sockets_are_one_waker() {
    sandboxed("raw::many_sockets_are_one_waker", || {
        let (a, b) = two_hosts();
        block_on(async {
            let (mut pa, mut pb) = (pool(&a), pool(&b));
            let sa = open(&a, &mut pa, "va", Peers::Unicast(ip("10.0.0.1")));
            let peers: Vec<_> = (100..200)
                .map(|n| IpAddr::V4(Ipv4Addr::new(10, 0, 0, n)))
                .collect();
            let mut lines = String::new();
            for peer in &peers {
                lines += &format!("addr add {peer}/24 dev vb\n");
                open(&b, &mut pb, "vb", Peers::Unicast(*peer));
            }
            b.ip_batch(&lines);
            let bytes: Vec<_> = peers
                .iter()
                .map(|to| datagram("10.0.0.1", *to, 1, &[0; 8]))
                .collect();
            let frames: Vec<_> = peers
                .iter()
                .zip(&bytes)
                .map(|(to, bytes)| Frame {
                    socket: sa,
                    source: None,
                    destination: *to,
                    hop_limit: None,
                    bytes,
                })
                .collect();
            assert_eq!(pa.send(&frames), []);
            let got = receive(&mut pb, peers.len()).await;
            let mut to: Vec<_> = got.iter().map(|p| p.destination).collect();
            to.sort();
            assert_eq!(to, peers);
            // Nothing is left, and waiting for more really waits.
            let more = tokio::time::timeout(Duration::from_millis(1), pb.readable()).await;
            assert!(more.is_err(), "readable although all was read");
        });
    });
}

#[test]
fn a_full_queue_is_read_in_turns() {
    sandboxed("raw::a_full_queue_is_read_in_turns", || {
        let (a, b) = two_hosts();
        block_on(async {
            let (mut pa, mut pb) = (pool(&a), pool(&b));
            let sa = open(&a, &mut pa, "va", Peers::Multicast(GROUP4));
            open(&b, &mut pb, "vb", Peers::Multicast(GROUP4));
            let bytes = datagram("10.0.0.1", GROUP4, 1, &[0; 8]);
            let frame = Frame {
                socket: sa,
                source: None,
                destination: GROUP4,
                hop_limit: None,
                bytes: &bytes,
            };
            // As many as the instances of one process, all at once, and a few rounds missed.
            const SENT: usize = 1020 * 3;
            assert_eq!(pa.send(&[frame; SENT]), []);
            let (mut got, mut lost, mut turns, mut unfinished) = (0, 0, 0, 0);
            while got + lost < SENT {
                pb.readable().await.unwrap();
                let drained = pb.drain(|_| {}).unwrap();
                lost += drained
                    .overflowed
                    .iter()
                    .map(|(_, n)| *n as usize)
                    .sum::<usize>();
                assert!(drained.packets < 1000, "{} in one turn", drained.packets);
                got += drained.packets;
                turns += 1;
                unfinished += usize::from(drained.more);
            }
            // Only a user namespace on a machine with small limits has no room for all.
            assert!(
                lost == 0 || std::env::var_os(INSIDE).is_some(),
                "{lost} lost"
            );
            assert_eq!(got + lost, SENT);
            assert!(
                turns > got / 1000 && unfinished < turns,
                "{unfinished} of {turns}"
            );
        });
    });
}

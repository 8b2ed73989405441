//! How long the system calls of a take-over hold up the loop, and what adverts cost.
//!
//! Adds and announces 1,000 addresses while an advert goes out every 10 ms, then sends and
//! receives 10,000 adverts in 40 bursts. Runs in network namespaces of its own; prints numbers.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement prints what it found, and ends where it cannot go on"
)]

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../tests/netns/sandbox.rs"]
mod sandbox;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use rk_base::{Instant, Prefix};
use rk_net::{
    Address, AddressWriter, Alarm, Announcement, Announcer, Clock, Frame, Key, Op, OpId, Peers,
    Pool, Protocol, Reflector, SocketId, SocketOptions,
};
use sandbox::{Host, block_on, sandboxed, two_hosts};

const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));
const STEP: Duration = Duration::from_micros(1_500);
const INTERVAL: Duration = Duration::from_millis(10);

fn main() {
    sandboxed("budget", || {
        let (a, b) = two_hosts();
        for count in [1, 200, 1000] {
            take_over(&a, count);
        }
        adverts(&a, &b);
    });
}

/// The longest and the sum of some calls.
#[derive(Default)]
struct Calls {
    n: u32,
    longest: Duration,
    sum: Duration,
}

impl Calls {
    fn time<T>(&mut self, clock: Clock, call: impl FnOnce() -> T) -> T {
        let start = clock.now();
        let result = call();
        let took = clock.now().since(start);
        self.n += 1;
        self.sum += took;
        self.longest = self.longest.max(took);
        result
    }

    fn print(&self, what: &str) {
        let Self { n, longest, sum } = self;
        println!("  {what:<22} {n:>5} calls, longest {longest:>9.1?}, together {sum:>9.1?}");
    }
}

fn advert() -> [u8; 28] {
    let mut bytes = [0; 28];
    bytes[0] = 0x45;
    bytes[1] = 0xc0;
    bytes[8] = 255;
    bytes[9] = 112;
    bytes[12..16].copy_from_slice(&[10, 0, 0, 1]);
    bytes[16..20].copy_from_slice(&[224, 0, 0, 18]);
    bytes
}

fn frame(socket: SocketId, bytes: &[u8]) -> Frame<'_> {
    Frame {
        socket,
        source: None,
        destination: GROUP,
        hop_limit: None,
        bytes,
    }
}

fn open(host: &Host, dev: &str) -> (Pool, SocketId) {
    let key = Key {
        ifindex: Some(host.ifindex(dev)),
        protocol: Protocol::Vrrp,
        peers: Peers::Multicast(GROUP),
    };
    host.run(|| {
        let mut pool = Pool::new(Clock::new()).unwrap();
        let id = pool.open(key, &SocketOptions::default()).unwrap();
        (pool, id)
    })
}

fn take_over(a: &Host, count: u32) {
    let _at = a.enter();
    block_on(async {
        let clock = Clock::new();
        let mut reflector = Reflector::open(None).await.unwrap();
        let mut writer = AddressWriter::new(clock).unwrap();
        let announcer = Announcer::new(clock).unwrap();
        let mut alarm = Alarm::new().unwrap();
        let (mut pool, socket) = open(a, "va");
        let link = reflector.table().by_name("va").unwrap().clone();
        let vips: Vec<_> = (0..count)
            .map(|n| Prefix::host(Ipv4Addr::from(0x0a09_0000 + n).into()))
            .map(|prefix| Address::new(link.index, prefix))
            .collect();
        let (mut steps, mut sends, mut adverts) = Default::default();
        let mut latest = Duration::ZERO;
        let mut seen = 0;
        let bytes = advert();
        writer.submit(OpId(1), vips.iter().cloned().map(Op::Add).collect());
        let mut queue: Vec<Announcement> = Vec::new();
        let start = clock.now();
        alarm.set(Some(start)).unwrap();
        let mut announced = 0;
        let mut there = start;
        let mut done = start;
        while announced < count as usize || seen < count as usize {
            tokio::select! {
                biased;
                due = alarm.fired() => {
                    let due: Instant = due.unwrap();
                    latest = latest.max(clock.now().since(due));
                    let failed = Calls::time(&mut adverts, clock, || {
                        pool.send(&[frame(socket, &bytes)])
                    });
                    assert!(failed.is_empty());
                    alarm.set(Some(due + INTERVAL)).unwrap();
                }
                () = std::future::ready(()), if !queue.is_empty() => {
                    let sent = Calls::time(&mut sends, clock, || announcer.send(&queue, STEP));
                    assert!(sent.failed.is_empty());
                    queue.drain(..sent.done);
                    announced += sent.done;
                    done = clock.now();
                    tokio::task::yield_now().await;
                }
                () = writer.ready() => {
                    let completed = Calls::time(&mut steps, clock, || writer.step(STEP)).unwrap();
                    for (op, result) in completed.into_iter().flat_map(|c| c.results) {
                        result.unwrap();
                        let vip = op.address().prefix.addr();
                        queue.push(Announcement::new(&link, vip, false).unwrap());
                    }
                    there = clock.now();
                }
                changes = reflector.next() => {
                    seen += changes.unwrap().len();
                }
            }
        }
        println!("{count} addresses, an advert every 10 ms meanwhile:");
        println!(
            "  all there after {:.1?}, all announced after {:.1?}",
            there.since(start),
            done.since(start)
        );
        steps.print("address steps");
        sends.print("announcement sends");
        adverts.print("adverts");
        println!("  latest advert {latest:.1?} after its time; {seen} changes reflected");
        writer.submit(OpId(2), vips.into_iter().map(Op::Delete).collect());
        let (from, mut steps) = (clock.now(), Calls::default());
        while !writer.is_idle() {
            writer.ready().await;
            steps.time(clock, || writer.step(STEP)).unwrap();
        }
        println!("  all gone after {:.1?}", clock.now().since(from));
        steps.print("address steps");
    });
}

fn cpu() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
    let of = |t: nix::sys::time::TimeVal| {
        Duration::from_micros((t.tv_sec() * 1_000_000 + t.tv_usec()).unsigned_abs())
    };
    of(usage.user_time()) + of(usage.system_time())
}

fn adverts(a: &Host, b: &Host) {
    const BURST: usize = 255;
    block_on(async {
        let (mut from, socket) = open(a, "va");
        let (mut to, _) = open(b, "vb");
        let bytes = advert();
        for (bursts, size) in [(40, BURST), (10_000, 1)] {
            let frames = vec![frame(socket, &bytes); size];
            let (mut sending, mut receiving, mut got) = (Duration::ZERO, Duration::ZERO, 0);
            for _ in 0..bursts {
                let before = cpu();
                assert!(from.send(&frames).is_empty());
                let between = cpu();
                let mut left = size;
                while left > 0 {
                    to.readable().await.unwrap();
                    left -= to.drain(|_| got += 1).unwrap().packets;
                }
                sending += between - before;
                receiving += cpu() - between;
            }
            println!(
                "{got} adverts in bursts of {size}: CPU {sending:.1?} sending (with delivery), \
                 {receiving:.1?} receiving"
            );
        }
    });
}

//! From the sockets to the cores: whose packet it is, and what was lost on the way.

use std::time::Duration;

use anyhow::Context as _;
use rk_base::Instant;
use rk_net::{Protocol, Received, SocketId};
use rk_vrrp::{Input, RxMeta, RxProtocol, State, wire};
use tracing::{info, warn};

use super::router::RouterId;
use super::stall::Stall;
use super::world::World;

/// Rounds of reading in one turn: even a flood of packets lets the timers have their turn.
const ROUNDS: usize = 16;

/// The loop wakes at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Above this many packets a second they are read in bundles.
const BUSY: u128 = 2_000;
/// For how long packets gather at most. They carry the time at which the kernel received them, so
/// no timer runs later for it.
const BUNDLE: Duration = Duration::from_millis(2);
/// Over what span the rate is measured.
const WINDOW: Duration = Duration::from_millis(200);

/// Lets packets gather while many come: a thousand instances are otherwise a wake-up for each.
#[derive(Debug, Default)]
pub(super) struct Bundling {
    since: Instant,
    packets: usize,
    busy: bool,
    /// The last look found something: where there is one packet, there are more to come.
    found: bool,
}

impl Bundling {
    fn count(&mut self, now: Instant, packets: usize) {
        self.found = packets > 0;
        self.packets += packets;
        let span = now.since(self.since);
        if span >= WINDOW {
            let rate = self.packets as u128 * 1_000_000 / span.as_micros().max(1);
            self.busy = rate > BUSY;
            self.since = now;
            self.packets = 0;
        }
    }

    /// Until when the sockets are left alone, if packets are to gather: a small part of the
    /// shortest advert interval.
    pub(super) fn quiet_until(&self, now: Instant, shortest: Duration) -> Option<Instant> {
        (self.busy && self.found).then(|| now + BUNDLE.min(shortest / 10))
    }
}

/// A packet, copied out of the receive buffer while the cores are busy with the ones before.
struct Packet {
    socket: SocketId,
    meta: RxMeta,
    payload: std::ops::Range<usize>,
}

impl World {
    /// Reads every packet that the kernel has queued and feeds it to its router.
    pub(super) fn read_packets(&mut self) -> anyhow::Result<()> {
        let mut bytes = std::mem::take(&mut self.received_bytes);
        let mut packets = Vec::new();
        let mut read = 0;
        for _ in 0..ROUNDS {
            bytes.clear();
            packets.clear();
            let pool = &mut self.pool;
            let drained = pool
                .drain(|received| packets.push(copy(&received, &mut bytes)))
                .context("reading packets")?;
            read += packets.len();
            let now = self.clock.now();
            for packet in &packets {
                self.packet(now, packet, &bytes[packet.payload.clone()]);
            }
            for (socket, lost) in &drained.overflowed {
                self.overflowed(*socket, *lost);
            }
            for (socket, error) in &drained.failed {
                if let Some(info) = self.pool.socket(*socket) {
                    warn!("reading adverts from {info}: {error}");
                }
            }
            if !drained.more {
                break;
            }
        }
        self.received_bytes = bytes;
        self.bundling.count(self.clock.now(), read);
        Ok(())
    }

    fn packet(&mut self, now: Instant, packet: &Packet, payload: &[u8]) {
        let Some(vrid) = wire::dispatch_vrid(packet.meta.protocol, payload) else {
            return;
        };
        match self
            .routers
            .receiver(packet.socket, vrid.get(), packet.meta.src)
        {
            Some(id) => {
                self.feed(
                    id,
                    now,
                    Input::Packet {
                        meta: packet.meta,
                        payload,
                    },
                );
            }
            None if self.config.global.log_unknown_vrids => {
                let interface = self
                    .pool
                    .socket(packet.socket)
                    .and_then(|info| info.key.ifindex)
                    .and_then(|i| self.reflector.table().by_index(i))
                    .map_or("?", |l| l.name.as_str());
                info!("Unknown VRID({vrid}) received on interface({interface}). ignoring...");
            }
            None => {}
        }
    }

    /// The kernel dropped packets of this socket, the newest ones: silence proves nothing there.
    fn overflowed(&mut self, socket: SocketId, lost: u32) {
        let now = self.clock.now();
        let ids: Vec<RouterId> = self
            .routers
            .iter()
            .filter(|(_, r, _)| r.socket == Some(socket))
            .map(|(id, ..)| id)
            .collect();
        if let Some(info) = self.pool.socket(socket) {
            warn!("{lost} packets were lost because the receive buffer was full: {info}");
        }
        for id in ids {
            self.feed(
                id,
                now,
                Input::Stalled {
                    length: Duration::ZERO,
                },
            );
        }
    }

    /// The loop woke late: a Backup that may have missed an advert listens again.
    pub(super) fn stalled(&mut self, now: Instant, stall: Stall) {
        if stall.length < self.heartbeat_interval {
            return;
        }
        let mut told = false;
        for id in self.routers.ids() {
            let Some(core) = self.routers.core(id) else {
                continue;
            };
            if core.state() != State::Backup || stall.length < core.master_adver_interval() {
                continue;
            }
            if !told {
                warn!(
                    "this process did not run for {:.3} s",
                    stall.length.as_secs_f64()
                );
                told = true;
            }
            self.feed(
                id,
                now,
                Input::Stalled {
                    length: stall.length,
                },
            );
        }
    }

    /// The longest the loop may sleep: an advert interval of the quickest Backup. A learned
    /// interval counts within a second, a change of state at once.
    pub(super) fn heartbeat(&mut self, now: Instant) -> Duration {
        if self.heartbeat_checked == Instant::ZERO
            || now.since(self.heartbeat_checked) >= LONGEST_SLEEP
        {
            self.heartbeat_checked = now;
            self.heartbeat_interval = self
                .routers
                .iter()
                .filter(|(_, _, core)| core.state() == State::Backup)
                .map(|(_, _, core)| core.master_adver_interval())
                .min()
                .map_or(LONGEST_SLEEP, |d| d.min(LONGEST_SLEEP));
        }
        self.heartbeat_interval
    }
}

fn copy(received: &Received<'_>, bytes: &mut Vec<u8>) -> Packet {
    let start = bytes.len();
    bytes.extend_from_slice(received.payload);
    let (protocol, ip_id) = match received.ip_header {
        [_, _, _, _, high, low, _, _, _, number, ..]
            if i32::from(*number) == i32::from(Protocol::Ah.number()) =>
        {
            (RxProtocol::Ah, u16::from_be_bytes([*high, *low]))
        }
        _ => (RxProtocol::Vrrp, 0),
    };
    Packet {
        socket: received.socket,
        meta: RxMeta {
            src: received.source,
            dst: received.destination,
            ttl: received.hop_limit,
            protocol,
            ip_id,
            received_at: received.at,
        },
        payload: start..bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_gather_only_while_many_come() {
        let ms = |n: u64| Instant::from_micros(n * 1000);
        let mut bundling = Bundling::default();
        bundling.count(ms(200), 5);
        let (fast, slow) = (Duration::from_millis(10), Duration::from_secs(1));
        assert_eq!(bundling.quiet_until(ms(10), slow), None);
        bundling.count(ms(400), 995);
        assert_eq!(bundling.quiet_until(ms(20), slow), Some(ms(22)));
        assert_eq!(bundling.quiet_until(ms(20), fast), Some(ms(21)));
        bundling.count(ms(401), 0);
        assert_eq!(bundling.quiet_until(ms(401), slow), None, "nothing gathers");
        bundling.count(ms(600), 20);
        assert_eq!(bundling.quiet_until(ms(40), slow), None);
    }
}

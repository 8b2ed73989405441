//! The network between the nodes: one link, as bad as a test wants it.

use core::time::Duration;
use std::sync::Arc;

use rk_vrrp::{RxMeta, Transmit};

use crate::random::Random;

/// What the network does to packets.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// Of a thousand packets to one receiver, so many are lost.
    pub loss: u16,
    /// Of a thousand, so many come twice.
    pub duplicate: u16,
    /// Each takes up to this long, so they overtake one another.
    pub delay: Duration,
}

impl Faults {
    /// A network that loses nothing and takes up to `delay`.
    #[must_use]
    pub const fn none(delay: Duration) -> Self {
        Self {
            loss: 0,
            duplicate: 0,
            delay,
        }
    }
}

/// A packet on its way.
#[derive(Clone, Debug)]
pub struct Packet {
    /// What the sender made.
    pub transmit: Transmit,
}

impl Packet {
    /// What the receiver's kernel says about it, but for when it came.
    pub(crate) fn meta(&self, received_at: rk_base::Instant) -> RxMeta {
        let t = &self.transmit;
        let protocol = if t.protocol == 51 {
            rk_vrrp::RxProtocol::Ah
        } else {
            rk_vrrp::RxProtocol::Vrrp
        };
        RxMeta {
            ttl: t.ttl,
            protocol,
            ip_id: t.ip_id,
            ..RxMeta::new(t.src, t.dst, received_at)
        }
    }

    pub(crate) fn payload(&self) -> Arc<[u8]> {
        self.transmit.payload.clone()
    }
}

/// When the copies of a packet arrive at one receiver, counted from now; none if it is lost.
pub(crate) fn arrivals(faults: &Faults, random: &mut Random) -> Vec<Duration> {
    if random.happens(faults.loss) {
        return Vec::new();
    }
    let mut arrivals = vec![random.up_to(faults.delay)];
    if random.happens(faults.duplicate) {
        arrivals.push(random.up_to(faults.delay));
    }
    arrivals
}

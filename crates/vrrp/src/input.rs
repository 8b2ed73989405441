//! What can happen to an instance.

use core::net::IpAddr;
use core::time::Duration;
use std::sync::Arc;

use rk_base::Instant;

use crate::settings::Settings;
use crate::tracking::{Reading, TrackerId};

/// Which protocol number the IP header of a received packet carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RxProtocol {
    /// 112: the payload starts with the VRRP message.
    Vrrp,
    /// 51: the payload starts with an authentication header (RFC 2402).
    Ah,
}

/// What the IP layer said about a received packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RxMeta {
    /// The source address.
    pub src: IpAddr,
    /// The destination address: the group, or ours.
    pub dst: IpAddr,
    /// The TTL or hop limit.
    pub ttl: u8,
    /// The IPv4 header's protocol, the IPv6 next header.
    pub protocol: RxProtocol,
    /// The IPv4 header's identification; needed for [`RxProtocol::Ah`] only, else 0.
    pub ip_id: u16,
    /// When the kernel received it, on our clock: timers run from here, not from when somebody
    /// got round to reading the socket.
    pub received_at: Instant,
}

impl RxMeta {
    /// A packet with TTL 255 received at `received_at`.
    #[must_use]
    pub const fn new(src: IpAddr, dst: IpAddr, received_at: Instant) -> Self {
        Self {
            src,
            dst,
            ttl: 255,
            protocol: RxProtocol::Vrrp,
            ip_id: 0,
            received_at,
        }
    }
}

/// Why an instance is told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The daemon stops.
    Shutdown,
    /// The instance is no longer in the configuration.
    Deleted,
}

/// What becomes of the addresses when the instance stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtStop {
    /// A Master says priority 0 and takes them away.
    Release,
    /// They stay and nothing is sent (`--dont-release-vrrp`, or a successor process adopts them).
    Keep,
}

/// Everything that can happen to an instance.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// The daemon is ready. Before this, [`Input::Tracker`] and [`Input::SourceAddress`] only
    /// set the scene.
    Start,
    /// A packet for our VRID came in on our interface. `payload` is what follows the IP header.
    Packet {
        /// What the IP layer said.
        meta: RxMeta,
        /// The bytes behind the IP header.
        payload: &'a [u8],
    },
    /// [`crate::Instance::due`] has come. Feed every packet that the kernel has queued *first*.
    Timer,
    /// The process or the machine did not run for `length`, or the receive queue overflowed:
    /// adverts may have been lost on our side, so silence proves nothing. A Backup listens for
    /// one whole further Master_Down_Interval from now. Feed it before the packets of that time.
    Stalled {
        /// How long nobody was listening, as far as known.
        length: Duration,
    },
    /// A tracked thing has spoken.
    Tracker {
        /// Which one.
        id: TrackerId,
        /// What it says now.
        reading: Reading,
        /// Why, in words for the cause ("exited with status 1").
        detail: Option<Arc<str>>,
    },
    /// The primary address (IPv4) or link-local address (IPv6) of the sending interface
    /// appeared, changed or went. Without one the instance is in FAULT.
    SourceAddress(Option<IpAddr>),
    /// Somebody else removed one of the virtual addresses.
    AddressLost(IpAddr),
    /// The configuration was read again and this instance is still in it.
    Reload(Box<Settings>),
    /// The instance ends.
    Stop {
        /// Why.
        reason: StopReason,
        /// What becomes of its addresses.
        at_stop: AtStop,
    },
}

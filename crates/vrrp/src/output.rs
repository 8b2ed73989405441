//! What the world must do for an instance, in the order in which it was said.

use core::net::IpAddr;
use std::sync::Arc;

use rk_base::Priority;

use crate::cause::Cause;
use crate::event::Event;
use crate::machine::State;
use crate::wire;

/// One thing to do. Perform them in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this packet.
    Send(Transmit),
    /// Make the virtual addresses (routes, rules, firewall entries ...) present or absent.
    Addresses(Addresses),
    /// Tell the neighbours where the addresses are, once those are in place.
    Announce(Announce),
    /// The state changed: scripts, mails, FIFO. Exactly once per change.
    Transition(Transition),
    /// Tracking moved the priority (FIFO lines `MASTER_PRIORITY`, `BACKUP_PRIORITY`).
    PriorityChanged {
        /// The effective priority before.
        from: Priority,
        /// The effective priority now.
        to: Priority,
    },
    /// As Master an advert of lower priority was heard (`notify_master_rx_lower_pri`).
    RxLowerPriority,
    /// In a sync group: the instance wants to be Master, but its group must agree.
    WantsMaster,
    /// Write a log line.
    Log(Event),
}

/// Which virtual addresses should exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// All of them.
    Present,
    /// None.
    Absent,
}

/// One burst of gratuitous ARP or unsolicited neighbour advertisements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announce {
    /// Messages per address.
    pub repeat: u32,
    /// What for.
    pub reason: AnnounceReason,
}

/// Why neighbours are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnnounceReason {
    /// The instance became Master, or got new addresses as Master.
    Master,
    /// The second burst, `garp_master_delay` later.
    MasterDelayed,
    /// `garp_master_refresh` has passed.
    Refresh,
    /// A Master of lower priority was heard and may have taken the traffic.
    LowerPriority,
    /// The second burst, `garp_lower_prio_delay` later.
    LowerPriorityDelayed,
    /// A unicast instance leaves FAULT: announce its *source* address, not the virtual ones.
    Source,
}

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state now. [`State::Init`] when the instance stopped.
    pub to: State,
    /// The effective priority, as notify scripts get it.
    pub priority: Priority,
    /// Why.
    pub cause: Cause,
}

/// An advertisement to send. Complete: rendering needs nothing of the instance, so that a later
/// change of it cannot reach back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The source address.
    pub src: IpAddr,
    /// The group or the peer.
    pub dst: IpAddr,
    /// The TTL or hop limit.
    pub ttl: u8,
    /// The identification of the IPv4 header; counts up from 1.
    pub ip_id: u16,
    /// The priority inside.
    pub priority: Priority,
    /// 112, or 51 when authenticated by a header in front.
    pub protocol: u8,
    /// Everything behind the IP header, checksum included.
    pub payload: Arc<[u8]>,
}

impl Transmit {
    /// Appends to `buf` the bytes the socket wants: for IPv4 (`IP_HDRINCL`) the IP header and
    /// the payload, for IPv6 the payload alone.
    pub fn render(&self, buf: &mut Vec<u8>) {
        if let (IpAddr::V4(src), IpAddr::V4(dst)) = (self.src, self.dst) {
            let header = wire::Ipv4Header {
                src,
                dst,
                ttl: self.ttl,
                id: self.ip_id,
                protocol: self.protocol,
            };
            buf.extend_from_slice(&header.emit(self.payload.len()));
        }
        buf.extend_from_slice(&self.payload);
    }
}

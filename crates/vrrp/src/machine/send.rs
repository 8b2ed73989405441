//! Building our own adverts.

use core::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rk_base::{Family, Instant, Priority};

use super::Instance;
use crate::event::Occurrence;
use crate::output::{Output, Transmit};
use crate::settings::{Auth, OldUnicastChecksum, Settings, Transport, V3Checksum, Version};
use crate::wire::{AdvertWriter, AuthHeader, Coverage, PROTOCOL_AH, PROTOCOL_VRRP};

/// What a sender keeps from one advert to the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Sender {
    source: Option<IpAddr>,
    /// Of the last packet.
    ip_id: u16,
    /// Of the last authentication header.
    sequence: u32,
    /// The peers were recognised as putting the group into the pseudo header.
    old_unicast: bool,
    /// The messages of the last advert, one a destination, as long as nothing in them changes.
    cache: Option<(Priority, Vec<Arc<[u8]>>)>,
}

impl Sender {
    pub(super) const fn source(&self) -> Option<IpAddr> {
        self.source
    }

    pub(super) const fn old_unicast(&self) -> bool {
        self.old_unicast
    }

    pub(super) fn set_source(&mut self, source: Option<IpAddr>) {
        if self.source != source {
            self.source = source;
            self.cache = None;
        }
    }

    pub(super) fn use_old_unicast(&mut self) {
        self.old_unicast = true;
        self.cache = None;
    }

    /// Something that stands in the adverts may have changed.
    pub(super) fn forget(&mut self) {
        self.cache = None;
    }

    /// The identification of the next packet: 1, 2, 3 ... 65535, 1. Never 0, which would make
    /// the kernel put in one of its own.
    fn next_id(&mut self) -> u16 {
        self.ip_id = self.ip_id.checked_add(1).unwrap_or(1);
        self.ip_id
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.saturating_add(1);
        self.sequence
    }
}

/// What the checksum of a message between these two covers.
pub(super) fn coverage(
    settings: &Settings,
    old_unicast: bool,
    src: IpAddr,
    dst: IpAddr,
) -> Coverage {
    match (settings.family, settings.version) {
        (Family::V6, _) => Coverage::Pseudo { src, dst },
        (Family::V4, Version::V2) => Coverage::Message,
        (Family::V4, Version::V3) => match settings.v3_checksum {
            V3Checksum::MessageOnly => Coverage::Message,
            V3Checksum::PseudoHeader if old_unicast && settings.transport.is_unicast() => {
                Coverage::Pseudo {
                    src,
                    dst: OLD_UNICAST_DST,
                }
            }
            V3Checksum::PseudoHeader => Coverage::Pseudo { src, dst },
        },
    }
}

/// What keepalived before 1.3.6 put into the pseudo header of unicast packets.
pub(super) const OLD_UNICAST_DST: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));

impl Instance {
    /// Sends an advert with our priority to everybody it is for.
    pub(super) fn send_advert(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.send(now, self.effective, 1, out);
    }

    /// Says that this Master leaves: priority 0, `copies` times, counted once.
    pub(super) fn send_leaving(&mut self, now: Instant, copies: u32, out: &mut Vec<Output>) {
        let before = self.stats.pri_zero_sent;
        self.send_priority_zero(now, copies, out);
        if self.stats.pri_zero_sent != before {
            self.log(Occurrence::SentPriorityZero, out);
        }
    }

    /// The same without a log line.
    pub(super) fn send_priority_zero(&mut self, now: Instant, copies: u32, out: &mut Vec<Output>) {
        if self.send(now, Priority::LEAVING, copies, out) {
            self.stats.pri_zero_sent += 1;
        }
    }

    /// The source and destinations of an advert, and with which TTL it goes.
    fn send(
        &mut self,
        now: Instant,
        priority: Priority,
        copies: u32,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(src) = self.source() else {
            //= RFC 9568 §7.2: without an address of the interface nothing is sent.
            self.stats.no_source_err += 1;
            self.limited(Occurrence::NoSource, out);
            return false;
        };
        for _ in 0..copies {
            match &self.settings.transport {
                Transport::Multicast { group } => {
                    let group = *group;
                    self.send_to(src, group, 255, 0, priority, out);
                }
                Transport::Unicast { peers, ttl, .. } => {
                    let ttl = *ttl;
                    for index in 0..peers.len() {
                        let Some(peer) = self.peer(index) else { break };
                        self.send_to(src, peer, ttl, index, priority, out);
                    }
                }
            }
        }
        self.stats.advert_sent += 1;
        self.last_advert_sent = Some(now);
        true
    }

    fn peer(&self, index: usize) -> Option<IpAddr> {
        match &self.settings.transport {
            Transport::Unicast { peers, .. } => peers.get(index).map(|p| p.address),
            Transport::Multicast { .. } => None,
        }
    }

    fn send_to(
        &mut self,
        src: IpAddr,
        dst: IpAddr,
        ttl: u8,
        index: usize,
        priority: Priority,
        out: &mut Vec<Output>,
    ) {
        let ip_id = self.sender.next_id();
        let message = self.message(src, dst, index, priority);
        let (protocol, payload) = match (self.settings.auth, src, dst) {
            (Auth::Ah(key), IpAddr::V4(src), IpAddr::V4(dst))
                if self.settings.version == Version::V2 =>
            {
                let sequence = self.sender.next_sequence();
                let sealed = AuthHeader::seal(&key, (src, dst), (ttl, ip_id), sequence, &message);
                (PROTOCOL_AH, sealed.into())
            }
            _ => (PROTOCOL_VRRP, message),
        };
        out.push(Output::Send(Transmit {
            src,
            dst,
            ttl,
            ip_id,
            priority,
            protocol,
            payload,
        }));
    }

    /// The message for the destination with this index, from the cache if it did not change.
    fn message(&mut self, src: IpAddr, dst: IpAddr, index: usize, priority: Priority) -> Arc<[u8]> {
        if let Some((cached, messages)) = &self.sender.cache
            && *cached == priority
            && let Some(message) = messages.get(index)
        {
            return message.clone();
        }
        let settings = &self.settings;
        let mut octets = Vec::new();
        let writer = AdvertWriter {
            version: settings.version,
            family: settings.family,
            vrid: settings.vrid,
            priority,
            interval: settings.adver_interval,
            addresses: &settings.addresses,
            auth: settings.auth,
        };
        let old =
            self.sender.old_unicast || settings.old_unicast_checksum == OldUnicastChecksum::Always;
        writer.emit(coverage(settings, old, src, dst), &mut octets);
        let message: Arc<[u8]> = octets.into();
        match &mut self.sender.cache {
            Some((cached, messages)) if *cached == priority && messages.len() == index => {
                messages.push(message.clone());
            }
            _ if index == 0 => self.sender.cache = Some((priority, vec![message.clone()])),
            _ => {}
        }
        message
    }
}

//! The checks a received packet has to pass, in keepalived's order, and what an advert is then.

use core::net::IpAddr;

use rk_base::{Family, Instant, Priority};

use super::send::{OLD_UNICAST_DST, coverage};
use super::{Instance, State};
use crate::error::Rejected;
use crate::event::Occurrence;
use crate::input::{RxMeta, RxProtocol};
use crate::output::Output;
use crate::settings::{Auth, OldUnicastChecksum, Transport, V3Checksum, Version};
use crate::wire::{self, Advert, AuthHeader, Coverage, Header, Tail};

/// Which kinds of lines were already logged: each once, until the state or the Master changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Limiter {
    logged: Vec<core::mem::Discriminant<Occurrence>>,
    /// Senders that are no peers, each worth one line; bounded, for anybody can be one.
    strangers: Vec<IpAddr>,
}

impl Limiter {
    const MAX_STRANGERS: usize = 16;

    pub(super) fn clear(&mut self) {
        self.logged.clear();
    }

    /// Whether this is the first of its kind.
    fn admit(&mut self, what: &Occurrence) -> bool {
        let kind = core::mem::discriminant(what);
        let first = !self.logged.contains(&kind);
        if first {
            self.logged.push(kind);
        }
        first
    }

    fn admit_stranger(&mut self, address: IpAddr) -> bool {
        let new = self.strangers.len() < Self::MAX_STRANGERS && !self.strangers.contains(&address);
        if new {
            self.strangers.push(address);
        }
        new
    }
}

/// The last sequence number of each sender's authentication headers.
#[derive(Clone, Debug, Default)]
pub(super) struct Replay {
    pub(super) senders: Vec<(IpAddr, u32, Instant)>,
}

impl Replay {
    /// A link has few routers; more senders than this are not remembered.
    const MAX_SENDERS: usize = 64;

    pub(super) fn clear(&mut self) {
        self.senders.clear();
    }
}

impl Instance {
    /// Logs something that every packet could repeat, once.
    pub(super) fn limited(&mut self, what: Occurrence, out: &mut Vec<Output>) {
        if self.limiter.admit(&what) {
            self.log(what, out);
        }
    }

    /// A packet came in.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        meta: &RxMeta,
        payload: &[u8],
        out: &mut Vec<Output>,
    ) {
        let listening = matches!(self.state, State::Backup | State::Master);
        let received_at = meta.received_at.min(now);
        if !listening || self.deaf_until.is_some_and(|t| received_at < t) {
            return;
        }
        let advert = match self.check(meta, payload, received_at, out) {
            Ok(advert) => advert,
            Err(why) => {
                self.rejected(meta, why, out);
                return;
            }
        };
        self.stats.advert_rcvd += 1;
        let (from, priority) = (meta.src, advert.header.priority);
        let known = self.state == State::Backup && self.master_router() == Some(from);
        match self.state {
            State::Backup => {
                self.advert_in_backup(from, priority, advert.interval, received_at, out);
            }
            State::Master => self.advert_in_master(now, from, priority, advert.interval, out),
            State::Init | State::Fault => {}
        }
        // After the state may have changed, so that the lines about this Master come once.
        if priority == Priority::LEAVING {
            self.stats.pri_zero_rcvd += 1;
            return;
        }
        if !(known && self.settings.skip_check_adv_addr) {
            self.compare_addresses(from, &advert, out);
        }
        if self.is_v3() && advert.interval != self.settings.adver_interval {
            let (version, theirs) = (Version::V3, advert.interval);
            let ours = self.settings.adver_interval;
            let mismatch = Occurrence::IntervalMismatch {
                version,
                from,
                ours,
                theirs,
            };
            self.limited(mismatch, out);
        }
    }

    /// Every check that drops a packet.
    fn check<'p>(
        &mut self,
        meta: &RxMeta,
        payload: &'p [u8],
        received_at: Instant,
        out: &mut Vec<Output>,
    ) -> Result<Advert<'p>, Rejected> {
        let family = self.settings.family;
        if Family::of(meta.src) != family || Family::of(meta.dst) != family {
            return Err(Rejected::Family);
        }
        let (ah, octets) = match meta.protocol {
            RxProtocol::Vrrp => (None, payload),
            RxProtocol::Ah => {
                let (header, rest) = AuthHeader::parse(payload)?;
                (Some(header), rest)
            }
        };
        let header = Header::parse(octets)?;
        self.check_ttl(meta)?;
        let expected = self.settings.version;
        if header.version != expected.number() {
            return Err(Rejected::Version {
                received: header.version,
                expected,
            });
        }
        if header.vrid != self.settings.vrid.get() {
            return Err(Rejected::Vrid(header.vrid));
        }
        if expected == Version::V2 {
            self.check_auth(meta, ah, &header, payload, octets, received_at)?;
        } else if ah.is_some() {
            return Err(Rejected::AuthType {
                received: 2,
                expected: 0,
            });
        }
        let interval = header.interval(expected);
        let ours = self.settings.adver_interval;
        let differs = match expected {
            Version::V2 => interval != ours,
            Version::V3 => interval.is_zero(),
        };
        if differs {
            return Err(Rejected::Interval {
                received: interval,
                expected: ours,
            });
        }
        if header.message_type != wire::TYPE_ADVERTISEMENT {
            return Err(Rejected::Type(header.message_type));
        }
        let advert = Advert::parse(octets, family)?;
        if expected == Version::V3 && advert.addresses.is_empty() {
            return Err(Rejected::NoAddresses);
        }
        self.check_checksum(meta, &advert, out)?;
        self.check_destination(meta, out)?;
        if self.settings.is_owner() && self.settings.owner_ignore_adverts {
            return Err(Rejected::Owner);
        }
        Ok(advert)
    }

    /// Multicast never leaves the link, so any other TTL than 255 came through a router
    /// (RFC 5082). Unicast may be routed: there the peer's bounds count.
    fn check_ttl(&self, meta: &RxMeta) -> Result<(), Rejected> {
        let (min, max) = match &self.settings.transport {
            Transport::Multicast { .. } => (255, 255),
            Transport::Unicast { peers, .. } => {
                let peer = peers.iter().find(|p| p.address == meta.src);
                let bound = |of: fn(&crate::settings::Peer) -> Option<u8>| peer.and_then(of);
                (
                    bound(|p| p.min_ttl).unwrap_or(0),
                    bound(|p| p.max_ttl).unwrap_or(255),
                )
            }
        };
        if (min..=max).contains(&meta.ttl) {
            return Ok(());
        }
        Err(Rejected::Ttl {
            ttl: meta.ttl,
            min,
            max,
        })
    }

    fn check_auth(
        &mut self,
        meta: &RxMeta,
        ah: Option<AuthHeader>,
        header: &Header,
        payload: &[u8],
        octets: &[u8],
        received_at: Instant,
    ) -> Result<(), Rejected> {
        // Over IPv6 version 2 has no authentication data; a configured password cannot count.
        let auth = match self.settings.family {
            Family::V4 => self.settings.auth,
            Family::V6 => Auth::None,
        };
        if header.auth_type > 2 {
            return Err(Rejected::UnknownAuthType(header.auth_type));
        }
        let (received, expected) = (header.auth_type, auth.number());
        if received != expected {
            return Err(Rejected::AuthType { received, expected });
        }
        match (auth, ah) {
            (Auth::None, None) => Ok(()),
            (Auth::Pass(secret), None) => match Advert::parse(octets, self.settings.family)?.tail {
                Tail::Auth(data) if secret.matches(data) => Ok(()),
                _ => Err(Rejected::AuthData),
            },
            (Auth::Ah(secret), Some(ah)) => {
                let (IpAddr::V4(src), IpAddr::V4(dst)) = (meta.src, meta.dst) else {
                    return Err(Rejected::Family);
                };
                // The digest covers the packet as it was sent, without a short frame's padding.
                let message = Advert::parse(octets, self.settings.family)?.octets;
                let sealed = payload
                    .get(..wire::AH_LEN + message.len())
                    .unwrap_or(payload);
                if !ah.verifies(&secret, (src, dst), (meta.ttl, meta.ip_id), sealed) {
                    return Err(Rejected::AuthData);
                }
                self.check_sequence(meta.src, ah.sequence, received_at)
            }
            (Auth::None | Auth::Pass(_), Some(_)) => Err(Rejected::AuthType {
                received: 2,
                expected,
            }),
            (Auth::Ah(_), None) => Err(Rejected::AuthType {
                received: 0,
                expected,
            }),
        }
    }

    /// The sequence number must grow; a sender that was silent for a Master_Down_Interval may
    /// have been restarted and begin anew.
    pub(super) fn check_sequence(
        &mut self,
        from: IpAddr,
        received: u32,
        at: Instant,
    ) -> Result<(), Rejected> {
        let forget_after = self.master_down_interval();
        let senders = &mut self.replay.senders;
        match senders.iter_mut().find(|(address, ..)| *address == from) {
            Some((_, last, heard)) => {
                if received <= *last && at.since(*heard) < forget_after {
                    return Err(Rejected::Replayed {
                        received,
                        last: *last,
                    });
                }
                (*last, *heard) = (received, at);
            }
            None => {
                senders.push((from, received, at));
                senders.truncate(Replay::MAX_SENDERS);
            }
        }
        Ok(())
    }

    fn check_checksum(
        &mut self,
        meta: &RxMeta,
        advert: &Advert<'_>,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejected> {
        let (src, dst) = (meta.src, meta.dst);
        let is_good = |covers| wire::is_good(advert.octets, covers);
        let settings = &self.settings;
        let old = self.sender.old_unicast()
            || settings.old_unicast_checksum == OldUnicastChecksum::Always;
        if is_good(coverage(settings, old, src, dst)) {
            return Ok(());
        }
        if settings.family == Family::V4 && settings.version == Version::V3 {
            if settings.v3_checksum == V3Checksum::MessageOnly
                && is_good(Coverage::Pseudo { src, dst })
            {
                self.stats.checksum_fallback += 1;
                return Ok(());
            }
            if settings.v3_checksum == V3Checksum::PseudoHeader
                && settings.transport.is_unicast()
                && settings.old_unicast_checksum == OldUnicastChecksum::Auto
                && !old
                && is_good(Coverage::Pseudo {
                    src,
                    dst: OLD_UNICAST_DST,
                })
            {
                self.sender.use_old_unicast();
                self.log(Occurrence::OldUnicastChecksum, out);
                return Ok(());
            }
        }
        Err(Rejected::Checksum)
    }

    /// Whether the packet was sent to where we listen, by somebody we listen to.
    fn check_destination(&mut self, meta: &RxMeta, out: &mut Vec<Output>) -> Result<(), Rejected> {
        let transport = &self.settings.transport;
        match transport {
            Transport::Multicast { group } => {
                if meta.dst != *group {
                    return Err(Rejected::Destination(meta.dst));
                }
            }
            Transport::Unicast { peers, .. } => {
                if meta.dst.is_multicast() {
                    return Err(Rejected::Destination(meta.dst));
                }
                if !peers.iter().any(|p| p.address == meta.src) {
                    if transport.checks_source() {
                        return Err(Rejected::NotAPeer(meta.src));
                    }
                    if self.limiter.admit_stranger(meta.src) {
                        self.log(Occurrence::NotAPeer(meta.src), out);
                    }
                }
            }
        }
        Ok(())
    }

    /// Another address list than ours is a mistake in somebody's configuration, but no reason
    /// for two Masters: it is counted and logged, and the advert is used.
    fn compare_addresses(&mut self, from: IpAddr, advert: &Advert<'_>, out: &mut Vec<Output>) {
        let ours = &self.settings.addresses;
        // Nearly always the very same list; only otherwise is each one looked for.
        if advert.addresses.iter().eq(ours.iter().copied()) {
            return;
        }
        let what = if advert.addresses.len() == ours.len() {
            let mut missing = ours.iter().filter(|a| !advert.addresses.contains(**a));
            let Some(address) = missing.next().copied() else {
                return;
            };
            Occurrence::AddressMissing {
                vrid: self.settings.vrid.get(),
                from,
                address,
            }
        } else {
            Occurrence::AddressCount {
                expected: ours.len(),
                received: advert.addresses.len(),
            }
        };
        self.stats.addr_list_err += 1;
        self.limited(what, out);
    }

    /// Counts a dropped packet, and logs it unless that was done before.
    fn rejected(&mut self, meta: &RxMeta, why: Rejected, out: &mut Vec<Output>) {
        let from = meta.src;
        let stats = &mut self.stats;
        let what = match why {
            Rejected::Truncated { need, have } => {
                stats.packet_len_err += 1;
                Occurrence::Truncated { from, need, have }
            }
            Rejected::Ttl { ttl, min, max } => {
                stats.ip_ttl_err += 1;
                Occurrence::Ttl {
                    from,
                    ttl,
                    min,
                    max,
                }
            }
            Rejected::Version { received, expected } => {
                stats.version_err += 1;
                Occurrence::WrongVersion {
                    from,
                    received,
                    expected,
                }
            }
            Rejected::UnknownAuthType(received) => {
                stats.invalid_authtype += 1;
                let expected = self.settings.auth.number();
                Occurrence::AuthType {
                    from,
                    received,
                    expected,
                }
            }
            Rejected::AuthType { received, expected } => {
                stats.authtype_mismatch += 1;
                Occurrence::AuthType {
                    from,
                    received,
                    expected,
                }
            }
            Rejected::AuthData => {
                stats.auth_failure += 1;
                match meta.protocol {
                    RxProtocol::Vrrp => Occurrence::AuthPassword(from),
                    RxProtocol::Ah => Occurrence::AuthHeader(from),
                }
            }
            Rejected::Replayed { received, last } => {
                stats.auth_failure += 1;
                Occurrence::Replayed {
                    from,
                    received,
                    last,
                }
            }
            Rejected::Interval { received, expected } => {
                stats.advert_interval_err += 1;
                let version = self.settings.version;
                Occurrence::IntervalMismatch {
                    version,
                    from,
                    ours: expected,
                    theirs: received,
                }
            }
            Rejected::Type(received) => {
                stats.invalid_type_rcvd += 1;
                Occurrence::WrongType { from, received }
            }
            Rejected::NoAddresses => {
                stats.addr_list_err += 1;
                Occurrence::NoAddresses(from)
            }
            Rejected::Checksum => {
                stats.checksum_err += 1;
                Occurrence::Checksum {
                    version: self.settings.version,
                    from,
                }
            }
            Rejected::Destination(to) => {
                stats.address_err += 1;
                Occurrence::Destination { from, to }
            }
            Rejected::NotAPeer(_) => {
                stats.address_err += 1;
                Occurrence::NotAPeer(from)
            }
            Rejected::Owner => Occurrence::OwnerIgnores(from),
            // Not for us; the daemon's look-up should not have brought it here.
            Rejected::Vrid(_) | Rejected::Family => return,
        };
        self.limited(what, out);
    }
}

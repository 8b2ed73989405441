//! Everything one virtual router is told by its configuration.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use std::sync::Arc;

use rk_base::{Family, Priority, Vrid};

use crate::tracking::Tracker;

/// The protocol version an instance speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// RFC 3768: whole seconds, eight octets of authentication data.
    V2,
    /// RFC 9568: centiseconds, no authentication.
    V3,
}

impl Version {
    /// The number in the packet's first nibble.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// What the `state` keyword said. It has no effect on timing: every instance that does not own
/// its addresses starts as Backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialState {
    /// `state MASTER`.
    Master,
    /// `state BACKUP`, or nothing.
    Backup,
}

/// Whether a router of higher priority takes over from a Master of lower priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preempt {
    /// At once: adverts of lower priority are not listened to.
    Yes,
    /// Never: any Master is accepted as long as it lives (`nopreempt`).
    No,
    /// As `Yes`, but only this long after the first advert of lower priority (`preempt_delay`).
    Delay(Duration),
}

/// Eight octets of VRRPv2 authentication data: the password, cut or padded with zeros.
///
/// Neither `Debug` nor `Display` ever shows them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuthData([u8; 8]);

impl AuthData {
    /// The first eight octets of `password`, padded with zeros.
    #[must_use]
    pub fn new(password: &[u8]) -> Self {
        let mut data = [0; 8];
        for (to, from) in data.iter_mut().zip(password) {
            *to = *from;
        }
        Self(data)
    }

    /// The octets as they stand on the wire.
    #[must_use]
    pub const fn octets(&self) -> &[u8; 8] {
        &self.0
    }

    /// Whether `other` is the same secret, in a time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, other: &[u8; 8]) -> bool {
        let differing = self
            .0
            .iter()
            .zip(other)
            .fold(0, |acc, (a, b)| acc | (a ^ b));
        core::hint::black_box(differing) == 0
    }
}

impl fmt::Debug for AuthData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthData(********)")
    }
}

/// VRRPv2 authentication (RFC 2338 §5.3.6; RFC 3768 keeps only the first).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Type 0.
    None,
    /// Type 1: a password in clear text.
    Pass(AuthData),
    /// Type 2: an IP authentication header with HMAC-MD5-96. IPv4 only.
    Ah(AuthData),
}

impl Auth {
    /// The number in the auth type field.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Pass(_) => 1,
            Self::Ah(_) => 2,
        }
    }
}

/// How a VRRPv3 checksum over IPv4 is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum V3Checksum {
    /// With a pseudo header, as the installed base does.
    PseudoHeader,
    /// Over the message only, as RFC 9568 §5.2.8 says (`v3_checksum_as_v2`). Received packets
    /// may still carry the pseudo-header form; anything else is dropped.
    MessageOnly,
}

/// What is known about peers that put the multicast group into the pseudo header of unicast
/// VRRPv3 packets (keepalived before 1.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldUnicastChecksum {
    /// Recognise such a peer by its first packet and then do as it does.
    Auto,
    /// `old_unicast_checksum`: they all do.
    Always,
    /// `old_unicast_checksum never`.
    Never,
}

/// One unicast peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where our adverts go.
    pub address: IpAddr,
    /// The least TTL or hop limit accepted from it.
    pub min_ttl: Option<u8>,
    /// The greatest TTL or hop limit accepted from it.
    pub max_ttl: Option<u8>,
}

impl Peer {
    /// A peer whose TTL is not looked at.
    #[must_use]
    pub const fn new(address: IpAddr) -> Self {
        Self {
            address,
            min_ttl: None,
            max_ttl: None,
        }
    }
}

/// Where adverts go and from whom they are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// To a group, TTL 255 both ways.
    Multicast {
        /// 224.0.0.18 or ff02::12, unless configured otherwise.
        group: IpAddr,
    },
    /// To each peer.
    Unicast {
        /// In configuration order. An empty list stays unicast: nothing is sent.
        peers: Vec<Peer>,
        /// TTL or hop limit of what we send.
        ttl: u8,
        /// Take packets from peers only. A peer with a TTL bound turns this on as well.
        check_source: bool,
    },
}

impl Transport {
    /// Multicast to the group the RFC gives `family` (RFC 9568 §5.1.1.2 and §5.1.2.2).
    #[must_use]
    pub const fn multicast(family: Family) -> Self {
        Self::Multicast {
            group: match family {
                Family::V4 => IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18)),
                Family::V6 => IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12)),
            },
        }
    }

    /// Unicast to `peers` with TTL 255 and no check of the source.
    #[must_use]
    pub fn unicast(peers: impl IntoIterator<Item = IpAddr>) -> Self {
        let peers = peers.into_iter().map(Peer::new).collect();
        Self::Unicast {
            peers,
            ttl: 255,
            check_source: false,
        }
    }

    /// Whether this is unicast.
    #[must_use]
    pub const fn is_unicast(&self) -> bool {
        matches!(self, Self::Unicast { .. })
    }

    /// Whether the source of a packet must be a peer.
    #[must_use]
    pub fn checks_source(&self) -> bool {
        match self {
            Self::Multicast { .. } => false,
            Self::Unicast {
                peers,
                check_source,
                ..
            } => {
                *check_source
                    || peers
                        .iter()
                        .any(|p| p.min_ttl.is_some() || p.max_ttl.is_some())
            }
        }
    }
}

/// When and how often neighbours are told where the addresses are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garp {
    /// Messages per address in the burst on becoming Master (`garp_master_repeat`).
    pub master_repeat: u32,
    /// Until the second burst (`garp_master_delay`); zero for none.
    pub master_delay: Duration,
    /// Between refreshes while Master (`garp_master_refresh`); zero for none.
    pub master_refresh: Duration,
    /// Messages per address in a refresh (`garp_master_refresh_repeat`).
    pub master_refresh_repeat: u32,
    /// Messages per address after a Master of lower priority was heard
    /// (`garp_lower_prio_repeat`); zero for none.
    pub lower_prio_repeat: u32,
    /// Until they are repeated (`garp_lower_prio_delay`); zero for not.
    pub lower_prio_delay: Duration,
}

impl Default for Garp {
    fn default() -> Self {
        Self {
            master_repeat: 5,
            master_delay: Duration::from_secs(5),
            master_refresh: Duration::ZERO,
            master_refresh_repeat: 1,
            lower_prio_repeat: 5,
            lower_prio_delay: Duration::from_secs(5),
        }
    }
}

/// Everything one virtual router needs to know. Plain data: the daemon fills it from the
/// configuration, tests fill it by hand from [`Settings::new`].
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The instance's name, as it stands in the log.
    pub name: Arc<str>,
    /// The interface it runs on, as it stands in the log.
    pub interface: Arc<str>,
    /// Which virtual router on that interface.
    pub vrid: Vrid,
    /// The family of the adverts.
    pub family: Family,
    /// The version of the adverts.
    pub version: Version,
    /// The priority before tracking; 255 owns the addresses.
    pub priority: Priority,
    /// What `state` said.
    pub initial_state: InitialState,
    /// Between our own adverts: whole seconds 1..=255 in version 2, 10 ms to 40.95 s in 3.
    pub adver_interval: Duration,
    /// Missed adverts before a Backup takes over, 3 in the RFCs (`down_timer_adverts`).
    pub down_timer_adverts: u8,
    /// Whether lower Masters are displaced. The owner always does.
    pub preempt: Preempt,
    /// What the adverts list, in order, all of `family`.
    pub addresses: Vec<IpAddr>,
    /// Where adverts go.
    pub transport: Transport,
    /// Authentication; version 2 only, ignored in 3.
    pub auth: Auth,
    /// The checksum of version 3 over IPv4.
    pub v3_checksum: V3Checksum,
    /// The checksum of version 3 over unicast IPv4.
    pub old_unicast_checksum: OldUnicastChecksum,
    /// Compare the address list only when the Master is another than last time.
    pub skip_check_adv_addr: bool,
    /// Gratuitous ARP and unsolicited neighbour advertisements.
    pub garp: Garp,
    /// As Master, do not answer an advert of lower priority.
    pub lower_prio_no_advert: bool,
    /// As Master, send one more advert before yielding.
    pub higher_prio_send_advert: bool,
    /// As owner, drop every received advert.
    pub owner_ignore_adverts: bool,
    /// After [`crate::Input::Start`], be deaf and do not count time for so long.
    pub startup_delay: Duration,
    /// What is watched, the own interface included unless `dont_track_primary`.
    pub trackers: Vec<Tracker>,
    /// The sync group. An instance in a group becomes Master only through
    /// [`crate::SyncGroup`].
    pub sync_group: Option<Arc<str>>,
}

impl Settings {
    /// An instance with the defaults of the configuration language: version 2 for IPv4, 3 for
    /// IPv6, priority 100, an advert a second to the multicast group.
    #[must_use]
    pub fn new(name: &str, vrid: Vrid, family: Family) -> Self {
        Self {
            name: name.into(),
            interface: "eth0".into(),
            vrid,
            family,
            version: if family == Family::V4 {
                Version::V2
            } else {
                Version::V3
            },
            priority: Priority::DEFAULT,
            initial_state: InitialState::Backup,
            adver_interval: Duration::from_secs(1),
            down_timer_adverts: 3,
            preempt: Preempt::Yes,
            addresses: Vec::new(),
            transport: Transport::multicast(family),
            auth: Auth::None,
            v3_checksum: V3Checksum::PseudoHeader,
            old_unicast_checksum: OldUnicastChecksum::Auto,
            skip_check_adv_addr: false,
            garp: Garp::default(),
            lower_prio_no_advert: false,
            higher_prio_send_advert: false,
            owner_ignore_adverts: false,
            startup_delay: Duration::ZERO,
            trackers: Vec::new(),
            sync_group: None,
        }
    }

    /// Whether the instance owns its addresses.
    #[must_use]
    pub const fn is_owner(&self) -> bool {
        self.priority.is_owner()
    }

    /// How long a Backup waits beyond the missed adverts, so that the best one moves first.
    /// `interval` is the Master's, which version 2 does not look at (RFC 3768 §6.1: a fraction
    /// of a second; RFC 9568 §6.1: a fraction of the interval). To the nanosecond, because the
    /// installed base does not round to centiseconds either.
    #[must_use]
    pub fn skew_time(&self, priority: Priority, interval: Duration) -> Duration {
        let share = 256 - u32::from(priority.get());
        let whole = match self.version {
            Version::V2 => Duration::from_secs(1),
            Version::V3 => interval,
        };
        whole * share / 256
    }

    /// How long silence must last before a Backup takes over.
    #[must_use]
    pub fn master_down_interval(&self, priority: Priority, interval: Duration) -> Duration {
        interval * u32::from(self.down_timer_adverts) + self.skew_time(priority, interval)
    }
}

//! The VRRP process's state as plain values, in the vocabulary of the dump files.

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use rk_base::Prefix;

/// A point on the wall clock, for people: microseconds since 1970 and its text in local time.
///
/// The text is made by the caller, because only the shell may ask for a time zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WallTime {
    /// Microseconds since the epoch.
    pub micros: u64,
    /// As `ctime` with microseconds: `Sat Nov 21 03:33:53.922429 2026`.
    pub text: String,
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.micros / 1_000_000, self.micros % 1_000_000);
        write!(f, "{seconds}.{micros:06} ({})", self.text)
    }
}

/// Protocol state, in the words and numbers that dumps use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Not started, or waiting for a first script result.
    Init,
    /// Listening.
    Backup,
    /// Forwarding.
    Master,
    /// Held back by a tracker.
    Fault,
}

impl Role {
    /// The number the JSON dump shows.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Init => 0,
            Self::Backup => 1,
            Self::Master => 2,
            Self::Fault => 3,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "INIT",
            Self::Backup => "BACKUP",
            Self::Master => "MASTER",
            Self::Fault => "FAULT",
        })
    }
}

/// Which kind of authentication an instance uses; never the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// No authentication.
    None,
    /// Clear-text password.
    Pass,
    /// IP authentication header.
    Ah,
}

/// The counters of `keepalived.stats`, per instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "each field is the line of the same name in the stats file"
)]
pub struct Counters {
    pub advert_rcvd: u64,
    pub advert_sent: u64,
    pub become_master: u64,
    pub release_master: u64,
    pub packet_len_err: u64,
    pub ip_ttl_err: u64,
    pub invalid_type_rcvd: u64,
    pub advert_interval_err: u64,
    pub addr_list_err: u64,
    pub invalid_authtype: u64,
    pub authtype_mismatch: u64,
    pub auth_failure: u64,
    pub pri_zero_rcvd: u64,
    pub pri_zero_sent: u64,
}

/// A virtual address as it is configured, and whether the kernel has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressView {
    /// Address and prefix length.
    pub prefix: Prefix,
    /// IPv4 broadcast address, if one is set.
    pub broadcast: Option<IpAddr>,
    /// Name of the interface.
    pub dev: String,
    /// Name (or number) of the scope.
    pub scope: String,
    /// IPv4 label.
    pub label: Option<String>,
    /// The other end of a point-to-point address.
    pub peer: Option<Prefix>,
    /// Further options, each one word as in the configuration (`home`, `-nodad`, `no_track` ...).
    pub options: Vec<&'static str>,
    /// IPv6 only: `deprecated`, `preferred_lft forever` or `preferred_lft N`.
    pub lifetime: Option<String>,
    /// Whether the address is on the interface.
    pub set: bool,
}

impl fmt::Display for AddressView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.prefix)?;
        if let Some(brd) = self.broadcast {
            write!(f, " brd {brd}")?;
        }
        write!(f, " dev {} scope {}", self.dev, self.scope)?;
        if let Some(label) = &self.label {
            write!(f, " label {label}")?;
        }
        if let Some(peer) = self.peer {
            write!(f, " peer {}/{}", peer.addr(), peer.len())?;
        }
        for option in &self.options {
            write!(f, " {option}")?;
        }
        if let Some(lifetime) = &self.lifetime {
            write!(f, " {lifetime}")?;
        }
        f.write_str(if self.set { " set" } else { "" })
    }
}

/// Something an instance tracks, with its weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedView {
    /// Name of the interface, script, file, process or session.
    pub name: String,
    /// The weight; 0 means "fault when it fails".
    pub weight: i32,
    /// Whether the sense is reversed.
    pub reverse: bool,
}

/// The unicast part of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnicastView {
    /// TTL or hop limit of what we send.
    pub ttl: u8,
    /// Whether a sender has to be a peer.
    pub check_source: bool,
    /// Peers with the smallest and largest TTL accepted.
    pub peers: Vec<(IpAddr, u8, u8)>,
    /// `no`, `never`, `config` or `auto`.
    pub checksum_compatibility: &'static str,
}

/// One instance.
#[derive(Clone, Debug)]
pub struct InstanceView {
    /// Name of the instance.
    pub name: String,
    /// Protocol version, 2 or 3.
    pub version: u8,
    /// Name of the sync group it is in.
    pub group: Option<String>,
    /// Whether it serves IPv6 addresses.
    pub ipv6: bool,
    /// Where the protocol stands.
    pub state: Role,
    /// Where it is asked to be.
    pub wantstate: Role,
    /// Why the state is what it is, as a sentence.
    pub cause: Option<String>,
    /// The Master we listen to, and its priority.
    pub master: Option<(IpAddr, u8)>,
    /// The interval in force: ours, or in v3 the Master's.
    pub master_adver_int: Duration,
    /// What holds the instance in FAULT, one sentence each.
    pub faults: Vec<String>,
    /// Scripts whose first result is awaited.
    pub scripts_init: usize,
    /// When the state was entered.
    pub last_transition: WallTime,
    /// When the running timer ends.
    pub read_timeout: Option<WallTime>,
    /// Master_Down_Interval in force.
    pub master_down: Duration,
    /// Interface the adverts use.
    pub interface: String,
    /// Whether the interface's own state is ignored.
    pub dont_track_primary: bool,
    /// Whether the address list of adverts is not compared.
    pub skip_check_adv_addr: bool,
    /// Whether strict mode is on.
    pub strict: bool,
    /// Source address of adverts, and whether it was configured.
    pub source: Option<(IpAddr, bool)>,
    /// Multicast group, unless unicast.
    pub multicast: Option<(IpAddr, Option<u32>)>,
    /// The unicast side, unless multicast.
    pub unicast: Option<UnicastView>,
    /// Delay until the second burst of announcements.
    pub garp_delay: Duration,
    /// Announcements a burst.
    pub garp_repeat: u32,
    /// Period of refreshing announcements; zero for none.
    pub garp_refresh: Duration,
    /// Announcements a refresh.
    pub garp_refresh_repeat: u32,
    /// Delay of the second burst after a lower-priority advert.
    pub garp_lower_prio_delay: Duration,
    /// Announcements a burst after a lower-priority advert.
    pub garp_lower_prio_repeat: u32,
    /// Adverts that may be missed.
    pub down_timer_adverts: u8,
    /// Whether a lower-priority advert is answered at once.
    pub lower_prio_advert: bool,
    /// Whether a higher-priority advert is answered before yielding.
    pub higher_prio_advert: bool,
    /// VRID.
    pub vrid: u8,
    /// Configured priority.
    pub base_priority: u8,
    /// Priority on the wire.
    pub effective_priority: u8,
    /// Priority before it was clamped.
    pub total_priority: i32,
    /// Our own interval.
    pub adver_int: Duration,
    /// Wall time of the last advert in `sec.usec`.
    pub last_advert_sent: WallTime,
    /// Whether packets to the addresses are accepted.
    pub accept: bool,
    /// Whether a better router takes over from a worse one.
    pub preempt: bool,
    /// How long it waits before it does.
    pub preempt_delay: Duration,
    /// Whether promote_secondaries is set on the interface.
    pub promote_secondaries: bool,
    /// Kind of authentication.
    pub authentication: Authentication,
    /// v3 over IPv4: whether the checksum leaves the pseudo-header out.
    pub checksum_as_v2: bool,
    /// Virtual addresses.
    pub addresses: Vec<AddressView>,
    /// Virtual addresses that adverts do not carry.
    pub excluded: Vec<AddressView>,
    /// Whether the virtual addresses are on the interface.
    pub vipset: bool,
    /// Tracked interfaces, without the own one.
    pub interfaces: Vec<TrackedView>,
    /// Tracked scripts.
    pub scripts: Vec<TrackedView>,
    /// Command lines of the tracked scripts, for the JSON dump.
    pub script_commands: Vec<String>,
    /// Tracked files.
    pub files: Vec<TrackedView>,
    /// Whether transitions are mailed.
    pub smtp_alert: bool,
    /// Whether a deleted instance notifies DELETED, not FAULT.
    pub notify_deleted: bool,
    /// Notification scripts: the dump's title, the JSON key, the rendered command, its owner.
    pub notify: Vec<NotifyView>,
    /// Whether changes of priority are notified.
    pub notify_priority_changes: bool,
    /// Numbers of the sockets, if there are any.
    pub sockets: Option<(i32, i32)>,
    /// Packet and state counters.
    pub counters: Counters,
}

/// One notification script of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyView {
    /// `Backup`, `Master`, `Generic` ...
    pub title: &'static str,
    /// `script_backup`, `script` ...
    pub key: &'static str,
    /// Each word in single quotes.
    pub command: String,
    /// User and group it runs as.
    pub owner: (u32, u32),
}

/// How far the current run of a script has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptProgress {
    /// Not running.
    Idle,
    /// Running.
    Running,
    /// Past its timeout, being ended.
    TimingOut,
}

/// One tracked script.
#[derive(Clone, Debug)]
#[allow(
    missing_docs,
    reason = "each field is the line of the same name in the dump"
)]
pub struct ScriptView {
    pub name: String,
    pub command: String,
    pub interval: Duration,
    pub timeout: Duration,
    pub weight: i32,
    pub reverse: bool,
    pub rise: u32,
    pub fall: u32,
    pub result: u32,
    pub insecure: bool,
    pub init_fail: Option<bool>,
    pub good: Option<bool>,
    pub owner: (u32, u32),
    pub progress: ScriptProgress,
    pub instances: Vec<TrackedNames>,
}

/// An instance (or group) that tracks something, by name and weight.
pub type TrackedNames = (String, i32, bool);

/// One pair of sockets.
#[derive(Clone, Debug)]
#[allow(
    missing_docs,
    reason = "each field is the line of the same name in the dump"
)]
pub struct SocketView {
    pub fd_in: i32,
    pub fd_out: i32,
    pub interface: String,
    pub ipv6: bool,
    pub unicast: Option<IpAddr>,
    pub rx_buf: usize,
    pub instances: Vec<(String, u8)>,
}

/// One network interface.
#[derive(Clone, Debug)]
#[allow(
    missing_docs,
    reason = "each field is the line of the same name in the dump"
)]
pub struct InterfaceView {
    pub name: String,
    pub index: u32,
    pub ipv4: Option<IpAddr>,
    pub ipv6: Option<IpAddr>,
    pub mac: Option<[u8; 6]>,
    pub state: String,
    pub mtu: u32,
    pub loopback: bool,
    pub tracking: Vec<TrackedNames>,
}

/// Everything the VRRP process can tell.
#[derive(Clone, Debug, Default)]
pub struct VrrpView {
    /// Instances, in the order of the configuration.
    pub instances: Vec<InstanceView>,
    /// Socket pairs.
    pub sockets: Vec<SocketView>,
    /// Tracked scripts.
    pub scripts: Vec<ScriptView>,
    /// Network interfaces.
    pub interfaces: Vec<InterfaceView>,
}

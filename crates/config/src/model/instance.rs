//! One virtual router.

use std::net::IpAddr;
use std::time::Duration;

use rk_base::{Family, Priority, Vrid};
use serde::{Deserialize, Serialize};

use super::{InterfaceAddress, Notify, Origin, Route, Rule, Secret, UnicastPeer};

/// One `vrrp_instance`, resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// The interface of its adverts; `None` only for unicast without an interface.
    pub interface: Option<String>,
    /// `vrf` (unicast without interface).
    pub vrf: Option<String>,
    /// The virtual router identifier.
    pub virtual_router_id: Vrid,
    /// The family of the adverts: that of the first virtual address, `native_ipv6` or the peers.
    pub family: Family,
    /// The protocol version: own, else the one the family or the globals ask for.
    pub version: Version,
    /// `state`, or what the priority makes of it.
    pub state: InitialState,
    /// 255 if `state MASTER` stands without a priority, else 100, when none is given.
    pub priority: Priority,
    /// Advertisement interval; whole seconds in version 2, centiseconds in version 3.
    pub advert_int: Duration,
    /// `virtual_ipaddress` in file order (also the order on the wire).
    pub virtual_ipaddress: Vec<InterfaceAddress>,
    /// `virtual_ipaddress_excluded`, and what did not fit the advert.
    pub virtual_ipaddress_excluded: Vec<InterfaceAddress>,
    /// `no_virtual_ipaddress`: having none is meant.
    pub no_virtual_ipaddress: bool,
    /// `virtual_routes`.
    pub virtual_routes: Vec<Route>,
    /// `virtual_rules`.
    pub virtual_rules: Vec<Rule>,
    /// `authentication` (version 2).
    pub authentication: Authentication,
    /// `mcast_src_ip` or `unicast_src_ip`.
    pub source_address: Option<IpAddr>,
    /// `track_src_ip`: fault while the source address is absent.
    pub track_src_ip: bool,
    /// The group that multicast adverts go to.
    pub multicast_group: IpAddr,
    /// `unicast_peer`; not empty means unicast.
    pub unicast_peers: Vec<UnicastPeer>,
    /// `unicast_fault_no_peer`: fault rather than multicast when no peer is left.
    pub unicast_fault_no_peer: bool,
    /// `unicast_ttl`.
    pub unicast_ttl: Option<u8>,
    /// `check_unicast_src` (own, global, or implied by a peer's TTL limits).
    pub check_unicast_src: bool,
    /// `old_unicast_checksum`.
    pub old_unicast_checksum: OldUnicastChecksum,
    /// `v3_checksum_as_v2`: no pseudo header in the checksum of version 3 over IPv4.
    pub v3_checksum_as_v2: bool,
    /// `nopreempt`.
    pub nopreempt: bool,
    /// `preempt_delay`; zero means none.
    pub preempt_delay: Duration,
    /// Gratuitous ARP and unsolicited NA.
    pub garp: Garp,
    /// `lower_prio_no_advert`.
    pub lower_prio_no_advert: bool,
    /// `higher_prio_send_advert`.
    pub higher_prio_send_advert: bool,
    /// `owner_ignore_adverts`.
    pub owner_ignore_adverts: bool,
    /// `strict_mode`, else `vrrp_strict`.
    pub strict: bool,
    /// Whether packets to the addresses are accepted by a router that is not their owner.
    pub accept: bool,
    /// `down_timer_adverts`: missed adverts before a backup takes over.
    pub down_timer_adverts: u8,
    /// `timer_expired_backup`: a backup whose timer fired late waits as if a router with this
    /// priority took over.
    pub timer_expired_backup: Option<u8>,
    /// `skip_check_adv_addr`.
    pub skip_check_adv_addr: bool,
    /// `dont_track_primary`: the state of its own interface does not matter.
    pub dont_track_primary: bool,
    /// What moves its priority or faults it (own and, in a sync group, the group's).
    pub track: Tracks,
    /// `use_vmac`.
    pub use_vmac: Option<Vmac>,
    /// `use_vmac_addr`.
    pub use_vmac_addr: bool,
    /// `vmac_xmit_base`.
    pub vmac_xmit_base: bool,
    /// `use_ipvlan`.
    pub use_ipvlan: Option<Ipvlan>,
    /// Scripts and mails.
    pub notify: Notify,
    /// `kernel_rx_buf_size` in bytes.
    pub kernel_rx_buf_size: Option<u32>,
    /// `promote_secondaries`.
    pub promote_secondaries: bool,
    /// `linkbeat_use_polling`, the deprecated form.
    pub linkbeat_use_polling: bool,
    /// `lvs_sync_daemon_interface`, the deprecated form.
    pub lvs_sync_daemon_interface: Option<String>,
    /// `debug` level; nothing uses it.
    pub debug: u8,
    /// The name of its sync group.
    pub sync_group: Option<String>,
    /// The line of the `vrrp_instance` keyword.
    pub origin: Origin,
}

impl Instance {
    /// Whether adverts go to peers instead of a group.
    #[must_use]
    pub fn is_unicast(&self) -> bool {
        !self.unicast_peers.is_empty()
    }
}

/// The version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Version {
    /// RFC 3768.
    V2,
    /// RFC 9568.
    V3,
}

impl Version {
    /// 2 or 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

/// The word after `state`. It has no effect on timing; only an owner starts as master.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InitialState {
    /// `MASTER`.
    Master,
    /// `BACKUP`.
    Backup,
}

/// How version 2 adverts are authenticated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Authentication {
    /// Not at all.
    #[default]
    None,
    /// `PASS`: at most 8 bytes in clear, not padded here.
    Pass(Secret),
    /// `AH`: the key, at most 8 bytes, not padded here.
    Ah(Secret),
}

/// Which checksum a unicast version 3 advert carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OldUnicastChecksum {
    /// As the peers seem to want it.
    #[default]
    Auto,
    /// Always the one over the multicast address.
    Always,
    /// Never (`old_unicast_checksum never`).
    Never,
}

/// Gratuitous ARP and unsolicited neighbour advertisement settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Garp {
    /// `garp_master_delay`: until the second burst; zero means none.
    pub master_delay: Duration,
    /// `garp_master_repeat`: messages per address and burst.
    pub master_repeat: u32,
    /// `garp_master_refresh`: period while master; zero means none.
    pub master_refresh: Duration,
    /// `garp_master_refresh_repeat`: messages per address and refresh.
    pub master_refresh_repeat: u32,
    /// `garp_lower_prio_delay`: second burst after a lower-priority advert; zero means none.
    pub lower_prio_delay: Duration,
    /// `garp_lower_prio_repeat`: messages per burst after a lower-priority advert; may be 0.
    pub lower_prio_repeat: u32,
    /// `vrrp_garp_interval` or that of the interface's `garp_group`: between ARP messages.
    pub garp_interval: Duration,
    /// `vrrp_gna_interval` or that of the group: between neighbour advertisements.
    pub gna_interval: Duration,
    /// `garp_extra_if`.
    pub extra_if: Option<ExtraGarp>,
}

/// `garp_extra_if`: repeated announcements on interfaces other than the instance's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraGarp {
    /// The period.
    pub interval: Duration,
    /// `all`: also interfaces that are no VMAC.
    pub all: bool,
}

/// What an instance or a sync group watches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracks {
    /// `track_interface`.
    pub interfaces: Vec<Tracked>,
    /// `track_script`; every name is a [`super::Script`] that may run.
    pub scripts: Vec<Tracked>,
    /// `track_file`.
    pub files: Vec<Tracked>,
    /// `track_process`.
    pub processes: Vec<Tracked>,
    /// `track_bfd`.
    pub bfd: Vec<Tracked>,
}

/// One line of a `track_*` block, with weight and sense resolved from the tracked thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracked {
    /// Which interface, script, file, process or session.
    pub name: String,
    /// By how much; 0 means that its failure is a fault.
    pub weight: i32,
    /// The sense is inverted.
    pub reverse: bool,
    /// Whether the line itself gave the weight.
    pub own_weight: bool,
    /// The line.
    pub origin: Origin,
}

/// `use_vmac`: a macvlan with the virtual MAC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vmac {
    /// Its name, when given.
    pub name: Option<String>,
    /// Its address, when given; with 5 octets the VRID was appended.
    pub mac: Option<[u8; 6]>,
    /// Its interface group.
    pub group: Option<u32>,
    /// `netlink_notify_msg`.
    pub netlink_notify_msg: bool,
}

/// `use_ipvlan`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ipvlan {
    /// Its name, when given.
    pub name: Option<String>,
    /// Its address, also the source address.
    pub address: Option<rk_base::Prefix>,
    /// Its mode.
    pub mode: IpvlanMode,
    /// Its interface group.
    pub group: Option<u32>,
}

/// How an ipvlan treats its siblings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum IpvlanMode {
    /// `bridge`.
    #[default]
    Bridge,
    /// `private`.
    Private,
    /// `vepa`.
    Vepa,
}

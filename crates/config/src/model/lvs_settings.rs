//! The settings of `global_defs` for load balancing alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What `global_defs` says to the checker process beyond its scheduling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LvsSettings {
    /// `lvs_timeouts`.
    pub timeouts: LvsTimeouts,
    /// `nftables_ipvs`: the name of the table that marks the traffic of groups.
    pub nftables_ipvs: Option<String>,
    /// `nftables_ipvs_priority`.
    pub nftables_ipvs_priority: i32,
    /// `nftables_ipvs_start_fwmark`.
    pub nftables_ipvs_start_fwmark: u32,
    /// `checker_log_all_failures`; every [`super::Checker`] has it applied.
    pub checker_log_all_failures: bool,
    /// `checker_share_probes`, an extension: checkers that are configured identically share
    /// one probe of their endpoint, whichever virtual servers they belong to.
    pub checker_share_probes: bool,
    /// `rs_init_notifies`: the first result of a real server notifies too.
    pub rs_init_notifies: bool,
    /// `no_checker_emails`: mails are about real servers, not about each of their checkers.
    pub no_checker_emails: bool,
    /// `snmp_vs_stats_update_interval`.
    pub snmp_vs_stats_update_interval: Duration,
    /// `snmp_rs_stats_update_interval`; `None` means the same as for services.
    pub snmp_rs_stats_update_interval: Option<Duration>,
    /// `lvs_netlink_cmd_rcv_bufs` in bytes.
    pub netlink_cmd_rcv_bufs: Option<u32>,
    /// `lvs_netlink_cmd_rcv_bufs_force`.
    pub netlink_cmd_rcv_bufs_force: bool,
    /// `lvs_netlink_monitor_rcv_bufs` in bytes.
    pub netlink_monitor_rcv_bufs: Option<u32>,
    /// `lvs_netlink_monitor_rcv_bufs_force`.
    pub netlink_monitor_rcv_bufs_force: bool,
}

impl Default for LvsSettings {
    fn default() -> Self {
        Self {
            timeouts: LvsTimeouts::default(),
            nftables_ipvs: None,
            nftables_ipvs_priority: -1,
            nftables_ipvs_start_fwmark: 1000,
            checker_log_all_failures: false,
            checker_share_probes: false,
            rs_init_notifies: false,
            no_checker_emails: false,
            snmp_vs_stats_update_interval: Duration::from_secs(5),
            snmp_rs_stats_update_interval: None,
            netlink_cmd_rcv_bufs: None,
            netlink_cmd_rcv_bufs_force: false,
            netlink_monitor_rcv_bufs: None,
            netlink_monitor_rcv_bufs_force: false,
        }
    }
}

/// `lvs_timeouts`, each in whole seconds; `None` leaves the kernel's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LvsTimeouts {
    /// `tcp`: established connections.
    pub tcp: Option<Duration>,
    /// `tcpfin`: connections that are closing.
    pub tcpfin: Option<Duration>,
    /// `udp`.
    pub udp: Option<Duration>,
}

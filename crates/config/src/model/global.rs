//! `global_defs` and the settings of the top level.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Command, LvsSettings, Origin, RunAs, Version};
use crate::model::instance::ExtraGarp;

/// The daemon's own settings. Instance defaults are kept too, although every
/// [`super::Instance`] has them applied: dumps show them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Global {
    /// `instance` (top level): part of pid file names and log idents.
    pub instance: Option<String>,
    /// `net_namespace` (top level).
    pub net_namespace: Option<String>,
    /// `net_namespace_ipvs`: `Some(None)` is the default namespace.
    pub net_namespace_ipvs: Option<Option<String>>,
    /// `namespace_with_ipsets`.
    pub namespace_with_ipsets: bool,
    /// `use_pid_dir`.
    pub use_pid_dir: bool,
    /// `child_wait_time`: how long the parent waits for its children at the end.
    pub child_wait_time: Duration,
    /// `linkbeat_use_polling` (top level).
    pub linkbeat_use_polling: bool,
    /// `router_id`; the daemon takes the host name when there is none.
    pub router_id: Option<String>,
    /// Mail.
    pub mail: Mail,
    /// `process_names`: children get names of their own.
    pub process_names: bool,
    /// `process_name` of the parent.
    pub process_name: Option<String>,
    /// Scheduling of the VRRP process.
    pub vrrp_process: Process,
    /// Scheduling of the checker process.
    pub checker_process: Process,
    /// Scheduling of the BFD process.
    pub bfd_process: Process,
    /// `max_auto_priority`: ceiling of automatic realtime priority; -1 only silences the hint.
    pub max_auto_priority: Option<i32>,
    /// `min_auto_priority_delay`.
    pub min_auto_priority_delay: Duration,
    /// `script_user`; `None` leaves the choice to the rule for each script.
    pub script_user: Option<RunAs>,
    /// `enable_script_security`.
    pub enable_script_security: bool,
    /// `use_symlink_paths`.
    pub use_symlink_paths: bool,
    /// `set_supplementary_groups`.
    pub set_supplementary_groups: bool,
    /// `startup_script`.
    pub startup_script: Option<Command>,
    /// `startup_script_timeout`.
    pub startup_script_timeout: Duration,
    /// `shutdown_script`.
    pub shutdown_script: Option<Command>,
    /// `shutdown_script_timeout`.
    pub shutdown_script_timeout: Duration,
    /// `notify_fifo` with its script.
    pub notify_fifo: Option<NotifyFifo>,
    /// `vrrp_notify_fifo` with its script.
    pub vrrp_notify_fifo: Option<NotifyFifo>,
    /// `lvs_notify_fifo` with its script.
    pub lvs_notify_fifo: Option<NotifyFifo>,
    /// `fifo_write_vrrp_states_on_reload`.
    pub fifo_write_vrrp_states_on_reload: bool,
    /// `dynamic_interfaces`.
    pub dynamic_interfaces: DynamicInterfaces,
    /// `default_interface`: for static addresses without `dev`.
    pub default_interface: String,
    /// `disable_local_igmp`.
    pub disable_local_igmp: bool,
    /// `vrrp_mcast_group4`.
    pub vrrp_mcast_group4: Ipv4Addr,
    /// `vrrp_mcast_group6`.
    pub vrrp_mcast_group6: Ipv6Addr,
    /// `vrrp_version`, when given.
    pub vrrp_version: Option<Version>,
    /// `vrrp_startup_delay`; zero means none.
    pub vrrp_startup_delay: Duration,
    /// `vrrp_delay_after_boot`; zero means none.
    pub vrrp_delay_after_boot: Duration,
    /// `vrrp_garp_interval`; zero means none.
    pub vrrp_garp_interval: Duration,
    /// `vrrp_gna_interval`; zero means none.
    pub vrrp_gna_interval: Duration,
    /// `vrrp_garp_extra_if`.
    pub vrrp_garp_extra_if: Option<ExtraGarp>,
    /// `vrrp_strict`.
    pub vrrp_strict: bool,
    /// `vrrp_iptables`.
    pub vrrp_iptables: Option<Iptables>,
    /// `vrrp_ipsets`, as written.
    pub vrrp_ipsets: Option<Vec<String>>,
    /// `nftables`: the name of the table.
    pub nftables: Option<String>,
    /// `nftables_priority`.
    pub nftables_priority: i32,
    /// `nftables_ifindex`.
    pub nftables_ifindex: bool,
    /// `nftables_counters`.
    pub nftables_counters: bool,
    /// `vmac_prefix`.
    pub vmac_prefix: String,
    /// `vmac_addr_prefix`.
    pub vmac_addr_prefix: String,
    /// `log_unknown_vrids`.
    pub log_unknown_vrids: bool,
    /// `vrrp_netlink_cmd_rcv_bufs` in bytes.
    pub vrrp_netlink_cmd_rcv_bufs: Option<u32>,
    /// `vrrp_netlink_cmd_rcv_bufs_force`.
    pub vrrp_netlink_cmd_rcv_bufs_force: bool,
    /// `vrrp_netlink_monitor_rcv_bufs` in bytes.
    pub vrrp_netlink_monitor_rcv_bufs: Option<u32>,
    /// `vrrp_netlink_monitor_rcv_bufs_force`.
    pub vrrp_netlink_monitor_rcv_bufs_force: bool,
    /// `vrrp_rx_bufs_policy`.
    pub vrrp_rx_bufs_policy: Option<RxBufs>,
    /// `vrrp_rx_bufs_multiplier`.
    pub vrrp_rx_bufs_multiplier: u32,
    /// SNMP switches.
    pub snmp: Snmp,
    /// `enable_dbus`.
    pub enable_dbus: bool,
    /// `dbus_service_name`.
    pub dbus_service_name: Option<String>,
    /// `lvs_flush`.
    pub lvs_flush: bool,
    /// `lvs_flush_on_stop`.
    pub lvs_flush_on_stop: LvsFlush,
    /// `lvs_sync_daemon`.
    pub lvs_sync_daemon: Option<LvsSyncDaemon>,
    /// Everything else that is about load balancing.
    pub lvs: LvsSettings,
    /// `umask`, when given.
    pub umask: Option<u32>,
    /// `random_seed`.
    pub random_seed: Option<u32>,
    /// `reload_check_config`: `Some(None)` throws the messages away.
    pub reload_check_config: Option<Option<String>>,
    /// `reload_time_file`.
    pub reload_time_file: Option<String>,
    /// `reload_repeat`.
    pub reload_repeat: bool,
    /// `reload_file`: `Some(None)` is the default place.
    pub reload_file: Option<Option<String>>,
    /// `config_save_dir`.
    pub config_save_dir: Option<String>,
    /// `tmp_config_directory`.
    pub tmp_config_directory: Option<String>,
    /// `data_use_instance`.
    pub data_use_instance: bool,
    /// `json_version`.
    pub json_version: u8,
    /// `state_dump_file`.
    pub state_dump_file: Option<String>,
    /// `stats_dump_file`.
    pub stats_dump_file: Option<String>,
    /// `json_dump_file`.
    pub json_dump_file: Option<String>,
    /// `iproute_usr_dir`.
    pub iproute_usr_dir: Option<String>,
    /// `iproute_etc_dir`.
    pub iproute_etc_dir: Option<String>,
    /// Every other setting that was given and that no process here reads yet: keyword and words.
    pub rest: BTreeMap<String, Vec<String>>,
}

impl Default for Global {
    fn default() -> Self {
        Self {
            instance: None,
            net_namespace: None,
            net_namespace_ipvs: None,
            namespace_with_ipsets: false,
            use_pid_dir: false,
            child_wait_time: Duration::from_secs(5),
            linkbeat_use_polling: false,
            router_id: None,
            mail: Mail::default(),
            process_names: false,
            process_name: None,
            vrrp_process: Process::default(),
            checker_process: Process::default(),
            bfd_process: Process::default(),
            max_auto_priority: None,
            min_auto_priority_delay: Duration::from_secs(1),
            script_user: None,
            enable_script_security: false,
            use_symlink_paths: false,
            set_supplementary_groups: false,
            startup_script: None,
            startup_script_timeout: Duration::from_secs(10),
            shutdown_script: None,
            shutdown_script_timeout: Duration::from_secs(10),
            notify_fifo: None,
            vrrp_notify_fifo: None,
            lvs_notify_fifo: None,
            fifo_write_vrrp_states_on_reload: false,
            dynamic_interfaces: DynamicInterfaces::Off,
            default_interface: "eth0".into(),
            disable_local_igmp: false,
            vrrp_mcast_group4: Ipv4Addr::new(224, 0, 0, 18),
            vrrp_mcast_group6: Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12),
            vrrp_version: None,
            vrrp_startup_delay: Duration::ZERO,
            vrrp_delay_after_boot: Duration::ZERO,
            vrrp_garp_interval: Duration::ZERO,
            vrrp_gna_interval: Duration::ZERO,
            vrrp_garp_extra_if: None,
            vrrp_strict: false,
            vrrp_iptables: None,
            vrrp_ipsets: None,
            nftables: None,
            nftables_priority: -1,
            nftables_ifindex: false,
            nftables_counters: false,
            vmac_prefix: "vrrp".into(),
            vmac_addr_prefix: "vrrp".into(),
            log_unknown_vrids: false,
            vrrp_netlink_cmd_rcv_bufs: None,
            vrrp_netlink_cmd_rcv_bufs_force: false,
            vrrp_netlink_monitor_rcv_bufs: None,
            vrrp_netlink_monitor_rcv_bufs_force: false,
            vrrp_rx_bufs_policy: None,
            vrrp_rx_bufs_multiplier: 3,
            snmp: Snmp::default(),
            enable_dbus: false,
            dbus_service_name: None,
            lvs_flush: false,
            lvs_flush_on_stop: LvsFlush::No,
            lvs_sync_daemon: None,
            lvs: LvsSettings::default(),
            umask: None,
            random_seed: None,
            reload_check_config: None,
            reload_time_file: None,
            reload_repeat: false,
            reload_file: None,
            config_save_dir: None,
            tmp_config_directory: None,
            data_use_instance: false,
            json_version: 1,
            state_dump_file: None,
            stats_dump_file: None,
            json_dump_file: None,
            iproute_usr_dir: None,
            iproute_etc_dir: None,
            rest: BTreeMap::new(),
        }
    }
}

/// How alert mails are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// `notification_email`, each as written (`a@b` or `Name <a@b>`).
    pub notification_email: Vec<String>,
    /// `notification_email_from`; the daemon makes `user@host` when there is none.
    pub notification_email_from: Option<String>,
    /// `smtp_server`: address or host name, as written.
    pub smtp_server: Option<String>,
    /// The port of `smtp_server`.
    pub smtp_port: u16,
    /// `smtp_helo_name`; the daemon takes the host name when there is none.
    pub smtp_helo_name: Option<String>,
    /// `smtp_connect_timeout`: for connecting and for each answer.
    pub smtp_connect_timeout: Duration,
    /// `smtp_alert`, when given.
    pub smtp_alert: Option<bool>,
    /// `smtp_alert_vrrp`, when given.
    pub smtp_alert_vrrp: Option<bool>,
    /// `smtp_alert_checker`, when given.
    pub smtp_alert_checker: Option<bool>,
    /// `no_email_faults`: no mail about FAULT.
    pub no_email_faults: bool,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            notification_email: Vec::new(),
            notification_email_from: None,
            smtp_server: None,
            smtp_port: 25,
            smtp_helo_name: None,
            smtp_connect_timeout: Duration::from_secs(30),
            smtp_alert: None,
            smtp_alert_vrrp: None,
            smtp_alert_checker: None,
            no_email_faults: false,
        }
    }
}

/// Name and scheduling of a child process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// `*_process_name`.
    pub name: Option<String>,
    /// `*_priority`: nice value.
    pub priority: Option<i32>,
    /// `*_no_swap`.
    pub no_swap: bool,
    /// `*_rt_priority`.
    pub rt_priority: Option<u8>,
    /// `*_cpu_affinity`; empty means all.
    pub cpu_affinity: Vec<u32>,
    /// `*_rlimit_rttime` in microseconds.
    pub rlimit_rttime: Option<u32>,
}

/// `dynamic_interfaces`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DynamicInterfaces {
    /// Every interface must exist at start.
    #[default]
    Off,
    /// Interfaces may come later.
    On,
    /// And may change their type (`allow_if_changes`).
    AllowIfChanges,
}

/// A named pipe for state changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyFifo {
    /// Its path; empty when only a script was given.
    pub path: String,
    /// Its owner.
    pub owner: Option<RunAs>,
    /// The program that reads it.
    pub script: Option<Command>,
    /// The line.
    pub origin: Origin,
}

/// `vrrp_iptables`: chain names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Iptables {
    /// For packets coming in.
    pub input: String,
    /// For packets going out.
    pub output: Option<String>,
}

/// `vrrp_rx_bufs_policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RxBufs {
    /// `MTU`: a multiple of the interface's MTU.
    Mtu,
    /// `ADVERT`: a multiple of the advert's size.
    Advert,
    /// So many bytes.
    Bytes(u32),
}

/// What SNMP serves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snmp {
    /// `snmp_socket`.
    pub socket: Option<String>,
    /// `enable_traps`.
    pub traps: bool,
    /// `enable_snmp_vrrp`.
    pub vrrp: bool,
    /// `enable_snmp_rfcv2`, or `enable_snmp_rfc`.
    pub rfcv2: bool,
    /// `enable_snmp_rfcv3`, or `enable_snmp_rfc`.
    pub rfcv3: bool,
    /// `enable_snmp_checker`.
    pub checker: bool,
}

/// `lvs_flush_on_stop`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LvsFlush {
    /// Nothing is flushed.
    #[default]
    No,
    /// Everything.
    All,
    /// Own services (`VS`).
    OwnServices,
}

/// `lvs_sync_daemon`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LvsSyncDaemon {
    /// The interface.
    pub interface: String,
    /// The instance whose state decides master or backup.
    pub inst: Option<String>,
    /// Sync id; the VRID or 0 when not given.
    pub id: Option<u8>,
    /// Largest packet.
    pub maxlen: Option<u16>,
    /// UDP port.
    pub port: Option<u16>,
    /// Multicast TTL.
    pub ttl: Option<u8>,
    /// Multicast group.
    pub group: Option<IpAddr>,
    /// The line.
    pub origin: Origin,
}

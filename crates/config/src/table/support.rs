//! Which keywords something acts upon.

use super::{BFD, Context, Keyword};

/// Keywords that are read and checked but change nothing yet.
///
/// A block that stands here speaks for everything inside it.
const NOT_YET: &[(Context, &[&str])] = &[
    (
        Context::Top,
        &[
            "linkbeat_use_polling",
            "namespace_with_ipsets",
            "track_group",
            "static_ipaddress",
            "static_routes",
            "static_rules",
            "linkbeat_interfaces",
            "interface_up_down_delays",
            "vrrp_track_process",
        ],
    ),
    (
        Context::GlobalDefs,
        &[
            "startup_script",
            "startup_script_timeout",
            "shutdown_script",
            "shutdown_script_timeout",
            "use_symlink_paths",
            "max_auto_priority",
            "min_auto_priority_delay",
            "disable_local_igmp",
            "vrrp_delay_after_boot",
            "vrrp_netlink_cmd_rcv_bufs",
            "vrrp_netlink_cmd_rcv_bufs_force",
            "vrrp_netlink_monitor_rcv_bufs",
            "vrrp_netlink_monitor_rcv_bufs_force",
            "vrrp_rx_bufs_policy",
            "vrrp_rx_bufs_multiplier",
            "tmp_config_directory",
            "iproute_usr_dir",
            "iproute_etc_dir",
            "vrrp_garp_extra_if",
            "vrrp_vmac_garp_intvl",
            "vrrp_ipsets",
            "nftables_ifindex",
            "fifo_write_vrrp_states_on_reload",
            "snmp_socket",
            "enable_traps",
            "enable_snmp_vrrp",
            "enable_snmp_keepalived",
            "enable_snmp_rfc",
            "enable_snmp_rfcv2",
            "enable_snmp_rfcv3",
            "enable_dbus",
            "dbus_service_name",
            "dbus_no_interface_name",
            "process_monitor_rcv_bufs",
            "process_monitor_rcv_bufs_force",
            "vmac_prefix",
            "vmac_addr_prefix",
            "reload_check_config",
            "reload_time_file",
            "reload_repeat",
            "reload_file",
            "config_save_dir",
            "json_version",
            "enable_snmp_checker",
            "snmp_vs_stats_update_interval",
            "snmp_rs_stats_update_interval",
        ],
    ),
    (Context::VirtualServer, &["snmp_name"]),
    (Context::RealServer, &["snmp_name", "BFD_CHECK"]),
    (
        Context::VrrpInstance,
        &[
            "unicast_fault_no_peer",
            "track_src_ip",
            "use_vmac",
            "use_vmac_addr",
            "vmac_xmit_base",
            "use_ipvlan",
            "vrf",
            "track_file",
            "track_process",
            "track_bfd",
            "promote_secondaries",
            "linkbeat_use_polling",
            "virtual_routes",
            "virtual_rules",
            "timer_expired_backup",
            "thread_timer_expired",
            "garp_extra_if",
            "vmac_garp_intvl",
            "auth_hmac",
        ],
    ),
    (
        Context::VrrpSyncGroup,
        &[
            "track_file",
            "track_process",
            "track_bfd",
            "notify_priority_changes",
        ],
    ),
];

impl Keyword {
    /// Whether anything acts upon this keyword where it stands.
    #[must_use]
    pub fn supported(&self, context: Context) -> bool {
        let foreign = BFD.contains(self.process) || self.name == "bfd_instance";
        let listed = NOT_YET
            .iter()
            .any(|(c, names)| *c == context && names.contains(&self.name));
        !foreign && !listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_keywords() {
        for (context, names) in NOT_YET {
            for (n, name) in names.iter().enumerate() {
                assert!(context.find(name).is_some(), "{} {name}", context.name());
                assert!(
                    !names[..n].contains(name),
                    "{} {name} twice",
                    context.name()
                );
            }
        }
    }

    #[test]
    fn what_is_there_and_what_is_not_yet() {
        for (context, name, supported) in [
            (Context::Top, "virtual_server", true),
            (Context::Top, "bfd_instance", false),
            (Context::GlobalDefs, "checker_process_name", true),
            (Context::GlobalDefs, "router_id", true),
            (Context::GlobalDefs, "state_dump_file", true),
            (Context::GlobalDefs, "stats_dump_file", true),
            (Context::GlobalDefs, "json_dump_file", true),
            (Context::GlobalDefs, "data_use_instance", true),
            (Context::VrrpInstance, "priority", true),
            (Context::VrrpInstance, "virtual_routes", false),
        ] {
            assert_eq!(
                context.find(name).unwrap().supported(context),
                supported,
                "{name}"
            );
        }
    }
}

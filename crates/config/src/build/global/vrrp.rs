//! Settings of VRRP as a whole, and defaults of instances.

use std::net::IpAddr;

use super::version;
use crate::build::Build;
use crate::build::check::{self, Val};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{Iptables, RxBufs};
use crate::table::{Keyword, Value};
use crate::tree::Statement;

impl Build<'_> {
    /// Defaults of instances.
    pub(super) fn vrrp_setting(
        &mut self,
        name: &str,
        keyword: &'static Keyword,
        statement: &Statement,
        value: &Val,
    ) -> bool {
        let flag = value.on();
        let time = value.duration().unwrap_or_default();
        let (global, raw) = (&mut self.config.global, &mut self.globals);
        if let Some(rest) = name.strip_prefix("vrrp_")
            && raw.garp.set(rest, Some(value))
        {
            return true;
        }
        match (name, value) {
            ("vrrp_mcast_group4", Val::Address(IpAddr::V4(ip))) => global.vrrp_mcast_group4 = *ip,
            ("vrrp_mcast_group6", Val::Address(IpAddr::V6(ip))) => {
                global.vrrp_mcast_group6 = *ip;
                if ip.segments()[0] & 0x000f != 0x0002 {
                    let text = "vrrp_mcast_group6 is not link-local; RFC 9568 asks for ff02::12";
                    let d = Diagnostic::note(code::SETTING, text);
                    self.session.report.push(statement.point(d, 1));
                }
            }
            ("vrrp_version", _) => global.vrrp_version = version(value),
            ("vrrp_down_timer_adverts", _) => raw.down_timer_adverts = value.int(),
            ("vrrp_garp_interval", _) => global.vrrp_garp_interval = time,
            ("vrrp_gna_interval", _) => global.vrrp_gna_interval = time,
            ("vrrp_min_garp", _) => raw.min_garp = flag,
            ("vrrp_garp_extra_if" | "vrrp_vmac_garp_intvl", _) => {
                if let Some(extra) = self.extra_garp(statement, 1) {
                    self.config.global.vrrp_garp_extra_if = Some(extra);
                    self.globals.garp.extra_if = Some(extra);
                }
            }
            ("vrrp_lower_prio_no_advert", _) => raw.lower_prio_no_advert = Some(flag),
            ("vrrp_higher_prio_send_advert", _) => raw.higher_prio_send_advert = Some(flag),
            ("vrrp_check_unicast_src", _) => raw.check_unicast_src = true,
            ("vrrp_skip_check_adv_addr", _) => raw.skip_check_adv_addr = flag,
            ("vrrp_strict", _) => global.vrrp_strict = flag,
            ("vrrp_owner_ignore_adverts", _) => raw.owner_ignore_adverts = flag,
            ("v3_checksum_as_v2", _) => raw.v3_checksum_as_v2 = true,
            ("vrrp_notify_priority_changes", _) => raw.notify_priority_changes = flag,
            ("vrrp_startup_delay", _) => global.vrrp_startup_delay = time,
            ("vrrp_delay_after_boot", _) => global.vrrp_delay_after_boot = time,
            ("vrrp_iptables", _) => {
                let text = "iptables not supported, using nftables instead. \
                            Please replace 'vrrp_iptables' with 'nftables' config option";
                let d = Diagnostic::error(code::FIREWALL, Class::General, text);
                self.session.report.push(statement.point(d, 0));
                let input = statement.word(1).unwrap_or("INPUT").to_owned();
                let output = statement.word(2).map(str::to_owned);
                self.config.global.vrrp_iptables = Some(Iptables { input, output });
                self.config
                    .global
                    .nftables
                    .get_or_insert_with(|| "keepalived".into());
            }
            ("vrrp_ipsets", _) => {
                let text = "Unknown keyword 'vrrp_ipsets'";
                let d = Diagnostic::error(code::FIREWALL, Class::UnknownKeyword, text)
                    .help("ipsets only go with iptables; nftables needs none");
                self.session.report.push(statement.point(d, 0));
                let sets = statement
                    .args()
                    .iter()
                    .map(|w| w.text.to_string())
                    .collect();
                self.config.global.vrrp_ipsets = Some(sets);
            }
            ("nftables", _) => {
                if global.nftables.is_some() {
                    let text = format!("{} already specified - ignoring", keyword.name);
                    self.report_at(code::REPEATED, Class::General, text, statement, 0);
                } else {
                    let table = value.clone().text().unwrap_or_else(|| "keepalived".into());
                    global.nftables = Some(table);
                }
            }
            ("nftables_priority", _) => global.nftables_priority = value.int().unwrap_or(-1),
            ("nftables_ifindex", _) => global.nftables_ifindex = true,
            ("nftables_counters", _) => global.nftables_counters = true,
            ("vrrp_netlink_cmd_rcv_bufs", _) => global.vrrp_netlink_cmd_rcv_bufs = value.int(),
            ("vrrp_netlink_cmd_rcv_bufs_force", _) => {
                global.vrrp_netlink_cmd_rcv_bufs_force = flag;
            }
            ("vrrp_netlink_monitor_rcv_bufs", _) => {
                global.vrrp_netlink_monitor_rcv_bufs = value.int();
            }
            ("vrrp_netlink_monitor_rcv_bufs_force", _) => {
                global.vrrp_netlink_monitor_rcv_bufs_force = flag;
            }
            ("vrrp_rx_bufs_policy", _) => self.rx_bufs(statement),
            ("vrrp_rx_bufs_multiplier", _) if statement.words().len() > 2 => {
                let text = "vrrp_rx_bufs_multiplier takes one word - ignoring";
                self.report_at(code::EXTRA_WORDS, Class::General, text, statement, 2);
            }
            ("vrrp_rx_bufs_multiplier", _) => {
                global.vrrp_rx_bufs_multiplier = value.int().unwrap_or(3);
            }
            ("log_unknown_vrids", _) => global.log_unknown_vrids = true,
            _ => return false,
        }
        true
    }

    fn rx_bufs(&mut self, statement: &Statement) {
        for n in 1..statement.words().len() {
            let word = statement.word(n).unwrap_or("");
            let policy = if word.eq_ignore_ascii_case("MTU") {
                RxBufs::Mtu
            } else if word.eq_ignore_ascii_case("ADVERT") {
                RxBufs::Advert
            } else {
                let sizes = Value::Int {
                    min: 0,
                    max: u64::from(u32::MAX),
                    any_base: false,
                };
                match check::word(sizes, statement, n, self.lenient, &mut self.session.report) {
                    Some(value) => RxBufs::Bytes(value.int().unwrap_or(0)),
                    None => continue,
                }
            };
            let held = self.config.global.vrrp_rx_bufs_policy;
            let rank = |p: RxBufs| match p {
                RxBufs::Advert => 0,
                RxBufs::Mtu => 1,
                RxBufs::Bytes(_) => 2,
            };
            if let Some(held) = held.filter(|h| *h != policy) {
                let text = "vrrp_rx_bufs_policy is given in two ways";
                self.report_at(code::REPEATED, Class::General, text, statement, n);
                if rank(held) > rank(policy) {
                    continue;
                }
            }
            self.config.global.vrrp_rx_bufs_policy = Some(policy);
        }
    }
}

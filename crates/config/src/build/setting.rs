//! The settings of `global_defs` that are neither mail, scripts nor defaults of instances.

use std::time::Duration;

use super::check::{self, Val};
use super::{Build, Stop};
use crate::code;
use crate::diagnostic::Class;
use crate::model::{DynamicInterfaces, LvsFlush, LvsSyncDaemon};
use crate::table::{Context, Keyword};
use crate::tree::Statement;

impl Build<'_> {
    pub(super) fn other_setting(
        &mut self,
        name: &str,
        keyword: &'static Keyword,
        statement: &Statement,
        value: &Val,
    ) -> Result<(), Stop> {
        if name == "reload_time_file" && statement.words().len() > 2 {
            let text = "reload_time_file takes one word - ignoring";
            self.report_at(code::EXTRA_WORDS, Class::General, text, statement, 2);
            return Ok(());
        }
        let flag = value.on();
        let time = value.duration();
        let text = statement.word(1).map(str::to_owned);
        let global = &mut self.config.global;
        match name {
            "process_names" => global.process_names = true,
            "router_id" => global.router_id = text,
            "max_auto_priority" => {
                global.max_auto_priority = Some(value.int().unwrap_or(99));
            }
            "min_auto_priority_delay" => {
                let micros = value.int::<u64>().unwrap_or(1_000_000);
                global.min_auto_priority_delay = Duration::from_micros(micros);
            }
            "startup_script_timeout" => global.startup_script_timeout = time.unwrap_or_default(),
            "shutdown_script_timeout" => global.shutdown_script_timeout = time.unwrap_or_default(),
            "dynamic_interfaces" => {
                global.dynamic_interfaces = DynamicInterfaces::On;
                if text.is_some() {
                    global.dynamic_interfaces = DynamicInterfaces::AllowIfChanges;
                }
            }
            "default_interface" => global.default_interface = text.unwrap_or_default(),
            "disable_local_igmp" => global.disable_local_igmp = true,
            "lvs_timeouts" => self.lvs_timeouts(statement)?,
            "lvs_flush" => global.lvs_flush = true,
            "lvs_flush_on_stop" => {
                let own = text.as_deref() == Some("VS");
                global.lvs_flush_on_stop = if own {
                    LvsFlush::OwnServices
                } else {
                    LvsFlush::All
                };
            }
            "lvs_sync_daemon" => self.lvs_sync_daemon(statement)?,
            "fifo_write_vrrp_states_on_reload" => global.fifo_write_vrrp_states_on_reload = true,
            "snmp_socket" => {
                if statement.words().len() > 2 {
                    let text = "snmp_socket takes one address - ignoring";
                    self.report_at(code::EXTRA_WORDS, Class::General, text, statement, 2);
                } else if global.snmp.socket.is_some() {
                    let text = "snmp_socket already specified - ignoring";
                    self.report_at(code::REPEATED, Class::General, text, statement, 0);
                } else {
                    global.snmp.socket = text;
                }
            }
            "enable_traps" => global.snmp.traps = true,
            "enable_snmp_vrrp" => global.snmp.vrrp = true,
            "enable_snmp_rfc" => (global.snmp.rfcv2, global.snmp.rfcv3) = (true, true),
            "enable_snmp_rfcv2" => global.snmp.rfcv2 = true,
            "enable_snmp_rfcv3" => global.snmp.rfcv3 = true,
            "enable_snmp_checker" => global.snmp.checker = true,
            "enable_dbus" => global.enable_dbus = true,
            "dbus_service_name" => global.dbus_service_name = text,
            "vmac_prefix" | "vmac_addr_prefix" => {
                let slot = if name == "vmac_prefix" {
                    &mut global.vmac_prefix
                } else {
                    &mut global.vmac_addr_prefix
                };
                let seen = *slot != "vrrp";
                if !seen {
                    *slot = text.unwrap_or_default();
                }
                self.repeated(keyword, seen, statement);
            }
            "umask" => match umask(&joined(statement)) {
                Some(mask) => self.config.global.umask = Some(mask),
                None => {
                    let text = "umask is no number up to 0777 and no list of permission bits";
                    self.report_at(code::OUT_OF_RANGE, Class::BadNumber, text, statement, 1);
                }
            },
            "random_seed" => global.random_seed = value.int(),
            "reload_check_config" => global.reload_check_config = Some(text),
            "reload_time_file" => global.reload_time_file = text,
            "reload_repeat" => global.reload_repeat = true,
            "reload_file" => global.reload_file = Some(text),
            "config_save_dir" => {
                let dir = text.unwrap_or_default();
                // The directory is made when it is needed; its parent must be there.
                let parent = dir
                    .trim_end_matches('/')
                    .rsplit_once('/')
                    .map_or(".", |(p, _)| p);
                let parent = if parent.is_empty() { "/" } else { parent };
                let there = self.host.stat(&dir).is_some();
                if self.host.is_dir(&dir) || !there && self.host.is_dir(parent) {
                    self.config.global.config_save_dir = Some(dir);
                } else {
                    let text = format!("config_save_dir {dir} cannot be used - ignoring");
                    self.report_at(code::NO_PATH, Class::General, text, statement, 1);
                }
            }
            "tmp_config_directory" if global.tmp_config_directory.is_some() => {
                let text = "tmp_config_directory already specified - ignoring";
                self.report_at(code::REPEATED, Class::General, text, statement, 0);
            }
            "tmp_config_directory" => global.tmp_config_directory = text,
            "data_use_instance" => global.data_use_instance = flag,
            "json_version" => global.json_version = value.int().unwrap_or(1),
            "iproute_usr_dir" => global.iproute_usr_dir = text,
            "iproute_etc_dir" => global.iproute_etc_dir = text,
            "state_dump_file" => global.state_dump_file = text,
            "stats_dump_file" => global.stats_dump_file = text,
            "json_dump_file" => global.json_dump_file = text,
            // The reader has used it already.
            "include_check" => {}
            other => {
                if self.lvs_setting(other, statement, value) {
                    return Ok(());
                }
                let words = statement
                    .args()
                    .iter()
                    .map(|w| w.text.to_string())
                    .collect();
                self.config.global.rest.insert(other.to_owned(), words);
            }
        }
        Ok(())
    }

    /// The settings of the checker process; `false` if the keyword is none of them.
    fn lvs_setting(&mut self, name: &str, statement: &Statement, value: &Val) -> bool {
        let lvs = &mut self.config.global.lvs;
        let flag = value.on();
        match name {
            "nftables_ipvs" if lvs.nftables_ipvs.is_some() => {
                let text = "ipvs nftables already specified - ignoring";
                self.report_at(code::REPEATED, Class::General, text, statement, 0);
            }
            "nftables_ipvs" => {
                let table = value.clone().text();
                lvs.nftables_ipvs = Some(table.unwrap_or_else(|| "keepalived_ipvs".into()));
            }
            "nftables_ipvs_priority" => lvs.nftables_ipvs_priority = value.int().unwrap_or(-1),
            "nftables_ipvs_start_fwmark" => {
                lvs.nftables_ipvs_start_fwmark = value.int().unwrap_or(1000);
            }
            "checker_log_all_failures" => lvs.checker_log_all_failures = flag,
            "checker_share_probes" => lvs.checker_share_probes = flag,
            "rs_init_notifies" => lvs.rs_init_notifies = flag,
            "no_checker_emails" => lvs.no_checker_emails = flag,
            "snmp_vs_stats_update_interval" => {
                if let Some(time) = value.duration() {
                    lvs.snmp_vs_stats_update_interval = time;
                }
            }
            "snmp_rs_stats_update_interval" => {
                lvs.snmp_rs_stats_update_interval = value.duration();
            }
            "lvs_netlink_cmd_rcv_bufs" => lvs.netlink_cmd_rcv_bufs = size(value),
            "lvs_netlink_cmd_rcv_bufs_force" => lvs.netlink_cmd_rcv_bufs_force = flag,
            "lvs_netlink_monitor_rcv_bufs" => lvs.netlink_monitor_rcv_bufs = size(value),
            "lvs_netlink_monitor_rcv_bufs_force" => lvs.netlink_monitor_rcv_bufs_force = flag,
            _ => return false,
        }
        true
    }

    fn lvs_timeouts(&mut self, statement: &Statement) -> Result<(), Stop> {
        self.pairs(statement, 1, Context::LvsTimeouts)?;
        let words = statement.args();
        for (n, word) in words.iter().enumerate() {
            let Some(keyword) = Context::LvsTimeouts.find(&word.text) else {
                continue;
            };
            let crate::table::Args::One(crate::table::Value::Int { min, max, .. }) = keyword.args
            else {
                continue;
            };
            let value = words.get(n + 1).map_or("", |w| &w.text);
            let Ok(seconds) = check::integer(value, min, max, false, self.lenient) else {
                continue;
            };
            let time = u64::try_from(seconds).ok().map(Duration::from_secs);
            let timeouts = &mut self.config.global.lvs.timeouts;
            match keyword.name {
                "tcp" => timeouts.tcp = time,
                "tcpfin" => timeouts.tcpfin = time,
                _ => timeouts.udp = time,
            }
        }
        Ok(())
    }

    /// Pairs of keyword and value from word `n` on, all from `context`.
    pub(super) fn pairs(
        &mut self,
        statement: &Statement,
        mut n: usize,
        context: Context,
    ) -> Result<(), Stop> {
        while let Some(word) = statement.word(n) {
            let Some(keyword) = context.find(word) else {
                let text = format!(
                    "Unknown option {word} specified for {}",
                    statement.keyword()
                );
                self.report_at(code::UNKNOWN_WORD, Class::General, text, statement, n);
                n += 1;
                continue;
            };
            if statement.word(n + 1).is_none() {
                if keyword.missing == crate::table::Missing::Stops {
                    return Err(check::stop(statement, n + 1, None, self.report()));
                }
                let text = format!("{word} needs a value");
                self.report_at(code::VALUE_MISSING, Class::General, text, statement, n);
                return Ok(());
            }
            if let crate::table::Args::One(value) = keyword.args {
                check::word(
                    value,
                    statement,
                    n + 1,
                    self.lenient,
                    &mut self.session.report,
                );
            }
            n += 2;
        }
        Ok(())
    }

    fn lvs_sync_daemon(&mut self, statement: &Statement) -> Result<(), Stop> {
        let interface = statement.word(1).unwrap_or("").to_owned();
        if interface.len() > 15 {
            let text = format!("lvs_sync_daemon interface name '{interface}' too long - ignoring");
            self.report_at(code::OUT_OF_RANGE, Class::General, text, statement, 1);
            return Ok(());
        }
        let mut daemon = LvsSyncDaemon {
            interface,
            inst: None,
            id: None,
            maxlen: None,
            port: None,
            ttl: None,
            group: None,
            origin: self.origin(statement),
        };
        let mut n = 2;
        // The old form names the instance without a keyword.
        if let Some(word) = statement
            .word(2)
            .filter(|w| Context::LvsSyncDaemon.find(w).is_none())
        {
            daemon.inst = Some(word.to_owned());
            n = 3;
            let id = statement
                .word(3)
                .filter(|w| Context::LvsSyncDaemon.find(w).is_none());
            if let Some(id) = id {
                let text = format!("a bare sync id ({id}) is an old form - write id {id}");
                self.warn_at(code::OLD_SPELLING, Class::Deprecated, text, statement, 3);
                daemon.id = id.parse().ok();
                n = 4;
            }
        }
        if let Some(first) = &self.config.global.lvs_sync_daemon {
            let text = format!(
                "lvs_sync_daemon has already been specified as {} - ignoring",
                first.interface
            );
            self.report_at(code::REPEATED, Class::General, text, statement, 0);
            return Ok(());
        }
        let again = (n..statement.words().len()).find(|n| statement.word(*n) == Some("inst"));
        if let (Some(inst), Some(again)) = (&daemon.inst, again) {
            let text = format!(
                "lvs_sync_daemon vrrp instance has already been specified as {inst} - ignoring"
            );
            self.report_at(code::REPEATED, Class::General, text, statement, again);
        }
        self.pairs(statement, n, Context::LvsSyncDaemon)?;
        while let (Some(word), Some(value)) = (statement.word(n), statement.word(n + 1)) {
            match word {
                "inst" => daemon.inst = Some(value.to_owned()),
                "id" => daemon.id = value.parse().ok(),
                "maxlen" => daemon.maxlen = value.parse().ok(),
                "port" => daemon.port = value.parse().ok(),
                "ttl" => daemon.ttl = value.parse().ok(),
                "group" => daemon.group = value.parse().ok(),
                _ => n -= 1,
            }
            n += 2;
        }
        self.config.global.lvs_sync_daemon = Some(daemon);
        Ok(())
    }
}

/// The size of a buffer; 0 leaves the kernel's.
fn size(value: &Val) -> Option<u32> {
    value.int().filter(|n: &u32| *n != 0)
}

/// The words behind the keyword as one.
fn joined(statement: &Statement) -> String {
    statement.args().iter().map(|w| w.text.as_str()).collect()
}

/// A number up to 0777 in any base, or the names of permission bits with `|` between them.
fn umask(text: &str) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    if let Ok(n) = check::integer(text, 0, 0o777, true, false) {
        return u32::try_from(n).ok();
    }
    let mut mask = 0;
    for name in text.split('|') {
        let name = name.trim();
        let (shift, bits) = match name {
            "IRWXU" => (6, 0o7),
            "IRWXG" => (3, 0o7),
            "IRWXO" => (0, 0o7),
            _ => {
                let shift = match name.get(2..)? {
                    "USR" => 6,
                    "GRP" => 3,
                    "OTH" => 0,
                    _ => return None,
                };
                let bits = match name.get(..2)? {
                    "IR" => 0o4,
                    "IW" => 0o2,
                    "IX" => 0o1,
                    _ => return None,
                };
                (shift, bits)
            }
        };
        mask |= bits << shift;
    }
    Some(mask)
}

#[cfg(test)]
mod tests {
    use super::umask;

    #[test]
    fn umasks() {
        for (text, want) in [
            ("022", Some(0o022)),
            ("0x12", Some(0o022)),
            ("01000", None),
            ("IWGRP|IWOTH", Some(0o022)),
            ("IRWXU", Some(0o700)),
            ("IRUSR|IXGRP", Some(0o410)),
            ("IRWXG|IRWXO", Some(0o077)),
            ("nothing", None),
            ("", None),
            ("IRUSR|", None),
            ("IRUSR|::", None),
        ] {
            assert_eq!(umask(text), want, "{text}");
        }
    }
}

//! `global_defs` and the single settings of the top level.

mod script;
mod vrrp;

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use super::check::{self, Val};
use super::command::RawCommand;
use super::{At, Build, Stop};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{ExtraGarp, NotifyFifo, Process, Version};
use crate::table::{Context, Keyword, Value};
use crate::tree::{Node, Statement};

/// Global settings that other things are made of at the end.
#[derive(Debug, Default)]
pub(crate) struct RawGlobals {
    /// `script_user` names someone who does not exist.
    pub(crate) script_user_failed: bool,
    /// Some script will run.
    pub(crate) scripts_run: bool,
    /// One of them could be changed by others.
    pub(crate) insecure_scripts: bool,
    pub(crate) garp: RawGarp,
    pub(crate) min_garp: bool,
    pub(crate) lower_prio_no_advert: Option<bool>,
    pub(crate) higher_prio_send_advert: Option<bool>,
    pub(crate) down_timer_adverts: Option<u8>,
    pub(crate) check_unicast_src: bool,
    pub(crate) skip_check_adv_addr: bool,
    pub(crate) owner_ignore_adverts: bool,
    pub(crate) v3_checksum_as_v2: bool,
    pub(crate) notify_priority_changes: bool,
    pub(crate) startup: Option<RawCommand>,
    pub(crate) shutdown: Option<RawCommand>,
    pub(crate) fifo_scripts: [Option<RawCommand>; 3],
    pub(crate) garp_interfaces: Vec<(String, At)>,
    pub(crate) garp_taken: HashSet<String>,
    /// A namespace that cannot be entered: nothing is checked any more.
    pub(crate) no_namespace: bool,
}

/// Gratuitous ARP settings as written, of the globals or of an instance.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawGarp {
    pub(crate) master_delay: Option<Duration>,
    pub(crate) master_repeat: Option<u32>,
    pub(crate) master_refresh: Option<Duration>,
    pub(crate) master_refresh_repeat: Option<u32>,
    pub(crate) lower_prio_delay: Option<Duration>,
    pub(crate) lower_prio_repeat: Option<u32>,
    pub(crate) extra_if: Option<ExtraGarp>,
}

impl RawGarp {
    /// Applies a `garp_*` keyword (without `vrrp_`); a bad value of some becomes 1 or 0.
    pub(crate) fn set(&mut self, name: &str, value: Option<&Val>) -> bool {
        let time = value.and_then(Val::duration);
        let count = value.and_then(Val::int::<u32>);
        match name {
            "garp_master_delay" => self.master_delay = time.or(self.master_delay),
            "garp_master_repeat" => self.master_repeat = Some(count.unwrap_or(1)),
            "garp_master_refresh" => self.master_refresh = Some(time.unwrap_or_default()),
            "garp_master_refresh_repeat" => self.master_refresh_repeat = Some(count.unwrap_or(1)),
            "garp_lower_prio_delay" => self.lower_prio_delay = time.or(self.lower_prio_delay),
            "garp_lower_prio_repeat" => self.lower_prio_repeat = count.or(self.lower_prio_repeat),
            _ => return false,
        }
        true
    }
}

impl Build<'_> {
    /// A single setting of the top level.
    pub(super) fn global_top(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
    ) -> Result<(), Stop> {
        let value = self.value(keyword, statement)?;
        let word = statement.word(1).map(str::to_owned);
        let global = &self.config.global;
        match keyword.name {
            "linkbeat_use_polling" => self.config.global.linkbeat_use_polling = true,
            "namespace_with_ipsets" => self.config.global.namespace_with_ipsets = true,
            "use_pid_dir" => self.config.global.use_pid_dir = true,
            "child_wait_time" => {
                if let Some(time) = value.and_then(|v| v.duration()) {
                    self.config.global.child_wait_time = time;
                }
            }
            "net_namespace" => {
                if global.net_namespace.is_none()
                    && let Some(name) = word
                {
                    if !self.host.net_namespace_exists(&name) {
                        self.globals.no_namespace = true;
                        let text = format!("network namespace {name} cannot be entered");
                        let d = Diagnostic::error(code::NO_NAMESPACE, Class::Ok, text)
                            .help("nothing else of the configuration can be checked");
                        self.session.report.push(statement.point(d, 1));
                    }
                    self.config.global.net_namespace = Some(name);
                }
            }
            "net_namespace_ipvs" => {
                let seen = global.net_namespace_ipvs.is_some();
                if !self.repeated(keyword, seen, statement) {
                    self.config.global.net_namespace_ipvs = Some(word);
                }
            }
            "instance" => {
                let seen = global.instance.is_some();
                if !self.repeated(keyword, seen, statement) {
                    self.config.global.instance = word;
                }
            }
            // Includes without an argument come here; the others never get this far.
            _ => {}
        }
        Ok(())
    }

    pub(super) fn global_defs(&mut self, nodes: Vec<Node>) -> Result<(), Stop> {
        for node in nodes {
            match node {
                Node::Problem(d) => self.session.report.push(*d),
                Node::Block(_, _, inner) => self.global_defs(inner)?,
                Node::Lines(keyword, statement, lines) => {
                    self.note_support(Context::GlobalDefs, keyword, &statement);
                    self.no_more_words(keyword, &statement);
                    let names = self.names(&lines);
                    if names.is_empty() {
                        let text = "Warning - empty notification_email block";
                        let d = Diagnostic::warning(code::EMPTY_BLOCK, Class::General, text);
                        self.session.report.push(statement.point_at_end_of(d, 0));
                    }
                    let mails = names.into_iter().map(|(name, _)| name);
                    self.config.global.mail.notification_email.extend(mails);
                }
                Node::Statement(keyword, statement) => {
                    self.note_support(Context::GlobalDefs, keyword, &statement);
                    self.global(keyword, &statement)?;
                }
            }
        }
        Ok(())
    }

    fn global(&mut self, keyword: &'static Keyword, statement: &Statement) -> Result<(), Stop> {
        let Some(value) = self.value(keyword, statement)? else {
            // Some counters take 1 or 0 instead of a bad value.
            if let Some(name) = keyword.name.strip_prefix("vrrp_") {
                self.globals.garp.set(name, None);
            }
            if keyword.name == "smtp_connect_timeout" {
                self.config.global.mail.smtp_connect_timeout = Duration::from_secs(1);
            }
            return Ok(());
        };
        let name = keyword.canonical();
        if self.process_setting(name, keyword, statement, &value)
            || self.mail_setting(name, statement, &value)
            || self.vrrp_setting(name, keyword, statement, &value)
            || self.script_setting(name, keyword, statement)
        {
            return Ok(());
        }
        self.other_setting(name, keyword, statement, &value)
    }

    /// Names and scheduling of the processes.
    fn process_setting(
        &mut self,
        name: &str,
        keyword: &'static Keyword,
        statement: &Statement,
        value: &Val,
    ) -> bool {
        if name == "process_name" {
            self.config.global.process_name = value.clone().text();
            return true;
        }
        let global = &mut self.config.global;
        let (process, setting): (&mut Process, &str) =
            if let Some(rest) = name.strip_prefix("vrrp_") {
                (&mut global.vrrp_process, rest)
            } else if let Some(rest) = name.strip_prefix("checker_") {
                (&mut global.checker_process, rest)
            } else if let Some(rest) = name.strip_prefix("bfd_") {
                (&mut global.bfd_process, rest)
            } else {
                return false;
            };
        match setting {
            "process_name" => process.name = value.clone().text(),
            "priority" => process.priority = value.int(),
            "no_swap" => process.no_swap = true,
            "rt_priority" => process.rt_priority = value.int(),
            "rlimit_rttime" => process.rlimit_rttime = value.int(),
            "cpu_affinity" => {
                let limit = self.host.cpu_limit();
                let mut cpus = Vec::new();
                let mut bad = None;
                for (n, word) in statement.args().iter().enumerate() {
                    match word.text.parse::<u32>() {
                        Ok(cpu) if cpu < limit => cpus.push(cpu),
                        _ => bad = bad.or(Some(n + 1)),
                    }
                }
                if bad.is_some() {
                    cpus.clear();
                }
                process.cpu_affinity = cpus;
                if let Some(n) = bad {
                    let text = format!("{} has an invalid CPU number", keyword.name);
                    self.report_at(code::OUT_OF_RANGE, Class::General, text, statement, n);
                }
            }
            _ => return false,
        }
        true
    }

    fn mail_setting(&mut self, name: &str, statement: &Statement, value: &Val) -> bool {
        match name {
            "notification_email_from" => {
                if statement.words().len() > 2 {
                    let text = "notification_email_from has extra words - ignoring them";
                    self.warn_at(code::EXTRA_WORDS, Class::General, text, statement, 2);
                }
                let from = statement.word(1).map(str::to_owned);
                self.config.global.mail.notification_email_from = from;
            }
            "smtp_server" => self.smtp_server(statement),
            "smtp_helo_name" => {
                if let Some(name) = value.clone().text() {
                    self.config.global.mail.smtp_helo_name = Some(name);
                }
            }
            "smtp_connect_timeout" => {
                let mut time = value.duration().unwrap_or_default();
                if time.is_zero() {
                    let text = "smtp_connect_timeout must be greater than 0 - setting to 1";
                    self.report_at(code::OUT_OF_RANGE, Class::BadNumber, text, statement, 1);
                    time = Duration::from_secs(1);
                }
                self.config.global.mail.smtp_connect_timeout = time;
            }
            "smtp_alert" => self.config.global.mail.smtp_alert = Some(value.on()),
            "smtp_alert_vrrp" => self.config.global.mail.smtp_alert_vrrp = Some(value.on()),
            "smtp_alert_checker" => self.config.global.mail.smtp_alert_checker = Some(value.on()),
            "no_email_faults" => self.config.global.mail.no_email_faults = true,
            _ => return false,
        }
        true
    }

    fn smtp_server(&mut self, statement: &Statement) {
        let host = statement.word(1).unwrap_or("").to_owned();
        let mut port = 25;
        if statement.word(2).is_some() {
            let ports = Value::Int {
                min: 1,
                max: 65_535,
                any_base: false,
            };
            match check::word(ports, statement, 2, self.lenient, &mut self.session.report) {
                Some(value) => port = value.int().unwrap_or(25),
                None => return,
            }
        }
        if host.parse::<IpAddr>().is_err() && !self.host.resolves(&host) {
            let text = format!("Invalid smtp server {host} {port}");
            let help = match host.rsplit_once(':') {
                Some((host, port)) if port.parse::<u16>().is_ok() => {
                    format!("the port stands apart: write {host} {port}")
                }
                _ => "the name cannot be resolved now; write an address to be sure".to_owned(),
            };
            let d = Diagnostic::error(code::NOT_AN_ADDRESS, Class::General, text).help(help);
            self.session.report.push(statement.point(d, 1));
            if self.lenient {
                // It may resolve by the time a mail is due.
                self.config.global.mail.smtp_server = Some(host);
                self.config.global.mail.smtp_port = port;
            }
            return;
        }
        self.config.global.mail.smtp_server = Some(host);
        self.config.global.mail.smtp_port = port;
    }

    /// `[all] SECONDS`.
    pub(super) fn extra_garp(&mut self, statement: &Statement, min: i64) -> Option<ExtraGarp> {
        let all = statement.word(1) == Some("all");
        let n = 1 + usize::from(all);
        if statement.word(n).is_none() {
            let text = format!("{} needs a number of seconds", statement.keyword());
            self.report_at(code::VALUE_MISSING, Class::General, text, statement, n - 1);
            return None;
        }
        let seconds = Value::Int {
            min,
            max: 86_400,
            any_base: false,
        };
        let value = check::word(
            seconds,
            statement,
            n,
            self.lenient,
            &mut self.session.report,
        )?;
        Some(ExtraGarp {
            interval: value.duration()?,
            all,
        })
    }

    pub(super) fn fifo(&mut self, name: &str) -> &mut Option<NotifyFifo> {
        match name {
            "vrrp_notify_fifo" => &mut self.config.global.vrrp_notify_fifo,
            "lvs_notify_fifo" => &mut self.config.global.lvs_notify_fifo,
            _ => &mut self.config.global.notify_fifo,
        }
    }
}

/// 2 or 3 as a version.
pub(super) fn version(value: &Val) -> Option<Version> {
    match value {
        Val::Int(2) => Some(Version::V2),
        Val::Int(3) => Some(Version::V3),
        _ => None,
    }
}

//! The end of a build: references between blocks, scripts, groups, what is there twice.

use std::collections::HashMap;
use std::time::Duration;

use rk_base::{Family, Vrid};
use rustc_hash::FxHashMap;

use super::address::RawAddress;
use super::command::{RawCommand, mend};
use super::entry::Raw;
use super::group::RawNotify;
use super::instance::RawInstance;
use super::script::RawScript;
use super::track::{RawTracked, RawTracks};
use super::{Build, Built, Pass};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{
    Command, Instance, InterfaceAddress, Notify, NotifyFifo, Origin, Route, Rule, Script, Tracked,
    Tracks, Verdict,
};
use crate::text::line::to_u32;
use crate::tree::Statement;

impl Build<'_> {
    /// Settles everything that needed the whole text. After a missing value only what the
    /// earlier passes would have said is settled.
    pub(crate) fn finish(mut self) -> Built {
        if self.ended.is_some_and(|ended| ended <= Pass::Vrrp) {
            if self.ended == Some(Pass::Vrrp) {
                // What keepalived says while it reads is said of the lines that it has read.
                self.settle_scripts(false);
                self.settle_garp_groups();
                for raw in std::mem::take(&mut self.instances) {
                    self.settle_lines(raw);
                }
                self.settle_statics();
            }
            if self.ended >= Some(Pass::Checker) {
                self.finish_lvs();
            }
            return self.abandon();
        }
        // Without instances keepalived looks at no script of this part.
        let has_instances = !self.instances.is_empty();
        self.settle_scripts(has_instances);
        self.settle_garp_groups();
        let raws = std::mem::take(&mut self.instances);
        // Each takes the place of what it is made of: there may be 65,000.
        const { assert!(size_of::<RawInstance>() >= size_of::<Instance>()) };
        let settled = raws.into_iter().filter_map(|raw| {
            let missing = raw.interface.as_ref().map(|(name, _)| name);
            if missing.is_some_and(|name| !self.may_exist(name)) {
                self.permanent_error = true;
                self.interface_missing = true;
            }
            let instance = self.settle(raw);
            // keepalived: what an instance cannot be without must not be overlooked.
            self.permanent_error |= instance.is_none();
            instance
        });
        let mut instances: Vec<Instance> = settled.collect();
        self.same_vrids(&instances);
        self.settle_groups(&mut instances);
        self.config.instances = instances;
        self.settle_statics();
        self.settle_global_scripts();
        self.globals.scripts_run &= has_instances;
        self.finish_lvs();
        self.security();
        Built {
            config: self.config,
            unsupported: self.reports,
            session: self.session,
            permanent_error: self.permanent_error || self.stopped,
        }
    }

    /// Whether the text named a namespace that cannot be entered.
    pub(crate) const fn no_namespace(&self) -> bool {
        self.globals.no_namespace
    }

    fn settle_scripts(&mut self, has_instances: bool) {
        let mut raws = std::mem::take(&mut self.scripts);
        for raw in &mut raws {
            let Some(command) = self.script_command(raw) else {
                raw.usable = false;
                continue;
            };
            let (code, problem) = match &command.verdict {
                Verdict::Usable => (None, ""),
                Verdict::InsecureButRuns { .. } => {
                    self.globals.insecure_scripts = true;
                    (None, "")
                }
                Verdict::Insecure { .. } => (Some(code::SCRIPT_INSECURE), "due to insecure"),
                // keepalived says nothing about it in a test, and still counts it as a script.
                Verdict::NotExecutable => (Some(code::SCRIPT_NOT_FOUND), ""),
                Verdict::NotFound | Verdict::NoUser => {
                    (Some(code::SCRIPT_NOT_FOUND), "since not found/accessible")
                }
            };
            let at = raw
                .command
                .as_ref()
                .map_or_else(|| raw.at.clone(), |c| c.at.clone());
            if let Some(code) = code {
                let help = mend(&command.path, &command.verdict);
                let d = if problem.is_empty() {
                    let text = format!(
                        "WARNING - script '{}' is not executable - disabling.",
                        command.path
                    );
                    Diagnostic::warning(code, Class::Ok, text)
                } else {
                    let text = format!("Disabling track script {} {problem}", raw.name);
                    let class = if has_instances {
                        Class::General
                    } else {
                        Class::Ok
                    };
                    Diagnostic::error(code, class, text)
                };
                self.session.report.push(at.put(d.help(help)));
            }
            if matches!(
                command.verdict,
                Verdict::Usable | Verdict::InsecureButRuns { .. } | Verdict::NotExecutable
            ) {
                self.globals.scripts_run = true;
            }
            self.config.scripts.push(Script {
                name: raw.name.clone(),
                command,
                interval: raw.interval,
                timeout: raw.timeout.unwrap_or(raw.interval),
                weight: raw.weight,
                reverse: raw.reverse,
                rise: raw.rise,
                fall: raw.fall,
                init_fail: raw.init_fail,
                origin: raw.origin.clone(),
            });
        }
        self.script_names = self
            .config
            .scripts
            .iter()
            .enumerate()
            .map(|(n, s)| (s.name.as_str().into(), n))
            .collect();
    }

    fn script_command(&mut self, raw: &RawScript) -> Option<Command> {
        let command = raw.command.as_ref()?;
        let run_as = match &raw.user {
            Some(user) => self.find_user(user),
            None => self.default_user(),
        };
        let Some(run_as) = run_as else {
            let text = format!(
                "Unable to set default user for vrrp script {} - removing",
                raw.name
            );
            let d = Diagnostic::error(code::SCRIPT_USER, Class::General, text)
                .help("set script_user, or add a user named keepalived_script");
            self.session
                .report
                .push(command.at.also(raw.end.put(d), "this script"));
            return None;
        };
        Some(self.command(command, run_as))
    }

    fn settle_garp_groups(&mut self) {
        for (name, at) in std::mem::take(&mut self.globals.garp_interfaces) {
            if !self.may_exist(&name) {
                let text =
                    format!("WARNING - interface {name} specified for garp_group doesn't exist");
                self.no_interface(Class::Warning, text, &at);
            }
        }
        let mut pace: HashMap<String, (Duration, Duration)> = HashMap::new();
        for group in &self.config.garp_groups {
            for name in &group.interfaces {
                pace.insert(name.clone(), (group.garp_interval, group.gna_interval));
            }
        }
        self.garp_pace = pace;
    }

    /// Drops addresses on interfaces that are not there.
    pub(super) fn settle_addresses(&mut self, raws: Vec<RawAddress>) -> Vec<InterfaceAddress> {
        let there = |raw: &RawAddress| {
            let Some(dev) = &raw.address.dev else {
                return true;
            };
            let there = self.may_exist(dev);
            if !there {
                let text = format!(
                    "WARNING - interface {dev} for ip address {} doesn't exist",
                    raw.address.prefix
                );
                self.no_interface(Class::Warning, text, &raw.dev_at);
            }
            there
        };
        let kept = raws.into_iter().filter(there);
        kept.map(|raw| raw.address).collect()
    }

    /// Leaves out lines whose interfaces are not there.
    fn settle_entries<T>(&mut self, raws: Vec<Raw<T>>) -> Vec<T> {
        let mut out = Vec::with_capacity(raws.len());
        for raw in raws {
            let mut there = true;
            for (name, what, at) in &raw.interfaces {
                if !self.may_exist(name) {
                    let text = format!("WARNING - interface {name} for {what} doesn't exist");
                    self.no_interface(Class::Warning, text, at);
                    there = false;
                }
            }
            if there {
                out.push(raw.entry);
            }
        }
        out
    }

    pub(super) fn settle_routes(&mut self, raws: Vec<Raw<Route>>) -> Vec<Route> {
        self.settle_entries(raws)
    }

    pub(super) fn settle_rules(&mut self, raws: Vec<Raw<Rule>>) -> Vec<Rule> {
        self.settle_entries(raws)
    }

    /// Reports an interface that is not there; keepalived's VRRP process ends its test when it has
    /// read all and found one.
    pub(super) fn no_interface(&mut self, class: Class, text: String, at: &super::At) {
        self.interface_missing = true;
        self.report_later(code::NO_INTERFACE, class, text, at);
    }

    /// Reports a track group, word `n`, that is not defined yet; the entry stays.
    pub(super) fn track_group_known(&mut self, group: &str, line: &Statement, n: usize) {
        if self.track_group_names.contains_key(group) {
            return;
        }
        let text = format!("track_group {group} not found - ignoring");
        self.report_at(code::NOT_DEFINED, Class::General, text, line, n);
    }

    pub(super) fn settle_tracks(
        &mut self,
        owner: &str,
        own_interface: Option<&str>,
        raw: RawTracks,
    ) -> Tracks {
        // Each list takes the place of what it is made of.
        let interfaces = raw.interfaces.into_iter().filter_map(|t| {
            if Some(t.name.as_str()) == own_interface {
                let text = format!(
                    "({owner}) Ignoring track_interface {} since own interface",
                    t.name
                );
                let d = Diagnostic::error(code::TRACKING, Class::General, text)
                    .help("an instance always tracks its own interface");
                self.session.report.push(t.at.put(d));
                return None;
            }
            if !self.may_exist(&t.name) {
                let text = format!("({owner}) tracked interface {} doesn't exist", t.name);
                self.no_interface(Class::General, text, &t.at);
                return None;
            }
            Some(resolved(t, 0, false))
        });
        let interfaces = interfaces.collect();
        let scripts = raw.scripts.into_iter().filter_map(|t| {
            let Some(n) = self.script_names.get(t.name.as_str()) else {
                let text = format!("({owner}) track script {} not found, ignoring...", t.name);
                self.report_later(code::NOT_DEFINED, Class::General, text, &t.at);
                return None;
            };
            let script = &self.config.scripts[*n];
            let runs = script.command.verdict.may_run();
            runs.then(|| resolved(t, script.weight, script.reverse))
        });
        let scripts = scripts.collect();
        let files = raw.files.into_iter().filter_map(|t| {
            let file = &self.config.track_files[*self.file_names.get(t.name.as_str())?];
            Some(resolved(t, file.weight, file.reverse))
        });
        let processes = raw.processes.into_iter().filter_map(|t| {
            let n = self.process_names.get(t.name.as_str())?;
            let process = &self.config.track_processes[*n];
            Some(resolved(t, process.weight, process.reverse))
        });
        let bfd = raw.bfd.into_iter().filter_map(|t| {
            let session = &self.config.bfd_sessions[*self.bfd_names.get(t.name.as_str())?];
            Some(resolved(t, session.weight, session.reverse))
        });
        Tracks {
            interfaces,
            scripts,
            files: files.collect(),
            processes: processes.collect(),
            bfd: bfd.collect(),
        }
    }

    pub(super) fn settle_notify(&mut self, raw: RawNotify) -> Notify {
        let mail = &self.config.global.mail;
        let smtp_alert = raw
            .smtp_alert
            .or(mail.smtp_alert_vrrp)
            .or(mail.smtp_alert)
            .unwrap_or(false);
        Notify {
            smtp_alert,
            priority_changes: raw
                .priority_changes
                .unwrap_or(self.globals.notify_priority_changes),
            deleted: raw.deleted,
            master: self.boxed_command(raw.master),
            backup: self.boxed_command(raw.backup),
            fault: self.boxed_command(raw.fault),
            stop: self.boxed_command(raw.stop),
            generic: self.boxed_command(raw.generic),
            master_rx_lower_pri: self.boxed_command(raw.master_rx_lower_pri),
            deleted_script: self.boxed_command(raw.deleted_script),
        }
    }

    /// Two instances that would speak for one virtual router.
    fn same_vrids(&mut self, instances: &[Instance]) {
        // Where adverts go, by number: there may be 65,000 instances on a few interfaces.
        let mut links: FxHashMap<_, u32> = FxHashMap::default();
        let mut last = None;
        let mut seen: FxHashMap<(u32, Vrid), u32> = FxHashMap::default();
        seen.reserve(instances.len());
        for (instance, n) in instances.iter().zip(0..) {
            if instance.is_unicast() {
                continue;
            }
            let link = (
                instance.interface.as_deref(),
                instance.family,
                instance.multicast_group,
            );
            let number = match last {
                Some((before, number)) if before == link => number,
                _ => {
                    let new = to_u32(links.len());
                    *links.entry(link).or_insert(new)
                }
            };
            last = Some((link, number));
            let before = seen.insert((number, instance.virtual_router_id), n);
            let Some(first) = before.and_then(|first| instances.get(first as usize)) else {
                continue;
            };
            let family = match instance.family {
                Family::V4 => "IPv4",
                Family::V6 => "IPv6",
            };
            let text = format!(
                "{} and {} both use VRID {} with {family} on interface {}",
                first.name,
                instance.name,
                instance.virtual_router_id,
                instance.interface.as_deref().unwrap_or("none"),
            );
            let place = self.place_of(&instance.origin);
            let mut d = Diagnostic::error(code::SAME_VRID, Class::General, text)
                .at_place(place)
                .help("give one of them another virtual_router_id");
            if let Some(other) = self.place_of(&first.origin) {
                d = d.label(other, "the other one");
            }
            self.session.report.push(d);
            self.permanent_error = true;
        }
    }

    /// The words of the line where something begins.
    pub(super) fn place_of(&self, origin: &Origin) -> Option<crate::place::Place> {
        let (file, _) = self
            .session
            .files
            .files()
            .find(|(_, name)| **name == *origin.file)?;
        let line = self.session.files.line(file, origin.line);
        let column = line
            .iter()
            .position(|b| !b.is_ascii_whitespace())
            .unwrap_or(0);
        let len = line.len() - column;
        Some(crate::place::Place {
            file,
            line: origin.line,
            column: u32::try_from(column).unwrap_or(0),
            len: u32::try_from(len).unwrap_or(0),
        })
    }

    fn settle_statics(&mut self) {
        let statics = std::mem::take(&mut self.statics);
        let default = self.config.global.default_interface.clone();
        for raw in &statics.addresses {
            if raw.address.dev.is_none() && !self.may_exist(&default) {
                let text = format!(
                    "Static address {} requires either an interface or default interface must \
                     exist",
                    raw.address.prefix
                );
                let d = Diagnostic::error(code::NO_INTERFACE, Class::Fatal, text).help(format!(
                    "there is no {default}; write dev NAME behind the address"
                ));
                self.session.report.push(raw.at.put(d));
            }
        }
        self.config.static_addresses = self.settle_addresses(statics.addresses);
        self.config.static_routes = self.settle_routes(statics.routes);
        self.config.static_rules = self.settle_rules(statics.rules);
    }

    fn settle_global_scripts(&mut self) {
        let names = ["notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo"];
        let raws = std::mem::take(&mut self.globals.fifo_scripts);
        for (name, raw) in names.into_iter().zip(raws) {
            let Some(raw) = raw else { continue };
            let origin = raw.origin.clone();
            let before = self.globals.scripts_run;
            let script = self.notify_command(Some(raw));
            if name == "lvs_notify_fifo" {
                self.lvs.fifo_script = script.is_some();
                self.globals.scripts_run = before;
            }
            let fifo = self.fifo(name).get_or_insert_with(|| NotifyFifo {
                path: String::new(),
                owner: None,
                script: None,
                origin,
            });
            fifo.script = script;
        }
        let startup = self.globals.startup.take();
        let shutdown = self.globals.shutdown.take();
        self.config.global.startup_script = self.process_script(startup);
        self.config.global.shutdown_script = self.process_script(shutdown);
    }

    /// `startup_script` and `shutdown_script`, which have a security message of their own.
    fn process_script(&mut self, raw: Option<RawCommand>) -> Option<Command> {
        let before = self.globals.scripts_run;
        let at = raw.as_ref().map(|r| r.at.clone());
        let command = self.notify_command(raw)?;
        self.globals.scripts_run = before;
        if !self.config.global.enable_script_security {
            let text = "SECURITY VIOLATION - start/shutdown scripts are being executed but \
                        script_security not enabled.";
            let d = Diagnostic::warning(code::SCRIPT_SECURITY, Class::Security, text);
            self.session.report.push(at.unwrap_or_default().put(d));
        }
        Some(command)
    }

    fn security(&mut self) {
        if !self.globals.scripts_run || self.config.global.enable_script_security {
            return;
        }
        let mut text = "SECURITY VIOLATION - scripts are being executed but script_security not \
                        enabled."
            .to_owned();
        if self.globals.insecure_scripts {
            text.push_str(" There are insecure scripts.");
        }
        // keepalived stops checking at an interface that is not there.
        let class = if self.interface_missing {
            Class::Ok
        } else {
            Class::Security
        };
        let d = Diagnostic::warning(code::SCRIPT_SECURITY, class, text)
            .help("write enable_script_security and script_user USER in global_defs");
        self.session.report.push(d);
    }

    /// What is left after a value was missing that ends the reading.
    pub(crate) fn abandon(self) -> Built {
        Built {
            config: self.config,
            unsupported: self.reports,
            session: self.session,
            permanent_error: true,
        }
    }
}

fn resolved(raw: RawTracked, weight: i32, reverse: bool) -> Tracked {
    Tracked {
        name: raw.name,
        weight: raw.weight.unwrap_or(weight),
        reverse: raw.reverse.unwrap_or(reverse),
        own_weight: raw.weight.is_some(),
        origin: raw.origin,
    }
}

//! What belongs to load balancing as a whole, and what can be said about it only at the end:
//! groups that are defined later, global defaults, scripts and their users. Also `SSL`.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use rk_base::Family;

use super::check::Val;
use super::command::{RawCommand, RawUser};
use super::service::{Named, RawService};
use super::{At, Build, Stop};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{
    Check, Command, Forwarding, GroupTarget, Origin, Secret, Service, Ssl, Verdict, VirtualServer,
};
use crate::tree::{Node, Statement};

/// What is known about the load balancing part.
#[derive(Debug, Default)]
pub(crate) struct Lvs {
    /// Where the groups stand in the configuration.
    pub(super) groups: HashMap<String, usize>,
    /// How many services each group has.
    pub(super) group_users: HashMap<String, u32>,
    /// Services of groups, which may be defined later, with their places.
    waiting: Vec<(usize, RawService)>,
    /// Commands whose users are known at the end.
    pub(super) late: Vec<Late>,
    /// `lvs_notify_fifo_script` is one that runs.
    pub(super) fifo_script: bool,
    /// `smtp_alert` where it is given: of a service, or of one of its servers.
    pub(super) alerts: HashMap<(usize, Option<usize>), bool>,
    /// `log_all_failures` where it is given: service, server, checker.
    pub(super) log_all: HashMap<(usize, usize, usize), bool>,
}

/// A command whose user and verdict wait for the end of the text.
#[derive(Debug)]
pub(super) struct Late {
    /// Which virtual server.
    pub(super) service: usize,
    pub(super) owner: Owner,
    pub(super) command: RawCommand,
    /// `user` of a `MISC_CHECK`.
    pub(super) user: Option<RawUser>,
    /// The end of its block.
    pub(super) end: At,
}

/// Whose command it is: real servers and checkers by number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owner {
    QuorumUp,
    QuorumDown,
    NotifyUp(usize),
    NotifyDown(usize),
    Misc(usize, usize),
}

/// What a group says about the services that use it.
#[derive(Debug)]
pub(super) struct GroupFacts(Vec<GroupTarget>);

impl GroupFacts {
    pub(super) fn has_marks(&self) -> bool {
        self.0.iter().any(|t| t.port().is_none())
    }

    pub(super) fn only_marks(&self) -> bool {
        self.0.iter().all(|t| t.port().is_none())
    }

    pub(super) fn has_port_zero(&self) -> bool {
        self.0.iter().any(|t| t.port() == Some(0))
    }

    fn has(&self, family: Family) -> bool {
        self.0.iter().any(|t| t.family() == Some(family))
    }

    /// The entries with another port, as messages show them.
    pub(super) fn other_ports(&self, than: u16) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(move |target| {
            let (first, last, port): (IpAddr, IpAddr, u16) = match *target {
                GroupTarget::V4 { first, last, port } => (first.into(), last.into(), port),
                GroupTarget::V6 { first, last, port } => (first.into(), last.into(), port),
                GroupTarget::Fwmark { .. } => return None,
            };
            (port != than).then(|| {
                if first == last {
                    format!("[{first},{port}]")
                } else {
                    format!("[{first}-{last},{port}]")
                }
            })
        })
    }
}

impl Build<'_> {
    /// The end of the block of a service: settles it, unless its group may come later.
    pub(super) fn service_read(&mut self, service: RawService) {
        let at = self.config.virtual_servers.len();
        if let Named::Group(name, index) = &service.named {
            let place = Service::Group {
                name: name.clone(),
                index: *index,
                protocol: None,
                family: Family::V4,
            };
            let place = VirtualServer::new(place, Origin::default());
            self.config.virtual_servers.push(place);
            self.lvs.waiting.push((at, service));
        } else if let Some(server) = self.settle_service(service, at, None) {
            self.config.virtual_servers.push(server);
        }
    }

    pub(super) fn ssl(&mut self, heading: &Statement, nodes: Vec<Node>) -> Result<(), Stop> {
        if self.config.ssl.is_some() {
            let text = "SSL context already specified - replacing";
            self.report_at(code::REPEATED, Class::General, text, heading, 0);
        }
        let mut ssl = Ssl {
            origin: self.origin(heading),
            ..Ssl::default()
        };
        let mut seen = HashSet::new();
        for node in nodes {
            let Some((keyword, statement)) = self.plain(node) else {
                continue;
            };
            let Some(value) = self.value(keyword, &statement)? else {
                continue;
            };
            let again = !seen.insert(keyword.name);
            self.repeated(keyword, again, &statement);
            let text = Val::text(value);
            match keyword.name {
                "password" => ssl.password = text.map(Secret::new),
                "ca" => ssl.ca = text,
                "certificate" => ssl.certificate = text,
                "key" => ssl.key = text,
                _ => {}
            }
        }
        self.config.ssl = Some(Box::new(ssl));
        Ok(())
    }

    /// What can be said about servers only now.
    pub(super) fn finish_lvs(&mut self) {
        let dropped = self.settle_group_services();
        let before = self.globals.scripts_run;
        self.globals.scripts_run = false;
        for late in std::mem::take(&mut self.lvs.late) {
            if !dropped.contains(&late.service) {
                self.settle_late(late);
            }
        }
        let services = self.config.virtual_servers.len() > dropped.len();
        let checkers = self.globals.scripts_run || (self.lvs.fifo_script && services);
        self.globals.scripts_run = before;
        if checkers && !self.config.global.enable_script_security {
            let text = "SECURITY VIOLATION - check scripts are being executed but script_security \
                        not enabled.";
            let d = Diagnostic::warning(code::SCRIPT_SECURITY, Class::Security, text)
                .help("write enable_script_security and script_user USER in global_defs");
            self.session.report.push(d);
        }
        self.settle_defaults();
        let mut n = 0;
        self.config.virtual_servers.retain(|_| {
            n += 1;
            !dropped.contains(&(n - 1))
        });
        self.config.virtual_servers.shrink_to_fit();
    }

    /// Settles the services of groups; gives the places of those that are not used.
    fn settle_group_services(&mut self) -> HashSet<usize> {
        let mut dropped = HashSet::new();
        for (at, service) in std::mem::take(&mut self.lvs.waiting) {
            let group = self.usable_group(&service);
            let settled = group.and_then(|group| self.settle_service(service, at, Some(&group)));
            match settled {
                Some(server) => self.config.virtual_servers[at] = server,
                None => {
                    dropped.insert(at);
                }
            }
        }
        dropped
    }

    /// The group of a service, if there is one that fits its servers. keepalived finds the
    /// others out when it starts, not in a test.
    fn usable_group(&mut self, service: &RawService) -> Option<GroupFacts> {
        let Named::Group(name, _) = &service.named else {
            return None;
        };
        let shown = service.shown();
        let Some(n) = self.lvs.groups.get(name.as_ref()).copied() else {
            let text = format!(
                "Virtual server group {name} specified but not configured - ignoring virtual \
                 server {shown}"
            );
            let names = self.lvs.groups.keys().map(String::as_str);
            let help = match crate::table::nearest(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add a virtual_server_group {name}"),
            };
            let d = Diagnostic::error(code::NOT_DEFINED, Class::Ok, text).help(help);
            self.session.report.push(service.heading.point(d, 2));
            return None;
        };
        let group = &self.config.virtual_server_groups[n];
        let facts = GroupFacts(group.entries.iter().map(|e| e.target).collect());
        let tunnels = service.servers.iter().all(|s| {
            let method = s.forwarding.or(service.forwarding);
            matches!(method, Some(Forwarding::Tun(_)))
        });
        let family = service.family.unwrap_or(Family::V4);
        let other = match family {
            Family::V4 => Family::V6,
            Family::V6 => Family::V4,
        };
        if tunnels || service.servers.is_empty() || !facts.has(other) {
            return Some(facts);
        }
        let text = if facts.has(family) {
            format!(
                "{name}: virtual server group with IPv4 & IPv6 doesn't match virtual server \
                 {shown} - ignoring"
            )
        } else {
            format!("{name}: address family doesn't match virtual server {shown} - ignoring")
        };
        let d = Diagnostic::error(code::FAMILY, Class::Ok, text)
            .help("give IPv4 and IPv6 groups and services of their own, or use TUN");
        self.session.report.push(service.heading.point(d, 2));
        None
    }

    fn settle_late(&mut self, late: Late) {
        let command = match late.owner {
            Owner::Misc(..) => self.misc_command(&late.command, late.user.as_ref(), &late.end),
            _ => self.notify_command(Some(late.command)),
        };
        let Some(service) = self.config.virtual_servers.get_mut(late.service) else {
            return;
        };
        match (late.owner, command) {
            (Owner::QuorumUp, command) => service.quorum_up = command.map(Box::new),
            (Owner::QuorumDown, command) => service.quorum_down = command.map(Box::new),
            (Owner::NotifyUp(n), command) => {
                service.real_servers[n].notify_up = command.map(Box::new);
            }
            (Owner::NotifyDown(n), command) => {
                service.real_servers[n].notify_down = command.map(Box::new);
            }
            // One without a command is removed with the defaults.
            (Owner::Misc(n, c), command) => {
                if let Check::Misc(misc) = &mut service.real_servers[n].checkers[c].check
                    && let Some(command) = command
                {
                    misc.command = command;
                }
            }
        }
    }

    /// The command of a `MISC_CHECK`; `None` if there is nobody to run it.
    fn misc_command(
        &mut self,
        raw: &RawCommand,
        user: Option<&RawUser>,
        end: &At,
    ) -> Option<Command> {
        let run_as = match user {
            Some(user) => self.find_user(user),
            None => self.default_user(),
        };
        let shown = raw.argv.join(" ");
        let Some(run_as) = run_as else {
            let text = format!("Unable to set default user for misc script '{shown}' - removing");
            let d = Diagnostic::error(code::SCRIPT_USER, Class::General, text)
                .help("set script_user, or add a user named keepalived_script");
            let d = raw.at.also(end.put(d), "this script");
            self.session.report.push(d);
            return None;
        };
        let command = self.command(raw, run_as);
        let problem = match &command.verdict {
            Verdict::Usable | Verdict::NotExecutable => None,
            Verdict::InsecureButRuns { .. } => {
                self.globals.insecure_scripts = true;
                None
            }
            Verdict::Insecure { .. } => Some("due to insecure"),
            Verdict::NotFound | Verdict::NoUser => Some("since not found/accessible"),
        };
        match problem {
            None => self.globals.scripts_run = true,
            Some(problem) => {
                // keepalived drops it without a word and without effect on the status.
                let text = format!("Disabling misc script {shown} {problem}");
                let help = super::command::mend(&command.path, &command.verdict);
                let d = Diagnostic::warning(code::SCRIPT_NOT_FOUND, Class::Ok, text).help(help);
                self.session.report.push(raw.at.put(d));
            }
        }
        Some(command)
    }

    /// Applies what `global_defs` says to everything that does not say itself, and removes
    /// checkers whose command cannot run.
    fn settle_defaults(&mut self) {
        let (global, lvs) = (&self.config.global, &self.lvs);
        let alert = global.mail.smtp_alert_checker.or(global.mail.smtp_alert);
        let log_all = global.lvs.checker_log_all_failures;
        for (at, service) in self.config.virtual_servers.iter_mut().enumerate() {
            let own = lvs.alerts.get(&(at, None)).copied();
            service.smtp_alert = own.or(alert).unwrap_or(false);
            for (n, server) in service.real_servers.iter_mut().enumerate() {
                let own = lvs.alerts.get(&(at, Some(n))).copied();
                server.smtp_alert = own.or(alert).unwrap_or(true);
                for (c, checker) in server.checkers.iter_mut().enumerate() {
                    let own = lvs.log_all.get(&(at, n, c)).copied();
                    checker.log_all_failures = own.unwrap_or(log_all);
                }
                server.checkers.retain(|checker| match &checker.check {
                    Check::Misc(misc) => {
                        let verdict = &misc.command.verdict;
                        verdict.may_run() || *verdict == Verdict::NotExecutable
                    }
                    _ => true,
                });
            }
        }
        self.lvs.alerts.clear();
        self.lvs.log_all.clear();
    }
}

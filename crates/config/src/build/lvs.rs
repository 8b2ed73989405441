//! `virtual_server`, `real_server`, `virtual_server_group`, `SSL`: checked, not yet kept.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use rk_base::Family;

use super::check::{self, Val};
use super::command::RawCommand;
use super::{At, Build, Stop};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model;
use crate::table::{Context, Keyword};
use crate::tree::{Node, Statement};

/// What is known about the load balancing part.
#[derive(Debug, Default)]
pub(crate) struct Lvs {
    /// Groups and whether they have marks and addresses.
    pub(super) groups: HashMap<String, Group>,
    /// Scripts that will run for checks and servers.
    pub(super) scripts: Vec<RawCommand>,
    /// `MISC_CHECK` commands with the user they name.
    pub(super) misc: Vec<(RawCommand, Option<super::command::RawUser>, At)>,
    /// Groups that services use before they are defined.
    used_groups: Vec<UsedGroup>,
    ssl_seen: bool,
}

/// What a group has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    pub(super) addresses: usize,
    pub(super) marks: usize,
    /// Of these, marks for IPv6.
    pub(super) marks6: usize,
}

/// A group as a service uses it.
#[derive(Debug)]
struct UsedGroup {
    name: String,
    at: At,
    /// The service names a protocol here.
    protocol: Option<At>,
    family: Option<Family>,
}

/// What a heading names.
#[derive(Clone, Debug)]
pub(super) enum Service {
    Address(IpAddr, u16),
    Mark,
    Group(String),
}

/// A service while its block is read.
#[derive(Debug)]
pub(super) struct Server {
    shown: String,
    service: Service,
    family: Option<Family>,
    protocol: Option<String>,
    protocol_at: Option<At>,
    /// The family of the first real server.
    real_family: Option<Family>,
    scheduler: Option<String>,
    method: Option<String>,
    weight: u64,
    quorum: Option<(u64, At)>,
    hysteresis: Option<(u64, At)>,
    sorry: Option<(IpAddr, u16, At)>,
    reals: u64,
    total_weight: u64,
    ops: Option<At>,
    seen: HashSet<&'static str>,
}

impl Build<'_> {
    /// Checks the words before the brace of a `virtual_server`.
    pub(super) fn service_heading(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
    ) -> Result<bool, Stop> {
        if statement.word(1).is_none() {
            check::missing(keyword, statement, 1, &mut self.session.report)?;
            return Ok(false);
        }
        Ok(match self.service(statement) {
            Ok(_) => true,
            Err(text) => {
                self.report_at(code::SERVER, Class::General, text, statement, 1);
                false
            }
        })
    }

    pub(super) fn service(&self, statement: &Statement) -> Result<Service, String> {
        let first = statement.word(1).unwrap_or("");
        let second = statement.word(2);
        match first {
            "fwmark" => {
                let mark = second.unwrap_or("");
                check::integer(mark, 0, u64::from(u32::MAX), false, false)
                    .map(|_| Service::Mark)
                    .map_err(|e| format!("fwmark of virtual_server: {e}"))
            }
            "group" => match second {
                Some(name) => Ok(Service::Group(name.to_owned())),
                None => Err("virtual_server group needs a name".into()),
            },
            _ => {
                let bad = || {
                    let port = second.unwrap_or("");
                    format!("Invalid virtual server IP address/port {first}/{port} - skipping")
                };
                let address = check::socket_address(first).ok_or_else(bad)?;
                let port = match second {
                    None => 0,
                    Some(port) => port.parse().map_err(|_| bad())?,
                };
                Ok(Service::Address(address, port))
            }
        }
    }

    pub(super) fn virtual_server(
        &mut self,
        heading: &Statement,
        nodes: Vec<Node>,
    ) -> Result<(), Stop> {
        let Ok(service) = self.service(heading) else {
            return Ok(());
        };
        let family = match &service {
            Service::Address(ip, _) => Some(Family::of(*ip)),
            Service::Mark => None,
            // A group may have entries of both families.
            Service::Group(_) => None,
        };
        let shown = heading
            .args()
            .iter()
            .map(|w| w.text.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        let mut server = Server {
            shown,
            service,
            family,
            protocol: None,
            protocol_at: None,
            real_family: None,
            scheduler: None,
            method: None,
            weight: 1,
            quorum: None,
            hysteresis: None,
            sorry: None,
            reals: 0,
            total_weight: 0,
            ops: None,
            seen: HashSet::new(),
        };
        // A protocol that comes later still decides about ports of servers before it.
        for node in nodes {
            match node {
                Node::Problem(d) => self.session.report.push(*d),
                Node::Statement(keyword, statement) => {
                    self.server_statement(keyword, &statement, &mut server)?;
                }
                Node::Block(_, statement, inner) => {
                    self.real_server(&statement, inner, &mut server)?;
                }
                Node::Lines(..) => {}
            }
        }
        self.server_end(heading, server);
        Ok(())
    }

    fn server_statement(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
        server: &mut Server,
    ) -> Result<(), Stop> {
        let method = matches!(
            keyword.name,
            "lb_kind" | "lvs_method" | "sorry_server_lvs_method"
        );
        let value = self.value(keyword, statement)?;
        let word = statement.word(1).unwrap_or("").to_owned();
        let Some(value) = value else { return Ok(()) };
        let seen = !server.seen.insert(keyword.name);
        match keyword.canonical() {
            _ if method => {
                let known = self.lvs_method(statement)?;
                if keyword.name == "sorry_server_lvs_method" {
                    self.needs_sorry(statement, server);
                } else if known {
                    server.method = Some(word);
                }
            }
            "lb_algo" => server.scheduler = Some(word),
            "protocol" => {
                if matches!(server.service, Service::Mark) {
                    let text = format!(
                        "Warning: Virtual server {}: protocol specified for fwmark - protocol \
                         will be ignored",
                        server.shown
                    );
                    self.warn_at(code::SERVER_SETTING, Class::General, text, statement, 0);
                }
                server.protocol = Some(word.to_ascii_uppercase());
                server.protocol_at = Some(At::of(statement, 0));
            }
            "ip_family" => {
                let family = if word == "inet6" {
                    Family::V6
                } else {
                    Family::V4
                };
                if server.family.is_some_and(|f| f != family) {
                    let text = "ip_family contradicts the addresses - ignoring";
                    self.report_at(code::FAMILY, Class::General, text, statement, 1);
                } else {
                    server.family = Some(family);
                }
            }
            "weight" => server.weight = value.int().unwrap_or(1),
            "quorum" => server.quorum = value.int().map(|n| (n, At::of(statement, 1))),
            "hysteresis" => server.hysteresis = value.int().map(|n| (n, At::of(statement, 1))),
            "ops" => server.ops = Some(At::of(statement, 0)),
            "hashed" | "sh-port" | "sh-fallback" | "mh-port" | "mh-fallback" => {
                let wanted = keyword.name.split('-').next().unwrap_or("sh");
                let fits = match wanted {
                    "hashed" => matches!(server.scheduler.as_deref(), Some("sh" | "mh")),
                    wanted => server.scheduler.as_deref() == Some(wanted),
                };
                if !fits {
                    let text = format!("{} needs its scheduler before it", keyword.name);
                    self.report_at(code::SERVER_SETTING, Class::General, text, statement, 0);
                }
            }
            "persistence_granularity" => {
                let fine = match server.family {
                    Some(Family::V6) => check::integer(&word, 1, 128, false, false).is_ok(),
                    _ => {
                        word.parse::<std::net::Ipv4Addr>().is_ok()
                            || check::integer(&word, 1, 128, false, false).is_ok()
                    }
                };
                if !fine {
                    let text = format!("invalid persistence_granularity '{word}'");
                    self.report_at(code::SERVER_SETTING, Class::General, text, statement, 1);
                }
            }
            "sorry_server" => self.sorry_server(statement, server),
            "sorry_server_inhibit" => self.needs_sorry(statement, server),
            "ha_suspend" if matches!(server.service, Service::Mark) => {
                let text = "ha_suspend cannot be used with fwmark - ignoring";
                self.warn_at(code::SERVER_SETTING, Class::Ok, text, statement, 0);
            }
            "virtualhost" => {
                self.repeated(keyword, seen, statement);
            }
            "snmp_name" => self.one_word(statement),
            "quorum_up" | "quorum_down" => {
                if !self.repeated(keyword, seen, statement)
                    && let Some(command) = self.raw_command(statement, true)
                {
                    self.lvs.scripts.push(command);
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn one_word(&mut self, statement: &Statement) {
        if statement.words.len() > 2 {
            let text = format!("{} takes one word - ignoring", statement.keyword());
            self.report_at(code::EXTRA_WORDS, Class::General, text, statement, 2);
        }
    }

    fn needs_sorry(&mut self, statement: &Statement, server: &Server) {
        if server.sorry.is_none() {
            let text = format!("{} must stand after sorry_server", statement.keyword());
            self.report_at(code::SERVER_SETTING, Class::General, text, statement, 0);
        }
    }

    fn sorry_server(&mut self, statement: &Statement, server: &mut Server) {
        match self.server_address(statement) {
            Ok((ip, port)) => {
                let port = port.unwrap_or(match server.service {
                    Service::Address(_, port) => port,
                    _ => 0,
                });
                if matches!(server.service, Service::Mark) && statement.word(2).is_some() {
                    let text = format!(
                        "WARNING - virtual server {}, sorry server has port specified - clearing",
                        server.shown
                    );
                    self.warn_at(code::SERVER_SETTING, Class::General, text, statement, 2);
                }
                if server.family.is_some_and(|f| f != Family::of(ip))
                    && server.method.as_deref() != Some("TUN")
                {
                    let text = "Address family of virtual server and sorry server don't match - \
                                skipping sorry server.";
                    self.report_at(code::FAMILY, Class::General, text, statement, 1);
                    return;
                }
                server.sorry = Some((ip, port, At::of(statement, 1)));
            }
            Err(text) => self.report_at(code::SERVER, Class::General, text, statement, 1),
        }
    }

    /// `IP [PORT]` of a real or sorry server.
    pub(super) fn server_address(
        &self,
        statement: &Statement,
    ) -> Result<(IpAddr, Option<u16>), String> {
        let address = statement.word(1).unwrap_or("");
        let port = statement.word(2);
        let what = statement.keyword();
        let bad = || {
            format!(
                "Invalid {what} IP address/port {address}/{}",
                port.unwrap_or("")
            )
        };
        let ip = check::socket_address(address).ok_or_else(bad)?;
        let port = match port {
            None => None,
            Some(port) => Some(port.parse().map_err(|_| bad())?),
        };
        Ok((ip, port))
    }

    /// `NAT|DR|TUN [type T] [port N] [nocsum|csum|remcsum]`.
    fn lvs_method(&mut self, statement: &Statement) -> Result<bool, Stop> {
        let word = statement.word(1).unwrap_or("").to_owned();
        if !matches!(word.as_str(), "NAT" | "DR" | "TUN") {
            let text = format!("PARSER : unknown [{word}] routing method for virtual server.");
            let d = Diagnostic::error(code::UNKNOWN_WORD, Class::General, text)
                .help("write NAT, DR or TUN");
            self.session.report.push(statement.point(d, 1));
            return Ok(false);
        }
        let mut n = 2;
        let mut kind = "ipip".to_owned();
        let mut port = false;
        while let Some(option) = statement.word(n) {
            let value = statement.word(n + 1);
            match (option, value) {
                ("type", Some(t @ ("ipip" | "gue" | "gre"))) if word == "TUN" => {
                    kind = t.to_owned();
                    n += 2;
                }
                ("port", Some(p)) if word == "TUN" => {
                    if check::integer(p, 1, 65_535, false, false).is_err() {
                        break;
                    }
                    port = true;
                    n += 2;
                }
                ("nocsum" | "csum" | "remcsum", _) if word == "TUN" => n += 1,
                _ => break,
            }
        }
        let wrong = statement.word(n).is_some() && word == "TUN";
        if wrong || (kind == "gue") != port {
            let text = "the tunnel options cannot be used - ignoring";
            self.report_at(code::SERVER_SETTING, Class::General, text, statement, n);
        }
        Ok(true)
    }

    fn real_server(
        &mut self,
        heading: &Statement,
        nodes: Vec<Node>,
        server: &mut Server,
    ) -> Result<(), Stop> {
        let (ip, port) = match self.server_address(heading) {
            Ok(address) => address,
            Err(text) => {
                if heading.word(1).is_none() {
                    return Err(check::stop(heading, 1, Some("IP [PORT]"), self.report()));
                }
                let text = format!("{text} - skipping");
                self.report_at(code::SERVER, Class::General, text, heading, 1);
                return Ok(());
            }
        };
        let mut weight = server.weight;
        let mut method: Option<String> = None;
        let mut seen = HashSet::new();
        for node in nodes {
            match node {
                Node::Problem(d) => self.session.report.push(*d),
                Node::Statement(keyword, statement) => {
                    let value = self.value(keyword, &statement)?;
                    let Some(value) = value else { continue };
                    let again = !seen.insert(keyword.name);
                    match keyword.name {
                        "weight" => weight = value.int().unwrap_or(weight),
                        "lvs_method" => {
                            if self.lvs_method(&statement)? {
                                method = statement.word(1).map(str::to_owned);
                            }
                        }
                        "virtualhost" => {
                            self.repeated(keyword, again, &statement);
                        }
                        "snmp_name" => self.one_word(&statement),
                        "notify_up" | "notify_down" => {
                            if !self.repeated(keyword, again, &statement)
                                && let Some(command) = self.raw_command(&statement, true)
                            {
                                self.lvs.scripts.push(command);
                            }
                        }
                        _ => {}
                    }
                }
                Node::Block(keyword, statement, inner) => {
                    self.checker(keyword, &statement, inner)?;
                }
                Node::Lines(..) => {}
            }
        }
        let method = method.or_else(|| server.method.clone());
        self.real_server_fits(heading, ip, port, method.as_deref(), weight, server);
        Ok(())
    }

    fn real_server_fits(
        &mut self,
        heading: &Statement,
        ip: IpAddr,
        port: Option<u16>,
        method: Option<&str>,
        weight: u64,
        server: &mut Server,
    ) {
        let shown = &server.shown;
        if server.family.is_some_and(|f| f != Family::of(ip)) && method != Some("TUN") {
            let text = format!(
                "Address family of virtual server and real server {ip} don't match - skipping \
                 real server."
            );
            self.report_at_end(code::FAMILY, Class::General, text, heading, 1);
            return;
        }
        let marked = matches!(server.service, Service::Mark);
        if marked && port.is_some_and(|p| p != 0) {
            let text = format!(
                "WARNING - fwmark virtual server {shown}, real server {ip} has port specified - \
                 clearing"
            );
            self.warn_at(code::SERVER_SETTING, Class::General, text, heading, 2);
        }
        if let Service::Address(_, service_port) = server.service
            && matches!(method, Some("DR" | "TUN"))
            && port.is_some_and(|p| p != service_port)
        {
            let text = format!(
                "WARNING - virtual server {shown} and real server {ip} ports don't match - \
                 resetting"
            );
            self.warn_at(code::SERVER_SETTING, Class::General, text, heading, 2);
        }
        server.real_family.get_or_insert(Family::of(ip));
        server.reals += 1;
        server.total_weight = server.total_weight.saturating_add(weight);
    }

    fn server_end(&mut self, heading: &Statement, server: Server) {
        let shown = &server.shown;
        let mut problems: Vec<(String, At)> = Vec::new();
        let here = At::of(heading, 1);
        if server.reals == 0 && server.sorry.is_none() {
            let text = format!("Virtual server {shown} has no real servers - ignoring");
            self.report_at_end(code::SERVER, Class::General, text, heading, 1);
            return;
        }
        if let Service::Group(name) = &server.service {
            self.lvs.used_groups.push(UsedGroup {
                name: name.clone(),
                at: At::of(heading, 2),
                protocol: server.protocol_at.clone(),
                family: server.family.or(server.real_family),
            });
        }
        let served = match &server.service {
            Service::Address(addr, port) => model::Service::Address {
                addr: *addr,
                port: *port,
                protocol: model::Protocol::Udp,
            },
            Service::Mark => model::Service::Fwmark {
                mark: 0,
                family: Family::V4,
            },
            Service::Group(name) => model::Service::Group {
                name: name.as_str().into(),
                index: 0,
                protocol: model::Protocol::Udp,
            },
        };
        let origin = self.origin(heading);
        let kept = model::VirtualServer::new(served, origin);
        self.config.virtual_servers.push(kept);
        if server.protocol.is_none() && !matches!(server.service, Service::Mark) {
            let text = format!("Virtual server {shown}: no protocol set - defaulting to UDP");
            problems.push((text, here.clone()));
        }
        if server.scheduler.is_none() {
            let text = format!("Virtual server {shown}: no scheduler set, setting default 'wlc'");
            problems.push((text, here.clone()));
        }
        if server.method.is_none() {
            let text =
                format!("Virtual server {shown}: no forwarding method set, setting default NAT");
            problems.push((text, here.clone()));
        }
        if let Some(at) = server.ops
            && matches!(server.protocol.as_deref(), Some("TCP" | "SCTP"))
        {
            problems.push((
                format!("Virtual server {shown}: ops needs UDP - clearing"),
                at,
            ));
        }
        let total = server.total_weight;
        if let Some((quorum, at)) = &server.quorum
            && *quorum > total
        {
            let text = format!(
                "Warning - quorum {quorum} for {shown} exceeds total weight of real servers \
                 {total}, reducing quorum to {total}"
            );
            problems.push((text, at.clone()));
        }
        let quorum = server.quorum.as_ref().map_or(1, |(q, _)| *q);
        if let Some((hysteresis, at)) = &server.hysteresis
            && *hysteresis >= quorum
            && *hysteresis > 0
        {
            let text = format!(
                "Virtual server {shown}: hysteresis {hysteresis} must be below quorum {quorum}"
            );
            problems.push((text, at.clone()));
        }
        if let (Some((_, port, at)), Service::Address(_, service_port)) =
            (&server.sorry, &server.service)
            && matches!(server.method.as_deref(), Some("DR" | "TUN"))
            && port != service_port
        {
            let text = format!(
                "WARNING - virtual server {shown} and sorry server ports don't match - resetting"
            );
            problems.push((text, at.clone()));
        }
        if let Service::Address(_, 0) = server.service
            && !server.seen.contains("persistence_timeout")
            && server.protocol.as_deref().is_some()
        {
            let text = format!("Virtual server {shown}: port 0 needs persistence");
            let d = Diagnostic::note(code::SERVER_SETTING, text);
            self.session.report.push(here.put(d));
        }
        for (text, at) in problems {
            self.report_later(code::SERVER_SETTING, Class::General, text, &at);
        }
    }

    pub(super) fn ssl(&mut self, heading: &Statement, nodes: Vec<Node>) -> Result<(), Stop> {
        if self.lvs.ssl_seen {
            let text = "SSL context already specified - replacing";
            self.report_at(code::REPEATED, Class::General, text, heading, 0);
        }
        self.lvs.ssl_seen = true;
        self.plain_block(Context::Ssl, nodes)
    }

    /// Checks a block of statements by their rows alone.
    pub(super) fn plain_block(&mut self, _context: Context, nodes: Vec<Node>) -> Result<(), Stop> {
        let mut seen = HashSet::new();
        for node in nodes {
            let Some((keyword, statement)) = self.plain(node) else {
                continue;
            };
            let value: Option<Val> = self.value(keyword, &statement)?;
            if value.is_some() {
                let again = !seen.insert(keyword.name);
                self.repeated(keyword, again, &statement);
            }
        }
        Ok(())
    }

    /// What can be said about servers only now.
    pub(super) fn finish_lvs(&mut self) {
        for used in std::mem::take(&mut self.lvs.used_groups) {
            let name = used.name;
            let Some(group) = self.lvs.groups.get(&name) else {
                // keepalived keeps quiet about it.
                let text = format!("virtual server group {name} is not defined");
                let d = Diagnostic::warning(code::NOT_DEFINED, Class::Ok, text);
                self.session.report.push(used.at.put(d));
                continue;
            };
            let marks = match used.family {
                None => group.marks,
                Some(Family::V6) => group.marks,
                Some(Family::V4) => group.marks - group.marks6,
            };
            if group.addresses == 0
                && marks > 0
                && let Some(at) = used.protocol
            {
                let text = format!(
                    "Warning: Virtual server group {name}: protocol specified for fwmark - \
                     protocol will be ignored"
                );
                let d = Diagnostic::warning(code::SERVER_SETTING, Class::General, text);
                self.session.report.push(at.put(d));
            }
        }
        let before = self.globals.scripts_run;
        self.globals.scripts_run = false;
        for command in std::mem::take(&mut self.lvs.scripts) {
            self.notify_command(Some(command));
        }
        self.misc_scripts();
        let checkers = self.globals.scripts_run;
        self.globals.scripts_run = before;
        if checkers && !self.config.global.enable_script_security {
            let text = "SECURITY VIOLATION - check scripts are being executed but script_security \
                        not enabled.";
            let d = Diagnostic::warning(code::SCRIPT_SECURITY, Class::Security, text)
                .help("write enable_script_security in global_defs");
            self.session.report.push(d);
        }
    }
}

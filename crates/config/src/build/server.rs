//! The block of a `real_server`, statement by statement.

use std::net::IpAddr;
use std::sync::Arc;

use rk_base::Family;

use super::check;
use super::checker::RawChecker;
use super::command::RawCommand;
use super::seen::Seen;
use super::service::{Named, RawService, set_timing};
use super::{At, Build, Stop};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{Forwarding, Timing};
use crate::table::Keyword;
use crate::tree::{Node, Statement};

/// A `real_server` as it was written.
#[derive(Debug)]
pub(super) struct RawServer {
    pub(super) heading: Statement,
    pub(super) addr: IpAddr,
    pub(super) port: Option<u16>,
    pub(super) weight: Option<u32>,
    pub(super) forwarding: Option<Forwarding>,
    pub(super) uthreshold: u32,
    pub(super) lthreshold: u32,
    pub(super) inhibit_on_failure: Option<bool>,
    pub(super) alpha: Option<bool>,
    pub(super) smtp_alert: Option<bool>,
    pub(super) notify_up: Option<RawCommand>,
    pub(super) notify_down: Option<RawCommand>,
    pub(super) virtualhost: Option<Arc<str>>,
    pub(super) snmp_name: Option<Arc<str>>,
    pub(super) timing: Timing,
    pub(super) checkers: Vec<RawChecker>,
}

impl Build<'_> {
    /// Reports a heading or a line whose address or port cannot be used.
    pub(super) fn report_server(&mut self, text: String, statement: &Statement) {
        let d = Diagnostic::error(code::SERVER, Class::General, text);
        let (address, port) = (statement.word(1).unwrap_or(""), statement.word(2));
        let of_port = port.is_some() && check::socket_address(address).is_some();
        let d = statement.point(d, if of_port { 2 } else { 1 });
        let joined = address.rsplit_once(':').filter(|(ip, port)| {
            check::socket_address(ip).is_some() && port.bytes().all(|b| b.is_ascii_digit())
        });
        self.session.report.push(match (joined, port) {
            (Some((ip, port)), None) => d
                .help(format!("the port stands apart: write {ip} {port}"))
                .instead(&format!("{ip} {port}")),
            (_, Some(port)) if of_port => {
                let known = [
                    ("http", 80),
                    ("https", 443),
                    ("ssh", 22),
                    ("smtp", 25),
                    ("dns", 53),
                ];
                let known = known
                    .iter()
                    .find(|(name, _)| port.eq_ignore_ascii_case(name));
                match known {
                    Some((_, number)) => d
                        .help(format!("ports are numbers: write {number}"))
                        .instead(&number.to_string()),
                    None if port.contains([',', '-']) => d.help(
                        "a virtual_server has one port: write a block for each, or list them in a \
                         virtual_server_group",
                    ),
                    None => d.help(format!("write a port from 1 to 65535 instead of {port}")),
                }
            }
            _ if address.starts_with('$') => {
                d.help(format!("no definition {address} was read before this line"))
            }
            _ => d,
        });
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

    pub(super) fn real_server(
        &mut self,
        heading: Statement,
        nodes: Vec<Node>,
        service: &mut RawService,
    ) -> Result<(), Stop> {
        let (addr, port) = match self.server_address(&heading) {
            Ok(address) => address,
            Err(text) => {
                if heading.word(1).is_none() {
                    return Err(check::stop(&heading, 1, Some("IP [PORT]"), self.report()));
                }
                let text = format!("{text} - skipping");
                self.report_server(text, &heading);
                return Ok(());
            }
        };
        let mut server = RawServer {
            heading,
            addr,
            port,
            weight: None,
            forwarding: None,
            uthreshold: 0,
            lthreshold: 0,
            inhibit_on_failure: None,
            alpha: None,
            smtp_alert: None,
            notify_up: None,
            notify_down: None,
            virtualhost: None,
            snmp_name: None,
            timing: Timing::default(),
            checkers: Vec::new(),
        };
        let mut seen = Seen::default();
        for node in nodes {
            match node {
                Node::Problem(d) => self.session.report.push(*d),
                Node::Statement(keyword, statement) => {
                    self.server_statement(keyword, &statement, &mut seen, &mut server)?;
                }
                Node::Block(keyword, statement, inner) => {
                    let found = self.checker(keyword, statement, inner, addr)?;
                    server.checkers.extend(found);
                }
                Node::Lines(..) => {}
            }
        }
        self.real_server_fits(server, service);
        Ok(())
    }

    fn server_statement(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
        seen: &mut Seen,
        server: &mut RawServer,
    ) -> Result<(), Stop> {
        let Some(value) = self.value(keyword, statement)? else {
            return Ok(());
        };
        let again = !seen.insert(keyword.name);
        let text = || statement.word(1).map(Arc::from);
        if set_timing(&mut server.timing, keyword.name, &value) {
            return Ok(());
        }
        match keyword.name {
            "weight" => server.weight = value.int(),
            "lvs_method" => server.forwarding = self.forwarding(statement).or(server.forwarding),
            "uthreshold" => server.uthreshold = value.int().unwrap_or(0),
            "lthreshold" => server.lthreshold = value.int().unwrap_or(0),
            "inhibit_on_failure" => server.inhibit_on_failure = Some(value.on()),
            "alpha" => server.alpha = Some(value.on()),
            "smtp_alert" => server.smtp_alert = Some(value.on()),
            "virtualhost" => {
                self.repeated(keyword, again, statement);
                server.virtualhost = text();
            }
            "snmp_name" => {
                if self.one_word(statement) {
                    server.snmp_name = text();
                }
            }
            "notify_up" | "notify_down" => {
                if !self.repeated(keyword, again, statement) {
                    let command = self.raw_command(statement, true);
                    match keyword.name {
                        "notify_up" => server.notify_up = command,
                        _ => server.notify_down = command,
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Keeps a server whose family is that of its service, unless it is there already.
    fn real_server_fits(&mut self, server: RawServer, service: &mut RawService) {
        let ip = server.addr;
        let method = server.forwarding.or(service.forwarding);
        let tunnel = matches!(method, Some(Forwarding::Tun(_)));
        if service.family.is_some_and(|f| f != Family::of(ip)) && !tunnel {
            let text = format!(
                "Address family of virtual server and real server {ip} don't match - skipping \
                 real server."
            );
            self.report_at_end(code::FAMILY, Class::General, text, &server.heading, 1);
            return;
        }
        // The servers behind tunnels may be of both families; together they decide at the end.
        if !(tunnel && matches!(service.named, Named::Mark(_))) {
            service.family = service.family.or(Some(Family::of(ip)));
        }
        let key = (ip, server.port.unwrap_or(0));
        if let Err(n) = service.taken.insert(key) {
            let twin = &service.servers[n];
            let text = format!(
                "VS {}: real server [{ip}]:{}:{} is duplicated - removing second rs",
                service.shown(),
                service.transport(),
                key.1
            );
            let d = Diagnostic::error(code::DUPLICATE, Class::General, text)
                .help("give it more weight instead of writing it twice");
            let d = server.heading.point(d, 1);
            let d = At::of(&twin.heading, 1).also(d, "first written here");
            self.session.report.push(d);
            return;
        }
        service.servers.push(server);
    }
}

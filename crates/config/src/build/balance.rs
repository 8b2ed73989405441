//! From a `virtual_server` as it was written to what it means: inheritance, defaults, and the
//! values that other values force.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use rk_base::Family;

use super::checker::{RawChecker, RawKind};
use super::command::RawCommand;
use super::lvs::{GroupFacts, Late, Owner};
use super::seen::Places;
use super::server::RawServer;
use super::service::{Named, RawService};
use super::{At, Build};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{
    Bind, Check, Checker, Command, Connection, Forwarding, HttpCheck, MiscCheck, Persistence,
    Protocol, RealServer, RunAs, Service, SorryServer, Timing, Verdict, VirtualServer,
};
use crate::tree::Statement;

/// What a service has that its real servers and their checkers take over.
struct Above<'a> {
    raw: &'a RawService,
    forwarding: Forwarding,
}

/// The name of a service in messages, which few services need.
struct Shown<'a>(&'a RawService);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.shown())
    }
}

impl Build<'_> {
    /// Settles a service, whose place among the virtual servers is `at`. `None` if keepalived
    /// does not use it; that is reported.
    pub(super) fn settle_service(
        &mut self,
        mut raw: RawService,
        at: usize,
        group: Option<&GroupFacts>,
    ) -> Option<VirtualServer> {
        if raw.servers.is_empty() {
            let text = format!(
                "Virtual server {} has no real servers - ignoring",
                raw.shown()
            );
            let d = Diagnostic::error(code::SERVER, Class::General, text)
                .help("write at least one real_server; a sorry_server alone is not enough");
            self.session.report.push(raw.heading.point_at_end_of(d, 1));
            return None;
        }
        let marks = match (&raw.named, group) {
            (Named::Mark(_), _) => true,
            (_, Some(group)) => group.only_marks(),
            _ => false,
        };
        self.settle_basics(&mut raw, marks, group.is_some_and(GroupFacts::has_marks));
        let forwarding = raw.forwarding.unwrap_or_default();
        let persistence = self.settle_persistence(&raw, group);
        let above = Above {
            forwarding,
            raw: &raw,
        };
        let mut reals = Vec::with_capacity(raw.servers.len());
        let mut twins = Places::default();
        // keepalived counts the servers that turn out to be one with another too.
        let mut total = 0_u64;
        for server in &raw.servers {
            let port = self.settle_port(server, &above, group);
            total += u64::from(server.weight.unwrap_or(raw.weight));
            if twins.insert((server.addr, port)).is_err() {
                let text = format!(
                    "VS {}: real server [{}]:{}:{port} is there already - ignoring it",
                    above.raw.shown(),
                    server.addr,
                    above.raw.transport()
                );
                let d = Diagnostic::warning(code::DUPLICATE, Class::Ok, text);
                self.session.report.push(server.heading.point(d, 1));
                continue;
            }
            let place = (at, reals.len());
            reals.push(self.settle_real_server(server, port, place, &above));
        }
        let sorry = self.settle_sorry(&raw, &above, &reals);
        let (quorum, hysteresis) = self.settle_quorum(&raw, total);
        // Nothing has said it: a mark with no servers but those behind tunnels.
        let six = |server: &RawServer| Family::of(server.addr) == Family::V6;
        let all_six = !raw.servers.is_empty() && raw.servers.iter().all(six);
        let unsaid = if all_six { Family::V6 } else { Family::V4 };
        let family = raw.family.unwrap_or(unsaid);
        let protocol = raw.protocol.unwrap_or(Protocol::Udp);
        let service = match &raw.named {
            Named::Address(addr, port) => Service::Address {
                addr: *addr,
                port: *port,
                protocol,
            },
            Named::Mark(mark) => Service::Fwmark {
                mark: *mark,
                family,
            },
            Named::Group(name, index) => Service::Group {
                name: name.clone(),
                index: *index,
                protocol: (!marks).then_some(protocol),
                family,
            },
        };
        let mut server = VirtualServer::new(service, self.origin(&raw.heading));
        server.quorum = quorum.min(u32::try_from(sum(&reals)).unwrap_or(u32::MAX));
        server.hysteresis = hysteresis.min(server.quorum.saturating_sub(1));
        server.scheduler = raw.scheduler.unwrap_or_default();
        server.flags = raw.flags;
        server.ops = raw.ops.is_some();
        server.forwarding = forwarding;
        server.persistence = persistence;
        server.persistence_engine = raw.persistence_engine;
        server.alpha = raw.alpha;
        server.omega = raw.omega;
        server.ha_suspend = raw.ha_suspend.is_some();
        server.inhibit_on_failure = raw.inhibit_on_failure;
        server.weight = raw.weight;
        server.virtualhost = raw.virtualhost;
        server.snmp_name = raw.snmp_name;
        server.timing = raw.timing;
        server.sorry_server = sorry.map(Box::new);
        server.real_servers = reals;
        if let Some(on) = raw.smtp_alert {
            self.lvs.alerts.insert((at, None), on);
        }
        for (owner, command) in [
            (Owner::QuorumUp, raw.quorum_up),
            (Owner::QuorumDown, raw.quorum_down),
        ] {
            self.later(at, owner, command);
        }
        Some(server)
    }

    fn later(&mut self, service: usize, owner: Owner, command: Option<RawCommand>) {
        self.lvs.late.extend(command.map(|command| Late {
            service,
            owner,
            command,
            user: None,
            end: At::default(),
        }));
    }

    /// Protocol, scheduler, method, and the switches that do not go with every service.
    fn settle_basics(&mut self, raw: &mut RawService, marks: bool, has_marks: bool) {
        let complain = |this: &mut Self, text: String, help: &str, at: &Statement, n: usize| {
            // What is missing is said at the heading, what does not fit where it stands.
            let code = if n == 1 {
                code::SERVER_UNSAID
            } else {
                code::SERVER_SETTING
            };
            let d = Diagnostic::error(code, Class::General, text).help(help);
            this.session.report.push(at.point(d, n));
        };
        if marks && raw.protocol.take().is_some() {
            let text = format!(
                "Warning: Virtual server {shown}: protocol specified for fwmark - protocol will \
                 be ignored",
                shown = raw.shown()
            );
            let at = raw.protocol_at.take();
            let at = at.as_ref().unwrap_or(&raw.heading);
            complain(self, text, "a mark is for every protocol", at, 0);
        }
        if raw.protocol.is_none() && !marks {
            let text = format!(
                "Virtual server {shown}: no protocol set - defaulting to UDP",
                shown = raw.shown()
            );
            complain(
                self,
                text,
                "write protocol TCP, UDP or SCTP",
                &raw.heading,
                1,
            );
            raw.protocol = Some(Protocol::Udp);
        }
        if raw.scheduler.is_none() {
            let text = format!(
                "Virtual server {shown}: no scheduler set, setting default 'wlc'",
                shown = raw.shown()
            );
            complain(self, text, "write lb_algo wlc", &raw.heading, 1);
        }
        if raw.forwarding.is_none() {
            let text = format!(
                "Virtual server {shown}: no forwarding method set, setting default NAT",
                shown = raw.shown()
            );
            complain(self, text, "write lb_kind NAT", &raw.heading, 1);
        }
        if matches!(raw.protocol, Some(Protocol::Tcp | Protocol::Sctp))
            && let Some(at) = raw.ops.take()
        {
            let text = format!(
                "Virtual server {shown}: one packet scheduling requires UDP - resetting",
                shown = raw.shown()
            );
            complain(self, text, "leave ops out", &at, 0);
        }
        if (marks || has_marks)
            && let Some(at) = raw.ha_suspend.take()
        {
            let text = format!(
                "Virtual server {shown}: cannot use ha_suspend with fwmarks - clearing ha_suspend",
                shown = raw.shown()
            );
            complain(self, text, "there is no address to watch", &at, 0);
        }
    }

    /// Services for every port must be persistent.
    fn settle_persistence(
        &mut self,
        raw: &RawService,
        group: Option<&GroupFacts>,
    ) -> Option<Persistence> {
        let persistence = raw.persistence();
        let every_port = match &raw.named {
            Named::Address(_, port) => *port == 0,
            Named::Group(..) => group.is_some_and(GroupFacts::has_port_zero),
            Named::Mark(_) => false,
        };
        if persistence.is_some() || !every_port {
            return persistence;
        }
        let text = format!(
            "Virtual server {}: zero port only valid for persistent services - setting",
            raw.shown()
        );
        let d = Diagnostic::error(code::EVERY_PORT, Class::General, text)
            .help("write a port, or persistence_timeout");
        self.session.report.push(raw.heading.point(d, 1));
        Some(Persistence::DEFAULT)
    }

    /// The port of a real server in the table.
    fn settle_port(
        &mut self,
        server: &RawServer,
        above: &Above<'_>,
        group: Option<&GroupFacts>,
    ) -> u16 {
        let forwarding = server.forwarding.unwrap_or(above.forwarding);
        let written = server.port.filter(|p| *p != 0);
        let name = || {
            let port = server.port.unwrap_or(0);
            format!("[{}]:{}:{port}", server.addr, above.raw.transport())
        };
        let (service, keeps) = (Shown(above.raw), forwarding.keeps_port());
        let mut texts = Vec::new();
        let port = match (&above.raw.named, keeps) {
            // keepalived: 0 is as good as none.
            (Named::Address(_, port), false) => written.unwrap_or(*port),
            (Named::Address(_, port), true) => {
                if written.is_some_and(|p| p != *port) {
                    let name = name();
                    texts.push(format!(
                        "WARNING - virtual server {service} and real server {name} ports don't \
                         match - resetting"
                    ));
                }
                *port
            }
            (Named::Mark(_), true) => {
                if written.is_some() {
                    let name = name();
                    texts.push(format!(
                        "WARNING - fwmark virtual server {service}, real server {name} has port \
                         specified - clearing"
                    ));
                }
                0
            }
            (Named::Mark(_) | Named::Group(..), _) => {
                if let (Some(group), Some(port), true) = (group, written, keeps) {
                    let name = name();
                    if group.has_marks() {
                        texts.push(format!(
                            "WARNING - fwmark virtual server {service}, real server {name} has \
                             port specified - port will be ignored"
                        ));
                    }
                    texts.extend(group.other_ports(port).map(|entry| {
                        format!(
                            "virtual server {service}:{entry} and real server {name} ports don't \
                             match"
                        )
                    }));
                }
                server.port.unwrap_or(0)
            }
        };
        for text in texts {
            let d = Diagnostic::warning(code::PORT, Class::General, text)
                .help("DR and TUN cannot change ports; leave the port of the real server out");
            self.session.report.push(server.heading.point(d, 2));
        }
        port
    }

    fn settle_real_server(
        &mut self,
        raw: &RawServer,
        port: u16,
        (at, n): (usize, usize),
        above: &Above<'_>,
    ) -> RealServer {
        let service = above.raw;
        let mut server = RealServer::new(raw.addr, port, self.origin(&raw.heading));
        server.weight = raw.weight.unwrap_or(service.weight);
        server.forwarding = raw.forwarding.unwrap_or(above.forwarding);
        server.uthreshold = raw.uthreshold;
        server.lthreshold = raw.lthreshold;
        server.inhibit_on_failure = raw.inhibit_on_failure.unwrap_or(service.inhibit_on_failure);
        server.alpha = raw.alpha.unwrap_or(service.alpha);
        server.virtualhost = raw
            .virtualhost
            .clone()
            .or_else(|| service.virtualhost.clone());
        server.snmp_name.clone_from(&raw.snmp_name);
        if raw.timing != Timing::default() {
            server.timing = Some(Box::new(raw.timing.clone()));
        }
        server.checkers.reserve_exact(raw.checkers.len());
        for (c, checker) in raw.checkers.iter().enumerate() {
            if let RawKind::Misc(misc) = &checker.kind {
                let owner = Owner::Misc(n, c);
                self.lvs
                    .late
                    .extend(misc.command.clone().map(|command| Late {
                        service: at,
                        owner,
                        command,
                        user: misc.user.clone(),
                        end: At::end_of(&checker.heading),
                    }));
            }
            if let Some(on) = checker.log_all_failures {
                self.lvs.log_all.insert((at, n, c), on);
            }
            let settled = self.settle_checker(checker, raw, &server, above);
            server.checkers.push(settled);
        }
        if let Some(on) = raw.smtp_alert {
            self.lvs.alerts.insert((at, Some(n)), on);
        }
        for (owner, command) in [
            (Owner::NotifyUp(n), &raw.notify_up),
            (Owner::NotifyDown(n), &raw.notify_down),
        ] {
            self.later(at, owner, command.clone());
        }
        server
    }

    fn settle_checker(
        &self,
        raw: &RawChecker,
        server: &RawServer,
        settled: &RealServer,
        above: &Above<'_>,
    ) -> Checker {
        let levels = [&raw.timing, &server.timing, &above.raw.timing];
        let first = |get: fn(&Timing) -> Option<Duration>| levels.into_iter().find_map(get);
        let service_loop = above.raw.timing.delay_loop.unwrap_or(DELAY_LOOP);
        let delay_loop = first(|t| t.delay_loop).unwrap_or(DELAY_LOOP);
        let (retry, before_retry) = match &raw.kind {
            RawKind::Misc(_) | RawKind::Bfd(_) | RawKind::File(_) => (0, Duration::from_secs(1)),
            RawKind::Dns(_) => (3, delay_loop),
            RawKind::Http(_) => (1, Duration::from_secs(3)),
            RawKind::Tcp | RawKind::Ping | RawKind::Udp(_) | RawKind::Smtp(_) => {
                (1, Duration::from_secs(1))
            }
        };
        let port = raw.connect_port.or(server.port).unwrap_or(settled.port);
        let connection = || Connection {
            target: SocketAddr::new(raw.connect_ip.unwrap_or(server.addr), port),
            timeout: first(|t| t.connect_timeout).unwrap_or(CONNECT_TIMEOUT),
            bind: (raw.bind != Bind::default()).then(|| Box::new(raw.bind.clone())),
        };
        let check = match &raw.kind {
            RawKind::Tcp => Check::Tcp(connection()),
            RawKind::Ping => Check::Ping(connection()),
            RawKind::Udp(udp) => Check::Udp(connection(), Box::new(udp.clone())),
            RawKind::Http(http) => {
                let http = settle_http(http, settled);
                Check::Http(connection(), Box::new(http))
            }
            RawKind::Smtp(smtp) => Check::Smtp(connection(), Box::new(smtp.clone())),
            RawKind::Dns(dns) => Check::Dns(connection(), Box::new(dns.clone())),
            RawKind::Misc(misc) => Check::Misc(Box::new(MiscCheck {
                command: self.unjudged(misc.command.as_ref(), &raw.heading),
                timeout: misc.timeout.unwrap_or(service_loop),
                own_timeout: misc.timeout.is_some(),
                dynamic: misc.dynamic,
            })),
            RawKind::Bfd(name) => Check::Bfd {
                name: name.clone().unwrap_or_default(),
            },
            RawKind::File(file) => {
                let (name, weight, reverse) = file.file.clone().unwrap_or_default();
                Check::File {
                    track_file: name,
                    weight: file.weight.unwrap_or(weight),
                    reverse: file.reverse.unwrap_or(reverse),
                }
            }
        };
        Checker {
            check,
            delay_loop,
            warmup: first(|t| t.warmup).unwrap_or(delay_loop),
            retry: levels.into_iter().find_map(|t| t.retry).unwrap_or(retry),
            delay_before_retry: first(|t| t.delay_before_retry).unwrap_or(before_retry),
            alpha: raw.alpha.unwrap_or(settled.alpha),
            log_all_failures: false,
            origin: self.origin(&raw.heading),
        }
    }

    /// A command until [`Build::finish_lvs`] knows its user and looked at its file.
    fn unjudged(&self, raw: Option<&RawCommand>, heading: &Statement) -> Command {
        Command {
            argv: raw.map(|r| r.argv.clone()).unwrap_or_default(),
            path: String::new(),
            run_as: RunAs::ROOT,
            verdict: Verdict::NoUser,
            origin: self.origin(heading),
        }
    }

    fn settle_sorry(
        &mut self,
        raw: &RawService,
        above: &Above<'_>,
        reals: &[RealServer],
    ) -> Option<SorryServer> {
        let sorry = raw.sorry.as_ref()?;
        let forwarding = sorry.forwarding.unwrap_or(above.forwarding);
        let tunnel = matches!(forwarding, Forwarding::Tun(_));
        if raw.family.is_some_and(|f| f != Family::of(sorry.addr)) && !tunnel {
            let text = "Address family of virtual server and sorry server don't match - skipping \
                        sorry server.";
            let d = Diagnostic::error(code::FAMILY, Class::General, text);
            let sorry = At::of(&sorry.at, 1);
            let d = raw.heading.point_at_end_of(d, 1);
            self.session.report.push(sorry.also(d, "this one"));
            return None;
        }
        let shown = Shown(raw);
        let (port, text) = match (&raw.named, forwarding.keeps_port()) {
            (Named::Address(_, port), true) => (
                *port,
                sorry.port.is_some_and(|p| p != *port).then(|| {
                    format!(
                        "WARNING - virtual server {shown} and sorry server ports don't match - \
                         resetting"
                    )
                }),
            ),
            (Named::Mark(_), true) => (
                0,
                sorry.port.is_some_and(|p| p != 0).then(|| {
                    format!(
                        "WARNING - virtual server {shown}, sorry server has port specified - \
                         clearing"
                    )
                }),
            ),
            _ => (sorry.port.unwrap_or(0), None),
        };
        if let Some(text) = text {
            self.warn_at(code::PORT, Class::General, text, &sorry.at, 2);
        }
        let mut inhibit = sorry.inhibit;
        let twin = reals
            .iter()
            .find(|r| (r.addr, r.port) == (sorry.addr, port));
        if let Some(twin) = twin.filter(|t| t.inhibit_on_failure != inhibit) {
            inhibit = twin.inhibit_on_failure;
            let text = format!(
                "Virtual server {shown}: real server [{}]:{}:{port} matches sorry server, but \
                 inhibit setting differs, {} on sorry server",
                sorry.addr,
                above.raw.transport(),
                if inhibit { "setting" } else { "clearing" }
            );
            let d = Diagnostic::error(code::SORRY_SERVER, Class::General, text)
                .help("write sorry_server_inhibit if and only if inhibit_on_failure is set");
            self.session.report.push(sorry.at.point(d, 1));
        }
        Some(SorryServer {
            addr: sorry.addr,
            port,
            forwarding,
            inhibit,
            origin: self.origin(&sorry.at),
        })
    }

    fn settle_quorum(&mut self, raw: &RawService, total: u64) -> (u32, u32) {
        let shown = Shown(raw);
        let mut quorum = raw.quorum.as_ref().map_or(1, |(q, _)| *q);
        if u64::from(quorum) > total {
            let at = raw.quorum.as_ref().map_or(&raw.heading, |(_, at)| at);
            let text = format!(
                "Warning - quorum {quorum} for {shown} exceeds total weight of real servers \
                 {total}, reducing quorum to {total}"
            );
            let d = Diagnostic::error(code::QUORUM, Class::General, text).help(match total {
                0 => "give at least one server a weight above 0".to_owned(),
                _ => format!(
                    "write a quorum of at most {total}, or raise the weights of the servers"
                ),
            });
            self.session.report.push(at.point(d, 1));
            quorum = u32::try_from(total).unwrap_or(u32::MAX);
        }
        let mut hysteresis = raw.hysteresis.as_ref().map_or(0, |(h, _)| *h);
        if let Some((_, at)) = raw
            .hysteresis
            .as_ref()
            .filter(|(h, _)| *h >= quorum && *h > 0)
        {
            let lower = quorum.saturating_sub(1);
            let text = format!(
                "Virtual server {shown}: hysteresis {hysteresis} >= quorum {quorum}; setting \
                 hysteresis to {lower}"
            );
            self.report_at(code::QUORUM, Class::General, text, at, 1);
            hysteresis = lower;
        }
        (quorum, hysteresis)
    }
}

/// `delay_loop` when nothing says otherwise.
const DELAY_LOOP: Duration = Duration::from_secs(60);

/// `connect_timeout` when nothing says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

fn sum(servers: &[RealServer]) -> u64 {
    servers.iter().map(|s| u64::from(s.weight)).sum()
}

/// Pages with their hosts.
fn settle_http(raw: &HttpCheck, server: &RealServer) -> HttpCheck {
    let mut http = raw.clone();
    http.virtualhost = http.virtualhost.or_else(|| server.virtualhost.clone());
    let compliant = http.tls.as_ref().is_some_and(|t| t.compliant);
    for url in &mut http.urls {
        url.tls_compliant |= compliant;
        if url.virtualhost.is_none() {
            url.virtualhost.clone_from(&http.virtualhost);
        }
    }
    http
}

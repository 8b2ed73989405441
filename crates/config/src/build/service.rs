//! The block of a `virtual_server`, statement by statement.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use rk_base::Family;

use super::advise;
use super::check::{self, Val};
use super::command::RawCommand;
use super::seen::{Places, Seen};
use super::server::RawServer;
use super::{Build, Stop};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{
    Forwarding, Granularity, Persistence, Protocol, Scheduler, SchedulerFlags, Timing, Tunnel,
    TunnelChecksum, TunnelKind,
};
use crate::table::Keyword;
use crate::tree::{Node, Statement};

/// What a heading names.
#[derive(Clone, Debug)]
pub(super) enum Named {
    Address(IpAddr, u16),
    Mark(u32),
    /// The group, and how many services of it came before.
    Group(Arc<str>, u32),
}

/// A `virtual_server` as it was written.
#[derive(Debug)]
pub(super) struct RawService {
    pub(super) heading: Statement,
    pub(super) named: Named,
    /// That of the address, else of `ip_family`, else of the first server.
    pub(super) family: Option<Family>,
    pub(super) protocol: Option<Protocol>,
    pub(super) protocol_at: Option<Statement>,
    pub(super) scheduler: Option<Scheduler>,
    pub(super) flags: SchedulerFlags,
    pub(super) ops: Option<Statement>,
    pub(super) forwarding: Option<Forwarding>,
    pub(super) persistence_timeout: Option<Duration>,
    pub(super) granularity: Option<Granularity>,
    pub(super) persistence_engine: Option<Arc<str>>,
    pub(super) quorum: Option<(u32, Statement)>,
    pub(super) hysteresis: Option<(u32, Statement)>,
    pub(super) quorum_up: Option<RawCommand>,
    pub(super) quorum_down: Option<RawCommand>,
    pub(super) alpha: bool,
    pub(super) omega: bool,
    pub(super) inhibit_on_failure: bool,
    pub(super) ha_suspend: Option<Statement>,
    pub(super) smtp_alert: Option<bool>,
    pub(super) virtualhost: Option<Arc<str>>,
    pub(super) snmp_name: Option<Arc<str>>,
    pub(super) weight: u32,
    pub(super) timing: Timing,
    pub(super) sorry: Option<RawSorry>,
    pub(super) servers: Vec<RawServer>,
    /// The addresses and ports of `servers`.
    pub(super) taken: Places,
    seen: Seen,
}

/// A `sorry_server` as it was written.
#[derive(Debug)]
pub(super) struct RawSorry {
    pub(super) addr: IpAddr,
    pub(super) port: Option<u16>,
    pub(super) forwarding: Option<Forwarding>,
    pub(super) inhibit: bool,
    pub(super) at: Statement,
}

impl RawService {
    fn new(heading: Statement, named: Named) -> Self {
        let family = match &named {
            Named::Address(ip, _) => Some(Family::of(*ip)),
            Named::Mark(_) | Named::Group(..) => None,
        };
        Self {
            heading,
            named,
            family,
            protocol: None,
            protocol_at: None,
            scheduler: None,
            flags: SchedulerFlags::default(),
            ops: None,
            forwarding: None,
            persistence_timeout: None,
            granularity: None,
            persistence_engine: None,
            quorum: None,
            hysteresis: None,
            quorum_up: None,
            quorum_down: None,
            alpha: false,
            omega: false,
            inhibit_on_failure: false,
            ha_suspend: None,
            smtp_alert: None,
            virtualhost: None,
            snmp_name: None,
            weight: 1,
            timing: Timing::default(),
            sorry: None,
            servers: Vec::new(),
            taken: Places::default(),
            seen: Seen::default(),
        }
    }

    /// The name keepalived gives it in its messages.
    pub(super) fn shown(&self) -> String {
        match &self.named {
            Named::Address(ip, port) => format!("[{ip}]:{}:{port}", self.transport()),
            Named::Mark(mark) => format!("FWM {mark}"),
            Named::Group(name, index) => format!("[{name}]:{index}"),
        }
    }

    /// The name of its transport.
    pub(super) fn transport(&self) -> String {
        self.protocol
            .map_or_else(|| "none".to_owned(), |p| p.to_string())
    }

    /// How long clients keep their server, as far as the block says.
    pub(super) fn persistence(&self) -> Option<Persistence> {
        (self.persistence_timeout.is_some() || self.granularity.is_some()).then(|| Persistence {
            timeout: self
                .persistence_timeout
                .unwrap_or(Persistence::DEFAULT.timeout),
            granularity: self.granularity,
        })
    }
}

/// Applies a time of checks; `false` if `name` is none.
pub(super) fn set_timing(timing: &mut Timing, name: &str, value: &Val) -> bool {
    match name {
        "delay_loop" => timing.delay_loop = value.duration(),
        "warmup" => timing.warmup = value.duration(),
        "retry" | "nb_get_retry" => timing.retry = value.int(),
        "delay_before_retry" => timing.delay_before_retry = value.duration(),
        "connect_timeout" => timing.connect_timeout = value.duration(),
        _ => return false,
    }
    true
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
                self.report_server(text, statement);
                false
            }
        })
    }

    /// What a heading names.
    pub(super) fn service(&self, statement: &Statement) -> Result<Named, String> {
        let first = statement.word(1).unwrap_or("");
        let second = statement.word(2);
        match first {
            "fwmark" => {
                let Some(mark) = second else {
                    return Err("virtual_server fwmark needs a number".into());
                };
                check::integer(mark, 0, u64::from(u32::MAX), false, false)
                    .map(|n| Named::Mark(u32::try_from(n).unwrap_or(u32::MAX)))
                    .map_err(|e| format!("fwmark of virtual_server: {e}"))
            }
            "group" => match second {
                Some(name) => {
                    let before = self.lvs.group_users.get(name).copied();
                    Ok(Named::Group(name.into(), before.unwrap_or(0)))
                }
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
                Ok(Named::Address(address, port))
            }
        }
    }

    pub(super) fn virtual_server(
        &mut self,
        heading: &Statement,
        nodes: Vec<Node>,
    ) -> Result<(), Stop> {
        let Ok(named) = self.service(heading) else {
            return Ok(());
        };
        if let Named::Group(name, before) = &named {
            let name = name.as_ref().to_owned();
            self.lvs.group_users.insert(name, before + 1);
        }
        let mut service = RawService::new(heading.clone(), named);
        for node in nodes {
            match node {
                Node::Problem(d) => self.session.report.push(*d),
                Node::Statement(keyword, statement) => {
                    self.service_statement(keyword, statement, &mut service)?;
                }
                Node::Block(_, statement, inner) => {
                    self.real_server(statement, inner, &mut service)?;
                }
                Node::Lines(..) => {}
            }
        }
        self.service_read(service);
        Ok(())
    }

    fn service_statement(
        &mut self,
        keyword: &'static Keyword,
        statement: Statement,
        service: &mut RawService,
    ) -> Result<(), Stop> {
        let Some(value) = self.value(keyword, &statement)? else {
            return Ok(());
        };
        let seen = !service.seen.insert(keyword.name);
        let name = keyword.canonical();
        let text = || statement.word(1).map(Arc::from);
        if set_timing(&mut service.timing, name, &value) {
            return Ok(());
        }
        match name {
            "lb_kind" => {
                if let Some(method) = self.forwarding(&statement) {
                    service.forwarding = Some(method);
                }
            }
            "lb_algo" => service.scheduler = statement.word(1).and_then(Scheduler::named),
            "protocol" => self.service_protocol(statement, service),
            "ip_family" => self.service_family(&statement, service),
            "weight" => service.weight = value.int().unwrap_or(1),
            "quorum" => service.quorum = value.int().map(|n| (n, statement)),
            "hysteresis" => service.hysteresis = value.int().map(|n| (n, statement)),
            "ops" => service.ops = Some(statement),
            "flag-1" => service.flags.sched1 = true,
            "flag-2" => service.flags.sched2 = true,
            "flag-3" => service.flags.sched3 = true,
            "hashed" | "sh-port" | "sh-fallback" | "mh-port" | "mh-fallback" => {
                self.scheduler_flag(keyword, &statement, service);
            }
            "persistence_timeout" => {
                let timeout = value.duration().unwrap_or(Persistence::DEFAULT.timeout);
                service.persistence_timeout = Some(timeout);
            }
            "persistence_granularity" => self.granularity(&statement, service),
            "persistence_engine" => service.persistence_engine = value.text().map(Arc::from),
            "sorry_server" => self.sorry_server(statement, service),
            "sorry_server_inhibit" => match &mut service.sorry {
                Some(sorry) => sorry.inhibit = true,
                None => self.needs_sorry(&statement),
            },
            "sorry_server_lvs_method" => {
                let method = self.forwarding(&statement);
                match &mut service.sorry {
                    Some(sorry) => sorry.forwarding = method.or(sorry.forwarding),
                    None => self.needs_sorry(&statement),
                }
            }
            "alpha" => service.alpha = true,
            "omega" => service.omega = true,
            "inhibit_on_failure" => service.inhibit_on_failure = true,
            "ha_suspend" => service.ha_suspend = Some(statement),
            "smtp_alert" => service.smtp_alert = Some(value.on()),
            "virtualhost" => {
                self.repeated(keyword, seen, &statement);
                service.virtualhost = text();
            }
            "snmp_name" => {
                if self.one_word(&statement) {
                    service.snmp_name = text();
                }
            }
            "quorum_up" | "quorum_down" => {
                if !self.repeated(keyword, seen, &statement) {
                    let command = self.raw_command(&statement, true);
                    match name {
                        "quorum_up" => service.quorum_up = command,
                        _ => service.quorum_down = command,
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn service_protocol(&mut self, statement: Statement, service: &mut RawService) {
        let word = statement.word(1).unwrap_or("").to_ascii_uppercase();
        if matches!(service.named, Named::Mark(_)) {
            let text = format!(
                "Warning: Virtual server {}: protocol specified for fwmark - protocol will be \
                 ignored",
                service.shown()
            );
            self.warn_at(code::SERVER_SETTING, Class::General, text, &statement, 0);
            return;
        }
        service.protocol = Some(match word.as_str() {
            "TCP" => Protocol::Tcp,
            "SCTP" => Protocol::Sctp,
            _ => Protocol::Udp,
        });
        service.protocol_at = Some(statement);
    }

    fn service_family(&mut self, statement: &Statement, service: &mut RawService) {
        let family = if statement.word(1) == Some("inet6") {
            Family::V6
        } else {
            Family::V4
        };
        if service.family.is_some_and(|f| f != family) {
            let text = format!(
                "Virtual server specified family {} conflicts with server family",
                statement.word(1).unwrap_or("")
            );
            let d = Diagnostic::error(code::FAMILY, Class::General, text)
                .help("the addresses decide; ip_family is for services by mark alone");
            self.session.report.push(statement.point(d, 1));
        } else {
            service.family = Some(family);
        }
    }

    /// Flags that belong to one scheduler, which must be set before them.
    fn scheduler_flag(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
        service: &mut RawService,
    ) {
        let (owner, flag) = keyword.name.split_once('-').unwrap_or(("sh or mh", ""));
        let fits = match service.scheduler {
            Some(Scheduler::Sh) => owner != "mh",
            Some(Scheduler::Mh) => owner != "sh",
            _ => false,
        };
        if !fits {
            let text = format!("{} needs its scheduler before it", keyword.name);
            let d = Diagnostic::error(code::SERVER_SETTING, Class::General, text)
                .help(format!("write lb_algo {owner} on a line before it"));
            self.session.report.push(statement.point(d, 0));
            return;
        }
        match flag {
            "fallback" => service.flags.sched1 = true,
            "port" => service.flags.sched2 = true,
            _ => service.flags.hashed = true,
        }
    }

    /// A mask or a length, by the family, which it decides if nothing else did.
    fn granularity(&mut self, statement: &Statement, service: &mut RawService) {
        let word = statement.word(1).unwrap_or("");
        let length = check::integer(word, 1, 128, false, false).ok();
        let length = length.and_then(|n| u8::try_from(n).ok());
        let mask = classic(word);
        let granularity = match service.family {
            Some(Family::V6) => length.map(Granularity::Length),
            // A number alone is an IPv4 mask too: 24 means 0.0.0.24.
            Some(Family::V4) => mask.map(Granularity::Mask),
            None if word.contains('.') => mask.map(Granularity::Mask),
            None => length.map(Granularity::Length),
        };
        let Some(granularity) = granularity else {
            let text = format!("invalid persistence_granularity '{word}'");
            let help = match service.family {
                Some(Family::V6) => "write a prefix length from 1 to 128",
                _ => "write a mask, such as 255.255.255.0",
            };
            let d = Diagnostic::error(code::SERVER_SETTING, Class::General, text).help(help);
            self.session.report.push(statement.point(d, 1));
            return;
        };
        service.granularity = Some(granularity);
        service.family = service.family.or(Some(match granularity {
            Granularity::Mask(_) => Family::V4,
            Granularity::Length(_) => Family::V6,
        }));
    }

    /// Whether a statement has one word only; more are reported.
    pub(super) fn one_word(&mut self, statement: &Statement) -> bool {
        let one = statement.words().len() <= 2;
        if !one {
            let text = format!("{} takes one word - ignoring", statement.keyword());
            self.report_at(code::EXTRA_WORDS, Class::General, text, statement, 2);
        }
        one
    }

    fn needs_sorry(&mut self, statement: &Statement) {
        let text = format!("{} must stand after sorry_server", statement.keyword());
        let d = Diagnostic::error(code::SORRY_SERVER, Class::General, text)
            .help("write it on a line behind sorry_server");
        self.session.report.push(statement.point(d, 0));
    }

    fn sorry_server(&mut self, statement: Statement, service: &mut RawService) {
        match self.server_address(&statement) {
            Ok((addr, port)) => {
                service.sorry = Some(RawSorry {
                    addr,
                    port,
                    forwarding: None,
                    inhibit: false,
                    at: statement,
                });
            }
            Err(text) => self.report_server(text, &statement),
        }
    }

    /// `NAT|DR|TUN [type T] [port N] [nocsum|csum|remcsum]`. Options that do not fit each other
    /// are reported and leave a plain tunnel.
    pub(super) fn forwarding(&mut self, statement: &Statement) -> Option<Forwarding> {
        // The options of tunnels are read behind the others, too.
        let other = match statement.word(1).unwrap_or("") {
            "NAT" => Some(Forwarding::Nat),
            "DR" => Some(Forwarding::Dr),
            "TUN" => None,
            word => {
                let text = format!("PARSER : unknown [{word}] routing method for virtual server.");
                let d = Diagnostic::error(code::UNKNOWN_WORD, Class::General, text);
                let d = statement.point(d, 1);
                let meant = advise::synonym(word).filter(|m| ["NAT", "DR", "TUN"].contains(m));
                self.session
                    .report
                    .push(match (word.to_ascii_uppercase(), meant) {
                        (upper, Some(meant)) if upper == meant => {
                            d.help(format!("write {upper}, in capitals")).instead(meant)
                        }
                        (_, Some(meant)) => {
                            d.help(format!("{meant} is what does that")).instead(meant)
                        }
                        _ => d.help("write NAT, DR or TUN"),
                    });
                return None;
            }
        };
        let mut tunnel = Tunnel::default();
        let mut port = None;
        let mut n = 2;
        while let Some(option) = statement.word(n) {
            let value = statement.word(n + 1);
            match (option, value) {
                ("type", Some("ipip")) => tunnel.kind = TunnelKind::Ipip,
                ("type", Some("gue")) => tunnel.kind = TunnelKind::Gue,
                ("type", Some("gre")) => tunnel.kind = TunnelKind::Gre,
                ("port", Some(word)) => match check::integer(word, 1, 65_535, false, false) {
                    Ok(number) => port = u16::try_from(number).ok(),
                    Err(_) => break,
                },
                ("nocsum", _) => tunnel.checksum = TunnelChecksum::None,
                ("csum", _) => tunnel.checksum = TunnelChecksum::Checksum,
                ("remcsum", _) => tunnel.checksum = TunnelChecksum::Remote,
                _ => break,
            }
            n += if matches!(option, "type" | "port") {
                2
            } else {
                1
            };
        }
        let problem = if statement.word(n).is_some() {
            Some("the tunnel options cannot be used - ignoring")
        } else {
            match (tunnel.kind, port, tunnel.checksum) {
                (TunnelKind::Gue, None, _) | (TunnelKind::Ipip | TunnelKind::Gre, Some(_), _) => {
                    Some("gue tunnels require port, otherwise cannot have port.")
                }
                (TunnelKind::Ipip, _, TunnelChecksum::Checksum | TunnelChecksum::Remote) => {
                    Some("ipip tunnels do not support checksum option.")
                }
                (TunnelKind::Gre, _, TunnelChecksum::Remote) => {
                    Some("gre tunnels do not support remote checksum option.")
                }
                _ => None,
            }
        };
        if let Some(text) = problem {
            let d = Diagnostic::error(code::TUNNEL, Class::General, text)
                .help("write TUN type ipip, TUN type gre csum, or TUN type gue port 6080 csum");
            self.session.report.push(statement.point(d, n));
            return other.or(Some(Forwarding::Tun(Tunnel::default())));
        }
        tunnel.port = port.unwrap_or(0);
        other.or(Some(Forwarding::Tun(tunnel)))
    }
}

/// An IPv4 address as it was written in the old days: the last of up to four numbers stands for
/// all bytes that are left, and any of them may be octal or hexadecimal.
fn classic(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    let (last, bytes) = parts.split_last().filter(|(_, bytes)| bytes.len() < 4)?;
    let number = |part: &str| {
        let octal = part.strip_prefix('0').filter(|rest| !rest.is_empty());
        match (part.strip_prefix("0x").or(part.strip_prefix("0X")), octal) {
            (Some(digits), _) => u32::from_str_radix(digits, 16).ok(),
            (None, Some(digits)) => u32::from_str_radix(digits, 8).ok(),
            (None, None) => part.parse().ok(),
        }
        .filter(|_| part.starts_with(|c: char| c.is_ascii_digit()) && !part.contains('+'))
    };
    let mut address = 0;
    for byte in bytes {
        address = address << 8 | number(byte).filter(|n| *n < 256)?;
    }
    let left = 32 - 8 * u32::try_from(bytes.len()).ok()?;
    let last = number(last).filter(|n| left == 32 || *n >> left == 0)?;
    let high = address.checked_shl(left).unwrap_or(0);
    Some(Ipv4Addr::from(high | last))
}

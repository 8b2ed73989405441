//! The blocks of checkers, statement by statement.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::check::{self, Val};
use super::command::{RawCommand, RawUser};
use super::seen::Seen;
use super::service::set_timing;
use super::{Build, Stop};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{Bind, DnsCheck, DnsRecord, HttpCheck, SmtpCheck, Timing, UdpCheck};
use crate::table::{Keyword, Value};
use crate::tree::{Node, Statement};

/// A checker as it was written.
#[derive(Clone, Debug)]
pub(super) struct RawChecker {
    pub(super) heading: Statement,
    pub(super) kind: RawKind,
    pub(super) timing: Timing,
    pub(super) alpha: Option<bool>,
    pub(super) log_all_failures: Option<bool>,
    pub(super) connect_ip: Option<IpAddr>,
    pub(super) connect_port: Option<u16>,
    pub(super) bind: Bind,
    /// It is a `host` block of `SMTP_CHECK`.
    is_host: bool,
    /// It is a `DNS_CHECK` that has its name.
    is_named: bool,
}

/// What a checker does, before it is known for whom.
#[derive(Clone, Debug)]
pub(super) enum RawKind {
    Tcp,
    Ping,
    Udp(UdpCheck),
    /// Hosts of pages are not resolved.
    Http(HttpCheck),
    Smtp(SmtpCheck),
    Dns(DnsCheck),
    Misc(RawMisc),
    Bfd(Option<Arc<str>>),
    File(RawFile),
}

#[derive(Clone, Debug, Default)]
pub(super) struct RawMisc {
    pub(super) command: Option<RawCommand>,
    pub(super) user: Option<RawUser>,
    user_failed: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) dynamic: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct RawFile {
    /// Name, weight and direction of the file.
    pub(super) file: Option<(Arc<str>, i32, bool)>,
    pub(super) weight: Option<i32>,
    pub(super) reverse: Option<bool>,
}

impl RawKind {
    fn of(keyword: &str) -> Self {
        match keyword {
            "PING_CHECK" => Self::Ping,
            "UDP_CHECK" => Self::Udp(UdpCheck {
                max_reply_length: 255,
                ..UdpCheck::default()
            }),
            "HTTP_GET" => Self::Http(HttpCheck::new(false)),
            "SSL_GET" => Self::Http(HttpCheck::new(true)),
            "SMTP_CHECK" => Self::Smtp(SmtpCheck {
                helo_name: Arc::from("smtpchecker.keepalived.org"),
            }),
            "DNS_CHECK" => Self::Dns(DnsCheck {
                record: DnsRecord::Soa,
                name: Arc::from(""),
            }),
            "MISC_CHECK" => Self::Misc(RawMisc::default()),
            "BFD_CHECK" => Self::Bfd(None),
            "FILE_CHECK" => Self::File(RawFile::default()),
            _ => Self::Tcp,
        }
    }

    /// The keyword without which it is of no use and that is not there.
    fn lacks(&self) -> Option<&'static str> {
        match self {
            Self::Misc(RawMisc { command: None, .. }) => Some("misc_path"),
            Self::File(RawFile { file: None, .. }) => Some("track_file"),
            Self::Bfd(None) => Some("name"),
            Self::Http(http) if http.urls.is_empty() => Some("url"),
            _ => None,
        }
    }
}

impl RawChecker {
    /// This one, if its block says anything about its connection.
    fn own_place(&self) -> Option<Self> {
        let said = self.connect_ip.is_some()
            || self.connect_port.is_some()
            || self.bind != Bind::default()
            || self.timing.connect_timeout.is_some();
        said.then(|| self.clone())
    }
}

impl Build<'_> {
    /// Reads the block of one checker of the server `addr`: none if it cannot be used, several
    /// if it has `host` blocks, each of which is a checker of its own, beside the checker itself
    /// where that says where to connect, or from where.
    pub(super) fn checker(
        &mut self,
        keyword: &'static Keyword,
        heading: Statement,
        nodes: Vec<Node>,
        addr: IpAddr,
    ) -> Result<Vec<RawChecker>, Stop> {
        let mut checker = RawChecker {
            kind: RawKind::of(keyword.name),
            heading,
            timing: Timing::default(),
            alpha: None,
            log_all_failures: None,
            connect_ip: None,
            connect_port: None,
            bind: Bind::default(),
            is_host: false,
            is_named: false,
        };
        let mut seen = Seen::default();
        let mut hosts = Vec::new();
        for node in nodes {
            match node {
                Node::Problem(d) => self.session.report.push(*d),
                Node::Block(inner, statement, nodes) => match &mut checker.kind {
                    RawKind::Http(http) if inner.name == "url" => {
                        let page = self.url(&statement, nodes)?;
                        http.urls.extend(page);
                    }
                    _ => hosts.push(self.smtp_host(&mut checker, &statement, nodes, addr)?),
                },
                Node::Lines(..) => {}
                Node::Statement(keyword, statement) => {
                    self.checker_statement(keyword, &statement, &mut seen, &mut checker, addr)?;
                }
            }
        }
        if !self.checker_fits(keyword, &checker, addr) {
            return Ok(Vec::new());
        }
        if hosts.is_empty() {
            return Ok(vec![checker]);
        }
        let of_hosts =
            hosts
                .into_iter()
                .map(|(connect_ip, connect_port, bind, connect_timeout)| {
                    let mut host = checker.clone();
                    (host.connect_ip, host.connect_port, host.bind) =
                        (connect_ip, connect_port, bind);
                    host.timing.connect_timeout = connect_timeout.or(host.timing.connect_timeout);
                    host
                });
        let of_hosts: Vec<RawChecker> = of_hosts.collect();
        Ok(checker.own_place().into_iter().chain(of_hosts).collect())
    }

    /// Reads a `host` block: its place is its own, its times are the checker's.
    #[expect(clippy::type_complexity, reason = "the parts of a connection, once")]
    fn smtp_host(
        &mut self,
        checker: &mut RawChecker,
        heading: &Statement,
        nodes: Vec<Node>,
        addr: IpAddr,
    ) -> Result<(Option<IpAddr>, Option<u16>, Bind, Option<Duration>), Stop> {
        let mut host = RawChecker {
            connect_ip: None,
            connect_port: None,
            bind: Bind::default(),
            is_host: true,
            ..checker.clone()
        };
        host.timing.connect_timeout = None;
        let mut seen = Seen::default();
        for node in nodes {
            if let Some((keyword, statement)) = self.plain(node) {
                self.checker_statement(keyword, &statement, &mut seen, &mut host, addr)?;
            }
        }
        self.link_local(&host, heading, addr);
        let timeout = host.timing.connect_timeout.take();
        let own = checker.timing.connect_timeout;
        checker.timing = host.timing;
        checker.timing.connect_timeout = own;
        checker.alpha = host.alpha;
        checker.log_all_failures = host.log_all_failures;
        Ok((host.connect_ip, host.connect_port, host.bind, timeout))
    }

    fn checker_statement(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
        seen: &mut Seen,
        checker: &mut RawChecker,
        addr: IpAddr,
    ) -> Result<(), Stop> {
        if let RawKind::Misc(misc) = &checker.kind
            && keyword.name == "misc_path"
            && self.repeats_command(statement, &misc.command)
        {
            return Ok(());
        }
        if checker.is_named && keyword.name == "name" {
            let text = "DNS_CHECK name already specified - ignoring";
            self.report_at(code::REPEATED, Class::General, text, statement, 0);
            return Ok(());
        }
        let Some(value) = self.value(keyword, statement)? else {
            return Ok(());
        };
        let again = !seen.insert(keyword.name);
        if set_timing(&mut checker.timing, keyword.name, &value)
            || self.connection(keyword.name, statement, &value, checker, addr)
        {
            return Ok(());
        }
        match keyword.name {
            "alpha" => checker.alpha = Some(value.on()),
            "log_all_failures" => checker.log_all_failures = Some(value.on()),
            _ => {
                self.repeated(keyword, again, statement);
                match &mut checker.kind {
                    RawKind::Misc(misc) => self.misc_setting(keyword.name, statement, &value, misc),
                    RawKind::Http(http) => http_setting(keyword.name, statement, &value, http),
                    RawKind::Udp(udp) => self.udp_setting(keyword.name, statement, &value, udp),
                    RawKind::Dns(dns) => {
                        let named = self.dns_setting(keyword.name, statement, dns);
                        checker.is_named |= named;
                    }
                    RawKind::File(file) => self.file_setting(keyword.name, statement, file),
                    RawKind::Smtp(smtp) => smtp.helo_name = word(statement),
                    RawKind::Bfd(Some(first)) => {
                        let text =
                            format!("BFD_CHECK name already specified as {first} - ignoring");
                        self.report_at(code::REPEATED, Class::General, text, statement, 0);
                    }
                    RawKind::Bfd(name) => *name = self.bfd_name(statement),
                    RawKind::Tcp | RawKind::Ping => {}
                }
            }
        }
        Ok(())
    }

    /// Where the check goes and from where; `false` if the keyword is about something else.
    fn connection(
        &mut self,
        name: &str,
        statement: &Statement,
        value: &Val,
        checker: &mut RawChecker,
        addr: IpAddr,
    ) -> bool {
        match (name, value) {
            ("connect_ip", Val::Address(ip)) => {
                if checker
                    .bind
                    .address
                    .is_some_and(|b| b.is_ipv4() != ip.is_ipv4())
                {
                    self.other_family("connect_ip", *ip, "bindto", statement);
                } else {
                    checker.connect_ip = Some(*ip);
                }
            }
            ("bindto", Val::Address(ip)) => {
                let target = checker.connect_ip.unwrap_or(addr);
                if target.is_ipv4() == ip.is_ipv4() {
                    checker.bind.address = Some(*ip);
                } else if matches!(checker.kind, RawKind::Smtp(_)) && !checker.is_host {
                    // keepalived does not compare them here, and the attempt fails.
                    let text = format!("bindto {ip} is of another family than {target}");
                    self.warn_at(code::FAMILY, Class::Ok, text, statement, 1);
                } else {
                    self.other_family("bindto", *ip, "connect_ip", statement);
                }
            }
            ("connect_port", _) => checker.connect_port = value.int(),
            ("bind_port", _) => checker.bind.port = value.int().unwrap_or(0),
            ("bind_if", Val::Text(interface)) => {
                if interface.is_empty() || interface.contains('/') {
                    let text = format!("'{interface}' is no name of an interface");
                    self.warn_at(code::NO_INTERFACE, Class::Ok, text, statement, 1);
                }
                checker.bind.interface = Some(interface.as_str().into());
            }
            ("fwmark", _) => checker.bind.fwmark = value.int().unwrap_or(0),
            _ => return false,
        }
        true
    }

    fn other_family(&mut self, what: &str, ip: IpAddr, than: &str, statement: &Statement) {
        let text =
            format!("{what} address {ip} does not match address family of {than} - skipping");
        self.report_at(code::FAMILY, Class::General, text, statement, 1);
    }

    /// What can be said about a checker at the end of its block; `false` if it is not used.
    fn checker_fits(
        &mut self,
        keyword: &'static Keyword,
        checker: &RawChecker,
        addr: IpAddr,
    ) -> bool {
        let heading = &checker.heading;
        if let Some(missing) = checker.kind.lacks() {
            let text = format!("{} without a usable {missing} - removing", keyword.name);
            self.report_at_end(code::CHECKER, Class::General, text, heading, 0);
            return false;
        }
        self.link_local(checker, heading, addr);
        match &checker.kind {
            RawKind::Misc(misc) => !misc.user_failed,
            RawKind::Udp(udp) if udp.min_reply_length > udp.max_reply_length => {
                let text = format!(
                    "UDP_CHECK min_reply length {} > max_reply_length {} - will always fail",
                    udp.min_reply_length, udp.max_reply_length
                );
                self.report_at_end(code::CHECKER, Class::General, text, heading, 0);
                true
            }
            _ => true,
        }
    }

    /// A link-local address is one only on an interface.
    fn link_local(&mut self, checker: &RawChecker, heading: &Statement, addr: IpAddr) {
        if let IpAddr::V6(ip) = checker.connect_ip.unwrap_or(addr)
            && ip.is_unicast_link_local()
            && checker.bind.interface.is_none()
            && checker.kind.connects()
        {
            let text = format!("Checker link local address {ip} requires a bind_if");
            self.report_at_end(code::CHECKER, Class::General, text, heading, 0);
        }
    }

    fn misc_setting(&mut self, name: &str, statement: &Statement, value: &Val, misc: &mut RawMisc) {
        match name {
            "misc_path" => misc.command = self.raw_command(statement, false),
            "misc_timeout" => misc.timeout = value.duration().filter(|t| !t.is_zero()),
            "misc_dynamic" => misc.dynamic = true,
            "user" => {
                let raw = RawUser {
                    user: statement.word(1).unwrap_or("").to_owned(),
                    group: statement.word(2).map(str::to_owned),
                };
                if self.find_user(&raw).is_none() {
                    misc.user_failed = true;
                    let text = format!(
                        "Failed to set uid/gid for misc checker script '{}' - removing",
                        raw.user
                    );
                    self.report_at(code::NO_USER, Class::General, text, statement, 1);
                }
                misc.user = Some(raw);
            }
            _ => {}
        }
    }

    fn udp_setting(&mut self, name: &str, statement: &Statement, value: &Val, udp: &mut UdpCheck) {
        match name {
            "payload" => {
                if let Some(bytes) = self.hex(statement, name) {
                    udp.payload = bytes.into_iter().map(|(byte, _)| byte).collect();
                }
            }
            "require_reply" => {
                udp.require_reply = true;
                udp.reply = self.hex(statement, name).unwrap_or_default();
            }
            "min_reply_length" => udp.min_reply_length = value.int().unwrap_or(0),
            "max_reply_length" => udp.max_reply_length = value.int().unwrap_or(255),
            _ => {}
        }
    }

    /// Bytes with their masks, from hexadecimal digits with blanks between them; in
    /// `require_reply` an `x` stands for any digit.
    fn hex(&mut self, statement: &Statement, name: &str) -> Option<Vec<(u8, u8)>> {
        let wild = name == "require_reply";
        let digits: String = statement.args().iter().map(|w| w.text.as_str()).collect();
        let digits: Vec<char> = digits.chars().filter(|c| !c.is_whitespace()).collect();
        let nibble = |c: char| match c.to_digit(16) {
            Some(n) => u8::try_from(n).ok().map(|n| (n, 0xf)),
            None => (wild && matches!(c, 'x' | 'X')).then_some((0, 0)),
        };
        let bytes: Option<Vec<(u8, u8)>> = digits
            .chunks(2)
            .map(|pair| {
                let (last, wild) = nibble(*pair.last()?)?;
                match pair {
                    [high, _] => nibble(*high).map(|(a, b)| (a << 4 | last, b << 4 | wild)),
                    _ => Some((last, if wild == 0 { 0 } else { 0xff })),
                }
            })
            .collect();
        let odd = digits.len() % 2 == 1;
        let digits: String = digits.into_iter().collect();
        if bytes.is_none() {
            let text = format!("{name} '{digits}' is not of hexadecimal digits");
            self.report_at(code::CHECKER, Class::General, text, statement, 1);
        } else if odd {
            let text =
                format!("{name} '{digits}' ends in half a byte; it is taken for a whole one");
            self.warn_at(code::CHECKER, Class::Ok, text, statement, 1);
        }
        bytes
    }

    /// Gives whether the name was set.
    fn dns_setting(&mut self, name: &str, statement: &Statement, dns: &mut DnsCheck) -> bool {
        let text = statement.word(1).unwrap_or("");
        if name == "type" {
            dns.record = DnsRecord::named(text).unwrap_or_default();
            return false;
        }
        let labels = || text.strip_suffix('.').unwrap_or(text).split('.');
        if text != "." && labels().any(str::is_empty) {
            let text = format!("DNS name '{text}' has an empty label");
            self.report_at(code::CHECKER, Class::General, text, statement, 1);
            return false;
        }
        if labels().any(|label| label.len() > 63) {
            // keepalived takes the name, and sends a question that nobody can read.
            let text = format!("DNS name '{text}' has a label of more than 63 characters");
            self.warn_at(code::CHECKER, Class::Ok, text, statement, 1);
            return true;
        }
        dns.name = text.into();
        if text.as_bytes().get(1) == Some(&b'.') {
            let text = format!(
                "DNS name '{text}': keepalived takes a first label of one letter for an empty \
                 one, and asks for the root"
            );
            self.report_at(code::CHECKER, Class::General, text, statement, 1);
            return false;
        }
        true
    }

    fn file_setting(&mut self, name: &str, statement: &Statement, file: &mut RawFile) {
        let text = statement.word(1).unwrap_or("");
        if name == "track_file" {
            let found = self.file_names.get(text).copied();
            if found.is_none() {
                self.no_such("track_file", "track_file", statement);
            }
            file.file = found
                .and_then(|n| self.config.track_files.get(n))
                .map(|f| (Arc::from(f.name.as_str()), f.weight, f.reverse));
            return;
        }
        let range = Value::Int {
            min: i64::from(-i32::MAX),
            max: u64::from(i32::MAX.unsigned_abs()),
            any_base: false,
        };
        let weight = check::word(range, statement, 1, self.lenient, &mut self.session.report);
        let reverse = match statement.word(2) {
            None => None,
            Some("reverse") => Some(true),
            Some("noreverse") => Some(false),
            Some(other) => {
                let text = format!("unknown weight option {other} - ignoring");
                self.report_at(code::UNKNOWN_WORD, Class::General, text, statement, 2);
                return;
            }
        };
        if let Some(weight) = weight.and_then(|v| v.int()) {
            file.weight = Some(weight);
            file.reverse = reverse.or(file.reverse);
        }
    }

    fn bfd_name(&mut self, statement: &Statement) -> Option<Arc<str>> {
        let name = statement.word(1).unwrap_or("");
        if statement.words().len() > 2 {
            let text = "BFD_CHECK takes one name - ignoring";
            self.report_at(code::EXTRA_WORDS, Class::General, text, statement, 2);
            return None;
        }
        if self.bfd_for(name, |session| session.checker) || self.lost_bfds.contains(name) {
            return Some(name.into());
        }
        self.no_such("bfd_instance", "name", statement);
        None
    }

    fn no_such(&mut self, what: &str, keyword: &str, statement: &Statement) {
        let name = statement.word(1).unwrap_or("");
        let text = format!("{keyword} {name}: no such {what}");
        let d = Diagnostic::error(code::NOT_DEFINED, Class::General, text)
            .help(format!("write the {what} block before the virtual_server"));
        self.session.report.push(statement.point(d, 1));
    }
}

impl RawKind {
    /// Whether it talks to an address.
    const fn connects(&self) -> bool {
        !matches!(self, Self::Misc(_) | Self::Bfd(_) | Self::File(_))
    }
}

fn word(statement: &Statement) -> Arc<str> {
    Arc::from(statement.word(1).unwrap_or(""))
}

/// A setting of `HTTP_GET` or `SSL_GET` itself.
fn http_setting(name: &str, statement: &Statement, value: &Val, http: &mut HttpCheck) {
    use crate::model::{HttpVersion, Sni};

    match (name, &mut http.tls) {
        ("virtualhost", _) => http.virtualhost = Some(word(statement)),
        ("http_protocol", _) => {
            http.version = match statement.word(1) {
                Some("1.1") => HttpVersion::V1_1,
                Some("1.0C" | "1.0c") => HttpVersion::V1_0Close,
                _ => HttpVersion::V1_0,
            };
        }
        ("fast_recovery", _) => http.fast_recovery = value.on(),
        ("enable_sni", Some(tls)) => {
            tls.sni = match (&tls.sni, value.on()) {
                (_, false) => Sni::Off,
                (Sni::Off, true) => Sni::VirtualHost,
                (sni, true) => sni.clone(),
            };
        }
        ("sni_name", Some(tls)) => {
            tls.sni = match statement.word(1) {
                Some(name) => Sni::Name(name.into()),
                None => Sni::VirtualHost,
            };
        }
        ("tls_compliant", Some(tls)) => tls.compliant = value.on(),
        ("ssl_verify", Some(tls)) => tls.verify = value.on(),
        _ => {}
    }
}

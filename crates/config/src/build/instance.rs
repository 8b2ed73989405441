//! `vrrp_instance`: what its statements say.

use std::net::IpAddr;
use std::time::Duration;

use compact_str::CompactString;
use rk_base::{Family, Vrid};

use super::address::RawAddress;
use super::authentication::RawAuth;
use super::check;
use super::entry::Raw;
use super::global::{RawGarp, version};
use super::group::RawNotify;
use super::track::RawTracks;
use super::{At, Build, Stop, advise};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{
    InitialState, Ipvlan, OldUnicastChecksum, Origin, Route, Rule, UnicastPeer, Version, Vmac,
};
use crate::table::{Context, Keyword, Value};
use crate::tree::{Node, Statement};

/// An instance as written; `None` is what was not said.
#[derive(Debug, Default)]
pub(crate) struct RawInstance {
    pub(crate) name: CompactString,
    pub(crate) at: At,
    /// Its closing brace.
    pub(crate) end: At,
    pub(crate) origin: Origin,
    pub(crate) interface: Option<(String, At)>,
    /// What `interface` said before it was said again.
    pub(crate) earlier_interfaces: Vec<(String, At)>,
    pub(crate) vrf: Option<(String, At)>,
    pub(crate) vrid: Option<Vrid>,
    pub(crate) family: Option<Family>,
    pub(crate) version: Option<Version>,
    pub(crate) state: Option<InitialState>,
    pub(crate) priority: Option<u8>,
    pub(crate) advert_int: Option<(Duration, At)>,
    pub(crate) addresses: Vec<RawAddress>,
    pub(crate) excluded: Vec<RawAddress>,
    pub(crate) no_virtual_ipaddress: bool,
    pub(crate) routes: Vec<Raw<Route>>,
    pub(crate) rules: Vec<Raw<Rule>>,
    pub(crate) auth: RawAuth,
    pub(crate) auth_hmac: bool,
    pub(crate) source: Option<(IpAddr, At)>,
    pub(crate) track_src_ip: bool,
    pub(crate) mcast_dst: Option<(IpAddr, At)>,
    pub(crate) peers: Vec<UnicastPeer>,
    /// The first keyword that only makes sense with peers.
    pub(crate) unicast_keyword: Option<At>,
    /// A missing value has ended the reading inside its block.
    pub(crate) is_cut_off: bool,
    /// It has peers or `unicast_src_ip`.
    pub(crate) is_unicast: bool,
    /// `unicast_ttl` was said.
    pub(crate) has_unicast_ttl: bool,
    pub(crate) unicast_fault_no_peer: bool,
    pub(crate) unicast_ttl: Option<u8>,
    pub(crate) check_unicast_src: bool,
    pub(crate) old_unicast_checksum: OldUnicastChecksum,
    pub(crate) v3_checksum_as_v2: Option<bool>,
    pub(crate) native_ipv6: Option<At>,
    pub(crate) nopreempt: Option<At>,
    pub(crate) preempt_delay: Option<(Duration, At)>,
    pub(crate) garp: RawGarp,
    pub(crate) lower_prio_no_advert: Option<bool>,
    pub(crate) higher_prio_send_advert: Option<bool>,
    pub(crate) owner_ignore_adverts: Option<(bool, At)>,
    pub(crate) strict: Option<bool>,
    pub(crate) accept: Option<bool>,
    pub(crate) down_timer_adverts: Option<u8>,
    pub(crate) timer_expired_backup: Option<(u8, At)>,
    pub(crate) skip_check_adv_addr: Option<bool>,
    pub(crate) dont_track_primary: bool,
    pub(crate) tracks: RawTracks,
    pub(crate) use_vmac: Option<(Vmac, At)>,
    pub(crate) use_vmac_addr: bool,
    pub(crate) vmac_xmit_base: Option<At>,
    pub(crate) use_ipvlan: Option<(Ipvlan, At)>,
    pub(crate) notify: RawNotify,
    pub(crate) kernel_rx_buf_size: Option<u32>,
    pub(crate) promote_secondaries: Option<At>,
    pub(crate) linkbeat_use_polling: bool,
    pub(crate) lvs_sync_daemon_interface: Option<String>,
    pub(crate) debug: u8,
}

impl RawInstance {
    /// Whether an address of this family may be named; the first one decides for all.
    pub(super) fn takes(&mut self, family: Family) -> bool {
        *self.family.get_or_insert(family) == family
    }

    /// Gives back what lists took in advance: there may be 65,000 like it.
    fn shrink(&mut self) {
        self.addresses.shrink_to_fit();
        self.excluded.shrink_to_fit();
        self.peers.shrink_to_fit();
        let tracks = &mut self.tracks;
        for list in [
            &mut tracks.interfaces,
            &mut tracks.scripts,
            &mut tracks.files,
            &mut tracks.processes,
            &mut tracks.bfd,
        ] {
            list.shrink_to_fit();
        }
    }
}

impl Build<'_> {
    pub(super) fn instance(&mut self, heading: &Statement, nodes: Vec<Node>) -> Result<(), Stop> {
        let name = CompactString::new(heading.word(1).unwrap_or(""));
        let mut raw = RawInstance {
            name: name.clone(),
            at: At::of(heading, 1),
            end: At::end_of(heading),
            origin: self.origin(heading),
            ..RawInstance::default()
        };
        let read = self.instance_block(nodes, &mut raw);
        // Without all of its block only its lines are of interest.
        raw.is_cut_off = read.is_err();
        raw.shrink();
        self.instance_names.insert(name, self.instances.len());
        self.instances.push(raw);
        read
    }

    fn instance_block(&mut self, nodes: Vec<Node>, raw: &mut RawInstance) -> Result<(), Stop> {
        let mut todo = nodes;
        todo.reverse();
        while let Some(node) = todo.pop() {
            match node {
                Node::Problem(d) => self.session.report.push(*d),
                Node::Statement(keyword, statement) => {
                    self.note_support(Context::VrrpInstance, keyword, &statement);
                    self.instance_statement(keyword, &statement, raw)?;
                }
                Node::Block(keyword, statement, inner) => match keyword.name {
                    "authentication" => self.authentication(&statement, inner, raw)?,
                    "auth_hmac" => {
                        self.note_support(Context::VrrpInstance, keyword, &statement);
                        self.auth_hmac(&statement, inner, raw)?;
                    }
                    // A block of lines that also has problems with its braces.
                    _ => todo.extend(inner.into_iter().rev()),
                },
                Node::Lines(keyword, statement, lines) => {
                    self.note_support(Context::VrrpInstance, keyword, &statement);
                    self.instance_lines(keyword, &statement, &lines, raw)?;
                }
            }
        }
        Ok(())
    }

    fn instance_lines(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
        lines: &[Statement],
        raw: &mut RawInstance,
    ) -> Result<(), Stop> {
        self.no_more_words(keyword, statement);
        let name = raw.name.clone();
        match keyword.name {
            "virtual_ipaddress" => {
                raw.addresses.reserve_exact(lines.len());
                for line in lines {
                    let Some(entry) = self.address(line, Context::VirtualIpaddress)? else {
                        continue;
                    };
                    let prefix = entry.address.prefix;
                    if raw.family.is_some_and(|f| f != prefix.family()) {
                        let text = format!(
                            "({name}): address family must match VRRP instance [{prefix}] - ignoring"
                        );
                        self.report_at(code::FAMILY, Class::General, text, line, 0);
                        continue;
                    }
                    raw.family = Some(prefix.family());
                    raw.addresses.push(entry);
                }
            }
            "virtual_ipaddress_excluded" => {
                for line in lines {
                    if let Some(entry) = self.address(line, Context::VirtualIpaddressExcluded)? {
                        raw.excluded.push(entry);
                    }
                }
            }
            "virtual_routes" => {
                for line in lines {
                    if let Some(entry) = self.route(line, Context::VirtualRoutes)? {
                        raw.routes.push(entry);
                    }
                }
            }
            "virtual_rules" => {
                for line in lines {
                    if let Some(entry) = self.rule(line, Context::VirtualRules)? {
                        raw.rules.push(entry);
                    }
                }
            }
            "unicast_peer" => {
                raw.unicast_keyword
                    .get_or_insert_with(|| At::of(statement, 0));
                for line in lines {
                    self.peer(line, raw)?;
                }
            }
            block => self.track_lines(&name, block, lines, &mut raw.tracks)?,
        }
        Ok(())
    }

    fn peer(&mut self, line: &Statement, raw: &mut RawInstance) -> Result<(), Stop> {
        let (name, text) = (&raw.name, line.keyword());
        let Some(address) = check::socket_address(text) else {
            let text = format!(
                "Configuration error: VRRP instance[{name}] malformed unicast peer \
                 address[{text}]. Skipping..."
            );
            let d = Diagnostic::error(code::NOT_AN_ADDRESS, Class::General, text);
            let d = line.point(d, 0);
            self.session
                .report
                .push(match line.keyword().split_once('/') {
                    Some((ip, _)) if ip.parse::<IpAddr>().is_ok() => d
                        .help(format!("no prefix length belongs here: write {ip}"))
                        .instead(ip),
                    _ if Context::VrrpInstance.find(line.keyword()).is_some() => {
                        d.help("is the `}` of unicast_peer missing?")
                    }
                    _ => advise::entry(line.keyword(), "192.0.2.3", d),
                });
            return Ok(());
        };
        if raw.family.is_some_and(|f| f != Family::of(address)) {
            let text = format!(
                "Configuration error: VRRP instance[{name}] and unicast peer address[{text}] \
                 MUST be of the same family !!! Skipping..."
            );
            self.report_at(code::FAMILY, Class::General, text, line, 0);
            return Ok(());
        }
        raw.family = Some(Family::of(address));
        let origin = self
            .session
            .files
            .origin(line.line.home.0, line.line.home.1);
        let mut peer = UnicastPeer {
            address,
            min_ttl: None,
            max_ttl: None,
            origin,
        };
        let mut n = 1;
        while let Some(option) = line.word(n) {
            if !matches!(option, "min_ttl" | "max_ttl") {
                let text = format!("Unknown unicast_peer option {option} - ignoring");
                self.report_at(code::UNKNOWN_WORD, Class::General, text, line, n);
                n += 1;
                continue;
            }
            if line.word(n + 1).is_none() {
                let text = format!("{option} needs a value");
                self.report_at(code::VALUE_MISSING, Class::General, text, line, n);
                break;
            }
            let ttl = Value::Int {
                min: 0,
                max: 255,
                any_base: false,
            };
            let value = check::word(ttl, line, n + 1, self.lenient, &mut self.session.report);
            let value = value.and_then(|v| v.int());
            if option == "min_ttl" {
                peer.min_ttl = value;
            } else {
                peer.max_ttl = value;
            }
            raw.check_unicast_src = true;
            n += 2;
        }
        if let (Some(min), Some(max)) = (peer.min_ttl, peer.max_ttl)
            && min > max
        {
            let text = format!(
                "({}) min_ttl {min} > max_ttl {max} - all packets will be discarded",
                raw.name
            );
            self.report_at(code::UNICAST, Class::General, text, line, 0);
        }
        raw.is_unicast = true;
        raw.peers.push(peer);
        Ok(())
    }

    fn instance_statement(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
        raw: &mut RawInstance,
    ) -> Result<(), Stop> {
        let value = self.value(keyword, statement)?;
        let name = raw.name.clone();
        let canonical = keyword.canonical();
        if raw.garp.set(canonical, value.as_ref()) {
            return Ok(());
        }
        let word = statement.word(1).unwrap_or("");
        let Some(value) = value else {
            if keyword.name == "state" {
                let text = format!("({name}) unknown state '{word}', defaulting to BACKUP");
                // The row's message names the word; this one is what people search for.
                if let Some(last) = self.session.report.diagnostics.last_mut() {
                    last.message = text;
                    let others = ["SLAVE", "STANDBY", "SECONDARY", "PASSIVE", "EQUAL"];
                    if others.iter().any(|o| o.eq_ignore_ascii_case(word)) {
                        let help = "write BACKUP: MASTER and BACKUP are the only states";
                        *last = last.clone().help(help).instead("BACKUP");
                    }
                    if word == "=" {
                        let help = "keyword and value stand apart, without the `=`";
                        last.help = Some(help.to_owned());
                    }
                }
                raw.state = Some(InitialState::Backup);
            }
            return Ok(());
        };
        let at = || At::of(statement, 0);
        let at_value = || At::of(statement, 1);
        match canonical {
            "state" => {
                let master = word == "MASTER";
                // BACKUP can still become MASTER: it is what an instance starts with.
                if raw.state == Some(InitialState::Master) && !master {
                    let text = format!("({name}) state previously set as MASTER - ignoring {word}");
                    self.report_at(code::REPEATED, Class::General, text, statement, 1);
                    return Ok(());
                }
                raw.state = Some(if master {
                    InitialState::Master
                } else {
                    InitialState::Backup
                });
            }
            "interface" => {
                let before = raw.interface.replace((word.to_owned(), at_value()));
                raw.earlier_interfaces.extend(before);
            }
            "vrf" => self.vrf(word.to_owned(), statement, raw),
            "virtual_router_id" => {
                raw.vrid = value.int::<u8>().and_then(|n| Vrid::try_from(n).ok());
            }
            "version" => self.instance_version(version(&value), statement, raw),
            "priority" => raw.priority = value.int(),
            "advert_int" => raw.advert_int = value.duration().map(|t| (t, at_value())),
            "no_virtual_ipaddress" => raw.no_virtual_ipaddress = true,
            "mcast_src_ip" | "unicast_src_ip" => {
                if canonical == "unicast_src_ip" {
                    raw.is_unicast = true;
                    raw.unicast_keyword.get_or_insert_with(at);
                }
                self.source_address(&value, statement, raw);
            }
            "mcast_dst_ip" => {
                if let check::Val::Address(ip) = value {
                    if raw.takes(Family::of(ip)) {
                        raw.mcast_dst = Some((ip, at_value()));
                    } else {
                        let text = format!(
                            "({name}) mcast dest address {ip} MUST match VRRP instance family. \
                             Skipping..."
                        );
                        self.report_at(code::FAMILY, Class::General, text, statement, 1);
                    }
                }
            }
            "track_src_ip" => raw.track_src_ip = true,
            "unicast_fault_no_peer" => raw.unicast_fault_no_peer = true,
            "unicast_ttl" => {
                raw.has_unicast_ttl = true;
                raw.unicast_ttl = value.int();
            }
            "check_unicast_src" => {
                raw.unicast_keyword.get_or_insert_with(at);
                raw.check_unicast_src = true;
            }
            "old_unicast_checksum" => {
                raw.unicast_keyword.get_or_insert_with(at);
                let never = word == "never";
                raw.old_unicast_checksum = if never {
                    OldUnicastChecksum::Never
                } else {
                    OldUnicastChecksum::Always
                };
            }
            "v3_checksum_as_v2" => raw.v3_checksum_as_v2 = Some(value.on()),
            "native_ipv6" => {
                raw.native_ipv6 = Some(at());
                if raw.family == Some(Family::V4) {
                    let text = format!("({name}) native_ipv6 cannot be used in an IPv4 instance");
                    self.report_at(code::FAMILY, Class::General, text, statement, 0);
                } else {
                    raw.family = Some(Family::V6);
                    // Whatever was said before.
                    raw.version = Some(Version::V3);
                }
            }
            "preempt" => raw.nopreempt = None,
            "nopreempt" => raw.nopreempt = Some(at()),
            "preempt_delay" => raw.preempt_delay = value.duration().map(|t| (t, at())),
            "lower_prio_no_advert" => raw.lower_prio_no_advert = Some(value.on()),
            "higher_prio_send_advert" => raw.higher_prio_send_advert = Some(value.on()),
            "owner_ignore_adverts" => raw.owner_ignore_adverts = Some((value.on(), at())),
            "strict_mode" => raw.strict = Some(value.on()),
            "accept" => raw.accept = Some(true),
            "no_accept" => raw.accept = Some(false),
            "down_timer_adverts" => raw.down_timer_adverts = value.int(),
            "timer_expired_backup" | "thread_timer_expired" => {
                raw.timer_expired_backup = Some((value.int().unwrap_or(254), at()));
            }
            "skip_check_adv_addr" => {
                if !value.on() {
                    let text = "`skip_check_adv_addr` turns the option on whatever follows it";
                    let d = Diagnostic::note(code::SETTING, text)
                        .help("leave the line out to keep the option off");
                    self.session.report.push(statement.point(d, 1));
                }
                raw.skip_check_adv_addr = Some(true);
            }
            "dont_track_primary" => raw.dont_track_primary = true,
            "use_vmac" => self.use_vmac(statement, raw)?,
            "use_vmac_addr" => raw.use_vmac_addr = true,
            "vmac_xmit_base" => raw.vmac_xmit_base = Some(at()),
            "use_ipvlan" => self.use_ipvlan(statement, raw)?,
            "smtp_alert" => raw.notify.smtp_alert = Some(value.on()),
            "notify_priority_changes" => raw.notify.priority_changes = Some(value.on()),
            "kernel_rx_buf_size" if statement.words().len() > 2 => {
                let text = "kernel_rx_buf_size takes one word - ignoring";
                self.report_at(code::EXTRA_WORDS, Class::General, text, statement, 2);
            }
            "kernel_rx_buf_size" => raw.kernel_rx_buf_size = value.int(),
            "promote_secondaries" => raw.promote_secondaries = Some(at()),
            "linkbeat_use_polling" => raw.linkbeat_use_polling = true,
            "lvs_sync_daemon_interface" => raw.lvs_sync_daemon_interface = Some(word.to_owned()),
            "garp_extra_if" | "vmac_garp_intvl" => {
                raw.garp.extra_if = self.extra_garp(statement, 0).or(raw.garp.extra_if);
            }
            "debug" => raw.debug = value.int().unwrap_or(0),
            _ => self.notify_keyword(keyword, statement, &mut raw.notify),
        }
        Ok(())
    }

    fn instance_version(
        &mut self,
        wanted: Option<Version>,
        statement: &Statement,
        raw: &mut RawInstance,
    ) {
        let Some(wanted) = wanted else { return };
        let deduced = raw.family == Some(Family::V6) && raw.version.is_none();
        let other = raw.version.is_some_and(|v| v != wanted);
        if (deduced && wanted == Version::V2) || other {
            let name = &raw.name;
            let text = format!(
                "({name}) vrrp_version {} conflicts with configured or deduced version; ignoring.",
                wanted.number()
            );
            let d = Diagnostic::error(code::VERSION, Class::General, text)
                .help("IPv6 uses version 3 unless version 2 stands before the addresses");
            self.session.report.push(statement.point(d, 1));
            return;
        }
        raw.version = Some(wanted);
    }

    fn source_address(&mut self, value: &check::Val, statement: &Statement, raw: &mut RawInstance) {
        let check::Val::Address(ip) = *value else {
            return;
        };
        if !raw.takes(Family::of(ip)) {
            let text = format!(
                "Configuration error: VRRP instance[{}] and src address[{ip}] MUST be of the \
                 same family !!! Skipping...",
                raw.name
            );
            self.report_at(code::FAMILY, Class::General, text, statement, 1);
            return;
        }
        raw.source = Some((ip, At::of(statement, 1)));
    }

    /// The VRF stands in for the interface, and like one it must be there.
    fn vrf(&mut self, word: String, statement: &Statement, raw: &mut RawInstance) {
        if raw.interface.is_some() {
            let text = format!(
                "({}) Cannot specify VRF interface and interface - ignoring",
                raw.name
            );
            self.report_at(code::SETTING, Class::General, text, statement, 1);
            return;
        }
        raw.vrf = Some((word, At::of(statement, 1)));
    }
}

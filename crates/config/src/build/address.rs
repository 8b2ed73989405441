//! Lines of `virtual_ipaddress`, `virtual_ipaddress_excluded` and `static_ipaddress`.

use std::net::{IpAddr, Ipv4Addr};

use rk_base::Prefix;

use super::entry::Raw;
use super::{At, Build, Stop};
use super::{advise, check};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{Broadcast, InterfaceAddress, Lifetime, Route, Rule, Scope};
use crate::source::NameTable;
use crate::table::{Context, Value, nearest};
use crate::tree::Statement;

/// A line, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct RawAddress {
    pub(crate) address: InterfaceAddress,
    pub(crate) at: At,
    /// Where `dev` is.
    pub(crate) dev_at: At,
}

/// What `static_*` blocks hold.
#[derive(Debug, Default)]
pub(crate) struct Statics {
    pub(crate) addresses: Vec<RawAddress>,
    pub(crate) routes: Vec<Raw<Route>>,
    pub(crate) rules: Vec<Raw<Rule>>,
}

impl Build<'_> {
    /// Reads one line; `None` if it is dropped.
    pub(super) fn address(
        &mut self,
        line: &Statement,
        context: Context,
    ) -> Result<Option<RawAddress>, Stop> {
        let Some(prefix) = self.prefix(line, 0) else {
            return Ok(None);
        };
        let mut entry = RawAddress {
            address: InterfaceAddress::new(prefix, self.origin(line)),
            at: At::of(line, 0),
            dev_at: At::default(),
        };
        let mut usable = true;
        let mut n = 1;
        while let Some(option) = line.word(n) {
            let Some(keyword) = context.find(option).filter(|k| !is_placeholder(k.name)) else {
                let text =
                    format!("Unknown configuration entry '{option}' for ip address - ignoring");
                let d = Diagnostic::error(code::ENTRY_OPTION, Class::General, text);
                let d = self.entry_hint(option, line, n, context, line.point(d, n));
                self.session.report.push(d);
                n += 1;
                continue;
            };
            if keyword.missing != crate::table::Missing::Allowed && line.word(n + 1).is_none() {
                let text = format!("{option} needs a value - ignoring");
                self.report_at(code::VALUE_MISSING, Class::General, text, line, n);
                n += 1;
                continue;
            }
            n += self.address_option(keyword.canonical(), line, n, &mut entry, &mut usable);
        }
        Ok(usable.then_some(entry))
    }

    /// What may be meant by an unknown word in a line of addresses.
    fn entry_hint(
        &self,
        option: &str,
        line: &Statement,
        n: usize,
        context: Context,
        d: Diagnostic,
    ) -> Diagnostic {
        if matches!(option, "netmask" | "mask") {
            let len = line.word(n + 1).and_then(advise::netmask_len).unwrap_or(24);
            let ip = line.word(0).and_then(|a| a.split('/').next()).unwrap_or("");
            return d.help(format!(
                "write the length of the prefix instead: {ip}/{len}"
            ));
        }
        if let Some(len) = advise::netmask_len(option).filter(|len| *len < 32) {
            let ip = line.word(0).and_then(|a| a.split('/').next()).unwrap_or("");
            return match n {
                1 => d.help(format!(
                    "write the length of the prefix instead: {ip}/{len}"
                )),
                _ => d.help("this word goes with the one ahead of it; leave it out, too"),
            };
        }
        if matches!(
            option,
            "device" | "interface" | "iface" | "intf" | "nic" | "on"
        ) {
            return d
                .help("the interface is written as `dev NAME`")
                .instead("dev");
        }
        if option == "\\" {
            return d.help("a backslash goes on to the next line inside a definition only");
        }
        if option.parse::<Prefix>().is_ok() {
            return d.help("each address stands on a line of its own");
        }
        if let (1, Some(len)) = (n, option.strip_prefix('/'))
            && len.parse::<u8>().is_ok()
        {
            let ip = line.word(0).unwrap_or("");
            return d.help(format!(
                "no blank stands before the slash: write {ip}/{len}"
            ));
        }
        if matches!(option, "//" | "--" | ";" | "/*") {
            return d.help("comments begin with `#` or `!`");
        }
        let options = context.keywords().map(|k| k.name);
        match nearest(option, options.filter(|k| !is_placeholder(k))) {
            Some(hint) => d.instead(hint),
            None if n > 1 => d.help("this word is skipped, too: mend the one ahead of it"),
            None => d.help(format!(
                "an interface is written as `dev {option}`; remove the word if none is meant"
            )),
        }
    }

    /// Applies the option at word `n`; gives how many words it took.
    fn address_option(
        &mut self,
        option: &str,
        line: &Statement,
        n: usize,
        entry: &mut RawAddress,
        usable: &mut bool,
    ) -> usize {
        let value = line.word(n + 1).unwrap_or("");
        let v6 = entry.address.prefix.addr().is_ipv6();
        match option {
            "dev" => {
                if entry.address.dev.is_some() {
                    let text = format!(
                        "Cannot specify ipaddress device more than once for {}",
                        entry.address.prefix
                    );
                    self.report_at(code::REPEATED, Class::General, text, line, n);
                    return 2;
                }
                if value.len() > 15 {
                    let text = format!("interface name '{value}' is too long");
                    self.report_at(code::TOO_LONG, Class::General, text, line, n + 1);
                    *usable = false;
                }
                entry.address.dev = Some(value.to_owned());
                entry.dev_at = At::of(line, n + 1);
            }
            "scope" => match self.named_number(NameTable::Scope, value, 255) {
                Some(scope) if v6 && scope != 0 => {
                    let text = format!(
                        "Cannot specify scope for IPv6 addresses ({}) - ignoring scope",
                        entry.address.prefix
                    );
                    self.report_at(code::ENTRY_OPTION, Class::General, text, line, n);
                }
                Some(scope) => {
                    entry.address.scope = u8::try_from(scope).ok().map(Scope);
                }
                None => {
                    let text = format!("invalid scope '{value}' for address - ignoring");
                    self.report_at(code::ENTRY_OPTION, Class::General, text, line, n + 1);
                }
            },
            "broadcast" | "brd" => {
                let host = entry.address.prefix.len() > 30;
                match value {
                    _ if v6 => {
                        let text = "an IPv6 address has no broadcast address";
                        self.report_at(code::ENTRY_OPTION, Class::General, text, line, n);
                        *usable = false;
                    }
                    "+" | "-" if host => {
                        let text = format!(
                            "the prefix of {} is too long for a broadcast address",
                            entry.address.prefix
                        );
                        self.report_at(code::ENTRY_OPTION, Class::General, text, line, n + 1);
                    }
                    "+" => entry.address.broadcast = Some(Broadcast::AllOnes),
                    "-" => entry.address.broadcast = Some(Broadcast::AllZeros),
                    _ => match value.parse::<Ipv4Addr>() {
                        Ok(ip) => entry.address.broadcast = Some(Broadcast::Address(ip)),
                        Err(_) => {
                            let text = format!("invalid broadcast address '{value}'");
                            self.report_at(code::NOT_AN_ADDRESS, Class::General, text, line, n + 1);
                            *usable = false;
                        }
                    },
                }
            }
            "label" => {
                if value.len() > 15 {
                    let text = format!("label '{value}' is longer than 15 bytes");
                    self.report_at(code::TOO_LONG, Class::General, text, line, n + 1);
                    *usable = false;
                }
                if v6 {
                    let text = format!(
                        "Cannot specify label for IPv6 addresses ({}) - ignoring label",
                        entry.address.prefix
                    );
                    self.report_at(code::ENTRY_OPTION, Class::General, text, line, n);
                } else {
                    entry.address.label = Some(value.to_owned());
                }
            }
            "peer" => match value.parse::<IpAddr>() {
                Ok(peer) if peer.is_ipv6() == v6 => {
                    if entry.address.peer.is_some() {
                        let text = "peer is given twice";
                        self.report_at(code::REPEATED, Class::General, text, line, n);
                    }
                    if entry.address.prefix != Prefix::host(entry.address.prefix.addr()) {
                        let text = "Cannot specify address prefix when specifying peer address - \
                                    ignoring";
                        self.report_at(code::ENTRY_OPTION, Class::General, text, line, 0);
                    }
                    entry.address.peer = Some(peer);
                }
                _ => {
                    let text = format!("invalid peer address '{value}' - ignoring");
                    self.report_at(code::NOT_AN_ADDRESS, Class::General, text, line, n + 1);
                }
            },
            "preferred_lft" => {
                if value == "forever" {
                    entry.address.preferred_lft = Some(Lifetime::Forever);
                } else {
                    let seconds = Value::Int {
                        min: 0,
                        max: u64::from(u32::MAX),
                        any_base: false,
                    };
                    let value =
                        check::word(seconds, line, n + 1, self.lenient, &mut self.session.report);
                    entry.address.preferred_lft =
                        value.and_then(|v| v.int()).map(Lifetime::Seconds);
                }
            }
            "track_group" => {
                entry.address.track_group = Some(value.to_owned());
                self.track_group_known(value, line, n + 1);
            }
            flag => {
                match flag {
                    "home" => entry.address.home = true,
                    "-nodad" => entry.address.dad = true,
                    "mngtmpaddr" => entry.address.mngtmpaddr = true,
                    "noprefixroute" => entry.address.noprefixroute = true,
                    "autojoin" => entry.address.autojoin = true,
                    "no_track" => entry.address.no_track = true,
                    "use_vmac" => entry.address.use_vmac = true,
                    _ => {}
                }
                return 1;
            }
        }
        2
    }

    /// The address with its prefix at word `n`. A length that cannot be is reported, and the
    /// full length taken.
    pub(super) fn prefix(&mut self, line: &Statement, n: usize) -> Option<Prefix> {
        let text = line.word(n).unwrap_or("");
        match text.parse::<Prefix>() {
            Ok(prefix) => Some(prefix),
            Err(_) => {
                let bare = text.split_once('/').map_or(text, |(ip, _)| ip);
                if let Ok(ip) = bare.parse::<IpAddr>() {
                    let prefix = Prefix::host(ip);
                    if text.ends_with('/') {
                        return Some(prefix);
                    }
                    let full = prefix.len();
                    let message = format!(
                        "Invalid address prefix len {} for address {text} - using {full}",
                        text.split_once('/').map_or("", |(_, len)| len)
                    );
                    let d = Diagnostic::error(code::OUT_OF_RANGE, Class::BadNumber, message);
                    let d = line.point(d, n);
                    let mask = text
                        .split_once('/')
                        .and_then(|(_, m)| advise::netmask_len(m));
                    self.session.report.push(match mask {
                        Some(len) => d
                            .help(format!("write the length of the prefix: {ip}/{len}"))
                            .instead(&format!("{ip}/{len}")),
                        None if text.ends_with('\\') => {
                            d.help("a backslash goes on to the next line inside a definition only")
                        }
                        None if text.ends_with([',', ';']) => {
                            let bare = text.trim_end_matches([',', ';']);
                            d.help(format!(
                                "nothing ends an entry but its line: write {bare}, and each \
                                 address on a line of its own"
                            ))
                            .instead(bare)
                        }
                        None => d.help(format!("write a number from 0 to {full} behind the slash")),
                    });
                    return Some(prefix);
                }
                let message = format!("VRRP parsed invalid IP {text}. skipping IP...");
                let d = Diagnostic::error(code::NOT_AN_ADDRESS, Class::General, message);
                let d = advise::entry(text, "192.0.2.10/24", line.point(d, n));
                self.session.report.push(d);
                None
            }
        }
    }

    /// A number, or a name that iproute2 knows for one.
    pub(super) fn named_number(&self, table: NameTable, text: &str, max: u64) -> Option<u32> {
        if text.is_empty() {
            return None;
        }
        match check::integer(text, 0, max, true, false) {
            Ok(n) => u32::try_from(n).ok(),
            Err(_) => well_known(table, text).or_else(|| self.host.iproute_name(table, text)),
        }
    }
}

/// Names that hold on every machine.
fn well_known(table: NameTable, name: &str) -> Option<u32> {
    Some(match (table, name) {
        (NameTable::Scope, "global" | "universe") => 0,
        (NameTable::Scope, "site") => 200,
        (NameTable::Scope, "link") => 253,
        (NameTable::Scope, "host") => 254,
        (NameTable::Scope, "nowhere") => 255,
        (NameTable::Table, "main") => 254,
        (NameTable::Table, "local") => 255,
        (NameTable::Table, "default") => 253,
        (NameTable::Protocol, "kernel") => 2,
        (NameTable::Protocol, "boot") => 3,
        (NameTable::Protocol, "static") => 4,
        (NameTable::Protocol, "ra") => 9,
        (NameTable::Protocol, "keepalived") => 18,
        (NameTable::Group, "default") => 0,
        _ => return None,
    })
}

/// Rows that stand for a kind of word, not for a word.
pub(super) fn is_placeholder(name: &str) -> bool {
    matches!(
        name,
        "IP" | "IP-RANGE" | "IP/LEN" | "DEST" | "MAC" | "IFNAME" | "LABELS" | "LOCATOR"
    )
}

//! Lines of `virtual_routes` and `static_routes`.

use std::net::IpAddr;

use rk_base::{Family, Prefix};

use super::address::is_placeholder;
use super::{At, Build, Stop, advise, check};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{Route, RouteWord};
use crate::source::NameTable;
use crate::table::{Args, Context, Missing, Value};
use crate::tree::Statement;

/// A line, and what is to be asked about it at the end.
#[derive(Clone, Debug)]
pub(crate) struct RawRoute {
    pub(crate) route: Route,
    pub(crate) at: At,
    /// Interfaces it names, with what they are for.
    pub(crate) interfaces: Vec<(String, &'static str, At)>,
}

/// What was read of a line so far.
#[derive(Debug, Default)]
struct Reading {
    words: Vec<RouteWord>,
    family: Option<Family>,
    has_destination: bool,
    dropped: bool,
    no_track: bool,
    track_group: Option<String>,
    interfaces: Vec<(String, &'static str, At)>,
    /// It leads to nowhere on purpose (blackhole and such).
    special: bool,
    has_way: bool,
}

const TYPES: &[&str] = &[
    "unicast",
    "local",
    "broadcast",
    "brd",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
    "nat",
    "xresolve",
];

impl Build<'_> {
    /// Reads one line; `None` if it is dropped.
    pub(super) fn route(
        &mut self,
        line: &Statement,
        context: Context,
    ) -> Result<Option<RawRoute>, Stop> {
        let mut r = Reading::default();
        let mut n = 0;
        while let Some(word) = line.word(n) {
            let keyword = context.find(word).filter(|k| !is_placeholder(k.name));
            if let Some(keyword) = keyword {
                let valued = !matches!(keyword.args, Args::Flag);
                if valued && line.word(n + 1).is_none() {
                    if keyword.missing == Missing::Stops {
                        return Err(check::stop(
                            line,
                            n + 1,
                            Some(&keyword.usage()),
                            self.report(),
                        ));
                    }
                    if keyword.name != "nexthop" {
                        let text = format!("{word} needs a value");
                        self.report_at(code::VALUE_MISSING, Class::General, text, line, n);
                    }
                }
                n += self.route_option(keyword.name, line, n, &mut r)?;
            } else if is_destination(word) {
                self.destination(line, n, &mut r);
                n += 1;
            } else if !r.has_destination && TYPES.contains(&word) {
                r.special = matches!(word, "blackhole" | "unreachable" | "prohibit" | "throw");
                r.words.push(one("type", word));
                n += 1;
            } else if !r.has_destination {
                self.destination(line, n, &mut r);
                n += 1;
            } else {
                let text = format!("unknown route keyword {word}");
                let d = Diagnostic::error(code::ENTRY_OPTION, Class::General, text);
                let d = advise::option(line, n, context, line.point(d, n));
                self.session.report.push(d);
                r.dropped |= r.words.last().is_some_and(|w| w.option == "nexthop");
                n += 1;
            }
            if r.dropped {
                return Ok(None);
            }
        }
        if !r.has_destination {
            let text = "Route must have a destination";
            self.report_at(code::ENTRY, Class::General, text, line, 0);
            return Ok(None);
        }
        let route = Route {
            words: r.words,
            no_track: r.no_track,
            track_group: r.track_group,
            origin: self.origin(line),
        };
        Ok(Some(RawRoute {
            route,
            at: At::of(line, 0),
            interfaces: r.interfaces,
        }))
    }

    fn destination(&mut self, line: &Statement, n: usize, r: &mut Reading) {
        let word = line.word(n).unwrap_or("");
        r.has_destination = true;
        match word {
            "default" | "any" | "all" => {}
            "default6" => r.family = Some(Family::V6),
            _ => match open_prefix(word) {
                Some(prefix) => self.same_family(prefix.family(), line, n, r),
                None => {
                    let text = format!("unknown route destination '{word}'");
                    self.report_at(code::NOT_AN_ADDRESS, Class::General, text, line, n);
                    r.dropped = true;
                }
            },
        }
        r.words.push(one("dest", word));
    }

    /// Whether `text` is an address; one of the other family drops the route.
    fn route_address(&mut self, text: &str, line: &Statement, n: usize, r: &mut Reading) -> bool {
        match text.parse::<IpAddr>() {
            Ok(ip) => {
                self.same_family(Family::of(ip), line, n, r);
                true
            }
            Err(_) => false,
        }
    }

    /// All addresses of a route are of one family.
    fn same_family(&mut self, family: Family, line: &Statement, n: usize, r: &mut Reading) {
        if r.family.is_some_and(|f| f != family) {
            let text = "Cannot mix IPv4 and IPv6 addresses for route";
            self.report_at(code::FAMILY, Class::General, text, line, n);
            r.dropped = true;
        }
        r.family = Some(family);
    }

    fn route_option(
        &mut self,
        name: &'static str,
        line: &Statement,
        n: usize,
        r: &mut Reading,
    ) -> Result<usize, Stop> {
        let value = line.word(n + 1).unwrap_or("");
        let mut taken = 2;
        let ok = match name {
            "to" => {
                // A type may not stand behind it.
                self.destination(line, n + 1, r);
                return Ok(2);
            }
            "inet" | "inet6" => {
                let text = format!("`{name}` makes the parser skip the next word");
                let d = Diagnostic::note(code::ENTRY_OPTION, text);
                self.session.report.push(line.point(d, n));
                r.family = Some(if name == "inet" {
                    Family::V4
                } else {
                    Family::V6
                });
                return Ok(2);
            }
            "no_track" => {
                r.no_track = true;
                return Ok(1);
            }
            "track_group" => {
                r.track_group = Some(value.to_owned());
                return Ok(2);
            }
            "onlink" | "add" | "prepend" | "append" => {
                r.words.push(RouteWord {
                    option: name.to_owned(),
                    values: Vec::new(),
                });
                return Ok(1);
            }
            "as" => {
                let text = "'as' is only for MPLS routes - ignoring";
                self.report_at(code::ENTRY_OPTION, Class::General, text, line, n);
                return Ok(if value == "to" { 3 } else { 2 });
            }
            "via" | "gw" => {
                let mut at = n + 1;
                if name == "gw" {
                    let text = "\"gw\" for routes is deprecated. Please use \"via\"";
                    self.warn_at(code::OLD_SPELLING, Class::Deprecated, text, line, n);
                } else if matches!(value, "inet" | "inet6") {
                    at += 1;
                }
                if line.word(at).is_none() {
                    return Err(check::stop(line, at, Some("IP"), self.report()));
                }
                taken = at + 1 - n;
                r.has_way = true;
                let gateway = line.word(at).unwrap_or("");
                r.words.push(one("via", gateway));
                match gateway.parse::<IpAddr>() {
                    Ok(ip) => {
                        self.same_family(Family::of(ip), line, at, r);
                        return Ok(taken);
                    }
                    Err(_) => false,
                }
            }
            "or" => {
                let text = "\"or\" for routes is deprecated. Please use \"nexthop\"";
                self.warn_at(code::OLD_SPELLING, Class::Deprecated, text, line, n);
                self.route_address(value, line, n + 1, r)
            }
            "src" => self.route_address(value, line, n + 1, r),
            "from" => match open_prefix(value) {
                Some(prefix) => prefix.family() == Family::V6 && r.family != Some(Family::V4),
                None => matches!(value, "default" | "any" | "all"),
            },
            "tos" | "dsfield" => self.named_number(NameTable::DsField, value, 255).is_some(),
            "table" => self
                .named_number(NameTable::Table, value, u64::from(u32::MAX))
                .is_some(),
            "protocol" => self.named_number(NameTable::Protocol, value, 255).is_some(),
            "scope" => self.named_number(NameTable::Scope, value, 255).is_some(),
            "metric" | "priority" | "preference" | "window" | "initcwnd" | "initrwnd" => {
                number(value, u64::from(u32::MAX))
            }
            "expires" => r.family != Some(Family::V4) && number(value, u64::from(u32::MAX)),
            "hoplimit" => number(value, 255),
            "quickack" | "fastopen_no_cookie" => number(value, 1),
            "mtu" | "advmss" | "reordering" | "cwnd" | "ssthresh" | "rtt" | "rttvar"
            | "rto_min" | "congctl" => {
                let at = if value == "lock" { n + 2 } else { n + 1 };
                let Some(word) = line.word(at) else {
                    return Err(check::stop(line, at, None, self.report()));
                };
                taken = at + 1 - n;
                let values = (n + 1..=at)
                    .filter_map(|i| line.word(i))
                    .map(str::to_owned)
                    .collect();
                r.words.push(RouteWord {
                    option: name.to_owned(),
                    values,
                });
                let ok = match name {
                    "congctl" => true,
                    "rtt" | "rttvar" | "rto_min" => self.round_trip(name, line, at),
                    _ => number(word, u64::from(u32::MAX)),
                };
                if ok {
                    return Ok(taken);
                }
                false
            }
            "dev" | "oif" => {
                r.has_way = true;
                r.interfaces
                    .push((value.to_owned(), "VROUTE", At::of(line, n + 1)));
                r.words.push(one("dev", value));
                return Ok(2);
            }
            "vrf" => {
                let text = format!("VRF {value} does not exist");
                self.interface_exists(value);
                self.report_at(code::NO_INTERFACE, Class::General, text, line, n + 1);
                r.dropped = true;
                return Ok(2);
            }
            "realms" => r.family != Some(Family::V6) && self.realms(value),
            "features" => {
                if value != "ecn" {
                    let text = format!("feature {value} not supported");
                    self.report_at(code::UNKNOWN_WORD, Class::General, text, line, n + 1);
                }
                true
            }
            "pref" => {
                r.family != Some(Family::V4)
                    && (matches!(value, "low" | "medium" | "high") || number(value, 255))
            }
            "ttl-propagate" => {
                if !matches!(value, "enabled" | "disabled") {
                    let text = format!("unknown ttl-propagate value {value}");
                    self.report_at(code::UNKNOWN_WORD, Class::General, text, line, n + 1);
                }
                true
            }
            "encap" => {
                taken = self.encap(line, n + 1)? - n;
                let values = (n + 1..n + taken).filter_map(|i| line.word(i));
                let values = values.map(str::to_owned).collect();
                r.words.push(RouteWord {
                    option: "encap".to_owned(),
                    values,
                });
                return Ok(taken);
            }
            "nexthop" => return self.nexthops(line, n, r),
            _ => true,
        };
        if !ok {
            let text = format!("invalid {name} '{value}' for route");
            self.report_at(code::ENTRY_OPTION, Class::General, text, line, n + 1);
            r.dropped = true;
        }
        if !matches!(name, "via" | "gw") {
            r.words.push(one(name, value));
        }
        Ok(taken)
    }

    /// `nexthop via A dev I weight N ... nexthop ...` up to the end of the line.
    fn nexthops(&mut self, line: &Statement, n: usize, r: &mut Reading) -> Result<usize, Stop> {
        let mut at = n + 1;
        let mut values: Vec<String> = Vec::new();
        while let Some(option) = line.word(at) {
            let value = line.word(at + 1);
            if matches!(option, "via" | "dev" | "weight" | "realms") && value.is_none() {
                return Err(check::stop(line, at + 1, None, self.report()));
            }
            let value = value.unwrap_or("");
            let from = at;
            let ok = match option {
                "nexthop" | "onlink" => {
                    at += 1;
                    true
                }
                "via" => {
                    let skip = usize::from(matches!(value, "inet" | "inet6"));
                    let Some(gateway) = line.word(at + 1 + skip) else {
                        return Err(check::stop(line, at + 2, Some("IP"), self.report()));
                    };
                    at += 2 + skip;
                    self.route_address(gateway, line, at - 1, r)
                }
                "dev" => {
                    r.interfaces
                        .push((value.to_owned(), "VROUTE nexthop", At::of(line, at + 1)));
                    at += 2;
                    true
                }
                "weight" => {
                    at += 2;
                    check::integer(value, 1, 256, false, false).is_ok()
                }
                "realms" => {
                    at += 2;
                    self.realms(value)
                }
                "encap" => {
                    at = self.encap(line, at + 1)?;
                    true
                }
                _ => {
                    let text = format!("unknown nexthop option {option}");
                    self.report_at(code::ENTRY_OPTION, Class::General, text, line, at);
                    break;
                }
            };
            if !ok {
                let text = format!("invalid {option} '{value}' for nexthop");
                self.report_at(code::ENTRY_OPTION, Class::General, text, line, from + 1);
            }
            values.extend((from..at).filter_map(|i| line.word(i)).map(str::to_owned));
        }
        r.words.push(RouteWord {
            option: "nexthop".to_owned(),
            values,
        });
        Ok(line.words.len() - n)
    }

    /// Reads an encapsulation from word `at` on; gives where it ends.
    fn encap(&mut self, line: &Statement, at: usize) -> Result<usize, Stop> {
        let kind = line.word(at).unwrap_or("");
        let context = match kind {
            "ip" => Context::StaticRoutesEncapIp,
            "ip6" => Context::StaticRoutesEncapIp6,
            "mpls" | "ila" => {
                let value = line.word(at + 1).unwrap_or("");
                let ok = if kind == "mpls" {
                    labels(value)
                } else {
                    locator(value)
                };
                if !ok {
                    let text = format!("invalid encap {kind} '{value}'");
                    self.report_at(code::ENTRY_OPTION, Class::General, text, line, at + 1);
                }
                return Ok(at + 2);
            }
            _ => {
                let text = format!("unknown encap type '{kind}'");
                self.report_at(code::ENTRY_OPTION, Class::General, text, line, at);
                return Ok(at + 1);
            }
        };
        let mut n = at + 1;
        let mut aimed = false;
        while let Some(keyword) = line.word(n).and_then(|w| context.find(w)) {
            let Some(value) = line.word(n + 1) else {
                if keyword.missing == Missing::Stops {
                    return Err(check::stop(line, n + 1, None, self.report()));
                }
                let text = format!("{} needs a value", keyword.name);
                self.report_at(code::VALUE_MISSING, Class::General, text, line, n);
                return Ok(n + 1);
            };
            aimed |= matches!(keyword.name, "id" | "dst");
            let ok = match keyword.args {
                Args::One(Value::Int { min, max, .. }) => {
                    check::integer(value, min, max, true, false).is_ok()
                }
                Args::One(Value::Address(which)) => check::address(value, which).is_ok(),
                _ => self.named_number(NameTable::DsField, value, 255).is_some(),
            };
            if !ok {
                let text = format!("invalid encap {kind} {} '{value}'", keyword.name);
                self.report_at(code::ENTRY_OPTION, Class::General, text, line, n + 1);
            }
            n += 2;
        }
        if !aimed {
            let text = format!("encap {kind} needs dst or id");
            self.report_at(code::ENTRY_OPTION, Class::General, text, line, at);
        }
        Ok(n)
    }

    pub(super) fn realms(&self, text: &str) -> bool {
        let mut parts = 0;
        let known = text.split('/').all(|realm| {
            parts += 1;
            self.named_number(NameTable::Realm, realm, 255).is_some()
        });
        known && parts <= 2
    }

    /// A round-trip time; out of range is reported and clamped.
    fn round_trip(&mut self, name: &str, line: &Statement, n: usize) -> bool {
        let text = line.word(n).unwrap_or("");
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "ms" => 1_000,
            // Without a unit, milliseconds are meant unless the number has decimals.
            "" if !text.contains('.') => 1_000,
            "" | "s" | "sec" | "secs" => 1_000_000,
            _ => return false,
        };
        match check::decimal(digits, 0, u64::MAX, if unit == 1_000 { 3 } else { 6 }, unit) {
            Ok(micros) => {
                if !(200_000..=120_000_000).contains(&micros) && unit == 1_000_000 {
                    let message = format!("{name} {text} is outside 0.2 to 120 seconds");
                    self.warn_at(code::OUT_OF_RANGE, Class::General, message, line, n);
                }
                true
            }
            Err(_) => false,
        }
    }
}

/// Whether a bare word is where a route leads.
fn is_destination(word: &str) -> bool {
    matches!(word, "default" | "any" | "all" | "default6") || open_prefix(word).is_some()
}

fn one(option: &str, value: &str) -> RouteWord {
    RouteWord {
        option: option.to_owned(),
        values: vec![value.to_owned()],
    }
}

pub(super) fn number(text: &str, max: u64) -> bool {
    check::integer(text, 0, max, true, false).is_ok()
}

/// A prefix; behind the slash there may be nothing.
pub(super) fn open_prefix(text: &str) -> Option<Prefix> {
    match text.strip_suffix('/') {
        Some(address) => address.parse().ok().map(Prefix::host),
        None => text.parse().ok(),
    }
}

fn labels(text: &str) -> bool {
    let mut count = 0;
    let fine = text.split('/').all(|label| {
        count += 1;
        number(label, 1_048_575)
    });
    fine && count <= 2
}

fn locator(text: &str) -> bool {
    let mut count = 0;
    let fine = text.split(':').all(|part| {
        count += 1;
        (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_hexdigit())
    });
    fine && count == 4
}

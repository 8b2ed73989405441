//! Lines of `virtual_routes` and `static_routes`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rk_base::{Family, Prefix};

use super::address::is_placeholder;
use super::entry::{Entry, Fault, Raw, Words, is_any, number, open_prefix, unsigned};
use super::{Build, Stop, check};
use crate::code;
use crate::diagnostic::Class;
use crate::model::{
    Hop, Leg, LegWeight, Metric, Metrics, Placement, Route, RouteProtocol, RouteTable, RouteType,
    RouterPreference, Scope,
};
use crate::source::NameTable;
use crate::table::{Context, Keyword};
use crate::tree::Statement;

/// Where a route leads.
#[derive(Clone, Copy, Debug)]
enum Destination {
    Prefix(Prefix),
    /// Anywhere, of whatever family the rest of the line is.
    Default,
}

/// What was read of a line so far.
struct Reading {
    entry: Entry,
    dest: Option<Destination>,
    /// The gateway behind `or`.
    or: Option<IpAddr>,
    /// The destination and what the entry holds are filled in at the end.
    route: Route,
}

impl Build<'_> {
    /// Reads one line; `None` if it is dropped.
    pub(super) fn route(
        &mut self,
        line: &Statement,
        context: Context,
    ) -> Result<Option<Raw<Route>>, Stop> {
        let mut words = Words::new(line);
        let mut r = Reading {
            entry: Entry::new("route"),
            dest: None,
            or: None,
            route: Route {
                dest: Prefix::host(Ipv4Addr::UNSPECIFIED.into()),
                kind: RouteType::UNICAST,
                table: RouteTable::MAIN,
                scope: Scope::GLOBAL,
                protocol: RouteProtocol::KEEPALIVED,
                metric: None,
                tos: None,
                src: None,
                from: None,
                hop: Hop::default(),
                legs: Vec::new(),
                metrics: Metrics::default(),
                expires: None,
                pref: None,
                ttl_propagate: None,
                placement: Placement::default(),
                no_track: false,
                track_group: None,
                origin: self.origin(line),
            },
        };
        while let Some(word) = words.peek() {
            match self.route_word(word, context, &mut words, &mut r) {
                Ok(()) => {}
                Err(Fault::Stop) => return Err(Stop),
                Err(Fault::Value | Fault::Dropped) => return Ok(None),
            }
        }
        let Some(dest) = r.dest else {
            let text = "Route must have a destination";
            self.entry_error(code::ENTRY, text, &words, 0);
            return Ok(None);
        };
        let mut route = r.route;
        route.dest = match (dest, r.entry.family) {
            (Destination::Prefix(prefix), _) => prefix,
            (Destination::Default, Some(Family::V6)) => everything(Ipv6Addr::UNSPECIFIED.into()),
            (Destination::Default, _) => everything(Ipv4Addr::UNSPECIFIED.into()),
        };
        if let Some(or) = r.or {
            let leg = |via| Leg {
                hop: Hop {
                    via: Some(via),
                    ..Hop::default()
                },
                weight: LegWeight::ONE,
            };
            let first = route.hop.via.take();
            let both = first.into_iter().chain([or]);
            route.legs.splice(0..0, both.map(leg));
        }
        route.protocol = self.entry_protocol(&r.entry, line);
        route.no_track = r.entry.no_track;
        route.track_group = r.entry.track_group.take();
        Ok(Some(r.entry.finish(route)))
    }

    /// Reads an option, or the destination.
    fn route_word(
        &mut self,
        word: &str,
        context: Context,
        words: &mut Words<'_>,
        r: &mut Reading,
    ) -> Result<(), Fault> {
        if let Some(keyword) = context.find(word).filter(|k| !is_placeholder(k.name)) {
            words.take();
            if keyword.name != "nexthop" {
                self.needs_value(keyword, words)?;
            }
            let read = self.route_option(keyword, words, r);
            if let Err(Fault::Value) = read {
                let value = words.last_word();
                let text = format!("invalid {} '{value}' for route", keyword.name);
                self.no_value(text, None, words);
            }
            return read;
        }
        if is_destination(word) {
            return self.destination(words, r);
        }
        // A type, even a number that was meant for something else, has a destination behind it.
        if let Some(kind) = route_type(word) {
            words.take();
            if words.peek().is_none() {
                return Err(check::stop(words.line(), words.at(), None, self.report()).into());
            }
            r.route.kind = kind;
            return self.destination(words, r);
        }
        if r.dest.is_none() {
            return self.destination(words, r);
        }
        self.no_option(format!("unknown route keyword {word}"), context, words);
        Err(Fault::Dropped)
    }

    fn destination(&mut self, words: &mut Words<'_>, r: &mut Reading) -> Result<(), Fault> {
        let word = words.take();
        r.dest = Some(match word {
            word if is_any(word) => {
                self.no_family_yet(words, r)?;
                Destination::Default
            }
            "default6" => {
                self.same_family(Family::V6, words, r)?;
                Destination::Default
            }
            _ => match open_prefix(word) {
                Some(prefix) => {
                    self.same_family(prefix.family(), words, r)?;
                    Destination::Prefix(prefix)
                }
                None => {
                    let text = format!("unknown route destination '{word}'");
                    self.entry_error(code::NOT_AN_ADDRESS, text, words, words.last());
                    return Err(Fault::Dropped);
                }
            },
        });
        Ok(())
    }

    /// An address of the route's family.
    fn route_address(
        &mut self,
        text: &str,
        words: &Words<'_>,
        r: &mut Reading,
    ) -> Result<IpAddr, Fault> {
        let ip: IpAddr = text.parse().map_err(|_| Fault::Value)?;
        self.same_family(Family::of(ip), words, r)?;
        Ok(ip)
    }

    /// `default` stands ahead of all addresses.
    fn no_family_yet(&mut self, words: &Words<'_>, r: &Reading) -> Result<(), Fault> {
        if r.entry.family.is_none() {
            return Ok(());
        }
        let word = words.last_word();
        let text = format!("{word} behind an address: keepalived takes it for one of no family");
        let d = crate::Diagnostic::error(code::FAMILY, Class::General, text)
            .help(format!("begin the line with {word}"));
        self.session
            .report
            .push(words.line().point(d, words.last()));
        Err(Fault::Dropped)
    }

    /// All addresses of a route are of one family.
    fn same_family(
        &mut self,
        family: Family,
        words: &Words<'_>,
        r: &mut Reading,
    ) -> Result<(), Fault> {
        if r.entry.family.is_some_and(|f| f != family) {
            let text = "Cannot mix IPv4 and IPv6 addresses for route";
            self.entry_error(code::FAMILY, text, words, words.last());
            return Err(Fault::Dropped);
        }
        r.entry.family = Some(family);
        Ok(())
    }

    fn route_option(
        &mut self,
        keyword: &'static Keyword,
        words: &mut Words<'_>,
        r: &mut Reading,
    ) -> Result<(), Fault> {
        if self.shared_option(keyword, words, &mut r.entry)? {
            return Ok(());
        }
        let v4 = r.entry.family == Some(Family::V4);
        let v6 = r.entry.family == Some(Family::V6);
        match keyword.canonical() {
            // A type may not stand behind it.
            "to" => self.destination(words, r)?,
            "onlink" => r.route.hop.onlink = true,
            "add" => r.route.placement = Placement::Add,
            "prepend" => r.route.placement = Placement::Prepend,
            "append" => r.route.placement = Placement::Append,
            "as" => {
                let name = words.last();
                words.skip(&["to"]);
                self.required(words, Some("IP"))?;
                let text = "'as' is only for MPLS routes - ignoring";
                self.entry_error(code::ENTRY_OPTION, text, words, name);
            }
            "via" | "gw" => {
                if keyword.name == "gw" {
                    let text = "\"gw\" for routes is deprecated. Please use \"via\"";
                    self.entry_warning(text, words);
                } else {
                    words.skip(&["inet", "inet6"]);
                }
                let gateway = self.required(words, Some("IP"))?;
                r.route.hop.via = Some(self.route_address(gateway, words, r)?);
            }
            "or" => {
                let text = "\"or\" for routes is deprecated. Please use \"nexthop\"";
                self.entry_warning(text, words);
                let gateway = words.take();
                let gateway = self.route_address(gateway, words, r)?;
                r.or.get_or_insert(gateway);
            }
            "src" => {
                let src = words.take();
                r.route.src = Some(self.route_address(src, words, r)?);
            }
            "from" => {
                let word = words.take();
                r.route.from = match open_prefix(word) {
                    Some(prefix) if prefix.family() == Family::V6 && !v4 => {
                        r.entry.family = Some(Family::V6);
                        Some(prefix)
                    }
                    _ => return Err(Fault::Value),
                };
            }
            "tos" => r.route.tos = Some(self.ds_field(words.take())?),
            "table" => {
                let table = self.named(NameTable::Table, words.take(), u32::MAX)?;
                r.route.table = RouteTable(table);
            }
            "protocol" => {
                let protocol = self.named(NameTable::Protocol, words.take(), 255)?;
                r.entry.protocol = Some(RouteProtocol(protocol));
            }
            "scope" => r.route.scope = Scope(self.named(NameTable::Scope, words.take(), 255)?),
            "metric" => r.route.metric = Some(number(keyword, words.take())?),
            "expires" => {
                let seconds = number(keyword, words.take())?;
                if v4 {
                    return Err(Fault::Value);
                }
                r.route.expires = Some(Duration::from_secs(seconds));
            }
            "dev" => {
                words.take();
                r.route.hop.dev = Some(r.entry.interface("VROUTE", words));
            }
            "vrf" => {
                let vrf = words.take();
                let text = format!("VRF {vrf} does not exist");
                self.entry_error(code::NO_INTERFACE, text, words, words.last());
                return Err(Fault::Dropped);
            }
            "realms" => {
                let realms = self.realms(words.take())?;
                if v6 {
                    return Err(Fault::Value);
                }
                r.route.hop.realms = Some(realms);
            }
            "pref" => {
                let pref = match words.take() {
                    "low" => RouterPreference::LOW,
                    "medium" => RouterPreference::MEDIUM,
                    "high" => RouterPreference::HIGH,
                    number => RouterPreference(unsigned(number, 255)?),
                };
                if v4 {
                    return Err(Fault::Value);
                }
                r.route.pref = Some(pref);
            }
            "ttl-propagate" => match words.take() {
                "enabled" => r.route.ttl_propagate = Some(true),
                "disabled" => r.route.ttl_propagate = Some(false),
                other => {
                    let text = format!("unknown ttl-propagate value {other}");
                    self.entry_error(code::UNKNOWN_WORD, text, words, words.last());
                }
            },
            "encap" => r.route.hop.encap = self.encap(words)?,
            "nexthop" => self.legs(words, r)?,
            _ => self.route_metric(keyword, words, &mut r.route.metrics)?,
        }
        Ok(())
    }

    fn entry_warning(&mut self, text: &str, words: &Words<'_>) {
        let (code, class) = (code::OLD_SPELLING, Class::Deprecated);
        self.warn_at(code, class, text, words.line(), words.last());
    }

    fn route_metric(
        &mut self,
        keyword: &'static Keyword,
        words: &mut Words<'_>,
        metrics: &mut Metrics,
    ) -> Result<(), Fault> {
        match keyword.name {
            "hoplimit" => metrics.hoplimit = Some(number(keyword, words.take())?),
            "window" => metrics.window = Some(number(keyword, words.take())?),
            "initcwnd" => metrics.initcwnd = Some(number(keyword, words.take())?),
            "initrwnd" => metrics.initrwnd = Some(number(keyword, words.take())?),
            "quickack" => metrics.quickack = Some(number::<u8>(keyword, words.take())? == 1),
            "fastopen_no_cookie" => {
                metrics.fastopen_no_cookie = Some(number::<u8>(keyword, words.take())? == 1);
            }
            "features" => match words.take() {
                "ecn" => metrics.ecn = true,
                other => {
                    let text = format!("feature {other} not supported");
                    self.entry_error(code::UNKNOWN_WORD, text, words, words.last());
                }
            },
            name => {
                let lock = words.skip(&["lock"]);
                let text = self.required(words, None)?;
                let bytes = || {
                    let value = unsigned(text, u32::MAX.into())?;
                    Ok::<_, Fault>(Some(Metric { value, lock }))
                };
                match name {
                    "mtu" => metrics.mtu = bytes()?,
                    "advmss" => metrics.advmss = bytes()?,
                    "reordering" => metrics.reordering = bytes()?,
                    "cwnd" => metrics.cwnd = bytes()?,
                    "ssthresh" => metrics.ssthresh = bytes()?,
                    "congctl" => {
                        let value = text.to_owned();
                        metrics.congctl = Some(Metric { value, lock });
                    }
                    time => {
                        let value = self.round_trip(time, text, words)?;
                        let metric = Some(Metric { value, lock });
                        match time {
                            "rtt" => metrics.rtt = metric,
                            "rttvar" => metrics.rttvar = metric,
                            _ => metrics.rto_min = metric,
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// `nexthop via A dev I weight N ... nexthop ...` up to the end of the line.
    fn legs(&mut self, words: &mut Words<'_>, r: &mut Reading) -> Result<(), Fault> {
        loop {
            let mut leg = Leg {
                hop: Hop::default(),
                weight: LegWeight::ONE,
            };
            let mut usable = true;
            while let Some(option) = words.peek().filter(|word| *word != "nexthop") {
                words.take();
                match self.leg_option(option, &mut leg, words, r) {
                    Ok(true) => {}
                    Ok(false) => {
                        let text = format!("unknown nexthop option {option}");
                        self.entry_error(code::ENTRY_OPTION, text, words, words.last());
                        words.skip_rest();
                    }
                    Err(Fault::Value) => {
                        let value = words.last_word();
                        let text = format!("invalid {option} '{value}' for nexthop");
                        self.no_value(text, None, words);
                        usable = false;
                    }
                    Err(fault) => return Err(fault),
                }
            }
            if usable && (leg.hop.via.is_some() || leg.hop.dev.is_some()) {
                r.route.legs.push(leg);
            }
            if !words.skip(&["nexthop"]) {
                return Ok(());
            }
        }
    }

    /// Reads an option of a leg; gives whether it is one.
    fn leg_option(
        &mut self,
        option: &str,
        leg: &mut Leg,
        words: &mut Words<'_>,
        r: &mut Reading,
    ) -> Result<bool, Fault> {
        match option {
            "onlink" => leg.hop.onlink = true,
            "via" => {
                words.skip(&["inet", "inet6"]);
                let gateway = self.required(words, Some("IP"))?;
                leg.hop.via = Some(self.route_address(gateway, words, r)?);
            }
            "dev" => {
                self.required(words, None)?;
                leg.hop.dev = Some(r.entry.interface("VROUTE nexthop", words));
            }
            "weight" => {
                let weight = unsigned(self.required(words, None)?, 256)?;
                leg.weight = LegWeight::new(weight).ok_or(Fault::Value)?;
            }
            "realms" => {
                let realms = self.required(words, None)?;
                leg.hop.realms = Some(self.realms(realms)?);
            }
            "encap" => leg.hop.encap = self.encap(words)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A round-trip time. Without a unit and decimals it is what the kernel counts in. One out
    /// of range is clamped; that is reported when it is written in seconds.
    fn round_trip(&mut self, name: &str, text: &str, words: &Words<'_>) -> Result<Duration, Fault> {
        const LEAST: u64 = 200_000;
        const MOST: u64 = 120_000_000;
        // In milliseconds, of which the kernel counts parts.
        let most: u64 = match name {
            "rtt" => 960_000,
            "rttvar" => 480_000,
            _ => 120_000,
        };
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "ms" => 1_000,
            "" if !text.contains('.') => 1_000,
            "" | "s" | "sec" | "secs" => 1_000_000,
            _ => return Err(Fault::Value),
        };
        if !digits.bytes().any(|b| b.is_ascii_digit()) {
            return Err(Fault::Value);
        }
        let decimals = if unit == 1_000 { 3 } else { 6 };
        let places = if unit == 1_000 || digits.len() == text.len() {
            0
        } else {
            3
        };
        let micros = check::decimal(digits, 0, u64::MAX, decimals, unit);
        let mut micros = micros.map_err(|_| Fault::Value)?;
        if micros > most * 1_000 {
            return Err(Fault::Value);
        }
        if digits
            .split_once('.')
            .is_some_and(|(_, behind)| behind.len() > places)
        {
            let message = format!("{name} {text} has too many decimal places");
            self.entry_error(code::OUT_OF_RANGE, message, words, words.last());
        }
        if unit == 1_000 && digits.len() == text.len() {
            micros /= match name {
                "rtt" => 8,
                "rttvar" => 4,
                _ => 1,
            };
        }
        if !(LEAST..=MOST).contains(&micros) && unit == 1_000_000 {
            let message = format!("{name} {text} is outside 0.2 to 120 seconds");
            let (code, line) = (code::OUT_OF_RANGE, words.line());
            self.warn_at(code, Class::General, message, line, words.last());
        }
        Ok(Duration::from_micros(micros.clamp(LEAST, MOST)))
    }
}

/// Whether a bare word is where a route leads.
fn is_destination(word: &str) -> bool {
    is_any(word) || word == "default6" || open_prefix(word).is_some()
}

/// The type that a word stands for, or a number.
fn route_type(word: &str) -> Option<RouteType> {
    RouteType::named(word).or_else(|| {
        let n = check::integer(word, 0, 255, true, false).ok()?;
        u8::try_from(n).ok().map(RouteType)
    })
}

/// The prefix of length 0.
fn everything(unspecified: IpAddr) -> Prefix {
    Prefix::new(unspecified, 0).expect("every family has a prefix of length 0")
}

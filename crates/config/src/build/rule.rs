//! Lines of `virtual_rules` and `static_rules`.

use rk_base::Family;

use super::route::{number, open_prefix};
use super::{At, Build, Stop, advise, check};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{RouteWord, Rule};
use crate::source::NameTable;
use crate::table::{Args, Context, Missing};
use crate::tree::Statement;

/// A line, and what is to be asked about it at the end.
#[derive(Clone, Debug)]
pub(crate) struct RawRule {
    pub(crate) rule: Rule,
    pub(crate) at: At,
    /// Interfaces it names.
    pub(crate) interfaces: Vec<(String, At)>,
}

/// What was read of a line so far.
#[derive(Debug, Default)]
struct Reading {
    words: Vec<RouteWord>,
    family: Option<Family>,
    dropped: bool,
    priority: Option<u64>,
    /// What is done, if the line says so.
    action: Option<String>,
    goto: Option<u64>,
    has_table: bool,
    l3mdev: bool,
    realms: bool,
    no_track: bool,
    track_group: Option<String>,
    interfaces: Vec<(String, At)>,
}

impl Build<'_> {
    /// Reads one line; `None` if it is dropped.
    pub(super) fn rule(
        &mut self,
        line: &Statement,
        context: Context,
    ) -> Result<Option<RawRule>, Stop> {
        let mut r = Reading::default();
        let mut n = 0;
        while let Some(word) = line.word(n) {
            let Some(keyword) = context.find(word) else {
                let text = format!("Unknown rule option {word}");
                let d = Diagnostic::error(code::ENTRY_OPTION, Class::General, text);
                let d = advise::option(line, n, context, line.point(d, n));
                self.session.report.push(d);
                n += 1;
                continue;
            };
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
                let text = format!("{word} needs a value");
                self.report_at(code::VALUE_MISSING, Class::General, text, line, n);
            }
            n += self.rule_option(keyword.name, line, n, &mut r)?;
            if r.dropped {
                return Ok(None);
            }
        }
        if !self.rule_makes_sense(line, &r) {
            return Ok(None);
        }
        let rule = Rule {
            words: r.words,
            no_track: r.no_track,
            track_group: r.track_group,
            origin: self.origin(line),
        };
        Ok(Some(RawRule {
            rule,
            at: At::of(line, 0),
            interfaces: r.interfaces,
        }))
    }

    fn rule_option(
        &mut self,
        name: &'static str,
        line: &Statement,
        n: usize,
        r: &mut Reading,
    ) -> Result<usize, Stop> {
        let value = line.word(n + 1).unwrap_or("");
        let mut taken = 2;
        let mut fatal = true;
        let ok = match name {
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
            "not" | "l3mdev" | "nop" | "blackhole" | "unreachable" | "prohibit" | "no_track" => {
                match name {
                    "no_track" => r.no_track = true,
                    "l3mdev" => r.l3mdev = true,
                    "not" => {}
                    action => self.rule_action(action, line, n, r),
                }
                r.words.push(RouteWord {
                    option: name.to_owned(),
                    values: Vec::new(),
                });
                return Ok(1);
            }
            "from" | "to" => match value {
                "default" | "any" | "all" => true,
                _ => match open_prefix(value) {
                    Some(prefix) => {
                        let fits = r.family.is_none_or(|f| f == prefix.family());
                        r.family = Some(prefix.family());
                        fits
                    }
                    None => false,
                },
            },
            "table" | "lookup" => {
                self.one_action(line, n, r);
                r.has_table = true;
                let table = self.named_number(NameTable::Table, value, u64::from(u32::MAX));
                table.is_some_and(|t| t > 0)
            }
            "preference" | "order" | "priority" => {
                let max = u64::from(u32::MAX);
                r.priority = check::integer(value, 0, max, true, false)
                    .ok()
                    .and_then(|n| u64::try_from(n).ok());
                r.priority.is_some()
            }
            "tos" | "dsfield" => self.named_number(NameTable::DsField, value, 255).is_some(),
            "fwmark" => {
                let (mark, mask) = value.split_once('/').unwrap_or((value, "0"));
                number(mark, u64::from(u32::MAX)) && number(mask, u64::from(u32::MAX))
            }
            "realms" => {
                r.realms = true;
                self.realms(value)
            }
            "suppress_prefixlength" | "sup_pl" => number(value, i32::MAX as u64),
            "suppress_ifgroup" | "sup_group" => self
                .named_number(NameTable::Group, value, u64::from(u32::MAX))
                .is_some(),
            "dev" | "iif" | "oif" => {
                r.interfaces.push((value.to_owned(), At::of(line, n + 1)));
                true
            }
            "tunnel-id" => number(value, u64::MAX),
            "uidrange" => is_range(value, u64::from(u32::MAX)),
            "protocol" => {
                fatal = false;
                number(value, 255)
            }
            "ipproto" => {
                fatal = false;
                number(value, 255) || is_ip_protocol(&value.to_ascii_lowercase())
            }
            "sport" | "dport" => {
                fatal = false;
                is_range(value, 65_535)
            }
            "type" => match value {
                "blackhole" | "unreachable" | "prohibit" | "nop" | "goto" => return Ok(1),
                _ => false,
            },
            "goto" => {
                let max = u64::from(u32::MAX);
                let target = check::integer(value, 0, max, true, false).ok();
                r.goto = target.and_then(|n| u64::try_from(n).ok());
                self.rule_action("goto", line, n, r);
                r.goto.is_some()
            }
            "track_group" => {
                r.track_group = Some(value.to_owned());
                return Ok(2);
            }
            _ => {
                taken = 1;
                true
            }
        };
        if ok {
            r.words.push(RouteWord {
                option: name.to_owned(),
                values: vec![value.to_owned()],
            });
        } else {
            let text = match name {
                "sport" | "dport" => format!("invalid {name} range {value}"),
                _ => format!("invalid {name} '{value}' for rule"),
            };
            let mut d = Diagnostic::error(code::ENTRY_OPTION, Class::General, text);
            if matches!(name, "sport" | "dport") && number(value, 65_535) {
                d = d.help(format!("write a range: {name} {value}-{value}"));
            }
            self.session.report.push(line.point(d, n + 1));
            r.dropped = fatal;
        }
        Ok(taken)
    }

    fn rule_action(&mut self, action: &str, line: &Statement, n: usize, r: &mut Reading) {
        self.one_action(line, n, r);
        r.action = Some(action.to_owned());
    }

    /// A rule has one table or one action, and says so once.
    fn one_action(&mut self, line: &Statement, n: usize, r: &mut Reading) {
        if r.action.is_some() || r.has_table {
            let text = "Cannot specify more than one of \
                        table/nop/goto/blackhole/prohibit/unreachable for rule";
            self.report_at(code::ENTRY, Class::General, text, line, n);
            r.dropped = true;
        }
    }

    fn rule_makes_sense(&mut self, line: &Statement, r: &Reading) -> bool {
        let problem = if r.l3mdev && r.has_table {
            Some("l3mdev cannot be used with a table")
        } else if r.action.is_some() && r.has_table {
            Some("a rule has either a table or an action")
        } else if r.realms && (!r.has_table || r.family == Some(Family::V6)) {
            Some("realms is only for IPv4 rules with a table")
        } else if r.action.is_none() && !r.has_table && !r.l3mdev {
            Some("a rule needs a table or an action")
        } else if r
            .goto
            .is_some_and(|to| r.priority.is_some_and(|own| to <= own))
        {
            Some("goto must lead to a higher preference")
        } else {
            None
        };
        if let Some(text) = problem {
            self.report_at(code::ENTRY, Class::General, text, line, 0);
            return false;
        }
        if r.priority.is_none() {
            let text = "Rule has no preference specified - setting to the next free one. \
                        This is probably not what you want.";
            self.warn_at(code::ENTRY, Class::General, text, line, 0);
        }
        true
    }
}

fn is_range(text: &str, max: u64) -> bool {
    text.split_once('-')
        .is_some_and(|(a, b)| number(a, max) && number(b, max))
}

fn is_ip_protocol(name: &str) -> bool {
    matches!(
        name,
        "tcp"
            | "udp"
            | "icmp"
            | "ipv6-icmp"
            | "icmpv6"
            | "sctp"
            | "dccp"
            | "gre"
            | "esp"
            | "ah"
            | "vrrp"
            | "udplite"
            | "igmp"
            | "ospf"
            | "ipip"
            | "ip"
            | "ipv6"
            | "l2tp"
            | "pim"
    )
}

//! Lines of `virtual_rules` and `static_rules`.

use rk_base::{Family, Prefix};

use super::entry::{Entry, Fault, Raw, Words, is_any, number, open_prefix, span, unsigned};
use super::{Build, Stop, check};
use crate::code;
use crate::model::{
    FwMark, InterfaceGroup, IpProtocol, Realms, RouteProtocol, RouteTable, Rule, RuleAction,
    RulePriority, Selector, Span,
};
use crate::source::NameTable;
use crate::table::{Context, Keyword};
use crate::tree::Statement;

/// The priorities of rules that have none, one a family; each takes the next lower one.
#[derive(Debug)]
pub(crate) struct FreePriorities {
    v4: u32,
    v6: u32,
}

impl Default for FreePriorities {
    fn default() -> Self {
        Self {
            v4: 16_384,
            v6: 16_384,
        }
    }
}

impl FreePriorities {
    fn take(&mut self, family: Family) -> RulePriority {
        let free = match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        };
        let priority = RulePriority(*free);
        *free = free.saturating_sub(1);
        priority
    }
}

/// What was read of a line so far.
struct Reading {
    entry: Entry,
    when: Selector,
    not: bool,
    priority: Option<u32>,
    action: Option<RuleAction>,
    l3mdev: bool,
    realms: Option<Realms>,
    suppress_prefixlength: Option<u32>,
    suppress_ifgroup: Option<InterfaceGroup>,
}

impl Build<'_> {
    /// Reads one line; `None` if it is dropped.
    pub(super) fn rule(
        &mut self,
        line: &Statement,
        context: Context,
    ) -> Result<Option<Raw<Rule>>, Stop> {
        let mut words = Words::new(line);
        let mut r = Reading {
            entry: Entry::new("rule"),
            when: Selector::default(),
            not: false,
            priority: None,
            action: None,
            l3mdev: false,
            realms: None,
            suppress_prefixlength: None,
            suppress_ifgroup: None,
        };
        while let Some(word) = words.peek() {
            let Some(keyword) = context.find(word) else {
                self.no_option(format!("Unknown rule option {word}"), context, &words);
                return Ok(None);
            };
            words.take();
            self.needs_value(keyword, &words)?;
            match self.rule_option(keyword, &mut words, &mut r) {
                Ok(()) => {}
                Err(Fault::Stop) => return Err(Stop),
                Err(Fault::Dropped) => return Ok(None),
                Err(Fault::Value) => {
                    let value = words.last_word();
                    let name = keyword.name;
                    let port = matches!(name, "sport" | "dport");
                    let (text, help) = if port {
                        let single = unsigned::<u16>(value, 65_535).is_ok();
                        let help = format!("write a range: {name} {value}-{value}");
                        let text = format!("invalid {name} range {value}");
                        (text, single.then_some(help))
                    } else {
                        (format!("invalid {name} '{value}' for rule"), None)
                    };
                    self.no_value(text, help, &words);
                    // Of these keepalived keeps the rest of the line.
                    if !port && !matches!(name, "protocol" | "ipproto") {
                        return Ok(None);
                    }
                }
            }
        }
        let Some(action) = self.rule_action(&words, &r) else {
            return Ok(None);
        };
        if let (Some(group), None) = (&r.entry.track_group, &r.when.iif) {
            let text = format!("A rule without iif cannot have track_group {group} - ignoring");
            self.entry_error(code::ENTRY, text, &words, 0);
            r.entry.track_group = None;
        }
        let family = r.entry.family.unwrap_or(Family::V4);
        let priority = match r.priority {
            Some(priority) => RulePriority(priority),
            None => {
                let free = self.free_priorities.take(family);
                let text = format!(
                    "Rule has no preference specified - setting to {free}. This is probably not \
                     what you want."
                );
                let class = crate::diagnostic::Class::General;
                self.warn_at(code::ENTRY, class, text, line, 0);
                free
            }
        };
        let rule = Rule {
            family,
            priority,
            when: r.when,
            not: r.not,
            action,
            realms: r.realms,
            suppress_prefixlength: r.suppress_prefixlength,
            suppress_ifgroup: r.suppress_ifgroup,
            protocol: self.entry_protocol(&r.entry, line),
            no_track: r.entry.no_track,
            track_group: r.entry.track_group.take(),
            origin: self.origin(line),
        };
        Ok(Some(r.entry.finish(rule)))
    }

    fn rule_option(
        &mut self,
        keyword: &'static Keyword,
        words: &mut Words<'_>,
        r: &mut Reading,
    ) -> Result<(), Fault> {
        if self.shared_option(keyword, words, &mut r.entry)? {
            return Ok(());
        }
        let when = &mut r.when;
        match keyword.canonical() {
            "not" => r.not = true,
            "l3mdev" => r.l3mdev = true,
            "nop" => self.only_action(RuleAction::Nop, words, r)?,
            "blackhole" => self.only_action(RuleAction::Blackhole, words, r)?,
            "unreachable" => self.only_action(RuleAction::Unreachable, words, r)?,
            "prohibit" => self.only_action(RuleAction::Prohibit, words, r)?,
            "goto" => {
                let to = unsigned(words.take(), u32::MAX.into())?;
                self.only_action(RuleAction::Goto(RulePriority(to)), words, r)?;
            }
            "table" => {
                let table = self.named(NameTable::Table, words.take(), u32::MAX)?;
                self.only_action(RuleAction::Table(RouteTable(table)), words, r)?;
                if table == 0 {
                    return Err(Fault::Value);
                }
            }
            // What it may name are options of their own.
            "type" => {
                let actions = ["blackhole", "unreachable", "prohibit", "nop", "goto"];
                if !words.peek().is_some_and(|word| actions.contains(&word)) {
                    words.take();
                    return Err(Fault::Value);
                }
            }
            "from" => when.from = selected(words.take(), &mut r.entry)?,
            "to" => when.to = selected(words.take(), &mut r.entry)?,
            "preference" => r.priority = Some(number(keyword, words.take())?),
            "tos" => when.tos = Some(self.ds_field(words.take())?),
            "fwmark" => when.fwmark = Some(fwmark(words.take())?),
            "realms" => r.realms = Some(self.realms(words.take())?),
            "suppress_prefixlength" => {
                r.suppress_prefixlength = Some(number(keyword, words.take())?);
            }
            "suppress_ifgroup" => {
                let group = self.named(NameTable::Group, words.take(), i32::MAX.unsigned_abs())?;
                r.suppress_ifgroup = Some(InterfaceGroup(group));
            }
            "tunnel-id" => when.tunnel_id = Some(number(keyword, words.take())?),
            "uidrange" => {
                let (range, exact) = span(words.take(), 32)?;
                when.uidrange = Some(range);
                self.inexact(exact, &range, words);
            }
            "sport" | "dport" => {
                let (range, exact) = span(words.take(), 16)?;
                let side = if keyword.name == "sport" {
                    &mut when.sport
                } else {
                    &mut when.dport
                };
                *side = Some(range);
                self.inexact(exact, &range, words);
            }
            "protocol" => {
                r.entry.protocol = Some(RouteProtocol(number(keyword, words.take())?));
            }
            "ipproto" => when.ipproto = Some(ip_protocol(words.take()).ok_or(Fault::Value)?),
            // `dev` and `iif`, or `oif`.
            name => {
                words.take();
                let interface = r.entry.interface("rule", words);
                let side = if name == "oif" {
                    &mut when.oif
                } else {
                    &mut when.iif
                };
                *side = Some(interface);
            }
        }
        Ok(())
    }

    /// Says what becomes of a range that is none, where keepalived takes what it finds.
    fn inexact<T: std::fmt::Display>(&mut self, exact: bool, range: &Span<T>, words: &Words<'_>) {
        if exact {
            return;
        }
        let Span { first, last } = range;
        let text = format!(
            "'{}' is no range of numbers; it is read as {first}-{last}",
            words.last_word()
        );
        let class = crate::diagnostic::Class::Ok;
        self.warn_at(code::ENTRY_OPTION, class, text, words.line(), words.last());
    }

    /// A rule has one table or one action, and says so once.
    fn only_action(
        &mut self,
        action: RuleAction,
        words: &Words<'_>,
        r: &mut Reading,
    ) -> Result<(), Fault> {
        if r.action.replace(action).is_none() {
            return Ok(());
        }
        let text = "Cannot specify more than one of \
                    table/nop/goto/blackhole/prohibit/unreachable for rule";
        self.entry_error(code::ENTRY, text, words, words.last());
        Err(Fault::Dropped)
    }

    /// What a rule does, if its parts go together.
    fn rule_action(&mut self, words: &Words<'_>, r: &Reading) -> Option<RuleAction> {
        let table = matches!(r.action, Some(RuleAction::Table(_)));
        let suppresses = r.suppress_prefixlength.is_some() || r.suppress_ifgroup.is_some();
        let back = |to: RulePriority| r.priority.is_some_and(|own| to.0 <= own);
        let problem = match r.action {
            Some(_) if r.l3mdev && table => "l3mdev cannot be used with a table",
            Some(_) if r.l3mdev => "l3mdev cannot be used with another action",
            _ if r.realms.is_some() && (!table || r.entry.family == Some(Family::V6)) => {
                "realms is only for IPv4 rules with a table"
            }
            None if r.l3mdev => return Some(RuleAction::L3mdev),
            None => "a rule needs a table or an action",
            Some(_) if suppresses && !table => "what a rule suppresses comes from a table",
            Some(RuleAction::Goto(to)) if back(to) => "goto must lead to a higher preference",
            action => return action,
        };
        self.entry_error(code::ENTRY, problem, words, 0);
        None
    }
}

/// The addresses a rule is for; any if there is no prefix.
fn selected(word: &str, entry: &mut Entry) -> Result<Option<Prefix>, Fault> {
    if is_any(word) {
        // Behind a prefix it counts as one of no family.
        return entry.family.map_or(Ok(None), |_| Err(Fault::Value));
    }
    let prefix = open_prefix(word).ok_or(Fault::Value)?;
    if entry.family.is_some_and(|f| f != prefix.family()) {
        return Err(Fault::Value);
    }
    entry.family = Some(prefix.family());
    Ok(Some(prefix))
}

/// `MARK[/MASK]`; nothing behind the slash is 0.
fn fwmark(text: &str) -> Result<FwMark, Fault> {
    let number = |text| {
        let n = check::integer(text, 0, u32::MAX.into(), true, false);
        n.ok()
            .and_then(|n| u32::try_from(n).ok())
            .ok_or(Fault::Value)
    };
    let (mark, mask) = match text.split_once('/') {
        Some((mark, mask)) => (mark, Some(number(mask)?)),
        None => (text, None),
    };
    Ok(FwMark {
        mark: number(mark)?,
        mask,
    })
}

/// A protocol above IP, by number or by one of the names that every machine has.
fn ip_protocol(text: &str) -> Option<IpProtocol> {
    if let Ok(n) = unsigned(text, 255) {
        return Some(IpProtocol(n));
    }
    let number = match text.to_ascii_lowercase().as_str() {
        "ip" => 0,
        "icmp" => 1,
        "igmp" => 2,

        "tcp" => 6,
        "udp" => 17,
        "dccp" => 33,
        "ipv6" => 41,
        "gre" => 47,
        "esp" => 50,
        "ah" => 51,
        "ipv6-icmp" | "icmpv6" => 58,
        "ospf" => 89,
        "ipip" => 94,
        "pim" => 103,
        "vrrp" => 112,
        "l2tp" => 115,
        "sctp" => 132,
        "udplite" => 136,
        _ => return None,
    };
    Some(IpProtocol(number))
}

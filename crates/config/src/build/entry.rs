//! What routes and rules have in common: lines of options that are read one after the other.

use compact_str::CompactString;
use rk_base::{Family, Prefix};

use super::{At, Build, Stop, advise, check};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{Realms, RouteProtocol, Span};
use crate::source::NameTable;
use crate::table::{Args, Context, Keyword, Missing, Value};
use crate::tree::Statement;

/// The words of a line, taken one after the other.
#[derive(Debug)]
pub(super) struct Words<'l> {
    line: &'l Statement,
    taken: usize,
}

impl<'l> Words<'l> {
    pub(super) const fn new(line: &'l Statement) -> Self {
        Self { line, taken: 0 }
    }

    /// The word that is next.
    pub(super) fn peek(&self) -> Option<&'l str> {
        self.line.word(self.taken)
    }

    /// The number of the word that is next.
    pub(super) const fn at(&self) -> usize {
        self.taken
    }

    /// Takes a word; nothing if there is none.
    pub(super) fn take(&mut self) -> &'l str {
        let word = self.peek().unwrap_or("");
        self.taken += 1;
        word
    }

    /// Takes the next word if it is one of these.
    pub(super) fn skip(&mut self, words: &[&str]) -> bool {
        let found = self.peek().is_some_and(|word| words.contains(&word));
        self.taken += usize::from(found);
        found
    }

    /// Takes all that is left.
    pub(super) fn skip_rest(&mut self) {
        self.taken = self.taken.max(self.line.words().len());
    }

    /// The line they stand in.
    pub(super) const fn line(&self) -> &'l Statement {
        self.line
    }

    /// The word that was taken last.
    pub(super) fn last_word(&self) -> &'l str {
        self.line.word(self.last()).unwrap_or("")
    }

    /// The number of the word that was taken last.
    pub(super) const fn last(&self) -> usize {
        self.taken.saturating_sub(1)
    }
}

/// Why an option cannot be used.
#[derive(Debug)]
pub(super) enum Fault {
    /// Nothing more is read.
    Stop,
    /// Its value is none; that was not reported.
    Value,
    /// The line is dropped; that was reported.
    Dropped,
}

impl From<Stop> for Fault {
    fn from(_: Stop) -> Self {
        Self::Stop
    }
}

/// A number within the bounds of the keyword's row.
pub(super) fn number<T: TryFrom<i128>>(keyword: &Keyword, text: &str) -> Result<T, Fault> {
    let Args::One(Value::Int { min, max, any_base }) = keyword.args else {
        return Err(Fault::Value);
    };
    let n = check::integer(text, min, max, any_base, false);
    n.ok().and_then(|n| n.try_into().ok()).ok_or(Fault::Value)
}

/// A number from 0 on as large as its type allows.
pub(super) fn unsigned<T: TryFrom<i128>>(text: &str, max: u64) -> Result<T, Fault> {
    let n = check::integer(text, 0, max, false, false);
    n.ok().and_then(|n| n.try_into().ok()).ok_or(Fault::Value)
}

/// Two numbers with a dash between them, of `bits` bits each, and whether that is all there is:
/// keepalived ignores signs, what comes behind the second number, and bits that are too many.
pub(super) fn span<T: TryFrom<u32>>(text: &str, bits: u32) -> Result<(Span<T>, bool), Fault> {
    let mask = u32::MAX >> (32 - bits);
    let mut exact = true;
    let mut take = |text: &str| {
        let unsigned = text.strip_prefix(['-', '+']);
        let digits = unsigned.unwrap_or(text);
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return Err(Fault::Value);
        }
        // More digits than any number has are as many ones as there are bits.
        let n = digits[..length].parse::<u64>().unwrap_or(u64::MAX);
        let n = u32::try_from(n & u64::from(mask)).map_err(|_| Fault::Value)?;
        exact &= unsigned.is_none() && digits[..length].parse() == Ok(n);
        let n = if text.starts_with('-') {
            n.wrapping_neg() & mask
        } else {
            n
        };
        let n = T::try_from(n).map_err(|_| Fault::Value)?;
        Ok((n, text.len() - digits.len() + length))
    };
    let (first, end) = take(text)?;
    let rest = text[end..].strip_prefix('-').ok_or(Fault::Value)?;
    let (last, end) = take(rest)?;
    exact &= end == rest.len();
    Ok((Span { first, last }, exact))
}

/// A prefix. Nothing behind the slash is a prefix of length 0, as keepalived has it.
pub(super) fn open_prefix(text: &str) -> Option<Prefix> {
    match text.strip_suffix('/') {
        Some(address) => Prefix::new(address.parse().ok()?, 0).ok(),
        None => text.parse().ok(),
    }
}

/// Whether a word says that any address is meant.
pub(super) fn is_any(word: &str) -> bool {
    matches!(word, "default" | "any" | "all")
}

/// A line, and what is to be asked about it at the end.
#[derive(Clone, Debug)]
pub(crate) struct Raw<T> {
    /// What the line says.
    pub(crate) entry: T,
    /// Interfaces it names, with what they are for.
    pub(crate) interfaces: Interfaces,
}

/// Names of interfaces, with what they are for.
pub(crate) type Interfaces = Vec<(CompactString, &'static str, At)>;

/// What routes and rules say about themselves.
#[derive(Debug)]
pub(super) struct Entry {
    /// `route` or `rule`, as messages have it.
    pub(super) what: &'static str,
    pub(super) family: Option<Family>,
    pub(super) protocol: Option<RouteProtocol>,
    pub(super) no_track: bool,
    pub(super) track_group: Option<String>,
    interfaces: Interfaces,
}

impl Entry {
    pub(super) const fn new(what: &'static str) -> Self {
        Self {
            what,
            family: None,
            protocol: None,
            no_track: false,
            track_group: None,
            interfaces: Vec::new(),
        }
    }

    /// Remembers the word taken last as the name of an interface, and gives it.
    pub(super) fn interface(&mut self, what: &'static str, words: &Words<'_>) -> String {
        let name = words.last_word();
        let at = At::of(words.line, words.last());
        self.interfaces.push((name.into(), what, at));
        name.to_owned()
    }

    /// What a line of this kind says, with what is to be asked about it.
    pub(super) fn finish<T>(self, entry: T) -> Raw<T> {
        Raw {
            entry,
            interfaces: self.interfaces,
        }
    }
}

impl Build<'_> {
    /// Reports that the value of the option taken last is missing, if it is.
    ///
    /// # Errors
    /// [`Stop`] if nothing is read any more.
    pub(super) fn needs_value(
        &mut self,
        keyword: &'static Keyword,
        words: &Words<'_>,
    ) -> Result<(), Stop> {
        if matches!(keyword.args, Args::Flag) || words.peek().is_some() {
            return Ok(());
        }
        if keyword.missing == Missing::Stops {
            let usage = keyword.usage();
            return Err(check::stop(
                words.line,
                words.at(),
                Some(&usage),
                self.report(),
            ));
        }
        let word = words.line.word(words.last()).unwrap_or(keyword.name);
        let text = format!("{word} needs a value");
        self.entry_error(code::VALUE_MISSING, text, words, words.last());
        Ok(())
    }

    /// Takes a word without which nothing is read any more.
    ///
    /// # Errors
    /// [`Stop`] if there is none.
    pub(super) fn required<'l>(
        &mut self,
        words: &mut Words<'l>,
        usage: Option<&str>,
    ) -> Result<&'l str, Stop> {
        if words.peek().is_none() {
            return Err(check::stop(words.line, words.at(), usage, self.report()));
        }
        Ok(words.take())
    }

    /// Reports something about word `n`.
    pub(super) fn entry_error(
        &mut self,
        code: crate::Code,
        text: impl Into<String>,
        words: &Words<'_>,
        n: usize,
    ) {
        self.report_at(code, Class::General, text, words.line, n);
    }

    /// Reports that the value taken last is none of `name`, with help if there is any.
    pub(super) fn no_value(&mut self, text: String, help: Option<String>, words: &Words<'_>) {
        let mut d = Diagnostic::error(code::ENTRY_OPTION, Class::General, text);
        if let Some(help) = help {
            d = d.help(help);
        }
        let d = words.line.point(d, words.last());
        self.session.report.push(d);
    }

    /// Reports the word that is next, which is no option of `context`; keepalived drops the line.
    pub(super) fn no_option(&mut self, text: String, context: Context, words: &Words<'_>) {
        let d = Diagnostic::error(code::ENTRY_OPTION, Class::General, text);
        let d = words.line.point(d, words.at());
        let d = advise::option(words.line, words.at(), context, d);
        self.session.report.push(d);
    }

    /// Options that routes and rules share; gives whether `keyword` is one.
    ///
    /// # Errors
    /// [`Fault`] if the line cannot be used.
    pub(super) fn shared_option(
        &mut self,
        keyword: &'static Keyword,
        words: &mut Words<'_>,
        entry: &mut Entry,
    ) -> Result<bool, Fault> {
        match keyword.name {
            "inet" | "inet6" => {
                let v4 = keyword.name == "inet";
                let text = format!("`{}` makes the parser skip the next word", keyword.name);
                let d = Diagnostic::note(code::ENTRY_OPTION, text);
                let d = words.line.point(d, words.last());
                self.session.report.push(d);
                let family = if v4 { Family::V4 } else { Family::V6 };
                if entry.family.is_some_and(|f| f != family) {
                    let other = if v4 { "IPv6" } else { "IPv4" };
                    let text = format!("{} specified for {other} {}", keyword.name, entry.what);
                    self.entry_error(code::FAMILY, text, words, words.last());
                    return Err(Fault::Dropped);
                }
                entry.family = Some(family);
                words.take();
            }
            "no_track" => entry.no_track = true,
            "track_group" => {
                let group = words.take();
                self.track_group_known(group, words.line(), words.last());
                entry.track_group = Some(group.to_owned());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The protocol of an entry: what is tracked is known by keepalived's own.
    pub(super) fn entry_protocol(&mut self, entry: &Entry, line: &Statement) -> RouteProtocol {
        let own = RouteProtocol::KEEPALIVED;
        let protocol = entry.protocol.unwrap_or(own);
        if entry.no_track || protocol == own {
            return protocol;
        }
        let what = entry.what;
        let text = format!(
            "A {what} that is tracked has protocol keepalived ({own}), not {protocol} - changing it"
        );
        let d = Diagnostic::error(code::ENTRY, Class::General, text);
        let d = d.help(format!(
            "add no_track to keep protocol {protocol}, or leave it out"
        ));
        self.session.report.push(line.point(d, 0));
        own
    }

    /// A number, or a name of iproute2 for one.
    pub(super) fn named<T: TryFrom<u32>>(
        &self,
        table: NameTable,
        text: &str,
        max: u32,
    ) -> Result<T, Fault> {
        let n = self.named_number(table, text, max.into());
        n.and_then(|n| n.try_into().ok()).ok_or(Fault::Value)
    }

    /// `[REALM/]REALM`.
    pub(super) fn realms(&self, text: &str) -> Result<Realms, Fault> {
        let realm = |text| self.named(NameTable::Realm, text, 255);
        let (from, to) = match text.split_once('/') {
            Some((from, to)) => (realm(from)?, to),
            None => (0, text),
        };
        Ok(Realms {
            from,
            to: realm(to)?,
        })
    }
}

//! The one table of keywords.
//!
//! Every keyword of the language is a row here, once for each place where it may stand. The
//! parser, the checks of arguments, "did you mean" and whatever explains a keyword to people
//! read these rows; nothing about a keyword is written anywhere else, except what it does.
//!
//! Rows shared by several contexts (the options of addresses, of routes, of checkers) stand in
//! the table once.

mod address;
mod checker;
mod compare;
mod context;
mod global;
mod instance;
mod misnomer;
mod nearest;
mod route;
mod server;
mod support;
mod top;
mod track;
mod usage;

use std::fmt;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

pub use compare::{Comparison, Difference, What, compare};
pub use context::Context;
pub use misnomer::{Misnomer, misnomer};
pub use nearest::nearest;
pub(crate) use nearest::{edits, furthest, nearest_within};

/// One row: a keyword in its context.
#[derive(Clone, Copy, Debug)]
pub struct Keyword {
    /// The word.
    pub name: &'static str,
    /// What follows it.
    pub args: Args,
    /// What holds when it is absent, in words; empty if that means nothing.
    pub default: &'static str,
    /// Who uses the value.
    pub process: Processes,
    /// Since which version of keepalived it exists.
    pub since: Since,
    /// Whether people should write it.
    pub standing: Standing,
    /// What happens when its value is missing.
    pub missing: Missing,
    /// Whether words too many are a mistake.
    pub extra: Extra,
    /// What happens when it is repeated in one block.
    pub repeat: Repeat,
    /// What it does, in one line.
    pub help: &'static str,
}

/// What follows a keyword.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Args {
    /// Nothing.
    Flag,
    /// One value.
    One(Value),
    /// One value or none.
    Maybe(Value),
    /// Words with a grammar of their own, as people write it down.
    Grammar(&'static str),
    /// Words with a grammar of their own, some of which are keywords of a context.
    Inline(&'static str, Context),
    /// A block.
    Block(Heading, Body),
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// An integer between these bounds; in any base C knows, if so.
    Int {
        /// Least.
        min: i64,
        /// Greatest.
        max: u64,
        /// Hexadecimal and octal are numbers too.
        any_base: bool,
    },
    /// A decimal number of seconds; the bounds are in microseconds.
    Seconds {
        /// Least.
        min: u64,
        /// Greatest.
        max: u64,
    },
    /// A decimal number of milliseconds with at most three decimals; the bounds are in
    /// microseconds.
    Millis {
        /// Least.
        min: u64,
        /// Greatest.
        max: u64,
    },
    /// `true`, `on`, `yes`, `false`, `off`, `no`.
    Bool,
    /// An IP address.
    Address(Addresses),
    /// The name of a network interface (15 bytes).
    Interface,
    /// The name of something of the configuration, at most so long.
    Name(u16),
    /// Any text, at most so long.
    Text(u16),
    /// So many hexadecimal digits.
    Hex(u16),
    /// A path or a pattern of paths.
    Path,
    /// A command string.
    Command,
    /// A command string, then a user and a group if wanted.
    CommandAs,
    /// A user and a group, `:group` for all groups of the user.
    User,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, in whatever case.
    WordAnyCase(&'static [&'static str]),
}

/// Which addresses a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Any.
    Any,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// A multicast group.
    Multicast,
    /// An IPv4 multicast group.
    Multicast4,
    /// An IPv6 multicast group.
    Multicast6,
}

/// What stands between the keyword of a block and its brace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heading {
    /// Nothing.
    None,
    /// A name, at most so long.
    Name(u16),
    /// `IP [PORT]`, `fwmark N` or `group NAME`.
    Service,
    /// `IP [PORT]`.
    Server,
}

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Statements that begin with keywords of this context.
    Statements(Context),
    /// One entry a line, with options of this context.
    Lines(Context),
    /// Names, any number on a line.
    Names,
}

/// Since which version a keyword exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// 2.2.7 has it.
    V2_2,
    /// Newer than 2.2.7.
    V2_3,
    /// No version has it: it is an extension of rkeepalived.
    Never,
}

/// Whether a spelling should be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Yes.
    Current,
    /// It means the same as this word.
    SameAs(&'static str),
    /// An old spelling of this word, taken without complaint.
    Old(&'static str),
    /// An old spelling of this word; using it counts as a mistake.
    Deprecated(&'static str),
}

/// What a missing value does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing: the value is optional, or the block speaks for itself.
    Allowed,
    /// It is reported, the statement is dropped.
    Reported,
    /// Reading stops: exit status 2.
    Stops,
}

/// What words too many do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Nothing.
    Ignored,
    /// They are reported (words of a line's options, which are read one after the other).
    Reported,
}

/// What a repeated keyword does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// The last one holds, or they add up.
    Allowed,
    /// The first one holds, the others are reported.
    FirstHolds,
    /// The last one holds, the others are reported.
    LastHolds,
}

/// A set of processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processes(u8);

/// The parent.
pub const PARENT: Processes = Processes(1);
/// The VRRP process.
pub const VRRP: Processes = Processes(2);
/// The checker process.
pub const CHECKER: Processes = Processes(4);
/// The BFD process.
pub const BFD: Processes = Processes(8);
/// All of them.
pub const ALL: Processes = Processes(15);

impl Processes {
    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are in the set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Display for Processes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == ALL {
            return f.write_str("all");
        }
        let names = [
            (PARENT, "parent"),
            (VRRP, "vrrp"),
            (CHECKER, "checker"),
            (BFD, "bfd"),
        ];
        let mut first = true;
        for (process, name) in names {
            if self.contains(process) {
                f.write_str(if first { "" } else { "/" })?;
                f.write_str(name)?;
                first = false;
            }
        }
        Ok(())
    }
}

/// A row for the VRRP process whose value may be missing.
const fn kw(name: &'static str, args: Args, default: &'static str, help: &'static str) -> Keyword {
    Keyword {
        name,
        args,
        default,
        process: VRRP,
        since: Since::V2_2,
        standing: Standing::Current,
        missing: Missing::Allowed,
        extra: Extra::Ignored,
        repeat: Repeat::Allowed,
        help,
    }
}

const fn int(min: i64, max: u64) -> Value {
    Value::Int {
        min,
        max,
        any_base: false,
    }
}

const fn any_base(min: i64, max: u64) -> Value {
    Value::Int {
        min,
        max,
        any_base: true,
    }
}

const fn secs(min: u64, max: u64) -> Value {
    Value::Seconds { min, max }
}

const fn msecs(min: u64, max: u64) -> Value {
    Value::Millis { min, max }
}

impl Keyword {
    const fn of(mut self, process: Processes) -> Self {
        self.process = process;
        self
    }

    const fn since_2_3(mut self) -> Self {
        self.since = Since::V2_3;
        self
    }

    const fn extension(mut self) -> Self {
        self.since = Since::Never;
        self
    }

    const fn deprecated(mut self, by: &'static str) -> Self {
        self.standing = Standing::Deprecated(by);
        self
    }

    const fn old(mut self, by: &'static str) -> Self {
        self.standing = Standing::Old(by);
        self
    }

    const fn same_as(mut self, word: &'static str) -> Self {
        self.standing = Standing::SameAs(word);
        self
    }

    const fn stops(mut self) -> Self {
        self.missing = Missing::Stops;
        self
    }

    const fn needs(mut self) -> Self {
        self.missing = Missing::Reported;
        self
    }

    const fn alone(mut self) -> Self {
        self.extra = Extra::Reported;
        self
    }

    const fn first_wins(mut self) -> Self {
        self.repeat = Repeat::FirstHolds;
        self
    }

    const fn last_wins(mut self) -> Self {
        self.repeat = Repeat::LastHolds;
        self
    }

    /// The name under which code knows the keyword: another word for it if it is one.
    #[must_use]
    pub const fn canonical(&self) -> &'static str {
        match self.standing {
            Standing::SameAs(word) | Standing::Old(word) if !word.is_empty() => word,
            _ => self.name,
        }
    }

    /// [`Self::default`] in one of the contexts that share the row.
    #[must_use]
    pub fn default_in(&self, context: Context) -> &'static str {
        match (self.name, context) {
            ("dev", Context::StaticIpaddress) => "default_interface",
            ("dev", Context::VirtualIpaddress | Context::VirtualIpaddressExcluded) => {
                "instance or default interface"
            }
            _ => self.default,
        }
    }
}

impl Context {
    /// Every keyword that may stand here.
    pub fn keywords(self) -> impl Iterator<Item = &'static Keyword> {
        self.parts().into_iter().flatten()
    }

    /// The keyword spelt `word` here.
    #[must_use]
    pub fn find(self, word: &str) -> Option<&'static Keyword> {
        static INDEX: OnceLock<Vec<FxHashMap<&'static str, &'static Keyword>>> = OnceLock::new();
        let index = INDEX.get_or_init(|| {
            Self::ALL
                .iter()
                .map(|c| c.keywords().map(|k| (k.name, k)).collect())
                .collect()
        });
        // `Context` has no fields, so its number is its place in `ALL`.
        index.get(self as usize)?.get(word).copied()
    }

    /// The keyword of this context that `word` may be meant for.
    #[must_use]
    pub fn nearest(self, word: &str) -> Option<&'static str> {
        nearest(word, self.keywords().map(|k| k.name))
    }

    /// Every context in which `word` is a keyword of a statement.
    pub fn homes_of(word: &str) -> impl Iterator<Item = Self> {
        static HOMES: OnceLock<FxHashMap<&'static str, Vec<Context>>> = OnceLock::new();
        let homes = HOMES.get_or_init(|| {
            let mut homes: FxHashMap<_, Vec<Self>> = FxHashMap::default();
            for context in Self::ALL {
                for keyword in context.keywords() {
                    homes.entry(keyword.name).or_default().push(*context);
                }
            }
            homes
        });
        homes.get(word).into_iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn contexts_know_their_place() {
        for (n, context) in Context::ALL.iter().enumerate() {
            assert_eq!(*context as usize, n, "{}", context.name());
        }
    }

    #[test]
    fn words_are_unique_in_their_context() {
        for context in Context::ALL {
            let mut seen = std::collections::HashSet::new();
            for keyword in context.keywords() {
                let place = format!("{} {}", context.name(), keyword.name);
                assert!(seen.insert(keyword.name), "{place} stands there twice");
                assert!(keyword.usage().len() < 500, "{place}");
            }
        }
    }

    #[test]
    fn every_word_is_explained_in_one_line_of_one_style() {
        for context in Context::ALL {
            for keyword in context.keywords() {
                let (name, help) = (keyword.name, keyword.help);
                let place = format!("{} {name}: {help}", context.name());
                assert!((15..=100).contains(&help.len()), "{place}");
                assert!(
                    help.starts_with(|c: char| c.is_ascii_uppercase()),
                    "{place}"
                );
                assert!(help.ends_with('.') && !help.ends_with(".."), "{place}");
                assert!(!help.contains(". ") && !help.contains("  "), "{place}");
                assert!(
                    help.is_ascii() && help.matches('`').count() % 2 == 0,
                    "{place}"
                );
            }
        }
    }

    /// Words that are used in many contexts say the same in all of them, and other words for a
    /// keyword name it.
    #[test]
    fn explanations_agree_with_each_other() {
        let mut by_name: HashMap<&str, Vec<(Context, &Keyword)>> = HashMap::new();
        for context in Context::ALL {
            for keyword in context.keywords() {
                by_name
                    .entry(keyword.name)
                    .or_default()
                    .push((*context, keyword));
                let place = format!("{} {}", context.name(), keyword.name);
                if let Standing::SameAs(to) | Standing::Old(to) | Standing::Deprecated(to) =
                    keyword.standing
                {
                    let to = to.rsplit(' ').next().unwrap_or(to);
                    assert!(
                        keyword.help.contains(&format!("`{to}`")) || to.is_empty(),
                        "{place}"
                    );
                }
                if matches!(keyword.standing, Standing::Deprecated(_)) {
                    assert!(keyword.help.starts_with("Deprecated"), "{place}");
                }
                // A word between backquotes is a keyword, of this context or of another.
                for word in keyword.help.split('`').skip(1).step_by(2) {
                    let first = word.split(' ').next().unwrap_or(word);
                    let known = Context::homes_of(first).next().is_some();
                    assert!(
                        known || word == "ip route" || word == "overwrite",
                        "{place}: {word}"
                    );
                }
            }
        }
        for (name, rows) in by_name {
            let checkers: std::collections::HashSet<&str> = rows
                .iter()
                .filter(|(c, k)| c.name().contains("real_server.") && k.process == CHECKER)
                .map(|(_, k)| k.help)
                .collect();
            // The checks that have a name or a weight of their own mean different things.
            let own = matches!(name, "name" | "weight" | "type" | "track_file");
            assert!(checkers.len() <= 1 || own, "{name}: {checkers:?}");
        }
    }

    #[test]
    fn other_words_for_a_keyword_lead_to_one() {
        for context in Context::ALL {
            for keyword in context.keywords() {
                let (Standing::SameAs(to) | Standing::Old(to)) = keyword.standing else {
                    continue;
                };
                let known = to.is_empty() || context.find(to).is_some();
                assert!(
                    known,
                    "{} {} is said to mean {to}",
                    context.name(),
                    keyword.name
                );
            }
        }
    }
}

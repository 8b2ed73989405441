//! The table against a list of keywords in the form of the specification's `keywords.tsv`.
//!
//! The list has one keyword a line, with tabs between context, keyword, aliases, arguments,
//! default, whether 2.2.7 knows it, and process; what stands behind that is not compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Addresses, Args, Body, Context, Heading, Keyword, Since, Standing, Value};

/// Something in which the table and the list do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The name of the context.
    pub context: String,
    /// The keyword.
    pub keyword: String,
    /// In what they differ.
    pub what: What,
}

/// In what the table and the list differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The table has no such row.
    Missing,
    /// The list has no such keyword.
    Unlisted,
    /// A column says something else.
    Column {
        /// Which one.
        column: &'static str,
        /// What the table says, in the words of the list.
        table: String,
        /// What the list says.
        list: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.context, self.keyword)?;
        match &self.what {
            What::Missing => f.write_str("missing"),
            What::Unlisted => f.write_str("not in the list"),
            What::Column {
                column,
                table,
                list,
            } => write!(f, "{column} is `{table}`, the list says `{list}`"),
        }
    }
}

/// What the comparison has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many keywords the list has.
    pub listed: usize,
    /// How many rows the table has, extensions aside.
    pub rows: usize,
    /// Rows that no list can have, with their contexts: extensions of rkeepalived.
    pub extensions: Vec<(&'static str, &'static str)>,
    /// The differences, in the order of the list.
    pub differences: Vec<Difference>,
}

/// Compares the table with `list`.
#[must_use]
pub fn compare(list: &str) -> Comparison {
    let contexts: BTreeMap<&str, Context> = Context::ALL.iter().map(|c| (c.name(), *c)).collect();
    let mut out = Comparison::default();
    let mut listed = BTreeSet::new();
    for line in list.lines().skip(1).filter(|l| !l.is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let field = |n: usize| fields.get(n).copied().unwrap_or("");
        let (context, name) = (field(0), field(1));
        out.listed += 1;
        listed.insert((context, name));
        let mut differs = |what| {
            out.differences.push(Difference {
                context: context.to_owned(),
                keyword: name.to_owned(),
                what,
            });
        };
        let Some((context, keyword)) = contexts
            .get(context)
            .and_then(|c| Some((*c, c.find(name)?)))
        else {
            differs(What::Missing);
            continue;
        };
        for (column, table, list) in [
            ("args", arguments(keyword), listed_arguments(field(3))),
            (
                "default",
                keyword.default_in(context).to_owned(),
                listed_default(field(4)),
            ),
            ("in_2_2_7", since(keyword).to_owned(), field(5).to_owned()),
            (
                "process",
                keyword.process.to_string(),
                listed_processes(field(6)),
            ),
            (
                "aliases",
                aliases(context, keyword, field(2)),
                field(2).to_owned(),
            ),
        ] {
            if table != list {
                differs(What::Column {
                    column,
                    table,
                    list,
                });
            }
        }
    }
    for context in Context::ALL {
        for keyword in context.keywords() {
            if keyword.since == Since::Never {
                out.extensions.push((context.name(), keyword.name));
                continue;
            }
            out.rows += 1;
            if !listed.contains(&(context.name(), keyword.name)) {
                out.differences.push(Difference {
                    context: context.name().to_owned(),
                    keyword: keyword.name.to_owned(),
                    what: What::Unlisted,
                });
            }
        }
    }
    out
}

/// The arguments of a row in the words of the list.
fn arguments(keyword: &Keyword) -> String {
    let one = |value: Value| match value {
        Value::Millis { .. } => value.to_string().replace(')', ", 3 decimals)"),
        Value::Address(Addresses::Multicast) => "IP multicast".to_owned(),
        Value::Address(Addresses::Multicast4) => "IP4 multicast".to_owned(),
        Value::Address(Addresses::Multicast6) => "IP6 multicast".to_owned(),
        other => other.to_string(),
    };
    match keyword.args {
        Args::Flag => "(none)".to_owned(),
        Args::One(value) => one(value),
        Args::Maybe(value) => format!("{}?", one(value)),
        Args::Grammar(text) | Args::Inline(text, _) => text.to_owned(),
        Args::Block(heading, body) => {
            let heading = match heading {
                Heading::None => String::new(),
                Heading::Name(u16::MAX) => "NAME ".to_owned(),
                Heading::Name(most) => format!("NAME(<={most}) "),
                Heading::Service => "IP [PORT] | fwmark INT | group NAME ".to_owned(),
                Heading::Server => "IP [PORT] ".to_owned(),
            };
            let body = match body {
                Body::Statements(_) => "block",
                Body::Lines(_) | Body::Names => "lines",
            };
            format!("{heading}{{{body}}}")
        }
    }
}

/// The arguments of the list in the same form: without units and remarks, with our type names.
fn listed_arguments(text: &str) -> String {
    if let Some((heading, body)) = text.split_once('{') {
        let heading = heading.replace(" chars)", ")").replace(", then", "");
        let body = if body == "block}" { "block" } else { "lines" };
        return format!("{heading}{{{body}}}");
    }
    if let Some(inner) = text.strip_prefix("[QSTR").and_then(|t| t.strip_suffix(']')) {
        return format!("{}?", listed_arguments(&format!("QSTR{inner}")));
    }
    let text = match text {
        "as lb_algo" => "rr|wrr|lc|wlc|lblc|sh|mh|dh|fo|ovf|lblcr|sed|nq|twos",
        "IP multicast (IPv6: link-local scope)" => "IP multicast",
        _ => text,
    };
    let (text, maybe) = match text.split_once('?') {
        Some((text, "" | " seconds")) => (text, "?"),
        _ => (text, ""),
    };
    let (kind, rest) = match text.find(['(', ' ']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let plain = rest.is_empty() || rest.starts_with("(<=");
    let size = rest.replace(" bytes)", ")");
    let shown = match kind {
        "IFNAME" if plain && !rest.contains(' ') => "INTERFACE".to_owned(),
        "VRRP_NAME" => "NAME".to_owned(),
        "STR" | "TABLE" if plain => format!("TEXT{size}"),
        "STR" if rest.starts_with(" (") => "TEXT".to_owned(),
        "GLOB" | "DIR" | "PATH" if rest.is_empty() => "PATH".to_owned(),
        "QSTR" if rest == "(command)" => "COMMAND".to_owned(),
        "QSTR" if rest.starts_with("(command) ") => "COMMAND [USER [[:]GROUP]]".to_owned(),
        "QSTR" => "TEXT".to_owned(),
        "INT" | "SECS" | "MSECS" => {
            let end = rest.find(')').map_or(0, |at| at + 1);
            let (range, unit) = rest.split_at(end);
            let remark = [
                "",
                " seconds",
                " microseconds",
                " bytes",
                ", version 3 max 40.95",
            ];
            let unit = if remark.contains(&unit) { "" } else { unit };
            format!("{kind}{range}{unit}")
        }
        _ => text.replace(" (case-insensitive)", ""),
    };
    format!("{shown}{maybe}")
}

fn listed_default(text: &str) -> String {
    match text {
        "-" | "none" => String::new(),
        other => other.to_owned(),
    }
}

fn since(keyword: &Keyword) -> &'static str {
    match keyword.since {
        Since::V2_2 => "yes",
        Since::V2_3 => "no",
        Since::Never => "never",
    }
}

/// `bfd/vrrp` and `bfd (also read by vrrp, checker)` in the order of [`super::Processes`].
fn listed_processes(text: &str) -> String {
    let has = |name: &&str| text.contains(name);
    let found: Vec<&str> = ["all", "parent", "vrrp", "checker", "bfd"]
        .into_iter()
        .filter(has)
        .collect();
    found.join("/")
}

/// The other words for a keyword, as far as the list names them: `listed` if all are right.
fn aliases(context: Context, keyword: &Keyword, listed: &str) -> String {
    let means = |k: &Keyword| match k.standing {
        Standing::SameAs(word) | Standing::Old(word) | Standing::Deprecated(word) => word,
        Standing::Current => k.name,
    };
    let own = means(keyword);
    let mut others: Vec<String> = context
        .keywords()
        .filter(|k| means(k) == own && k.name != keyword.name)
        .map(|k| match k.standing {
            Standing::Old(_) | Standing::Deprecated(_) => format!("{} (deprecated)", k.name),
            Standing::Current | Standing::SameAs(_) => k.name.to_owned(),
        })
        .collect();
    if others.is_empty() && own != keyword.name && !own.is_empty() {
        others.push(own.to_owned());
    }
    let named: Vec<&str> = listed.split(',').filter(|l| !l.is_empty()).collect();
    // The list names one of several words at the rows of the others, leaves out some that are
    // deprecated, and says of a word in another context where that is.
    let known = |word: &&str| {
        let first = word.split(' ').next().unwrap_or(word);
        let elsewhere = |o: &String| o.ends_with(&format!(" {first}"));
        others
            .iter()
            .any(|o| o == word || (!word.ends_with("(deprecated)") && (o == first || elsewhere(o))))
    };
    let left_out = |o: &String| o.ends_with(" (deprecated)");
    if named.iter().all(known) && (!named.is_empty() || others.iter().all(left_out)) {
        return listed.to_owned();
    }
    others.join(",")
}

//! The reference of the language, made of the table: `doc/keywords.md` and the manual page.
//!
//! Both are drawn from the same `Piece`s, so that they cannot disagree: what the syntax is
//! stands in `syntax`, what the keywords are comes from their rows.

mod markdown;
mod roff;
mod syntax;

use crate::table::{Args, Body, Context, Keyword, Repeat, Since, Standing};

/// `doc/keywords.md`.
#[must_use]
pub fn markdown() -> String {
    markdown::render(&pieces())
}

/// `rkeepalived.conf.5`, for `man`.
#[must_use]
pub fn roff() -> String {
    roff::render(&pieces())
}

/// A part of the reference. Words between backquotes are what people type.
enum Piece {
    /// The heading of a chapter or of a section in one.
    Heading(Level, String),
    /// A paragraph.
    Text(String),
    /// Lines of configuration.
    Example(&'static str),
    /// Words and what they mean.
    Terms(&'static [(&'static str, &'static str)]),
    /// Keywords of a context.
    Keywords(Vec<Entry>),
}

/// How deep a heading is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Chapter,
    Section,
}

/// A keyword as both pages show it.
struct Entry {
    name: &'static str,
    usage: String,
    help: &'static str,
    /// Empty if there is none worth telling.
    default: &'static str,
    /// What is unusual about it.
    notes: Vec<String>,
}

fn pieces() -> Vec<Piece> {
    let mut out = syntax::pieces();
    out.push(Piece::Heading(Level::Chapter, "Keywords".to_owned()));
    out.push(Piece::Text(
        "A context is named by the blocks around it. Contexts with the same keywords stand \
         together. Unless told otherwise, a keyword that is repeated in one block counts as it \
         stands last. Words too many are ignored behind a statement, but not among the options of \
         a line. A value that must be there and is missing ends the test with status 2, and the \
         daemon does not start; a few keywords are just reported and dropped."
            .to_owned(),
    ));
    let mut told: Vec<Context> = Vec::new();
    for context in Context::ALL {
        if told.contains(context) {
            continue;
        }
        let alike: Vec<Context> = Context::ALL
            .iter()
            .copied()
            .filter(|c| same_keywords(*c, *context))
            .collect();
        let names: Vec<&str> = alike.iter().map(|c| shown(*c)).collect();
        out.push(Piece::Heading(Level::Section, names.join(", ")));
        out.push(Piece::Text(opening(*context)));
        out.push(Piece::Keywords(
            context.keywords().map(|k| entry(*context, k)).collect(),
        ));
        told.extend(alike);
    }
    out
}

fn shown(context: Context) -> &'static str {
    match context {
        Context::Top => "The top level",
        other => other.name(),
    }
}

/// Whether two contexts have the same rows with the same defaults.
fn same_keywords(a: Context, b: Context) -> bool {
    a.keywords().count() == b.keywords().count()
        && a.keywords()
            .zip(b.keywords())
            .all(|(x, y)| std::ptr::eq(x, y) && x.default_in(a) == y.default_in(b))
}

/// What a context is, from the row of the keyword that opens it.
fn opening(context: Context) -> String {
    for home in Context::ALL {
        for keyword in home.keywords() {
            let what = match keyword.args {
                Args::Block(_, Body::Statements(c)) if c == context => "Statements",
                Args::Block(_, Body::Lines(c)) if c == context => "Lines",
                Args::Inline(_, c) if c == context => "Options",
                _ => continue,
            };
            return format!("{what} of `{}`. {}", keyword.name, keyword.help);
        }
    }
    match context.name().rsplit('.').next() {
        Some("nexthop") => "Options of `nexthop`, one way of a route.".to_owned(),
        Some(last) if last.starts_with("encap_") => {
            format!("Options of `encap {}`.", last.trim_start_matches("encap_"))
        }
        _ => "Statements outside all blocks.".to_owned(),
    }
}

fn entry(context: Context, keyword: &'static Keyword) -> Entry {
    let mut notes = Vec::new();
    if keyword.since == Since::V2_3 {
        notes.push("Newer than keepalived 2.2.7.".to_owned());
    }
    if keyword.since == Since::Never {
        notes.push("An extension that keepalived does not know.".to_owned());
    }
    match keyword.standing {
        Standing::Deprecated(_) => notes.push("Counts as a mistake.".to_owned()),
        Standing::Old(_) => notes.push("Old, but no mistake.".to_owned()),
        Standing::Current | Standing::SameAs(_) => {}
    }
    match keyword.repeat {
        Repeat::Allowed => {}
        Repeat::FirstHolds => notes.push("The first one counts, others are mistakes.".to_owned()),
        Repeat::LastHolds => notes.push("The last one counts, others are mistakes.".to_owned()),
    }
    Entry {
        name: keyword.name,
        usage: keyword.usage(),
        help: keyword.help,
        default: keyword.default_in(context),
        notes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_context_is_told_once() {
        let headings: Vec<String> = pieces()
            .into_iter()
            .filter_map(|p| match p {
                Piece::Heading(Level::Section, text) => Some(text),
                _ => None,
            })
            .collect();
        for context in Context::ALL {
            let times = headings
                .iter()
                .filter(|h| h.split(", ").any(|name| name == shown(*context)))
                .count();
            assert_eq!(times, 1, "{}", context.name());
        }
    }

    #[test]
    fn every_keyword_stands_in_both_pages() {
        let (markdown, roff) = (markdown(), roff());
        for context in Context::ALL {
            for keyword in context.keywords() {
                assert!(
                    markdown.contains(&format!("\n| `{}` |", keyword.name)),
                    "{}",
                    keyword.name
                );
                let bold = format!("\n.B {}", keyword.name.replace('-', "\\-"));
                let alternating = format!("\n.BI {}", keyword.name.replace('-', "\\-"));
                assert!(
                    roff.contains(&bold) || roff.contains(&alternating),
                    "{}",
                    keyword.name
                );
            }
        }
    }
}

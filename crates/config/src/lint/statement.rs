//! Words that change nothing: settings that a block says twice, and words behind a value.

use std::collections::HashMap;

use super::{Ctx, Lint, code_of, finding, lint};
use crate::diagnostic::{Diagnostic, Severity};
use crate::place::{FileId, Place};
use crate::table::{Args, Body, Context, Extra, Repeat, Value};

pub(super) const LINTS: &[Lint] = &[
    lint(
        2704,
        "setting-twice",
        twice,
        "A block has the setting twice. The last one holds, and nothing else says so: often a line was \
     copied and the old one left behind.",
        example!("", "    priority 100\n"),
        example!("", "    advert_int 2\n"),
    ),
    lint(
        2705,
        "words-ignored",
        behind_values,
        "The keyword takes one value, or none, and further words are skipped without a word. Two \
         settings on one line, or a comment without its `#`, look like this.",
        example!("", "    advert_int 2 nopreempt\n"),
        example!("", "    advert_int 2\n    nopreempt\n"),
    ),
];

/// Settings whose repetition is reported when they are read.
const REPORTED: &[&str] = &[
    "state",
    "weight",
    "digest",
    "nftables",
    "nftables_ipvs",
    "startup_script",
    "shutdown_script",
    "lvs_sync_daemon",
];

/// A block that is open.
struct Block {
    /// What may stand in it; `None` for a block of lines, and for one that is not known.
    context: Option<Context>,
    said: HashMap<&'static str, Place>,
}

fn twice(c: &Ctx<'_>) -> Vec<Diagnostic> {
    every(c, said)
}

fn behind_values(c: &Ctx<'_>) -> Vec<Diagnostic> {
    every(c, ignored)
}

/// Judges the words of a statement in a block; the place is that of its line.
type Judge = fn(&mut Block, &str, Place) -> Option<Diagnostic>;

/// What is found in all statements of all files.
fn every(c: &Ctx<'_>, judge: Judge) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (file, _) in c.files.files() {
        scan(c, file, judge, &mut out);
    }
    out
}

fn scan(c: &Ctx<'_>, file: FileId, judge: Judge, out: &mut Vec<Diagnostic>) {
    let block = |context| Block {
        context,
        said: HashMap::new(),
    };
    let mut open = vec![block(Some(Context::Top))];
    // `global_defs` may come in several parts.
    let mut globals = HashMap::new();
    let mut heading = String::new();
    for number in 1..=c.files.line_count(file) {
        let line = String::from_utf8_lossy(code_of(c.files.line(file, number)));
        // Definitions and sequences stand for something else; what a condition leaves out is not
        // said at all.
        let plain = !line.trim_start().starts_with(['$', '~', '@']);
        for (part, brace) in parts(&line) {
            let first = part.split_whitespace().next();
            if let Some(first) = first.filter(|_| plain) {
                first.clone_into(&mut heading);
            }
            let here = open.last().and_then(|block| block.context);
            match brace {
                Some('{') => {
                    let keyword = here.and_then(|context| context.find(&heading));
                    let inner = keyword.and_then(|k| match k.args {
                        Args::Block(_, Body::Statements(inner)) => Some(inner),
                        _ => None,
                    });
                    let mut inner = block(inner);
                    if inner.context == Some(Context::GlobalDefs) {
                        inner.said = std::mem::take(&mut globals);
                    }
                    open.push(inner);
                }
                _ => {
                    let place = c.words(file, number);
                    if let (Some(_), Some(block), true) = (first, open.last_mut(), plain) {
                        out.extend(judge(block, part, place));
                    }
                    if brace.is_some() && open.len() > 1 {
                        let closed = open.pop();
                        if let Some(closed) =
                            closed.filter(|b| b.context == Some(Context::GlobalDefs))
                        {
                            globals = closed.said;
                        }
                    }
                }
            }
        }
    }
}

/// Remembers a statement of a block; a finding if the block has it already.
fn said(block: &mut Block, words: &str, place: Place) -> Option<Diagnostic> {
    let first = words.split_whitespace().next()?;
    let keyword = block.context?.find(first)?;
    let single = matches!(keyword.args, Args::One(_) | Args::Maybe(_));
    if !single || keyword.repeat != Repeat::Allowed || REPORTED.contains(&keyword.name) {
        return None;
    }
    if block.context == Some(Context::Top) {
        return None;
    }
    let earlier = block.said.insert(keyword.canonical(), place)?;
    let text = format!(
        "{} is said twice in this block; the last one holds",
        keyword.name
    );
    let d = finding(Severity::Warning, text).at_place(Some(place));
    let d = d.label(earlier, "first said here");
    Some(d.help("remove one of the two lines"))
}

/// A finding if a statement has words that nothing reads.
fn ignored(block: &mut Block, words: &str, place: Place) -> Option<Diagnostic> {
    if words.contains(['"', '\'', '\\', '$']) {
        return None;
    }
    let mut words = words.split_whitespace();
    let keyword = block.context?.find(words.next()?)?;
    let single = |value| {
        matches!(
            value,
            Value::Int { .. }
                | Value::Seconds { .. }
                | Value::Millis { .. }
                | Value::Bool
                | Value::Address(_)
                | Value::Interface
                | Value::Name(_)
                | Value::Word(_)
                | Value::WordAnyCase(_)
        )
    };
    let takes = match keyword.args {
        Args::Flag => 0,
        Args::One(value) | Args::Maybe(value) if single(value) => 1,
        _ => return None,
    };
    if keyword.extra != Extra::Ignored {
        return None;
    }
    let rest: Vec<&str> = words.skip(takes).collect();
    let first = rest.first()?;
    let text = format!(
        "{} takes no more words: `{}` is skipped",
        keyword.name,
        rest.join(" ")
    );
    let d = finding(Severity::Warning, text).at_place(Some(place));
    Some(match block.context?.find(first) {
        Some(_) => d.help(format!("write `{}` on a line of its own", rest.join(" "))),
        None => d.help("remove it; comments begin with `#` or `!`"),
    })
}

/// The parts of a line between braces outside of quotes, each with the brace behind it.
fn parts(line: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let mut quoted = false;
        let brace = text.char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            !quoted && matches!(c, '{' | '}')
        });
        let Some((at, brace)) = brace else {
            return Some((text, None));
        };
        rest = Some(&text[at + 1..]);
        Some((&text[..at], Some(brace)))
    })
}

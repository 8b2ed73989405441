//! Settings that a block says twice.

use std::collections::HashMap;

use super::{Ctx, Lint, code_of, finding, lint};
use crate::diagnostic::{Diagnostic, Severity};
use crate::place::{FileId, Place};
use crate::table::{Args, Body, Context, Repeat};

pub(super) const LINTS: &[Lint] = &[lint(
    2704,
    "setting-twice",
    twice,
    "A block has the setting twice. The last one holds, and nothing else says so: often a line was \
     copied and the old one left behind.",
    example!("", "    priority 100\n"),
    example!("", "    advert_int 2\n"),
)];

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
    let mut out = Vec::new();
    for (file, _) in c.files.files() {
        scan(c, file, &mut out);
    }
    out
}

fn scan(c: &Ctx<'_>, file: FileId, out: &mut Vec<Diagnostic>) {
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
                    if let (Some(first), Some(block), true) = (first, open.last_mut(), plain) {
                        out.extend(said(block, first, place));
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
fn said(block: &mut Block, first: &str, place: Place) -> Option<Diagnostic> {
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

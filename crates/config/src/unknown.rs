//! What may be meant by a word that is no keyword where it stands.

use std::sync::OnceLock;

use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::table::{
    Args, Body, Context, Keyword, Standing, edits, furthest, misnomer, nearest_within,
};
use crate::tree::Statement;

/// "Unknown keyword", with what may be meant if `hints` are of use.
pub(crate) fn unknown_keyword(context: Context, statement: &Statement, hints: bool) -> Diagnostic {
    let word = statement.keyword();
    let text = format!("Unknown keyword '{word}'");
    let d = statement.point(
        Diagnostic::error(code::UNKNOWN_KEYWORD, Class::UnknownKeyword, text),
        0,
    );
    if !hints {
        return d;
    }
    if let Some(m) = misnomer(word).filter(|m| m.fits(context)) {
        let d = d.help(m.advice);
        return match m.keyword {
            Some(keyword) => d.instead(keyword),
            None => d,
        };
    }
    if word.starts_with("include") {
        return d.help("an include line needs the name of a file or a pattern, without quotes");
    }
    let homes: Vec<Context> = Context::homes_of(word)
        .filter(|c| is_block_context(*c))
        .collect();
    if !homes.is_empty() {
        return d.help(misplaced(word, context, &homes));
    }
    let number = word.trim_end_matches([':', '.', ')', '|']);
    if !number.is_empty() && number != word && number.bytes().all(|b| b.is_ascii_digit()) {
        return d.help("line numbers came along when this was copied: remove them");
    }
    if word.len() > 1 && word.starts_with('+') {
        return d.help(
            "this is a patch: take away the first column, and the lines that begin with `-`",
        );
    }
    if word.starts_with('$') && statement.word(1) == Some("=") {
        return d.help(format!(
            "a definition has no blanks around its `=`: {word}={}",
            statement.word(2).unwrap_or_default()
        ));
    }
    if context == Context::Top && word.ends_with(':') {
        return d.help(
            "this looks like YAML: a block looks like `vrrp_instance NAME {`, its settings on \
             lines of their own, and `}`",
        );
    }
    if let Some((text, advice)) = joined(word, statement, context) {
        let d = d.help(advice);
        return match text {
            Some(text) => d.instead(&text),
            None => d,
        };
    }
    if let Some(advice) = shape(word) {
        return d.help(advice);
    }
    let here = context.nearest(word).map(|hint| match context.find(hint) {
        Some(k) => match k.standing {
            Standing::Deprecated(by) if context.find(by).is_some() => by,
            _ => hint,
        },
        None => hint,
    });
    // A keyword of another block that is nearer still is what was meant, in the wrong place.
    let nearer = here.map_or(Some(2), |here| match edits(word, here) {
        far @ 0..=3 => far.checked_sub(2),
        far => Some(far - 1),
    });
    let other = nearer.and_then(|nearer| {
        let most = nearer.min(furthest(word));
        nearest_within(word, most, of_blocks().iter().copied())
    });
    match (other, here) {
        (Some(other), _) => {
            let homes: Vec<Context> = Context::homes_of(other)
                .filter(|c| is_block_context(*c))
                .collect();
            d.help(format!(
                "did you mean `{other}`? {}",
                misplaced(other, context, &homes)
            ))
        }
        (None, Some(here)) => d.instead(here),
        (None, None) => d.help(what_stands(context)),
    }
}

/// The keywords of every block, each once.
fn of_blocks() -> &'static [&'static str] {
    static NAMES: OnceLock<Vec<&'static str>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let contexts = Context::ALL.iter().filter(|c| is_block_context(**c));
        let mut names: Vec<_> = contexts
            .flat_map(|c| c.keywords())
            .map(|k| k.name)
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    })
}

/// A keyword of the context that something is written against: `router_id=one`, `priority:`.
fn joined(word: &str, statement: &Statement, context: Context) -> Option<(Option<String>, String)> {
    let at = word.find(['=', ':', ';', ','])?;
    let (name, rest) = word.split_at(at);
    let name = context.find(name)?.name;
    let mark = &rest[..1];
    let value = rest[1..].trim_matches(['=', ':', ';', ',']);
    let text = match value {
        "" => name.to_owned(),
        value => format!("{name} {value}"),
    };
    let raw = String::from_utf8_lossy(statement.raw()).into_owned();
    let rest = raw.get(word.len()..).unwrap_or("").trim();
    let whole = match rest {
        "" => text.clone(),
        rest if value.is_empty() => format!("{name} {rest}"),
        _ => text.clone(),
    };
    Some((Some(text), format!("write `{whole}`, without the `{mark}`")))
}

/// Where a keyword belongs that stands in the wrong block.
fn misplaced(word: &str, context: Context, homes: &[Context]) -> String {
    const SHOWN: usize = 3;
    let place = |c: &Context| match c {
        Context::Top => "outside of all blocks".to_owned(),
        c => format!("in {}", c.name()),
    };
    // The one block that may stand right here is what was forgotten.
    let mut inner = homes.iter().filter_map(|home| {
        let rest = home
            .name()
            .strip_prefix(context.name())?
            .strip_prefix('.')?;
        (!rest.contains('.')).then_some(rest)
    });
    if let (Some(inner), None) = (inner.next(), inner.next()) {
        return format!("`{word}` stands in a block of its own here: {inner} {{ {word} ... }}");
    }
    let named: Vec<String> = homes.iter().take(SHOWN).map(place).collect();
    let others = if homes.len() > SHOWN {
        " and others"
    } else {
        ""
    };
    let belongs = format!("`{word}` belongs {}{others}", named.join(", or "));
    if context == Context::Top {
        format!(
            "{belongs}; look above for a `}}` too many, a block that is not known, or one that an \
             `@` condition left out"
        )
    } else if homes.contains(&Context::Top) {
        format!("{belongs}; is the `}}` of the block before it missing?")
    } else {
        belongs
    }
}

/// What a word that is near no keyword looks like.
fn shape(word: &str) -> Option<String> {
    let text = if word.contains(['\u{a0}', '\u{202f}', '\u{3000}']) {
        "there are no-break spaces in it, which are no blanks: delete them and type blanks"
    } else if matches!(word, ";" | "," | ";;") {
        "nothing ends a line or a block but its end: delete this"
    } else if matches!(word, "(" | ")" | "[" | "]") {
        "the entries of a block stand between { and }"
    } else if word == "-" {
        "there are no dashes in front of keywords: this looks like YAML, blocks look like \
         `vrrp_instance NAME { ... }`"
    } else if word.starts_with("```") {
        "a fence of Markdown came along when this was copied: remove the line"
    } else if matches!(word, "+" | "-" | "@@" | "+++" | "---") {
        "this is a patch: take away the first column, and the lines that begin with `-`"
    } else if word.bytes().all(|b| b.is_ascii_digit()) {
        "a number stands where a keyword belongs: did line numbers come along when this was copied?"
    } else if word.starts_with('\u{feff}') {
        "the file begins with a byte order mark: save it as UTF-8 without one"
    } else if word.starts_with('$') {
        "no definition of this name was read before"
    } else if word.starts_with('~') {
        "a sequence looks like `~SEQ(NAME, FIRST, LAST)` or `~LST(NAME, VALUE, VALUE)`, at the \
         beginning of its line"
    } else if word.starts_with("//") || word.starts_with("/*") || word.starts_with(';') {
        "comments begin with `#` or `!`"
    } else if word.starts_with('[') || word.starts_with('<') {
        "blocks look like `global_defs { ... }`; this is no such file, or a template"
    } else if word.parse::<std::net::IpAddr>().is_ok() || word.parse::<rk_base::Prefix>().is_ok() {
        "addresses stand in a block of their own, such as virtual_ipaddress { ... }"
    } else if word == "\\" {
        "a backslash goes on to the next line inside a definition only"
    } else if word.starts_with('/') {
        "a path stands behind a keyword, such as notify or script"
    } else {
        let (name, value) = word.split_once('=')?;
        return (is_name(name) && !value.is_empty()).then(|| {
            format!(
                "a definition begins with a dollar: `${name}={value}`; a keyword and its value \
                 stand apart: `{name} {value}`"
            )
        });
    };
    Some(text.to_owned())
}

/// Whether a definition could be called so.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// What may stand in a context, for people who have no idea.
fn what_stands(context: Context) -> String {
    const SHOWN: usize = 8;
    if context == Context::Top {
        return "outside of blocks stand global_defs, vrrp_script, vrrp_sync_group, vrrp_instance, \
                virtual_server and other blocks"
            .to_owned();
    }
    if context == Context::VrrpSyncGroup {
        return "the names of instances stand in a block of their own: group { NAME ... }"
            .to_owned();
    }
    let current = |k: &&Keyword| k.standing == Standing::Current && is_name(k.name);
    let names: Vec<&str> = context.keywords().filter(current).map(|k| k.name).collect();
    let block = context.name().rsplit('.').next().unwrap_or_default();
    if names.len() > SHOWN {
        return format!(
            "nothing in {block} is called so; `rkeepalived explain {block}` lists what is"
        );
    }
    format!("in {block} stand {}", names.join(", "))
}

/// Whether statements of their own stand in this context, not the options of a line.
fn is_block_context(context: Context) -> bool {
    static BLOCKS: OnceLock<Vec<Context>> = OnceLock::new();
    let blocks = BLOCKS.get_or_init(|| {
        let keywords = Context::ALL.iter().flat_map(|c| c.keywords());
        let inner = keywords.filter_map(|k| match k.args {
            Args::Block(_, Body::Statements(inner)) => Some(inner),
            _ => None,
        });
        inner.chain([Context::Top]).collect()
    });
    blocks.contains(&context)
}

//! What the table says about a keyword.

use rk_config::table::{Args, Body, Context, Extra, Keyword, Missing, Repeat, Since, Standing};

use super::example::example;

/// The text about a keyword; `None` if no context has one of this name.
pub(super) fn text(word: &str) -> Option<String> {
    let mut parts: Vec<(&'static Keyword, Vec<Context>)> = Vec::new();
    for context in Context::homes_of(word) {
        let Some(keyword) = context.find(word) else {
            continue;
        };
        match parts.iter_mut().find(|(k, _)| alike(k, keyword)) {
            Some((_, contexts)) => contexts.push(context),
            None => parts.push((keyword, vec![context])),
        }
    }
    if parts.is_empty() {
        return None;
    }
    let texts: Vec<String> = parts.iter().map(|(k, c)| part(k, c)).collect();
    Some(texts.join("\n"))
}

/// Whether two rows say the same.
fn alike(a: &Keyword, b: &Keyword) -> bool {
    a.help == b.help
        && a.usage() == b.usage()
        && a.default == b.default
        && a.standing == b.standing
        && a.process == b.process
        && a.missing == b.missing
}

/// One row and the contexts that have it.
fn part(keyword: &Keyword, contexts: &[Context]) -> String {
    let name = keyword.name;
    let homes: Vec<&str> = contexts.iter().map(|c| place(*c)).collect();
    let mut out = format!(
        "{name}, in {}\n\n    {}\n\n",
        homes.join(", "),
        keyword.help
    );
    let mut row = |title: &str, text: &str| out.push_str(&format!("    {title:9} {text}\n"));
    row("write:", format!("{name} {}", keyword.usage()).trim_end());
    if !keyword.default.is_empty() {
        row("default:", keyword.default);
    }
    row("used by:", &keyword.process.to_string());
    row(
        "since:",
        match keyword.since {
            Since::V2_2 => "keepalived 2.2.7 or older",
            Since::V2_3 => "newer than keepalived 2.2.7",
            Since::Never => "an extension; keepalived does not know it",
        },
    );
    match keyword.standing {
        Standing::Current => {}
        Standing::SameAs(other) => row("means:", &format!("the same as {other}")),
        Standing::Old(other) => row("today:", &format!("write {other}")),
        Standing::Deprecated("") => row("today:", "leave it out; its use counts as a mistake"),
        Standing::Deprecated(by) => {
            row("today:", &format!("write {by}; this counts as a mistake"));
        }
    }
    let others = other_words(keyword, contexts);
    if !others.is_empty() {
        row("also:", &others.join(", "));
    }
    match keyword.missing {
        Missing::Allowed => {}
        Missing::Reported => row("note:", "without its value it is reported and left out"),
        Missing::Stops => row("note:", "without its value nothing behind it is read"),
    }
    if keyword.extra == Extra::Reported {
        row("note:", "takes no value");
    }
    match keyword.repeat {
        Repeat::Allowed => {}
        Repeat::FirstHolds => row("note:", "when repeated, the first one holds"),
        Repeat::LastHolds => row("note:", "when repeated, the last one holds"),
    }
    let quiet = contexts.iter().find(|c| !keyword.supported(**c));
    if quiet.is_some() {
        row(
            "note:",
            "it is read and checked, but does nothing in this version",
        );
    }
    if let Args::Block(_, Body::Statements(inner) | Body::Lines(inner)) = keyword.args {
        let inside: Vec<&str> = inner.keywords().map(|k| k.name).collect();
        row("holds:", &folded(&inside));
    }
    if let Some(example) = contexts.first().and_then(|c| example(*c, keyword)) {
        out.push('\n');
        for line in example.lines() {
            out.push_str(&format!("        {line}\n"));
        }
    }
    out
}

/// Names with commas between them, on lines that fit under each other.
fn folded(names: &[&str]) -> String {
    const WIDTH: usize = 76;
    let mut out = String::new();
    let mut width = 14;
    for (n, name) in names.iter().enumerate() {
        if n > 0 {
            out.push(',');
            if width + name.len() + 2 > WIDTH {
                out.push_str("\n             ");
                width = 14;
            }
            out.push(' ');
        }
        out.push_str(name);
        width += name.len() + 2;
    }
    out
}

/// Where statements of a context stand.
fn place(context: Context) -> &'static str {
    match context {
        Context::Top => "the file itself",
        other => other.name(),
    }
}

/// Other spellings of the keyword there.
fn other_words(keyword: &Keyword, contexts: &[Context]) -> Vec<String> {
    let Some(context) = contexts.first() else {
        return Vec::new();
    };
    let rows = context.keywords().filter(|k| k.name != keyword.name);
    rows.filter_map(|k| match k.standing {
        Standing::SameAs(of) if of == keyword.name => Some(k.name.to_owned()),
        Standing::Old(of) | Standing::Deprecated(of) if of == keyword.name => {
            Some(format!("{} (old)", k.name))
        }
        _ => None,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_explained_in_every_context() {
        for context in Context::ALL {
            for keyword in context.keywords() {
                let said = text(keyword.name).unwrap_or_default();
                assert!(said.contains(keyword.help), "{said}");
                assert!(said.contains(place(*context)), "{}: {said}", context.name());
            }
        }
    }

    #[test]
    fn a_keyword_of_several_kinds_has_several_parts() {
        let said = text("priority").unwrap();
        assert!(said.starts_with("priority, in vrrp_instance\n"), "{said}");
        assert!(said.contains("write:    priority INT(1..255)\n"), "{said}");
        assert!(said.contains("means:    the same as metric\n"), "{said}");
    }
}

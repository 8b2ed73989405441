//! What the books say about a code.

use rk_config::lint::cluster::RULES;
use rk_config::{Code, lint};

/// The book of the diagnostics. Each section begins with `## CODE: title`; its examples are
/// blocks that are marked `wrong` and `mended`.
const BOOK: &str = include_str!("../../../../doc/diagnostics.md");

/// Every code in the order of the numbers.
pub(super) fn all() -> impl Iterator<Item = Code> {
    let reading = Code::ALL.iter().map(|(code, _)| *code);
    let cluster = RULES.iter().map(|rule| rule.code);
    reading.chain(lint::all().map(|l| l.code)).chain(cluster)
}

/// The names of the lints.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let cluster = RULES.iter().map(|rule| rule.name);
    lint::all().map(|l| l.name).chain(cluster)
}

/// What a code is about, in a few words.
#[must_use]
pub fn title_of(code: Code) -> &'static str {
    let reading = Code::ALL.iter().find(|(c, _)| *c == code);
    let reading = reading.map(|(_, title)| *title);
    let lint = || lint::all().find(|l| l.code == code).map(|l| l.summary);
    let cluster = || RULES.iter().find(|r| r.code == code).map(|r| r.summary);
    reading.or_else(lint).or_else(cluster).unwrap_or_default()
}

/// The text about the code or lint called `word`.
pub(super) fn text(word: &str) -> Option<String> {
    if let Some(lint) = lint::find(word) {
        return Some(format!(
            "{}: {}\n\n{}\n\nFinds:\n\n{}\nMended:\n\n{}",
            lint.code,
            lint.name,
            lint.summary,
            indented(lint.bad),
            indented(lint.good)
        ));
    }
    let called =
        |name: &str, code: Code| name == word || code.to_string().eq_ignore_ascii_case(word);
    if let Some(rule) = RULES.iter().find(|r| called(r.name, r.code)) {
        return Some(format!(
            "{}: {}\n\n{}\n",
            rule.code, rule.name, rule.summary
        ));
    }
    let (code, title) = Code::ALL.iter().find(|(code, _)| called("", *code))?;
    let body = section(*code)?;
    Some(format!("{code}: {title}\n\n{}", plain(body)))
}

/// The section of the book about a code, without its heading.
fn section(code: Code) -> Option<&'static str> {
    let heading = format!("\n## {code}: ");
    let from = BOOK.find(&heading)? + heading.len();
    let rest = &BOOK[from..];
    let body = &rest[rest.find('\n')?..];
    let end = body.find("\n## ").unwrap_or(body.len());
    Some(body[..end].trim())
}

/// Markdown as text: the fences become words, what is between them is moved in.
fn plain(markdown: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in markdown.lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(kind) => {
                inside = true;
                out.push_str(match kind {
                    "wrong" => "Wrong:\n\n",
                    "mended" => "Mended:\n\n",
                    _ => "",
                });
            }
            None if inside => out.push_str(&indented(line)),
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// The examples of the book for a code: a text that has it, and the same text mended. `None` for
/// codes that no text alone brings about.
#[must_use]
pub fn examples(code: Code) -> Option<(String, String)> {
    let body = section(code)?;
    let block = |kind: &str| {
        let (_, rest) = body.split_once(&format!("```{kind}\n"))?;
        rest.split_once("```").map(|(text, _)| text.to_owned())
    };
    Some((block("wrong")?, block("mended")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained() {
        for code in all() {
            let said = text(&code.to_string()).unwrap_or_default();
            assert!(said.len() > 40, "{code}: {said}");
            assert!(said.starts_with(&code.to_string()), "{said}");
            assert!(!title_of(code).is_empty(), "{code}");
            assert_eq!(text(&code.to_string().to_lowercase()), Some(said));
        }
        for name in names() {
            assert!(text(name).is_some(), "{name}");
        }
    }

    #[test]
    fn examples_are_shown_as_such() {
        let said = plain("Why.\n\n```wrong\na {\n```\n\n```mended\na\n```\n");
        assert_eq!(said, "Why.\n\nWrong:\n\n    a {\n\nMended:\n\n    a\n");
    }
}

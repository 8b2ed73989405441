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
        let example = &rule.example;
        return Some(format!(
            "{}: {}\n\n{}\n\nNode a:\n\n{}\nNode b:\n\n{}\nFinds:\n\n{}",
            rule.code,
            rule.name,
            rule.summary,
            indented(example.a),
            indented(example.b),
            indented(example.findings)
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
                out.push_str(match kind.split(' ').next().unwrap_or_default() {
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

/// An example of the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Example {
    /// A configuration.
    Text(String),
    /// Commands that write a configuration into an empty directory and test it: for what cannot
    /// be printed, or is not about the text.
    Shell(String),
}

/// The examples of the book for a code: one that has it, and the same one mended.
#[must_use]
pub fn examples(code: Code) -> Option<(Example, Example)> {
    let body = section(code)?;
    let fenced = |fence: String| {
        let (_, rest) = body.split_once(&fence)?;
        rest.split_once("```").map(|(text, _)| text.to_owned())
    };
    let block = |kind: &str| {
        let text = fenced(format!("```{kind}\n")).map(Example::Text);
        text.or_else(|| fenced(format!("```{kind} sh\n")).map(Example::Shell))
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
            let wrong = ["\nWrong:\n\n    ", "\nFinds:\n\n    "];
            assert!(
                wrong.iter().any(|w| said.contains(w)),
                "{code} has no example: {said}"
            );
            let mended = ["\nMended:\n\n    ", "\nNode b:\n\n    "];
            assert!(
                mended.iter().any(|m| said.contains(m)),
                "{code} is not mended: {said}"
            );
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

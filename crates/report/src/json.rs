//! One JSON object for each diagnostic, one a line.

use serde::Serialize;

use crate::item::{Item, Location, Remark};

/// What stands in an object. Absent things are null or empty lists, never left out, so that a
/// reader need not ask.
#[derive(Debug, Serialize)]
struct Object<'a> {
    code: String,
    severity: String,
    message: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
    end_column: Option<u32>,
    hint: Option<&'a str>,
    replacement: Option<Edit<'a>>,
    related: Vec<Note<'a>>,
    chain: Vec<Note<'a>>,
}

#[derive(Debug, Serialize)]
struct Edit<'a> {
    #[serde(flatten)]
    at: Span<'a>,
    text: &'a str,
}

#[derive(Debug, Serialize)]
struct Note<'a> {
    #[serde(flatten)]
    at: Span<'a>,
    message: &'a str,
}

#[derive(Debug, Serialize)]
struct Span<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_column: u32,
}

/// The objects, each with a newline behind it.
#[must_use]
pub fn json(items: &[Item]) -> String {
    items
        .iter()
        .map(|item| {
            let object = serde_json::to_string(&object(item));
            object.expect("strings and numbers are JSON") + "\n"
        })
        .collect()
}

fn object(item: &Item) -> Object<'_> {
    let at = item.location.as_ref();
    Object {
        code: item.code.to_string(),
        severity: item.severity.to_string(),
        message: &item.message,
        file: at.map(|l| l.file.as_str()),
        line: at.map(|l| l.line),
        column: at.map(|l| l.column),
        end_column: at.map(|l| l.end),
        hint: item.hint.as_deref(),
        replacement: item
            .replacement
            .as_ref()
            .map(|(at, text)| Edit { at: span(at), text }),
        related: item.related.iter().map(note).collect(),
        chain: item.chain.iter().map(note).collect(),
    }
}

fn note(remark: &Remark) -> Note<'_> {
    Note {
        at: span(&remark.location),
        message: &remark.text,
    }
}

fn span(at: &Location) -> Span<'_> {
    Span {
        file: &at.file,
        line: at.line,
        column: at.column,
        end_column: at.end,
    }
}

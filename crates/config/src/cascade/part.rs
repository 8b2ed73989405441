//! The words and braces of a line.

use crate::place::{FileId, Place};

/// What stands in a line.
pub(super) enum Part<'a> {
    Words(Vec<&'a str>, Place),
    Open,
    Close(Place),
}

/// Whether a line is a definition or a sequence, or goes on with one: its text stands for something
/// elsewhere.
pub(super) fn defines(text: &str, going_on: &mut bool) -> bool {
    let defines = *going_on || text.trim_start().starts_with(['$', '~', '@']);
    *going_on = defines && text.trim_end().ends_with('\\');
    defines
}

/// The words and braces of a line; `None` if some are those of a template, or of a name without a
/// definition.
pub(super) fn split(file: FileId, line: u32, text: &str) -> Option<Vec<Part<'_>>> {
    if ["{{", "{%", "${"].iter().any(|mark| text.contains(mark)) {
        return None;
    }
    let place = |from: usize, to: usize| Place {
        file,
        line,
        column: u32::try_from(from).unwrap_or(u32::MAX),
        len: u32::try_from(to - from).unwrap_or(u32::MAX),
    };
    let mut parts = Vec::new();
    let mut from = 0;
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        quoted ^= c == '"';
        if quoted || !matches!(c, '{' | '}') {
            continue;
        }
        let found = words(&text[from..at]);
        parts.extend(found.map(|(w, n, len)| Part::Words(w, place(from + n, from + n + len))));
        parts.push(match c {
            '{' => Part::Open,
            _ => Part::Close(place(at, at + 1)),
        });
        from = at + 1;
    }
    let rest = words(&text[from..]);
    parts.extend(rest.map(|(w, n, len)| Part::Words(w, place(from + n, from + n + len))));
    Some(parts)
}

/// The words of a part of a line, if it has any; where the first one starts, and how long it is.
fn words(part: &str) -> Option<(Vec<&str>, usize, usize)> {
    let words: Vec<&str> = part.split_whitespace().collect();
    let first = words.first()?.len();
    Some((words, part.len() - part.trim_start().len(), first))
}

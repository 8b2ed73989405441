//! What a physical line is, before anything is expanded.

use crate::place::FileId;
use crate::text::include::Checks;
use crate::text::line::Line;
use crate::text::words::{Token, TokenKind, tokens};
use crate::text::{define, is_blank, sequence, trim};

/// A line, as far as its own bytes say what it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing, or a comment alone.
    Empty,
    /// The first line of a definition: the name, and where its text starts.
    Definition(Vec<u8>, usize),
    /// `~SEQ` or `~LST`.
    Sequence,
    /// `@ID rest`; `rest` starts here.
    Conditional(usize),
    /// `include PATTERN`; the pattern starts here.
    Include(usize),
    /// Words and braces that mean the same with other blanks between them.
    Plain(Vec<Segment>),
    /// Anything else: a line that uses definitions, or whose quoting is not that simple.
    Exact,
}

/// A part of a plain line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Words with one blank where there were some.
    Words(Vec<u8>),
    /// `{`
    Open,
    /// `}`
    Close,
}

/// What the line is whose text without comment is `code`.
pub(super) fn kind(code: &[u8]) -> Kind {
    let line = bare(code);
    if line.is_blank() {
        return Kind::Empty;
    }
    let first = line.first();
    if code[first] == b'@' {
        return conditional(code, first);
    }
    if let Some((name, value)) = define::definition(&line) {
        return Kind::Definition(name, value);
    }
    if sequence::is_sequence(&line) {
        return Kind::Sequence;
    }
    if !is_simple(code) {
        return Kind::Exact;
    }
    if let Some(gap) = code[first..].iter().position(|b| is_blank(*b))
        && Checks::of_keyword(&code[first..first + gap]).is_some()
    {
        let pattern = code[first + gap..].iter().position(|b| !is_blank(*b));
        return pattern.map_or(Kind::Exact, |at| Kind::Include(first + gap + at));
    }
    // With a blank behind it, `include{` would include something.
    let ends = |b: &u8| is_blank(*b) || matches!(b, b'"' | b'{' | b'}');
    let word = code[first..].split(ends).next().unwrap_or(&[]);
    if Checks::of_keyword(word).is_some() {
        return Kind::Exact;
    }
    segments(code).map_or(Kind::Exact, Kind::Plain)
}

/// `@ID rest`: as the reader sees it.
fn conditional(code: &[u8], first: usize) -> Kind {
    let blank = code[first..].iter().position(|b| is_blank(*b));
    let rest = blank.and_then(|at| {
        let behind = &code[first + at..];
        Some(first + at + behind.iter().position(|b| !is_blank(*b))?)
    });
    // Without a rest the line is dropped, whatever the id is.
    rest.map_or(Kind::Exact, Kind::Conditional)
}

/// Whether nothing in the line depends on its blanks: no use of a definition, which may bring
/// quotes along, and none of the signs that commands take for quotes.
fn is_simple(code: &[u8]) -> bool {
    !code.iter().any(|b| matches!(b, b'$' | b'\'' | b'\\'))
}

/// Whether a line that starts with these words is not read as a statement.
pub(super) fn means_more_at_line_start(words: &[u8]) -> bool {
    let first = words.split(|b| is_blank(*b)).next().unwrap_or(words);
    matches!(words.first(), Some(b'@' | b'~' | b'$')) || Checks::of_keyword(first).is_some()
}

/// The parts of a simple line; `None` if a quote is not closed.
pub(super) fn segments(code: &[u8]) -> Option<Vec<Segment>> {
    if !is_simple(code) {
        return None;
    }
    let mut out = Vec::new();
    let mut words: Vec<u8> = Vec::new();
    let mut last_end = 0;
    for Token { kind, start, end } in tokens(code) {
        match kind {
            TokenKind::Unterminated => return None,
            TokenKind::Word(_) | TokenKind::Quoted(_) => {
                if !words.is_empty() && start > last_end {
                    words.push(b' ');
                }
                words.extend_from_slice(&code[start..end]);
            }
            TokenKind::Open | TokenKind::Close => {
                if !words.is_empty() {
                    out.push(Segment::Words(std::mem::take(&mut words)));
                }
                out.push(if kind == TokenKind::Open {
                    Segment::Open
                } else {
                    Segment::Close
                });
            }
        }
        last_end = end;
    }
    if !words.is_empty() {
        out.push(Segment::Words(words));
    }
    Some(out)
}

/// A conditional line without the blanks that are not needed, if its rest is a simple statement.
pub(super) fn conditional_statement(code: &[u8], rest: usize) -> Option<Vec<u8>> {
    let Kind::Plain(parts) = kind(&code[rest..]) else {
        return None;
    };
    let mut out = trim(&code[..rest]).to_vec();
    out.push(b' ');
    out.extend(joined(&parts));
    Some(out)
}

/// Segments on one line.
pub(super) fn joined(parts: &[Segment]) -> Vec<u8> {
    let words: Vec<&[u8]> = parts
        .iter()
        .map(|p| match p {
            Segment::Words(words) => words.as_slice(),
            Segment::Open => b"{",
            Segment::Close => b"}",
        })
        .collect();
    words.join(&b' ')
}

/// Text as a line that is read from nowhere.
pub(super) fn bare(text: &[u8]) -> Line {
    Line::new(text.to_vec(), FileId(0), 1, 0, None)
}

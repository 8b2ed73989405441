//! Lays out configuration text: `rkeepalived fmt`.
//!
//! Works on the text of one file, before anything in it is expanded. What comes out means exactly
//! what went in, so a line is taken apart only if nothing in it depends on how it is written:
//!
//! * Plain statements get one blank between words; their braces end a line or stand alone.
//! * Lines that use definitions, and lines with a backslash or a single quote (commands have a
//!   finer grammar), keep every byte but their indentation.
//! * Definitions, sequences and conditions stay one line; the further lines of a definition
//!   keep their indentation too.
//! * Lines that the reader refuses (NUL bytes, too long) stay as they are.
//!
//! Comments are kept, those behind statements of neighbouring lines in one column. Empty lines
//! are kept, but never two of them, and none at the edges of blocks. Lines end as the
//! first one that is not empty does, and the last line has an end, too.

mod effect;
mod layout;
mod line;
mod render;

#[cfg(test)]
mod tests;

use crate::text::{FILE_MAX, is_blank, physical};

/// Blanks a level of blocks is indented by.
const INDENT: usize = 4;
/// Blanks before a comment behind a statement, at least.
const GAP: usize = 2;
/// Comments of neighbouring lines stand in one column if the lines differ by this at most.
const ALIGNED_WITHIN: usize = 24;

/// Text that was laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formatted {
    /// The new text.
    pub text: Vec<u8>,
    /// The line (from 1) from which on everything stayed as it was: which blocks are open there
    /// depends on conditions or on the rounds of a sequence.
    pub left_from: Option<u32>,
}

/// Why a text cannot be laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A block is not closed: close it.
    #[error("the block that is opened here is not closed in this file")]
    Unclosed {
        /// The line (from 1) of its brace.
        line: u32,
    },
    /// A brace closes nothing: remove it, or look for the missing `{`.
    #[error("this `}}` closes nothing in this file")]
    ExtraClose {
        /// Its line, from 1.
        line: u32,
    },
    /// The file is larger than a configuration may be.
    #[error("a configuration file has at most {FILE_MAX} bytes")]
    TooLarge,
}

impl Broken {
    /// The line it is about, from 1.
    #[must_use]
    pub const fn line(self) -> Option<u32> {
        match self {
            Self::Unclosed { line } | Self::ExtraClose { line } => Some(line),
            Self::TooLarge => None,
        }
    }
}

/// Lays out `text`.
///
/// # Errors
///
/// When braces do not pair; such a text is better mended than indented wrongly.
pub fn format(text: &[u8]) -> Result<Formatted, Broken> {
    if text.len() > FILE_MAX {
        return Err(Broken::TooLarge);
    }
    let lines = split(text);
    let ending = ending(&lines);
    let whole = layout::lay_out(&lines, layout::End::OfFile, ending);
    let (rows, left) = match whole {
        Ok(rows) => (rows, None),
        Err(layout::Unpaired {
            doubtful: Some(from),
            ..
        }) => {
            // Up to there braces cannot be wrong: the first thing in doubt comes before the
            // first brace that does not pair.
            let rows = layout::lay_out(&lines[..from], layout::End::OfPart, ending);
            (rows.map_err(|e| e.broken)?, Some(from))
        }
        Err(layout::Unpaired { broken, .. }) => return Err(broken),
    };
    let mut out = render::render(&rows, ending, left.is_some());
    for line in left.map_or(&[][..], |from| &lines[from..]) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    Ok(Formatted {
        text: out,
        left_from: left.map(|from| u32::try_from(from).unwrap_or(u32::MAX).saturating_add(1)),
    })
}

/// How lines end: as the first one does that is not empty and can be read.
fn ending(lines: &[&[u8]]) -> &'static [u8] {
    let counts = |line: &&&[u8]| match physical::split(line).as_slice() {
        [physical::Physical::Text { column: 0, .. }] => line.iter().any(|b| !is_blank(*b)),
        _ => false,
    };
    match lines.iter().find(counts) {
        Some(first) if first.ends_with(b"\r") => b"\r\n",
        _ => b"\n",
    }
}

/// The lines of a text without their line feeds.
fn split(text: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
    if lines.last().is_some_and(|l| l.is_empty()) {
        lines.pop();
    }
    lines
}

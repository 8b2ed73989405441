//! From files to expanded lines: the layers below the grammar.
//!
//! [`reader::Reader`] hands out one expanded [`line::Line`] after the other; nothing is kept, so
//! a sequence with a million rounds costs no memory.

pub(crate) mod bytes;
pub(crate) mod command;
pub(crate) mod define;
pub(crate) mod include;
pub(crate) mod line;
pub(crate) mod physical;
pub(crate) mod reader;
pub(crate) mod sequence;
pub(crate) mod words;

pub(crate) use line::Line;
pub(crate) use reader::{Halt, Reader};

/// The longest line, newline excluded (what keepalived's buffer holds).
pub(crate) const LINE_MAX: usize = 1022;
/// The longest configuration file.
pub(crate) const FILE_MAX: usize = 64 << 20;
/// How many files one configuration may have.
pub(crate) const FILES_MAX: usize = 1 << 16;
/// How many bytes all its files may have together.
pub(crate) const TEXT_MAX: u64 = 128 << 20;
/// How deep includes, definitions and sequences may nest, together.
pub(crate) const DEPTH_MAX: usize = 64;
/// How many rounds one sequence may have.
pub(crate) const ROUNDS_MAX: u64 = 1 << 20;
/// How many lines definitions and sequences may make together.
pub(crate) const LINES_MAX: u64 = 4 << 20;
/// How many bytes definitions and sequences may make together.
pub(crate) const MADE_MAX: u64 = 32 << 20;
/// How many definitions one line may use.
pub(crate) const USES_MAX: usize = 512;

/// Blank as keepalived sees it.
pub(crate) const fn is_blank(byte: u8) -> bool {
    // Tab, newline, vertical tab, form feed and carriage return follow each other.
    byte == b' ' || (byte.wrapping_sub(b'\t') < 5 && byte != b'\n')
}

/// `text` without blanks at both ends.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|b| !is_blank(*b))
        .unwrap_or(text.len());
    let end = text
        .iter()
        .rposition(|b| !is_blank(*b))
        .map_or(start, |at| at + 1);
    &text[start..end]
}

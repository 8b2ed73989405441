//! The blocks of a text, and what is known of one that is open.

use compact_str::CompactString;

use crate::place::{FileId, Place};
use crate::table::{Body, Context};

/// A block of the text.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) file: FileId,
    pub(super) keyword: CompactString,
    pub(super) name: Option<CompactString>,
    pub(super) first: u32,
    pub(super) last: u32,
    /// Where the keyword stands.
    pub(super) heading: Place,
}

/// A block that is open.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) block: Block,
    /// What the first word behind the keyword begins with, if that should be a brace.
    pub(super) bracket: Option<char>,
    /// Whether the line ends with such a bracket.
    pub(super) complete: bool,
    pub(super) inside: Inside,
}

/// What a block holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Inside {
    /// Statements of this context.
    Statements(Context),
    /// Entries, with words of this context if it has any.
    Entries(Option<Context>),
    /// Whatever stands there is not understood because of this message, if it is known.
    Unknown(Option<usize>),
}

impl Frame {
    /// The block that the statement of `words` at `place` opens.
    pub(super) fn new(words: &[&str], place: Place, inside: Inside) -> Self {
        let word = |n: usize| {
            words
                .get(n)
                .map(|w| CompactString::new(w.trim_matches('"')))
        };
        Self {
            block: Block {
                file: place.file,
                keyword: word(0).unwrap_or_default(),
                name: word(1),
                first: place.line,
                last: place.line,
                heading: place,
            },
            bracket: words.get(1).and_then(|word| word.chars().next()),
            complete: words.last().is_some_and(|word| word.ends_with([')', ']'])),
            inside,
        }
    }
}

impl Inside {
    /// What a block of this kind holds.
    pub(super) fn of(body: Body) -> Self {
        match body {
            Body::Statements(context) => Self::Statements(context),
            Body::Lines(context) => Self::Entries(Some(context)),
            Body::Names => Self::Entries(None),
        }
    }
}

//! Places that are kept for messages that come later.

use std::rc::Rc;

use crate::diagnostic::Diagnostic;
use crate::place::{FileId, Place};
use crate::text::Line;
use crate::text::line::{self, Frame};
use crate::tree::Statement;

/// Where something was said, kept for messages that come later. Thousands are kept and few are
/// used, so the way through definitions stays shared until a message needs it, and what was never
/// said takes no room.
#[derive(Clone, Debug, Default)]
pub(crate) struct At(Option<Box<Said>>);

#[derive(Clone, Debug)]
struct Said {
    /// Where the words stand.
    place: Place,
    /// The line that was being read when they came out.
    home: (FileId, u32),
    frame: Option<Rc<Frame>>,
    /// Another place that belongs to it, which is rare.
    beside: Option<Box<(Place, &'static str)>>,
}

impl At {
    pub(super) fn of(statement: &Statement, n: usize) -> Self {
        let (start, end) = statement.range(n);
        Self::of_bytes(&statement.line, start, end)
    }

    pub(super) fn of_bytes(line: &Line, start: usize, end: usize) -> Self {
        Self(Some(Box::new(Said {
            place: line.place(start, end),
            home: line.home,
            frame: line.frame(start),
            beside: None,
        })))
    }

    /// The closing brace of the block that `heading` opens, where keepalived says what it
    /// finds when a block ends; the heading itself if there is no brace.
    pub(super) fn end_of(heading: &Statement) -> Self {
        match heading.closed_at() {
            Some((line, at)) => Self::of_bytes(line, at, at + 1),
            None => Self::of(heading, 0),
        }
    }

    /// The same place, with `word` beside it; `word` alone if it is in the same line.
    pub(super) fn with(&self, word: &Self) -> Self {
        let (Some(own), Some(other)) = (&self.0, &word.0) else {
            return self.clone();
        };
        if own.home == other.home {
            return word.clone();
        }
        let mut said = own.clone();
        said.beside = Some(Box::new((other.place, "this one")));
        Self(Some(said))
    }

    /// Shows this place beside the one that `diagnostic` is about.
    pub(super) fn also(&self, diagnostic: Diagnostic, text: &str) -> Diagnostic {
        match &self.0 {
            Some(said) => diagnostic.label(said.place, text),
            None => diagnostic,
        }
    }

    pub(super) fn put(&self, diagnostic: Diagnostic) -> Diagnostic {
        let Some(said) = &self.0 else {
            return diagnostic;
        };
        let way = line::via(said.frame.as_ref());
        let diagnostic = diagnostic.at_text(said.place, way, said.home);
        match said.beside.as_deref() {
            Some((place, text)) => diagnostic.label(*place, *text),
            None => diagnostic,
        }
    }
}

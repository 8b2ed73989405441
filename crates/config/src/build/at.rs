//! Places that are kept for messages that come later.

use std::rc::Rc;

use crate::diagnostic::Diagnostic;
use crate::place::{FileId, Place};
use crate::text::Line;
use crate::text::line::{self, Frame};
use crate::tree::Statement;

/// Where something was said, kept for messages that come later. Thousands are kept and few are
/// used, so the way through definitions stays shared until a message needs it.
#[derive(Clone, Debug, Default)]
pub(crate) struct At {
    /// Where the words stand, and the line that was being read when they came out.
    place: Option<(Place, (FileId, u32))>,
    frame: Option<Rc<Frame>>,
    /// Another place that belongs to it.
    beside: Option<Box<(Place, &'static str)>>,
}

impl At {
    pub(super) fn of(statement: &Statement, n: usize) -> Self {
        let (start, end) = statement.range(n);
        Self::of_bytes(&statement.line, start, end)
    }

    pub(super) fn of_bytes(line: &Line, start: usize, end: usize) -> Self {
        Self {
            place: Some((line.place(start, end), line.home)),
            frame: line.frame(start).cloned(),
            beside: None,
        }
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
        let (Some((_, own)), Some((place, home))) = (self.place, word.place) else {
            return self.clone();
        };
        if own == home {
            return word.clone();
        }
        Self {
            beside: Some(Box::new((place, "this one"))),
            ..self.clone()
        }
    }

    /// Shows this place beside the one that `diagnostic` is about.
    pub(super) fn also(&self, diagnostic: Diagnostic, text: &str) -> Diagnostic {
        match self.place {
            Some((place, _)) => diagnostic.label(place, text),
            None => diagnostic,
        }
    }

    pub(super) fn put(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        if let Some((place, home)) = self.place {
            diagnostic = diagnostic.at_text(place, line::via(self.frame.as_ref()), home);
        }
        match self.beside.as_deref() {
            Some((place, text)) => diagnostic.label(*place, *text),
            None => diagnostic,
        }
    }
}

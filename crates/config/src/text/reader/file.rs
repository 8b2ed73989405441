//! Files, line by line.

use std::borrow::Cow;
use std::rc::Rc;

use super::super::bytes::{Shared, Text};
use super::super::include::Checks;
use super::super::line::{Frame, Line, to_u32};
use super::super::physical::{self, Physical};
use super::super::{LINE_MAX, is_blank};
use super::{From, Reader};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::place::{FileId, Place};

/// A file being read.
pub(super) struct OpenFile {
    pub(super) id: FileId,
    text: Shared,
    /// The first byte at or behind the line that may be a comment or a NUL, and the first one
    /// that makes words other than plain.
    odd: usize,
    special: usize,
    /// The line being read, from 1, and where it starts and ends.
    line: u32,
    start: usize,
    end: usize,
    /// Where the next part of the line starts, if it was too long.
    column: Option<u32>,
    pub(super) dir: String,
    /// What the checks were before this file.
    checks_before: Checks,
    frame: Option<Rc<Frame>>,
}

impl OpenFile {
    pub(super) fn new(
        id: FileId,
        text: Shared,
        dir: &str,
        checks_before: Checks,
        frame: Option<Rc<Frame>>,
    ) -> Self {
        Self {
            id,
            text,
            odd: 0,
            special: 0,
            line: 0,
            start: 0,
            end: 0,
            column: None,
            dir: dir.to_owned(),
            checks_before,
            frame,
        }
    }

    /// Goes on to the next line; `false` behind the last one.
    fn next_line(&mut self) -> bool {
        if self.line > 0 {
            self.start = self.end + 1;
        }
        let Some(rest) = self.text.get(self.start..).filter(|rest| !rest.is_empty()) else {
            return false;
        };
        self.line += 1;
        self.end = self.start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        // One search over many lines tells what need not be looked for in each of them.
        let behind = |found: Option<usize>| found.map_or(usize::MAX, |at| self.start + at);
        if self.odd < self.start || self.line == 1 {
            self.odd = behind(memchr::memchr3(0, b'#', b'!', rest));
        }
        if self.special < self.start || self.line == 1 {
            self.special = behind(memchr::memchr3(b'$', b'"', b'\\', rest));
        }
        true
    }
}

impl Reader<'_> {
    /// The next line of the file on top; at its end the file is closed.
    pub(super) fn next_physical(&mut self) -> Option<Line> {
        let Some(From::File(file)) = self.stack.last_mut() else {
            return None;
        };
        loop {
            let column = match file.column.take() {
                Some(column) => column,
                None if file.next_line() => 0,
                None => {
                    self.checks = file.checks_before;
                    self.stack.pop();
                    return None;
                }
            };
            let line = file.line;
            let raw = &file.text[file.start..file.end];
            let special = file.special < file.end;
            let (part, next) = if special || file.odd < file.end || raw.len() > LINE_MAX {
                physical::part(raw, column)
            } else {
                let text = physical::without_end(raw).into();
                (Physical::Text { text, column }, None)
            };
            file.column = next;
            let (problem, column) = match part {
                Physical::Text {
                    text: found,
                    column,
                } => {
                    // Nobody asks for the blanks ahead of a line again.
                    let blanks = found.iter().position(|b| !is_blank(*b));
                    let blanks = blanks.unwrap_or(found.len());
                    let text = match found {
                        Cow::Borrowed(found) => {
                            let from = file.start + column as usize;
                            Text::of_file(&file.text, from + blanks..from + found.len())
                        }
                        Cow::Owned(mut found) => {
                            found.drain(..blanks);
                            found.into()
                        }
                    };
                    let column = column + to_u32(blanks);
                    let mut line = Line::new(text, file.id, line, column, file.frame.clone());
                    (line.dollar, line.quoting) = (special, special);
                    return Some(line);
                }
                Physical::TooLong { column } => ("line too long - ignoring", column),
                Physical::Nul => (
                    "configuration appears to have embedded NULs - ignoring line",
                    0,
                ),
            };
            let code = if problem.starts_with("line") {
                code::LINE_TOO_LONG
            } else {
                code::NUL
            };
            let place = Place {
                file: file.id,
                line,
                column,
                len: 0,
            };
            let d = Diagnostic::error(code, Class::General, problem).at_place(Some(place));
            self.session.report.push(d);
        }
    }
}

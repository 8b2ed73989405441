//! Statements: the words of a line between its end and its braces.

use std::ops::{Deref, Range};
use std::rc::Rc;

use compact_str::CompactString;
use smallvec::SmallVec;

use crate::diagnostic::Diagnostic;
use crate::text::Line;
use crate::text::is_blank;
use crate::text::line::{Spare, to_u32};
use crate::text::physical::leaves_quote_open;
use crate::text::words::{Token, TokenKind, tokens, unescape};

/// A word of a statement.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    /// Without quotes; bytes that are no UTF-8 are replaced.
    pub(crate) text: CompactString,
    start: u32,
    end: u32,
}

/// A line with its words.
#[derive(Debug)]
pub(crate) struct Row {
    line: Line,
    words: SmallVec<[Word; 3]>,
    cuts: Cuts,
}

type Cuts = SmallVec<[Cut; 2]>;

/// The words between line ends and braces.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) line: Rc<Row>,
    /// Which words of the line.
    from: u32,
    to: u32,
    start: u32,
    end: u32,
    /// The closing brace of the block that this is the heading of.
    pub(super) close: Close,
}

/// Where a block is closed, if it is: the line, and the byte of the brace.
pub(super) type Close = Option<(Rc<Row>, u32)>;

/// Where a line falls apart.
#[derive(Debug)]
pub(super) enum Cut {
    /// Words, by number, up to this byte.
    Words(Range<u32>, u32),
    /// An opening brace at this byte.
    Open(u32),
    /// A closing brace at this byte.
    Close(u32),
    /// A quote that nothing closes; the rest of the line belongs to it.
    Unterminated(u32, u32),
    /// A quote that the backslash at this byte hides from the search for comments.
    HiddenQuote(u32),
}

/// The lines of the block that is being read. Most blocks are gone when the next one is read, and
/// then that one gets their memory.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Rc<Row>>,
    next: usize,
}

/// How many lines are kept for others: those of a large block.
const ROWS_KEPT: usize = 256;

impl Rows {
    /// Starts with the first line again.
    pub(super) fn rewind(&mut self) {
        self.next = 0;
    }

    /// Takes a line in, of which nothing counts from byte `end` on if that is given. Of the line
    /// in whose place it is, the memory may go to `spare`.
    pub(super) fn add(&mut self, line: Line, end: Option<usize>, spare: &mut Spare) -> Rc<Row> {
        let used = self.rows.get_mut(self.next);
        self.next += 1;
        let Some(used) = used else {
            let row = Rc::new(Row::new(line, end));
            if self.rows.len() < ROWS_KEPT {
                self.rows.push(row.clone());
            }
            return row;
        };
        match Rc::get_mut(used) {
            Some(row) => row.turn_into(line, end, spare),
            None => *used = Rc::new(Row::new(line, end)),
        }
        used.clone()
    }
}

impl Row {
    fn new(line: Line, end: Option<usize>) -> Self {
        let mut row = Self {
            line,
            words: SmallVec::new(),
            cuts: SmallVec::new(),
        };
        row.split(end);
        row
    }

    /// Becomes another line. Generated files say the same in the same line of each block, and then
    /// the words are there already.
    fn turn_into(&mut self, line: Line, end: Option<usize>, spare: &mut Spare) {
        let plain = !line.quoting && !self.line.quoting;
        let same = plain && end.is_none() && *line.text == *self.line.text;
        spare.replace(&mut self.line, line);
        if !same {
            self.words.clear();
            self.cuts.clear();
            self.split(end);
        }
    }

    /// What stands in the line, from left to right.
    pub(super) fn cut(&self, n: usize) -> Option<&Cut> {
        self.cuts.get(n)
    }

    /// Finds the words and the braces.
    fn split(&mut self, end: Option<usize>) {
        let Self { line, words, cuts } = self;
        let plain = line.text.as_str().filter(|_| !line.quoting);
        let text = &line.text[..end.unwrap_or(line.text.len())];
        let mut from = 0;
        let mut flush = |words: &[Word], end: usize, cuts: &mut Cuts| {
            let to = to_u32(words.len());
            if from < to {
                cuts.push(Cut::Words(from..to, to_u32(end)));
                from = to;
            }
        };
        for Token { kind, start, end } in tokens(text) {
            match kind {
                TokenKind::Word(_) if let Some(text) = plain => {
                    words.push(Word::new(text.get(start..end).unwrap_or(""), start, end));
                }
                TokenKind::Word(raw) => {
                    let text = unescape(raw);
                    words.push(Word::new(&String::from_utf8_lossy(&text), start, end));
                }
                TokenKind::Quoted(text) => {
                    words.push(Word::new(&String::from_utf8_lossy(text), start, end));
                }
                TokenKind::Open => {
                    flush(words, start, cuts);
                    cuts.push(Cut::Open(to_u32(start)));
                }
                TokenKind::Close => {
                    flush(words, start, cuts);
                    cuts.push(Cut::Close(to_u32(start)));
                }
                TokenKind::Unterminated => {
                    cuts.push(Cut::Unterminated(to_u32(start), to_u32(end)));
                    flush(words, start, cuts);
                }
            }
        }
        flush(words, text.len(), cuts);
        if let Some(at) = memchr::memchr(b'\\', &line.text).filter(|_| line.quoting)
            && leaves_quote_open(&line.text)
            && !cuts.iter().any(|cut| matches!(cut, Cut::Unterminated(..)))
        {
            cuts.insert(0, Cut::HiddenQuote(to_u32(at)));
        }
    }
}

impl Deref for Row {
    type Target = Line;

    fn deref(&self) -> &Line {
        &self.line
    }
}

impl Word {
    fn new(text: &str, start: usize, end: usize) -> Self {
        Self {
            text: CompactString::new(text),
            start: to_u32(start),
            end: to_u32(end),
        }
    }
}

impl Statement {
    /// The words `range` of a line, which go on up to byte `end`.
    pub(super) fn new(line: Rc<Row>, range: Range<u32>, end: u32) -> Self {
        let start = line.words.get(range.start as usize).map_or(0, |w| w.start);
        Self {
            line,
            from: range.start,
            to: range.end,
            start,
            end,
            close: None,
        }
    }

    /// The words, the keyword first.
    pub(crate) fn words(&self) -> &[Word] {
        let range = self.from as usize..self.to as usize;
        self.line.words.get(range).unwrap_or(&[])
    }

    /// The first word.
    pub(crate) fn keyword(&self) -> &str {
        self.word(0).unwrap_or("")
    }

    /// The words after the first.
    pub(crate) fn args(&self) -> &[Word] {
        self.words().get(1..).unwrap_or(&[])
    }

    /// The text of word `n`, the keyword being 0.
    pub(crate) fn word(&self, n: usize) -> Option<&str> {
        self.words().get(n).map(|w| w.text.as_str())
    }

    /// The raw text, quotes and all.
    pub(crate) fn raw(&self) -> &[u8] {
        self.line
            .text
            .get(self.start as usize..self.end as usize)
            .unwrap_or(&[])
    }

    /// Whether the words end at a quote that nothing closes.
    pub(crate) fn has_open_quote(&self) -> bool {
        let rest = self.line.text.get(self.end as usize..);
        rest.is_some_and(|rest| rest.contains(&b'"'))
    }

    /// Whether such a quote is glued to the last word.
    pub(crate) fn has_glued_quote(&self) -> bool {
        let glued = self.raw().last().is_some_and(|b| !is_blank(*b));
        glued && self.line.text.get(self.end as usize) == Some(&b'"')
    }

    /// The line behind the words: a brace, or nothing.
    pub(crate) fn behind(&self) -> &[u8] {
        self.line
            .text
            .get(self.end as usize..)
            .unwrap_or_default()
            .trim_ascii_start()
    }

    /// The line and the byte of the brace that closes the block of this heading.
    pub(crate) fn closed_at(&self) -> Option<(&Line, usize)> {
        let (line, at) = self.close.as_ref()?;
        Some((line, *at as usize))
    }

    /// Lets `diagnostic` point at the closing brace of this heading's block, and at the heading's
    /// word `n` beside it; at the word alone when the brace is missing or stands on its line.
    pub(crate) fn point_at_end_of(&self, diagnostic: Diagnostic, n: usize) -> Diagnostic {
        let (start, end) = self.range(n);
        match self.closed_at() {
            Some((line, at)) if line.home != self.line.home => diagnostic
                .at(line, at, at + 1)
                .label(self.line.place(start, end), "of this block"),
            _ => self.point(diagnostic, n),
        }
    }

    /// Lets `diagnostic` point at word `n`, or behind the last word if there is no such one.
    pub(crate) fn point(&self, diagnostic: Diagnostic, n: usize) -> Diagnostic {
        let (start, end) = self.range(n);
        diagnostic.at(&self.line, start, end)
    }

    /// The bytes of the line that [`Statement::point`] points at.
    pub(crate) fn range(&self, n: usize) -> (usize, usize) {
        let words = self.words();
        let (start, end) = match words.get(n).or(words.last()) {
            Some(word) => (word.start, word.end),
            None => (self.start, self.end),
        };
        (start as usize, end as usize)
    }
}

//! The machine that turns files into expanded lines, one at a time.
//!
//! A stack holds what lines come from: files, multi-line definitions, sequences. Each raw line
//! goes through the same steps: comment, condition, definition, uses, comment again, sequence,
//! include. What is left is handed out.

mod expansion;
mod file;
mod opening;

use std::rc::Rc;
use std::sync::Arc;

use super::define::{Definition, Definitions, Name};
use super::include::Checks;
use super::line::{Frame, Line, Spare, to_u32};
use super::sequence::{self, Values};
use super::{DEPTH_MAX, LINES_MAX, MADE_MAX, is_blank};
use crate::code;
use crate::diagnostic::{Class, Diagnostic, How};
use crate::load::Options;
use crate::place::{FileId, Place};
use crate::report::Session;
use crate::source::{Host, Source};

use file::OpenFile;
use opening::IncludeLine;

/// Why reading stopped before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The main file cannot be read.
    NoMainFile,
    /// A strict include failed.
    Include,
    /// A limit was reached.
    Limit,
}

/// Reads files and hands out expanded lines.
pub(crate) struct Reader<'a> {
    source: &'a dyn Source,
    host: &'a dyn Host,
    config_id: String,
    /// What was read and what is wrong with it so far.
    pub(crate) session: Session,
    definitions: Definitions,
    stack: Vec<From>,
    checks: Checks,
    /// The values of the last round.
    shown: String,
    /// How many lines came out of definitions and sequences.
    made: u64,
    /// How many bytes these have.
    made_text: u64,
    /// How many bytes the files have that were read, and their names.
    read_text: u64,
    halt: Option<Halt>,
}

/// What lines come from.
enum From {
    File(OpenFile),
    /// Files that are still to be read, the next one last.
    Files {
        paths: Vec<String>,
        include: Option<Rc<IncludeLine>>,
    },
    Definition {
        definition: Rc<Definition>,
        next: usize,
        frame: Rc<Frame>,
        home: (FileId, u32),
    },
    Sequence {
        /// The variables, as they are shown and by their numbers.
        names: Vec<(Arc<str>, Name)>,
        values: Values,
        body: Line,
        place: Place,
    },
}

impl<'a> Reader<'a> {
    pub(crate) fn new(options: &Options, source: &'a dyn Source, host: &'a dyn Host) -> Self {
        let config_id = options.config_id.clone().unwrap_or_else(|| {
            let name = host.host_name();
            name.split('.').next().unwrap_or("").to_owned()
        });
        Self {
            source,
            host,
            config_id,
            session: Session::default(),
            definitions: Definitions::default(),
            stack: Vec::new(),
            checks: if options.strict_includes {
                Checks::ALL
            } else {
                Checks::default()
            },
            shown: String::new(),
            made: 0,
            made_text: 0,
            read_text: 0,
            halt: None,
        }
    }

    /// How many bytes were read and made.
    pub(crate) const fn size(&self) -> u64 {
        self.read_text + self.made_text
    }

    /// Why reading stopped early, if it did.
    pub(crate) const fn halted(&self) -> Option<Halt> {
        self.halt
    }

    /// `include_check`: sets what the following includes of this file check; gives the numbers
    /// of the words that mean nothing.
    pub(crate) fn include_check(&mut self, words: &[&str]) -> Vec<usize> {
        self.checks.apply(words)
    }

    /// `random_seed`.
    pub(crate) fn seed(&mut self, seed: u64) {
        self.definitions.seed(seed);
    }

    /// The next expanded line that is not blank.
    pub(crate) fn next_line(&mut self) -> Option<Line> {
        while self.halt.is_none() {
            let mut line = self.next_raw()?;
            let limit = if self.made > LINES_MAX {
                Some(format!("{LINES_MAX} lines"))
            } else {
                (self.made_text > MADE_MAX).then(|| format!("{MADE_MAX} bytes"))
            };
            if let Some(limit) = limit {
                let text = format!("definitions and sequences expand to more than {limit}");
                self.limit(&line, 0, text);
                self.halt = Some(Halt::Limit);
                return None;
            }
            if self.process(&mut line) {
                return Some(line);
            }
        }
        None
    }

    /// Where lines go that nobody looks at any more.
    pub(crate) fn spare(&mut self) -> &mut Spare {
        &mut self.definitions.spare
    }

    /// The next line before any expansion.
    fn next_raw(&mut self) -> Option<Line> {
        loop {
            match self.stack.last_mut()? {
                From::File(_) => {
                    if let Some(line) = self.next_physical() {
                        return Some(line);
                    }
                }
                From::Files { paths, include } => {
                    let next = paths.pop().map(|path| (path, include.clone()));
                    match next {
                        Some((path, include)) => self.open(&path, include.as_deref()),
                        None => drop(self.stack.pop()),
                    }
                    if self.halt.is_some() {
                        return None;
                    }
                }
                From::Definition {
                    definition,
                    next,
                    frame,
                    home,
                } => {
                    if let Some(line) = definition.following().get(*next) {
                        *next += 1;
                        self.made += 1;
                        self.made_text += line.text.len() as u64 + 1;
                        return Some(line.seen_through(frame, *home));
                    }
                    self.stack.pop();
                }
                From::Sequence {
                    names,
                    values,
                    body,
                    place,
                } => {
                    if let Some(round) = values.next_round() {
                        self.made += 1;
                        self.made_text += body.text.len() as u64 + 1;
                        self.shown.clear();
                        for ((shown, name), value) in names.iter().zip(round) {
                            let between = if self.shown.is_empty() { "" } else { " " };
                            let text = String::from_utf8_lossy(&value);
                            self.shown.extend([between, shown, "=", &text]);
                            let mut line = Line::made(value, *place, None);
                            line.look();
                            self.definitions.set_round(*name, shown, line);
                        }
                        let how = How::Sequence(self.shown.as_str().into());
                        return Some(body.in_round(&how, *place));
                    }
                    self.stack.pop();
                }
            }
        }
    }

    /// Takes one raw line through all steps; `false` if nothing of it is left to hand out.
    fn process(&mut self, line: &mut Line) -> bool {
        let mut first = first_byte(line);
        let conditional = first == Some(b'@');
        if conditional {
            let Some(rest) = self.condition(line) else {
                return false;
            };
            *line = rest;
            first = first_byte(line);
        }
        if self.is_done_with(line, first) {
            return false;
        }
        if line.dollar && memchr::memchr(b'$', &line.text).is_some() {
            if !self.expand(line) {
                return false;
            }
            first = first_byte(line);
            if !conditional && first == Some(b'@') {
                let Some(rest) = self.condition(line) else {
                    return false;
                };
                *line = rest;
                first = first_byte(line);
            }
            // What stood in a name may itself be a definition or a sequence.
            if self.is_done_with(line, first) {
                return false;
            }
        }
        match first {
            None => false,
            Some(b'i') => !self.include(line),
            Some(_) => true,
        }
    }

    /// Takes a line that is a definition or a sequence; `false` if it is neither.
    fn is_done_with(&mut self, line: &Line, first: Option<u8>) -> bool {
        match first {
            Some(b'~') if sequence::is_sequence(line) => {
                self.sequence(line);
                true
            }
            Some(b'$') => self.definition(line),
            _ => false,
        }
    }

    /// `@id rest` and `@^id rest`: what is left when the condition holds.
    fn condition(&self, line: &Line) -> Option<Line> {
        let at = line.first() + 1;
        let negated = line.text.get(at) == Some(&b'^');
        let start = at + usize::from(negated);
        let len = line.text[start..].iter().position(|b| is_blank(*b));
        let end = start + len?;
        let equal = &line.text[start..end] == self.config_id.as_bytes();
        // An empty id (`@ idA`) matches nothing, not even when negated.
        let holds = end > start && equal != negated;
        let rest = end + line.text[end..].iter().position(|b| !is_blank(*b))?;
        holds.then(|| line.slice(rest, line.text.len()))
    }

    /// How deep what is read nests.
    fn depth(&self) -> usize {
        let queues = |from: &&From| !matches!(from, From::Files { .. });
        self.stack.iter().filter(queues).count()
    }

    fn push(&mut self, line: &Line, from: From) {
        if self.depth() >= DEPTH_MAX {
            let text = format!("definitions, sequences and includes nest deeper than {DEPTH_MAX}");
            self.limit(line, line.first(), text);
            return;
        }
        self.stack.push(from);
    }

    fn limit(&mut self, line: &Line, at: usize, text: String) {
        let d = Diagnostic::error(code::LIMIT, Class::General, text);
        self.session.report.push(d.at(line, at, line.text.len()));
    }

    /// The last line read so far, for what is wrong with the whole.
    pub(crate) fn end_place(&self) -> Option<Place> {
        let (file, _) = self.session.files.files().next()?;
        let line = self.session.files.line_count(file).max(1);
        let len = to_u32(self.session.files.line(file, line).len());
        Some(Place {
            file,
            line,
            column: 0,
            len,
        })
    }
}

/// The first byte of a line that is not blank.
fn first_byte(line: &Line) -> Option<u8> {
    line.text.get(line.first()).copied()
}

//! Where diagnostics go while a configuration is read.

use crate::advice::advice;
use crate::code::Code;
use crate::diagnostic::{Class, Diagnostic, How, Label, Replacement, Severity, Via};
use crate::place::{FileId, Place, SourceMap};
use crate::text::Line;

/// How many diagnostics are kept: a file of another kind would make millions.
pub(crate) const DIAGNOSTICS_MAX: usize = 10_000;

/// What the layers share: the text that was read, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// Every file that was read.
    pub(crate) files: SourceMap,
    /// What is wrong.
    pub(crate) report: Report,
}

/// The diagnostics so far and the highest class among them.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// In the order of reading.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The highest class seen, also among those that were not kept.
    pub(crate) highest: Class,
    /// How many were not kept.
    pub(crate) dropped: usize,
}

impl Report {
    /// Whether nothing more is kept.
    pub(crate) fn is_full(&self) -> bool {
        self.diagnostics.len() >= DIAGNOSTICS_MAX
    }

    /// Takes a diagnostic in.
    pub(crate) fn push(&mut self, mut diagnostic: Diagnostic) {
        self.highest = self.highest.max(diagnostic.class);
        // Why reading ended is always worth a line.
        if !self.is_full() || diagnostic.code == crate::code::LIMIT {
            if diagnostic.help.is_none() && diagnostic.severity > Severity::Note {
                diagnostic.help = advice(diagnostic.code, &diagnostic.message).map(str::to_owned);
            }
            self.diagnostics.push(diagnostic);
        } else {
            self.dropped += 1;
        }
    }
}

impl Diagnostic {
    /// A mistake: something is not used.
    pub(crate) fn error(code: Code, class: Class, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            class,
            message: message.into(),
            place: None,
            via: Vec::new(),
            labels: Vec::new(),
            help: None,
            replacement: None,
            follows: None,
            as_written: false,
        }
    }

    /// Something works, but not as written.
    pub(crate) fn warning(code: Code, class: Class, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, class, message)
        }
    }

    /// Something worth knowing, without effect on the exit status.
    pub(crate) fn note(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Note,
            ..Self::error(code, Class::Ok, message)
        }
    }

    /// It is about the bytes `start..end` of `line`.
    pub(crate) fn at(self, line: &Line, start: usize, end: usize) -> Self {
        let (place, via) = (line.place(start, end), line.via(start));
        let whole = place.len as usize == end - start && end > start;
        let as_written = whole && via.iter().all(|v| v.how == How::Include);
        Self {
            as_written,
            ..self.at_text(place, via, line.home)
        }
    }

    /// It is about words that stand at `text` and came through `via` into the line `home`.
    ///
    /// The place is in that line, which is the one keepalived counts; where the text of a
    /// definition stands is told beside it.
    pub(crate) fn at_text(
        mut self,
        text: Place,
        mut via: Vec<Via>,
        (file, line): (FileId, u32),
    ) -> Self {
        let is_home = |p: &Place| p.file == file && p.line == line;
        if is_home(&text) {
            self.place = Some(text);
        } else {
            let step = via.iter().position(|v| is_home(&v.place));
            self.place = Some(match step {
                Some(n) => via[n].place,
                None => Place {
                    file,
                    line,
                    column: 0,
                    len: 0,
                },
            });
            // The step that leads out of the line is the place itself now.
            let used = step.filter(|n| matches!(via[*n].how, How::Definition(_)));
            let shown = match used.map(|n| via.remove(n).how) {
                Some(How::Definition(name)) => format!("this is the text of ${name}"),
                _ => "this is the text".to_owned(),
            };
            self.labels.push(Label {
                place: text,
                text: shown,
            });
        }
        self.via = via;
        self
    }

    /// It is about this place.
    pub(crate) fn at_place(mut self, place: Option<Place>) -> Self {
        self.place = place;
        self
    }

    /// What to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What to write instead of the words it is about. Called after [`Self::at`]: words that came
    /// out of a definition or a sequence stand in no file as they are, so those only get the hint.
    pub(crate) fn instead(mut self, text: &str) -> Self {
        if self.help.is_none() {
            self.help = Some(format!("did you mean `{text}`?"));
        }
        let place = self.place.filter(|_| self.as_written);
        self.replacement = place.map(|place| Replacement {
            place,
            text: text.to_owned(),
        });
        self
    }

    /// Another place that belongs to it.
    pub(crate) fn label(mut self, place: Place, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            place,
            text: text.into(),
        });
        self
    }
}

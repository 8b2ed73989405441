//! Which messages follow from others.
//!
//! keepalived reads on after a mistake as if nothing had been meant by it, and where a brace or the
//! keyword of a block is wrong it takes what follows for something else: one slip brings a message
//! for each line below. Every message stays, for people search for them by line; but those that
//! will be gone with an earlier one say so, stand behind it, and give no advice of their own.

mod absent;
mod frame;
mod part;
mod walk;

use std::collections::HashMap;

use crate::code::{self, Code};
use crate::diagnostic::{Diagnostic, Severity};
use crate::place::{FileId, Place, SourceMap};

use walk::Walk;

/// Finds the causes, and brings every message behind its own.
pub(crate) fn trace(diagnostics: &mut Vec<Diagnostic>, files: &SourceMap) {
    let structural = diagnostics.iter().any(|d| is_structural(d.code));
    if !structural && !diagnostics.iter().any(absent::may_follow) {
        return;
    }
    let mut causes = Causes::of(diagnostics);
    let mut blocks = Vec::new();
    for (file, _) in files.files() {
        if causes.lines.keys().any(|(f, _)| *f == file) {
            let mut walk = Walk::new(file, files, diagnostics, &mut causes);
            walk.run();
            blocks.extend(walk.into_blocks());
        }
    }
    causes.quotes(diagnostics);
    absent::explain(diagnostics, files, &mut causes, blocks);
    causes.apply(diagnostics);
}

/// Whether a message is about keywords and braces in the wrong place.
fn is_structural(code: Code) -> bool {
    (code::UNKNOWN_KEYWORD..=code::MISSING_OPEN).contains(&code)
}

/// Which message follows from which.
struct Causes {
    /// By message: the one that it follows from.
    of: Vec<Option<usize>>,
    /// The messages about each line, notes left out.
    lines: HashMap<(FileId, u32), Vec<usize>>,
}

impl Causes {
    fn of(diagnostics: &[Diagnostic]) -> Self {
        let mut lines: HashMap<_, Vec<usize>> = HashMap::new();
        for (n, d) in diagnostics.iter().enumerate() {
            if let Some(place) = d.place.filter(|_| d.severity > Severity::Note) {
                lines.entry((place.file, place.line)).or_default().push(n);
            }
        }
        Self {
            of: vec![None; diagnostics.len()],
            lines,
        }
    }

    /// The messages about a line of a file.
    fn at(&self, file: FileId, line: u32) -> &[usize] {
        self.lines.get(&(file, line)).map_or(&[], Vec::as_slice)
    }

    /// A quote that is open is told of twice.
    fn quotes(&mut self, diagnostics: &[Diagnostic]) {
        let quote = |n: &usize| diagnostics[*n].code == code::QUOTE;
        let lines: Vec<Vec<usize>> = self.lines.values().cloned().collect();
        for found in lines {
            let mut quotes = found.into_iter().filter(quote);
            if let Some(first) = quotes.next() {
                quotes.for_each(|n| self.follows(n, first));
            }
        }
    }

    /// The message at the root of this one.
    fn root(&self, mut n: usize) -> usize {
        while let Some(cause) = self.of[n] {
            n = cause;
        }
        n
    }

    /// Message `n` follows from `cause`.
    fn follows(&mut self, n: usize, cause: usize) {
        let cause = self.root(cause);
        if cause != n && self.of[n].is_none() {
            self.of[n] = Some(cause);
        }
    }

    /// Tells each message its cause and sorts them behind it.
    fn apply(self, diagnostics: &mut Vec<Diagnostic>) {
        if self.of.iter().all(Option::is_none) {
            return;
        }
        let roots: Vec<usize> = (0..diagnostics.len()).map(|n| self.root(n)).collect();
        let places: Vec<Option<Place>> = diagnostics.iter().map(|d| d.place).collect();
        let mut sorted: Vec<(usize, usize, Diagnostic)> = diagnostics
            .drain(..)
            .enumerate()
            .map(|(n, mut d)| {
                let root = roots[n];
                if root != n
                    && let Some(place) = places[root]
                {
                    d.follows = Some(place);
                    d.replacement = None;
                    d.help = Some(format!(
                        "mend line {} first: this follows from it",
                        place.line
                    ));
                }
                (root, usize::from(root != n) * (n + 1), d)
            })
            .collect();
        sorted.sort_by_key(|(root, n, _)| (*root, *n));
        diagnostics.extend(sorted.into_iter().map(|(.., d)| d));
    }
}

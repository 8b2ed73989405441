//! `regex`: a PCRE2 pattern that the body must, or must not, contain.
//!
//! A body is searched while it arrives, in bounded memory. A window over it begins where a match
//! may still begin (PCRE2's partial matching tells), less what the pattern may look back at, and
//! is moved on as pieces come. Matches longer than [`WINDOW`] are not found.

use std::sync::Arc;

use pcre2_sys as pcre2;

use super::super::sys::{Code, Found, Searcher, Text, words};

/// How long a match may be, in octets.
const WINDOW: usize = 1 << 20;
/// How much arrives before it is searched: fewer, longer searches.
const PIECE: usize = 4096;

/// A compiled pattern with its options. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Regex {
    code: Arc<Code>,
    pattern: Arc<str>,
}

/// A pattern, or an option, that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RegexError {
    /// The pattern is wrong.
    #[error("Invalid regex: '{pattern}' at offset {offset}: {message}")]
    Pattern {
        /// As configured.
        pattern: String,
        /// Octets before the mistake.
        offset: usize,
        /// PCRE2's words.
        message: String,
    },
    /// No such option.
    #[error("unknown regex option `{0}`")]
    Option(String),
}

/// The words of `regex_options`.
#[rustfmt::skip]
const OPTIONS: &[(&str, u32)] = &[
    ("allow_empty_class", pcre2::PCRE2_ALLOW_EMPTY_CLASS),
    ("alt_bsux", pcre2::PCRE2_ALT_BSUX),
    ("alt_circumflex", pcre2::PCRE2_ALT_CIRCUMFLEX),
    ("alt_verbnames", pcre2::PCRE2_ALT_VERBNAMES),
    ("auto_callout", pcre2::PCRE2_AUTO_CALLOUT),
    ("caseless", pcre2::PCRE2_CASELESS),
    ("dollar_endonly", pcre2::PCRE2_DOLLAR_ENDONLY),
    ("dotall", pcre2::PCRE2_DOTALL),
    ("dupnames", pcre2::PCRE2_DUPNAMES),
    ("extended", pcre2::PCRE2_EXTENDED),
    ("firstline", pcre2::PCRE2_FIRSTLINE),
    ("match_unset_backref", pcre2::PCRE2_MATCH_UNSET_BACKREF),
    ("multiline", pcre2::PCRE2_MULTILINE),
    ("never_backslash_c", pcre2::PCRE2_NEVER_BACKSLASH_C),
    ("never_ucp", pcre2::PCRE2_NEVER_UCP),
    ("never_utf", pcre2::PCRE2_NEVER_UTF),
    ("no_auto_capture", pcre2::PCRE2_NO_AUTO_CAPTURE),
    ("no_auto_possess", pcre2::PCRE2_NO_AUTO_POSSESS),
    ("no_dotstar_anchor", pcre2::PCRE2_NO_DOTSTAR_ANCHOR),
    ("no_start_optimize", pcre2::PCRE2_NO_START_OPTIMIZE),
    ("ucp", pcre2::PCRE2_UCP),
    ("ungreedy", pcre2::PCRE2_UNGREEDY),
    ("use_offset_limit", pcre2::PCRE2_USE_OFFSET_LIMIT),
    ("utf", pcre2::PCRE2_UTF),
];

impl Regex {
    /// Compiles `pattern` with the options of these names.
    ///
    /// # Errors
    /// [`RegexError`]: what PCRE2 says about the pattern, or which option there is not.
    pub fn new<'a>(
        pattern: &str,
        options: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, RegexError> {
        let mut bits = 0;
        for name in options {
            let known = OPTIONS.iter().find(|(known, _)| *known == name);
            let (_, bit) = known.ok_or_else(|| RegexError::Option(name.to_owned()))?;
            bits |= bit;
        }
        let compile = |bits| {
            Code::compile(pattern, bits).map_err(|error| RegexError::Pattern {
                pattern: pattern.to_owned(),
                offset: error.offset,
                message: error.message,
            })
        };
        let mut code = compile(bits)?;
        if code.options() & pcre2::PCRE2_UTF != 0 {
            // A page may hold anything; what is no UTF-8 then simply matches nothing.
            bits |= pcre2::PCRE2_MATCH_INVALID_UTF;
            code = compile(bits)?;
        }
        Ok(Self {
            code: Arc::new(code),
            pattern: pattern.into(),
        })
    }

    /// The pattern as configured.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    fn is_utf(&self) -> bool {
        self.code.options() & pcre2::PCRE2_UTF != 0
    }
}

/// Whether a match is wanted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sense {
    /// There must be one.
    #[default]
    Match,
    /// `regex_no_match`: there must be none.
    NoMatch,
}

/// `regex` with everything that goes with it.
#[derive(Clone, Debug)]
pub struct RegexCheck {
    /// What is searched for.
    pub regex: Regex,
    /// Whether it must be there.
    pub sense: Sense,
    /// `regex_min_offset`: how many octets of the body are passed over.
    pub min_offset: u64,
    /// `regex_max_offset`: how many octets of the body come before a match at most.
    pub max_offset: Option<u64>,
    /// `regex_stack`: first and greatest size of the stack, in octets.
    pub stack: Option<(usize, usize)>,
}

impl RegexCheck {
    /// The check that `regex` is found anywhere.
    #[must_use]
    pub fn new(regex: Regex) -> Self {
        Self {
            regex,
            sense: Sense::Match,
            min_offset: 0,
            max_offset: None,
            stack: None,
        }
    }
}

/// One search through one body.
#[derive(Debug)]
pub(super) struct Search<'a> {
    check: &'a RegexCheck,
    /// `None` if there is no memory for it, or the search is over.
    searcher: Option<Searcher>,
    /// Part of the body, beginning after `base` octets of it.
    window: Vec<u8>,
    base: u64,
    /// Where in the window the next match may begin.
    next: usize,
    /// How long the window is to be before it is searched again.
    enough: usize,
    found: bool,
    /// Lines to log.
    pub(super) lines: Vec<String>,
    failed: bool,
}

impl<'a> Search<'a> {
    pub(super) fn new(check: &'a RegexCheck) -> Self {
        let searcher = Searcher::new(check.stack);
        Self {
            check,
            failed: searcher.is_none(),
            searcher,
            window: Vec::new(),
            base: 0,
            next: 0,
            enough: PIECE,
            found: false,
            lines: Vec::new(),
        }
    }

    /// Takes the next piece of the body.
    pub(super) fn push(&mut self, piece: &[u8]) {
        if self.searcher.is_none() {
            return;
        }
        for piece in piece.chunks(WINDOW / 2) {
            self.window.extend_from_slice(piece);
            if self.window.len() >= self.enough {
                self.search(Text::Unfinished);
                self.move_on();
            }
        }
    }

    /// The body has ended: whether it is as wanted.
    pub(super) fn finish(&mut self) -> bool {
        self.search(Text::Complete);
        !self.failed && self.found == (self.check.sense == Sense::Match)
    }

    fn search(&mut self, kind: Text) {
        let regex = &self.check.regex;
        let Some(searcher) = &mut self.searcher else {
            return;
        };
        let mut end = self.window.len();
        if kind == Text::Unfinished && regex.is_utf() {
            end = whole_characters(&self.window);
        }
        let text = self.window.get(..end).unwrap_or_default();
        let skip = self.check.min_offset.saturating_sub(self.base);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let mut start = self.next.max(skip);
        if regex.is_utf() {
            while text.get(start).is_some_and(|octet| is_continuation(*octet)) {
                start += 1;
            }
        }
        if start > end {
            self.next = end;
            return;
        }
        // PCRE2 has an offset limit of its own, but with partial matching and JIT its 10.42 goes
        // one too far. The first match is found, so where it begins says it all.
        let last = match self.check.max_offset {
            None => usize::MAX,
            Some(last) => match last.checked_sub(self.base) {
                Some(last) => usize::try_from(last).unwrap_or(usize::MAX),
                None => return self.stop(),
            },
        };
        match searcher.search(&regex.code, text, start, kind) {
            Found::Match(begin) => {
                self.found = begin <= last;
                self.stop();
            }
            Found::Partial(begin) => self.next = begin,
            Found::Nothing => self.next = end,
            Found::Error(number) => {
                self.lines
                    .push(format!("Regex error {number}: {}", words(number)));
                self.failed = true;
                self.stop();
            }
        }
        if self.next > last {
            self.stop();
        }
    }

    /// Nothing that follows can change the result.
    fn stop(&mut self) {
        self.searcher = None;
        self.window = Vec::new();
        self.next = 0;
    }

    /// Forgets what no match can begin in any more.
    fn move_on(&mut self) {
        if self.window.len().saturating_sub(self.next) > WINDOW {
            self.lines = vec!["Regex partial match preserve too large - discarding".to_owned()];
            self.next = self.window.len() - WINDOW / 2;
            if self.check.regex.is_utf() {
                self.next = whole_characters(self.window.get(..self.next).unwrap_or_default());
            }
        }
        // At least two, so that the window never looks like the beginning of the body or, behind
        // the CR of a CRLF, of a line.
        let behind = usize::try_from(self.check.regex.code.max_lookbehind()).unwrap_or(0);
        let behind = if self.check.regex.is_utf() {
            behind.saturating_mul(4)
        } else {
            behind
        };
        let mut keep = self.next.saturating_sub(behind.max(2));
        if self.check.regex.is_utf() {
            while keep > 0 && self.window.get(keep).is_some_and(|o| is_continuation(*o)) {
                keep -= 1;
            }
        }
        self.window.drain(..keep);
        self.next -= keep;
        self.base += u64::try_from(keep).unwrap_or(0);
        // Twice as much each time, so that a match that grows is not searched for ever again.
        let pending = self.window.len() - self.next;
        self.enough = self.window.len() + pending.max(PIECE);
    }
}

fn is_continuation(octet: u8) -> bool {
    octet & 0xc0 == 0x80
}

/// The length of `text` without the character that is not complete at its end, if there is one.
fn whole_characters(text: &[u8]) -> usize {
    let tail = text.len().saturating_sub(3);
    let lead = text
        .iter()
        .enumerate()
        .skip(tail)
        .rfind(|(_, octet)| !is_continuation(**octet));
    let Some((place, lead)) = lead else {
        return text.len();
    };
    let length = match lead {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    };
    if place + length > text.len() {
        place
    } else {
        text.len()
    }
}

#[cfg(test)]
mod tests;

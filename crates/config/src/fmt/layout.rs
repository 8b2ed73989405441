//! From lines to rows: what stands on a line of the new text, and how deep.

use crate::text::{LINE_MAX, define, is_blank, physical};

use super::Broken;
use super::effect::{Effect, Known};
use super::line::{Kind, Segment, conditional_statement, joined, kind, means_more_at_line_start};

/// A line of the new text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// An empty line.
    Blank,
    /// A line that is laid out.
    Laid(Laid),
    /// The same with its own bytes behind the indentation.
    Exact(Laid),
    /// The further line of a definition, without its line end.
    Further(Vec<u8>),
    /// A line as it is, with a carriage return if it has one.
    AsIs(Vec<u8>),
}

/// What stands on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Laid {
    /// How many blocks are around it.
    pub(super) depth: usize,
    /// Its words and braces.
    pub(super) code: Vec<u8>,
    /// Its comment, from the sign on.
    pub(super) comment: Vec<u8>,
    /// Whether a block is opened by it and still open behind it.
    pub(super) opens: bool,
    /// Whether it closes a block around it.
    pub(super) closes: bool,
    /// Whether a brace on the next line belongs to it.
    takes_brace: bool,
}

/// Where the lines end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At the end of the file: all blocks must be closed.
    OfFile,
    /// Somewhere in it.
    OfPart,
}

/// Braces that do not pair.
#[derive(Debug)]
pub(super) struct Unpaired {
    /// Which.
    pub(super) broken: Broken,
    /// The first line (from 0) whose braces may count more than once, or not at all.
    pub(super) doubtful: Option<usize>,
}

struct Layout {
    rows: Vec<Row>,
    /// The line numbers of the braces that are open.
    open: Vec<u32>,
    known: Known,
    doubtful: Option<usize>,
    /// A sequence of definitions that go on: each round takes lines from behind it.
    unknowable: bool,
    /// A definition that goes on.
    definition: Option<Pending>,
    /// The longest line without its end.
    limit: usize,
}

/// A definition that goes on in the next line.
struct Pending {
    name: Vec<u8>,
    effect: Effect,
    conditional: bool,
}

/// The rows of `lines`.
pub(super) fn lay_out(lines: &[&[u8]], end: End, ending: &[u8]) -> Result<Vec<Row>, Unpaired> {
    let mut layout = Layout {
        rows: Vec::with_capacity(lines.len()),
        open: Vec::new(),
        known: Known::default(),
        doubtful: None,
        unknowable: false,
        definition: None,
        limit: LINE_MAX + 1 - ending.len(),
    };
    for (n, raw) in lines.iter().enumerate() {
        let read = layout.line(n, raw);
        if layout.unknowable {
            // Nobody sees from here what belongs to what: it stays as it is.
            let line = number(n);
            return Err(Unpaired {
                broken: Broken::Unclosed { line },
                doubtful: Some(layout.doubtful.map_or(n, |before| before.min(n))),
            });
        }
        if let Err(broken) = read {
            return Err(Unpaired {
                broken,
                doubtful: layout.doubtful,
            });
        }
    }
    match layout.open.first() {
        Some(line) if end == End::OfFile => Err(Unpaired {
            broken: Broken::Unclosed { line: *line },
            doubtful: layout.doubtful,
        }),
        _ => Ok(layout.rows),
    }
}

impl Layout {
    fn line(&mut self, n: usize, raw: &[u8]) -> Result<(), Broken> {
        let parts = physical::split(raw);
        let [
            physical::Physical::Text {
                text: code,
                column: 0,
            },
        ] = parts.as_slice()
        else {
            // Refused as a whole or in part; what is left of it counts.
            self.rows.push(Row::AsIs(raw.to_vec()));
            for part in parts {
                if let physical::Physical::Text { text, .. } = part {
                    self.silent(n, &text)?;
                }
            }
            return Ok(());
        };
        let whole = without_carriage_returns(raw);
        let comment = trim_end(&whole[code.len()..]);
        if let Some(pending) = self.definition.take() {
            let whole = if pending.conditional {
                whole
            } else {
                trim_end(whole)
            };
            self.rows.push(if whole.len() > self.limit {
                Row::AsIs(raw.to_vec())
            } else {
                Row::Further(whole.to_vec())
            });
            self.define(n, pending, code);
            return Ok(());
        }
        match kind(code) {
            Kind::Empty if comment.is_empty() => {
                self.rows.push(Row::Blank);
                Ok(())
            }
            Kind::Empty => {
                self.push(Vec::new(), comment, raw, Effect::default());
                Ok(())
            }
            Kind::Plain(segments) => self.plain(n, raw, &segments, comment),
            Kind::Include(pattern) => {
                let first = code.iter().position(|b| !is_blank(*b)).unwrap_or(0);
                let keyword = code[first..].split(|b| is_blank(*b)).next().unwrap_or(&[]);
                let line = [keyword, trim_end(&code[pattern..])].join(&b' ');
                self.push(line, comment, raw, Effect::default());
                Ok(())
            }
            Kind::Definition(..) | Kind::Sequence | Kind::Exact | Kind::Conditional(_) => {
                let effect = self.effect(n, code, Condition::None);
                self.apply(n, effect, |layout| {
                    let statement = match kind(code) {
                        Kind::Conditional(rest) => conditional_statement(code, rest),
                        _ => None,
                    };
                    match statement {
                        Some(line) => layout.push(line, comment, raw, effect),
                        None => layout.exact(raw, whole, code, effect),
                    }
                })
            }
        }
    }

    /// A line that is not laid out but counts.
    fn silent(&mut self, n: usize, code: &[u8]) -> Result<(), Broken> {
        if let Some(pending) = self.definition.take() {
            self.define(n, pending, code);
            return Ok(());
        }
        let effect = self.effect(n, code, Condition::None);
        self.apply(n, effect, |_| {})
    }

    /// What a line does to the blocks around it, and what is learned from it.
    fn effect(&mut self, n: usize, code: &[u8], condition: Condition) -> Effect {
        match kind(code) {
            Kind::Empty | Kind::Include(_) => Effect::default(),
            Kind::Definition(name, value) => {
                let pending = Pending {
                    name,
                    effect: Effect::default(),
                    conditional: condition == Condition::Some,
                };
                self.define(n, pending, &code[value..]);
                Effect::default()
            }
            Kind::Sequence => {
                self.unknowable |= define::continues(code).is_some();
                let effect = self.known.effect_of_round(code);
                if !effect.is_even() {
                    self.doubtful.get_or_insert(n);
                }
                effect
            }
            Kind::Conditional(rest) => {
                let effect = self.effect(n, &code[rest..], Condition::Some);
                if effect != Effect::default() {
                    self.doubtful.get_or_insert(n);
                }
                effect
            }
            // A conditional line without a rest is dropped.
            Kind::Exact if code.iter().find(|b| !is_blank(**b)) == Some(&b'@') => Effect::default(),
            Kind::Exact | Kind::Plain(_) => self.known.effect(code),
        }
    }

    /// A line of a definition; remembers that it goes on.
    fn define(&mut self, n: usize, mut pending: Pending, text: &[u8]) {
        let more = define::continues(text);
        let text = &text[..more.unwrap_or(text.len())];
        pending.effect = pending.effect.then(self.known.effect(text));
        if pending.conditional && pending.effect != Effect::default() {
            self.doubtful.get_or_insert(n);
        }
        if more.is_some() {
            self.definition = Some(pending);
        } else {
            self.known.learn(pending.name, pending.effect);
        }
    }

    /// Closes blocks, lets `place` put its row, opens blocks.
    fn apply(
        &mut self,
        n: usize,
        effect: Effect,
        place: impl FnOnce(&mut Self),
    ) -> Result<(), Broken> {
        let line = number(n);
        for _ in 0..effect.closes {
            self.open.pop().ok_or(Broken::ExtraClose { line })?;
        }
        place(self);
        self.open.extend(std::iter::repeat_n(line, effect.opens));
        Ok(())
    }

    fn laid(&self, code: Vec<u8>, comment: &[u8], effect: Effect) -> Laid {
        Laid {
            depth: self.open.len(),
            code,
            comment: comment.to_vec(),
            opens: effect.opens > 0,
            closes: effect.closes > 0,
            takes_brace: false,
        }
    }

    /// A row at the depth that is now; the line as it is if it would be too long.
    fn push(&mut self, code: Vec<u8>, comment: &[u8], raw: &[u8], effect: Effect) {
        let row = if code.len() + comment.len() > self.limit {
            Row::AsIs(raw.to_vec())
        } else {
            Row::Laid(self.laid(code, comment, effect))
        };
        self.rows.push(row);
    }

    /// A row that keeps its bytes behind the indentation.
    fn exact(&mut self, raw: &[u8], whole: &[u8], code: &[u8], effect: Effect) {
        let first = whole.iter().position(|b| !is_blank(*b)).unwrap_or(0);
        // Behind an open quote or a backslash blanks may count.
        let counts = code.len() == whole.len() && code.iter().any(|b| matches!(b, b'\'' | b'\\'));
        let whole = if counts { whole } else { trim_end(whole) };
        let row = if whole.len() - first > self.limit {
            Row::AsIs(raw.to_vec())
        } else {
            Row::Exact(self.laid(whole[first..].to_vec(), b"", effect))
        };
        self.rows.push(row);
    }

    fn plain(
        &mut self,
        n: usize,
        raw: &[u8],
        segments: &[Segment],
        comment: &[u8],
    ) -> Result<(), Broken> {
        let rows = rows_of(segments);
        let special = rows
            .iter()
            .skip(1)
            .any(|r| r.words_first && means_more_at_line_start(&r.code));
        let longest = rows.iter().map(|r| r.code.len()).max().unwrap_or(0);
        if special || longest + comment.len() > self.limit {
            let line = joined(segments);
            let effect = self.known.effect(&line);
            return self.apply(n, effect, |layout| layout.push(line, comment, raw, effect));
        }
        let joins = segments.first() == Some(&Segment::Open) && self.join(n);
        let rows = if joins { rows_of(&segments[1..]) } else { rows };
        if rows.is_empty() {
            self.comment_behind_brace(comment);
        }
        let count = rows.len();
        for (i, row) in rows.into_iter().enumerate() {
            let comment = if i + 1 == count { comment } else { b"" };
            let takes_brace = row.words_first && row.effect == Effect::default();
            self.apply(n, row.effect, |layout| {
                let mut laid = layout.laid(row.code, comment, row.effect);
                laid.takes_brace = takes_brace;
                layout.rows.push(Row::Laid(laid));
            })?;
        }
        Ok(())
    }

    /// Puts the brace that starts line `n` behind the words of an earlier line, if only comments
    /// and empty lines stand between them.
    fn join(&mut self, n: usize) -> bool {
        let between = |r: &Row| match r {
            Row::Blank => true,
            Row::Laid(laid) => laid.code.is_empty(),
            _ => false,
        };
        let Some(at) = self.rows.iter().rposition(|r| !between(r)) else {
            return false;
        };
        let limit = self.limit;
        let Some(Row::Laid(laid)) = self.rows.get_mut(at) else {
            return false;
        };
        if !laid.takes_brace || laid.code.len() + 2 + laid.comment.len() > limit {
            return false;
        }
        laid.code.extend_from_slice(b" {");
        laid.opens = true;
        laid.takes_brace = false;
        let behind = self.rows.split_off(at + 1);
        for row in behind {
            if let Row::Laid(mut comment) = row {
                comment.depth += 1;
                self.rows.push(Row::Laid(comment));
            }
        }
        self.open.push(number(n));
        true
    }

    /// The comment of a line whose only brace went to an earlier line.
    fn comment_behind_brace(&mut self, comment: &[u8]) {
        if comment.is_empty() {
            return;
        }
        let limit = self.limit;
        match self.rows.last_mut() {
            Some(Row::Laid(laid))
                if !laid.code.is_empty()
                    && laid.comment.is_empty()
                    && laid.code.len() + comment.len() <= limit =>
            {
                laid.comment = comment.to_vec();
            }
            _ => {
                let laid = self.laid(Vec::new(), comment, Effect::default());
                self.rows.push(Row::Laid(laid));
            }
        }
    }
}

/// Whether a line stands behind a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    None,
    Some,
}

/// A line of its own that comes out of a plain line.
struct Piece {
    code: Vec<u8>,
    words_first: bool,
    effect: Effect,
}

/// One row for the words before a brace with the brace, one for each other brace, one for the
/// words behind the last.
fn rows_of(segments: &[Segment]) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut rest = segments.iter().peekable();
    while let Some(segment) = rest.next() {
        let (code, words_first, effect) = match segment {
            Segment::Words(words) => {
                let mut code = words.clone();
                let opens = rest.next_if_eq(&&Segment::Open).is_some();
                if opens {
                    code.extend_from_slice(b" {");
                }
                let effect = Effect {
                    closes: 0,
                    opens: usize::from(opens),
                };
                (code, true, effect)
            }
            Segment::Open => (
                b"{".to_vec(),
                false,
                Effect {
                    closes: 0,
                    opens: 1,
                },
            ),
            Segment::Close => (
                b"}".to_vec(),
                false,
                Effect {
                    closes: 1,
                    opens: 0,
                },
            ),
        };
        out.push(Piece {
            code,
            words_first,
            effect,
        });
    }
    out
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1)
}

fn without_carriage_returns(raw: &[u8]) -> &[u8] {
    let end = raw.iter().rposition(|b| *b != b'\r').map_or(0, |at| at + 1);
    &raw[..end]
}

fn trim_end(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .rposition(|b| !is_blank(*b))
        .map_or(0, |at| at + 1);
    &text[..end]
}

//! Definitions: `$NAME=TEXT`, `$NAME`, `${NAME}` and the built-in names.

use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::line::{Frame, Line, Spare, Use, Way, Weave, to_u32};
use super::{LINE_MAX, USES_MAX, is_blank, trim};
use crate::source::Host;

/// What a name stands for.
#[derive(Debug)]
pub(crate) struct Definition {
    name: Arc<str>,
    first: Option<Line>,
    /// The lines after the first of a multi-line definition.
    following: Vec<Line>,
}

/// All names, and what the built-in ones need.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    names: FxHashMap<Vec<u8>, Name>,
    /// What each name stands for, by its number; a name may be known before its meaning is.
    meanings: Vec<Option<Rc<Definition>>>,
    random: Random,
    /// Lines that are done with.
    pub(crate) spare: Spare,
}

/// The number of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name(u32);

/// The uses in a line of a definition, which are the same in each round of a sequence.
#[derive(Debug)]
pub(crate) struct Template(Vec<Slot>);

/// Bytes of a line that a name stands at.
#[derive(Debug)]
struct Slot {
    start: u32,
    end: u32,
    name: Name,
}

/// The built-in values at one place.
pub(crate) struct Builtins<'a> {
    pub(crate) pwd: &'a str,
    pub(crate) instance: &'a str,
    pub(crate) host: &'a dyn Host,
}

/// What became of a line.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// Multi-line definitions at the end of the line, the innermost last; the lines after their
    /// first are still to come.
    pub(crate) following: SmallVec<[(Rc<Definition>, Rc<Frame>); 1]>,
    /// Whether anything was replaced.
    pub(crate) replaced: bool,
    /// What went wrong, and where in the line.
    pub(crate) problems: Vec<(Problem, usize)>,
}

/// What can go wrong with a definition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It is used again in what it stands for, without end.
    Endless(String),
    /// `${_RANDOM x}`.
    RandomArgument,
    /// `${_RANDOM 9 3}`.
    RandomBounds(u32, u32),
    /// `${_ENV}`.
    EnvName,
    /// The line would be too long: the use stays as it is.
    Overflow(String),
}

impl Definition {
    /// `name` stands for these lines; for nothing if there are none.
    pub(crate) fn new(name: Arc<str>, lines: Vec<Line>) -> Self {
        let mut lines = lines.into_iter();
        Self {
            name,
            first: lines.next(),
            following: lines.collect(),
        }
    }

    /// The name as messages show it.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What it stands for if that is one run of bytes without a use in it.
    fn plain_value(&self) -> Option<&Line> {
        let value = self.first.as_ref()?;
        (self.following.is_empty() && !value.dollar && value.is_one_run()).then_some(value)
    }

    /// The lines after the first.
    pub(crate) fn following(&self) -> &[Line] {
        &self.following
    }
}

/// `$NAME=` at the start of a line: the name and where TEXT starts.
pub(crate) fn definition(line: &Line) -> Option<(Vec<u8>, usize)> {
    let first = line.first();
    let text = &line.text[first..];
    let rest = text.strip_prefix(b"$")?;
    let len = name_len(rest);
    if len == 0 || rest.get(len) != Some(&b'=') {
        return None;
    }
    let mut value = first + 1 + len + 1;
    while line.text.get(value).is_some_and(|b| is_blank(*b)) {
        value += 1;
    }
    Some((rest[..len].to_vec(), value))
}

/// Whether a line of a definition goes on, and where its text ends then.
pub(crate) fn continues(text: &[u8]) -> Option<usize> {
    let end = text.iter().rposition(|b| !is_blank(*b))?;
    (text[end] == b'\\').then(|| {
        text[..end]
            .iter()
            .rposition(|b| !is_blank(*b))
            .map_or(0, |at| at + 1)
    })
}

fn name_len(text: &[u8]) -> usize {
    match text.first() {
        Some(b) if b.is_ascii_alphabetic() || *b == b'_' => {}
        _ => return 0,
    }
    text.iter()
        .position(|b| !b.is_ascii_alphanumeric() && *b != b'_')
        .unwrap_or(text.len())
}

/// A use of a name as it stands in a line.
struct Found<'a> {
    start: usize,
    end: usize,
    name: &'a [u8],
    /// What follows the name inside the braces.
    arguments: &'a [u8],
}

/// The first use of a name at or after `from`: where it starts and ends, and the name.
pub(crate) fn used(text: &[u8], from: usize) -> Option<(usize, usize, &[u8])> {
    let found = next_use(text, from, &mut false)?;
    let name = found.start + 1 + usize::from(text.get(found.start + 1) == Some(&b'{'));
    Some((found.start, found.end, &text[name..name + found.name.len()]))
}

/// The first use at or after `from`. A lone `$` is skipped, which `lone` tells.
fn next_use<'a>(text: &'a [u8], mut from: usize, lone: &mut bool) -> Option<Found<'a>> {
    while let Some(found) = memchr::memchr(b'$', text.get(from..)?) {
        let start = from + found;
        let after = &text[start + 1..];
        if let Some(inner) = after.strip_prefix(b"{") {
            let len = name_len(inner);
            let close = inner.iter().position(|b| *b == b'}');
            if let Some(close) = close
                && len > 0
                && (close == len || inner.get(len).is_some_and(|b| is_blank(*b)))
            {
                let end = start + 2 + close + 1;
                return Some(Found {
                    start,
                    end,
                    name: &inner[..len],
                    arguments: trim(&inner[len..close]),
                });
            }
        } else {
            let len = name_len(after);
            let ended = after
                .get(len)
                .is_none_or(|b| is_blank(*b) || matches!(b, b',' | b')'));
            if len > 0 && ended {
                let end = start + 1 + len;
                return Some(Found {
                    start,
                    end,
                    name: &after[..len],
                    arguments: &[],
                });
            }
        }
        *lone = true;
        from = start + 1;
    }
    None
}

impl Definitions {
    /// Gives `name` a new meaning; no line at all means the empty text.
    pub(crate) fn set(&mut self, name: &[u8], lines: Vec<Line>) {
        let shown = String::from_utf8_lossy(name).into();
        let mut definition = Definition::new(shown, lines);
        for line in &mut definition.following {
            line.template = self.template(line).map(Rc::new);
        }
        let name = self.name(name);
        self.mean(name, definition);
    }

    /// Gives `name` the meaning it has in a round of a sequence.
    pub(crate) fn set_round(&mut self, name: Name, shown: &Arc<str>, value: Line) {
        let definition = Definition {
            name: shown.clone(),
            first: Some(value),
            following: Vec::new(),
        };
        self.mean(name, definition);
    }

    /// The number of a name.
    pub(crate) fn name(&mut self, name: &[u8]) -> Name {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let new = Name(to_u32(self.meanings.len()));
        self.meanings.push(None);
        self.names.insert(name.to_owned(), new);
        new
    }

    fn mean(&mut self, name: Name, definition: Definition) {
        if let Some(meaning) = self.meanings.get_mut(name.0 as usize) {
            *meaning = Some(Rc::new(definition));
        }
    }

    fn meaning(&self, name: Name) -> Option<&Rc<Definition>> {
        self.meanings.get(name.0 as usize)?.as_ref()
    }

    /// The uses in a line, if it is one run and has no other `$`.
    fn template(&mut self, line: &Line) -> Option<Template> {
        let mut slots = Vec::new();
        let (mut from, mut lone) = (0, false);
        while let Some(found) = next_use(&line.text, from, &mut lone) {
            if !found.arguments.is_empty() || slots.len() == USES_MAX {
                return None;
            }
            from = found.end;
            slots.push(Slot {
                start: to_u32(found.start),
                end: to_u32(found.end),
                name: self.name(found.name),
            });
        }
        let plain = !lone && !slots.is_empty() && line.is_one_run();
        plain.then_some(Template(slots))
    }

    /// Replaces every use in a line of a definition, if nothing is left to replace then.
    fn fill(&mut self, line: &mut Line) -> bool {
        let Some(template) = line.template.take() else {
            return false;
        };
        let mut len = line.text.len();
        for slot in &template.0 {
            let Some(value) = self.meaning(slot.name).and_then(|m| m.plain_value()) else {
                return false;
            };
            len += value.text.len();
        }
        if len > LINE_MAX {
            return false;
        }
        let mut weave = Weave::new(len, self.spare.take());
        let parent = line.frame(0);
        let mut kept = 0;
        for slot in &template.0 {
            let (start, end) = (slot.start as usize, slot.end as usize);
            weave.keep(line, kept, start);
            kept = end;
            if let Some(definition) = self.meaning(slot.name)
                && let Some(value) = definition.plain_value()
            {
                let used = Use {
                    definition: definition.clone(),
                    place: line.place(start, end),
                    parent: parent.clone(),
                };
                weave.put(value, Way::Use(used));
            }
        }
        weave.keep(line, kept, line.text.len());
        let woven = weave.finish(line.home);
        self.spare.replace(line, woven);
        true
    }

    /// `random_seed`.
    pub(crate) fn seed(&mut self, seed: u64) {
        self.random = Random(Some(seed));
    }

    /// Replaces every use in `line` until nothing changes.
    pub(crate) fn expand(&mut self, line: &mut Line, builtins: &Builtins<'_>) -> Expanded {
        let mut out = Expanded::default();
        if self.fill(line) {
            out.replaced = true;
            return out;
        }
        let mut uses = 0;
        while self.round(line, builtins, &mut out, &mut uses) {
            // An overflow is found again in every round.
            out.problems
                .retain(|(p, _)| !matches!(p, Problem::Overflow(_)));
        }
        out.problems.dedup();
        out
    }

    /// Replaces every use in `line` once; whether there may be more to replace.
    fn round(
        &mut self,
        line: &mut Line,
        builtins: &Builtins<'_>,
        out: &mut Expanded,
        uses: &mut usize,
    ) -> bool {
        let mut woven: Option<Weave> = None;
        let mut left = false;
        // How much of the line is in what is woven so far, and where the next use may start.
        let (mut kept, mut from) = (0, 0);
        while let Some(found) = next_use(&line.text, from, &mut left) {
            let Found { start, end, .. } = found;
            from = end;
            let at = woven.as_ref().map_or(0, Weave::len) + start - kept;
            let Some(definition) = self.value(line, &found, at, builtins, out) else {
                left = true;
                continue;
            };
            let several = !definition.following.is_empty();
            if several && !trim(&line.text[end..]).is_empty() {
                left = true;
                continue;
            }
            let name = &definition.name;
            let length = definition
                .first
                .as_ref()
                .map_or(0, |first| first.text.len());
            if at + line.text.len() - end + length > LINE_MAX {
                let problem = Problem::Overflow(name.to_string());
                out.problems.push((problem, at));
                left = true;
                continue;
            }
            *uses += 1;
            if *uses > USES_MAX {
                let problem = Problem::Endless(name.to_string());
                out.problems.push((problem, at));
                return false;
            }
            let used = Use {
                place: line.place(start, end),
                parent: line.frame(start),
                definition,
            };
            let spare = &mut self.spare;
            let weave = woven
                .get_or_insert_with(|| Weave::new(line.text.len() + length + 16, spare.take()));
            weave.keep(line, kept, start);
            kept = end;
            // The lines of a definition share the step.
            let frame = several.then(|| used.frame());
            let definition = used.definition.clone();
            if let Some(first) = &definition.first {
                let way = match &frame {
                    Some(frame) => Way::Steps(Some(frame.clone())),
                    None => Way::Use(used),
                };
                weave.put(first, way);
                left |= first.dollar;
            }
            if let Some(frame) = frame {
                out.following.push((definition, frame));
                // What its first line uses is found in the next round.
                break;
            }
        }
        let Some(mut weave) = woven else {
            return false;
        };
        weave.keep(line, kept, line.text.len());
        let woven = weave.finish(line.home);
        self.spare.replace(line, woven);
        out.replaced = true;
        left
    }

    fn value(
        &mut self,
        line: &Line,
        found: &Found<'_>,
        at: usize,
        builtins: &Builtins<'_>,
        out: &mut Expanded,
    ) -> Option<Rc<Definition>> {
        if let Some(definition) = self.names.get(found.name).and_then(|n| self.meaning(*n)) {
            return found.arguments.is_empty().then(|| definition.clone());
        }
        let arguments = String::from_utf8_lossy(found.arguments).into_owned();
        let text = match found.name {
            b"_PWD" => builtins.pwd.to_owned(),
            b"_INSTANCE" => builtins.instance.to_owned(),
            b"_HASH" => "#".to_owned(),
            b"_BANG" => "!".to_owned(),
            b"_ENV" if arguments.is_empty() => {
                out.problems.push((Problem::EnvName, at));
                String::new()
            }
            b"_ENV" => builtins.host.env(&arguments).unwrap_or_default(),
            b"_RANDOM" => match self.random(&arguments, builtins) {
                Ok(n) => n.to_string(),
                Err((problem, n)) => {
                    out.problems.push((problem, at));
                    n.map(|n| n.to_string())?
                }
            },
            _ => return None,
        };
        let value = Line::made(text.into_bytes(), line.place(found.start, found.end), None);
        let name = String::from_utf8_lossy(found.name).into();
        Some(Rc::new(Definition::new(name, vec![value])))
    }

    fn random(
        &mut self,
        arguments: &str,
        builtins: &Builtins<'_>,
    ) -> Result<u32, (Problem, Option<u32>)> {
        let mut words = arguments.split_ascii_whitespace();
        let mut next = |default: u32| words.next().map_or(Ok(default), str::parse);
        let (Ok(min), Ok(max)) = (next(0), next(32767)) else {
            return Err((Problem::RandomArgument, None));
        };
        if min > max {
            return Err((Problem::RandomBounds(min, max), Some(min)));
        }
        Ok(self
            .random
            .between(min, max, || builtins.host.random_seed()))
    }
}

/// A small generator (xorshift64*): the numbers spread start times, they keep no secret.
#[derive(Debug, Default)]
struct Random(Option<u64>);

impl Random {
    fn between(&mut self, min: u32, max: u32, seed: impl FnOnce() -> u64) -> u32 {
        // Zero is the one state that xorshift never leaves.
        let mut x = self
            .0
            .unwrap_or_else(seed)
            .wrapping_add(0x9e37_79b9_7f4a_7c15)
            | 1;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0 = Some(x);
        let span = u64::from(max - min) + 1;
        let pick = (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % span;
        min + u32::try_from(pick).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;

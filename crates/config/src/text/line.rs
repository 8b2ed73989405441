//! A line whose every byte knows where it came from.

use std::rc::Rc;

use smallvec::SmallVec;

use super::bytes::Text;
use super::define::{Definition, Template};
use super::is_blank;
use crate::diagnostic::{How, Via};
use crate::place::{FileId, Place};

/// A line of text after any number of expansions.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The bytes.
    pub(crate) text: Text,
    /// Where they came from: sorted by `at`, the first at 0.
    segs: Segs,
    /// The physical line that was being read when this one came out.
    pub(crate) home: (FileId, u32),
    /// The uses in it, if it is a line of a definition and they are plain.
    pub(crate) template: Option<Rc<Template>>,
    /// Whether there may be a `$` in it.
    pub(crate) dollar: bool,
    /// Whether there may be a double quote or a backslash in it.
    pub(crate) quoting: bool,
}

/// Most lines are one run.
type Segs = SmallVec<[Seg; 1]>;

/// A run of bytes that stood together in a file.
#[derive(Clone, Debug)]
struct Seg {
    /// Where the run starts in the line.
    at: u32,
    file: FileId,
    line: u32,
    column: u32,
    way: Way,
}

/// Through what a run of bytes came.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// These steps, if there are any.
    Steps(Option<Rc<Frame>>),
    /// This use of a name, which is seldom asked for.
    Use(Use),
}

impl Way {
    fn frame(&self) -> Option<Rc<Frame>> {
        match self {
            Self::Steps(frame) => frame.clone(),
            Self::Use(used) => Some(used.frame()),
        }
    }
}

/// A use of a name.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) definition: Rc<Definition>,
    pub(crate) place: Place,
    pub(crate) parent: Option<Rc<Frame>>,
}

impl Use {
    /// The step that it is.
    pub(crate) fn frame(&self) -> Rc<Frame> {
        Rc::new(Frame {
            how: How::Definition(self.definition.name().clone()),
            place: self.place,
            parent: self.parent.clone(),
        })
    }
}

/// Through what something came: a step, and those it is in.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) how: How,
    pub(crate) place: Place,
    pub(crate) parent: Option<Rc<Self>>,
}

impl Line {
    /// A line as it stands in a file, from column `column` on.
    pub(crate) fn new(
        text: impl Into<Text>,
        file: FileId,
        line: u32,
        column: u32,
        frame: Option<Rc<Frame>>,
    ) -> Self {
        let segs = Segs::from_buf([Seg {
            at: 0,
            file,
            line,
            column,
            way: Way::Steps(frame),
        }]);
        Self {
            text: text.into(),
            segs,
            home: (file, line),
            template: None,
            dollar: true,
            quoting: true,
        }
    }

    /// Text that stands in no file but comes from `place`: a built-in value, a round's number.
    pub(crate) fn made(text: Vec<u8>, place: Place, frame: Option<Rc<Frame>>) -> Self {
        let segs = Segs::from_buf([Seg {
            at: 0,
            file: place.file,
            line: place.line,
            column: place.column,
            way: Way::Steps(frame),
        }]);
        Self {
            text: text.into(),
            segs,
            home: (place.file, place.line),
            template: None,
            dollar: true,
            quoting: true,
        }
    }

    /// The place of the bytes `start..end`, as far as they stood together.
    pub(crate) fn place(&self, start: usize, end: usize) -> Place {
        let index = self.seg_index(start);
        let seg = &self.segs[index];
        let stop = self
            .segs
            .get(index + 1)
            .map_or(end, |next| end.min(next.at as usize));
        Place {
            file: seg.file,
            line: seg.line,
            column: seg.column + to_u32(start.saturating_sub(seg.at as usize)),
            len: to_u32(stop.saturating_sub(start)),
        }
    }

    /// Through what the byte at `start` came, innermost first.
    pub(crate) fn via(&self, start: usize) -> Vec<Via> {
        via(self.frame(start).as_ref())
    }

    /// The frame of the byte at `start`.
    pub(crate) fn frame(&self, start: usize) -> Option<Rc<Frame>> {
        self.segs[self.seg_index(start)].way.frame()
    }

    fn seg_index(&self, at: usize) -> usize {
        self.segs
            .partition_point(|s| s.at as usize <= at)
            .saturating_sub(1)
    }

    /// The bytes `start..end` as a line of their own.
    pub(crate) fn slice(&self, start: usize, end: usize) -> Self {
        let first = self.seg_index(start);
        let mut segs = Segs::new();
        for seg in &self.segs[first..] {
            if seg.at as usize >= end && !segs.is_empty() {
                break;
            }
            let mut cut = seg.clone();
            if (seg.at as usize) < start {
                cut.column += to_u32(start) - seg.at;
                cut.at = 0;
            } else {
                cut.at -= to_u32(start);
            }
            segs.push(cut);
        }
        Self {
            text: self.text.slice(start..end),
            segs,
            home: self.home,
            template: None,
            dollar: self.dollar,
            quoting: self.quoting,
        }
    }

    /// Prepares a line that is used many times: copies of it are cheap, and what it holds is
    /// known.
    pub(crate) fn keep(&mut self) {
        self.text.share();
        self.look();
    }

    /// Finds out what the text holds.
    pub(crate) fn look(&mut self) {
        self.dollar = memchr::memchr(b'$', &self.text).is_some();
        self.quoting = memchr::memchr2(b'"', b'\\', &self.text).is_some();
    }

    /// Cuts everything from `at` on.
    pub(crate) fn truncate(&mut self, at: usize) {
        self.text.truncate(at);
        self.template = None;
        while self.segs.len() > 1 && self.segs.last().is_some_and(|s| s.at as usize >= at) {
            self.segs.pop();
        }
    }

    /// The same line seen through `frame`, at home where `home` is.
    pub(crate) fn seen_through(&self, frame: &Rc<Frame>, home: (FileId, u32)) -> Self {
        let seen = |seg: &Seg| Seg {
            way: Way::Steps(Some(frame.clone())),
            ..*seg
        };
        Self {
            text: self.text.clone(),
            segs: match self.segs.as_slice() {
                [seg] => Segs::from_buf([seen(seg)]),
                segs => segs.iter().map(seen).collect(),
            },
            home,
            template: self.template.clone(),
            dollar: self.dollar,
            quoting: self.quoting,
        }
    }

    /// The same line with one more step after all the others: the round of a sequence.
    pub(crate) fn in_round(&self, how: &How, place: Place) -> Self {
        let mut line = self.clone();
        let mut last: Option<Rc<Frame>> = None;
        for seg in &mut line.segs {
            let parent = seg.way.frame();
            let made = match &last {
                Some(made) if same(made.parent.as_ref(), parent.as_ref()) => made.clone(),
                _ => Rc::new(Frame {
                    how: how.clone(),
                    place,
                    parent,
                }),
            };
            last = Some(made.clone());
            seg.way = Way::Steps(Some(made));
        }
        line
    }

    /// Whether all of it stood together in one place.
    pub(crate) fn is_one_run(&self) -> bool {
        self.segs.len() == 1
    }

    /// Where the first byte that is not blank stands.
    pub(crate) fn first(&self) -> usize {
        self.text
            .iter()
            .position(|b| !is_blank(*b))
            .unwrap_or(self.text.len())
    }

    /// Whether there is nothing but blanks.
    pub(crate) fn is_blank(&self) -> bool {
        self.first() == self.text.len()
    }
}

/// Woven lines that are done with, for others to be woven in their memory.
#[derive(Debug, Default)]
pub(crate) struct Spare(Vec<Line>);

/// How many lines are kept for their memory.
const SPARE_MAX: usize = 8;

impl Spare {
    /// Puts `new` in the place of a line that nobody looks at any more.
    pub(crate) fn replace(&mut self, old: &mut Line, new: Line) {
        let woven = old.segs.spilled() && matches!(old.text, Text::Own(_));
        if woven && self.0.len() < SPARE_MAX {
            self.0.push(std::mem::replace(old, new));
        } else {
            *old = new;
        }
    }

    pub(crate) fn take(&mut self) -> Option<Line> {
        self.0.pop()
    }
}

/// Weaves a line out of parts of others, from left to right.
#[derive(Debug)]
pub(crate) struct Weave {
    text: Vec<u8>,
    segs: Segs,
    quoting: bool,
}

impl Weave {
    /// Nothing yet of what will be about `len` bytes, in the memory of a `spare` line.
    pub(crate) fn new(len: usize, spare: Option<Line>) -> Self {
        let (mut text, mut segs) = match spare {
            Some(Line {
                text: Text::Own(text),
                segs,
                ..
            }) => (text, segs),
            _ => (Vec::new(), Segs::with_capacity(8)),
        };
        text.clear();
        text.reserve(len);
        segs.clear();
        Self {
            text,
            segs,
            quoting: false,
        }
    }

    /// How many bytes there are so far.
    pub(crate) const fn len(&self) -> usize {
        self.text.len()
    }

    /// Goes on with the bytes `start..end` of `line`.
    pub(crate) fn keep(&mut self, line: &Line, start: usize, end: usize) {
        if start == end {
            return;
        }
        let (from, base) = (to_u32(start), to_u32(self.text.len()));
        if let [seg] = line.segs.as_slice() {
            self.segs.push(Seg {
                at: base,
                column: seg.column + from,
                way: seg.way.clone(),
                ..*seg
            });
            self.text.extend_from_slice(&line.text[start..end]);
            self.quoting |= line.quoting;
            return;
        }
        for seg in &line.segs[line.seg_index(start)..] {
            if seg.at as usize >= end {
                break;
            }
            self.segs.push(Seg {
                at: base + seg.at.saturating_sub(from),
                column: seg.column + from.saturating_sub(seg.at),
                way: seg.way.clone(),
                ..*seg
            });
        }
        self.text.extend_from_slice(&line.text[start..end]);
        self.quoting |= line.quoting;
    }

    /// Goes on with `with`, which came this `way`.
    pub(crate) fn put(&mut self, with: &Line, way: Way) {
        let Some((last, segs)) = with.segs.split_last() else {
            return;
        };
        if with.text.is_empty() {
            return;
        }
        let base = to_u32(self.text.len());
        let moved = |seg: &Seg, way: Way| Seg {
            at: base + seg.at,
            way,
            ..*seg
        };
        for seg in segs {
            self.segs.push(moved(seg, way.clone()));
        }
        self.segs.push(moved(last, way));
        self.text.extend_from_slice(&with.text);
        self.quoting |= with.quoting;
    }

    /// The line, at home where `home` is.
    pub(crate) fn finish(mut self, home: (FileId, u32)) -> Line {
        if self.segs.is_empty() {
            // Nothing is left of the line; it still has a home.
            self.segs.push(Seg {
                at: 0,
                file: home.0,
                line: home.1,
                column: 0,
                way: Way::Steps(None),
            });
        }
        Line {
            text: self.text.into(),
            segs: self.segs,
            home,
            template: None,
            dollar: true,
            quoting: self.quoting,
        }
    }
}

/// A frame and those it is in, innermost first.
pub(crate) fn via(mut frame: Option<&Rc<Frame>>) -> Vec<Via> {
    let mut via = Vec::new();
    while let Some(f) = frame {
        via.push(Via {
            how: f.how.clone(),
            place: f.place,
        });
        frame = f.parent.as_ref();
    }
    via
}

fn same(a: Option<&Rc<Frame>>, b: Option<&Rc<Frame>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Rc::ptr_eq(a, b),
        _ => false,
    }
}

/// Lines are short ([`super::LINE_MAX`]); a longer one saturates instead of wrapping.
pub(crate) fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: FileId = FileId(0);
    const B: FileId = FileId(1);

    fn line(text: &str, file: FileId) -> Line {
        Line::new(text.as_bytes().to_vec(), file, 1, 0, None)
    }

    fn used() -> Way {
        Way::Use(Use {
            definition: Rc::new(Definition::new("X".into(), Vec::new())),
            place: Place {
                file: A,
                line: 1,
                column: 4,
                len: 2,
            },
            parent: None,
        })
    }

    /// `with` in the place of the bytes `start..end` of `line`.
    fn spliced(line: &Line, start: usize, end: usize, with: &Line) -> Line {
        // The memory of another line leaves no trace.
        let mut other = Weave::new(0, None);
        other.put(&self::line("another", B), used());
        let mut weave = Weave::new(0, Some(other.finish((A, 9))));
        weave.keep(line, 0, start);
        weave.put(with, used());
        weave.keep(line, end, line.text.len());
        weave.finish(line.home)
    }

    #[test]
    fn every_byte_keeps_its_place_through_a_splice() {
        let l = spliced(&line("abc $X def", A), 4, 6, &line("12345", B));
        assert_eq!(*l.text, *b"abc 12345 def");
        assert_eq!(
            l.place(0, 3),
            Place {
                file: A,
                line: 1,
                column: 0,
                len: 3
            }
        );
        assert_eq!(
            l.place(4, 9),
            Place {
                file: B,
                line: 1,
                column: 0,
                len: 5
            }
        );
        assert_eq!(
            l.place(10, 13),
            Place {
                file: A,
                line: 1,
                column: 7,
                len: 3
            }
        );
        assert_eq!(l.via(5).len(), 1);
        assert!(l.via(10).is_empty());
        // A word made of both stops where the run ends.
        assert_eq!(l.place(3, 13).len, 1);
    }

    #[test]
    fn a_splice_may_take_all_and_leave_nothing() {
        let l = spliced(&line("$X", A), 0, 2, &line("", B));
        assert!(l.text.is_empty());
        assert_eq!(l.place(0, 0).file, A);
        let l = spliced(&line("$X rest", A), 0, 2, &line("", B));
        assert_eq!(
            l.place(1, 5),
            Place {
                file: A,
                line: 1,
                column: 3,
                len: 4
            }
        );
    }

    #[test]
    fn slices_start_anew() {
        let l = spliced(&line("abc $X def", A), 4, 6, &line("12345", B));
        let s = l.slice(6, 12);
        assert_eq!(*s.text, *b"345 de");
        assert_eq!(
            s.place(0, 3),
            Place {
                file: B,
                line: 1,
                column: 2,
                len: 3
            }
        );
        assert_eq!(
            s.place(4, 6),
            Place {
                file: A,
                line: 1,
                column: 7,
                len: 2
            }
        );
    }
}

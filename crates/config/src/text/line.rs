//! A line whose every byte knows where it came from.

use std::rc::Rc;

use smallvec::{SmallVec, smallvec};

use super::bytes::Text;
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
    frame: Option<Rc<Frame>>,
}

/// Through what a run of bytes came.
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
        let segs = smallvec![Seg {
            at: 0,
            file,
            line,
            column,
            frame,
        }];
        Self {
            text: text.into(),
            segs,
            home: (file, line),
            dollar: true,
            quoting: true,
        }
    }

    /// Text that stands in no file but comes from `place`: a built-in value, a round's number.
    pub(crate) fn made(text: Vec<u8>, place: Place, frame: Option<Rc<Frame>>) -> Self {
        let segs = smallvec![Seg {
            at: 0,
            file: place.file,
            line: place.line,
            column: place.column,
            frame,
        }];
        Self {
            text: text.into(),
            segs,
            home: (place.file, place.line),
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
        via(self.frame(start))
    }

    /// The frame of the byte at `start`.
    pub(crate) fn frame(&self, start: usize) -> Option<&Rc<Frame>> {
        self.segs[self.seg_index(start)].frame.as_ref()
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
        while self.segs.len() > 1 && self.segs.last().is_some_and(|s| s.at as usize >= at) {
            self.segs.pop();
        }
    }

    /// The same line seen through `frame`, at home where `home` is.
    pub(crate) fn seen_through(&self, frame: &Rc<Frame>, home: (FileId, u32)) -> Self {
        let mut line = self.clone();
        line.home = home;
        for seg in &mut line.segs {
            seg.frame = Some(frame.clone());
        }
        line
    }

    /// The same line with one more step after all the others: the round of a sequence.
    pub(crate) fn in_round(&self, how: &How, place: Place) -> Self {
        let mut line = self.clone();
        let mut last: Option<(Option<Rc<Frame>>, Rc<Frame>)> = None;
        for seg in &mut line.segs {
            let made = match &last {
                Some((parent, made)) if same(parent.as_ref(), seg.frame.as_ref()) => made.clone(),
                _ => Rc::new(Frame {
                    how: how.clone(),
                    place,
                    parent: seg.frame.clone(),
                }),
            };
            last = Some((seg.frame.take(), made.clone()));
            seg.frame = Some(made);
        }
        line
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

/// Weaves a line out of parts of others, from left to right.
#[derive(Debug)]
pub(crate) struct Weave {
    text: Vec<u8>,
    segs: Segs,
    quoting: bool,
}

impl Weave {
    /// Nothing yet of what will be about `len` bytes.
    pub(crate) fn new(len: usize) -> Self {
        Self {
            text: Vec::with_capacity(len),
            segs: Segs::with_capacity(8),
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
        for seg in &line.segs[line.seg_index(start)..] {
            if seg.at as usize >= end {
                break;
            }
            self.segs.push(Seg {
                at: base + seg.at.saturating_sub(from),
                column: seg.column + from.saturating_sub(seg.at),
                frame: seg.frame.clone(),
                ..*seg
            });
        }
        self.text.extend_from_slice(&line.text[start..end]);
        self.quoting |= line.quoting;
    }

    /// Goes on with `with`, seen through `frame`.
    pub(crate) fn put(&mut self, with: &Line, frame: &Rc<Frame>) {
        if with.text.is_empty() {
            return;
        }
        let base = to_u32(self.text.len());
        self.segs.extend(with.segs.iter().map(|seg| Seg {
            at: base + seg.at,
            frame: Some(frame.clone()),
            ..*seg
        }));
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
                frame: None,
            });
        }
        Line {
            text: self.text.into(),
            segs: self.segs,
            home,
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

    fn frame() -> Rc<Frame> {
        let place = Place {
            file: A,
            line: 1,
            column: 4,
            len: 2,
        };
        Rc::new(Frame {
            how: How::Definition("X".into()),
            place,
            parent: None,
        })
    }

    /// `with` in the place of the bytes `start..end` of `line`.
    fn spliced(line: &Line, start: usize, end: usize, with: &Line) -> Line {
        let mut weave = Weave::new(0);
        weave.keep(line, 0, start);
        weave.put(with, &frame());
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

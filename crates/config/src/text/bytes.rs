//! Text of lines: a piece of a file as long as nothing is changed in it.

use std::fmt;
use std::ops::{Deref, Range};
use std::rc::Rc;
use std::sync::Arc;

use super::line::to_u32;

/// What was read from a file.
#[derive(Debug)]
pub(crate) enum Raw {
    /// As nearly all are.
    Utf8(String),
    /// Something in it is no UTF-8.
    Bytes(Vec<u8>),
}

impl From<Vec<u8>> for Raw {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|e| Self::Bytes(e.into_bytes()), Self::Utf8)
    }
}

impl Default for Raw {
    fn default() -> Self {
        Self::Utf8(String::new())
    }
}

impl Deref for Raw {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Utf8(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// What was read from a file, as lines share it: they are cut and dropped so often that counting
/// them for threads would be felt.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Rc<FileText>);

/// The text as the map of sources has it.
#[derive(Debug)]
struct FileText(Arc<Raw>);

impl Shared {
    pub(crate) fn new(text: Arc<Raw>) -> Self {
        Self(Rc::new(FileText(text)))
    }
}

impl Deref for Shared {
    type Target = Raw;

    fn deref(&self) -> &Raw {
        &self.0.0
    }
}

/// Bytes of a line.
///
/// Nearly every line of a configuration is read as it stands in its file, so its text is a range
/// of that file; only what definitions and sequences make of a line has bytes of its own.
#[derive(Clone)]
pub(crate) enum Text {
    /// A range of what was read from a file.
    Shared { file: Shared, start: u32, end: u32 },
    /// Text that stands in no file.
    Own(Vec<u8>),
}

impl Text {
    /// The bytes `range` of `file`, which are all there.
    pub(crate) fn of_file(file: &Shared, range: Range<usize>) -> Self {
        Self::Shared {
            file: file.clone(),
            start: to_u32(range.start),
            end: to_u32(range.end),
        }
    }

    /// The text if it is UTF-8.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Shared { file, start, end } => match &**file {
                Raw::Utf8(text) => text.get(*start as usize..*end as usize),
                Raw::Bytes(_) => std::str::from_utf8(self).ok(),
            },
            Self::Own(bytes) => std::str::from_utf8(bytes).ok(),
        }
    }

    /// The bytes `range` of the text.
    pub(crate) fn slice(&self, range: Range<usize>) -> Self {
        match self {
            Self::Shared { file, start, .. } => {
                let start = *start as usize;
                Self::of_file(file, start + range.start..start + range.end)
            }
            Self::Own(bytes) => Self::Own(bytes[range].to_vec()),
        }
    }

    /// Makes copies of the text cheap.
    pub(crate) fn share(&mut self) {
        if let Self::Own(bytes) = self {
            let end = to_u32(bytes.len());
            let file = Shared::new(Arc::new(std::mem::take(bytes).into()));
            *self = Self::Shared {
                file,
                start: 0,
                end,
            };
        }
    }

    /// Cuts everything from `at` on.
    pub(crate) fn truncate(&mut self, at: usize) {
        match self {
            Self::Shared { start, end, .. } => *end = (*end).min(start.saturating_add(to_u32(at))),
            Self::Own(bytes) => bytes.truncate(at),
        }
    }
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Shared { file, start, end } => {
                file.get(*start as usize..*end as usize).unwrap_or(&[])
            }
            Self::Own(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Own(bytes)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(self), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(text: &[u8]) -> Shared {
        Shared::new(Arc::new(text.to_vec().into()))
    }

    #[test]
    fn pieces_of_a_file_are_cut_like_text_of_its_own() {
        let file = shared(b"one two three");
        for text in [Text::of_file(&file, 4..13), b"two three".to_vec().into()] {
            assert_eq!(&*text, b"two three");
            let mut part = text.slice(1..7);
            assert_eq!(&*part, b"wo thr");
            part.truncate(9);
            assert_eq!(&*part, b"wo thr");
            part.truncate(2);
            assert_eq!(&*part, b"wo");
            assert_eq!(&*part.slice(2..2), b"");
            assert_eq!(part.as_str(), Some("wo"));
            part.share();
            assert_eq!(part.as_str(), Some("wo"));
        }
    }

    #[test]
    fn text_that_is_not_utf8_is_none_where_it_is_not() {
        let file = shared(b"a \xff b");
        assert_eq!(Text::of_file(&file, 0..1).as_str(), Some("a"));
        assert_eq!(Text::of_file(&file, 0..3).as_str(), None);
        let file = shared("a ü b".as_bytes());
        assert_eq!(Text::of_file(&file, 0..4).as_str(), Some("a ü"));
        assert_eq!(Text::of_file(&file, 0..3).as_str(), None);
    }
}

//! The text of the configuration as it was read, and places in it.

use std::sync::{Arc, OnceLock};

use crate::model::Origin;
use crate::text::bytes::Raw;

/// A file of the [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub(crate) u32);

/// A run of bytes in one line of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// The line, from 1.
    pub line: u32,
    /// The byte in the line, from 0.
    pub column: u32,
    /// How many bytes; 0 for the line as a whole.
    pub len: u32,
}

/// The files that were read.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<File>,
}

/// One file.
#[derive(Clone, Debug)]
struct File {
    name: Arc<str>,
    text: Arc<Raw>,
    /// Where each line starts, found when the first message needs it.
    starts: Arc<OnceLock<Vec<u32>>>,
}

impl File {
    fn starts(&self) -> &[u32] {
        self.starts.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', &self.text);
            let after = ends.map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX));
            std::iter::once(0).chain(after).collect()
        })
    }
}

impl SourceMap {
    /// Takes a file in.
    pub(crate) fn add(&mut self, name: &str, text: Vec<u8>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(File {
            name: name.into(),
            text: Arc::new(text.into()),
            starts: Arc::default(),
        });
        id
    }

    /// The name of `file` as it was opened.
    #[must_use]
    pub fn name(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |f| &f.name)
    }

    /// The bytes of `file`.
    #[must_use]
    pub fn text(&self, file: FileId) -> &[u8] {
        self.files.get(file.0 as usize).map_or(&[], |f| &f.text)
    }

    /// How many lines `file` has; a last line without newline counts.
    #[must_use]
    pub fn line_count(&self, file: FileId) -> u32 {
        let Some(f) = self.files.get(file.0 as usize) else {
            return 0;
        };
        let ends_in_newline = f.text.last().is_none_or(|b| *b == b'\n');
        u32::try_from(f.starts().len()).unwrap_or(u32::MAX) - u32::from(ends_in_newline)
    }

    /// The bytes of line `line` (from 1) of `file`, without its newline.
    #[must_use]
    pub fn line(&self, file: FileId, line: u32) -> &[u8] {
        let Some(f) = self.files.get(file.0 as usize) else {
            return &[];
        };
        let Some(index) = line.checked_sub(1) else {
            return &[];
        };
        let starts = f.starts();
        let Some(start) = starts.get(index as usize) else {
            return &[];
        };
        let end = starts
            .get(index as usize + 1)
            .map_or(f.text.len(), |next| *next as usize - 1);
        f.text.get(*start as usize..end).unwrap_or(&[])
    }

    /// The bytes of `file`, to be kept.
    pub(crate) fn shared(&self, file: FileId) -> Arc<Raw> {
        self.files
            .get(file.0 as usize)
            .map_or_else(Arc::default, |f| f.text.clone())
    }

    /// Every file in the order of opening.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (FileId, &str)> {
        let named = self.files.iter().enumerate();
        named.map(|(n, f)| (FileId(u32::try_from(n).unwrap_or(u32::MAX)), &*f.name))
    }

    /// `file` and `line` for the typed configuration.
    #[must_use]
    pub fn origin(&self, file: FileId, line: u32) -> Origin {
        let file = self
            .files
            .get(file.0 as usize)
            .map_or_else(|| Arc::from(""), |f| f.name.clone());
        Origin { file, line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_with_and_without_a_final_newline() {
        let mut map = SourceMap::default();
        let a = map.add("a", b"one\ntwo\n".to_vec());
        let b = map.add("b", b"one\ntwo".to_vec());
        for f in [a, b] {
            assert_eq!(map.line_count(f), 2);
            assert_eq!(map.line(f, 1), b"one");
            assert_eq!(map.line(f, 2), b"two");
            assert_eq!(map.line(f, 0), b"");
            assert_eq!(map.line(f, 9), b"");
        }
        let c = map.add("c", Vec::new());
        assert_eq!(map.line_count(c), 0);
    }
}

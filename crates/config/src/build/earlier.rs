//! The first of two lines that say the same thing.

use crate::place::{FileId, Place, SourceMap};
use crate::text::line::to_u32;
use crate::text::physical::comment_start;
use crate::tree::Statement;

/// How many lines back are looked at: blocks are shorter, and generated files have many mistakes.
const LINES_MAX: u32 = 2000;

/// The line before `statement` that begins with the same word, in its block or in an earlier
/// `global_defs`, which may come in several parts. `None` where words do not stand in the file as
/// they were read, and when the block holds no such line.
pub(super) fn earlier(files: &SourceMap, statement: &Statement) -> Option<Place> {
    let (file, line) = statement.line.home;
    let word = statement.keyword().as_bytes();
    (Code::of(files, file, line).word == word).then_some(())?;
    let mut depth = 0_i32;
    // Behind the beginning of the statement's own block.
    let mut outside = false;
    let mut found = None;
    for number in (line.saturating_sub(LINES_MAX).max(1)..line).rev() {
        let code = Code::of(files, file, number);
        let level = depth;
        depth += code.closes - code.opens;
        if outside {
            if depth <= 0 && level > 0 {
                if code.word == b"global_defs" && found.is_some() {
                    return found;
                }
                found = None;
            } else if depth == 1 && code.word == word {
                found = Some(code.place(file, number));
            }
        } else if depth < 0 {
            if code.word != b"global_defs" {
                return None;
            }
            (outside, depth) = (true, 0);
        } else if depth == 0 && code.word == word {
            return Some(code.place(file, number));
        }
    }
    None
}

/// A line of a file without its comment.
struct Code<'a> {
    text: &'a [u8],
    /// Its first word.
    word: &'a [u8],
    opens: i32,
    closes: i32,
}

impl<'a> Code<'a> {
    fn of(files: &'a SourceMap, file: FileId, line: u32) -> Self {
        let text = files.line(file, line);
        let text = &text[..comment_start(text)];
        let mut code = Self {
            text,
            word: &[],
            opens: 0,
            closes: 0,
        };
        let mut words = text.split(|b| b.is_ascii_whitespace() || matches!(b, b'{' | b'}'));
        code.word = words.find(|word| !word.is_empty()).unwrap_or_default();
        let mut quoted = false;
        for byte in text {
            match byte {
                b'"' => quoted = !quoted,
                b'{' if !quoted => code.opens += 1,
                b'}' if !quoted => code.closes += 1,
                _ => {}
            }
        }
        code
    }

    fn place(&self, file: FileId, line: u32) -> Place {
        let column = self.text.iter().position(|b| !b.is_ascii_whitespace());
        Place {
            file,
            line,
            column: to_u32(column.unwrap_or(0)),
            len: to_u32(self.text.trim_ascii().len()),
        }
    }
}

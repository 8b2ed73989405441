//! Physical lines: length, NUL bytes, comments.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::LINE_MAX;

/// What a part of a physical line is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Physical<'a> {
    /// Text without its comment, from this column of the line on.
    Text { text: Cow<'a, [u8]>, column: u32 },
    /// A buffer full that does not end: it is dropped, the rest of the line is read on.
    TooLong { column: u32 },
    /// A line with a NUL byte: dropped.
    Nul,
}

/// One physical line may be several parts: what does not fit the buffer is dropped in pieces and
/// the remainder is a line of its own, as in keepalived. Gives the part that starts at `column`,
/// and where the next one starts if there is one.
pub(crate) fn part(raw: &[u8], column: u32) -> (Physical<'_>, Option<u32>) {
    let rest = raw.get(column as usize..).unwrap_or(&[]);
    if rest.len() > LINE_MAX {
        let next = column.saturating_add(LINE_MAX as u32 + 1);
        let more = (next as usize) < raw.len();
        return (Physical::TooLong { column }, more.then_some(next));
    }
    if memchr::memchr(0, rest).is_some() {
        return (Physical::Nul, None);
    }
    let text = without_end(rest);
    let text = glue_backslash(&text[..comment_start(text)]);
    (Physical::Text { text, column }, None)
}

/// A line without the carriage returns at its end.
pub(crate) fn without_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|b| *b != b'\r');
    &line[..end.map_or(0, |at| at + 1)]
}

/// All parts of a physical line; nearly every line is one.
pub(crate) fn split(raw: &[u8]) -> SmallVec<[Physical<'_>; 1]> {
    let mut out = SmallVec::new();
    let mut next = Some(0);
    while let Some(column) = next {
        let (part, more) = part(raw, column);
        out.push(part);
        next = more;
    }
    out
}

/// A backslash at the end of a line sticks to what is before it, over blanks: there is no
/// continuation of lines (the lines of a definition go on all the same).
fn glue_backslash(text: &[u8]) -> Cow<'_, [u8]> {
    if let Some(before) = text[..trim_end(text)].strip_suffix(b"\\") {
        let word = before
            .iter()
            .rposition(|b| !matches!(b, b' ' | b'\t'))
            .map_or(0, |at| at + 1);
        if word > 0 && word < before.len() {
            return [&before[..word], b"\\"].concat().into();
        }
    }
    text.into()
}

/// The length of `text` without the blanks at its end.
fn trim_end(text: &[u8]) -> usize {
    text.iter()
        .rposition(|b| !matches!(b, b' ' | b'\t' | b'\r'))
        .map_or(0, |at| at + 1)
}

/// Where the comment of a line starts, or its length: the first `#` or `!` that is neither
/// inside double quotes nor after a backslash. To this search (and to no other) a backslash also
/// hides a quote.
pub(crate) fn comment_start(text: &[u8]) -> usize {
    if memchr::memchr2(b'#', b'!', text).is_none() {
        return text.len();
    }
    outside_quotes(text, |b| matches!(b, b'#' | b'!')).unwrap_or(text.len())
}

/// Whether the search for comments finds a quote that is not closed.
pub(crate) fn leaves_quote_open(text: &[u8]) -> bool {
    let mut quoted = false;
    let mut at = 0;
    while let Some(b) = text.get(at) {
        match b {
            b'"' => quoted = !quoted,
            b'\\' => at += 1,
            _ => {}
        }
        at += 1;
    }
    quoted
}

/// Where keepalived's children, who read the text once more, find a comment: at the first
/// `\#` or `\!` outside quotes, because the first reading took the backslash.
pub(crate) fn second_comment(text: &[u8]) -> Option<usize> {
    memchr::memchr(b'\\', text)?;
    let mut quoted = false;
    let mut at = 0;
    while let Some(b) = text.get(at) {
        match b {
            b'"' => quoted = !quoted,
            b'\\' if !quoted && matches!(text.get(at + 1), Some(b'#' | b'!')) => return Some(at),
            b'\\' => at += 1,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The first byte outside quotes and not behind a backslash that is `wanted`.
fn outside_quotes(text: &[u8], wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let mut quoted = false;
    let mut at = 0;
    while let Some(&b) = text.get(at) {
        match b {
            b'"' => quoted = !quoted,
            b'\\' => at += 1,
            _ if !quoted && wanted(b) => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_end_lines_outside_quotes() {
        for (text, kept) in [
            ("# one", ""),
            ("! two", ""),
            ("use_pid_dir # three", "use_pid_dir "),
            ("use_pid_dir!four", "use_pid_dir"),
            ("bogus#tail", "bogus"),
            (r"bogus\#tail \!", r"bogus\#tail \!"),
            (r#"router_id "a#b!c""#, r#"router_id "a#b!c""#),
            (r#"a "b" # c"#, r#"a "b" "#),
            (r"a\\# b", r"a\\"),
            (r#"a "b\" # c"#, r#"a "b\" # c"#),
            (r#"a b\" # c"#, r#"a b\" "#),
        ] {
            assert_eq!(&text[..comment_start(text.as_bytes())], kept, "{text}");
        }
    }

    #[test]
    fn long_lines_lose_full_buffers_only() {
        let lens = |n: usize| -> Vec<Option<usize>> {
            split(&vec![b'x'; n])
                .iter()
                .map(|p| match p {
                    Physical::Text { text, .. } => Some(text.len()),
                    _ => None,
                })
                .collect()
        };
        assert_eq!(lens(1022), [Some(1022)]);
        assert_eq!(lens(1023), [None]);
        assert_eq!(lens(1024), [None, Some(1)]);
        assert_eq!(lens(2100), [None, None, Some(54)]);
    }

    #[test]
    fn a_last_backslash_sticks_to_its_word() {
        for (text, kept) in [
            ("nopreempt \\", "nopreempt\\"),
            ("a b \t\\ ", "a b\\"),
            ("a \\ # comment", "a\\"),
            ("a \\\\", "a \\\\"),
            ("a \u{c}\\", "a \u{c}\\"),
            ("\\", "\\"),
            ("$P=\\", "$P=\\"),
        ] {
            let text_of = |part: &Physical<'_>| match part {
                Physical::Text { text, .. } => String::from_utf8_lossy(text).into_owned(),
                _ => String::new(),
            };
            assert_eq!(text_of(&split(text.as_bytes())[0]), kept, "{text}");
        }
    }

    #[test]
    fn quotes_as_the_search_for_comments_sees_them() {
        for (text, open) in [
            (r#"state "a\""#, true),
            (r#"state "a\\""#, false),
            (r#"state "a\"b""#, false),
            (r#"state a\"b"#, false),
            (r#"state a\"b""#, true),
        ] {
            assert_eq!(leaves_quote_open(text.as_bytes()), open, "{text}");
        }
    }

    #[test]
    fn comments_that_only_the_children_see() {
        for (text, at) in [
            (r"priority 5\#0", Some(10)),
            (r"state a\\\#x", Some(9)),
            (r#"state "a\#b""#, None),
            (r"a\\b", None),
            ("a b", None),
        ] {
            assert_eq!(second_comment(text.as_bytes()), at, "{text}");
        }
    }

    #[test]
    fn carriage_returns_and_nuls() {
        assert_eq!(
            split(b"a\r").as_slice(),
            [Physical::Text {
                text: b"a"[..].into(),
                column: 0
            }]
        );
        assert_eq!(split(b"a\0b").as_slice(), [Physical::Nul]);
    }
}

//! Physical lines: length, NUL bytes, comments.

use smallvec::SmallVec;

use super::LINE_MAX;

/// What the next physical line is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Physical {
    /// Text without its comment, from this column of the line on.
    Text { text: Vec<u8>, column: u32 },
    /// A buffer full that does not end: it is dropped, the rest of the line is read on.
    TooLong { column: u32 },
    /// A line with a NUL byte: dropped.
    Nul,
}

/// Nearly every line is one.
pub(crate) type Parts = SmallVec<[Physical; 1]>;

/// One physical line may be several: what does not fit the buffer is dropped in pieces and the
/// remainder is a line of its own, as in keepalived.
pub(crate) fn split(raw: &[u8]) -> Parts {
    let mut out = Parts::new();
    let mut rest = raw;
    let mut column = 0;
    while rest.len() > LINE_MAX {
        out.push(Physical::TooLong { column });
        rest = &rest[LINE_MAX + 1..];
        column = column.saturating_add(LINE_MAX as u32 + 1);
    }
    if !out.is_empty() && rest.is_empty() {
        return out;
    }
    if rest.contains(&0) {
        out.push(Physical::Nul);
        return out;
    }
    let end = rest
        .iter()
        .rposition(|b| *b != b'\r')
        .map_or(0, |at| at + 1);
    let text = &rest[..comment_start(&rest[..end])];
    out.push(Physical::Text {
        text: text.to_vec(),
        column,
    });
    out
}

/// Where the comment of a line starts, or its length: the first `#` or `!` that is neither
/// inside double quotes nor after a backslash.
pub(crate) fn comment_start(text: &[u8]) -> usize {
    if memchr::memchr2(b'#', b'!', text).is_none() {
        return text.len();
    }
    let mut quoted = false;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => quoted = !quoted,
            b'#' | b'!' if !quoted => return at,
            b'\\' if !quoted && matches!(text.get(at + 1), Some(b'#' | b'!')) => at += 1,
            _ => {}
        }
        at += 1;
    }
    text.len()
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
            (r"a\\# b", r"a\\# b"),
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
    fn carriage_returns_and_nuls() {
        assert_eq!(
            split(b"a\r").as_slice(),
            [Physical::Text {
                text: b"a".to_vec(),
                column: 0
            }]
        );
        assert_eq!(split(b"a\0b").as_slice(), [Physical::Nul]);
    }
}

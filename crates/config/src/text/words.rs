//! The grammar of a line, in nom: words, quoted words, braces.

use std::borrow::Cow;

use nom::IResult;
use nom::Parser;
use nom::bytes::complete::{tag, take_till, take_while1};
use nom::combinator::map;
use nom::sequence::delimited;

use super::is_blank;

/// A token of a line with the bytes it takes up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind<'a>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind<'a> {
    /// A word as it stands there; see [`unescape`].
    Word(&'a [u8]),
    /// The same between double quotes.
    Quoted(&'a [u8]),
    /// `{`
    Open,
    /// `}`
    Close,
    /// A double quote that is not closed; the rest of the line belongs to it.
    Unterminated,
}

/// The tokens of a line. Total: every line has some.
pub(crate) fn tokens(text: &[u8]) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let blanks = rest.iter().position(|b| !is_blank(*b))?;
        rest = &rest[blanks..];
        let start = text.len() - rest.len();
        let (kind, after) = match token(rest) {
            Ok((after, kind)) => (kind, after),
            // Only a quote that does not close is no token.
            Err(_) => (TokenKind::Unterminated, &rest[rest.len()..]),
        };
        rest = after;
        Some(Token {
            kind,
            start,
            end: text.len() - after.len(),
        })
    })
}

/// The first byte tells what it is.
#[inline]
fn token(text: &[u8]) -> IResult<&[u8], TokenKind<'_>> {
    match text {
        [b'{', after @ ..] => Ok((after, TokenKind::Open)),
        [b'}', after @ ..] => Ok((after, TokenKind::Close)),
        [b'"', ..] => map(quoted, TokenKind::Quoted).parse(text),
        _ => map(bare, TokenKind::Word).parse(text),
    }
}

/// `"..."`: no escape works inside.
fn quoted(text: &[u8]) -> IResult<&[u8], &[u8]> {
    delimited(tag(&b"\""[..]), take_till(|b| b == b'"'), tag(&b"\""[..])).parse(text)
}

/// Anything up to a blank, a quote or a brace.
fn bare(text: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while1(|b: u8| IN_WORD[usize::from(b)]).parse(text)
}

/// Which bytes go on with a word.
const IN_WORD: [bool; 256] = {
    let mut table = [true; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = !is_blank(byte) && !matches!(byte, b'"' | b'{' | b'}');
        byte += 1;
    }
    table
};

/// `\#` and `\!` are the plain characters; any other backslash is itself.
pub(crate) fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return text.into();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(b) = bytes.next() {
        if b == b'\\' && matches!(bytes.peek(), Some(b'#' | b'!')) {
            continue;
        }
        out.push(b);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        let mut out = Vec::new();
        for t in tokens(text.as_bytes()) {
            out.push(match t.kind {
                TokenKind::Word(w) => String::from_utf8_lossy(&unescape(w)).into_owned(),
                TokenKind::Quoted(w) => format!("<{}>", String::from_utf8_lossy(w)),
                TokenKind::Open => "{".into(),
                TokenKind::Close => "}".into(),
                TokenKind::Unterminated => "?".into(),
            });
        }
        out.join("|")
    }

    #[test]
    fn words_quotes_and_braces() {
        for (text, want) in [
            ("", ""),
            ("router_id a", "router_id|a"),
            ("global_defs{router_id a}", "global_defs|{|router_id|a|}"),
            ("router_id a}b", "router_id|a|}|b"),
            (r#""bogus word" x"#, "<bogus word>|x"),
            (r#"bogus"x y""#, "bogus|<x y>"),
            (r#"router_id "a}b{""#, "router_id|<a}b{>"),
            (r#"router_id "abc"#, "router_id|?"),
            ("'bogus word' x", "'bogus|word'|x"),
            (r"bo\gus\n x", r"bo\gus\n|x"),
            (r"bogus\#tail \!", "bogus#tail|!"),
            (r#"a "" b"#, "a|<>|b"),
            ("\u{c}router_id\u{b}a", "router_id|a"),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
    }

    proptest! {
        /// Printing words and reading them gives the same words.
        #[test]
        fn words_survive_printing(words in prop::collection::vec("[a-z$.,/0-9]{1,8}|[a-z {}#!']{0,8}", 0..6)) {
            let mut text = Vec::new();
            for w in &words {
                text.push(b' ');
                let bare = !w.is_empty() && !w.contains([' ', '{', '}', '#', '!']);
                if bare { text.extend(w.bytes()) } else { text.extend(format!("\"{w}\"").bytes()) }
            }
            let read: Vec<String> = tokens(&text).map(|t| match t.kind {
                TokenKind::Word(w) => String::from_utf8(w.to_owned()).unwrap(),
                TokenKind::Quoted(w) => String::from_utf8(w.to_vec()).unwrap(),
                other => panic!("{other:?}"),
            }).collect();
            prop_assert_eq!(read, words);
        }

        /// Tokens cover the line in order and never overlap; nothing panics.
        #[test]
        fn tokens_are_ordered(text in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut last = 0;
            for t in tokens(&text) {
                prop_assert!(t.start >= last && t.end > t.start && t.end <= text.len());
                last = t.end;
            }
        }
    }
}

//! The answer of an HTTP server, taken apart while it comes.

/// How long status line and fields may be together.
const LONGEST_HEAD: usize = 64 * 1024;
/// How many fields are looked at. With more than these there is no `Content-Length`.
const MOST_FIELDS: usize = 256;

/// What is known of a reply so far. The body itself is passed on and forgotten.
#[derive(Debug, Default)]
pub(in super::super) struct Reply {
    /// The head, until it is complete.
    head: Vec<u8>,
    parsed: Option<Head>,
    received: u64,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Head {
    status: u16,
    content_length: Option<u64>,
}

/// The head is longer than anything that is one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TooLong;

/// What [`Reply::push`] found in a piece.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Parts<'a> {
    /// The whole head, when this piece completes it.
    pub(super) head: Option<Vec<u8>>,
    /// Body, or nothing.
    pub(super) body: &'a [u8],
}

impl Reply {
    /// Takes the next piece of what the server sends.
    pub(super) fn push<'a>(&mut self, piece: &'a [u8]) -> Result<Parts<'a>, TooLong> {
        let mut parts = Parts {
            head: None,
            body: piece,
        };
        if self.parsed.is_none() {
            // The end may lie across two pieces.
            let from = self.head.len().saturating_sub(3);
            let before = self.head.len();
            self.head.extend_from_slice(piece);
            let tail = self.head.get(from..).unwrap_or_default();
            let Some(end) = tail.windows(4).position(|four| four == b"\r\n\r\n") else {
                parts.body = &[];
                return if self.head.len() > LONGEST_HEAD {
                    Err(TooLong)
                } else {
                    Ok(parts)
                };
            };
            let end = from + end + 4;
            if end > LONGEST_HEAD {
                return Err(TooLong);
            }
            self.head.truncate(end);
            self.parsed = Some(parse(&self.head));
            parts.head = Some(std::mem::take(&mut self.head));
            parts.body = piece.get(end - before..).unwrap_or_default();
        }
        self.received += u64::try_from(parts.body.len()).unwrap_or(0);
        Ok(parts)
    }

    /// Whether anything has come.
    pub(super) fn has_begun(&self) -> bool {
        self.parsed.is_some() || !self.head.is_empty()
    }

    /// Whether everything has come that the head announces.
    pub(super) fn is_complete(&self) -> bool {
        match self.parsed {
            None => false,
            // RFC 9112 §6.3: these have no body, whatever their fields say.
            Some(Head {
                status: 204 | 304, ..
            }) => true,
            Some(head) => head
                .content_length
                .is_some_and(|length| self.received >= length),
        }
    }

    /// The status code, once the head is complete; 0 if its first line has none.
    pub(in super::super) fn status(&self) -> Option<u16> {
        self.parsed.map(|head| head.status)
    }

    /// The value of the field.
    pub(super) fn content_length(&self) -> Option<u64> {
        self.parsed.and_then(|head| head.content_length)
    }

    /// Octets of body so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }
}

/// Reads a complete head.
///
/// The first line only has to have three digits behind its first word, as keepalived reads it
/// (`ICY 200 OK` of streaming servers is fine); fields that are none are passed over.
fn parse(head: &[u8]) -> Head {
    let line_end = head.iter().position(|octet| *octet == b'\n').unwrap_or(0);
    let (line, fields) = head.split_at_checked(line_end + 1).unwrap_or((head, &[]));
    let mut words = line
        .split(|octet| matches!(octet, b' ' | b'\r' | b'\n'))
        .filter(|word| !word.is_empty());
    let status = words
        .nth(1)
        .filter(|word| word.len() == 3)
        .and_then(number)
        .and_then(|status| u16::try_from(status).ok())
        .unwrap_or(0);
    let mut storage = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut response = httparse::Response::new(&mut storage);
    let mut config = httparse::ParserConfig::default();
    config
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .ignore_invalid_headers_in_responses(true);
    // The parser wants a status line of its own taste before the fields.
    let dressed = [b"HTTP/1.0 200 OK\r\n", fields].concat();
    let content_length = match config.parse_response(&mut response, &dressed) {
        Ok(_) => response
            .headers
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case("content-length"))
            .and_then(|field| number(field.value.trim_ascii())),
        Err(_) => None,
    };
    Head {
        status,
        content_length,
    }
}

/// Decimal digits and nothing else.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Status and length of a head, and the body behind it, read in pieces of `size`.
    fn read(octets: &[u8], size: usize) -> Option<(u16, Option<u64>, Vec<u8>)> {
        let mut reply = Reply::default();
        let mut body = Vec::new();
        for piece in octets.chunks(size) {
            body.extend_from_slice(reply.push(piece).ok()?.body);
        }
        assert_eq!(reply.received(), body.len() as u64);
        Some((reply.status()?, reply.content_length(), body))
    }

    #[test]
    fn heads_of_all_manners() {
        let body = || b"hello".to_vec();
        for (head, expected) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
                Some((200, Some(5))),
            ),
            (
                "HTTP/1.1 404 Not Found\r\ncontent-length:5 \r\n\r\n",
                Some((404, Some(5))),
            ),
            ("ICY 200 OK\r\n\r\n", Some((200, None))),
            ("HTTP/1.1 200\r\n\r\n", Some((200, None))),
            ("HTTP/1.1 200 \r\n\r\n", Some((200, None))),
            ("HTTP/1.1  200 OK\r\n\r\n", Some((200, None))),
            (
                "HTTP/2 200\r\nbad field line\r\nContent-Length: 7\r\n\r\n",
                Some((200, Some(7))),
            ),
            ("HTTP/1.1 2000 OK\r\n\r\n", Some((0, None))),
            ("HTTP/1.1 -20 OK\r\n\r\n", Some((0, None))),
            ("HTTP/1.1 OK\r\n\r\n", Some((0, None))),
            ("\r\n\r\n", Some((0, None))),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
                Some((200, None)),
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
                Some((200, None)),
            ),
            ("HTTP/1.1 200 OK\nContent-Length: 5\n\n", None),
            ("", None),
        ] {
            let expected = expected.map(|(status, length)| (status, length, body()));
            for size in 1..=head.len() + 5 {
                assert_eq!(
                    read(&[head.as_bytes(), b"hello"].concat(), size),
                    expected,
                    "{head}"
                );
            }
        }
    }

    #[test]
    fn a_head_has_bounds_and_a_body_has_none() {
        let field = |length| format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(length));
        let frame = field(0).len();
        let fits = field(LONGEST_HEAD - frame);
        assert_eq!(read(fits.as_bytes(), 1000), Some((200, None, vec![])));
        let too_long = field(LONGEST_HEAD - frame + 1);
        assert_eq!(read(too_long.as_bytes(), 1000), None);
        let mut reply = Reply::default();
        let endless = vec![b'a'; LONGEST_HEAD];
        assert!(reply.push(&endless).is_ok());
        assert_eq!(reply.push(b"a"), Err(TooLong));
        let many = format!(
            "HTTP/1.1 200 OK\r\n{}\r\n",
            "A: b\r\n".repeat(MOST_FIELDS + 1)
        );
        assert_eq!(read(many.as_bytes(), 1000), Some((200, None, vec![])));
    }

    #[test]
    fn when_all_of_it_has_come() {
        let complete = |octets: &[u8]| {
            let mut reply = Reply::default();
            reply.push(octets).unwrap();
            reply.is_complete()
        };
        assert!(!complete(b""));
        assert!(!complete(b"HTTP/1.0 200 OK\r\n\r\nhello"));
        assert!(!complete(
            b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhell"
        ));
        assert!(complete(
            b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        ));
        assert!(complete(
            b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello there"
        ));
        assert!(complete(b"HTTP/1.0 204 No Content\r\n\r\n"));
    }

    proptest! {
        #[test]
        fn no_octets_break_it(octets: Vec<u8>, size in 1usize..50) {
            read(&octets, size);
            parse(&octets);
        }

        #[test]
        fn no_head_breaks_it(text in "(HTTP/1.1 |ICY )?[0-9 ]{0,5}\r\n([A-Za-z-]{0,9}[: ]{0,3}[ -~]{0,9}\r?\n){0,5}\r\n") {
            read(text.as_bytes(), 3);
        }
    }
}

//! genhash: fetches a page and tells the digest that `digest` of a `url` must be.
//!
//! The command line is the daemon's; here is what it does, and the form of what it shows.

use std::fmt;

use super::http::fetch::{Broken, Sink, fetch};
use super::http::{Digest, Hasher};
use super::{Endpoint, HttpProbe};

/// Why there is no digest; in the words of keepalived's genhash.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct NoDigest(pub String);

/// What a page turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Page {
    /// The status code; 0 if there is none.
    pub status: u16,
    /// The MD5 digest of the body, of no more of it than `Content-Length` says.
    pub digest: Digest,
}

/// A part of a page, for those who want to see it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part<'a> {
    /// Status line and fields, with the empty line behind them.
    Head(&'a [u8]),
    /// A piece of the body.
    Body(&'a [u8]),
}

struct Watch<F> {
    hasher: Hasher,
    show: F,
}

impl<F: FnMut(Part<'_>)> Sink for Watch<F> {
    fn head(&mut self, head: &[u8]) {
        (self.show)(Part::Head(head));
    }

    fn body(&mut self, piece: &[u8], content_length: Option<u64>, before: u64) {
        self.hasher.push(piece, content_length, before);
        (self.show)(Part::Body(piece));
    }
}

/// Fetches the page that `probe` asks `endpoint` for, whatever its status, and hashes it; `show`
/// sees it go by.
///
/// # Errors
/// [`NoDigest`] if there was no answer, or none that is one.
pub async fn genhash(
    endpoint: &Endpoint,
    probe: &HttpProbe,
    show: impl FnMut(Part<'_>) + Send,
) -> Result<Page, NoDigest> {
    let mut watch = Watch {
        hasher: Hasher::new(),
        show,
    };
    let request = probe.request(endpoint);
    let (_, fetched) = fetch(endpoint, &request, probe.tls.as_ref(), &mut watch).await;
    let status = fetched
        .as_ref()
        .map_err(Broken::words)
        .and_then(|reply| {
            reply
                .status()
                .ok_or("no data received from remote webserver")
        })
        .map_err(|words| NoDigest(words.to_owned()))?;
    Ok(Page {
        status,
        digest: watch.hasher.finish(),
    })
}

/// A section of verbose output; displayed as its heading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Section {
    /// The head in rows of octets.
    HeadOctets,
    /// The head as it is.
    Head,
    /// The body in rows of octets.
    Body,
    /// The digest in a row of octets.
    DigestOctets,
    /// The digest in digits.
    Digest,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = match self {
            Self::HeadOctets => "   HTTP Header Buffer   ",
            Self::Head => "HTTP Header Ascii Buffer",
            Self::Body => "       HTML Buffer       ",
            Self::DigestOctets => "   HTML hash resulting   ",
            Self::Digest => "HTML hash final resulting",
        };
        let dashes = "-".repeat(23);
        write!(f, "{dashes}[ {title} ]{dashes}")
    }
}

/// Octets in verbose output, 16 a line: `0016  0a 43 ... - 65 6e ...   .Content-Length:`.
#[must_use]
pub fn hex_rows(octets: &[u8]) -> String {
    let mut rows = String::new();
    for (row, octets) in octets.chunks(16).enumerate() {
        let mut digits = String::new();
        for place in 0..16 {
            digits += if place == 8 { "- " } else { "" };
            digits += &match octets.get(place) {
                Some(octet) => format!("{octet:02x} "),
                None => "   ".to_owned(),
            };
        }
        let shown: String = octets
            .iter()
            .map(|octet| match octet {
                b' '..=b'~' => char::from(*octet),
                _ => '.',
            })
            .collect();
        rows += &format!("{:04}  {digits}  {shown:<16}\n", row * 16);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbose_output_as_keepalived_prints_it() {
        let head = b"HTTP/1.0 200 OK\r\nContent-Length: 11\r\n\r\n";
        assert_eq!(
            hex_rows(head),
            "0000  48 54 54 50 2f 31 2e 30 - 20 32 30 30 20 4f 4b 0d   HTTP/1.0 200 OK.\n\
             0016  0a 43 6f 6e 74 65 6e 74 - 2d 4c 65 6e 67 74 68 3a   .Content-Length:\n\
             0032  20 31 31 0d 0a 0d 0a    -                            11....         \n"
        );
        assert_eq!(
            hex_rows(b"hello world"),
            "0000  68 65 6c 6c 6f 20 77 6f - 72 6c 64                  hello world     \n"
        );
        assert_eq!(
            Section::HeadOctets.to_string(),
            "-----------------------[    HTTP Header Buffer    ]-----------------------"
        );
        assert_eq!(
            Section::Body.to_string(),
            "-----------------------[        HTML Buffer        ]-----------------------"
        );
        assert_eq!(
            Section::Digest.to_string(),
            "-----------------------[ HTML hash final resulting ]-----------------------"
        );
    }
}

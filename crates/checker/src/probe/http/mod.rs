//! `HTTP_GET` and `SSL_GET`: one request, the whole answer, and what it must be.
//!
//! keepalived reads until the server closes, hashes what it gets and follows nothing; so does
//! this. The judgement is in the order status, digest, regex. [`fetch`] is shared with genhash.

pub(super) mod fetch;
pub(super) mod regex;
mod reply;

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use md5::{Digest as _, Md5};

use self::fetch::{Broken, Sink, fetch};
use self::regex::{RegexCheck, Search, Sense};
use super::tls::Tls;
use super::{Endpoint, Report};
use crate::Outcome;

/// One `url` with the settings of its checker.
#[derive(Clone, Debug)]
pub struct HttpProbe {
    /// `path`, sent as it is.
    pub path: String,
    /// `http_protocol`.
    pub version: HttpVersion,
    /// `virtualhost` of the url, else of the checker, real server, virtual server; without any
    /// the address and port are what the Host field says.
    pub virtualhost: Option<String>,
    /// `status_code`.
    pub status: StatusCodes,
    /// `digest`.
    pub digest: Option<Digest>,
    /// `regex` and what goes with it.
    pub regex: Option<RegexCheck>,
    /// For `SSL_GET`.
    pub tls: Option<Tls>,
}

impl HttpProbe {
    /// Asks for `path`, and is content with any answer of 200 to 299.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            version: HttpVersion::default(),
            virtualhost: None,
            status: StatusCodes::default(),
            digest: None,
            regex: None,
            tls: None,
        }
    }

    /// The octets of the request to `endpoint`.
    pub(super) fn request(&self, endpoint: &Endpoint) -> String {
        let (version, close) = match self.version {
            HttpVersion::V1_0 => ("1.0", ""),
            HttpVersion::V1_0Close => ("1.0", "Connection: close\r\n"),
            HttpVersion::V1_1 => ("1.1", "Connection: close\r\n"),
        };
        let host = self.virtualhost.clone().unwrap_or_else(|| {
            // `SocketAddr` would add the scope of a link-local address, which is ours alone.
            match endpoint.addr.ip() {
                std::net::IpAddr::V4(ip) => format!("{ip}:{}", endpoint.addr.port()),
                std::net::IpAddr::V6(ip) => format!("[{ip}]:{}", endpoint.addr.port()),
            }
        });
        let path = &self.path;
        format!(
            "GET {path} HTTP/{version}\r\nUser-Agent: KeepAliveClient\r\n{close}Host: {host}\r\n\r\n"
        )
    }
}

/// `http_protocol`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum HttpVersion {
    /// `1.0`
    #[default]
    V1_0,
    /// `1.0C`: with `Connection: close`.
    V1_0Close,
    /// `1.1`: with `Connection: close`, too.
    V1_1,
}

/// `status_code`: ranges of codes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusCodes(pub Vec<RangeInclusive<u16>>);

/// 200 to 299.
impl Default for StatusCodes {
    fn default() -> Self {
        Self(vec![200..=299])
    }
}

/// `200-299, 304`
impl fmt::Display for StatusCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, range) in self.0.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { ", " })?;
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(f, "{first}")?,
                (first, last) => write!(f, "{first}-{last}")?,
            }
        }
        Ok(())
    }
}

impl StatusCodes {
    /// Whether `code` is good. What is no status code (RFC 9110 §15: 100 to 599) never is.
    #[must_use]
    pub fn contains(&self, code: u16) -> bool {
        (100..=599).contains(&code) && self.0.iter().any(|range| range.contains(&code))
    }
}

/// An MD5 digest, written as 32 hexadecimal digits.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Digest(pub [u8; 16]);

/// A digest that is no 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a digest is 32 hexadecimal digits")]
pub struct ParseDigestError;

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        let mut digest = [0; 16];
        if text.len() != 32 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ParseDigestError);
        }
        for (place, octet) in digest.iter_mut().enumerate() {
            let digits = text.get(place * 2..place * 2 + 2).ok_or(ParseDigestError)?;
            *octet = u8::from_str_radix(digits, 16).map_err(|_| ParseDigestError)?;
        }
        Ok(Self(digest))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What an HTTP server answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HttpReply {
    /// The status code; 0 if the first line has none.
    pub status: u16,
    /// `Content-Length`, if there is one.
    pub content_length: Option<u64>,
    /// How many octets of body came.
    pub received: u64,
    /// Of the body as received, but of no more of it than `content_length` says. Only made when
    /// the check is about it.
    pub digest: Option<Digest>,
    /// What was asked for and found right.
    pub passed: Vec<Mark>,
}

impl HttpReply {
    /// keepalived's line about a body that is not as long as announced, if it is not: for which
    /// real server of which virtual server, as log lines name them, and which `path`.
    #[must_use]
    pub fn mismatch(&self, service: &str, virtual_server: &str, path: &str) -> Option<String> {
        let length = self.content_length?;
        let received = self.received;
        (length != received).then(|| {
            format!(
                "http_check for RS {service} VS {virtual_server} url {path}: content_length \
                 ({length}) does not match received bytes ({received})"
            )
        })
    }
}

/// A part of the judgement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mark {
    /// The status code is one of the good ones.
    Status,
    /// The digest is the configured one.
    Digest,
    /// The body matches, or does not match, as configured.
    Regex,
}

/// Hashes a body up to its `Content-Length`.
pub(super) struct Hasher {
    md5: Md5,
}

impl Hasher {
    pub(super) fn new() -> Self {
        Self { md5: Md5::new() }
    }

    /// Takes a piece of a body that is `content_length` long.
    pub(super) fn push(&mut self, piece: &[u8], content_length: Option<u64>, before: u64) {
        let left = content_length.map_or(u64::MAX, |length| length.saturating_sub(before));
        let take = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
        self.md5.update(piece.get(..take).unwrap_or_default());
    }

    pub(super) fn finish(self) -> Digest {
        let mut digest = [0; 16];
        for (to, from) in digest.iter_mut().zip(self.md5.finalize()) {
            *to = from;
        }
        Digest(digest)
    }
}

/// Looks at a body while it comes.
struct Judge<'a> {
    hasher: Option<Hasher>,
    search: Option<Search<'a>>,
}

impl<'a> Judge<'a> {
    fn of(probe: &'a HttpProbe) -> Self {
        Self {
            hasher: probe.digest.map(|_| Hasher::new()),
            search: probe.regex.as_ref().map(Search::new),
        }
    }
}

impl Sink for Judge<'_> {
    fn head(&mut self, _: &[u8]) {}

    fn body(&mut self, piece: &[u8], content_length: Option<u64>, before: u64) {
        if let Some(hasher) = &mut self.hasher {
            hasher.push(piece, content_length, before);
        }
        if let Some(search) = &mut self.search {
            search.push(piece);
        }
    }
}

pub(super) async fn attempt(endpoint: &Endpoint, probe: &HttpProbe) -> Report {
    let mut judge = Judge::of(probe);
    let request = probe.request(endpoint);
    let (certificate, fetched) = fetch(endpoint, &request, probe.tls.as_ref(), &mut judge).await;
    let mut report = match fetched {
        Ok(reply) => judged(endpoint, probe, judge, &reply),
        Err(Broken::Unable(because)) => {
            Report::unable(because, "WEB socket bind failed. Rescheduling")
        }
        Err(broken) => Report::failure(broken.line(&endpoint.service)),
    };
    report.certificate = certificate;
    report
}

/// The judgement over an answer that came in these pieces and ended there.
pub(super) fn judge<'a>(
    endpoint: &Endpoint,
    probe: &HttpProbe,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Report {
    let mut judge = Judge::of(probe);
    let mut reply = reply::Reply::default();
    for piece in pieces {
        let before = reply.received();
        let Ok(parts) = reply.push(piece) else {
            return Report::failure(Broken::Head.line(&endpoint.service));
        };
        if !parts.body.is_empty() {
            judge.body(parts.body, reply.content_length(), before);
        }
    }
    judged(endpoint, probe, judge, &reply)
}

/// The judgement over a reply that has come to its end.
fn judged(
    endpoint: &Endpoint,
    probe: &HttpProbe,
    judge: Judge<'_>,
    fetched: &reply::Reply,
) -> Report {
    let service = &endpoint.service;
    let Some(status) = fetched.status() else {
        return Report::failure(format!("Read, no data received from  server {service}."));
    };
    let mut lines = Vec::new();
    let digest = judge.hasher.map(Hasher::finish);
    let mut passed = Vec::new();
    // The problem in keepalived's words, and what differs.
    let look = || {
        if !probe.status.contains(status) {
            let wanted = &probe.status;
            let differs = format!("its status is {status}, expected is {wanted}");
            return Some(("HTTP status code error to server", differs));
        }
        passed.push(Mark::Status);
        if let (Some(wanted), Some(digest)) = (probe.digest, digest) {
            if wanted != digest {
                let length = fetched.received();
                let differs = format!(
                    "the MD5 digest of its {length} bytes is {digest}, expected is {wanted}"
                );
                return Some(("MD5 digest error to server", differs));
            }
            passed.push(Mark::Digest);
        }
        if let (Some(mut search), Some(check)) = (judge.search, &probe.regex) {
            let is_good = search.finish();
            lines.append(&mut search.lines);
            if !is_good {
                let found = match check.sense {
                    Sense::Match => "do not match the regex",
                    Sense::NoMatch => "match the regex, which they should not",
                };
                let differs = format!("its {} bytes {found}", fetched.received());
                return Some(("Regex match failed server", differs));
            }
            passed.push(Mark::Regex);
        }
        None
    };
    let mut report = match look() {
        None => Report::new(Outcome::Success),
        Some((problem, differs)) => Report {
            difference: Some(format!("{service} url({}): {differs}", probe.path)),
            ..Report::failure(format!("{problem} {service}."))
        },
    };
    report.lines = lines;
    report.http = Some(HttpReply {
        status,
        content_length: fetched.content_length(),
        received: fetched.received(),
        digest,
        passed,
    });
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_as_keepalived_makes_them() {
        let endpoint = Endpoint::new("RS", "192.0.2.1:8080".parse().unwrap());
        let mut probe = HttpProbe::new("/a b?c");
        assert_eq!(
            probe.request(&endpoint),
            "GET /a b?c HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 192.0.2.1:8080\r\n\r\n"
        );
        probe.version = HttpVersion::V1_0Close;
        let v6 = Endpoint::new("RS", "[2001:db8::1]:80".parse().unwrap());
        assert_eq!(
            probe.request(&v6),
            "GET /a b?c HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\n\
             Host: [2001:db8::1]:80\r\n\r\n"
        );
        probe.version = HttpVersion::V1_1;
        probe.virtualhost = Some("www.example.org".into());
        assert_eq!(
            probe.request(&v6),
            "GET /a b?c HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\n\
             Host: www.example.org\r\n\r\n"
        );
    }

    #[test]
    fn status_codes() {
        let default = StatusCodes::default();
        assert!(default.contains(200) && default.contains(299));
        assert!(!default.contains(199) && !default.contains(300));
        let some = StatusCodes(vec![404..=404, 500..=u16::MAX]);
        assert_eq!(some.to_string(), "404, 500-65535");
        assert!(some.contains(404) && some.contains(599));
        assert!(!some.contains(200) && !some.contains(600));
    }

    #[test]
    fn digests_are_read_and_written() {
        let text = "5eb63bbbe01eeed093cb22bb8f5acdc3";
        let digest: Digest = text.parse().unwrap();
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.to_uppercase().parse(), Ok(digest));
        assert_eq!("5eb6".parse::<Digest>(), Err(ParseDigestError));
        let wrong = text.replace('5', "+");
        assert_eq!(wrong.parse::<Digest>(), Err(ParseDigestError));
        assert_eq!("\u{e9}".repeat(16).parse::<Digest>(), Err(ParseDigestError));
        let mut hasher = Hasher::new();
        hasher.push(b"hello", Some(11), 0);
        hasher.push(b" worldly", Some(11), 5);
        hasher.push(b"things", Some(11), 13);
        assert_eq!(hasher.finish(), digest);
    }
}

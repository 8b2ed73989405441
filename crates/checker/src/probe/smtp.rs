//! `SMTP_CHECK`: greeting, HELO, QUIT.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::socket::{NoConnection, connect_tcp};
use super::{Endpoint, Report};

/// The settings of an `SMTP_CHECK`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SmtpProbe {
    /// `helo_name`.
    pub helo_name: String,
}

/// With keepalived's name.
impl Default for SmtpProbe {
    fn default() -> Self {
        Self {
            helo_name: "smtpchecker.keepalived.org".to_owned(),
        }
    }
}

/// How much of one reply, all its lines together, is read. RFC 5321 §4.5.3.1.5 allows lines of
/// 512 octets; greetings with a page of legal text have been seen.
const LONGEST_REPLY: usize = 64 * 1024;

/// What came instead of a reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NoReply;

/// Takes the octets of one reply (RFC 5321 §4.2) apart, whatever pieces they come in.
///
/// A reply is lines `250-text` and, at its end, `250 text` or just `250`.
#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    /// The first octets of the line being read: code and separator.
    head: Vec<u8>,
    read: usize,
}

impl ReplyReader {
    /// Takes one octet: the code, once the reply is complete.
    pub(super) fn push(&mut self, octet: u8) -> Option<Result<u16, NoReply>> {
        self.read += 1;
        if self.read > LONGEST_REPLY {
            return Some(Err(NoReply));
        }
        if octet != b'\n' {
            if self.head.len() < 4 {
                self.head.push(octet);
            }
            return None;
        }
        let head = std::mem::take(&mut self.head);
        let (digits, separator) = head.split_at_checked(3).unwrap_or((&head, &[]));
        let code = digits
            .iter()
            .try_fold(0, |sum: u16, digit| {
                digit
                    .is_ascii_digit()
                    .then(|| sum * 10 + u16::from(digit - b'0'))
            })
            .filter(|_| digits.len() == 3);
        match (code, separator) {
            (Some(_), [b'-']) => None,
            (Some(code), [] | [b' ' | b'\r']) => Some(Ok(code)),
            _ => Some(Err(NoReply)),
        }
    }
}

/// A dialogue, and how far it got.
struct Dialogue<'a> {
    stream: TcpStream,
    endpoint: &'a Endpoint,
}

/// Why a reply was not what was waited for.
enum Broken {
    Timeout,
    Closed,
    Local(io::Error),
    NoReply,
}

impl Dialogue<'_> {
    /// The code of the next reply.
    async fn reply(&mut self) -> Result<u16, Broken> {
        let mut reader = ReplyReader::default();
        let mut buffer = [0; 512];
        loop {
            let read = self.stream.read(&mut buffer);
            let length = match timeout(self.endpoint.connect_timeout, read).await {
                Err(_) => return Err(Broken::Timeout),
                Ok(Ok(0)) => return Err(Broken::Closed),
                Ok(Ok(length)) => length,
                Ok(Err(error)) if super::socket::is_local(&error) => {
                    return Err(Broken::Local(error));
                }
                Ok(Err(_)) => return Err(Broken::Closed),
            };
            // The other side has nothing to say before it is asked, so what follows a reply is
            // lost without harm.
            let octets = buffer.get(..length).unwrap_or_default();
            if let Some(reply) = octets.iter().find_map(|octet| reader.push(*octet)) {
                return reply.map_err(|NoReply| Broken::NoReply);
            }
        }
    }

    async fn command(&mut self, command: &str) -> Result<(), Broken> {
        let write = self.stream.write_all(command.as_bytes());
        match timeout(self.endpoint.connect_timeout, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Broken::Closed),
            Err(_) => Err(Broken::Timeout),
        }
    }

    /// The whole dialogue; an error with what it is about, if it is about a reply.
    async fn hold(&mut self, helo_name: &str) -> Result<(), (Broken, &'static str)> {
        const GREETING: &str = "Bad greeting banner";
        const HELO: &str = "Bad HELO response";
        expect(self.reply().await, 220, GREETING)?;
        let helo = self.command(&format!("HELO {helo_name}\r\n")).await;
        helo.map_err(|broken| (broken, HELO))?;
        expect(self.reply().await, 250, HELO)?;
        let quit = self.command("QUIT\r\n").await;
        quit.map_err(|broken| (broken, ""))?;
        match self.reply().await {
            // Any line is good enough as a farewell.
            Ok(_) | Err(Broken::NoReply) => Ok(()),
            Err(broken) => Err((broken, "")),
        }
    }
}

/// Only the code `wanted` will do.
fn expect(
    reply: Result<u16, Broken>,
    wanted: u16,
    about: &'static str,
) -> Result<(), (Broken, &'static str)> {
    match reply {
        Ok(code) if code == wanted => Ok(()),
        Ok(_) => Err((Broken::NoReply, about)),
        Err(broken) => Err((broken, about)),
    }
}

pub(super) async fn attempt(endpoint: &Endpoint, probe: &SmtpProbe) -> Report {
    let target = endpoint.target();
    let about = |what: &str| Report::failure(format!("SMTP_CHECK {what} server {target}"));
    let stream = match connect_tcp(endpoint).await {
        Ok(stream) => stream,
        Err(NoConnection::Unable(because)) => {
            return Report::unable(because, "SMTP_CHECK socket bind failed. Rescheduling.");
        }
        Err(NoConnection::Unreachable(_)) => {
            let (address, service) = (endpoint.addr.ip(), endpoint.service.replace(":tcp:", ":"));
            return Report::failure(format!(
                "SMTP_CHECK Network unreachable for server {address} - real server {service}"
            ));
        }
        Err(NoConnection::Failed(_)) => return about("Could not connect to"),
        Err(NoConnection::Timeout) => return about("Connection timeout to"),
    };
    let mut dialogue = Dialogue { stream, endpoint };
    let held = timeout(endpoint.whole(), dialogue.hold(&probe.helo_name)).await;
    match held {
        Ok(Ok(())) => Report::success(),
        Ok(Err((Broken::NoReply, what))) => about(&format!("{what} from")),
        Ok(Err((Broken::Closed, _))) => about("Read failure from"),
        Ok(Err((Broken::Local(error), _))) => Report::unable(
            format!("Checker read failed: {error}"),
            "SMTP_CHECK socket read failed. Rescheduling.",
        ),
        Ok(Err((Broken::Timeout, _))) | Err(_) => about("Read timeout from"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(octets: &[u8]) -> Option<Result<u16, NoReply>> {
        let mut reader = ReplyReader::default();
        octets.iter().find_map(|octet| reader.push(*octet))
    }

    #[test]
    fn replies_of_one_line_and_of_many() {
        for (octets, code) in [
            (&b"220 hi\r\n"[..], Some(Ok(220))),
            (b"220 hi\n", Some(Ok(220))),
            (b"220\r\n", Some(Ok(220))),
            (b"220\n", Some(Ok(220))),
            (b"220-hi\r\n220-\r\n220 there\r\n", Some(Ok(220))),
            (b"220-hi\r\n", None),
            (b"220 hi", None),
            (b"", None),
            (b"2200 hi\r\n", Some(Err(NoReply))),
            (b"22 hi\r\n", Some(Err(NoReply))),
            (b"\r\n", Some(Err(NoReply))),
            (b"\n", Some(Err(NoReply))),
            (b"999 hi\r\n", Some(Ok(999))),
        ] {
            assert_eq!(read(octets), code, "{}", String::from_utf8_lossy(octets));
        }
        assert_eq!(read(&vec![b'x'; LONGEST_REPLY]), None);
        assert_eq!(read(&vec![b'x'; LONGEST_REPLY + 1]), Some(Err(NoReply)));
        let endless = b"220-\r\n".repeat(LONGEST_REPLY);
        assert_eq!(read(&endless), Some(Err(NoReply)));
    }

    proptest! {
        #[test]
        fn no_octets_break_it(octets: Vec<u8>) {
            read(&octets);
        }
    }
}

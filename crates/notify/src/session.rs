//! One mail on one connection: keepalived's dialogue, over lettre.
//!
//! ```text
//!   <- 220          MAIL FROM:<a>   DATA            .
//!   HELO name       RCPT TO:<b>     headers, body   QUIT
//! ```
//!
//! lettre greets with EHLO only and trusts the server to send sane replies. So it talks through
//! [`Wire`], which turns that greeting into HELO and hands on one short, well-formed line for each
//! reply, whatever the server sent.

use std::collections::VecDeque;
use std::error::Error as _;
use std::fmt::{self, Display};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::message::{MailAddress, MailServer, MailSettings, Mailbox, Message};

/// How long a server may take to say goodbye once it has taken the mail.
const FAREWELL: Duration = Duration::from_secs(1);
/// The longest reply, all its lines together.
const LONGEST_REPLY: usize = 64 * 1024;
/// How much of a reply's last line is kept.
const LONGEST_LINE: usize = 500;

/// Why a mail was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The mail server's name cannot be resolved.
    #[error("cannot resolve the SMTP server {name}: {source}; check smtp_server and the resolver")]
    Unresolved {
        /// As configured.
        name: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Nothing accepts connections there.
    #[error("SMTP connection ERROR to {}. {source}; check smtp_server and that it runs", At(*server))]
    Connect {
        /// The server.
        server: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// The server did not answer within `smtp_connect_timeout`.
    #[error("Timeout {} SMTP server {}.", Waiting(step), At(*server))]
    Timeout {
        /// The server.
        server: SocketAddr,
        /// `connecting`, or the command that was not answered.
        step: &'static str,
    },
    /// The server refused a command; 4xx may succeed later, 5xx will not.
    #[error(
        "Error processing {command} cmd on SMTP server {}. SMTP status code = {code} ({text})",
        At(*server)
    )]
    Refused {
        /// The server.
        server: SocketAddr,
        /// The command's verb, or `greeting`.
        command: &'static str,
        /// The reply code.
        code: u16,
        /// What the server said with it.
        text: String,
    },
    /// The connection broke, or the server does not speak SMTP.
    #[error("Error processing {command} cmd on SMTP server {}. {reason}", At(*server))]
    Broken {
        /// The server.
        server: SocketAddr,
        /// The command's verb, or `greeting`.
        command: &'static str,
        /// What went wrong.
        reason: String,
    },
}

/// A server as the log names it.
struct At(SocketAddr);

impl Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]:{}", self.0.ip(), self.0.port())
    }
}

/// The step that took too long, as the log names it.
struct Waiting<'a>(&'a &'static str);

impl Display for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self.0 {
            "connecting" => f.write_str("connecting"),
            command => write!(f, "waiting for the reply to {command} of"),
        }
    }
}

impl MailError {
    /// Whether a later try may succeed.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Refused { code, .. } => *code < 500,
            Self::Unresolved { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Broken { .. } => true,
        }
    }

    /// Whether the next mail would fare no better, whatever it says and whoever it is for.
    #[must_use]
    pub fn is_servers(&self) -> bool {
        !matches!(
            self,
            Self::Refused {
                command: "MAIL" | "RCPT" | "DATA" | "message",
                ..
            }
        )
    }
}

/// What became of a mail that at least one recipient was accepted for.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// The recipients that the server did not want.
    pub(crate) refused: Vec<(MailAddress, MailError)>,
}

/// Brings `message` to the server of `settings`, for the recipients `to`.
pub(crate) async fn deliver(
    settings: &MailSettings,
    to: &[MailAddress],
    message: &Message,
) -> Result<Delivered, MailError> {
    let limit = settings.timeout;
    let (stream, server) = connect(&settings.server, limit).await?;
    tracing::info!("Remote SMTP server {} connected.", At(server));
    let mut session = Session::greet(stream, server, &settings.helo_name, limit).await?;
    let mail = match &settings.from.mailbox {
        Mailbox::Remote(address) => Mail::new(Some(address.clone()), vec![]).to_string(),
        Mailbox::Local(user) => format!("MAIL FROM:<{user}>\r\n"),
    };
    let result = session.send(mail, to, message).await;
    session.quit().await;
    result
}

/// A connection to the first of the server's addresses that takes one.
async fn connect(
    server: &MailServer,
    limit: Duration,
) -> Result<(TcpStream, SocketAddr), MailError> {
    let addresses: Vec<SocketAddr> = match server {
        MailServer::Address(address) => vec![*address],
        MailServer::Name { host, port } => {
            let unresolved = |source| MailError::Unresolved {
                name: host.clone(),
                source,
            };
            let slow = |_| unresolved(io::ErrorKind::TimedOut.into());
            let answer = timeout(limit, lookup_host((host.as_str(), *port))).await;
            answer.map_err(slow)?.map_err(unresolved)?.collect()
        }
    };
    let mut failure = None;
    for server in addresses {
        match timeout(limit, TcpStream::connect(server)).await {
            Ok(Ok(stream)) => return Ok((stream, server)),
            Ok(Err(source)) => failure = Some(MailError::Connect { server, source }),
            Err(_) => {
                failure = Some(MailError::Timeout {
                    server,
                    step: "connecting",
                });
            }
        }
    }
    Err(failure.unwrap_or_else(|| MailError::Unresolved {
        name: match server {
            MailServer::Address(address) => address.to_string(),
            MailServer::Name { host, .. } => host.clone(),
        },
        source: io::ErrorKind::NotFound.into(),
    }))
}

/// A connection on which the greetings have been exchanged.
struct Session {
    smtp: AsyncSmtpConnection,
    server: SocketAddr,
    limit: Duration,
}

impl Session {
    async fn greet(
        stream: TcpStream,
        server: SocketAddr,
        name: &str,
        limit: Duration,
    ) -> Result<Self, MailError> {
        let heard = Arc::new(AtomicBool::new(false));
        let wire = Wire::new(stream, Arc::clone(&heard));
        let name = ClientId::Domain(greeting_name(name));
        let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &name);
        let result = timeout(limit, greeting).await;
        let step = if heard.load(Ordering::Relaxed) {
            "HELO"
        } else {
            "greeting"
        };
        match result {
            Ok(Ok(smtp)) => Ok(Self {
                smtp,
                server,
                limit,
            }),
            Ok(Err(error)) => Err(explain(server, step, &error)),
            Err(_) => Err(MailError::Timeout { server, step }),
        }
    }

    /// Everything between the greeting and the farewell.
    async fn send(
        &mut self,
        mail: String,
        to: &[MailAddress],
        message: &Message,
    ) -> Result<Delivered, MailError> {
        self.command("MAIL", 250, mail).await?;
        let mut refused = Vec::new();
        for address in to {
            let rcpt = match &address.mailbox {
                Mailbox::Remote(address) => Rcpt::new(address.clone(), vec![]).to_string(),
                Mailbox::Local(user) => format!("RCPT TO:<{user}>\r\n"),
            };
            match self.command("RCPT", 250, rcpt).await {
                Ok(_) => {}
                Err(error @ MailError::Refused { code, .. }) if code != 421 => {
                    refused.push((address.clone(), error));
                }
                Err(error) => return Err(error),
            }
        }
        if refused.len() < to.len() {
            self.command("DATA", 354, Data.to_string()).await?;
            let (server, limit) = (self.server, self.limit);
            let reply = within(limit, server, "message", self.smtp.message(&message.text)).await?;
            require(server, "message", 250, reply)?;
        }
        Ok(Delivered { refused })
    }

    /// Sends a command and has `wanted` come back.
    async fn command(
        &mut self,
        verb: &'static str,
        wanted: u16,
        command: String,
    ) -> Result<Response, MailError> {
        let reply = within(self.limit, self.server, verb, self.smtp.command(command)).await?;
        // 251 and 252: taken, too (RFC 5321 §3.4, §4.2.2).
        let taken = verb == "RCPT" && (reply.has_code(251) || reply.has_code(252));
        if taken {
            Ok(reply)
        } else {
            require(self.server, verb, wanted, reply)
        }
    }

    /// The farewell: whatever the server makes of it, the mail is where it is.
    async fn quit(mut self) {
        let _ = timeout(self.limit.min(FAREWELL), self.smtp.command(Quit)).await;
    }
}

async fn within(
    limit: Duration,
    server: SocketAddr,
    command: &'static str,
    exchange: impl Future<Output = Result<Response, SmtpError>>,
) -> Result<Response, MailError> {
    match timeout(limit, exchange).await {
        Ok(reply) => reply.map_err(|error| explain(server, command, &error)),
        Err(_) => Err(MailError::Timeout {
            server,
            step: command,
        }),
    }
}

/// lettre takes any 2xx or 3xx for a yes; each command has its own.
fn require(
    server: SocketAddr,
    command: &'static str,
    wanted: u16,
    reply: Response,
) -> Result<Response, MailError> {
    if reply.has_code(wanted) {
        return Ok(reply);
    }
    let reason = format!(
        "unexpected reply {} to it, instead of {wanted}",
        reply.code()
    );
    Err(MailError::Broken {
        server,
        command,
        reason,
    })
}

/// What lettre's error means.
fn explain(server: SocketAddr, command: &'static str, error: &SmtpError) -> MailError {
    let reason = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    match error.status() {
        Some(code) => MailError::Refused {
            server,
            command,
            code: code.into(),
            text: reason,
        },
        None => MailError::Broken {
            server,
            command,
            reason,
        },
    }
}

/// A name that is one word on one line.
fn greeting_name(name: &str) -> String {
    let word: String = name.chars().filter(char::is_ascii_graphic).collect();
    if word.is_empty() {
        "localhost".into()
    } else {
        word
    }
}

/// The TCP connection as lettre is to see it.
#[derive(Debug)]
struct Wire {
    tcp: TcpStream,
    replies: Replies,
    /// How many bytes were written in all.
    written: usize,
    /// Set once lettre has heard the server's greeting and answers it.
    heard: Arc<AtomicBool>,
}

/// What the first four bytes become; lettre writes `EHLO`.
const HELO: [u8; 4] = *b"HELO";

impl Wire {
    fn new(tcp: TcpStream, heard: Arc<AtomicBool>) -> Self {
        Self {
            tcp,
            replies: Replies::default(),
            written: 0,
            heard,
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.peer_addr()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { tcp, replies, .. } = self.get_mut();
        while replies.ready.is_empty() {
            let mut chunk = [0; 512];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut *tcp).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(())); // the server hung up
            }
            replies.feed(chunk.filled())?;
        }
        while buf.remaining() > 0
            && let Some(byte) = replies.ready.pop_front()
        {
            buf.put_slice(&[byte]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wire = self.get_mut();
        wire.heard.store(true, Ordering::Relaxed);
        let rest = HELO.get(wire.written..).unwrap_or_default();
        let n = if rest.is_empty() {
            ready!(Pin::new(&mut wire.tcp).poll_write(cx, buf))?
        } else {
            let greeting: Vec<u8> = rest
                .iter()
                .chain(buf.iter().skip(rest.len()))
                .copied()
                .take(buf.len())
                .collect();
            ready!(Pin::new(&mut wire.tcp).poll_write(cx, &greeting))?
        };
        wire.written += n;
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}

/// Makes one short, well-formed line of each reply.
///
/// Of a reply in many lines the last one is kept. Lines may end in LF alone, hold any byte, and
/// have nothing after the code. A reply without end is an error, not a full memory.
#[derive(Debug, Default)]
struct Replies {
    /// The beginning of the line that is being read.
    line: Vec<u8>,
    /// Bytes of the reply that is being read.
    length: usize,
    /// Lines for lettre.
    ready: VecDeque<u8>,
}

impl Replies {
    fn feed(&mut self, bytes: &[u8]) -> io::Result<()> {
        for &byte in bytes {
            self.length += 1;
            if self.length > LONGEST_REPLY {
                let text = format!("the reply is longer than {LONGEST_REPLY} bytes");
                return Err(io::Error::other(text));
            }
            match byte {
                b'\n' => self.end_of_line()?,
                b'\r' => {}
                byte if self.line.len() < LONGEST_LINE => {
                    let is_text = byte == b' ' || byte.is_ascii_graphic();
                    self.line.push(if is_text { byte } else { b'?' });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn end_of_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let (code, rest) = line.split_at(line.len().min(3));
        if code.len() < 3 || !code.iter().all(u8::is_ascii_digit) {
            let text = format!("`{}` is no SMTP reply", String::from_utf8_lossy(&line));
            return Err(io::Error::other(text));
        }
        if rest.first() == Some(&b'-') {
            return Ok(()); // more lines follow
        }
        self.length = 0;
        self.ready.extend(code);
        self.ready.push_back(b' ');
        // lettre looks for a host name in the reply to its greeting.
        let text = rest.trim_ascii();
        self.ready.extend(if text.is_empty() { b"-" } else { text });
        self.ready.extend(b"\r\n");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Result<String, String> {
        let mut replies = Replies::default();
        for chunk in chunks {
            replies.feed(chunk).map_err(|error| error.to_string())?;
        }
        Ok(String::from_utf8(replies.ready.into()).unwrap())
    }

    #[test]
    fn replies_are_tamed() {
        for (sent, read) in [
            (&b"250 ok\r\n"[..], "250 ok\r\n"),
            (b"250 ok\n", "250 ok\r\n"),
            (b"250\r\n", "250 -\r\n"),
            (b"250-one\r\n250-two\r\n250 three\r\n", "250 three\r\n"),
            (b"220 gr\xfc\xdfe\x00\r\n", "220 gr??e?\r\n"),
            (b"220 a\r\n250 b\r\n", "220 a\r\n250 b\r\n"),
            (b"25", ""),
        ] {
            assert_eq!(lines(&[sent]).unwrap(), read);
            let bytes: Vec<&[u8]> = sent.chunks(1).collect();
            assert_eq!(lines(&bytes).unwrap(), read, "byte by byte");
        }
    }

    #[test]
    fn what_is_no_reply_is_said_so() {
        assert_eq!(
            lines(&[b"hello\r\n"]).unwrap_err(),
            "`hello` is no SMTP reply"
        );
        assert_eq!(lines(&[b"\r\n"]).unwrap_err(), "`` is no SMTP reply");
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let endless = vec![b'x'; LONGEST_REPLY + 1];
        assert!(
            lines(&[b"250 ", &endless])
                .unwrap_err()
                .contains("longer than")
        );
        let continued = b"250-x\r\n".repeat(LONGEST_REPLY / 7 + 1);
        assert!(lines(&[&continued]).unwrap_err().contains("longer than"));
        let long = [b"250 ".as_slice(), &[b'x'; 2000], b"\r\n"].concat();
        assert!(lines(&[&long]).unwrap().len() < LONGEST_LINE + 10);
    }

    #[test]
    fn greeting_names_are_one_word() {
        assert_eq!(greeting_name("lb1.example.org"), "lb1.example.org");
        assert_eq!(greeting_name("a b\r\nDATA"), "abDATA");
        assert_eq!(greeting_name("\n"), "localhost");
    }

    #[test]
    fn later_is_no_use_after_a_five() {
        let server = "192.0.2.25:25".parse().unwrap();
        let refused = |command, code| MailError::Refused {
            server,
            command,
            code,
            text: "5.7.1 no".into(),
        };
        assert!(!refused("RCPT", 550).retryable());
        assert!(refused("RCPT", 450).retryable());
        assert!(refused("greeting", 421).is_servers());
        assert!(!refused("RCPT", 450).is_servers());
        assert_eq!(
            refused("RCPT", 550).to_string(),
            "Error processing RCPT cmd on SMTP server [192.0.2.25]:25. \
             SMTP status code = 550 (5.7.1 no)"
        );
        assert_eq!(
            MailError::Timeout {
                server,
                step: "connecting"
            }
            .to_string(),
            "Timeout connecting SMTP server [192.0.2.25]:25."
        );
    }
}

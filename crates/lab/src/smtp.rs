//! A mail server for tests: speaks SMTP well, slowly, rudely or not at all, and keeps every word.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::node::Node;
use crate::process::locked;

/// How a server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    /// As RFC 5321 wants it.
    Good,
    /// As of old: knows HELO, answers 502 to EHLO.
    HeloOnly,
    /// Accepts the connection and never says a word.
    Silent,
    /// Greets, and refuses every recipient with 550.
    Rude,
    /// Greets with a hundred kilobytes of nonsense and hangs up.
    Garbage,
}

/// One connection, as the client spoke.
#[derive(Clone, Debug, Default)]
pub struct SmtpSession {
    /// Every command line, in order.
    pub commands: Vec<String>,
    /// The message behind DATA, dots unstuffed, lines joined by `\n`; `None` if none was accepted.
    pub message: Option<String>,
}

impl SmtpSession {
    /// The value of a header of the message.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let message = self.message.as_ref()?;
        message
            .lines()
            .take_while(|line| !line.is_empty())
            .find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
    }

    /// The text behind the headers.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.message
            .as_ref()?
            .split_once("\n\n")
            .map(|(_, body)| body)
    }
}

type Sessions = Arc<(Mutex<Vec<SmtpSession>>, Condvar)>;

/// A server in a node's network namespace. Stops on drop.
#[derive(Debug)]
pub struct Smtp {
    sessions: Sessions,
    stop: Arc<AtomicBool>,
    server: Option<JoinHandle<()>>,
}

impl Smtp {
    /// Listens on `address` (such as `127.0.0.1:25`) inside `node`.
    ///
    /// # Panics
    /// If the address is taken.
    #[track_caller]
    #[must_use]
    pub fn start(node: &Node, address: &str, manners: Manners) -> Self {
        let listener = match node.in_net(|| TcpListener::bind(address)) {
            Ok(listener) => listener,
            Err(error) => panic!("{}: cannot listen on {address}: {error}", node.name()),
        };
        let sessions = Sessions::default();
        let stop = Arc::new(AtomicBool::new(false));
        let server = std::thread::spawn({
            let (sessions, stop) = (Arc::clone(&sessions), Arc::clone(&stop));
            move || {
                if listener.set_nonblocking(true).is_err() {
                    return;
                }
                // What is silent must stay open.
                let mut kept = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    match listener.accept() {
                        Ok((client, _)) if manners == Manners::Silent => {
                            kept.push(client);
                            record(&sessions, SmtpSession::default());
                        }
                        Ok((client, _)) => {
                            let sessions = Arc::clone(&sessions);
                            std::thread::spawn(move || {
                                let mut session = SmtpSession::default();
                                serve(&client, manners, &mut session).ok();
                                record(&sessions, session);
                            });
                        }
                        Err(_) => crate::pause(Duration::from_millis(5)),
                    }
                }
            }
        });
        Self {
            sessions,
            stop,
            server: Some(server),
        }
    }

    /// The connections that have ended, in the order of their ends.
    #[must_use]
    pub fn sessions(&self) -> Vec<SmtpSession> {
        locked(&self.sessions.0).clone()
    }

    /// Waits for a message whose subject contains `part`.
    ///
    /// # Panics
    /// With what came instead, when the deadline passes first.
    #[track_caller]
    pub fn wait_for(&self, part: &str, deadline: Duration) -> SmtpSession {
        let until = Instant::now() + deadline;
        let mut sessions = locked(&self.sessions.0);
        loop {
            let wanted =
                |one: &&SmtpSession| one.header("Subject").is_some_and(|s| s.contains(part));
            if let Some(session) = sessions.iter().find(wanted) {
                return session.clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let came = format!("{:#?}", *sessions);
                drop(sessions);
                panic!("no mail about `{part}` within {deadline:?}; what came: {came}");
            }
            sessions = self
                .sessions
                .1
                .wait_timeout(sessions, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(sessions, _)| sessions);
        }
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(server) = self.server.take() {
            server.join().ok();
        }
    }
}

fn record(sessions: &Sessions, session: SmtpSession) {
    locked(&sessions.0).push(session);
    sessions.1.notify_all();
}

/// One dialogue, from the greeting to QUIT.
fn serve(client: &TcpStream, manners: Manners, session: &mut SmtpSession) -> std::io::Result<()> {
    client.set_nonblocking(false)?;
    client.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut out = client;
    if manners == Manners::Garbage {
        return out.write_all(&[b'x'; 100_000]);
    }
    // Two lines: a client that takes the first for the whole answer gets out of step.
    out.write_all(b"220-mail.example.org ESMTP\r\n220 at your service\r\n")?;
    let mut lines = BufReader::new(client).lines();
    while let Some(line) = lines.next() {
        let line = line?;
        session.commands.push(line.clone());
        let verb = line.split(' ').next().unwrap_or("").to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" if manners == Manners::HeloOnly => b"502 no such command\r\n",
            "EHLO" => b"250-mail.example.org\r\n250-SIZE 1000000\r\n250 8BITMIME\r\n",
            "RCPT" if manners == Manners::Rude => b"550 go away\r\n",
            "HELO" | "MAIL" | "RCPT" | "RSET" | "NOOP" => b"250 fine\r\n",
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                let mut message = String::new();
                for line in lines.by_ref() {
                    let line = line?;
                    if line == "." {
                        break;
                    }
                    message.push_str(line.strip_prefix('.').unwrap_or(&line));
                    message.push('\n');
                }
                session.message = Some(message);
                b"250 taken\r\n"
            }
            "QUIT" => {
                out.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => b"500 what?\r\n",
        };
        out.write_all(answer)?;
    }
    Ok(())
}

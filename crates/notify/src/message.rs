//! A mail as bytes, and the settings that go into it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use crate::alert::Alert;

/// An address as configured: bare, or with a name (`Ops <ops@example.org>`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAddress {
    /// What stands in the header, as it was written.
    header: String,
    /// What stands between the angle brackets of `MAIL FROM` and `RCPT TO`.
    mailbox: String,
}

/// Why a text is no mail address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no mail address: {reason}")]
pub struct BadAddress {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl FromStr for MailAddress {
    type Err = BadAddress;
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        Ok(Self {
            header: text.to_owned(),
            mailbox: text.to_owned(),
        })
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.header)
    }
}

/// Where mail goes (`smtp_server`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailServer {
    /// A numeric address.
    Address(SocketAddr),
    /// A name, resolved anew for each mail, away from the VRRP loop.
    Name {
        /// The host's name.
        host: String,
        /// TCP port.
        port: u16,
    },
}

/// All that the mails of one configuration have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// The mail server.
    pub server: MailServer,
    /// The name given in the greeting (`smtp_helo_name`, else [`local_host_name`]).
    pub helo_name: String,
    /// The sender (`notification_email_from`, else [`default_sender`]).
    pub from: MailAddress,
    /// The recipients (`notification_email`); no mail is sent when there are none.
    pub to: Vec<MailAddress>,
    /// What stands in brackets at the head of the subject (`router_id`, else the host's name).
    pub router_id: String,
    /// How long the server may take to connect, and then to answer each command
    /// (`smtp_connect_timeout`).
    pub timeout: Duration,
}

/// A mail, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Headers, blank line and body; every line ends in CRLF.
    pub text: Vec<u8>,
}

/// The mail that `alert` becomes under `settings`, dated `date`.
#[must_use]
pub fn render(alert: &Alert, settings: &MailSettings, date: &str) -> Message {
    let _ = (alert, settings, date);
    Message { text: Vec::new() }
}

/// `now` as the `Date` header has it, in the local time zone.
#[must_use]
pub fn date_header(now: SystemTime) -> String {
    let _ = now;
    String::new()
}

/// The sender when none is configured: the name of the daemon's user at `host`.
#[must_use]
pub fn default_sender(host: &str) -> MailAddress {
    let text = format!("root@{host}");
    MailAddress {
        header: text.clone(),
        mailbox: text,
    }
}

/// The host's name, `localhost` if it has none.
#[must_use]
pub fn local_host_name() -> String {
    String::from("localhost")
}

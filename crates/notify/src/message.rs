//! A mail as bytes, and the settings that go into it.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local};
use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue, Headers};
use nix::unistd::{User, geteuid, gethostname};

use crate::alert::Alert;

/// The longest header line that is left alone: mail systems may cut lines beyond 998 bytes.
const LONGEST_LINE: usize = 900;

/// An address as configured: bare, or with a name (`Ops <ops@example.org>`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAddress {
    /// What stands in the header, as it was written.
    header: String,
    /// What stands between the angle brackets of `MAIL FROM` and `RCPT TO`.
    pub(crate) mailbox: Mailbox,
}

/// Where a mail goes or comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mailbox {
    /// `user@domain`.
    Remote(Address),
    /// A user of the mail server's own, without a domain.
    Local(String),
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

    /// Takes what keepalived takes, as long as a mail server can be told of it: also addresses
    /// without a domain, and domains that are mere host names.
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let header = text.trim();
        let bad = |reason| BadAddress {
            text: text.to_owned(),
            reason,
        };
        if header.chars().any(char::is_control) {
            return Err(bad("it holds a control character"));
        }
        let inner = match header.split_once('<') {
            None => header,
            Some((_, rest)) => rest
                .strip_suffix('>')
                .ok_or_else(|| bad("there is no `>` at its end"))?,
        };
        if inner.is_empty() {
            return Err(bad("it is empty"));
        }
        if !inner.is_ascii() {
            return Err(bad("it is not ASCII; write its domain in punycode"));
        }
        if inner.contains([' ', '<', '>', ',']) {
            return Err(bad("it holds a blank, a comma or an angle bracket"));
        }
        let mailbox = match (inner.parse(), inner.rsplit_once('@')) {
            (Ok(address), _) => Mailbox::Remote(address),
            (Err(_), None) => Mailbox::Local(inner.to_owned()),
            (Err(_), Some(("", _) | (_, ""))) => {
                return Err(bad("user or domain is missing beside the `@`"));
            }
            // Host names with an underscore, for one: the server may know better.
            (Err(_), Some((user, domain))) => Mailbox::Remote(Address::new_dangerous(user, domain)),
        };
        Ok(Self {
            header: header.to_owned(),
            mailbox,
        })
    }
}

/// As it was written.
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
    /// Headers, blank line and body; every line ends in CRLF. Not yet dot-stuffed.
    pub text: Vec<u8>,
}

/// The mail that `alert` becomes under `settings`, dated `date`.
///
/// Headers, in this order: Date, From, Subject, X-Mailer, To (one recipient a line); addresses as
/// they were written. What is not ASCII is encoded (RFC 2047) in headers and declared (MIME
/// headers at the end) in the body; a mail in ASCII has neither.
#[must_use]
pub fn render(alert: &Alert, settings: &MailSettings, date: &str) -> Message {
    let subject = format!("[{}] {}", settings.router_id, alert.subject);
    let mut headers = Headers::new();
    headers.insert_raw(header("Date", date));
    headers.insert_raw(header("From", &settings.from.header));
    headers.insert_raw(header("Subject", &subject));
    headers.insert_raw(header("X-Mailer", "Keepalived"));
    headers.insert_raw(recipients(&settings.to));
    if alert.body.iter().any(|line| !line.is_ascii()) {
        headers.insert_raw(header("MIME-Version", "1.0"));
        headers.insert_raw(header("Content-Type", "text/plain; charset=utf-8"));
        headers.insert_raw(header("Content-Transfer-Encoding", "8bit"));
    }
    let mut text = format!("{headers}\r\n");
    for line in alert.body.iter().flat_map(|lines| lines.lines()) {
        // A CR of its own would be taken for half an end of line.
        text.push_str(&line.replace('\r', " "));
        text.push_str("\r\n");
    }
    Message {
        text: text.into_bytes(),
    }
}

/// A header line. No value can start another one.
fn header(name: &'static str, value: &str) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str(name);
    let value = one_line(value);
    if value.is_ascii() && value.len() <= LONGEST_LINE {
        HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value)
    } else {
        HeaderValue::new(name, value)
    }
}

/// The `To` header: folded behind every comma, as keepalived 2.4 does.
fn recipients(to: &[MailAddress]) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("To");
    let list: Vec<String> = to.iter().map(|address| one_line(&address.header)).collect();
    let plain = list.join(", ");
    if plain.is_ascii() {
        HeaderValue::dangerous_new_pre_encoded(name, plain, list.join(",\r\n "))
    } else {
        HeaderValue::new(name, plain)
    }
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// `now` as the `Date` header has it, in the local time zone.
pub(crate) fn date_header(now: SystemTime) -> String {
    DateTime::<Local>::from(now)
        .format("%a, %d %b %Y %H:%M:%S %z")
        .to_string()
}

/// The sender when none is configured: the name of the daemon's user at `host`.
#[must_use]
pub fn default_sender(host: &str) -> MailAddress {
    let user = User::from_uid(geteuid())
        .ok()
        .flatten()
        .map(|user| user.name);
    let text = format!("{}@{host}", user.as_deref().unwrap_or("root"));
    // A host name of characters that no address may hold is of no use to anyone.
    text.parse().unwrap_or_else(|_| MailAddress {
        header: "keepalived".into(),
        mailbox: Mailbox::Local("keepalived".into()),
    })
}

/// The host's name, `localhost` if it has none.
#[must_use]
pub fn local_host_name() -> String {
    let name = gethostname().ok().and_then(|name| name.into_string().ok());
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Source, State, Transition};

    fn settings(to: &[&str]) -> MailSettings {
        MailSettings {
            server: MailServer::Address("192.0.2.25:25".parse().unwrap()),
            helo_name: "vm".into(),
            from: "ka@example.org".parse().unwrap(),
            to: to.iter().map(|to| to.parse().unwrap()).collect(),
            router_id: "LVS1".into(),
            timeout: Duration::from_secs(30),
        }
    }

    fn master() -> Alert {
        let source = Source::Instance("VI_1".into());
        Alert::transition(
            &Transition {
                source,
                state: State::Master,
                priority: 100,
            },
            None,
        )
    }

    fn text(alert: &Alert, settings: &MailSettings) -> String {
        let date = "Sat, 21 Nov 2026 03:23:37 +0000";
        String::from_utf8(render(alert, settings, date).text).unwrap()
    }

    #[test]
    fn headers_and_body_are_keepaliveds_to_the_byte() {
        assert_eq!(
            text(
                &master(),
                &settings(&["ops@example.org", "second@example.org"])
            ),
            "Date: Sat, 21 Nov 2026 03:23:37 +0000\r\n\
             From: ka@example.org\r\n\
             Subject: [LVS1] VRRP Instance VI_1 - Entering MASTER state\r\n\
             X-Mailer: Keepalived\r\n\
             To: ops@example.org,\r\n second@example.org\r\n\
             \r\n\
             => VRRP Instance is now owning VRRP VIPs <=\r\n"
        );
    }

    #[test]
    fn nothing_can_smuggle_in_a_header_or_half_a_line() {
        let mut settings = settings(&["ops@example.org"]);
        settings.router_id = "a\r\nBcc: all@example.org\n\nb".into();
        let mut alert = master();
        alert.body = vec!["one\rtwo\nthree".into()];
        let text = text(&alert, &settings);
        let (headers, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(!headers.contains("\r\nBcc"), "{headers}");
        assert_eq!(body, "one two\r\nthree\r\n");
    }

    #[test]
    fn only_what_is_not_ascii_is_encoded() {
        let mut settings = settings(&["Jörg <j@example.org>"]);
        settings.router_id = "Zürich".into();
        let alert = Alert {
            body: vec!["Übernahme".into()],
            ..master()
        };
        let text = text(&alert, &settings);
        let (headers, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(headers.is_ascii(), "{headers}");
        assert!(headers.contains("Subject: =?utf-8?b?"), "{headers}");
        assert!(headers.contains("<j@example.org>"), "{headers}");
        assert!(
            headers.ends_with(
                "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
                 Content-Transfer-Encoding: 8bit"
            ),
            "{headers}"
        );
        assert_eq!(body, "Übernahme\r\n");
    }

    #[test]
    fn no_line_is_too_long_for_a_mail_server() {
        let mut settings = settings(&["ops@example.org"]);
        settings.router_id = "long ".repeat(1000);
        let text = text(&master(), &settings);
        assert!(text.lines().all(|line| line.len() < 998));
    }

    #[test]
    fn addresses_are_bare_or_named() {
        for (text, mailbox) in [
            ("a@example.org", "a@example.org"),
            ("Ops <ops@example.org>", "ops@example.org"),
            ("root@my_host", "root@my_host"),
            ("root@localhost", "root@localhost"),
            ("root", "root"),
        ] {
            let address: MailAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
            let found = match &address.mailbox {
                Mailbox::Remote(address) => address.to_string(),
                Mailbox::Local(user) => user.clone(),
            };
            assert_eq!(found, mailbox);
        }
    }

    #[test]
    fn what_no_server_could_be_told_is_refused() {
        for text in [
            "",
            "<>",
            "a@",
            "@b",
            "Ops <a@b",
            "a b@c",
            "a@b\r\nDATA",
            "j@zürich.example",
        ] {
            assert!(text.parse::<MailAddress>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn dates_carry_the_local_zone_in_figures() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_231_417);
        let text = date_header(now);
        let read = DateTime::parse_from_rfc2822(&text).unwrap();
        assert_eq!(read.timestamp(), 1_795_231_417);
        assert_eq!(
            text.len(),
            "Sat, 21 Nov 2026 03:23:37 +0000".len(),
            "{text}"
        );
    }

    #[test]
    fn the_default_sender_is_this_user_at_this_host() {
        let sender = default_sender("lb1.example.org").to_string();
        assert!(sender.ends_with("@lb1.example.org"), "{sender}");
        assert!(!local_host_name().is_empty());
    }
}

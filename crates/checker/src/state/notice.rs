//! What scripts, FIFO readers and people with a mailbox are told.

use core::fmt;

use super::cause::Cause;
use super::event::Quorum;
use super::name::{Endpoint, VirtualName};

/// Up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Health {
    /// It serves.
    Up,
    /// It does not.
    Down,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "UP",
            Self::Down => "DOWN",
        })
    }
}

/// Whom a notice is about. The names are those of the configuration that was in force before a
/// reload if the reload removed them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A virtual server: `quorum_up`, `quorum_down`.
    Quorum(VirtualName),
    /// A real server of one virtual server: `notify_up`, `notify_down`.
    Real {
        /// The virtual server.
        virtual_server: VirtualName,
        /// The real server.
        real: Endpoint,
    },
}

/// A script to run if there is one, and a line for `lvs_notify_fifo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// About whom.
    pub subject: Subject,
    /// What it is now.
    pub health: Health,
    /// Why.
    pub cause: Cause,
}

/// The FIFO line without its end: `VS [192.0.2.1]:tcp:80 UP`.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let health = self.health;
        match &self.subject {
            Subject::Quorum(name) => write!(f, "VS {name} {health}"),
            Subject::Real {
                virtual_server,
                real,
            } => write!(f, "RS {real} {virtual_server} {health}"),
        }
    }
}

/// A mail to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// About whom.
    pub subject: Subject,
    /// What it is now.
    pub health: Health,
    /// What the body says.
    pub body: MailBody,
}

impl Mail {
    /// The subject line behind the router's id: `Realserver ... of virtual server ... - UP`.
    #[must_use]
    pub fn subject_line(&self) -> String {
        let health = self.health;
        match &self.subject {
            Subject::Quorum(name) => format!("Virtualserver {name} - {health}"),
            Subject::Real {
                virtual_server,
                real,
            } => format!("Realserver {real} of virtual server {virtual_server} - {health}"),
        }
    }
}

/// What a mail says; `Display` is the body's one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailBody {
    /// A check changed its mind, in words: `TCP CHECK failed on service`.
    Check(String),
    /// The real server leaves the configuration.
    Removing,
    /// The daemon stops.
    ShuttingDown,
    /// The quorum was gained or lost.
    Quorum(Quorum),
    /// The quorum at start.
    Starting(Quorum),
}

impl fmt::Display for MailBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(text) => write!(f, "=> {text} <="),
            Self::Removing => f.write_str("=> Removing <="),
            Self::ShuttingDown => f.write_str("=> Shutting down <="),
            Self::Quorum(quorum) => write!(f, "=> {} {} <=", quorum.verb(), quorum.sum()),
            Self::Starting(quorum) => {
                let state = match quorum.health {
                    Health::Up => "up",
                    Health::Down => "down",
                };
                write!(f, "=> Starting with quorum {state} {} <=", quorum.sum())
            }
        }
    }
}

//! What the load balancer says to the log. `Display` is the line people grep for.

use core::fmt;
use std::sync::Arc;

use crate::outcome::Failure;

use super::check::{Kind, Proof};
use super::name::{Endpoint, ServiceKey, VirtualName};
use super::notice::Health;

/// A real server and the virtual server it serves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The real server.
    pub real: Endpoint,
    /// The virtual server.
    pub virtual_server: VirtualName,
}

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Always logged.
    Info,
    /// Logged with `--log-detail` only.
    Detail,
}

/// What became of a check that probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Activity {
    /// It runs from now on.
    Activating,
    /// It does not run yet: the service's address is not here.
    Deactivating,
    /// It runs no longer: the service's address left.
    Suspending,
}

/// What happened to a place in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// Put in.
    Adding,
    /// Taken out.
    Removing,
    /// Given its weight back (`inhibit_on_failure`).
    Enabling,
    /// Given weight 0 (`inhibit_on_failure`).
    Disabling,
}

/// Quorum arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// Whether there is one now.
    pub health: Health,
    /// `quorum`.
    pub quorum: u32,
    /// `hysteresis`.
    pub hysteresis: u32,
    /// The weight of the servers that are alive.
    pub weight: u64,
    /// Whether a Down compares with the upper threshold: at start there is no quorum to lose.
    pub at_start: bool,
}

impl Quorum {
    pub(super) const fn verb(&self) -> &'static str {
        match self.health {
            Health::Up => "Gained quorum",
            Health::Down => "Lost quorum",
        }
    }

    /// `Q+H=T <= W` or `Q-H=T > W`.
    pub(super) fn sum(&self) -> String {
        let (q, h, w) = (
            u64::from(self.quorum),
            u64::from(self.hysteresis),
            self.weight,
        );
        match (self.health, self.at_start) {
            (Health::Up, _) => format!("{q}+{h}={} <= {w}", q + h),
            (Health::Down, true) => format!("{q}+{h}={} > {w}", q + h),
            (Health::Down, false) => format!("{q}-{h}={} > {w}", q.saturating_sub(h)),
        }
    }
}

/// How far an attempt that failed has brought its check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It was up and may try again: this was attempt `attempt` (from 1) of `retry + 1`.
    Retrying {
        /// Which attempt.
        attempt: u32,
    },
    /// It is down now, after all retries.
    Exhausted,
    /// It is down now, at once: its first round, or no retries configured.
    AtOnce,
}

/// A log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A check starts or ceases to run.
    Check {
        /// Which of the two.
        activity: Activity,
        /// For whom.
        place: Place,
    },
    /// A check that was up failed.
    Failed {
        /// Which check.
        kind: Kind,
        /// For whom.
        place: Place,
        /// What the attempt found.
        failure: Failure,
        /// Its `retry`.
        retry: u32,
        /// How far it has come.
        course: Course,
    },
    /// An attempt failed, in the words of the probe (`log_all_failures`).
    Attempt {
        /// Which check.
        kind: Kind,
        /// For whom.
        place: Place,
        /// What it found.
        failure: Failure,
    },
    /// A check succeeded that was down or had not run before.
    Succeeded {
        /// Which check.
        kind: Kind,
        /// For whom.
        place: Place,
    },
    /// One URL of an HTTP check that is down proved good; one line a proof.
    UrlSucceeded {
        /// The URL's path.
        path: Arc<str>,
        /// What it passed.
        proof: Proof,
        /// For whom.
        place: Place,
    },
    /// An attempt could not be made.
    Unable {
        /// Which check.
        kind: Kind,
        /// For whom.
        place: Place,
        /// Why not.
        reason: String,
    },
    /// A real server's place in the pool.
    Real {
        /// What happened.
        change: Move,
        /// To whom.
        place: Place,
    },
    /// A weight changed.
    Weight {
        /// Before.
        from: u32,
        /// Now.
        to: u32,
        /// Whether the server is alive.
        health: Health,
        /// Whose.
        place: Place,
    },
    /// The quorum was gained or lost, or is missing at start.
    Quorum {
        /// The arithmetic.
        quorum: Quorum,
        /// Whose.
        virtual_server: VirtualName,
    },
    /// The sorry server's place in the pool.
    Sorry {
        /// What happened.
        change: Move,
        /// Which server.
        sorry: Endpoint,
        /// Whose.
        virtual_server: VirtualName,
    },
    /// The alive servers are put in or taken out, because the sorry server goes or comes.
    Alive {
        /// [`Move::Adding`] or [`Move::Removing`].
        change: Move,
        /// Whose.
        virtual_server: VirtualName,
    },
    /// A real server is not in the new configuration.
    NoLongerExists(Endpoint),
    /// A virtual server is not in the new configuration.
    RemovingVirtualServer(VirtualName),
    /// No virtual server uses the group any more.
    RemovingGroup(Arc<str>),
    /// A group's entry came or went.
    Entry {
        /// [`Move::Adding`] or [`Move::Removing`].
        change: Move,
        /// Which one.
        entry: ServiceKey,
        /// The virtual server that uses the group.
        virtual_server: VirtualName,
    },
    /// At stop, one line a real server.
    ShuttingDown {
        /// Who.
        place: Place,
        /// Whether it is there with weight 0 only.
        inhibited: bool,
    },
}

impl Event {
    /// How loud it is.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Failed {
                kind: Kind::File { .. },
                ..
            }
            | Self::Succeeded {
                kind: Kind::File { .. },
                ..
            } => Level::Detail,
            _ => Level::Info,
        }
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Activating => "Activating",
            Self::Deactivating => "Deactivating",
            Self::Suspending => "Suspending",
        })
    }
}

impl Move {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Adding => ("Adding", "to"),
            Self::Removing => ("Removing", "from"),
            Self::Enabling => ("Enabling", "of"),
            Self::Disabling => ("Disabling", "of"),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check {
                activity,
                place:
                    Place {
                        real,
                        virtual_server,
                    },
            } => write!(
                f,
                "{activity} healthchecker for service {real} for VS {virtual_server}"
            ),
            Self::Failed {
                kind,
                place,
                failure,
                retry,
                course,
            } => failed(f, kind, place, failure, *retry, *course),
            Self::Attempt { failure, .. } => f.write_str(&failure.0),
            Self::Succeeded { kind, place } => succeeded(f, kind, place),
            Self::UrlSucceeded { path, proof, place } => {
                let proof = match proof {
                    Proof::Status => "HTTP status code",
                    Proof::Digest => "MD5 digest",
                    Proof::Regex => "Regex match",
                };
                write!(f, "{proof} success to {} url({path})", place.real)
            }
            Self::Unable { reason, .. } => f.write_str(reason),
            Self::Real {
                change,
                place:
                    Place {
                        real,
                        virtual_server,
                    },
            } => {
                let (verb, preposition) = change.words();
                write!(f, "{verb} service {real} {preposition} VS {virtual_server}")
            }
            Self::Weight {
                from,
                to,
                health,
                place:
                    Place {
                        real,
                        virtual_server,
                    },
            } => {
                let state = match health {
                    Health::Up => "active",
                    Health::Down => "inactive",
                };
                write!(
                    f,
                    "Changing weight from {from} to {to} for {state} service {real} of VS \
                     {virtual_server}"
                )
            }
            Self::Quorum {
                quorum,
                virtual_server,
            } => {
                let verb = match (quorum.health, quorum.at_start) {
                    (Health::Down, true) => "Starting with quorum down",
                    _ => quorum.verb(),
                };
                write!(f, "{verb} {} for VS {virtual_server}", quorum.sum())
            }
            Self::Sorry {
                change,
                sorry,
                virtual_server,
            } => {
                let (verb, _) = change.words();
                let preposition = match change {
                    Move::Adding | Move::Enabling => "to",
                    Move::Removing | Move::Disabling => "from",
                };
                write!(
                    f,
                    "{verb} sorry server {sorry} {preposition} VS {virtual_server}"
                )
            }
            Self::Alive {
                change,
                virtual_server,
            } => {
                let (verb, preposition) = change.words();
                write!(
                    f,
                    "{verb} alive servers {preposition} the pool for VS {virtual_server}"
                )
            }
            Self::NoLongerExists(real) => write!(f, "service {real} no longer exist"),
            Self::RemovingVirtualServer(name) => write!(f, "Removing Virtual Server {name}"),
            Self::RemovingGroup(name) => write!(f, "Removing Virtual Server Group [{name}]"),
            Self::Entry {
                change,
                entry,
                virtual_server,
            } => {
                let group = match virtual_server {
                    VirtualName::Group { name, .. } => name.to_string(),
                    other => other.to_string(),
                };
                match change {
                    Move::Adding | Move::Enabling => {
                        write!(f, "VS [{entry}] added into group {group}")
                    }
                    Move::Removing | Move::Disabling => {
                        write!(f, "VS [{entry}] in group {group} no longer exists")
                    }
                }
            }
            Self::ShuttingDown {
                place:
                    Place {
                        real,
                        virtual_server,
                    },
                inhibited,
            } => {
                let inhibited = if *inhibited { " (inhibited)" } else { "" };
                write!(
                    f,
                    "Shutting down{inhibited} service {real} from VS {virtual_server}"
                )
            }
        }
    }
}

/// The words of a probe that ended a script for taking too long.
pub(super) const TIMED_OUT: &str = "timed out";

/// What log lines call a check: not quite its keyword.
const fn label(kind: &Kind) -> &'static str {
    match kind {
        Kind::Tcp => "TCP_CHECK",
        Kind::Udp => "UDP_CHECK",
        Kind::Ping => "ICMP CHECK",
        Kind::Http(_) => "HTTP_CHECK",
        Kind::Ssl(_) => "SSL_CHECK",
        Kind::Smtp => "SMTP_CHECK",
        Kind::Dns => "DNS_CHECK",
        Kind::Misc { .. } => "MISC_CHECK",
        Kind::Bfd { .. } => "BFD_CHECK",
        Kind::File { .. } => "FILE_CHECK",
    }
}

fn failed(
    f: &mut fmt::Formatter<'_>,
    kind: &Kind,
    place: &Place,
    failure: &Failure,
    retry: u32,
    course: Course,
) -> fmt::Result {
    let Place {
        real,
        virtual_server,
    } = place;
    let after = |f: &mut fmt::Formatter<'_>| match course {
        Course::Exhausted => write!(f, " failed after {retry} retries."),
        Course::AtOnce | Course::Retrying { .. } => f.write_str(" failed."),
    };
    match kind {
        Kind::Ping => {
            write!(f, "ICMP CHECK on service {real}")?;
            if course == Course::Exhausted {
                write!(f, " of {virtual_server}")?;
            }
            after(f)
        }
        Kind::Http(_) | Kind::Ssl(_) if retry > 0 => {
            write!(
                f,
                "{} on service {real} failed after {retry} retries.",
                label(kind)
            )
        }
        Kind::Smtp => f.write_str(&failure.0),
        Kind::Dns => {
            f.write_str(&failure.0)?;
            match course {
                Course::Exhausted => write!(f, " after {retry} retries"),
                Course::AtOnce | Course::Retrying { .. } => Ok(()),
            }
        }
        Kind::Misc { script } => {
            write!(
                f,
                "Misc check for [{real} VS {virtual_server}] by [{script}] {}",
                if failure.0 == TIMED_OUT {
                    TIMED_OUT
                } else {
                    "failed"
                }
            )?;
            let plural = |n: u32| if n == 1 { "retry" } else { "retries" };
            match course {
                Course::Retrying { attempt: 1 } => {
                    write!(f, ", will do {retry} {}", plural(retry))?;
                }
                Course::Retrying { attempt } => write!(f, " on retry {}/{retry}", attempt - 1)?,
                Course::AtOnce | Course::Exhausted if retry == 0 => {
                    f.write_str(" with retry disabled")?;
                }
                Course::AtOnce | Course::Exhausted => {
                    write!(f, " after {retry} {}", plural(retry))?;
                }
            }
            if failure.0 == TIMED_OUT {
                f.write_str(".")
            } else {
                write!(f, " ({failure}).")
            }
        }
        Kind::Bfd { session } => write!(f, "BFD check of [{session}] RS({real}) is DOWN"),
        Kind::File { file, .. } => {
            write!(f, "({real}): tracked file {file} now FAULT state")
        }
        kind => {
            write!(f, "{} on service {real}", label(kind))?;
            after(f)
        }
    }
}

fn succeeded(f: &mut fmt::Formatter<'_>, kind: &Kind, place: &Place) -> fmt::Result {
    let Place {
        real,
        virtual_server,
    } = place;
    match kind {
        Kind::Tcp => write!(f, "TCP connection to {real} success."),
        Kind::Udp => write!(f, "UDP connection to {real} success."),
        Kind::Ping => write!(f, "ICMP connection to {real} success."),
        Kind::Http(_) | Kind::Ssl(_) => {
            write!(f, "Remote Web server {real} succeed on service.")
        }
        Kind::Smtp => write!(f, "Remote SMTP server {real} succeed on service."),
        Kind::Dns => write!(f, "DNS_CHECK ({real}) success"),
        Kind::Misc { script } => write!(
            f,
            "Misc check for [{real} VS {virtual_server}] by [{script}] succeeded."
        ),
        Kind::Bfd { session } => write!(f, "BFD check of [{session}] RS({real}) is UP"),
        Kind::File { file, .. } => {
            write!(f, "({real}): tracked file {file} leaving FAULT state")
        }
    }
}

//! Why an instance changed its state, typed, and as a sentence.

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;
use std::sync::Arc;

use rk_base::{Family, Priority};

use crate::tracking::TrackerKind;

/// What keeps an instance in FAULT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultReason {
    /// A tracked thing without weight is bad, or a file says -254 or less.
    Tracker {
        /// What kind of thing.
        kind: TrackerKind,
        /// Its name.
        name: Arc<str>,
        /// What was said about it ("exited with status 1").
        detail: Option<Arc<str>>,
    },
    /// The sending interface has no address to send from.
    NoSourceAddress {
        /// The family that is missing.
        family: Family,
    },
    /// Another member of the sync group is in FAULT.
    Group {
        /// The group.
        group: Arc<str>,
        /// The member.
        member: Arc<str>,
    },
}

impl fmt::Display for FaultReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tracker {
                kind: TrackerKind::Interface,
                name,
                detail: None,
            } => {
                write!(f, "interface {name} down")
            }
            Self::Tracker {
                kind,
                name,
                detail: None,
            } => write!(f, "{kind} {name} failed"),
            Self::Tracker {
                kind,
                name,
                detail: Some(detail),
            } => {
                write!(f, "{kind} {name}: {detail}")
            }
            Self::NoSourceAddress { family } => write!(f, "no {family} address for interface"),
            Self::Group { group, member } => {
                write!(f, "member {member} of sync group {group} is in FAULT")
            }
        }
    }
}

/// Why an instance changed its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It started.
    Startup,
    /// It started and owns its addresses (priority 255).
    Owner,
    /// The scripts it waited for have all spoken.
    ScriptsKnown,
    /// Nothing acceptable was heard for a whole Master_Down_Interval.
    Silence {
        /// The Master heard last, and its priority.
        last_heard: Option<(IpAddr, Priority)>,
        /// Since the wait began: the last accepted advert, or the start.
        silence: Duration,
        /// How late the timer was.
        late: Duration,
    },
    /// The Master of lower priority was heard to the last, and not listened to: we preempt it.
    Preempting {
        /// The Master.
        from: IpAddr,
        /// Its priority.
        theirs: Priority,
        /// Ours.
        ours: Priority,
        /// Since the wait began.
        silence: Duration,
        /// How late the timer was.
        late: Duration,
    },
    /// The Master said priority 0, and nobody better spoke for a Skew_Time.
    MasterLeft {
        /// Who left.
        from: IpAddr,
        /// How late the timer was.
        late: Duration,
    },
    /// As Master, an advert of higher priority.
    HigherPriority {
        /// Who sent it.
        from: IpAddr,
        /// Its priority.
        theirs: Priority,
        /// Ours.
        ours: Priority,
    },
    /// As Master, an advert of our priority from a greater address.
    HigherAddress {
        /// Who sent it.
        from: IpAddr,
        /// The priority of both.
        priority: Priority,
    },
    /// Two routers own the same addresses, and the other one wins.
    OwnerConflict {
        /// The other one.
        from: IpAddr,
    },
    /// Something it needs is gone.
    Fault(FaultReason),
    /// Nothing is missing any more.
    Recovered,
    /// Somebody removed a virtual address of ours.
    AddressRemoved {
        /// Which one.
        address: IpAddr,
    },
    /// The address was restored after it had been removed.
    AddressRestored {
        /// Which one.
        address: IpAddr,
        /// How late the timer was.
        late: Duration,
    },
    /// The sync group moved it.
    Group {
        /// The group.
        group: Arc<str>,
        /// The member that moved first.
        member: Arc<str>,
    },
    /// The configuration was read again.
    Reload,
    /// The daemon stops.
    Shutdown,
    /// It is no longer in the configuration.
    Deleted,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Startup => f.write_str("started"),
            Self::Owner => f.write_str("started as the address owner (priority 255)"),
            Self::ScriptsKnown => f.write_str("all tracked scripts have reported"),
            Self::Silence {
                last_heard: Some((from, priority)),
                silence,
                late,
            } => {
                write!(
                    f,
                    "no advert from {from} (priority {priority}) for {}{}",
                    Span(*silence),
                    Late(*late)
                )
            }
            Self::Silence {
                last_heard: None,
                silence,
                late,
            } => {
                write!(f, "no master heard for {}{}", Span(*silence), Late(*late))
            }
            Self::Preempting {
                from,
                theirs,
                ours,
                silence,
                late,
            } => {
                write!(
                    f,
                    "taking over from {from} with lower priority {theirs}, ours {ours}, \
                     nobody better heard for {}{}",
                    Span(*silence),
                    Late(*late)
                )
            }
            Self::MasterLeft { from, late } => {
                write!(f, "{from} gave up with priority 0{}", Late(*late))
            }
            Self::HigherPriority { from, theirs, ours } => {
                write!(
                    f,
                    "advert from {from} with higher priority {theirs}, ours {ours}"
                )
            }
            Self::HigherAddress { from, priority } => {
                write!(
                    f,
                    "advert from {from} with our priority {priority} and a higher address"
                )
            }
            Self::OwnerConflict { from } => {
                write!(f, "{from} also claims to own the addresses (priority 255)")
            }
            Self::Fault(reason) => reason.fmt(f),
            Self::Recovered => f.write_str("everything tracked is good again"),
            Self::AddressRemoved { address } => {
                write!(f, "virtual address {address} was removed by somebody else")
            }
            Self::AddressRestored { address, late } => {
                write!(
                    f,
                    "putting back {address}, which somebody else removed{}",
                    Late(*late)
                )
            }
            Self::Group { group, member } => {
                write!(f, "sync group {group} follows its member {member}")
            }
            Self::Reload => f.write_str("the configuration was reloaded"),
            Self::Shutdown => f.write_str("the daemon stops"),
            Self::Deleted => f.write_str("no longer configured"),
        }
    }
}

/// A duration in seconds with milliseconds.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} s", self.0.as_secs(), self.0.subsec_millis())
    }
}

/// How late a timer was, if that was long enough to matter.
struct Late(Duration);

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < Duration::from_millis(1) {
            return Ok(());
        }
        write!(f, " (timer {} late)", Span(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_read_as_sentences() {
        let from: IpAddr = "192.0.2.1".parse().unwrap();
        let ms = Duration::from_millis;
        let script = FaultReason::Tracker {
            kind: TrackerKind::Script,
            name: "chk".into(),
            detail: Some("exited with status 1".into()),
        };
        for (cause, sentence) in [
            (Cause::Startup, "started"),
            (
                Cause::Silence {
                    last_heard: Some((from, Priority::new(150))),
                    silence: ms(3610),
                    late: Duration::from_micros(900),
                },
                "no advert from 192.0.2.1 (priority 150) for 3.610 s",
            ),
            (
                Cause::Silence {
                    last_heard: None,
                    silence: ms(3610),
                    late: ms(12),
                },
                "no master heard for 3.610 s (timer 0.012 s late)",
            ),
            (
                Cause::Preempting {
                    from,
                    theirs: Priority::new(90),
                    ours: Priority::new(100),
                    silence: ms(3609),
                    late: ms(0),
                },
                "taking over from 192.0.2.1 with lower priority 90, ours 100, \
                 nobody better heard for 3.609 s",
            ),
            (
                Cause::MasterLeft { from, late: ms(0) },
                "192.0.2.1 gave up with priority 0",
            ),
            (Cause::Fault(script), "script chk: exited with status 1"),
            (
                Cause::Fault(FaultReason::NoSourceAddress { family: Family::V6 }),
                "no IPv6 address for interface",
            ),
            (
                Cause::Group {
                    group: "G".into(),
                    member: "VI_2".into(),
                },
                "sync group G follows its member VI_2",
            ),
        ] {
            assert_eq!(cause.to_string(), sentence);
        }
    }
}

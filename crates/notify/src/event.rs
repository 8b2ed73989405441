//! Whose state became what, in the words that scripts, pipes and mails use.

use std::fmt;
use std::sync::Arc;

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A VRRP instance, by name.
    Instance(Arc<str>),
    /// A VRRP sync group, by name.
    Group(Arc<str>),
    /// A virtual or real server, by the name that log lines have.
    Server(Arc<str>),
}

impl Source {
    /// The word that scripts and pipes see before the name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Instance(_) => "INSTANCE",
            Self::Group(_) => "GROUP",
            Self::Server(_) => "SERVER",
        }
    }

    /// The configured name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Instance(name) | Self::Group(name) | Self::Server(name) => name,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A state as the outside is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Owns the addresses.
    Master,
    /// Waits for the master to fall silent.
    Backup,
    /// Cannot take part.
    Fault,
    /// The daemon ends.
    Stop,
    /// Taken out of the configuration by a reload.
    Deleted,
}

impl State {
    /// The word that scripts and pipes see.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Master => "MASTER",
            Self::Backup => "BACKUP",
            Self::Fault => "FAULT",
            Self::Stop => "STOP",
            Self::Deleted => "DELETED",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Whose.
    pub source: Source,
    /// To what.
    pub state: State,
    /// The effective priority then; meaningless for a group, which always reports 0.
    pub priority: u8,
}

impl Transition {
    /// What the generic script gets after its configured words: `INSTANCE NAME STATE PRIO`, or
    /// `GROUP NAME STATE 0`.
    #[must_use]
    pub fn arguments(&self) -> [String; 4] {
        [
            self.source.kind().to_owned(),
            self.source.name().to_owned(),
            self.state.word().to_owned(),
            self.reported_priority().to_string(),
        ]
    }

    /// The line on a pipe, newline included: `INSTANCE "NAME" STATE PRIO`.
    #[must_use]
    pub fn line(&self) -> String {
        let (kind, name) = (self.source.kind(), self.source.name());
        format!(
            "{kind} \"{name}\" {} {}\n",
            self.state,
            self.reported_priority()
        )
    }

    fn reported_priority(&self) -> u8 {
        match self.source {
            Source::Instance(_) => self.priority,
            Source::Group(_) | Source::Server(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_report_their_priority_and_groups_nought() {
        let instance = Transition {
            source: Source::Instance("VI_1".into()),
            state: State::Master,
            priority: 150,
        };
        assert_eq!(instance.arguments(), ["INSTANCE", "VI_1", "MASTER", "150"]);
        assert_eq!(instance.line(), "INSTANCE \"VI_1\" MASTER 150\n");
        let group = Transition {
            source: Source::Group("G".into()),
            state: State::Fault,
            priority: 150,
        };
        assert_eq!(group.arguments(), ["GROUP", "G", "FAULT", "0"]);
        assert_eq!(group.line(), "GROUP \"G\" FAULT 0\n");
    }
}

//! What a mail says, and whether it is worth sending.

use std::collections::HashMap;

use crate::event::{Source, State, Transition};

/// The contents of one alert mail, before router id, date and addresses are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Mails of one source are sent in order; those of different sources overtake each other.
    pub source: String,
    /// The subject after `[ROUTER_ID] `.
    pub subject: String,
    /// The lines of the body.
    pub body: Vec<String>,
}

impl Alert {
    /// The mail about `transition`, with one more line for its `cause` if there is one.
    #[must_use]
    pub fn transition(transition: &Transition, cause: Option<&str>) -> Self {
        let kind = match transition.source {
            Source::Instance(_) => "Instance",
            Source::Group(_) => "Group",
            Source::Server(_) => "Server",
        };
        let what = match transition.state {
            State::Master => "Entering MASTER state",
            State::Backup => "Entering BACKUP state",
            State::Fault => "Entering FAULT state",
            State::Stop => "Stopping",
            State::Deleted => "Deleted",
        };
        let source = format!("VRRP {kind} {}", transition.source);
        let first = format!("=> {} <=", Self::explanation(transition));
        let cause = cause.map(|cause| format!("Cause: {cause}"));
        Self {
            subject: format!("{source} - {what}"),
            source,
            body: std::iter::once(first).chain(cause).collect(),
        }
    }

    /// What stands between the arrows.
    fn explanation(transition: &Transition) -> String {
        match (&transition.source, transition.state) {
            (Source::Instance(_), State::Master) => "VRRP Instance is now owning VRRP VIPs".into(),
            (Source::Instance(_), State::Backup | State::Fault) => {
                "VRRP Instance is no longer owning VRRP VIPs".into()
            }
            (Source::Instance(_), State::Stop) => "VRRP Instance stopping".into(),
            (_, State::Deleted) => "VRRP Deleted at reload".into(),
            (_, State::Stop) => "All VRRP group instances are now stopping".into(),
            (_, state) => {
                format!("All VRRP group instances are now in {state} state")
            }
        }
    }
}

/// Which state of each instance and group was mailed last.
///
/// A mail goes out only when the state differs from that. Keep it across reloads, so that a
/// reload that changes nothing mails nothing. Do not ask it about a transition that is not to be
/// mailed anyway (`no_email_faults`, no `smtp_alert`): it would count as mailed.
#[derive(Debug, Default)]
pub struct Mailed(HashMap<Source, State>);

impl Mailed {
    /// Whether `transition` differs from what was mailed last about its source; from now on it
    /// counts as mailed.
    #[must_use]
    pub fn is_news(&mut self, transition: &Transition) -> bool {
        let before = self.0.insert(transition.source.clone(), transition.state);
        before != Some(transition.state)
    }

    /// Forgets `source`, which is no longer configured.
    pub fn forget(&mut self, source: &Source) {
        self.0.remove(source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transition(source: Source, state: State) -> Transition {
        Transition {
            source,
            state,
            priority: 100,
        }
    }

    #[test]
    fn subjects_and_bodies_are_keepaliveds() {
        use State::{Backup, Deleted, Fault, Master, Stop};
        let instance = || Source::Instance("X".into());
        let group = || Source::Group("G".into());
        for (source, state, subject, body) in [
            (
                instance(),
                Master,
                "VRRP Instance X - Entering MASTER state",
                "=> VRRP Instance is now owning VRRP VIPs <=",
            ),
            (
                instance(),
                Backup,
                "VRRP Instance X - Entering BACKUP state",
                "=> VRRP Instance is no longer owning VRRP VIPs <=",
            ),
            (
                instance(),
                Fault,
                "VRRP Instance X - Entering FAULT state",
                "=> VRRP Instance is no longer owning VRRP VIPs <=",
            ),
            (
                instance(),
                Stop,
                "VRRP Instance X - Stopping",
                "=> VRRP Instance stopping <=",
            ),
            (
                instance(),
                Deleted,
                "VRRP Instance X - Deleted",
                "=> VRRP Deleted at reload <=",
            ),
            (
                group(),
                Master,
                "VRRP Group G - Entering MASTER state",
                "=> All VRRP group instances are now in MASTER state <=",
            ),
            (
                group(),
                Fault,
                "VRRP Group G - Entering FAULT state",
                "=> All VRRP group instances are now in FAULT state <=",
            ),
            (
                group(),
                Stop,
                "VRRP Group G - Stopping",
                "=> All VRRP group instances are now stopping <=",
            ),
        ] {
            let alert = Alert::transition(&transition(source, state), None);
            assert_eq!(alert.subject, subject);
            assert_eq!(alert.body, [body]);
        }
    }

    #[test]
    fn the_cause_stands_below() {
        let t = transition(Source::Instance("X".into()), State::Fault);
        let alert = Alert::transition(&t, Some("interface eth0 is down"));
        assert_eq!(alert.body.last().unwrap(), "Cause: interface eth0 is down");
    }

    #[test]
    fn only_a_changed_state_is_news() {
        let mut mailed = Mailed::default();
        let source = Source::Instance("X".into());
        assert!(mailed.is_news(&transition(source.clone(), State::Backup)));
        assert!(!mailed.is_news(&transition(source.clone(), State::Backup)));
        assert!(mailed.is_news(&transition(source.clone(), State::Master)));
        assert!(mailed.is_news(&transition(Source::Group("X".into()), State::Master)));
        mailed.forget(&source);
        assert!(mailed.is_news(&transition(source, State::Master)));
    }
}

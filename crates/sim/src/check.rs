//! Nothing without a cause: what every single answer of a core has to satisfy.

use core::time::Duration;

use rk_base::{Instant, Priority};
use rk_vrrp::{Cause, Input, Output, State, Transition};

use crate::world::Node;

/// What kind of input it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Start,
    Packet,
    /// The timer of the protocol was due, or not.
    Timer {
        due: bool,
    },
    Stalled,
    Tracker,
    Source,
    AddressLost,
    Reload,
    Stop,
}

/// What was so before an input.
#[derive(Debug)]
pub(crate) struct Before {
    now: Instant,
    kind: Kind,
    state: State,
    down_interval: Duration,
}

impl Before {
    pub(crate) fn new(node: &Node, now: Instant, input: &Input<'_>) -> Self {
        let router = node.router();
        let kind = match input {
            Input::Start => Kind::Start,
            Input::Packet { .. } => Kind::Packet,
            Input::Timer => Kind::Timer {
                due: router.read_timeout().is_some_and(|t| t <= now),
            },
            Input::Stalled { .. } => Kind::Stalled,
            Input::Tracker { .. } => Kind::Tracker,
            Input::SourceAddress(_) => Kind::Source,
            Input::AddressLost(_) => Kind::AddressLost,
            Input::Reload(_) => Kind::Reload,
            Input::Stop { .. } => Kind::Stop,
        };
        let down_interval = router.master_down_interval();
        Self {
            now,
            kind,
            state: router.state(),
            down_interval,
        }
    }

    /// What is wrong with the answer, if anything.
    pub(crate) fn judge(&self, node: &Node, out: &[Output]) -> Option<String> {
        let transitions: Vec<&Transition> = out
            .iter()
            .filter_map(|o| match o {
                Output::Transition(t) => Some(t),
                _ => None,
            })
            .collect();
        let complain = |what: &str| Some(format!("{what} ({self:?}): {out:#?}"));

        let mut state = self.state;
        for t in &transitions {
            if t.from != state || t.from == t.to {
                return complain("a transition that does not follow the last one");
            }
            state = t.to;
            if let Some(wrong) = self.wrong_cause(node, t) {
                return complain(wrong);
            }
        }
        if state != node.router().state() {
            return complain("a state that no transition told");
        }
        if node.addresses != (state == State::Master) {
            return complain("the addresses are not where the state is");
        }

        let left = transitions.iter().any(|t| t.from == State::Master);
        let entered = transitions.iter().any(|t| t.to == State::Master);
        for output in out {
            let Output::Send(packet) = output else {
                continue;
            };
            let caused = if packet.priority == Priority::LEAVING {
                left
            } else {
                entered
                    || self.state == State::Master
                        && match self.kind {
                            Kind::Packet | Kind::Reload => true,
                            Kind::Timer { due } => due,
                            _ => false,
                        }
            };
            if !caused {
                return complain("an advert without a cause");
            }
        }
        let due = node.router().due();
        if matches!(self.kind, Kind::Timer { .. }) && due.is_some_and(|due| due <= self.now) {
            return complain("a served timer is due again");
        }
        None
    }

    /// Whether the reason that a transition gives cannot be true.
    fn wrong_cause(&self, node: &Node, t: &Transition) -> Option<&'static str> {
        let in_time = matches!(self.kind, Kind::Timer { due: true });
        let right = match &t.cause {
            Cause::Startup | Cause::Owner => self.kind == Kind::Start,
            Cause::Silence { silence, .. } | Cause::Preempting { silence, .. } => {
                in_time && *silence >= self.down_interval
            }
            Cause::MasterLeft { from, .. } => in_time && node.goodbyes.contains(from),
            Cause::AddressRestored { .. } => in_time,
            Cause::HigherPriority { theirs, ours, .. } => {
                self.kind == Kind::Packet && theirs > ours
            }
            Cause::HigherAddress { from, .. } | Cause::OwnerConflict { from } => {
                self.kind == Kind::Packet && node.router().source() != Some(*from)
            }
            Cause::Fault(_) | Cause::Recovered => {
                matches!(
                    self.kind,
                    Kind::Tracker | Kind::Source | Kind::Reload | Kind::Start
                )
            }
            Cause::AddressRemoved { .. } => self.kind == Kind::AddressLost,
            Cause::ScriptsKnown => self.kind == Kind::Tracker,
            Cause::Reload => self.kind == Kind::Reload,
            Cause::Shutdown | Cause::Deleted => self.kind == Kind::Stop,
            Cause::Group { .. } => false,
        };
        (!right).then_some("a cause that cannot be")
    }
}

//! What a sync group may ask of its members.

use rk_base::Instant;

use super::backup::Wait;
use super::{Instance, State};
use crate::cause::{Cause, FaultReason};
use crate::output::Output;

/// An order of the sync group.
#[derive(Clone, Debug)]
pub(crate) enum Follow {
    /// Every member wants to be Master: be it, for this reason unless there is an own one.
    Master(Cause),
    /// Another member is Backup.
    Backup(Cause),
    /// Another member is in FAULT, or no other one any more.
    Fault(Option<FaultReason>),
}

impl Instance {
    /// Does what the sync group decided.
    pub(crate) fn follow(&mut self, now: Instant, order: Follow, out: &mut Vec<Output>) {
        match order {
            Follow::Master(cause) => {
                if self.state == State::Backup {
                    let cause = self.wish.take().unwrap_or(cause);
                    self.become_master(now, cause, out);
                }
            }
            Follow::Backup(cause) => {
                if self.state == State::Master {
                    // The peers of this member have heard nothing yet: without the priority 0
                    // they would wait for a whole Master_Down_Interval.
                    self.send_priority_zero(now, 1, out);
                    self.enter_backup(now, Wait::down(now), cause, out);
                }
            }
            Follow::Fault(reason) => {
                self.group_fault = reason;
                self.obey_faults(now, out);
            }
        }
    }

    /// Another member of the group heard a Master of lower priority: hosts may have been told
    /// the wrong thing about our addresses as well.
    pub(crate) fn follow_announcement(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.announce_lower_priority(now, out);
    }

    /// Whether the group holds this member in FAULT.
    pub(crate) const fn group_fault(&self) -> Option<&FaultReason> {
        self.group_fault.as_ref()
    }
}

//! When neighbours are told where the addresses are.

use core::time::Duration;

use rk_base::Instant;

use super::{Instance, State};
use crate::output::{Announce, AnnounceReason, Output};

/// The bursts still to come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Announcements {
    delayed: Option<Instant>,
    refresh: Option<Instant>,
    lower_priority: Option<Instant>,
}

impl Announcements {
    pub(super) fn due(&self) -> Option<Instant> {
        [self.delayed, self.refresh, self.lower_priority]
            .into_iter()
            .flatten()
            .min()
    }
}

/// The instant `delay` from `now`, unless there is to be none.
fn after(now: Instant, delay: Duration) -> Option<Instant> {
    (delay > Duration::ZERO).then(|| now + delay)
}

/// Takes a deadline that has come.
fn take_due(deadline: &mut Option<Instant>, now: Instant) -> bool {
    deadline.take_if(|t| *t <= now).is_some()
}

impl Instance {
    /// The burst on becoming Master, and the plan for those that follow.
    pub(super) fn announce_master(&mut self, now: Instant, out: &mut Vec<Output>) {
        let garp = self.settings.garp;
        announce(garp.master_repeat, AnnounceReason::Master, out);
        self.announcements.delayed = after(now, garp.master_delay);
        self.announcements.refresh =
            after(now, garp.master_refresh).map(|first| first + garp.master_delay);
    }

    /// The burst after a Master of lower priority was heard. Another one while the second
    /// burst is still to come does not put that off.
    pub(super) fn announce_lower_priority(&mut self, now: Instant, out: &mut Vec<Output>) {
        let garp = self.settings.garp;
        if self.state != State::Master || garp.lower_prio_repeat == 0 {
            return;
        }
        announce(garp.lower_prio_repeat, AnnounceReason::LowerPriority, out);
        if self.announcements.lower_priority.is_none() {
            self.announcements.lower_priority = after(now, garp.lower_prio_delay);
        }
    }

    /// Sends every burst whose time has come.
    pub(super) fn announce_due(&mut self, now: Instant, out: &mut Vec<Output>) {
        let garp = self.settings.garp;
        let plan = &mut self.announcements;
        if take_due(&mut plan.delayed, now) {
            announce(garp.master_repeat, AnnounceReason::MasterDelayed, out);
        }
        if take_due(&mut plan.refresh, now) {
            plan.refresh = after(now, garp.master_refresh);
            announce(garp.master_refresh_repeat, AnnounceReason::Refresh, out);
        }
        if take_due(&mut plan.lower_priority, now) {
            announce(
                garp.lower_prio_repeat,
                AnnounceReason::LowerPriorityDelayed,
                out,
            );
        }
    }
}

fn announce(repeat: u32, reason: AnnounceReason, out: &mut Vec<Output>) {
    if repeat > 0 {
        out.push(Output::Announce(Announce { repeat, reason }));
    }
}

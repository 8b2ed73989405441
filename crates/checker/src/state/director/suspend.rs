//! `ha_suspend`: checks run only while an address of their service is on this host. And the
//! beginning and end of checks altogether.

use core::net::IpAddr;

use rk_base::Instant;

use crate::state::event::{Activity, Event};
use crate::state::input::{CheckId, Whereabouts};
use crate::state::output::Output;
use crate::state::table::{Phase, RealId};

use super::{Director, Stage};

impl Director {
    pub(super) fn address(
        &mut self,
        now: Instant,
        addr: IpAddr,
        whereabouts: Whereabouts,
        out: &mut Vec<Output>,
    ) {
        let changed = match whereabouts {
            Whereabouts::Here => self.addresses.insert(addr),
            Whereabouts::Gone => self.addresses.remove(&addr),
        };
        if !changed {
            return;
        }
        for index in self.suspended_by.get(&addr).cloned().unwrap_or_default() {
            let active = self.should_be_active(index);
            if std::mem::replace(&mut self.virtuals[index].active, active) != active
                && self.stage == Stage::Running
            {
                let activity = if active {
                    Activity::Activating
                } else {
                    Activity::Suspending
                };
                self.log_activity(index, activity, out);
                self.follow_activity(now, index, out);
            }
        }
    }

    /// Whether the checks of a virtual server should run. A service without an address (a mark)
    /// is served wherever its packets are.
    pub(super) fn should_be_active(&self, index: usize) -> bool {
        let set = &self.virtuals[index].set;
        let mut addresses = set.entries.iter().filter_map(|entry| entry.addr());
        let Some(first) = addresses.next().filter(|_| set.ha_suspend) else {
            return true;
        };
        self.addresses.contains(&first) || addresses.any(|addr| self.addresses.contains(&addr))
    }

    /// Which virtual server depends on which address, read off the settings again.
    pub(super) fn index_addresses(&mut self) {
        self.suspended_by.clear();
        for (index, one) in self.virtuals.iter().enumerate() {
            if one.set.ha_suspend {
                for addr in one.set.entries.iter().filter_map(|entry| entry.addr()) {
                    let waiting = self.suspended_by.entry(addr).or_default();
                    if waiting.last() != Some(&index) {
                        waiting.push(index);
                    }
                }
            }
        }
    }

    /// Says for each check of a virtual server what becomes of it.
    pub(super) fn log_activity(&self, index: usize, activity: Activity, out: &mut Vec<Output>) {
        let one = &self.virtuals[index];
        for (real, set) in one.reals.iter().enumerate() {
            for check in &set.checks {
                if self.checks[*check].set.kind.probes() {
                    let place = one.place(real);
                    Self::log(Event::Check { activity, place }, out);
                }
            }
        }
    }

    /// Sets the checks of a virtual server going or to rest, as its activity says.
    pub(super) fn follow_activity(&mut self, now: Instant, index: usize, out: &mut Vec<Output>) {
        for real in 0..self.virtuals[index].reals.len() {
            for check in self.virtuals[index].reals[real].checks.clone() {
                self.follow(now, check, out);
            }
        }
    }

    /// Sets one check going or to rest. A shared one runs while one of its servers wants it.
    pub(super) fn follow(&mut self, now: Instant, check: CheckId, out: &mut Vec<Output>) {
        let one = &self.checks[check];
        let wanted = |member: &RealId| self.virtuals[member.virtual_server].active;
        let runs = one.set.kind.probes() && one.members.iter().any(wanted);
        match (runs, one.phase) {
            (true, Phase::Resting) => self.schedule_first(now, check),
            (false, Phase::Waiting(_) | Phase::Running(..)) => {
                self.checks[check].found.retries = 0;
                self.rest(check, out);
            }
            (true, _) | (false, Phase::Resting) => {}
        }
    }
}

//! Trackers: what they make of the priority, and into FAULT and out of it.

use rk_base::{Instant, Priority};

use super::backup::Wait;
use super::{Instance, State};
use crate::cause::{Cause, FaultReason};
use crate::event::Occurrence;
use crate::output::{Addresses, Announce, AnnounceReason, Output};
use crate::tracking::{self, Effect};

impl Instance {
    /// What each tracker does at the moment.
    fn effects(&self) -> impl Iterator<Item = Effect> {
        let pairs = self.settings.trackers.iter().zip(&self.readings);
        pairs.map(|(tracker, (reading, _))| tracking::effect(tracker, *reading))
    }

    /// Total and effective priority, from the inputs alone.
    pub(super) fn ranked(&self) -> (i32, Priority) {
        let base = self.settings.priority;
        if self.demoted {
            return (254, Priority::new(254));
        }
        let total = tracking::total_priority(base, self.effects());
        (total, tracking::effective_priority(base, total))
    }

    /// Whether a script that decides between health and fault has not spoken yet.
    pub(super) fn waiting(&self) -> bool {
        self.effects().any(|e| e == Effect::Waiting)
    }

    /// How many such scripts there are (`Number of track scripts init`).
    #[must_use]
    pub fn scripts_init(&self) -> usize {
        self.effects().filter(|e| *e == Effect::Waiting).count()
    }

    /// What keeps the instance in FAULT, or will bring it there.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultReason> {
        let mut faults = self.own_faults();
        faults.extend(self.group_fault.clone());
        faults
    }

    /// The same without what is the sync group's doing.
    pub(crate) fn own_faults(&self) -> Vec<FaultReason> {
        let pairs = self.settings.trackers.iter().zip(self.effects());
        let mut faults: Vec<_> = pairs
            .zip(&self.readings)
            .filter(|((_, effect), _)| *effect == Effect::Fault)
            .map(|((tracker, _), (_, detail))| FaultReason::Tracker {
                kind: tracker.kind,
                name: tracker.name.clone(),
                detail: detail.clone(),
            })
            .collect();
        if self.source().is_none() {
            faults.push(FaultReason::NoSourceAddress {
                family: self.settings.family,
            });
        }
        faults
    }

    /// A tracker, or the source address, is not what it was.
    pub(super) fn track(&mut self, now: Instant, out: &mut Vec<Output>) {
        let before = self.effective;
        (self.total, self.effective) = self.ranked();
        if before != self.effective && self.started {
            self.log(
                Occurrence::EffectivePriority {
                    from: before,
                    to: self.effective,
                },
                out,
            );
            out.push(Output::PriorityChanged {
                from: before,
                to: self.effective,
            });
        }
        self.obey_faults(now, out);
    }

    /// Moves into FAULT, out of it, or out of INIT, as the faults there are now demand.
    pub(super) fn obey_faults(&mut self, now: Instant, out: &mut Vec<Output>) {
        if !self.started {
            return;
        }
        let faults = self.faults();
        match self.state {
            State::Init | State::Backup | State::Master if !faults.is_empty() => {
                self.enter_fault(now, &faults, out);
            }
            State::Init if !self.waiting() => self.begin(now, out),
            State::Fault if faults.is_empty() => self.leave_fault(now, Cause::Recovered, out),
            _ => {}
        }
    }

    /// Enters FAULT. A Master says so with two adverts of priority 0: the second in case the
    /// first is lost, for there will be nobody to repeat it.
    pub(super) fn enter_fault(
        &mut self,
        now: Instant,
        reasons: &[FaultReason],
        out: &mut Vec<Output>,
    ) {
        let Some(first) = reasons.first() else { return };
        let was_master = self.state == State::Master;
        if was_master {
            if matches!(first, FaultReason::Group { .. }) {
                self.send_priority_zero(now, 1, out);
            } else {
                self.send_leaving(now, 2, out);
            }
        }
        for reason in reasons {
            self.log(Occurrence::Fault(reason.clone()), out);
        }
        self.log_entering(State::Fault, out);
        if was_master {
            self.log(Occurrence::RemovingVips, out);
            out.push(Output::Addresses(Addresses::Absent));
        }
        self.transition(now, State::Fault, Cause::Fault(first.clone()), out);
    }

    /// Leaves FAULT as from a start: for BACKUP with a whole wait, or for MASTER as the owner.
    pub(super) fn leave_fault(&mut self, now: Instant, cause: Cause, out: &mut Vec<Output>) {
        if self.settings.transport.is_unicast() {
            out.push(Output::Announce(Announce {
                repeat: 1,
                reason: AnnounceReason::Source,
            }));
        }
        self.master_adver_interval = self.settings.adver_interval;
        let since = self.deaf_until.map_or(now, |t| t.max(now));
        if self.settings.is_owner() && self.settings.sync_group.is_none() && since == now {
            self.become_master(now, cause, out);
        } else {
            self.enter_backup(
                now,
                Wait::start(since, self.settings.is_owner()),
                cause,
                out,
            );
        }
    }
}

//! Sync groups: instances that are Master together or not at all.
//!
//! The group becomes Master when every member wants to be; one member that is Backup or in
//! FAULT brings the others there. Everything is decided from the members' present state after
//! each input, so no sequence of events can leave the group half-way.

use core::fmt;
use std::sync::Arc;

use rk_base::Instant;

use crate::cause::{Cause, FaultReason};
use crate::input::Input;
use crate::machine::{Follow, Instance, State};
use crate::output::Output;

/// A log line of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupEvent {
    /// The group's name.
    pub group: Arc<str>,
    /// The state it brings its members to.
    pub to: State,
}

impl fmt::Display for GroupEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "VRRP_Group({}) Syncing instances to {} state",
            self.group, self.to
        )
    }
}

/// A change of the group's state: its notify scripts and mails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupTransition {
    /// The state before.
    pub from: State,
    /// The state now. [`State::Init`] when every member stopped.
    pub to: State,
    /// Which member was first, as an index into the instances.
    pub member: usize,
    /// Why that one changed.
    pub cause: Cause,
}

/// One thing to do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupOutput {
    /// For the member with this index into the instances.
    Member(usize, Output),
    /// The group's state changed; after its members did, at start before them.
    Transition(GroupTransition),
    /// Write a log line (always logged).
    Log(GroupEvent),
}

/// Several instances, by index, that change their state together. Their settings must have
/// [`crate::Settings::sync_group`] set, and every input for them goes through here.
#[derive(Clone, Debug)]
pub struct SyncGroup {
    name: Arc<str>,
    members: Vec<usize>,
    state: State,
}

impl SyncGroup {
    /// A group of the instances with these indices.
    #[must_use]
    pub fn new(name: Arc<str>, members: Vec<usize>) -> Self {
        Self {
            name,
            members,
            state: State::Init,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its members.
    #[must_use]
    pub fn members(&self) -> &[usize] {
        &self.members
    }

    /// The state of the group.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Takes over the state from before a reload, so that an unchanged one is not notified.
    pub const fn inherit(&mut self, old: &Self) {
        self.state = old.state;
    }

    /// Starts every member. The group's own transition comes first.
    pub fn start(&mut self, now: Instant, instances: &mut [Instance], out: &mut Vec<GroupOutput>) {
        let mut all = Vec::new();
        for &member in &self.members {
            feed(now, member, Input::Start, instances, &mut all);
        }
        if let Some(&first) = self.members.first() {
            self.settle(now, first, instances, &mut all);
        }
        let (group, members): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|o| matches!(o, GroupOutput::Transition(_)));
        out.extend(group);
        out.extend(members);
    }

    /// Feeds one member one input, and brings the others to where they belong.
    pub fn handle(
        &mut self,
        now: Instant,
        member: usize,
        input: Input<'_>,
        instances: &mut [Instance],
        out: &mut Vec<GroupOutput>,
    ) {
        let start = out.len();
        // Nearly all inputs are adverts and timers that move nothing: then the others, of which
        // there may be many, need not be looked at.
        let routine = matches!(
            input,
            Input::Packet { .. } | Input::Timer | Input::Stalled { .. }
        );
        feed(now, member, input, instances, out);
        let said = out.get(start..).unwrap_or_default();
        let member_said = |what: fn(&Output) -> bool| {
            said.iter()
                .any(|o| matches!(o, GroupOutput::Member(_, o) if what(o)))
        };
        let lower = member_said(|o| matches!(o, Output::RxLowerPriority));
        let moved = member_said(|o| matches!(o, Output::Transition(_) | Output::WantsMaster));
        if lower {
            for other in self.others(member) {
                perform(other, instances, out, |i, out| {
                    i.follow_announcement(now, out);
                });
            }
        }
        if moved || !routine {
            self.settle(now, member, instances, out);
        }
    }

    /// Every member but `member`.
    fn others(&self, member: usize) -> impl Iterator<Item = usize> + use<> {
        self.members
            .clone()
            .into_iter()
            .filter(move |m| *m != member)
    }

    /// The members that run.
    fn running<'i>(
        &self,
        instances: &'i [Instance],
    ) -> impl Iterator<Item = (usize, &'i Instance)> + use<'i> {
        let members = self.members.clone().into_iter();
        members
            .filter_map(|m| instances.get(m).map(|i| (m, i)))
            .filter(|(_, i)| i.started())
    }

    /// Brings every member to where the others' state demands it to be. `trigger` is the member
    /// that an input went to.
    fn settle(
        &mut self,
        now: Instant,
        trigger: usize,
        instances: &mut [Instance],
        out: &mut Vec<GroupOutput>,
    ) {
        self.settle_faults(now, trigger, instances, out);
        let states: Vec<State> = self.running(instances).map(|(_, i)| i.state()).collect();
        let masters = states.iter().filter(|s| **s == State::Master).count();
        if masters > 0 && masters < states.len() {
            let order = Follow::Backup(self.cause(trigger, instances));
            self.order(now, trigger, State::Backup, &order, instances, out);
            // The trigger itself, if it is the one that is Master while another is not.
            perform(trigger, instances, out, |i, out| {
                i.follow(now, order.clone(), out);
            });
        }
        let ready = |i: &Instance| i.state() == State::Backup && i.wantstate() == State::Master;
        let all_want = !states.is_empty() && self.running(instances).all(|(_, i)| ready(i));
        if all_want {
            let order = Follow::Master(self.cause(trigger, instances));
            perform(trigger, instances, out, |i, out| {
                i.follow(now, order.clone(), out);
            });
            self.order(now, trigger, State::Master, &order, instances, out);
        }
        self.follow_members(trigger, instances, out);
    }

    /// A member is in FAULT exactly as long as any member has a fault of its own.
    fn settle_faults(
        &mut self,
        now: Instant,
        trigger: usize,
        instances: &mut [Instance],
        out: &mut Vec<GroupOutput>,
    ) {
        let faulty: Vec<usize> = self
            .running(instances)
            .filter(|(_, i)| !i.own_faults().is_empty())
            .map(|(m, _)| m)
            .collect();
        let mut logged = false;
        for member in self.members.clone() {
            let Some(instance) = instances.get(member) else {
                continue;
            };
            let other = faulty
                .iter()
                .find(|f| **f != member)
                .and_then(|f| instances.get(*f));
            let reason = other.map(|other| FaultReason::Group {
                group: self.name.clone(),
                member: other.settings().name.clone(),
            });
            if reason.is_some() == instance.group_fault().is_some() {
                continue;
            }
            let to = if reason.is_some() {
                State::Fault
            } else {
                State::Backup
            };
            let mut said = Vec::new();
            let order = Follow::Fault(reason);
            perform(member, instances, &mut said, |i, out| {
                i.follow(now, order, out);
            });
            // A member with a fault of its own does not move.
            if member != trigger && !said.is_empty() && !core::mem::replace(&mut logged, true) {
                out.push(GroupOutput::Log(GroupEvent {
                    group: self.name.clone(),
                    to,
                }));
            }
            out.append(&mut said);
        }
    }

    /// Gives an order to every member but the trigger.
    fn order(
        &self,
        now: Instant,
        trigger: usize,
        to: State,
        order: &Follow,
        instances: &mut [Instance],
        out: &mut Vec<GroupOutput>,
    ) {
        out.push(GroupOutput::Log(GroupEvent {
            group: self.name.clone(),
            to,
        }));
        for other in self.others(trigger) {
            perform(other, instances, out, |i, out| {
                i.follow(now, order.clone(), out);
            });
        }
    }

    /// Why the members follow `trigger`.
    fn cause(&self, trigger: usize, instances: &[Instance]) -> Cause {
        let member = instances
            .get(trigger)
            .map_or_else(|| "".into(), |i| i.settings().name.clone());
        Cause::Group {
            group: self.name.clone(),
            member,
        }
    }

    /// The group's own state, from its members'.
    fn follow_members(
        &mut self,
        trigger: usize,
        instances: &[Instance],
        out: &mut Vec<GroupOutput>,
    ) {
        let states: Vec<State> = self.running(instances).map(|(_, i)| i.state()).collect();
        let all = |state| states.iter().all(|s| *s == state);
        let to = if states.is_empty() {
            State::Init
        } else if states.contains(&State::Fault) {
            State::Fault
        } else if all(State::Master) {
            State::Master
        } else if all(State::Backup) {
            State::Backup
        } else {
            // A member still waits for its first script result.
            return;
        };
        let from = core::mem::replace(&mut self.state, to);
        if from == to {
            return;
        }
        let cause = instances
            .get(trigger)
            .and_then(Instance::last_cause)
            .cloned();
        let cause = cause.unwrap_or(Cause::Startup);
        out.push(GroupOutput::Transition(GroupTransition {
            from,
            to,
            member: trigger,
            cause,
        }));
    }
}

/// Feeds an input and passes on what comes out.
fn feed(
    now: Instant,
    member: usize,
    input: Input<'_>,
    instances: &mut [Instance],
    out: &mut Vec<GroupOutput>,
) {
    perform(member, instances, out, |i, out| i.handle(now, input, out));
}

fn perform(
    member: usize,
    instances: &mut [Instance],
    out: &mut Vec<GroupOutput>,
    what: impl FnOnce(&mut Instance, &mut Vec<Output>),
) {
    if let Some(instance) = instances.get_mut(member) {
        let mut said = Vec::new();
        what(instance, &mut said);
        out.extend(said.into_iter().map(|o| GroupOutput::Member(member, o)));
    }
}

#[cfg(test)]
mod tests;

//! A new configuration: what it keeps goes on as if nothing had happened.
//!
//! Virtual servers are matched by name, real servers by address and port, checks by their probe.
//! First goes what is gone, then comes what is new; what is kept is only told of its differences.

use core::net::IpAddr;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use rk_base::Instant;

use crate::state::cause::Cause;
use crate::state::check::Check;
use crate::state::event::{Activity, Event, Move};
use crate::state::input::CheckId;
use crate::state::name::{ServiceKey, VirtualName};
use crate::state::notice::{Health, MailBody};
use crate::state::output::Output;
use crate::state::settings::{RealServer, Service, Settings, SorryServer, VirtualServer};
use crate::state::table::{Checkup, Phase, Real, RealId, Virtual};

use super::pool::{Say, destination, remove_services};
use super::{Director, Stage, desired_service};

/// What a real server is known by.
type Address = (IpAddr, u16);

/// What became of the checks.
#[derive(Default)]
struct Matching {
    /// Those that some real server of the new configuration has.
    claimed: HashSet<CheckId>,
    /// Of these, those that nobody had before.
    fresh: HashSet<CheckId>,
    /// Of these, those whose timing is another now.
    retimed: Vec<CheckId>,
    /// If probes are shared: the one check for all that is set like this.
    shared: HashMap<Check, CheckId>,
}

/// A kept virtual server as it was.
struct Before {
    entries: Vec<ServiceKey>,
    service: Service,
    active: bool,
    sorry: Option<SorryServer>,
    /// The settings of the kept real servers, by their new position.
    reals: Vec<Option<RealServer>>,
}

impl Director {
    /// Takes new settings over.
    pub(super) fn adopt(&mut self, now: Instant, settings: Settings, out: &mut Vec<Output>) {
        self.rs_init_notifies = settings.rs_init_notifies;
        self.no_checker_emails = settings.no_checker_emails;
        self.share_probes = settings.share_probes;
        let mut new = settings.virtual_servers;
        let mut names = HashSet::new();
        new.retain(|one| names.insert(one.name.clone()));
        self.owners.clear();
        for (index, one) in new.iter_mut().enumerate() {
            let mut addresses: HashSet<Address> = HashSet::new();
            let mut first = |real: &RealServer| addresses.insert(address(real));
            one.real_servers.retain(&mut first);
            // The kernel has one service under one key, so it has one owner.
            let owners = &mut self.owners;
            let mut owned = |entry: &ServiceKey| match owners.entry(*entry) {
                Entry::Vacant(free) => {
                    free.insert(index);
                    true
                }
                Entry::Occupied(_) => false,
            };
            let entries = one.entries.iter().copied();
            one.entries = entries.filter(&mut owned).collect();
        }
        if self.stage == Stage::Running {
            self.remove_what_is_gone(&new, out);
        }
        let mut matching = Matching::default();
        let before = self.rebuild(new, &mut matching);
        for check in self.checks.ids() {
            if !matching.claimed.contains(&check) {
                self.rest(check, out);
                self.checks.remove(check);
            }
        }
        self.index_told();
        self.index_addresses();
        for index in 0..self.virtuals.len() {
            self.virtuals[index].active = self.should_be_active(index);
        }
        if self.stage != Stage::Running {
            return;
        }
        for (index, before) in before.iter().enumerate() {
            match before {
                None => self.introduce(index, &Cause::Reload, out),
                Some(before) => self.update(index, before, out),
            }
        }
        for (index, before) in before.iter().enumerate() {
            match before {
                None => self.activate(now, index, out),
                Some(before) => self.reactivate(now, index, before, &matching.fresh, out),
            }
        }
        for check in matching.retimed {
            self.reschedule(now, check);
        }
    }

    /// First what is gone: virtual servers, entries of groups, real servers.
    fn remove_what_is_gone(&mut self, new: &[VirtualServer], out: &mut Vec<Output>) {
        let kept: HashMap<&VirtualName, &VirtualServer> =
            new.iter().map(|one| (&one.name, one)).collect();
        for index in 0..self.virtuals.len() {
            match kept.get(&self.virtuals[index].set.name) {
                None => self.remove_virtual(index, out),
                Some(new) => {
                    self.remove_entries(index, new, out);
                    self.remove_reals(index, new, out);
                }
            }
        }
        let group = |name: &VirtualName| match name {
            VirtualName::Group { name, .. } => Some(name.clone()),
            VirtualName::Address(_) | VirtualName::Mark { .. } => None,
        };
        let mut known: HashSet<_> = new.iter().filter_map(|one| group(&one.name)).collect();
        for one in &self.virtuals {
            if let Some(gone) = group(&one.set.name).filter(|name| known.insert(name.clone())) {
                Self::log(Event::RemovingGroup(gone), out);
            }
        }
    }

    fn remove_virtual(&mut self, index: usize, out: &mut Vec<Output>) {
        let name = self.virtuals[index].set.name.clone();
        Self::log(Event::RemovingVirtualServer(name), out);
        self.withdraw_sorry(index, out);
        for real in 0..self.virtuals[index].reals.len() {
            let id = RealId {
                virtual_server: index,
                real,
            };
            self.remove_real(id, out);
        }
        remove_services(&self.virtuals[index], out);
        if std::mem::replace(&mut self.virtuals[index].quorum, false) {
            self.tell_quorum(index, &Cause::Reload, out);
            if self.virtuals[index].set.smtp_alert {
                let quorum = self.virtuals[index].arithmetic(false);
                let mail = self.quorum_mail(index, MailBody::Quorum(quorum));
                out.push(Output::Mail(mail));
            }
        }
    }

    fn remove_real(&mut self, id: RealId, out: &mut Vec<Output>) {
        let alive = self.real(id).alive;
        if alive {
            let place = self.virtuals[id.virtual_server].place(id.real);
            let change = Move::Removing;
            Self::log(Event::Real { change, place }, out);
        }
        self.withdraw_real(id, out);
        if alive {
            self.virtuals[id.virtual_server].reals[id.real].alive = false;
            self.tell_real(id, Health::Down, &Cause::Reload, out);
            self.mail_real_gone(id, MailBody::Removing, out);
        }
    }

    fn remove_reals(&mut self, index: usize, new: &VirtualServer, out: &mut Vec<Output>) {
        let kept: HashSet<Address> = new.real_servers.iter().map(address).collect();
        for real in 0..self.virtuals[index].reals.len() {
            let one = &self.virtuals[index];
            if kept.contains(&address(&one.reals[real].set)) {
                continue;
            }
            Self::log(Event::NoLongerExists(one.place(real).real), out);
            let id = RealId {
                virtual_server: index,
                real,
            };
            self.remove_real(id, out);
        }
        let one = &self.virtuals[index];
        let sorry = |set: &VirtualServer| set.sorry_server.as_ref().map(|s| (s.addr, s.port));
        if sorry(&one.set) != sorry(new) {
            self.withdraw_sorry(index, out);
        }
    }

    fn remove_entries(&mut self, index: usize, new: &VirtualServer, out: &mut Vec<Output>) {
        let kept: HashSet<ServiceKey> = new.entries.iter().copied().collect();
        let one = &mut self.virtuals[index];
        let (stay, go): (Vec<_>, Vec<_>) = one
            .set
            .entries
            .iter()
            .partition(|entry| kept.contains(entry));
        for entry in go {
            let event = Event::Entry {
                change: Move::Removing,
                entry,
                virtual_server: one.set.name.clone(),
            };
            Self::log(event, out);
            for (key, _) in desired_service(one, entry).destinations {
                destination(entry, (key, None), out);
            }
            out.push(Output::Service {
                service: entry,
                want: None,
            });
        }
        one.set.entries = stay.into();
    }

    /// Builds the new tables out of the new settings and the old state.
    fn rebuild(&mut self, new: Vec<VirtualServer>, matching: &mut Matching) -> Vec<Option<Before>> {
        let old = std::mem::take(&mut self.virtuals);
        let mut old: HashMap<VirtualName, Virtual> = old
            .into_iter()
            .map(|one| (one.set.name.clone(), one))
            .collect();
        for check in self.checks.ids() {
            self.checks[check].members.clear();
        }
        let mut all_before = Vec::with_capacity(new.len());
        for (index, mut set) in new.into_iter().enumerate() {
            let reals = std::mem::take(&mut set.real_servers);
            let mut one = Virtual::new(set);
            let mut old_reals = HashMap::new();
            let mut before = old.remove(&one.set.name).map(|old| {
                one.quorum = old.quorum;
                one.sorry_placed = old.sorry_placed;
                for real in old.reals {
                    old_reals.insert(address(&real.set), real);
                }
                Before {
                    entries: old.set.entries.to_vec(),
                    service: old.set.service,
                    active: old.active,
                    sorry: old.set.sorry_server,
                    reals: Vec::with_capacity(reals.len()),
                }
            });
            for (position, set) in reals.into_iter().enumerate() {
                let id = RealId {
                    virtual_server: index,
                    real: position,
                };
                let kept = old_reals.remove(&address(&set));
                let real = self.rebuild_real(id, set, kept.as_ref(), matching);
                one.reals.push(real);
                if let Some(before) = &mut before {
                    before.reals.push(kept.map(|real| real.set));
                }
            }
            one.find_clashes();
            self.virtuals.push(one);
            all_before.push(before);
        }
        all_before
    }

    fn rebuild_real(
        &mut self,
        id: RealId,
        mut set: RealServer,
        kept: Option<&Real>,
        matching: &mut Matching,
    ) -> Real {
        let wanted = std::mem::take(&mut set.checks);
        let same = |new: &Check| {
            let mut old = kept?.checks.iter().copied();
            old.find(|old| self.checks[*old].set.probe == new.probe)
        };
        let candidates: Vec<Option<CheckId>> = wanted.iter().map(same).collect();
        let still_failing = candidates
            .iter()
            .flatten()
            .any(|check| !self.checks[*check].found.up);
        let mut checks = Vec::with_capacity(wanted.len());
        for (new, candidate) in wanted.into_iter().zip(candidates) {
            // What was down must prove itself, even if what said so is gone.
            let up = match kept {
                None => !new.alpha,
                Some(real) => real.alive || (!new.alpha && still_failing),
            };
            let check = self.claim(new, candidate, up, matching);
            self.checks[check].members.push(id);
            checks.push(check);
        }
        let weight = self.checks.effective_weight(&set, &checks);
        let alive = self.checks.all_up(&checks);
        match kept {
            // It is settled later, and loudly.
            Some(old) if self.stage == Stage::Running => Real {
                set,
                checks,
                alive: old.alive,
                told: old.told,
                placed: old.placed,
                weight: old.weight,
            },
            _ => Real {
                set,
                checks,
                alive,
                told: None,
                placed: None,
                weight,
            },
        }
    }

    /// The check for these settings: the one that was there, one shared with others, or a fresh
    /// one.
    fn claim(
        &mut self,
        set: Check,
        candidate: Option<CheckId>,
        up: bool,
        matching: &mut Matching,
    ) -> CheckId {
        if let Some(shared) = matching.shared.get(&set).filter(|_| self.share_probes) {
            return *shared;
        }
        let check = match candidate {
            Some(old) if matching.claimed.insert(old) => {
                let check = &mut self.checks[old];
                if check.set.timing != set.timing {
                    matching.retimed.push(old);
                }
                check.set = set.clone();
                if check.found.url >= set.kind.urls() {
                    check.found.url = 0;
                }
                old
            }
            // It was shared and is no longer: both know what it has found.
            Some(old) => {
                let found = self.checks[old].found.clone();
                let copy = Checkup {
                    set: set.clone(),
                    members: Vec::new(),
                    found,
                    phase: Phase::Resting,
                };
                self.checks.add(copy)
            }
            None => {
                let fresh = self.checks.add(Self::fresh(set.clone(), up));
                matching.fresh.insert(fresh);
                fresh
            }
        };
        self.take_note(check);
        matching.claimed.insert(check);
        if self.share_probes {
            matching.shared.insert(set, check);
        }
        check
    }

    /// A kept virtual server is told of its differences.
    fn update(&mut self, index: usize, before: &Before, out: &mut Vec<Output>) {
        self.update_services(index, before, out);
        self.move_ports(index, before, out);
        for real in 0..self.virtuals[index].reals.len() {
            let id = RealId {
                virtual_server: index,
                real,
            };
            let Some(was) = before.reals.get(real).and_then(Option::as_ref) else {
                self.introduce_real(id, &Cause::Reload, out);
                self.place_real(id, Say::Changes, out);
                continue;
            };
            self.update_real(id, was, out);
        }
        self.settle_quorum(index, &Cause::Reload, out);
        // Whatever else decides about places: inhibit_on_failure, a sorry server that came or
        // went.
        let sorry = &self.virtuals[index].set.sorry_server;
        let forward = |sorry: &Option<SorryServer>| sorry.as_ref().map(|sorry| sorry.forward);
        let say = if self.virtuals[index].sorry_placed.is_some()
            && forward(sorry) != forward(&before.sorry)
        {
            Say::Anyway
        } else {
            Say::Changes
        };
        self.place_sorry(index, say, out);
        self.place_reals(index, out);
    }

    fn update_services(&mut self, index: usize, before: &Before, out: &mut Vec<Output>) {
        let one = &self.virtuals[index];
        let had: HashSet<ServiceKey> = before.entries.iter().copied().collect();
        let changed = one.set.service != before.service;
        for entry in one.set.entries.iter() {
            let known = had.contains(entry);
            if !known {
                let event = Event::Entry {
                    change: Move::Adding,
                    entry: *entry,
                    virtual_server: one.set.name.clone(),
                };
                Self::log(event, out);
            }
            if changed || !known {
                out.push(Output::Service {
                    service: *entry,
                    want: Some(one.set.service.clone()),
                });
            }
            if !known {
                for (key, want) in desired_service(one, *entry).destinations {
                    destination(*entry, (key, Some(want)), out);
                }
            }
        }
    }

    /// Another method can mean another port: the old destination goes.
    fn move_ports(&self, index: usize, before: &Before, out: &mut Vec<Output>) {
        let one = &self.virtuals[index];
        for entry in &before.entries {
            let mut moved = Vec::new();
            for (real, was) in one.reals.iter().zip(&before.reals) {
                if let Some(was) = was.as_ref().filter(|_| real.placed.is_some()) {
                    moved.push((was.key(*entry), real.set.key(*entry)));
                }
            }
            if let (Some(was), Some(is)) = (&before.sorry, &one.set.sorry_server)
                && one.sorry_placed.is_some()
            {
                moved.push((was.key(*entry), is.key(*entry)));
            }
            for (was, is) in moved {
                if was != is {
                    destination(*entry, (was, one.want(*entry, was)), out);
                }
            }
        }
    }

    fn update_real(&mut self, id: RealId, was: &RealServer, out: &mut Vec<Output>) {
        self.settle_weight(id, super::health::Logged::Yes, out);
        self.settle_real(id, &Cause::Reload, out);
        let real = self.real(id);
        let means = |set: &RealServer| (set.forward, set.uthreshold, set.lthreshold);
        if real.placed.is_some() && means(was) != means(&real.set) {
            self.place_real(id, Say::Anyway, out);
        }
    }

    /// The checks of a kept virtual server: those that are new begin, and all follow a change of
    /// `ha_suspend`.
    fn reactivate(
        &mut self,
        now: Instant,
        index: usize,
        before: &Before,
        fresh: &HashSet<CheckId>,
        out: &mut Vec<Output>,
    ) {
        let active = self.virtuals[index].active;
        let activity = match (before.active, active) {
            (false, true) => Some(Activity::Activating),
            (true, false) => Some(Activity::Suspending),
            (true, true) | (false, false) => None,
        };
        if let Some(activity) = activity {
            self.log_activity(index, activity, out);
        } else {
            let activity = if active {
                Activity::Activating
            } else {
                Activity::Deactivating
            };
            let one = &self.virtuals[index];
            for (position, real) in one.reals.iter().enumerate() {
                for check in &real.checks {
                    if fresh.contains(check) && self.checks[*check].set.kind.probes() {
                        let place = one.place(position);
                        Self::log(Event::Check { activity, place }, out);
                    }
                }
            }
        }
        self.follow_activity(now, index, out);
    }
}

const fn address(real: &RealServer) -> Address {
    (real.addr, real.port)
}

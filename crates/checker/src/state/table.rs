//! What the load balancer knows: the virtual servers, their real servers, and the checks.

use std::net::IpAddr;

use rk_base::Instant;

use super::check::{Check, Kind};
use super::event::{Place, Quorum};
use super::input::{Attempt, CheckId};
use super::name::{DestinationKey, ServiceKey};
use super::notice::Health;
use super::output::Destination;
use super::settings::{RealServer, VirtualServer};

/// The greatest weight the kernel takes.
const MAX_WEIGHT: i64 = 0x7fff_ffff;

/// A real server: which virtual server in order, which of its real servers in order. Good until
/// the next reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RealId {
    pub(super) virtual_server: usize,
    pub(super) real: usize,
}

/// A virtual server.
#[derive(Debug)]
pub(super) struct Virtual {
    /// Its settings; the real servers are in `reals`.
    pub(super) set: VirtualServer,
    pub(super) reals: Vec<Real>,
    /// Whether the quorum is reached; hysteresis makes it more than a function of the weights.
    pub(super) quorum: bool,
    /// Whether its checks run.
    pub(super) active: bool,
    /// The weight with which the sorry server was last asked for.
    pub(super) sorry_placed: Option<u32>,
    /// Whether two of its servers have one address, and so may be one destination.
    pub(super) clashes: bool,
}

/// A real server.
#[derive(Debug)]
pub(super) struct Real {
    /// Its settings; the checks are elsewhere.
    pub(super) set: RealServer,
    pub(super) checks: Vec<CheckId>,
    /// What its checks said when it was last looked at: alive if none has failed.
    pub(super) alive: bool,
    /// What scripts have been told, or would have been if there had been news.
    pub(super) told: Option<Health>,
    /// The weight with which it was last asked for.
    pub(super) placed: Option<u32>,
    /// The sum of the dynamic weights, when it was last looked at.
    pub(super) weight: u32,
}

/// Where a check is in its cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It does not run: not started, suspended, or told rather than asking.
    Resting,
    /// The next attempt is due then.
    Waiting(Instant),
    /// An attempt is under way, since then.
    Running(Attempt, Instant),
}

/// What a check has found so far: what a reload carries over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Findings {
    pub(super) up: bool,
    pub(super) has_run: bool,
    /// Failures in a row since it last was well, while it still counts as up.
    pub(super) retries: u32,
    /// What it adds to the weight, or would replace it by.
    pub(super) weight: Option<i64>,
    /// The URL to ask for next.
    pub(super) url: usize,
    /// The URL that failed must succeed before all are walked again.
    pub(super) failed_url: bool,
    /// Whether all URLs have succeeded once.
    pub(super) walked: bool,
}

impl Findings {
    pub(super) const fn new(up: bool) -> Self {
        Self {
            up,
            has_run: false,
            retries: 0,
            weight: None,
            url: 0,
            failed_url: false,
            walked: false,
        }
    }
}

/// A check with the real servers it decides about: one, unless probes are shared.
#[derive(Debug)]
pub(super) struct Checkup {
    pub(super) set: Check,
    pub(super) members: Vec<RealId>,
    pub(super) found: Findings,
    pub(super) phase: Phase,
}

/// The checks, under numbers that stay the same across reloads.
#[derive(Debug, Default)]
pub(super) struct Checks {
    slots: Vec<Option<Checkup>>,
    free: Vec<u32>,
}

impl Checks {
    pub(super) fn add(&mut self, check: Checkup) -> CheckId {
        if let Some(free) = self.free.pop() {
            self.slots[free as usize] = Some(check);
            return CheckId(free);
        }
        let id = u32::try_from(self.slots.len()).expect("fewer than four billion checks");
        self.slots.push(Some(check));
        CheckId(id)
    }

    pub(super) fn find(&self, id: CheckId) -> Option<&Checkup> {
        self.slots.get(id.0 as usize)?.as_ref()
    }

    pub(super) fn find_mut(&mut self, id: CheckId) -> Option<&mut Checkup> {
        self.slots.get_mut(id.0 as usize)?.as_mut()
    }

    pub(super) fn remove(&mut self, id: CheckId) -> Option<Checkup> {
        let removed = self.slots.get_mut(id.0 as usize)?.take();
        if removed.is_some() {
            self.free.push(id.0);
        }
        removed
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = CheckId> + use<> {
        let ids: Vec<u32> = (0u32..)
            .zip(&self.slots)
            .filter_map(|(id, slot)| slot.as_ref().map(|_| id))
            .collect();
        ids.into_iter().map(CheckId)
    }

    /// Whether no check of these has failed.
    pub(super) fn all_up(&self, ids: &[CheckId]) -> bool {
        ids.iter()
            .all(|id| self.find(*id).is_none_or(|check| check.found.up))
    }

    /// The weight that the checks make of the configured one, as the kernel takes it.
    pub(super) fn effective_weight(&self, set: &RealServer, ids: &[CheckId]) -> u32 {
        let base = i64::from(set.weight);
        let mut weight = base;
        for check in ids.iter().filter_map(|id| self.find(*id)) {
            let part = match (check.found.weight, &check.set.kind) {
                (None, _) => 0,
                (Some(part), Kind::File { .. }) => part,
                (Some(instead), _) => instead.saturating_sub(base),
            };
            weight = weight.saturating_add(part);
        }
        u32::try_from(weight.clamp(0, MAX_WEIGHT)).expect("clamped to 31 bits")
    }
}

impl std::ops::Index<CheckId> for Checks {
    type Output = Checkup;
    fn index(&self, id: CheckId) -> &Checkup {
        self.find(id).expect("checks go only with their servers")
    }
}

impl std::ops::IndexMut<CheckId> for Checks {
    fn index_mut(&mut self, id: CheckId) -> &mut Checkup {
        self.find_mut(id)
            .expect("checks go only with their servers")
    }
}

impl Virtual {
    pub(super) fn new(set: VirtualServer) -> Self {
        Self {
            set,
            reals: Vec::new(),
            quorum: false,
            active: false,
            sorry_placed: None,
            clashes: false,
        }
    }

    pub(super) fn place(&self, real: usize) -> Place {
        Place {
            real: self.reals[real].set.endpoint(self.set.protocol),
            virtual_server: self.set.name.clone(),
        }
    }

    /// The weight of the real servers that are alive.
    pub(super) fn weight(&self) -> u64 {
        let alive = self.reals.iter().filter(|real| real.alive);
        alive.map(|real| u64::from(real.weight)).sum()
    }

    /// Whether `weight` is, or leaves, a quorum.
    pub(super) fn quorate(&self, weight: u64) -> bool {
        let quorum = u64::from(self.set.quorum.max(1));
        let hysteresis = u64::from(self.set.hysteresis);
        if self.quorum {
            weight > 0 && weight >= quorum.saturating_sub(hysteresis)
        } else {
            weight >= quorum + hysteresis
        }
    }

    /// The arithmetic of now.
    pub(super) fn arithmetic(&self, at_start: bool) -> Quorum {
        Quorum {
            health: if self.quorum {
                Health::Up
            } else {
                Health::Down
            },
            quorum: self.set.quorum.max(1),
            hysteresis: self.set.hysteresis,
            weight: self.weight(),
            at_start,
        }
    }

    /// Whether the sorry server serves.
    pub(super) const fn sorry(&self) -> bool {
        self.set.sorry_server.is_some() && !self.quorum
    }

    /// With which weight a real server should be in the table, if at all.
    pub(super) fn placement(&self, real: usize) -> Option<u32> {
        let real = &self.reals[real];
        if real.alive && !self.sorry() {
            Some(real.weight)
        } else {
            real.set.inhibit_on_failure.then_some(0)
        }
    }

    /// With which weight the sorry server should be in the table, if at all.
    pub(super) fn sorry_placement(&self) -> Option<u32> {
        let sorry = self.set.sorry_server.as_ref()?;
        match (self.quorum, sorry.inhibit) {
            (false, _) => Some(1),
            (true, true) => Some(0),
            (true, false) => None,
        }
    }

    /// What one real server asks for.
    fn of_real(&self, real: usize) -> Option<Destination> {
        let set = &self.reals[real].set;
        Some(Destination {
            weight: self.reals[real].placed?,
            forward: set.forward,
            uthreshold: set.uthreshold,
            lthreshold: set.lthreshold,
        })
    }

    /// What the sorry server asks for.
    fn of_sorry(&self) -> Option<Destination> {
        Some(Destination {
            weight: self.sorry_placed?,
            forward: self.set.sorry_server.as_ref()?.forward,
            uthreshold: 0,
            lthreshold: 0,
        })
    }

    /// What a service should have under a key: of several servers that are one destination to
    /// the kernel, the one with the greatest weight, the real servers first.
    fn merged(&self, entry: ServiceKey, key: DestinationKey) -> Option<Destination> {
        let mut best: Option<Destination> = None;
        let mut consider = |one: Option<Destination>| {
            if let Some(one) = one.filter(|one| best.is_none_or(|best| one.weight > best.weight)) {
                best = Some(one);
            }
        };
        for index in 0..self.reals.len() {
            if self.reals[index].set.key(entry) == key {
                consider(self.of_real(index));
            }
        }
        let sorry = self.set.sorry_server.as_ref();
        if sorry.is_some_and(|sorry| sorry.key(entry) == key) {
            consider(self.of_sorry());
        }
        best
    }

    /// What a service should have where this real server is.
    pub(super) fn want_real(
        &self,
        entry: ServiceKey,
        real: usize,
    ) -> (DestinationKey, Option<Destination>) {
        let key = self.reals[real].set.key(entry);
        if self.clashes {
            return (key, self.merged(entry, key));
        }
        (key, self.of_real(real))
    }

    /// What a service should have where the sorry server is, if there is one.
    pub(super) fn want_sorry(
        &self,
        entry: ServiceKey,
    ) -> Option<(DestinationKey, Option<Destination>)> {
        let key = self.set.sorry_server.as_ref()?.key(entry);
        if self.clashes {
            return Some((key, self.merged(entry, key)));
        }
        Some((key, self.of_sorry()))
    }

    /// What a service should have under a key, whoever is there.
    pub(super) fn want(&self, entry: ServiceKey, key: DestinationKey) -> Option<Destination> {
        self.merged(entry, key)
    }

    /// Looks for servers with one address.
    pub(super) fn find_clashes(&mut self) {
        let sorry = self.set.sorry_server.iter().map(|sorry| sorry.addr);
        let mut all: Vec<IpAddr> = self.reals.iter().map(|real| real.set.addr).collect();
        all.extend(sorry);
        all.sort_unstable();
        self.clashes = all.windows(2).any(|two| two[0] == two[1]);
    }
}

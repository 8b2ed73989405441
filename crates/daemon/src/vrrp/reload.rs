//! Start and reload: making the routers those of a configuration.
//!
//! A reload is the same walk as a start: routers that stay are told their new settings and keep
//! their state, sockets and addresses; new ones are made; the others stop. Nothing is done twice
//! and nothing is torn down to be built again.

use std::collections::HashMap;
use std::sync::Arc;

use rk_base::Instant;
use rk_config::model;
use rk_net::Op;
use rk_script::{Finished, Umask};
use rk_vrrp::{AtStop, Input, StopReason, TrackerKind};
use tracing::{info, warn};

use super::addresses::kernel_address;
use super::router::{Held, RouterId};
use super::translate::{self, Identity, Plan};
use super::world::World;

impl World {
    /// The start: builds the routers and lets them begin.
    pub(super) fn begin(&mut self) {
        let now = self.clock.now();
        self.clear_firewall();
        self.scripts.apply(&self.config);
        let plans = self.plan();
        let ids: Vec<RouterId> = plans
            .into_iter()
            .map(|plan| self.add_router(plan))
            .collect();
        self.know_trackers();
        self.groups.apply(&self.config, &self.routers);
        self.start_routers(now, &ids);
        self.sync.apply(&self.config, &self.routers);
        self.scripts.start(self.umask());
    }

    /// Takes away every drop rule: what an earlier run left, or at the end our own.
    pub(super) fn clear_firewall(&mut self) {
        if let Err(error) = self.firewall.clear() {
            warn!("the firewall tables cannot be removed: {error}");
        }
    }

    /// Lets new routers begin; those of a sync group together.
    fn start_routers(&mut self, now: Instant, ids: &[RouterId]) {
        for id in ids {
            self.adopt_leftovers(*id);
            self.refresh_socket(now, *id);
        }
        for said in self.groups.start(now, self.routers.cores_mut()) {
            self.perform_group(now, said);
        }
        for id in ids {
            // Those that a group has started take no notice.
            self.feed(*id, now, Input::Start);
        }
    }

    /// A new configuration is in force from now on.
    pub(super) fn reload(&mut self, now: Instant, config: Arc<model::Config>) {
        self.config = config;
        self.notifier.apply(&self.config);
        self.scripts.apply(&self.config);
        let mut old: HashMap<Identity, RouterId> = self
            .routers
            .iter()
            .map(|(id, r, _)| (r.plan.identity.clone(), id))
            .collect();
        let plans = self.plan();
        // First those that go: their addresses may move to others.
        let kept: std::collections::HashSet<&Identity> =
            plans.iter().map(|p| &p.identity).collect();
        let gone: Vec<RouterId> = old
            .iter()
            .filter(|(identity, _)| !kept.contains(identity))
            .map(|(_, id)| *id)
            .collect();
        for id in gone {
            self.delete_router(now, id);
        }
        let mut order = Vec::with_capacity(plans.len());
        let mut fresh = Vec::new();
        let mut stayed = Vec::new();
        for plan in plans {
            match old.remove(&plan.identity) {
                Some(id) => {
                    stayed.push((id, plan.settings.clone()));
                    self.replace_plan(id, plan);
                    order.push(id);
                }
                None => {
                    let id = self.add_router(plan);
                    fresh.push(id);
                    order.push(id);
                }
            }
        }
        self.routers.reorder(order);
        self.know_trackers();
        self.groups.apply(&self.config, &self.routers);
        for (id, settings) in stayed {
            self.feed(id, now, Input::Reload(Box::new(settings)));
            self.refresh_socket(now, id);
        }
        // An instance that goes, or accepts from now on, has nothing dropped any more.
        self.firewall_is_stale = true;
        self.start_routers(now, &fresh);
        self.sync.apply(&self.config, &self.routers);
        self.scripts.start(self.umask());
    }

    /// The plans of the configuration, with what is known of everything they track.
    fn plan(&mut self) -> Vec<Plan> {
        let mut trackers = std::mem::take(&mut self.trackers);
        let plans = translate::plans(&self.config, &mut trackers, &|kind, name| match kind {
            TrackerKind::Interface => self.interface_reading(name),
            _ => self.scripts.reading(name),
        });
        self.trackers = trackers;
        self.virtual_addresses = plans
            .iter()
            .flat_map(|p| &p.addresses)
            .map(|a| a.prefix.addr())
            .collect();
        plans
    }

    fn umask(&self) -> Umask {
        self.config.global.umask.map_or_else(Umask::default, Umask)
    }

    fn add_router(&mut self, plan: Plan) -> RouterId {
        self.routers.add(plan)
    }

    /// Who tracks what.
    fn know_trackers(&mut self) {
        self.tracked_by.clear();
        for (id, router, _) in self.routers.iter() {
            for tracker in &router.plan.settings.trackers {
                let ids = self.tracked_by.entry(tracker.id).or_default();
                if ids.last() != Some(&id) {
                    ids.push(id);
                }
            }
        }
    }

    /// The instance is no longer configured.
    fn delete_router(&mut self, now: Instant, id: RouterId) {
        let input = Input::Stop {
            reason: StopReason::Deleted,
            at_stop: AtStop::Release,
        };
        self.feed(id, now, input);
        self.flush();
        self.tell(id);
        let leftover = self.orphan_request(id);
        if let Some(socket) = self.routers.forget_socket(id) {
            self.pool.close(socket);
        }
        self.routers.remove(id);
        self.submit_detached(leftover);
    }

    /// What the kernel was asked to remove for a router that is about to go.
    fn orphan_request(&mut self, id: RouterId) -> Vec<Op> {
        let Some(router) = self.routers.get_mut(id) else {
            return Vec::new();
        };
        let Some(asked) = router.asked.take() else {
            return Vec::new();
        };
        self.asked.remove(&asked.id);
        self.writer.cancel(asked.id)
    }

    /// Has the kernel do something that no router waits for.
    fn submit_detached(&mut self, ops: Vec<Op>) {
        if !ops.is_empty() {
            self.next_op += 1;
            self.writer.submit(rk_net::OpId(self.next_op), ops);
        }
    }

    /// Gives a router its new plan. Addresses that are in both stay as they are; those that are
    /// not wanted any more are removed.
    fn replace_plan(&mut self, id: RouterId, plan: Plan) {
        self.withdraw_request(id);
        let Some(router) = self.routers.get_mut(id) else {
            return;
        };
        let old = std::mem::replace(&mut router.plan, plan);
        let mut before: Vec<_> = old
            .addresses
            .into_iter()
            .zip(std::mem::take(&mut router.held))
            .collect();
        router.held = router
            .plan
            .addresses
            .iter()
            .map(
                |address| match before.iter().position(|(was, _)| was == address) {
                    Some(at) => before.swap_remove(at).1,
                    None => Held::default(),
                },
            )
            .collect();
        let name = router.plan.settings.name.clone();
        let mut ops = Vec::new();
        for (address, held) in before {
            if !held.set {
                continue;
            }
            info!(
                "({name}) ip address {} dev {}, no longer exist",
                address.prefix, address.interface
            );
            if let Some(link) = self.reflector.table().by_name(&address.interface) {
                ops.push(Op::Delete(kernel_address(&address, link.index)));
            }
        }
        self.submit_detached(ops);
    }

    /// A run of a script ended.
    pub(super) fn script_ended(&mut self, now: Instant, finished: &Finished) {
        let Some(spoken) = self.scripts.record(finished) else {
            return;
        };
        if let Some(tracker) = self.trackers.known(TrackerKind::Script, &spoken.name) {
            self.tell_trackers(tracker, now, spoken.reading, Some(&spoken.detail));
        }
    }

    /// Tells of every transition that still waits for its addresses: there is no later.
    pub(super) fn tell_everybody(&mut self) {
        for id in self.routers.ids() {
            self.tell(id);
        }
    }
}

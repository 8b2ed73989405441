//! Sync groups: which routers move together, and the way to their common core.

use std::collections::HashMap;
use std::sync::Arc;

use rk_base::Instant;
use rk_config::model;
use rk_vrrp::{GroupOutput, GroupTransition, Input, Instance, State, SyncGroup};

use super::router::{RouterId, Routers};

/// What a group wants done.
pub(super) struct Said {
    pub(super) group: Arc<str>,
    pub(super) outputs: Vec<GroupOutput>,
}

/// All sync groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    all: Vec<SyncGroup>,
    of: HashMap<RouterId, usize>,
    /// Transitions told to nobody yet: the members come first.
    untold: Vec<(Arc<str>, GroupTransition)>,
}

impl Groups {
    /// Takes over the groups of a configuration; a group that stays keeps its state.
    pub(super) fn apply(&mut self, config: &model::Config, routers: &Routers) {
        let ids: HashMap<&str, RouterId> =
            routers.iter().map(|(id, r, _)| (r.name(), id)).collect();
        let old = std::mem::take(&mut self.all);
        self.of.clear();
        for group in &config.sync_groups {
            let members: Vec<RouterId> = group
                .members
                .iter()
                .filter_map(|m| ids.get(m.as_str()).copied())
                .collect();
            let place = self.all.len();
            self.of.extend(members.iter().map(|id| (*id, place)));
            let mut fresh = SyncGroup::new(
                group.name.as_str().into(),
                members.iter().map(|RouterId(n)| *n).collect(),
            );
            if let Some(before) = old.iter().find(|g| g.name() == fresh.name()) {
                fresh.inherit(before);
            }
            self.all.push(fresh);
        }
    }

    /// Whether the router is in a group.
    pub(super) fn has(&self, id: RouterId) -> bool {
        self.of.contains_key(&id)
    }

    /// Starts every group that has not started.
    pub(super) fn start(&mut self, now: Instant, cores: &mut [Instance]) -> Vec<Said> {
        self.all
            .iter_mut()
            .filter(|g| g.state() == State::Init)
            .map(|group| {
                let mut outputs = Vec::new();
                group.start(now, cores, &mut outputs);
                Said {
                    group: group.name().clone(),
                    outputs,
                }
            })
            .collect()
    }

    /// A group changed its state; it is told after its members.
    pub(super) fn untold(&mut self, group: &Arc<str>, transition: GroupTransition) {
        self.untold.push((group.clone(), transition));
    }

    /// The transitions, in order, of groups whose members are all `settled`.
    pub(super) fn take_told(
        &mut self,
        settled: impl Fn(RouterId) -> bool,
    ) -> Vec<(Arc<str>, GroupTransition)> {
        let all = &self.all;
        let ready = |name: &Arc<str>| {
            let group = all.iter().find(|g| g.name() == name);
            group.is_none_or(|g| g.members().iter().all(|m| settled(RouterId(*m))))
        };
        let (told, untold) = std::mem::take(&mut self.untold)
            .into_iter()
            .partition(|(name, _)| ready(name));
        self.untold = untold;
        told
    }

    /// Feeds a member's input to its group.
    pub(super) fn handle(
        &mut self,
        id: RouterId,
        now: Instant,
        input: Input<'_>,
        cores: &mut [Instance],
    ) -> Said {
        let mut outputs = Vec::new();
        let group = self.of.get(&id).and_then(|n| self.all.get_mut(*n));
        let name = group.map_or_else(
            || Arc::from(""),
            |group| {
                group.handle(now, id.0, input, cores, &mut outputs);
                group.name().clone()
            },
        );
        Said {
            group: name,
            outputs,
        }
    }
}

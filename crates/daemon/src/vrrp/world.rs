//! Everything the VRRP process holds, and how an instance's outputs are performed.
//!
//! The order inside one turn of the loop is what makes it honest and quick: packets are read
//! before a timer is believed, adverts leave before addresses are touched, and addresses go to the
//! kernel in short batches with adverts in between.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rk_base::Instant;
use rk_config::model;
use rk_net::{
    AddressWriter, Announcer, Clock, Firewall, FirewallSettings, Frame, OpId, Pool, Reflector,
    SocketId,
};
use rk_notify::State as Told;
use rk_vrrp::{
    Cause, Event, GroupOutput, Input, Level, Output, State, TrackerId, Transition, Transmit,
};
use tracing::{debug, info, warn};

use super::announcements::Announcements;
use super::groups::{Groups, Said};
use super::notify::{self, Notifier};
use super::packets::Bundling;
use super::router::{RouterId, Routers};
use super::scripts::Scripts;
use super::sync_daemon::Follower;
use super::translate::TrackerIds;
use crate::cli::Options;

/// The VRRP process.
pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) options: Options,
    pub(super) config: Arc<model::Config>,
    pub(super) pool: Pool,
    pub(super) reflector: Reflector,
    pub(super) writer: AddressWriter,
    pub(super) announcer: Announcer,
    pub(super) announcements: Announcements,
    pub(super) firewall: Firewall,
    /// What it drops may have to change.
    pub(super) firewall_is_stale: bool,
    /// The last change of it failed, which was said.
    pub(super) firewall_failed: bool,
    pub(super) routers: Routers,
    pub(super) groups: Groups,
    pub(super) trackers: TrackerIds,
    pub(super) tracked_by: HashMap<TrackerId, Vec<RouterId>>,
    pub(super) scripts: Scripts,
    pub(super) notifier: Notifier,
    pub(super) sync: Follower,
    /// Whose submission to the address writer is under way.
    pub(super) asked: HashMap<OpId, RouterId>,
    pub(super) next_op: u64,
    /// Every configured virtual address: none of them may become a source.
    pub(super) virtual_addresses: HashSet<IpAddr>,
    /// How long the loop may sleep, and when that was worked out.
    pub(super) heartbeat_interval: Duration,
    pub(super) heartbeat_checked: Instant,
    pub(super) bundling: Bundling,
    pub(super) received_bytes: Vec<u8>,
    /// Adverts that leave at the end of this turn.
    outbox: Vec<(RouterId, SocketId, Transmit)>,
    arena: Vec<u8>,
    outputs: Vec<Output>,
}

/// What [`World`] is made of at the start.
pub(super) struct Parts {
    pub(super) clock: Clock,
    pub(super) options: Options,
    pub(super) config: Arc<model::Config>,
    pub(super) pool: Pool,
    pub(super) reflector: Reflector,
    pub(super) writer: AddressWriter,
    pub(super) announcer: Announcer,
}

impl World {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts {
            clock,
            options,
            config,
            pool,
            reflector,
            writer,
            announcer,
        } = parts;
        Self {
            notifier: Notifier::start(&config),
            firewall: Firewall::new(firewall_settings(&config.global)),
            firewall_is_stale: false,
            firewall_failed: false,
            scripts: Scripts::new(),
            sync: Follower::default(),
            clock,
            options,
            config,
            pool,
            reflector,
            writer,
            announcer,
            announcements: Announcements::default(),
            routers: Routers::default(),
            groups: Groups::default(),
            trackers: TrackerIds::default(),
            tracked_by: HashMap::new(),
            asked: HashMap::new(),
            next_op: 0,
            virtual_addresses: HashSet::new(),
            heartbeat_interval: Duration::ZERO,
            heartbeat_checked: Instant::ZERO,
            bundling: Bundling::default(),
            received_bytes: Vec::new(),
            outbox: Vec::new(),
            arena: Vec::new(),
            outputs: Vec::new(),
        }
    }

    //----------- Inputs -------------------------------------------------------------------------

    /// Feeds one input to a router's core, through its sync group if it is in one, and does what
    /// comes out.
    pub(super) fn feed(&mut self, id: RouterId, now: Instant, input: Input<'_>) {
        if self.groups.has(id) {
            let said = self.groups.handle(id, now, input, self.routers.cores_mut());
            self.perform_group(now, said);
            self.routers.arm(id);
            return;
        }
        let mut outputs = std::mem::take(&mut self.outputs);
        if let Some(core) = self.routers.core_mut(id) {
            core.handle(now, input, &mut outputs);
        }
        for output in outputs.drain(..) {
            self.perform(id, now, output);
        }
        self.outputs = outputs;
        self.routers.arm(id);
    }

    /// Performs what a sync group and its members said, in that order.
    pub(super) fn perform_group(&mut self, now: Instant, said: Said) {
        for output in said.outputs {
            match output {
                GroupOutput::Member(member, output) => {
                    self.perform(RouterId(member), now, output);
                    self.routers.arm(RouterId(member));
                }
                GroupOutput::Transition(t) => {
                    self.groups.untold(&said.group, t);
                    self.tell_groups();
                }
                GroupOutput::Log(event) => info!("{event}"),
            }
        }
    }

    /// Feeds the same input to every router that tracks `tracker`.
    pub(super) fn tell_trackers(
        &mut self,
        tracker: TrackerId,
        now: Instant,
        reading: rk_vrrp::Reading,
        detail: Option<&Arc<str>>,
    ) {
        let Some(ids) = self.tracked_by.get(&tracker).cloned() else {
            return;
        };
        for id in ids {
            self.feed(
                id,
                now,
                Input::Tracker {
                    id: tracker,
                    reading,
                    detail: detail.cloned(),
                },
            );
        }
    }

    /// Gives every router whose time has come its turn. `early` lets those that are due within
    /// that span go along, so that many adverts share one system call.
    pub(super) fn run_timers(&mut self, now: Instant, early: Duration) {
        while let Some((id, due)) = self.routers.pop_due(now + early) {
            // A Backup's patience is never cut short, not even by a microsecond.
            let master = self
                .routers
                .core(id)
                .is_some_and(|c| c.state() == State::Master);
            if due > now && !master {
                self.routers.arm(id);
                break;
            }
            self.feed(id, now.max(due), Input::Timer);
        }
    }

    /// When the loop must wake, not counting sockets.
    pub(super) fn next_due(&mut self) -> Option<Instant> {
        [self.routers.next(), self.announcements.next()]
            .into_iter()
            .flatten()
            .min()
    }

    //----------- Outputs ------------------------------------------------------------------------

    fn perform(&mut self, id: RouterId, now: Instant, output: Output) {
        match output {
            Output::Send(transmit) => {
                if let Some(socket) = self.routers.get(id).and_then(|r| r.socket) {
                    self.outbox.push((id, socket, transmit));
                }
            }
            Output::Addresses(which) => self.want_addresses(id, which),
            Output::Announce(announce) => self.announce(id, now, announce),
            Output::Transition(transition) => self.enter(id, transition),
            Output::PriorityChanged { to, .. } => {
                if let (Some(router), Some(core)) = (self.routers.get(id), self.routers.core(id)) {
                    let master = core.state() == State::Master;
                    self.notifier
                        .priority_changed(router.name(), master, to.get());
                }
            }
            Output::RxLowerPriority => {
                if let (Some(router), Some(core)) = (self.routers.get(id), self.routers.core(id)) {
                    let priority = core.effective_priority().get();
                    self.notifier.rx_lower_priority(router.name(), priority);
                }
            }
            // The group has heard it: it was asked first.
            Output::WantsMaster => {}
            Output::Log(event) => log(&event),
        }
    }

    /// A router changed its state: remember why, and tell everybody once its addresses are done.
    fn enter(&mut self, id: RouterId, transition: Transition) {
        self.heartbeat_checked = Instant::ZERO;
        let Some(router) = self.routers.get_mut(id) else {
            return;
        };
        router.cause = Some(transition.cause.to_string());
        router.last_transition = wall_micros();
        info!(
            "({}) {} because: {}",
            router.plan.settings.name, transition.to, transition.cause
        );
        router.untold.push_back(transition);
        if router.asked.is_none() {
            self.tell(id);
        }
    }

    /// Tells scripts, FIFOs and mail of the transitions that waited for the addresses.
    pub(super) fn tell(&mut self, id: RouterId) {
        let Some(router) = self.routers.get_mut(id) else {
            return;
        };
        let source = notify::instance(&router.plan.settings.name);
        for transition in router.untold.drain(..) {
            if let Some(state) = told(transition.to, &transition.cause) {
                let cause = transition.cause.to_string();
                self.notifier
                    .transition(source.clone(), state, transition.priority.get(), &cause);
            }
            self.sync.entered(&router.plan.settings.name, transition.to);
        }
        if self.groups.has(id) {
            self.tell_groups();
        }
    }

    /// Tells of the groups' transitions whose members have all been told of theirs.
    fn tell_groups(&mut self) {
        let routers = &self.routers;
        let settled = |id: RouterId| routers.get(id).is_none_or(|r| r.untold.is_empty());
        for (group, transition) in self.groups.take_told(settled) {
            if let Some(state) = told(transition.to, &transition.cause) {
                let cause = transition.cause.to_string();
                self.notifier
                    .transition(notify::group(&group), state, 0, &cause);
            }
        }
    }

    //----------- Sending ------------------------------------------------------------------------

    /// Sends the adverts of this turn, those of one socket in one system call.
    pub(super) fn flush(&mut self) {
        if self.outbox.is_empty() {
            return;
        }
        let mut outbox = std::mem::take(&mut self.outbox);
        outbox.sort_by_key(|(_, socket, _)| *socket);
        self.arena.clear();
        let mut ranges = Vec::with_capacity(outbox.len());
        for (_, _, transmit) in &outbox {
            let start = self.arena.len();
            transmit.render(&mut self.arena);
            ranges.push(start..self.arena.len());
        }
        let frames: Vec<Frame<'_>> = outbox
            .iter()
            .zip(ranges)
            .map(|((_, socket, transmit), range)| Frame {
                socket: *socket,
                source: Some(transmit.src),
                destination: transmit.dst,
                hop_limit: Some(transmit.ttl),
                bytes: &self.arena[range],
            })
            .collect();
        let failed: HashMap<usize, rk_net::SendError> =
            self.pool.send(&frames).into_iter().collect();
        let sent_at = wall_micros();
        for (at, (id, _, transmit)) in outbox.iter().enumerate() {
            let Some(router) = self.routers.get_mut(*id) else {
                continue;
            };
            match failed.get(&at) {
                None => {
                    router.last_advert_sent = sent_at;
                    router.send_error = None;
                }
                Some(error) => {
                    if router.send_error.replace(*error) != Some(*error) {
                        warn!(
                            "({}): cannot send advert to {}: {error}",
                            router.plan.settings.name, transmit.dst
                        );
                    }
                }
            }
        }
        outbox.clear();
        self.outbox = outbox;
    }
}

/// How the firewall's tables are made: at the start, since keepalived, too, refuses to change
/// their name at a reload.
fn firewall_settings(global: &model::Global) -> FirewallSettings {
    let default = FirewallSettings::default();
    FirewallSettings {
        table: global.nftables.clone().unwrap_or(default.table),
        priority: global.nftables_priority,
        counters: global.nftables_counters,
    }
}

/// What the outside is told of a transition; `None` for what it is not.
fn told(to: State, cause: &Cause) -> Option<Told> {
    match (to, cause) {
        (State::Master, _) => Some(Told::Master),
        (State::Backup, _) => Some(Told::Backup),
        (State::Fault, _) => Some(Told::Fault),
        (State::Init, Cause::Deleted) => Some(Told::Deleted),
        (State::Init, Cause::Shutdown) => Some(Told::Stop),
        (State::Init, _) => None,
    }
}

/// A core's log line at its level: details only show with `-D`.
pub(super) fn log(event: &Event) {
    match event.level() {
        Level::Info => info!("{event}"),
        Level::Detail => debug!("{event}"),
    }
}

/// Microseconds since 1970, for people to read; nothing is ever computed from it.
pub(super) fn wall_micros() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

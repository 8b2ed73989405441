//! `nftables_ipvs`: one firewall mark for all addresses of a virtual server group.
//!
//! ```text
//!   Numbers ── which mark stands for which group ──▶ translate: one service of the kernel's table
//!      └────── which packets bear it ──────────────▶ Marks: a thread that owns the nft tables
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use rk_base::Family;
use rk_config::model::{self, Service};
use rk_net::{FirewallError, FirewallSettings, Marked, Marker};
use tokio::sync::oneshot;
use tracing::{debug, error, info, warn};

use crate::ipvs::enter;

/// Between two looks whether the tables are still there.
const PASS: Duration = Duration::from_secs(30);
/// The same while something has not worked.
const SOON: Duration = Duration::from_secs(2);

/// Which packets bear which mark.
pub(super) type Wanted = BTreeMap<Marked, NonZeroU32>;

/// A group as one kind of virtual server uses it: each has a mark of its own.
type Use = (Arc<str>, model::Protocol);

/// Which mark stands for which group. It outlives reloads: a group keeps its mark.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    given: HashMap<Use, NonZeroU32>,
    /// The mark after the last one given; none has been yet.
    next: Option<NonZeroU32>,
}

impl Numbers {
    /// Gives a mark to every group of `config` that is to have one, in the order of the virtual
    /// servers; takes back those of groups that are not any more. Marks that the configuration
    /// itself names are given to nobody.
    pub(super) fn settle(&mut self, config: &model::Config) {
        if config.global.lvs.nftables_ipvs.is_none() {
            *self = Self::default();
            return;
        }
        for (it, group) in of_addresses(config).filter(|(_, group)| has_every_port(group)) {
            warn!(
                "{}: group {} has an entry for every port, which no mark can stand for: its \
                 addresses are served one by one",
                group.origin, it.0
            );
        }
        let named = named(config);
        let wanted: Vec<Use> = uses(config).map(|(it, _)| it).collect();
        let still: HashSet<&Use> = wanted.iter().collect();
        self.given
            .retain(|it, mark| still.contains(it) && !named.contains(&mark.get()));
        let mut taken: HashSet<u32> = self.given.values().map(|mark| mark.get()).collect();
        taken.extend(named);
        let start = NonZeroU32::new(config.global.lvs.nftables_ipvs_start_fwmark);
        let mut next = self.next.or(start).unwrap_or(NonZeroU32::MIN);
        for it in wanted {
            if self.given.contains_key(&it) {
                continue;
            }
            // There are more marks than groups, so this ends.
            while !taken.insert(next.get()) {
                next = after(next);
            }
            debug!(
                "nftables_ipvs: mark {next} stands for {} of group {}",
                it.1, it.0
            );
            self.given.insert(it, next);
            next = after(next);
            self.next = Some(next);
        }
    }

    /// The mark of `group`, if `service` is one and has one; and the families of its addresses.
    pub(super) fn of(
        &self,
        service: &Service,
        group: &model::VirtualServerGroup,
    ) -> Option<(NonZeroU32, impl Iterator<Item = Family>)> {
        let Service::Group { protocol, .. } = service else {
            return None;
        };
        let mark = *self.given.get(&(group.name.clone(), (*protocol)?))?;
        let has = |family| {
            let mut entries = group.entries.iter();
            entries.any(|entry| entry.target.family() == Some(family))
        };
        let families = [Family::V4, Family::V6].map(|family| has(family).then_some(family));
        Some((mark, families.into_iter().flatten()))
    }

    /// The marks of the group of this name for TCP, UDP and SCTP.
    pub(super) fn of_group(&self, name: &Arc<str>) -> [Option<NonZeroU32>; 3] {
        model::Protocol::ALL.map(|protocol| self.given.get(&(name.clone(), protocol)).copied())
    }

    /// Which packets are to bear the marks.
    pub(super) fn packets(&self, config: &model::Config) -> Wanted {
        let mut all = Wanted::new();
        for (it, group) in uses(config) {
            let Some(mark) = self.given.get(&it) else {
                continue;
            };
            let transport = it.1;
            for entry in &group.entries {
                let (first, last, port): (IpAddr, IpAddr, u16) = match entry.target {
                    model::GroupTarget::V4 { first, last, port } => {
                        (first.into(), last.into(), port)
                    }
                    model::GroupTarget::V6 { first, last, port } => {
                        (first.into(), last.into(), port)
                    }
                    model::GroupTarget::Fwmark { .. } => continue,
                };
                if let Some(marked) = Marked::new(transport, first, last, port) {
                    // The same in two groups: the first one has it, as in the kernel's table.
                    all.entry(marked).or_insert(*mark);
                }
            }
        }
        all
    }
}

fn after(mark: NonZeroU32) -> NonZeroU32 {
    mark.checked_add(1).unwrap_or(NonZeroU32::MIN)
}

/// The groups that are to have a mark: those of addresses alone, as in keepalived. Not those with
/// an entry for every port, since a map of ports cannot say so: they are served by address.
fn uses(config: &model::Config) -> impl Iterator<Item = (Use, &model::VirtualServerGroup)> {
    of_addresses(config).filter(|(_, group)| !has_every_port(group))
}

fn of_addresses(config: &model::Config) -> impl Iterator<Item = (Use, &model::VirtualServerGroup)> {
    config.virtual_servers.iter().filter_map(|v| {
        let Service::Group { name, protocol, .. } = &v.service else {
            return None;
        };
        let mut groups = config.virtual_server_groups.iter();
        let group = groups.find(|group| group.name == *name)?;
        let mut entries = group.entries.iter();
        let addresses = entries.all(|entry| entry.target.port().is_some());
        addresses.then_some(((name.clone(), (*protocol)?), group))
    })
}

fn has_every_port(group: &model::VirtualServerGroup) -> bool {
    let mut entries = group.entries.iter();
    entries.any(|entry| entry.target.port() == Some(0))
}

/// The marks that the configuration itself names.
fn named(config: &model::Config) -> HashSet<u32> {
    let servers = config
        .virtual_servers
        .iter()
        .filter_map(|v| match v.service {
            Service::Fwmark { mark, .. } => Some(mark),
            Service::Address { .. } | Service::Group { .. } => None,
        });
    let groups = &config.virtual_server_groups;
    let entries = groups.iter().flat_map(|group| &group.entries);
    let entries = entries.filter_map(|entry| match entry.target {
        model::GroupTarget::Fwmark { mark, .. } => Some(mark),
        model::GroupTarget::V4 { .. } | model::GroupTarget::V6 { .. } => None,
    });
    servers.chain(entries).collect()
}

/// The handle of the thread. A configuration without `nftables_ipvs` has none, and cannot come to
/// one by a reload.
#[derive(Debug)]
pub(super) struct Marks {
    requests: Option<Sender<Request>>,
}

enum Request {
    Set(Wanted),
    Clear(oneshot::Sender<()>),
}

impl Marks {
    /// Starts the thread, if `config` wants marks: in the namespace of the kernel's table.
    pub(super) fn start(config: &model::Config) -> Self {
        let lvs = &config.global.lvs;
        let requests = lvs.nftables_ipvs.clone().and_then(|table| {
            let settings = FirewallSettings {
                table,
                priority: lvs.nftables_ipvs_priority,
                counters: config.global.nftables_counters,
            };
            let namespace = config.global.net_namespace_ipvs.clone();
            let (requests, inbox) = channel();
            let thread = thread::Builder::new().name("marks".to_owned());
            let run = move || match enter(namespace.as_ref()) {
                Ok(()) => Task::new(settings).run(&inbox),
                Err(e) => error!("nftables_ipvs: {e}: no packet is marked"),
            };
            thread
                .spawn(run)
                .inspect_err(|e| error!("nftables_ipvs: no packet is marked: {e}"))
                .ok()
                .map(|_| requests)
        });
        Self { requests }
    }

    /// Tells what is to be marked. Never waits.
    pub(super) fn want(&self, wanted: Wanted) {
        self.send(Request::Set(wanted));
    }

    /// Takes everything away, which may last until `limit`; or leaves it, with `keep`.
    pub(super) async fn finish(self, keep: bool, limit: Duration) {
        if keep {
            return;
        }
        let (done, finished) = oneshot::channel();
        self.send(Request::Clear(done));
        if tokio::time::timeout(limit, finished).await.is_err() {
            warn!("nftables_ipvs: nftables is too slow: its tables stay");
        }
    }

    fn send(&self, request: Request) {
        if let Some(requests) = &self.requests {
            // A thread that could not begin has said why.
            let _ = requests.send(request);
        }
    }
}

struct Task {
    marker: Marker,
    wanted: Wanted,
    /// Nothing has been set: tables of an earlier run may be there.
    fresh: bool,
    /// What was said last, so that it is said once.
    complaint: Option<String>,
}

impl Task {
    fn new(settings: FirewallSettings) -> Self {
        Self {
            marker: Marker::new(settings),
            wanted: Wanted::new(),
            fresh: true,
            complaint: None,
        }
    }

    fn run(mut self, inbox: &Receiver<Request>) {
        loop {
            let period = if self.complaint.is_some() { SOON } else { PASS };
            match inbox.recv_timeout(period) {
                Ok(Request::Set(wanted)) => {
                    self.wanted = wanted;
                    self.look();
                }
                Ok(Request::Clear(done)) => {
                    if let Err(e) = self.marker.clear() {
                        warn!("nftables_ipvs: the tables cannot be removed: {e}");
                    }
                    let _ = done.send(());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => self.look(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Puts tables back that somebody else took away, and tries again what did not work.
    fn look(&mut self) {
        match self.marker.look() {
            Ok(true) => {}
            Ok(false) => {
                warn!("nftables_ipvs: somebody else removed our tables: putting them back");
            }
            Err(e) => return self.failed(&e),
        }
        self.apply();
    }

    fn apply(&mut self) {
        let result = if self.fresh && self.wanted.is_empty() {
            self.marker.clear()
        } else {
            self.marker.set(&self.wanted)
        };
        match result {
            Ok(()) => {
                self.fresh = false;
                if self.complaint.take().is_some() {
                    info!("nftables_ipvs: packets are marked now");
                }
            }
            Err(e) => self.failed(&e),
        }
    }

    fn failed(&mut self, e: &FirewallError) {
        let why = e.to_string();
        if self.complaint.as_ref() != Some(&why) {
            error!(
                "nftables_ipvs: {why}. Virtual server groups get no requests until this works; \
                 everything else runs"
            );
            self.complaint = Some(why);
        }
    }
}

#[cfg(test)]
mod tests;

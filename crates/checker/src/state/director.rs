//! The load balancer: all virtual servers of this host, what it knows of them, and the table of
//! what happens when.
//!
//! ```text
//!   Done ──▶ check up/down ──▶ real server alive? ──▶ quorum? ──▶ sorry server
//!             (retries)         (none failed)         (weights)
//! ```
//!
//! Nothing is added up over time: after each input the weights and the desired table follow from
//! what the checks have found and from the settings.

mod attempt;
mod health;
mod pool;
mod reload;
mod start;
mod stop;
mod suspend;
mod told;

use core::net::IpAddr;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rk_base::Instant;

use super::check::Check;
use super::event::Event;
use super::input::{CheckId, Input, SessionState};
use super::name::{DestinationKey, Endpoint, ServiceKey, VirtualName};
use super::notice::Health;
use super::output::{Destination, Output};
use super::settings::{RealServer, Service, Settings, VirtualServer};
use super::table::{Checks, Checkup, RealId, Virtual};
use super::timer::{Random, Timers};

pub use start::Part;

/// What the whole of the load balancer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// [`Input::Start`] has not come.
    Waiting,
    Running,
    Stopped,
}

/// All virtual servers of this host. Feed it [`Input`]s with the time, perform the [`Output`]s in
/// the order in which they come, and feed [`Input::Timer`] at [`Director::due`].
#[derive(Debug)]
pub struct Director {
    pub(super) stage: Stage,
    rs_init_notifies: bool,
    no_checker_emails: bool,
    share_probes: bool,
    pub(super) virtuals: Vec<Virtual>,
    pub(super) checks: Checks,
    pub(super) timers: Timers,
    random: Random,
    attempts: u64,
    /// The addresses of this host, as far as told.
    addresses: HashSet<IpAddr>,
    /// Which virtual servers care about an address.
    suspended_by: HashMap<IpAddr, Vec<usize>>,
    files: HashMap<Arc<str>, i32>,
    file_checks: HashMap<Arc<str>, Vec<CheckId>>,
    sessions: HashMap<Arc<str>, SessionState>,
    session_checks: HashMap<Arc<str>, Vec<CheckId>>,
    /// Whose service an entry of the kernel's table is.
    owners: HashMap<ServiceKey, usize>,
}

impl Director {
    /// The virtual servers of a configuration, at rest until [`Input::Start`]. Equal seeds spread
    /// the first attempts equally.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        let mut director = Self {
            stage: Stage::Waiting,
            rs_init_notifies: false,
            no_checker_emails: false,
            share_probes: false,
            virtuals: Vec::new(),
            checks: Checks::default(),
            timers: Timers::default(),
            random: Random::new(seed),
            attempts: 0,
            addresses: HashSet::new(),
            suspended_by: HashMap::new(),
            files: HashMap::new(),
            file_checks: HashMap::new(),
            sessions: HashMap::new(),
            session_checks: HashMap::new(),
            owners: HashMap::new(),
        };
        director.adopt(Instant::ZERO, settings, &mut Vec::new());
        director
    }

    /// Feeds one input. Everything the world must do is appended to `out`, in order.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) {
        if self.stage == Stage::Stopped {
            return;
        }
        match input {
            Input::Start => self.start(now, out),
            Input::Timer => self.timer(now, out),
            Input::Done {
                check,
                attempt,
                outcome,
            } => self.done(now, check, attempt, outcome, out),
            Input::Address {
                addr,
                now: whereabouts,
            } => self.address(now, addr, whereabouts, out),
            Input::Bfd { session, state } => self.session(session, state, out),
            Input::File { file, value } => self.file(file, value, out),
            Input::Reload(settings) => self.adopt(now, *settings, out),
            Input::Stop => self.stop(out),
        }
    }

    /// When to feed [`Input::Timer`] next; `None` while nothing but other inputs can matter.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.timers.due()
    }

    /// What the kernel's table should hold now: the services in the order of the configuration,
    /// each with its destinations. What [`Output::Service`] and [`Output::Destination`] have said
    /// one by one amounts to the same.
    pub fn desired(&self) -> impl Iterator<Item = Desired<'_>> {
        let running = self.stage == Stage::Running;
        let virtuals = self.virtuals.iter().filter(move |_| running);
        virtuals.flat_map(|one| {
            one.set
                .entries
                .iter()
                .map(move |entry| desired_service(one, *entry))
        })
    }

    /// What the table should hold of one service; `None` if it should not be there.
    #[must_use]
    pub fn desired_service(&self, service: ServiceKey) -> Option<Desired<'_>> {
        let owner = self.owners.get(&service)?;
        (self.stage == Stage::Running).then(|| desired_service(&self.virtuals[*owner], service))
    }

    /// The virtual servers, for dumps and questions.
    pub fn virtual_servers(&self) -> impl Iterator<Item = VirtualView<'_>> {
        self.virtuals.iter().map(|one| VirtualView {
            director: self,
            one,
        })
    }

    /// The virtual server that `check` is for; the first one of a check that several share.
    #[must_use]
    pub fn virtual_server_of(&self, check: CheckId) -> Option<&VirtualName> {
        let member = self.checks.find(check)?.members.first()?;
        Some(&self.virtuals[member.virtual_server].set.name)
    }

    /// The number that a file has, as far as told.
    #[must_use]
    pub fn file_number(&self, name: &str) -> Option<i32> {
        self.files.get(name).copied()
    }

    fn log(event: Event, out: &mut Vec<Output>) {
        out.push(Output::Log(event));
    }

    fn real(&self, id: RealId) -> &super::table::Real {
        &self.virtuals[id.virtual_server].reals[id.real]
    }
}

/// One service of the kernel's table, as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired<'a> {
    /// Which one.
    pub key: ServiceKey,
    /// What the kernel must know about it.
    pub service: &'a Service,
    /// The virtual server it belongs to.
    pub virtual_server: &'a VirtualName,
    /// Its destinations in the order of the configuration, the sorry server last.
    pub destinations: Vec<(DestinationKey, Destination)>,
}

fn desired_service(one: &Virtual, entry: ServiceKey) -> Desired<'_> {
    let mut destinations = Vec::with_capacity(one.reals.len() + 1);
    let reals = (0..one.reals.len()).map(|real| one.want_real(entry, real));
    for (key, want) in reals.chain(one.want_sorry(entry)) {
        let known = one.clashes && destinations.iter().any(|(known, _)| *known == key);
        if let Some(want) = want.filter(|_| !known) {
            destinations.push((key, want));
        }
    }
    Desired {
        key: entry,
        service: &one.set.service,
        virtual_server: &one.set.name,
        destinations,
    }
}

/// A virtual server, looked at.
#[derive(Clone, Copy, Debug)]
pub struct VirtualView<'a> {
    director: &'a Director,
    one: &'a Virtual,
}

impl<'a> VirtualView<'a> {
    /// Its settings; the real servers are in [`VirtualView::real_servers`].
    #[must_use]
    pub fn settings(self) -> &'a VirtualServer {
        &self.one.set
    }

    /// Whether the quorum is reached.
    #[must_use]
    pub fn quorum(self) -> Health {
        if self.one.quorum {
            Health::Up
        } else {
            Health::Down
        }
    }

    /// Whether the sorry server serves.
    #[must_use]
    pub fn sorry(self) -> bool {
        self.one.sorry()
    }

    /// The weight the sorry server should have in the table now; `None` if it should not be there.
    #[must_use]
    pub const fn sorry_placed(self) -> Option<u32> {
        self.one.sorry_placed
    }

    /// Whether its checks run, rather than being suspended.
    #[must_use]
    pub fn active(self) -> bool {
        self.one.active
    }

    /// The weight of its servers that are alive.
    #[must_use]
    pub fn weight(self) -> u64 {
        self.one.weight()
    }

    /// Its real servers in the order of the file.
    pub fn real_servers(self) -> impl Iterator<Item = RealView<'a>> {
        self.one.reals.iter().map(move |real| RealView {
            settings: &real.set,
            endpoint: real.set.endpoint(self.one.set.protocol),
            health: if real.alive { Health::Up } else { Health::Down },
            weight: real.weight,
            placed: real.placed,
            checks: real
                .checks
                .iter()
                .map(|id| CheckView::of(*id, &self.director.checks[*id]))
                .collect(),
        })
    }
}

/// A real server, looked at.
#[derive(Clone, Debug)]
pub struct RealView<'a> {
    /// Its settings; the checks are in `checks`.
    pub settings: &'a RealServer,
    /// Its name.
    pub endpoint: Endpoint,
    /// Whether it is alive.
    pub health: Health,
    /// Its effective weight: the configured one and what checks make of it.
    pub weight: u32,
    /// The weight it should have in the table now; `None` if it should not be there.
    pub placed: Option<u32>,
    /// Its checks.
    pub checks: Vec<CheckView<'a>>,
}

/// A check, looked at.
#[derive(Clone, Copy, Debug)]
pub struct CheckView<'a> {
    /// Its number.
    pub id: CheckId,
    /// Its settings.
    pub settings: &'a Check,
    /// What it says.
    pub health: Health,
    /// Whether it has run at all.
    pub has_run: bool,
    /// How many attempts have failed in a row since it was well, while it still counts as up.
    pub retries: u32,
    /// What it adds to the weight of its server; 0 for most.
    pub weight: i64,
    /// The URL that failed (counted from 0), while that decides.
    pub failed_url: Option<usize>,
}

impl<'a> CheckView<'a> {
    fn of(id: CheckId, check: &'a Checkup) -> Self {
        let found = &check.found;
        Self {
            id,
            settings: &check.set,
            health: if found.up { Health::Up } else { Health::Down },
            has_run: found.has_run,
            retries: found.retries,
            weight: found.weight.unwrap_or(0),
            failed_url: found.failed_url.then_some(found.url),
        }
    }
}

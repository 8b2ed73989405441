//! One virtual router: its state, what it knows, and the table of what happens when.
//!
//! ```text
//!            Start, nothing missing            silence, or owner
//!   INIT ───────────────────────────▶ BACKUP ───────────────────▶ MASTER
//!    │ Start, something missing         ▲ │  ◀───────────────────   │
//!    ▼                      all good    │ │   better advert         │
//!   FAULT ──────────────────────────────┘ │                         │
//!     ◀───────────────────────────────────┴─────────────────────────┘
//!                          something missing
//! ```
//!
//! Names are those of the RFCs and of keepalived: what RFC 9568 calls Active is MASTER here,
//! because configuration, scripts and log lines call it so.

mod announce;
mod backup;
mod fault;
mod follow;
mod master;
mod receive;
mod reload;
mod send;
#[cfg(test)]
mod tests;

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;
use std::sync::Arc;

use rk_base::{Instant, Priority};

use crate::cause::{Cause, FaultReason};
use crate::event::{Event, Occurrence};
use crate::input::{AtStop, Input, StopReason};
use crate::output::{Addresses, Output, Transition};
use crate::settings::{Settings, Version};
use crate::stats::Stats;
use crate::tracking::Reading;

use announce::Announcements;
use backup::Wait;
pub(crate) use follow::Follow;
use receive::{Limiter, Replay};
use send::Sender;

/// The state of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Not started, stopped, or waiting for the first result of a script.
    Init,
    /// Listening to a Master, or for one.
    Backup,
    /// Holding the addresses.
    Master,
    /// Something it needs is missing.
    Fault,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Init => "INIT",
            Self::Backup => "BACKUP",
            Self::Master => "MASTER",
            Self::Fault => "FAULT",
        })
    }
}

/// A Master that was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Heard {
    address: IpAddr,
    priority: Priority,
}

/// One virtual router. See the crate's documentation for how to drive it.
#[derive(Clone, Debug)]
pub struct Instance {
    settings: Settings,
    state: State,
    /// What the instance would be if its sync group agreed.
    wants: State,
    /// Why it wants to be Master.
    wish: Option<Cause>,
    started: bool,
    /// Whether no state was entered since the start, for the `(init)` of the log.
    fresh: bool,
    /// Packets received before this are thrown away (`vrrp_startup_delay`).
    deaf_until: Option<Instant>,
    /// What each tracker of the settings says, in their order.
    readings: Vec<(Reading, Option<Arc<str>>)>,
    total: i32,
    effective: Priority,
    /// The sync group is in FAULT because of another member.
    group_fault: Option<FaultReason>,
    /// What a Backup waits for.
    wait: Option<Wait>,
    /// Silence before this proves nothing (see [`Input::Stalled`]), and when that was decided.
    floor: Option<Floor>,
    /// Adver_Timer of a Master.
    adver_due: Option<Instant>,
    /// Active_Adver_Interval: ours, or in version 3 the one the Master advertises.
    master_adver_interval: Duration,
    master: Option<Heard>,
    /// The last advert of lower priority that was not listened to, and when it came.
    discarded: Option<(Heard, Instant)>,
    /// Until when adverts of lower priority are accepted, once one was heard.
    preempt_until: Option<Instant>,
    announcements: Announcements,
    rogue: Option<Rogue>,
    /// An owner that fell to 254 because another one would not yield.
    demoted: bool,
    sender: Sender,
    replay: Replay,
    limiter: Limiter,
    last_transition: Instant,
    last_cause: Option<Cause>,
    last_advert_sent: Option<Instant>,
    stats: Stats,
}

/// A moment until which silence is not believed.
#[derive(Clone, Copy, Debug)]
struct Floor {
    until: Instant,
    decided: Instant,
}

/// Another router with priority 255 and a lower address, which ought to yield.
#[derive(Clone, Copy, Debug)]
struct Rogue {
    since: Instant,
    last: Instant,
    /// Our own regular adverts since it was first heard.
    adverts: u32,
    interval: Duration,
}

impl Instance {
    /// An instance that has not started. Tell it its source address, then [`Input::Start`].
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let readings = settings
            .trackers
            .iter()
            .map(|t| (t.initial, None))
            .collect();
        let mut instance = Self {
            state: State::Init,
            wants: State::Backup,
            wish: None,
            started: false,
            fresh: true,
            deaf_until: None,
            readings,
            total: 0,
            effective: settings.priority,
            group_fault: None,
            wait: None,
            floor: None,
            adver_due: None,
            master_adver_interval: settings.adver_interval,
            master: None,
            discarded: None,
            preempt_until: None,
            announcements: Announcements::default(),
            rogue: None,
            demoted: false,
            sender: Sender::default(),
            replay: Replay::default(),
            limiter: Limiter::default(),
            last_transition: Instant::ZERO,
            last_cause: None,
            last_advert_sent: None,
            stats: Stats::default(),
            settings,
        };
        (instance.total, instance.effective) = instance.ranked();
        instance
    }

    /// Feeds one input. Everything the world must do is appended to `out`, in order.
    ///
    /// When several things are ready at once: [`Input::Stalled`] before packets, packets before
    /// [`Input::Timer`].
    pub fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::Start => self.start(now, out),
            Input::Packet { meta, payload } => self.receive(now, &meta, payload, out),
            Input::Timer => self.timer(now, out),
            Input::Stalled { length } => self.stalled(now, length, out),
            Input::Tracker {
                id,
                reading,
                detail,
            } => {
                for (tracker, slot) in self.settings.trackers.iter().zip(&mut self.readings) {
                    if tracker.id == id {
                        *slot = (reading, detail.clone());
                    }
                }
                self.track(now, out);
            }
            Input::SourceAddress(source) => {
                self.sender.set_source(source);
                self.track(now, out);
            }
            Input::AddressLost(address) => self.address_lost(now, address, out),
            Input::Reload(settings) => self.reload(now, *settings, out),
            Input::Stop { reason, at_stop } => self.stop(now, reason, at_stop, out),
        }
    }

    /// When to feed [`Input::Timer`] next; `None` if there is nothing to wait for.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let state_timer = match self.state {
            State::Init if self.started => self.deaf_until.filter(|_| self.ready()),
            State::Init | State::Fault => None,
            State::Backup => self.master_down_deadline(),
            State::Master => self.adver_due,
        };
        [state_timer, self.announcements.due()]
            .into_iter()
            .flatten()
            .min()
    }

    fn timer(&mut self, now: Instant, out: &mut Vec<Output>) {
        match self.state {
            State::Init => {
                if self.started && self.ready() && self.deaf_until.is_some_and(|t| t <= now) {
                    self.begin(now, out);
                }
            }
            State::Fault => {}
            State::Backup => {
                if let Some(deadline) = self.master_down_deadline()
                    && deadline <= now
                {
                    self.master_down_expired(now, deadline, out);
                }
            }
            State::Master => {
                if let Some(due) = self.adver_due
                    && due <= now
                {
                    self.adver_expired(now, due, out);
                }
            }
        }
        self.announce_due(now, out);
    }

    //----------- Start and stop ---------------------------------------------------------------

    fn start(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.started {
            return;
        }
        self.started = true;
        self.fresh = true;
        self.last_transition = now;
        if self.settings.startup_delay > Duration::ZERO {
            self.deaf_until = Some(now + self.settings.startup_delay);
        }
        // Addresses that an earlier life left behind must not outlive it.
        self.log(Occurrence::RemovingVips, out);
        out.push(Output::Addresses(Addresses::Absent));
        let faults = self.faults();
        if !faults.is_empty() {
            self.enter_fault(now, &faults, out);
        } else if self.waiting() {
            self.fresh = false;
        } else {
            self.begin(now, out);
        }
    }

    /// Leaves INIT for BACKUP, or for MASTER as the owner.
    fn begin(&mut self, now: Instant, out: &mut Vec<Output>) {
        let delayed = self.deaf_until.is_some_and(|t| now < t);
        if self.settings.is_owner() && self.settings.sync_group.is_none() {
            // The owner waits in INIT for the end of a delay: it is never Backup at start.
            if !delayed {
                self.become_master(now, Cause::Owner, out);
            }
            return;
        }
        let cause = if self.fresh {
            Cause::Startup
        } else {
            Cause::ScriptsKnown
        };
        let since = self.deaf_until.map_or(now, |t| t.max(now));
        self.enter_backup(
            now,
            Wait::start(since, self.settings.is_owner()),
            cause,
            out,
        );
    }

    fn stop(&mut self, now: Instant, reason: StopReason, at_stop: AtStop, out: &mut Vec<Output>) {
        if !self.started {
            return;
        }
        if at_stop == AtStop::Release {
            if self.state == State::Master {
                self.send_leaving(now, 1, out);
            }
            self.log(Occurrence::RemovingVips, out);
            out.push(Output::Addresses(Addresses::Absent));
        }
        let cause = match reason {
            StopReason::Shutdown => Cause::Shutdown,
            StopReason::Deleted => Cause::Deleted,
        };
        self.started = false;
        self.deaf_until = None;
        self.transition(now, State::Init, cause, out);
    }

    //----------- What every part needs --------------------------------------------------------

    /// Whether nothing keeps the instance from leaving INIT.
    fn ready(&self) -> bool {
        !self.waiting() && self.faults().is_empty()
    }

    fn log(&self, what: Occurrence, out: &mut Vec<Output>) {
        out.push(Output::Log(Event {
            instance: self.settings.name.clone(),
            what,
        }));
    }

    /// Logs that the state is entered, for those that have a line.
    fn log_entering(&mut self, state: State, out: &mut Vec<Output>) {
        let init = core::mem::take(&mut self.fresh) && state != State::Master;
        self.log(Occurrence::Entering { state, init }, out);
    }

    /// Changes the state, drops what belonged to the old one, and says so: the last output of
    /// every change.
    fn transition(&mut self, now: Instant, to: State, cause: Cause, out: &mut Vec<Output>) {
        let from = core::mem::replace(&mut self.state, to);
        match to {
            State::Master => {
                self.stats.become_master += 1;
                self.wait = None;
                self.floor = None;
                self.master = None;
            }
            State::Backup => self.adver_due = None,
            State::Init | State::Fault => {
                self.adver_due = None;
                self.wait = None;
                self.floor = None;
                self.master = None;
            }
        }
        if from == State::Master {
            self.stats.release_master += 1;
            self.announcements = Announcements::default();
            self.rogue = None;
        }
        self.wants = if to == State::Init { State::Backup } else { to };
        self.wish = None;
        self.preempt_until = None;
        self.limiter.clear();
        self.last_transition = now;
        self.last_cause = Some(cause.clone());
        out.push(Output::Transition(Transition {
            from,
            to,
            priority: self.effective,
            cause,
        }));
    }

    //----------- What the dumps show ----------------------------------------------------------

    /// The configuration.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The state it would have if its sync group agreed (`Wantstate`).
    #[must_use]
    pub const fn wantstate(&self) -> State {
        self.wants
    }

    /// Whether [`Input::Start`] came, and no stop since.
    #[must_use]
    pub const fn started(&self) -> bool {
        self.started
    }

    /// The address the adverts come from.
    #[must_use]
    pub const fn source(&self) -> Option<IpAddr> {
        self.sender.source()
    }

    /// As Backup, the Master heard last.
    #[must_use]
    pub fn master_router(&self) -> Option<IpAddr> {
        self.master.map(|m| m.address)
    }

    /// As Backup, the priority of the Master heard last.
    #[must_use]
    pub fn master_priority(&self) -> Option<Priority> {
        self.master.map(|m| m.priority)
    }

    /// When the state changed last; the start if it never did.
    #[must_use]
    pub const fn last_transition(&self) -> Instant {
        self.last_transition
    }

    /// Why the state changed last.
    #[must_use]
    pub const fn last_cause(&self) -> Option<&Cause> {
        self.last_cause.as_ref()
    }

    /// The priority on the wire.
    #[must_use]
    pub const fn effective_priority(&self) -> Priority {
        self.effective
    }

    /// The priority before it is held in 1..=254.
    #[must_use]
    pub const fn total_priority(&self) -> i32 {
        self.total
    }

    /// How long silence must last before this instance takes over, as things stand.
    #[must_use]
    pub fn master_down_interval(&self) -> Duration {
        self.settings
            .master_down_interval(self.effective, self.master_adver_interval)
    }

    /// How long it waits beyond the missed adverts.
    #[must_use]
    pub fn skew_time(&self) -> Duration {
        self.settings
            .skew_time(self.effective, self.master_adver_interval)
    }

    /// The interval the Master advertises; ours until one was heard, and in version 2.
    #[must_use]
    pub const fn master_adver_interval(&self) -> Duration {
        self.master_adver_interval
    }

    /// When the wait for an advert ends, or as Master the next one is sent (`Read timeout`).
    #[must_use]
    pub fn read_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Backup => self.master_down_deadline(),
            State::Master => self.adver_due,
            State::Init | State::Fault => None,
        }
    }

    /// When an advert was sent last.
    #[must_use]
    pub const fn last_advert_sent(&self) -> Option<Instant> {
        self.last_advert_sent
    }

    /// Until when a Master of lower priority is accepted (`preempt_delay` is running).
    #[must_use]
    pub const fn preempt_until(&self) -> Option<Instant> {
        self.preempt_until
    }

    /// Whether the peers turned out to need the old unicast checksum.
    #[must_use]
    pub const fn uses_old_unicast_checksum(&self) -> bool {
        self.sender.old_unicast()
    }

    /// The counters.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Sets every counter to zero.
    pub fn clear_stats(&mut self) {
        self.stats = Stats::default();
    }

    /// Whether version 3 timing applies.
    fn is_v3(&self) -> bool {
        self.settings.version == Version::V3
    }
}

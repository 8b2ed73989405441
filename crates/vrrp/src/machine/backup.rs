//! Backup: listening, waiting, and when waiting ends.

use core::net::IpAddr;
use core::time::Duration;

use rk_base::{Instant, Priority};

use super::{Floor, Heard, Instance, State};
use crate::cause::Cause;
use crate::event::Occurrence;
use crate::output::{Addresses, Output};
use crate::settings::Preempt;

/// What a Backup waits for, and since when. The deadline is always worked out from these, so
/// that a change of priority or interval moves it by exactly the difference, however many
/// adverts were dropped in between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    pub(super) since: Instant,
    kind: WaitKind,
    /// The timer already fired so late once that silence was not believed.
    relistened: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitKind {
    /// A whole Master_Down_Interval.
    Down,
    /// Skew_Time, because this Master said priority 0.
    MasterLeft(IpAddr),
    /// Skew_Time, because somebody removed this address of ours.
    Restore(IpAddr),
    /// Nothing: the owner in a sync group.
    Owner,
}

impl Wait {
    fn new(since: Instant, kind: WaitKind) -> Self {
        Self {
            since,
            kind,
            relistened: false,
        }
    }

    pub(super) fn down(since: Instant) -> Self {
        Self::new(since, WaitKind::Down)
    }

    pub(super) fn start(since: Instant, owner: bool) -> Self {
        Self::new(
            since,
            if owner {
                WaitKind::Owner
            } else {
                WaitKind::Down
            },
        )
    }

    pub(super) fn restore(since: Instant, address: IpAddr) -> Self {
        Self::new(since, WaitKind::Restore(address))
    }
}

impl Instance {
    /// When the wait ends: Active_Down_Timer.
    pub(super) fn master_down_deadline(&self) -> Option<Instant> {
        let wait = self.wait?;
        let length = match wait.kind {
            WaitKind::Down => self.master_down_interval(),
            WaitKind::MasterLeft(_) | WaitKind::Restore(_) => self.skew_time(),
            WaitKind::Owner => Duration::ZERO,
        };
        let due = wait.since + length;
        Some(self.floor.map_or(due, |floor| due.max(floor.until)))
    }

    /// Enters BACKUP: says so, takes the addresses away, and waits.
    pub(super) fn enter_backup(
        &mut self,
        now: Instant,
        wait: Wait,
        cause: Cause,
        out: &mut Vec<Output>,
    ) {
        let was_master = self.state == State::Master;
        self.log_entering(State::Backup, out);
        if was_master {
            self.log(Occurrence::RemovingVips, out);
            out.push(Output::Addresses(Addresses::Absent));
        }
        self.wait = Some(wait);
        self.transition(now, State::Backup, cause, out);
    }

    /// An advert that passed every check.
    pub(super) fn advert_in_backup(
        &mut self,
        from: IpAddr,
        priority: Priority,
        interval: Duration,
        received_at: Instant,
        out: &mut Vec<Output>,
    ) {
        if priority == Priority::LEAVING {
            //= RFC 9568 §6.4.2 (a Shutdown of the Master): only Skew_Time is left to wait.
            self.log(Occurrence::BackupPriorityZero, out);
            self.heard_since(received_at);
            if self.wait.is_none_or(|w| w.since <= received_at) {
                self.wait = Some(Wait::new(received_at, WaitKind::MasterLeft(from)));
            }
            return;
        }
        if !self.accepts(priority, received_at, out) {
            //= RFC 9568 §6.4.2: discarded, the timer keeps running.
            if self.master.is_none_or(|m| m.address == from) {
                self.master = Some(Heard {
                    address: from,
                    priority,
                });
            }
            let heard = Heard {
                address: from,
                priority,
            };
            self.discarded = Some((heard, received_at));
            self.log(Occurrence::LowerDiscarded { from, priority }, out);
            return;
        }
        match self.master.map(|m| m.address) {
            Some(old) if old == from => {}
            old => {
                self.limiter.clear();
                self.log(
                    old.map_or(Occurrence::MasterSet(from), |old| {
                        Occurrence::MasterChanged {
                            from: old,
                            to: from,
                        }
                    }),
                    out,
                );
            }
        }
        self.master = Some(Heard {
            address: from,
            priority,
        });
        self.learn_interval(interval, out);
        self.heard_since(received_at);
        // A packet that waited in a queue must not shorten the wait that a later one began.
        if self.wait.is_none_or(|w| w.since <= received_at) {
            self.wait = Some(Wait::down(received_at));
        }
        self.wants = State::Backup;
        self.wish = None;
    }

    /// Whether a Master of this priority is one we stay Backup to.
    fn accepts(&mut self, priority: Priority, at: Instant, out: &mut Vec<Output>) -> bool {
        let lower = priority < self.effective;
        if !lower {
            if self.preempt_until.take().is_some() {
                self.log(Occurrence::PreemptDelayStop, out);
            }
            return true;
        }
        match self.settings.preempt {
            // The owner takes its addresses back whatever the setting.
            _ if self.effective.is_owner() => false,
            Preempt::Yes => false,
            Preempt::No => true,
            Preempt::Delay(delay) => {
                let until = match self.preempt_until {
                    Some(until) => until,
                    None => {
                        self.log(Occurrence::PreemptDelayStart(delay), out);
                        at + delay
                    }
                };
                self.preempt_until = Some(until);
                at < until
            }
        }
    }

    /// An advert received after the decision to distrust silence ends the distrust.
    fn heard_since(&mut self, received_at: Instant) {
        self.floor = self.floor.filter(|floor| received_at < floor.decided);
    }

    /// Version 3 follows the Master's interval (RFC 9568 §6.1, Active_Adver_Interval).
    pub(super) fn learn_interval(&mut self, interval: Duration, out: &mut Vec<Output>) {
        if self.is_v3() && interval != self.master_adver_interval {
            let from = core::mem::replace(&mut self.master_adver_interval, interval);
            self.log(Occurrence::IntervalLearned { from, to: interval }, out);
        }
    }

    /// Nobody listened for a while: start listening anew, for one whole Master_Down_Interval.
    pub(super) fn stalled(&mut self, now: Instant, length: Duration, out: &mut Vec<Output>) {
        if self.state != State::Backup {
            return;
        }
        self.stats.stalls += 1;
        let wait = self.master_down_interval();
        self.floor = Some(Floor {
            until: now + wait,
            decided: now,
        });
        self.log(
            Occurrence::Listening {
                stalled: length,
                wait,
            },
            out,
        );
    }

    /// What the end of a wait means: nobody there, or somebody of lower priority.
    fn silence(&self, now: Instant, since: Instant, late: Duration) -> Cause {
        let silence = now.since(since);
        // Heard until just now: two adverts in a row are not lost every time.
        let alive = |at: Instant| now.since(at) <= self.master_adver_interval * 2 + late;
        match self.discarded {
            Some((heard, at)) if at >= since && alive(at) => Cause::Preempting {
                from: heard.address,
                theirs: heard.priority,
                ours: self.effective,
                silence,
                late,
            },
            _ => Cause::Silence {
                last_heard: self.master.map(|m| (m.address, m.priority)),
                silence,
                late,
            },
        }
    }

    /// Active_Down_Timer fired.
    pub(super) fn master_down_expired(
        &mut self,
        now: Instant,
        deadline: Instant,
        out: &mut Vec<Output>,
    ) {
        let Some(wait) = &mut self.wait else { return };
        let late = now.since(deadline);
        // A timer later than a whole advert interval: adverts may have come and been lost while
        // we did not run. Listen once more, but only once, or a machine that is always late
        // would never take over.
        if late > self.master_adver_interval && !core::mem::replace(&mut wait.relistened, true) {
            self.stalled(now, late, out);
            return;
        }
        let wait = *wait;
        let cause = match wait.kind {
            WaitKind::Down => self.silence(now, wait.since, late),
            WaitKind::MasterLeft(from) => Cause::MasterLeft { from, late },
            WaitKind::Restore(address) => Cause::AddressRestored { address, late },
            WaitKind::Owner => Cause::Owner,
        };
        if self.settings.sync_group.is_some() {
            // The group decides; until then go on listening.
            if self.wants != State::Master {
                self.log(Occurrence::AdvertisementTimeout, out);
            }
            self.wants = State::Master;
            self.wish = Some(cause);
            self.wait = Some(Wait::down(now));
            self.floor = None;
            out.push(Output::WantsMaster);
            return;
        }
        self.log(Occurrence::AdvertisementTimeout, out);
        self.become_master(now, cause, out);
    }
}

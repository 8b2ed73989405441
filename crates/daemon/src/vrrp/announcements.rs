//! Gratuitous ARP and neighbour advertisements on their way out.
//!
//! What is due goes in batches with a time budget; what `garp_interval` or `gna_interval` spreads
//! out waits here for its time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rk_base::{IfIndex, Instant};
use rk_net::{Announcement, Announcer};
use tracing::{trace, warn};

/// How long one turn of the loop may spend on announcing.
const BUDGET: Duration = Duration::from_millis(1);

/// Whether an announcement is the first one of its address in a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// It is.
    First,
    /// It says the same again.
    Again,
}

/// Whether addresses are still on their way into the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// Some are.
    Busy,
    /// None is.
    Idle,
}

/// What an announcement is, in the words of the log.
fn what(a: &Announcement) -> &'static str {
    if a.address.is_ipv4() {
        "gratuitous ARP"
    } else {
        "unsolicited Neighbour Advert"
    }
}

/// Announcements that are still to be sent.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    /// The first one of each address: what traffic waits for.
    first: VecDeque<Announcement>,
    /// Repetitions, which go when nothing else has to be done.
    again: VecDeque<Announcement>,
    /// Names of the interfaces, for the log.
    names: HashMap<IfIndex, Arc<str>>,
    /// Ordered by time, then by when they were asked for.
    paced: BinaryHeap<Reverse<(Instant, u64)>>,
    parked: HashMap<u64, Announcement>,
    sequence: u64,
    /// When the next one may leave, for each interface and kind.
    free_at: HashMap<(IfIndex, bool), Instant>,
}

impl Announcements {
    /// How the log calls an interface.
    pub(super) fn name(&mut self, ifindex: IfIndex, name: &str) {
        if self
            .names
            .get(&ifindex)
            .is_none_or(|known| **known != *name)
        {
            self.names.insert(ifindex, name.into());
        }
    }

    /// Queues one announcement, `interval` after the one before it on the same interface.
    pub(super) fn push(
        &mut self,
        now: Instant,
        interval: Duration,
        announcement: Announcement,
        round: Round,
    ) {
        if interval.is_zero() {
            match round {
                Round::First => self.first.push_back(announcement),
                Round::Again => self.again.push_back(announcement),
            }
            return;
        }
        let key = (announcement.ifindex, announcement.address.is_ipv4());
        let free_at = self.free_at.entry(key).or_insert(now);
        let at = (*free_at).max(now);
        *free_at = at + interval;
        self.sequence += 1;
        self.paced.push(Reverse((at, self.sequence)));
        self.parked.insert(self.sequence, announcement);
    }

    /// Whether something can be sent right away.
    pub(super) fn is_due(&self) -> bool {
        !(self.first.is_empty() && self.again.is_empty())
    }

    /// When the next spread-out one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.paced.peek().map(|Reverse((at, _))| *at)
    }

    /// Sends what is due, within the budget of a turn. While the kernel is `busy` with addresses,
    /// repetitions wait.
    pub(super) fn send(&mut self, now: Instant, announcer: &Announcer, kernel: Kernel) {
        while self.next().is_some_and(|at| at <= now) {
            if let Some(Reverse((_, key))) = self.paced.pop()
                && let Some(announcement) = self.parked.remove(&key)
            {
                self.first.push_back(announcement);
            }
        }
        let lane = match (self.first.is_empty(), kernel) {
            (false, _) => &mut self.first,
            (true, Kernel::Idle) => &mut self.again,
            (true, Kernel::Busy) => return,
        };
        if lane.is_empty() {
            return;
        }
        let queue = lane.make_contiguous();
        let sent = announcer.send(queue, BUDGET);
        let names = &self.names;
        let name = |a: &Announcement| names.get(&a.ifindex).map_or("?", |n| &**n);
        for (at, error) in &sent.failed {
            if let Some(a) = queue.get(*at) {
                warn!("announcing {} on {}: {error}", a.address, name(a));
            }
        }
        for a in lane.drain(..sent.done) {
            trace!("Sending {} on {} for {}", what(&a), name(&a), a.address);
        }
    }

    /// Drops what was queued for addresses that are no longer ours.
    pub(super) fn forget(&mut self, gone: impl Fn(&Announcement) -> bool) {
        self.first.retain(|a| !gone(a));
        self.again.retain(|a| !gone(a));
        self.parked.retain(|_, a| !gone(a));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement(n: u8) -> Announcement {
        Announcement {
            ifindex: IfIndex::new(2).unwrap(),
            mac: [2; 6],
            address: [192, 0, 2, n].into(),
            router: false,
        }
    }

    #[test]
    fn an_interval_spreads_announcements_of_one_interface() {
        let mut queue = Announcements::default();
        let now = Instant::from_micros(1_000_000);
        let gap = Duration::from_millis(50);
        for n in 0..3 {
            queue.push(now, gap, announcement(n), Round::First);
        }
        assert!(!queue.is_due());
        let mut times: Vec<_> = queue.paced.iter().map(|Reverse((at, _))| *at).collect();
        times.sort_unstable();
        assert_eq!(times, [now, now + gap, now + gap * 2]);
    }

    #[test]
    fn what_is_no_longer_ours_is_not_announced() {
        let mut queue = Announcements::default();
        queue.push(Instant::ZERO, Duration::ZERO, announcement(1), Round::First);
        queue.push(Instant::ZERO, Duration::ZERO, announcement(2), Round::Again);
        queue.forget(|a| a.address == announcement(1).address);
        assert_eq!((queue.first.len(), queue.again.len()), (0, 1));
    }
}

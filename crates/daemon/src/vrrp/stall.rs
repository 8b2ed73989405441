//! Noticing that this process, or the whole machine, did not run for a while.
//!
//! A Backup that was stopped must not take silence for the Master's death: the kernel queued what
//! it could, but a paused machine received nothing, and a full receive buffer kept only the oldest
//! adverts. So the loop never sleeps longer than a heartbeat, and measures how late it wakes.

use std::time::Duration;

use rk_base::Instant;

/// Watches how long the loop sleeps.
#[derive(Debug)]
pub(super) struct StallDetector {
    /// When the loop last had nothing to do.
    asleep: Instant,
    /// When it means to wake at the latest.
    wake_at: Instant,
    /// When it woke last.
    woke_at: Instant,
    /// How long the turn before took: a process is stopped in the middle of one, too.
    turn: Duration,
}

/// Nobody listened from one instant on for this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stall {
    pub(super) length: Duration,
}

impl StallDetector {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            asleep: now,
            wake_at: now,
            woke_at: now,
            turn: Duration::ZERO,
        }
    }

    /// The loop is about to wait: the instant to set the alarm to, which is `due` or a heartbeat
    /// from now, whichever comes first.
    pub(super) fn sleep(&mut self, due: Option<Instant>, heartbeat: Duration) -> Instant {
        let beat = self.asleep + heartbeat;
        self.wake_at = due.map_or(beat, |due| due.min(beat));
        self.wake_at
    }

    /// The loop is done with its turn.
    pub(super) fn sleeps(&mut self, now: Instant) {
        self.asleep = now;
        self.turn = now.since(self.woke_at);
    }

    /// The loop woke: how late, if it is late at all.
    pub(super) fn woke(&mut self, now: Instant) -> Option<Stall> {
        let overslept = now.since(self.wake_at.max(self.asleep));
        let length = overslept.max(std::mem::take(&mut self.turn));
        self.woke_at = now;
        // A millisecond is what schedulers take on a busy machine.
        (length > Duration::from_millis(1)).then_some(Stall { length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Instant {
        Instant::from_micros(n * 1000)
    }

    #[test]
    fn waking_in_time_is_no_stall() {
        let mut d = StallDetector::new(ms(0));
        assert_eq!(d.sleep(Some(ms(50)), Duration::from_millis(100)), ms(50));
        assert_eq!(d.woke(ms(50)), None);
        d.sleeps(ms(51));
        assert_eq!(d.sleep(None, Duration::from_millis(100)), ms(151));
        // A packet may wake it earlier.
        assert_eq!(d.woke(ms(60)), None);
    }

    #[test]
    fn waking_late_tells_how_late() {
        let mut d = StallDetector::new(ms(0));
        d.sleep(Some(ms(5000)), Duration::from_millis(100));
        assert_eq!(
            d.woke(ms(10_000)),
            Some(Stall {
                length: Duration::from_millis(9900)
            })
        );
    }

    #[test]
    fn being_stopped_in_the_middle_of_a_turn_counts_too() {
        let mut d = StallDetector::new(ms(0));
        d.sleep(None, Duration::from_millis(100));
        assert_eq!(d.woke(ms(50)), None);
        d.sleeps(ms(10_050));
        d.sleep(None, Duration::from_millis(100));
        assert_eq!(
            d.woke(ms(10_060)),
            Some(Stall {
                length: Duration::from_secs(10)
            })
        );
        d.sleeps(ms(10_060));
        d.sleep(None, Duration::from_millis(100));
        assert_eq!(d.woke(ms(10_100)), None);
    }

    #[test]
    fn a_timer_that_was_overdue_before_the_sleep_is_no_stall() {
        let mut d = StallDetector::new(ms(100));
        d.sleeps(ms(100));
        assert_eq!(d.sleep(Some(ms(20)), Duration::from_millis(50)), ms(20));
        assert_eq!(d.woke(ms(100)), None);
    }
}

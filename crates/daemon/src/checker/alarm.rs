//! When the core wants to be woken, with as few system calls as can be: half of what many checks
//! cost would otherwise be timers.

use std::pin::Pin;
use std::time::Duration;

use rk_base::Instant;
use rk_net::Clock;
use tokio::time::{Sleep, sleep};

/// Whatever is due within so much of each other shares one wake-up. No check notices: their delays
/// are of seconds. Nanoseconds.
const GRAIN: u64 = 10_000_000;
/// Between two beats of [`heart`]: shorter than the timeouts that checks have.
const BEAT: Duration = Duration::from_millis(500);

/// Rings when the core is due.
pub(super) struct Alarm {
    clock: Clock,
    sleep: Pin<Box<Sleep>>,
    set: Option<Instant>,
}

impl Alarm {
    /// Not set. Needs a runtime.
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            sleep: Box::pin(sleep(Duration::ZERO)),
            set: None,
        }
    }

    /// Sets it to this time, or a little later; costs nothing if it is so already.
    pub(super) fn set(&mut self, due: Option<Instant>) {
        let due = due.map(late);
        if due == self.set {
            return;
        }
        if let Some(due) = due {
            let at = tokio::time::Instant::now() + due.since(self.clock.now());
            self.sleep.as_mut().reset(at);
        }
        self.set = due;
    }

    /// Waits until it rings; for ever if it is not set. Rings once. Cancelling loses nothing.
    pub(super) async fn rings(&mut self) {
        if self.set.is_none() {
            std::future::pending::<()>().await;
        }
        self.sleep.as_mut().await;
        self.set = None;
    }
}

/// The end of the grain in which a time lies.
fn late(due: Instant) -> Instant {
    Instant::from_nanos(due.as_nanos().div_ceil(GRAIN).saturating_mul(GRAIN))
}

/// Beats for ever. A timer that is due soon keeps the runtime from waking itself (a write and a
/// read of an eventfd) for each that is due later, such as the timeout of every attempt.
pub(super) async fn heart() {
    loop {
        sleep(BEAT).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_within_a_grain_are_one_and_never_early() {
        let at = Instant::from_nanos;
        assert_eq!(late(at(0)), at(0));
        assert_eq!(late(at(1)), at(GRAIN));
        assert_eq!(late(at(GRAIN)), at(GRAIN));
        assert_eq!(late(at(GRAIN + 1)), at(2 * GRAIN));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn it_rings_once_and_not_before_its_time() {
        let clock = Clock::new();
        let mut alarm = Alarm::new(clock);
        let due = clock.now() + Duration::from_millis(30);
        alarm.set(Some(clock.now() + Duration::from_secs(3600)));
        alarm.set(Some(due));
        alarm.rings().await;
        assert!(clock.now() >= due);
        let again = tokio::time::timeout(Duration::from_millis(1), alarm.rings());
        assert!(again.await.is_err(), "it was not set again");
    }
}

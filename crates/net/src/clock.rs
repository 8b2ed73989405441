//! The monotonic clock, the kernel's receive times on it, and a timer that keeps microseconds.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{
    ClockId as TimerClock, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags,
};
use nix::time::{ClockId, clock_gettime};
use rk_base::Instant;
use tokio::io::unix::AsyncFd;

use crate::sys::{self, Owned};

/// `CLOCK_MONOTONIC` as [`Instant`]s: nanoseconds since boot, the same origin in every process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock(());

impl Clock {
    /// The clock of this machine.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::from_nanos(u64::try_from(nanos(ClockId::CLOCK_MONOTONIC)).unwrap_or(0))
    }

    /// How far the monotonic clock is ahead of the wall clock now.
    ///
    /// Too large by the time between two readings, never too small: a packet may seem to have come
    /// a little late, but nobody may take over early. Tried again when something else ran between
    /// the readings.
    pub(crate) fn offset(&self) -> Offset {
        const CLOSE: i64 = 1_000;
        const TRIES: usize = 8;
        let mut best = (i64::MAX, Offset(0));
        for _ in 0..TRIES {
            let before = nanos(ClockId::CLOCK_MONOTONIC);
            let wall = nanos(ClockId::CLOCK_REALTIME);
            let after = nanos(ClockId::CLOCK_MONOTONIC);
            let gap = after.saturating_sub(before);
            if gap < best.0 {
                best = (gap, Offset(after.saturating_sub(wall)));
            }
            if gap <= CLOSE {
                break;
            }
        }
        best.1
    }
}

fn nanos(clock: ClockId) -> i64 {
    // Neither clock can fail: both exist on every Linux.
    clock_gettime(clock).map_or(0, |t| {
        t.tv_sec()
            .saturating_mul(1_000_000_000)
            .saturating_add(t.tv_nsec())
    })
}

/// What must be added to a wall-clock time (nanoseconds) to get a monotonic one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offset(i64);

/// Turns the wall-clock times the kernel stamps on packets into [`Instant`]s.
///
/// The stamp is `CLOCK_REALTIME`, which someone may set at any time, also between the stamp and
/// its reading. A packet can only have come between the moment its socket was last seen empty
/// and now; of the offsets before and after a jump the one that puts the stamp there is right.
#[derive(Debug)]
pub(crate) struct StampReader {
    before: Offset,
    current: Offset,
}

impl StampReader {
    pub(crate) fn new(clock: Clock) -> Self {
        let offset = clock.offset();
        Self {
            before: offset,
            current: offset,
        }
    }

    /// To be called before each round of reading.
    pub(crate) fn refresh(&mut self, clock: Clock) {
        self.before = self.current;
        self.current = clock.offset();
    }

    /// The instant of `stamp`, never before `floor` (socket seen empty) and never after `now`.
    pub(crate) fn place(&self, stamp: Option<i64>, floor: Instant, now: Instant) -> Instant {
        let floor = floor.min(now);
        let Some(stamp) = stamp else { return now };
        let at = |Offset(o): Offset| u64::try_from(stamp.saturating_add(o)).unwrap_or(0);
        let inside = |n: &u64| (floor.as_nanos()..=now.as_nanos()).contains(n);
        match [at(self.current), at(self.before)].into_iter().find(inside) {
            Some(n) => Instant::from_nanos(n),
            // Softirq delay puts a stamp a little below the floor; anything far off is a jump
            // that cannot be undone, and then "just now" is what a reader without stamps sees.
            None if floor.as_nanos().abs_diff(at(self.current)) < 1_000_000 => floor,
            None => now,
        }
    }
}

/// A one-shot timer on `timerfd`: exact to some ten microseconds, where tokio's wheel rounds up to
/// the next millisecond.
#[derive(Debug)]
pub struct Alarm {
    fd: AsyncFd<Owned<TimerFd>>,
    set: Option<Instant>,
}

impl Alarm {
    /// A timer that is not set. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the process is out of file descriptors.
    pub fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let fd = TimerFd::new(TimerClock::CLOCK_MONOTONIC, flags)?;
        Ok(Self {
            fd: sys::watch(fd)?,
            set: None,
        })
    }

    /// Sets the timer to go off at `at` (at once if that is past), or not at all.
    ///
    /// Costs a system call only when the instant differs from the one set before.
    ///
    /// # Errors
    /// None that a working kernel gives.
    pub fn set(&mut self, at: Option<Instant>) -> io::Result<()> {
        if at == self.set {
            return Ok(());
        }
        match at {
            None => self.fd.get_ref().get().unset()?,
            Some(at) => {
                // Zero would mean "not set".
                let at = TimeSpec::from(Duration::from_nanos(at.as_nanos().max(1)));
                let flags = TimerSetTimeFlags::TFD_TIMER_ABSTIME;
                self.fd
                    .get_ref()
                    .get()
                    .set(Expiration::OneShot(at), flags)?;
            }
        }
        self.set = at;
        Ok(())
    }

    /// The instant the timer is set to, until it has gone off.
    #[must_use]
    pub fn is_set(&self) -> Option<Instant> {
        self.set
    }

    /// Waits until the timer goes off and returns the instant it had been set to; it is unset then.
    ///
    /// Cancel-safe. Never returns while no instant is set.
    ///
    /// # Errors
    /// None that a working kernel gives.
    pub async fn fired(&mut self) -> io::Result<Instant> {
        poll_fn(|cx| self.poll_fired(cx)).await
    }

    fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Instant>> {
        loop {
            let mut guard = ready!(self.fd.poll_read_ready(cx))?;
            match guard.try_io(|fd| fd.get_ref().get().wait().map_err(io::Error::from)) {
                // Set anew or unset since it went off: the kernel then forgets the expiry.
                Err(_would_block) => {}
                Ok(Err(e)) => return Poll::Ready(Err(e)),
                Ok(Ok(())) => {
                    if let Some(at) = self.set.take() {
                        return Poll::Ready(Ok(at));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn reader(before: i64, current: i64) -> StampReader {
        StampReader {
            before: Offset(before),
            current: Offset(current),
        }
    }

    fn secs(s: u64) -> Instant {
        Instant::from_nanos(s * SECOND)
    }

    fn wall(s: i64) -> Option<i64> {
        Some(s * SECOND as i64)
    }

    #[test]
    fn a_stamp_inside_the_window_is_taken_as_it_is() {
        let r = reader(-1000 * SECOND as i64, -1000 * SECOND as i64);
        assert_eq!(r.place(wall(1015), secs(10), secs(20)), secs(15));
    }

    #[test]
    fn a_packet_is_never_older_than_the_empty_socket_nor_from_the_future() {
        let r = reader(0, 0);
        let just_below = Some(10 * SECOND as i64 - 500_000);
        assert_eq!(r.place(just_below, secs(10), secs(20)), secs(10));
        assert_eq!(r.place(wall(25), secs(10), secs(20)), secs(20));
        assert_eq!(r.place(None, secs(10), secs(20)), secs(20));
    }

    #[test]
    fn a_wall_clock_set_between_stamp_and_reading_changes_nothing() {
        let hour = 3600 * SECOND as i64;
        for jump in [hour, -hour] {
            // The packet came at 15 s with the old offset 0; then the wall clock jumped.
            let r = reader(0, -jump);
            assert_eq!(r.place(wall(15), secs(10), secs(20)), secs(15));
            // And a packet stamped after the jump.
            let stamp = Some(18 * SECOND as i64 + jump);
            assert_eq!(r.place(stamp, secs(10), secs(20)), secs(18));
        }
    }

    #[test]
    fn after_jumps_that_cannot_be_undone_a_packet_came_just_now() {
        let hour = 3600 * SECOND as i64;
        let r = reader(hour, 2 * hour);
        assert_eq!(r.place(wall(15), secs(10), secs(20)), secs(20));
        assert_eq!(r.place(Some(i64::MIN), secs(10), secs(20)), secs(20));
        assert_eq!(r.place(Some(i64::MAX), secs(10), secs(20)), secs(20));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_alarm_is_never_early_and_can_be_moved() {
        let clock = Clock::new();
        let mut alarm = Alarm::new().unwrap();
        let far = clock.now() + Duration::from_secs(600);
        alarm.set(Some(far)).unwrap();
        let near = clock.now() + Duration::from_millis(3);
        alarm.set(Some(near)).unwrap();
        assert_eq!(alarm.fired().await.unwrap(), near);
        assert!(clock.now() >= near);
        assert_eq!(alarm.is_set(), None);
        // Past instants, even the origin, go off at once.
        alarm.set(Some(Instant::ZERO)).unwrap();
        assert_eq!(alarm.fired().await.unwrap(), Instant::ZERO);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_alarm_taken_back_does_not_go_off() {
        let clock = Clock::new();
        let mut alarm = Alarm::new().unwrap();
        let mut other = Alarm::new().unwrap();
        alarm
            .set(Some(clock.now() + Duration::from_millis(1)))
            .unwrap();
        alarm.set(None).unwrap();
        other
            .set(Some(clock.now() + Duration::from_millis(5)))
            .unwrap();
        tokio::select! {
            biased;
            _ = alarm.fired() => panic!("went off although unset"),
            at = other.fired() => { at.unwrap(); }
        }
    }
}

//! Waiting for an event, with a deadline.

use std::time::{Duration, Instant};

/// How long [`eventually`] rests between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until `look` returns something, and returns that.
///
/// # Panics
/// At the caller's line, naming `what`, when `deadline` has passed without it.
#[track_caller]
pub fn eventually<T>(deadline: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            started.elapsed() < deadline,
            "not within {deadline:?}: {what}"
        );
        pause(LOOK_EVERY);
    }
}

/// Lets time pass. For things that must *not* happen meanwhile, and for pauses that are part of
/// the experiment (a process stopped for ten seconds); never for waiting until something is done.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the lab lets time pass"
)]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

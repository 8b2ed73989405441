//! When which check is due: one queue for all.

use std::collections::BTreeSet;

use rk_base::{Duration, Instant};

use super::input::CheckId;

/// The checks that wait, by due time.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeSet<(Instant, CheckId)>);

impl Timers {
    pub(super) fn add(&mut self, due: Instant, check: CheckId) {
        self.0.insert((due, check));
    }

    pub(super) fn remove(&mut self, due: Instant, check: CheckId) {
        self.0.remove(&(due, check));
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.0.first().map(|(due, _)| *due)
    }

    /// The next check that was due by `now`.
    pub(super) fn pop(&mut self, now: Instant) -> Option<CheckId> {
        self.due().filter(|due| *due <= now)?;
        self.0.pop_first().map(|(_, check)| check)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A little random, so that checks do not all run at once. Seeded from outside: equal seeds give
/// equal runs.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Between nothing and `most`, the latter excluded.
    pub(super) fn below(&mut self, most: Duration) -> Duration {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let most = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        let nanos = (u128::from(most) * u128::from(z)) >> 64;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_none_before_its_time() {
        let at = Instant::from_micros;
        let mut timers = Timers::default();
        timers.add(at(30), CheckId(1));
        timers.add(at(10), CheckId(2));
        timers.add(at(10), CheckId(3));
        timers.remove(at(10), CheckId(2));
        assert_eq!(timers.due(), Some(at(10)));
        assert_eq!(timers.pop(at(9)), None);
        assert_eq!(timers.pop(at(29)), Some(CheckId(3)));
        assert_eq!(timers.pop(at(29)), None);
        assert_eq!(timers.pop(at(30)), Some(CheckId(1)));
        assert_eq!(timers.due(), None);
    }

    #[test]
    fn random_parts_are_spread_over_the_whole() {
        let mut random = Random::new(1);
        let most = Duration::from_secs(60);
        let parts: Vec<_> = (0..1_000).map(|_| random.below(most)).collect();
        assert!(parts.iter().all(|part| *part < most));
        for tenth in 0..10 {
            let of = |n| most * n / 10;
            let inside = parts
                .iter()
                .filter(|part| (of(tenth)..of(tenth + 1)).contains(part))
                .count();
            assert!((50..200).contains(&inside), "tenth {tenth}: {inside}");
        }
        assert_eq!(random.below(Duration::ZERO), Duration::ZERO);
    }
}

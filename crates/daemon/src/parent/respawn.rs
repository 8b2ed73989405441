//! How soon a child that died comes back.

use std::time::Duration;

/// The waits, one after the other; the last one stays.
const DELAYS: [u64; 8] = [0, 1, 2, 4, 8, 16, 32, 60];

/// A child that ran this long was well: its next death is a first one.
const WELL: Duration = Duration::from_secs(60);

/// The waits of one child.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Respawn {
    deaths: usize,
}

impl Respawn {
    /// How long to wait after the child ran for `ran` and died.
    pub(crate) fn delay(&mut self, ran: Duration) -> Duration {
        if ran >= WELL {
            self.deaths = 0;
        }
        let delay = DELAYS[self.deaths.min(DELAYS.len() - 1)];
        self.deaths += 1;
        Duration::from_secs(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute_and_a_good_minute_forgives() {
        let mut respawn = Respawn::default();
        let mut waits = |ran: u64| respawn.delay(Duration::from_secs(ran)).as_secs();
        let got: Vec<_> = (0..10).map(|_| waits(59)).collect();
        assert_eq!(got, [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(waits(60), 0);
        assert_eq!(waits(1), 1);
    }
}

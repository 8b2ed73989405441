//! Time as numbers: monotonic instants and the centiseconds of the VRRPv3 wire.

use core::fmt;
use core::ops::{Add, Sub};
use core::time::Duration;

use crate::vrrp::OutOfRange;

/// A point on the monotonic clock, in nanoseconds from an origin that the shell chose.
///
/// Nanoseconds, because skew is a 256th of an interval and must not be rounded to centiseconds
/// (RFC 9568 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(u64);

impl Instant {
    /// The origin of the clock.
    pub const ZERO: Self = Self(0);

    /// The instant `nanos` nanoseconds after the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The instant `micros` microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros.saturating_mul(1_000))
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Microseconds since the origin, rounded down.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0 / 1_000
    }

    /// How long before `self` the instant `earlier` was; zero if it was not before.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:06}s",
            self.0 / 1_000_000_000,
            self.0 / 1_000 % 1_000_000
        )
    }
}

/// Centiseconds of the 12-bit Max Advertise Interval field (RFC 9568 §5.2.7): 1..=4095.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "u16", into = "u16"))]
pub struct Centis(u16);

impl Centis {
    /// The longest interval the field can carry: 40.95 s.
    pub const MAX: Self = Self(4095);
    /// The protocol's default: one second.
    pub const DEFAULT: Self = Self(100);

    /// The number as it stands on the wire.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The interval as a duration.
    #[must_use]
    pub const fn to_duration(self) -> Duration {
        Duration::from_millis(self.0 as u64 * 10)
    }

    /// The interval nearest to `d`, if it fits the field.
    ///
    /// # Errors
    /// [`OutOfRange`] when `d` rounds to nothing or to more than 40.95 s.
    pub fn from_duration(d: Duration) -> Result<Self, OutOfRange> {
        let centis = (d.as_millis() + 5) / 10;
        u16::try_from(centis)
            .map_err(|_| OutOfRange)
            .and_then(Self::try_from)
    }
}

impl TryFrom<u16> for Centis {
    type Error = OutOfRange;
    fn try_from(n: u16) -> Result<Self, OutOfRange> {
        if (1..=Self::MAX.0).contains(&n) {
            Ok(Self(n))
        } else {
            Err(OutOfRange)
        }
    }
}

impl From<Centis> for u16 {
    fn from(c: Centis) -> Self {
        c.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_never_wrap() {
        let end = Instant::from_nanos(u64::MAX);
        assert_eq!(end + Duration::from_secs(1), end);
        assert_eq!(Instant::ZERO - Duration::from_secs(1), Instant::ZERO);
        assert_eq!(Instant::ZERO.since(end), Duration::ZERO);
    }

    #[test]
    fn centiseconds_hold_twelve_bits() {
        assert_eq!(Centis::try_from(0), Err(OutOfRange));
        assert_eq!(Centis::try_from(4096), Err(OutOfRange));
        assert_eq!(
            Centis::from_duration(Duration::from_millis(10)),
            Centis::try_from(1)
        );
        assert_eq!(
            Centis::from_duration(Duration::from_secs(41)),
            Err(OutOfRange)
        );
        assert_eq!(Centis::MAX.to_duration(), Duration::from_millis(40_950));
    }
}

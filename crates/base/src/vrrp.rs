//! The two numbers that name and rank a virtual router.

use core::fmt;
use core::num::NonZeroU8;

/// A number outside the range of the type that was asked to hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange;

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("number out of range")
    }
}

impl std::error::Error for OutOfRange {}

/// Virtual router identifier, 1..=255 (RFC 9568 §5.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Vrid(NonZeroU8);

impl Vrid {
    /// The number as it stands on the wire.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0.get()
    }
}

impl TryFrom<u8> for Vrid {
    type Error = OutOfRange;
    fn try_from(n: u8) -> Result<Self, OutOfRange> {
        NonZeroU8::new(n).map(Self).ok_or(OutOfRange)
    }
}

impl fmt::Display for Vrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A priority as it stands on the wire (RFC 9568 §5.2.4): 0 leaves, 1..=254 ranks, 255 owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Priority(u8);

impl Priority {
    /// "I am leaving now": the Master gives up the virtual router.
    pub const LEAVING: Self = Self(0);
    /// What a router has that was given none.
    pub const DEFAULT: Self = Self(100);
    /// The router that owns the addresses.
    pub const OWNER: Self = Self(255);

    /// The priority with this number on the wire.
    #[must_use]
    pub const fn new(n: u8) -> Self {
        Self(n)
    }

    /// The number as it stands on the wire.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether this is the address owner's priority.
    #[must_use]
    pub const fn is_owner(self) -> bool {
        self.0 == Self::OWNER.0
    }

    /// The priority after tracking moved it by `delta`: held in 1..=254; an owner never moves.
    #[must_use]
    pub fn moved_by(self, delta: i32) -> Self {
        if self.is_owner() {
            return self;
        }
        let moved = i32::from(self.0).saturating_add(delta).clamp(1, 254);
        Self(u8::try_from(moved).unwrap_or(u8::MAX - 1))
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracking_keeps_priorities_between_one_and_254() {
        assert_eq!(Priority::new(100).moved_by(500), Priority::new(254));
        assert_eq!(Priority::new(100).moved_by(-500), Priority::new(1));
        assert_eq!(Priority::new(100).moved_by(i32::MAX), Priority::new(254));
        assert_eq!(Priority::OWNER.moved_by(-10), Priority::OWNER);
    }

    #[test]
    fn there_is_no_vrid_zero() {
        assert_eq!(Vrid::try_from(0), Err(OutOfRange));
        assert_eq!(Vrid::try_from(255).map(Vrid::get), Ok(255));
    }
}

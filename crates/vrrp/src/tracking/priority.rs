//! Priority and fault out of weights and readings.

use rk_base::Priority;

use super::{Reading, Tracker, TrackerKind};

/// What one tracker does to its instance at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is known yet; an instance that has not started yet waits for it.
    Waiting,
    /// The instance must be in FAULT.
    Fault,
    /// The priority moves by so much (possibly 0).
    Weight(i32),
}

/// What `tracker` does to its instance when it says `reading`.
///
/// Without weight it decides between health and fault. A positive weight is added while the
/// thing is up, a negative one while it is down; a file's number is multiplied with it, and
/// -254 or less is a fault. `reverse` negates the result.
#[must_use]
pub fn effect(tracker: &Tracker, reading: Reading) -> Effect {
    let Tracker {
        kind,
        weight,
        reverse,
        ..
    } = *tracker;
    match reading {
        Reading::Unknown if weight == 0 && kind == TrackerKind::Script => Effect::Waiting,
        Reading::Unknown => Effect::Weight(0),
        Reading::Up | Reading::Down if weight == 0 => {
            if (reading == Reading::Up) == reverse {
                Effect::Fault
            } else {
                Effect::Weight(0)
            }
        }
        Reading::Up | Reading::Down => {
            let applies = (reading == Reading::Up) == (weight > 0);
            let sign = if reverse { -1 } else { 1 };
            Effect::Weight(if applies { weight * sign } else { 0 })
        }
        Reading::Value(value) if weight == 0 => {
            if (value == 0) == reverse {
                Effect::Fault
            } else {
                Effect::Weight(0)
            }
        }
        Reading::Value(value) => {
            let sign = if reverse { -1 } else { 1 };
            let moved = value.saturating_mul(i64::from(weight)).saturating_mul(sign);
            if moved <= -254 {
                return Effect::Fault;
            }
            // In -253..=253 now, so the conversion cannot fail.
            Effect::Weight(i32::try_from(moved.min(253)).unwrap_or(253))
        }
    }
}

/// The priority with every weight added, before it is held in range. An owner's never moves.
#[must_use]
pub fn total_priority(base: Priority, effects: impl IntoIterator<Item = Effect>) -> i32 {
    let own = i32::from(base.get());
    if base.is_owner() {
        return own;
    }
    effects.into_iter().fold(own, |sum, e| match e {
        Effect::Weight(w) => sum.saturating_add(w),
        Effect::Waiting | Effect::Fault => sum,
    })
}

/// The priority on the wire: `total` held in 1..=254, or 255 for an owner (RFC 9568 §5.2.4).
#[must_use]
pub fn effective_priority(base: Priority, total: i32) -> Priority {
    base.moved_by(total.saturating_sub(i32::from(base.get())))
}

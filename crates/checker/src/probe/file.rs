//! `FILE_CHECK`: the number in a file, times a weight. Watching the file is the daemon's.

use crate::{Failure, Outcome};

/// The `weight` of a `FILE_CHECK`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileWeight {
    /// What the number in the file is multiplied by; 0: any number but 0 means down.
    pub weight: i32,
    /// `reverse` turns the sign of the product.
    pub sign: Sign,
}

/// See [`FileWeight::sign`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sign {
    /// As it is.
    #[default]
    Normal,
    /// `reverse`.
    Reverse,
}

/// What the number `value` in the tracked file means for the real server.
///
/// An unreadable file counts as 0, which is the caller's to know. A product of -2147483648 or
/// below is down.
#[must_use]
pub fn file_check(value: i64, weight: FileWeight) -> Outcome {
    let down = || Outcome::Failure(Failure("FAULT state".to_owned()));
    if weight.weight == 0 {
        return if value == 0 { Outcome::Success } else { down() };
    }
    let product = value.saturating_mul(i64::from(weight.weight));
    let product = match weight.sign {
        Sign::Normal => product,
        Sign::Reverse => product.saturating_neg(),
    };
    if product <= i64::from(i32::MIN) {
        down()
    } else {
        Outcome::Weight(Some(product.min(i64::from(i32::MAX))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_in_the_file_becomes_weight_or_fault() {
        let check = |value, weight| {
            file_check(
                value,
                FileWeight {
                    weight,
                    sign: Sign::Normal,
                },
            )
        };
        let down = Outcome::Failure(Failure("FAULT state".into()));
        assert_eq!(check(0, 0), Outcome::Success);
        assert_eq!(check(-3, 0), down);
        assert_eq!(check(-3, 5), Outcome::Weight(Some(-15)));
        assert_eq!(check(0, 5), Outcome::Weight(Some(0)));
        assert_eq!(check(i64::from(i32::MIN), 1), down);
        assert_eq!(check(i64::MIN, 2), down);
        assert_eq!(
            check(i64::MAX, 2),
            Outcome::Weight(Some(i64::from(i32::MAX)))
        );
        let reverse = FileWeight {
            weight: 5,
            sign: Sign::Reverse,
        };
        assert_eq!(file_check(-3, reverse), Outcome::Weight(Some(15)));
    }
}

//! The stable numbers of the diagnostics.

use std::fmt;

/// The number of a kind of diagnostic, printed as `RK0101`; `doc/diagnostics.md` explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RK{:04}", self.0)
    }
}

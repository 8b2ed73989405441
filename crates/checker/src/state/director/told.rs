//! Checks that are told rather than asking: `BFD_CHECK` and `FILE_CHECK`.

use std::sync::Arc;

use crate::outcome::Failure;
use crate::state::check::{Check, Kind};
use crate::state::input::{CheckId, SessionState};
use crate::state::output::Output;
use crate::state::table::{Checkup, Findings, Phase};

use super::attempt::Verdict;
use super::{Director, Stage};

/// What a `FILE_CHECK` makes of the number in its file (checkers.md section 6 has the rules):
/// `Err` is a fault, else what to add to the weight. With a weight the product decides.
fn of_file(value: i32, weight: i32, reverse: bool) -> Result<Option<i64>, ()> {
    let value = if reverse {
        -i64::from(value)
    } else {
        i64::from(value)
    };
    // Two numbers of 32 bits have a product of 64.
    match value * i64::from(weight) {
        _ if weight == 0 && value != 0 => Err(()),
        sum if sum <= i64::from(i32::MIN) => Err(()),
        // Nothing to add is said as such, so that an empty file says nothing.
        sum => Ok(Some(sum).filter(|sum| *sum != 0)),
    }
}

impl Director {
    pub(super) fn session(
        &mut self,
        session: Arc<str>,
        state: SessionState,
        out: &mut Vec<Output>,
    ) {
        let told = self.session_checks.get(&session).cloned();
        self.sessions.insert(session, state);
        for check in told.unwrap_or_default() {
            self.tell(check, out);
        }
    }

    pub(super) fn file(&mut self, file: Arc<str>, value: i32, out: &mut Vec<Output>) {
        let told = self.file_checks.get(&file).cloned();
        self.files.insert(file, value);
        for check in told.unwrap_or_default() {
            self.tell(check, out);
        }
    }

    /// Tells a check what is known; before the start it only takes note.
    fn tell(&mut self, check: CheckId, out: &mut Vec<Output>) {
        match self.stage {
            Stage::Running => {
                if let Some(verdict) = self.verdict(&self.checks[check].set) {
                    self.heard(check, verdict, out);
                }
            }
            Stage::Waiting => {
                self.take_note(check);
                for member in self.checks[check].members.clone() {
                    let real = &mut self.virtuals[member.virtual_server].reals[member.real];
                    real.weight = self.checks.effective_weight(&real.set, &real.checks);
                    real.alive = self.checks.all_up(&real.checks);
                }
            }
            Stage::Stopped => {}
        }
    }

    /// What is known already decides with what a check begins.
    pub(super) fn take_note(&mut self, check: CheckId) {
        if let Some(verdict) = self.verdict(&self.checks[check].set) {
            let found = &mut self.checks[check].found;
            found.has_run = true;
            match verdict {
                Verdict::Well(weight) => (found.up, found.weight) = (true, weight),
                Verdict::Bad(_) => (found.up, found.weight) = (false, None),
            }
        }
    }

    fn verdict(&self, check: &Check) -> Option<Verdict> {
        match &check.kind {
            Kind::Bfd { session } => Some(match self.sessions.get(session)? {
                SessionState::Up => Verdict::Well(None),
                SessionState::Down => Verdict::Bad(Failure(format!("session {session} is down"))),
            }),
            // A file that cannot be read, or has not been read, says 0.
            Kind::File {
                file,
                weight,
                reverse,
            } => {
                let value = self.files.get(file).copied().unwrap_or(0);
                Some(match of_file(value, *weight, *reverse) {
                    Ok(part) => Verdict::Well(part),
                    Err(()) => Verdict::Bad(Failure(format!("tracked file {file} says {value}"))),
                })
            }
            _ => None,
        }
    }

    /// Whom to tell of what, read off the checks again.
    pub(super) fn index_told(&mut self) {
        self.file_checks.clear();
        self.session_checks.clear();
        for id in self.checks.ids() {
            match &self.checks[id].set.kind {
                Kind::File { file, .. } => {
                    self.file_checks.entry(file.clone()).or_default().push(id);
                }
                Kind::Bfd { session } => {
                    let told = self.session_checks.entry(session.clone());
                    told.or_default().push(id);
                }
                _ => {}
            }
        }
    }

    /// A check that nobody has heard of before.
    pub(super) fn fresh(set: Check, up: bool) -> Checkup {
        // Without a URL there is nothing that could fail.
        let nothing_to_ask = set.kind.http().is_some() && set.kind.urls() == 0;
        Checkup {
            set,
            members: Vec::new(),
            found: Findings::new(up || nothing_to_ask),
            phase: Phase::Resting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_weight_is_a_switch() {
        assert_eq!(of_file(0, 0, false), Ok(None));
        assert_eq!(of_file(1, 0, false), Err(()));
        assert_eq!(of_file(-1, 0, true), Err(()));
    }

    #[test]
    fn a_file_with_weight_is_a_sum_and_less_than_any_number_a_fault() {
        assert_eq!(of_file(5, 2, false), Ok(Some(10)));
        assert_eq!(of_file(5, 2, true), Ok(Some(-10)));
        assert_eq!(of_file(5, -2, false), Ok(Some(-10)));
        assert_eq!(of_file(0, 2, false), Ok(None));
        for (value, weight, reverse) in [
            (i32::MIN, 2, false),
            (i32::MIN, 1, false),
            (i32::MIN / 2, 2, false),
            (i32::MAX, 3, true),
            (i32::MAX, i32::MIN, false),
        ] {
            assert_eq!(of_file(value, weight, reverse), Err(()), "{value}");
        }
        assert_eq!(of_file(i32::MIN, 3, true), Ok(Some(3 << 31)));
        assert_eq!(of_file(-i32::MAX, 1, false), Ok(Some(-0x7fff_ffff)));
        assert_eq!(
            of_file(i32::MAX, i32::MIN, true),
            Ok(Some(0x7fff_ffff << 31))
        );
    }
}

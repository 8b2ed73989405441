//! From checks to real servers, from real servers to the quorum, from the quorum to the sorry
//! server.

use std::sync::Arc;

use crate::state::cause::Cause;
use crate::state::event::{Event, Move};
use crate::state::input::CheckId;
use crate::state::notice::{Health, Mail, MailBody, Notice, Subject};
use crate::state::output::Output;
use crate::state::table::RealId;

use super::pool::Say;
use super::{Director, Stage};

impl Director {
    /// A check has changed its mind, or failed for the first time: its real servers may have
    /// come or gone.
    pub(super) fn check_changed(&mut self, check: CheckId, cause: &Cause, out: &mut Vec<Output>) {
        for member in self.checks[check].members.clone() {
            self.settle_real(member, cause, out);
            if matches!(cause, Cause::CheckFailed { .. }) {
                self.tell_first_failure(member, cause, out);
            }
            self.settle_quorum_for(member, cause, out);
        }
    }

    /// Looks at a real server again. The quorum is to be settled afterwards.
    pub(super) fn settle_real(&mut self, id: RealId, cause: &Cause, out: &mut Vec<Output>) {
        let real = self.real(id);
        let alive = self.checks.all_up(&real.checks);
        if alive == real.alive {
            return;
        }
        let inhibit = real.set.inhibit_on_failure;
        let one = &mut self.virtuals[id.virtual_server];
        one.reals[id.real].alive = alive;
        let (change, health) = match (alive, inhibit) {
            (true, false) => (Move::Adding, Health::Up),
            (true, true) => (Move::Enabling, Health::Up),
            (false, false) => (Move::Removing, Health::Down),
            (false, true) => (Move::Disabling, Health::Down),
        };
        let place = one.place(id.real);
        Self::log(Event::Real { change, place }, out);
        self.place_real(id, Say::Changes, out);
        self.tell_real(id, health, cause, out);
    }

    /// `alpha`: the first failure of a server that never was up is news to scripts.
    fn tell_first_failure(&mut self, id: RealId, cause: &Cause, out: &mut Vec<Output>) {
        let real = self.real(id);
        if !real.alive && real.told.is_none() {
            self.tell_real(id, Health::Down, cause, out);
        }
    }

    pub(super) fn tell_real(
        &mut self,
        id: RealId,
        health: Health,
        cause: &Cause,
        out: &mut Vec<Output>,
    ) {
        let subject = self.subject(id);
        self.virtuals[id.virtual_server].reals[id.real].told = Some(health);
        out.push(Output::Notify(Notice {
            subject,
            health,
            cause: cause.clone(),
        }));
    }

    pub(super) fn subject(&self, id: RealId) -> Subject {
        let place = self.virtuals[id.virtual_server].place(id.real);
        Subject::Real {
            virtual_server: place.virtual_server,
            real: place.real,
        }
    }

    fn settle_quorum_for(&mut self, id: RealId, cause: &Cause, out: &mut Vec<Output>) {
        let one = &self.virtuals[id.virtual_server];
        // Only a change needs a cause of its own.
        if one.quorum == one.quorate(one.weight()) {
            return;
        }
        let real = one.place(id.real).real;
        let why = Arc::new(cause.clone());
        let cause = Cause::RealServer { real, why };
        self.settle_quorum(id.virtual_server, &cause, out);
    }

    /// Gains or loses the quorum if the weights say so, and with it the sorry server.
    pub(super) fn settle_quorum(&mut self, index: usize, cause: &Cause, out: &mut Vec<Output>) {
        let one = &mut self.virtuals[index];
        let quorate = one.quorate(one.weight());
        if quorate == one.quorum || self.stage != Stage::Running {
            return;
        }
        one.quorum = quorate;
        let quorum = one.arithmetic(false);
        let virtual_server = one.set.name.clone();
        Self::log(
            Event::Quorum {
                quorum,
                virtual_server,
            },
            out,
        );
        self.change_places(index, out);
        self.tell_quorum(index, cause, out);
        if self.virtuals[index].set.smtp_alert {
            let mail = self.quorum_mail(index, MailBody::Quorum(quorum));
            out.push(Output::Mail(mail));
        }
    }

    /// The sorry server comes and the others go, or the other way round. Whoever comes, comes
    /// first, so that there is no moment without a destination.
    pub(super) fn change_places(&mut self, index: usize, out: &mut Vec<Output>) {
        let one = &self.virtuals[index];
        let Some(sorry) = &one.set.sorry_server else {
            return;
        };
        let (sorry_moves, alive_move) = match (one.quorum, sorry.inhibit) {
            (false, false) => (Move::Adding, Move::Removing),
            (false, true) => (Move::Enabling, Move::Removing),
            (true, false) => (Move::Removing, Move::Adding),
            (true, true) => (Move::Disabling, Move::Adding),
        };
        let quorum = one.quorum;
        let of_sorry = Event::Sorry {
            change: sorry_moves,
            sorry: sorry.endpoint(one.set.protocol),
            virtual_server: one.set.name.clone(),
        };
        let of_alive = Event::Alive {
            change: alive_move,
            virtual_server: one.set.name.clone(),
        };
        Self::log(of_sorry, out);
        if quorum {
            Self::log(of_alive, out);
            self.place_reals(index, out);
            self.place_sorry(index, Say::Changes, out);
        } else {
            self.place_sorry(index, Say::Changes, out);
            Self::log(of_alive, out);
            self.place_reals(index, out);
        }
    }

    pub(super) fn tell_quorum(&self, index: usize, cause: &Cause, out: &mut Vec<Output>) {
        let one = &self.virtuals[index];
        out.push(Output::Notify(Notice {
            subject: Subject::Quorum(one.set.name.clone()),
            health: if one.quorum { Health::Up } else { Health::Down },
            cause: cause.clone(),
        }));
    }

    pub(super) fn quorum_mail(&self, index: usize, body: MailBody) -> Mail {
        let one = &self.virtuals[index];
        Mail {
            subject: Subject::Quorum(one.set.name.clone()),
            health: if one.quorum { Health::Up } else { Health::Down },
            body,
        }
    }

    /// Recomputes the weight of a real server. The quorum is to be settled afterwards.
    pub(super) fn settle_weight(&mut self, id: RealId, logged: Logged, out: &mut Vec<Output>) {
        let real = self.real(id);
        let to = self.checks.effective_weight(&real.set, &real.checks);
        let one = &mut self.virtuals[id.virtual_server];
        let real = &mut one.reals[id.real];
        let from = std::mem::replace(&mut real.weight, to);
        if from == to {
            return;
        }
        let health = if real.alive { Health::Up } else { Health::Down };
        if logged == Logged::Yes {
            let place = one.place(id.real);
            Self::log(
                Event::Weight {
                    from,
                    to,
                    health,
                    place,
                },
                out,
            );
        }
        self.place_real(id, Say::Changes, out);
    }

    /// A check has said which weight it wants: that of its real servers may have changed.
    pub(super) fn weight_changed(
        &mut self,
        check: CheckId,
        logged: Logged,
        cause: &Cause,
        out: &mut Vec<Output>,
    ) {
        for member in self.checks[check].members.clone() {
            self.settle_weight(member, logged, out);
            self.settle_quorum_for(member, cause, out);
        }
    }
}

/// Whether a change of weight is a log line: a check that goes down takes its weight along in
/// silence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Logged {
    Yes,
    No,
}

//! The start: services and destinations first, then the checks.

use rk_base::Instant;

use crate::state::cause::Cause;
use crate::state::event::{Activity, Event};
use crate::state::notice::{Health, MailBody};
use crate::state::output::Output;
use crate::state::table::RealId;

use super::pool::{Say, make_services};
use super::{Director, Stage};

impl Director {
    pub(super) fn start(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.stage != Stage::Waiting {
            return;
        }
        self.stage = Stage::Running;
        for index in 0..self.virtuals.len() {
            self.introduce(index, &Cause::Startup, out);
        }
        for index in 0..self.virtuals.len() {
            self.activate(now, index, out);
        }
    }

    /// A virtual server that was not there before: its services, its destinations, its quorum.
    pub(super) fn introduce(&mut self, index: usize, cause: &Cause, out: &mut Vec<Output>) {
        make_services(&self.virtuals[index], out);
        let one = &mut self.virtuals[index];
        one.quorum = one.quorate(one.weight());
        let (quorum, sorry) = (one.quorum, one.sorry());
        let quiet = !quorum && !sorry && one.set.alpha;
        let arithmetic = one.arithmetic(true);
        let event = Event::Quorum {
            quorum: arithmetic,
            virtual_server: one.set.name.clone(),
        };
        if sorry {
            Self::log(event, out);
            self.change_places(index, out);
        } else {
            self.place_reals(index, out);
            self.place_sorry(index, Say::Changes, out);
            if !quiet {
                Self::log(event, out);
            }
        }
        for real in 0..self.virtuals[index].reals.len() {
            self.introduce_real(
                RealId {
                    virtual_server: index,
                    real,
                },
                cause,
                out,
            );
        }
        if !quiet {
            self.tell_quorum(index, cause, out);
            if self.virtuals[index].set.smtp_alert {
                let mail = self.quorum_mail(index, MailBody::Starting(arithmetic));
                out.push(Output::Mail(mail));
            }
        }
    }

    /// A real server that was not there before: being up is what was expected of it, unless
    /// somebody wants to hear it.
    pub(super) fn introduce_real(&mut self, id: RealId, cause: &Cause, out: &mut Vec<Output>) {
        let real = self.real(id);
        let (alive, alpha) = (real.alive, real.set.alpha);
        match (alive, alpha) {
            (true, false) if self.rs_init_notifies => {
                self.tell_real(id, Health::Up, cause, out);
            }
            (true, _) => {
                self.virtuals[id.virtual_server].reals[id.real].told = Some(Health::Up);
            }
            // What it is told or inherits from others says that it is down.
            (false, false) => self.tell_real(id, Health::Down, cause, out),
            // It has yet to be checked.
            (false, true) => {}
        }
    }

    /// The checks of a virtual server that was not there before begin.
    pub(super) fn activate(&mut self, now: Instant, index: usize, out: &mut Vec<Output>) {
        let activity = if self.virtuals[index].active {
            Activity::Activating
        } else {
            Activity::Deactivating
        };
        self.log_activity(index, activity, out);
        self.follow_activity(now, index, out);
    }
}

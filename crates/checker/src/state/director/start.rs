//! The start: services and destinations first, then the checks.

use rk_base::Instant;

use crate::state::cause::Cause;
use crate::state::event::{Activity, Event};
use crate::state::notice::{Health, MailBody};
use crate::state::output::Output;
use crate::state::table::RealId;

use super::pool::{Say, make_services};
use super::{Director, Stage};

/// How many virtual servers are a part of the start.
const PART: usize = 64;

/// A part of the start: which virtual servers come next.
#[derive(Debug)]
pub struct Part(usize);

impl Part {
    /// The first ones.
    pub const FIRST: Self = Self(0);
}

impl Director {
    pub(super) fn start(&mut self, now: Instant, out: &mut Vec<Output>) {
        let mut next = Some(Part::FIRST);
        while let Some(part) = next {
            next = self.start_part(now, part, out);
        }
    }

    /// [`Input::Start`](crate::state::Input::Start) in parts, so that a large configuration takes
    /// little room for its outputs: begins with [`Part::FIRST`], and each gives the next. No other
    /// input may come in between. Once it has started, nothing comes of it.
    pub fn start_part(
        &mut self,
        now: Instant,
        Part(first): Part,
        out: &mut Vec<Output>,
    ) -> Option<Part> {
        let expected = if first == 0 {
            Stage::Waiting
        } else {
            Stage::Running
        };
        if self.stage != expected {
            return None;
        }
        self.stage = Stage::Running;
        let next = self.virtuals.len().min(first + PART);
        for index in first..next {
            self.introduce(index, &Cause::Startup, out);
        }
        if next < self.virtuals.len() {
            return Some(Part(next));
        }
        for index in 0..self.virtuals.len() {
            self.activate(now, index, out);
        }
        None
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

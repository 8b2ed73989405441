//! The stop: every destination and service goes, and `omega` says goodbye.

use crate::state::cause::Cause;
use crate::state::event::Event;
use crate::state::notice::{Health, Mail, MailBody};
use crate::state::output::Output;
use crate::state::table::RealId;

use super::pool::{destination, remove_services};
use super::{Director, Stage};

impl Director {
    pub(super) fn stop(&mut self, out: &mut Vec<Output>) {
        for check in self.checks.ids() {
            self.rest(check, out);
        }
        self.timers.clear();
        if self.stage == Stage::Running {
            for index in 0..self.virtuals.len() {
                self.shut_down(index, out);
            }
        }
        self.stage = Stage::Stopped;
    }

    fn shut_down(&mut self, index: usize, out: &mut Vec<Output>) {
        let omega = self.virtuals[index].set.omega;
        self.withdraw_sorry(index, out);
        for real in 0..self.virtuals[index].reals.len() {
            let id = RealId {
                virtual_server: index,
                real,
            };
            let one = &self.virtuals[index];
            let (alive, placed) = (one.reals[real].alive, one.reals[real].placed);
            let place = one.place(real);
            let inhibited = placed.is_some() && !alive;
            Self::log(Event::ShuttingDown { place, inhibited }, out);
            self.withdraw_real(id, out);
            if omega && alive {
                self.tell_real(id, Health::Down, &Cause::Stop, out);
                self.mail_real_gone(id, MailBody::ShuttingDown, out);
            }
        }
        remove_services(&self.virtuals[index], out);
        self.virtuals[index].quorum = false;
        if omega {
            self.tell_quorum(index, &Cause::Stop, out);
            if self.virtuals[index].set.smtp_alert {
                let mail = self.quorum_mail(index, MailBody::ShuttingDown);
                out.push(Output::Mail(mail));
            }
        }
    }

    /// Takes a real server out of the table for good.
    pub(super) fn withdraw_real(&mut self, id: RealId, out: &mut Vec<Output>) {
        let one = &mut self.virtuals[id.virtual_server];
        if one.reals[id.real].placed.take().is_some() {
            for entry in one.set.entries.iter() {
                destination(*entry, one.want_real(*entry, id.real), out);
            }
        }
    }

    /// Takes the sorry server out of the table for good.
    pub(super) fn withdraw_sorry(&mut self, index: usize, out: &mut Vec<Output>) {
        let one = &mut self.virtuals[index];
        if one.sorry_placed.take().is_some() {
            for entry in one.set.entries.iter() {
                if let Some(want) = one.want_sorry(*entry) {
                    destination(*entry, want, out);
                }
            }
        }
    }

    pub(super) fn mail_real_gone(&self, id: RealId, body: MailBody, out: &mut Vec<Output>) {
        if self.real(id).set.smtp_alert {
            out.push(Output::Mail(Mail {
                subject: self.subject(id),
                health: Health::Down,
                body,
            }));
        }
    }
}

//! Master: advertising, and whom to yield to.

use core::cmp::Ordering;
use core::net::IpAddr;
use core::time::Duration;

use rk_base::{Instant, Priority};

use super::backup::Wait;
use super::{Heard, Instance, Rogue, State};
use crate::cause::Cause;
use crate::event::Occurrence;
use crate::output::{Addresses, Output};

impl Instance {
    /// Takes over: advert, addresses, announcement, notification, in this order.
    pub(super) fn become_master(&mut self, now: Instant, cause: Cause, out: &mut Vec<Output>) {
        if self.demoted {
            self.demoted = false;
            (self.total, self.effective) = self.ranked();
            self.log(Occurrence::OwnerRestored, out);
        }
        let (from, to) = (self.master_adver_interval, self.settings.adver_interval);
        if from != to {
            self.master_adver_interval = to;
            self.log(Occurrence::IntervalOwn { from, to }, out);
        }
        self.replay.clear();
        self.send_advert(now, out);
        self.adver_due = Some(now + self.settings.adver_interval);
        self.log_entering(State::Master, out);
        self.log(Occurrence::SettingVips, out);
        out.push(Output::Addresses(Addresses::Present));
        self.announce_master(now, out);
        self.transition(now, State::Master, cause, out);
    }

    /// Adver_Timer fired.
    pub(super) fn adver_expired(&mut self, now: Instant, due: Instant, out: &mut Vec<Output>) {
        if let Some(rogue) = &mut self.rogue {
            rogue.adverts += 1;
        }
        self.send_advert(now, out);
        // On the grid of the timer, so that small delays do not add up; but after a long one
        // adverts are not made up for.
        let interval = self.settings.adver_interval;
        let next = due + interval;
        self.adver_due = Some(if next > now { next } else { now + interval });
    }

    /// Sends an advert out of turn; the next regular one follows an interval later.
    pub(super) fn advertise_at_once(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.send_advert(now, out);
        self.adver_due = Some(now + self.settings.adver_interval);
    }

    /// An advert that passed every check.
    pub(super) fn advert_in_master(
        &mut self,
        now: Instant,
        from: IpAddr,
        theirs: Priority,
        interval: Duration,
        out: &mut Vec<Output>,
    ) {
        if theirs == Priority::LEAVING {
            self.log(Occurrence::MasterPriorityZero, out);
            self.advertise_at_once(now, out);
            return;
        }
        let ours = self.effective;
        // The tie-break: the greater source address, compared as the octets stand on the wire.
        let order = theirs.cmp(&ours).then_with(|| {
            self.source()
                .map_or(Ordering::Greater, |own| address_order(from, own))
        });
        if ours.is_owner() && theirs.is_owner() {
            self.limited(Occurrence::OwnerConflict(from), out);
        }
        match order {
            Ordering::Greater => {
                let cause = if theirs > ours {
                    self.log(Occurrence::HigherAdvert { from, theirs, ours }, out);
                    Cause::HigherPriority { from, theirs, ours }
                } else if ours.is_owner() {
                    Cause::OwnerConflict { from }
                } else {
                    self.log(
                        Occurrence::HigherAddress {
                            from,
                            priority: ours,
                        },
                        out,
                    );
                    Cause::HigherAddress {
                        from,
                        priority: ours,
                    }
                };
                self.yield_to(
                    now,
                    Heard {
                        address: from,
                        priority: theirs,
                    },
                    interval,
                    cause,
                    out,
                );
            }
            // Answering our own address would make two such routers answer one another for ever.
            Ordering::Equal => self.limited(Occurrence::OurAddress, out),
            Ordering::Less => {
                if ours.is_owner()
                    && theirs.is_owner()
                    && self.rogue_stays(now, from, interval, out)
                {
                    let master = Heard {
                        address: from,
                        priority: theirs,
                    };
                    self.yield_to(now, master, interval, Cause::OwnerConflict { from }, out);
                    return;
                }
                self.refuse(now, from, theirs, out);
            }
        }
    }

    /// Somebody who ranks below us advertises.
    fn refuse(&mut self, now: Instant, from: IpAddr, theirs: Priority, out: &mut Vec<Output>) {
        let forcing = !self.settings.lower_prio_no_advert;
        if forcing {
            //= RFC 9568 §6.4.3: tell the other one at once that there is a better Master.
            self.advertise_at_once(now, out);
        }
        let ours = self.effective;
        self.log(
            Occurrence::LowerAdvert {
                from,
                theirs,
                ours,
                forcing,
            },
            out,
        );
        self.announce_lower_priority(now, out);
        out.push(Output::RxLowerPriority);
    }

    /// Goes back to Backup because of `master`.
    fn yield_to(
        &mut self,
        now: Instant,
        master: Heard,
        interval: Duration,
        cause: Cause,
        out: &mut Vec<Output>,
    ) {
        if self.settings.higher_prio_send_advert {
            self.send_advert(now, out);
        }
        self.learn_interval(interval, out);
        // The wait starts now, even if the packet is older: what came after it is still unread.
        self.enter_backup(now, Wait::down(now), cause, out);
        self.master = Some(master);
    }

    /// Another owner with a lower address ought to yield to us. Whether it has had time enough
    /// (two of our adverts and 1.2 of the longer interval), so that we are the one to give way.
    fn rogue_stays(
        &mut self,
        now: Instant,
        from: IpAddr,
        interval: Duration,
        out: &mut Vec<Output>,
    ) -> bool {
        let interval = interval.max(self.settings.adver_interval);
        let rogue = match self.rogue {
            Some(rogue) if now.since(rogue.last) <= interval * 3 => Rogue { last: now, ..rogue },
            _ => Rogue {
                since: now,
                last: now,
                adverts: 0,
                interval,
            },
        };
        self.rogue = Some(rogue);
        if rogue.adverts < 2 || now.since(rogue.since) < rogue.interval * 6 / 5 {
            return false;
        }
        self.demoted = true;
        (self.total, self.effective) = self.ranked();
        self.log(Occurrence::OwnerDemoted(from), out);
        true
    }

    /// Somebody removed a virtual address. Give everything up and come back a Skew_Time later,
    /// so that another router may take over if it can do better.
    pub(super) fn address_lost(&mut self, now: Instant, address: IpAddr, out: &mut Vec<Output>) {
        if self.state != State::Master {
            return;
        }
        self.send_leaving(now, 1, out);
        let cause = Cause::AddressRemoved { address };
        self.enter_backup(now, Wait::restore(now, address), cause, out);
    }
}

/// Compares two addresses as unsigned numbers in network order.
fn address_order(a: IpAddr, b: IpAddr) -> Ordering {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a.octets().cmp(&b.octets()),
        (IpAddr::V6(a), IpAddr::V6(b)) => a.octets().cmp(&b.octets()),
        _ => Ordering::Equal,
    }
}

//! What the kernel's table should hold: places given to servers and taken from them.

use crate::state::name::{DestinationKey, ServiceKey};
use crate::state::output::{Destination, Output};
use crate::state::table::{RealId, Virtual};

use super::{Director, Stage};

/// Whether something is said although the weight is as it was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    Changes,
    Anyway,
}

pub(super) fn destination(
    service: ServiceKey,
    (destination, want): (DestinationKey, Option<Destination>),
    out: &mut Vec<Output>,
) {
    out.push(Output::Destination {
        service,
        destination,
        want,
    });
}

/// Makes the services of a virtual server, without destinations.
pub(super) fn make_services(one: &Virtual, out: &mut Vec<Output>) {
    for entry in one.set.entries.iter() {
        out.push(Output::Service {
            service: *entry,
            want: Some(one.set.service.clone()),
        });
    }
}

/// Takes the services of a virtual server away; its destinations have gone before.
pub(super) fn remove_services(one: &Virtual, out: &mut Vec<Output>) {
    for entry in one.set.entries.iter() {
        out.push(Output::Service {
            service: *entry,
            want: None,
        });
    }
}

impl Director {
    /// Asks for the place that a real server should have now.
    pub(super) fn place_real(&mut self, id: RealId, say: Say, out: &mut Vec<Output>) {
        if self.stage != Stage::Running {
            return;
        }
        let one = &mut self.virtuals[id.virtual_server];
        let placement = one.placement(id.real);
        if one.reals[id.real].placed == placement && say == Say::Changes {
            return;
        }
        let before = std::mem::replace(&mut one.reals[id.real].placed, placement);
        if before.is_none() && placement.is_none() {
            return;
        }
        for entry in one.set.entries.iter() {
            destination(*entry, one.want_real(*entry, id.real), out);
        }
    }

    /// Asks for the place that the sorry server should have now.
    pub(super) fn place_sorry(&mut self, index: usize, say: Say, out: &mut Vec<Output>) {
        if self.stage != Stage::Running {
            return;
        }
        let one = &mut self.virtuals[index];
        let placement = one.sorry_placement();
        if one.sorry_placed == placement && say == Say::Changes {
            return;
        }
        let before = std::mem::replace(&mut one.sorry_placed, placement);
        if before.is_none() && placement.is_none() {
            return;
        }
        for entry in one.set.entries.iter() {
            if let Some(want) = one.want_sorry(*entry) {
                destination(*entry, want, out);
            }
        }
    }

    /// Asks for the places that all real servers of a virtual server should have now.
    pub(super) fn place_reals(&mut self, index: usize, out: &mut Vec<Output>) {
        for real in 0..self.virtuals[index].reals.len() {
            let id = RealId {
                virtual_server: index,
                real,
            };
            self.place_real(id, Say::Changes, out);
        }
    }
}

//! The commands that bring a table to what is wanted: no more than needed, in an order in which
//! each can be done.

use std::collections::HashSet;

use crate::command::Command;
use crate::service::ServiceKey;
use crate::state::{Entry, State};

/// What to do so that `actual` has every service of `desired` exactly as it is there.
///
/// Of the other services only those in `ours` are removed; the rest belongs to somebody else. A
/// service of `desired` that somebody else added is adopted: changed in place, and real servers
/// that are not wanted are removed.
///
/// First services go, each after its real servers; then, in the order of `desired`, services come
/// or change, each followed by its real servers: those that come or change in place, in their
/// order, then those that go, so that there is no moment without any. A real server that stays is never removed and added again, so its
/// connections stay. Takes time in proportion to both tables.
#[must_use]
pub fn reconcile(actual: &State, desired: &State, ours: &HashSet<ServiceKey>) -> Vec<Command> {
    let mut commands = Vec::new();
    for entry in actual.entries() {
        let key = &entry.service().key;
        if ours.contains(key) && desired.entry(key).is_none() {
            service(Some(entry), None, &mut commands);
        }
    }
    for entry in desired.entries() {
        let there = actual.entry(&entry.service().key);
        service(there, Some(entry), &mut commands);
    }
    commands
}

/// The same for one service, which is ours: `None` is not there, or not wanted.
#[must_use]
pub fn reconcile_service(actual: Option<&Entry>, desired: Option<&Entry>) -> Vec<Command> {
    let mut commands = Vec::new();
    service(actual, desired, &mut commands);
    commands
}

fn service(actual: Option<&Entry>, desired: Option<&Entry>, commands: &mut Vec<Command>) {
    match (actual, desired) {
        (None, None) => {}
        (Some(actual), None) => {
            let key = actual.service().key;
            commands.extend(actual.dests().map(|dest| Command::DelDest(key, dest.key)));
            commands.push(Command::DelService(key));
        }
        (None, Some(desired)) => {
            let key = desired.service().key;
            commands.push(Command::NewService(*desired.service()));
            commands.extend(desired.dests().map(|dest| Command::NewDest(key, *dest)));
        }
        (Some(actual), Some(desired)) => {
            let key = desired.service().key;
            debug_assert_eq!(actual.service().key, key);
            if actual.service() != desired.service() {
                commands.push(Command::SetService(*desired.service()));
            }
            commands.extend(
                desired
                    .dests()
                    .filter_map(|dest| match actual.dest(&dest.key) {
                        None => Some(Command::NewDest(key, *dest)),
                        Some(there) if there != dest => Some(Command::SetDest(key, *dest)),
                        Some(_) => None,
                    }),
            );
            let gone = actual.dests().filter(|it| desired.dest(&it.key).is_none());
            commands.extend(gone.map(|dest| Command::DelDest(key, dest.key)));
        }
    }
}

#[cfg(test)]
mod tests;

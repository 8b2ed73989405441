//! A table of virtual services in memory: what is wanted, what is known to be there, and what the
//! test double holds.

use std::collections::HashMap;
use std::hash::Hash;

use crate::command::Command;
use crate::dest::{Dest, DestKey};
use crate::service::{Service, ServiceKey};

/// What has its own key.
trait Keyed {
    type Key: Copy + Eq + Hash;
    fn key(&self) -> Self::Key;
}

impl Keyed for Dest {
    type Key = DestKey;
    fn key(&self) -> DestKey {
        self.key
    }
}

impl Keyed for Entry {
    type Key = ServiceKey;
    fn key(&self) -> ServiceKey {
        self.service.key
    }
}

/// Up to so many places are looked through; a map of a few keys takes longer, and more room than
/// they do.
const FEW: usize = 8;

/// Values in the order in which their keys came. All operations take constant time, on average: one
/// service may have tens of thousands of real servers. Most have a few, and a table thousands of
/// such services: then there is one small allocation for each.
#[derive(Clone, Debug)]
struct Ordered<V: Keyed> {
    /// The values, with holes where some were taken out.
    places: Vec<Option<V>>,
    len: usize,
    /// Where each key is, once there are more than [`FEW`] places.
    #[allow(
        clippy::box_collection,
        reason = "most have none, and an empty map takes six times that"
    )]
    index: Option<Box<HashMap<V::Key, usize>>>,
}

impl<V: Keyed> Default for Ordered<V> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            len: 0,
            index: None,
        }
    }
}

impl<V: Keyed> Ordered<V> {
    fn place(&self, key: &V::Key) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self
                .places
                .iter()
                .position(|it| it.as_ref().is_some_and(|value| value.key() == *key)),
        }
    }

    fn get(&self, key: &V::Key) -> Option<&V> {
        self.places.get(self.place(key)?)?.as_ref()
    }

    /// To be changed, but for its key.
    fn get_mut(&mut self, key: &V::Key) -> Option<&mut V> {
        let place = self.place(key)?;
        self.places.get_mut(place)?.as_mut()
    }

    /// Puts a value in the place of the one with its key, or at the end.
    fn insert(&mut self, value: V) -> Option<V> {
        let key = value.key();
        if let Some(there) = self.get_mut(&key) {
            return Some(std::mem::replace(there, value));
        }
        self.close_holes();
        if let Some(index) = &mut self.index {
            index.insert(key, self.places.len());
        }
        self.places.push(Some(value));
        self.len += 1;
        if self.index.is_none() && self.places.len() > FEW {
            self.renumber();
        }
        None
    }

    fn remove(&mut self, key: &V::Key) -> Option<V> {
        let place = self.place(key)?;
        let value = self.places.get_mut(place)?.take()?;
        if let Some(index) = &mut self.index {
            index.remove(key);
        }
        self.len -= 1;
        self.close_holes();
        Some(value)
    }

    /// Closes the holes once there are as many as values: that costs no more than making them did.
    fn close_holes(&mut self) {
        if self.places.len() > self.len && self.places.len() >= FEW.max(2 * self.len) {
            self.places.retain(Option::is_some);
            self.renumber();
        }
    }

    /// Makes the index that these places need.
    fn renumber(&mut self) {
        let numbered = self.places.iter().enumerate();
        self.index = (self.places.len() > FEW).then(|| {
            let all = numbered.filter_map(|(n, value)| Some((value.as_ref()?.key(), n)));
            Box::new(all.collect())
        });
    }

    fn iter(&self) -> impl Iterator<Item = &V> {
        self.places.iter().flatten()
    }
}

/// A service and its real servers.
#[derive(Clone, Debug)]
pub struct Entry {
    service: Service,
    dests: Ordered<Dest>,
}

impl Entry {
    /// A service without real servers.
    #[must_use]
    pub fn new(service: Service) -> Self {
        Self {
            service: service.normal(),
            dests: Ordered::default(),
        }
    }

    /// The service, in the form that the kernel would tell.
    #[must_use]
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Its real servers, in the order in which they were added.
    pub fn dests(&self) -> impl Iterator<Item = &Dest> {
        self.dests.iter()
    }

    /// One of them.
    #[must_use]
    pub fn dest(&self, key: &DestKey) -> Option<&Dest> {
        self.dests.get(key)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dests.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dests.len == 0
    }

    /// Adds a real server, or changes the one of that key in its place; gives the former one.
    pub fn put(&mut self, dest: Dest) -> Option<Dest> {
        self.dests.insert(dest)
    }

    /// Takes a real server out.
    pub fn take(&mut self, key: &DestKey) -> Option<Dest> {
        self.dests.remove(key)
    }
}

impl PartialEq for Entry {
    /// The order of the real servers does not count: the kernel keeps its own.
    fn eq(&self, other: &Self) -> bool {
        self.service == other.service
            && self.len() == other.len()
            && self.dests().all(|dest| other.dest(&dest.key) == Some(dest))
    }
}

impl Eq for Entry {}

/// Virtual services with their real servers, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct State {
    services: Ordered<Entry>,
}

impl State {
    /// A table without services.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The services, in the order in which they were added.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.services.iter()
    }

    /// One of them.
    #[must_use]
    pub fn entry(&self, key: &ServiceKey) -> Option<&Entry> {
        self.services.get(key)
    }

    /// One of them, to be changed.
    pub fn entry_mut(&mut self, key: &ServiceKey) -> Option<&mut Entry> {
        self.services.get_mut(key)
    }

    /// How many services there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.services.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.len == 0
    }

    /// Adds a service, or changes the one of that key in its place; gives the former one.
    pub fn put(&mut self, entry: Entry) -> Option<Entry> {
        self.services.insert(entry)
    }

    /// Takes a service out.
    pub fn take(&mut self, key: &ServiceKey) -> Option<Entry> {
        self.services.remove(key)
    }

    /// Does what the kernel would do.
    ///
    /// # Errors
    /// The kernel's error number; nothing has changed then.
    pub fn apply(&mut self, command: &Command) -> Result<(), i32> {
        match command {
            Command::NewService(service) => {
                if self.entry(&service.key).is_some() {
                    return Err(libc::EEXIST);
                }
                self.put(Entry::new(*service));
            }
            Command::SetService(service) => {
                let entry = self.entry_mut(&service.key).ok_or(libc::ESRCH)?;
                entry.service = service.normal();
            }
            Command::DelService(key) => {
                self.take(key).ok_or(libc::ESRCH)?;
            }
            Command::NewDest(key, dest) => {
                let entry = self.entry_mut(key).ok_or(libc::ESRCH)?;
                in_range(dest)?;
                if entry.dest(&dest.key).is_some() {
                    return Err(libc::EEXIST);
                }
                entry.put(*dest);
            }
            Command::SetDest(key, dest) => {
                let entry = self.entry_mut(key).ok_or(libc::ESRCH)?;
                in_range(dest)?;
                entry.dest(&dest.key).ok_or(libc::ENOENT)?;
                entry.put(*dest);
            }
            Command::DelDest(key, dest) => {
                let entry = self.entry_mut(key).ok_or(libc::ESRCH)?;
                entry.take(dest).ok_or(libc::ENOENT)?;
            }
            Command::Zero(Some(key)) => {
                self.entry(key).ok_or(libc::ESRCH)?;
            }
            Command::Flush => *self = Self::default(),
            // Not kept here.
            Command::NewDaemon(_)
            | Command::DelDaemon { .. }
            | Command::SetTimeouts(_)
            | Command::Zero(None) => {}
        }
        Ok(())
    }
}

impl PartialEq for State {
    /// The order of the services does not count: the kernel keeps its own.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .entries()
                .all(|entry| other.entry(&entry.service.key) == Some(entry))
    }
}

impl Eq for State {}

impl FromIterator<Entry> for State {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut state = Self::default();
        for entry in entries {
            state.put(entry);
        }
        state
    }
}

fn in_range(dest: &Dest) -> Result<(), i32> {
    if i32::try_from(dest.weight).is_err() || dest.lower_threshold > dest.upper_threshold {
        return Err(libc::ERANGE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;
    use crate::dest::Forward;

    fn dest(number: u16, weight: u32) -> Dest {
        let key = DestKey {
            address: Ipv4Addr::LOCALHOST.into(),
            port: number,
        };
        Dest::new(key, Forward::Nat, weight)
    }

    proptest! {
        /// Many or few keys, taken out and put in again.
        #[test]
        fn the_order_is_that_of_a_list(
            steps in prop::collection::vec((any::<bool>(), 0..40_u16), 0..400),
            range in 1..40_u16,
        ) {
            let mut ordered = Ordered::<Dest>::default();
            let mut list: Vec<Dest> = Vec::new();
            for (weight, (put, number)) in (0..).zip(steps) {
                let one = dest(number % range, weight);
                let place = list.iter().position(|it| it.key == one.key);
                if put {
                    let before = place.map(|at| std::mem::replace(&mut list[at], one));
                    if before.is_none() {
                        list.push(one);
                    }
                    prop_assert_eq!(ordered.insert(one), before);
                } else {
                    let before = place.map(|at| list.remove(at));
                    prop_assert_eq!(ordered.remove(&one.key), before);
                }
                prop_assert_eq!(ordered.len, list.len());
                prop_assert!(ordered.iter().eq(&list));
                prop_assert_eq!(ordered.get(&one.key), list.iter().find(|it| it.key == one.key));
                prop_assert!(ordered.places.len() <= FEW.max(2 * list.len()));
            }
        }
    }

    #[test]
    fn a_few_keys_need_no_index() {
        let mut ordered = Ordered::<Dest>::default();
        for number in 0..100 {
            ordered.insert(dest(number, 1));
            assert_eq!(ordered.index.is_some(), usize::from(number) >= FEW);
        }
        for number in 0..99 {
            ordered.remove(&dest(number, 1).key);
        }
        assert!(ordered.index.is_none());
        assert_eq!(ordered.get(&dest(99, 1).key), Some(&dest(99, 1)));
    }
}

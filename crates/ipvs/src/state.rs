//! A table of virtual services in memory: what is wanted, what is known to be there, and what the
//! test double holds.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use crate::command::Command;
use crate::dest::{Dest, DestKey};
use crate::service::{Service, ServiceKey};

/// Values by key, in the order in which the keys came. All operations take logarithmic time at
/// most; one service may have tens of thousands of real servers.
#[derive(Clone, Debug)]
struct Ordered<K, V> {
    places: HashMap<K, u64>,
    values: BTreeMap<u64, V>,
    next: u64,
}

impl<K, V> Default for Ordered<K, V> {
    fn default() -> Self {
        Self {
            places: HashMap::new(),
            values: BTreeMap::new(),
            next: 0,
        }
    }
}

impl<K: Eq + Hash, V> Ordered<K, V> {
    fn get(&self, key: &K) -> Option<&V> {
        self.values.get(self.places.get(key)?)
    }

    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.values.get_mut(self.places.get(key)?)
    }

    /// Puts a value in the place of the one it replaces, or at the end.
    fn insert(&mut self, key: K, value: V) -> Option<V> {
        let place = *self.places.entry(key).or_insert(self.next);
        if place == self.next {
            self.next += 1;
        }
        self.values.insert(place, value)
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        self.values.remove(&self.places.remove(key)?)
    }

    fn iter(&self) -> impl Iterator<Item = &V> {
        self.values.values()
    }
}

/// A service and its real servers.
#[derive(Clone, Debug)]
pub struct Entry {
    service: Service,
    dests: Ordered<DestKey, Dest>,
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
        self.dests.places.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dests.places.is_empty()
    }

    /// Adds a real server, or changes the one of that key in its place; gives the former one.
    pub fn put(&mut self, dest: Dest) -> Option<Dest> {
        self.dests.insert(dest.key, dest)
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
    services: Ordered<ServiceKey, Entry>,
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
        self.services.places.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.places.is_empty()
    }

    /// Adds a service, or changes the one of that key in its place; gives the former one.
    pub fn put(&mut self, entry: Entry) -> Option<Entry> {
        self.services.insert(entry.service.key, entry)
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

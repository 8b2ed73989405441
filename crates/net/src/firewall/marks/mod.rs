//! Marks packets for IPVS with nftables (`nftables_ipvs`): one firewall mark stands for all
//! addresses and ports of a virtual server group, so IPVS needs one service for all of them.
//!
//! ```text
//! table ip keepalived_ipvs
//!   map tcp_map { ipv4_addr . inet_service : mark; intervals }       udp_map, sctp_map the same
//!   chain in    { hook input; meta mark set ip daddr . tcp dport map @tcp_map return; ... }
//! ```
//!
//! These are the objects keepalived makes, by name and meaning. A map and its rule come with the
//! first packets of their protocol and family.

mod layout;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

pub use rk_base::Transport;

use super::attempt::{Attempt, Next, Tables, opened};
use super::existing::{Existing, look};
use super::socket::NfSocket;
use super::{ATTEMPTS, Family, FirewallError, FirewallSettings};

/// Packets of one protocol to one port of some addresses in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Marked {
    family: Family,
    transport: Transport,
    port: u16,
    first: u128,
    last: u128,
}

impl Marked {
    /// Packets to `port` of the addresses from `first` to `last`; `None` if these are of two
    /// families or the wrong way round.
    #[must_use]
    pub fn new(transport: Transport, first: IpAddr, last: IpAddr, port: u16) -> Option<Self> {
        let (family, first, last) = match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                let number = |it: Ipv4Addr| u128::from(u32::from(it));
                (Family::Ipv4, number(first), number(last))
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => (Family::Ipv6, first.into(), last.into()),
            _ => return None,
        };
        (first <= last).then_some(Self {
            family,
            transport,
            port,
            first,
            last,
        })
    }

    /// The map that has it.
    const fn map(&self) -> Map {
        Map {
            family: self.family,
            transport: self.transport,
        }
    }

    /// An address and the port, as the kernel compares them with packets.
    fn key(&self, address: u128) -> Vec<u8> {
        let mut key = match self.family {
            // It was made of an IPv4 address.
            Family::Ipv4 => Ipv4Addr::from(address as u32).octets().to_vec(),
            Family::Ipv6 => Ipv6Addr::from(address).octets().to_vec(),
        };
        key.extend(self.port.to_be_bytes());
        // Each part of a concatenation fills whole registers.
        key.extend([0, 0]);
        key
    }
}

/// One of our maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Map {
    family: Family,
    transport: Transport,
}

type Marks = BTreeMap<Marked, NonZeroU32>;

/// The steps from what is in the kernel to what should be.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    /// Maps to be made.
    maps: Vec<Map>,
    /// Families whose table is to be made first.
    tables: Vec<Family>,
    gone: Vec<Marked>,
    new: Vec<(Marked, NonZeroU32)>,
}

/// The only one that changes our tables of marks. See the module.
pub struct Marker {
    settings: FirewallSettings,
    socket: Option<NfSocket>,
    maps: BTreeSet<Map>,
    installed: Marks,
    /// See [`super::Firewall`].
    uncertain: bool,
}

impl Marker {
    /// Nothing is opened or changed until it is needed; then it is in the network namespace of
    /// the calling thread. The table must not be that of a [`super::Firewall`]
    /// ([`FirewallSettings::ipvs`]).
    #[must_use]
    pub fn new(settings: FirewallSettings) -> Self {
        Self {
            settings,
            socket: None,
            maps: BTreeSet::new(),
            installed: BTreeMap::new(),
            uncertain: false,
        }
    }

    /// Makes `marks` what is marked, no more and no less, in one transaction: no packet sees a
    /// state in between. What is so already costs nothing.
    ///
    /// Where addresses overlap (same protocol and port), those of the lower first address win.
    ///
    /// # Errors
    /// See [`FirewallError`]; what was marked before still is.
    pub fn set(&mut self, marks: &BTreeMap<Marked, NonZeroU32>) -> Result<(), FirewallError> {
        let marks = disjoint(marks);
        for _ in 0..ATTEMPTS {
            let difference = self.difference(&marks);
            if difference == Difference::default() && !self.uncertain {
                return Ok(());
            }
            match self.attempt(&difference) {
                Ok(()) => {
                    self.maps.extend(difference.maps);
                    self.installed = marks;
                    self.uncertain = false;
                    return Ok(());
                }
                Err(failure) => self.judge(failure)?,
            }
        }
        Err(FirewallError::Busy)
    }

    /// Looks whether the tables are still there; `false` if not, and the next [`Self::set`] makes
    /// all of them anew. What they hold is not looked at.
    ///
    /// # Errors
    /// See [`FirewallError`].
    pub fn look(&mut self) -> Result<bool, FirewallError> {
        let families: BTreeSet<Family> = self.maps.iter().map(|map| map.family).collect();
        for family in families {
            match self.attempt_look(family) {
                Ok(Existing::Leftover(_)) => {}
                Ok(Existing::None | Existing::Foreign) => {
                    self.forget();
                    return Ok(false);
                }
                Err(failure) => {
                    self.judge(failure)?;
                    return Ok(!self.uncertain);
                }
            }
        }
        Ok(true)
    }

    fn attempt_look(&mut self, family: Family) -> Result<Existing, Attempt> {
        let socket = opened(&mut self.socket)?;
        Ok(look(socket, family, &self.settings.table, &layout::KNOWN)?)
    }

    /// Removes our tables with all they hold, also those that an earlier run or keepalived left
    /// behind; not those of others.
    ///
    /// # Errors
    /// See [`FirewallError`]. A kernel without nftables has nothing to remove, which is none.
    pub fn clear(&mut self) -> Result<(), FirewallError> {
        for _ in 0..ATTEMPTS {
            match self.attempt_clear() {
                Ok(()) => {
                    self.forget();
                    self.uncertain = false;
                    return Ok(());
                }
                Err(failure) => match self.judge(failure) {
                    Ok(()) => {}
                    Err(FirewallError::Unsupported { .. }) => return Ok(()),
                    Err(error) => return Err(error),
                },
            }
        }
        Err(FirewallError::Busy)
    }

    fn difference(&self, marks: &Marks) -> Difference {
        let mut difference = Difference::default();
        for (marked, mark) in &self.installed {
            if marks.get(marked) != Some(mark) {
                difference.gone.push(*marked);
            }
        }
        for (marked, mark) in marks {
            if self.installed.get(marked) != Some(mark) {
                difference.new.push((*marked, *mark));
            }
        }
        let maps: BTreeSet<Map> = difference
            .new
            .iter()
            .map(|(marked, _)| marked.map())
            .collect();
        difference.maps = maps.difference(&self.maps).copied().collect();
        for family in [Family::Ipv4, Family::Ipv6] {
            let of_family = |map: &Map| map.family == family;
            if difference.maps.iter().any(of_family) && !self.maps.iter().any(of_family) {
                difference.tables.push(family);
            }
        }
        difference
    }

    fn attempt(&mut self, difference: &Difference) -> Result<(), Attempt> {
        let socket = opened(&mut self.socket)?;
        let ours = tables(&self.settings);
        let needed = |family| difference.tables.contains(&family);
        let (mut requests, expected) = ours.make_room(socket, needed, self.uncertain)?;
        requests.extend(layout::transition(&self.settings, difference));
        if !requests.is_empty() {
            socket.transaction(requests, expected)?;
        }
        Ok(())
    }

    fn attempt_clear(&mut self) -> Result<(), Attempt> {
        tables(&self.settings).clear(opened(&mut self.socket)?)
    }

    /// `Ok` is to try again.
    fn judge(&mut self, failure: Attempt) -> Result<(), FirewallError> {
        match failure.judge(&self.settings.table, !self.maps.is_empty()) {
            Next::Again => Ok(()),
            Next::Anew => {
                self.forget();
                Ok(())
            }
            Next::GiveUp(error) => Err(error),
        }
    }

    fn forget(&mut self) {
        self.maps.clear();
        self.installed.clear();
        self.uncertain = true;
    }
}

/// Our tables by these settings, as the kernel may already have them.
fn tables(settings: &FirewallSettings) -> Tables<'_> {
    Tables {
        name: &settings.table,
        known: &layout::KNOWN,
        keyword: "nftables_ipvs",
    }
}

/// The same without overlaps, which the kernel refuses: what an earlier one has is cut off the
/// later one.
fn disjoint(marks: &Marks) -> Marks {
    let mut all = Marks::new();
    let mut before: Option<Marked> = None;
    for (marked, mark) in marks {
        let mut rest = *marked;
        if let Some(before) = before
            && before.map() == rest.map()
            && before.port == rest.port
            && rest.first <= before.last
        {
            let Some(first) = before.last.checked_add(1).filter(|it| *it <= rest.last) else {
                continue;
            };
            rest.first = first;
        }
        before = Some(rest);
        all.insert(rest, *mark);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(first: [u8; 4], last: [u8; 4], port: u16) -> Marked {
        Marked::new(Transport::Tcp, first.into(), last.into(), port).unwrap()
    }

    fn marks(all: &[(Marked, u32)]) -> Marks {
        let one = |&(marked, mark): &(Marked, u32)| (marked, NonZeroU32::new(mark).unwrap());
        all.iter().map(one).collect()
    }

    #[test]
    fn ranges_have_one_family_and_a_direction() {
        let v4: IpAddr = [10, 0, 0, 1].into();
        let v6: IpAddr = Ipv6Addr::LOCALHOST.into();
        assert!(Marked::new(Transport::Udp, v4, v6, 1).is_none());
        assert!(Marked::new(Transport::Udp, [10, 0, 0, 2].into(), v4, 1).is_none());
        let one = Marked::new(Transport::Udp, v4, v4, 0x0102).unwrap();
        assert_eq!(one.key(one.first), [10, 0, 0, 1, 1, 2, 0, 0]);
    }

    #[test]
    fn overlaps_are_cut_off() {
        let wanted = marks(&[
            (marked([10, 0, 0, 1], [10, 0, 0, 5], 80), 1),
            (marked([10, 0, 0, 2], [10, 0, 0, 3], 80), 2),
            (marked([10, 0, 0, 4], [10, 0, 0, 9], 80), 3),
            // Another port is another thing.
            (marked([10, 0, 0, 4], [10, 0, 0, 9], 81), 3),
        ]);
        let expected = marks(&[
            (marked([10, 0, 0, 1], [10, 0, 0, 5], 80), 1),
            (marked([10, 0, 0, 6], [10, 0, 0, 9], 80), 3),
            (marked([10, 0, 0, 4], [10, 0, 0, 9], 81), 3),
        ]);
        assert_eq!(disjoint(&wanted), expected);
        let last = u128::MAX.into();
        let top = |first: u128| {
            let first = Ipv6Addr::from(first).into();
            Marked::new(Transport::Tcp, first, IpAddr::V6(last), 1).unwrap()
        };
        let wanted = marks(&[(top(7), 1), (top(8), 2)]);
        assert_eq!(disjoint(&wanted), marks(&[(top(7), 1)]));
    }
}

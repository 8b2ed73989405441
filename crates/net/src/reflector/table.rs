//! The picture of links and addresses, and what changes it.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rk_base::{Family, IfIndex};

use super::link::{AddressKey, Link, LinkAddress};

/// A difference to the picture before, in the order in which the kernel made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new interface.
    LinkAdded(Link),
    /// Flags, name, MAC, MTU or master of an interface changed.
    LinkChanged {
        /// As it was.
        old: Link,
        /// As it is.
        new: Link,
    },
    /// An interface went away; its addresses went before it.
    LinkRemoved(Link),
    /// A new address.
    AddressAdded(LinkAddress),
    /// Flags, lifetime or label of an address changed (for example: no longer tentative).
    AddressChanged {
        /// As it was.
        old: LinkAddress,
        /// As it is.
        new: LinkAddress,
    },
    /// An address went away.
    AddressRemoved(LinkAddress),
    /// Messages had been lost; the changes before this one, back to the loss, made up for them.
    /// What came and went in between was not seen.
    Resynced,
}

/// What the kernel said last about all links and addresses of the namespace.
#[derive(Debug, Default)]
pub struct Table {
    links: BTreeMap<IfIndex, Entry>,
    by_name: HashMap<String, IfIndex>,
    /// Grows with each dump; what a dump did not touch is gone.
    round: u64,
    /// The place the next new address gets.
    next_place: u64,
}

#[derive(Debug)]
struct Entry {
    /// `None`: an address of it was reported before the link itself.
    link: Option<Link>,
    round: u64,
    /// By their order of arrival, which a dump makes the kernel's own.
    addresses: BTreeMap<u64, (LinkAddress, u64)>,
    /// Their places in `addresses`.
    places: HashMap<AddressKey, u64>,
}

impl Table {
    /// All links, by index.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values().filter_map(|entry| entry.link.as_ref())
    }

    /// The link with this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Link> {
        self.by_index(*self.by_name.get(name)?)
    }

    /// The link with this index.
    #[must_use]
    pub fn by_index(&self, index: IfIndex) -> Option<&Link> {
        self.links.get(&index)?.link.as_ref()
    }

    /// All addresses of a link, in the kernel's order.
    pub fn addresses(&self, index: IfIndex) -> impl Iterator<Item = &LinkAddress> {
        self.links
            .get(&index)
            .into_iter()
            .flat_map(|entry| entry.addresses.values().map(|(address, _)| address))
    }

    /// All addresses of all links.
    pub fn all_addresses(&self) -> impl Iterator<Item = &LinkAddress> {
        self.links
            .values()
            .flat_map(|entry| entry.addresses.values().map(|(address, _)| address))
    }

    /// The link that has `address`, if any.
    #[must_use]
    pub fn holder(&self, address: IpAddr) -> Option<&Link> {
        let held = self.all_addresses().find(|a| a.addr() == address)?;
        self.by_index(held.ifindex)
    }

    /// The address IPv4 adverts are sent from: the first of the interface, primary ones before
    /// secondary ones, that `ignore` does not name.
    ///
    /// `ignore` must say yes to every configured virtual address: one that a crash left behind
    /// must never become a source.
    #[must_use]
    pub fn primary_ipv4(
        &self,
        index: IfIndex,
        ignore: impl Fn(IpAddr) -> bool,
    ) -> Option<Ipv4Addr> {
        let mut best: Option<(bool, Ipv4Addr)> = None;
        for address in self.addresses(index) {
            let IpAddr::V4(v4) = address.addr() else {
                continue;
            };
            let secondary = address.flags & libc::IFA_F_SECONDARY != 0;
            if !ignore(v4.into()) && best.is_none_or(|(worse, _)| worse && !secondary) {
                best = Some((secondary, v4));
            }
        }
        best.map(|(_, v4)| v4)
    }

    /// The address IPv6 adverts are sent from: the first link-local one of the interface that can
    /// be sent from and that `ignore` does not name.
    #[must_use]
    pub fn link_local(&self, index: IfIndex, ignore: impl Fn(IpAddr) -> bool) -> Option<Ipv6Addr> {
        self.addresses(index)
            .filter(|a| a.is_ready())
            .find_map(|a| match a.addr() {
                IpAddr::V6(v6) if v6.is_unicast_link_local() && !ignore(v6.into()) => Some(v6),
                _ => None,
            })
    }

    /// [`primary_ipv4`](Self::primary_ipv4) or [`link_local`](Self::link_local).
    #[must_use]
    pub fn source(
        &self,
        index: IfIndex,
        family: Family,
        ignore: impl Fn(IpAddr) -> bool,
    ) -> Option<IpAddr> {
        match family {
            Family::V4 => self.primary_ipv4(index, ignore).map(IpAddr::V4),
            Family::V6 => self.link_local(index, ignore).map(IpAddr::V6),
        }
    }

    /// Starts a round of dumps: what is not reported again until [`sweep`](Self::sweep) is gone.
    pub(super) fn begin_round(&mut self) {
        self.round += 1;
    }

    /// Ends a round of dumps: removes what it did not find.
    pub(super) fn sweep(&mut self, changes: &mut Vec<Change>) {
        let round = self.round;
        for entry in self.links.values_mut() {
            let places = &mut entry.places;
            entry.addresses.retain(|_, (address, seen)| {
                let stays = *seen == round;
                if !stays {
                    places.remove(&address.key());
                    changes.push(Change::AddressRemoved(address.clone()));
                }
                stays
            });
        }
        let gone: Vec<_> = self
            .links
            .iter()
            .filter(|(_, e)| e.round != round)
            .map(|(&i, _)| i)
            .collect();
        for index in gone {
            self.remove_link(index, changes);
        }
    }

    pub(super) fn add_link(&mut self, new: Link, changes: &mut Vec<Change>) {
        let round = self.round;
        let entry = entry(&mut self.links, new.index, round);
        entry.round = round;
        match &entry.link {
            Some(old) if *old == new => return,
            Some(old) => {
                if old.name != new.name && self.by_name.get(&old.name) == Some(&new.index) {
                    self.by_name.remove(&old.name);
                }
                changes.push(Change::LinkChanged {
                    old: old.clone(),
                    new: new.clone(),
                });
            }
            None => changes.push(Change::LinkAdded(new.clone())),
        }
        self.by_name.insert(new.name.clone(), new.index);
        entry.link = Some(new);
    }

    pub(super) fn remove_link(&mut self, index: IfIndex, changes: &mut Vec<Change>) {
        let Some(entry) = self.links.remove(&index) else {
            return;
        };
        changes.extend(
            entry
                .addresses
                .into_values()
                .map(|(a, _)| Change::AddressRemoved(a)),
        );
        if let Some(link) = entry.link {
            // A new link may have taken the name before this one was reported gone.
            if self.by_name.get(&link.name) == Some(&index) {
                self.by_name.remove(&link.name);
            }
            changes.push(Change::LinkRemoved(link));
        }
    }

    pub(super) fn add_address(&mut self, new: LinkAddress, changes: &mut Vec<Change>) {
        let round = self.round;
        let entry = entry(&mut self.links, new.ifindex, round);
        let place = entry.places.get(&new.key()).copied();
        match place.and_then(|place| entry.addresses.get_mut(&place)) {
            None => {
                changes.push(Change::AddressAdded(new.clone()));
                entry.places.insert(new.key(), self.next_place);
                entry.addresses.insert(self.next_place, (new, round));
                self.next_place += 1;
            }
            Some((old, seen)) => {
                *seen = round;
                // A lifetime that ticks down is no change.
                let ticked = LinkAddress {
                    preferred_lft: old.preferred_lft,
                    ..new.clone()
                };
                let expired = (old.preferred_lft == 0) != (new.preferred_lft == 0);
                if *old != ticked || expired {
                    changes.push(Change::AddressChanged {
                        old: old.clone(),
                        new: new.clone(),
                    });
                }
                *old = new;
            }
        }
    }

    pub(super) fn remove_address(&mut self, gone: &LinkAddress, changes: &mut Vec<Change>) {
        let Some(entry) = self.links.get_mut(&gone.ifindex) else {
            return;
        };
        let place = entry.places.remove(&gone.key());
        if let Some((address, _)) = place.and_then(|place| entry.addresses.remove(&place)) {
            changes.push(Change::AddressRemoved(address));
        }
    }
}

fn entry(links: &mut BTreeMap<IfIndex, Entry>, index: IfIndex, round: u64) -> &mut Entry {
    links.entry(index).or_insert_with(|| Entry {
        link: None,
        round,
        addresses: BTreeMap::new(),
        places: HashMap::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(n: u32) -> IfIndex {
        IfIndex::new(n).unwrap()
    }

    /// A table with eth0 (2) that has 192.0.2.1/24, and the secondary 192.0.2.2/24.
    fn table() -> Table {
        let mut table = Table::default();
        let mut changes = Vec::new();
        table.add_link(Link::sample("eth0", 2), &mut changes);
        table.add_address(LinkAddress::sample(2, "192.0.2.1/24"), &mut changes);
        let mut second = LinkAddress::sample(2, "192.0.2.2/24");
        second.flags |= libc::IFA_F_SECONDARY;
        table.add_address(second, &mut changes);
        assert_eq!(changes.len(), 3);
        table
    }

    fn none(_: IpAddr) -> bool {
        false
    }

    #[test]
    fn a_virtual_address_is_never_the_source() {
        let table = table();
        let v4 = |ignore: &dyn Fn(IpAddr) -> bool| table.primary_ipv4(index(2), ignore);
        assert_eq!(v4(&none), Some(Ipv4Addr::new(192, 0, 2, 1)));
        let vip: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(v4(&|a| a == vip), Some(Ipv4Addr::new(192, 0, 2, 2)));
        assert_eq!(v4(&|_| true), None);
        assert_eq!(table.primary_ipv4(index(9), none), None);
    }

    #[test]
    fn a_primary_address_goes_before_an_earlier_secondary() {
        let mut table = table();
        let first = LinkAddress::sample(2, "192.0.2.1/24");
        table.remove_address(&first, &mut Vec::new());
        table.add_address(LinkAddress::sample(2, "10.0.0.1/8"), &mut Vec::new());
        assert_eq!(
            table.primary_ipv4(index(2), none),
            Some(Ipv4Addr::new(10, 0, 0, 1))
        );
    }

    #[test]
    fn a_tentative_link_local_is_no_source_yet() {
        let mut table = table();
        let mut changes = Vec::new();
        let mut ll = LinkAddress::sample(2, "fe80::1/64");
        ll.flags = libc::IFA_F_TENTATIVE;
        table.add_address(ll.clone(), &mut changes);
        table.add_address(LinkAddress::sample(2, "2001:db8::1/64"), &mut changes);
        assert_eq!(table.source(index(2), Family::V6, none), None);
        let tentative = ll.clone();
        ll.flags = libc::IFA_F_PERMANENT;
        changes.clear();
        table.add_address(ll.clone(), &mut changes);
        assert_eq!(
            changes,
            [Change::AddressChanged {
                old: tentative,
                new: ll
            }]
        );
        let want: IpAddr = "fe80::1".parse().unwrap();
        assert_eq!(table.source(index(2), Family::V6, none), Some(want));
        assert_eq!(table.holder(want).map(|l| l.name.as_str()), Some("eth0"));
    }

    #[test]
    fn what_is_said_twice_is_said_once() {
        let mut table = table();
        let mut changes = Vec::new();
        table.add_link(Link::sample("eth0", 2), &mut changes);
        let mut again = LinkAddress::sample(2, "192.0.2.1/24");
        again.preferred_lft = 55;
        table.add_address(again, &mut changes);
        assert_eq!(changes, []);
    }

    #[test]
    fn a_round_of_dumps_removes_what_it_did_not_find() {
        let mut table = table();
        let mut changes = Vec::new();
        table.add_link(Link::sample("eth1", 3), &mut changes);
        changes.clear();
        table.begin_round();
        table.add_link(Link::sample("eth0", 2), &mut changes);
        table.add_address(LinkAddress::sample(2, "192.0.2.1/24"), &mut changes);
        table.add_address(LinkAddress::sample(2, "192.0.2.3/24"), &mut changes);
        table.sweep(&mut changes);
        let names: Vec<_> = changes
            .iter()
            .map(|c| match c {
                Change::AddressAdded(a) => format!("+{}", a.prefix),
                Change::AddressRemoved(a) => format!("-{}", a.prefix),
                Change::LinkRemoved(l) => format!("-{}", l.name),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(names, ["+192.0.2.3/24", "-192.0.2.2/24", "-eth1"]);
        assert!(table.by_name("eth1").is_none());
        // What stayed can still be found and removed.
        changes.clear();
        table.remove_address(&LinkAddress::sample(2, "192.0.2.1/24"), &mut changes);
        assert_eq!(changes.len(), 1);
    }

    #[test]
    fn a_renamed_link_and_one_that_takes_its_name_are_kept_apart() {
        let mut table = table();
        let mut changes = Vec::new();
        table.add_link(Link::sample("lan0", 2), &mut changes);
        assert!(table.by_name("eth0").is_none());
        table.add_link(Link::sample("eth0", 7), &mut changes);
        table.add_link(Link::sample("lan0", 8), &mut changes);
        table.remove_link(index(2), &mut changes);
        assert_eq!(table.by_name("lan0").unwrap().index, index(8));
        assert_eq!(table.by_name("eth0").unwrap().index, index(7));
        assert_eq!(table.links().count(), 2);
    }
}

//! What the sets hold: from addresses to the keys that the kernel compares with packets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use rk_base::IfIndex;

use super::Family;

/// Room for the name of an interface, as the kernel compares it.
const IFNAMSIZ: usize = 16;

/// What packets must not reach or leave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dropped {
    /// An address, by whichever interface.
    Everywhere(IpAddr),
    /// An IPv6 link-local address on one interface, as the same address on another is another's.
    On(Ipv6Addr, IfIndex),
    /// The same by the interface's name, for one that may be deleted and made again (keepalived
    /// does so with `dont_track_primary`, unless `nftables_ifindex` is set).
    OnNamed(Ipv6Addr, String),
}

impl Dropped {
    /// Virtual address `address` on interface `on`.
    #[must_use]
    pub fn new(address: IpAddr, on: IfIndex) -> Self {
        match address {
            IpAddr::V6(v6) if v6.is_unicast_link_local() => Self::On(v6, on),
            _ => Self::Everywhere(address),
        }
    }
}

/// One of our sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SetName {
    /// `ip`: `vips`
    Ipv4,
    /// `ip6`: `vips`
    Ipv6,
    /// `ip6`: `vips_link_local`
    LinkLocal,
    /// `ip6`: `vips_link_local_name`
    LinkLocalNamed,
}

impl SetName {
    pub(super) const fn family(self) -> Family {
        match self {
            Self::Ipv4 => Family::Ipv4,
            _ => Family::Ipv6,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ipv4 | Self::Ipv6 => "vips",
            Self::LinkLocal => "vips_link_local",
            Self::LinkLocalNamed => "vips_link_local_name",
        }
    }

    /// The set each table has.
    pub(super) const fn main_of(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self::Ipv4,
            Family::Ipv6 => Self::Ipv6,
        }
    }
}

/// The keys in each set that exists. A table exists if its main set does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content(BTreeMap<SetName, BTreeSet<Vec<u8>>>);

impl Content {
    /// What there must be for `dropped`, with the sets of `existing` although they become empty:
    /// sets and tables stay until the end, as keepalived's do.
    pub(super) fn wanted(dropped: &BTreeSet<Dropped>, existing: &Self) -> Self {
        let mut content = Self(existing.sets().map(|set| (set, BTreeSet::new())).collect());
        for one in dropped {
            let (set, key) = key(one);
            content.0.entry(SetName::main_of(set.family())).or_default();
            content.0.entry(set).or_default().insert(key);
        }
        content
    }

    pub(super) fn sets(&self) -> impl Iterator<Item = SetName> {
        self.0.keys().copied()
    }

    pub(super) fn has(&self, set: SetName) -> bool {
        self.0.contains_key(&set)
    }

    /// The keys of `set` that `other` does not have there.
    pub(super) fn beyond<'a>(&'a self, other: &'a Self, set: SetName) -> Vec<&'a [u8]> {
        let theirs = other.0.get(&set);
        let ours = self.0.get(&set).into_iter().flatten();
        ours.filter(|key| theirs.is_none_or(|theirs| !theirs.contains(*key)))
            .map(Vec::as_slice)
            .collect()
    }
}

/// The set `one` belongs in, and how it is spelled there: the address in network byte order, then
/// the interface's index in that of the host, or its name padded with zeros.
fn key(one: &Dropped) -> (SetName, Vec<u8>) {
    match one {
        Dropped::Everywhere(IpAddr::V4(a)) => (SetName::Ipv4, a.octets().to_vec()),
        Dropped::Everywhere(IpAddr::V6(a)) => (SetName::Ipv6, a.octets().to_vec()),
        Dropped::On(a, index) => {
            let mut key = a.octets().to_vec();
            key.extend(index.get().to_ne_bytes());
            (SetName::LinkLocal, key)
        }
        Dropped::OnNamed(a, name) => {
            let mut key = a.octets().to_vec();
            key.extend(name.bytes().take(IFNAMSIZ - 1));
            key.resize(16 + IFNAMSIZ, 0);
            (SetName::LinkLocalNamed, key)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(n: u32) -> IfIndex {
        IfIndex::new(n).unwrap()
    }

    fn dropped(addresses: &[&str]) -> BTreeSet<Dropped> {
        let one = |a: &&str| Dropped::new(a.parse().unwrap(), index(3));
        addresses.iter().map(one).collect()
    }

    #[test]
    fn only_ipv6_link_local_is_bound_to_its_interface() {
        let new = |a: &str| Dropped::new(a.parse().unwrap(), index(3));
        let everywhere = |a: &str| Dropped::Everywhere(a.parse().unwrap());
        for a in ["192.0.2.1", "169.254.0.1", "2001:db8::1", "fec0::1"] {
            assert_eq!(new(a), everywhere(a));
        }
        for a in ["fe80::1", "febf::1"] {
            assert_eq!(new(a), Dropped::On(a.parse().unwrap(), index(3)));
        }
    }

    #[test]
    fn keys_are_spelled_as_the_kernel_compares_them() {
        let a: Ipv6Addr = "fe80::1".parse().unwrap();
        let (set, on) = key(&Dropped::On(a, index(7)));
        assert_eq!(set, SetName::LinkLocal);
        assert_eq!(on[..16], a.octets());
        assert_eq!(on[16..], 7u32.to_ne_bytes());
        let (set, named) = key(&Dropped::OnNamed(a, "eth0".into()));
        assert_eq!(set, SetName::LinkLocalNamed);
        assert_eq!(named[16..], *b"eth0\0\0\0\0\0\0\0\0\0\0\0\0");
        // A name the kernel could not have is cut, never longer than the set's keys.
        let (_, long) = key(&Dropped::OnNamed(a, "x".repeat(40)));
        assert_eq!(long.len(), 32);
    }

    #[test]
    fn a_family_appears_with_its_first_address_and_stays() {
        let none = Content::default();
        assert_eq!(Content::wanted(&BTreeSet::new(), &none), none);
        let v4 = Content::wanted(&dropped(&["192.0.2.1"]), &none);
        assert!(v4.sets().eq([SetName::Ipv4]));
        // The main set comes with any of its family.
        let both = Content::wanted(&dropped(&["fe80::1"]), &v4);
        let sets = [SetName::Ipv4, SetName::Ipv6, SetName::LinkLocal];
        assert!(both.sets().eq(sets));
        let empty = Content::wanted(&BTreeSet::new(), &both);
        assert!(empty.sets().eq(sets));
    }

    #[test]
    fn the_difference_is_taken_set_by_set() {
        let none = Content::default();
        let old = Content::wanted(&dropped(&["192.0.2.1", "192.0.2.2"]), &none);
        let new = Content::wanted(&dropped(&["192.0.2.2", "192.0.2.3", "2001:db8::1"]), &old);
        assert_eq!(new.beyond(&old, SetName::Ipv4), [[192, 0, 2, 3]]);
        assert_eq!(old.beyond(&new, SetName::Ipv4), [[192, 0, 2, 1]]);
        assert_eq!(new.beyond(&old, SetName::Ipv6).len(), 1);
        assert!(old.beyond(&new, SetName::Ipv6).is_empty());
        assert!(new.beyond(&new, SetName::Ipv4).is_empty());
    }
}

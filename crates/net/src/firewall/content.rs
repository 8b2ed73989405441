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

/// What we have in the kernel: which sets (a table is there if its main set is), and what they
/// hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) sets: BTreeSet<SetName>,
    pub(super) dropped: BTreeSet<Dropped>,
}

/// What is to be done to a [`Content`]. Sets and tables only ever come: they stay until the end
/// although they become empty, as keepalived's do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) sets: BTreeSet<SetName>,
    pub(super) gone: Vec<Dropped>,
    pub(super) new: Vec<Dropped>,
    /// Whether it leads all the way.
    pub(super) complete: bool,
}

impl Content {
    /// The way to `wanted`, as far as `at_most` addresses that come or go. What comes is first: it
    /// is waited for, addresses follow.
    pub(super) fn difference(&self, wanted: &BTreeSet<Dropped>, at_most: usize) -> Difference {
        let mut new = wanted.difference(&self.dropped);
        let mut gone = self.dropped.difference(wanted);
        let mut difference = Difference {
            new: new.by_ref().take(at_most).cloned().collect(),
            ..Difference::default()
        };
        let rest = at_most - difference.new.len();
        difference.gone = gone.by_ref().take(rest).cloned().collect();
        difference.complete = new.next().is_none() && gone.next().is_none();
        let needed = difference.new.iter().map(|one| key(one).0);
        difference.sets = needed
            .flat_map(|set| [SetName::main_of(set.family()), set])
            .filter(|set| !self.sets.contains(set))
            .collect();
        difference
    }

    /// Takes a difference that was made so into account.
    pub(super) fn apply(&mut self, difference: Difference) {
        self.sets.extend(difference.sets);
        for one in &difference.gone {
            self.dropped.remove(one);
        }
        self.dropped.extend(difference.new);
    }
}

impl Difference {
    pub(super) fn is_empty(&self) -> bool {
        self.new.is_empty() && self.gone.is_empty()
    }
}

/// The keys of each set that has any in `dropped`.
pub(super) fn keys(dropped: &[Dropped]) -> BTreeMap<SetName, Vec<Vec<u8>>> {
    let mut keys: BTreeMap<SetName, Vec<Vec<u8>>> = BTreeMap::new();
    for one in dropped {
        let (set, key) = key(one);
        keys.entry(set).or_default().push(key);
    }
    keys
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
        let mut content = Content::default();
        let nothing = content.difference(&BTreeSet::new(), usize::MAX);
        assert!(nothing.is_empty() && nothing.complete && nothing.sets.is_empty());
        let mut appear = |addresses: &[&str]| {
            let difference = content.difference(&dropped(addresses), usize::MAX);
            let sets: Vec<_> = difference.sets.iter().copied().collect();
            content.apply(difference);
            sets
        };
        assert_eq!(appear(&["192.0.2.1"]), [SetName::Ipv4]);
        // The main set comes with any of its family.
        assert_eq!(appear(&["fe80::1"]), [SetName::Ipv6, SetName::LinkLocal]);
        assert_eq!(appear(&[]), []);
        assert_eq!(appear(&["192.0.2.1", "2001:db8::1"]), []);
        assert_eq!(content.sets.len(), 3);
    }

    #[test]
    fn a_difference_may_be_taken_in_steps() {
        let mut content = Content::default();
        let first = content.difference(&dropped(&["192.0.2.1", "192.0.2.2"]), usize::MAX);
        content.apply(first);
        let wanted = dropped(&["192.0.2.2", "192.0.2.3", "2001:db8::1"]);
        let mut steps = Vec::new();
        loop {
            let step = content.difference(&wanted, 2);
            steps.push((step.new.len(), step.gone.len()));
            let complete = step.complete;
            content.apply(step);
            if complete {
                break;
            }
        }
        assert_eq!(steps, [(2, 0), (0, 1)]);
        assert_eq!(content.dropped, wanted);
        assert!(content.difference(&wanted, 2).is_empty());
    }

    #[test]
    fn each_set_gets_its_own() {
        let all: Vec<_> = dropped(&["192.0.2.1", "192.0.2.2", "fe80::1"])
            .into_iter()
            .collect();
        let keys = keys(&all);
        assert_eq!(keys[&SetName::Ipv4], [[192, 0, 2, 1], [192, 0, 2, 2]]);
        assert_eq!(keys[&SetName::LinkLocal].len(), 1);
        assert_eq!(keys.len(), 2);
    }
}

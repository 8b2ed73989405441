//! The difference between the addresses that are and those that shall be. Pure.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use rk_base::IfIndex;

use super::{Address, Op, PROTOCOL_KEEPALIVED};
use crate::reflector::LinkAddress;

/// What has to be done so that of the addresses in `current` and `desired` exactly the desired
/// ones exist.
///
/// `current` are the addresses that are ours (never all of the machine's). Deletions come first,
/// so that an address can move to another interface; additions keep the desired order. An address
/// whose label, broadcast, scope, flags or lifetime differ is deleted and added again: the kernel
/// cannot change them in place.
///
/// With the first IPv4 address of a network the kernel deletes all others of that network on the
/// interface (unless `promote_secondaries` is set there): those that shall stay are added again,
/// which is nothing if they did stay.
#[must_use]
pub fn diff(current: &[Address], desired: &[Address]) -> Vec<Op> {
    let wanted: HashMap<_, _> = desired.iter().map(|a| (a.key(), a)).collect();
    let held: HashMap<_, _> = current.iter().map(|a| (a.key(), a)).collect();
    let gone: Vec<_> = current
        .iter()
        .filter(|c| wanted.get(&c.key()).is_none_or(|w| w != c))
        .collect();
    let shaken: HashSet<_> = gone.iter().filter_map(|a| network(a)).collect();
    let is_shaken = |a: &Address| network(a).is_some_and(|n| shaken.contains(&n));
    let mut named = HashSet::new();
    let new = desired
        .iter()
        .filter(|d| named.insert(d.key()))
        .map(|d| wanted[&d.key()])
        .filter(|d| held.get(&d.key()).is_none_or(|h| h != d) || is_shaken(d));
    let new: Vec<_> = new.cloned().map(Op::Add).collect();
    gone.into_iter()
        .cloned()
        .map(Op::Delete)
        .chain(new)
        .collect()
}

/// The IPv4 network an address shares with others on its interface.
fn network(address: &Address) -> Option<(IfIndex, u32, u8)> {
    let len = address.prefix.len();
    match address.peer.unwrap_or(address.prefix.addr()) {
        IpAddr::V4(a) if len < 32 => {
            let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
            Some((address.ifindex, u32::from(a) & mask, len))
        }
        _ => None,
    }
}

/// Why an address looks like one that an earlier run left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftoverReason {
    /// It is one of the configured virtual addresses.
    Configured,
    /// It is not, but bears keepalived's protocol number: from an older configuration, or of
    /// another keepalived that runs in the same namespace.
    Protocol,
}

/// An address that an earlier run may have left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The address, as it can be deleted.
    pub address: Address,
    /// Why it is taken for one.
    pub reason: LeftoverReason,
}

/// Which of the machine's addresses an earlier run may have left behind.
///
/// Kernels before 5.18 do not keep the protocol number, and keepalived 2.2 does not set it: a
/// configured address counts in any case. The prefix length need not agree.
pub fn leftovers<'a>(
    present: impl Iterator<Item = &'a LinkAddress>,
    configured: &[Address],
) -> Vec<Leftover> {
    let ours: HashSet<_> = configured
        .iter()
        .map(|a| (a.ifindex, a.prefix.addr()))
        .collect();
    present
        .filter_map(|address| {
            let reason = if ours.contains(&(address.ifindex, address.addr())) {
                LeftoverReason::Configured
            } else if address.protocol == Some(PROTOCOL_KEEPALIVED) {
                LeftoverReason::Protocol
            } else {
                return None;
            };
            Some(Leftover {
                address: Address::of_kernel(address),
                reason,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(ifindex: u32, prefix: &str) -> Address {
        Address::new(IfIndex::new(ifindex).unwrap(), prefix.parse().unwrap())
    }

    fn shown(ops: &[Op]) -> Vec<String> {
        ops.iter()
            .map(|op| match op {
                Op::Add(a) => format!("+{}@{}", a.prefix, a.ifindex),
                Op::Delete(a) => format!("-{}@{}", a.prefix, a.ifindex),
            })
            .collect()
    }

    #[test]
    fn nothing_to_do_is_nothing() {
        let both = [on(2, "192.0.2.1/24"), on(2, "2001:db8::1/64")];
        assert_eq!(diff(&both, &both), []);
        assert_eq!(diff(&[], &[]), []);
    }

    #[test]
    fn deletions_come_first_and_additions_in_the_configured_order() {
        let current = [on(2, "192.0.2.1"), on(2, "192.0.2.2")];
        let desired = [on(3, "192.0.2.9"), on(2, "192.0.2.2"), on(3, "192.0.2.1")];
        assert_eq!(
            shown(&diff(&current, &desired)),
            ["-192.0.2.1@2", "+192.0.2.9@3", "+192.0.2.1@3"]
        );
    }

    #[test]
    fn what_the_kernel_deletes_with_another_is_added_again() {
        let [first, second, other, elsewhere] = [
            on(2, "192.0.2.1/24"),
            on(2, "192.0.2.2/24"),
            on(2, "198.51.100.1/24"),
            on(3, "192.0.2.3/24"),
        ];
        let current = [first, second.clone(), other.clone(), elsewhere.clone()];
        let desired = [second, other, elsewhere];
        assert_eq!(
            shown(&diff(&current, &desired)),
            ["-192.0.2.1/24@2", "+192.0.2.2/24@2"]
        );
    }

    #[test]
    fn a_changed_label_replaces_the_address() {
        let current = [on(2, "192.0.2.1/24")];
        let mut new = on(2, "192.0.2.1/24");
        new.label = Some("eth0:1".into());
        assert_eq!(
            shown(&diff(&current, &[new])),
            ["-192.0.2.1/24@2", "+192.0.2.1/24@2"]
        );
    }

    #[test]
    fn an_address_named_twice_is_added_once() {
        let twice = [on(2, "192.0.2.1/24"), on(2, "192.0.2.1/24")];
        assert_eq!(shown(&diff(&[], &twice)), ["+192.0.2.1/24@2"]);
    }

    #[test]
    fn leftovers_are_the_configured_and_the_marked_ones() {
        let mut marked = LinkAddress::sample(2, "198.51.100.1/32");
        marked.protocol = Some(18);
        let mut dhcp = LinkAddress::sample(2, "203.0.113.1/24");
        dhcp.protocol = Some(16);
        let present = [
            LinkAddress::sample(2, "192.0.2.1/24"),
            LinkAddress::sample(3, "192.0.2.1/24"),
            marked,
            dhcp,
        ];
        let found = leftovers(present.iter(), &[on(2, "192.0.2.1/32")]);
        let found: Vec<_> = found
            .iter()
            .map(|l| (l.address.prefix.to_string(), l.reason))
            .collect();
        assert_eq!(
            found,
            [
                ("192.0.2.1/24".to_owned(), LeftoverReason::Configured),
                ("198.51.100.1".to_owned(), LeftoverReason::Protocol)
            ]
        );
    }
}

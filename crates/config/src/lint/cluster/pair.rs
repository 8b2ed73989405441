//! Which instance of one node is which of another.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use crate::model::Instance;

use super::{Node, Pairs, Router};

/// Finds for every instance of `a` the one of `b` that is meant to be the same router.
pub(super) fn pair<'a>(a: Node<'a>, b: Node<'a>) -> Pairs<'a> {
    let (on_a, on_b) = (&a.config.instances, &b.config.instances);
    let mut found: Vec<Option<usize>> = vec![None; on_a.len()];
    let mut taken = vec![false; on_b.len()];
    by(on_a, on_b, &mut found, &mut taken, |i| vec![i.name.clone()]);
    // Two instances may have one id on two interfaces: those that share an address come first.
    by(on_a, on_b, &mut found, &mut taken, |i| {
        let id = (i.virtual_router_id, i.family);
        addresses(i).map(|ip| (id, ip)).collect()
    });
    by(on_a, on_b, &mut found, &mut taken, |i| {
        vec![(i.virtual_router_id, i.family)]
    });
    by(on_a, on_b, &mut found, &mut taken, |i| {
        addresses(i).collect()
    });
    let mut pairs = Pairs {
        a,
        b,
        routers: Vec::new(),
        only_a: Vec::new(),
        only_b: Vec::new(),
    };
    for (on_a, n) in on_a.iter().zip(found) {
        match n {
            Some(n) => pairs.routers.push(Router {
                a,
                b,
                on_a,
                on_b: &on_b[n],
            }),
            None => pairs.only_a.push(on_a),
        }
    }
    let left = on_b.iter().zip(taken);
    pairs.only_b = left.filter(|(_, t)| !t).map(|(i, _)| i).collect();
    pairs
}

fn addresses(i: &Instance) -> impl Iterator<Item = IpAddr> {
    i.virtual_ipaddress.iter().map(|a| a.prefix.addr())
}

/// Pairs instances that nobody paired yet and that have one of their keys in common.
fn by<K: Hash + Eq>(
    on_a: &[Instance],
    on_b: &[Instance],
    found: &mut [Option<usize>],
    taken: &mut [bool],
    keys: impl Fn(&Instance) -> Vec<K>,
) {
    let mut index: HashMap<K, usize> = HashMap::new();
    for (n, i) in on_b.iter().enumerate().filter(|(n, _)| !taken[*n]) {
        for key in keys(i) {
            index.entry(key).or_insert(n);
        }
    }
    for (i, slot) in on_a.iter().zip(found).filter(|(_, f)| f.is_none()) {
        let mut candidates = keys(i).into_iter().filter_map(|k| index.get(&k).copied());
        if let Some(n) = candidates.find(|n| !taken[*n]) {
            taken[n] = true;
            *slot = Some(n);
        }
    }
}

//! Small sets: a block has a handful of keywords, a service a handful of servers, and there are
//! tens of thousands of blocks. Hashing costs more there than comparing.

use std::collections::HashMap;
use std::net::IpAddr;

/// The keywords a block had so far.
#[derive(Debug, Default)]
pub(super) struct Seen(Vec<&'static str>);

impl Seen {
    /// Remembers a keyword; `false` if it was there before.
    pub(super) fn insert(&mut self, keyword: &'static str) -> bool {
        let new = !self.0.contains(&keyword);
        if new {
            self.0.push(keyword);
        }
        new
    }
}

/// Addresses with ports, each with the number of its coming.
#[derive(Debug, Default)]
pub(super) struct Places {
    order: Vec<(IpAddr, u16)>,
    /// Where each stands, once there are many.
    index: HashMap<(IpAddr, u16), usize>,
}

/// How many are looked through one by one.
const FEW: usize = 16;

impl Places {
    /// Remembers a place; the number of the first one if it was there before.
    pub(super) fn insert(&mut self, place: (IpAddr, u16)) -> Result<(), usize> {
        let number = self.order.len();
        if number < FEW {
            if let Some(first) = self.order.iter().position(|p| *p == place) {
                return Err(first);
            }
        } else {
            if number == FEW {
                self.index = self.order.iter().copied().zip(0..).collect();
            }
            if let Some(first) = self.index.get(&place) {
                return Err(*first);
            }
            self.index.insert(place, number);
        }
        self.order.push(place);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_new_once() {
        let mut seen = Seen::default();
        assert!(seen.insert("weight") && seen.insert("alpha"));
        assert!(!seen.insert("weight"));
    }

    #[test]
    fn places_are_found_whether_few_or_many() {
        let mut places = Places::default();
        let place = |n: u16| (IpAddr::from([192, 0, 2, 1]), n);
        for n in 0..100 {
            assert_eq!(places.insert(place(n)), Ok(()), "{n}");
            for before in 0..=n {
                assert_eq!(places.insert(place(before)), Err(usize::from(before)));
            }
        }
    }
}

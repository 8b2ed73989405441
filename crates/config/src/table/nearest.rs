//! The word that is meant by a misspelt one.

/// The candidate nearest to `word`, unless all are far off.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A single letter is near any other, and short words are near many.
    let far = match word.len() {
        0 | 1 => 0,
        2..=4 => 1,
        len => len.div_ceil(3).min(4),
    };
    let letters = Letters::of(word);
    let mut lower = None;
    candidates
        // Most candidates are out after a look at their letters; the distance takes far longer.
        .filter(|c| c.len().abs_diff(word.len()) <= far && letters.may_become(Letters::of(c), far))
        .map(|c| {
            let lower = lower.get_or_insert_with(|| word.to_ascii_lowercase());
            (strsim::osa_distance(lower, &c.to_ascii_lowercase()), c)
        })
        .filter(|(distance, _)| *distance <= far)
        .min()
        .map(|(_, c)| c)
}

/// Which ASCII characters a word has, whatever their case, as far as 64 bits tell them apart.
#[derive(Clone, Copy)]
struct Letters(u64);

impl Letters {
    fn of(word: &str) -> Self {
        let ascii = word.bytes().filter(u8::is_ascii);
        let bits = ascii.map(|b| 1 << (b.to_ascii_lowercase() & 63));
        Self(bits.fold(0, |all, bit: u64| all | bit))
    }

    /// Whether `edits` can make `other` of this word: each brings in one letter at most, and
    /// takes one away.
    fn may_become(self, other: Self, edits: usize) -> bool {
        let beyond = |a: Self, b: Self| (a.0 & !b.0).count_ones() as usize > edits;
        !beyond(self, other) && !beyond(other, self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Context;
    use super::*;

    #[test]
    fn hints_are_near() {
        assert_eq!(
            Context::VrrpInstance.nearest("virtual_routr_id"),
            Some("virtual_router_id")
        );
        assert_eq!(Context::VrrpInstance.nearest("Priority"), Some("priority"));
        assert_eq!(Context::VrrpInstance.nearest("zzzzzz"), None);
    }

    #[test]
    fn letters_rule_out_only_what_is_far() {
        let names: Vec<&str> = Context::VrrpInstance.keywords().map(|k| k.name).collect();
        for a in &names {
            for b in &names {
                let distance = strsim::osa_distance(a, b);
                let possible = Letters::of(a).may_become(Letters::of(b), distance);
                assert!(possible, "{a} and {b} are {distance} apart");
            }
        }
    }
}

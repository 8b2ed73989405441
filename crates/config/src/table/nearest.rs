//! The word that is meant by a misspelt one.

/// The candidate nearest to `word`, unless all are far off.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    nearest_within(word, furthest(word), candidates)
}

/// How many edits away from `word` something may be meant by it at most.
pub(crate) fn furthest(word: &str) -> usize {
    // A single letter is near any other, and short words are near many.
    match word.len() {
        0 | 1 => 0,
        2..=4 => 1,
        len => len.div_ceil(3).min(4),
    }
}

/// How many bytes must be put in, taken out, changed, or swapped with the next one to make `other`
/// of `word`, whatever their case: the optimal string alignment.
pub(crate) fn edits(word: &str, other: &str) -> usize {
    Pattern::of(word).edits(other)
}

/// The candidate nearest to `word`, if it takes `far` edits at most to make one of the other.
pub(crate) fn nearest_within<'a>(
    word: &str,
    far: usize,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let letters = Letters::of(word);
    let pattern = Pattern::of(word);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let most = best.map_or(far, |(distance, _)| distance);
        // Most candidates are out after a look at their letters.
        if candidate.len().abs_diff(word.len()) > most
            || !letters.may_become(Letters::of(candidate), most)
        {
            continue;
        }
        let distance = pattern.edits(candidate);
        if distance <= most && best.is_none_or(|best| (distance, candidate) < best) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A word that many others are compared with, whatever the case of their letters.
struct Pattern {
    /// For each byte where it stands in the word: bit `n` is the byte `n`.
    places: [u64; 256],
    /// The bit of the last byte.
    last: u64,
    len: usize,
    /// The word itself if it has more bytes than there are bits.
    long: Option<String>,
}

impl Pattern {
    fn of(word: &str) -> Self {
        let len = word.len();
        let mut places = [0; 256];
        if len > 64 {
            let long = Some(word.to_ascii_lowercase());
            return Self {
                places,
                last: 0,
                len,
                long,
            };
        }
        for (n, byte) in word.bytes().enumerate() {
            places[usize::from(byte.to_ascii_lowercase())] |= 1 << n;
        }
        let last = len.checked_sub(1).map_or(0, |n| 1 << n);
        Self {
            places,
            last,
            len,
            long: None,
        }
    }

    /// [`edits`] between the word and another.
    ///
    /// A column of the table of distances is held as the differences between its neighbours, a
    /// bit for each, so that a byte of `other` takes a dozen operations (H. Hyyrö, "A bit-vector
    /// algorithm for computing Levenshtein and Damerau edit distances", 2003).
    fn edits(&self, other: &str) -> usize {
        if let Some(long) = &self.long {
            return strsim::osa_distance(long, &other.to_ascii_lowercase());
        }
        if self.len == 0 {
            return other.len();
        }
        // Where the next cell down is one more, or one less.
        let (mut more, mut less) = (u64::MAX, 0_u64);
        let (mut diagonal, mut before) = (0_u64, 0_u64);
        let mut distance = self.len;
        for byte in other.bytes() {
            let same = self.places[usize::from(byte.to_ascii_lowercase())];
            let swapped = ((!diagonal & same) << 1) & before;
            diagonal = ((same & more).wrapping_add(more) ^ more) | same | less | swapped;
            // The same of the next cell to the right.
            let right_more = less | !(diagonal | more);
            let right_less = diagonal & more;
            distance += usize::from(right_more & self.last != 0);
            distance -= usize::from(right_less & self.last != 0);
            let right_more = right_more << 1 | 1;
            more = right_less << 1 | !(diagonal | right_more);
            less = right_more & diagonal;
            before = same;
        }
        distance
    }
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

    const SIXTY_FOUR: &str = "abcdefgh_abcdefg_ijklmno_ijklmno_abcdefgh_abcdefg_ijklmno_ijklmn";
    const LONGER: &str = "abcdefgh_abcdefg_ijklmno_ijklmno_bacdefgh_abcdefg_ijklmno_ijklmno";

    #[test]
    fn distances_are_those_of_the_alignment() {
        let names: Vec<&str> = Context::ALL
            .iter()
            .flat_map(|c| c.keywords())
            .map(|k| k.name)
            .take(150)
            .chain([
                "",
                "x",
                "prioirty",
                "virtual_routr_id",
                "ca",
                "abc",
                "acb",
                "cab",
                "bca",
            ])
            .chain([SIXTY_FOUR, &SIXTY_FOUR[..63], &SIXTY_FOUR[1..], LONGER])
            .collect();
        for a in &names {
            for b in &names {
                let lower = [a, b].map(|word| word.to_ascii_lowercase());
                let real = strsim::osa_distance(&lower[0], &lower[1]);
                assert_eq!(edits(a, b), real, "{a} {b}");
            }
        }
    }
}

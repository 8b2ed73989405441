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
    let lower = word.to_ascii_lowercase();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let most = best.map_or(far, |(distance, _)| distance);
        // Most candidates are out after a look at their letters; the distance takes far longer.
        if candidate.len().abs_diff(word.len()) > most
            || !letters.may_become(Letters::of(candidate), most)
        {
            continue;
        }
        if let Some(distance) = distance(&lower, &candidate.to_ascii_lowercase(), most)
            && best.is_none_or(|best| (distance, candidate) < best)
        {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out, changed, or swapped with the next one to make `b`
/// of `a`, if that is at most `most`: the optimal string alignment, as far as it matters.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let beyond = most + 1;
    // The rows of the table for the last two letters of `a` and this one. Cells that are further
    // off the diagonal than `most` cannot matter.
    let mut before: Vec<usize> = vec![beyond; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).map(|n| n.min(beyond)).collect();
    let mut row = before.clone();
    for i in 1..=a.len() {
        let (from, to) = (i.saturating_sub(most), (i + most).min(b.len()));
        row.fill(beyond);
        if from == 0 {
            row[0] = i.min(beyond);
        }
        for j in from.max(1)..=to {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row[j] = least.min(beyond);
        }
        let alive = |row: &[usize]| row.iter().any(|n| *n <= most);
        if !alive(&row) && !alive(&last) {
            return None;
        }
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last.last().copied().filter(|distance| *distance <= most)
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

    #[test]
    fn distances_are_those_of_the_alignment() {
        let names: Vec<&str> = Context::ALL
            .iter()
            .flat_map(|c| c.keywords())
            .map(|k| k.name)
            .take(150)
            .chain(["", "x", "prioirty", "virtual_routr_id", "ca", "abc"])
            .collect();
        for a in &names {
            for b in &names {
                let real = strsim::osa_distance(a, b);
                for most in 0..=4 {
                    let want = (real <= most).then_some(real);
                    assert_eq!(distance(a, b, most), want, "{a} {b} {most}");
                }
            }
        }
    }
}

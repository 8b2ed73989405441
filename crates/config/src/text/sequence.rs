//! `~SEQ` and `~LST`: lines that are repeated with other values.

use super::line::Line;
use super::{ROUNDS_MAX, is_blank, trim};

/// A parsed `~SEQ(...)` or `~LST(...)`.
#[derive(Debug)]
pub(crate) struct Sequence {
    /// The variables.
    pub(crate) names: Vec<Vec<u8>>,
    /// Where the values come from.
    pub(crate) values: Values,
}

/// The values of each round.
#[derive(Debug)]
pub(crate) enum Values {
    /// `~SEQ`: the next number, the step, the rounds left, and whether in hexadecimal.
    Numbers {
        next: i64,
        step: i64,
        left: u64,
        hex: bool,
    },
    /// `~LST`: the rounds that are left, the last one first.
    Lists(Vec<Vec<Vec<u8>>>),
}

impl Values {
    /// The values of the next round.
    pub(crate) fn next_round(&mut self) -> Option<Vec<Vec<u8>>> {
        match self {
            Self::Numbers { left: 0, .. } => None,
            Self::Numbers {
                next,
                step,
                left,
                hex,
            } => {
                let text = if *hex {
                    format!("{next:x}")
                } else {
                    next.to_string()
                };
                *left -= 1;
                *next = next.saturating_add(*step);
                Some(vec![text.into_bytes()])
            }
            Self::Lists(rounds) => rounds.pop(),
        }
    }
}

/// Why a sequence cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It does not look like one.
    Specification,
    /// The step never reaches the end, or a number is none.
    Values,
    /// A `~LST` round has more values than there are variables.
    TooManyValues,
    /// More than [`ROUNDS_MAX`] rounds.
    TooLong,
}

impl Problem {
    /// What to write instead.
    pub(crate) fn advice(&self, is_list: bool) -> String {
        match self {
            Self::Specification if is_list => {
                "write ~LST(NAME, VALUE, VALUE) TEXT, or ~LST({A, B}, {1, 2}, {3, 4}) TEXT".into()
            }
            Self::Specification => "write ~SEQ(NAME, LAST) TEXT, ~SEQ(NAME, FIRST, LAST) TEXT or \
                                    ~SEQ(NAME, FIRST, STEP, LAST) TEXT"
                .into(),
            Self::Values => "the order is NAME, FIRST, STEP, LAST, and the step leads from the \
                             first to the last number"
                .into(),
            Self::TooManyValues => {
                "write as many names as each group has values: ~LST({A, B}, {1, 2})".into()
            }
            Self::TooLong => format!("write several sequences of at most {ROUNDS_MAX} rounds each"),
        }
    }
}

/// Whether a line asks to be repeated.
pub(crate) fn is_sequence(line: &Line) -> bool {
    let text = &line.text[line.first()..];
    text.starts_with(b"~SEQ") || text.starts_with(b"~LST")
}

/// The bytes between the parentheses, and where the text to repeat starts.
pub(crate) fn parts(line: &Line) -> Option<(usize, usize, usize)> {
    let open = line.text.iter().position(|b| *b == b'(')?;
    let close = open + line.text[open..].iter().position(|b| *b == b')')?;
    let mut body = close + 1;
    while line.text.get(body).is_some_and(|b| is_blank(*b)) {
        body += 1;
    }
    Some((open + 1, close, body))
}

/// Reads what stands before the parenthesis (`head`) and inside (`inside`, already expanded).
pub(crate) fn parse(head: &[u8], inside: &[u8]) -> Result<Sequence, Problem> {
    match trim(head) {
        b"~SEQ" => numbers(inside, false),
        b"~SEQx" => numbers(inside, true),
        b"~LST" => lists(inside),
        _ => Err(Problem::Specification),
    }
}

fn numbers(inside: &[u8], hex: bool) -> Result<Sequence, Problem> {
    let fields: Vec<&[u8]> = inside.split(|b| *b == b',').map(trim).collect();
    let Some((name, fields)) = fields.split_first() else {
        return Err(Problem::Specification);
    };
    if !is_name(name) || fields.is_empty() || fields.len() > 3 {
        return Err(Problem::Specification);
    }
    let mut values = Vec::new();
    for field in fields {
        values.push(number(field).ok_or(Problem::Specification)?);
    }
    let (start, step, end) = match *values.as_slice() {
        [start, step, end] => (start, step, end),
        [start, end] => (start, if start <= end { 1 } else { -1 }, end),
        [end] => {
            let start = if end < 0 { -1 } else { 1 };
            (start, start, end)
        }
        _ => return Err(Problem::Specification),
    };
    let far = end.checked_sub(start).ok_or(Problem::Values)?;
    if step == 0 || (far != 0 && (far > 0) != (step > 0)) || (hex && (start < 0 || end < 0)) {
        return Err(Problem::Values);
    }
    let left = (far / step).unsigned_abs() + 1;
    if left > ROUNDS_MAX {
        return Err(Problem::TooLong);
    }
    Ok(Sequence {
        names: vec![name.to_vec()],
        values: Values::Numbers {
            next: start,
            step,
            left,
            hex,
        },
    })
}

/// A decimal, octal or hexadecimal number with an optional sign.
fn number(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hex = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let n = match hex {
        Some(hex) => i64::from_str_radix(hex, 16).ok()?,
        None if digits.len() > 1 && digits.starts_with('0') => {
            i64::from_str_radix(digits, 8).ok()?
        }
        None => digits.parse().ok()?,
    };
    Some(if negative { -n } else { n })
}

fn lists(inside: &[u8]) -> Result<Sequence, Problem> {
    let mut groups = groups(inside).ok_or(Problem::Specification)?.into_iter();
    let names = groups.next().ok_or(Problem::Specification)?;
    if names.is_empty() || !names.iter().all(|n| is_name(n)) {
        return Err(Problem::Specification);
    }
    let mut rounds = Vec::new();
    for mut group in groups {
        if group.len() > names.len() {
            return Err(Problem::TooManyValues);
        }
        group.resize(names.len(), Vec::new());
        rounds.push(group);
    }
    if rounds.is_empty() {
        return Err(Problem::Specification);
    }
    rounds.reverse();
    Ok(Sequence {
        names,
        values: Values::Lists(rounds),
    })
}

/// `a, {b, c}` as `[[a], [b, c]]`.
fn groups(mut text: &[u8]) -> Option<Vec<Vec<Vec<u8>>>> {
    let mut out = Vec::new();
    loop {
        text = trim(text);
        let end = if let Some(inner) = text.strip_prefix(b"{") {
            let close = inner.iter().position(|b| *b == b'}')?;
            out.push(
                inner[..close]
                    .split(|b| *b == b',')
                    .map(|v| trim(v).to_vec())
                    .collect(),
            );
            close + 2
        } else {
            let end = text.iter().position(|b| *b == b',').unwrap_or(text.len());
            out.push(vec![trim(&text[..end]).to_vec()]);
            end
        };
        text = trim(&text[end..]);
        match text.split_first() {
            None => return Some(out),
            Some((b',', rest)) => text = rest,
            Some(_) => return None,
        }
    }
}

fn is_name(text: &[u8]) -> bool {
    text.first()
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
        && text.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(head: &str, inside: &str) -> Result<Vec<String>, Problem> {
        let mut s = parse(head.as_bytes(), inside.as_bytes())?;
        let mut out = Vec::new();
        while let Some(round) = s.values.next_round() {
            let round: Vec<_> = round.iter().map(|v| String::from_utf8_lossy(v)).collect();
            out.push(round.join("/"));
        }
        Ok(out)
    }

    #[test]
    fn number_sequences() {
        for (inside, want) in [
            ("x, 1, 3", "1 2 3"),
            ("x, 10, -5, 0", "10 5 0"),
            ("x, 2", "1 2"),
            ("x, -2", "-1 -2"),
            ("x, 3, 1", "3 2 1"),
            ("x, 1, 2, 4", "1 3"),
            ("x, 0x10, 020", "16"),
            ("x, 5, 5", "5"),
        ] {
            assert_eq!(
                rounds("~SEQ", inside).map(|r| r.join(" ")),
                Ok(want.into()),
                "{inside}"
            );
        }
        assert_eq!(
            rounds("~SEQx ", "x, 9, 11"),
            Ok(vec!["9".into(), "a".into(), "b".into()])
        );
    }

    #[test]
    fn sequences_that_cannot_be() {
        for (inside, want) in [
            ("x, 3, 1, 1", Problem::Values),
            ("x, 1, 0, 3", Problem::Values),
            ("x", Problem::Specification),
            ("", Problem::Specification),
            ("x, a", Problem::Specification),
            ("1, 2", Problem::Specification),
            ("x, 1, 2, 3, 4", Problem::Specification),
            ("x, 9999999999", Problem::TooLong),
            (
                "x, -9223372036854775807, 9223372036854775807",
                Problem::Values,
            ),
        ] {
            assert_eq!(rounds("~SEQ", inside), Err(want), "{inside}");
        }
        assert_eq!(rounds("~SEQx", "x, -1, 3"), Err(Problem::Values));
        assert_eq!(rounds("~SEQy", "x, 3"), Err(Problem::Specification));
    }

    #[test]
    fn lists_of_values() {
        assert_eq!(
            rounds("~LST", "v, aa, bb"),
            Ok(vec!["aa".into(), "bb".into()])
        );
        assert_eq!(
            rounds("~LST", "{v, w}, {a, 1}, {b, 2}"),
            Ok(vec!["a/1".into(), "b/2".into()])
        );
        assert_eq!(
            rounds("~LST", "{v, w}, {a}, {b, 2}"),
            Ok(vec!["a/".into(), "b/2".into()])
        );
        assert_eq!(rounds("~LST", "v, {a, b}"), Err(Problem::TooManyValues));
        assert_eq!(rounds("~LST", "v, {a, b"), Err(Problem::Specification));
    }
}

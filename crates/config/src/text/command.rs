//! Command strings: the richer quoting of `script`, `misc_path`, `notify*` and the like.
//!
//! The raw text of the statement is read twice. First into words: single and double quotes
//! group, a backslash keeps the next character, quotes go and backslashes stay. The second of
//! these words is the command; it is split again, and now escapes are interpreted.

use super::is_blank;

/// The words of a raw statement after the first pass.
pub(crate) fn statement_words(raw: &[u8]) -> Vec<Vec<u8>> {
    split(raw, Pass::First)
}

/// The arguments of a command string.
pub(crate) fn arguments(command: &[u8]) -> Vec<Vec<u8>> {
    split(command, Pass::Second)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    First,
    Second,
}

fn split(text: &[u8], pass: Pass) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut at = 0;
    while let Some(&b) = text.get(at) {
        at += 1;
        match b {
            b'\\' if at < text.len() => {
                let word = word.get_or_insert_default();
                if pass == Pass::First {
                    word.extend([b'\\', text[at]]);
                    at += 1;
                } else {
                    at = escape(text, at, word);
                }
            }
            b'"' | b'\'' if quote.is_none() => {
                quote = Some(b);
                word.get_or_insert_default();
            }
            _ if quote == Some(b) => quote = None,
            _ if quote.is_none() && is_blank(b) => out.extend(word.take()),
            _ => word.get_or_insert_default().push(b),
        }
    }
    out.extend(word);
    out
}

/// Appends what the escape at `at` (behind the backslash) means; gives where to read on.
fn escape(text: &[u8], at: usize, word: &mut Vec<u8>) -> usize {
    let digits = |from: usize, most: usize, radix: u32| -> (u32, usize) {
        let mut n = 0;
        let mut end = from;
        while end < from + most
            && let Some(d) = text.get(end).and_then(|b| char::from(*b).to_digit(radix))
        {
            n = n * radix + d;
            end += 1;
        }
        (n, end)
    };
    let byte = |n: u32| u8::try_from(n & 0xff).unwrap_or(0);
    let b = text[at];
    let simple = match b {
        b'a' => 0x07,
        b'b' => 0x08,
        b'E' => 0x1b,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'x' => {
            let (n, end) = digits(at + 1, 2, 16);
            word.push(if end > at + 1 { byte(n) } else { b'x' });
            return end;
        }
        b'c' if at + 1 < text.len() => {
            word.push(text[at + 1] & 0x1f);
            return at + 2;
        }
        b'0'..=b'7' => {
            let (n, end) = digits(at, 3, 8);
            word.push(byte(n));
            return end;
        }
        other => other,
    };
    word.push(simple);
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(raw: &str) -> Vec<String> {
        let words = statement_words(raw.as_bytes());
        let command = words.get(1).map(Vec::as_slice).unwrap_or_default();
        arguments(command)
            .iter()
            .map(|w| String::from_utf8_lossy(w).into_owned())
            .collect()
    }

    #[test]
    fn commands_as_keepalived_splits_them() {
        for (raw, want) in [
            ("script /usr/bin/true a b", &["/usr/bin/true"][..]),
            (
                r#"script "/usr/bin/true a b""#,
                &["/usr/bin/true", "a", "b"],
            ),
            ("script '/usr/bin/true a'", &["/usr/bin/true", "a"]),
            (
                r#"script "/usr/bin/test 'a b' = \"a b\"""#,
                &["/usr/bin/test", "a b", "=", "\"a", "b\""],
            ),
            (
                r#"notify "/n.sh  a  'b c' \"d e\"" root"#,
                &["/n.sh", "a", "b c", "\"d", "e\""],
            ),
            (r#"script "p\ q \x41""#, &["p q", "A"]),
            (r#"script "/x '' y""#, &["/x", "", "y"]),
            (r#"script "/x \101\t\cA""#, &["/x", "A\t\u{1}"]),
            ("script", &[]),
            (
                r#"script "[[ -f /x ]] && exit 1 || exit 0""#,
                &["[[", "-f", "/x", "]]", "&&", "exit", "1", "||", "exit", "0"],
            ),
        ] {
            assert_eq!(argv(raw), want, "{raw}");
        }
    }

    #[test]
    fn user_and_group_stand_outside() {
        let words = statement_words(br#"notify "/n.sh a" user :group"#);
        assert_eq!(words.len(), 4);
        assert_eq!(words[2..], [b"user".to_vec(), b":group".to_vec()]);
    }
}

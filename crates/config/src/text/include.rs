//! Include lines: spellings, strictness, shell braces.

/// Which mistakes of an include line stop the reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checks {
    /// Each file must be a readable regular file that nobody may execute.
    pub(crate) read: bool,
    /// A name without wildcards must exist.
    pub(crate) matched: bool,
    /// A wildcard must match something.
    pub(crate) wildcard: bool,
    /// Every brace alternative must exist.
    pub(crate) brace: bool,
}

impl Checks {
    /// All of them.
    pub(crate) const ALL: Self = Self {
        read: true,
        matched: true,
        wildcard: true,
        brace: true,
    };

    /// What an include keyword asks for; `None` if the word is none.
    pub(crate) fn of_keyword(word: &[u8]) -> Option<Self> {
        let none = Self::default();
        Some(match word {
            b"include" => none,
            b"includer" => Self { read: true, ..none },
            b"includem" => Self {
                read: true,
                matched: true,
                ..none
            },
            b"includew" => Self {
                read: true,
                matched: true,
                wildcard: true,
                ..none
            },
            b"includeb" => Self {
                read: true,
                brace: true,
                ..none
            },
            b"includea" => Self::ALL,
            _ => return None,
        })
    }

    /// Both together.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            read: self.read || other.read,
            matched: self.matched || other.matched,
            wildcard: self.wildcard || other.wildcard,
            brace: self.brace || other.brace,
        }
    }

    fn field(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "read" => &mut self.read,
            "match" => &mut self.matched,
            "wildcard_match" => &mut self.wildcard,
            "brace_match" => &mut self.brace,
            _ => return None,
        })
    }

    /// Applies the words of `include_check`; gives the numbers of the words that are none.
    ///
    /// Without words all checks are on. A first word without sign replaces the set and switches
    /// on reading too; signed words add and remove.
    pub(crate) fn apply(&mut self, words: &[&str]) -> Vec<usize> {
        if words.is_empty() {
            *self = Self::ALL;
            return Vec::new();
        }
        let mut unknown = Vec::new();
        let mut plain_seen = false;
        for (n, word) in words.iter().enumerate() {
            let (name, on) = match word.split_at_checked(1) {
                Some(("+", name)) => (name, true),
                Some(("-", name)) => (name, false),
                _ => {
                    if plain_seen || Self::default().field(word).is_none() {
                        unknown.push(n);
                        continue;
                    }
                    plain_seen = true;
                    *self = Self {
                        read: true,
                        ..Self::default()
                    };
                    (*word, true)
                }
            };
            match self.field(name) {
                Some(field) => *field = on,
                None => unknown.push(n),
            }
        }
        unknown
    }
}

/// How many patterns one include may expand to.
const ALTERNATIVES_MAX: usize = 4096;

/// Every alternative of the braces in `pattern`, in order. Braces that do not pair stay.
pub(crate) fn braces(pattern: &str) -> Vec<String> {
    let mut out = Vec::new();
    expand_braces(pattern, &mut out);
    out
}

fn expand_braces(pattern: &str, out: &mut Vec<String>) {
    let Some((open, close, commas)) = first_group(pattern) else {
        if out.len() < ALTERNATIVES_MAX {
            out.push(pattern.to_owned());
        }
        return;
    };
    let mut from = open + 1;
    for to in commas.into_iter().chain([close]) {
        if out.len() >= ALTERNATIVES_MAX {
            return;
        }
        let alternative = format!(
            "{}{}{}",
            &pattern[..open],
            &pattern[from..to],
            &pattern[close + 1..]
        );
        expand_braces(&alternative, out);
        from = to + 1;
    }
}

/// The first `{...}` that pairs, with its commas on the outer level.
fn first_group(pattern: &str) -> Option<(usize, usize, Vec<usize>)> {
    let bytes = pattern.as_bytes();
    let open = bytes.iter().position(|b| *b == b'{')?;
    let mut depth = 0_usize;
    let mut commas = Vec::new();
    for (at, byte) in bytes.iter().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b',' if depth == 1 => commas.push(at),
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some((open, at, commas));
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a pattern has wildcards.
pub(crate) fn has_wildcard(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

/// The directory before the first wildcard.
pub(crate) fn fixed_dir(pattern: &str) -> &str {
    let wild = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    match pattern[..wild].rfind('/') {
        Some(0) => "/",
        Some(at) => &pattern[..at],
        None => ".",
    }
}

/// `path` as seen from `dir`; an empty `dir` is the working directory.
pub(crate) fn join(dir: &str, path: &str) -> String {
    if path.starts_with('/') || dir.is_empty() {
        return path.to_owned();
    }
    let path = path.strip_prefix("./").unwrap_or(path);
    format!("{}/{path}", dir.trim_end_matches('/'))
}

/// The directory of a file name, empty if it has none.
pub(crate) fn dir_of(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(at) => &path[..at],
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brace_alternatives_in_order() {
        assert_eq!(braces("./{i1,i9}.inc"), ["./i1.inc", "./i9.inc"]);
        assert_eq!(braces("a{b,c{d,e}}f"), ["abf", "acdf", "acef"]);
        assert_eq!(braces("a{b"), ["a{b"]);
        assert_eq!(braces("plain"), ["plain"]);
        assert_eq!(braces("{a,b}{c,d}"), ["ac", "ad", "bc", "bd"]);
        assert!(braces(&"{a,b}".repeat(64)).len() <= ALTERNATIVES_MAX);
    }

    #[test]
    fn include_check_words() {
        let after = |start: Checks, words: &[&str]| {
            let mut c = start;
            let unknown = c.apply(words);
            (c, unknown)
        };
        let none = Checks::default();
        assert_eq!(after(none, &[]).0, Checks::ALL);
        assert_eq!(
            after(Checks::ALL, &["read"]).0,
            Checks { read: true, ..none }
        );
        assert_eq!(
            after(Checks::ALL, &["-match"]).0,
            Checks {
                matched: false,
                ..Checks::ALL
            }
        );
        assert_eq!(
            after(none, &["+wildcard_match"]).0,
            Checks {
                wildcard: true,
                ..none
            }
        );
        assert_eq!(after(none, &["zzz"]), (none, vec![0]));
    }

    #[test]
    fn paths_are_seen_from_the_including_file() {
        assert_eq!(join("sub", "./b.inc"), "sub/b.inc");
        assert_eq!(join("", "./b.inc"), "./b.inc");
        assert_eq!(join("sub", "/etc/b"), "/etc/b");
        assert_eq!((dir_of("a/b"), dir_of("b"), dir_of("/b")), ("a", "", "/"));
        assert_eq!(
            (fixed_dir("/x/y*/z"), fixed_dir("*.c"), fixed_dir("/*")),
            ("/x", ".", "/")
        );
    }
}

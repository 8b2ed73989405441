//! How many blocks a line opens and closes, definitions included.

use std::collections::HashMap;

use crate::text::words::{TokenKind, tokens};
use crate::text::{define, sequence};

use super::line::bare;

/// What a line does to the blocks around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effect {
    /// How many of the open blocks it closes.
    pub(super) closes: usize,
    /// How many of those it opens are still open behind it.
    pub(super) opens: usize,
}

impl Effect {
    /// Whether as many blocks are open behind it as before.
    pub(super) fn is_even(self) -> bool {
        self.closes == self.opens
    }

    /// One effect after the other.
    pub(super) fn then(self, next: Self) -> Self {
        let closed = next.closes.min(self.opens);
        Self {
            closes: self.closes + next.closes - closed,
            opens: self.opens - closed + next.opens,
        }
    }
}

/// What the definitions of the file do where they are used.
#[derive(Debug, Default)]
pub(super) struct Known {
    definitions: HashMap<Vec<u8>, Effect>,
}

impl Known {
    /// Learns what `name` does.
    pub(super) fn learn(&mut self, name: Vec<u8>, effect: Effect) {
        self.definitions.insert(name, effect);
    }

    /// What `code`, a line without its comment, does. Names of other files count for nothing.
    pub(super) fn effect(&self, code: &[u8]) -> Effect {
        let mut out = Effect::default();
        let mut plain = Vec::with_capacity(code.len());
        let mut at = 0;
        // The braces around a name are none of blocks.
        while let Some((start, end, name)) = define::used(code, at) {
            plain.extend_from_slice(&code[at..start]);
            out = out.then(braces(&plain));
            plain.clear();
            plain.push(b'x');
            if let Some(effect) = self.definitions.get(name) {
                out = out.then(*effect);
            }
            at = end;
        }
        plain.extend_from_slice(&code[at..]);
        out.then(braces(&plain))
    }

    /// What the text that a sequence repeats does each time.
    pub(super) fn effect_of_round(&self, code: &[u8]) -> Effect {
        let mut rest = code.to_vec();
        loop {
            let line = bare(&rest);
            if !sequence::is_sequence(&line) {
                return self.effect(&line.text);
            }
            let Some((_, _, body)) = sequence::parts(&line) else {
                return Effect::default();
            };
            rest = line.text[body.min(line.text.len())..].to_vec();
        }
    }
}

fn braces(text: &[u8]) -> Effect {
    let mut out = Effect::default();
    for token in tokens(text) {
        let (closes, opens) = match token.kind {
            TokenKind::Open => (0, 1),
            TokenKind::Close => (1, 0),
            TokenKind::Word(_) | TokenKind::Quoted(_) | TokenKind::Unterminated => continue,
        };
        out = out.then(Effect { closes, opens });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(closes: usize, opens: usize) -> Effect {
        Effect { closes, opens }
    }

    #[test]
    fn braces_of_names_and_quotes_do_not_count() {
        let known = Known::default();
        for (code, want) in [
            ("a { b ${C} \"}\" {", effect(0, 2)),
            ("} a {", effect(1, 1)),
            ("a { b }", effect(0, 0)),
            ("}}", effect(2, 0)),
            ("a \"{ b", effect(0, 0)),
        ] {
            assert_eq!(known.effect(code.as_bytes()), want, "{code}");
        }
    }

    #[test]
    fn definitions_count_where_they_are_used() {
        let mut known = Known::default();
        known.learn(b"OPEN".to_vec(), effect(0, 1));
        assert_eq!(known.effect(b"$OPEN"), effect(0, 1));
        assert_eq!(known.effect(b"$OPEN x }"), effect(0, 0));
        assert_eq!(known.effect(b"${OPEN}${OTHER}"), effect(0, 1));
        let round = b"~SEQ(x, 1, 2) ~LST({a, b}, {1, 2}) v$x { $OPEN";
        assert_eq!(known.effect_of_round(round), effect(0, 2));
    }
}

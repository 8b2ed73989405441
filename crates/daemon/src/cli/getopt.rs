//! Splits a command line as `getopt_long` does: bundled letters, values glued or apart, long
//! names shortened as far as they stay unique, words anywhere.
//!
//! clap draws the line elsewhere (it refuses `-t/path` and a repeated flag), and scripts depend on
//! where keepalived draws it; so the splitting is ours, and clap writes the help.

use super::table::{Opt, Takes, by_long, by_short};

/// One piece of the command line.
#[derive(Debug)]
pub(crate) enum Piece<I: 'static> {
    /// An option, with its value if it has one.
    Option(&'static Opt<I>, Option<String>),
    /// Something that looks like an option and is none, as it was spelt.
    Unknown(String),
    /// An option without the value it needs, as it was spelt.
    MissingValue(String),
    /// A word that belongs to no option.
    Word(String),
}

/// Walks over the words after the program's name.
#[derive(Debug)]
pub(crate) struct Pieces<'a, I: 'static> {
    /// The options there are.
    table: &'static [Opt<I>],
    words: std::slice::Iter<'a, String>,
    /// What is left of a run of letters.
    bundle: &'a str,
    /// `--` was seen: the rest are words.
    only_words: bool,
}

/// The pieces of `words` (without the program's name), in their order, as `table` knows them.
pub(crate) fn pieces<'a, I>(table: &'static [Opt<I>], words: &'a [String]) -> Pieces<'a, I> {
    Pieces {
        table,
        words: words.iter(),
        bundle: "",
        only_words: false,
    }
}

impl<I> Iterator for Pieces<'_, I> {
    type Item = Piece<I>;

    fn next(&mut self) -> Option<Piece<I>> {
        if let Some(letter) = self.bundle.chars().next() {
            self.bundle = &self.bundle[letter.len_utf8()..];
            return Some(self.letter(letter));
        }
        loop {
            let word = self.words.next()?;
            if self.only_words || word == "-" || !word.starts_with('-') {
                return Some(Piece::Word(word.clone()));
            }
            if word == "--" {
                self.only_words = true;
                continue;
            }
            if let Some(name) = word.strip_prefix("--") {
                return Some(self.long(name));
            }
            self.bundle = &word[1..];
            return self.next();
        }
    }
}

impl<I> Pieces<'_, I> {
    /// The words that no piece has been made of yet; letters of a bundle are a word again.
    pub(crate) fn rest(&self) -> Vec<String> {
        let bundle = Some(format!("-{}", self.bundle)).filter(|_| !self.bundle.is_empty());
        bundle
            .into_iter()
            .chain(self.words.clone().cloned())
            .collect()
    }

    /// One letter of a bundle; the rest of the bundle may be its value.
    fn letter(&mut self, letter: char) -> Piece<I> {
        let spelt = format!("-{letter}");
        let Some(opt) = by_short(self.table, letter) else {
            return Piece::Unknown(spelt);
        };
        let glued = || Some(self.bundle.to_owned()).filter(|v| !v.is_empty());
        let value = match opt.takes {
            Takes::Nothing => return Piece::Option(opt, None),
            Takes::Glued(_) => glued(),
            Takes::Value(_) => match glued().or_else(|| self.words.next().cloned()) {
                Some(value) if !value.is_empty() => Some(value),
                _ => return Piece::MissingValue(spelt),
            },
        };
        self.bundle = "";
        Piece::Option(opt, value)
    }

    /// `name` or `name=value`.
    fn long(&mut self, text: &str) -> Piece<I> {
        let (name, glued) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let Some(opt) = by_long(self.table, name) else {
            return Piece::Unknown(format!("--{text}"));
        };
        match (opt.takes, glued) {
            (Takes::Nothing, None) => Piece::Option(opt, None),
            (Takes::Nothing, Some(_)) => Piece::Unknown(format!("--{text}")),
            (Takes::Glued(_), value) => Piece::Option(opt, value.filter(|v| !v.is_empty())),
            (Takes::Value(_), glued) => match glued.or_else(|| self.words.next().cloned()) {
                Some(value) if !value.is_empty() => Piece::Option(opt, Some(value)),
                _ => Piece::MissingValue(format!("--{}", opt.long)),
            },
        }
    }
}

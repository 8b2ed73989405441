//! What is wrong with a configuration, where, and what to do about it.

use std::fmt;
use std::sync::Arc;

use crate::code::Code;
use crate::place::{FileId, Place};

/// One thing that is wrong or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable number.
    pub code: Code,
    /// How bad it is for the reader.
    pub severity: Severity,
    /// How bad it is for the exit status of a configuration test.
    pub class: Class,
    /// One sentence, in keepalived's words where people search for them.
    pub message: String,
    /// The words that are wrong.
    pub place: Option<Place>,
    /// How those words came into the configuration, innermost first.
    pub via: Vec<Via>,
    /// Other places that belong to it.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// What to write instead, when that is known to the letter.
    pub replacement: Option<Replacement>,
    /// The place of the mistake that this follows from: it will be gone with that one.
    pub follows: Option<Place>,
    /// The words at its place stand in the file as they were read.
    pub(crate) as_written: bool,
}

/// Text to put in the place of other text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The bytes to take out; they stand in the file as they are.
    pub place: Place,
    /// The text to put there.
    pub text: String,
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; never changes the exit status.
    Note,
    /// It works, but not as written.
    Warning,
    /// Part of the configuration is not used.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// keepalived's status classes in its order: the highest one seen decides the exit status of a
/// configuration test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Does not count.
    #[default]
    Ok,
    /// A file that must be there is not.
    FileMissing,
    /// An interface is unknown.
    BadInterface,
    /// Nothing can be done with the configuration.
    Fatal,
    /// The name of the main file matched several.
    MultipleFiles,
    /// A word that is no keyword here.
    UnknownKeyword,
    /// Braces or quotes that do not pair.
    Braces,
    /// A value is missing.
    MissingValue,
    /// A number that is none, or out of range.
    BadNumber,
    /// Any other mistake.
    General,
    /// Something that works but should not be so.
    Warning,
    /// An old spelling.
    Deprecated,
    /// A script that would run without security.
    Security,
}

impl Class {
    /// The exit status if this is the highest class: 0, 4, 5 or 6.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::FileMissing | Self::BadInterface | Self::Fatal => 4,
            Self::Security => 6,
            _ => 5,
        }
    }
}

/// One step on the way of a word into the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// What brought it.
    pub how: How,
    /// Where that stands.
    pub place: Place,
}

/// What brings words from one place to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// An include line.
    Include,
    /// A definition that was used.
    Definition(Arc<str>),
    /// A `~SEQ` or `~LST`, with the variables' values in this round.
    Sequence(Arc<str>),
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Include => f.write_str("included here"),
            Self::Definition(name) => write!(f, "from definition ${name} used here"),
            Self::Sequence(values) => write!(f, "in the round with {values} of this sequence"),
        }
    }
}

/// A place with a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What is there.
    pub text: String,
}

/// A keyword that was understood, but that nothing acts upon yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The keyword.
    pub keyword: String,
    /// The block it stands in, `top` outside of all.
    pub context: &'static str,
    /// Where it was first seen.
    pub file: FileId,
    /// The line, from 1.
    pub line: u32,
    /// How often it was seen.
    pub count: usize,
}

impl Unsupported {
    /// The number under which this is explained.
    #[must_use]
    pub const fn code(&self) -> Code {
        crate::code::NOT_SUPPORTED
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} in {} is not supported yet",
            self.keyword, self.context
        )
    }
}

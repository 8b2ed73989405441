//! In which form diagnostics are wanted.

use std::fmt;
use std::str::FromStr;

/// A form of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: the line, a caret, what to do.
    #[default]
    Text,
    /// For editors: one line each, `file:line:column: severity[RKnnnn]: message (hint)`.
    Plain,
    /// For programs: one JSON object a line each.
    Json,
    /// For code scanning: one SARIF 2.1.0 log of the whole run.
    Sarif,
}

impl Format {
    /// Every form by the name it has on the command line.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("text", Self::Text),
        ("plain", Self::Plain),
        ("json", Self::Json),
        ("sarif", Self::Sarif),
    ];
}

/// The name of a form that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFormat(pub String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "there is no format {}: text, plain, json or sarif",
            self.0
        )
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, format)| *format)
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

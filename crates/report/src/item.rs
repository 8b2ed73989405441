//! One diagnostic or finding, with its places as files, lines and columns.

use rk_config::lint::cluster::Finding;
use rk_config::model::Origin;
use rk_config::{Code, Diagnostic, Place, Severity, SourceMap};

/// How many characters of one message are told: it may repeat a word of a megabyte.
const MESSAGE_MAX: usize = 1_000;

/// How many steps of a chain are told: a definition that expands without end has hundreds.
pub(crate) const CHAIN_MAX: usize = 8;

/// What every format tells about one diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its stable number.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence; cut when it is longer than anybody reads.
    pub message: String,
    /// Where, if it is about a place.
    pub location: Option<Location>,
    /// What to do.
    pub hint: Option<String>,
    /// What to write instead, and in the place of what.
    pub replacement: Option<(Location, String)>,
    /// Other places that belong to it.
    pub related: Vec<Remark>,
    /// Through which includes, definitions and sequences the words came, innermost first; the
    /// first few steps of an endless chain.
    pub chain: Vec<Remark>,
}

/// Some characters of one line. Lines and columns count from 1, columns in characters (Unicode
/// code points; a byte that is no UTF-8 counts as one).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The name of the file as it was opened.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The first character.
    pub column: u32,
    /// The column after the last character.
    pub end: u32,
}

/// A place with a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Where.
    pub location: Location,
    /// What is there.
    pub text: String,
}

impl Item {
    /// A diagnostic about these files.
    #[must_use]
    pub fn of(files: &SourceMap, diagnostic: &Diagnostic) -> Self {
        let at = |place: Place| Location::of(files, place);
        let replacement = diagnostic.replacement.as_ref();
        let labels = diagnostic.labels.iter();
        let via = diagnostic.via.iter();
        let cause = diagnostic.follows;
        let cause = cause.map(|place| Remark::new(at(place), "this is what it follows from"));
        Self {
            code: diagnostic.code,
            severity: diagnostic.severity,
            message: shortened(&diagnostic.message),
            location: diagnostic.place.map(at),
            hint: diagnostic.help.clone(),
            replacement: replacement.map(|r| (at(r.place), r.text.clone())),
            related: labels
                .map(|l| Remark::new(at(l.place), &l.text))
                .chain(cause)
                .collect(),
            chain: via
                .take(CHAIN_MAX)
                .map(|v| Remark::new(at(v.place), &v.how.to_string()))
                .collect(),
        }
    }

    /// What two nodes do not agree on: it stands where the first one has it.
    #[must_use]
    pub fn of_cluster(finding: &Finding) -> Self {
        let spots = finding.spots.iter();
        let remark = |text: String, origin| Remark::new(Location::line(origin), &text);
        Self {
            code: finding.code,
            severity: finding.severity,
            message: shortened(&finding.message),
            location: finding.spots.first().map(|s| Location::line(&s.origin)),
            hint: Some(finding.help.clone()),
            replacement: None,
            related: spots
                .map(|s| remark(format!("{}: {}", s.node, s.text), &s.origin))
                .collect(),
            chain: Vec::new(),
        }
    }
}

impl Remark {
    fn new(location: Location, text: &str) -> Self {
        Self {
            location,
            text: text.to_owned(),
        }
    }
}

impl Location {
    /// The characters of a place; a place without length is its whole line.
    fn of(files: &SourceMap, place: Place) -> Self {
        let line = files.line(place.file, place.line);
        let start = line.len().min(place.column as usize);
        let (start, end) = match place.len {
            0 => (0, line.len()),
            len => (start, line.len().min(start.saturating_add(len as usize))),
        };
        let characters = |bytes: &[u8]| {
            let count = String::from_utf8_lossy(bytes).chars().count();
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        let column = characters(&line[..start]).saturating_add(1);
        Self {
            file: files.name(place.file).to_owned(),
            line: place.line.max(1),
            column,
            end: column.saturating_add(characters(&line[start..end])),
        }
    }

    /// The line of an origin.
    fn line(origin: &Origin) -> Self {
        Self {
            file: origin.file.to_string(),
            line: origin.line.max(1),
            column: 1,
            end: 1,
        }
    }
}

/// A message that may repeat very long words, cut.
pub(crate) fn shortened(message: &str) -> String {
    match message.char_indices().nth(MESSAGE_MAX) {
        Some((end, _)) => format!("{}...", &message[..end]),
        None => message.to_owned(),
    }
}

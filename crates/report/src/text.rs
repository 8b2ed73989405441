//! For people: the line itself, a caret under the words, and what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use rk_config::{Diagnostic, Place, Severity, SourceMap};

use crate::item::{CHAIN_MAX, shortened};

/// How many bytes of a line are shown on either side of what is wrong.
const AROUND: usize = 100;

/// How a line is marked.
#[derive(Clone, Copy)]
enum Mark {
    /// Here it is wrong.
    Fault,
    /// This belongs to it.
    Related,
}

/// Whether the text may have colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// It goes to a terminal that shows them.
    Yes,
    /// It goes elsewhere, or nobody wants them.
    No,
}

impl Colour {
    /// What to do for a reader that `is_terminal`, in an environment with these values of
    /// `NO_COLOR` (<https://no-color.org>) and `TERM`.
    #[must_use]
    pub fn fitting(is_terminal: bool, no_color: Option<&str>, term: Option<&str>) -> Self {
        let unwanted = no_color.is_some_and(|v| !v.is_empty()) || term == Some("dumb");
        if is_terminal && !unwanted {
            Self::Yes
        } else {
            Self::No
        }
    }
}

/// `(FILE: Line N) message`: keepalived's form, which people and scripts look for.
#[must_use]
pub fn headline(files: &SourceMap, diagnostic: &Diagnostic) -> String {
    let place = diagnostic
        .place
        .map(|place| format!("({}: Line {}) ", files.name(place.file), place.line))
        .unwrap_or_default();
    format!("{place}{}", shortened(&diagnostic.message))
}

/// One diagnostic: the headline, each line it is about with its words marked, and what to do. One
/// that follows from another is its headline alone.
#[must_use]
pub fn text(files: &SourceMap, diagnostic: &Diagnostic, colour: Colour) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let message = headline(files, diagnostic);
    if let Some(cause) = diagnostic.follows {
        let here = diagnostic
            .place
            .is_none_or(|place| place.file == cause.file);
        let file = if here { "" } else { files.name(cause.file) };
        let line = format!("{file}{}line {}", if here { "" } else { ": " }, cause.line);
        return format!("{message} (follows from {line})\n");
    }
    let title = level.no_name().primary_title(message);
    let mut group = Group::with_title(title);
    let places = diagnostic
        .place
        .iter()
        .map(|place| (*place, Mark::Fault, String::new()));
    let labels = diagnostic
        .labels
        .iter()
        .map(|l| (l.place, Mark::Related, l.text.clone()));
    let via = diagnostic
        .via
        .iter()
        .take(CHAIN_MAX)
        .map(|v| (v.place, Mark::Related, v.how.to_string()));
    for (place, mark, text) in places.chain(labels).chain(via) {
        group = group.element(snippet(files, place, mark, text));
    }
    let more = diagnostic.via.len().saturating_sub(CHAIN_MAX);
    if more > 0 {
        group = group.element(Level::NOTE.message(format!("and {more} more steps like these")));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group = group.element(
        Level::NOTE
            .with_name("code")
            .message(diagnostic.code.to_string()),
    );
    let renderer = match colour {
        Colour::Yes => Renderer::styled(),
        Colour::No => Renderer::plain(),
    };
    let mut text = renderer.render(&[group]);
    text.push('\n');
    text
}

/// The line of `place`, with its words marked.
fn snippet(
    files: &SourceMap,
    place: Place,
    mark: Mark,
    text: String,
) -> Snippet<'static, annotate_snippets::Annotation<'static>> {
    let line = files.line(place.file, place.line);
    let column = line.len().min(place.column as usize);
    let end = match place.len {
        0 => line.len(),
        len => line.len().min(column.saturating_add(len as usize)),
    };
    let column = if place.len == 0 { 0 } else { column };
    // A line may be a megabyte long: what is around the words is enough.
    let from = column.saturating_sub(AROUND);
    let to = line.len().min(end.min(column + AROUND) + AROUND);
    let part = |from: usize, to: usize| String::from_utf8_lossy(&line[from..to]).into_owned();
    let (before, marked, after) = (
        part(from, column),
        part(column, end.min(to)),
        part(end.min(to), to),
    );
    let cut = |is_cut: bool| if is_cut { "..." } else { "" };
    let before = format!("{}{before}", cut(from > 0));
    let after = format!("{after}{}", cut(to < line.len()));
    let (start, stop) = (before.len(), before.len() + marked.len());
    let kind = match mark {
        Mark::Fault => AnnotationKind::Primary,
        Mark::Related => AnnotationKind::Context,
    };
    let annotation = kind.span(start..stop);
    let annotation = if text.is_empty() {
        annotation
    } else {
        annotation.label(text)
    };
    Snippet::source(format!("{before}{marked}{after}"))
        .path(files.name(place.file).to_owned())
        .line_start(place.line as usize)
        .annotation(annotation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_whose_owner_wants_them() {
        assert_eq!(Colour::fitting(true, None, Some("xterm")), Colour::Yes);
        assert_eq!(Colour::fitting(true, Some(""), None), Colour::Yes);
        assert_eq!(Colour::fitting(true, Some("1"), Some("xterm")), Colour::No);
        assert_eq!(Colour::fitting(true, None, Some("dumb")), Colour::No);
        assert_eq!(Colour::fitting(false, None, Some("xterm")), Colour::No);
    }
}

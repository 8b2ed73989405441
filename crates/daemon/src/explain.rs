//! Shows what is wrong with a configuration: the line itself, a caret under the words, and what
//! to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use rk_config::{Diagnostic, Loaded, Place, Severity, SourceMap};

use crate::parent::load::{self, SHOWN};

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

/// Everything worth knowing about what was read; empty when there is nothing.
///
/// The first line of each piece has keepalived's form, `(FILE: Line N) message`, since that is
/// what people and scripts look for.
pub(crate) fn explain(loaded: &Loaded) -> String {
    let worth_it = |d: &&Diagnostic| d.severity > Severity::Note;
    let all: Vec<_> = loaded.diagnostics.iter().filter(worth_it).collect();
    let mut text: String = all
        .iter()
        .take(SHOWN)
        .map(|d| one(&loaded.files, d))
        .collect();
    let more = all
        .len()
        .saturating_sub(SHOWN)
        .saturating_add(loaded.dropped);
    if more > 0 {
        text.push_str(&format!("{more} more messages are not shown\n"));
    }
    text
}

/// These diagnostics, whatever their severity.
pub(crate) fn explain_each(files: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|d| one(files, d)).collect()
}

/// One diagnostic.
fn one(files: &SourceMap, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let message = load::line_without_help(files, diagnostic);
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
        .map(|v| (v.place, Mark::Related, v.how.to_string()));
    for (place, mark, text) in places.chain(labels).chain(via) {
        group = group.element(snippet(files, place, mark, text));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group = group.element(
        Level::NOTE
            .with_name("code")
            .message(diagnostic.code.to_string()),
    );
    let mut text = Renderer::plain().render(&[group]);
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
    use crate::source::{Machine, SystemFiles};

    /// What is said about a file with this text; its path is shown as `FILE`.
    fn said(text: &[u8]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k.conf").to_string_lossy().into_owned();
        std::fs::write(&path, text).unwrap();
        let options = rk_config::Options {
            test_mode: true,
            ..rk_config::Options::default()
        };
        let loaded = rk_config::load(&path, &options, &SystemFiles, &Machine);
        explain(&loaded).replace(&path, "FILE")
    }

    #[test]
    fn a_mistake_is_shown_where_it_stands() {
        let said = said(b"global_defs {\n    router_idd x\n}\n");
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(
            lines[0], "(FILE: Line 2) Unknown keyword 'router_idd'",
            "{said}"
        );
        assert!(lines[1].ends_with("--> FILE:2:5"), "{said}");
        assert_eq!(lines[3], "2 |     router_idd x", "{said}");
        assert_eq!(lines[4].trim_end(), "  |     ^^^^^^^^^^", "{said}");
        assert!(said.contains("help: did you mean `router_id`?"), "{said}");
        assert!(said.contains("code: RK"), "{said}");
    }

    #[test]
    fn odd_bytes_do_not_move_the_caret_or_break_it() {
        let said = said(b"global_defs {\n\xff\xfe\xff x\n}\n");
        assert!(said.contains("FILE:2:1") && said.contains('^'), "{said}");
    }

    #[test]
    fn endless_lines_and_endless_mistakes_are_cut() {
        let long = said(format!("bogus {}\n", "x".repeat(1_000_000)).as_bytes());
        assert!(long.len() < 500_000, "{} bytes", long.len());
        let wide = said(format!("{}\n", "x".repeat(1_000_000)).as_bytes());
        assert!(wide.len() < 500_000, "{} bytes", wide.len());
        let many = said("bogus\n".repeat(2 * SHOWN).as_bytes());
        assert_eq!(many.matches("^").count(), 5 * SHOWN);
        assert!(many.ends_with(&format!("{SHOWN} more messages are not shown\n")));
    }

    #[test]
    fn nothing_is_said_about_what_is_right() {
        assert_eq!(said(b"global_defs {\n router_id x\n}\n"), "");
    }
}

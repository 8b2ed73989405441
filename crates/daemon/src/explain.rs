//! Shows what is wrong with a configuration: the line itself, a caret under the words, and what
//! to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use rk_config::{Diagnostic, Loaded, Place, Severity, SourceMap};

use crate::parent::load;

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
    let shown = |d: &&Diagnostic| d.severity > Severity::Note;
    loaded
        .diagnostics
        .iter()
        .filter(shown)
        .map(|diagnostic| one(&loaded.files, diagnostic))
        .collect()
}

/// One diagnostic.
fn one(files: &SourceMap, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level
        .no_name()
        .primary_title(load::line_without_help(files, diagnostic));
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
    // A line need not be text; what is shown instead of odd bytes is longer than they are.
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let at = |byte: u32| shown(&line[..line.len().min(byte as usize)]).len();
    let (start, end) = match place.len {
        0 => (0, shown(line).len()),
        len => (at(place.column), at(place.column.saturating_add(len))),
    };
    let kind = match mark {
        Mark::Fault => AnnotationKind::Primary,
        Mark::Related => AnnotationKind::Context,
    };
    let annotation = kind.span(start..end.max(start));
    let annotation = if text.is_empty() {
        annotation
    } else {
        annotation.label(text)
    };
    Snippet::source(shown(line))
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
    fn nothing_is_said_about_what_is_right() {
        assert_eq!(said(b"global_defs {\n router_id x\n}\n"), "");
    }
}

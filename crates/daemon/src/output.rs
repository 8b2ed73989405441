//! What `-t` and `lint` print, in whichever form is asked for.

use std::io::IsTerminal;

use rk_config::lint::cluster::Finding;
use rk_config::{Diagnostic, Loaded, Severity, SourceMap};
use rk_report::text::{Colour, text};
use rk_report::{Format, Item, json, plain, sarif};

use crate::parent::load::SHOWN;

/// The status of a strict run that found something.
pub(crate) const FOUND: u8 = 5;

/// Collects what is found in one run.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    colour: Colour,
    /// What people read.
    text: String,
    /// What programs read.
    items: Vec<Item>,
    /// How many warnings and errors there were, also those that are not shown.
    pub(crate) warnings: usize,
}

impl Output {
    /// Nothing found yet.
    pub(crate) fn new(format: Format, colour: Colour) -> Self {
        Self {
            format,
            colour,
            text: String::new(),
            items: Vec::new(),
            warnings: 0,
        }
    }

    /// What reading found. Notes are for programs only: they would drown what counts.
    pub(crate) fn loaded(&mut self, loaded: &Loaded) {
        let programs = matches!(self.format, Format::Json | Format::Sarif);
        let all = loaded.diagnostics.iter();
        let told: Vec<_> = all
            .filter(|d| programs || d.severity > Severity::Note)
            .collect();
        let (shown, hidden) = match self.format {
            Format::Text => told.split_at(told.len().min(SHOWN)),
            Format::Plain | Format::Json | Format::Sarif => (told.as_slice(), &[][..]),
        };
        for diagnostic in shown {
            self.take(&loaded.files, diagnostic);
        }
        let counted = hidden.iter().filter(|d| d.severity > Severity::Note);
        self.warnings += counted.count() + loaded.dropped;
        let more = hidden.len().saturating_add(loaded.dropped);
        if more > 0 {
            let advice = match (hidden.len(), loaded.dropped) {
                (0, _) => "that is as many as are kept".to_owned(),
                (_, 0) => "--format plain prints all".to_owned(),
                _ => format!("--format plain prints the first {}", told.len()),
            };
            self.text
                .push_str(&format!("{more} more messages are not shown: {advice}\n"));
        }
    }

    /// What the lints found in a file.
    pub(crate) fn findings(&mut self, files: &SourceMap, found: &[Diagnostic]) {
        for diagnostic in found {
            self.take(files, diagnostic);
        }
    }

    /// What two nodes do not agree on.
    pub(crate) fn cluster(&mut self, finding: &Finding) {
        self.warnings += usize::from(finding.severity > Severity::Note);
        match self.format {
            Format::Text => self.text.push_str(&finding.to_string()),
            _ => self.items.push(Item::of_cluster(finding)),
        }
    }

    fn take(&mut self, files: &SourceMap, diagnostic: &Diagnostic) {
        self.warnings += usize::from(diagnostic.severity > Severity::Note);
        match self.format {
            Format::Text => self.text.push_str(&text(files, diagnostic, self.colour)),
            _ => self.items.push(Item::of(files, diagnostic)),
        }
    }

    /// The text to print.
    pub(crate) fn finish(self) -> String {
        match self.format {
            Format::Text => self.text,
            Format::Plain => plain(&self.items) + &self.text,
            Format::Json => json(&self.items),
            Format::Sarif => sarif(&self.items, env!("CARGO_PKG_VERSION")),
        }
    }
}

/// Whether what goes to `stream` may have colours.
pub(crate) fn colour_for(stream: &impl IsTerminal) -> Colour {
    let value = |name: &str| std::env::var(name).ok();
    let (no_color, term) = (value("NO_COLOR"), value("TERM"));
    Colour::fitting(stream.is_terminal(), no_color.as_deref(), term.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Machine, SystemFiles};

    fn read(text: &[u8]) -> (String, Loaded) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k.conf").to_string_lossy().into_owned();
        std::fs::write(&path, text).unwrap();
        let options = rk_config::Options {
            test_mode: true,
            ..rk_config::Options::default()
        };
        let loaded = rk_config::load(&path, &options, &SystemFiles, &Machine);
        (path, loaded)
    }

    /// What is said about a file with this text; its path is shown as `FILE`.
    fn said(format: Format, text: &[u8]) -> String {
        let (path, loaded) = read(text);
        let mut output = Output::new(format, Colour::No);
        output.loaded(&loaded);
        output.finish().replace(&path, "FILE")
    }

    #[test]
    fn a_mistake_is_shown_where_it_stands() {
        let said = said(Format::Text, b"global_defs {\n    router_idd x\n}\n");
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
    fn a_mistake_is_one_line_for_editors() {
        assert_eq!(
            said(Format::Plain, b"global_defs {\n    router_idd x\n}\n"),
            "FILE:2:5: error[RK0301]: Unknown keyword 'router_idd' (did you mean `router_id`?)\n"
        );
    }

    #[test]
    fn odd_bytes_do_not_move_the_caret_or_break_it() {
        let said = said(Format::Text, b"global_defs {\n\xff\xfe\xff x\n}\n");
        assert!(said.contains("FILE:2:1") && said.contains('^'), "{said}");
    }

    #[test]
    fn endless_lines_and_endless_mistakes_are_cut() {
        let long = format!("bogus {}\n", "x".repeat(1_000_000));
        let wide = format!("{}\n", "x".repeat(1_000_000));
        for text in [long, wide] {
            let said = said(Format::Text, text.as_bytes());
            assert!(said.len() < 500_000, "{} bytes", said.len());
        }
        let many = said(Format::Text, "bogus\n".repeat(2 * SHOWN).as_bytes());
        assert_eq!(many.matches("^").count(), 5 * SHOWN);
        let rest = "200 more messages are not shown: --format plain prints all\n";
        assert!(many.ends_with(rest), "{many}");
        let (_, loaded) = read("bogus\n".repeat(2 * SHOWN).as_bytes());
        let mut output = Output::new(Format::Text, Colour::No);
        output.loaded(&loaded);
        assert_eq!(output.warnings, 2 * SHOWN);
    }

    #[test]
    fn programs_are_told_everything_that_is_kept() {
        let text = "bogus\n".repeat(3 * SHOWN);
        for (format, sign) in [
            (Format::Plain, "error[RK0301]"),
            (Format::Json, "\"code\":\"RK0301\""),
            (Format::Sarif, "\"ruleId\": \"RK0301\""),
        ] {
            let said = said(format, text.as_bytes());
            let (said, sign) = (said.replace(": ", ":"), sign.replace(": ", ":"));
            let count = said.matches(&sign).count();
            assert_eq!(count, 3 * SHOWN, "{format:?}");
        }
        let many = "bogus\n".repeat(10_100);
        let text = said(Format::Text, many.as_bytes());
        let rest = "9900 more messages are not shown: --format plain prints the first 10000\n";
        assert!(text.ends_with(rest), "{}", text.lines().last().unwrap());
        let json = said(Format::Json, many.as_bytes());
        assert_eq!(json.lines().count(), 10_001);
        let last = json.lines().last().unwrap();
        assert!(
            last.contains("100 more messages are not shown: 10000 are kept"),
            "{last}"
        );
    }

    #[test]
    fn nothing_is_said_about_what_is_right() {
        for format in [Format::Text, Format::Plain, Format::Json] {
            assert_eq!(said(format, b"global_defs {\n router_id x\n}\n"), "");
        }
    }
}

//! The reference as Markdown.

use std::fmt::Write as _;

use super::{Entry, Level, Piece};

pub(super) fn render(pieces: &[Piece]) -> String {
    let mut out = String::from(
        "# The configuration language\n\n\
         This file is made of the table of keywords; a test holds it current. The same text is\n\
         the manual page [rkeepalived.conf(5)](man/rkeepalived.conf.5).\n",
    );
    for piece in pieces {
        // Writing into a String cannot fail.
        let _ = match piece {
            Piece::Heading(Level::Chapter, text) => write!(out, "\n## {text}\n"),
            Piece::Heading(Level::Section, text) => write!(out, "\n### {text}\n"),
            Piece::Text(text) => write!(out, "\n{}\n", wrap(text, 100)),
            Piece::Example(lines) => write!(out, "\n```\n{}\n```\n", lines.trim_end()),
            Piece::Terms(terms) => {
                out.push_str("\n| | |\n|---|---|\n");
                for (word, meaning) in *terms {
                    let _ = writeln!(out, "| `{}` | {} |", cell(word), cell(meaning));
                }
                Ok(())
            }
            Piece::Keywords(entries) => {
                out.push_str(
                    "\n| keyword | arguments | default | what it does |\n|---|---|---|---|\n",
                );
                for entry in entries {
                    row(&mut out, entry);
                }
                Ok(())
            }
        };
    }
    out
}

fn row(out: &mut String, entry: &Entry) {
    let code = |text: &str| match text {
        "" => String::new(),
        text => format!("`{}`", cell(text)),
    };
    let mut help = cell(entry.help);
    for note in &entry.notes {
        help.push(' ');
        help.push_str(note);
    }
    let _infallible = writeln!(
        out,
        "| {} | {} | {} | {help} |",
        code(entry.name),
        code(&entry.usage),
        cell(entry.default),
    );
}

/// Text that cannot end a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Breaks lines at blanks so that they are at most `width` wide, if words allow it.
pub(super) fn wrap(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        if column > 0 && column + 1 + word.len() > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out
}

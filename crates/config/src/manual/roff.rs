//! The reference as a manual page, in the macros of man(7).

use std::fmt::Write as _;

use super::markdown::wrap;
use super::{Entry, Level, Piece};

/// The date in the page's footer: the page changes with the table, not with the day of a build.
const DATE: &str = "2026-11-01";

pub(super) fn render(pieces: &[Piece]) -> String {
    let mut out = format!(
        ".\\\" Made of the table of keywords; a test holds it current.\n\
         .TH RKEEPALIVED.CONF 5 {DATE} rkeepalived \"File Formats\"\n\
         .SH NAME\n\
         rkeepalived.conf \\- configuration of rkeepalived(8), in the language of keepalived\n\
         .SH SYNOPSIS\n\
         .I /etc/keepalived/keepalived.conf\n"
    );
    let mut after_heading = false;
    for piece in pieces {
        let paragraph = if after_heading { "" } else { ".PP\n" };
        after_heading = matches!(piece, Piece::Heading(..));
        // Writing into a String cannot fail.
        let _ = match piece {
            Piece::Heading(Level::Chapter, text) => {
                writeln!(out, ".SH {}", quoted(&text.to_uppercase()))
            }
            Piece::Heading(Level::Section, text) => writeln!(out, ".SS {}", quoted(text)),
            Piece::Text(text) => writeln!(out, "{paragraph}{}", running(text)),
            Piece::Example(lines) => {
                writeln!(
                    out,
                    ".PP\n.in +4n\n.nf\n{}\n.fi\n.in",
                    literal(lines.trim_end())
                )
            }
            Piece::Terms(terms) => {
                for (word, meaning) in *terms {
                    let _ = writeln!(out, ".TP\n.B {}\n{}", quoted(word), running(meaning));
                }
                Ok(())
            }
            Piece::Keywords(entries) => {
                for entry in entries {
                    keyword(&mut out, entry);
                }
                Ok(())
            }
        };
    }
    out.push_str(".SH SEE ALSO\n.BR rkeepalived (8),\n.BR ipvsadm (8),\n.BR ip (8)\n");
    out
}

fn keyword(out: &mut String, entry: &Entry) {
    let _ = match entry.usage.as_str() {
        "" => writeln!(out, ".TP\n.B {}", quoted(entry.name)),
        usage => writeln!(
            out,
            ".TP\n.BI {} \" {}\"",
            quoted(entry.name),
            inside(usage)
        ),
    };
    let mut text = entry.help.to_owned();
    match entry.default {
        "" => {}
        "required" => text.push_str(" Required."),
        default => {
            let _infallible = write!(text, " Default: {default}.");
        }
    }
    for note in &entry.notes {
        text.push(' ');
        text.push_str(note);
    }
    let _infallible = writeln!(out, "{}", running(&text));
}

/// Running text: wrapped, with what people type in bold.
fn running(text: &str) -> String {
    let wrapped = wrap(text, 78);
    let mut out = String::new();
    for (n, part) in wrapped.split('`').enumerate() {
        if n % 2 == 1 {
            out.push_str("\\fB");
            out.push_str(&escape(part, Hyphen::Minus));
            out.push_str("\\fR");
        } else {
            out.push_str(&escape(part, Hyphen::Plain));
        }
    }
    guard(&out)
}

/// Lines as they stand.
fn literal(text: &str) -> String {
    guard(&escape(text, Hyphen::Minus))
}

/// An argument of a macro.
fn quoted(text: &str) -> String {
    let text = inside(text);
    if text.contains([' ', '"']) || text.is_empty() {
        format!("\"{text}\"")
    } else {
        text
    }
}

/// Text between the double quotes of an argument.
fn inside(text: &str) -> String {
    escape(text, Hyphen::Minus).replace('"', "\\(dq")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hyphen {
    /// A hyphen between syllables.
    Plain,
    /// The minus sign that people type.
    Minus,
}

fn escape(text: &str, hyphen: Hyphen) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' if hyphen == Hyphen::Minus => out.push_str("\\-"),
            '~' => out.push_str("\\(ti"),
            '^' => out.push_str("\\(ha"),
            '\'' => out.push_str("\\(aq"),
            '`' => out.push_str("\\(ga"),
            c => out.push(c),
        }
    }
    out
}

/// Keeps lines that start like a request from being one.
fn guard(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|l| {
            if l.starts_with(['.', '\'']) {
                format!("\\&{l}")
            } else {
                l.to_owned()
            }
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_text_is_a_request() {
        assert_eq!(running(".so x"), "\\&.so x");
        assert_eq!(running("a `-t` b\\"), "a \\fB\\-t\\fR b\\e");
        assert_eq!(literal("~SEQ(x, 1)\n.5"), "\\(tiSEQ(x, 1)\n\\&.5");
        assert_eq!(quoted("a \"b\""), "\"a \\(dqb\\(dq\"");
    }
}

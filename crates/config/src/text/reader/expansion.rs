//! Definitions and sequences: what they take from the text, and what they make of it.

use super::super::define::{self, Builtins};
use super::super::line::Line;
use super::super::sequence;
use super::super::{ROUNDS_MAX, is_blank, physical, trim};
use super::opening::dir;
use super::{From, Reader};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};

/// How many steps of a long way into the configuration are told, at each end of it.
const SHOWN_STEPS: usize = 4;

impl Reader<'_> {
    /// Stores a definition; reads on while its lines go on.
    pub(super) fn definition(&mut self, line: &Line) -> bool {
        let Some((name, value)) = define::definition(line) else {
            return false;
        };
        let mut lines = Vec::new();
        self.open_quote(line);
        let mut part = line.slice(value, line.text.len());
        while let Some(end) = define::continues(&part.text) {
            part.truncate(end);
            // `$NAME=\` has nothing on its first line.
            if !(lines.is_empty() && part.text.is_empty()) {
                part.keep();
                lines.push(part);
            }
            match self.next_raw() {
                Some(next) => {
                    self.open_quote(&next);
                    part = next;
                }
                None => part = Line::made(Vec::new(), line.place(0, 0), None),
            }
        }
        let end = trim_end(&part.text);
        part.truncate(end);
        part.keep();
        lines.push(part);
        self.definitions.set(&name, lines);
        true
    }

    /// A quote that is left open is reported where it stands, also in a definition that nothing
    /// uses.
    fn open_quote(&mut self, line: &Line) {
        if line.text.iter().filter(|b| **b == b'"').count() % 2 == 0 {
            return;
        }
        let last = line.text.iter().rposition(|b| *b == b'"').unwrap_or(0);
        let shown = String::from_utf8_lossy(trim(&line.text));
        let text = format!("Unterminated quote '{shown}'");
        let d = Diagnostic::error(code::QUOTE, Class::Braces, text)
            .help("close it on the same line; the rest of the line is lost");
        self.session.report.push(d.at(line, last, line.text.len()));
    }

    /// Replaces what the line uses; `false` if the line cannot be used.
    pub(super) fn expand(&mut self, line: &mut Line) -> bool {
        let dir = dir(&self.stack);
        let builtins = Builtins {
            pwd: if dir.is_empty() { "." } else { dir },
            instance: &self.config_id,
            host: self.host,
        };
        let out = self.definitions.expand(line, &builtins);
        let mut usable = true;
        for (problem, at) in out.problems {
            let d = match problem {
                define::Problem::Endless(name) => {
                    usable = false;
                    let text = format!("the definition ${name} expands without end");
                    Diagnostic::error(code::DEFINITION_ENDLESS, Class::General, text)
                        .help("it is used again in what it stands for")
                }
                define::Problem::RandomArgument => Diagnostic::error(
                    code::BUILT_IN,
                    Class::General,
                    "Definition _RANDOM requires numeric parameters only.",
                ),
                define::Problem::RandomBounds(min, max) => Diagnostic::error(
                    code::BUILT_IN,
                    Class::General,
                    format!("${{_RANDOM}}: min {min} exceeds max {max}, using {min}"),
                ),
                define::Problem::EnvName => Diagnostic::error(
                    code::BUILT_IN,
                    Class::General,
                    "${_ENV} needs the name of an environment variable",
                )
                .help("write ${_ENV NAME}"),
                define::Problem::Overflow(name) => {
                    let text = format!("with ${name} the line would be too long - left as it is");
                    Diagnostic::warning(code::DEFINITION_OVERFLOW, Class::Ok, text)
                }
            };
            let mut d = d.at(line, at.min(line.text.len()), line.text.len());
            // The way through a definition without end is as long as the limit on uses.
            if d.via.len() > 2 * SHOWN_STEPS {
                d.via.drain(SHOWN_STEPS..d.via.len() - SHOWN_STEPS);
                d.via.shrink_to_fit();
            }
            self.session.report.push(d);
        }
        if !usable {
            return false;
        }
        for (definition, frame) in out.following {
            let home = line.home;
            self.push(
                line,
                From::Definition {
                    definition,
                    next: 0,
                    frame,
                    home,
                },
            );
        }
        if out.replaced {
            self.made_text += line.text.len() as u64;
            line.truncate(physical::comment_start(&line.text));
        }
        true
    }

    /// Starts a sequence.
    pub(super) fn sequence(&mut self, line: &Line) {
        let shown = String::from_utf8_lossy(trim(&line.text)).into_owned();
        let first = line.first();
        let parsed = sequence::parts(line)
            .ok_or(sequence::Problem::Specification)
            .and_then(|(open, close, body)| {
                let mut inside = line.slice(open, close);
                if inside.text.contains(&b'$') && !self.expand(&mut inside) {
                    return Err(sequence::Problem::Specification);
                }
                let head = &line.text[first..open - 1];
                Ok((sequence::parse(head, &inside.text)?, body))
            });
        match parsed {
            Ok((sequence, body)) => {
                let place = line.place(first, body);
                let mut body = line.slice(body.min(line.text.len()), line.text.len());
                body.keep();
                let sequence::Sequence { names, values } = sequence;
                let names = names.into_iter().map(|name| {
                    let shown = String::from_utf8_lossy(&name).into();
                    (shown, self.definitions.name(&name))
                });
                let names = names.collect();
                self.push(
                    line,
                    From::Sequence {
                        names,
                        values,
                        body,
                        place,
                    },
                );
            }
            Err(problem) => {
                let text = match problem {
                    sequence::Problem::Specification if shown.starts_with("~LST") => {
                        format!("Invalid ~LST specification '{shown}'")
                    }
                    sequence::Problem::Specification => {
                        format!("Invalid ~SEQ specification '{shown}'")
                    }
                    sequence::Problem::Values => format!("Invalid ~SEQ values '{shown}'"),
                    sequence::Problem::TooManyValues => {
                        format!("~LST specification has too many values '{shown}'")
                    }
                    sequence::Problem::TooLong => {
                        format!("a sequence may have {ROUNDS_MAX} rounds at most: '{shown}'")
                    }
                };
                let code = match problem {
                    sequence::Problem::TooLong => code::LIMIT,
                    _ => code::SEQUENCE,
                };
                let d =
                    Diagnostic::error(code, Class::General, text).at(line, first, line.text.len());
                let advice = problem.advice(shown.starts_with("~LST"));
                self.session.report.push(d.help(advice));
            }
        }
    }
}

fn trim_end(text: &[u8]) -> usize {
    text.iter()
        .rposition(|b| !is_blank(*b))
        .map_or(0, |at| at + 1)
}

//! The main file and what it includes.

use std::rc::Rc;

use super::super::bytes::Shared;
use super::super::include::{self, Checks};
use super::super::line::{Frame, Line};
use super::super::{DEPTH_MAX, FILE_MAX, FILES_MAX, TEXT_MAX, is_blank, trim};
use super::file::OpenFile;
use super::{From, Halt, Reader};
use crate::code::{self, Code};
use crate::diagnostic::{Class, Diagnostic, How};
use crate::source::ReadError;

/// The line that files are included by.
pub(super) struct IncludeLine {
    line: Line,
    /// The bytes of the pattern in it.
    pattern: (usize, usize),
    checks: Checks,
    frame: Rc<Frame>,
}

impl Reader<'_> {
    /// Opens the main file; `name` may be a pattern.
    pub(crate) fn open_main(&mut self, name: &str) {
        let matches = self.matches(name).0;
        if matches.is_empty() {
            // keepalived forgives this unless every include check is on.
            let class = if self.checks.matched {
                Class::FileMissing
            } else {
                Class::Ok
            };
            self.session.report.push(
                Diagnostic::error(
                    code::MAIN_FILE,
                    class,
                    format!("Config files missing '{name}'."),
                )
                .help("name the configuration with -f FILE"),
            );
            self.halt = Some(Halt::NoMainFile);
            return;
        }
        if let [first, _, ..] = matches.as_slice() {
            let text = format!(
                "WARNING, multiple configuration file matches of {name}, starting with {first}"
            );
            let d = Diagnostic::warning(code::SEVERAL_MAIN_FILES, Class::MultipleFiles, text);
            self.session.report.push(d);
        }
        for (n, path) in matches.iter().enumerate() {
            self.open(path, None);
            if let Some(first) = self.stack.pop() {
                let others = matches[n + 1..].iter().rev();
                let paths = others.cloned().collect();
                let include = None;
                self.stack.extend([From::Files { paths, include }, first]);
                return;
            }
        }
        self.halt.get_or_insert(Halt::NoMainFile);
    }

    /// Opens the files of an include line; `false` if the line is none.
    pub(super) fn include(&mut self, line: &Line) -> bool {
        let first = line.first();
        let rest = &line.text[first..];
        let Some(len) = rest.iter().position(|b| is_blank(*b)) else {
            return false;
        };
        let Some(own) = Checks::of_keyword(&rest[..len]) else {
            return false;
        };
        let pattern = String::from_utf8_lossy(trim(&rest[len..])).into_owned();
        if pattern.is_empty() {
            return false;
        }
        let checks = self.checks.or(own);
        let from = first + rest.len() - trim_start(&rest[len..]).len();
        let end = from + trim(&line.text[from..]).len();
        let (matches, missing) = self.matches(&include::join(dir(&self.stack), &pattern));
        let several = include::braces(&pattern).len() > 1;
        let wild = include::has_wildcard(&pattern);
        if several && missing > 0 {
            let text = format!("Some config files missing: \"{pattern}\".");
            self.include_problem(code::INCLUDE_MISSING, text, line, from, end, checks.brace);
        } else if matches.is_empty() {
            let dir = include::join(dir(&self.stack), include::fixed_dir(&pattern));
            if wild && self.source.is_dir(&dir) {
                let text = format!("No config files matched '{pattern}'.");
                self.include_problem(
                    code::INCLUDE_NO_MATCH,
                    text,
                    line,
                    from,
                    end,
                    checks.wildcard,
                );
            } else {
                let text = format!("Config files missing '{pattern}'.");
                let strict = if pattern.contains('{') {
                    checks.brace
                } else {
                    checks.matched
                };
                self.include_problem(code::INCLUDE_MISSING, text, line, from, end, strict);
            }
        }
        if self.halt.is_some() {
            return true;
        }
        let place = line.place(from, end);
        let parent = line.frame(from);
        let frame = Rc::new(Frame {
            how: How::Include,
            place,
            parent,
        });
        if self.session.files.files().len() + matches.len() > FILES_MAX {
            let text = format!("the configuration has more than {FILES_MAX} files");
            self.limit(line, from, text);
            self.halt = Some(Halt::Limit);
            return true;
        }
        let mut paths = matches;
        paths.reverse();
        let include = IncludeLine {
            line: line.clone(),
            pattern: (from, end),
            checks,
            frame,
        };
        self.stack.push(From::Files {
            paths,
            include: Some(Rc::new(include)),
        });
        true
    }

    fn include_problem(
        &mut self,
        code: Code,
        text: String,
        line: &Line,
        from: usize,
        end: usize,
        strict: bool,
    ) {
        let d = if strict {
            self.halt = Some(Halt::Include);
            Diagnostic::error(code, Class::Ok, text)
        } else if code == code::INCLUDE_NO_MATCH {
            return;
        } else {
            Diagnostic::warning(code, Class::Ok, text)
        };
        let mut d = d.at(line, from, end);
        // Quotes belong to the name here, which nobody expects.
        let name = String::from_utf8_lossy(&line.text[from..end]);
        let bare = name.trim_matches(['"', '\'']);
        if bare.len() < name.len() {
            let help = format!("write the name without quotes: {bare}");
            d = d.help(help).instead(bare);
        }
        self.session.report.push(d);
    }

    /// The paths a pattern stands for, and how many of its brace alternatives have none.
    fn matches(&self, pattern: &str) -> (Vec<String>, usize) {
        let mut paths = Vec::new();
        let mut missing = 0;
        for alternative in include::braces(pattern) {
            // One more than there may be: that there are too many is said where they are opened.
            let found = self.source.glob(&alternative, FILES_MAX + 1);
            missing += usize::from(found.is_empty());
            paths.extend(found);
            if paths.len() > FILES_MAX {
                break;
            }
        }
        (paths, missing)
    }

    /// Opens one file on top of the stack.
    pub(super) fn open(&mut self, path: &str, include: Option<&IncludeLine>) {
        let again = self.stack.iter().any(|f| match f {
            From::File(open) => self.session.files.name(open.id) == path,
            _ => false,
        });
        let mut problem = None;
        if include.is_some() && again {
            let text = format!("Configuration file '{path}' includes itself - skipping");
            problem = Some((code::INCLUDE_RECURSION, Class::General, text, false));
        } else if self.depth() >= DEPTH_MAX && include.is_some() {
            let text = format!("includes nest deeper than {DEPTH_MAX}: '{path}' - skipping");
            problem = Some((code::LIMIT, Class::General, text, false));
        } else {
            match self.source.read(path, FILE_MAX) {
                Ok(text) => {
                    self.read_text += (text.len() + path.len()) as u64;
                    if self.read_text > TEXT_MAX {
                        let text = format!("the files have more than {TEXT_MAX} bytes: '{path}'");
                        problem = Some((code::LIMIT, Class::General, text, false));
                        self.halt = Some(Halt::Limit);
                    } else {
                        self.start(path, text, include);
                    }
                }
                Err(error) => {
                    let what = match &error {
                        ReadError::Missing => "open problem (No such file or directory)".into(),
                        ReadError::Io(text) => format!("open problem ({text})"),
                        other => other.to_string(),
                    };
                    let text = format!("Configuration file '{path}' {what} - skipping");
                    let (code, class) = match error {
                        ReadError::TooLarge { .. } => (code::LIMIT, Class::General),
                        _ => (code::FILE_UNUSABLE, Class::Ok),
                    };
                    problem = Some((code, class, text, true));
                }
            }
        }
        let Some((code, class, text, unreadable)) = problem else {
            return;
        };
        let mut d = Diagnostic::error(code, class, text);
        if let Some(include) = include {
            let (start, end) = include.pattern;
            d = d.at(&include.line, start, end);
            if unreadable && include.checks.read {
                self.halt = Some(Halt::Include);
            }
        }
        self.session.report.push(d);
    }

    /// Reads on in a file that has been opened.
    fn start(&mut self, path: &str, text: Vec<u8>, include: Option<&IncludeLine>) {
        let id = self.session.files.add(path, text);
        self.stack.push(From::File(OpenFile::new(
            id,
            Shared::new(self.session.files.shared(id)),
            include::dir_of(path),
            self.checks,
            include.map(|include| include.frame.clone()),
        )));
    }
}

/// The directory of the file being read.
pub(super) fn dir(stack: &[From]) -> &str {
    let file = stack.iter().rev().find_map(|f| match f {
        From::File(open) => Some(open.dir.as_str()),
        _ => None,
    });
    file.unwrap_or("")
}

fn trim_start(text: &[u8]) -> &[u8] {
    &text[text
        .iter()
        .position(|b| !is_blank(*b))
        .unwrap_or(text.len())..]
}

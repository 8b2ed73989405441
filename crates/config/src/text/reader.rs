//! The machine that turns files into expanded lines, one at a time.
//!
//! A stack holds what lines come from: files, multi-line definitions, sequences. Each raw line
//! goes through the same steps: comment, condition, definition, uses, comment again, sequence,
//! include. What is left is handed out.

use std::borrow::Cow;
use std::rc::Rc;

use super::bytes::{Shared, Text};
use super::define::{self, Builtins, Definition, Definitions};
use super::include::{self, Checks};
use super::line::{Frame, Line, to_u32};
use super::physical::{self, Physical};
use super::sequence::{self, Values};
use super::{
    DEPTH_MAX, FILE_MAX, FILES_MAX, LINE_MAX, LINES_MAX, MADE_MAX, ROUNDS_MAX, TEXT_MAX, is_blank,
    trim,
};
use crate::code::{self, Code};
use crate::diagnostic::{Class, Diagnostic, How};
use crate::load::Options;
use crate::place::{FileId, Place};
use crate::report::Session;
use crate::source::{Host, ReadError, Source};

/// How many steps of a long way into the configuration are told, at each end of it.
const SHOWN_STEPS: usize = 4;

/// Why reading stopped before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The main file cannot be read.
    NoMainFile,
    /// A strict include failed.
    Include,
    /// A limit was reached.
    Limit,
}

/// Reads files and hands out expanded lines.
pub(crate) struct Reader<'a> {
    source: &'a dyn Source,
    host: &'a dyn Host,
    config_id: String,
    /// What was read and what is wrong with it so far.
    pub(crate) session: Session,
    definitions: Definitions,
    stack: Vec<From>,
    checks: Checks,
    /// How many lines came out of definitions and sequences.
    made: u64,
    /// How many bytes these have.
    made_text: u64,
    /// How many bytes the files have that were read, and their names.
    read_text: u64,
    halt: Option<Halt>,
}

/// What lines come from.
enum From {
    File(OpenFile),
    /// Files that are still to be read, the next one last.
    Files {
        paths: Vec<String>,
        include: Option<Rc<IncludeLine>>,
    },
    Definition {
        definition: Rc<Definition>,
        next: usize,
        frame: Rc<Frame>,
        home: (FileId, u32),
    },
    Sequence {
        names: Vec<Vec<u8>>,
        values: Values,
        body: Line,
        place: Place,
    },
}

/// The line that files are included by.
struct IncludeLine {
    line: Line,
    /// The bytes of the pattern in it.
    pattern: (usize, usize),
    checks: Checks,
    frame: Rc<Frame>,
}

/// A file being read.
struct OpenFile {
    id: FileId,
    text: Shared,
    /// The first byte at or behind the line that may be a comment or a NUL, and the first one
    /// that makes words other than plain.
    odd: usize,
    special: usize,
    /// The line being read, from 1, and where it starts and ends.
    line: u32,
    start: usize,
    end: usize,
    /// Where the next part of the line starts, if it was too long.
    column: Option<u32>,
    dir: String,
    /// What the checks were before this file.
    checks_before: Checks,
    frame: Option<Rc<Frame>>,
}

impl OpenFile {
    /// Goes on to the next line; `false` behind the last one.
    fn next_line(&mut self) -> bool {
        if self.line > 0 {
            self.start = self.end + 1;
        }
        let Some(rest) = self.text.get(self.start..).filter(|rest| !rest.is_empty()) else {
            return false;
        };
        self.line += 1;
        self.end = self.start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        // One search over many lines tells what need not be looked for in each of them.
        let behind = |found: Option<usize>| found.map_or(usize::MAX, |at| self.start + at);
        if self.odd < self.start || self.line == 1 {
            self.odd = behind(memchr::memchr3(0, b'#', b'!', rest));
        }
        if self.special < self.start || self.line == 1 {
            self.special = behind(memchr::memchr3(b'$', b'"', b'\\', rest));
        }
        true
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(options: &Options, source: &'a dyn Source, host: &'a dyn Host) -> Self {
        let config_id = options.config_id.clone().unwrap_or_else(|| {
            let name = host.host_name();
            name.split('.').next().unwrap_or("").to_owned()
        });
        Self {
            source,
            host,
            config_id,
            session: Session::default(),
            definitions: Definitions::default(),
            stack: Vec::new(),
            checks: if options.strict_includes {
                Checks::ALL
            } else {
                Checks::default()
            },
            made: 0,
            made_text: 0,
            read_text: 0,
            halt: None,
        }
    }

    /// How many bytes were read and made.
    pub(crate) const fn size(&self) -> u64 {
        self.read_text + self.made_text
    }

    /// Why reading stopped early, if it did.
    pub(crate) const fn halted(&self) -> Option<Halt> {
        self.halt
    }

    /// `include_check`: sets what the following includes of this file check; gives the numbers
    /// of the words that mean nothing.
    pub(crate) fn include_check(&mut self, words: &[&str]) -> Vec<usize> {
        self.checks.apply(words)
    }

    /// `random_seed`.
    pub(crate) fn seed(&mut self, seed: u64) {
        self.definitions.seed(seed);
    }

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

    /// The next expanded line that is not blank.
    pub(crate) fn next_line(&mut self) -> Option<Line> {
        while self.halt.is_none() {
            let raw = self.next_raw()?;
            let limit = if self.made > LINES_MAX {
                Some(format!("{LINES_MAX} lines"))
            } else {
                (self.made_text > MADE_MAX).then(|| format!("{MADE_MAX} bytes"))
            };
            if let Some(limit) = limit {
                let text = format!("definitions and sequences expand to more than {limit}");
                self.limit(&raw, 0, text);
                self.halt = Some(Halt::Limit);
                return None;
            }
            if let Some(line) = self.process(raw) {
                return Some(line);
            }
        }
        None
    }

    /// The next line before any expansion.
    fn next_raw(&mut self) -> Option<Line> {
        loop {
            match self.stack.last_mut()? {
                From::File(_) => {
                    if let Some(line) = self.next_physical() {
                        return Some(line);
                    }
                }
                From::Files { paths, include } => {
                    let next = paths.pop().map(|path| (path, include.clone()));
                    match next {
                        Some((path, include)) => self.open(&path, include.as_deref()),
                        None => drop(self.stack.pop()),
                    }
                    if self.halt.is_some() {
                        return None;
                    }
                }
                From::Definition {
                    definition,
                    next,
                    frame,
                    home,
                } => {
                    if let Some(line) = definition.following().get(*next) {
                        *next += 1;
                        self.made += 1;
                        self.made_text += line.text.len() as u64 + 1;
                        return Some(line.seen_through(frame, *home));
                    }
                    self.stack.pop();
                }
                From::Sequence {
                    names,
                    values,
                    body,
                    place,
                } => {
                    if let Some(round) = values.next_round() {
                        self.made += 1;
                        self.made_text += body.text.len() as u64 + 1;
                        let mut shown = Vec::new();
                        for (name, value) in names.iter().zip(&round) {
                            let mut line = Line::made(value.clone(), *place, None);
                            line.look();
                            self.definitions.set(name.clone(), vec![line]);
                            let name = String::from_utf8_lossy(name);
                            shown.push(format!("{name}={}", String::from_utf8_lossy(value)));
                        }
                        return Some(body.in_round(&How::Sequence(shown.join(" ").into()), *place));
                    }
                    self.stack.pop();
                }
            }
        }
    }

    /// The next line of the file on top; at its end the file is closed.
    fn next_physical(&mut self) -> Option<Line> {
        let Some(From::File(file)) = self.stack.last_mut() else {
            return None;
        };
        loop {
            let column = match file.column.take() {
                Some(column) => column,
                None if file.next_line() => 0,
                None => {
                    self.checks = file.checks_before;
                    self.stack.pop();
                    return None;
                }
            };
            let line = file.line;
            let raw = &file.text[file.start..file.end];
            let special = file.special < file.end;
            let (part, next) = if special || file.odd < file.end || raw.len() > LINE_MAX {
                physical::part(raw, column)
            } else {
                let text = physical::without_end(raw).into();
                (Physical::Text { text, column }, None)
            };
            file.column = next;
            let (problem, column) = match part {
                Physical::Text {
                    text: found,
                    column,
                } => {
                    // Nobody asks for the blanks ahead of a line again.
                    let blanks = found.iter().position(|b| !is_blank(*b));
                    let blanks = blanks.unwrap_or(found.len());
                    let text = match found {
                        Cow::Borrowed(found) => {
                            let from = file.start + column as usize;
                            Text::of_file(&file.text, from + blanks..from + found.len())
                        }
                        Cow::Owned(mut found) => {
                            found.drain(..blanks);
                            found.into()
                        }
                    };
                    let column = column + to_u32(blanks);
                    let mut line = Line::new(text, file.id, line, column, file.frame.clone());
                    (line.dollar, line.quoting) = (special, special);
                    return Some(line);
                }
                Physical::TooLong { column } => ("line too long - ignoring", column),
                Physical::Nul => (
                    "configuration appears to have embedded NULs - ignoring line",
                    0,
                ),
            };
            let code = if problem.starts_with("line") {
                code::LINE_TOO_LONG
            } else {
                code::NUL
            };
            let place = Place {
                file: file.id,
                line,
                column,
                len: 0,
            };
            let d = Diagnostic::error(code, Class::General, problem).at_place(Some(place));
            self.session.report.push(d);
        }
    }

    /// Takes one raw line through all steps; `None` if nothing of it is left to hand out.
    fn process(&mut self, line: Line) -> Option<Line> {
        let mut line = line;
        let mut first = first_byte(&line);
        let conditional = first == Some(b'@');
        if conditional {
            line = self.condition(&line)?;
            first = first_byte(&line);
        }
        if self.is_done_with(&line, first) {
            return None;
        }
        if line.dollar && memchr::memchr(b'$', &line.text).is_some() {
            if !self.expand(&mut line) {
                return None;
            }
            first = first_byte(&line);
            if !conditional && first == Some(b'@') {
                line = self.condition(&line)?;
                first = first_byte(&line);
            }
            // What stood in a name may itself be a definition or a sequence.
            if self.is_done_with(&line, first) {
                return None;
            }
        }
        match first {
            None => None,
            Some(b'i') if self.include(&line) => None,
            Some(_) => Some(line),
        }
    }

    /// Takes a line that is a definition or a sequence; `false` if it is neither.
    fn is_done_with(&mut self, line: &Line, first: Option<u8>) -> bool {
        match first {
            Some(b'~') if sequence::is_sequence(line) => {
                self.sequence(line);
                true
            }
            Some(b'$') => self.definition(line),
            _ => false,
        }
    }

    /// `@id rest` and `@^id rest`: what is left when the condition holds.
    fn condition(&self, line: &Line) -> Option<Line> {
        let at = line.first() + 1;
        let negated = line.text.get(at) == Some(&b'^');
        let start = at + usize::from(negated);
        let len = line.text[start..].iter().position(|b| is_blank(*b));
        let end = start + len?;
        let equal = &line.text[start..end] == self.config_id.as_bytes();
        // An empty id (`@ idA`) matches nothing, not even when negated.
        let holds = end > start && equal != negated;
        let rest = end + line.text[end..].iter().position(|b| !is_blank(*b))?;
        holds.then(|| line.slice(rest, line.text.len()))
    }

    /// Stores a definition; reads on while its lines go on.
    fn definition(&mut self, line: &Line) -> bool {
        let Some((name, value)) = define::definition(line) else {
            return false;
        };
        let mut lines = Vec::new();
        let mut part = line.slice(value, line.text.len());
        while let Some(end) = define::continues(&part.text) {
            part.truncate(end);
            // `$NAME=\` has nothing on its first line.
            if !(lines.is_empty() && part.text.is_empty()) {
                part.keep();
                lines.push(part);
            }
            match self.next_raw() {
                Some(next) => part = next,
                None => part = Line::made(Vec::new(), line.place(0, 0), None),
            }
        }
        let end = trim_end(&part.text);
        part.truncate(end);
        part.keep();
        lines.push(part);
        self.definitions.set(name, lines);
        true
    }

    /// Replaces what the line uses; `false` if the line cannot be used.
    fn expand(&mut self, line: &mut Line) -> bool {
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
    fn sequence(&mut self, line: &Line) {
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
                let body = line.slice(body.min(line.text.len()), line.text.len());
                let sequence::Sequence { names, values } = sequence;
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

    /// Opens the files of an include line; `false` if the line is none.
    fn include(&mut self, line: &Line) -> bool {
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
        let parent = line.frame(from).cloned();
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
    fn open(&mut self, path: &str, include: Option<&IncludeLine>) {
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
        self.stack.push(From::File(OpenFile {
            id,
            text: Shared::new(self.session.files.shared(id)),
            odd: 0,
            special: 0,
            line: 0,
            start: 0,
            end: 0,
            column: None,
            dir: include::dir_of(path).to_owned(),
            checks_before: self.checks,
            frame: include.map(|include| include.frame.clone()),
        }));
    }

    /// How deep what is read nests.
    fn depth(&self) -> usize {
        let queues = |from: &&From| !matches!(from, From::Files { .. });
        self.stack.iter().filter(queues).count()
    }

    fn push(&mut self, line: &Line, from: From) {
        if self.depth() >= DEPTH_MAX {
            let text = format!("definitions, sequences and includes nest deeper than {DEPTH_MAX}");
            self.limit(line, line.first(), text);
            return;
        }
        self.stack.push(from);
    }

    fn limit(&mut self, line: &Line, at: usize, text: String) {
        let d = Diagnostic::error(code::LIMIT, Class::General, text);
        self.session.report.push(d.at(line, at, line.text.len()));
    }

    /// The last line read so far, for what is wrong with the whole.
    pub(crate) fn end_place(&self) -> Option<Place> {
        let (file, _) = self.session.files.files().next()?;
        let line = self.session.files.line_count(file).max(1);
        let len = to_u32(self.session.files.line(file, line).len());
        Some(Place {
            file,
            line,
            column: 0,
            len,
        })
    }
}

/// The first byte of a line that is not blank.
fn first_byte(line: &Line) -> Option<u8> {
    line.text.get(line.first()).copied()
}

/// The directory of the file being read.
fn dir(stack: &[From]) -> &str {
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

fn trim_end(text: &[u8]) -> usize {
    text.iter()
        .rposition(|b| !is_blank(*b))
        .map_or(0, |at| at + 1)
}

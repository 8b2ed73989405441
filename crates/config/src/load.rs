//! The way of a configuration: reader, parser, build.

use std::collections::HashSet;

use crate::build::Build;
use crate::cascade;
use crate::code::{self, Code};
use crate::diagnostic::{Class, Diagnostic, Unsupported};
use crate::interfaces;
use crate::model::Config;
use crate::pass::Pass;
use crate::place::{Place, SourceMap};
use crate::report::{DIAGNOSTICS_MAX, Session};
use crate::source::{Host, Source};
use crate::text::{Halt, Reader};
use crate::tree::{Node, Parser};

/// How to load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `-i`: what `@id` lines compare with; `None` takes the host name up to its first dot.
    pub config_id: Option<String>,
    /// `-e`: every include check is on.
    pub strict_includes: bool,
    /// `-t`: malformed numbers are refused instead of being made the best of.
    pub test_mode: bool,
}

/// Whether a daemon can start with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It can, perhaps without some parts.
    Usable,
    /// The main file cannot be read: keepalived ends with status 6 before it daemonises.
    NoMainFile,
    /// A strict include failed: status 6, too.
    IncludeFailed,
    /// A required value is missing, an interface is not there, or two instances are one virtual
    /// router: the child ends with status 2, and the daemon with it.
    Permanent,
}

/// What became of a configuration.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it means, without the parts that cannot be used.
    pub config: Config,
    /// What is wrong with it, in the order of reading.
    pub diagnostics: Vec<Diagnostic>,
    /// Keywords that are known but do nothing yet.
    pub unsupported: Vec<Unsupported>,
    /// The text, for rendering diagnostics.
    pub files: SourceMap,
    /// Whether a daemon can start with it.
    pub outcome: Outcome,
    /// How many diagnostics there were beyond those kept.
    pub dropped: usize,
    /// How many bytes of text there were: the files and their names, and what definitions and
    /// sequences made of them. Memory is at most a hundred times this, and a little.
    pub size: u64,
    status: u8,
}

impl Loaded {
    /// The exit status of a configuration test: 0, 2, 4, 5 or 6.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        self.status
    }
}

/// Reads `main_file` and all it includes. Never fails as a whole: what is wrong is in
/// [`Loaded::diagnostics`], and [`Loaded::config`] holds the rest.
#[must_use]
pub fn load(main_file: &str, options: &Options, source: &dyn Source, host: &dyn Host) -> Loaded {
    let mut reader = Reader::new(options, source, host);
    reader.open_main(main_file);
    let mut parser = Parser::default();
    let mut build = Build::new(host, !options.test_mode);
    feed(&mut parser, &mut reader, None, &mut build, &mut |_| true);
    let by_pass = parser.is_tangled() && reader.halted().is_none();
    if by_pass {
        (reader, build) = load_by_pass(main_file, options, source, host, parser.open());
    }
    let halt = reader.halted();
    let size = reader.size();
    let no_namespace = build.no_namespace();
    build.session = std::mem::take(&mut reader.session);
    let stopped = build.is_stopped();
    let ended_early = build.is_over();
    let built = if no_namespace || halt == Some(Halt::Include) {
        build.abandon()
    } else {
        build.finish()
    };
    let Session { files, mut report } = built.session;
    if by_pass {
        // What is wrong with the text itself comes first, line by line: the rest may follow.
        report.diagnostics.sort_by_key(|d| {
            let line = d.place.map(|place| (place.file, place.line));
            let line = line.filter(|_| d.code <= code::MISSING_OPEN);
            let first = d.code == code::MISSING_OPEN || d.code < code::UNKNOWN_KEYWORD;
            (line.is_none(), line, !first)
        });
    }
    interfaces::advise(&mut report.diagnostics, &files, host);
    cascade::trace(&mut report.diagnostics, &files);
    if report.dropped > 0 {
        let text = format!(
            "{} more messages are not shown: {DIAGNOSTICS_MAX} are kept",
            report.dropped
        );
        report.diagnostics.push(Diagnostic::note(code::LIMIT, text));
    }
    let status = match halt {
        Some(Halt::Include) => Class::Security.exit_status(),
        // keepalived stops checking here, whatever it found before.
        _ if no_namespace && !ended_early => 0,
        _ if stopped => 2,
        _ => report.highest.exit_status(),
    };
    let outcome = match halt {
        Some(Halt::NoMainFile) => Outcome::NoMainFile,
        Some(Halt::Include) => Outcome::IncludeFailed,
        _ if built.permanent_error => Outcome::Permanent,
        _ => Outcome::Usable,
    };
    Loaded {
        config: built.config,
        diagnostics: report.diagnostics,
        unsupported: built.unsupported,
        files,
        outcome,
        dropped: report.dropped,
        size,
        status,
    }
}

/// Hands what `parser` makes of the text on to `build`, as far as it is `wanted`. Messages go to
/// `apart` if that is given, and else to the session of the reader.
fn feed(
    parser: &mut Parser,
    reader: &mut Reader<'_>,
    mut apart: Option<&mut Session>,
    build: &mut Build<'_>,
    wanted: &mut dyn FnMut(&mut Node) -> bool,
) {
    while !build.is_over() {
        let Some(mut node) = parser.next_top(reader, &mut |k, s| build.skips(k, s)) else {
            break;
        };
        if wanted(&mut node) {
            let session = apart.as_deref_mut().unwrap_or(&mut reader.session);
            build.session = std::mem::take(session);
            build.top(node);
            *session = std::mem::take(&mut build.session);
        }
    }
}

/// Reads a text whose braces do not pair once for each of keepalived's processes, which see it
/// differently. What several of them say is told once, and a block that several read is one.
fn load_by_pass<'a>(
    main_file: &str,
    options: &Options,
    source: &'a dyn Source,
    host: &'a dyn Host,
    open: &[Place],
) -> (Reader<'a>, Build<'a>) {
    let mut build = Build::new(host, !options.test_mode);
    let mut told: HashSet<(Code, Option<Place>, String)> = HashSet::new();
    let mut new = move |d: &Diagnostic| told.insert((d.code, d.place, d.message.clone()));
    let mut shared = HashSet::new();
    let mut once = |node: &mut Node| {
        node.retain_problems(&mut new);
        match node {
            Node::Problem(d) => new(d),
            Node::Block(keyword, heading, _) if Pass::is_shared(keyword) => {
                shared.insert(heading.line.home)
            }
            _ => true,
        }
    };
    let mut first = Reader::new(options, source, host);
    first.open_main(main_file);
    feed(
        &mut Parser::of(Pass::Parent, open),
        &mut first,
        None,
        &mut build,
        &mut once,
    );
    // What the checkers refer to comes first.
    for pass in [Pass::Vrrp, Pass::Checker, Pass::Bfd] {
        if first.halted().is_some() || build.no_namespace() {
            break;
        }
        let mut reader = Reader::new(options, source, host);
        reader.open_main(main_file);
        // The same files have the same numbers; what is wrong with reading them has been said.
        feed(
            &mut Parser::of(pass, open),
            &mut reader,
            Some(&mut first.session),
            &mut build,
            &mut once,
        );
    }
    (first, build)
}

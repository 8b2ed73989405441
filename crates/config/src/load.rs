//! The way of a configuration: reader, parser, build.

use crate::build::Build;
use crate::code;
use crate::diagnostic::{Class, Diagnostic, Unsupported};
use crate::model::Config;
use crate::place::SourceMap;
use crate::report::Session;
use crate::source::{Host, Source};
use crate::text::{Halt, Reader};
use crate::tree::Parser;

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
    while !build.is_over() {
        let Some(node) = parser.next_top(&mut reader, &mut |k, s| build.skips(k, s)) else {
            break;
        };
        build.session = std::mem::take(&mut reader.session);
        build.top(node);
        reader.session = std::mem::take(&mut build.session);
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
    if report.dropped > 0 {
        let text = format!("{} more messages are not shown", report.dropped);
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

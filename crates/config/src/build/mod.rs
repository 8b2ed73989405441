//! From the tree to the typed configuration.
//!
//! Statements are read in file order, as keepalived does; what depends on settings that may come
//! later (script security, dynamic interfaces, sync groups) is settled at the end.

#![allow(
    clippy::collapsible_match,
    reason = "a guard that reports something would hide that it does"
)]

mod address;
mod advise;
mod at;
mod authentication;
mod balance;
mod check;
mod checker;
mod command;
mod device;
mod earlier;
mod encap;
mod entry;
mod finish;
mod global;
mod group;
mod heading;
mod http;
mod instance;
mod lvs;
mod member;
mod route;
mod rule;
mod script;
mod seen;
mod server;
mod server_group;
mod service;
mod setting;
mod settle;
mod top;
mod track;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use compact_str::CompactString;
use rustc_hash::FxHashMap;

use crate::code::{self, Code};
use crate::diagnostic::{Class, Diagnostic, Unsupported};
use crate::model::{Config, Origin};
use crate::pass::Pass;
use crate::report::{Report, Session};
use crate::source::Host;
use crate::table::{Context, Keyword, Repeat};
use crate::tree::Statement;

pub(crate) use at::At;
use check::Val;
use earlier::earlier;

/// A value is missing without which nothing more is read.
#[derive(Debug)]
pub(crate) struct Stop;

/// The number of each thing of a kind. Most names are short, and then stand in the table itself.
type Names = FxHashMap<CompactString, usize>;

/// The typed configuration while it is being made.
pub(crate) struct Build<'a> {
    host: &'a dyn Host,
    /// Malformed numbers are made the best of.
    lenient: bool,
    /// Text and diagnostics; lent by the reader while a node is read.
    pub(crate) session: Session,
    config: Config,
    unsupported: FxHashMap<(Context, &'static str), usize>,
    reports: Vec<Unsupported>,
    interfaces: FxHashMap<String, bool>,
    /// The interfaces there are, once a name must not be one of them.
    names: OnceCell<HashSet<String>>,
    directories: FxHashMap<String, bool>,
    globals: global::RawGlobals,
    instances: Vec<instance::RawInstance>,
    instance_names: Names,
    scripts: Vec<script::RawScript>,
    script_names: Names,
    file_names: Names,
    /// Files that are dropped because their directory is not there; nothing counts about them.
    lost_files: HashSet<String>,
    process_names: Names,
    bfd_names: Names,
    /// Sessions that cannot be used; a check of one is there, and never hears of it.
    lost_bfds: HashSet<String>,
    groups: Vec<group::RawGroup>,
    group_names: Names,
    track_groups: Vec<group::RawTrackGroup>,
    track_group_names: Names,
    statics: address::Statics,
    free_priorities: rule::FreePriorities,
    lvs: lvs::Lvs,
    /// Pacing of announcements by interface, once the groups are settled.
    garp_pace: HashMap<String, (Duration, Duration)>,
    /// A daemon would end with this configuration.
    permanent_error: bool,
    /// Something names an interface that is not there.
    interface_missing: bool,
    /// The first pass that ended before the end of the text, if one did.
    ended: Option<Pass>,
    /// That was for the lack of a value.
    stopped: bool,
}

/// The end of a build.
pub(crate) struct Built {
    pub(crate) config: Config,
    pub(crate) unsupported: Vec<Unsupported>,
    pub(crate) session: Session,
    /// The daemon cannot run with it.
    pub(crate) permanent_error: bool,
}

impl<'a> Build<'a> {
    pub(crate) fn new(host: &'a dyn Host, lenient: bool) -> Self {
        Self {
            host,
            lenient,
            session: Session::default(),
            config: Config::default(),
            unsupported: FxHashMap::default(),
            reports: Vec::new(),
            interfaces: FxHashMap::default(),
            names: OnceCell::new(),
            directories: FxHashMap::default(),
            globals: global::RawGlobals::default(),
            instances: Vec::new(),
            instance_names: Names::default(),
            scripts: Vec::new(),
            script_names: Names::default(),
            file_names: Names::default(),
            lost_files: HashSet::new(),
            process_names: Names::default(),
            bfd_names: Names::default(),
            lost_bfds: HashSet::new(),
            groups: Vec::new(),
            group_names: Names::default(),
            track_groups: Vec::new(),
            track_group_names: Names::default(),
            statics: address::Statics::default(),
            free_priorities: rule::FreePriorities::default(),
            lvs: lvs::Lvs::default(),
            garp_pace: HashMap::new(),
            permanent_error: false,
            interface_missing: false,
            ended: None,
            stopped: false,
        }
    }

    /// Whether nothing that follows is read.
    pub(crate) fn is_over(&self) -> bool {
        self.ended == Some(Pass::Parent)
    }

    /// Whether a value was missing without which reading goes no further.
    pub(crate) const fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Remembers a keyword that nothing acts upon.
    fn note_support(&mut self, context: Context, keyword: &'static Keyword, at: &Statement) {
        if keyword.supported(context) {
            return;
        }
        let index = *self
            .unsupported
            .entry((context, keyword.name))
            .or_insert_with(|| {
                let (file, line) = at.line.home;
                self.reports.push(Unsupported {
                    keyword: keyword.name.to_owned(),
                    context: context.name(),
                    file,
                    line,
                    count: 0,
                });
                self.reports.len() - 1
            });
        self.reports[index].count += 1;
    }

    /// Checks a statement by its row; `None` if it is not to be used.
    fn value(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
    ) -> Result<Option<Val>, Stop> {
        check::statement(keyword, statement, self.lenient, &mut self.session.report)
    }

    /// Whether a repeated keyword must be ignored; `seen` tells whether there was one before.
    fn repeated(&mut self, keyword: &'static Keyword, seen: bool, statement: &Statement) -> bool {
        if !seen || keyword.repeat == Repeat::Allowed {
            return false;
        }
        let first = keyword.repeat == Repeat::FirstHolds;
        let what = if first {
            "ignoring"
        } else {
            "replacing the earlier one"
        };
        let text = format!("{} already specified - {what}", keyword.name);
        self.report_at(code::REPEATED, Class::General, text, statement, 0);
        first
    }

    fn report(&mut self) -> &mut Report {
        &mut self.session.report
    }

    fn report_at(
        &mut self,
        code: Code,
        class: Class,
        text: impl Into<String>,
        statement: &Statement,
        n: usize,
    ) {
        let mut d = Diagnostic::error(code, class, text);
        if code == code::REPEATED
            && !self.session.report.is_full()
            && let Some(place) = earlier(&self.session.files, statement)
        {
            d = d.label(place, "first said here");
        }
        self.session.report.push(statement.point(d, n));
    }

    fn warn_at(
        &mut self,
        code: Code,
        class: Class,
        text: impl Into<String>,
        statement: &Statement,
        n: usize,
    ) {
        let d = Diagnostic::warning(code, class, text);
        self.session.report.push(statement.point(d, n));
    }

    /// Reports what is only known where the block of `heading` ends.
    fn report_at_end(
        &mut self,
        code: Code,
        class: Class,
        text: impl Into<String>,
        heading: &Statement,
        n: usize,
    ) {
        let d = Diagnostic::error(code, class, text);
        self.session.report.push(heading.point_at_end_of(d, n));
    }

    fn report_later(&mut self, code: Code, class: Class, text: impl Into<String>, at: &At) {
        self.session
            .report
            .push(at.put(Diagnostic::error(code, class, text)));
    }

    fn origin(&self, statement: &Statement) -> Origin {
        let (file, line) = statement.line.home;
        self.session.files.origin(file, line)
    }

    /// Whether an interface exists, asked once.
    fn interface_exists(&mut self, name: &str) -> bool {
        if let Some(known) = self.interfaces.get(name) {
            return *known;
        }
        let exists = self.host.interface_exists(name);
        self.interfaces.insert(name.to_owned(), exists);
        exists
    }

    /// Whether a directory exists, asked once for thousands of files in it.
    fn directory_exists(&mut self, path: &str) -> bool {
        if let Some(known) = self.directories.get(path) {
            return *known;
        }
        let exists = self.host.is_dir(path);
        self.directories.insert(path.to_owned(), exists);
        exists
    }

    /// Ends a block of names: every word of every line.
    fn names(&mut self, lines: &[Statement]) -> Vec<(String, At)> {
        let mut out = Vec::new();
        for line in lines {
            for (n, word) in line.words().iter().enumerate() {
                out.push((word.text.to_string(), At::of(line, n)));
            }
        }
        out
    }
}

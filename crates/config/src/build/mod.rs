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
mod track;

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::code::{self, Code};
use crate::diagnostic::{Class, Diagnostic, Unsupported};
use crate::model::{Config, Origin};
use crate::pass::Pass;
use crate::place::Place;
use crate::report::{Report, Session};
use crate::source::Host;
use crate::table::{Context, Keyword, Repeat};
use crate::tree::{Node, Statement};

pub(crate) use at::At;
use check::Val;
use earlier::earlier;

/// A value is missing without which nothing more is read.
#[derive(Debug)]
pub(crate) struct Stop;

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
    /// Boxed, so that each is freed as soon as it is settled.
    #[allow(clippy::vec_box, reason = "each is freed as soon as it is settled")]
    instances: Vec<Box<instance::RawInstance>>,
    instance_names: FxHashMap<String, usize>,
    scripts: Vec<script::RawScript>,
    script_names: FxHashMap<String, usize>,
    file_names: FxHashMap<String, usize>,
    /// Files that are dropped because their directory is not there; nothing counts about them.
    lost_files: HashSet<String>,
    process_names: FxHashMap<String, usize>,
    bfd_names: FxHashMap<String, usize>,
    /// Sessions that cannot be used; a check of one is there, and never hears of it.
    lost_bfds: HashSet<String>,
    groups: Vec<group::RawGroup>,
    group_names: FxHashMap<String, usize>,
    track_groups: Vec<group::RawTrackGroup>,
    track_group_names: FxHashMap<String, usize>,
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

/// The first pass that reads `node` of the top level.
fn first_pass(node: &Node) -> Pass {
    match node {
        Node::Problem(_) | Node::Statement(..) => Pass::Parent,
        Node::Block(keyword, ..) | Node::Lines(keyword, ..) => {
            let passes = [Pass::Parent, Pass::Checker];
            passes
                .into_iter()
                .find(|pass| pass.reads(keyword))
                .unwrap_or(Pass::Vrrp)
        }
    }
}

/// The pass that a missing value in `node` ends.
fn ended_by(node: &Node) -> Pass {
    match node {
        Node::Block(keyword, ..) if keyword.name == "bfd_instance" => Pass::Bfd,
        node => first_pass(node),
    }
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
            instance_names: FxHashMap::default(),
            scripts: Vec::new(),
            script_names: FxHashMap::default(),
            file_names: FxHashMap::default(),
            lost_files: HashSet::new(),
            process_names: FxHashMap::default(),
            bfd_names: FxHashMap::default(),
            lost_bfds: HashSet::new(),
            groups: Vec::new(),
            group_names: FxHashMap::default(),
            track_groups: Vec::new(),
            track_group_names: FxHashMap::default(),
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

    /// Reads one node of the top level.
    pub(crate) fn top(&mut self, node: Node) {
        if self.ended.is_some_and(|ended| first_pass(&node) >= ended) {
            self.open_quotes(node);
            return;
        }
        let ends = ended_by(&node);
        if self.read(node).is_err() {
            self.stopped = true;
            self.ended = Some(self.ended.map_or(ends, |ended| ended.min(ends)));
        }
        if self.globals.no_namespace && !self.is_over() {
            // Only the parent has read the text by the time it fails to enter the namespace.
            self.ended = Some(Pass::Checker);
        }
    }

    /// What is said of blocks that are not read any more: keepalived's first process looks for
    /// quotes in all of the text.
    fn open_quotes(&mut self, node: Node) {
        match node {
            Node::Problem(d) if d.code == code::QUOTE => self.session.report.push(*d),
            Node::Block(_, _, nodes) => {
                for node in nodes {
                    self.open_quotes(node);
                }
            }
            _ => {}
        }
    }

    fn read(&mut self, node: Node) -> Result<(), Stop> {
        match node {
            Node::Problem(d) => self.session.report.push(*d),
            Node::Statement(keyword, statement) => {
                self.note_support(Context::Top, keyword, &statement);
                self.global_top(keyword, &statement)?;
            }
            Node::Block(keyword, statement, nodes) => {
                self.note_support(Context::Top, keyword, &statement);
                if self.refused(keyword, &statement)? {
                    // Only problems with its braces are left of a skipped block.
                    self.problems(nodes);
                    return Ok(());
                }
                match keyword.name {
                    "global_defs" => self.global_defs(nodes)?,
                    "vrrp_instance" => self.instance(&statement, nodes)?,
                    "vrrp_script" => self.script(&statement, nodes)?,
                    "vrrp_sync_group" => self.sync_group(&statement, nodes)?,
                    "track_group" => self.track_group(&statement, nodes)?,
                    "garp_group" => self.garp_group(&statement, nodes)?,
                    "track_file" | "vrrp_track_file" => self.track_file(&statement, nodes)?,
                    "vrrp_track_process" => self.track_process(&statement, nodes)?,
                    "bfd_instance" => self.bfd_instance(&statement, nodes)?,
                    "virtual_server" => self.virtual_server(&statement, nodes)?,
                    "SSL" => self.ssl(&statement, nodes)?,
                    _ => self.lines_with_problems(nodes)?,
                }
            }
            Node::Lines(keyword, statement, lines) => {
                self.note_support(Context::Top, keyword, &statement);
                if !self.refused(keyword, &statement)? {
                    self.top_lines(keyword, &statement, &lines)?;
                }
            }
        }
        Ok(())
    }

    /// A block of lines that also has problems with its braces.
    fn lines_with_problems(&mut self, nodes: Vec<Node>) -> Result<(), Stop> {
        let mut brace_missing = false;
        for node in nodes {
            match node {
                Node::Problem(d) => {
                    brace_missing |= d.code == code::MISSING_OPEN;
                    self.session.report.push(*d);
                }
                // Here alone keepalived insists on the brace, as on a value.
                Node::Lines(keyword, statement, lines)
                    if brace_missing && keyword.name == "virtual_server_group" =>
                {
                    let first = lines.first().unwrap_or(&statement);
                    return Err(check::stop(first, 1, None, self.report()));
                }
                Node::Lines(keyword, statement, lines) => {
                    self.top_lines(keyword, &statement, &lines)?;
                }
                Node::Statement(..) | Node::Block(..) => {}
            }
        }
        Ok(())
    }

    fn top_lines(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
        lines: &[Statement],
    ) -> Result<(), Stop> {
        self.no_more_words(keyword, statement);
        match keyword.name {
            "static_ipaddress" => {
                for line in lines {
                    if let Some(entry) = self.address(line, Context::StaticIpaddress)? {
                        self.statics.addresses.push(entry);
                    }
                }
            }
            "static_routes" => {
                for line in lines {
                    if let Some(entry) = self.route(line, Context::StaticRoutes)? {
                        self.statics.routes.push(entry);
                    }
                }
            }
            "static_rules" => {
                for line in lines {
                    if let Some(entry) = self.rule(line, Context::StaticRules)? {
                        self.statics.rules.push(entry);
                    }
                }
            }
            "linkbeat_interfaces" => self.linkbeat_interfaces(lines),
            "interface_up_down_delays" => self.interface_delays(lines),
            "virtual_server_group" => self.virtual_server_group(statement, lines)?,
            _ => {}
        }
        Ok(())
    }

    /// Words between a block's keyword and its brace where none belong.
    fn no_more_words(&mut self, keyword: &'static Keyword, statement: &Statement) {
        use crate::table::{Args, Body, Heading};
        let wanted = match keyword.args {
            Args::Block(Heading::None, Body::Lines(_) | Body::Names) => 1,
            _ => return,
        };
        if let Some(extra) = statement.word(wanted) {
            let text = format!("Block {} has extra parameters {extra} ...", keyword.name);
            self.report_at(code::EXTRA_WORDS, Class::General, text, statement, wanted);
        }
    }

    /// Reports the structural problems among `nodes` and drops the rest.
    fn problems(&mut self, nodes: Vec<Node>) {
        for node in nodes {
            if let Node::Problem(d) = node {
                self.session.report.push(*d);
            }
        }
    }

    /// Whether a block cannot be used because of its heading; that is reported.
    fn refused(&mut self, keyword: &'static Keyword, statement: &Statement) -> Result<bool, Stop> {
        let crate::table::Args::Block(heading, _) = keyword.args else {
            return Ok(false);
        };
        match heading {
            crate::table::Heading::None => Ok(false),
            crate::table::Heading::Name(_) => {
                let Some(name) = statement.word(1) else {
                    if keyword.missing == crate::table::Missing::Stops {
                        check::missing(keyword, statement, 1, &mut self.session.report)?;
                    }
                    let text = format!("{} must have a name", keyword.name);
                    self.report_at(code::NAME_MISSING, Class::General, text, statement, 0);
                    return Ok(true);
                };
                if statement.words().len() > 2 {
                    match keyword.name {
                        "virtual_server_group" => {
                            return Err(check::stop(statement, 1, None, self.report()));
                        }
                        "vrrp_instance" | "vrrp_sync_group" | "track_group" => {
                            let text = format!("{} must have a name", keyword.name);
                            let d = Diagnostic::error(code::NAME_MISSING, Class::General, text)
                                .help("a name is one word; quotes make one of several");
                            self.session.report.push(statement.point(d, 2));
                            return Ok(true);
                        }
                        _ => {}
                    }
                }
                let taken = self.taken(keyword.name, name);
                if taken {
                    // keepalived says nothing about scripts and files; the first one holds.
                    let loud = matches!(
                        keyword.name,
                        "vrrp_instance" | "vrrp_sync_group" | "track_group" | "bfd_instance"
                    );
                    let class = if loud { Class::General } else { Class::Ok };
                    let what = keyword.name.replace('_', " ");
                    let text = format!("{what} {name} already defined");
                    let d = Diagnostic::warning(code::DUPLICATE, class, text);
                    let mut d = statement.point(d, 1);
                    if let Some(first) = self.first(keyword.name, name) {
                        d = d.label(first, "first defined here, and this one holds");
                    }
                    self.session.report.push(d);
                }
                Ok(taken)
            }
            crate::table::Heading::Service | crate::table::Heading::Server => {
                Ok(!self.service_heading(keyword, statement)?)
            }
        }
    }

    /// Where the block of this kind and name was defined first.
    fn first(&self, keyword: &str, name: &str) -> Option<Place> {
        let origin = match keyword {
            "vrrp_instance" => &self.instances.get(*self.instance_names.get(name)?)?.origin,
            "vrrp_sync_group" => &self.groups.get(*self.group_names.get(name)?)?.origin,
            "track_group" => {
                &self
                    .track_groups
                    .get(*self.track_group_names.get(name)?)?
                    .origin
            }
            "vrrp_script" => &self.scripts.get(*self.script_names.get(name)?)?.origin,
            "track_file" | "vrrp_track_file" => {
                &self
                    .config
                    .track_files
                    .get(*self.file_names.get(name)?)?
                    .origin
            }
            "vrrp_track_process" => {
                let n = *self.process_names.get(name)?;
                &self.config.track_processes.get(n)?.origin
            }
            "bfd_instance" => {
                let n = *self.bfd_names.get(name)?;
                &self.config.bfd_sessions.get(n)?.origin
            }
            _ => return None,
        };
        self.place_of(origin)
    }

    /// Whether the block of a statement is skipped unseen: its heading cannot be used. The
    /// message comes when the (empty) block is read.
    pub(crate) fn skips(&self, keyword: &'static Keyword, statement: &Statement) -> bool {
        let crate::table::Args::Block(heading, _) = keyword.args else {
            return false;
        };
        match heading {
            crate::table::Heading::None => false,
            crate::table::Heading::Name(_) => {
                let one_word = matches!(
                    keyword.name,
                    "vrrp_instance" | "vrrp_sync_group" | "track_group"
                );
                (one_word && statement.words().len() > 2)
                    || statement
                        .word(1)
                        .is_none_or(|name| self.taken(keyword.name, name))
            }
            crate::table::Heading::Service => self.service(statement).is_err(),
            crate::table::Heading::Server => self.server_address(statement).is_err(),
        }
    }

    fn taken(&self, keyword: &str, name: &str) -> bool {
        match keyword {
            "vrrp_instance" => self.instance_names.contains_key(name),
            "vrrp_sync_group" => self.group_names.contains_key(name),
            "track_group" => self.track_group_names.contains_key(name),
            "bfd_instance" => self.bfd_names.contains_key(name),
            "vrrp_script" => self.script_names.contains_key(name),
            "track_file" | "vrrp_track_file" => self.file_names.contains_key(name),
            "vrrp_track_process" => self.process_names.contains_key(name),
            _ => false,
        }
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

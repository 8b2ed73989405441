//! `vrrp_sync_group`, `track_group`, `garp_group`.

use std::time::Duration;

use super::command::RawCommand;
use super::track::RawTracks;
use super::{At, Build, Stop};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{GarpGroup, Origin};
use crate::table::Context;
use crate::tree::{Node, Statement};

/// The scripts of an instance or group as written.
#[derive(Debug, Default)]
pub(crate) struct RawNotify {
    pub(crate) master: Option<Box<RawCommand>>,
    pub(crate) backup: Option<Box<RawCommand>>,
    pub(crate) fault: Option<Box<RawCommand>>,
    pub(crate) stop: Option<Box<RawCommand>>,
    pub(crate) generic: Option<Box<RawCommand>>,
    pub(crate) master_rx_lower_pri: Option<Box<RawCommand>>,
    pub(crate) deleted: bool,
    pub(crate) deleted_script: Option<Box<RawCommand>>,
    pub(crate) smtp_alert: Option<bool>,
    pub(crate) priority_changes: Option<bool>,
}

/// A sync group before its members are known.
#[derive(Debug)]
pub(crate) struct RawGroup {
    pub(crate) name: String,
    pub(crate) members: Vec<(String, At)>,
    pub(crate) tracks: RawTracks,
    pub(crate) tracking_weight: bool,
    pub(crate) notify: RawNotify,
    pub(crate) at: At,
    pub(crate) origin: Origin,
}

/// A track group before its members are known.
#[derive(Debug)]
pub(crate) struct RawTrackGroup {
    pub(crate) name: String,
    pub(crate) members: Vec<(String, At)>,
    pub(crate) at: At,
    pub(crate) origin: Origin,
}

impl Build<'_> {
    pub(super) fn sync_group(&mut self, heading: &Statement, nodes: Vec<Node>) -> Result<(), Stop> {
        let name = heading.word(1).unwrap_or("").to_owned();
        let mut group = RawGroup {
            name: name.clone(),
            members: Vec::new(),
            tracks: RawTracks::default(),
            tracking_weight: false,
            notify: RawNotify::default(),
            at: At::of(heading, 1),
            origin: self.origin(heading),
        };
        let mut seen_group = false;
        let mut todo: Vec<Node> = nodes;
        todo.reverse();
        let mut left = false;
        while let Some(node) = todo.pop() {
            match node {
                Node::Problem(d) => self.session.report.push(*d),
                Node::Block(_, _, inner) => todo.extend(inner.into_iter().rev()),
                Node::Lines(_, statement, lines) if left => self.outside(&statement, &lines),
                Node::Statement(_, statement) if left => self.stray(&statement),
                Node::Lines(keyword, statement, lines) => {
                    self.note_support(Context::VrrpSyncGroup, keyword, &statement);
                    self.no_more_words(keyword, &statement);
                    if keyword.name != "group" {
                        self.track_lines(&name, keyword.name, &lines, &mut group.tracks)?;
                    } else if seen_group {
                        let text = format!("sync group {name} has a second group block - skipping");
                        // keepalived takes the end of this block for the end of the sync group.
                        self.report_at(code::REPEATED, Class::General, text, &statement, 0);
                        left = true;
                    } else {
                        seen_group = true;
                        let empty = || format!("sync group {name} has empty group block");
                        group.members = self.block_of_names(&statement, &lines, empty);
                    }
                }
                Node::Statement(keyword, statement) => {
                    self.note_support(Context::VrrpSyncGroup, keyword, &statement);
                    let Some(value) = self.value(keyword, &statement)? else {
                        continue;
                    };
                    match keyword.name {
                        "global_tracking" | "sync_group_tracking_weight" => {
                            group.tracking_weight = true;
                        }
                        "smtp_alert" => group.notify.smtp_alert = Some(value.on()),
                        "notify_priority_changes" => {
                            group.notify.priority_changes = Some(value.on());
                        }
                        _ => self.notify_keyword(keyword, &statement, &mut group.notify),
                    }
                }
            }
        }
        if left {
            self.stray_end(heading);
        }
        self.group_names.insert(name.into(), self.groups.len());
        self.groups.push(group);
        Ok(())
    }

    /// A statement behind what keepalived takes for the end of its block.
    fn stray(&mut self, statement: &Statement) {
        let text = format!("Unknown keyword '{}'", statement.keyword());
        self.report_at(
            code::UNKNOWN_KEYWORD,
            Class::UnknownKeyword,
            text,
            statement,
            0,
        );
    }

    /// The same for a block with all its lines.
    fn outside(&mut self, heading: &Statement, lines: &[Statement]) {
        self.stray(heading);
        for line in lines {
            self.stray(line);
        }
        self.stray_end(heading);
    }

    /// The closing brace of a block that keepalived has left before.
    fn stray_end(&mut self, heading: &Statement) {
        let text = "Unknown keyword '}'";
        self.report_at_end(
            code::UNKNOWN_KEYWORD,
            Class::UnknownKeyword,
            text,
            heading,
            0,
        );
    }

    /// The names of a block; that there are none is reported at its end.
    fn block_of_names(
        &mut self,
        heading: &Statement,
        lines: &[Statement],
        empty: impl Fn() -> String,
    ) -> Vec<(String, At)> {
        let found = self.names(lines);
        if found.is_empty() {
            let text = format!("Warning - {}", empty());
            let d = Diagnostic::warning(code::EMPTY_BLOCK, Class::General, text);
            self.session.report.push(heading.point_at_end_of(d, 0));
        }
        found
    }

    /// Reads a `notify*` statement; the first of each kind holds.
    pub(super) fn notify_keyword(
        &mut self,
        keyword: &'static crate::table::Keyword,
        statement: &Statement,
        notify: &mut RawNotify,
    ) {
        if keyword.name == "notify_deleted" {
            if self.repeated(keyword, notify.deleted, statement) {
                return;
            }
            notify.deleted = true;
        }
        let slot = match keyword.name {
            "notify_master" => &mut notify.master,
            "notify_backup" => &mut notify.backup,
            "notify_fault" => &mut notify.fault,
            "notify_stop" => &mut notify.stop,
            "notify" => &mut notify.generic,
            "notify_master_rx_lower_pri" => &mut notify.master_rx_lower_pri,
            "notify_deleted" => &mut notify.deleted_script,
            _ => return,
        };
        if self.repeated(keyword, slot.is_some(), statement) {
            return;
        }
        *slot = self.raw_command(statement, true).map(Box::new);
    }

    pub(super) fn track_group(
        &mut self,
        heading: &Statement,
        nodes: Vec<Node>,
    ) -> Result<(), Stop> {
        let name = heading.word(1).unwrap_or("").to_owned();
        let mut members = Vec::new();
        let mut todo: Vec<Node> = nodes;
        todo.reverse();
        while let Some(node) = todo.pop() {
            match node {
                Node::Problem(d) => self.session.report.push(*d),
                Node::Block(_, _, inner) => todo.extend(inner.into_iter().rev()),
                Node::Lines(keyword, statement, lines) => {
                    self.no_more_words(keyword, &statement);
                    let empty = || format!("track group {name} has empty group block");
                    members.extend(self.block_of_names(&statement, &lines, empty));
                }
                Node::Statement(..) => {}
            }
        }
        let (at, origin) = (At::of(heading, 1), self.origin(heading));
        self.track_group_names
            .insert(name.as_str().into(), self.track_groups.len());
        self.track_groups.push(RawTrackGroup {
            name,
            members,
            at,
            origin,
        });
        Ok(())
    }

    pub(super) fn garp_group(&mut self, heading: &Statement, nodes: Vec<Node>) -> Result<(), Stop> {
        let mut group = GarpGroup {
            origin: self.origin(heading),
            ..GarpGroup::default()
        };
        let mut has_interval = false;
        let mut names: Vec<(String, At)> = Vec::new();
        let mut brace = false;
        let mut todo: Vec<Node> = nodes;
        todo.reverse();
        while let Some(node) = todo.pop() {
            match node {
                Node::Problem(d) => {
                    brace |= d.code == code::UNEXPECTED_OPEN;
                    self.session.report.push(*d);
                }
                Node::Block(_, _, inner) => {
                    brace = false;
                    todo.extend(inner.into_iter().rev());
                }
                Node::Lines(keyword, statement, lines) => {
                    self.no_more_words(keyword, &statement);
                    let empty = || "empty garp_group interfaces block".to_owned();
                    let mut found = self.block_of_names(&statement, &lines, empty);
                    if std::mem::take(&mut brace) {
                        // An opening brace is taken for a name.
                        found.push(("{".to_owned(), At::end_of(&statement)));
                    }
                    // keepalived looks at them where their block ends.
                    let end = At::end_of(&statement);
                    names.extend(found.into_iter().map(|(name, at)| (name, end.with(&at))));
                }
                Node::Statement(keyword, statement) => {
                    let Some(value) = self.value(keyword, &statement)? else {
                        continue;
                    };
                    let time = value.duration().unwrap_or(Duration::ZERO);
                    match keyword.name {
                        "garp_interval" => (group.garp_interval, has_interval) = (time, true),
                        "gna_interval" => (group.gna_interval, has_interval) = (time, true),
                        _ => {
                            group.separate = true;
                            let name = statement.word(1).unwrap_or("").to_owned();
                            names.push((name, At::of(&statement, 1)));
                        }
                    }
                }
            }
        }
        for (name, at) in names {
            if !self.globals.garp_taken.insert(name.clone()) {
                let text = format!("garp_group already specified for {name} - ignoring");
                self.report_later(code::REPEATED, Class::General, text, &at);
            } else {
                self.globals.garp_interfaces.push((name.clone(), at));
                group.interfaces.push(name);
            }
        }
        if has_interval {
            self.config.garp_groups.push(group);
        } else {
            let n = self.config.garp_groups.len() + 1;
            let text = format!("garp group {n} does not have any delay set - removing");
            self.report_at_end(code::GROUP, Class::General, text, heading, 0);
        }
        Ok(())
    }
}

//! What is tracked: the lines of `track_*` blocks, `track_file`, `vrrp_track_process`,
//! `bfd_instance`, and the small top-level lists of interfaces.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use super::check::{self, Val};
use super::{At, Build, Stop, advise};
use crate::code;
use crate::diagnostic::Class;
use crate::model::{
    BfdSession, InitFile, InterfaceDelay, Linkbeat, LinkbeatMethod, Origin, ParamMatch, TrackFile,
    TrackProcess,
};
use crate::table::Value;
use crate::tree::{Node, Statement};

/// One line of a `track_*` block as it was written.
#[derive(Clone, Debug)]
pub(crate) struct RawTracked {
    pub(crate) name: String,
    pub(crate) weight: Option<i32>,
    pub(crate) reverse: Option<bool>,
    pub(crate) at: At,
    pub(crate) origin: Origin,
}

/// The `track_*` blocks of an instance or a group.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawTracks {
    pub(crate) interfaces: Vec<RawTracked>,
    pub(crate) scripts: Vec<RawTracked>,
    pub(crate) files: Vec<RawTracked>,
    pub(crate) processes: Vec<RawTracked>,
    pub(crate) bfd: Vec<RawTracked>,
}

impl Build<'_> {
    /// Reads a `track_*` block of `owner` into `tracks`.
    pub(super) fn track_lines(
        &mut self,
        owner: &str,
        block: &str,
        lines: &[Statement],
        tracks: &mut RawTracks,
    ) -> Result<(), Stop> {
        let what = block.trim_start_matches("track_");
        let list = match block {
            "track_interface" => &mut tracks.interfaces,
            "track_script" => &mut tracks.scripts,
            "track_file" => &mut tracks.files,
            "track_process" => &mut tracks.processes,
            _ => &mut tracks.bfd,
        };
        list.reserve_exact(lines.len());
        let mut seen: HashSet<String> = list.iter().map(|t| t.name.clone()).collect();
        // Nothing is there twice where one thing is.
        let several = list.len() + lines.len() > 1;
        for line in lines {
            let name = line.keyword();
            let (known, limit) = match block {
                "track_interface" => (true, 253),
                "track_script" => (self.script_names.contains_key(name), 253),
                "track_file" => (self.file_names.contains_key(name), 254),
                "track_process" => (self.process_names.contains_key(name), 254),
                // A session for health checks alone is none for the instances.
                _ => (self.bfd_for(name, |session| session.vrrp), 253),
            };
            if !known {
                let text = format!("({owner}) track {what} {name} not found, ignoring...");
                let lost = block == "track_file" && self.lost_files.contains(name);
                let class = if lost { Class::Ok } else { Class::General };
                let d = crate::Diagnostic::error(code::NOT_DEFINED, class, text);
                let d = line.point(d, 0);
                let defined = match block {
                    "track_script" => &self.script_names,
                    "track_file" => &self.file_names,
                    "track_process" => &self.process_names,
                    _ => &self.bfd_names,
                };
                let hint = advise::nearest_name(name, defined).map(str::to_owned);
                let kind = match block {
                    "track_file" => "track_file",
                    "track_script" => "vrrp_script",
                    "track_process" => "vrrp_track_process",
                    _ => "bfd_instance",
                };
                self.session.report.push(match hint {
                    Some(hint) => d.instead(&hint),
                    None if matches!(name, "script" | "interval" | "file" | "process")
                        || name.contains('/') =>
                    {
                        d.help(format!(
                            "here stands only the name of a {kind}: define {kind} NAME {{ ... }} \
                             outside of this block, and write NAME here"
                        ))
                    }
                    None => d.help(format!(
                        "define it ahead of this block: {kind} {name} {{ ... }}"
                    )),
                });
                continue;
            }
            if several && !seen.insert(name.to_owned()) {
                let text = format!("({owner}) duplicate track_{what} {name} - ignoring");
                self.report_at(code::REPEATED, Class::General, text, line, 0);
                continue;
            }
            let mut tracked = RawTracked {
                name: name.to_owned(),
                weight: None,
                reverse: None,
                at: At::of(line, 0),
                origin: self
                    .session
                    .files
                    .origin(line.line.home.0, line.line.home.1),
            };
            let mut dropped = false;
            match line.word(1) {
                None => {}
                Some("weight") if line.word(2).is_none() => {
                    let text = format!("weight without value specified for track {what} {name}");
                    self.report_at(code::VALUE_MISSING, Class::General, text, line, 1);
                }
                Some("weight") => {
                    (tracked.weight, tracked.reverse, dropped) =
                        self.tracked_weight(owner, block, line, limit);
                }
                Some(option) => {
                    let text = format!("({owner}) unknown track {what} option {option} - ignoring");
                    let d = crate::Diagnostic::error(code::UNKNOWN_WORD, Class::General, text);
                    let d = line.point(d, 1);
                    self.session.report.push(match option.split_once('=') {
                        Some((word, value)) => d
                            .help(format!("write `{word} {value}`, without the `=`"))
                            .instead(&format!("{word} {value}")),
                        None => advise::one_of(option, &["weight", "reverse", "noreverse"], d),
                    });
                    dropped = matches!(block, "track_file" | "track_bfd");
                }
            }
            if dropped {
                continue;
            }
            list.push(tracked);
        }
        Ok(())
    }

    /// Whether there is a session of this name that `told` its events.
    pub(super) fn bfd_for(&self, name: &str, told: impl Fn(&BfdSession) -> bool) -> bool {
        let session = self.bfd_names.get(name);
        session.is_some_and(|n| self.config.bfd_sessions.get(*n).is_some_and(told))
    }

    fn tracked_weight(
        &mut self,
        owner: &str,
        block: &str,
        line: &Statement,
        limit: i32,
    ) -> (Option<i32>, Option<bool>, bool) {
        let any = Value::Int {
            min: -254,
            max: 254,
            any_base: false,
        };
        let value = check::word(any, line, 2, self.lenient, &mut self.session.report);
        let mut weight: Option<i32> = value.and_then(|v| v.int());
        if let Some(w) = weight.filter(|w| w.abs() > limit) {
            let name = line.keyword();
            let text = format!("({owner}) weight for {name} cannot be +/-254. Setting to +/-253");
            self.report_at(code::OUT_OF_RANGE, Class::BadNumber, text, line, 2);
            weight = (block != "track_bfd").then(|| w.clamp(-limit, limit));
        }
        if block == "track_interface" {
            weight = Some(weight.unwrap_or(0));
        }
        let (reverse, dropped) = match line.word(3) {
            None => (None, false),
            Some("reverse") => (Some(true), false),
            Some("noreverse") if block != "track_interface" => (Some(false), false),
            Some(other) => {
                let text = format!("({owner}) unknown track option {other} - ignoring");
                self.report_at(code::UNKNOWN_WORD, Class::General, text, line, 3);
                (None, matches!(block, "track_file" | "track_bfd"))
            }
        };
        (weight, reverse, dropped)
    }

    pub(super) fn track_file(&mut self, heading: &Statement, nodes: Vec<Node>) -> Result<(), Stop> {
        let name = heading.word(1).unwrap_or("").to_owned();
        let mut file: Option<(String, At)> = None;
        let mut weight = 1;
        let mut reverse = false;
        let mut has_weight = false;
        let mut init_file = None;
        if heading.keyword() == "vrrp_track_file" {
            let d = crate::Diagnostic::note(
                code::OLD_SPELLING,
                "vrrp_track_file is an old spelling of track_file",
            );
            self.session.report.push(heading.point(d, 0));
        }
        for node in nodes {
            let Some((keyword, statement)) = self.plain(node) else {
                continue;
            };
            let Some(_) = self.value(keyword, &statement)? else {
                continue;
            };
            match keyword.name {
                "file" => {
                    if !self.repeated(keyword, file.is_some(), &statement) {
                        let path = statement.word(1).unwrap_or("").to_owned();
                        file = Some((path, At::of(&statement, 1)));
                    }
                }
                "weight" => {
                    if has_weight {
                        let text = format!("Weight already set for track file {name} - ignoring");
                        self.report_at(code::REPEATED, Class::General, text, &statement, 0);
                    } else if let Some((w, r)) = self.weight(&statement, 1, 254, false) {
                        (weight, reverse) = (w, r.unwrap_or(false));
                        // What is the default is taken for none.
                        has_weight = w != 1;
                    }
                }
                "init_file" => init_file = Some(self.init_file(&statement)),
                _ => {}
            }
        }
        let Some((file, at)) = file else {
            let text = format!("No file set for track_file {name} - removing");
            self.report_at_end(code::VALUE_MISSING, Class::General, text, heading, 1);
            return Ok(());
        };
        // The file itself may come later; its directory is what can be watched.
        let dir = file
            .rfind('/')
            .map_or(".", |at| if at == 0 { "/" } else { &file[..at] });
        if !self.directory_exists(dir) {
            let text = format!("realpath() error 2 (No such file or directory) for {name}");
            let d = crate::Diagnostic::error(code::NO_PATH, Class::Ok, text)
                .help(format!("there is no directory {dir}"));
            let d = heading.point_at_end_of(d, 1);
            self.session.report.push(at.also(d, "this file"));
            self.lost_files.insert(name);
            return Ok(());
        }
        self.file_names
            .insert(name.as_str().into(), self.config.track_files.len());
        let origin = self.origin(heading);
        let entry = TrackFile {
            name,
            file,
            weight,
            reverse,
            init_file,
            origin,
        };
        self.config.track_files.push(entry);
        Ok(())
    }

    fn init_file(&mut self, statement: &Statement) -> InitFile {
        let mut init = InitFile {
            value: 0,
            overwrite: false,
        };
        for n in 1..statement.words().len() {
            let word = statement.word(n).unwrap_or("");
            if word == "overwrite" {
                init.overwrite = true;
                continue;
            }
            let any = Value::Int {
                min: i64::from(i32::MIN),
                max: i32::MAX as u64,
                any_base: false,
            };
            let value = check::word(any, statement, n, self.lenient, &mut self.session.report);
            init.value = value.and_then(|v| v.int()).unwrap_or(0);
            if init.value.checked_abs().is_none_or(|v| v > 254) {
                let text = format!("init_file value {} is outside sensible range", init.value);
                self.warn_at(code::OUT_OF_RANGE, Class::General, text, statement, n);
            }
        }
        init
    }

    pub(super) fn track_process(
        &mut self,
        heading: &Statement,
        nodes: Vec<Node>,
    ) -> Result<(), Stop> {
        let name = heading.word(1).unwrap_or("").to_owned();
        let mut process = TrackProcess {
            name: name.clone(),
            process: Vec::new(),
            param_match: ParamMatch::None,
            weight: 0,
            reverse: false,
            quorum: 1,
            quorum_max: None,
            terminate_delay: Duration::ZERO,
            fork_delay: Duration::ZERO,
            full_command: false,
            origin: self.origin(heading),
        };
        for node in nodes {
            let Some((keyword, statement)) = self.plain(node) else {
                continue;
            };
            let Some(value) = self.value(keyword, &statement)? else {
                continue;
            };
            let time = value.duration().unwrap_or_default();
            match keyword.name {
                "process" => {
                    if !self.repeated(keyword, !process.process.is_empty(), &statement) {
                        process.process = statement
                            .args()
                            .iter()
                            .map(|w| w.text.to_string())
                            .collect();
                        if process.process.len() > 1 {
                            process.param_match = ParamMatch::Exact;
                        }
                    }
                }
                "param_match" => match statement.word(1) {
                    None => process.param_match = ParamMatch::Exact,
                    Some("initial") => process.param_match = ParamMatch::Initial,
                    Some("partial") => process.param_match = ParamMatch::Partial,
                    Some(other) => {
                        let text = format!("Unknown param_match type {other}");
                        self.report_at(code::UNKNOWN_WORD, Class::General, text, &statement, 1);
                    }
                },
                "weight" if process.weight != 0 => {
                    let text = format!("Weight already set for track process {name} - ignoring");
                    self.report_at(code::REPEATED, Class::General, text, &statement, 0);
                }
                "weight" => {
                    if let Some((w, r)) = self.weight(&statement, 1, 254, false) {
                        (process.weight, process.reverse) = (w, r.unwrap_or(false));
                    }
                }
                "quorum" => process.quorum = value.int().unwrap_or(1),
                "quorum_max" => process.quorum_max = value.int(),
                "delay" => (process.terminate_delay, process.fork_delay) = (time, time),
                "terminate_delay" => process.terminate_delay = time,
                "fork_delay" => process.fork_delay = time,
                "full_command" => process.full_command = true,
                _ => {}
            }
        }
        if process.process.is_empty() {
            let text = format!("No process set for vrrp_track_process {name} - removing");
            self.report_at_end(code::VALUE_MISSING, Class::General, text, heading, 1);
            return Ok(());
        }
        if process.quorum_max == Some(0) {
            process.quorum = 0;
        } else if process.quorum_max.is_some_and(|max| max < process.quorum) {
            let text = format!("quorum of {name} is above its quorum_max");
            self.report_at_end(code::SETTING, Class::General, text, heading, 1);
            process.quorum_max = None;
        }
        self.process_names
            .insert(name.into(), self.config.track_processes.len());
        self.config.track_processes.push(process);
        Ok(())
    }

    pub(super) fn bfd_instance(
        &mut self,
        heading: &Statement,
        nodes: Vec<Node>,
    ) -> Result<(), Stop> {
        let name = heading.word(1).unwrap_or("").to_owned();
        let mut neighbor: Option<IpAddr> = None;
        let mut source = None;
        let mut session = BfdSession {
            name: name.clone(),
            neighbor_ip: IpAddr::from([0, 0, 0, 0]),
            source_ip: None,
            min_rx: Duration::from_millis(10),
            min_tx: Duration::from_millis(10),
            idle_tx: Duration::from_secs(1),
            multiplier: 5,
            passive: false,
            ttl: None,
            max_hops: Some(0),
            multihop: false,
            weight: 0,
            reverse: false,
            vrrp: false,
            checker: false,
            origin: self.origin(heading),
        };
        if name.len() > 31 {
            let text = format!("BFD instance name {name} is longer than 31 bytes");
            self.report_at(code::TOO_LONG, Class::General, text, heading, 1);
            self.problems(nodes);
            return Ok(());
        }
        for node in nodes {
            let Some((keyword, statement)) = self.plain(node) else {
                continue;
            };
            let Some(value) = self.value(keyword, &statement)? else {
                continue;
            };
            let time = value.duration().unwrap_or_default();
            match (keyword.canonical(), &value) {
                ("neighbor_ip", Val::Address(ip)) => neighbor = Some(*ip),
                ("source_ip", Val::Address(ip)) => source = Some((*ip, At::of(&statement, 1))),
                ("min_rx", _) => session.min_rx = time,
                ("min_tx", _) => session.min_tx = time,
                ("idle_tx", _) => session.idle_tx = time,
                ("multiplier", _) => session.multiplier = value.int().unwrap_or(5),
                ("passive", _) => session.passive = true,
                ("ttl" | "hoplimit", _) => session.ttl = value.int(),
                ("max_hops", _) => session.max_hops = value.int(),
                ("multihop", _) => session.multihop = value.on(),
                ("weight", _) => {
                    if let Some((w, r)) = self.weight(&statement, 1, 253, false) {
                        (session.weight, session.reverse) = (w, r.unwrap_or(false));
                    }
                }
                ("vrrp", _) => session.vrrp = true,
                ("checker", _) => session.checker = true,
                _ => {}
            }
        }
        let Some(neighbor) = neighbor else {
            let text = format!(
                "Configuration error: BFD instance {name} has no neighbor address set, \
                 disabling instance"
            );
            self.report_at_end(code::VALUE_MISSING, Class::General, text, heading, 1);
            self.lost_bfds.insert(name);
            return Ok(());
        };
        session.neighbor_ip = neighbor;
        if let Some((source, at)) = source {
            if source.is_ipv4() == neighbor.is_ipv4() {
                session.source_ip = Some(source);
            } else {
                let text = format!(
                    "Configuration error: BFD instance {name} source address {source} and \
                     neighbor address {neighbor} are not of the same family, disabling instance"
                );
                let d = crate::Diagnostic::error(code::FAMILY, Class::General, text);
                let d = heading.point_at_end_of(d, 1);
                self.session.report.push(at.also(d, "the source address"));
                self.lost_bfds.insert(name);
                return Ok(());
            }
        }
        if !session.vrrp && !session.checker {
            (session.vrrp, session.checker) = (true, true);
        }
        self.bfd_names
            .insert(name.into(), self.config.bfd_sessions.len());
        self.config.bfd_sessions.push(session);
        Ok(())
    }

    pub(super) fn linkbeat_interfaces(&mut self, lines: &[Statement]) {
        for line in lines {
            let interface = line.keyword().to_owned();
            if !self.interface_exists(&interface) {
                let text =
                    format!("unknown interface {interface} specified for linkbeat interface");
                self.report_at(code::NO_INTERFACE, Class::Fatal, text, line, 0);
                continue;
            }
            let method = match line.word(1) {
                None => LinkbeatMethod::Auto,
                Some("MII") => LinkbeatMethod::Mii,
                Some("ETHTOOL") => LinkbeatMethod::Ethtool,
                Some("IOCTL") => LinkbeatMethod::Ioctl,
                Some(other) => {
                    let text = format!("unknown linkbeat method {other} for {interface}");
                    self.report_at(code::UNKNOWN_WORD, Class::General, text, line, 1);
                    LinkbeatMethod::Auto
                }
            };
            if line.word(2).is_some() {
                let text = format!("extra characters in linkbeat interface {interface}");
                self.report_at(code::EXTRA_WORDS, Class::General, text, line, 2);
            }
            let origin = self.origin(line);
            self.config.linkbeat_interfaces.push(Linkbeat {
                interface,
                method,
                origin,
            });
        }
    }

    pub(super) fn interface_delays(&mut self, lines: &[Statement]) {
        for line in lines {
            let interface = line.keyword().to_owned();
            if !self.interface_exists(&interface) {
                let text = format!("unknown interface {interface} specified for up/down delay");
                self.report_at(code::NO_INTERFACE, Class::Fatal, text, line, 0);
                continue;
            }
            if line.word(1).is_none() {
                let text = format!("interface {interface} needs a down delay of 0 to 255 seconds");
                let d = crate::Diagnostic::note(code::VALUE_MISSING, text);
                self.session.report.push(line.point(d, 1));
                continue;
            }
            let seconds = Value::Seconds {
                min: 0,
                max: 255_000_000,
            };
            let report = &mut self.session.report;
            let mut time =
                |n| check::word(seconds, line, n, self.lenient, report).and_then(|v| v.duration());
            let Some(down) = time(1) else { continue };
            let up = match line.word(2) {
                None => Some(down),
                Some(_) => time(2),
            };
            let Some(up) = up else { continue };
            let origin = self.origin(line);
            self.config.interface_up_down_delays.push(InterfaceDelay {
                interface,
                down,
                up,
                origin,
            });
        }
    }

    /// A statement; problems are reported, blocks cannot be here.
    pub(super) fn plain(
        &mut self,
        node: Node,
    ) -> Option<(&'static crate::table::Keyword, Statement)> {
        match node {
            Node::Statement(keyword, statement) => Some((keyword, statement)),
            Node::Problem(d) => {
                self.session.report.push(*d);
                None
            }
            Node::Block(..) | Node::Lines(..) => None,
        }
    }
}

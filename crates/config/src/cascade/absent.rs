//! Things that are missing because what should have brought them is wrong.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::RangeInclusive;

use compact_str::CompactString;

use crate::code::{self, Code};
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::lint::code_of;
use crate::place::{FileId, Place, SourceMap};
use crate::table::Context;

use super::Causes;
use super::frame::Block;

/// What is missing: the code, a part of the message (empty: any), and the keywords that bring it.
const ABSENT: &[(Code, &str, &[&str])] = &[
    (code::VRID_MISSING, "", &["virtual_router_id"]),
    (code::INTERFACE_MISSING, "", &["interface"]),
    (code::NO_ADDRESS, "", &["virtual_ipaddress"]),
    (code::SCRIPT_MISSING, "", &["script"]),
    (code::VALUE_MISSING, "No file set", &["file"]),
    (code::VALUE_MISSING, "No process set", &["process"]),
    (code::VALUE_MISSING, "no neighbor address", &["neighbor_ip"]),
    (code::AUTHENTICATION, "no password", &["auth_pass"]),
    (
        code::UNICAST,
        "without any unicast peers",
        &["unicast_peer"],
    ),
    (code::GROUP, "virtual router(s)", &["group"]),
    (code::EMPTY_BLOCK, "", &[]),
    (code::SERVER_GROUP, "has no entries", ANYTHING),
    (code::SERVER, "no real servers", &["real_server"]),
    (code::SERVER_UNSAID, "no protocol", &["protocol"]),
    (
        code::SERVER_UNSAID,
        "no scheduler",
        &["lb_algo", "lvs_sched"],
    ),
    (
        code::SERVER_UNSAID,
        "no forwarding",
        &["lb_kind", "lvs_method"],
    ),
    (code::CHECKER, "usable url", &["url", "path", "status_code"]),
    (code::CHECKER, "misc_path", &["misc_path"]),
    (code::CHECKER, "without a path", &["path"]),
    (code::PAGE, "without a path", &["path"]),
];

/// Any mistake in the block explains it.
const ANYTHING: &[&str] = &["*"];

/// What tracks something, and the blocks that define it.
const TRACKED: &[(&str, &[&str])] = &[
    ("track script ", &["vrrp_script"]),
    ("track file ", &["track_file", "vrrp_track_file"]),
    ("track process ", &["vrrp_track_process"]),
    ("track bfd ", &["bfd_instance"]),
];

fn brought_by(d: &Diagnostic) -> Option<&'static [&'static str]> {
    let mut rows = ABSENT.iter();
    let row = rows.find(|(code, part, _)| *code == d.code && d.message.contains(part))?;
    Some(row.2)
}

/// The name that is tracked, and what would define it.
fn tracked(d: &Diagnostic) -> Option<(&str, &'static [&'static str])> {
    if d.code != code::NOT_DEFINED {
        return None;
    }
    if let Some(rest) = d.message.strip_prefix("Virtual server group ") {
        return Some((rest.split_once(" specified")?.0, &["virtual_server_group"]));
    }
    TRACKED.iter().find_map(|(what, blocks)| {
        let (_, rest) = d.message.split_once(what)?;
        Some((rest.strip_suffix(" not found, ignoring...")?, *blocks))
    })
}

/// Whether a message may follow from another one that is not about braces or keywords.
pub(super) fn may_follow(d: &Diagnostic) -> bool {
    brought_by(d).is_some() || d.code == code::SCRIPT_USER || tracked(d).is_some()
}

/// Finds what explains that something is missing.
pub(super) fn explain(
    diagnostics: &mut [Diagnostic],
    files: &SourceMap,
    causes: &mut Causes,
    blocks: Vec<Block>,
) {
    let index = Index::new(files, blocks, diagnostics);
    // What a block lacks first, then who looks for the block in vain.
    for n in 0..diagnostics.len() {
        if causes.of[n].is_some() {
            continue;
        }
        let cause = match diagnostics[n].code {
            code::SCRIPT_USER => index.no_user,
            code::SCRIPT_SECURITY => index.unread_security(diagnostics, causes),
            _ => index.of_block(diagnostics, causes, n),
        };
        match cause {
            Some(cause) => causes.follows(n, cause),
            None => index.hidden(diagnostics, n),
        }
    }
    for n in 0..diagnostics.len() {
        if causes.of[n].is_none() {
            index.lost(diagnostics, causes, n);
        }
    }
}

/// How many blocks are looked at, from a line upwards, for the one around it.
const LOOKED_AT: usize = 100;

/// What is looked up for each message.
struct Index<'a> {
    files: &'a SourceMap,
    /// By file and first line.
    blocks: Vec<Block>,
    /// By file and last line.
    ends: HashMap<(FileId, u32), usize>,
    /// Those with a name.
    names: HashMap<CompactString, Vec<usize>>,
    /// Headings without a brace: the lines they stand in, and the messages.
    unopened: HashMap<(FileId, u32), usize>,
    /// What is wrong with the user of all scripts.
    no_user: Option<usize>,
}

impl<'a> Index<'a> {
    fn new(files: &'a SourceMap, mut blocks: Vec<Block>, diagnostics: &[Diagnostic]) -> Self {
        // A block that was reopened stands there twice: the longer one is meant.
        blocks.sort_by_key(|b| (b.file, b.first, Reverse(b.last)));
        let mut ends = HashMap::new();
        let mut names: HashMap<_, Vec<usize>> = HashMap::new();
        for (n, block) in blocks.iter().enumerate() {
            if block.first != block.last {
                ends.entry((block.file, block.last)).or_insert(n);
            }
            if let Some(name) = &block.name {
                names.entry(name.clone()).or_default().push(n);
            }
        }
        let mut unopened = HashMap::new();
        for (n, d) in diagnostics.iter().enumerate() {
            if d.code == code::MISSING_OPEN {
                let places = d.labels.iter().map(|l| l.place).chain(d.place);
                unopened.extend(places.map(|p| ((p.file, p.line), n)));
            }
        }
        let mut all = diagnostics.iter();
        Self {
            files,
            blocks,
            ends,
            names,
            unopened,
            no_user: all.position(|d| d.message.starts_with("Error setting global script")),
        }
    }

    /// The text of a line without its comment.
    fn line(&self, file: FileId, line: u32) -> Cow<'a, str> {
        String::from_utf8_lossy(code_of(self.files.line(file, line)))
    }

    /// The blocks that begin within lines of a file.
    fn from(&self, file: FileId, lines: RangeInclusive<u32>) -> &[Block] {
        let key = |b: &Block| (b.file, b.first);
        let start = self
            .blocks
            .partition_point(|b| key(b) < (file, *lines.start()));
        let end = self
            .blocks
            .partition_point(|b| key(b) <= (file, *lines.end()));
        self.blocks.get(start..end).unwrap_or_default()
    }

    /// The block with one of these headings, else the one that ends in the line, else the one
    /// around it.
    fn block(&self, place: Place, headings: &[u32]) -> Option<&Block> {
        let long = |b: &&Block| b.first != b.last;
        let mut lines = headings.iter();
        let by_heading = lines.find_map(|n| self.from(place.file, *n..=*n).iter().find(long));
        let by_end = || {
            self.ends
                .get(&(place.file, place.line))
                .map(|n| &self.blocks[*n])
        };
        let around = || {
            let above = self.from(place.file, 0..=place.line).iter().rev();
            let mut near = above.take(LOOKED_AT);
            near.find(|b| long(b) && b.last >= place.line)
        };
        by_heading.or_else(by_end).or_else(around)
    }

    /// The mistake for which `enable_script_security` is there, but nobody reads it.
    fn unread_security(&self, diagnostics: &[Diagnostic], causes: &Causes) -> Option<usize> {
        let globals = self.blocks.iter().filter(|b| b.keyword.contains("global"));
        let mut lines = globals.flat_map(|b| (b.first..=b.last).map(|line| (b.file, line)));
        let said = |file, line| {
            let text = self.line(file, line);
            text.split_whitespace().next() == Some("enable_script_security")
        };
        let (file, line) = lines.find(|(file, line)| said(*file, *line))?;
        let earlier = (0..diagnostics.len()).filter(|n| {
            let place = diagnostics[*n].place;
            let above = place.is_some_and(|p| p.file == file && p.line <= line);
            above && super::is_structural(diagnostics[*n].code) && causes.of[*n].is_none()
        });
        earlier.max_by_key(|n| diagnostics[*n].place.map(|p| p.line))
    }

    /// The mistake in a block for which it lacks something.
    fn of_block(&self, diagnostics: &[Diagnostic], causes: &Causes, n: usize) -> Option<usize> {
        let d = &diagnostics[n];
        let keywords = brought_by(d)?;
        let place = d.place?;
        // A message about a block stands at its heading or at its end, or names the heading
        // beside it.
        let headings = d.labels.iter().map(|l| l.place).chain([place]);
        let headings: Vec<u32> = headings.map(|p| p.line).collect();
        let open = headings
            .iter()
            .find_map(|line| self.unopened.get(&(place.file, *line)));
        if let Some(open) = open.filter(|open| **open != n) {
            return Some(*open);
        }
        if keywords.is_empty() {
            return None;
        }
        let block = self.block(place, &headings)?;
        let brings = |line: u32| {
            let inner = self.from(block.file, block.first + 1..=block.last.min(line));
            let mut inner = inner.iter().filter(|b| b.last >= line);
            inner.any(|b| keywords.contains(&b.keyword.as_str()))
        };
        let mut lines = block.first..=block.last;
        lines.find_map(|line| {
            let mut found = causes.at(place.file, line).iter().copied();
            found.find(|m| {
                let other = &diagnostics[*m];
                let explains = match other.code {
                    _ if keywords == ANYTHING => true,
                    code::UNKNOWN_KEYWORD => is_meant(other, keywords),
                    _ => {
                        let text = self.line(place.file, line);
                        let first = text.split([' ', '\t', '{']).find(|word| !word.is_empty());
                        first.is_some_and(|k| keywords.contains(&k)) || brings(line)
                    }
                };
                *m != n && other.severity > Severity::Note && explains
            })
        })
    }

    /// A setting that is missing may stand behind another one, where it is not read.
    fn hidden(&self, diagnostics: &mut [Diagnostic], n: usize) {
        let d = &diagnostics[n];
        let (Some(keywords), Some(place)) = (brought_by(d), d.place) else {
            return;
        };
        let Some(block) = self.block(place, &[place.line]) else {
            return;
        };
        for line in block.first + 1..=block.last {
            let text = self.line(place.file, line);
            let mut words = text.split_whitespace();
            let Some(first) = words.next().filter(|_| !text.contains('"')) else {
                continue;
            };
            let Some(keyword) = words.find(|word| keywords.contains(word)) else {
                continue;
            };
            let at = text.find(&format!(" {keyword}")).map_or(0, |at| at + 1);
            let d = &mut diagnostics[n];
            d.help = Some(format!(
                "`{keyword}` stands behind `{first}` in line {line}, where nobody reads it: each \
                 keyword has a line of its own"
            ));
            d.labels.push(Label {
                place: Place {
                    file: place.file,
                    line,
                    column: u32::try_from(at).unwrap_or(0),
                    len: u32::try_from(keyword.len()).unwrap_or(0),
                },
                text: "not read here".to_owned(),
            });
            return;
        }
    }

    /// The name of something that is tracked in a block of another kind.
    fn otherwise(&self, diagnostics: &mut [Diagnostic], n: usize) {
        let Some((name, _)) = tracked(&diagnostics[n]) else {
            return;
        };
        let named = self.names.get(name).into_iter().flatten();
        let found = named.map(|n| &self.blocks[*n]).find_map(|b| {
            let what = match b.keyword.as_str() {
                "vrrp_script" => "track_script",
                "vrrp_track_process" => "track_process",
                "track_file" | "vrrp_track_file" => "track_file",
                "bfd_instance" => "track_bfd",
                _ => return None,
            };
            Some((what, b))
        });
        if let Some((what, block)) = found {
            let help = format!(
                "{name} is a {}: write it in {what} {{ {name} }}",
                block.keyword
            );
            let label = Label {
                place: block.heading,
                text: "defined here".to_owned(),
            };
            let d = &mut diagnostics[n];
            d.help = Some(help);
            d.replacement = None;
            d.labels.push(label);
        }
    }

    /// Something that is tracked but not there: it was dropped above, or it stands further down.
    fn lost(&self, diagnostics: &mut [Diagnostic], causes: &mut Causes, n: usize) {
        let d = &diagnostics[n];
        let (Some((name, kinds)), Some(place)) = (tracked(d), d.place) else {
            return;
        };
        let named = self.names.get(name).into_iter().flatten();
        let mut found = named.map(|n| &self.blocks[*n]);
        let Some(block) = found.find(|b| kinds.contains(&b.keyword.as_str())) else {
            self.otherwise(diagnostics, n);
            return;
        };
        let mut inside = (block.first..=block.last).flat_map(|line| causes.at(block.file, line));
        let dropped = inside.find(|m| diagnostics[**m].severity > Severity::Warning);
        if let Some(cause) = dropped.copied() {
            causes.follows(n, cause);
        } else if block.file == place.file && block.first > place.line {
            let help = format!(
                "`{} {name}` is defined in line {}, below: move that block ahead of this one",
                block.keyword, block.first
            );
            let d = &mut diagnostics[n];
            d.help = Some(help);
            d.replacement = None;
            d.labels.push(Label {
                place: block.heading,
                text: "defined here, too late".to_owned(),
            });
        }
    }
}

/// Whether an unknown word may be meant for one of these keywords: it is like one of them, or like
/// none there is.
fn is_meant(d: &Diagnostic, keywords: &[&str]) -> bool {
    let word = d.message.split('\'').nth(1).unwrap_or_default();
    match d
        .replacement
        .as_ref()
        .and_then(|r| r.text.split(' ').next())
    {
        Some(meant) => keywords.contains(&meant),
        None => keywords.contains(&word) || Context::homes_of(word).next().is_none(),
    }
}

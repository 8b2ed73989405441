//! Things that are missing because what should have brought them is wrong.

use crate::code::{self, Code};
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::lint::code_of;
use crate::place::SourceMap;

use super::Causes;
use super::walk::Block;

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
    blocks: &[Block],
) {
    // What a block lacks first, then who looks for the block in vain.
    for n in 0..diagnostics.len() {
        if causes.of[n].is_some() {
            continue;
        }
        let cause = match diagnostics[n].code {
            code::SCRIPT_USER => {
                let all = diagnostics.iter();
                let mut all = all.map(|d| d.message.starts_with("Error setting global script"));
                all.position(|is_it| is_it)
            }
            code::SCRIPT_SECURITY => unread_security(diagnostics, files, causes, blocks),
            _ => of_block(diagnostics, files, causes, blocks, n),
        };
        if let Some(cause) = cause {
            causes.follows(n, cause);
        } else {
            hidden(diagnostics, files, blocks, n);
        }
    }
    for n in 0..diagnostics.len() {
        if causes.of[n].is_none() {
            lost(diagnostics, causes, blocks, n);
        }
    }
}

/// The mistake for which `enable_script_security` is there, but nobody reads it.
fn unread_security(
    diagnostics: &[Diagnostic],
    files: &SourceMap,
    causes: &Causes,
    blocks: &[Block],
) -> Option<usize> {
    let globals = blocks.iter().filter(|b| b.keyword.contains("global"));
    let lines = globals.flat_map(|b| (b.first..=b.last).map(|line| (b.file, line)));
    let said = |file, line| {
        let text = String::from_utf8_lossy(code_of(files.line(file, line))).into_owned();
        text.split_whitespace().next() == Some("enable_script_security")
    };
    let (file, line) = lines.into_iter().find(|(file, line)| said(*file, *line))?;
    let earlier = (0..diagnostics.len()).filter(|n| {
        let place = diagnostics[*n].place;
        let above = place.is_some_and(|p| p.file == file && p.line <= line);
        above && super::is_structural(diagnostics[*n].code) && causes.of[*n].is_none()
    });
    earlier.max_by_key(|n| diagnostics[*n].place.map(|p| p.line))
}

/// The mistake in a block for which it lacks something.
fn of_block(
    diagnostics: &[Diagnostic],
    files: &SourceMap,
    causes: &Causes,
    blocks: &[Block],
    n: usize,
) -> Option<usize> {
    let d = &diagnostics[n];
    let keywords = brought_by(d)?;
    let place = d.place?;
    // A message about a block stands at its heading or at its end, or names the heading beside it.
    let headings = d.labels.iter().map(|l| l.place).chain([place]);
    let headings: Vec<u32> = headings.map(|p| p.line).collect();
    if let Some(open) = missing_open(diagnostics, causes, place.file, &headings, n) {
        return Some(open);
    }
    let here = blocks
        .iter()
        .filter(|b| b.file == place.file && b.first != b.last);
    let mut by_heading = here.clone().filter(|b| headings.contains(&b.first));
    let mut by_end = here.clone().filter(|b| b.last == place.line);
    let around = here.filter(|b| (b.first..=b.last).contains(&place.line));
    let block = by_heading
        .next()
        .or_else(|| by_end.next())
        .or_else(|| around.min_by_key(|b| b.last - b.first))?;
    let brings = |line: u32| {
        blocks.iter().any(|b| {
            b.file == place.file
                && (b.first..=b.last).contains(&line)
                && (block.first..=block.last).contains(&b.first)
                && b.first != block.first
                && keywords.contains(&b.keyword.as_str())
        })
    };
    (block.first..=block.last).find_map(|line| {
        causes.at(place.file, line).iter().copied().find(|m| {
            let other = &diagnostics[*m];
            let word = other.message.split('\'').nth(1).unwrap_or_default();
            let explains = match other.code {
                code::UNKNOWN_KEYWORD => {
                    let meant = other.replacement.as_ref().map(|r| r.text.as_str());
                    meant.is_none_or(|m| keywords.iter().any(|k| m.split(' ').next() == Some(k)))
                        && (meant.is_some() || keywords.contains(&word) || is_no_keyword(word))
                }
                _ => {
                    let text = String::from_utf8_lossy(code_of(files.line(place.file, line)));
                    let first = text.split([' ', '\t', '{']).find(|word| !word.is_empty());
                    first.is_some_and(|k| keywords.contains(&k)) || brings(line)
                }
            };
            *m != n && other.severity > Severity::Note && explains
        })
    })
}

/// A setting that is missing may stand behind another one, where it is not read.
fn hidden(diagnostics: &mut [Diagnostic], files: &SourceMap, blocks: &[Block], n: usize) {
    let d = &diagnostics[n];
    let (Some(keywords), Some(place)) = (brought_by(d), d.place) else {
        return;
    };
    let mut of_place = blocks.iter().filter(|b| b.file == place.file);
    let Some(block) = of_place.find(|b| b.first == place.line || b.last == place.line) else {
        return;
    };
    for line in block.first + 1..=block.last {
        let text = String::from_utf8_lossy(code_of(files.line(place.file, line)));
        let mut words = text.split_whitespace();
        let Some(first) = words.next() else { continue };
        if let Some(keyword) = words.find(|word| keywords.contains(word)) {
            let at = text.find(keyword).unwrap_or_default();
            let d = &mut diagnostics[n];
            d.help = Some(format!(
                "`{keyword}` stands behind `{first}` in line {line}, where nobody reads it: each \
                 keyword has a line of its own"
            ));
            d.labels.push(Label {
                place: crate::place::Place {
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
}

/// A heading without its brace on one of these lines.
fn missing_open(
    diagnostics: &[Diagnostic],
    causes: &Causes,
    file: crate::place::FileId,
    headings: &[u32],
    n: usize,
) -> Option<usize> {
    diagnostics.iter().enumerate().find_map(|(m, other)| {
        let mut places = other.labels.iter().map(|l| l.place).chain(other.place);
        let same = places.any(|p| p.file == file && headings.contains(&p.line));
        let open = other.code == code::MISSING_OPEN && causes.of[m].is_none();
        (m != n && open && same).then_some(m)
    })
}

fn is_no_keyword(word: &str) -> bool {
    crate::table::Context::homes_of(word).next().is_none()
}

/// Something that is tracked but not there: it was dropped above, or it stands further down.
fn lost(diagnostics: &mut [Diagnostic], causes: &mut Causes, blocks: &[Block], n: usize) {
    let d = &diagnostics[n];
    let (Some((name, kinds)), Some(place)) = (tracked(d), d.place) else {
        return;
    };
    let mut found = blocks
        .iter()
        .filter(|b| kinds.contains(&b.keyword.as_str()) && b.name.as_deref() == Some(name));
    let Some(block) = found.next() else { return };
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

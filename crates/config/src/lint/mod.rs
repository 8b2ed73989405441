//! What keepalived never tells: things that are allowed, but that nobody means.
//!
//! A lint never changes the exit status of a configuration test ([`Class::Ok`]); a caller that
//! wants strictness counts the warnings itself. Mistakes that loading reports already have no
//! lint beside it. Each lint is one function in one table row with an example that it finds and
//! one that it does not; the tests run both, and `doc/lints.md` is made of the same rows.

/// An example around one common instance: what stands before it, and further lines in it. With
/// `=>` the lines take the place of priority and address.
macro_rules! example {
    (=> $before:literal, $lines:literal) => {
        concat!(
            $before,
            "vrrp_instance V {\n    interface eth0\n    virtual_router_id 10\n",
            $lines,
            "}"
        )
    };
    ($before:literal, $lines:literal) => {
        concat!(
            $before,
            "vrrp_instance V {\n    interface eth0\n    virtual_router_id 10\n    priority 150\n",
            $lines,
            "    virtual_ipaddress {\n        192.0.2.10/24\n    }\n}"
        )
    };
    ($lines:literal) => {
        concat!(
            "vrrp_instance V {\n    interface eth0\n    virtual_router_id 10\n    priority 150\n",
            $lines,
            "}"
        )
    };
}

/// An SSL block with these lines, and a service whose SSL_GET has those.
macro_rules! secured {
    ($ssl:expr, $lines:literal) => {
        concat!(
            "SSL {\n",
            $ssl,
            "}
virtual_server 192.0.2.10 443 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    real_server 198.51.100.20 443 {
        SSL_GET {
",
            $lines,
            "            url {
                path /
                status_code 200
            }
        }
    }
}"
        )
    };
}

/// A service with these lines between its first ones and two checked servers; text before it,
/// if there is any.
macro_rules! service {
    ($before:literal, $lines:literal) => {
        concat!($before, service!($lines))
    };
    ($lines:literal) => {
        concat!(
            "virtual_server 192.0.2.10 80 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
",
            $lines,
            "    real_server 198.51.100.20 80 {
        TCP_CHECK {
        }
    }
    real_server 198.51.100.21 80 {
        TCP_CHECK {
        }
    }
}"
        )
    };
}

mod address;
mod announce;
mod bfd;
mod book;
mod checker;
pub mod cluster;
mod elect;
mod group;
mod script;
mod secret;
mod server;
mod service;
mod statement;
mod text;
mod tls;
mod track;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use rk_base::Prefix;

use crate::Code;
use crate::diagnostic::{Class, Diagnostic, Severity};
use crate::model::{
    Config, Instance, Origin, RealServer, SyncGroup, Tracked, Tracks, VirtualServer,
};
use crate::place::{Place, SourceMap};
use crate::source::Host;

pub use book::book;

/// The addresses of each interface, by its name.
pub type Addresses = BTreeMap<String, Vec<Prefix>>;

/// How many findings of one lint are given: a generated file may have one for each instance.
const FINDINGS_MAX: usize = 500;

/// What the lints look at.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// What the files mean.
    pub config: &'a Config,
    /// The text, to point at lines; an empty map gives findings without a place.
    pub files: &'a SourceMap,
    /// The machine, for the modes of files.
    pub host: &'a dyn Host,
    /// The addresses the machine has beside those of the configuration. `None` when the files
    /// are for another machine: then nothing is said about its networks.
    pub addresses: Option<&'a Addresses>,
}

/// One lint.
pub struct Lint {
    /// Its stable number, `RK2000` and up.
    pub code: Code,
    /// Its short name, in kebab case.
    pub name: &'static str,
    /// What it finds and why that matters, in one or two sentences.
    pub summary: &'static str,
    /// A configuration in which it finds something.
    pub bad: &'static str,
    /// The same, mended.
    pub good: &'static str,
    run: fn(&Ctx<'_>) -> Vec<Diagnostic>,
}

impl std::fmt::Debug for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.name)
    }
}

/// A table row; the arguments are number, name, function, summary, bad and good example.
const fn lint(
    number: u16,
    name: &'static str,
    run: fn(&Ctx<'_>) -> Vec<Diagnostic>,
    summary: &'static str,
    bad: &'static str,
    good: &'static str,
) -> Lint {
    Lint {
        code: Code::lint(number),
        name,
        summary,
        bad,
        good,
        run,
    }
}

/// Every lint in the order of the numbers.
pub fn all() -> impl Iterator<Item = &'static Lint> {
    static SORTED: OnceLock<Vec<&'static Lint>> = OnceLock::new();
    let sorted = SORTED.get_or_init(|| {
        let tables = [
            elect::LINTS,
            announce::LINTS,
            address::LINTS,
            track::LINTS,
            bfd::LINTS,
            script::LINTS,
            group::LINTS,
            secret::LINTS,
            text::LINTS,
            statement::LINTS,
            server::LINTS,
            service::LINTS,
            checker::LINTS,
            tls::LINTS,
        ];
        let mut all: Vec<_> = tables.into_iter().flatten().collect();
        all.sort_by_key(|lint| lint.code);
        all
    });
    sorted.iter().copied()
}

/// The lint with this number (`RK2001`, any case) or name.
#[must_use]
pub fn find(what: &str) -> Option<&'static Lint> {
    all().find(|l| l.name == what || l.code.to_string().eq_ignore_ascii_case(what))
}

/// Runs every lint. The findings stand in the order of files and lines.
#[must_use]
pub fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let ctx = Ctx::new(subject);
    let mut out = Vec::new();
    for lint in all() {
        let found = in_lines((lint.run)(&ctx));
        let more = found.len().saturating_sub(FINDINGS_MAX);
        out.extend(found.into_iter().take(FINDINGS_MAX).map(|mut d| {
            d.code = lint.code;
            d
        }));
        if more > 0 {
            let text = format!("{more} more findings of {} are not shown", lint.name);
            out.push(Diagnostic {
                code: lint.code,
                ..finding(Severity::Note, text)
            });
        }
    }
    out.sort_by_key(|d| (d.place.map(|p| (p.file, p.line)), d.code));
    out
}

/// Of the findings about one line, which a sequence may make by the hundred, the first with the
/// number of the others; a few of them all.
fn in_lines(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    const FEW: usize = 3;
    let line = |d: &Diagnostic| d.place.map(|p| (p.file, p.line));
    let mut counts: HashMap<_, usize> = HashMap::new();
    for d in &found {
        *counts.entry(line(d)).or_default() += 1;
    }
    let mut seen = HashSet::new();
    let kept = found.into_iter().filter_map(|mut d| {
        let line = line(&d);
        let count = counts.get(&line).copied().unwrap_or_default();
        if line.is_none() || count <= FEW {
            return Some(d);
        }
        if !seen.insert(line) {
            return None;
        }
        d.message = format!("{}; {} more in this line are alike", d.message, count - 1);
        Some(d)
    });
    kept.collect()
}

/// The subject with what several lints look up.
struct Ctx<'a> {
    config: &'a Config,
    files: &'a SourceMap,
    host: &'a dyn Host,
    addresses: Option<&'a Addresses>,
    groups: HashMap<&'a str, &'a SyncGroup>,
}

impl<'a> Ctx<'a> {
    fn new(subject: &Subject<'a>) -> Self {
        let config = subject.config;
        let groups = config.sync_groups.iter();
        Self {
            config,
            files: subject.files,
            host: subject.host,
            addresses: subject.addresses,
            groups: groups.map(|g| (g.name.as_str(), g)).collect(),
        }
    }

    /// A finding at the line of `keyword` in the block that starts at `origin`, or at that start.
    fn warn(&self, origin: &Origin, keyword: &str, message: String) -> Diagnostic {
        let place = self.place(origin, keyword);
        finding(Severity::Warning, message).at_place(place)
    }

    /// The same, only worth knowing.
    fn note(&self, origin: &Origin, keyword: &str, message: String) -> Diagnostic {
        let place = self.place(origin, keyword);
        finding(Severity::Note, message).at_place(place)
    }

    /// Points at a related line too, if it is known.
    fn also(&self, d: Diagnostic, origin: &Origin, text: &str) -> Diagnostic {
        match self.place(origin, "") {
            Some(place) => d.label(place, text),
            None => d,
        }
    }

    /// The words of the line of `keyword` in the block at `origin`; else those of its first line.
    fn place(&self, origin: &Origin, keyword: &str) -> Option<Place> {
        let mut files = self.files.files();
        let (file, _) = files.find(|(_, name)| **name == *origin.file)?;
        let mut depth = 0_i32;
        let mut opened = false;
        let mut found = origin.line;
        if !keyword.is_empty() {
            for number in origin.line..=self.files.line_count(file) {
                let line = code_of(self.files.line(file, number));
                let first = line.split(u8::is_ascii_whitespace).find(|w| !w.is_empty());
                if first == Some(keyword.as_bytes()) {
                    found = number;
                    break;
                }
                for byte in line {
                    depth += i32::from(*byte == b'{') - i32::from(*byte == b'}');
                    opened |= *byte == b'{';
                }
                // The block of a definition or a sequence opens elsewhere, or never here.
                if depth <= 0 && (opened || number > origin.line + 1) {
                    break;
                }
            }
        }
        Some(self.words(file, found))
    }

    /// The words of a line, without comment and white space around.
    fn words(&self, file: crate::place::FileId, line: u32) -> Place {
        let text = code_of(self.files.line(file, line));
        let column = text.iter().position(|b| !b.is_ascii_whitespace());
        let column = column.unwrap_or(0);
        Place {
            file,
            line,
            column: u32::try_from(column).unwrap_or(0),
            len: u32::try_from(text.trim_ascii().len()).unwrap_or(0),
        }
    }

    /// The trackers of an instance, those of its sync group included.
    fn tracked(&self, instance: &'a Instance) -> Vec<&'a Tracked> {
        let group = instance.sync_group.as_deref();
        let group = group.and_then(|g| self.groups.get(g)).copied();
        let own = numbered(&instance.track);
        own.chain(group.into_iter().flat_map(|g| numbered(&g.track)))
            .collect()
    }

    /// By how much trackers can lower and raise the priority of an instance.
    fn swing(&self, instance: &'a Instance) -> (i32, i32) {
        let mut swing = (0_i32, 0_i32);
        for tracked in self.tracked(instance) {
            let by = if tracked.reverse {
                -tracked.weight
            } else {
                tracked.weight
            };
            swing.0 = swing.0.saturating_add(by.min(0));
            swing.1 = swing.1.saturating_add(by.max(0));
        }
        swing
    }
}

/// A finding for each service of which `judge` tells something.
fn services<'a>(
    c: &Ctx<'a>,
    mut judge: impl FnMut(&'a VirtualServer) -> Option<Diagnostic>,
) -> Vec<Diagnostic> {
    let servers = c.config.virtual_servers.iter();
    servers.filter_map(&mut judge).collect()
}

/// Address and port of a real server.
fn server_name(server: &RealServer) -> String {
    format!("[{}]:{}", server.addr, server.port)
}

/// The trackers whose weight counts once; a tracked file multiplies it by the number it holds.
fn numbered(tracks: &Tracks) -> impl Iterator<Item = &Tracked> {
    let kinds = [
        &tracks.interfaces,
        &tracks.scripts,
        &tracks.processes,
        &tracks.bfd,
    ];
    kinds.into_iter().flatten()
}

/// A finding that has no place yet; [`check`] puts the number in.
fn finding(severity: Severity, message: String) -> Diagnostic {
    Diagnostic {
        severity,
        ..Diagnostic::warning(Code::lint(2000), Class::Ok, message)
    }
}

/// The part of a line before its comment.
pub(crate) fn code_of(line: &[u8]) -> &[u8] {
    let mut quoted = false;
    for (at, byte) in line.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'#' | b'!' if !quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

/// Seconds for people: `3.6 s`.
fn seconds(time: std::time::Duration) -> String {
    let text = format!("{:.2}", time.as_secs_f64());
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} s")
}

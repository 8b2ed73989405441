//! Definitions: set and never used, used and never set.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Severity};
use crate::place::{FileId, Place};

use super::{Ctx, Lint, code_of, finding, lint};

pub(super) const LINTS: &[Lint] = &[
    lint(
        2701,
        "unused-definition",
        unused,
        "The definition is set and never used. Often its name is misspelt where it should be.",
        example!("$WAIT=5\n$IFACE=eth1\n", "    preempt_delay $WAIT\n"),
        example!("$WAIT=5\n", "    preempt_delay $WAIT\n"),
    ),
    lint(
        2702,
        "unreplaced-definition",
        unreplaced,
        "A word looks like the use of a definition but stays as it is written: nothing defines \
         the name, or a letter stands right behind it, which only ${NAME} allows.",
        "$SITE=web
vrrp_instance $SITE-main {
    interface eth0
    virtual_router_id 10
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
}",
        "$SITE=web
vrrp_instance ${SITE}-main {
    interface eth0
    virtual_router_id 10
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
}",
    ),
    lint(
        2703,
        "definition-too-late",
        too_late,
        "The definition is used before the line that sets it. Only lines after that one see it.",
        "vrrp_instance ${SITE}-main {
    interface eth0
    virtual_router_id 10
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
}
$SITE=web",
        "$SITE=web
vrrp_instance ${SITE}-main {
    interface eth0
    virtual_router_id 10
    priority 150
    virtual_ipaddress {
        192.0.2.10/24
    }
}",
    ),
];

/// Where a name stands.
#[derive(Clone, Copy)]
struct Use {
    place: Place,
    /// The name is written so that a definition replaces it.
    replaced: bool,
}

/// The definitions that the files set, and those they use, each at its first place.
#[derive(Default)]
struct Names {
    set: BTreeMap<Vec<u8>, Place>,
    /// The variables of `~SEQ` and `~LST`.
    variables: BTreeSet<Vec<u8>>,
    used: BTreeSet<Vec<u8>>,
    /// Outside of definitions, whose text is only replaced where it is used, and of quotes,
    /// whose text may be for a shell.
    bare: BTreeMap<Vec<u8>, Use>,
    /// Names with a definition that the next letter keeps from being replaced.
    glued: BTreeMap<Vec<u8>, Use>,
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Reads every file once.
fn names(c: &Ctx<'_>) -> Names {
    let mut out = Names::default();
    for (file, _) in c.files.files() {
        let mut in_definition = false;
        for number in 1..=c.files.line_count(file) {
            let raw = c.files.line(file, number);
            let line = code_of(raw);
            if line.trim_ascii().is_empty() && !raw.trim_ascii().is_empty() {
                // A comment between the lines of a definition does not end it.
                continue;
            }
            let goes_on = line.trim_ascii_end().ends_with(b"\\");
            if line.contains(&b'~') {
                variables(line, &mut out.variables);
            }
            let sets = line.contains(&b'$') && scan(file, number, line, in_definition, &mut out);
            in_definition = goes_on && (sets || in_definition);
        }
    }
    out
}

/// The names between `~SEQ(` or `~LST(` and the first value.
fn variables(line: &[u8], out: &mut BTreeSet<Vec<u8>>) {
    let text = String::from_utf8_lossy(line);
    for start in ["~SEQ(", "~SEQx(", "~LST("] {
        for (at, _) in text.match_indices(start) {
            let rest = text[at + start.len()..].trim_start();
            let names = match rest.strip_prefix('{') {
                Some(rest) => rest.split('}').next(),
                None => rest.split([',', ')']).next(),
            };
            let names = names.unwrap_or("").split(',');
            out.extend(names.map(|n| n.trim().as_bytes().to_vec()));
        }
    }
}

/// Whether the line is a definition; takes down the names in it.
fn scan(file: FileId, number: u32, line: &[u8], in_definition: bool, out: &mut Names) -> bool {
    let mut start = line.len() - line.trim_ascii_start().len();
    if line.get(start) == Some(&b'@') {
        // A condition stands before the definition.
        let word = line[start..]
            .iter()
            .take_while(|b| !b.is_ascii_whitespace());
        start += word.count();
        let space = line[start..].iter().take_while(|b| b.is_ascii_whitespace());
        start += space.count();
    }
    let mut defines = in_definition;
    let mut sets = false;
    let mut quote = None;
    let mut at = 0;
    while at < line.len() {
        match (quote, line[at]) {
            (None, q @ (b'"' | b'\'')) => quote = Some(q),
            (Some(open), q) if open == q => quote = None,
            _ => {}
        }
        let dollar = at;
        at += 1;
        if line[dollar] != b'$' {
            continue;
        }
        let braced = line.get(at) == Some(&b'{');
        let from = at + usize::from(braced);
        let len = line[from..].iter().take_while(|b| is_name(**b)).count();
        let to = from + len;
        if len == 0 || line[from].is_ascii_digit() {
            continue;
        }
        let name = line[from..to].to_vec();
        let next = line.get(to);
        let width = u32::try_from(to - dollar + usize::from(braced)).unwrap_or(0);
        let place = Place {
            file,
            line: number,
            column: u32::try_from(dollar).unwrap_or(0),
            len: width,
        };
        at = to;
        if dollar == start && !braced && !in_definition && next == Some(&b'=') {
            out.set.entry(name).or_insert(place);
            (defines, sets) = (true, true);
            continue;
        }
        let replaced = braced || next.is_none_or(|b| b" \t\r,)".contains(b));
        let found = Use { place, replaced };
        if quote.is_none() && !defines {
            if !replaced {
                out.glued.entry(name.clone()).or_insert(found);
            }
            out.bare.entry(name.clone()).or_insert(found);
        }
        out.used.insert(name);
    }
    sets
}

fn show(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

fn unused(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let names = names(c);
    let set = names.set.iter();
    set.filter(|(name, _)| !names.used.contains(*name) && !built_in(name))
        .map(|(name, place)| {
            let text = format!("definition ${} is never used", show(name));
            let d = finding(Severity::Warning, text).at_place(Some(*place));
            d.help("remove it, or check the spelling where it should be used")
        })
        .collect()
}

/// Names beginning with an underscore are built in.
fn built_in(name: &[u8]) -> bool {
    name.starts_with(b"_")
}

fn unreplaced(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let names = names(c);
    let known = |name: &Vec<u8>| {
        names.set.contains_key(name) || names.variables.contains(name) || built_in(name)
    };
    let unknown = names.bare.iter().filter(|(name, _)| !known(name));
    let unknown = unknown.map(|(name, found)| {
        let name = show(name);
        let text = format!("nothing defines ${name}; it stays as written");
        let d = finding(Severity::Warning, text).at_place(Some(found.place));
        d.help(format!("write ${name}=VALUE on a line before this one"))
    });
    let glued = names.glued.iter().filter(|(name, _)| known(name));
    let glued = glued.map(|(name, found)| {
        let name = show(name);
        let text = format!("${name} is not replaced here, for it does not end the word");
        let d = finding(Severity::Warning, text).at_place(Some(found.place));
        d.help(format!("write ${{{name}}}"))
    });
    unknown.chain(glued).collect()
}

fn too_late(c: &Ctx<'_>) -> Vec<Diagnostic> {
    let names = names(c);
    let bare = names.bare.iter().filter(|(_, found)| found.replaced);
    bare.filter_map(|(name, found)| {
        let set = names.set.get(name)?;
        let place = found.place;
        // Between files only the order of the includes decides, which this does not know.
        if set.file != place.file || set.line <= place.line || names.variables.contains(name) {
            return None;
        }
        let text = format!("${} is used before it is set", show(name));
        let d = finding(Severity::Warning, text).at_place(Some(place));
        let d = d.label(*set, "set here");
        Some(d.help("move the definition to the beginning of the file"))
    })
    .collect()
}

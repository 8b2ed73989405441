//! One mistake in a configuration; pieces of several put together.

use std::fmt::Write as _;
use std::path::Path;

use super::bases::{LINES, WORDS};

/// Keywords that 2.4 knows or reads otherwise than the 2.2.7 at hand: lines and blocks with these
/// are left as they are, or out.
const NEWER: [&str; 32] = [
    "auth_hmac",
    "dbus_no_interface_name",
    "dump_file",
    "IRWX",
    "iproute_",
    "json_version",
    "multihop",
    "nb_get_retry",
    "netlink_notify_msg",
    "no_virtual_ipaddress",
    "notification_email_from",
    "owner_ignore_adverts",
    "payload",
    "process_name",
    "regex",
    "set_supplementary_groups",
    "skip_check_adv_addr",
    "sni_name",
    "stats_update_interval",
    "status_code",
    "timer_expired",
    "tls_compliant",
    "umask",
    "use_ipvlan",
    "use_symlink_paths",
    "use_vmac",
    "v3_checksum_as_v2",
    "virtualhost",
    "vrf",
    "vrrp_delay_after_boot",
    "vrrp_strict",
    "${_",
];

/// Whether the two versions may read a line in their own ways.
fn is_newer(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let fraction = matches!(words.next(), Some("interval" | "timeout"))
        && words.next().is_some_and(|value| value.contains('.'));
    // 2.2.7 finds no program in the path, or ends itself, for users other than its own.
    let mut words = line.split_whitespace();
    let stranger = matches!(words.next(), Some("user" | "script_user"))
        && words.next().is_some_and(|user| user != "root");
    // In 2.2.7 a comment does not hide a backslash at the end of its line.
    let hidden = line.contains(['#', '!']) && line.trim_end().ends_with('\\');
    fraction || stranger || hidden || NEWER.iter().any(|newer| line.contains(newer))
}

/// A small generator (xorshift64*).
pub(crate) struct Random(u64);

impl Random {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let pick = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(pick).unwrap() % limit
    }

    pub(super) fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// A good configuration with one mistake.
pub(super) fn mutant(random: &mut Random, base: &str) -> String {
    let mut lines: Vec<String> = base.lines().map(str::to_owned).collect();
    let n = random.below(lines.len());
    // A quote glued to a keyword of commands is read in a way of its own.
    if is_newer(&lines[n]) || lines[n].contains('"') {
        return base.to_owned();
    }
    let mut words: Vec<String> = lines[n].split(' ').map(str::to_owned).collect();
    let word = random.below(words.len());
    match random.below(14) {
        0..=5 => {
            // Mostly values, now and then the keyword.
            let word = word
                .max(usize::from(random.below(8) > 0) * 2)
                .min(words.len() - 1);
            words[word] = random.of(&WORDS).to_owned();
            lines[n] = words.join(" ");
        }
        6 if words[word].parse::<u32>().is_ok() => {
            // Bounds are where numbers of good configurations are near, or a factor away.
            let number: i64 = words[word].parse().unwrap();
            let others = [number - 1, number + 1, -number, number * 10, number * 1000];
            words[word] = others[random.below(others.len())].to_string();
            lines[n] = words.join(" ");
        }
        6 => drop(lines.remove(n)),
        7 => lines.insert(n, lines[n].clone()),
        8 => lines.insert(n, random.of(&LINES).to_owned()),
        9 => {
            let extra = random.of(&["x", "5", "{", "}", "# c", "\\", "\"a", ";"]);
            write!(lines[n], " {extra}").unwrap();
        }
        10 => {
            words.truncate(2);
            lines[n] = words.join(" ");
        }
        11 => {
            let other = lines[random.below(lines.len())].clone();
            lines.insert(n, other);
        }
        12 => {
            let next = random.below(lines.len());
            lines.swap(n, next);
        }
        _ => lines[n] = lines[n].replace([' ', '{'], ""),
    }
    let newer = lines.iter().filter(|line| is_newer(line)).count();
    if newer > base.lines().filter(|line| is_newer(line)).count() {
        return base.to_owned();
    }
    lines.join("\n") + "\n"
}

/// The top-level statements of a file that both versions read alike.
pub(super) fn statements(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut one = String::new();
    let mut depth = 0_usize;
    for line in text.lines() {
        let code = line.split(['#', '!']).next().unwrap_or("");
        if one.is_empty() && code.trim().is_empty() {
            continue;
        }
        one.push_str(line);
        one.push('\n');
        let quoted = code.split('"').step_by(2).collect::<String>();
        depth += quoted.matches('{').count();
        depth = depth.saturating_sub(quoted.matches('}').count());
        let goes_on = one.starts_with(['$', '@']) && line.trim_end().ends_with('\\');
        if depth == 0 && !goes_on {
            all.push(std::mem::take(&mut one));
        }
    }
    all.push(one);
    all.retain(|one| !one.is_empty() && !one.lines().any(is_newer));
    all
}

/// The statements of each file `*.conf` of a directory, in the order of their names.
pub(super) fn statements_below(directory: &Path) -> Vec<Vec<String>> {
    let entries = std::fs::read_dir(directory).expect("the directory is there");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "conf"))
        .collect();
    files.sort();
    let text = |path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let all = files.iter().map(|path| statements(&text(path)));
    all.filter(|all| !all.is_empty()).collect()
}

/// Some of the statements of two or three files.
pub(super) fn splice(random: &mut Random, files: &[Vec<String>]) -> String {
    let mut out = String::new();
    for _ in 0..2 + random.below(2) {
        for statement in files[random.below(files.len())].iter().take(12) {
            if random.below(5) < 3 {
                out.push_str(statement);
            }
        }
    }
    out
}

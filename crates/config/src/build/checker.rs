//! Checkers of real servers: checked, not yet kept.

use std::collections::HashSet;

use super::check;
use super::command::{RawCommand, RawUser};
use super::{Build, Stop};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::Verdict;
use crate::table::{Keyword, Value};
use crate::tree::{Node, Statement};

impl Build<'_> {
    /// Reads the block of one checker.
    pub(super) fn checker(
        &mut self,
        kind: &'static Keyword,
        heading: &Statement,
        nodes: Vec<Node>,
    ) -> Result<(), Stop> {
        let mut seen = HashSet::new();
        let mut command: Option<RawCommand> = None;
        let mut user: Option<RawUser> = None;
        let mut user_failed = false;
        let mut families: Vec<(bool, Statement)> = Vec::new();
        let mut has_reference = false;
        let mut pages = 0;
        for node in nodes {
            let (keyword, statement) = match node {
                Node::Problem(d) => {
                    self.session.report.push(*d);
                    continue;
                }
                Node::Block(keyword, statement, inner) => {
                    if keyword.name == "url" {
                        pages += usize::from(self.url(&statement, inner)?);
                    } else {
                        self.checker(kind, &statement, inner)?;
                    }
                    continue;
                }
                Node::Lines(..) => continue,
                Node::Statement(keyword, statement) => (keyword, statement),
            };
            let Some(value) = self.value(keyword, &statement)? else {
                continue;
            };
            let again = !seen.insert(keyword.name);
            match (keyword.name, kind.name) {
                ("connect_ip" | "bindto", _) => {
                    if let check::Val::Address(ip) = value {
                        families.push((ip.is_ipv6(), statement));
                    }
                }
                ("misc_path", _) => command = self.raw_command(&statement, false),
                ("user", _) => {
                    let raw = RawUser {
                        user: statement.word(1).unwrap_or("").to_owned(),
                        group: statement.word(2).map(str::to_owned),
                    };
                    if self.find_user(&raw).is_none() {
                        user_failed = true;
                        let text = format!(
                            "Failed to set uid/gid for misc checker script '{}' - removing",
                            raw.user
                        );
                        self.report_at(code::NO_USER, Class::General, text, &statement, 1);
                    }
                    user = Some(raw);
                }
                ("track_file", _) => {
                    has_reference = self.reference("track_file", "track_file", &statement);
                }
                ("name", "BFD_CHECK") => {
                    has_reference = self.reference("bfd_instance", "name", &statement);
                }
                ("name", "DNS_CHECK") => self.dns_name(&statement),
                ("weight", "FILE_CHECK") => self.file_weight(&statement),
                ("payload" | "require_reply", _) => self.hex(&statement, keyword.name),
                _ => {
                    self.repeated(keyword, again, &statement);
                }
            }
        }
        if let [(first, _), (second, statement)] = families.as_slice()
            && first != second
        {
            let text = "connect_ip and bindto are of different families - ignoring the second";
            let d = Diagnostic::error(code::FAMILY, Class::General, text);
            self.session.report.push(statement.point(d, 1));
        }
        let missing = match kind.name {
            "MISC_CHECK" if command.is_none() => Some("misc_path"),
            "FILE_CHECK" if !has_reference => Some("track_file"),
            "BFD_CHECK" if !has_reference => Some("name"),
            "HTTP_GET" | "SSL_GET" if pages == 0 => Some("url"),
            _ => None,
        };
        if let Some(missing) = missing {
            let text = format!("{} without a usable {missing} - removing", kind.name);
            self.report_at_end(code::CHECKER, Class::General, text, heading, 0);
        } else if let Some(command) = command
            && !user_failed
        {
            self.lvs
                .misc
                .push((command, user, super::At::end_of(heading)));
        }
        Ok(())
    }

    /// Reads one `url` block; `true` if it can be used.
    fn url(&mut self, heading: &Statement, nodes: Vec<Node>) -> Result<bool, Stop> {
        let mut seen = HashSet::new();
        let mut has_path = false;
        for node in nodes {
            let Some((keyword, statement)) = self.plain(node) else {
                continue;
            };
            // Offsets and sizes that are no numbers are only logged.
            if matches!(
                keyword.name,
                "regex_min_offset" | "regex_max_offset" | "regex_stack"
            ) {
                continue;
            }
            let Some(_) = self.value(keyword, &statement)? else {
                continue;
            };
            let again = !seen.insert(keyword.name);
            match keyword.name {
                "path" => {
                    has_path = true;
                    self.repeated(keyword, again, &statement);
                }
                "status_code" => self.status_codes(&statement),
                "regex" => {
                    if statement.words.len() > 2 {
                        let text = "regex takes one string - ignoring";
                        self.report_at(code::EXTRA_WORDS, Class::General, text, &statement, 2);
                    }
                }
                _ => {
                    self.repeated(keyword, again, &statement);
                }
            }
        }
        if !has_path {
            let text = "url without a path - removing";
            self.report_at_end(code::CHECKER, Class::General, text, heading, 0);
        }
        Ok(has_path)
    }

    fn status_codes(&mut self, statement: &Statement) {
        for n in 1..statement.words.len() {
            let word = statement.word(n).unwrap_or("");
            let fine = match word.split_once('-') {
                Some((from, to)) => {
                    let from = check::integer(from, 100, 599, false, false);
                    let to = check::integer(to, 100, 599, false, false);
                    matches!((from, to), (Ok(from), Ok(to)) if from <= to)
                }
                None => check::integer(word, 100, 599, false, false).is_ok(),
            };
            if !fine {
                let text = format!("invalid status code '{word}' - ignoring");
                self.report_at(code::OUT_OF_RANGE, Class::General, text, statement, n);
            }
        }
    }

    /// Whether a checker names something that is defined.
    fn reference(&mut self, what: &str, keyword: &str, statement: &Statement) -> bool {
        let name = statement.word(1).unwrap_or("");
        let known = match what {
            "track_file" => self.file_names.contains_key(name),
            _ => self.bfd_names.contains_key(name),
        };
        if !known {
            let text = format!("{keyword} {name}: no such {what}");
            self.report_at(code::NOT_DEFINED, Class::General, text, statement, 1);
        }
        known
    }

    fn dns_name(&mut self, statement: &Statement) {
        let name = statement.word(1).unwrap_or("");
        let fine = name == "."
            || name
                .trim_end_matches('.')
                .split('.')
                .all(|label| (1..=63).contains(&label.len()));
        if !fine {
            let text = format!("DNS name '{name}' has an empty or overlong label");
            self.report_at(code::CHECKER, Class::General, text, statement, 1);
        }
    }

    fn file_weight(&mut self, statement: &Statement) {
        let max = u64::try_from(i32::MAX).unwrap_or(0);
        let range = Value::Int {
            min: i64::from(-i32::MAX),
            max,
            any_base: false,
        };
        check::word(range, statement, 1, self.lenient, &mut self.session.report);
        if let Some(other) = statement
            .word(2)
            .filter(|w| !matches!(*w, "reverse" | "noreverse"))
        {
            let text = format!("unknown weight option {other} - ignoring");
            self.report_at(code::UNKNOWN_WORD, Class::General, text, statement, 2);
        }
    }

    fn hex(&mut self, statement: &Statement, name: &str) {
        let digits: String = statement.args().iter().map(|w| w.text.as_str()).collect();
        let digits: String = digits.chars().filter(|c| !c.is_whitespace()).collect();
        let wild = name == "require_reply";
        let fine = digits.len().is_multiple_of(2)
            && digits
                .chars()
                .all(|c| c.is_ascii_hexdigit() || (wild && matches!(c, 'x' | 'X')));
        if !fine {
            let text = format!("{name} '{digits}' is no even number of hexadecimal digits");
            self.report_at(code::CHECKER, Class::General, text, statement, 1);
        }
    }

    /// Judges the scripts of `MISC_CHECK`s.
    pub(super) fn misc_scripts(&mut self) {
        for (raw, user, end) in std::mem::take(&mut self.lvs.misc) {
            let run_as = match &user {
                Some(user) => self.find_user(user),
                None => self.default_user(),
            };
            let shown = raw.argv.join(" ");
            let Some(run_as) = run_as else {
                let text =
                    format!("Unable to set default user for misc script '{shown}' - removing");
                let d = Diagnostic::error(code::SCRIPT_USER, Class::General, text)
                    .help("set script_user, or add a user named keepalived_script");
                self.session
                    .report
                    .push(raw.at.also(end.put(d), "this script"));
                continue;
            };
            let command = self.command(&raw, run_as);
            let problem = match &command.verdict {
                Verdict::Usable => None,
                Verdict::InsecureButRuns { .. } => {
                    self.globals.insecure_scripts = true;
                    None
                }
                Verdict::Insecure { .. } => Some("due to insecure"),
                Verdict::NotExecutable => None,
                Verdict::NotFound | Verdict::NoUser => Some("since not found/accessible"),
            };
            match problem {
                None => self.globals.scripts_run = true,
                Some(problem) => {
                    // keepalived drops it without a word and without effect on the status.
                    let text = format!("Disabling misc script {shown} {problem}");
                    let d = Diagnostic::warning(code::SCRIPT_NOT_FOUND, Class::Ok, text);
                    self.session.report.push(raw.at.put(d));
                }
            }
        }
    }
}

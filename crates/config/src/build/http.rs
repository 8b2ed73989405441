//! The `url` blocks of `HTTP_GET` and `SSL_GET`.

use std::sync::Arc;

use super::check;
use super::seen::Seen;
use super::{Build, Stop};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{Regex, RegexOption, Url};
use crate::table::Keyword;
use crate::text::command::arguments;
use crate::tree::{Node, Statement};

/// Statuses that are good when a page does not say.
const GOOD: (u16, u16) = (200, 299);

impl Build<'_> {
    /// Reads one `url` block; `None` if it cannot be used.
    pub(super) fn url(
        &mut self,
        heading: &Statement,
        nodes: Vec<Node>,
    ) -> Result<Option<Url>, Stop> {
        let mut seen = Seen::default();
        let mut path: Option<Arc<str>> = None;
        let mut page = Url {
            path: Arc::from(""),
            digest: None,
            status: Vec::new(),
            virtualhost: None,
            regex: None,
            tls_compliant: false,
            origin: self.origin(heading),
        };
        let mut regex = Regex::default();
        let mut pattern = None;
        for node in nodes {
            let Some((keyword, statement)) = self.plain(node) else {
                continue;
            };
            if self.regex_place(keyword, &statement, &mut regex) {
                continue;
            }
            let Some(value) = self.value(keyword, &statement)? else {
                continue;
            };
            let again = !seen.insert(keyword.name);
            self.repeated(keyword, again, &statement);
            let text = || statement.word(1).map(Arc::from);
            match keyword.name {
                "path" => path = text(),
                "virtualhost" => page.virtualhost = text(),
                "digest" => self.digest(&statement, &mut page),
                "status_code" => self.status_codes(&statement, &mut page.status),
                "tls_compliant" => page.tls_compliant = value.on(),
                "regex_no_match" => regex.no_match = true,
                "regex_options" => self.regex_options(&statement, &mut regex),
                "regex" => {
                    let mut words = arguments(statement.raw());
                    if words.len() == 2 {
                        pattern = words.pop().map(|pattern| (pattern, statement.clone()));
                    } else {
                        let text = "regex takes one string - ignoring";
                        self.report_at(code::EXTRA_WORDS, Class::General, text, &statement, 2);
                    }
                }
                _ => {}
            }
        }
        let Some(path) = path else {
            let text = "url without a path - removing";
            self.report_at_end(code::PAGE, Class::General, text, heading, 0);
            return Ok(None);
        };
        page.path = path;
        if page.status.is_empty() {
            page.status.push(GOOD);
        }
        if let Some((pattern, statement)) = pattern {
            let regex = Regex { pattern, ..regex };
            self.pattern(&regex, &statement);
            page.regex = Some(Box::new(regex));
        }
        Ok(Some(page))
    }

    /// Says what is wrong with a pattern, and where in it. keepalived says nothing in a test.
    fn pattern(&mut self, regex: &Regex, statement: &Statement) {
        let Some(error) = self.host.regex_error(regex) else {
            return;
        };
        let text = String::from_utf8_lossy(&regex.pattern);
        let text = format!("regex '{text}' cannot be used: {error}");
        let d = Diagnostic::error(code::PATTERN, Class::Ok, text);
        let (start, end) = statement.range(1);
        let written = statement.line.text.get(start..end).unwrap_or_default();
        // Where it stands as it was read, without escapes, the place of the mistake is known.
        let inside = memchr::memmem::find(written, &regex.pattern);
        let d = match inside.map(|at| start + at + error.offset) {
            Some(at) if at < end => d.at(&statement.line, at, at + 1),
            _ => statement.point(d, 1),
        };
        self.session.report.push(d);
    }

    fn digest(&mut self, statement: &Statement, page: &mut Url) {
        let text = statement.word(1).unwrap_or("");
        if page.digest.is_some() {
            let text = format!("Digest '{text}' is a duplicate");
            self.report_at(code::PAGE, Class::General, text, statement, 1);
            return;
        }
        // The row of the keyword says that there are 32 digits.
        page.digest = u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes);
    }

    fn status_codes(&mut self, statement: &Statement, status: &mut Vec<(u16, u16)>) {
        let code_of = |word: &str| {
            let code = check::integer(word, 100, 599, false, false).ok()?;
            u16::try_from(code).ok()
        };
        for n in 1..statement.words().len() {
            let word = statement.word(n).unwrap_or("");
            let (from, to) = word.split_once('-').unwrap_or((word, word));
            match (code_of(from), code_of(to)) {
                (Some(from), Some(to)) if from <= to => status.push((from, to)),
                _ => {
                    let text = format!("invalid status code '{word}' - ignoring");
                    let d = Diagnostic::error(code::PAGE, Class::General, text);
                    let d = statement.point(d, n);
                    let d = match status_meant(word) {
                        Some((why, meant)) => {
                            d.help(format!("{why}: write {meant}")).instead(&meant)
                        }
                        None => d.help("write numbers from 100 to 599, or ranges such as 200-299"),
                    };
                    self.session.report.push(d);
                }
            }
        }
    }

    /// Where a match may be and how much stack it gets. Words that are no numbers are only
    /// logged by keepalived; `false` if the keyword is another.
    fn regex_place(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
        regex: &mut Regex,
    ) -> bool {
        let number = |n: usize| statement.word(n).and_then(|w| w.parse::<u64>().ok());
        let fine = match keyword.name {
            "regex_min_offset" => {
                regex.min_offset = number(1).unwrap_or(0);
                number(1).is_some()
            }
            "regex_max_offset" => {
                regex.max_offset = number(1);
                number(1).is_some()
            }
            "regex_stack" => {
                regex.stack = number(1).zip(number(2)).filter(|(start, max)| start <= max);
                regex.stack.is_some()
            }
            _ => return false,
        };
        if !fine {
            let text = format!("{} has no usable number - ignoring", keyword.name);
            self.warn_at(code::NOT_A_NUMBER, Class::Ok, text, statement, 1);
        }
        true
    }

    fn regex_options(&mut self, statement: &Statement, regex: &mut Regex) {
        for n in 1..statement.words().len() {
            let word = statement.word(n).unwrap_or("");
            match RegexOption::named(word) {
                Some(option) => regex.options.push(option),
                None => {
                    let names = RegexOption::ALL.iter().map(|(name, _)| *name);
                    let text = format!("regex option {word} is not known - ignoring");
                    let mut d = Diagnostic::warning(code::UNKNOWN_WORD, Class::Ok, text);
                    d.help = crate::table::nearest(word, names)
                        .map(|hint| format!("did you mean `{hint}`?"));
                    self.session.report.push(statement.point(d, n));
                }
            }
        }
        regex.options.sort_unstable();
        regex.options.dedup();
    }
}

/// The status codes that are meant by a word that is none, and what is wrong with it.
fn status_meant(word: &str) -> Option<(&'static str, String)> {
    let code = |text: &str| text.parse().ok().filter(|n: &u16| (100..=599).contains(n));
    let range = |text: &str| {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        Some((code(from)?, code(to)?))
    };
    if let Some((from, to)) = range(word).filter(|(from, to)| from > to) {
        return Some(("the smaller number comes first", format!("{to}-{from}")));
    }
    let hundred = word.strip_suffix("xx").or_else(|| word.strip_suffix("XX"));
    if let Some(n @ ("1" | "2" | "3" | "4" | "5")) = hundred {
        return Some(("there are no wildcards", format!("{n}00-{n}99")));
    }
    let parts: Vec<&str> = word
        .split([',', ';', '|'])
        .filter(|p| !p.is_empty())
        .collect();
    let all = parts.iter().all(|p| range(p).is_some());
    (all && !parts.is_empty()).then(|| ("blanks stand between codes", parts.join(" ")))
}

//! `vrrp_script`.

use std::time::Duration;

use super::command::{RawCommand, RawUser};
use super::{At, Build, Stop, check};
use crate::code;
use crate::diagnostic::Class;
use crate::model::Origin;
use crate::table::{Context, Value};
use crate::tree::{Node, Statement};

/// A script before it is settled who runs it.
#[derive(Debug)]
pub(crate) struct RawScript {
    pub(crate) name: String,
    pub(crate) command: Option<RawCommand>,
    pub(crate) interval: Duration,
    pub(crate) timeout: Option<Duration>,
    pub(crate) weight: i32,
    pub(crate) reverse: bool,
    pub(crate) rise: u32,
    pub(crate) fall: u32,
    pub(crate) user: Option<RawUser>,
    /// `user` names someone who does not exist.
    pub(crate) user_failed: bool,
    pub(crate) init_fail: bool,
    pub(crate) at: At,
    /// Its closing brace.
    pub(crate) end: At,
    pub(crate) origin: Origin,
    /// Whether it is there at all once everything is settled.
    pub(crate) usable: bool,
}

impl Build<'_> {
    pub(super) fn script(&mut self, heading: &Statement, nodes: Vec<Node>) -> Result<(), Stop> {
        let name = heading.word(1).unwrap_or("").to_owned();
        let mut script = RawScript {
            name: name.clone(),
            command: None,
            interval: Duration::from_secs(1),
            timeout: None,
            weight: 0,
            reverse: false,
            rise: 1,
            fall: 1,
            user: None,
            user_failed: false,
            init_fail: false,
            at: At::of(heading, 1),
            end: At::end_of(heading),
            origin: self.origin(heading),
            usable: true,
        };
        for node in nodes {
            let (keyword, statement) = match node {
                Node::Statement(keyword, statement) => (keyword, statement),
                Node::Problem(d) => {
                    self.session.report.push(*d);
                    continue;
                }
                _ => continue,
            };
            self.note_support(Context::VrrpScript, keyword, &statement);
            if keyword.name == "script" && self.repeats_command(&statement, &script.command) {
                continue;
            }
            let value = self.value(keyword, &statement)?;
            match keyword.name {
                "script" => {
                    if value.is_some() {
                        script.command = self.raw_command(&statement, false);
                    }
                }
                "interval" | "timeout" => {
                    // Out of range becomes one second; 0 is the common case.
                    let time = value
                        .and_then(|v| v.duration())
                        .unwrap_or(Duration::from_secs(1));
                    if keyword.name == "interval" {
                        script.interval = time;
                    } else {
                        script.timeout = Some(time);
                    }
                }
                "weight" => {
                    if let Some((weight, reverse)) = self.weight(&statement, 1, 253, true) {
                        script.weight = weight;
                        script.reverse = reverse.unwrap_or(false);
                    }
                }
                "rise" => script.rise = value.and_then(|v| v.int()).unwrap_or(1),
                "fall" => script.fall = value.and_then(|v| v.int()).unwrap_or(1),
                "user" => {
                    let user = statement.word(1).unwrap_or("").to_owned();
                    let group = statement.word(2).map(str::to_owned);
                    let raw = RawUser { user, group };
                    if self.find_user(&raw).is_none() {
                        script.user_failed = true;
                        let text =
                            format!("Unable to find user '{}' for vrrp script {name}", raw.user);
                        self.report_at(code::NO_USER, Class::General, text, &statement, 1);
                    }
                    script.user = Some(raw);
                }
                "init_fail" => script.init_fail = true,
                _ => {}
            }
        }
        if script.command.is_none() {
            let text = format!("No script set for vrrp_script {name} - removing");
            self.report_at_end(code::SCRIPT_MISSING, Class::General, text, heading, 1);
            script.usable = false;
        }
        if script.user_failed {
            script.usable = false;
        }
        if script.usable {
            self.script_names.insert(name.into(), self.scripts.len());
            self.scripts.push(script);
        }
        Ok(())
    }

    /// Reads `WEIGHT [reverse|noreverse]` from word `n` on; `limit` is the greatest weight. A
    /// weight beyond it is reported, and kept only if `keep`.
    pub(super) fn weight(
        &mut self,
        statement: &Statement,
        n: usize,
        limit: i32,
        keep: bool,
    ) -> Option<(i32, Option<bool>)> {
        let any = Value::Int {
            min: i64::from(i32::MIN),
            max: i32::MAX as u64,
            any_base: false,
        };
        let value = check::word(any, statement, n, self.lenient, &mut self.session.report)?;
        let weight: i32 = value.int()?;
        let out = weight.checked_abs().is_none_or(|w| w > limit);
        if out {
            let text = format!("weight {weight} is outside range [-{limit}, {limit}]");
            self.report_at(code::OUT_OF_RANGE, Class::BadNumber, text, statement, n);
            if !keep {
                return None;
            }
        }
        let reverse = match statement.word(n + 1) {
            None => None,
            Some("reverse") => Some(true),
            Some("noreverse") => Some(false),
            Some(other) => {
                let text = format!("unknown weight option {other} - ignoring");
                self.report_at(code::UNKNOWN_WORD, Class::General, text, statement, n + 1);
                None
            }
        };
        Some((
            if out {
                weight.clamp(-limit, limit)
            } else {
                weight
            },
            reverse,
        ))
    }
}

//! Command strings with their users, and what the files say about running them.

use super::{At, Build};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::{Command, Origin, RunAs, SupplementaryGroups, Verdict};
use crate::source::{FileKind, Host, Stat};
use crate::text::command::{arguments, statement_words};
use crate::tree::Statement;

/// A command as it was written.
#[derive(Clone, Debug)]
pub(crate) struct RawCommand {
    pub(crate) argv: Vec<String>,
    /// The user and group that stand behind it.
    pub(super) user: Option<(String, Option<String>)>,
    pub(crate) at: At,
    pub(crate) origin: Origin,
}

/// A user and group as written.
#[derive(Clone, Debug)]
pub(crate) struct RawUser {
    pub(crate) user: String,
    pub(crate) group: Option<String>,
}

impl Build<'_> {
    /// Reads the command of a statement; `with_user` takes user and group behind it.
    pub(crate) fn raw_command(&self, statement: &Statement, with_user: bool) -> Option<RawCommand> {
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        let words = statement_words(statement.raw());
        let argv: Vec<String> = arguments(words.get(1)?).iter().map(text).collect();
        if argv.first().is_none_or(String::is_empty) {
            return None;
        }
        let user = words.get(2).filter(|_| with_user).map(text);
        let user = user.map(|user| (user, words.get(3).map(text)));
        let origin = self.origin(statement);
        Some(RawCommand {
            argv,
            user,
            at: At::of(statement, 1),
            origin,
        })
    }

    /// Whether a statement of a command says nothing, and `command` was said before: that one
    /// holds.
    pub(crate) fn repeats_command(
        &mut self,
        statement: &Statement,
        command: &Option<RawCommand>,
    ) -> bool {
        let nothing = !statement.has_open_quote() && self.raw_command(statement, false).is_none();
        if command.is_none() || !nothing {
            return false;
        }
        let text = format!("{} without a command - ignoring", statement.keyword());
        self.warn_at(code::VALUE_MISSING, Class::Ok, text, statement, 0);
        true
    }

    /// The user and group that `user` and `group` name; `:group` gives all groups of the user.
    pub(crate) fn find_user(&self, raw: &RawUser) -> Option<RunAs> {
        let user = self.host.user(&raw.user)?;
        let (group, colon) = match raw.group.as_deref() {
            None => (None, false),
            Some(group) => match group.strip_prefix(':') {
                Some(rest) => (Some(rest), true),
                None => (Some(group), false),
            },
        };
        let gid = match group {
            None | Some("") => user.gid,
            Some(group) => self.host.group(group)?,
        };
        let all = colon || self.config.global.set_supplementary_groups;
        let groups = if all {
            SupplementaryGroups::OfUser
        } else {
            SupplementaryGroups::None
        };
        Some(RunAs {
            uid: user.uid,
            gid,
            user: Some(user.name),
            groups,
        })
    }

    /// Who runs a script that does not say so itself: `script_user`, else `keepalived_script`,
    /// else this process's own user unless security is on.
    pub(crate) fn default_user(&self) -> Option<RunAs> {
        if self.globals.script_user_failed {
            return None;
        }
        if let Some(user) = &self.config.global.script_user {
            return Some(user.clone());
        }
        let all = self.config.global.set_supplementary_groups;
        let groups = if all {
            SupplementaryGroups::OfUser
        } else {
            SupplementaryGroups::None
        };
        if let Some(user) = self.host.user("keepalived_script") {
            let user_name = Some(user.name);
            return Some(RunAs {
                uid: user.uid,
                gid: user.gid,
                user: user_name,
                groups,
            });
        }
        if self.config.global.enable_script_security {
            return None;
        }
        let user = self.host.current_user();
        Some(RunAs {
            uid: user.uid,
            gid: user.gid,
            user: Some(user.name),
            groups,
        })
    }

    /// Who runs a command, if that can be told.
    pub(crate) fn command_user(&mut self, raw: &RawCommand) -> Option<RunAs> {
        match &raw.user {
            Some((user, group)) => self.find_user(&RawUser {
                user: user.clone(),
                group: group.clone(),
            }),
            None => {
                let user = self.default_user();
                if user.is_none() {
                    let text = "Unable to set default user keepalived_script for script";
                    let d = Diagnostic::error(code::SCRIPT_USER, Class::General, text)
                        .help("set script_user, or add a user named keepalived_script");
                    self.session.report.push(raw.at.put(d));
                }
                user
            }
        }
    }

    /// A command of a `notify*` keyword: one that cannot run is noted, and does not count.
    pub(crate) fn notify_command(&mut self, raw: Option<RawCommand>) -> Option<Command> {
        let raw = raw?;
        let Some(run_as) = self.command_user(&raw) else {
            if raw.user.is_some() {
                let text = "the user or group of this script does not exist - not running it";
                let d = Diagnostic::warning(code::NO_USER, Class::Ok, text);
                let (user, group) = raw.user.clone().unwrap_or_default();
                let words = [raw.argv.join(" "), user.clone(), group.unwrap_or_default()].join(" ");
                let help = format!(
                    "the word behind a command is the user that runs it, and nobody is called \
                     {user}; arguments go with the command into quotes: \"{}\"",
                    words.trim_end()
                );
                self.session.report.push(raw.at.put(d).help(help));
            }
            return None;
        };
        let command = self.command(&raw, run_as);
        match &command.verdict {
            Verdict::Usable => {}
            Verdict::InsecureButRuns { .. } => self.globals.insecure_scripts = true,
            verdict => {
                let text = format!("script {} {} - not running it", command.path, why(verdict));
                let d = Diagnostic::warning(code::SCRIPT_NOT_FOUND, Class::Ok, text)
                    .help(mend(&command.path, verdict));
                self.session.report.push(raw.at.put(d));
                return None;
            }
        }
        self.globals.scripts_run = true;
        Some(command)
    }

    /// The same for a command that most blocks do not have.
    pub(super) fn boxed_command(&mut self, raw: Option<Box<RawCommand>>) -> Option<Box<Command>> {
        self.notify_command(raw.map(|raw| *raw)).map(Box::new)
    }

    /// The command with its verdict.
    pub(crate) fn command(&self, raw: &RawCommand, run_as: RunAs) -> Command {
        let security = self.config.global.enable_script_security;
        let (path, verdict) = verdict(self.host, &raw.argv[0], &run_as, security);
        Command {
            argv: raw.argv.clone(),
            path,
            run_as,
            verdict,
            origin: raw.origin.clone(),
        }
    }
}

/// Why a script does not run, after its name.
pub(crate) fn why(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Usable => "may run".into(),
        Verdict::InsecureButRuns { path } | Verdict::Insecure { path } => {
            format!("is insecure: others than root may change {path}")
        }
        Verdict::NotFound => "is not found or not accessible".into(),
        Verdict::NotExecutable => "is not executable for its user".into(),
        Verdict::NoUser => "has no user to run as".into(),
    }
}

/// What to do about a script that does not run.
pub(crate) fn mend(path: &str, verdict: &Verdict) -> String {
    const OF_THE_SHELL: [&str; 12] = [
        "if", "while", "for", "case", "until", "cd", "export", "set", "source", ".", "[[", "exit",
    ];
    let why = why(verdict);
    match verdict {
        Verdict::NotFound if path.contains(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}']) => {
            format!("write straight quotes (\"): those around {path} belong to the name")
        }
        Verdict::NotFound if OF_THE_SHELL.contains(&path) => {
            format!("`{path}` is a word of the shell: write \"/bin/sh -c '...'\", or a script file")
        }
        Verdict::NotFound if !path.contains('/') => {
            format!("no program {path} is in the path: write its full path")
        }
        Verdict::NotFound if path.starts_with(['~', '.']) => {
            format!("write the whole path, from / on: nobody reads the beginning of {path}")
        }
        Verdict::NotFound => format!("{path} {why}: check the path"),
        Verdict::NotExecutable => format!("{path} {why}: chmod +x {path}"),
        Verdict::Insecure { path: open } | Verdict::InsecureButRuns { path: open } => {
            format!("{path} {why}: chmod go-w {open}")
        }
        Verdict::Usable | Verdict::NoUser => format!("{path} {why}"),
    }
}

/// How many symbolic links a path may lead through.
const LINKS_MAX: usize = 40;

/// Judges the file of a command: where it is, and whether it may run.
///
/// A path through symbolic links is judged by every directory on the way, also the one that
/// holds the link: whoever may write there may put another link. keepalived 2.4 refuses any
/// such path instead, which disables `/bin/true` on merged-usr systems.
fn verdict(host: &dyn Host, program: &str, run_as: &RunAs, security: bool) -> (String, Verdict) {
    let path = if program.contains('/') {
        program.to_owned()
    } else {
        match host.find_program(program) {
            Some(path) => path,
            None => return (program.to_owned(), Verdict::NotFound),
        }
    };
    let mut steps = Vec::new();
    let Some(stat) = walk(host, &path, &mut steps) else {
        return (path, Verdict::NotFound);
    };
    if stat.kind != FileKind::File || !may_execute(host, &stat, run_as) {
        return (path, Verdict::NotExecutable);
    }
    let setuid_root = stat.mode & 0o4000 != 0 && stat.uid == 0;
    if !run_as.is_root() && !setuid_root {
        return (path, Verdict::Usable);
    }
    let open = steps
        .into_iter()
        .find(|(_, s)| s.kind != FileKind::Symlink && writable(s));
    let verdict = match open {
        None => Verdict::Usable,
        Some((path, _)) if security => Verdict::Insecure { path },
        Some((path, _)) => Verdict::InsecureButRuns { path },
    };
    (path, verdict)
}

/// Follows `path` element by element; every element met goes to `steps`.
fn walk(host: &dyn Host, path: &str, steps: &mut Vec<(String, Stat)>) -> Option<Stat> {
    let mut todo: Vec<String> = path
        .split('/')
        .filter(|p| !p.is_empty())
        .rev()
        .map(str::to_owned)
        .collect();
    let absolute = path.starts_with('/');
    let mut at = if absolute {
        "/".to_owned()
    } else {
        ".".to_owned()
    };
    let mut stat = host.stat(&at)?;
    steps.push((at.clone(), stat));
    let mut links = 0;
    while let Some(part) = todo.pop() {
        let next = match (part.as_str(), at.as_str()) {
            (".", _) => continue,
            ("..", at) if at.starts_with('/') => match at.rfind('/') {
                Some(0) | None => "/".to_owned(),
                Some(cut) => at[..cut].to_owned(),
            },
            (part, "/") => format!("/{part}"),
            (part, at) => format!("{at}/{part}"),
        };
        stat = host.stat(&next)?;
        steps.push((next.clone(), stat));
        if stat.kind == FileKind::Symlink {
            links += 1;
            if links > LINKS_MAX {
                return None;
            }
            let target = host.read_link(&next)?;
            if target.starts_with('/') {
                at = "/".to_owned();
            }
            todo.extend(
                target
                    .split('/')
                    .filter(|p| !p.is_empty())
                    .rev()
                    .map(str::to_owned),
            );
            if todo.is_empty() {
                stat = host.stat(&at)?;
            }
            continue;
        }
        at = next;
    }
    (stat.kind != FileKind::Symlink).then_some(stat)
}

/// Whether others than root may change it; a sticky directory protects what is in it.
fn writable(stat: &Stat) -> bool {
    let sticky = stat.kind == FileKind::Directory && stat.mode & 0o1000 != 0;
    stat.uid != 0 || (stat.mode & 0o022 != 0 && !sticky)
}

fn may_execute(host: &dyn Host, stat: &Stat, run_as: &RunAs) -> bool {
    if run_as.uid == 0 {
        return stat.mode & 0o111 != 0;
    }
    let bit = if stat.uid == run_as.uid {
        0o100
    } else if stat.gid == run_as.gid || host.in_group(run_as.uid, stat.gid) {
        0o010
    } else {
        0o001
    };
    stat.mode & bit != 0
}

//! Scripts of the daemon as a whole, and who runs scripts.

use crate::build::Build;
use crate::build::command::RawUser;
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::model::NotifyFifo;
use crate::table::Keyword;
use crate::tree::Statement;

impl Build<'_> {
    pub(super) fn script_setting(
        &mut self,
        name: &str,
        keyword: &'static Keyword,
        statement: &Statement,
    ) -> bool {
        match name {
            "script_user" => {
                let raw = RawUser {
                    user: statement.word(1).unwrap_or("").to_owned(),
                    group: statement.word(2).map(str::to_owned),
                };
                // One that cannot be used spoils those after it, too.
                let user = self.find_user(&raw);
                match user.filter(|_| !self.globals.script_user_failed) {
                    Some(user) => self.config.global.script_user = Some(user),
                    None => {
                        let text = "Error setting global script uid/gid";
                        let d = Diagnostic::error(code::NO_USER, Class::General, text)
                            .help("there is no such user or group on this machine");
                        self.session.report.push(statement.point(d, 1));
                        self.globals.script_user_failed = true;
                    }
                }
            }
            "enable_script_security" => self.config.global.enable_script_security = true,
            "use_symlink_paths" | "set_supplementary_groups" => {
                let on = !matches!(statement.word(1), Some("false" | "off" | "no"));
                if name == "use_symlink_paths" {
                    self.config.global.use_symlink_paths = on;
                } else {
                    self.config.global.set_supplementary_groups = on;
                }
            }
            "startup_script" | "shutdown_script" => {
                let mut command = self.raw_command(statement, true);
                let startup = name == "startup_script";
                // Who runs it is looked up at once.
                self.needs_default_user(statement, 2);
                let user = command.as_ref().map(|raw| match &raw.user {
                    Some((user, group)) => self.find_user(&RawUser {
                        user: user.clone(),
                        group: group.clone(),
                    }),
                    None => self.default_user(),
                });
                if user.is_none_or(|user| user.is_none()) {
                    let what = name.trim_end_matches("_script");
                    let text = format!("Invalid {what} script");
                    let d = Diagnostic::error(code::SCRIPT_USER, Class::General, text)
                        .help("the user or the group that should run it does not exist");
                    self.session.report.push(statement.point(d, 1));
                    command = None;
                }
                let slot = if startup {
                    &mut self.globals.startup
                } else {
                    &mut self.globals.shutdown
                };
                if slot.is_some() {
                    let text = format!("{} already specified - ignoring", keyword.name);
                    self.report_at(code::REPEATED, Class::General, text, statement, 0);
                } else {
                    *slot = command;
                }
            }
            "notify_fifo" | "vrrp_notify_fifo" | "lvs_notify_fifo" => {
                let seen = self.fifo(name).as_ref().is_some_and(|f| !f.path.is_empty());
                if self.repeated(keyword, seen, statement) {
                    return true;
                }
                self.needs_default_user(statement, 2);
                let owner = statement.word(2).map(|user| RawUser {
                    user: user.to_owned(),
                    group: statement.word(3).map(str::to_owned),
                });
                let path = statement.word(1).unwrap_or("").to_owned();
                let owner = owner.and_then(|raw| self.find_user(&raw));
                let origin = self.origin(statement);
                *self.fifo(name) = Some(NotifyFifo {
                    path,
                    owner,
                    script: None,
                    origin,
                });
            }
            "notify_fifo_script" | "vrrp_notify_fifo_script" | "lvs_notify_fifo_script" => {
                let index = match name {
                    "notify_fifo_script" => 0,
                    "vrrp_notify_fifo_script" => 1,
                    _ => 2,
                };
                let seen = self.globals.fifo_scripts[index].is_some();
                if !self.repeated(keyword, seen, statement) {
                    self.needs_default_user(statement, 2);
                    self.globals.fifo_scripts[index] = self.raw_command(statement, true);
                }
            }
            _ => return false,
        }
        true
    }

    /// With security on, what names no user at word `n` needs one at once: `script_user` below
    /// comes too late.
    fn needs_default_user(&mut self, statement: &Statement, n: usize) {
        let global = &self.config.global;
        if statement.word(n).is_some()
            || self.globals.script_user_failed
            || global.script_user.is_some()
            || !global.enable_script_security
            || self.host.user("keepalived_script").is_some()
        {
            return;
        }
        let text = "Unable to set default user keepalived_script for script";
        let d = Diagnostic::error(code::SCRIPT_USER, Class::General, text)
            .help("write script_user before it, or add a user named keepalived_script");
        self.session.report.push(statement.point(d, 1));
        self.globals.script_user_failed = true;
    }
}

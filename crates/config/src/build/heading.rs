//! The heading of a block: its name, and whether the block can be used at all.

use super::{Build, Stop, check};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::place::Place;
use crate::table::Keyword;
use crate::tree::Statement;

impl Build<'_> {
    /// Whether a block cannot be used because of its heading; that is reported.
    pub(super) fn refused(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
    ) -> Result<bool, Stop> {
        let crate::table::Args::Block(heading, _) = keyword.args else {
            return Ok(false);
        };
        match heading {
            crate::table::Heading::None => Ok(false),
            crate::table::Heading::Name(_) => {
                let Some(name) = statement.word(1) else {
                    if keyword.missing == crate::table::Missing::Stops {
                        check::missing(keyword, statement, 1, &mut self.session.report)?;
                    }
                    let text = format!("{} must have a name", keyword.name);
                    self.report_at(code::NAME_MISSING, Class::General, text, statement, 0);
                    return Ok(true);
                };
                if statement.words().len() > 2 {
                    match keyword.name {
                        "virtual_server_group" => {
                            return Err(check::stop(statement, 1, None, self.report()));
                        }
                        "vrrp_instance" | "vrrp_sync_group" | "track_group" => {
                            let text = format!("{} must have a name", keyword.name);
                            let d = Diagnostic::error(code::NAME_MISSING, Class::General, text)
                                .help("a name is one word; quotes make one of several");
                            self.session.report.push(statement.point(d, 2));
                            return Ok(true);
                        }
                        _ => {}
                    }
                }
                let taken = self.taken(keyword.name, name);
                if taken {
                    // keepalived says nothing about scripts and files; the first one holds.
                    let loud = matches!(
                        keyword.name,
                        "vrrp_instance" | "vrrp_sync_group" | "track_group" | "bfd_instance"
                    );
                    let class = if loud { Class::General } else { Class::Ok };
                    let what = keyword.name.replace('_', " ");
                    let text = format!("{what} {name} already defined");
                    let d = Diagnostic::warning(code::DUPLICATE, class, text);
                    let mut d = statement.point(d, 1);
                    if let Some(first) = self.first(keyword.name, name) {
                        d = d.label(first, "first defined here, and this one holds");
                    }
                    self.session.report.push(d);
                }
                Ok(taken)
            }
            crate::table::Heading::Service | crate::table::Heading::Server => {
                Ok(!self.service_heading(keyword, statement)?)
            }
        }
    }

    /// Whether the block of a statement is skipped unseen: its heading cannot be used. The
    /// message comes when the (empty) block is read.
    pub(crate) fn skips(&self, keyword: &'static Keyword, statement: &Statement) -> bool {
        let crate::table::Args::Block(heading, _) = keyword.args else {
            return false;
        };
        match heading {
            crate::table::Heading::None => false,
            crate::table::Heading::Name(_) => {
                let one_word = matches!(
                    keyword.name,
                    "vrrp_instance" | "vrrp_sync_group" | "track_group"
                );
                (one_word && statement.words().len() > 2)
                    || statement
                        .word(1)
                        .is_none_or(|name| self.taken(keyword.name, name))
            }
            crate::table::Heading::Service => self.service(statement).is_err(),
            crate::table::Heading::Server => self.server_address(statement).is_err(),
        }
    }

    fn taken(&self, keyword: &str, name: &str) -> bool {
        match keyword {
            "vrrp_instance" => self.instance_names.contains_key(name),
            "vrrp_sync_group" => self.group_names.contains_key(name),
            "track_group" => self.track_group_names.contains_key(name),
            "bfd_instance" => self.bfd_names.contains_key(name),
            "vrrp_script" => self.script_names.contains_key(name),
            "track_file" | "vrrp_track_file" => self.file_names.contains_key(name),
            "vrrp_track_process" => self.process_names.contains_key(name),
            _ => false,
        }
    }

    /// Where the block of this kind and name was defined first.
    fn first(&self, keyword: &str, name: &str) -> Option<Place> {
        let origin = match keyword {
            "vrrp_instance" => &self.instances.get(*self.instance_names.get(name)?)?.origin,
            "vrrp_sync_group" => &self.groups.get(*self.group_names.get(name)?)?.origin,
            "track_group" => {
                &self
                    .track_groups
                    .get(*self.track_group_names.get(name)?)?
                    .origin
            }
            "vrrp_script" => &self.scripts.get(*self.script_names.get(name)?)?.origin,
            "track_file" | "vrrp_track_file" => {
                &self
                    .config
                    .track_files
                    .get(*self.file_names.get(name)?)?
                    .origin
            }
            "vrrp_track_process" => {
                let n = *self.process_names.get(name)?;
                &self.config.track_processes.get(n)?.origin
            }
            "bfd_instance" => {
                let n = *self.bfd_names.get(name)?;
                &self.config.bfd_sessions.get(n)?.origin
            }
            _ => return None,
        };
        self.place_of(origin)
    }

    /// Words between a block's keyword and its brace where none belong.
    pub(super) fn no_more_words(&mut self, keyword: &'static Keyword, statement: &Statement) {
        use crate::table::{Args, Body, Heading};
        let wanted = match keyword.args {
            Args::Block(Heading::None, Body::Lines(_) | Body::Names) => 1,
            _ => return,
        };
        if let Some(extra) = statement.word(wanted) {
            let text = format!("Block {} has extra parameters {extra} ...", keyword.name);
            self.report_at(code::EXTRA_WORDS, Class::General, text, statement, wanted);
        }
    }
}

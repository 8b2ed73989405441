//! The top level: which process reads a block first, and who reads what.

use super::{Build, Stop, check};
use crate::code;
use crate::pass::Pass;
use crate::table::{Context, Keyword};
use crate::tree::{Node, Statement};

/// The first pass that reads `node` of the top level.
fn first_pass(node: &Node) -> Pass {
    match node {
        Node::Problem(_) | Node::Statement(..) => Pass::Parent,
        Node::Block(keyword, ..) | Node::Lines(keyword, ..) => {
            let passes = [Pass::Parent, Pass::Checker];
            passes
                .into_iter()
                .find(|pass| pass.reads(keyword))
                .unwrap_or(Pass::Vrrp)
        }
    }
}

/// The pass that a missing value in `node` ends.
fn ended_by(node: &Node) -> Pass {
    match node {
        Node::Block(keyword, ..) if keyword.name == "bfd_instance" => Pass::Bfd,
        node => first_pass(node),
    }
}

impl Build<'_> {
    /// Reads one node of the top level.
    pub(crate) fn top(&mut self, node: Node) {
        if self.ended.is_some_and(|ended| first_pass(&node) >= ended) {
            self.open_quotes(node);
            return;
        }
        let ends = ended_by(&node);
        if self.read(node).is_err() {
            self.stopped = true;
            self.ended = Some(self.ended.map_or(ends, |ended| ended.min(ends)));
        }
        if self.globals.no_namespace && !self.is_over() {
            // Only the parent has read the text by the time it fails to enter the namespace.
            self.ended = Some(Pass::Checker);
        }
    }

    /// What is said of blocks that are not read any more: keepalived's first process looks for
    /// quotes in all of the text.
    fn open_quotes(&mut self, node: Node) {
        match node {
            Node::Problem(d) if d.code == code::QUOTE => self.session.report.push(*d),
            Node::Block(_, _, nodes) => {
                for node in nodes {
                    self.open_quotes(node);
                }
            }
            _ => {}
        }
    }

    fn read(&mut self, node: Node) -> Result<(), Stop> {
        match node {
            Node::Problem(d) => self.session.report.push(*d),
            Node::Statement(keyword, statement) => {
                self.note_support(Context::Top, keyword, &statement);
                self.global_top(keyword, &statement)?;
            }
            Node::Block(keyword, statement, nodes) => {
                self.note_support(Context::Top, keyword, &statement);
                if self.refused(keyword, &statement)? {
                    // Only problems with its braces are left of a skipped block.
                    self.problems(nodes);
                    return Ok(());
                }
                match keyword.name {
                    "global_defs" => self.global_defs(nodes)?,
                    "vrrp_instance" => self.instance(&statement, nodes)?,
                    "vrrp_script" => self.script(&statement, nodes)?,
                    "vrrp_sync_group" => self.sync_group(&statement, nodes)?,
                    "track_group" => self.track_group(&statement, nodes)?,
                    "garp_group" => self.garp_group(&statement, nodes)?,
                    "track_file" | "vrrp_track_file" => self.track_file(&statement, nodes)?,
                    "vrrp_track_process" => self.track_process(&statement, nodes)?,
                    "bfd_instance" => self.bfd_instance(&statement, nodes)?,
                    "virtual_server" => self.virtual_server(&statement, nodes)?,
                    "SSL" => self.ssl(&statement, nodes)?,
                    _ => self.lines_with_problems(nodes)?,
                }
            }
            Node::Lines(keyword, statement, lines) => {
                self.note_support(Context::Top, keyword, &statement);
                if !self.refused(keyword, &statement)? {
                    self.top_lines(keyword, &statement, &lines)?;
                }
            }
        }
        Ok(())
    }

    /// A block of lines that also has problems with its braces.
    fn lines_with_problems(&mut self, nodes: Vec<Node>) -> Result<(), Stop> {
        let mut brace_missing = false;
        for node in nodes {
            match node {
                Node::Problem(d) => {
                    brace_missing |= d.code == code::MISSING_OPEN;
                    self.session.report.push(*d);
                }
                // Here alone keepalived insists on the brace, as on a value.
                Node::Lines(keyword, statement, lines)
                    if brace_missing && keyword.name == "virtual_server_group" =>
                {
                    let first = lines.first().unwrap_or(&statement);
                    return Err(check::stop(first, 1, None, self.report()));
                }
                Node::Lines(keyword, statement, lines) => {
                    self.top_lines(keyword, &statement, &lines)?;
                }
                Node::Statement(..) | Node::Block(..) => {}
            }
        }
        Ok(())
    }

    fn top_lines(
        &mut self,
        keyword: &'static Keyword,
        statement: &Statement,
        lines: &[Statement],
    ) -> Result<(), Stop> {
        self.no_more_words(keyword, statement);
        match keyword.name {
            "static_ipaddress" => {
                for line in lines {
                    if let Some(entry) = self.address(line, Context::StaticIpaddress)? {
                        self.statics.addresses.push(entry);
                    }
                }
            }
            "static_routes" => {
                for line in lines {
                    if let Some(entry) = self.route(line, Context::StaticRoutes)? {
                        self.statics.routes.push(entry);
                    }
                }
            }
            "static_rules" => {
                for line in lines {
                    if let Some(entry) = self.rule(line, Context::StaticRules)? {
                        self.statics.rules.push(entry);
                    }
                }
            }
            "linkbeat_interfaces" => self.linkbeat_interfaces(lines),
            "interface_up_down_delays" => self.interface_delays(lines),
            "virtual_server_group" => self.virtual_server_group(statement, lines)?,
            _ => {}
        }
        Ok(())
    }

    /// Reports the structural problems among `nodes` and drops the rest.
    pub(super) fn problems(&mut self, nodes: Vec<Node>) {
        for node in nodes {
            if let Node::Problem(d) = node {
                self.session.report.push(*d);
            }
        }
    }
}

//! What keepalived's processes make of a block that they skip.

use super::statement::Statement;
use super::{Item, Node};
use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::table::{Args, Context, Missing};
use crate::text::Line;

/// A block of the top level as keepalived's processes see it that skip such blocks: up to its
/// closing brace by count. Where opening braces are missing inside, or its own is, that is too
/// early, and they take the remaining lines for statements of the top level.
#[derive(Default)]
pub(super) struct Flood {
    nodes: Vec<Node>,
    inside: Inside,
}

/// Where the lines of a [`Flood`] stand.
#[derive(Default)]
enum Inside {
    /// At the top level.
    Top,
    /// Behind a keyword of the top level that takes a block.
    #[default]
    Heading,
    /// So deep in the block of such a keyword.
    Block(usize),
}

impl Flood {
    /// They have seen the end of the block.
    pub(super) fn at_top(&mut self) {
        self.inside = Inside::Top;
    }

    /// What they say.
    pub(super) fn into_nodes(self) -> Vec<Node> {
        self.nodes
    }

    /// The item that comes next.
    pub(super) fn take(&mut self, item: &Item) {
        self.inside = match (item, &self.inside) {
            (Item::Open(..), Inside::Heading) => Inside::Block(1),
            (Item::Open(..), Inside::Block(depth)) => Inside::Block(depth + 1),
            (Item::Close(..), Inside::Block(1)) => Inside::Top,
            (Item::Close(..), Inside::Block(depth)) => Inside::Block(depth - 1),
            (_, Inside::Block(depth)) => Inside::Block(*depth),
            (Item::Words(statement), _) => self.words(statement),
            (Item::Open(line, at), _) => {
                let text = "Unexpected '{' - ignoring";
                let d = Diagnostic::error(code::UNEXPECTED_OPEN, Class::Braces, text);
                self.problem(point(d, line, *at));
                Inside::Top
            }
            (Item::Close(line, at), _) => {
                let text = "Unknown keyword '}'";
                let d = Diagnostic::error(code::UNKNOWN_KEYWORD, Class::UnknownKeyword, text);
                self.problem(point(d, line, *at));
                Inside::Top
            }
            (Item::Problem(_), _) => Inside::Top,
        };
    }

    fn words(&mut self, statement: &Statement) -> Inside {
        let Some(keyword) = Context::Top.find(statement.keyword()) else {
            let text = format!("Unknown keyword '{}'", statement.keyword());
            let d = Diagnostic::error(code::UNKNOWN_KEYWORD, Class::UnknownKeyword, text);
            self.problem(statement.point(d, 0));
            return Inside::Top;
        };
        if !matches!(keyword.args, Args::Block(..)) {
            return Inside::Top;
        }
        if statement.words().len() < 2 && keyword.missing == Missing::Stops {
            self.nodes
                .push(Node::Block(keyword, statement.clone(), Vec::new()));
        }
        Inside::Heading
    }

    fn problem(&mut self, diagnostic: Diagnostic) {
        let d = diagnostic.help("for want of a '{' before it, this is read outside of all blocks");
        self.nodes.push(Node::Problem(Box::new(d)));
    }
}

/// `diagnostic` at the brace at byte `at`.
fn point(diagnostic: Diagnostic, line: &Line, at: u32) -> Diagnostic {
    diagnostic.at(line, at as usize, at as usize + 1)
}

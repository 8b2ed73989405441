//! From lines to a tree of statements and blocks, by the keywords of each context.
//!
//! The tree is handed out one top-level statement at a time. What is wrong with the structure is
//! a node of the tree, so that a block that is skipped keeps quiet about its inside.

mod statement;

use std::collections::VecDeque;
use std::rc::Rc;

use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::pass::Pass;
use crate::place::Place;
use crate::table::{Args, Body, Context, Keyword, nearest};
use crate::text::physical::second_comment;
use crate::text::words::{TokenKind, tokens, unescape};
use crate::text::{Line, Reader};
use crate::unknown::unknown_keyword;

pub(crate) use statement::Statement;

use statement::{Close, Cut, Row, Rows};

/// A part of the tree.
#[derive(Debug)]
pub(crate) enum Node {
    /// A keyword with its words.
    Statement(&'static Keyword, Statement),
    /// A keyword with its block of statements.
    Block(&'static Keyword, Statement, Vec<Node>),
    /// A keyword with its block of lines.
    Lines(&'static Keyword, Statement, Vec<Statement>),
    /// Something that does not belong there.
    Problem(Box<Diagnostic>),
}

impl Node {
    /// Forgets the problems that are not `wanted`, here and in all blocks below.
    pub(crate) fn retain_problems(&mut self, wanted: &mut dyn FnMut(&Diagnostic) -> bool) {
        if let Self::Block(_, _, nodes) = self {
            nodes.retain_mut(|node| match node {
                Self::Problem(d) => wanted(d),
                node => {
                    node.retain_problems(wanted);
                    true
                }
            });
        }
    }
}

/// Decides at its first words whether a block is skipped as a whole.
pub(crate) type Skip<'a> = dyn FnMut(&'static Keyword, &Statement) -> bool + 'a;

/// A step of the token stream.
enum Item {
    Words(Statement),
    Open(Rc<Row>, u32),
    Close(Rc<Row>, u32),
    Problem(Box<Diagnostic>),
}

impl Item {
    fn new(row: &Rc<Row>, cut: &Cut) -> Self {
        match cut {
            Cut::Words(words, end) => Self::Words(Statement::new(row.clone(), words.clone(), *end)),
            Cut::Open(at) => Self::Open(row.clone(), *at),
            Cut::Close(at) => Self::Close(row.clone(), *at),
            Cut::Unterminated(start, end) => {
                let help = "close it on the same line; the rest of the line is lost";
                Self::Problem(Box::new(open_quote(row, *start, *end).help(help)))
            }
            Cut::HiddenQuote(at) => {
                let help = "a backslash before a quote hides it from the search for comments";
                Self::Problem(Box::new(open_quote(row, *at, at + 1).help(help)))
            }
        }
    }
}

fn open_quote(row: &Row, start: u32, end: u32) -> Diagnostic {
    let shown = String::from_utf8_lossy(&row.text);
    let text = format!("Unterminated quote '{}'", shown.trim());
    Diagnostic::error(code::QUOTE, Class::Braces, text).at(row, start as usize, end as usize)
}

/// Builds the tree.
///
/// keepalived reads a configuration in each of its processes, and each skips the blocks of the
/// others by counting braces. While the braces pair this comes to the same as reading all of them
/// at once. Where they do not ([`Parser::is_tangled`]), every process sees another text, and the
/// text is read once more for each ([`Parser::of`]).
#[derive(Default)]
pub(crate) struct Parser {
    rows: Rows,
    /// The line that is being read, and which part of it comes next.
    row: Option<Rc<Row>>,
    cut: usize,
    /// The process whose blocks are read; all blocks if `None`.
    pass: Option<Pass>,
    /// Braces that are open.
    depth: usize,
    unclosed: usize,
    /// The headings of blocks that were open when the text ended, innermost first.
    open: Vec<Place>,
    /// What stands ahead of the next brace.
    ahead: Ahead,
    ended: bool,
    /// Some brace is missing, or one too many.
    tangled: bool,
    /// The block of another process that was read last has no opening brace.
    unopened: bool,
    /// Nodes that follow the one handed out last.
    pending: VecDeque<Node>,
    /// The keyword of the block of the top level that is being read.
    inside: Option<&'static str>,
}

/// What stands ahead of a brace.
#[derive(Default)]
enum Ahead {
    /// No statement of keywords.
    #[default]
    Nothing,
    /// A word that is no keyword.
    Unknown(String),
    /// A keyword that takes no block.
    Plain(&'static str),
}

impl Parser {
    /// Reads as this process does; `open` are the blocks that are not closed when all of the text
    /// is read as one.
    pub(crate) fn of(pass: Pass, open: &[Place]) -> Self {
        Self {
            pass: Some(pass),
            open: open.to_vec(),
            ..Self::default()
        }
    }

    /// The headings of blocks that were open when the text ended, innermost first.
    pub(crate) fn open(&self) -> &[Place] {
        &self.open
    }

    /// Whether braces do not pair so far.
    pub(crate) const fn is_tangled(&self) -> bool {
        self.tangled
    }

    /// The next node of the top level.
    pub(crate) fn next_top(
        &mut self,
        reader: &mut Reader<'_>,
        skip: &mut Skip<'_>,
    ) -> Option<Node> {
        loop {
            if let Some(node) = self.pending.pop_front() {
                return Some(node);
            }
            self.rows.rewind();
            return match self.next(reader) {
                Some(Item::Words(statement)) => {
                    let keyword = Context::Top.find(statement.keyword());
                    let block = keyword.filter(|k| matches!(k.args, Args::Block(..)));
                    if let (Some(pass), Some(keyword)) = (self.pass, keyword)
                        && !pass.reads(keyword)
                    {
                        self.ahead = Ahead::Nothing;
                        let opens = matches!(self.peek(reader), Some(Item::Open(..)));
                        self.unopened = block.is_some() && !opens;
                        if block.is_some() && opens {
                            self.next(reader);
                            self.skip_block(reader);
                        }
                        continue;
                    }
                    self.inside = block.map(|k| k.name);
                    let node = self.node(Context::Top, statement, reader, skip);
                    self.inside = None;
                    Some(node)
                }
                Some(Item::Open(line, at)) => Some(self.unexpected_open(&line, at)),
                Some(Item::Close(line, at)) => {
                    self.ahead = Ahead::Nothing;
                    self.tangled = true;
                    Some(extra_close(&line, at))
                }
                Some(Item::Problem(d)) => Some(Node::Problem(d)),
                None if self.ended => None,
                None => self.end(reader),
            };
        }
    }

    /// What is to be said at the end of the text.
    fn end(&mut self, reader: &Reader<'_>) -> Option<Node> {
        self.ended = true;
        let n = match self.pass {
            Some(_) => self.depth,
            None => self.unclosed,
        };
        if n == 0 || reader.halted().is_some() {
            return None;
        }
        self.tangled = true;
        let text = format!("There are {n} missing '}}'s or extra '{{'s");
        let mut d = Diagnostic::error(code::MISSING_CLOSE, Class::Braces, text)
            .at_place(reader.end_place());
        for place in self.open.iter().take(3) {
            d = d.label(*place, "this block, or one inside it, is not closed");
        }
        Some(Node::Problem(Box::new(d)))
    }

    /// The item that comes next.
    fn peek(&mut self, reader: &mut Reader<'_>) -> Option<Item> {
        loop {
            if let Some(row) = &self.row
                && let Some(cut) = row.cut(self.cut)
            {
                return Some(Item::new(row, cut));
            }
            let line = reader.next_line()?;
            let end = line.quoting.then(|| self.hidden_comment(&line.text));
            // The line before is done with, and its memory may be that of this one.
            self.row = None;
            self.row = Some(self.rows.add(line, end.flatten(), reader.spare()));
            self.cut = 0;
        }
    }

    /// Where the comment starts that keepalived's children find and its parent does not: the
    /// parent reads the global settings and the few words of the top level.
    fn hidden_comment(&self, text: &[u8]) -> Option<usize> {
        let at = second_comment(text)?;
        let parents = match (self.pass, self.inside) {
            (Some(pass), _) => pass == Pass::Parent,
            (None, Some(block)) => block == "global_defs",
            (None, None) => {
                let first = tokens(text).next().map(|token| token.kind);
                let Some(TokenKind::Word(first)) = first else {
                    return None;
                };
                let keyword = unescape(first);
                !std::str::from_utf8(&keyword)
                    .ok()
                    .and_then(|keyword| Context::Top.find(keyword))
                    .is_some_and(|k| matches!(k.args, Args::Block(..)))
            }
        };
        (!parents).then_some(at)
    }

    fn next(&mut self, reader: &mut Reader<'_>) -> Option<Item> {
        let item = self.peek(reader)?;
        self.cut += 1;
        match &item {
            Item::Open(..) => self.depth += 1,
            Item::Close(line, at) => match self.depth.checked_sub(1) {
                Some(depth) => self.depth = depth,
                // This is seen apart from what the brace means where it stands.
                None if self.pass.is_some() => self.pending.push_back(extra_close(line, *at)),
                None => {}
            },
            Item::Words(_) | Item::Problem(_) => {}
        }
        Some(item)
    }

    fn node(
        &mut self,
        context: Context,
        mut statement: Statement,
        reader: &mut Reader<'_>,
        skip: &mut Skip<'_>,
    ) -> Node {
        // An include line with a pattern never gets here; one without is no keyword.
        let known = |k: &&Keyword| context != Context::Top || !k.name.starts_with("include");
        let Some(keyword) = context.find(statement.keyword()).filter(known) else {
            let hints = !reader.session.report.is_full();
            self.ahead = Ahead::Unknown(statement.keyword().to_owned());
            let mut d = unknown_keyword(context, &statement, hints);
            if context == Context::Top && self.unopened {
                d = d.help("for want of a '{' before it, this is read outside of all blocks");
            }
            return Node::Problem(Box::new(d));
        };
        let Args::Block(_, body) = keyword.args else {
            control(context, keyword, &statement, reader);
            self.ahead = Ahead::Plain(keyword.name);
            return Node::Statement(keyword, statement);
        };
        let mut nodes = Vec::new();
        // The brace may stand on a later line.
        while let Some(row) = &self.row
            && let Some(cut @ (Cut::Unterminated(..) | Cut::HiddenQuote(_))) = row.cut(self.cut)
        {
            if let Item::Problem(d) = Item::new(row, cut) {
                nodes.push(Node::Problem(d));
            }
            self.cut += 1;
        }
        match self.peek(reader) {
            Some(Item::Open(..)) => {
                self.next(reader);
            }
            other => {
                let text = format!("Missing '{{' after {}", statement.keyword());
                let help = brace_help(body, &statement);
                let (start, end) = statement.range(0);
                let heading = statement.line.place(start, end);
                let elsewhere = |line: &Line| line.home != statement.line.home;
                let d = Diagnostic::error(code::MISSING_OPEN, Class::Braces, text.clone());
                // keepalived misses it where the first statement stands, and not at all in a
                // block of lines.
                let d = match (body, other) {
                    (Body::Lines(_) | Body::Names, _) => {
                        let d = Diagnostic::warning(code::MISSING_OPEN, Class::Ok, text);
                        statement.point(d, 0)
                    }
                    (_, Some(Item::Words(next))) if elsewhere(&next.line) => {
                        next.point(d, 0).label(heading, "this takes a block")
                    }
                    (_, Some(Item::Close(line, at))) if elsewhere(&line) => d
                        .at(&line, at as usize, at as usize + 1)
                        .label(heading, "this takes a block"),
                    _ => statement.point(d, 0),
                };
                nodes.push(Node::Problem(Box::new(d.help(help))));
                self.tangled = true;
            }
        }
        self.ahead = Ahead::Nothing;
        if skip(keyword, &statement) {
            statement.close = self.skip_block(reader);
            return Node::Block(keyword, statement, nodes);
        }
        match body {
            Body::Statements(inner) => {
                nodes.reserve(8);
                statement.close = self.statements(inner, &mut nodes, reader, skip);
                self.ended_in(&statement);
                Node::Block(keyword, statement, nodes)
            }
            Body::Lines(_) | Body::Names => {
                let mut lines = Vec::new();
                statement.close = self.lines(&mut lines, &mut nodes, reader);
                self.ended_in(&statement);
                if nodes.is_empty() {
                    return Node::Lines(keyword, statement, lines);
                }
                nodes.push(Node::Lines(keyword, statement.clone(), lines));
                Node::Block(keyword, statement, nodes)
            }
        }
    }

    /// Remembers a block that the text ended in, and that no keyword stands ahead of what follows.
    fn ended_in(&mut self, heading: &Statement) {
        self.ahead = Ahead::Nothing;
        if heading.closed_at().is_none() && self.pass.is_none() {
            let (start, end) = heading.range(0);
            self.open.push(heading.line.place(start, end));
        }
    }

    fn unexpected_open(&mut self, line: &Line, at: u32) -> Node {
        self.tangled = true;
        let at = at as usize;
        let text = "Unexpected '{' - ignoring";
        let d = Diagnostic::error(code::UNEXPECTED_OPEN, Class::Braces, text).at(line, at, at + 1);
        let ahead = std::mem::take(&mut self.ahead);
        if let Some(advice) = unfilled(&line.text, at) {
            return Node::Problem(Box::new(d.help(advice)));
        }
        let d = match ahead {
            Ahead::Nothing => d,
            Ahead::Unknown(word) => d.help(format!(
                "mend `{word}` first: the block of an unknown keyword is read as part of the one \
                 around it"
            )),
            Ahead::Plain(name) => d.help(format!(
                "`{name}` takes no block: remove this brace and the one that closes it"
            )),
        };
        Node::Problem(Box::new(d))
    }

    fn statements(
        &mut self,
        context: Context,
        nodes: &mut Vec<Node>,
        reader: &mut Reader<'_>,
        skip: &mut Skip<'_>,
    ) -> Close {
        loop {
            match self.next(reader) {
                Some(Item::Words(statement)) => {
                    nodes.push(self.node(context, statement, reader, skip));
                }
                Some(Item::Open(line, at)) => nodes.push(self.unexpected_open(&line, at)),
                Some(Item::Close(line, at)) => return Some((line, at)),
                Some(Item::Problem(d)) => nodes.push(Node::Problem(d)),
                None => {
                    self.unclosed += 1;
                    return None;
                }
            }
        }
    }

    /// A block of lines: the first closing brace ends it, an opening one is an entry without
    /// meaning.
    fn lines(
        &mut self,
        lines: &mut Vec<Statement>,
        nodes: &mut Vec<Node>,
        reader: &mut Reader<'_>,
    ) -> Close {
        loop {
            match self.next(reader) {
                Some(Item::Words(statement)) => lines.push(statement),
                Some(Item::Open(line, at)) => nodes.push(self.unexpected_open(&line, at)),
                Some(Item::Close(line, at)) => return Some((line, at)),
                Some(Item::Problem(d)) => nodes.push(Node::Problem(d)),
                None => {
                    self.unclosed += 1;
                    return None;
                }
            }
        }
    }

    fn skip_block(&mut self, reader: &mut Reader<'_>) -> Close {
        let mut depth = 1_usize;
        loop {
            match self.next(reader) {
                Some(Item::Open(..)) => depth += 1,
                Some(Item::Close(line, at)) => {
                    depth -= 1;
                    if depth == 0 {
                        return Some((line, at));
                    }
                }
                Some(Item::Words(_)) => {}
                // Quotes are looked at before anything else is.
                Some(Item::Problem(d)) => self.pending.push_back(Node::Problem(d)),
                None => {
                    self.unclosed += depth;
                    return None;
                }
            }
        }
    }
}

/// A closing brace where no block is open.
fn extra_close(line: &Line, at: u32) -> Node {
    let d = Diagnostic::error(code::EXTRA_CLOSE, Class::Braces, "Extra '}' found");
    Node::Problem(Box::new(d.at(line, at as usize, at as usize + 1)))
}

/// Keywords that change how the rest of the text is read.
fn control(
    context: Context,
    keyword: &'static Keyword,
    statement: &Statement,
    reader: &mut Reader<'_>,
) {
    if context != Context::GlobalDefs {
        return;
    }
    match keyword.name {
        "include_check" => {
            let words: Vec<&str> = statement.args().iter().map(|w| w.text.as_str()).collect();
            for n in reader.include_check(&words) {
                let text = format!("Unknown include_check type '{}' - ignoring", words[n]);
                let known = ["read", "match", "wildcard_match", "brace_match"];
                let mut d = Diagnostic::error(code::UNKNOWN_WORD, Class::General, text);
                d = statement.point(d, n + 1);
                d = match nearest(words[n], known.into_iter()) {
                    Some(hint) => d.instead(hint),
                    None => d.help(format!("write {}", known.join(", "))),
                };
                reader.session.report.push(d);
            }
        }
        "random_seed" => {
            if let Some(seed) = statement.word(1).and_then(|w| w.parse().ok()) {
                reader.seed(seed);
            }
        }
        _ => {}
    }
}

/// How to write a block whose brace is missing.
fn brace_help(body: Body, heading: &Statement) -> String {
    let name = heading.keyword();
    let words: Vec<&str> = heading.args().iter().map(|w| w.text.as_str()).collect();
    match body {
        Body::Lines(_) | Body::Names if !words.is_empty() => format!(
            "write `{name} {{ {} }}`; the lines that follow are read as its block",
            words.join(" ")
        ),
        _ => format!("write `{{` behind `{name}`; the lines that follow are read as its block"),
    }
}

/// What to do about a brace at `at` that is part of a name nobody has put anything in for.
fn unfilled(text: &[u8], at: usize) -> Option<&'static str> {
    let before = at.checked_sub(1).and_then(|n| text.get(n));
    if before == Some(&b'$') {
        return Some("no definition of this name was read before: write $NAME=VALUE further up");
    }
    let mark = |byte: Option<&u8>| matches!(byte, Some(b'{' | b'%'));
    let placeholder = mark(text.get(at + 1)) || before == Some(&b'{');
    placeholder.then_some("this is a placeholder of a template: put in what it stands for")
}

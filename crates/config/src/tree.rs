//! From lines to a tree of statements and blocks, by the keywords of each context.
//!
//! The tree is handed out one top-level statement at a time. What is wrong with the structure is
//! a node of the tree, so that a block that is skipped keeps quiet about its inside.

use std::collections::VecDeque;
use std::rc::Rc;

use compact_str::CompactString;

use crate::code;
use crate::diagnostic::{Class, Diagnostic};
use crate::place::Place;
use crate::table::{Body, Context, Keyword, nearest};
use crate::text::line::to_u32;
use crate::text::physical::{leaves_quote_open, second_comment};
use crate::text::words::{Token, TokenKind, tokens};
use crate::text::{Line, Reader};
use crate::unknown::unknown_keyword;

/// A word of a statement.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    /// Without quotes; bytes that are no UTF-8 are replaced.
    pub(crate) text: CompactString,
    start: u32,
    end: u32,
}

/// The words between line ends and braces.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) words: Vec<Word>,
    pub(crate) line: Rc<Line>,
    start: u32,
    end: u32,
    /// The closing brace of the block that this is the heading of.
    close: Close,
}

/// Where a block is closed, if it is.
type Close = Option<Box<(Rc<Line>, usize)>>;

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

/// Decides at its first words whether a block is skipped as a whole.
pub(crate) type Skip<'a> = dyn FnMut(&'static Keyword, &Statement) -> bool + 'a;

impl Word {
    fn new(text: &[u8], start: usize, end: usize) -> Self {
        let text =
            CompactString::from_utf8(text).unwrap_or_else(|_| String::from_utf8_lossy(text).into());
        Self {
            text,
            start: to_u32(start),
            end: to_u32(end),
        }
    }
}

impl Statement {
    /// The first word.
    pub(crate) fn keyword(&self) -> &str {
        self.words.first().map_or("", |w| &w.text)
    }

    /// The words after the first.
    pub(crate) fn args(&self) -> &[Word] {
        self.words.get(1..).unwrap_or(&[])
    }

    /// The text of word `n`, the keyword being 0.
    pub(crate) fn word(&self, n: usize) -> Option<&str> {
        self.words.get(n).map(|w| w.text.as_str())
    }

    /// The raw text, quotes and all.
    pub(crate) fn raw(&self) -> &[u8] {
        self.line
            .text
            .get(self.start as usize..self.end as usize)
            .unwrap_or(&[])
    }

    /// Whether the words end at a quote that nothing closes.
    pub(crate) fn has_open_quote(&self) -> bool {
        let rest = self.line.text.get(self.end as usize..);
        rest.is_some_and(|rest| rest.contains(&b'"'))
    }

    /// The line and the byte of the brace that closes the block of this heading.
    pub(crate) fn closed_at(&self) -> Option<(&Line, usize)> {
        let (line, at) = self.close.as_deref()?;
        Some((line, *at))
    }

    /// Lets `diagnostic` point at the closing brace of this heading's block, and at the heading's
    /// word `n` beside it; at the word alone when the brace is missing or stands on its line.
    pub(crate) fn point_at_end_of(&self, diagnostic: Diagnostic, n: usize) -> Diagnostic {
        let (start, end) = self.range(n);
        match self.closed_at() {
            Some((line, at)) if line.home != self.line.home => diagnostic
                .at(line, at, at + 1)
                .label(self.line.place(start, end), "of this block"),
            _ => self.point(diagnostic, n),
        }
    }

    /// Lets `diagnostic` point at word `n`, or behind the last word if there is no such one.
    pub(crate) fn point(&self, diagnostic: Diagnostic, n: usize) -> Diagnostic {
        let (start, end) = self.range(n);
        diagnostic.at(&self.line, start, end)
    }

    /// The bytes of the line that [`Statement::point`] points at.
    pub(crate) fn range(&self, n: usize) -> (usize, usize) {
        let (start, end) = match self.words.get(n).or(self.words.last()) {
            Some(word) => (word.start, word.end),
            None => (self.start, self.end),
        };
        (start as usize, end as usize)
    }
}

/// A step of the token stream.
enum Item {
    Words(Statement),
    Open(Rc<Line>, usize),
    Close(Rc<Line>, usize),
    Problem(Box<Diagnostic>),
}

/// Builds the tree.
#[derive(Default)]
pub(crate) struct Parser {
    items: VecDeque<Item>,
    unclosed: usize,
    /// The headings of blocks that were open when the text ended, innermost first.
    open: Vec<Place>,
    /// What stands ahead of the next brace.
    ahead: Ahead,
    ended: bool,
    /// Opening braces that were missing in the block of the top level that is being read.
    missing: usize,
    /// The closing braces since the first of these.
    closes: Vec<(Rc<Line>, usize)>,
    /// What the processes say that skip the block.
    flood: Option<Flood>,
    /// Nodes that follow the one handed out last.
    pending: VecDeque<Node>,
    /// The keyword of the block of the top level that is being read.
    inside: Option<&'static str>,
}

/// A block of the top level as keepalived's processes see it that skip such blocks: up to its
/// closing brace by count. Where opening braces are missing inside, or its own is, that is too
/// early, and they take the remaining lines for statements of the top level.
struct Flood {
    nodes: Vec<Node>,
    inside: Inside,
}

/// Where the lines of a [`Flood`] stand.
enum Inside {
    /// At the top level.
    Top,
    /// Behind a keyword of the top level that takes a block.
    Heading,
    /// So deep in the block of such a keyword.
    Block(usize),
}

impl Flood {
    fn take(&mut self, item: &Item) {
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
                self.problem(d.at(line, *at, *at + 1));
                Inside::Top
            }
            (Item::Close(line, at), _) => {
                let text = "Unknown keyword '}'";
                let d = Diagnostic::error(code::UNKNOWN_KEYWORD, Class::UnknownKeyword, text);
                self.problem(d.at(line, *at, *at + 1));
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
        if !matches!(keyword.args, crate::table::Args::Block(..)) {
            return Inside::Top;
        }
        if statement.words.len() < 2 && keyword.missing == crate::table::Missing::Stops {
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
    /// The next node of the top level.
    pub(crate) fn next_top(
        &mut self,
        reader: &mut Reader<'_>,
        skip: &mut Skip<'_>,
    ) -> Option<Node> {
        if let Some(node) = self.pending.pop_front() {
            return Some(node);
        }
        match self.next(reader) {
            Some(Item::Words(statement)) => {
                self.flood = Some(Flood {
                    nodes: Vec::new(),
                    inside: Inside::Heading,
                });
                let keyword = Context::Top.find(statement.keyword());
                self.inside = keyword
                    .filter(|k| matches!(k.args, crate::table::Args::Block(..)))
                    .map(|k| k.name);
                let node = self.node(Context::Top, statement, reader, skip);
                self.inside = None;
                self.settle_braces();
                Some(node)
            }
            Some(Item::Open(line, at)) => Some(self.unexpected_open(&line, at)),
            Some(Item::Close(line, at)) => {
                self.ahead = Ahead::Nothing;
                let d = Diagnostic::error(code::EXTRA_CLOSE, Class::Braces, "Extra '}' found").at(
                    &line,
                    at,
                    at + 1,
                );
                Some(Node::Problem(Box::new(d)))
            }
            Some(Item::Problem(d)) => Some(Node::Problem(d)),
            None if self.ended => None,
            None => {
                self.ended = true;
                if self.unclosed == 0 || reader.halted().is_some() {
                    return None;
                }
                let n = self.unclosed;
                let text = format!("There are {n} missing '}}'s or extra '{{'s");
                let mut d = Diagnostic::error(code::MISSING_CLOSE, Class::Braces, text)
                    .at_place(reader.end_place());
                for place in self.open.drain(..).take(3) {
                    d = d.label(place, "this block, or one inside it, is not closed");
                }
                Some(Node::Problem(Box::new(d)))
            }
        }
    }

    /// The item that comes next.
    fn peek(&mut self, reader: &mut Reader<'_>) -> Option<&Item> {
        while self.items.is_empty() {
            let line = Rc::new(reader.next_line()?);
            self.split(&line);
        }
        self.items.front()
    }

    fn next(&mut self, reader: &mut Reader<'_>) -> Option<Item> {
        self.peek(reader)?;
        let item = self.items.pop_front()?;
        if let Some(flood) = &mut self.flood {
            flood.take(&item);
        }
        if let Item::Close(line, at) = &item
            && self.missing > 0
        {
            self.closes.push((line.clone(), *at));
        }
        Some(item)
    }

    /// A block of the top level has ended: as many closing braces as opening ones were missing
    /// are too many.
    fn settle_braces(&mut self) {
        if let Some(flood) = self.flood.take() {
            self.pending.extend(flood.nodes);
        }
        let missing = std::mem::take(&mut self.missing);
        let unclosed = missing.min(self.unclosed);
        self.unclosed -= unclosed;
        let extra = self.closes.len().min(missing - unclosed);
        for (line, at) in self.closes.drain(self.closes.len() - extra..) {
            let d = Diagnostic::error(code::EXTRA_CLOSE, Class::Braces, "Extra '}' found")
                .at(&line, at, at + 1)
                .help("its '{' is missing further up");
            self.pending.push_back(Node::Problem(Box::new(d)));
        }
        self.closes.clear();
    }

    /// Cuts a line at its braces.
    fn split(&mut self, line: &Rc<Line>) {
        let mut words = Vec::new();
        let flush = |words: &mut Vec<Word>, end: usize, items: &mut VecDeque<Item>| {
            let Some(first) = words.first() else { return };
            let start = first.start;
            let words = std::mem::take(words);
            items.push_back(Item::Words(Statement {
                words,
                line: line.clone(),
                start,
                end: to_u32(end),
                close: None,
            }));
        };
        let hidden = self.hidden_comment(&line.text);
        let text = &line.text[..hidden.unwrap_or(line.text.len())];
        let mut torn = false;
        for Token { kind, start, end } in tokens(text) {
            match kind {
                TokenKind::Word(text) => words.push(Word::new(&text, start, end)),
                TokenKind::Quoted(text) => words.push(Word::new(text, start, end)),
                TokenKind::Open => {
                    flush(&mut words, start, &mut self.items);
                    self.items.push_back(Item::Open(line.clone(), start));
                }
                TokenKind::Close => {
                    flush(&mut words, start, &mut self.items);
                    self.items.push_back(Item::Close(line.clone(), start));
                }
                TokenKind::Unterminated => {
                    torn = true;
                    let shown = String::from_utf8_lossy(&line.text);
                    let text = format!("Unterminated quote '{}'", shown.trim());
                    let d = Diagnostic::error(code::QUOTE, Class::Braces, text)
                        .at(line, start, end)
                        .help("close it on the same line; the rest of the line is lost");
                    self.items.push_back(Item::Problem(Box::new(d)));
                    flush(&mut words, start, &mut self.items);
                }
            }
        }
        flush(&mut words, text.len(), &mut self.items);
        if !torn && memchr::memchr(b'\\', &line.text).is_some() && leaves_quote_open(&line.text) {
            let shown = String::from_utf8_lossy(&line.text);
            let text = format!("Unterminated quote '{}'", shown.trim());
            let at = memchr::memchr(b'\\', &line.text).unwrap_or(0);
            let d = Diagnostic::error(code::QUOTE, Class::Braces, text)
                .at(line, at, at + 1)
                .help("a backslash before a quote hides it from the search for comments");
            self.items.push_front(Item::Problem(Box::new(d)));
        }
    }

    /// Where the comment starts that keepalived's children find and its parent does not: the
    /// parent reads the global settings and the few words of the top level.
    fn hidden_comment(&self, text: &[u8]) -> Option<usize> {
        let at = second_comment(text)?;
        let parents = match self.inside {
            Some(block) => block == "global_defs",
            None => {
                let first = tokens(text).next().map(|token| token.kind);
                let Some(TokenKind::Word(first)) = first else {
                    return None;
                };
                let keyword = std::str::from_utf8(&first).ok();
                !keyword
                    .and_then(|keyword| Context::Top.find(keyword))
                    .is_some_and(|k| matches!(k.args, crate::table::Args::Block(..)))
            }
        };
        (!parents).then_some(at)
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
            return Node::Problem(Box::new(unknown_keyword(context, &statement, hints)));
        };
        let crate::table::Args::Block(_, body) = keyword.args else {
            control(context, keyword, &statement, reader);
            self.ahead = Ahead::Plain(keyword.name);
            return Node::Statement(keyword, statement);
        };
        let mut nodes = Vec::new();
        // The brace may stand on a later line.
        while let Some(Item::Problem(_)) = self.items.front() {
            if let Some(Item::Problem(d)) = self.items.pop_front() {
                nodes.push(Node::Problem(d));
            }
        }
        match self.peek(reader) {
            Some(Item::Open(..)) => {
                self.next(reader);
            }
            other => {
                let text = format!("Missing '{{' after {}", statement.keyword());
                let d = Diagnostic::error(code::MISSING_OPEN, Class::Braces, text)
                    .help(brace_help(body, &statement));
                // keepalived misses it where the first statement stands.
                let (start, end) = statement.range(0);
                let heading = statement.line.place(start, end);
                let d = match other {
                    Some(Item::Words(next))
                        if matches!(body, Body::Statements(_))
                            && next.line.home != statement.line.home =>
                    {
                        next.point(d, 0).label(heading, "this takes a block")
                    }
                    _ => statement.point(d, 0),
                };
                nodes.push(Node::Problem(Box::new(d)));
                self.missing += 1;
                if let (Context::Top, Some(flood)) = (context, &mut self.flood) {
                    flood.inside = Inside::Top;
                }
            }
        }
        self.ahead = Ahead::Nothing;
        if skip(keyword, &statement) {
            statement.close = self.skip_block(reader);
            return Node::Block(keyword, statement, nodes);
        }
        match body {
            Body::Statements(inner) => {
                statement.close = self.statements(inner, &mut nodes, reader, skip);
                self.ended_in(&statement);
                Node::Block(keyword, statement, nodes)
            }
            Body::Lines(_) | Body::Names => {
                let mut lines = Vec::new();
                statement.close = self.lines(&mut lines, &mut nodes, body == Body::Names, reader);
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
        if heading.close.is_none() {
            let (start, end) = heading.range(0);
            self.open.push(heading.line.place(start, end));
        }
    }

    fn unexpected_open(&mut self, line: &Rc<Line>, at: usize) -> Node {
        let text = "Unexpected '{' - ignoring";
        let d = Diagnostic::error(code::UNEXPECTED_OPEN, Class::Braces, text).at(line, at, at + 1);
        let d = match std::mem::take(&mut self.ahead) {
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
                Some(Item::Close(line, at)) => return Some(Box::new((line, at))),
                Some(Item::Problem(d)) => nodes.push(Node::Problem(d)),
                None => {
                    self.unclosed += 1;
                    return None;
                }
            }
        }
    }

    fn lines(
        &mut self,
        lines: &mut Vec<Statement>,
        nodes: &mut Vec<Node>,
        names: bool,
        reader: &mut Reader<'_>,
    ) -> Close {
        // A brace among names is a name without meaning, and its partner belongs to it.
        let mut depth = 0;
        loop {
            match self.next(reader) {
                Some(Item::Words(statement)) => lines.push(statement),
                Some(Item::Open(line, at)) => {
                    nodes.push(self.unexpected_open(&line, at));
                    depth += usize::from(names);
                }
                Some(Item::Close(..)) if depth > 0 => depth -= 1,
                Some(Item::Close(line, at)) => return Some(Box::new((line, at))),
                Some(Item::Problem(d)) => nodes.push(Node::Problem(d)),
                None => {
                    self.unclosed += depth + 1;
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
                        return Some(Box::new((line, at)));
                    }
                }
                Some(Item::Words(_) | Item::Problem(_)) => {}
                None => {
                    self.unclosed += depth;
                    return None;
                }
            }
        }
    }
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

//! The text as it was meant: blocks that stay open although a brace is missing, and keywords that
//! are misspelt.

use crate::code;
use crate::diagnostic::{Diagnostic, Label};
use crate::lint::code_of;
use crate::place::{FileId, Place, SourceMap};
use crate::table::{Args, Context, Heading, misnomer};

use super::frame::{Block, Frame, Inside};
use super::part::{Part, defines, split};
use super::{Causes, is_structural};

/// Blocks in blocks beyond this are no configuration, whatever is wrong with it.
const DEPTH_MAX: usize = 100;

/// A keyword of a block whose brace is still to come.
struct Pending {
    frame: Frame,
    words: usize,
}

pub(super) struct Walk<'a> {
    file: FileId,
    files: &'a SourceMap,
    diagnostics: &'a mut Vec<Diagnostic>,
    causes: &'a mut Causes,
    open: Vec<Frame>,
    /// The blocks that were closed since the last statement, innermost first, and where.
    closed: Vec<(Frame, Place)>,
    blocks: Vec<Block>,
    pending: Option<Pending>,
    /// Opening braces without a closing one; below zero, closing ones too many.
    surplus: i64,
    /// Why keepalived reads the text otherwise than it was meant, from here on.
    misread: Option<usize>,
    /// The first keyword with a colon behind it, or a plus ahead of it.
    foreign: Option<usize>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        file: FileId,
        files: &'a SourceMap,
        diagnostics: &'a mut Vec<Diagnostic>,
        causes: &'a mut Causes,
    ) -> Self {
        Self {
            file,
            files,
            diagnostics,
            causes,
            open: Vec::new(),
            closed: Vec::new(),
            blocks: Vec::new(),
            pending: None,
            surplus: 0,
            misread: None,
            foreign: None,
        }
    }

    /// The blocks, closed ones and others.
    pub(super) fn into_blocks(self) -> Vec<Block> {
        self.blocks
    }

    pub(super) fn run(&mut self) {
        let files = self.files;
        let end = files.line_count(self.file);
        let mut paired = 0;
        let mut going_on = false;
        for n in 1..=end {
            let text = String::from_utf8_lossy(code_of(files.line(self.file, n)));
            // A brace of a condition may be there twice, once for each node.
            if text.trim_start().starts_with('@') && text.contains(['{', '}']) {
                return;
            }
            if !defines(&text, &mut going_on) {
                let parts = split(self.file, n, &text).unwrap_or_default();
                for part in parts {
                    paired += match part {
                        Part::Open => 1,
                        Part::Close(_) => -1,
                        Part::Words(..) => 0,
                    };
                }
            }
        }
        self.surplus = paired;
        for n in 1..=end {
            let text = String::from_utf8_lossy(code_of(files.line(self.file, n)));
            if defines(&text, &mut going_on) {
                continue;
            }
            let Some(found) = split(self.file, n, &text) else {
                self.template(n);
                continue;
            };
            for (at, part) in found.iter().enumerate() {
                match part {
                    Part::Words(words, place) => {
                        let opens = matches!(found.get(at + 1), Some(Part::Open));
                        self.statement(words, *place, opens);
                    }
                    Part::Open => self.opening(n),
                    Part::Close(place) => self.closing(*place),
                }
            }
            if self.open.len() > DEPTH_MAX {
                return;
            }
        }
        while let Some(frame) = self.open.pop() {
            self.ended(frame, end);
        }
        if let Some(cause) = self.misread {
            let last = self.causes.at(self.file, end).to_vec();
            for n in last {
                if self.diagnostics[n].code == code::MISSING_CLOSE {
                    self.causes.follows(n, cause);
                }
            }
        }
    }

    /// A line with a name that nobody has put anything in for: its braces are none.
    fn template(&mut self, line: u32) {
        let found = self.causes.at(self.file, line).to_vec();
        // What is wrong with a value tells more than what is wrong with its braces.
        let value = |n: &&usize| !is_structural(self.diagnostics[**n].code);
        let first = found.iter().find(value).or(found.first());
        let Some(first) = first else { return };
        let braces = found
            .iter()
            .any(|n| is_structural(self.diagnostics[*n].code));
        for n in &found {
            self.causes.follows(*n, *first);
        }
        if braces {
            let help = "this line has the name of something that nobody has put in: write the value \
                        there, or define the name further up with $NAME=VALUE";
            self.diagnostics[*first].help = Some(help.to_owned());
            self.misread = self.misread.or(Some(*first));
        }
    }

    /// The first message about a line that is of this kind and follows from nothing.
    fn message(&self, line: u32, wanted: impl Fn(&Diagnostic) -> bool) -> Option<usize> {
        let mut found = self.causes.at(self.file, line).iter().copied();
        found.find(|n| self.causes.of[*n].is_none() && wanted(&self.diagnostics[*n]))
    }

    /// Everything about keywords and braces in a line follows from `cause`.
    fn claim(&mut self, line: u32, cause: usize, also: impl Fn(&Diagnostic) -> bool) {
        for n in self.causes.at(self.file, line).to_vec() {
            let d = &self.diagnostics[n];
            let keyword = self.open.last().map_or("", |f| &*f.block.keyword);
            let entry = entry_of(d).is_some_and(|part| !keyword.contains(part));
            if n != cause && (is_structural(d.code) || entry || is_merged(d) || also(d)) {
                self.causes.follows(n, cause);
            }
        }
    }

    fn advise(&mut self, n: usize, help: String, label: Option<(Place, &str)>) {
        let d = &mut self.diagnostics[n];
        d.help = Some(help);
        d.replacement = None;
        d.labels.extend(label.map(|(place, text)| Label {
            place,
            text: text.to_owned(),
        }));
    }

    /// The context of the statements here.
    fn context(&self) -> Option<Context> {
        match self.open.last().map(|f| f.inside) {
            None => Some(Context::Top),
            Some(Inside::Statements(context)) => Some(context),
            Some(_) => None,
        }
    }

    /// The innermost open block around the one that is being read in which `word` is a keyword:
    /// how many are inside of it.
    fn around(&self, word: &str) -> Option<usize> {
        (1..=self.open.len()).find(|n| {
            let context = match self
                .open
                .len()
                .checked_sub(n + 1)
                .map(|at| self.open[at].inside)
            {
                None => Context::Top,
                Some(Inside::Statements(context)) => context,
                Some(_) => return false,
            };
            context.find(word).is_some()
        })
    }

    fn statement(&mut self, words: &[&str], place: Place, opens: bool) {
        self.unopened(place.line, Some(words));
        let word = words.first().copied().unwrap_or_default();
        if word.starts_with('$') || word.starts_with("include") {
            return;
        }
        if matches!(word, ")" | "]") && words.len() == 1 && self.misread.is_some() {
            if let Some(cause) = self.misread {
                self.open.pop();
                self.claim(place.line, cause, |d| entry_of(d).is_some());
            }
            return;
        }
        match self.open.last().map(|f| f.inside) {
            Some(Inside::Unknown(cause)) => {
                if let Some(cause) = cause {
                    self.claim(place.line, cause, |_| false);
                }
                if opens {
                    self.push(words, place, Inside::Unknown(cause));
                }
            }
            Some(Inside::Entries(own)) => {
                let option = own.is_some_and(|c| c.find(word).is_some());
                let wrong = self.message(place.line, |_| true);
                match (self.around(word), wrong) {
                    (Some(n), Some(wrong)) if self.surplus > 0 && !option => {
                        self.unclosed(n, wrong, place.line);
                        self.known(words, place, opens);
                    }
                    (_, _) => {
                        if let Some(cause) = self.misread {
                            self.claim(place.line, cause, |_| false);
                        }
                        if opens {
                            let cause = wrong.or(self.misread);
                            self.push(words, place, Inside::Unknown(cause));
                        }
                    }
                }
            }
            _ => {
                let context = self.context().unwrap_or(Context::Top);
                if context.find(word).is_some() {
                    if let Some(cause) = self.misread {
                        let unread = |d: &Diagnostic| d.code == code::MISSING_OPEN;
                        let open = self.message(place.line, unread);
                        self.claim(place.line, cause, |_| false);
                        if let Some(open) = open {
                            self.causes.of[open] = None;
                        }
                    }
                    self.known(words, place, opens);
                } else {
                    self.unknown(context, words, place, opens);
                }
            }
        }
    }

    /// A statement that belongs where it stands.
    fn known(&mut self, words: &[&str], place: Place, opens: bool) {
        self.closed.clear();
        let context = self.context().unwrap_or(Context::Top);
        let Some(keyword) = words.first().and_then(|w| context.find(w)) else {
            return;
        };
        let Args::Block(heading, body) = keyword.args else {
            if opens {
                let wrong = self.message(place.line, |d| {
                    d.code == code::UNEXPECTED_OPEN || d.code == code::VALUE_REQUIRED
                });
                if let Some(wrong) = wrong {
                    self.claim(place.line, wrong, |d| d.code == code::VALUE_REQUIRED);
                    let name = keyword.name;
                    let takes_block = |w: &&&str| {
                        let keyword = context.find(w);
                        keyword.is_some_and(|k| matches!(k.args, Args::Block(..)))
                    };
                    let behind = words.iter().skip(1).find(takes_block);
                    let help = match name {
                        _ if let Some(block) = behind => format!(
                            "`{block}` stands behind `{name}`: each setting has a line of its own"
                        ),
                        "notify" => "`notify` takes no block: write notify_master \"COMMAND\", \
                                     notify_backup \"COMMAND\" and so on, each on a line of its own"
                            .to_owned(),
                        name => format!(
                            "`{name}` takes no block: write it on one line, and remove the `{{` \
                             and the `}}`"
                        ),
                    };
                    self.advise(wrong, help, None);
                    self.misread = Some(wrong);
                }
                self.push(words, place, Inside::Unknown(wrong.or(self.misread)));
            }
            return;
        };
        let inside = Inside::of(body);
        if opens {
            self.push(words, place, inside);
        } else {
            let wanted = match heading {
                Heading::None => 1,
                Heading::Name(_) => 2,
                Heading::Service | Heading::Server => 3,
            };
            self.pending = Some(Pending {
                frame: Frame::new(words, place, inside),
                words: words.len().saturating_sub(wanted),
            });
        }
    }

    /// A keyword of a block without a brace, before `next` or a closing brace.
    fn unopened(&mut self, line: u32, next: Option<&[&str]>) {
        let Some(Pending { frame, words }) = self.pending.take() else {
            return;
        };
        let missing = |d: &Diagnostic| d.code == code::MISSING_OPEN;
        let heading = frame.block.heading;
        let wrong = self
            .message(heading.line, missing)
            .or_else(|| self.message(line, missing));
        let Some(wrong) = wrong else { return };
        self.claim(heading.line, wrong, |d| d.code == code::EXTRA_WORDS);
        self.misread = Some(wrong);
        if let Some(mark @ ('(' | '[')) = frame.bracket {
            let help = format!(
                "the entries of a block stand between {{ and }}, not behind `{mark}`: write \
                 `{} {{`, an entry on each line, and `}}`",
                frame.block.keyword
            );
            self.advise(wrong, help, None);
            // The line has all of it, or others follow.
            if !frame.complete {
                self.open.push(frame);
            }
            return;
        }
        // A closing brace of its own shows that a block was meant.
        if self.surplus < 0 && words == 0 {
            self.surplus += 1;
            self.open.push(frame);
            let keyword = next.and_then(|words| words.first());
            let known = keyword.is_none_or(|w| self.context().is_some_and(|c| c.find(w).is_some()));
            if known && next.is_some() {
                self.claim(line, wrong, |_| false);
            }
            return;
        }
        let name = &frame.block.keyword;
        let entries = matches!(frame.inside, Inside::Entries(_));
        let help = match (words, entries, name.as_str()) {
            (0, true, _) => format!("write `{name} {{`, an entry on each line, and `}}`"),
            (0, false, _) => format!("write `{name} {{ }}`: it takes a block, which may be empty"),
            (_, _, "url") => {
                "write `url { path /PAGE }`, with the page that was written here".to_owned()
            }
            (_, false, _) => format!("write `{name} {{`, its settings, and `}}`"),
            (_, true, _) => return,
        };
        self.advise(wrong, help, None);
    }

    /// Blocks that should have been closed ahead of a line.
    fn unclosed(&mut self, blocks: usize, wrong: usize, line: u32) {
        for _ in 0..blocks {
            let Some(frame) = self.open.pop() else { break };
            let block = &frame.block;
            let help = format!(
                "the `}}` of `{}` in line {} is missing: write it ahead of this line",
                block.keyword, block.first
            );
            self.advise(
                wrong,
                help,
                Some((block.heading, "this block is not closed")),
            );
            self.ended(frame, line);
            self.surplus -= 1;
        }
        self.claim(line, wrong, |_| false);
        self.misread = Some(wrong);
    }

    fn unknown(&mut self, context: Context, words: &[&str], place: Place, opens: bool) {
        let word = words.first().copied().unwrap_or_default();
        let wrong = self.message(place.line, |d| d.code == code::UNKNOWN_KEYWORD);
        let Some(wrong) = wrong else {
            if opens {
                self.push(words, place, Inside::Unknown(self.misread));
            }
            return;
        };
        if let Some(n) = self.around(word).filter(|_| self.surplus > 0) {
            self.unclosed(n, wrong, place.line);
            self.known(words, place, opens);
            return;
        }
        let closed = self.closed.iter().position(
            |(frame, _)| matches!(frame.inside, Inside::Statements(c) if c.find(word).is_some()),
        );
        if let Some(n) = closed {
            let (frame, end) = self.closed[n].clone();
            let name = frame.block.keyword.clone();
            let label = Some((end, "closed here"));
            if self.surplus < 0 {
                let help = format!(
                    "a `}}` too many closes `{name}` in line {}: remove it if `{word}` belongs there",
                    end.line
                );
                self.advise(wrong, help, label);
                // The brace of this block, and all of those around it, closed too much.
                for (frame, _) in self.closed.drain(n..).rev() {
                    self.surplus += 1;
                    self.open.push(frame);
                }
                self.claim(place.line, wrong, |_| false);
                self.misread = Some(wrong);
                self.known(words, place, opens);
                return;
            }
            let help = format!(
                "`{word}` belongs in {name}: write it ahead of the `}}` in line {}",
                end.line
            );
            self.advise(wrong, help, label);
        }
        self.closed.clear();
        if context == Context::Top && (word.ends_with(':') || word.starts_with('+')) {
            match self.foreign {
                Some(first) => self.causes.follows(wrong, first),
                None => self.foreign = Some(wrong),
            }
        }
        if !opens {
            return;
        }
        if context != Context::Top && Context::Top.find(word).is_some() {
            let outer = self.open.first().map(|f| f.block.keyword.clone());
            let help = format!(
                "`{word}` belongs outside of all blocks: move it out of `{}`",
                outer.unwrap_or_default()
            );
            self.advise(wrong, help, None);
        }
        self.claim(place.line, wrong, |_| false);
        self.misread = Some(wrong);
        let meant = self.diagnostics[wrong].replacement.as_ref();
        let meant = meant.map(|r| r.text.clone());
        let meant = meant.or_else(|| {
            misnomer(word)
                .filter(|m| m.fits(context))?
                .keyword
                .map(str::to_owned)
        });
        let bare = word.trim_start_matches(['\u{feff}', '\u{a0}']);
        let here = meant.as_deref().or(Some(bare));
        let here = here.and_then(|name| context.find(name));
        let elsewhere = || {
            let mut homes = Context::homes_of(word);
            homes.find_map(|home| home.find(word))
        };
        let inside = match here.or_else(elsewhere).map(|keyword| keyword.args) {
            Some(Args::Block(_, body)) => Inside::of(body),
            _ => Inside::Unknown(Some(wrong)),
        };
        self.push(words, place, inside);
    }

    /// Opens the block of a statement; its brace comes next.
    fn push(&mut self, words: &[&str], place: Place, inside: Inside) {
        self.pending = Some(Pending {
            frame: Frame::new(words, place, inside),
            words: 0,
        });
    }

    fn opening(&mut self, line: u32) {
        self.closed.clear();
        if let Some(Pending { frame, .. }) = self.pending.take() {
            self.open.push(frame);
            return;
        }
        let wrong = self.message(line, |d| d.code == code::UNEXPECTED_OPEN);
        self.misread = wrong.or(self.misread);
        let place = Place {
            file: self.file,
            line,
            column: 0,
            len: 0,
        };
        let frame = Frame::new(&[], place, Inside::Unknown(wrong.or(self.misread)));
        self.open.push(frame);
    }

    fn closing(&mut self, place: Place) {
        self.unopened(place.line, None);
        match self.open.pop() {
            Some(frame) => {
                if let Some(cause) = self.misread {
                    self.claim(place.line, cause, |_| false);
                }
                self.closed.push((frame.clone(), place));
                self.ended(frame, place.line);
            }
            // A brace that was told of where it closed too much is the one that is left here.
            None => {
                if let Some(cause) = self.misread {
                    self.claim(place.line, cause, |_| false);
                }
            }
        }
    }

    fn ended(&mut self, frame: Frame, line: u32) {
        // What is no keyword explains nothing, and braces alone may be many.
        if !matches!(frame.inside, Inside::Unknown(_)) {
            self.blocks.push(Block {
                last: line,
                ..frame.block
            });
        }
    }
}

/// What the keyword of the block has in it that a message about an entry is for.
fn entry_of(d: &Diagnostic) -> Option<&'static str> {
    const ENTRIES: &[(&str, &str)] = &[
        ("VRRP parsed invalid IP", "ipaddress"),
        ("malformed unicast peer", "unicast_peer"),
        ("tracked interface", "track_interface"),
        ("unknown route destination", "routes"),
    ];
    let mut entries = ENTRIES.iter();
    let found = entries.find(|(said, _)| d.message.contains(said));
    found.map(|(_, keyword)| *keyword)
}

/// Whether a message is about something that is there twice, which it may be because two blocks
/// are read as one.
fn is_merged(d: &Diagnostic) -> bool {
    d.code == code::REPEATED || d.message.contains("is duplicated")
}

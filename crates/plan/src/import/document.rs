//! A Markdown document as lines that know what they are and under which titles they stand.
//!
//! Not a Markdown parser: those turn text into paragraphs and forget the lines, and the import must account for each. Plans are
//! also sloppier than Markdown (lists in code blocks, comments as titles, blocks that are no YAML), and that is read here.

use std::rc::Rc;

use super::clean;
use super::topic::{Topic, topic};

/// The most lines that are read. A plan that somebody reviews has some hundred.
pub(super) const LINES_MAX: usize = 20_000;
/// The longest title that lines remember, in characters; each line under it has a part in it.
const TITLE_CHARS_MAX: usize = 200;
/// The longest line that is read, in bytes: a paragraph. What is longer holds something else.
pub(super) const LINE_BYTES_MAX: usize = 4_000;
/// The most cells of a table's row.
const CELLS_MAX: usize = 32;

/// What a line is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    /// A heading that opens a section.
    Heading,
    /// A line that only titles what follows: a comment in a code block, a paragraph all bold.
    Title,
    /// The start or end of a code block.
    Fence,
    /// A rule between parts, the line under a heading or under a table's head.
    Rule,
    /// A list's item, in a code block or outside.
    Item,
    /// The head of a table.
    TableHead,
    /// A row of a table.
    Row,
    /// A line of a code block that is no item.
    Code,
    /// Text.
    Prose,
    /// A line longer than any that is read.
    TooLong,
}

/// One line.
pub(super) struct Line {
    /// As written.
    pub(super) raw: String,
    pub(super) kind: Kind,
    /// Without marks and damage.
    pub(super) text: String,
    /// How far it is indented.
    pub(super) indent: usize,
    pub(super) in_code: bool,
    /// A row's cells, each with the head of its column.
    pub(super) cells: Vec<(String, String)>,
    /// What the section is about.
    pub(super) topic: Topic,
    /// The titles that it stands under, the nearest first.
    pub(super) titles: Rc<[String]>,
    /// The item that this item is below.
    pub(super) parent: Option<usize>,
    /// Whether letters were damaged.
    pub(super) damaged: bool,
}

impl Line {
    /// Text of an item, or of a row as an item would say it: `first: second, third`.
    pub(super) fn statement(&self) -> String {
        let Some(((_, first), rest)) = self.cells.split_first() else {
            return self.text.clone();
        };
        let rest: Vec<&str> = rest.iter().map(|(_, cell)| cell.as_str()).collect();
        format!("{first}: {}", rest.join(", "))
    }

    /// A row's cell under a head that has one of these words.
    pub(super) fn cell(&self, heads: &[&str]) -> Option<&str> {
        let found = self
            .cells
            .iter()
            .find(|(head, _)| super::words::has(head, heads));
        found
            .map(|(_, cell)| cell.as_str())
            .filter(|cell| !cell.is_empty())
    }
}

/// Reads all lines.
pub(super) fn read(text: &str) -> Vec<Line> {
    let raw: Vec<&str> = text.lines().take(LINES_MAX).collect();
    let mut reader = Reader::default();
    let mut lines = Vec::with_capacity(raw.len());
    for (at, line) in raw.iter().enumerate() {
        let next = raw.get(at + 1).copied().unwrap_or("");
        lines.push(reader.line(line, next));
    }
    link_items(&mut lines);
    lines
}

#[derive(Default)]
struct Reader {
    in_code: bool,
    /// Open headings with their level and topic, the outermost first.
    headings: Vec<(usize, String, Topic)>,
    /// The comment or bold paragraph that titles what follows.
    title: Option<String>,
    /// Heads of the table that is being read.
    heads: Vec<String>,
    titles: Option<Rc<[String]>>,
    any_heading: bool,
}

impl Reader {
    fn line(&mut self, raw: &str, next: &str) -> Line {
        if raw.len() > LINE_BYTES_MAX {
            return self.too_long(raw);
        }
        let (repaired, damaged) = clean::repaired(raw);
        let trimmed = repaired.trim();
        let (kind, text) = if self.in_code {
            self.in_code_block(trimmed)
        } else {
            self.outside(trimmed, next.trim())
        };
        let mut cells = Vec::new();
        if kind == Kind::TableHead {
            self.heads = row(trimmed);
        } else if kind == Kind::Row {
            let heads = self
                .heads
                .iter()
                .cloned()
                .chain(std::iter::repeat(String::new()));
            cells = heads.zip(row(trimmed)).collect();
        } else if kind != Kind::Rule {
            self.heads.clear();
        }
        Line {
            raw: raw.trim().to_owned(),
            kind,
            text,
            indent: repaired.len() - repaired.trim_start().len(),
            in_code: self.in_code && kind != Kind::Fence,
            cells,
            topic: self
                .headings
                .last()
                .map_or(Topic::None, |(_, _, topic)| *topic),
            titles: self.titles(),
            parent: None,
            damaged,
        }
    }

    fn too_long(&mut self, raw: &str) -> Line {
        Line {
            raw: raw[..raw.floor_char_boundary(LINE_BYTES_MAX)]
                .trim()
                .to_owned(),
            kind: Kind::TooLong,
            text: String::new(),
            indent: 0,
            in_code: self.in_code,
            cells: Vec::new(),
            topic: self
                .headings
                .last()
                .map_or(Topic::None, |(_, _, topic)| *topic),
            titles: self.titles(),
            parent: None,
            damaged: false,
        }
    }

    fn in_code_block(&mut self, trimmed: &str) -> (Kind, String) {
        if is_fence(trimmed) {
            self.in_code = false;
            self.set_title(None);
            return (Kind::Fence, String::new());
        }
        if trimmed.is_empty() {
            return (Kind::Blank, String::new());
        }
        if trimmed.starts_with('#') {
            let text = trimmed.trim_start_matches('#').trim().to_owned();
            self.set_title(Some(text.clone()));
            return (Kind::Title, text);
        }
        match item(trimmed) {
            Some(text) => (Kind::Item, text.to_owned()),
            None => (Kind::Code, trimmed.to_owned()),
        }
    }

    fn outside(&mut self, trimmed: &str, next: &str) -> (Kind, String) {
        if trimmed.is_empty() {
            return (Kind::Blank, String::new());
        }
        if is_fence(trimmed) {
            self.in_code = true;
            return (Kind::Fence, String::new());
        }
        let level = trimmed.bytes().take_while(|byte| *byte == b'#').count();
        if (1..=6).contains(&level) && trimmed[level..].starts_with([' ', '\t']) {
            let text = clean::plain(trimmed[level..].trim_end_matches('#'));
            self.open(level, &text);
            return (Kind::Heading, text);
        }
        if trimmed.starts_with('|') {
            let kind = match (is_table_rule(trimmed), is_table_rule(next)) {
                (true, _) => Kind::Rule,
                (false, true) => Kind::TableHead,
                (false, false) => Kind::Row,
            };
            return (kind, clean::plain(trimmed));
        }
        if is_rule(trimmed) {
            return (Kind::Rule, String::new());
        }
        if let Some(text) = item(trimmed) {
            return (Kind::Item, clean::plain(text));
        }
        let text = clean::plain(trimmed);
        if let Some(level) = underlined(next) {
            self.open(level, &text);
            return (Kind::Heading, text);
        }
        let inside = trimmed.strip_prefix("**").and_then(|rest| {
            let rest = rest.trim_end_matches(':');
            rest.strip_suffix("**")
                .filter(|inside| !inside.contains("**"))
        });
        if inside.is_some() {
            self.set_title(Some(clean::title(&text)));
            return (Kind::Title, text);
        }
        (Kind::Prose, text)
    }

    fn open(&mut self, level: usize, text: &str) {
        self.headings.retain(|(own, _, _)| *own < level);
        // The first heading names the document, whatever words it uses for that.
        let names_document = !self.any_heading && level == 1;
        self.any_heading = true;
        let above = self
            .headings
            .last()
            .map_or(Topic::None, |(_, _, topic)| *topic);
        let topic = if names_document {
            Topic::None
        } else {
            topic(text, above)
        };
        let title: String = text.chars().take(TITLE_CHARS_MAX).collect();
        self.headings.push((level, title, topic));
        self.set_title(None);
    }

    fn set_title(&mut self, title: Option<String>) {
        self.title = title.map(|text| text.chars().take(TITLE_CHARS_MAX).collect());
        self.titles = None;
    }

    fn titles(&mut self) -> Rc<[String]> {
        let (title, headings) = (&self.title, &self.headings);
        let titles = self.titles.get_or_insert_with(|| {
            let headings = headings.iter().rev().map(|(_, text, _)| text.clone());
            title.iter().cloned().chain(headings).collect()
        });
        Rc::clone(titles)
    }
}

fn is_fence(trimmed: &str) -> bool {
    trimmed.starts_with("```") || trimmed.starts_with("~~~")
}

fn is_rule(trimmed: &str) -> bool {
    trimmed.len() >= 3
        && ['-', '*', '_', '=']
            .iter()
            .any(|mark| trimmed.chars().all(|own| own == *mark))
}

fn is_table_rule(trimmed: &str) -> bool {
    trimmed.contains('-')
        && trimmed.contains('|')
        && trimmed.chars().all(|own| "|-: ".contains(own))
}

/// The level of the heading that a line of `===` or `---` makes of the line before it.
fn underlined(next: &str) -> Option<usize> {
    let all = |mark: char| next.len() >= 3 && next.chars().all(|own| own == mark);
    if all('=') {
        return Some(1);
    }
    all('-').then_some(2)
}

/// An item's text without its mark: `- x`, `* x`, `+ x`, `1. x`, `2) x`.
fn item(trimmed: &str) -> Option<&str> {
    let marked = ["- ", "* ", "+ ", "• "]
        .iter()
        .find_map(|mark| trimmed.strip_prefix(mark));
    if marked.is_some() {
        return marked.map(str::trim);
    }
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let behind = &trimmed[digits..];
    let numbered = behind
        .strip_prefix(". ")
        .or_else(|| behind.strip_prefix(") "));
    numbered
        .filter(|_| (1..=3).contains(&digits))
        .map(str::trim)
}

fn row(trimmed: &str) -> Vec<String> {
    let inside = trimmed.trim_start_matches('|');
    let inside = inside.strip_suffix('|').unwrap_or(inside);
    // `\|` is a bar inside a cell.
    let cells = inside.replace("\\|", "\u{1}");
    let cells = cells.split('|').take(CELLS_MAX);
    cells
        .map(|cell| clean::plain(&cell.replace('\u{1}', "|")))
        .collect()
}

/// Notes below which item each item stands.
fn link_items(lines: &mut [Line]) {
    let mut open: Vec<usize> = Vec::new();
    for at in 0..lines.len() {
        match lines[at].kind {
            Kind::Item => {
                let indent = lines[at].indent;
                open.retain(|above| lines[*above].indent < indent);
                lines[at].parent = open.last().copied();
                open.push(at);
            }
            Kind::Blank | Kind::Prose | Kind::Code | Kind::TooLong => {}
            Kind::Heading
            | Kind::Title
            | Kind::Fence
            | Kind::Rule
            | Kind::TableHead
            | Kind::Row => open.clear(),
        }
    }
}

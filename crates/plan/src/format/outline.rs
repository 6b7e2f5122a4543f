//! The lines of a text as an outline: maps, lists, and the comments and blank lines before each part.

use super::lines::{End, Line, split_key, value_end};
use crate::limits::DEPTH_MAX;

/// Maps or lists, and what stands after their last part.
pub(super) struct Block<'t> {
    pub(super) body: Body<'t>,
    pub(super) trailing: Vec<Before<'t>>,
}

pub(super) enum Body<'t> {
    Map(Vec<Entry<'t>>),
    List(Vec<Item<'t>>),
}

/// A key and its value.
pub(super) struct Entry<'t> {
    pub(super) before: Vec<Before<'t>>,
    pub(super) key: &'t str,
    pub(super) value: Placed<'t>,
}

/// An item of a list.
pub(super) struct Item<'t> {
    pub(super) before: Vec<Before<'t>>,
    pub(super) value: Placed<'t>,
}

/// A value and the comment on its first line, with the blanks before it.
pub(super) struct Placed<'t> {
    pub(super) value: Value<'t>,
    pub(super) comment: &'t str,
}

pub(super) enum Value<'t> {
    /// None.
    Nothing,
    /// A scalar or a collection in brackets, on one line.
    Inline(&'t str),
    /// A value over several lines, kept as it is: its first line, the others, and how far its owner is indented.
    AsWritten {
        first: &'t str,
        rest: Vec<&'t str>,
        indent: usize,
    },
    /// A map or a list on lines of its own.
    Block(Block<'t>),
}

/// What stands before a part.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Before<'t> {
    /// One or more blank lines.
    Blank,
    /// A comment.
    Comment(&'t str),
}

/// The outline of a text, or the number of the line that does not fit into one.
pub(super) fn read(text: &str) -> Result<Block<'_>, usize> {
    let lines: Vec<Line<'_>> = text.lines().map(Line::new).collect();
    let mut reader = Reader {
        lines,
        at: 0,
        depth: 0,
    };
    let block = reader.block(0, 0);
    let block = block.filter(|_| reader.at == reader.lines.len());
    block.ok_or(reader.at + 1)
}

struct Reader<'t> {
    lines: Vec<Line<'t>>,
    at: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    /// A map or a list at this indentation. Comments that are indented at least as far as `own` belong to its end.
    fn block(&mut self, indent: usize, own: usize) -> Option<Block<'t>> {
        self.depth += 1;
        if self.depth > 2 * DEPTH_MAX {
            return None;
        }
        let mut entries = Vec::new();
        let mut items = Vec::new();
        let trailing = loop {
            let start = self.at;
            let before = self.before();
            let next = self.lines.get(self.at).copied();
            let is_list = !items.is_empty();
            let ends = next.is_none_or(|line| {
                line.indent < indent || (line.indent == indent && is_list && !line.is_item())
            });
            if ends {
                self.at = start;
                break self.trailing(own);
            }
            let line = next.filter(|line| line.indent == indent)?;
            if line.is_item() && entries.is_empty() {
                let value = self.item(line)?;
                items.push(Item { before, value });
            } else {
                let (key, rest) = split_key(line.text).filter(|_| !is_list)?;
                let value = self.value(rest, indent, true)?;
                entries.push(Entry { before, key, value });
            }
        };
        self.depth -= 1;
        let body = match (entries.is_empty(), items.is_empty()) {
            (false, _) => Body::Map(entries),
            (true, false) => Body::List(items),
            (true, true) => return None,
        };
        Some(Block { body, trailing })
    }

    /// Comments and blank lines up to the next part.
    fn before(&mut self) -> Vec<Before<'t>> {
        self.before_up_to(self.lines.len())
    }

    /// Comments and blank lines up to the next part or a line; several blank lines count as one.
    fn before_up_to(&mut self, end: usize) -> Vec<Before<'t>> {
        let mut found = Vec::new();
        while let Some(line) = self.lines[..end].get(self.at) {
            if line.is_comment() {
                found.push(Before::Comment(line.text));
            } else if !line.is_blank() {
                break;
            } else if found.last() != Some(&Before::Blank) {
                found.push(Before::Blank);
            }
            self.at += 1;
        }
        found
    }

    /// What belongs to the end of a block: comments as far as they are indented like it, without the blank lines after
    /// them. At the end of the text, all.
    fn trailing(&mut self, own: usize) -> Vec<Before<'t>> {
        let rest = &self.lines[self.at..];
        let is_own =
            |line: &&Line<'t>| line.is_blank() || (line.is_comment() && line.indent >= own);
        let length = rest.iter().take_while(is_own).count();
        let last = rest[..length].iter().rposition(Line::is_comment);
        let found = self.before_up_to(self.at + last.map_or(0, |last| last + 1));
        if own == 0 {
            self.before();
        }
        found
    }

    /// What stands behind the `-` of an item.
    fn item(&mut self, line: Line<'t>) -> Option<Placed<'t>> {
        let rest = line.text[1..].trim_start();
        let inner = Line {
            indent: line.indent + line.text.len() - rest.len(),
            text: rest,
            raw: line.raw,
        };
        if rest.is_empty() || rest.starts_with('#') {
            return self.value(rest, line.indent, false);
        }
        if inner.is_item() || split_key(rest).is_some() {
            self.lines[self.at] = inner;
            let block = self.block(inner.indent, inner.indent)?;
            return Some(Placed {
                value: Value::Block(block),
                comment: "",
            });
        }
        self.value(rest, line.indent, false)
    }

    /// The value that begins with `rest` on the present line, whose owner is indented by `indent`. A list under a key may
    /// stand at the indentation of the key.
    fn value(&mut self, rest: &'t str, indent: usize, of_key: bool) -> Option<Placed<'t>> {
        self.at += 1;
        let begins = rest.chars().next();
        if matches!(begins, None | Some('#')) {
            let value = self.block_below(indent, of_key)?;
            return Some(Placed {
                value,
                comment: rest,
            });
        }
        if matches!(begins, Some('|' | '>')) {
            return Some(as_written(rest, self.literal(rest, indent), indent));
        }
        if matches!(begins, Some('&' | '*' | '!')) {
            return Some(as_written(rest, self.further(indent), indent));
        }
        // Between quotes that are still open `#` begins no comment.
        let End::At(end) = value_end(rest) else {
            return Some(as_written(
                rest,
                self.further_to(indent, |line| !line.is_blank()),
                indent,
            ));
        };
        let further = self.further(indent);
        if !further.is_empty() {
            return Some(as_written(rest, further, indent));
        }
        let (value, comment) = rest.split_at(end);
        let is_comment = comment.is_empty() || comment.trim_start().starts_with('#');
        is_comment.then_some(Placed {
            value: Value::Inline(value),
            comment,
        })
    }

    /// A map or a list on the lines below, where there is one.
    fn block_below(&mut self, indent: usize, of_key: bool) -> Option<Value<'t>> {
        let start = self.at;
        let before = self.before();
        let next = self.lines.get(self.at).copied();
        self.at = start;
        let Some(line) = next else {
            return Some(Value::Nothing);
        };
        let at_key = of_key && line.indent == indent && line.is_item();
        if line.indent <= indent && !at_key {
            return Some(Value::Nothing);
        }
        if !line.is_item() && split_key(line.text).is_none() {
            // A scalar on a line of its own.
            let rest = self.further(indent);
            let has_comment = before.iter().any(|own| matches!(own, Before::Comment(_)));
            return (!has_comment).then_some(Value::AsWritten {
                first: "",
                rest,
                indent,
            });
        }
        let own = if at_key { indent + 1 } else { line.indent };
        self.block(line.indent, own).map(Value::Block)
    }

    /// The lines of a literal or folded scalar. Blank lines at its end are its own only where it says so.
    fn literal(&mut self, header: &str, indent: usize) -> Vec<&'t str> {
        let rest = &self.lines[self.at..];
        let count = rest
            .iter()
            .take_while(|line| line.is_blank() || line.indent > indent)
            .count();
        let kept = if header.contains('+') {
            count
        } else {
            let last = rest[..count].iter().rposition(|line| !line.is_blank());
            last.map_or(0, |last| last + 1)
        };
        self.take(kept)
    }

    /// The lines that are indented further than the owner, to the last that is not blank; and a bracket that closes them.
    fn further(&mut self, indent: usize) -> Vec<&'t str> {
        self.further_to(indent, |line| !line.is_blank() && !line.is_comment())
    }

    /// The same, to the last line that counts.
    fn further_to(&mut self, indent: usize, counts: impl Fn(&Line<'t>) -> bool) -> Vec<&'t str> {
        let rest = &self.lines[self.at..];
        let inside = rest
            .iter()
            .take_while(|line| line.is_blank() || line.indent > indent)
            .count();
        let last = rest[..inside].iter().rposition(counts);
        let closing = rest
            .get(inside)
            .is_some_and(|line| line.text.starts_with([']', '}']));
        let count = match last {
            _ if closing => inside + 1,
            Some(last) => last + 1,
            None => 0,
        };
        self.take(count)
    }

    fn take(&mut self, count: usize) -> Vec<&'t str> {
        let taken = &self.lines[self.at..self.at + count];
        self.at += count;
        taken.iter().map(|line| line.raw).collect()
    }
}

fn as_written<'t>(first: &'t str, rest: Vec<&'t str>, indent: usize) -> Placed<'t> {
    let value = Value::AsWritten {
        first,
        rest,
        indent,
    };
    Placed { value, comment: "" }
}

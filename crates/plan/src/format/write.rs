//! An outline as text.

use super::outline::{Before, Block, Body, Entry, Item, Placed, Value};
use super::scalar;
use super::{flow, item_type, key_type, shape, sorted};
use crate::grammar::{Shape, Type};
use crate::literal::Place;

/// How far each level is indented.
const STEP: usize = 2;

/// The text of a whole file.
pub(super) fn document(block: &Block<'_>, root: &'static Shape) -> String {
    let mut text = String::new();
    let value = Type::Map(root);
    write_block(&mut text, block, Some(&value), 0);
    text
}

fn write_block(text: &mut String, block: &Block<'_>, value: Option<&Type>, indent: usize) {
    match &block.body {
        Body::Map(entries) => write_map(text, entries, value, indent),
        Body::List(items) => {
            for (number, item) in items.iter().enumerate() {
                write_item(text, item, value.and_then(item_type), indent, number == 0);
            }
        }
    }
    write_before(text, &block.trailing, indent, false);
}

fn write_map(text: &mut String, entries: &[Entry<'_>], value: Option<&Type>, indent: usize) {
    let names: Vec<&str> = entries.iter().map(|entry| entry.key).collect();
    let word = |key: &str| {
        let entry = entries.iter().find(|entry| entry.key == key)?;
        match entry.value.value {
            Value::Inline(word) => Some(word),
            Value::Nothing | Value::AsWritten { .. } | Value::Block(_) => None,
        }
    };
    let shape = shape(value, word);
    let head = if indent == 0 { head(entries) } else { &[] };
    write_before(text, head, indent, true);
    for (number, at) in sorted(&names, shape).into_iter().enumerate() {
        let entry = &entries[at];
        let before = if at == 0 {
            &entry.before[head.len()..]
        } else {
            &entry.before
        };
        write_before(text, before, indent, number == 0 && head.is_empty());
        blanks(text, indent);
        text.push_str(entry.key);
        text.push(':');
        let value = key_type(value, shape, entry.key);
        write_value(text, &entry.value, value, indent);
    }
}

/// What stands at the top of a file, apart from its first key: it stays there whatever key comes first.
fn head<'e, 't>(entries: &'e [Entry<'t>]) -> &'e [Before<'t>] {
    let Some(first) = entries.first() else {
        return &[];
    };
    let last = first.before.iter().rposition(|own| *own == Before::Blank);
    &first.before[..last.map_or(0, |last| last + 1)]
}

/// An item: its value one step further in, and the `-` put into the step.
fn write_item(
    text: &mut String,
    item: &Item<'_>,
    value: Option<&Type>,
    indent: usize,
    is_first: bool,
) {
    write_before(text, &item.before, indent, is_first);
    let Value::Block(
        block @ Block {
            body: Body::Map(_), ..
        },
    ) = &item.value.value
    else {
        blanks(text, indent);
        text.push('-');
        write_value(text, &item.value, value, indent);
        return;
    };
    if !item.value.comment.is_empty() {
        write_before(text, &[Before::Comment(item.value.comment)], indent, false);
    }
    let mut inner = String::new();
    write_block(&mut inner, block, value, indent + STEP);
    let mut dash_is_written = false;
    for line in inner.lines() {
        let content = line.trim_start();
        if dash_is_written || content.is_empty() {
            text.push_str(line);
        } else if content.starts_with('#') {
            blanks(text, indent);
            text.push_str(content);
        } else {
            blanks(text, indent);
            text.push_str("- ");
            text.push_str(content);
            dash_is_written = true;
        }
        text.push('\n');
    }
}

/// What stands behind a key's colon or an item's `-`, to the end of its last line.
fn write_value(text: &mut String, placed: &Placed<'_>, value: Option<&Type>, indent: usize) {
    match &placed.value {
        Value::Nothing => end_line(text, placed.comment),
        Value::Inline(raw) => {
            text.push(' ');
            text.push_str(&inline(raw, value));
            end_line(text, placed.comment);
        }
        Value::AsWritten {
            first,
            rest,
            indent: was,
        } => {
            if !first.is_empty() {
                text.push(' ');
                text.push_str(first);
            }
            end_line(text, placed.comment);
            let (was, indent) = match literal_indent(first, rest) {
                Some(own) => (own, indent + STEP),
                None => (*was, indent),
            };
            for line in rest {
                write_moved(text, line, was, indent);
            }
        }
        Value::Block(block) => {
            end_line(text, placed.comment);
            write_block(text, block, value, indent + STEP);
        }
    }
}

fn inline(raw: &str, value: Option<&Type>) -> String {
    if raw.starts_with(['[', '{']) {
        flow::formatted(raw, value)
    } else {
        scalar::formatted(raw, value, Place::Block)
    }
}

/// How far the text of a literal or folded scalar is indented, where it does not say so itself.
fn literal_indent(header: &str, lines: &[&str]) -> Option<usize> {
    let indicator = header.split_whitespace().next().unwrap_or_default();
    let says_so = indicator.contains(|letter: char| letter.is_ascii_digit());
    let is_literal = indicator.starts_with(['|', '>']) && !says_so;
    let first = lines.iter().find(|line| !line.trim().is_empty());
    let indent = first.map(|line| line.len() - line.trim_start_matches(' ').len());
    indent.filter(|_| is_literal)
}

/// A line of a value that is kept as written, moved as far as its owner was.
fn write_moved(text: &mut String, line: &str, was: usize, indent: usize) {
    let own = line.len() - line.trim_start_matches(' ').len();
    let content = &line[own..];
    if !content.is_empty() {
        blanks(text, (own + indent).saturating_sub(was));
        text.push_str(content);
    } else if own > was {
        // Blanks beyond the indentation of a literal are a part of it.
        blanks(text, own + indent - was);
    }
    text.push('\n');
}

fn write_before(text: &mut String, before: &[Before<'_>], indent: usize, is_first: bool) {
    let mut begins = is_first;
    for part in before {
        match part {
            Before::Blank if begins || text.ends_with("\n\n") => {}
            Before::Blank => text.push('\n'),
            Before::Comment(comment) => {
                blanks(text, indent);
                text.push_str(comment);
                text.push('\n');
                begins = false;
            }
        }
    }
}

fn end_line(text: &mut String, comment: &str) {
    if comment.starts_with('#') {
        text.push(' ');
    }
    text.push_str(comment);
    text.push('\n');
}

fn blanks(text: &mut String, count: usize) {
    text.extend(std::iter::repeat_n(' ', count));
}

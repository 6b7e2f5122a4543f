//! An outline as YAML for people: block style, comments above what they are about, quotes only where YAML needs them.

use std::ops::RangeInclusive;

use super::outline::{Entry, Map, Value};
use crate::literal::{Place, literal};

/// The widest comment, in characters.
const COMMENT_WIDTH: usize = 110;

/// The text, and for each map, in the order of `Map::prune`'s numbers, the lines that it takes (counted from 1).
pub(super) fn write(map: &Map) -> (String, Vec<RangeInclusive<usize>>) {
    let mut writer = Writer::default();
    writer.comment(&map.comment, 0);
    writer.map(map, 0, false);
    (writer.text, writer.ranges)
}

#[derive(Default)]
struct Writer {
    text: String,
    line: usize,
    ranges: Vec<RangeInclusive<usize>>,
}

impl Writer {
    /// `dashed`: the first key stands behind the dash of a list.
    fn map(&mut self, map: &Map, indent: usize, dashed: bool) {
        let number = self.ranges.len();
        let first_line = self.line + 1;
        self.ranges.push(first_line..=first_line);
        for (at, entry) in map.entries.iter().enumerate() {
            let is_section =
                indent == 0 && !matches!(entry.value, Value::Text(_) | Value::Texts(_));
            if is_section {
                self.put("");
            }
            self.comment(&entry.comment, indent);
            let start = if dashed && at == 0 {
                format!("{}- ", " ".repeat(indent - 2))
            } else {
                " ".repeat(indent)
            };
            self.entry(&start, entry, indent);
        }
        self.ranges[number] = first_line..=self.line;
    }

    fn entry(&mut self, start: &str, entry: &Entry, indent: usize) {
        let key = &entry.key;
        match &entry.value {
            Value::Text(text) => match block_lines(text) {
                Some(lines) => {
                    self.put(&format!("{start}{key}: |-"));
                    for line in lines {
                        self.put(&format!("{}{line}", " ".repeat(indent + 2)));
                    }
                }
                None => self.put(&format!("{start}{key}: {}", literal(text, Place::Block))),
            },
            Value::Texts(texts) => {
                let texts: Vec<String> = texts
                    .iter()
                    .map(|text| literal(text, Place::Flow))
                    .collect();
                self.put(&format!("{start}{key}: [{}]", texts.join(", ")));
            }
            Value::Map(map) => {
                self.put(&format!("{start}{key}:"));
                self.map(map, indent + 2, false);
            }
            Value::Maps(maps) => {
                self.put(&format!("{start}{key}:"));
                for map in maps {
                    self.comment(&map.comment, indent + 2);
                    self.map(map, indent + 4, true);
                }
            }
        }
    }

    fn comment(&mut self, comment: &[String], indent: usize) {
        for text in comment {
            for line in wrapped(text, COMMENT_WIDTH.saturating_sub(indent)) {
                self.put(format!("{}# {line}", " ".repeat(indent)).trim_end());
            }
        }
    }

    fn put(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.line += 1;
    }
}

/// A text's lines where it has several that a block scalar gives back to the letter.
fn block_lines(text: &str) -> Option<Vec<&str>> {
    let lines: Vec<&str> = text.split('\n').collect();
    let plain = |line: &&str| {
        !line.is_empty()
            && !line.ends_with(char::is_whitespace)
            && !line.chars().any(char::is_control)
    };
    let starts_plain = !text.starts_with(char::is_whitespace);
    (lines.len() > 1 && starts_plain && lines.iter().all(plain)).then_some(lines)
}

fn printable(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// A text in lines of at most so many characters, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let word: String = word.chars().filter(|letter| printable(*letter)).collect();
        let Some(last) = lines.last_mut() else {
            continue;
        };
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > width {
            lines.push(word);
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(&word);
        }
    }
    lines
}

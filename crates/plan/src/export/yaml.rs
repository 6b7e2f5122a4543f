//! A small writer of YAML: block style, comments, and text quoted where another reader could take it for something else.
//!
//! It writes what these exports need and no more: maps in the order given, lists, text, and plain words.

use std::fmt::Write;

/// A value.
pub(super) enum Yaml {
    /// A number, a boolean or another word that is written as it is.
    Plain(String),
    /// Text, quoted where it must be.
    Text(String),
    /// A list.
    List(Vec<Yaml>),
    /// A map.
    Map(Map),
}

/// A map with comments before its entries.
#[derive(Default)]
pub(super) struct Map {
    entries: Vec<Entry>,
    comment: Vec<String>,
}

struct Entry {
    comment: Vec<String>,
    key: String,
    value: Yaml,
}

impl Map {
    pub(super) fn new() -> Map {
        Map::default()
    }

    /// Adds an entry.
    pub(super) fn put(&mut self, key: impl Into<String>, value: impl Into<Yaml>) -> &mut Map {
        let comment = std::mem::take(&mut self.comment);
        let (key, value) = (key.into(), value.into());
        self.entries.push(Entry {
            comment,
            key,
            value,
        });
        self
    }

    /// Adds an entry and gives the map back.
    pub(super) fn with(mut self, key: impl Into<String>, value: impl Into<Yaml>) -> Map {
        self.put(key, value);
        self
    }

    /// A comment before the next entry, a line for each line of it.
    pub(super) fn comment(&mut self, text: &str) -> &mut Map {
        self.comment.extend(text.lines().map(str::to_owned));
        self
    }

    /// Whether nothing stands in it.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// A number, a boolean, a length of time: written as it is.
pub(super) fn plain(value: impl ToString) -> Yaml {
    Yaml::Plain(value.to_string())
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Yaml {
        Yaml::Text(text.to_owned())
    }
}

impl From<String> for Yaml {
    fn from(text: String) -> Yaml {
        Yaml::Text(text)
    }
}

impl From<Map> for Yaml {
    fn from(map: Map) -> Yaml {
        Yaml::Map(map)
    }
}

impl<T: Into<Yaml>> From<Vec<T>> for Yaml {
    fn from(list: Vec<T>) -> Yaml {
        Yaml::List(list.into_iter().map(Into::into).collect())
    }
}

/// A document with a comment at its head.
pub(super) fn document(head: &str, map: Map) -> String {
    let mut out = String::new();
    for line in head.lines() {
        comment_line(&mut out, 0, line);
    }
    write_map(&mut out, &map, 0);
    out
}

/// Several documents in one file.
pub(super) fn documents(head: &str, maps: Vec<Map>) -> String {
    let mut out = String::new();
    for line in head.lines() {
        comment_line(&mut out, 0, line);
    }
    for map in maps {
        out.push_str("---\n");
        write_map(&mut out, &map, 0);
    }
    out
}

fn comment_line(out: &mut String, indent: usize, line: &str) {
    let text: String = line.chars().filter(|letter| !letter.is_control()).collect();
    let line = format!("{}# {text}", " ".repeat(indent));
    out.push_str(line.trim_end());
    out.push('\n');
}

fn write_map(out: &mut String, map: &Map, indent: usize) {
    for entry in &map.entries {
        for line in &entry.comment {
            comment_line(out, indent, line);
        }
        out.push_str(&" ".repeat(indent));
        write_entry(out, entry, indent);
    }
}

fn write_entry(out: &mut String, entry: &Entry, indent: usize) {
    out.push_str(&scalar(&entry.key));
    out.push(':');
    match &entry.value {
        Yaml::Plain(word) => {
            let _ = writeln!(out, " {word}");
        }
        Yaml::Text(text) => {
            let _ = writeln!(out, " {}", text_value(text, indent));
        }
        Yaml::List(items) if items.is_empty() => out.push_str(" []\n"),
        Yaml::Map(map) if map.is_empty() => out.push_str(" {}\n"),
        Yaml::List(items) => {
            out.push('\n');
            write_list(out, items, indent + 2);
        }
        Yaml::Map(map) => {
            out.push('\n');
            write_map(out, map, indent + 2);
        }
    }
}

fn write_list(out: &mut String, items: &[Yaml], indent: usize) {
    let dash = format!("{}- ", " ".repeat(indent));
    for item in items {
        match item {
            Yaml::Plain(word) => {
                let _ = writeln!(out, "{dash}{word}");
            }
            Yaml::Text(text) => {
                let _ = writeln!(out, "{dash}{}", text_value(text, indent));
            }
            Yaml::List(items) if items.is_empty() => {
                let _ = writeln!(out, "{dash}[]");
            }
            Yaml::List(items) => {
                let _ = writeln!(out, "{}-", " ".repeat(indent));
                write_list(out, items, indent + 2);
            }
            Yaml::Map(map) => write_item(out, map, indent),
        }
    }
}

/// A map as a list's item: its first entry stands behind the dash, and the comment of that before it.
fn write_item(out: &mut String, map: &Map, indent: usize) {
    let Some((first, rest)) = map.entries.split_first() else {
        let _ = writeln!(out, "{}- {{}}", " ".repeat(indent));
        return;
    };
    for line in &first.comment {
        comment_line(out, indent, line);
    }
    let _ = write!(out, "{}- ", " ".repeat(indent));
    write_entry(out, first, indent + 2);
    for entry in rest {
        for line in &entry.comment {
            comment_line(out, indent + 2, line);
        }
        out.push_str(&" ".repeat(indent + 2));
        write_entry(out, entry, indent + 2);
    }
}

/// Text as a value: a literal block where it has several lines that a block keeps, else a scalar.
fn text_value(text: &str, indent: usize) -> String {
    let keeps = !text.starts_with([' ', '\n'])
        && !text.ends_with([' ', '\n'])
        && text
            .chars()
            .all(|letter| letter == '\n' || !letter.is_control());
    if !text.contains('\n') || !keeps {
        return scalar(text);
    }
    let margin = " ".repeat(indent + 2);
    let lines = text.lines().map(|line| {
        if line.is_empty() {
            String::new()
        } else {
            format!("{margin}{line}")
        }
    });
    format!("|-\n{}", lines.collect::<Vec<String>>().join("\n"))
}

fn scalar(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    if text.chars().any(is_special) {
        return double_quoted(text);
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// What every reader takes for text when it stands bare: other tools read YAML 1.1, in which more means something than in plans
/// (`crate::literal`).
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_word = WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" _-./%,()+@=<>*;".contains(&byte);
    starts && !is_word && text.bytes().all(allowed) && !text.ends_with(' ')
}

fn is_special(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            letter if is_special(letter) => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the YAML reader of plans makes of a scalar that was written here.
    fn read_back(text: &str) -> String {
        let map = Map::new().with(
            "key",
            vec![Map::new().with("text", text).with("next", "end")],
        );
        let written = document("", map);
        let read: serde_json::Value =
            serde_saphyr::from_str(&written).unwrap_or_else(|error| panic!("{written}\n{error}"));
        assert_eq!(read["key"][0]["next"], "end", "{written}");
        read["key"][0]["text"]
            .as_str()
            .unwrap_or_else(|| panic!("not text: {written}"))
            .to_owned()
    }

    #[test]
    fn text_is_read_back_as_it_was() {
        let texts = [
            "a",
            "",
            " ",
            "a b",
            "5m",
            "5",
            "0x1f",
            "1e3",
            "1_000",
            "true",
            "No",
            "null",
            "~",
            "- a",
            "? a",
            "a: b",
            "a #b",
            "#a",
            "'a'",
            "\"a\"",
            "it's",
            "{a}",
            "[a]",
            "a\nb",
            "a\n\nb",
            " a\nb",
            "a\n",
            "a\n b\n  c",
            "a\tb",
            "\u{7}",
            "é",
            "a\u{2028}b",
            "sum(rate(a{b=\"c\"}[5m])) / 2\n  > 1",
            "& a",
            "*a",
            "!a",
            "|",
            ">",
            "%a",
            "@a",
            "`a`",
            "2026-01-05",
            "12:30",
            ".5",
            "{{ $value }} is 'much'",
            "\\",
            "a ",
            "=",
            "<<",
            "a\u{85}b",
            "---",
            "...",
        ];
        for text in texts {
            assert_eq!(read_back(text), text);
        }
    }

    #[test]
    fn shapes_and_comments() {
        let mut inner = Map::new();
        inner
            .comment("why\nand why")
            .put("a", plain(1))
            .comment("b is")
            .put("b", vec!["x", "5"]);
        let mut map = Map::new();
        map.comment("all of it")
            .put("list", vec![inner])
            .put("none", Map::new())
            .put("empty", Vec::<Yaml>::new());
        let expect = "# head\n# all of it\nlist:\n  # why\n  # and why\n  - a: 1\n    # b is\n    b:\n      - x\n      - '5'\nnone: {}\nempty: []\n";
        assert_eq!(document("head", map), expect);
    }
}

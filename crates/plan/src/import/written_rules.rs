//! Alert rules as lines of a document write them: blocks that are nearly YAML, rows of a table, items that hold an expression.
//!
//! The blocks are read line by line, because they are no YAML often enough: `severity` beside `labels`, comments as titles,
//! indentation that does not add up.

use super::document::{Kind, Line};
use super::reading::Reading;
use super::{alerts, clean, quantities, words};

/// A rule as it is written, each value with its lines.
#[derive(Default)]
pub(super) struct Rule {
    /// Keys with their values, in the order of the text.
    pub(super) values: Vec<(String, String)>,
    /// Its lines, each with the key that stands there.
    pub(super) lines: Vec<(usize, String)>,
    /// Whether it records a series instead of alerting.
    pub(super) records: bool,
    indent: usize,
    /// How far the key with a block of text (`expr: |`) is indented, while that block lasts.
    block: Option<usize>,
    /// The map that keys stand in: `labels` or `annotations`.
    map: String,
}

impl Rule {
    /// The value of the first of these keys; empty where there is none.
    pub(super) fn value(&self, keys: &[&str]) -> &str {
        let found = self
            .values
            .iter()
            .find(|(key, _)| keys.contains(&key.as_str()));
        found.map_or("", |(_, value)| value.trim())
    }

    fn set_if(&mut self, at: usize, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.set(at, key, value);
        }
    }

    fn set(&mut self, at: usize, key: &str, value: &str) {
        self.values.push((key.to_owned(), value.to_owned()));
        self.lines.push((at, key.to_owned()));
    }
}

/// One line of a block. What is no `key: value` goes on with the value before it, if that goes on.
pub(super) fn code_line(reading: &mut Reading<'_>, rule: &mut Option<Rule>, at: usize) {
    let line = &reading.lines[at];
    if let Some(own) = rule
        && own.block.is_some_and(|indent| line.indent > indent)
        && line.kind != Kind::Item
    {
        if let Some((key, value)) = own.values.last_mut() {
            if !value.is_empty() {
                value.push('\n');
            }
            value.push_str(line.raw.trim());
            let key = key.clone();
            own.lines.push((at, key));
        }
        return;
    }
    let Some((key, value)) = key_and_value(&line.text) else {
        return;
    };
    match key.as_str() {
        "alert" | "record" => {
            close(reading, rule);
            let records = key == "record";
            let mut started = Rule {
                indent: line.indent,
                records,
                ..Rule::default()
            };
            started.set(at, &key, value);
            *rule = Some(started);
        }
        "groups" | "rules" if value.is_empty() => reading.explain(at, "structure of a rule file"),
        "name" if line.kind == Kind::Item && value.len() < line.text.len() => {
            close(reading, rule);
            reading.explain(
                at,
                "name of a rule group; groups follow the titles of the document",
            );
        }
        _ => match rule {
            Some(own) => field(own, at, line, &key, value),
            None => reading.unread(at, "it stands before any `alert:`"),
        },
    }
}

fn field(rule: &mut Rule, at: usize, line: &Line, key: &str, value: &str) {
    rule.block = None;
    if value.is_empty() && matches!(key, "labels" | "annotations") {
        key.clone_into(&mut rule.map);
        rule.lines.push((at, key.to_owned()));
        return;
    }
    // Known keys count wherever they stand; an unknown one below `labels` is a label.
    let known = [
        "expr",
        "for",
        "severity",
        "keep_firing_for",
        "summary",
        "description",
        "message",
    ];
    let nested = line.indent > rule.indent + 2 && !rule.map.is_empty();
    let key = if known.contains(&key) || !nested {
        key.to_owned()
    } else {
        format!("{}.{key}", rule.map)
    };
    let goes_on = ["|", ">", "|-", ">-", "|+", ">+", ""].contains(&value);
    rule.block = goes_on.then_some(line.indent);
    rule.set(at, &key, if goes_on { "" } else { value });
}

/// `key: value`, without the value's quotes and a comment behind it.
fn key_and_value(text: &str) -> Option<(String, &str)> {
    let (key, value) = text.split_once(':')?;
    let key = key.trim();
    let plain = !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let value = value.trim();
    let value = value
        .split_once(" #")
        .map_or(value, |(before, _)| before.trim());
    let unquoted = ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    plain.then(|| (key.to_ascii_lowercase(), unquoted.unwrap_or(value)))
}

/// A row: name, expression, `for`, severity by the heads of the columns.
pub(super) fn row(line: &Line, at: usize) -> Rule {
    let mut rule = Rule::default();
    let first = line.cells.first().map(|(_, cell)| cell.as_str());
    rule.set(
        at,
        "alert",
        line.cell(&["alert", "name"]).or(first).unwrap_or(""),
    );
    let expr = line.cell(&[
        "expr",
        "expression",
        "condition",
        "query",
        "promql",
        "threshold",
        "rule",
    ]);
    rule.set(at, "expr", expr.unwrap_or(""));
    let hold = line
        .cell(&["for", "duration", "window"])
        .and_then(quantities::first_length);
    rule.set_if(at, "for", hold.as_deref());
    rule.set_if(
        at,
        "severity",
        line.cell(&["severity", "level", "priority"]),
    );
    rule.set_if(
        at,
        "summary",
        line.cell(&["summary", "description", "meaning", "message"]),
    );
    rule
}

/// An item: `Name: expression for 5m (critical)`, the expression between code marks where it has them.
pub(super) fn item(reading: &Reading<'_>, at: usize) -> Rule {
    let line = &reading.lines[at];
    let mut rule = Rule::default();
    let marked = line.raw.split('`').skip(1).step_by(2);
    let expr = marked
        .filter(|part| alerts::expression(part).is_ok())
        .max_by_key(|part| part.len());
    let (name, rest) = clean::at_colon(&line.text).unwrap_or((&line.text, ""));
    // Without code marks the expression ends where the length of time begins.
    let (expr, behind) = match expr {
        Some(expr) => {
            let behind = line.text.split_once(expr).map_or("", |(_, behind)| behind);
            (expr, behind.to_owned())
        }
        None => match rest.split_once(" for ") {
            Some((expr, behind)) => (expr, format!("for {behind}")),
            None => (rest, String::new()),
        },
    };
    rule.set(at, "alert", name);
    rule.set(at, "expr", expr.trim());
    let hold = quantities::first_length(&behind);
    rule.set_if(at, "for", hold.as_deref());
    let severity = words::split(&behind);
    let severity = severity
        .iter()
        .find(|word| alerts::severity(word).is_some());
    rule.set_if(at, "severity", severity.map(String::as_str));
    rule
}

/// Hands on a rule that has ended.
pub(super) fn close(reading: &mut Reading<'_>, rule: &mut Option<Rule>) {
    if let Some(rule) = rule.take() {
        alerts::take(reading, &rule);
    }
}

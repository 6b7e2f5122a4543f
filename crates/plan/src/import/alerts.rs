//! The alerts of a document: rules in blocks that are nearly YAML, rows of a table, items that hold an expression.
//!
//! The blocks are read line by line, because they are no YAML often enough: `severity` beside `labels`, comments as titles,
//! indentation that does not add up. Expression, `for` and severity are taken as they are written.

use promql::{Expr, ExprKind, ValueType};

use super::document::{Kind, Line};
use super::reading::{AlertDraft, Reading};
use super::topic::Topic;
use super::{clean, guess, quantities, words};

/// Words for what pages, and for what only tells.
const CRITICAL: [&str; 11] = [
    "critical",
    "page",
    "pages",
    "fatal",
    "emergency",
    "high",
    "urgent",
    "p1",
    "sev1",
    "crit",
    "error",
];
const WARNING: [&str; 10] = [
    "warning", "warn", "info", "low", "medium", "minor", "ticket", "p2", "p3", "notice",
];

pub(super) fn read(reading: &mut Reading<'_>) {
    let lines = reading.content(Topic::Alerts);
    let mut rule: Option<Rule> = None;
    for at in lines {
        let line = &reading.lines[at];
        if line.in_code {
            code_line(reading, &mut rule, at);
        } else {
            close(reading, &mut rule);
            match line.kind {
                Kind::Row => take(reading, row(line, at)),
                Kind::Item => take(reading, item(reading, at)),
                Kind::Blank | Kind::Heading | Kind::Title | Kind::Fence => {}
                Kind::Rule | Kind::TableHead | Kind::Code | Kind::Prose | Kind::TooLong => {}
            }
        }
    }
    close(reading, &mut rule);
    declare_what_is_read(reading);
}

/// A rule as it is written, each value with its lines.
#[derive(Default)]
struct Rule {
    values: Vec<(String, String)>,
    lines: Vec<(usize, String)>,
    indent: usize,
    /// How far the key with a block of text (`expr: |`) is indented, while that block lasts.
    block: Option<usize>,
    /// The map that keys stand in: `labels` or `annotations`.
    map: String,
}

impl Rule {
    fn value(&self, keys: &[&str]) -> &str {
        let found = self
            .values
            .iter()
            .find(|(key, _)| keys.contains(&key.as_str()));
        found.map_or("", |(_, value)| value.trim())
    }

    fn set(&mut self, at: usize, key: &str, value: &str) {
        self.values.push((key.to_owned(), value.to_owned()));
        self.lines.push((at, key.to_owned()));
    }
}

/// One line of a block. What is no `key: value` goes on with the value before it, if that goes on.
fn code_line(reading: &mut Reading<'_>, rule: &mut Option<Rule>, at: usize) {
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
        "alert" => {
            close(reading, rule);
            let mut started = Rule {
                indent: line.indent,
                ..Rule::default()
            };
            started.set(at, "alert", value);
            *rule = Some(started);
        }
        "record" => {
            close(reading, rule);
            reading.warn(
                Some(at),
                format!("`{value}` is recorded, not alerted on; the plan has no recording rules"),
            );
            reading.explain(at, "the plan has no recording rules");
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

fn close(reading: &mut Reading<'_>, rule: &mut Option<Rule>) {
    if let Some(rule) = rule.take() {
        take(reading, rule);
    }
}

/// A row: name, expression, `for`, severity by the heads of the columns.
fn row(line: &Line, at: usize) -> Rule {
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
    let hold = line.cell(&["for", "duration", "window"]);
    rule.set(
        at,
        "for",
        &hold.and_then(quantities::first_length).unwrap_or_default(),
    );
    rule.set(
        at,
        "severity",
        line.cell(&["severity", "level", "priority"]).unwrap_or(""),
    );
    rule.set(
        at,
        "summary",
        line.cell(&["summary", "description", "meaning", "message"])
            .unwrap_or(""),
    );
    rule
}

/// An item: `Name: expression for 5m (critical)`, the expression between code marks where it has them.
fn item(reading: &Reading<'_>, at: usize) -> Rule {
    let line = &reading.lines[at];
    let mut rule = Rule::default();
    let marked = line.raw.split('`').skip(1).step_by(2);
    let expr = marked
        .filter(|part| expression(part).is_ok())
        .max_by_key(|part| part.len());
    let (name, rest) = clean::at_colon(&line.text).unwrap_or((&line.text, ""));
    let (before, behind) = match expr {
        Some(expr) => (
            expr,
            line.text.split_once(expr).map_or("", |(_, behind)| behind),
        ),
        None => rest.split_once(" for ").unwrap_or((rest, "")),
    };
    rule.set(at, "alert", name);
    rule.set(at, "expr", before.trim());
    let behind = if expr.is_some() {
        behind.to_owned()
    } else {
        format!("for {behind}")
    };
    rule.set(
        at,
        "for",
        &quantities::first_length(&behind).unwrap_or_default(),
    );
    let severity = words::split(&behind)
        .into_iter()
        .find(|word| severity(word).is_some());
    rule.set(at, "severity", severity.as_deref().unwrap_or(""));
    rule
}

/// The alert that a rule gives, with what had to be chosen.
fn take(reading: &mut Reading<'_>, rule: Rule) {
    let first = rule.lines[0].0;
    let refuse = |reading: &mut Reading<'_>, reason: &str| {
        for (at, _) in &rule.lines {
            reading.unread(*at, reason);
        }
    };
    let parsed = match expression(rule.value(&["expr"])) {
        Ok(parsed) => parsed,
        Err(reason) => {
            let name = rule.value(&["alert"]).to_owned();
            reading.warn(
                Some(first),
                format!("the alert \"{name}\" is not in the plan: {reason}"),
            );
            return refuse(reading, &reason);
        }
    };
    let Some(name) = name(reading, first, rule.value(&["alert"])) else {
        return refuse(reading, "an alert needs a name of letters");
    };
    if reading.alerts.iter().any(|own| own.name == name) {
        reading.warn(
            Some(first),
            format!("there is already an alert `{name}`; the first is taken"),
        );
        return refuse(reading, "its name is taken");
    }
    if !reading.room(first, reading.alerts.len()) {
        return refuse(reading, "too many alerts");
    }
    let hold = length(reading, first, rule.value(&["for"]));
    let keep_firing = length(reading, first, rule.value(&["keep_firing_for"]));
    let critical = is_critical(reading, first, rule.value(&["severity", "labels.severity"]));
    let remarks = doubts(&name, &parsed);
    for doubt in &remarks {
        reading.warn(Some(first), format!("`{name}`: {doubt}"));
    }
    let group = group(reading, first, critical);
    let labels = labels(&rule);
    account(reading, &rule, &group, &name);
    reading.alerts.push(AlertDraft {
        expr: rule.value(&["expr"]).to_owned(),
        hold,
        keep_firing,
        critical,
        labels,
        summary: one_line(rule.value(&["summary", "message"])),
        description: rule.value(&["description"]).to_owned(),
        group,
        lines: rule.lines.iter().map(|(at, _)| *at).collect(),
        remarks,
        name,
    });
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// Says of each line where it went.
fn account(reading: &mut Reading<'_>, rule: &Rule, group: &str, name: &str) {
    let known = [
        "alert",
        "expr",
        "for",
        "severity",
        "summary",
        "message",
        "description",
        "keep_firing_for",
        "labels",
    ];
    for (at, key) in &rule.lines {
        let place = key.strip_prefix("annotations.").unwrap_or(key);
        if known.contains(&place) || place.starts_with("labels.") {
            let place = if place == "message" { "summary" } else { place };
            let tail = if place == "alert" {
                String::new()
            } else {
                format!(".{place}")
            };
            reading.map(*at, format!("rule_groups.{group}.{name}{tail}"));
        } else if place == "annotations" {
            reading.explain(*at, "structure: the texts below it are keys of the rule");
        } else {
            reading.warn(
                Some(*at),
                format!("`{place}` of `{name}` has no counterpart in the plan"),
            );
            reading.explain(*at, "a key that the plan's rules do not have");
        }
    }
}

fn labels(rule: &Rule) -> Vec<(String, String)> {
    let labels = rule.values.iter().filter_map(|(key, value)| {
        let key = key.strip_prefix("labels.")?;
        Some((key.to_owned(), value.clone()))
    });
    labels.collect()
}

/// An expression that an alert can be made of, or why it is none.
fn expression(text: &str) -> Result<Expr, String> {
    if text.trim().is_empty() {
        return Err("it has no expression; what to measure is not guessed".to_owned());
    }
    let parsed = promql::parse(text).map_err(|error| {
        let gist = crate::diagnostics::gist(&error.message);
        format!("its expression is not PromQL ({gist}); what to measure is not guessed")
    })?;
    if parsed.value_type() != ValueType::Vector {
        return Err(format!(
            "its expression gives {}, not an instant vector",
            parsed.value_type()
        ));
    }
    // A lone word is PromQL too, but an alert that fires while anything exists was never meant.
    if matches!(parsed.without_parens().kind(), ExprKind::Selector(own) if own.matchers.len() <= 1)
    {
        return Err("its expression is a name without a condition".to_owned());
    }
    Ok(parsed)
}

fn name(reading: &mut Reading<'_>, at: usize, written: &str) -> Option<String> {
    if model::is_metric_name(written) {
        return Some(written.to_owned());
    }
    let name = words::camel(&clean::title(written));
    if !model::is_metric_name(&name) {
        return None;
    }
    reading.note(
        Some(at),
        format!("the alert \"{written}\" is named `{name}`: names of alerts hold no blanks"),
    );
    Some(name)
}

fn length(reading: &mut Reading<'_>, at: usize, written: &str) -> String {
    if written.is_empty() || model::parse_duration(written).is_ok() {
        return written.to_owned();
    }
    let read = quantities::first_length(written);
    match &read {
        Some(read) => reading.note(Some(at), format!("\"{written}\" is read as `{read}`")),
        None => reading.warn(
            Some(at),
            format!("\"{written}\" is not a length of time and is left out"),
        ),
    }
    read.unwrap_or_default()
}

/// What a word says of severity: critical or not.
pub(super) fn severity(word: &str) -> Option<bool> {
    let word = word.to_ascii_lowercase();
    if CRITICAL.contains(&word.as_str()) {
        return Some(true);
    }
    WARNING.contains(&word.as_str()).then_some(false)
}

fn is_critical(reading: &mut Reading<'_>, at: usize, written: &str) -> bool {
    let said = words::split(written).iter().find_map(|word| severity(word));
    let plain = ["critical", "warning"].contains(&written);
    if let Some(critical) = said {
        if !plain {
            let word = if critical { "critical" } else { "warning" };
            reading.note(
                Some(at),
                format!("the severity \"{written}\" is written as `{word}`"),
            );
        }
        return critical;
    }
    let titles = &reading.lines[at].titles;
    let found = titles
        .iter()
        .find_map(|title| words::split(title).iter().find_map(|word| severity(word)));
    let critical = found.unwrap_or(false);
    let word = if critical { "critical" } else { "warning" };
    let why = if found.is_some() {
        "by the title above it"
    } else {
        "since nothing says that it must wake somebody"
    };
    reading.note(
        Some(at),
        format!("no severity that the plan knows: taken as `{word}`, {why}"),
    );
    critical
}

/// The group by the nearest heading: "Critical Alerts (Immediate Response)" is `critical`.
fn group(reading: &Reading<'_>, at: usize, critical: bool) -> String {
    const GENERIC: [&str; 7] = ["alert", "alerts", "alerting", "rule", "rules", "and", "the"];
    let line = &reading.lines[at];
    // In a block the nearest title is a comment about one alert.
    let is_heading = |title: &&String| {
        reading
            .lines
            .iter()
            .any(|own| own.kind == Kind::Heading && own.text == **title)
    };
    let heading = line
        .titles
        .iter()
        .find(is_heading)
        .map_or("", String::as_str);
    let heading = clean::title(heading);
    let kept = heading
        .split_whitespace()
        .filter(|word| !words::has(word, &GENERIC));
    let slug = words::slug(&kept.collect::<Vec<&str>>().join(" "), 64);
    if slug.is_empty() {
        if critical { "critical" } else { "warning" }.to_owned()
    } else {
        slug
    }
}

/// What is odd about a rule, although it is taken as written.
fn doubts(name: &str, parsed: &Expr) -> Vec<String> {
    let ExprKind::Binary(binary) = parsed.without_parens().kind() else {
        return Vec::new();
    };
    let ExprKind::Number(threshold) = binary.right.without_parens().kind() else {
        return Vec::new();
    };
    let is_rate = matches!(binary.left.without_parens().kind(),
        ExprKind::Call(call) if ["rate", "irate"].contains(&call.function.name));
    let says_share = words::has(name, &["rate", "ratio", "percentage", "percent"]);
    if is_rate && says_share && threshold.0.abs() < 1.0 {
        let what = binary.left.without_parens();
        return vec![format!(
            "taken as written: `{what}` is events per second, while the name and {} speak of a share. \
             Divide by the rate of all events if a share is meant",
            threshold.0
        )];
    }
    Vec::new()
}

/// Metrics that alerts read and the document does not list.
fn declare_what_is_read(reading: &mut Reading<'_>) {
    let mut missing = Vec::new();
    for alert in &reading.alerts {
        let Ok(parsed) = promql::parse(&alert.expr) else {
            continue;
        };
        for read in guess::metrics_read(&parsed) {
            missing.push((alert.lines[0], alert.name.clone(), read));
        }
    }
    for (at, alert, read) in missing {
        super::declare(reading, Some(at), &format!("the alert `{alert}`"), &read);
    }
}

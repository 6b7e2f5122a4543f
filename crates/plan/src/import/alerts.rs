//! The alerts of a document: what makes an alert of a rule that is written there. Expression, `for` and severity are taken as
//! they are; what is missing is chosen and announced, but never the expression.

use promql::{Expr, ExprKind, ValueType};

use super::document::Kind;
use super::reading::{AlertDraft, Reading};
use super::topic::Topic;
use super::written_rules::{Rule, close, code_line, item, row};
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
/// Keys that hold the address of a runbook.
const RUNBOOK: [&str; 4] = [
    "annotations.runbook_url",
    "annotations.runbook",
    "runbook_url",
    "runbook",
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
                Kind::Row => take(reading, &row(line, at)),
                Kind::Item => {
                    let rule = item(reading, at);
                    take(reading, &rule);
                }
                Kind::Blank | Kind::Heading | Kind::Title | Kind::Fence => {}
                Kind::Rule | Kind::TableHead | Kind::Code | Kind::Prose | Kind::TooLong => {}
            }
        }
    }
    close(reading, &mut rule);
    declare_what_is_read(reading);
}

/// The alert that a rule gives, with what had to be chosen.
pub(super) fn take(reading: &mut Reading<'_>, rule: &Rule) {
    if rule.records {
        return recorded(reading, rule);
    }
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
    let labels = labels(rule);
    account(reading, rule, &group, &name);
    for (key, read) in [("for", &hold), ("keep_firing_for", &keep_firing)] {
        if read.is_empty() && !rule.value(&[key]).is_empty() {
            let line = rule.lines.iter().find(|(_, own)| own == key);
            reading.refuse(
                line.map_or(first, |(at, _)| *at),
                "it is not a length of time",
            );
        }
    }
    let description = description(reading, rule);
    reading.alerts.push(AlertDraft {
        expr: rule.value(&["expr"]).to_owned(),
        hold,
        keep_firing,
        critical,
        labels,
        summary: one_line(rule.value(&["summary", "message"])),
        description,
        group,
        lines: rule.lines.iter().map(|(at, _)| *at).collect(),
        remarks,
        name,
    });
}

/// A recording rule: the plan has none, and says so of its lines.
fn recorded(reading: &mut Reading<'_>, rule: &Rule) {
    let name = rule.value(&["record"]);
    let text = format!("`{name}` is recorded, not alerted on; the plan has no recording rules");
    reading.warn(Some(rule.lines[0].0), text);
    for (at, _) in &rule.lines {
        reading.explain(*at, "the plan has no recording rules");
    }
}

/// The description, with the address of a runbook as its last line.
fn description(reading: &mut Reading<'_>, rule: &Rule) -> String {
    let description = rule.value(&["description"]);
    let runbook = rule.value(&RUNBOOK);
    if runbook.is_empty() {
        return description.to_owned();
    }
    let first = rule.lines[0].0;
    reading.note(
        Some(first),
        "the address of a runbook is the last line of the description",
    );
    format!("{description}\nRunbook: {runbook}")
        .trim()
        .to_owned()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// Says of each line where it went.
fn account(reading: &mut Reading<'_>, rule: &Rule, group: &str, name: &str) {
    let place = format!("rule_groups.{group}.{name}");
    let first = rule.lines[0].0;
    if rule.lines.iter().all(|(at, _)| *at == first) {
        return reading.map(first, place);
    }
    for (at, key) in &rule.lines {
        match tail(key) {
            Some("") => reading.map(*at, place.as_str()),
            Some(tail) => reading.map(*at, format!("{place}.{tail}")),
            None if key == "annotations" => {
                reading.explain(*at, "structure: the texts below it are keys of the rule");
            }
            None => {
                reading.warn(
                    Some(*at),
                    format!("`{key}` of `{name}` has no counterpart in the plan"),
                );
                reading.explain(*at, "a key that the plan's rules do not have");
            }
        }
    }
}

/// The key of the plan's rule that a written key becomes.
fn tail(key: &str) -> Option<&str> {
    if RUNBOOK.contains(&key) {
        return Some("description");
    }
    match key.strip_prefix("annotations.").unwrap_or(key) {
        "alert" => Some(""),
        "message" => Some("summary"),
        own @ ("expr" | "for" | "severity" | "summary" | "description" | "keep_firing_for"
        | "labels") => Some(own),
        own if own.starts_with("labels.") => Some(own),
        _ => None,
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
pub(super) fn expression(text: &str) -> Result<Expr, String> {
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
    let found = titles.iter().find_map(|title| {
        // "Less urgent" and "Not critical" say the contrary of their last word.
        let contrary = words::has(title, &["less", "not", "non", "no"]);
        let said = words::split(title).iter().find_map(|word| severity(word))?;
        Some(said && !contrary)
    });
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

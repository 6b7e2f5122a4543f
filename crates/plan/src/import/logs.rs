//! The logs of a document: which lines are of which level or kind, and how long they stay.

use super::outline::Map;
use super::reading::Reading;
use super::topic::Topic;
use super::{clean, quantities, words};

const LEVELS: [&str; 4] = ["DEBUG", "INFO", "WARN", "ERROR"];
/// How long lines stay where a document does not say.
const KEEP_DEFAULT: &str = "30d";
/// Words that say nothing about a kind of lines, at its beginning and its end.
const BEFORE: [&str; 6] = ["detailed", "all", "any", "various", "general", "the"];
const BEHIND: [&str; 6] = [
    "patterns", "pattern", "events", "logs", "messages", "entries",
];
const NAME_CHARS_MAX: usize = 64;
const CLASS_CHARS_MAX: usize = 32;

/// A class of lines and how long they stay.
struct Class {
    name: String,
    keep: String,
    line: Option<usize>,
}

pub(super) fn read(reading: &mut Reading<'_>) {
    let mut classes: Vec<Class> = Vec::new();
    for at in reading.statements(Topic::Retention) {
        retention(reading, &mut classes, at);
    }
    let mut categories: Vec<(String, Map)> = Vec::new();
    for at in reading.statements(Topic::Logs) {
        kinds_of_lines(reading, &mut classes, &mut categories, at);
    }
    if classes.is_empty() && categories.is_empty() {
        return;
    }
    every_level(reading, &mut classes);
    reading.log_classes = classes.iter().map(class).collect();
    reading.log_categories = categories.into_iter().map(|(_, map)| map).collect();
    let text = "the document names no log file; logs come in by HTTP, or write `follow` with the path of one under `logs`";
    reading.note(None, text);
}

/// The level that a word stands for.
fn level(word: &str) -> Option<&'static str> {
    match word.to_ascii_uppercase().as_str() {
        "DEBUG" | "TRACE" => Some("DEBUG"),
        "INFO" | "INFORMATION" | "NOTICE" => Some("INFO"),
        "WARN" | "WARNING" | "WARNINGS" => Some("WARN"),
        "ERROR" | "ERRORS" | "FATAL" | "CRITICAL" => Some("ERROR"),
        _ => None,
    }
}

/// "WARN: 90 days", "Audit logs: 2 years", "Metrics: 13 months".
fn retention(reading: &mut Reading<'_>, classes: &mut Vec<Class>, at: usize) {
    let statement = reading.lines[at].statement();
    let Some((what, rest)) = clean::at_colon(&statement) else {
        return;
    };
    let Some(keep) = quantities::first_length(rest) else {
        return;
    };
    if words::has(what, &["metric", "metrics"]) {
        reading.map(at, "metrics_retention");
        reading.metrics_retention = keep;
        return;
    }
    let names = words::split(what);
    let levels: Vec<&str> = names.iter().filter_map(|word| level(word)).collect();
    if !levels.is_empty() {
        for name in levels {
            set_class(reading, classes, name, &keep, at);
        }
    } else if names.iter().all(|word| {
        ["all", "logs", "log", "default", "other", "application"].contains(&word.as_str())
    }) {
        for name in LEVELS {
            set_class(reading, classes, name, &keep, at);
        }
    } else {
        let kept: Vec<String> = names
            .into_iter()
            .filter(|word| !BEHIND.contains(&word.as_str()))
            .collect();
        let name = words::slug(&kept.join("-"), CLASS_CHARS_MAX).to_ascii_uppercase();
        if !name.is_empty() {
            set_class(reading, classes, &name, &keep, at);
        }
    }
}

fn set_class(
    reading: &mut Reading<'_>,
    classes: &mut Vec<Class>,
    name: &str,
    keep: &str,
    at: usize,
) {
    if let Some(known) = classes.iter().find(|own| own.name == name) {
        if known.keep != keep {
            let text = format!(
                "{name} has two lengths of retention; {} is taken",
                known.keep
            );
            reading.warn(Some(at), text);
        }
        return reading.explain(at, format!("{name} is read already"));
    }
    if !reading.room(at, classes.len()) {
        return;
    }
    reading.map(at, format!("logs.classes.{name}.keep"));
    classes.push(Class {
        name: name.to_owned(),
        keep: keep.to_owned(),
        line: Some(at),
    });
}

/// "ERROR: failed payments, lost orders", or an item under "Security logs".
fn kinds_of_lines(
    reading: &mut Reading<'_>,
    classes: &mut Vec<Class>,
    categories: &mut Vec<(String, Map)>,
    at: usize,
) {
    let statement = reading.lines[at].statement();
    let (head, rest) = clean::at_colon(&statement).unwrap_or(("", &statement));
    let keep = quantities::first_length(rest);
    let of_level = words::split(head).iter().find_map(|word| level(word));
    if let (Some(name), Some(keep)) = (of_level, &keep) {
        return set_class(reading, classes, name, keep, at);
    }
    let class = match of_level {
        Some(name) => name.to_owned(),
        None => match class_of_title(reading, classes, at) {
            Some(name) => name,
            None => {
                return reading.unread(
                    at,
                    "neither it nor a title above it says into which class it falls",
                );
            }
        },
    };
    if !classes.iter().any(|own| own.name == class) {
        classes.push(Class {
            name: class.clone(),
            keep: String::new(),
            line: None,
        });
    }
    let parts = if of_level.is_some() { rest } else { &statement };
    for part in parts.split([',', ';']) {
        category(reading, categories, &class, part, at);
    }
}

/// The class that a title above names, beside the levels: "Security Logs" where SECURITY has a retention.
fn class_of_title(reading: &Reading<'_>, classes: &[Class], at: usize) -> Option<String> {
    let titles = reading.lines[at].titles.iter();
    titles
        .flat_map(|title| words::split(title))
        .find_map(|word| {
            let word = word.to_ascii_uppercase();
            let known = classes
                .iter()
                .find(|own| own.name == word && !LEVELS.contains(&own.name.as_str()));
            // Security lines go together whether or not somebody said how long they stay.
            let security = ["SECURITY", "AUDIT"]
                .contains(&word.as_str())
                .then(|| word.clone());
            known.map(|own| own.name.clone()).or(security)
        })
}

fn category(
    reading: &mut Reading<'_>,
    categories: &mut Vec<(String, Map)>,
    class: &str,
    part: &str,
    at: usize,
) {
    let mut words = words::split(part);
    while words.len() > 1 && BEFORE.contains(&words[0].as_str()) {
        words.remove(0);
    }
    while words.len() > 1
        && words
            .last()
            .is_some_and(|last| BEHIND.contains(&last.as_str()))
    {
        words.pop();
    }
    let name = words::slug(&words.join("-"), NAME_CHARS_MAX);
    if name.is_empty() {
        return;
    }
    if let Some((_, _)) = categories.iter().find(|(own, _)| *own == name) {
        reading.warn(
            Some(at),
            format!("there is already a category `{name}`; the first is taken"),
        );
        return reading.explain(at, format!("`{name}` is read already"));
    }
    if !reading.room(at, categories.len()) {
        return;
    }
    reading.map(at, format!("logs.categories.{name}"));
    let map = Map::new()
        .from([at])
        .text("name", name.as_str())
        .text("class", class);
    categories.push((name, map));
}

/// Each level has a class, since each line has a level; those that the document leaves out come last.
fn every_level(reading: &mut Reading<'_>, classes: &mut Vec<Class>) {
    for name in LEVELS {
        if !classes.iter().any(|own| own.name == name) {
            classes.push(Class {
                name: name.to_owned(),
                keep: String::new(),
                line: None,
            });
        }
    }
    for class in classes {
        if class.keep.is_empty() {
            KEEP_DEFAULT.clone_into(&mut class.keep);
            let text = format!(
                "the document does not say how long {} stays; {KEEP_DEFAULT} is taken",
                class.name
            );
            reading.warn(class.line, text);
        }
    }
}

fn class(class: &Class) -> Map {
    let map = Map::new()
        .from(class.line)
        .text("name", class.name.as_str());
    let map = if LEVELS.contains(&class.name.as_str()) {
        map.text("level", class.name.as_str())
    } else {
        map.text("category", class.name.to_ascii_lowercase())
    };
    map.text("keep", class.keep.as_str())
}

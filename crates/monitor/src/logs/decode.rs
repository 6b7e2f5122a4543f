//! Log lines as senders write them, to entries.
//!
//! A JSON object a line is the form; names of its fields differ between senders, so the usual ones are known. A line that
//! is no JSON object is kept whole as the message when it comes from a file, and refused when it comes over HTTP, where the
//! sender can still be told.

use std::fmt;

use model::{Level, LogEntry, LogTime};
use serde_json::{Map, Value};

use crate::time_text::parse_log_time;

const TIME_NAMES: [&str; 4] = ["ts", "time", "timestamp", "@timestamp"];
const LEVEL_NAMES: [&str; 3] = ["level", "severity", "lvl"];
const MESSAGE_NAMES: [&str; 2] = ["message", "msg"];
const SERVICE_NAMES: [&str; 2] = ["service", "service_name"];

/// The most fields of one line that are kept; the rest is left out and the line says how many.
const FIELDS_MAX: usize = 100;

/// Why a line is not an entry. Fix the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Not a JSON object.
    NotAnObject,
    /// No message.
    NoMessage,
    /// A time that cannot be read.
    BadTime(String),
    /// A level that does not exist.
    BadLevel(String),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::NotAnObject => f.write_str("the line is not a JSON object"),
            DecodeError::NoMessage => f.write_str("the line has no `message`"),
            DecodeError::BadTime(text) => write!(f, "`{text}` is neither RFC 3339 nor Unix time"),
            DecodeError::BadLevel(text) => write!(
                f,
                "`{text}` is not a level; levels are DEBUG, INFO, WARN, ERROR"
            ),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Reads one JSON line. `now` stands in for a missing time, `service` for a missing service.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_json_line(line: &str, service: &str, now: LogTime) -> Result<LogEntry, DecodeError> {
    let Ok(Value::Object(mut object)) = serde_json::from_str::<Value>(line) else {
        return Err(DecodeError::NotAnObject);
    };
    let at = match take(&mut object, &TIME_NAMES) {
        Some(text) => parse_log_time(&text).ok_or(DecodeError::BadTime(text))?,
        None => now,
    };
    let level = match take(&mut object, &LEVEL_NAMES) {
        Some(text) => text.parse().map_err(|()| DecodeError::BadLevel(text))?,
        None => Level::Info,
    };
    let message = take(&mut object, &MESSAGE_NAMES).ok_or(DecodeError::NoMessage)?;
    let service = take(&mut object, &SERVICE_NAMES).unwrap_or_else(|| service.to_owned());
    let category = take(&mut object, &["category"]).filter(|category| !category.is_empty());
    Ok(LogEntry {
        at,
        level,
        category,
        service,
        message,
        fields: fields(object),
    })
}

/// Keeps a line that is no JSON as it stands.
pub fn decode_plain_line(line: &str, service: &str, now: LogTime) -> LogEntry {
    LogEntry {
        at: now,
        level: Level::Info,
        category: None,
        service: service.to_owned(),
        message: line.to_owned(),
        fields: Vec::new(),
    }
}

fn take(object: &mut Map<String, Value>, names: &[&str]) -> Option<String> {
    let name = names.iter().find(|name| object.contains_key(**name))?;
    object.remove(*name).map(text)
}

fn fields(object: Map<String, Value>) -> Vec<(String, String)> {
    let left_out = object.len().saturating_sub(FIELDS_MAX);
    let mut fields: Vec<(String, String)> = object
        .into_iter()
        .take(FIELDS_MAX)
        .map(|(name, value)| (name, text(value)))
        .collect();
    if left_out > 0 {
        fields.push(("fields_left_out".to_owned(), left_out.to_string()));
    }
    fields
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: &str) {
        let text = match decode_json_line(line, "default", LogTime::from_nanos(7)) {
            Ok(entry) => format!(
                "{} {} {:?} {} {:?} {:?}",
                entry.at.as_nanos(),
                entry.level,
                entry.category.unwrap_or_default(),
                entry.service,
                entry.message,
                entry.fields
            ),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(text, expect, "{line}");
    }

    #[test]
    fn reads_json_lines() {
        check(
            r#"{"ts":"1970-01-01T00:00:01.000000002Z","level":"warn","category":"security","service":"shop","message":"no","user":"a","n":5,"deep":{"x":[1]}}"#,
            r#"1000000002 WARN "security" shop "no" [("deep", "{\"x\":[1]}"), ("n", "5"), ("user", "a")]"#,
        );
        check(r#"{"msg":"hi"}"#, r#"7 INFO "" default "hi" []"#);
        check(
            r#"{"severity":"fatal","msg":"x","time":5}"#,
            r#"5000000000 ERROR "" default "x" []"#,
        );
    }

    #[test]
    fn refuses() {
        check("plain", "error: the line is not a JSON object");
        check("[1]", "error: the line is not a JSON object");
        check("{}", "error: the line has no `message`");
        check(
            r#"{"msg":"x","ts":"soon"}"#,
            "error: `soon` is neither RFC 3339 nor Unix time",
        );
        check(
            r#"{"msg":"x","level":"loud"}"#,
            "error: `loud` is not a level; levels are DEBUG, INFO, WARN, ERROR",
        );
    }
}

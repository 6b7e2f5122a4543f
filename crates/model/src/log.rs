//! Log entries and the seam through which logs are read.

use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::Timestamp;

/// Nanoseconds since the Unix epoch: log senders (OTLP, Loki) speak nanoseconds, and the order of a burst of lines lives there.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogTime(i64);

impl LogTime {
    /// A time from nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> LogTime {
        LogTime(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The same time in the resolution of the metrics side, rounded down.
    pub const fn to_timestamp(self) -> Timestamp {
        Timestamp::from_millis(self.0.div_euclid(1_000_000))
    }
}

impl From<Timestamp> for LogTime {
    fn from(at: Timestamp) -> LogTime {
        LogTime(at.as_millis().saturating_mul(1_000_000))
    }
}

impl From<SystemTime> for LogTime {
    fn from(at: SystemTime) -> LogTime {
        let nanos =
            |length: std::time::Duration| i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
        match at.duration_since(UNIX_EPOCH) {
            Ok(since) => LogTime(nanos(since)),
            Err(before) => LogTime(-nanos(before.duration())),
        }
    }
}

/// How severe a line is. Ordered: `Debug < Info < Warn < Error`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Detail for developers.
    Debug,
    /// Normal operation.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
}

impl Level {
    /// All levels, the least severe first.
    pub const ALL: [Level; 4] = [Level::Debug, Level::Info, Level::Warn, Level::Error];

    /// The name in capitals, as log lines and the plan write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = ();

    /// Reads a level in any case, with the usual synonyms (`trace`, `warning`, `fatal`, …).
    fn from_str(text: &str) -> Result<Level, ()> {
        match text.to_ascii_lowercase().as_str() {
            "debug" | "trace" => Ok(Level::Debug),
            "info" | "information" | "notice" => Ok(Level::Info),
            "warn" | "warning" => Ok(Level::Warn),
            "error" | "err" | "fatal" | "critical" | "crit" | "alert" | "emergency" | "panic" => {
                Ok(Level::Error)
            }
            _ => Err(()),
        }
    }
}

/// One log line, decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEntry {
    /// When the sender wrote it.
    pub at: LogTime,
    /// How severe.
    pub level: Level,
    /// The category that the plan gives it (for example `security`), where it has one.
    pub category: Option<String>,
    /// Who sent it.
    pub service: String,
    /// What it says.
    pub message: String,
    /// Everything else, in the sender's order; nested values as JSON text.
    pub fields: Vec<(String, String)>,
}

/// An entry as a store returns it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEntry {
    /// The retention class that it was stored under.
    pub class: String,
    /// The line.
    pub entry: LogEntry,
}

/// What to search for. Empty lists do not restrict.
#[derive(Clone, Debug)]
pub struct LogQuery {
    /// The first time wanted.
    pub from: LogTime,
    /// The first time no longer wanted.
    pub to: LogTime,
    /// Only these levels.
    pub levels: Vec<Level>,
    /// Only these categories.
    pub categories: Vec<String>,
    /// Only entries of these services.
    pub services: Vec<String>,
    /// Every text must occur, ignoring case, in the message, a field's value or the service's name.
    pub texts: Vec<String>,
    /// Every field must have exactly this value.
    pub fields: Vec<(String, String)>,
}

impl LogQuery {
    /// A query for everything in a time range.
    pub fn range(from: LogTime, to: LogTime) -> LogQuery {
        LogQuery {
            from,
            to,
            levels: Vec::new(),
            categories: Vec::new(),
            services: Vec::new(),
            texts: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// Narrows by words as people type them on the log page, the command line, in procedures and log categories: words must
    /// all occur; `level:ERROR`, `category:security` and `service:shop` narrow (with `:` or `=`); any other `name=value` compares
    /// a field.
    ///
    /// # Errors
    /// A sentence that names the word that means nothing.
    pub fn narrow(&mut self, words: &str) -> Result<(), String> {
        for word in words.split_whitespace() {
            let pair = word
                .split_once([':', '='])
                .filter(|(name, value)| !name.is_empty() && !value.is_empty());
            match pair.map(|(name, value)| (name, value.trim_matches('"'))) {
                Some(("level", level)) => {
                    let level = level
                        .parse()
                        .map_err(|()| format!("`{level}` is not a level"))?;
                    self.levels.push(level);
                }
                Some(("category", category)) => self.categories.push(category.to_owned()),
                Some(("service", service)) => self.services.push(service.to_owned()),
                Some((name, value)) if word.as_bytes()[name.len()] == b'=' => {
                    self.fields.push((name.to_owned(), value.to_owned()));
                }
                _ => self.texts.push(word.to_owned()),
            }
        }
        Ok(())
    }

    /// Whether an entry satisfies every condition.
    pub fn matches(&self, entry: &LogEntry) -> bool {
        let among =
            |list: &[String], value: &str| list.is_empty() || list.iter().any(|item| item == value);
        self.from <= entry.at
            && entry.at < self.to
            && (self.levels.is_empty() || self.levels.contains(&entry.level))
            && among(&self.categories, entry.category.as_deref().unwrap_or(""))
            && among(&self.services, &entry.service)
            && self
                .fields
                .iter()
                .all(|wanted| entry.fields.contains(wanted))
            && self.texts.iter().all(|text| has_text(entry, text))
    }
}

/// Where log lines are read from.
pub trait LogSource {
    /// Visits matching entries, the newest first, until the visitor breaks or none is left.
    ///
    /// # Errors
    /// A text for the log when the store cannot be read.
    fn scan(
        &self,
        query: &LogQuery,
        visit: &mut dyn FnMut(StoredEntry) -> ControlFlow<()>,
    ) -> Result<(), String>;
}

fn has_text(entry: &LogEntry, text: &str) -> bool {
    contains_ignoring_case(&entry.message, text)
        || contains_ignoring_case(&entry.service, text)
        || entry
            .fields
            .iter()
            .any(|(_, value)| contains_ignoring_case(value, text))
}

fn contains_ignoring_case(text: &str, wanted: &str) -> bool {
    if wanted.is_empty() {
        return true;
    }
    if text.is_ascii() && wanted.is_ascii() {
        return text
            .as_bytes()
            .windows(wanted.len())
            .any(|part| part.eq_ignore_ascii_case(wanted.as_bytes()));
    }
    text.to_lowercase().contains(&wanted.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> LogEntry {
        LogEntry {
            at: LogTime::from_nanos(1_500_000_000),
            level: Level::Warn,
            category: Some("security".to_owned()),
            service: "shop".to_owned(),
            message: "Sign-in refused".to_owned(),
            fields: vec![("user".to_owned(), "Zoë".to_owned())],
        }
    }

    #[test]
    fn query_conditions() {
        let all = || LogQuery::range(LogTime::from_nanos(0), LogTime::from_nanos(2_000_000_000));
        let check = |query: LogQuery, expect: bool| {
            assert_eq!(query.matches(&entry()), expect, "{query:?}")
        };
        check(all(), true);
        check(
            LogQuery {
                to: LogTime::from_nanos(1_500_000_000),
                ..all()
            },
            false,
        );
        check(
            LogQuery {
                levels: vec![Level::Error],
                ..all()
            },
            false,
        );
        check(
            LogQuery {
                levels: vec![Level::Error, Level::Warn],
                ..all()
            },
            true,
        );
        check(
            LogQuery {
                categories: vec!["security".to_owned()],
                ..all()
            },
            true,
        );
        check(
            LogQuery {
                services: vec!["till".to_owned()],
                ..all()
            },
            false,
        );
        check(
            LogQuery {
                texts: vec!["SIGN-IN".to_owned()],
                ..all()
            },
            true,
        );
        check(
            LogQuery {
                texts: vec!["zoË".to_owned()],
                ..all()
            },
            true,
        );
        check(
            LogQuery {
                texts: vec!["absent".to_owned()],
                ..all()
            },
            false,
        );
        check(
            LogQuery {
                fields: vec![("user".to_owned(), "Zoë".to_owned())],
                ..all()
            },
            true,
        );
        check(
            LogQuery {
                fields: vec![("user".to_owned(), "zoe".to_owned())],
                ..all()
            },
            false,
        );
    }

    #[test]
    fn time_rounds_down() {
        assert_eq!(
            LogTime::from_nanos(-1).to_timestamp(),
            Timestamp::from_millis(-1)
        );
    }
}

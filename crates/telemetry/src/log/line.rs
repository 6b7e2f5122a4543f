//! How one event becomes one line.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::json;

/// The longest text of one field or message, in bytes; the rest is cut. A line then stays far below what receivers take.
const TEXT_BYTES_MAX: usize = 4096;

/// Words that mark a field as a secret. The last line of defence: no code should hand a secret to the log at all.
const SECRET_WORDS: [&str; 8] = [
    "password",
    "passwd",
    "secret",
    "token",
    "cookie",
    "authorization",
    "api_key",
    "apikey",
];

/// Names that every line has of itself; a field of the same name gets an underscore in front.
const OWN_NAMES: [&str; 6] = [
    "ts",
    "level",
    "category",
    "service",
    "message",
    "request_id",
];

/// How severe an event is. Ordered: `Debug < Info < Warn < Error`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
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

    /// The name as it stands in a line.
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
    type Err = String;

    fn from_str(text: &str) -> Result<Level, String> {
        Level::ALL
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("{text:?} is none of DEBUG, INFO, WARN, ERROR"))
    }
}

/// A field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(i64),
    /// A whole number that is never negative.
    Unsigned(u64),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Value<'a> {
        Value::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Value<'a> {
        Value::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Text(Cow::Owned(text))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Integer(number)
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Value::Unsigned(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Value::Unsigned(number.into())
    }
}

impl From<u16> for Value<'_> {
    fn from(number: u16) -> Self {
        Value::Unsigned(number.into())
    }
}

impl From<usize> for Value<'_> {
    fn from(number: usize) -> Self {
        Value::Unsigned(number as u64)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Value::Float(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

/// A line in the making.
pub(crate) struct Line(String);

impl Line {
    pub(crate) fn start(at: SystemTime, level: Level) -> Line {
        let mut text = String::with_capacity(256);
        text.push_str("{\"ts\":\"");
        text.push_str(&rfc3339_micros(at));
        text.push_str("\",\"level\":\"");
        text.push_str(level.as_str());
        text.push('"');
        Line(text)
    }

    /// Adds one of a line's own parts.
    pub(crate) fn own(&mut self, name: &'static str, value: &str) {
        self.name(name);
        json::string(&mut self.0, cut(value));
    }

    /// Adds a field of the caller's.
    pub(crate) fn field(&mut self, name: &str, value: &Value<'_>) {
        if OWN_NAMES.contains(&name) {
            self.name(&format!("_{name}"));
        } else {
            self.name(name);
        }
        if is_secret(name) {
            self.0.push_str("\"[redacted]\"");
            return;
        }
        match value {
            Value::Text(text) => json::string(&mut self.0, cut(text)),
            Value::Integer(number) => self.0.push_str(&number.to_string()),
            Value::Unsigned(number) => self.0.push_str(&number.to_string()),
            Value::Float(number) => json::number(&mut self.0, *number),
            Value::Bool(flag) => self.0.push_str(if *flag { "true" } else { "false" }),
        }
    }

    /// The whole line, without a line break.
    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &str) {
        self.0.push(',');
        json::string(&mut self.0, name);
        self.0.push(':');
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

fn cut(text: &str) -> &str {
    if text.len() <= TEXT_BYTES_MAX {
        return text;
    }
    let end = (0..=TEXT_BYTES_MAX)
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    &text[..end]
}

/// `2026-11-23T09:15:00.123456Z`; times before 1970 are shown as 1970, since a log line cannot be older.
pub fn rfc3339_micros(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, rest) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = civil_date(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60,
        since.subsec_micros()
    )
}

/// The Gregorian date of a number of days since 1970-01-01. Years are counted from March, so that the leap day is the
/// last of its year and month lengths follow one formula.
fn civil_date(days: u64) -> (u64, u64, u64) {
    // Days from 0000-03-01 to 1970-01-01; 146,097 days make 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times() {
        let check = |micros: u64, expect: &str| {
            assert_eq!(
                rfc3339_micros(UNIX_EPOCH + Duration::from_micros(micros)),
                expect
            );
        };
        check(0, "1970-01-01T00:00:00.000000Z");
        check(951_782_400_000_001, "2000-02-29T00:00:00.000001Z");
        check(1_795_425_300_123_456, "2026-11-23T09:15:00.123456Z");
        check(4_102_444_799_999_999, "2099-12-31T23:59:59.999999Z");
    }

    #[test]
    fn long_texts_are_cut_between_letters() {
        let text = format!("a{}", "é".repeat(TEXT_BYTES_MAX));
        assert_eq!(cut(&text).len(), TEXT_BYTES_MAX - 1);
    }

    #[test]
    fn levels_read_back() {
        for level in Level::ALL {
            assert_eq!(level.as_str().to_lowercase().parse(), Ok(level));
        }
        assert!("loud".parse::<Level>().is_err());
    }
}

//! Lengths of time as Prometheus and the plan write them: `15s`, `1h30m`, `2y`.
//!
//! One parser serves the plan, PromQL and the HTTP API, so that `1d` means the same everywhere.
//! Source of the grammar and of the fixed lengths of day, week and year: Prometheus, "Float literals and time durations".

use std::fmt;
use std::time::Duration;

/// Units from the longest to the shortest, in milliseconds; a text must name them in this order, each once.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 24 * 60 * 60 * 1000),
    ("w", 7 * 24 * 60 * 60 * 1000),
    ("d", 24 * 60 * 60 * 1000),
    ("h", 60 * 60 * 1000),
    ("m", 60 * 1000),
    ("s", 1000),
    ("ms", 1),
];

/// Why a text is not a length of time. Fix the text; the message says how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DurationError {
    /// The text is empty or has no unit.
    NoUnit,
    /// A unit that does not exist, or units out of order.
    BadUnit(String),
    /// The length passes what fits.
    TooLong,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DurationError::NoUnit => {
                f.write_str("a duration needs a number and a unit, such as `15s`, `5m` or `1h30m`")
            }
            DurationError::BadUnit(unit) => write!(
                f,
                "`{unit}` is not a unit here; units are y, w, d, h, m, s, ms, from the longest to the shortest"
            ),
            DurationError::TooLong => f.write_str("the duration is too long"),
        }
    }
}

impl std::error::Error for DurationError {}

/// Reads a duration such as `5m` or `1h30m`. `0` alone is allowed and means no time.
///
/// # Errors
/// [`DurationError`] when a unit is missing, unknown, repeated or out of order, or the sum does not fit.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut millis: u64 = 0;
    let mut next_unit = 0;
    if rest.is_empty() {
        return Err(DurationError::NoUnit);
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = &rest[..digits];
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = &rest[..letters];
        if number.is_empty() || unit.is_empty() {
            return Err(DurationError::NoUnit);
        }
        rest = &rest[letters..];
        let offset = UNITS[next_unit..]
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or_else(|| DurationError::BadUnit(unit.to_owned()))?;
        let factor = UNITS[next_unit + offset].1;
        next_unit += offset + 1;
        let value: u64 = number.parse().map_err(|_| DurationError::TooLong)?;
        millis = value
            .checked_mul(factor)
            .and_then(|part| millis.checked_add(part))
            .ok_or(DurationError::TooLong)?;
    }
    if millis > i64::MAX as u64 {
        return Err(DurationError::TooLong);
    }
    Ok(Duration::from_millis(millis))
}

/// Writes a duration as Prometheus prints it: the largest exact units first, `0s` for none.
pub fn format_duration(length: Duration) -> String {
    let mut millis = length.as_millis() as u64;
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, factor) in UNITS {
        // Years and weeks only when nothing else remains: `90d` reads better than `12w6d`.
        let only_exact = matches!(unit, "y" | "w");
        if only_exact && !millis.is_multiple_of(factor) {
            continue;
        }
        if millis >= factor {
            text.push_str(&format!("{}{unit}", millis / factor));
            millis %= factor;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses() {
        let check = |text: &str, millis: u64| {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        };
        check("0", 0);
        check("15s", 15_000);
        check("250ms", 250);
        check("1h30m", 5_400_000);
        check("1d", 86_400_000);
        check("2y", 63_072_000_000);
        check("1m1ms", 60_001);
    }

    #[test]
    fn refuses() {
        for text in [
            "",
            "5",
            "m",
            "5x",
            "5m1h",
            "5m5m",
            "-5m",
            "1.5h",
            "99999999999999999999s",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn prints_what_it_reads() {
        for text in ["0s", "15s", "5m", "1h30m", "7d", "90d", "1y", "250ms"] {
            let length = if text == "7d" { "1w" } else { text };
            assert_eq!(
                format_duration(parse_duration(text).unwrap()),
                length,
                "{text}"
            );
        }
    }
}

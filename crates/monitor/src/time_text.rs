//! Times as text at the edges: RFC 3339 in UTC out, RFC 3339 or Unix seconds in.

use jiff::Timestamp as Instant;
use model::{LogTime, Timestamp};

/// RFC 3339 in UTC with the digits that are needed: `2026-11-23T09:15:00Z`, `…:00.25Z`.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    match Instant::from_millisecond(at.as_millis()) {
        Ok(instant) => instant.to_string(),
        // Outside of the years -9999..9999 there is no such text; the number says at least what was stored.
        Err(_) => at.to_string(),
    }
}

/// The same for log times, with nanoseconds.
pub(crate) fn rfc3339_nanos(at: LogTime) -> String {
    match Instant::from_nanosecond(i128::from(at.as_nanos())) {
        Ok(instant) => instant.to_string(),
        Err(_) => at.as_nanos().to_string(),
    }
}

/// Reads RFC 3339 or (fractional) Unix seconds.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds
            .is_finite()
            .then(|| Timestamp::from_secs_f64(seconds));
    }
    let instant: Instant = text.parse().ok()?;
    Some(Timestamp::from_millis(instant.as_millisecond()))
}

/// Reads RFC 3339 with nanoseconds, or Unix time in seconds, milliseconds, microseconds or nanoseconds (told apart by size).
pub(crate) fn parse_log_time(text: &str) -> Option<LogTime> {
    if let Ok(number) = text.parse::<i64>() {
        let nanos = match number.unsigned_abs() {
            0..=99_999_999_999 => number.checked_mul(1_000_000_000)?,
            100_000_000_000..=99_999_999_999_999 => number.checked_mul(1_000_000)?,
            100_000_000_000_000..=99_999_999_999_999_999 => number.checked_mul(1_000)?,
            _ => number,
        };
        return Some(LogTime::from_nanos(nanos));
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds
            .is_finite()
            .then(|| LogTime::from_nanos((seconds * 1e9) as i64));
    }
    let instant: Instant = text.parse().ok()?;
    i64::try_from(instant.as_nanosecond())
        .ok()
        .map(LogTime::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        assert_eq!(
            rfc3339(Timestamp::from_millis(1_795_416_030_250)),
            "2026-11-23T06:40:30.25Z"
        );
        assert_eq!(
            parse_time("2026-11-23T06:40:30.25Z"),
            Some(Timestamp::from_millis(1_795_416_030_250))
        );
        assert_eq!(
            parse_time("1795416030.25"),
            Some(Timestamp::from_millis(1_795_416_030_250))
        );
        assert_eq!(parse_time("yesterday"), None);
    }

    #[test]
    fn log_times_in_every_unit() {
        let expect = Some(LogTime::from_nanos(1_795_416_030_000_000_000));
        for text in [
            "1795416030",
            "1795416030000",
            "1795416030000000",
            "1795416030000000000",
            "2026-11-23T06:40:30Z",
        ] {
            assert_eq!(parse_log_time(text), expect, "{text}");
        }
    }
}

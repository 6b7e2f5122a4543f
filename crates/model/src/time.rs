//! A point in time of the metrics side, as its own type so that it is never mixed up with a length or a count.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch, the resolution of the Prometheus data model.
///
/// Arithmetic saturates: a query at the end of time is a query, not a panic.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest representable time.
    pub const MIN: Timestamp = Timestamp(i64::MIN);
    /// The latest representable time.
    pub const MAX: Timestamp = Timestamp(i64::MAX);

    /// A time from milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// A time from (fractional) seconds since the Unix epoch, rounded to the nearest millisecond.
    /// Out-of-range and non-finite values saturate; NaN becomes the epoch.
    pub fn from_secs_f64(seconds: f64) -> Timestamp {
        Timestamp((seconds * 1000.0).round() as i64)
    }

    /// Seconds since the Unix epoch.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The length of time from `earlier` to `self`; zero when `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0) as u64)
    }
}

impl From<SystemTime> for Timestamp {
    /// Rounds down to the millisecond.
    fn from(at: SystemTime) -> Timestamp {
        match at.duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp(millis(since)),
            Err(before) => Timestamp(-millis(before.duration())),
        }
    }
}

impl From<Timestamp> for SystemTime {
    fn from(at: Timestamp) -> SystemTime {
        let length = Duration::from_millis(at.0.unsigned_abs());
        if at.0 >= 0 {
            UNIX_EPOCH + length
        } else {
            UNIX_EPOCH - length
        }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, length: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(millis(length)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, length: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(millis(length)))
    }
}

impl fmt::Display for Timestamp {
    /// Seconds with millisecond precision, as the Prometheus HTTP API writes times.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let millis = self.0.unsigned_abs();
        match millis % 1000 {
            0 => write!(f, "{sign}{}", millis / 1000),
            rest => write!(f, "{sign}{}.{rest:03}", millis / 1000),
        }
    }
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_seconds() {
        let check = |millis: i64, expect: &str| {
            assert_eq!(Timestamp::from_millis(millis).to_string(), expect);
        };
        check(0, "0");
        check(1_500, "1.500");
        check(-1, "-0.001");
        check(1_795_416_030_000, "1795416030");
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::MAX + Duration::from_secs(1), Timestamp::MAX);
        assert_eq!(Timestamp::MIN - Duration::MAX, Timestamp::MIN);
        assert_eq!(
            Timestamp::from_millis(5).since(Timestamp::from_millis(9)),
            Duration::ZERO
        );
    }
}

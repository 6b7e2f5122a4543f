//! UTC days, as numbers since 1970-01-01 and as the names of files. Ten lines of arithmetic instead of a date crate: no
//! zones, no leap seconds, nothing but the proleptic Gregorian calendar.

use std::fmt;

use model::{LogTime, Timestamp};

const NANOS: i64 = 86_400_000_000_000;

/// Days since 1970-01-01.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(i32);

impl Day {
    pub(super) fn of(at: LogTime) -> Day {
        Day(i32::try_from(at.as_nanos().div_euclid(NANOS)).expect("nanoseconds reach to 2262"))
    }

    pub(super) fn from_number(number: i32) -> Day {
        Day(number)
    }

    pub(super) fn number(self) -> i32 {
        self.0
    }

    /// The first moment of the next day.
    pub(super) fn end(self) -> LogTime {
        LogTime::from_nanos((i64::from(self.0) + 1).saturating_mul(NANOS))
    }

    pub(super) fn is_over(self, now: Timestamp) -> bool {
        self.end() <= LogTime::from(now)
    }

    /// Reads `yyyy-mm-dd`; only the exact text that [`Day`] writes, so that no two names mean one day.
    pub(super) fn parse(text: &str) -> Option<Day> {
        if text.len() != 10 {
            return None;
        }
        let mut parts = text.splitn(3, '-');
        let mut number = || parts.next()?.parse::<i64>().ok();
        let (year, month, day) = (number()?, number()?, number()?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let found = Day(days_from_civil(year, month, day));
        (found.to_string() == text).then_some(found)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`: years begin in March, so that the leap
/// day is the last of its year and 153 days make five months.
fn days_from_civil(year: i64, month: i64, day: i64) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    i32::try_from(days).expect("four-digit years fit")
}

/// The same source, `civil_from_days`: the inverse.
fn civil_from_days(number: i32) -> (i64, i64, i64) {
    let shifted = i64::from(number) + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        let check = |number: i32, text: &str| {
            assert_eq!(Day(number).to_string(), text);
            assert_eq!(Day::parse(text), Some(Day(number)));
        };
        check(0, "1970-01-01");
        check(-1, "1969-12-31");
        check(11_016, "2000-02-29");
        check(11_017, "2000-03-01");
        check(19_782, "2024-02-29");
        check(20_780, "2026-11-23");
        check(47_540, "2100-02-28");
        check(47_541, "2100-03-01");
    }

    #[test]
    fn all_days_of_four_centuries_round_trip() {
        for number in -110_000..110_000 {
            assert_eq!(Day::parse(&Day(number).to_string()), Some(Day(number)));
        }
    }

    #[test]
    fn refuses_what_it_would_not_write() {
        for text in [
            "",
            "2026-02-30",
            "2026-13-01",
            "2026-1-001",
            "+026-01-01",
            "2026-01-1a",
            "20260-01-1",
        ] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ends() {
        assert_eq!(Day::of(LogTime::from_nanos(-1)), Day(-1));
        assert_eq!(Day(-1).end(), LogTime::from_nanos(0));
        assert!(Day(-1).is_over(Timestamp::from_millis(0)));
        assert!(!Day(0).is_over(Timestamp::from_millis(86_399_999)));
        Day::of(LogTime::from_nanos(i64::MAX)).end();
    }
}

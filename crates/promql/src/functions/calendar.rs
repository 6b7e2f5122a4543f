//! Parts of a date in UTC, from seconds since 1970.
//!
//! Source of the day arithmetic: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (`civil_from_days`).

/// A moment, split.
pub(crate) struct Date {
    year: i64,
    month: i64,
    day: i64,
    days: i64,
    second_of_day: i64,
}

/// The latest and earliest second that the arithmetic takes: about 290 million years, far within i64.
const SECONDS_MAX: f64 = 9e15;

impl Date {
    pub(super) fn from_seconds(seconds: f64) -> Date {
        let seconds = seconds.clamp(-SECONDS_MAX, SECONDS_MAX) as i64;
        let days = seconds.div_euclid(86_400);
        // Years start in March here, so that the leap day is the last day of the year.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        Date {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day,
            days,
            second_of_day: seconds.rem_euclid(86_400),
        }
    }

    fn is_leap_year(&self) -> bool {
        self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0)
    }

    fn days_in_month(&self, month: i64) -> i64 {
        match month {
            2 if self.is_leap_year() => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

pub(super) fn year(date: &Date) -> f64 {
    date.year as f64
}

pub(super) fn month(date: &Date) -> f64 {
    date.month as f64
}

pub(super) fn day_of_month(date: &Date) -> f64 {
    date.day as f64
}

/// 0 is Sunday; the first day of 1970 was a Thursday.
pub(super) fn day_of_week(date: &Date) -> f64 {
    (date.days + 4).rem_euclid(7) as f64
}

pub(super) fn day_of_year(date: &Date) -> f64 {
    let before: i64 = (1..date.month).map(|month| date.days_in_month(month)).sum();
    (before + date.day) as f64
}

pub(super) fn days_in_month(date: &Date) -> f64 {
    date.days_in_month(date.month) as f64
}

pub(super) fn hour(date: &Date) -> f64 {
    (date.second_of_day / 3_600) as f64
}

pub(super) fn minute(date: &Date) -> f64 {
    (date.second_of_day / 60 % 60) as f64
}

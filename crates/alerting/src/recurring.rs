//! A time of day that comes back on some days of the week, on the clocks of a zone: what rotas hand over at and
//! maintenance windows begin at.
//!
//! Clocks jump, so an hour may be missing from a day or come twice. Every such time is resolved the way RFC 5545 and
//! jiff's `compatible` do: one that is doubled is the first of the two, one that is missing is as far after the jump as it
//! would have been after the last minute before it (where 02:00 is followed by 03:00, 02:30 happens at 03:30). Thus each
//! date has exactly one instant, and instants never come in another order than their dates. Two dates share an instant
//! only where a whole day was left out (Samoa had no 30 December 2011); the later date counts.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp as Instant};
use model::Timestamp;

/// Before this and after [`LAST`] nothing is computed: the ends of the calendar, some 6,300 years to either side of 1970,
/// well inside of what jiff can express, so that a few days further never fail.
pub(crate) const FIRST: Timestamp = Timestamp::from_millis(-200_000_000_000_000);
/// See [`FIRST`].
pub(crate) const LAST: Timestamp = Timestamp::from_millis(200_000_000_000_000);

/// How many dates are looked at to find an occurrence: a week, and a day because no zone ever jumped by more than one.
const REACH_DAYS: i64 = 8;

/// A recurring time.
#[derive(Copy, Clone)]
pub(crate) struct Recurring<'a> {
    /// On whose clocks.
    pub(crate) zone: &'a TimeZone,
    /// The time of day.
    pub(crate) time: Time,
    /// The days of the week; empty for every day.
    pub(crate) days: &'a [Weekday],
}

/// One time that it comes.
#[derive(Copy, Clone)]
pub(crate) struct Occurrence {
    /// The date on the clocks of the zone to which it belongs (not always the one they show then).
    pub(crate) date: Date,
    /// When.
    pub(crate) at: Timestamp,
}

impl Recurring<'_> {
    /// The newest occurrence that is not after `now`. There always is one.
    pub(crate) fn newest(&self, now: Timestamp) -> Option<Occurrence> {
        let now = now.clamp(FIRST, LAST);
        let today = self.date_at(now);
        // Tomorrow's may be over: clocks that are set back over midnight show a date twice.
        (-REACH_DAYS..=1)
            .rev()
            .filter_map(|days| self.on(days_after(today, days)?))
            .find(|occurrence| occurrence.at <= now)
    }

    /// The instant of the first occurrence after `now`; [`Timestamp::MAX`] when that is after [`LAST`].
    pub(crate) fn next_after(&self, now: Timestamp) -> Timestamp {
        let now = now.clamp(FIRST, LAST);
        let today = self.date_at(now);
        // Yesterday's may still come: clocks that are set forward over midnight delay it.
        (-1..=REACH_DAYS)
            .filter_map(|days| self.on(days_after(today, days)?))
            .find(|occurrence| occurrence.at > now)
            .filter(|occurrence| occurrence.at <= LAST)
            .map_or(Timestamp::MAX, |occurrence| occurrence.at)
    }

    /// The first occurrence whose date is `date` or later; `None` where the calendar ends.
    pub(crate) fn first_from(&self, date: Date) -> Option<Occurrence> {
        (0..=REACH_DAYS).find_map(|days| self.on(days_after(date, days)?))
    }

    /// The occurrence of a date; `None` when it is not one of its days, or where the calendar ends.
    fn on(&self, date: Date) -> Option<Occurrence> {
        if !self.days.is_empty() && !self.days.contains(&date.weekday()) {
            return None;
        }
        let on_the_clock = date.to_datetime(self.time);
        let instant = self.zone.to_ambiguous_timestamp(on_the_clock).compatible();
        Some(Occurrence {
            date,
            at: timestamp(instant.ok()?),
        })
    }

    /// What the calendar shows; `now` lies between [`FIRST`] and [`LAST`].
    fn date_at(&self, now: Timestamp) -> Date {
        let instant = Instant::from_millisecond(now.as_millis())
            .expect("jiff can express every instant between FIRST and LAST");
        self.zone.to_datetime(instant).date()
    }
}

/// A date some days later, or earlier when `days` is negative; `None` where the calendar ends.
pub(crate) fn days_after(date: Date, days: i64) -> Option<Date> {
    // A span of days: jiff takes no `SignedDuration` of more days than lie between 1970 and the year 9999.
    date.checked_add(Span::new().try_days(days).ok()?).ok()
}

/// The same instant in the resolution of everything else here.
pub(crate) fn timestamp(instant: Instant) -> Timestamp {
    Timestamp::from_millis(instant.as_millisecond())
}

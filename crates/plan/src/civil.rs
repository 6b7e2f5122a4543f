//! Times as people write them: days of the week, times of day, dates, and whose clocks show them.
//!
//! Read strictly, character by character, and not by a general parser: `9:00` and `2026-1-5` are what people mistype,
//! and what a general parser makes of them is rarely what a rota's author meant.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

use crate::Code;
use crate::context::Context;
use crate::diagnostics::quote;
use crate::grammar::DAYS;
use crate::limits::YEARS;
use crate::node::Node;
use crate::suggest::nearest;
use crate::values;

/// A day of the week.
pub(crate) fn day(context: &mut Context<'_>, node: &Node) -> Option<Weekday> {
    let written = values::text(context, node)?;
    let day = read_day(written);
    if day.is_none() {
        let message = format!("{} is not a day of the week", quote(written));
        invalid(context, node, message, DAYS_HELP);
    }
    day
}

const DAYS_HELP: &str = "write `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`";

/// A time of day, as in `09:00`.
pub(crate) fn time(context: &mut Context<'_>, node: &Node) -> Option<Time> {
    let written = values::text(context, node)?;
    let time = read_time(written);
    if time.is_none() {
        let message = format!("{} is not a time of day", quote(written));
        invalid(context, node, message, TIME_HELP);
    }
    time
}

const TIME_HELP: &str = "write hours and minutes in two digits each, from \"00:00\" to \"23:59\"";

/// A time of day with or without a day of the week before it: `Mon 09:00`, `09:00`.
pub(crate) fn day_and_time(
    context: &mut Context<'_>,
    node: &Node,
) -> Option<(Option<Weekday>, Time)> {
    let written = values::text(context, node)?;
    let (day, time) = match written.split_once(' ') {
        Some((day, time)) => (Some(read_day(day)), read_time(time.trim_start())),
        None => (None, read_time(written)),
    };
    match (day, time) {
        (None, Some(time)) => Some((None, time)),
        (Some(Some(day)), Some(time)) => Some((Some(day), time)),
        (Some(None), _) | (_, None) => {
            let message = format!("{} is not an hour of hand-over", quote(written));
            let help = "write it as \"Mon 09:00\", or as \"09:00\" for every day";
            invalid(context, node, message, help);
            None
        }
    }
}

/// A date, as in `2026-01-05`.
pub(crate) fn date(context: &mut Context<'_>, node: &Node) -> Option<Date> {
    let written = values::text(context, node)?;
    let date = read_date(written);
    if date.is_none() {
        let message = format!("{} is not a date", quote(written));
        let help = format!(
            "write it as `2026-01-05`, from the year {} to {}",
            YEARS.start(),
            YEARS.end()
        );
        invalid(context, node, message, &help);
    }
    date
}

/// A date and a time of day, as in `2026-12-24 09:00`.
pub(crate) fn date_and_time(context: &mut Context<'_>, node: &Node) -> Option<DateTime> {
    let written = values::text(context, node)?;
    let parts = written.split_once(' ');
    let both = parts
        .and_then(|(date, time)| Some(DateTime::from_parts(read_date(date)?, read_time(time)?)));
    if both.is_none() {
        let message = format!("{} is not a date and a time", quote(written));
        invalid(context, node, message, "write it as \"2026-12-24 09:00\"");
    }
    both
}

/// A time zone by its IANA name.
pub(crate) fn zone(context: &mut Context<'_>, node: &Node) -> Option<TimeZone> {
    let written = values::text(context, node)?;
    if let Ok(zone) = TimeZone::get(written)
        && !zone.is_unknown()
    {
        return Some(zone);
    }
    let message = format!("{} is not a time zone", quote(written));
    let help = match similar_zone(written) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "write its IANA name, as in `Europe/Berlin` or `UTC`".to_owned(),
    };
    context.error(Code::UnknownZone, &node.span, message, "", help);
    None
}

/// A day's name, for messages about days that do not fit.
pub(crate) fn day_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn invalid(context: &mut Context<'_>, node: &Node, message: String, help: &str) {
    context.error(Code::InvalidTime, &node.span, message, "", help);
}

fn read_day(written: &str) -> Option<Weekday> {
    let found = DAYS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(written));
    found.map(|(_, day)| *day)
}

fn read_time(written: &str) -> Option<Time> {
    has_shape(written, "00:00").then_some(())?;
    let (hour, minute) = written.split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn read_date(written: &str) -> Option<Date> {
    has_shape(written, "0000-00-00").then_some(())?;
    let mut parts = written.split('-');
    let year: i16 = parts.next()?.parse().ok()?;
    let (month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Date::new(year, month, day)
        .ok()
        .filter(|_| YEARS.contains(&year))
}

/// Whether a text has digits where the shape has zeros, and otherwise the shape's own characters.
fn has_shape(written: &str, shape: &str) -> bool {
    let fits = |(own, wanted): (u8, u8)| match wanted {
        b'0' => own.is_ascii_digit(),
        other => own == other,
    };
    written.len() == shape.len() && written.bytes().zip(shape.bytes()).all(fits)
}

/// The zone that was meant: by its whole name, or by its city alone, which people write more often.
fn similar_zone(written: &str) -> Option<String> {
    let names: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    let whole = nearest(written, names.iter().map(String::as_str));
    let cities = names.iter().map(|name| city(name));
    let by_city = nearest(written, cities).and_then(|found| {
        let named = names.iter().find(|name| city(name) == found);
        named.map(String::as_str)
    });
    whole.or(by_city).map(str::to_owned)
}

fn city(zone: &str) -> &str {
    zone.rsplit('/').next().unwrap_or(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let check = |written: &str, fits: bool| {
            let read = read_time(written).is_some() || read_date(written).is_some();
            assert_eq!(read, fits, "{written}");
        };
        check("00:00", true);
        check("23:59", true);
        check("24:00", false);
        check("9:00", false);
        check("09:60", false);
        check("+9:00", false);
        check("2026-01-05", true);
        check("2026-02-29", false);
        check("2024-02-29", true);
        check("2026-1-5", false);
        check("1999-01-01", false);
        check("2101-01-01", false);
    }

    #[test]
    fn finds_the_zone_that_was_meant() {
        let check = |written: &str, expect: Option<&str>| {
            assert_eq!(similar_zone(written).as_deref(), expect, "{written}");
        };
        check("Europe/Berln", Some("Europe/Berlin"));
        check("Berlin", Some("Europe/Berlin"));
        check("Kathmandu", Some("Asia/Kathmandu"));
        check("Middle-earth/Shire", None);
    }
}

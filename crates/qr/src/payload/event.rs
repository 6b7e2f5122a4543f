//! A calendar entry as VEVENT (RFC 5545).
//!
//! Without the VCALENDAR around it, and without UID and DTSTAMP: readers know a VEVENT by its first line, the wrapper
//! costs 60 bytes, and the other two need randomness and a clock, which this crate does not have. What a reader imports
//! gets both there.

use super::content_line::{push_raw, push_text};
use super::fields::Fields;
use super::{FieldError, FieldSpec, optional, required};

const RULE: &str =
    "must be a date and time as 2026-11-23T09:00:00Z, without Z for local time, or a date";

pub(super) const FIELDS: &[FieldSpec] = &[
    required("summary", "what it is"),
    required(
        "start",
        "2026-11-23T09:00:00Z; without Z in local time; a date alone for a whole day",
    ),
    optional(
        "end",
        "in the same form; for whole days the day after the last",
    ),
    optional("location", "where it is"),
    optional("description", "anything else; may have several lines"),
];

pub(super) fn build(fields: &Fields<'_>) -> Result<String, FieldError> {
    let summary = fields
        .short_text("summary")?
        .ok_or_else(|| FieldError::new("summary", "must be given"))?;
    let start = moment("start", fields.required("start")?)?;
    let mut event = String::from("BEGIN:VEVENT\r\n");
    push_text(&mut event, "SUMMARY", summary);
    push_moment(&mut event, "DTSTART", &start);
    if let Some(end) = fields.optional("end") {
        let end = moment("end", end)?;
        if end.form != start.form {
            return Err(FieldError::new("end", "must have the same form as start"));
        }
        // Equal forms compare as text in the order of time.
        if end.text <= start.text {
            return Err(FieldError::new("end", "must be later than start"));
        }
        push_moment(&mut event, "DTEND", &end);
    }
    if let Some(location) = fields.short_text("location")? {
        push_text(&mut event, "LOCATION", location);
    }
    if let Some(description) = fields.long_text("description")? {
        push_text(&mut event, "DESCRIPTION", description);
    }
    event.push_str("END:VEVENT\r\n");
    Ok(event)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Date,
    Local,
    Utc,
}

/// A point in time in iCalendar's basic format.
struct Moment {
    form: Form,
    text: String,
}

fn push_moment(event: &mut String, name: &str, moment: &Moment) {
    let parameter = match moment.form {
        Form::Date => ";VALUE=DATE",
        Form::Local | Form::Utc => "",
    };
    push_raw(event, &format!("{name}{parameter}"), &moment.text);
}

fn moment(field: &'static str, text: &str) -> Result<Moment, FieldError> {
    parse(text.trim()).ok_or_else(|| FieldError::new(field, RULE))
}

/// Seconds may be missing, because `<input type="datetime-local">` leaves them out.
fn parse(text: &str) -> Option<Moment> {
    let Some((date, time)) = text.split_once('T') else {
        return Some(Moment {
            form: Form::Date,
            text: basic_date(text)?,
        });
    };
    let date = basic_date(date)?;
    Some(match time.strip_suffix('Z') {
        Some(time) => Moment {
            form: Form::Utc,
            text: format!("{date}T{}Z", basic_time(time)?),
        },
        None => Moment {
            form: Form::Local,
            text: format!("{date}T{}", basic_time(time)?),
        },
    })
}

fn basic_date(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.splitn(4, '-').collect();
    let [year, month, day] = parts[..] else {
        return None;
    };
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=days)
        .contains(&day)
        .then(|| format!("{year:04}{month:02}{day:02}"))
}

fn basic_time(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.splitn(4, ':').collect();
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, "00"),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
    (hour < 24 && minute < 60 && second < 60).then(|| format!("{hour:02}{minute:02}{second:02}"))
}

/// Exactly `digits` ASCII digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let valid = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| text.parse().ok()).flatten()
}

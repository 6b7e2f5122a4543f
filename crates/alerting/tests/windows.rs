//! Maintenance windows: for an instant, when the window ends that it lies in, and the one that begins next.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use alerting::{next_window, window_at};
use jiff::Timestamp as Instant;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use model::{Timestamp, parse_duration};
use plan::{Location, MaintenanceWindow};

/// Where there is none.
const CLOSED: &str = "-";

/// A window as `<days> <from> <length> <zone>`, an instant, the end of the window it lies in, and the next one's beginning
/// and end.
#[test]
fn windows() {
    let nightly = "daily 01:30 2h UTC";
    check(
        nightly,
        "2026-01-05T01:29:59.999Z",
        CLOSED,
        "2026-01-05T01:30Z",
        "2026-01-05T03:30Z",
    );
    check(
        nightly,
        "2026-01-05T01:30Z",
        "2026-01-05T03:30Z",
        "2026-01-06T01:30Z",
        "2026-01-06T03:30Z",
    );
    check(
        nightly,
        "2026-01-05T03:29:59.999Z",
        "2026-01-05T03:30Z",
        "2026-01-06T01:30Z",
        "2026-01-06T03:30Z",
    );
    check(
        nightly,
        "2026-01-05T03:30Z",
        CLOSED,
        "2026-01-06T01:30Z",
        "2026-01-06T03:30Z",
    );

    // Over midnight and, from Sunday to Monday, over the week's end. 4 January is a Sunday.
    let sundays = "sun 23:00 3h UTC";
    check(
        sundays,
        "2026-01-05T01:59Z",
        "2026-01-05T02:00Z",
        "2026-01-11T23:00Z",
        "2026-01-12T02:00Z",
    );
    check(
        sundays,
        "2026-01-05T02:00Z",
        CLOSED,
        "2026-01-11T23:00Z",
        "2026-01-12T02:00Z",
    );
    check(
        sundays,
        "2026-01-06T00:00Z",
        CLOSED,
        "2026-01-11T23:00Z",
        "2026-01-12T02:00Z",
    );
    // Over the year's end.
    check(
        "wed,thu 20:00 24h UTC",
        "2026-01-01T19:59Z",
        "2026-01-01T20:00Z",
        "2026-01-01T20:00Z",
        "2026-01-02T20:00Z",
    );

    // The days are those of the zone: Monday in Kathmandu begins on Sunday in UTC.
    check(
        "mon 00:30 1h Asia/Kathmandu",
        "2026-01-04T18:45Z",
        "2026-01-04T19:45Z",
        "2026-01-11T18:45Z",
        "2026-01-11T19:45Z",
    );

    // A whole week has no end; each occurrence still does. So has one that outlasts a day: the last to begin counts.
    check(
        "mon 09:00 168h UTC",
        "2026-01-12T08:59Z",
        "2026-01-12T09:00Z",
        "2026-01-12T09:00Z",
        "2026-01-19T09:00Z",
    );
    check(
        "daily 09:00 30h UTC",
        "2026-01-12T08:59Z",
        "2026-01-12T15:00Z",
        "2026-01-12T09:00Z",
        "2026-01-13T15:00Z",
    );
    check(
        "daily 09:00 30h UTC",
        "2026-01-12T09:00Z",
        "2026-01-13T15:00Z",
        "2026-01-13T09:00Z",
        "2026-01-14T15:00Z",
    );
    check(
        "daily 09:00 0s UTC",
        "2026-01-12T09:00Z",
        CLOSED,
        "2026-01-13T09:00Z",
        "2026-01-13T09:00Z",
    );
}

#[test]
fn windows_where_clocks_jump() {
    // 29 March 2026: London's clocks go from 01:00 to 02:00. What begins at 01:30 begins at 02:30, and lasts as long.
    let london = "sun 01:30 2h Europe/London";
    check(
        london,
        "2026-03-29T01:29Z",
        CLOSED,
        "2026-03-29T01:30Z",
        "2026-03-29T03:30Z",
    );
    check(
        london,
        "2026-03-29T03:29Z",
        "2026-03-29T03:30Z",
        "2026-04-05T00:30Z",
        "2026-04-05T02:30Z",
    );
    // One that spans the jump is as long as ever.
    check(
        "sat 23:00 4h Europe/London",
        "2026-03-29T02:59Z",
        "2026-03-29T03:00Z",
        "2026-04-04T22:00Z",
        "2026-04-05T02:00Z",
    );
    // 25 October 2026: from 02:00 back to 01:00. It begins at the first 01:30 and covers the second.
    check(
        london,
        "2026-10-25T00:30Z",
        "2026-10-25T02:30Z",
        "2026-11-01T01:30Z",
        "2026-11-01T03:30Z",
    );
    check(
        london,
        "2026-10-25T01:30Z",
        "2026-10-25T02:30Z",
        "2026-11-01T01:30Z",
        "2026-11-01T03:30Z",
    );
    check(
        "sun 01:30 1h Europe/London",
        "2026-10-25T01:30Z",
        CLOSED,
        "2026-11-01T01:30Z",
        "2026-11-01T02:30Z",
    );
    // A day's length every day leaves the 25th hour open.
    let always = "daily 00:00 24h Europe/London";
    check(
        always,
        "2026-10-25T23:30Z",
        CLOSED,
        "2026-10-26T00:00Z",
        "2026-10-27T00:00Z",
    );
    // Half an hour on Lord Howe: from 02:00 to 02:30 on 4 October 2026.
    check(
        "sun 02:15 1h Australia/Lord_Howe",
        "2026-10-03T15:45Z",
        "2026-10-03T16:45Z",
        "2026-10-10T15:15Z",
        "2026-10-10T16:15Z",
    );
    // Samoa, which had no Friday, 30 December 2011: while Saturday's clocks show midnight, Friday's is still to come.
    check(
        "fri 09:00 2h Pacific/Apia",
        "2011-12-30T10:00Z",
        CLOSED,
        "2011-12-30T19:00Z",
        "2011-12-30T21:00Z",
    );
    // Newfoundland, where Sunday's midnight was over while the clocks showed Saturday again.
    check(
        "sun 00:00 2h America/St_Johns",
        "2005-10-30T03:00Z",
        "2005-10-30T04:30Z",
        "2005-11-06T03:30Z",
        "2005-11-06T05:30Z",
    );
}

#[test]
fn the_ends_of_time() {
    let window = window("daily 01:30 2h Europe/London");
    for at in [Timestamp::MIN, Timestamp::MAX] {
        assert_eq!(window_at(&window, at), None);
    }
    assert!(next_window(&window, Timestamp::MIN).0 > Timestamp::MIN);
    assert_eq!(
        next_window(&window, Timestamp::MAX),
        (Timestamp::MAX, Timestamp::MAX)
    );
}

fn check(declared: &str, now: &str, ends: &str, next_start: &str, next_end: &str) {
    let window = window(declared);
    let expect = (ends != CLOSED).then(|| at(ends));
    assert_eq!(window_at(&window, at(now)), expect, "{declared} at {now}");
    let expect = (at(next_start), at(next_end));
    assert_eq!(
        next_window(&window, at(now)),
        expect,
        "next {declared} after {now}"
    );
}

fn window(declared: &str) -> MaintenanceWindow {
    let words: Vec<&str> = declared.split(' ').collect();
    let [days, from, length, zone] = words[..] else {
        panic!("not a window: {declared}");
    };
    let days = match days {
        "daily" => Vec::new(),
        days => days.split(',').map(weekday).collect(),
    };
    MaintenanceWindow {
        name: String::new(),
        reason: String::new(),
        alerts: Vec::new(),
        days,
        from: from.parse::<Time>().unwrap(),
        length: parse_duration(length).unwrap(),
        zone: TimeZone::get(zone).unwrap(),
        at: Location::default(),
    }
}

fn weekday(word: &str) -> Weekday {
    match word {
        "mon" => Weekday::Monday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        other => panic!("no such day: {other}"),
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<Instant>().unwrap().as_millisecond())
}

//! Four years of hand-overs in six zones, against an oracle that knows nothing of the code: it walks the calendar day by
//! day, counts turns on its fingers, and finds an instant's clock by trying the offsets of the zone.
//!
//! Then overrides and the list of coming turns, as data.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use alerting::{NEXT_TURNS_MAX, Turn, next_turns, on_call};
use jiff::Timestamp as Instant;
use jiff::civil::{Date, DateTime, Time, Weekday, date};
use jiff::tz::TimeZone;
use model::Timestamp;
use plan::{Rota, RotaOverride, Shift};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// The years that are swept.
const FIRST_DAY: Date = date(2024, 1, 1);
const LAST_DAY: Date = date(2028, 1, 1);

/// The days on which it takes over (none: every day), and for how many days a turn is.
type Rhythm = (&'static [Weekday], u32);

const DAILY: Rhythm = (&[], 1);
const MONDAYS: Rhythm = (&[Weekday::Monday], 7);
const SUNDAYS: Rhythm = (&[Weekday::Sunday], 7);
const WEEKLY_WITHOUT_DAYS: Rhythm = (&[], 7);

#[test]
fn four_years_in_chicago() {
    sweep_zone("America/Chicago", &[23 * 60, 24 * 60, 25 * 60]);
}

#[test]
fn four_years_in_london() {
    sweep_zone("Europe/London", &[23 * 60, 24 * 60, 25 * 60]);
}

#[test]
fn four_years_on_lord_howe() {
    sweep_zone(
        "Australia/Lord_Howe",
        &[23 * 60 + 30, 24 * 60, 24 * 60 + 30],
    );
}

#[test]
fn four_years_in_kathmandu() {
    sweep_zone("Asia/Kathmandu", &[24 * 60]);
}

#[test]
fn four_years_in_casablanca() {
    sweep_zone("Africa/Casablanca", &[23 * 60, 24 * 60, 25 * 60]);
}

#[test]
fn four_years_in_utc() {
    sweep_zone("UTC", &[24 * 60]);
}

#[test]
fn four_years_around_the_sun() {
    let regions = rota(vec![
        shift("Asia", "Asia/Kathmandu", "09:00", DAILY, "sita ram"),
        shift("Europe", "Europe/London", "09:00", DAILY, "ada alan eve"),
        shift("America", "America/Chicago", "09:00", DAILY, "grace"),
    ]);
    sweep(&regions, true);
    // A shift for the week and one for its end: five take-overs in a row are one turn, and the same person's second week,
    // after somebody else's week-end, is another.
    let weekdays = &[
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
    ];
    let week = rota(vec![
        shift(
            "week",
            "Africa/Casablanca",
            "02:30",
            (weekdays, 14),
            "ada alan",
        ),
        shift(
            "end",
            "Africa/Casablanca",
            "02:30",
            (&[Weekday::Saturday], 7),
            "eve bob kim",
        ),
    ]);
    sweep(&week, false);
    // Two that take over at one instant: the later in the list has it.
    let tie = rota(vec![
        shift("day", "Europe/London", "09:00", DAILY, "ada alan"),
        shift("monday", "Europe/London", "09:00", MONDAYS, "eve bob"),
        shift("never", "Europe/London", "09:00", DAILY, ""),
    ]);
    sweep(&tie, false);
}

#[test]
fn hand_overs_where_clocks_jump() {
    let check = |zone: &str, hand_over: &str, day: &str, expect: &str| {
        let rota = rota(vec![shift("", zone, hand_over, DAILY, "ada alan")]);
        let noon = at(&format!("{day}T12:00:00[{zone}]"));
        let turn = on_call(&rota, &[], noon).unwrap();
        assert_eq!(
            turn.from,
            at(expect),
            "{zone} at {hand_over} on {day}: {turn:?}"
        );
    };
    // The missing hour: as far after the jump as the hand-over is into the gap.
    check(
        "Europe/London",
        "01:30",
        "2024-03-31",
        "2024-03-31T02:30:00+01:00",
    );
    check(
        "America/Chicago",
        "02:30",
        "2024-03-10",
        "2024-03-10T03:30:00-05:00",
    );
    check(
        "Australia/Lord_Howe",
        "02:15",
        "2024-10-06",
        "2024-10-06T02:45:00+11:00",
    );
    check(
        "Africa/Casablanca",
        "02:30",
        "2024-04-14",
        "2024-04-14T03:30:00+01:00",
    );
    // The doubled hour: the first.
    check(
        "Europe/London",
        "01:30",
        "2024-10-27",
        "2024-10-27T01:30:00+01:00",
    );
    check(
        "America/Chicago",
        "01:30",
        "2024-11-03",
        "2024-11-03T01:30:00-05:00",
    );
    check(
        "Australia/Lord_Howe",
        "01:45",
        "2024-04-07",
        "2024-04-07T01:45:00+11:00",
    );
    check(
        "Africa/Casablanca",
        "02:30",
        "2024-03-10",
        "2024-03-10T02:30:00+01:00",
    );
    // Newfoundland's clocks went from 00:01 back to 23:01 of the day before: the new day's hand-over was over by then.
    check(
        "America/St_Johns",
        "00:00",
        "2005-10-30",
        "2005-10-30T00:00:00-02:30",
    );
    // Samoa went from 29 to 31 December.
    check(
        "Pacific/Apia",
        "09:00",
        "2011-12-29",
        "2011-12-29T09:00:00-10:00",
    );
    check(
        "Pacific/Apia",
        "09:00",
        "2011-12-31",
        "2011-12-31T09:00:00+14:00",
    );
}

#[test]
fn a_hand_over_may_be_over_while_the_clocks_show_the_day_before() {
    let rota = rota(vec![shift(
        "",
        "America/St_Johns",
        "00:00",
        DAILY,
        "ada alan",
    )]);
    let second_2330 = at("2005-10-29T23:30:00-03:30");
    let turn = on_call(&rota, &[], second_2330).unwrap();
    assert_eq!(turn.from, at("2005-10-30T00:00:00-02:30"));
    assert_eq!(turn.until, at("2005-10-31T00:00:00-03:30"));
}

#[test]
fn turns_before_the_first() {
    let check = |day: &str, expect: &str| {
        let mut shift = shift("", "UTC", "09:00", WEEKLY_WITHOUT_DAYS, "ada alan eve");
        shift.since = date(2026, 1, 5);
        let rota = rota(vec![shift]);
        let turn = on_call(&rota, &[], at(day)).unwrap();
        assert_eq!(turn.person, expect, "{day}");
    };
    check("2026-01-05T09:00:00Z", "ada");
    check("2026-01-12T08:59:59Z", "ada");
    check("2026-01-12T09:00:00Z", "alan");
    check("2026-01-05T08:59:59Z", "eve");
    check("2025-12-29T08:59:59Z", "alan");
    check("2025-12-22T08:59:59Z", "ada");
}

#[test]
fn nobody_is_on_call_only_in_an_empty_rota() {
    let nobody = |shifts| on_call(&rota(shifts), &[], at("2026-01-05T09:00:00Z")).is_none();
    assert!(nobody(vec![]));
    assert!(nobody(vec![shift("", "UTC", "09:00", DAILY, "")]));
    assert!(!nobody(vec![
        shift("", "UTC", "09:00", DAILY, "ada"),
        shift("", "UTC", "09:00", DAILY, ""),
    ]));
}

/// Overrides of a daily rota of `ada` and `alan`, who hand over at nine (UTC; 5 January is `ada`'s). Times are days and
/// hours of January 2026; each list is what is declared, what is made at run time, and who is on from when.
#[test]
fn overrides() {
    let none: &[(&str, &str, &str)] = &[];
    check_overrides(
        "none",
        none,
        none,
        "05T09 ada, 06T09 alan, 07T09 ada, 08T09 alan",
    );
    check_overrides(
        "inside a turn",
        &[("eve", "06T12", "06T18")],
        none,
        "05T09 ada, 06T09 alan, 06T12 eve*, 06T18 alan, 07T09 ada",
    );
    check_overrides(
        "spanning a hand-over",
        &[("eve", "06T00", "06T12")],
        none,
        "05T09 ada, 06T00 eve*, 06T12 alan, 07T09 ada",
    );
    check_overrides(
        "exactly a turn",
        &[("eve", "06T09", "07T09")],
        none,
        "05T09 ada, 06T09 eve*, 07T09 ada, 08T09 alan",
    );
    check_overrides(
        "spanning a whole turn",
        &[("eve", "06T00", "07T12")],
        none,
        "05T09 ada, 06T00 eve*, 07T12 ada, 08T09 alan",
    );
    check_overrides(
        "two that overlap: the last wins",
        &[("eve", "06T10", "06T16"), ("bob", "06T12", "06T20")],
        none,
        "05T09 ada, 06T09 alan, 06T10 eve*, 06T12 bob*, 06T20 alan, 07T09 ada",
    );
    check_overrides(
        "two that overlap, the earlier in the list is later",
        &[("bob", "06T12", "06T20"), ("eve", "06T10", "06T16")],
        none,
        "05T09 ada, 06T09 alan, 06T10 eve*, 06T16 bob*, 06T20 alan, 07T09 ada",
    );
    check_overrides(
        "one within another: the outer one goes on",
        &[("eve", "06T10", "06T20"), ("bob", "06T12", "06T14")],
        none,
        "05T09 ada, 06T09 alan, 06T10 eve*, 06T12 bob*, 06T14 eve*, 06T20 alan",
    );
    check_overrides(
        "one hidden by a later one is never seen",
        &[("bob", "06T12", "06T14"), ("eve", "06T10", "06T20")],
        none,
        "05T09 ada, 06T09 alan, 06T10 eve*, 06T20 alan, 07T09 ada",
    );
    check_overrides(
        "made at run time, over the file's",
        &[("eve", "06T10", "06T20")],
        &[("bob", "06T12", "06T14")],
        "05T09 ada, 06T09 alan, 06T10 eve*, 06T12 bob*, 06T14 eve*, 06T20 alan",
    );
    check_overrides(
        "the file's cannot hide one made at run time",
        &[("eve", "06T10", "06T20"), ("kim", "06T11", "06T19")],
        &[("bob", "06T12", "06T14")],
        "05T09 ada, 06T09 alan, 06T10 eve*, 06T11 kim*, 06T12 bob*, 06T14 kim*, 06T19 eve*, 06T20 alan",
    );
    check_overrides(
        "one after the other",
        &[("eve", "06T10", "06T12"), ("bob", "06T12", "06T14")],
        none,
        "05T09 ada, 06T09 alan, 06T10 eve*, 06T12 bob*, 06T14 alan",
    );
    check_overrides(
        "empty and backwards ones cover nothing",
        &[("eve", "06T12", "06T12"), ("bob", "06T14", "06T13")],
        none,
        "05T09 ada, 06T09 alan, 07T09 ada",
    );
}

fn check_overrides(
    case: &str,
    declared: &[(&str, &str, &str)],
    extra: &[(&str, &str, &str)],
    expect: &str,
) {
    let day = |text: &str| at(&format!("2026-01-{text}:00:00Z"));
    let list = |rows: &[(&str, &str, &str)]| {
        let exception = |(person, from, until): &(&str, &str, &str)| RotaOverride {
            person: (*person).to_owned(),
            from: instant(day(from)),
            until: instant(day(until)),
        };
        rows.iter().map(exception).collect::<Vec<_>>()
    };
    let mut shift = shift("day", "UTC", "09:00", DAILY, "ada alan");
    shift.since = date(2026, 1, 5);
    let mut rota = rota(vec![shift]);
    rota.overrides = list(declared);
    let extra = list(extra);
    let expect: Vec<(Timestamp, &str)> = expect
        .split(", ")
        .map(|row| row.split_once(' ').unwrap())
        .map(|(from, who)| (day(from), who))
        .collect();
    let start = expect[0].0;
    let mut turns = vec![on_call(&rota, &extra, start).unwrap()];
    turns.extend(next_turns(&rota, &extra, start, expect.len() - 1));
    let found: Vec<(Timestamp, String)> = turns
        .iter()
        .map(|turn| (turn.from, format!("{}{}", turn.person, star(turn))))
        .collect();
    let expected: Vec<(Timestamp, String)> = expect
        .iter()
        .map(|(from, who)| (*from, (*who).to_owned()))
        .collect();
    assert_eq!(found, expected, "{case}");
    for turn in &turns {
        let shift = if turn.is_override { "" } else { "day" };
        assert_eq!(turn.shift, shift, "{case}");
        for within in [turn.from, millis_after(turn.until, -1)] {
            assert_eq!(
                on_call(&rota, &extra, within),
                Some(*turn),
                "{case} at {within}"
            );
        }
    }
    for pair in turns.windows(2) {
        assert_eq!(pair[0].until, pair[1].from, "{case}: turns tile time");
    }
}

fn star(turn: &Turn) -> &'static str {
    if turn.is_override { "*" } else { "" }
}

#[test]
fn coming_turns_are_bounded() {
    let rota = rota(vec![shift("", "UTC", "09:00", DAILY, "ada")]);
    let now = at("2026-01-05T09:00:00Z");
    let count = |asked: usize| next_turns(&rota, &[], now, asked).len();
    assert_eq!(count(0), 0);
    assert_eq!(count(3), 3);
    assert_eq!(count(usize::MAX), NEXT_TURNS_MAX);
    assert_eq!(
        next_turns(&rota, &[], now, 1)[0].from,
        at("2026-01-06T09:00:00Z")
    );
    assert_eq!(next_turns(&rota, &[], Timestamp::MAX, 5), []);
}

/// Hand-over, days and length of a turn, and whether every hour is asked for or only what is around hand-overs and
/// changes of offset: a debug build answers some 30,000 questions in a second.
const SWEPT: [(&str, Rhythm, bool); 7] = [
    ("09:00", DAILY, true),
    ("09:00", MONDAYS, true),
    ("02:30", DAILY, true),
    ("01:30", DAILY, false),
    ("09:00", WEEKLY_WITHOUT_DAYS, false),
    ("02:15", DAILY, false),
    ("02:30", SUNDAYS, false),
];

fn sweep_zone(zone: &str, daily_minutes: &[i64]) {
    for (hand_over, (days, turn_days), every_hour) in SWEPT {
        let people = "ada alan eve bob kim";
        let shift = shift("all", zone, hand_over, (days, turn_days), people);
        let turns = sweep(&rota(vec![shift]), every_hour);
        if turn_days == 1 {
            let minutes = |turn: &Expected| (turn.until - turn.from) / MINUTE;
            let lengths: BTreeSet<i64> = turns.iter().map(minutes).collect();
            let expect: BTreeSet<i64> = daily_minutes.iter().copied().collect();
            assert_eq!(lengths, expect, "{zone} at {hand_over}");
        }
    }
}

/// A turn by the oracle, in milliseconds.
struct Expected {
    from: i64,
    until: i64,
    person: String,
    shift: String,
}

/// Asks who is on around every hand-over, around every change of offset and at every hour; returns what is expected. That
/// what was found equals it, `from` and `until` included, is what shows that turns tile time.
fn sweep(rota: &Rota, every_hour: bool) -> Vec<Expected> {
    let turns = oracle(rota);
    assert!(turns[0].from < millis(FIRST_DAY.at(0, 0, 0, 0)));
    assert!(turns[turns.len() - 1].until > millis(LAST_DAY.at(0, 0, 0, 0)));
    assert!(turns.windows(2).all(|pair| pair[0].until == pair[1].from));
    let mut asked: BTreeSet<i64> = turns.iter().map(|turn| turn.from).collect();
    for shift in &rota.shifts {
        asked.extend(changes(&shift.zone).iter().map(|(at, _)| *at));
    }
    let mut asked: Vec<i64> = asked.iter().flat_map(|at| [at - 1, *at, at + 1]).collect();
    let (first, last) = (
        millis(FIRST_DAY.at(0, 0, 0, 0)),
        millis(LAST_DAY.at(0, 0, 0, 0)),
    );
    if every_hour {
        asked.extend((first..last).step_by(HOUR as usize));
    }
    asked.sort_unstable();
    let mut place = 0;
    for at in asked {
        if at < turns[0].from || at >= turns[turns.len() - 1].until {
            continue;
        }
        while turns[place].until <= at {
            place += 1;
        }
        let expect = &turns[place];
        let expect = Turn {
            person: &expect.person,
            from: Timestamp::from_millis(expect.from),
            until: Timestamp::from_millis(expect.until),
            shift: &expect.shift,
            is_override: false,
        };
        let found = on_call(rota, &[], Timestamp::from_millis(at));
        if found != Some(expect) {
            let instant = Instant::from_millisecond(at).unwrap();
            panic!("at {instant}: {found:?}, not {expect:?}\n{rota:?}");
        }
    }
    turns
}

/// All turns that touch the swept years, in order: from all take-overs of all shifts, day by day.
fn oracle(rota: &Rota) -> Vec<Expected> {
    let mut take_overs = Vec::new();
    for (place, shift) in rota.shifts.iter().enumerate() {
        if !shift.people.is_empty() {
            for (at, turn, person) in take_overs_of(shift) {
                take_overs.push((at, place, turn, person));
            }
        }
    }
    take_overs.sort();
    let mut turns: Vec<(i64, usize, i64, String)> = Vec::new();
    for take_over in take_overs {
        if turns.last().is_some_and(|last| last.0 == take_over.0) {
            turns.pop();
        }
        let goes_on = turns
            .last()
            .is_some_and(|last| last.1 == take_over.1 && last.2 == take_over.2);
        if !goes_on {
            turns.push(take_over);
        }
    }
    let expected = |pair: &[(i64, usize, i64, String)]| Expected {
        from: pair[0].0,
        until: pair[1].0,
        person: pair[0].3.clone(),
        shift: rota.shifts[pair[0].1].name.clone(),
    };
    // The first may have begun before the walk did.
    turns[1..].windows(2).map(expected).collect()
}

/// Instant, number of the turn and person of each take-over of one shift, from three weeks before the swept years to three
/// weeks after them. Turns are counted, not divided.
fn take_overs_of(shift: &Shift) -> Vec<(i64, i64, String)> {
    let changes = changes(&shift.zone);
    let mut found = Vec::new();
    let mut day = FIRST_DAY;
    for _ in 0..21 {
        day = day.yesterday().unwrap();
    }
    let mut turn = 0;
    let mut people = shift.people.iter().cycle();
    let mut person = people.next().unwrap();
    let mut days_left = shift.turn_days;
    assert_eq!(shift.since, day, "the oracle counts from here");
    while day < LAST_DAY || (day - LAST_DAY).get_days() < 21 {
        if days_left == 0 {
            turn += 1;
            person = people.next().unwrap();
            days_left = shift.turn_days;
        }
        days_left -= 1;
        if shift.days.is_empty() || shift.days.contains(&day.weekday()) {
            let instant = resolve(&changes, day.to_datetime(shift.hand_over));
            found.push((instant, turn, person.clone()));
        }
        day = day.tomorrow().unwrap();
    }
    found
}

/// The instants from which an offset holds, and that offset, in milliseconds; the first holds from the start.
fn changes(zone: &TimeZone) -> Vec<(i64, i64)> {
    let start = Instant::from_millisecond(millis(FIRST_DAY.at(0, 0, 0, 0)) - 400 * 24 * HOUR);
    let start = start.unwrap();
    let offset = |instant| i64::from(zone.to_offset(instant).seconds()) * 1000;
    let end = millis(LAST_DAY.at(0, 0, 0, 0)) + 400 * 24 * HOUR;
    let mut found = vec![(start.as_millisecond(), offset(start))];
    for transition in zone.following(start) {
        let at = transition.timestamp().as_millisecond();
        if at > end {
            break;
        }
        found.push((at, offset(transition.timestamp())));
    }
    found
}

/// The first instant at which the clocks show this; for a time that is left out, what it would be had they not been set.
fn resolve(changes: &[(i64, i64)], on_the_clock: DateTime) -> i64 {
    let shown = millis(on_the_clock);
    let mut late = None;
    for (index, (from, offset)) in changes.iter().enumerate() {
        let until = changes.get(index + 1).map_or(i64::MAX, |next| next.0);
        let instant = shown - offset;
        if (*from..until).contains(&instant) {
            return instant;
        }
        if instant >= until {
            late = Some(instant);
        }
    }
    late.unwrap()
}

fn rota(shifts: Vec<Shift>) -> Rota {
    Rota {
        name: "on-call".to_owned(),
        role: "on-call".to_owned(),
        shifts,
        overrides: Vec::new(),
    }
}

fn shift(
    name: &str,
    zone: &str,
    hand_over: &str,
    (days, turn_days): Rhythm,
    people: &str,
) -> Shift {
    Shift {
        name: name.to_owned(),
        zone: TimeZone::get(zone).unwrap(),
        hand_over: hand_over.parse::<Time>().unwrap(),
        days: days.to_vec(),
        turn_days,
        since: date(2023, 12, 11),
        people: people.split_whitespace().map(str::to_owned).collect(),
    }
}

/// What the clocks of a zone without offset would call this.
fn millis(on_the_clock: DateTime) -> i64 {
    (on_the_clock.duration_since(DateTime::from_parts(date(1970, 1, 1), Time::midnight())))
        .as_millis()
        .try_into()
        .unwrap()
}

/// RFC 3339 with an offset, or with a zone in brackets.
fn at(text: &str) -> Timestamp {
    let instant = match text.parse::<jiff::Zoned>() {
        Ok(zoned) => zoned.timestamp(),
        Err(_) => text.parse::<Instant>().unwrap(),
    };
    Timestamp::from_millis(instant.as_millisecond())
}

fn instant(at: Timestamp) -> Instant {
    Instant::from_millisecond(at.as_millis()).unwrap()
}

fn millis_after(at: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis() + millis)
}

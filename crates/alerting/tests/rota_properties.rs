//! Whatever a rota says and whenever one asks: nothing panics, somebody is on call, and turns tile time. Over every zone of
//! the database and all of its history, which has days that came twice and days that never came.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use alerting::{Turn, next_turns, next_window, on_call, window_at};
use jiff::Timestamp as Instant;
use jiff::civil::{Date, Time, Weekday, date};
use jiff::tz::TimeZone;
use model::Timestamp;
use plan::{Location, MaintenanceWindow, Rota, RotaOverride, Shift};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Names of zones where days or midnights are odd, so that they come up often enough.
const ODD_ZONES: [&str; 8] = [
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "America/Juneau",
    "Asia/Manila",
    "America/St_Johns",
    "America/Havana",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn somebody_is_on_call_and_turns_tile(
        rota in rotas(),
        extra in prop::collection::vec(overrides(), 0..3),
        at in instants(),
    ) {
        let turn = on_call(&rota, &extra, at).unwrap();
        check_turn(&rota, &extra, &turn)?;
        prop_assert!(turn.from <= at);
        prop_assert!(at < turn.until || at == Timestamp::MAX);
        prop_assert_eq!(on_call(&rota, &extra, at), Some(turn), "the same again");

        let mut before = turn;
        for next in next_turns(&rota, &extra, at, 6) {
            prop_assert_eq!(before.until, next.from);
            check_turn(&rota, &extra, &next)?;
            before = next;
        }
        if turn.from > Timestamp::MIN {
            let before = on_call(&rota, &extra, millis_after(turn.from, -1)).unwrap();
            prop_assert_eq!(before.until, turn.from);
        }
    }

    #[test]
    fn windows_end_after_now_and_begin_after_now(window in windows(), at in instants()) {
        if let Some(end) = window_at(&window, at) {
            prop_assert!(at < end && end <= at + window.length);
        }
        let (start, end) = next_window(&window, at);
        prop_assert!(start > at || at == Timestamp::MAX);
        prop_assert_eq!(end, start + window.length);
        if start < Timestamp::MAX {
            prop_assert_eq!(window_at(&window, start), Some(end));
            prop_assert_eq!(next_window(&window, millis_after(start, -1)).0, start);
        }
    }
}

/// The same turn at its first and at its last instant, and a person whom the rota knows.
fn check_turn(rota: &Rota, extra: &[RotaOverride], turn: &Turn) -> Result<(), TestCaseError> {
    prop_assert!(turn.from < turn.until);
    prop_assert_eq!(on_call(rota, extra, turn.from), Some(*turn));
    prop_assert_eq!(
        on_call(rota, extra, millis_after(turn.until, -1)),
        Some(*turn)
    );
    prop_assert_eq!(turn.person == "exception", turn.is_override);
    Ok(())
}

fn rotas() -> impl Strategy<Value = Rota> {
    let shifts = prop::collection::vec(shifts(), 1..4);
    let declared = prop::collection::vec(overrides(), 0..3);
    (shifts, declared).prop_map(|(shifts, overrides)| Rota {
        name: "on-call".to_owned(),
        role: "on-call".to_owned(),
        shifts,
        overrides,
    })
}

fn shifts() -> impl Strategy<Value = Shift> {
    let turn_days = prop_oneof![8 => 0..20_u32, 1 => Just(u32::MAX), 1 => any::<u32>()];
    let since = prop_oneof![
        8 => (0..40_000_i64).prop_map(days_from_1900),
        1 => Just(Date::MIN),
        1 => Just(Date::MAX),
    ];
    (zones(), times(), days(), turn_days, since, 1..4_usize).prop_map(
        |(zone, hand_over, days, turn_days, since, people)| Shift {
            name: String::new(),
            zone,
            hand_over,
            days,
            turn_days,
            since,
            people: (0..people).map(|number| number.to_string()).collect(),
        },
    )
}

fn windows() -> impl Strategy<Value = MaintenanceWindow> {
    (zones(), times(), days(), 1..=7 * 24 * 60_u64).prop_map(|(zone, from, days, minutes)| {
        MaintenanceWindow {
            name: String::new(),
            reason: String::new(),
            alerts: Vec::new(),
            days,
            from,
            length: std::time::Duration::from_secs(minutes * 60),
            zone,
            at: Location::default(),
        }
    })
}

fn overrides() -> impl Strategy<Value = RotaOverride> {
    let far = Just((Instant::MIN, Instant::MAX));
    let near = (years(), 0..40 * DAY).prop_map(|(from, length)| {
        let instant = |millis| Instant::from_millisecond(millis).unwrap();
        (instant(from), instant(from + length))
    });
    prop_oneof![1 => far, 20 => near].prop_map(|(from, until)| RotaOverride {
        person: "exception".to_owned(),
        from,
        until,
    })
}

fn zones() -> impl Strategy<Value = TimeZone> {
    let all: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    assert!(all.len() > 300, "only {} zones", all.len());
    let odd = select(&ODD_ZONES[..]).prop_map(str::to_owned);
    prop_oneof![select(all), odd].prop_map(|name| TimeZone::get(&name).unwrap())
}

/// Midnight and the small hours often: that is when clocks are set.
fn times() -> impl Strategy<Value = Time> {
    prop_oneof![0..4 * 60_i32, 0..24 * 60_i32]
        .prop_map(|minute| Time::constant((minute / 60) as i8, (minute % 60) as i8, 0, 0))
}

fn days() -> impl Strategy<Value = Vec<Weekday>> {
    let all: Vec<Weekday> = Weekday::Monday.cycle_forward().take(7).collect();
    subsequence(all, 0..=7)
}

/// Any number at all, the ends of the calendar and of time, the last two centuries, and instants at which clocks jumped.
fn instants() -> impl Strategy<Value = Timestamp> {
    let ends = prop_oneof![
        Just(i64::MIN),
        Just(i64::MAX),
        -200_000_000_000_000..-200_000_000_000_000 + 30 * DAY,
        -200_000_000_000_000 - 30 * DAY..-200_000_000_000_000,
        200_000_000_000_000..200_000_000_000_000 + 30 * DAY,
        200_000_000_000_000 - 30 * DAY..200_000_000_000_000,
    ];
    prop_oneof![1 => any::<i64>(), 2 => ends, 4 => years(), 4 => jumps()]
        .prop_map(Timestamp::from_millis)
}

/// From 1840 to 2100.
fn years() -> impl Strategy<Value = i64> {
    -4_102_444_800_000..4_102_444_800_000_i64
}

/// Within two days of a change of offset somewhere.
fn jumps() -> impl Strategy<Value = i64> {
    (select(&ODD_ZONES[..]), years(), -2 * DAY..2 * DAY).prop_map(|(zone, near, away)| {
        let zone = TimeZone::get(zone).unwrap();
        let near = Instant::from_millisecond(near).unwrap();
        let change = zone.following(near).next();
        change
            .map_or(near, |change| change.timestamp())
            .as_millisecond()
            + away
    })
}

fn days_from_1900(days: i64) -> Date {
    date(1900, 1, 1)
        .checked_add(jiff::SignedDuration::from_hours(24 * days))
        .unwrap()
}

fn millis_after(at: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(millis))
}

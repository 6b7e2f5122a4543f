//! Maintenance windows as Alertmanager's time intervals: days of the week with times that do not cross midnight.

use std::collections::BTreeMap;

use jiff::civil::Weekday;

use super::yaml::{Map, Yaml, plain};
use crate::MaintenanceWindow;

const DAY_MINUTES: u64 = 24 * 60;
const WEEK: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday"),
    (Weekday::Tuesday, "tuesday"),
    (Weekday::Wednesday, "wednesday"),
    (Weekday::Thursday, "thursday"),
    (Weekday::Friday, "friday"),
    (Weekday::Saturday, "saturday"),
    (Weekday::Sunday, "sunday"),
];

/// A window as one named interval.
pub(super) fn interval(window: &MaintenanceWindow) -> Map {
    let zone = window.zone.iana_name().unwrap_or("UTC");
    let parts = parts(window).into_iter().map(|((from, to), days)| {
        let times = Map::new()
            .with("start_time", clock(from))
            .with("end_time", clock(to));
        let mut map = Map::new().with("times", vec![times]);
        if days.len() < WEEK.len() {
            let names = days
                .into_iter()
                .filter_map(|day| WEEK.get(day))
                .map(|(_, name)| *name);
            map.put("weekdays", names.collect::<Vec<&str>>());
        }
        map.with("location", zone)
    });
    let mut map = Map::new();
    map.comment(&window.reason)
        .put("name", window.name.as_str())
        .put("time_intervals", parts.collect::<Vec<Map>>());
    map
}

/// From and until when, in minutes of a day, with the days (from Monday) on which it is so.
fn parts(window: &MaintenanceWindow) -> BTreeMap<(u64, u64), Vec<usize>> {
    let from = &window.from;
    let start =
        u64::from(from.hour().unsigned_abs()) * 60 + u64::from(from.minute().unsigned_abs());
    // Up to the next minute: too long rather than too short.
    let length = window.length.as_millis().div_ceil(60_000) as u64;
    let begins = |day: &Weekday| window.days.is_empty() || window.days.contains(day);
    let mut parts: BTreeMap<(u64, u64), Vec<usize>> = BTreeMap::new();
    for (first, _) in WEEK.iter().enumerate().filter(|(_, (day, _))| begins(day)) {
        let (mut at, end) = (start, start + length);
        while at < end {
            let day = at / DAY_MINUTES;
            let until = end.min((day + 1) * DAY_MINUTES);
            let of_day = (at - day * DAY_MINUTES, until - day * DAY_MINUTES);
            parts
                .entry(of_day)
                .or_default()
                .push((first + day as usize) % WEEK.len());
            at = until;
        }
    }
    for days in parts.values_mut() {
        days.sort_unstable();
        days.dedup();
    }
    parts
}

fn clock(minutes: u64) -> Yaml {
    plain(format!("'{:02}:{:02}'", minutes / 60, minutes % 60))
}

//! The store answers as a plain list would, whatever was appended, sealed and reopened in between.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Level, LogEntry, LogQuery, LogTime, StoredEntry};
use proptest::prelude::*;
use world::sim::SimDisk;

use crate::*;

const CLASSES: [(&str, u64); 3] = [("DEBUG", 2), ("INFO", 4), ("SECURITY", 400)];

#[derive(Clone, Debug)]
enum Step {
    /// Lines for a class: (hours before now, nanoseconds, level, words).
    Append(usize, Vec<(i64, i64, usize, u8)>),
    /// Many batches of one line each: enough to seal the present day.
    Burst(usize, u16),
    Wait(i64),
    Maintain,
    Sync,
    Reopen,
    Query(Wanted),
}

#[derive(Clone, Debug)]
struct Wanted {
    from_hours: i64,
    length_hours: i64,
    levels: Vec<usize>,
    text: Option<u8>,
    category: Option<bool>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let row = (-26i64..80, 0i64..3, 0usize..4, 0u8..6);
    let wanted = (
        -30i64..90,
        0i64..90,
        proptest::collection::vec(0usize..4, 0..3),
        proptest::option::of(0u8..6),
        proptest::option::of(any::<bool>()),
    );
    let wanted = wanted.prop_map(
        |(from_hours, length_hours, levels, text, category)| Wanted {
            from_hours,
            length_hours,
            levels,
            text,
            category,
        },
    );
    let step = prop_oneof![
        8 => (0usize..3, proptest::collection::vec(row, 0..12)).prop_map(|(class, rows)| Step::Append(class, rows)),
        1 => (0usize..3, 500u16..540).prop_map(|(class, count)| Step::Burst(class, count)),
        3 => (1i64..30).prop_map(Step::Wait),
        3 => Just(Step::Maintain),
        1 => Just(Step::Sync),
        2 => Just(Step::Reopen),
        3 => wanted.prop_map(Step::Query),
    ];
    proptest::collection::vec(step, 1..25)
}

struct Model {
    /// In order of arrival.
    lines: Vec<(usize, LogEntry)>,
    now: i64,
}

impl Model {
    fn readable(&self, class: usize, entry: &LogEntry) -> bool {
        let keep = i64::try_from(days(CLASSES[class].1).as_nanos()).unwrap();
        LogTime::from(at(self.now)).as_nanos() < entry.at.as_nanos() + keep
    }

    fn answer(&self, query: &LogQuery) -> Vec<StoredEntry> {
        let mut found: Vec<(LogTime, usize, usize, &LogEntry)> = self
            .lines
            .iter()
            .enumerate()
            .filter(|(_, (class, entry))| self.readable(*class, entry) && query.matches(entry))
            .map(|(arrival, (class, entry))| (entry.at, *class, arrival, entry))
            .collect();
        found.sort_by_key(|(at, class, arrival, _)| std::cmp::Reverse((*at, *class, *arrival)));
        found
            .into_iter()
            .map(|(_, class, _, entry)| StoredEntry {
                class: CLASSES[class].0.to_owned(),
                entry: entry.clone(),
            })
            .collect()
    }

    fn counts(&self, query: &LogQuery, step: Duration) -> Vec<(LogTime, Level, u64)> {
        let step = step.as_nanos() as i64;
        let mut counts = BTreeMap::new();
        for found in self.answer(query) {
            let nanos = found.entry.at.as_nanos();
            let start = LogTime::from_nanos(nanos - nanos.rem_euclid(step));
            *counts.entry((start, found.entry.level)).or_insert(0) += 1;
        }
        counts
            .into_iter()
            .map(|((at, level), lines)| (at, level, lines))
            .collect()
    }
}

fn query(wanted: &Wanted, now: i64) -> LogQuery {
    let from = now - wanted.from_hours * HOUR;
    LogQuery {
        levels: wanted
            .levels
            .iter()
            .map(|level| Level::ALL[*level])
            .collect(),
        texts: wanted
            .text
            .iter()
            .map(|word| format!("WORD{word}"))
            .collect(),
        categories: wanted
            .category
            .iter()
            .map(|some| {
                if *some {
                    "security".to_owned()
                } else {
                    String::new()
                }
            })
            .collect(),
        ..LogQuery::range(
            LogTime::from(at(from)),
            LogTime::from(at(from + wanted.length_hours * HOUR)),
        )
    }
}

fn check(steps: Vec<Step>) {
    let disk = Arc::new(SimDisk::new(1));
    let options = classes(&CLASSES);
    let mut model = Model {
        lines: Vec::new(),
        now: MIDNIGHT + 5 * HOUR,
    };
    let (mut store, _) = open(&disk, &options, model.now);
    let mut serial = 0;
    for step in steps {
        match step {
            Step::Append(class, rows) => {
                let batch: Vec<LogEntry> = rows
                    .iter()
                    .map(|(hours, nanos, level, word)| {
                        serial += 1;
                        let millis = model.now - hours * HOUR;
                        LogEntry {
                            at: LogTime::from_nanos(millis * 1_000_000 + nanos),
                            category: (word % 2 == 0).then(|| "security".to_owned()),
                            ..line(millis, Level::ALL[*level], &format!("{serial} word{word}"))
                        }
                    })
                    .collect();
                let accepted = store
                    .append(CLASSES[class].0, &batch, at(model.now))
                    .unwrap();
                let in_future = |entry: &&LogEntry| entry.at > LogTime::from(at(model.now + DAY));
                let too_new = batch.iter().filter(in_future).count() as u64;
                let good: Vec<_> = batch
                    .into_iter()
                    .filter(|entry| model.readable(class, entry) && !in_future(&entry))
                    .collect();
                assert_eq!(accepted.stored, good.len() as u64);
                assert_eq!(accepted.rejected_in_future, too_new);
                assert_eq!(
                    accepted.stored + accepted.rejected_too_old + accepted.rejected_in_future,
                    rows.len() as u64
                );
                model
                    .lines
                    .extend(good.into_iter().map(|entry| (class, entry)));
            }
            Step::Burst(class, count) => {
                for nth in 0..count {
                    serial += 1;
                    let entry = line(
                        model.now + i64::from(nth % 7),
                        Level::Info,
                        &format!("{serial} word1"),
                    );
                    store
                        .append(
                            CLASSES[class].0,
                            std::slice::from_ref(&entry),
                            at(model.now),
                        )
                        .unwrap();
                    model.lines.push((class, entry));
                }
            }
            Step::Wait(hours) => model.now += hours * HOUR,
            Step::Maintain => {
                store.maintain(at(model.now)).unwrap();
            }
            Step::Sync => store.sync().unwrap(),
            Step::Reopen => {
                drop(store);
                let recovery;
                (store, recovery) = open(&disk, &options, model.now);
                assert_eq!((recovery.torn_tails, recovery.damaged_frames), (0, 0));
                assert_eq!(recovery.failures, Vec::<String>::new());
            }
            Step::Query(wanted) => {
                let query = query(&wanted, model.now);
                assert_eq!(scan(&store, &query, model.now), model.answer(&query));
                for step in [Duration::from_mins(10), Duration::from_hours(7)] {
                    let counts = store.count_by(&query, step, at(model.now)).unwrap();
                    assert_eq!(counts, model.counts(&query, step));
                }
            }
        }
    }
    assert_eq!(
        scan(&store, &everything(), model.now),
        model.answer(&everything())
    );
    store.maintain(at(model.now)).unwrap();
    assert_eq!(
        scan(&store, &everything(), model.now),
        model.answer(&everything())
    );
    let (store, _) = open(&disk, &options, model.now);
    assert_eq!(
        scan(&store, &everything(), model.now),
        model.answer(&everything())
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn answers_as_a_list(steps in steps()) {
        check(steps);
    }
}

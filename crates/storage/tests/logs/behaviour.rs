//! What callers rely on beside the big properties: hostile lines, bounds, errors, concurrent readers.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::{Level, LogEntry, LogQuery, LogSource, LogTime};
use storage::logs::{Budget, LogStore, LogStoreError, Options};
use world::sim::{DiskFault, SimDisk};
use world::{Disk, OsDisk};

use crate::*;

const NOW: i64 = MIDNIGHT + 12 * HOUR;

fn store() -> (Arc<SimDisk>, LogStore) {
    let disk = Arc::new(SimDisk::new(1));
    let (store, _) = open(&disk, &classes(&[("INFO", 30), ("ERROR", 90)]), NOW);
    (disk, store)
}

#[test]
fn hostile_lines_come_back_bit_for_bit() {
    let (disk, store) = store();
    let long = "\u{1F600}x".repeat((256 << 10) / 5);
    let texts = [
        "",
        "\x1b[2J\x1b]0;owned\x07 ansi",
        "\0\x01\x02\x7f\u{80}\u{9f}\u{85}",
        "two\nlines\r\nand\u{2028}more\t",
        "\"quotes\" 'and' \\back\\slashes {\"json\": [1]}",
        "\u{202e}right to left\u{202c} \u{feff}bom \u{fffd} \u{10ffff}",
        "rowsindxdoneBLFRYLOG",
        &long,
    ];
    let mut lines = Vec::new();
    for (nth, text) in texts.iter().enumerate() {
        for level in Level::ALL {
            let short = &text[..text.len().min(100)];
            lines.push(LogEntry {
                at: LogTime::from_nanos(NOW * 1_000_000 + nth as i64),
                level,
                category: (nth % 2 == 0).then(|| short.to_owned()),
                service: if text.len() > 1000 {
                    String::new()
                } else {
                    (*text).to_owned()
                },
                message: text[..text.len() - short.len() * usize::from(text.len() > 1000)]
                    .to_owned(),
                fields: if text.len() > 1000 {
                    Vec::new()
                } else {
                    vec![
                        ((*text).to_owned(), (*text).to_owned()),
                        (String::new(), String::new()),
                        ((*text).to_owned(), String::new()),
                    ]
                },
            });
        }
    }
    let accepted = store.append("INFO", &lines, at(NOW)).unwrap();
    assert_eq!(accepted.stored, lines.len() as u64);
    let check = |store: &LogStore, now: i64| {
        let mut found: Vec<LogEntry> = scan(store, &everything(), now)
            .into_iter()
            .map(|found| found.entry)
            .collect();
        found.reverse();
        assert!(found == lines);
    };
    check(&store, NOW);
    store.maintain(at(NOW + DAY)).unwrap();
    check(&store, NOW + DAY);
    drop(store);
    let (store, _) = open(&disk, &classes(&[("INFO", 30)]), NOW);
    check(&store, NOW);
}

#[test]
fn every_line_received_is_accounted_for() {
    let (_, store) = store();
    let exact = LogEntry {
        service: String::new(),
        fields: Vec::new(),
        ..line(NOW, Level::Info, &"x".repeat(256 << 10))
    };
    let too_long = LogEntry {
        message: "x".repeat((256 << 10) + 1),
        ..exact.clone()
    };
    let batch = [
        exact,
        too_long,
        line(NOW + DAY, Level::Info, "a day ahead"),
        line(NOW + DAY + 1, Level::Info, "more"),
        line(NOW - 30 * DAY + 1, Level::Info, "just"),
        line(NOW - 30 * DAY, Level::Info, "over"),
    ];
    let accepted = store.append("INFO", &batch, at(NOW)).unwrap();
    let told = (
        accepted.stored,
        accepted.rejected_too_long,
        accepted.rejected_in_future,
        accepted.rejected_too_old,
    );
    assert_eq!(told, (3, 1, 1, 1));
    assert_eq!(store.append("INFO", &[], at(NOW)).unwrap().stored, 0);
    assert!(matches!(
        store.append("TRACE", &batch, at(NOW)),
        Err(LogStoreError::UnknownClass(_))
    ));
    let lines: u64 = store.stats().iter().map(|class| class.lines).sum();
    assert_eq!(lines, 3);
}

#[test]
fn impossible_options() {
    let disk: Arc<dyn Disk> = Arc::new(SimDisk::new(1));
    let check = |options: Options| {
        let opened = LogStore::open(disk.clone(), dir(), options, at(NOW));
        assert!(matches!(opened, Err(LogStoreError::InvalidOptions(_))));
    };
    for name in ["", "a/b", "..", "ü", &"x".repeat(33)] {
        check(classes(&[(name, 1)]));
    }
    check(classes(&[("INFO", 0)]));
    check(classes(&[("INFO", 1), ("info", 2)]));
    check(Options {
        line_bytes_max: 0,
        ..classes(&[("INFO", 1)])
    });
}

#[test]
fn bounds_refuse_whole_batches() {
    let check = |options: Options, expect: Budget| {
        let disk = Arc::new(SimDisk::new(1));
        let (store, _) = open(&disk, &options, NOW);
        let mut stored = 0;
        let refused = loop {
            match store.append("INFO", &[line(NOW, Level::Info, "x")], at(NOW)) {
                Ok(accepted) => stored += accepted.stored,
                Err(error) => break error,
            }
        };
        assert!(
            matches!(refused, LogStoreError::OverBudget(budget) if budget == expect),
            "{refused}"
        );
        assert!(stored > 0);
        assert_eq!(messages(&store, NOW).len() as u64, stored);
        assert_eq!(store.counters().over_budget, 1);
        store
    };
    let options = || classes(&[("INFO", 1)]);
    check(
        Options {
            day_bytes_max: 2_000,
            ..options()
        },
        Budget::DayBytes,
    );
    check(
        Options {
            total_bytes_max: 2_000,
            ..options()
        },
        Budget::TotalBytes,
    );
    let store = check(
        Options {
            unsealed_frames_max: 600,
            ..options()
        },
        Budget::UnsealedFrames,
    );
    assert_eq!(store.maintain(at(NOW)).unwrap().sealed_lines, 600);
    store
        .append("INFO", &[line(NOW, Level::Info, "room again")], at(NOW))
        .unwrap();
}

#[test]
fn a_full_disk_is_told_and_shows_nothing_half() {
    let (disk, store) = store();
    store
        .append("INFO", &[line(NOW, Level::Info, "before")], at(NOW))
        .unwrap();
    disk.fail_at(disk.operations() + 1, DiskFault::Full);
    let batch = [
        line(NOW, Level::Info, "a"),
        line(NOW - DAY, Level::Info, "b"),
    ];
    for _ in 0..3 {
        let refused = store.append("INFO", &batch, at(NOW));
        assert!(matches!(refused, Err(LogStoreError::StorageFull { .. })));
        assert_eq!(messages(&store, NOW), ["before"]);
    }
    assert_eq!(store.counters().storage_full, 3);
    disk.heal();
    store.append("INFO", &batch, at(NOW)).unwrap();
    store.sync().unwrap();
    disk.lose_power();
    let (store, recovery) = open(&disk, &classes(&[("INFO", 30)]), NOW);
    assert_eq!(messages(&store, NOW), ["a", "before", "b"]);
    assert_eq!(recovery.torn_tails, 0);
}

#[test]
fn a_failed_sync_gives_the_file_up() {
    let (disk, store) = store();
    store
        .append("INFO", &[line(NOW, Level::Info, "unsure")], at(NOW))
        .unwrap();
    disk.fail_at(disk.operations() + 1, DiskFault::Io);
    assert!(store.sync().is_err());
    store
        .append("INFO", &[line(NOW, Level::Info, "safe")], at(NOW))
        .unwrap();
    store.sync().unwrap();
    assert_eq!(messages(&store, NOW), ["safe", "unsure"]);
    assert_eq!(disk.list(&dir().join("INFO")).unwrap().len(), 2);
    disk.lose_power();
    let (store, _) = open(&disk, &classes(&[("INFO", 30)]), NOW);
    assert!(messages(&store, NOW).contains(&"safe".to_owned()));
}

#[test]
fn a_reader_sees_its_lines_to_the_end_while_files_are_replaced() {
    let (disk, store) = store();
    for nth in 0..50 {
        store
            .append(
                "INFO",
                &[line(NOW + nth, Level::Info, &format!("{nth}"))],
                at(NOW),
            )
            .unwrap();
    }
    let mut seen = Vec::new();
    store
        .scan(&everything(), &mut |found| {
            if seen.len() == 10 {
                assert_eq!(store.maintain(at(NOW + DAY)).unwrap().sealed_files, 1);
                store
                    .append("INFO", &[line(NOW, Level::Info, "late")], at(NOW))
                    .unwrap();
                assert_eq!(
                    disk.list(&dir().join("INFO")).unwrap().len(),
                    3,
                    "replaced, still read, and the late line"
                );
            }
            seen.push(found.entry.message);
            ControlFlow::Continue(())
        })
        .unwrap();
    let expect: Vec<String> = (0..50).rev().map(|nth| nth.to_string()).collect();
    assert_eq!(seen, expect);
    store.maintain(at(NOW + DAY)).unwrap();
    assert_eq!(
        disk.list(&dir().join("INFO")).unwrap(),
        ["2026-11-23.0-1.log"]
    );
    assert_eq!(messages(&store, NOW).len(), 51);
}

#[test]
fn a_reader_stops_where_lines_are_over() {
    let (_, store) = store();
    for nth in 0..5 {
        store
            .append(
                "INFO",
                &[line(NOW + nth, Level::Info, &format!("{nth}"))],
                at(NOW),
            )
            .unwrap();
    }
    let mut seen = 0;
    store
        .scan(&everything(), &mut |_| {
            seen += 1;
            store.maintain(at(NOW + 32 * DAY)).unwrap();
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(
        seen, 1,
        "deletion does not wait for readers, and is no error for them"
    );
    assert_eq!(messages(&store, NOW), Vec::<String>::new());
}

#[test]
fn a_scan_stops_when_told_and_reads_little() {
    let (_, store) = store();
    let lines: Vec<_> = (0..1000)
        .map(|nth| line(NOW + nth, Level::Info, "x"))
        .collect();
    store.append("INFO", &lines, at(NOW)).unwrap();
    let mut seen = 0;
    store
        .scan(&everything(), &mut |_| {
            seen += 1;
            if seen == 100 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
    assert_eq!(seen, 100);
}

#[test]
fn counts_refuse_nonsense() {
    let (_, store) = store();
    let counted = store.count_by(&everything(), Duration::ZERO, at(NOW));
    assert!(matches!(counted, Err(LogStoreError::InvalidQuery(_))));
    let counted = store.count_by(&everything(), Duration::MAX, at(NOW));
    assert!(matches!(counted, Err(LogStoreError::InvalidQuery(_))));
}

#[test]
fn late_lines_of_many_days_are_synced_too() {
    let (disk, store) = store();
    for round in 0..3 {
        for day in 0..29 {
            let name = format!("{round}/{day}");
            store
                .append(
                    "INFO",
                    &[line(NOW - day * DAY + round, Level::Info, &name)],
                    at(NOW),
                )
                .unwrap();
        }
    }
    store.sync().unwrap();
    disk.lose_power();
    let (store, _) = open(&disk, &classes(&[("INFO", 30)]), NOW);
    assert_eq!(messages(&store, NOW).len(), 87);
}

#[test]
fn the_real_disk_does_the_same() {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("logs-on-a-real-disk");
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let options = classes(&[("INFO", 30)]);
    // What an earlier run left is over by now.
    let later = |run: i64| at(NOW + run * 40 * DAY);
    let runs = disk
        .list(&dir.join("INFO"))
        .map_or(0, |names| names.len() as i64);
    assert!(runs < 10, "every run deletes what it wrote");
    let now = NOW;
    let (store, _) = LogStore::open(disk.clone(), &dir, options.clone(), at(now)).unwrap();
    store.maintain(later(1)).unwrap();
    drop(store);
    let (store, _) = LogStore::open(disk.clone(), &dir, options.clone(), at(now)).unwrap();
    for nth in 0..20 {
        store
            .append(
                "INFO",
                &[line(now + nth, Level::Info, &format!("{nth}"))],
                at(now),
            )
            .unwrap();
    }
    store.sync().unwrap();
    drop(store);
    let (store, recovery) = LogStore::open(disk.clone(), &dir, options, at(now)).unwrap();
    assert_eq!(recovery.lines, 20);
    assert_eq!(store.maintain(at(now + DAY)).unwrap().sealed_lines, 20);
    assert_eq!(messages(&store, now + DAY).len(), 20);
    let query = LogQuery {
        texts: vec!["1".to_owned()],
        ..everything()
    };
    assert_eq!(scan(&store, &query, now).len(), 11);
    store.maintain(later(1)).unwrap();
    assert_eq!(disk.list(&dir.join("INFO")).unwrap(), Vec::<String>::new());
}

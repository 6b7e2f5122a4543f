//! Retention over three virtual years, with a leap day, restarts and failing deletions: never early, unreadable at its very
//! time, bytes gone within 25 hours.

use std::sync::Arc;

use model::{Level, LogQuery, LogTime};
use storage::logs::{LogStore, RetentionChange};
use world::Disk;
use world::sim::{DiskFault, SimDisk};

use crate::*;

/// 2027-01-01 00:00 UTC; 2028 has a leap day.
const START: i64 = 1_798_761_600_000;
const LINES_A_DAY: i64 = 3;

/// The lines of a class at fixed times of the day, so that a test can name them without a list.
fn line_time(nth: i64) -> i64 {
    START + nth * DAY / LINES_A_DAY + 17 * 60_000
}

#[test]
fn debug_for_7_days() {
    three_years("DEBUG", 7);
}

#[test]
fn info_for_30_days() {
    three_years("INFO", 30);
}

#[test]
fn warn_for_90_days() {
    three_years("WARN", 90);
}

#[test]
fn error_for_365_days() {
    three_years("ERROR", 365);
}

#[test]
fn security_for_730_days() {
    three_years("SECURITY", 730);
}

fn three_years(class: &str, keep: u64) {
    let disk = Arc::new(SimDisk::new(9));
    let options = classes(&[(class, keep)]);
    let keep = keep as i64 * DAY;
    let (mut store, _) = open(&disk, &options, START);
    let hours = 3 * 365 * 24 + 24;
    let mut written = 0;
    let mut failures = 0;
    for hour in 0..hours {
        let now = START + hour * HOUR;
        while line_time(written) <= now {
            let entry = line(line_time(written), Level::Info, &format!("{written}"));
            assert_eq!(store.append(class, &[entry], at(now)).unwrap().stored, 1);
            written += 1;
        }
        if hour % (24 * 29) == 0 {
            // At the hour of deletion an operation fails, another one each time, and the process ends in the middle.
            disk.fail_at(disk.operations() + 1 + hour as u64 / 24 % 5, DiskFault::Io);
            failures += u64::from(store.maintain(at(now)).is_err());
            disk.heal();
            drop(store);
            (store, _) = open(&disk, &options, now);
        }
        store.maintain(at(now)).unwrap();
        if hour % 24 == 0 {
            store.sync().unwrap();
            check_deletion(&store, &disk, keep, now);
            check_edge(&store, keep, written, now);
        }
        if hour % (24 * 61) == 0 {
            check_all(&store, keep, written, now);
        }
    }
    println!("{class}: {hours} hours, {written} lines, {failures} interrupted rounds");
    assert!(failures > 20);
}

/// Bytes are gone 25 hours after a line's end, and no file of a later day is.
fn check_deletion(store: &LogStore, disk: &SimDisk, keep: i64, now: i64) {
    let class = &store.stats()[0];
    let Some(oldest) = class.oldest else {
        assert_eq!(now, START);
        return;
    };
    let oldest = oldest.to_timestamp().as_millis();
    assert!(oldest + keep + 25 * HOUR > now, "{} is late", class.class);
    let due = class.next_deletion.unwrap().as_millis();
    assert!(due > now && due <= now + keep + DAY);
    let names = disk.list(&dir().join(&class.class)).unwrap();
    let days = ((now - START) / DAY).min(keep / DAY) as usize;
    assert!(
        (days..=days + 1).contains(&names.len()),
        "{} files",
        names.len()
    );
}

/// The line at the edge is readable one millisecond before its end and not at it.
fn check_edge(store: &LogStore, keep: i64, written: i64, now: i64) {
    // The oldest line that still has time at this moment.
    let nth = (now - keep - START).div_euclid(DAY / LINES_A_DAY) + 1;
    if nth < 0 || nth >= written {
        return;
    }
    let time = line_time(nth);
    let query = LogQuery::range(LogTime::from(at(time)), LogTime::from(at(time + 1)));
    assert_eq!(scan(store, &query, time + keep - 1).len(), 1, "early");
    assert_eq!(scan(store, &query, time + keep).len(), 0, "late");
}

fn check_all(store: &LogStore, keep: i64, written: i64, now: i64) {
    let readable = |nth: &i64| now < line_time(*nth) + keep;
    let expect: Vec<String> = (0..written)
        .rev()
        .filter(readable)
        .map(|nth| nth.to_string())
        .collect();
    assert_eq!(messages(store, now), expect);
}

#[test]
fn a_changed_plan_never_shortens_the_past() {
    let disk = Arc::new(SimDisk::new(1));
    let (thirty, seven) = (classes(&[("INFO", 30)]), classes(&[("INFO", 7)]));
    let now = MIDNIGHT + HOUR;
    let (store, recovery) = open(&disk, &thirty, now);
    assert_eq!(recovery.retention_changes, []);
    store
        .append(
            "INFO",
            &[line(now, Level::Info, "promised 30 days")],
            at(now),
        )
        .unwrap();
    drop(store);

    let (store, recovery) = open(&disk, &seven, now);
    let change = RetentionChange {
        class: "INFO".to_owned(),
        planned: days(7),
        in_files: days(30),
        kept: days(30),
        files: 1,
    };
    assert_eq!(recovery.retention_changes, [change]);
    store
        .append(
            "INFO",
            &[line(now, Level::Info, "promised 7 days")],
            at(now),
        )
        .unwrap();
    store.maintain(at(now + DAY)).unwrap();
    assert_eq!(
        store.stats()[0].files,
        2,
        "lines of two promises are never sealed together"
    );
    assert_eq!(messages(&store, now + 7 * DAY - 1).len(), 2);
    assert_eq!(messages(&store, now + 7 * DAY), ["promised 30 days"]);
    store.maintain(at(now + 9 * DAY)).unwrap();
    assert_eq!(store.stats()[0].files, 1);
    drop(store);

    // A class that leaves the plan keeps its promise too.
    let (store, recovery) = open(&disk, &classes(&[("ERROR", 1)]), now + 9 * DAY);
    assert_eq!(recovery.unplanned_classes, ["INFO"]);
    assert!(
        store
            .append("INFO", &[line(now, Level::Info, "x")], at(now))
            .is_err()
    );
    assert_eq!(messages(&store, now + 30 * DAY - 1), ["promised 30 days"]);
    assert_eq!(messages(&store, now + 30 * DAY), Vec::<String>::new());
    store.maintain(at(MIDNIGHT + 31 * DAY)).unwrap();
    assert_eq!(
        disk.list(&dir().join("INFO")).unwrap(),
        Vec::<String>::new()
    );
}

#[test]
fn a_longer_plan_holds_for_the_past_while_it_stands() {
    let disk = Arc::new(SimDisk::new(1));
    let now = MIDNIGHT + HOUR;
    let (store, _) = open(&disk, &classes(&[("INFO", 7)]), now);
    store
        .append("INFO", &[line(now, Level::Info, "old")], at(now))
        .unwrap();
    drop(store);
    let (store, recovery) = open(&disk, &classes(&[("INFO", 30)]), now);
    assert_eq!(recovery.retention_changes[0].kept, days(30));
    assert_eq!(messages(&store, now + 29 * DAY), ["old"]);
}

#[test]
fn a_full_disk_does_not_stop_deletion() {
    let disk = Arc::new(SimDisk::new(1));
    let (store, _) = open(&disk, &classes(&[("INFO", 7), ("ERROR", 30)]), MIDNIGHT);
    for class in ["INFO", "ERROR"] {
        store
            .append(class, &[line(MIDNIGHT, Level::Info, "x")], at(MIDNIGHT))
            .unwrap();
    }
    disk.fail_at(disk.operations() + 1, DiskFault::Full);
    let now = MIDNIGHT + 8 * DAY;
    assert!(store.maintain(at(now)).is_err(), "ERROR cannot be sealed");
    assert_eq!(
        disk.list(&dir().join("INFO")).unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(messages(&store, now), ["x"]);
}

//! What the store promises, case by case: limits, references, full disks, retention, decay, size.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is the report"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::{Labels, MatchOp, Matcher, Selection, Series, SeriesSource, Timestamp};
use storage::tsdb::{Appended, Options, Recovery, StoreError, Tsdb};
use world::Disk;
use world::sim::{DiskFault, SimDisk};

const DIR: &str = "metrics";
const HOUR_MS: i64 = 3_600_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn named(name: &str) -> Labels {
    Labels::from_pairs([("__name__", name), ("job", "shop")])
}

fn open_with(disk: &Arc<SimDisk>, options: Options) -> (Tsdb, Recovery) {
    Tsdb::open(disk.clone(), Path::new(DIR), options, at(0)).unwrap()
}

fn open(disk: &Arc<SimDisk>) -> Tsdb {
    open_with(disk, Options::default()).0
}

fn all(tsdb: &Tsdb) -> Vec<Series> {
    let selection = Selection {
        matchers: &[],
        from: Timestamp::MIN,
        to: Timestamp::MAX,
        samples_max: usize::MAX,
    };
    tsdb.select(&selection).unwrap()
}

fn count(tsdb: &Tsdb) -> usize {
    all(tsdb).iter().map(|series| series.values.len()).sum()
}

fn one(tsdb: &Tsdb, name: &str, millis: i64, value: f64) -> Appended {
    tsdb.append_labels(&[(named(name), at(millis), value)])
        .unwrap()
}

/// Hours of one sample a minute.
fn fill(tsdb: &Tsdb, name: &str, hours: std::ops::Range<i64>) {
    for minute in hours.start * 60..hours.end * 60 {
        assert_eq!(one(tsdb, name, minute * 60_000, minute as f64).stored, 1);
    }
}

fn files(disk: &SimDisk) -> Vec<PathBuf> {
    let in_dir = |dir: PathBuf| {
        let names = disk.list(&dir).unwrap_or_default();
        names.into_iter().map(move |name| dir.join(name))
    };
    in_dir(Path::new(DIR).join("blocks"))
        .chain(in_dir(Path::new(DIR).join("wal")))
        .collect()
}

#[test]
fn samples_are_judged() {
    let tsdb = open(&Arc::new(SimDisk::new(1)));
    let check = |millis, value, expect: Appended| {
        assert_eq!(one(&tsdb, "a", millis, value), expect, "{millis} {value}")
    };
    check(
        100,
        1.0,
        Appended {
            stored: 1,
            ..Appended::default()
        },
    );
    check(
        100,
        1.0,
        Appended {
            repeated: 1,
            ..Appended::default()
        },
    );
    check(
        100,
        2.0,
        Appended {
            duplicate: 1,
            ..Appended::default()
        },
    );
    check(
        99,
        1.0,
        Appended {
            out_of_order: 1,
            ..Appended::default()
        },
    );
    check(
        101,
        model::stale_marker(),
        Appended {
            stored: 1,
            ..Appended::default()
        },
    );
    check(
        101,
        model::stale_marker(),
        Appended {
            repeated: 1,
            ..Appended::default()
        },
    );
    check(
        101,
        f64::NAN,
        Appended {
            duplicate: 1,
            ..Appended::default()
        },
    );
    let series = all(&tsdb);
    assert!(model::is_stale(series[0].values[1]));
    assert_eq!(tsdb.stats().counts.duplicate, 2);
    fill(&tsdb, "b", 0..3);
    tsdb.maintain(at(3 * HOUR_MS)).unwrap();
    check(
        7_000,
        1.0,
        Appended {
            too_old: 1,
            ..Appended::default()
        },
    );
}

#[test]
fn a_batch_may_hold_several_times() {
    let disk = Arc::new(SimDisk::new(1));
    let tsdb = open(&disk);
    let (a, b) = (
        tsdb.series_ref(&named("a")).unwrap(),
        tsdb.series_ref(&named("b")).unwrap(),
    );
    let batch = [
        (a, at(1), 1.0),
        (b, at(1), 2.0),
        (a, at(2), 3.0),
        (a, at(2), 3.0),
        (a, at(1), 9.0),
    ];
    let appended = tsdb.append(&batch).unwrap();
    assert_eq!(
        (appended.stored, appended.repeated, appended.out_of_order),
        (3, 1, 1)
    );
    let before = all(&tsdb);
    drop(tsdb);
    assert_eq!(all(&open(&disk)), before);
}

#[test]
fn the_series_bound_holds() {
    let (tsdb, _) = open_with(
        &Arc::new(SimDisk::new(1)),
        Options {
            series_max: 2,
            ..Options::default()
        },
    );
    one(&tsdb, "a", 1, 1.0);
    one(&tsdb, "b", 1, 1.0);
    assert!(matches!(
        tsdb.series_ref(&named("c")),
        Err(StoreError::SeriesLimit { limit: 2 })
    ));
    assert_eq!(one(&tsdb, "a", 2, 1.0).stored, 1, "known series go on");
    assert_eq!(tsdb.stats().counts.series_refused, 1);
}

#[test]
fn the_head_bound_holds() {
    let (tsdb, _) = open_with(
        &Arc::new(SimDisk::new(1)),
        Options {
            head_samples_max: 2,
            ..Options::default()
        },
    );
    one(&tsdb, "a", 1, 1.0);
    one(&tsdb, "a", 2, 1.0);
    let series = tsdb.series_ref(&named("a")).unwrap();
    assert!(matches!(
        tsdb.append(&[(series, at(3), 1.0)]),
        Err(StoreError::HeadFull { limit: 2 })
    ));
}

#[test]
fn vanished_series_leave_memory() {
    let tsdb = open(&Arc::new(SimDisk::new(1)));
    let gone = tsdb.series_ref(&named("gone")).unwrap();
    tsdb.append(&[(gone, at(1), 1.0)]).unwrap();
    fill(&tsdb, "stays", 0..5);
    assert_eq!(tsdb.stats().series, 2);
    let done = tsdb.maintain(at(5 * HOUR_MS)).unwrap();
    assert_eq!(
        (done.blocks_cut, done.series_dropped, done.checkpoint),
        (2, 1, true)
    );
    assert_eq!(tsdb.stats().series, 1);
    assert!(matches!(
        tsdb.append(&[(gone, at(5 * HOUR_MS), 1.0)]),
        Err(StoreError::UnknownSeries(_))
    ));
    assert_eq!(
        one(&tsdb, "gone", 5 * HOUR_MS, 2.0).stored,
        1,
        "labels resolve anew"
    );
    let gone: Vec<Series> = all(&tsdb)
        .into_iter()
        .filter(|series| series.labels.metric_name() == "gone")
        .collect();
    assert_eq!(gone[0].values, [1.0, 2.0]);
    assert_eq!(tsdb.last_sample(&named("gone")).unwrap().value, 2.0);
}

#[test]
fn labels_are_listed_from_head_and_blocks() {
    let disk = Arc::new(SimDisk::new(1));
    let tsdb = open(&disk);
    one(&tsdb, "old", 1, 1.0);
    tsdb.append_labels(&[(
        Labels::from_pairs([("__name__", "x"), ("zone", "a")]),
        at(2),
        1.0,
    )])
    .unwrap();
    fill(&tsdb, "new", 4..5);
    tsdb.maintain(at(5 * HOUR_MS)).unwrap();
    let ever = (Timestamp::MIN, Timestamp::MAX);
    assert_eq!(
        tsdb.label_names(&[], ever.0, ever.1),
        ["__name__", "job", "zone"]
    );
    assert_eq!(
        tsdb.label_values("__name__", &[], ever.0, ever.1),
        ["new", "old", "x"]
    );
    let in_shop = [Matcher::equal("job", "shop")];
    assert_eq!(
        tsdb.label_values("__name__", &in_shop, ever.0, ever.1),
        ["new", "old"]
    );
    assert_eq!(
        tsdb.series(&in_shop, at(4 * HOUR_MS), at(5 * HOUR_MS)),
        [named("new")]
    );
    let no_zone = [Matcher::new("zone", MatchOp::Equal, "").unwrap()];
    assert_eq!(
        tsdb.series(&no_zone, ever.0, ever.1),
        [named("new"), named("old")]
    );
    assert_eq!(
        tsdb.last_sample(&named("old")).unwrap().at,
        at(1),
        "found in a block"
    );
    assert_eq!(tsdb.last_sample(&named("never")), None);
}

#[test]
fn retention_goes_by_the_block() {
    let disk = Arc::new(SimDisk::new(1));
    let (tsdb, _) = open_with(
        &disk,
        Options {
            retention: Duration::from_secs(5 * 3600),
            ..Options::default()
        },
    );
    fill(&tsdb, "a", 0..8);
    let done = tsdb.maintain(at(8 * HOUR_MS + HOUR_MS / 2)).unwrap();
    assert_eq!(
        (done.samples_dropped, done.blocks_cut),
        (120, 3),
        "the first span never became a block"
    );
    assert_eq!(
        tsdb.stats().oldest,
        Some(at(2 * HOUR_MS)),
        "a span that is partly in retention stays whole"
    );
    let done = tsdb.maintain(at(9 * HOUR_MS)).unwrap();
    assert_eq!(done.blocks_deleted, 1);
    assert!(done.bytes_deleted > 0);
    assert_eq!(tsdb.stats().oldest, Some(at(4 * HOUR_MS)));
    assert_eq!(count(&tsdb), 4 * 60);
    drop(tsdb);
    disk.lose_power();
    assert_eq!(count(&open(&disk)), 4 * 60);
}

#[test]
fn retention_works_on_a_full_disk() {
    let disk = Arc::new(SimDisk::new(1));
    let (tsdb, _) = open_with(
        &disk,
        Options {
            retention: Duration::from_secs(5 * 3600),
            ..Options::default()
        },
    );
    fill(&tsdb, "a", 0..4);
    tsdb.maintain(at(5 * HOUR_MS)).unwrap();
    fill(&tsdb, "a", 4..6);
    disk.fail_at(disk.operations() + 1, DiskFault::Full);
    let done = tsdb.maintain(at(8 * HOUR_MS)).unwrap();
    assert_eq!(
        (done.blocks_deleted, done.blocks_cut, done.disk_full),
        (1, 0, true)
    );
    let before = all(&tsdb);
    disk.heal();
    let done = tsdb.maintain(at(8 * HOUR_MS)).unwrap();
    assert_eq!(
        (done.blocks_cut, done.disk_full, done.checkpoint),
        (1, false, true)
    );
    assert_eq!(all(&tsdb), before);
}

#[test]
fn a_full_disk_is_outlived() {
    let disk = Arc::new(SimDisk::new(1));
    let tsdb = open(&disk);
    one(&tsdb, "a", 1, 1.0);
    disk.fail_at(disk.operations() + 1, DiskFault::Full);
    for millis in 2..300 {
        assert_eq!(one(&tsdb, "a", millis, millis as f64).stored, 1);
        one(&tsdb, "b", millis, 0.5);
    }
    assert_eq!(
        count(&tsdb),
        1 + 2 * 298,
        "queries see what only memory holds"
    );
    assert_eq!(tsdb.stats().samples_not_durable, 2 * 298);
    assert!(matches!(
        tsdb.sync(),
        Err(StoreError::DiskFull { not_durable: 596 })
    ));
    disk.heal();
    one(&tsdb, "a", 300, 0.0);
    assert_eq!(tsdb.stats().samples_not_durable, 0);
    tsdb.sync().unwrap();
    let before = all(&tsdb);
    drop(tsdb);
    disk.lose_power();
    assert_eq!(all(&open(&disk)), before);
}

#[test]
fn a_failed_sync_poisons_until_recovered() {
    let disk = Arc::new(SimDisk::new(1));
    let tsdb = open(&disk);
    one(&tsdb, "a", 1, 1.0);
    disk.fail_at(disk.operations() + 1, DiskFault::Io);
    assert!(matches!(tsdb.sync(), Err(StoreError::Io { .. })));
    let series = tsdb.series_ref(&named("a")).unwrap();
    assert!(matches!(
        tsdb.append(&[(series, at(2), 2.0)]),
        Err(StoreError::Poisoned)
    ));
    assert!(tsdb.stats().poisoned);
    assert_eq!(tsdb.stats().counts.appends_rejected, 1);
    assert_eq!(count(&tsdb), 1, "queries go on");
    tsdb.recover_writer().unwrap();
    disk.lose_power();
    assert_eq!(count(&open(&disk)), 1, "recovering made everything safe");
}

#[test]
fn a_sync_answers_for_the_process_before() {
    let disk = Arc::new(SimDisk::new(1));
    one(&open(&disk), "a", 1, 1.0);
    // Killed between append and sync; the next process syncs, then the power goes.
    open(&disk).sync().unwrap();
    disk.lose_power();
    assert_eq!(count(&open(&disk)), 1);
}

#[test]
fn a_restart_reads_indexes_only() {
    let disk = Arc::new(SimDisk::new(1));
    let tsdb = open(&disk);
    fill(&tsdb, "a", 0..50);
    tsdb.maintain(at(51 * HOUR_MS)).unwrap();
    drop(tsdb);
    let (tsdb, recovery) = open_with(&disk, Options::default());
    assert_eq!((recovery.blocks_opened, recovery.samples_replayed), (25, 0));
    assert_eq!(tsdb.stats().samples_blocks, 50 * 60);
    assert_eq!(count(&tsdb), 50 * 60);
}

/// A cut must neither hide samples from a query that runs meanwhile nor show them twice, and what was seen once stays.
#[test]
fn queries_see_no_gap_while_blocks_are_cut() {
    let tsdb = open(&Arc::new(SimDisk::new(1)));
    let done = std::sync::atomic::AtomicBool::new(false);
    let read = || {
        let (mut reads, mut seen) = (0, 0);
        while !done.load(std::sync::atomic::Ordering::Acquire) || reads == 0 {
            for series in all(&tsdb) {
                let minutes = series.timestamps.iter().map(|at| at.as_millis() / 60_000);
                assert!(
                    minutes.eq(0..series.values.len() as i64),
                    "no gap, nothing twice"
                );
                assert!(series.values.len() >= seen, "nothing vanishes");
                seen = series.values.len();
            }
            reads += 1;
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(read);
        scope.spawn(read);
        for hour in 0..30 {
            fill(&tsdb, "a", hour..hour + 1);
            tsdb.maintain(at((hour + 1) * HOUR_MS)).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Release);
    });
    assert!(tsdb.stats().blocks >= 13);
}

/// A store with blocks, a checkpoint, a segment and odd values.
fn store_for_decay() -> (Arc<SimDisk>, Vec<Series>) {
    let disk = Arc::new(SimDisk::new(3));
    let tsdb = open(&disk);
    for minute in 0..6 * 60 {
        let millis = minute * 60_000 + minute % 7;
        let batch: Vec<_> = (0..4)
            .map(|series| {
                let value = match series {
                    0 => minute as f64,
                    1 => (minute as f64).sqrt(),
                    2 if minute % 50 == 0 => model::stale_marker(),
                    _ => f64::from(series) / 100.0,
                };
                (named(&format!("series_{series}")), at(millis), value)
            })
            .collect();
        tsdb.append_labels(&batch).unwrap();
        if minute == 300 {
            tsdb.maintain(at(millis)).unwrap();
        }
    }
    tsdb.sync().unwrap();
    let content = all(&tsdb);
    (disk, content)
}

#[test]
fn one_flipped_byte_never_makes_a_wrong_value() {
    let (disk, content) = store_for_decay();
    let truth: std::collections::HashMap<(Labels, i64), u64> = content
        .iter()
        .flat_map(|series| {
            let samples = series.timestamps.iter().zip(&series.values);
            samples.map(|(at, value)| ((series.labels.clone(), at.as_millis()), value.to_bits()))
        })
        .collect();
    let (mut images, mut lossless) = (0, 0);
    for path in files(&disk) {
        let len = disk.len(&path).unwrap() as usize;
        // Each byte of the small structures at both ends, and a sample of the middle.
        for offset in
            (0..len).filter(|offset| *offset < 40 || len - offset < 90 || offset % 37 == 0)
        {
            let (disk, _) = copy_of(&disk);
            disk.flip(&path, offset);
            let image = format!("{} at {offset}", path.display());
            let (tsdb, recovery) = open_with(&disk, Options::default());
            let mut found = 0;
            for series in all(&tsdb) {
                for (at, value) in series.timestamps.iter().zip(&series.values) {
                    let expect = truth.get(&(series.labels.clone(), at.as_millis()));
                    assert_eq!(expect, Some(&value.to_bits()), "{image}");
                    found += 1;
                }
            }
            let stats = tsdb.stats();
            let reported = recovery.blocks_quarantined
                + recovery.wal_quarantined
                + recovery.wal_records_damaged
                + recovery.torn_bytes
                + stats.counts.blocks_damaged
                + stats.counts.chunks_damaged;
            assert!(
                found == truth.len() || reported > 0,
                "{image}: {found} of {} and no word",
                truth.len()
            );
            assert!(
                found * 4 >= truth.len(),
                "{image}: one byte cost {found} of {}",
                truth.len()
            );
            images += 1;
            lossless += usize::from(found == truth.len());
        }
    }
    assert!(images > 500, "{images}");
    println!("{images} images with a flipped byte, {lossless} of them without any loss");
}

/// The same files on another disk.
fn copy_of(disk: &SimDisk) -> (Arc<SimDisk>, usize) {
    let copy = SimDisk::new(1);
    let mut copied = 0;
    for path in files(disk) {
        let mut file = copy.open_append(&path).unwrap();
        file.append(&disk.read(&path).unwrap()).unwrap();
        file.sync().unwrap();
        copied += 1;
    }
    (Arc::new(copy), copied)
}

#[test]
fn a_damaged_block_is_moved_aside_and_kept() {
    let (disk, content) = store_for_decay();
    let block = files(&disk)
        .into_iter()
        .find(|path| path.extension().is_some_and(|kind| kind == "block"))
        .unwrap();
    let len = disk.len(&block).unwrap() as usize;
    let size = disk.len(&block).unwrap();
    disk.flip(&block, len - 100);
    let (tsdb, recovery) = open_with(&disk, Options::default());
    assert_eq!(recovery.blocks_quarantined, 1);
    let aside = PathBuf::from(format!("{}.quarantine", block.display()));
    assert_eq!(disk.len(&aside).unwrap(), size);
    let kept: usize = content.iter().map(|series| series.values.len()).sum();
    assert_eq!(
        count(&tsdb),
        kept - 4 * 120,
        "two hours of four series are missing, the rest serves"
    );
    drop(tsdb);
    assert_eq!(
        open_with(&disk, Options::default()).1.blocks_quarantined,
        0,
        "reported once"
    );
}

/// Two hours of 500 series at 15 s: counters, gauges, constants and noise as a scrape has them.
#[test]
fn size_of_two_hours() {
    let disk = Arc::new(SimDisk::new(1));
    let tsdb = open(&disk);
    let refs: Vec<_> = (0..500)
        .map(|series| {
            let instance = format!("10.0.0.{}:9100", series / 100);
            let labels = Labels::from_pairs([
                ("__name__", format!("metric_{}", series % 100).as_str()),
                ("instance", &instance),
                ("job", "node"),
            ]);
            tsdb.series_ref(&labels).unwrap()
        })
        .collect();
    let mut random = 1u64;
    let mut below = |bound: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % bound
    };
    let mut values = vec![0f64; 500];
    let mut wal_bytes = 0;
    for scrape in 0..480i64 {
        for target in 0..5usize {
            let jitter = if below(10) == 0 {
                below(19) as i64 - 9
            } else {
                0
            };
            let time = at(scrape * 15_000 + target as i64 * 2_777 + jitter.max(0));
            let batch: Vec<_> = (target * 100..target * 100 + 100)
                .map(|series| {
                    let value = &mut values[series];
                    match series % 100 {
                        0..35 => *value += below(1 + series as u64 % 35 * 8) as f64,
                        35..50 => *value = ((*value * 100.0).round() + below(1500) as f64) / 100.0,
                        50..70 => *value += below(1 + series as u64 % 20) as f64,
                        70..80 => *value = (100_000 + below(2_000)) as f64 * 4096.0,
                        80..85 => *value = below(u64::from(u32::MAX)) as f64 / f64::from(u32::MAX),
                        85..95 => *value = 1.5,
                        _ => *value = below(6) as f64,
                    }
                    (refs[series], time, *value)
                })
                .collect();
            assert_eq!(tsdb.append(&batch).unwrap().stored, 100);
        }
        wal_bytes = tsdb.stats().wal_bytes;
    }
    let before = all(&tsdb);
    let done = tsdb.maintain(at(3 * HOUR_MS)).unwrap();
    let stats = tsdb.stats();
    assert!(all(&tsdb) == before, "the block says the same");
    let samples = stats.samples_blocks as f64;
    println!(
        "{samples} samples in {} block(s): {:.3} bytes a sample in blocks, {:.2} in the log before the cut, {} bytes of log after it",
        done.blocks_cut,
        (stats.bytes_on_disk - stats.wal_bytes) as f64 / samples,
        wal_bytes as f64 / samples,
        stats.wal_bytes,
    );
}

//! Crashes: one script of appends, syncs and maintenance, stopped or disturbed at every single disk operation.
//!
//! Three kinds of images are checked after a reopen. *Killed*: everything acknowledged is there. *Power lost*: everything
//! acknowledged before the last successful sync is there. *Fault*: the script goes on after the error; everything
//! acknowledged is there, but for what the store itself called not durable. In no image is there a sample that was never
//! acknowledged, and every value is right to the bit.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, where a panic is the report"
)]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{Labels, Selection, SeriesSource, Timestamp};
use storage::tsdb::{Options, StoreError, Tsdb};
use world::sim::{DiskFault, SimDisk};
use world::{AppendFile, Disk};

const DIR: &str = "data/metrics";
const SPAN_MS: i64 = 10_000;
const RETENTION_MS: i64 = 45_000;

/// A disk of a machine that dies after a number of operations: every later change fails without effect.
struct DyingDisk {
    inner: Arc<SimDisk>,
    left: Arc<AtomicU64>,
}

struct DyingFile {
    inner: Box<dyn AppendFile>,
    left: Arc<AtomicU64>,
}

fn spend(left: &AtomicU64) -> io::Result<()> {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    })
    .map(|_| ())
    .map_err(|_| io::Error::other("the machine is dead"))
}

impl AppendFile for DyingFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        spend(&self.left)?;
        self.inner.append(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        spend(&self.left)?;
        self.inner.sync()
    }
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
}

impl Disk for DyingDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir_all(dir)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.inner.list(dir)
    }
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.inner.read(path)
    }
    fn read_at(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.inner.read_at(path, offset, len)
    }
    fn len(&self, path: &Path) -> io::Result<u64> {
        self.inner.len(path)
    }
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        if self.inner.len(path).is_err() {
            spend(&self.left)?;
        }
        Ok(Box::new(DyingFile {
            inner: self.inner.open_append(path)?,
            left: self.left.clone(),
        }))
    }
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        spend(&self.left)?;
        self.inner.truncate(path, len)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        spend(&self.left)?;
        self.inner.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        spend(&self.left)?;
        self.inner.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        spend(&self.left)?;
        self.inner.sync_dir(dir)
    }
}

type Key = (Labels, i64);

/// What the store said about samples; the judge of every image.
#[derive(Default)]
struct Ledger {
    acknowledged: BTreeMap<Key, u64>,
    synced: BTreeMap<Key, u64>,
    /// Samples before this may be gone: retention.
    floor: i64,
    /// Samples that the store, when asked last, had in memory only.
    not_durable: u64,
}

fn options() -> Options {
    Options {
        retention: Duration::from_millis(RETENTION_MS as u64),
        block_span: Duration::from_millis(SPAN_MS as u64),
        cut_delay: Duration::from_secs(2),
        // Small, so that the script passes through many segments.
        segment_bytes: 700,
        ..Options::default()
    }
}

fn labels(series: usize) -> Labels {
    Labels::from_pairs([
        ("__name__", "requests_total"),
        ("path", &format!("/{series}")),
        ("job", "shop"),
    ])
}

fn value(series: usize, at: i64) -> f64 {
    match (series + at as usize) % 7 {
        0 => model::stale_marker(),
        1 => f64::from_bits(0x7ff8_0000_0000_0000 | at as u64),
        2 => -0.0,
        3 => at as f64 / 100.0,
        4 => (at as f64).sqrt(),
        _ => at as f64,
    }
}

fn open(disk: Arc<dyn Disk>) -> Result<Tsdb, StoreError> {
    Tsdb::open(disk, Path::new(DIR), options(), Timestamp::from_millis(0)).map(|(tsdb, _)| tsdb)
}

fn all_samples(tsdb: &Tsdb) -> BTreeMap<Key, u64> {
    let selection = Selection {
        matchers: &[],
        from: Timestamp::MIN,
        to: Timestamp::MAX,
        samples_max: usize::MAX,
    };
    let mut found = BTreeMap::new();
    for series in tsdb.select(&selection).expect("reads do not fail here") {
        for (at, value) in series.timestamps.iter().zip(&series.values) {
            let before = found.insert((series.labels.clone(), at.as_millis()), value.to_bits());
            assert_eq!(before, None, "no time twice");
        }
    }
    found
}

/// Series that append at a step: two always, others come and go, so that series are born and leave memory.
fn active(step: i64) -> Vec<usize> {
    let mut series = vec![0, 1];
    series.push(2 + (step / 9 % 4) as usize);
    series
}

/// Runs the script as far as the disk lets it, and writes down what the store promises.
fn run(disk: &Arc<dyn Disk>, ledger: &mut Ledger, steps: std::ops::Range<i64>) -> Option<Tsdb> {
    let tsdb = open(disk.clone()).ok()?;
    for step in steps {
        let at = step * 1000;
        let batch: Vec<_> = active(step)
            .into_iter()
            .map(|series| {
                (
                    labels(series),
                    Timestamp::from_millis(at),
                    value(series, at),
                )
            })
            .collect();
        for _ in 0..2 {
            match tsdb.append_labels(&batch) {
                Ok(appended) => {
                    assert_eq!(
                        appended.stored + appended.repeated,
                        batch.len() as u64,
                        "step {step}"
                    );
                    for (labels, at, value) in &batch {
                        ledger
                            .acknowledged
                            .insert((labels.clone(), at.as_millis()), value.to_bits());
                    }
                    break;
                }
                Err(StoreError::Io { .. } | StoreError::Poisoned) => {
                    let _ = tsdb.recover_writer();
                }
                Err(other) => panic!("step {step}: {other}"),
            }
        }
        if step % 3 == 2 {
            match tsdb.sync() {
                Ok(()) => ledger.synced = ledger.acknowledged.clone(),
                Err(StoreError::DiskFull { .. }) => {}
                Err(StoreError::Io { .. } | StoreError::Poisoned) => {
                    if tsdb.recover_writer().is_ok() {
                        ledger.synced = ledger.acknowledged.clone();
                    }
                }
                Err(other) => panic!("step {step}: {other}"),
            }
        }
        if step % 7 == 6 {
            ledger.floor = ledger.floor.max(at - RETENTION_MS);
            let _ = tsdb.maintain(Timestamp::from_millis(at));
        }
        ledger.not_durable = tsdb.stats().samples_not_durable;
    }
    Some(tsdb)
}

fn check(
    found: &BTreeMap<Key, u64>,
    ledger: &Ledger,
    required: &BTreeMap<Key, u64>,
    may_lack: u64,
    image: &str,
) {
    for (key, bits) in found {
        assert_eq!(
            ledger.acknowledged.get(key),
            Some(bits),
            "{image}: invented or changed {key:?}"
        );
    }
    let missing: Vec<&Key> = required
        .keys()
        .filter(|key| key.1 >= ledger.floor && !found.contains_key(key))
        .collect();
    assert!(
        missing.len() as u64 <= may_lack,
        "{image}: {} missing, first {:?}",
        missing.len(),
        missing.first()
    );
}

/// The image must open, be right, take further appends and maintenance, and still be right.
fn check_image(
    disk: &Arc<SimDisk>,
    mut ledger: Ledger,
    required: &BTreeMap<Key, u64>,
    may_lack: u64,
    image: &str,
) {
    let shared: Arc<dyn Disk> = disk.clone();
    let tsdb = open(shared.clone()).unwrap_or_else(|error| panic!("{image}: {error}"));
    let found = all_samples(&tsdb);
    check(&found, &ledger, required, may_lack, image);
    let stats = tsdb.stats();
    assert_eq!(
        stats.samples_head + stats.samples_blocks,
        found.len() as u64,
        "{image}: a sample is in a block or in the head, not in both"
    );
    drop(tsdb);
    ledger.acknowledged = found.clone();
    let tsdb = run(&shared, &mut ledger, STEPS..STEPS + 10).expect("opens");
    tsdb.sync().unwrap();
    check(
        &all_samples(&tsdb),
        &ledger,
        &ledger.acknowledged,
        0,
        &format!("{image}, continued"),
    );
    drop(tsdb);
    disk.lose_power();
    let tsdb = open(shared).unwrap();
    check(
        &all_samples(&tsdb),
        &ledger,
        &ledger.acknowledged,
        0,
        &format!("{image}, continued, power lost"),
    );
}

const STEPS: i64 = 75;

fn operations_of_script() -> u64 {
    let disk = Arc::new(SimDisk::new(1));
    let shared: Arc<dyn Disk> = disk.clone();
    let mut ledger = Ledger::default();
    let tsdb = run(&shared, &mut ledger, 0..STEPS).expect("a sound disk");
    let stats = tsdb.stats();
    assert!(
        stats.blocks >= 2 && stats.counts.appended == 3 * STEPS as u64,
        "{stats:?}"
    );
    println!(
        "the script takes {} operations: as many killed, powerless, and three times faulty images",
        disk.operations()
    );
    check(
        &all_samples(&tsdb),
        &ledger,
        &ledger.acknowledged,
        0,
        "no fault",
    );
    disk.operations()
}

#[test]
fn killed_or_powerless_at_every_operation() {
    let operations = operations_of_script();
    assert!(
        operations >= 100,
        "{operations} operations make too few images"
    );
    for after in 0..operations {
        for power_lost in [false, true] {
            let disk = Arc::new(SimDisk::new(after));
            let dying: Arc<dyn Disk> = Arc::new(DyingDisk {
                inner: disk.clone(),
                left: Arc::new(AtomicU64::new(after)),
            });
            let mut ledger = Ledger::default();
            drop(run(&dying, &mut ledger, 0..STEPS));
            let required = if power_lost {
                ledger.synced.clone()
            } else {
                ledger.acknowledged.clone()
            };
            if power_lost {
                disk.lose_power();
            }
            check_image(
                &disk,
                ledger,
                &required,
                0,
                &format!("dead after {after}, power lost: {power_lost}"),
            );
        }
    }
}

#[test]
fn a_fault_at_every_operation() {
    let operations = operations_of_script();
    for fault in [DiskFault::Io, DiskFault::Torn, DiskFault::Full] {
        for at in 1..=operations {
            let disk = Arc::new(SimDisk::new(at));
            disk.fail_at(at, fault);
            let shared: Arc<dyn Disk> = disk.clone();
            let mut ledger = Ledger::default();
            let mut tsdb = run(&shared, &mut ledger, 0..STEPS);
            let image = format!("{fault:?} at {at}");
            if tsdb.is_none() {
                // The fault hit the very opening; a service manager would start the process again.
                tsdb = run(&shared, &mut ledger, 0..STEPS);
            }
            let tsdb = tsdb.unwrap_or_else(|| panic!("{image}: the second start"));
            check(
                &all_samples(&tsdb),
                &ledger,
                &ledger.acknowledged,
                0,
                &format!("{image}, alive"),
            );
            // Half of the full disks get space again before the end.
            if fault == DiskFault::Full && at % 2 == 0 {
                disk.heal();
                let end = Timestamp::from_millis(STEPS * 1000 - 500);
                tsdb.append_labels(&[(labels(9), end, 1.0)]).unwrap();
                ledger
                    .acknowledged
                    .insert((labels(9), end.as_millis()), 1f64.to_bits());
                assert_eq!(tsdb.stats().samples_not_durable, 0, "{image}: resumed");
                ledger.not_durable = 0;
            }
            drop(tsdb);
            disk.heal();
            let (required, may_lack) = (ledger.acknowledged.clone(), ledger.not_durable);
            check_image(&disk, ledger, &required, may_lack, &image);
        }
    }
}

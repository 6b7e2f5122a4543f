//! The log store on the simulated disk: against a model, through crashes, decay, years of retention and hostile lines.
//! The public interface only; formats have their tests beside them in `src/logs`.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests may panic as tests may"
)]

mod behaviour;
mod crash;
mod damage;
mod format;
mod like_a_list;
mod retention;
mod size;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::{Level, LogEntry, LogQuery, LogTime, StoredEntry, Timestamp};
use storage::logs::{LogStore, Options, Recovery, Retention};
use world::Disk;
use world::sim::SimDisk;

/// 2026-11-23 00:00 UTC.
pub(crate) const MIDNIGHT: i64 = 1_795_392_000_000;
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

pub(crate) fn dir() -> &'static Path {
    Path::new("data/logs")
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn days(count: u64) -> Duration {
    Duration::from_hours(24 * count)
}

pub(crate) fn classes(list: &[(&str, u64)]) -> Options {
    let class = |(name, keep): &(&str, u64)| Retention {
        class: (*name).to_owned(),
        keep: days(*keep),
    };
    Options::new(list.iter().map(class).collect())
}

pub(crate) fn open(disk: &Arc<SimDisk>, options: &Options, now: i64) -> (LogStore, Recovery) {
    open_on(disk.clone(), options, now)
}

pub(crate) fn open_on(disk: Arc<dyn Disk>, options: &Options, now: i64) -> (LogStore, Recovery) {
    LogStore::open(disk, dir(), options.clone(), at(now)).expect("the directory is there")
}

pub(crate) fn line(millis: i64, level: Level, message: &str) -> LogEntry {
    LogEntry {
        at: LogTime::from(at(millis)),
        level,
        category: None,
        service: "shop".to_owned(),
        message: message.to_owned(),
        fields: vec![("request_id".to_owned(), format!("r-{message}"))],
    }
}

pub(crate) fn everything() -> LogQuery {
    LogQuery::range(LogTime::from_nanos(i64::MIN), LogTime::from_nanos(i64::MAX))
}

pub(crate) fn scan(store: &LogStore, query: &LogQuery, now: i64) -> Vec<StoredEntry> {
    let mut found = Vec::new();
    store
        .scan_at(query, at(now), &mut |entry| {
            found.push(entry);
            ControlFlow::Continue(())
        })
        .expect("the disk reads");
    found
}

/// The messages of all lines, newest first.
pub(crate) fn messages(store: &LogStore, now: i64) -> Vec<String> {
    let entries = scan(store, &everything(), now);
    entries
        .into_iter()
        .map(|found| found.entry.message)
        .collect()
}

/// A second disk with the same files, all synced.
pub(crate) fn copy(disk: &SimDisk) -> SimDisk {
    let twin = SimDisk::new(7);
    for class in disk.list(dir()).unwrap() {
        let folder = dir().join(class);
        for name in disk.list(&folder).unwrap() {
            let path = folder.join(name);
            put(&twin, &path, &disk.read(&path).unwrap());
        }
    }
    twin
}

pub(crate) fn put(disk: &SimDisk, path: &Path, bytes: &[u8]) {
    let mut file = disk.open_append(path).unwrap();
    file.append(bytes).unwrap();
    file.sync().unwrap();
    disk.sync_dir(path.parent().unwrap()).unwrap();
}

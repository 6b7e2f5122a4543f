//! What the store holds and what went wrong: the proof of retention, and the numbers behind the monitor's own alerts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{LogTime, Timestamp};

use super::shelf::Class;
use super::{LogStore, LogStoreError};

/// One class, as it is on the disk now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassStats {
    /// Its name.
    pub class: String,
    /// The plan's period; `None` for a class that the plan no longer names (its files keep their own period).
    pub keep: Option<Duration>,
    /// Its files.
    pub files: u64,
    /// Their bytes on disk.
    pub bytes: u64,
    /// Readable lines in them, those that are over but not yet unlinked included.
    pub lines: u64,
    /// The earliest line on the disk.
    pub oldest: Option<LogTime>,
    /// The latest line.
    pub newest: Option<LogTime>,
    /// When the next file is due to be unlinked.
    pub next_deletion: Option<Timestamp>,
    /// Places in files that cannot be read.
    pub damaged_frames: u64,
    /// Lines known to be in them.
    pub damaged_lines: u64,
}

/// What happened since the store was opened.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Batches that failed at the disk.
    pub append_failures: u64,
    /// Of these, for want of space.
    pub storage_full: u64,
    /// Batches refused because a bound of the options was reached.
    pub over_budget: u64,
    /// Syncs that failed.
    pub sync_failures: u64,
    /// Rounds of maintenance that failed in part.
    pub maintenance_failures: u64,
    /// Frames found damaged while reading.
    pub damaged_frames: u64,
}

#[derive(Default)]
pub(super) struct CounterCells {
    append_failures: AtomicU64,
    storage_full: AtomicU64,
    over_budget: AtomicU64,
    sync_failures: AtomicU64,
    maintenance_failures: AtomicU64,
    damaged_frames: AtomicU64,
}

impl CounterCells {
    pub(super) fn append_failed(&self, error: &LogStoreError) {
        add(&self.append_failures);
        if matches!(error, LogStoreError::StorageFull { .. }) {
            add(&self.storage_full);
        }
    }

    pub(super) fn over_budget(&self) {
        add(&self.over_budget);
    }

    pub(super) fn sync_failed(&self) {
        add(&self.sync_failures);
    }

    pub(super) fn maintenance_failed(&self) {
        add(&self.maintenance_failures);
    }

    pub(super) fn frame_damaged(&self) {
        add(&self.damaged_frames);
    }
}

impl LogStore {
    /// What each class holds, in order of names.
    pub fn stats(&self) -> Vec<ClassStats> {
        self.classes.values().map(class_stats).collect()
    }

    /// What happened since the store was opened.
    pub fn counters(&self) -> Counters {
        let cells = &self.counters;
        Counters {
            append_failures: get(&cells.append_failures),
            storage_full: get(&cells.storage_full),
            over_budget: get(&cells.over_budget),
            sync_failures: get(&cells.sync_failures),
            maintenance_failures: get(&cells.maintenance_failures),
            damaged_frames: get(&cells.damaged_frames),
        }
    }
}

fn class_stats(class: &Class) -> ClassStats {
    let files = class.snapshot();
    let mut stats = ClassStats {
        class: class.name.clone(),
        keep: class.planned,
        files: files.len() as u64,
        bytes: 0,
        lines: 0,
        oldest: None,
        newest: None,
        next_deletion: files.iter().map(|file| file.deletion).min(),
        damaged_frames: 0,
        damaged_lines: 0,
    };
    for file in files {
        let index = file.index();
        stats.bytes += index.bytes;
        stats.lines += index.lines;
        stats.damaged_frames += index.damaged_frames;
        stats.damaged_lines += index.damaged_lines;
        if let Some((min_at, max_at)) = index.times() {
            let (min_at, max_at) = (LogTime::from_nanos(min_at), LogTime::from_nanos(max_at));
            stats.oldest = Some(stats.oldest.map_or(min_at, |oldest| oldest.min(min_at)));
            stats.newest = Some(stats.newest.map_or(max_at, |newest| newest.max(max_at)));
        }
    }
    stats
}

fn add(cell: &AtomicU64) {
    cell.fetch_add(1, Ordering::Relaxed);
}

fn get(cell: &AtomicU64) -> u64 {
    cell.load(Ordering::Relaxed)
}

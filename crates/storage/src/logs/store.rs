//! The log store as its callers see it: append, sync, maintain.
//!
//! No thread and no clock of its own: whoever runs it calls `sync` about once a second and `maintain` at least once an hour (once
//! a minute is better: it bounds what waits in small frames).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::{LogEntry, LogTime, Timestamp};
use world::Disk;

use super::block::{BlockBuilder, line_bytes};
use super::day::Day;
use super::day_file::readable_from;
use super::error::Budget;
use super::frame::Packed;
use super::shelf::Class;
use super::stats::CounterCells;
use super::{LogStoreError, Options, Recovery, recovery, retention, seal};

/// A batch larger than this becomes several frames: a reader decodes one at a time.
const APPEND_FRAME_RAW_BYTES: usize = 4 << 20;
/// Senders' clocks may be wrong by as much; a line from further ahead would never be deleted in anybody's lifetime.
const AHEAD_MAX: Duration = Duration::from_hours(24);

/// What became of a batch. `stored + rejected_… = received`, exactly.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Lines that are with the operating system now (and survive the end of this process).
    pub stored: u64,
    /// Older than their class keeps: they would be deleted at once.
    pub rejected_too_old: u64,
    /// Longer than `Options::line_bytes_max`.
    pub rejected_too_long: u64,
    /// More than a day ahead of `now`.
    pub rejected_in_future: u64,
}

/// What a round of maintenance did.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintained {
    /// Files whose time was over, unlinked.
    pub expired_files: u64,
    /// Their bytes.
    pub expired_bytes: u64,
    /// Their lines.
    pub expired_lines: u64,
    /// Sealed files written.
    pub sealed_files: u64,
    /// Lines in them.
    pub sealed_lines: u64,
    /// Files replaced by sealed ones and unlinked.
    pub replaced_files: u64,
}

/// The embedded log store. Share it in an `Arc`.
pub struct LogStore {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) options: Options,
    pub(super) classes: BTreeMap<String, Class>,
    pub(super) total_bytes: AtomicU64,
    pub(super) unsealed_frames: AtomicU64,
    pub(super) counters: CounterCells,
    latest_now: AtomicI64,
    maintenance: Mutex<()>,
}

impl LogStore {
    /// Opens the store in a directory, making it when it is missing, and repairs what a crash left: cuts torn tails, removes
    /// half-written files, and says what it found. Damaged frames and files that it does not know stay where they are.
    ///
    /// # Errors
    /// Impossible options (fix the plan), or a directory that cannot be made or listed (fix the machine).
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: Options,
        now: Timestamp,
    ) -> Result<(LogStore, Recovery), LogStoreError> {
        options.check()?;
        let (classes, recovery) = recovery::recover(&*disk, dir, &options)?;
        let store = LogStore {
            disk,
            options,
            total_bytes: AtomicU64::new(recovery.bytes),
            unsealed_frames: AtomicU64::new(recovery.unsealed_frames),
            classes,
            counters: CounterCells::default(),
            latest_now: AtomicI64::new(now.as_millis()),
            maintenance: Mutex::new(()),
        };
        Ok((store, recovery))
    }

    /// Writes lines of one class. When it returns, those counted as stored are with the operating system: they survive the end
    /// of this process, and a power loss after the next [`LogStore::sync`]. Lines keep their order within a time.
    ///
    /// # Errors
    /// See [`LogStoreError`]. Nothing of the batch is visible then, and the same batch may be tried again.
    pub fn append(
        &self,
        class: &str,
        entries: &[LogEntry],
        now: Timestamp,
    ) -> Result<Accepted, LogStoreError> {
        self.note(now);
        let unknown = || LogStoreError::UnknownClass(class.to_owned());
        let class = self.classes.get(class).ok_or_else(unknown)?;
        let keep = class.planned.ok_or_else(unknown)?;
        let (accepted, batch) = self.sort_by_day(entries, keep, now);
        if accepted.stored == 0 {
            return Ok(accepted);
        }
        let frames = batch.iter().map(|(_, frames)| frames.len() as u64).sum();
        let mut writers = class.writers();
        self.check_budget(class, &batch, frames)?;
        let written = writers.append(&*self.disk, class, &batch, now);
        drop(writers);
        let bytes = written.inspect_err(|error| self.counters.append_failed(error))?;
        self.total_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.unsealed_frames.fetch_add(frames, Ordering::Relaxed);
        Ok(accepted)
    }

    /// Makes everything appended so far survive a power loss. Call it about once a second.
    ///
    /// # Errors
    /// The first failure; the rest is synced nevertheless. Lines since the last good sync may not survive a power loss; the
    /// failed file takes no more lines.
    pub fn sync(&self) -> Result<(), LogStoreError> {
        let mut outcome = Ok(());
        for class in self
            .classes
            .values()
            .filter(|class| class.planned.is_some())
        {
            let synced = class.writers().sync(&*self.disk, class);
            outcome = outcome.and(synced);
        }
        outcome.inspect_err(|_| self.counters.sync_failed())
    }

    /// Unlinks what is over, then rewrites small frames into blocks. Rounds do not overlap; a second caller waits.
    ///
    /// # Errors
    /// The first failure, after everything else was tried. What failed is tried again in the next round.
    pub fn maintain(&self, now: Timestamp) -> Result<Maintained, LogStoreError> {
        self.note(now);
        let _one_at_a_time = self
            .maintenance
            .lock()
            .expect("no code panics while it holds this lock");
        let mut done = Maintained::default();
        let mut outcome = Ok(());
        // All deletion comes first: on a full disk it makes the room that sealing needs.
        for class in self.classes.values() {
            outcome = outcome.and(retention::expire(self, class, now, &mut done));
            outcome = outcome.and(seal::remove_replaced(self, class, &mut done));
        }
        for class in self.classes.values() {
            outcome = outcome.and(seal::seal_class(self, class, now, &mut done));
            outcome = outcome.and(seal::remove_replaced(self, class, &mut done));
        }
        outcome.inspect_err(|_| self.counters.maintenance_failed())?;
        Ok(done)
    }

    /// The latest time that any caller named: what is over at that time is not read again.
    pub(super) fn latest_now(&self) -> Timestamp {
        Timestamp::from_millis(self.latest_now.load(Ordering::Relaxed))
    }

    fn note(&self, now: Timestamp) {
        self.latest_now
            .fetch_max(now.as_millis(), Ordering::Relaxed);
    }

    fn sort_by_day(
        &self,
        entries: &[LogEntry],
        keep: Duration,
        now: Timestamp,
    ) -> (Accepted, Vec<(Day, Vec<Packed>)>) {
        let mut accepted = Accepted::default();
        let mut days: BTreeMap<Day, Vec<BlockBuilder>> = BTreeMap::new();
        let oldest = LogTime::from_nanos(readable_from(keep, now));
        let newest = LogTime::from(now + AHEAD_MAX);
        for entry in entries {
            if line_bytes(entry) > self.options.line_bytes_max {
                accepted.rejected_too_long += 1;
            } else if entry.at < oldest {
                accepted.rejected_too_old += 1;
            } else if entry.at > newest {
                accepted.rejected_in_future += 1;
            } else {
                accepted.stored += 1;
                push(days.entry(Day::of(entry.at)).or_default(), entry);
            }
        }
        let pack = |(day, blocks): (Day, Vec<BlockBuilder>)| {
            (day, blocks.iter().map(Packed::rows).collect())
        };
        (accepted, days.into_iter().map(pack).collect())
    }

    fn check_budget(
        &self,
        class: &Class,
        batch: &[(Day, Vec<Packed>)],
        frames: u64,
    ) -> Result<(), LogStoreError> {
        let refuse = |budget| {
            self.counters.over_budget();
            Err(LogStoreError::OverBudget(budget))
        };
        if self.unsealed_frames.load(Ordering::Relaxed) + frames > self.options.unsealed_frames_max
        {
            return refuse(Budget::UnsealedFrames);
        }
        let mut total = self.total_bytes.load(Ordering::Relaxed);
        for (day, frames) in batch {
            let bytes: u64 = frames.iter().map(Packed::len).sum();
            total += bytes;
            if class.shelf().day_bytes(*day) + bytes > self.options.day_bytes_max {
                return refuse(Budget::DayBytes);
            }
        }
        if total > self.options.total_bytes_max {
            return refuse(Budget::TotalBytes);
        }
        Ok(())
    }
}

fn push(blocks: &mut Vec<BlockBuilder>, entry: &LogEntry) {
    match blocks.last_mut() {
        Some(block) if block.raw_len() < APPEND_FRAME_RAW_BYTES => block.push(entry),
        Some(_) | None => {
            let mut block = BlockBuilder::default();
            block.push(entry);
            blocks.push(block);
        }
    }
}

//! Appending: the day files that are open, and what happens when a write fails.
//!
//! A file that failed once takes no more frames (its tail is cut, or left for recovery to cut); the next batch starts a new one.
//! That way no good frame ever stands behind a torn one, and no fsync is tried twice on the same data.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use model::Timestamp;
use world::{AppendFile, Disk};

use super::LogStoreError;
use super::day::Day;
use super::day_file::{DayFile, FileHeader, FileName, HEADER_BYTES, Index};
use super::frame::{FrameMeta, Kind, Packed};
use super::shelf::Class;

/// Days that one class writes at the same time. Today, yesterday's stragglers and a few senders with wrong clocks.
const OPEN_DAYS_MAX: usize = 8;
/// Files that are no longer written and wait for the next sync. Reached only by a sender that replays many days.
const RETIRED_MAX: usize = 64;
/// A file is full at this many raw bytes: sealing sorts one such file in memory.
pub(super) const OPEN_RAW_BYTES_MAX: u64 = 16 << 20;
/// A file is full at this many frames: 48 bytes of memory each.
const OPEN_FRAMES_MAX: usize = 16_384;
/// How often to look for a free number when files lie about that nobody listed.
const NUMBER_TRIES: u32 = 16;

/// The open files of a class.
#[derive(Default)]
pub(super) struct Writers {
    open: BTreeMap<Day, Writer>,
    /// Not written any more but not synced either.
    retired: Vec<Retired>,
    /// A file was made since the directory was synced.
    names_changed: bool,
}

struct Writer {
    file: Arc<DayFile>,
    handle: Box<dyn AppendFile>,
    unsynced: bool,
}

struct Retired {
    path: PathBuf,
    /// Weak, because a replaced file is removed when nobody holds it.
    file: Weak<DayFile>,
    handle: Box<dyn AppendFile>,
}

/// Frames that are in a file but not yet in its index.
pub(super) struct Written {
    day: Day,
    /// The file's length before; 0 if it was made for these frames.
    length_before: u64,
    length: u64,
    frames: Vec<FrameMeta>,
}

impl Writers {
    /// Writes the frames of one batch, all or none, and shows them to readers.
    pub(super) fn append(
        &mut self,
        disk: &dyn Disk,
        class: &Class,
        batch: &[(Day, Vec<Packed>)],
        now: Timestamp,
    ) -> Result<u64, LogStoreError> {
        let mut written = Vec::with_capacity(batch.len());
        for (day, frames) in batch {
            match self.append_day(disk, class, *day, frames, now) {
                Ok(done) => written.push(done),
                Err(error) => {
                    for done in written {
                        self.take_back(disk, done.day, done.length_before);
                    }
                    return Err(error);
                }
            }
        }
        let bytes = written
            .iter()
            .map(|done| done.length - done.length_before)
            .sum();
        self.publish(class, written);
        Ok(bytes)
    }

    /// Makes everything that was appended survive a power loss. Goes on after a failure and tells the first.
    pub(super) fn sync(&mut self, disk: &dyn Disk, class: &Class) -> Result<(), LogStoreError> {
        let mut outcome = Ok(());
        for retired in std::mem::take(&mut self.retired) {
            outcome = outcome.and(sync_retired(retired));
        }
        let mut failed = Vec::new();
        for (day, writer) in &mut self.open {
            if !writer.unsynced {
                continue;
            }
            writer.unsynced = false;
            if let Err(source) = writer.handle.sync() {
                writer.file.close();
                failed.push(*day);
                let error = LogStoreError::io("sync", &writer.file.path, source);
                outcome = outcome.and(Err(error));
            }
        }
        for day in failed {
            self.open.remove(&day);
        }
        if self.names_changed {
            match disk.sync_dir(&class.dir) {
                Ok(()) => self.names_changed = false,
                Err(source) => {
                    outcome = outcome.and(Err(LogStoreError::io("sync", &class.dir, source)));
                }
            }
        }
        outcome
    }

    /// Closes the files of a day: what comes later goes to a new one. The next sync still covers them.
    pub(super) fn retire(&mut self, day: Day) -> Result<(), LogStoreError> {
        if let Some(writer) = self.open.get(&day) {
            writer.file.close();
        }
        self.let_go(day)
    }

    /// Forgets a day whose files are deleted.
    pub(super) fn forget(&mut self, day: Day) {
        if let Some(writer) = self.open.remove(&day) {
            writer.file.close();
        }
    }

    fn append_day(
        &mut self,
        disk: &dyn Disk,
        class: &Class,
        day: Day,
        frames: &[Packed],
        now: Timestamp,
    ) -> Result<Written, LogStoreError> {
        let header = self.make_ready(disk, class, day, now)?;
        self.names_changed |= header.is_some();
        let writer = self.open.get_mut(&day).expect("it was just made ready");
        let length_before = writer.file.index().bytes;
        let mut bytes = header.map_or_else(Vec::new, |header| header.encode().to_vec());
        let salt = writer.file.salt;
        let placed: Vec<FrameMeta> = frames
            .iter()
            .map(|frame| frame.place(&mut bytes, length_before, Kind::Rows, salt))
            .collect();
        if let Err(source) = writer.handle.append(&bytes) {
            let error = LogStoreError::io("append to", &writer.file.path, source);
            self.take_back(disk, day, length_before);
            return Err(error);
        }
        writer.unsynced = true;
        Ok(Written {
            day,
            length_before,
            length: length_before + bytes.len() as u64,
            frames: placed,
        })
    }

    fn publish(&mut self, class: &Class, written: Vec<Written>) {
        for done in written {
            let writer = &self.open[&done.day];
            let mut index = writer.file.index_mut();
            index.bytes = done.length;
            for frame in done.frames {
                index.add(frame);
            }
            drop(index);
            if done.length_before == 0 {
                let file = writer.file.clone();
                class.shelf().files.insert(file.name, file);
            }
        }
    }

    /// Takes a failed batch out of a file as well as the disk lets it, and gives the file up. A tail that stays was never
    /// acknowledged; recovery cuts it, or finds it whole and keeps it.
    fn take_back(&mut self, disk: &dyn Disk, day: Day, length_before: u64) {
        let Some(writer) = self.open.remove(&day) else {
            return;
        };
        writer.file.close();
        let path = writer.file.path.clone();
        if length_before == 0 {
            let _ = disk.remove(&path);
            return;
        }
        let _ = disk.truncate(&path, length_before);
        // Earlier batches in it may still be unsynced, and the next sync answers for them.
        self.retired.push(Retired {
            path,
            file: Arc::downgrade(&writer.file),
            handle: writer.handle,
        });
    }

    /// Lets `open` hold a file for the day that takes more frames. Returns a header if the file is new and has none yet.
    fn make_ready(
        &mut self,
        disk: &dyn Disk,
        class: &Class,
        day: Day,
        now: Timestamp,
    ) -> Result<Option<FileHeader>, LogStoreError> {
        if let Some(writer) = self.open.get(&day) {
            if !writer.file.is_closed() && !is_full(&writer.file) {
                return Ok(None);
            }
            self.retire(day)?;
        }
        if self.open.len() >= OPEN_DAYS_MAX
            && let Some((oldest, _)) = self.open.first_key_value()
        {
            let oldest = *oldest;
            self.let_go(oldest)?;
        }
        if let Some(writer) = reopen(disk, class, day) {
            self.open.insert(day, writer);
            return Ok(None);
        }
        let (header, writer) = create(disk, class, day, now)?;
        self.open.insert(day, writer);
        Ok(Some(header))
    }

    fn let_go(&mut self, day: Day) -> Result<(), LogStoreError> {
        let Some(writer) = self.open.remove(&day) else {
            return Ok(());
        };
        if !writer.unsynced {
            return Ok(());
        }
        let retired = Retired {
            path: writer.file.path.clone(),
            file: Arc::downgrade(&writer.file),
            handle: writer.handle,
        };
        if self.retired.len() < RETIRED_MAX {
            self.retired.push(retired);
            return Ok(());
        }
        sync_retired(retired)
    }
}

fn sync_retired(mut retired: Retired) -> Result<(), LogStoreError> {
    retired.handle.sync().map_err(|source| {
        if let Some(file) = retired.file.upgrade() {
            file.close();
        }
        LogStoreError::io("sync", &retired.path, source)
    })
}

fn is_full(file: &DayFile) -> bool {
    let index = file.index();
    index.raw_bytes >= OPEN_RAW_BYTES_MAX || index.frames.len() >= OPEN_FRAMES_MAX
}

/// Goes on with the day's last file, if it may take more: same period, whole, not full, and as long as the index says.
fn reopen(disk: &dyn Disk, class: &Class, day: Day) -> Option<Writer> {
    let file = class.shelf().of_day(day).next_back().cloned()?;
    let same_period = Some(file.keep_at_creation) == class.planned;
    if file.is_closed() || !same_period || !file.is_whole() || is_full(&file) {
        return None;
    }
    let handle = disk.open_append(&file.path).ok()?;
    if handle.len().ok()? != file.index().bytes {
        file.close();
        return None;
    }
    Some(Writer {
        file,
        handle,
        unsynced: false,
    })
}

fn create(
    disk: &dyn Disk,
    class: &Class,
    day: Day,
    now: Timestamp,
) -> Result<(FileHeader, Writer), LogStoreError> {
    let keep = class.planned.expect("only planned classes are written");
    for _ in 0..NUMBER_TRIES {
        let number = class.shelf().take_number(day);
        let header = FileHeader {
            class: class.name.clone(),
            name: FileName::open(day, number),
            keep,
            created: now,
        };
        let (_, salt) = FileHeader::decode(&header.encode()).expect("it was just encoded");
        let file = DayFile::new(&class.dir, &header, salt, class.planned, Index::default());
        let opened = disk.open_append(&file.path);
        let handle = opened.map_err(|source| LogStoreError::io("create", &file.path, source))?;
        let length = handle.len();
        if length.map_err(|source| LogStoreError::io("create", &file.path, source))? == 0 {
            let writer = Writer {
                file: Arc::new(file),
                handle,
                unsynced: false,
            };
            return Ok((header, writer));
        }
    }
    let error =
        std::io::Error::other("every number tried belongs to a file that was not there at opening");
    Err(LogStoreError::io("create a file in", &class.dir, error))
}

const _: () = assert!(
    HEADER_BYTES < 4096,
    "a new file's header and first frame are one write"
);

//! What the store knows of one class: its files in order, and those that wait to be removed.
//!
//! Readers take the list and then go on without a lock. A file that was replaced is therefore removed only when nobody
//! reads it any more; a file whose time is over is removed at once, because that is the promise.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use model::Timestamp;

use super::day::Day;
use super::day_file::{DayFile, FileName};
use super::writer::Writers;

/// A retention class at run time.
pub(super) struct Class {
    pub(super) name: String,
    pub(super) dir: PathBuf,
    /// The plan's period; `None` for a class that the plan no longer names.
    pub(super) planned: Option<Duration>,
    shelf: Mutex<Shelf>,
    /// Taken before `shelf` where both are needed.
    writers: Mutex<Writers>,
}

/// The files of a class.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) files: BTreeMap<FileName, Arc<DayFile>>,
    /// Replaced by sealed files; they hold nothing that is not elsewhere.
    pub(super) replaced: Vec<Arc<DayFile>>,
    /// Names of ours that are not read, with the time of their deletion: unreadable files and what a damaged file hides stay as
    /// long as their lines would, for whoever can repair them; files of a newer format stay until somebody decides.
    pub(super) set_aside: BTreeMap<FileName, Option<Timestamp>>,
    /// The next free file number of a day. Numbers are never given twice while a file of the day is there.
    pub(super) next_number: BTreeMap<Day, u32>,
}

impl Class {
    pub(super) fn new(
        name: String,
        dir: PathBuf,
        planned: Option<Duration>,
        shelf: Shelf,
    ) -> Class {
        Class {
            name,
            dir,
            planned,
            shelf: Mutex::new(shelf),
            writers: Mutex::default(),
        }
    }

    pub(super) fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf
            .lock()
            .expect("no code panics while it holds this lock")
    }

    pub(super) fn writers(&self) -> MutexGuard<'_, Writers> {
        self.writers
            .lock()
            .expect("no code panics while it holds this lock")
    }

    /// The files at this moment, oldest first.
    pub(super) fn snapshot(&self) -> Vec<Arc<DayFile>> {
        self.shelf().files.values().cloned().collect()
    }
}

impl Shelf {
    /// Reserves a number for a new file.
    pub(super) fn take_number(&mut self, day: Day) -> u32 {
        let next = self.next_number.entry(day).or_default();
        let number = *next;
        *next += 1;
        number
    }

    /// Notes that a name is in use, so that its numbers are not given again.
    pub(super) fn reserve(&mut self, name: &FileName) {
        let next = self.next_number.entry(name.day).or_default();
        *next = (*next).max(name.last.saturating_add(1));
    }

    pub(super) fn of_day(&self, day: Day) -> impl DoubleEndedIterator<Item = &Arc<DayFile>> {
        let first = FileName::open(day, 0);
        let last = FileName {
            day,
            first: u32::MAX,
            last: u32::MAX,
            sealed: true,
        };
        self.files.range(first..=last).map(|(_, file)| file)
    }

    pub(super) fn day_bytes(&self, day: Day) -> u64 {
        self.of_day(day).map(|file| file.index().bytes).sum()
    }
}

//! Reading: one heap merges all files of all classes, the newest line first.
//!
//! The heap holds three things under the latest time that each may contain: files not looked into, frames not decoded, and
//! decoded rows. Whatever is on top is opened one step further. So a query that stops after a hundred lines decodes a frame
//! or two of each class, and files before its range cost nothing.
//!
//! Memory: the matching rows of the frames whose times overlap at the place where the reader is. Sealed files overlap little;
//! small frames overlap as their senders' clocks do, and `maintain` bounds how many there are.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use model::{Level, LogEntry, LogQuery, LogSource, LogTime, StoredEntry, Timestamp};

use super::block::{Block, level_bits};
use super::day_file::DayFile;
use super::frame::{FrameMeta, ReadError};
use super::{LogStore, LogStoreError};

/// More points than any page draws, and a few MB.
const BUCKETS_MAX: usize = 100_000;

impl LogSource for LogStore {
    /// Lines of one time come in the reverse of (class, arrival). Damaged frames are left out and counted in
    /// [`LogStore::stats`]; what lies behind a failing disk is left out and makes the scan end in an error.
    fn scan(
        &self,
        query: &LogQuery,
        visit: &mut dyn FnMut(StoredEntry) -> ControlFlow<()>,
    ) -> Result<(), String> {
        self.scan_at(query, self.latest_now(), visit)
            .map_err(|error| {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                format!("{error}: {}", cause.unwrap_or_default())
            })
    }
}

impl LogStore {
    /// [`LogSource::scan`] at a given time: what is over by then is not visited, unlinked or not.
    ///
    /// # Errors
    /// The first failure of the disk; everything that could be read was visited.
    pub fn scan_at(
        &self,
        query: &LogQuery,
        now: Timestamp,
        visit: &mut dyn FnMut(StoredEntry) -> ControlFlow<()>,
    ) -> Result<(), LogStoreError> {
        let mut outcome = Ok(());
        let files = self.files(query, now);
        let mut heap: BinaryHeap<Item> = files
            .iter()
            .enumerate()
            .map(|(nth, file)| file.item(nth, file.latest, Step::File))
            .collect();
        while let Some(item) = heap.pop() {
            let file = &files[item.file];
            match item.step {
                Step::File => heap.extend(file.frames(item.file)),
                Step::Frame(number) => match self.rows(file, query, number) {
                    Ok(rows) => heap.extend(rows.first_item(file, item.file, number)),
                    Err(error) => outcome = outcome.and(Err(error)),
                },
                Step::Rows(number, mut rows) => {
                    let Some((_, entry)) = rows.0.pop() else {
                        continue;
                    };
                    heap.extend(rows.first_item(file, item.file, number));
                    let class = file.class.to_owned();
                    if visit(StoredEntry { class, entry }).is_break() {
                        break;
                    }
                }
            }
        }
        outcome
    }

    /// Counts matching lines by level in steps of time (multiples of `step` since 1970), the earliest first, without empty
    /// counts. Where only times and levels are asked for, frames that lie within one step are not even read.
    ///
    /// # Errors
    /// A step of zero or too many steps (fix the request), or the disk's.
    pub fn count_by(
        &self,
        query: &LogQuery,
        step: Duration,
        now: Timestamp,
    ) -> Result<Vec<(LogTime, Level, u64)>, LogStoreError> {
        let invalid = |text: &str| LogStoreError::InvalidQuery(text.to_owned());
        let step = i64::try_from(step.as_nanos()).map_err(|_| invalid("the step is too long"))?;
        if step == 0 {
            return Err(invalid("the step is zero"));
        }
        let bucket = |at: i64| at.saturating_sub(at.rem_euclid(step));
        let mut counts: BTreeMap<(LogTime, Level), u64> = BTreeMap::new();
        let mut add = |at: i64, level: Level, lines: u64| {
            let key = (LogTime::from_nanos(bucket(at)), level);
            *counts.entry(key).or_default() += lines;
            if counts.len() > BUCKETS_MAX {
                return Err(invalid("too many steps"));
            }
            Ok(())
        };
        for file in self.files(query, now) {
            for number in 0..file.count {
                let frame = file.file.frame(number);
                if !file.wants(&frame) {
                    continue;
                }
                let within = file.from <= frame.min_at
                    && frame.max_at < file.to
                    && bucket(frame.min_at) == bucket(frame.max_at);
                match only_level(frame.levels) {
                    Some(level) if within && asks_times_only(query) => {
                        add(frame.min_at, level, u64::from(frame.rows))?;
                    }
                    _ => self.count_rows(&file, query, number, &mut add)?,
                }
            }
        }
        Ok(counts
            .into_iter()
            .map(|((at, level), lines)| (at, level, lines))
            .collect())
    }

    fn count_rows(
        &self,
        file: &Wanted<'_>,
        query: &LogQuery,
        number: usize,
        add: &mut dyn FnMut(i64, Level, u64) -> Result<(), LogStoreError>,
    ) -> Result<(), LogStoreError> {
        if !asks_times_only(query) {
            for (_, entry) in self.rows(file, query, number)?.0 {
                add(entry.at.as_nanos(), entry.level, 1)?;
            }
            return Ok(());
        }
        let Some(block) = self.block(file, number)? else {
            return Ok(());
        };
        for row in &block.rows {
            if file.covers(row.at, row.level()) {
                add(row.at, row.level(), 1)?;
            }
        }
        Ok(())
    }

    /// The files that may hold what a query wants.
    fn files(&self, query: &LogQuery, now: Timestamp) -> Vec<Wanted<'_>> {
        let levels = match query.levels.as_slice() {
            [] => u8::MAX,
            some => level_bits(some),
        };
        let mut wanted = Vec::new();
        for (rank, class) in self.classes.values().enumerate() {
            for file in class.snapshot() {
                let from = query.from.as_nanos().max(file.readable_from(now));
                let to = query.to.as_nanos();
                let (count, times) = {
                    let index = file.index();
                    (index.frames.len(), index.times())
                };
                if let Some((earliest, latest)) = times
                    && earliest < to
                    && from <= latest
                {
                    wanted.push(Wanted {
                        class: &class.name,
                        rank,
                        file,
                        count,
                        latest: latest.min(to.saturating_sub(1)),
                        from,
                        to,
                        levels,
                    });
                }
            }
        }
        wanted
    }

    /// The matching rows of a frame, the newest last.
    fn rows(
        &self,
        file: &Wanted<'_>,
        query: &LogQuery,
        number: usize,
    ) -> Result<Rows, LogStoreError> {
        let Some(block) = self.block(file, number)? else {
            return Ok(Rows(Vec::new()));
        };
        let mut rows = Vec::new();
        for (row, found) in block.rows.iter().enumerate() {
            if !file.covers(found.at, found.level()) {
                continue;
            }
            match block.entry(found) {
                Ok(entry) if query.matches(&entry) => rows.push((row as u32, entry)),
                Ok(_) => {}
                Err(_) => {
                    self.damaged(file, number);
                    return Ok(Rows(Vec::new()));
                }
            }
        }
        rows.sort_unstable_by_key(|(row, entry): &(u32, LogEntry)| (entry.at, *row));
        Ok(Rows(rows))
    }

    /// Reads a frame; `None` if it is damaged, or was deleted because its time was over.
    fn block(&self, file: &Wanted<'_>, number: usize) -> Result<Option<Block>, LogStoreError> {
        let path = &file.file.path;
        match file.file.frame(number).read(&*self.disk, path) {
            Ok(block) => Ok(Some(block)),
            Err(ReadError::Io(error))
                if error.kind() == io::ErrorKind::NotFound && file.file.is_expired() =>
            {
                Ok(None)
            }
            Err(ReadError::Io(source)) => Err(LogStoreError::io("read", path, source)),
            Err(ReadError::Damaged) => {
                self.damaged(file, number);
                Ok(None)
            }
        }
    }

    fn damaged(&self, file: &Wanted<'_>, number: usize) {
        file.file.mark_damaged(number);
        self.counters.frame_damaged();
    }
}

/// A file and what is wanted of it.
struct Wanted<'a> {
    class: &'a str,
    /// The class's place among the classes.
    rank: usize,
    file: Arc<DayFile>,
    /// The frames that it had when the query began.
    count: usize,
    latest: i64,
    /// The earliest time wanted and still readable.
    from: i64,
    to: i64,
    levels: u8,
}

impl Wanted<'_> {
    fn wants(&self, frame: &FrameMeta) -> bool {
        !frame.damaged
            && frame.levels & self.levels != 0
            && frame.min_at < self.to
            && self.from <= frame.max_at
    }

    fn covers(&self, at: i64, level: Level) -> bool {
        self.from <= at && at < self.to && level_bits(&[level]) & self.levels != 0
    }

    fn frames(&self, nth: usize) -> Vec<Item> {
        let index = self.file.index();
        let frames = index.frames[..self.count].iter().enumerate();
        frames
            .filter(|(_, frame)| self.wants(frame))
            .map(|(number, frame)| {
                self.item(nth, frame.max_at.min(self.latest), Step::Frame(number))
            })
            .collect()
    }

    fn item(&self, nth: usize, at: i64, step: Step) -> Item {
        let (opening, frame, row) = match &step {
            // At one time, whatever may still hold rows of that time is opened before a row is told.
            Step::File => (2, 0, 0),
            Step::Frame(number) => (1, *number, 0),
            Step::Rows(number, rows) => (0, *number, rows.0.last().map_or(0, |row| row.0)),
        };
        let name = &self.file.name;
        Item {
            key: (at, opening, self.rank, name.first, frame, row),
            file: nth,
            step,
        }
    }
}

/// Decoded rows with their numbers in the frame, the next one last.
struct Rows(Vec<(u32, LogEntry)>);

impl Rows {
    fn first_item(self, file: &Wanted<'_>, nth: usize, number: usize) -> Option<Item> {
        let at = self.0.last()?.1.at.as_nanos();
        Some(file.item(nth, at, Step::Rows(number, self)))
    }
}

enum Step {
    File,
    Frame(usize),
    Rows(usize, Rows),
}

/// (time, how far from being rows, class, file, frame, row)
type Key = (i64, u8, usize, u32, usize, u32);

struct Item {
    key: Key,
    file: usize,
    step: Step,
}

impl PartialEq for Item {
    fn eq(&self, other: &Item) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Item {}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Item) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Item) -> Ordering {
        (self.key, self.file).cmp(&(other.key, other.file))
    }
}

fn asks_times_only(query: &LogQuery) -> bool {
    query.categories.is_empty()
        && query.services.is_empty()
        && query.texts.is_empty()
        && query.fields.is_empty()
}

fn only_level(levels: u8) -> Option<Level> {
    Level::ALL
        .into_iter()
        .find(|level| level_bits(&[*level]) == levels)
}

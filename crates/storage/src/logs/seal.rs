//! Sealing: small frames, as they were appended, become blocks of about 1 MiB in order of time, which compress several times
//! better and of which a query needs only those of its time.
//!
//! A sealed file is merged from a run of neighbouring files and covers their numbers. It is written beside them, synced, renamed;
//! from then on it hides them, and they are removed once the new name is safe. A crash before the rename leaves a `.tmp`
//! that opening removes; a crash after it leaves files that opening sees are covered. At no moment is a line in two visible
//! files or in none.
//!
//! Runs merge as in a log-structured tree: a sealed neighbour joins when it is not much larger than what is merged into it (or
//! does not fill a block), so a line is rewritten about log2(day / part) times. Opened files are sorted in memory (they are full at 16 MiB), sealed ones
//! stream, one block each.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::Timestamp;
use world::AppendFile;

use super::block::{Block, BlockBuilder};
use super::day::Day;
use super::day_file::{DayFile, FileHeader, FileName, Index, trailer};
use super::frame::{FrameMeta, Kind, Packed, ReadError};
use super::retention::{forget_bytes, unlink};
use super::shelf::Class;
use super::{LogStore, LogStoreError, Maintained};

/// The size of a block before compression. Larger ones hardly compress better and cost every reader more.
const BLOCK_RAW_BYTES: usize = 1 << 20;
/// On a day that is not over, seal when so many frames wait,
const SMALL_FRAMES: usize = 512;
/// or so many raw bytes.
const SMALL_RAW_BYTES: u64 = 8 << 20;
/// The most raw bytes of unsealed files in one merge: they are sorted in memory.
const SORT_RAW_BYTES_MAX: u64 = 32 << 20;
/// No sealed file is merged beyond this: it is where another level of merging stops paying.
const SEALED_RAW_BYTES_MAX: u64 = 256 << 20;
/// Files in one merge: each holds a block in memory.
const MERGE_FILES_MAX: usize = 16;

/// Why a merge stopped.
enum Stop {
    /// A source turned out to be damaged. It is marked, keeps its bytes, and is left out from now on.
    Damaged,
    Failed(LogStoreError),
}

/// Seals what is due in a class.
pub(super) fn seal_class(
    store: &LogStore,
    class: &Class,
    now: Timestamp,
    done: &mut Maintained,
) -> Result<(), LogStoreError> {
    let mut days: Vec<Day> = {
        let shelf = class.shelf();
        let open = shelf.files.keys().filter(|name| !name.sealed);
        open.map(|name| name.day).collect()
    };
    days.dedup();
    for day in days {
        while let Some(run) = next_run(class, day, now) {
            close(class, &run)?;
            match merge(store, class, &run, now) {
                Ok(sealed) => {
                    done.sealed_files += 1;
                    done.sealed_lines += sealed.index().lines;
                    publish(store, class, &run, sealed);
                }
                Err(Stop::Damaged) => {}
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Removes files that a sealed one replaced, if nobody reads them any more.
pub(super) fn remove_replaced(
    store: &LogStore,
    class: &Class,
    done: &mut Maintained,
) -> Result<(), LogStoreError> {
    let replaced = std::mem::take(&mut class.shelf().replaced);
    if replaced.is_empty() {
        return Ok(());
    }
    // Only a safe new name may cost the old ones.
    let mut outcome = store
        .disk
        .sync_dir(&class.dir)
        .map_err(|source| LogStoreError::io("sync", &class.dir, source));
    let mut kept = Vec::new();
    for file in replaced {
        if outcome.is_err() || Arc::strong_count(&file) > 1 {
            kept.push(file);
            continue;
        }
        match unlink(&*store.disk, &file.path) {
            Ok(()) => {
                forget_bytes(store, file.index().bytes);
                done.replaced_files += 1;
            }
            Err(error) => {
                outcome = Err(error);
                kept.push(file);
            }
        }
    }
    class.shelf().replaced.append(&mut kept);
    outcome
}

/// The next neighbouring files of a day to merge.
fn next_run(class: &Class, day: Day, now: Timestamp) -> Option<Vec<Arc<DayFile>>> {
    let shelf = class.shelf();
    let mut stretch: Vec<Arc<DayFile>> = Vec::new();
    for file in shelf.of_day(day) {
        // A number set aside between two files must not be covered: it may be repaired one day.
        let parted = stretch.last().is_some_and(|last| {
            last.keep_at_creation != file.keep_at_creation
                || shelf
                    .set_aside
                    .keys()
                    .any(|aside| last.name < *aside && *aside < file.name)
        });
        if parted || !file.is_whole() {
            if let Some(run) = due(&stretch, day, now) {
                return Some(run);
            }
            stretch.clear();
        }
        if file.is_whole() {
            stretch.push(file.clone());
        }
    }
    due(&stretch, day, now)
}

/// Of neighbours that may be merged, those that should be now.
fn due(stretch: &[Arc<DayFile>], day: Day, now: Timestamp) -> Option<Vec<Arc<DayFile>>> {
    let first = stretch.iter().position(|file| !file.name.sealed)?;
    let raw = |file: &Arc<DayFile>| file.index().raw_bytes;
    let open = || stretch[first..].iter().filter(|file| !file.name.sealed);
    let frames: usize = open().map(|file| file.index().frames.len()).sum();
    let waiting: u64 = open().map(raw).sum();
    if !day.is_over(now) && frames < SMALL_FRAMES && waiting < SMALL_RAW_BYTES {
        return None;
    }
    let mut end = first;
    let mut total = 0;
    while end < stretch.len() && end - first < MERGE_FILES_MAX {
        let next = raw(&stretch[end]);
        if end > first && total + next > SORT_RAW_BYTES_MAX {
            break;
        }
        total += next;
        end += 1;
    }
    let mut start = first;
    while start > 0 && end - start < MERGE_FILES_MAX {
        let next = raw(&stretch[start - 1]);
        let joins = next <= total.saturating_mul(2).max(BLOCK_RAW_BYTES as u64);
        if !joins || total + next > SEALED_RAW_BYTES_MAX {
            break;
        }
        total += next;
        start -= 1;
    }
    Some(stretch[start..end].to_vec())
}

/// Ends appending to the files: from here on their indexes are final. The next sync still covers what was appended.
fn close(class: &Class, run: &[Arc<DayFile>]) -> Result<(), LogStoreError> {
    let mut writers = class.writers();
    for file in run.iter().filter(|file| !file.is_closed()) {
        file.close();
        writers.retire(file.name.day)?;
    }
    Ok(())
}

fn merge(
    store: &LogStore,
    class: &Class,
    run: &[Arc<DayFile>],
    now: Timestamp,
) -> Result<DayFile, Stop> {
    let (first, last) = (&run[0], &run[run.len() - 1]);
    let header = FileHeader {
        class: class.name.clone(),
        name: FileName {
            day: first.name.day,
            first: first.name.first,
            last: last.name.last,
            sealed: true,
        },
        keep: first.keep_at_creation,
        created: now,
    };
    let path = class.dir.join(header.name.to_string());
    let temporary = PathBuf::from(format!("{}.tmp", path.display()));
    let written = write_sealed(store, &header, run, &temporary).and_then(|(salt, index)| {
        store
            .disk
            .rename(&temporary, &path)
            .map_err(|source| Stop::Failed(LogStoreError::io("rename", &temporary, source)))?;
        Ok(DayFile::new(
            &class.dir,
            &header,
            salt,
            class.planned,
            index,
        ))
    });
    if written.is_err() {
        // Whatever stays is removed when the store opens, or before the next attempt.
        let _ = store.disk.remove(&temporary);
    }
    written
}

fn write_sealed(
    store: &LogStore,
    header: &FileHeader,
    run: &[Arc<DayFile>],
    path: &Path,
) -> Result<(u32, Index), Stop> {
    let mut sources = Vec::with_capacity(run.len());
    for file in run {
        sources.push(Source::open(store, file)?);
    }
    let mut out = SealedWriter::create(store, header, path)?;
    let mut block = BlockBuilder::default();
    let mut lines = 0u64;
    while let Some(source) = earliest(&sources) {
        sources[source].take(store, &mut block)?;
        lines += 1;
        if block.raw_len() >= BLOCK_RAW_BYTES {
            out.write(&block)?;
            block = BlockBuilder::default();
        }
    }
    let expected: u64 = run.iter().map(|file| file.index().lines).sum();
    assert_eq!(lines, expected, "a merge neither loses nor invents a line");
    if block.rows() > 0 {
        out.write(&block)?;
    }
    out.finish()
}

/// The source with the earliest row; of equals, the first, which keeps the order of arrival.
fn earliest(sources: &[Source]) -> Option<usize> {
    let next = sources
        .iter()
        .enumerate()
        .filter_map(|(nth, source)| Some((source.peek()?, nth)));
    next.min().map(|(_, nth)| nth)
}

/// The rows of a file in order of time.
struct Source {
    file: Arc<DayFile>,
    /// The blocks in memory: all of an open file, one of a sealed file.
    blocks: Vec<Block>,
    /// (time, block, row), the earliest last.
    order: Vec<(i64, u32, u32)>,
    /// The next frame to read.
    next_frame: usize,
    /// How many frames are in memory at once.
    frames_at_once: usize,
}

impl Source {
    fn open(store: &LogStore, file: &Arc<DayFile>) -> Result<Source, Stop> {
        let mut source = Source {
            file: file.clone(),
            blocks: Vec::new(),
            order: Vec::new(),
            next_frame: 0,
            frames_at_once: if file.name.sealed { 1 } else { usize::MAX },
        };
        source.load(store)?;
        Ok(source)
    }

    fn peek(&self) -> Option<i64> {
        self.order.last().map(|row| row.0)
    }

    fn take(&mut self, store: &LogStore, into: &mut BlockBuilder) -> Result<(), Stop> {
        if let Some((_, block, row)) = self.order.pop() {
            let block = &self.blocks[block as usize];
            into.push_row(block, &block.rows[row as usize]);
        }
        if self.order.is_empty() {
            self.load(store)?;
        }
        Ok(())
    }

    fn load(&mut self, store: &LogStore) -> Result<(), Stop> {
        let count = self.file.index().frames.len();
        let end = count.min(self.next_frame.saturating_add(self.frames_at_once));
        self.blocks.clear();
        for number in self.next_frame..end {
            let frame = self.file.frame(number);
            let block = read(store, &self.file, number, &frame)?;
            let nth = self.blocks.len() as u32;
            let rows = block.rows.iter().enumerate();
            self.order
                .extend(rows.map(|(row, found)| (found.at, nth, row as u32)));
            self.blocks.push(block);
        }
        self.next_frame = end;
        self.order.sort_unstable_by(|one, other| other.cmp(one));
        Ok(())
    }
}

fn read(store: &LogStore, file: &DayFile, number: usize, frame: &FrameMeta) -> Result<Block, Stop> {
    match frame.read(&*store.disk, &file.path) {
        Ok(block) => Ok(block),
        Err(ReadError::Damaged) => {
            file.mark_damaged(number);
            store.counters.frame_damaged();
            Err(Stop::Damaged)
        }
        Err(ReadError::Io(source)) => {
            Err(Stop::Failed(LogStoreError::io("read", &file.path, source)))
        }
    }
}

struct SealedWriter<'a> {
    path: &'a Path,
    file: Box<dyn AppendFile>,
    salt: u32,
    index: Index,
}

impl SealedWriter<'_> {
    fn create<'a>(
        store: &LogStore,
        header: &FileHeader,
        path: &'a Path,
    ) -> Result<SealedWriter<'a>, Stop> {
        let failed = |source| Stop::Failed(LogStoreError::io("create", path, source));
        unlink(&*store.disk, path).map_err(Stop::Failed)?;
        let mut writer = SealedWriter {
            path,
            file: store.disk.open_append(path).map_err(failed)?,
            salt: FileHeader::decode(&header.encode())
                .expect("it was just encoded")
                .1,
            index: Index::default(),
        };
        writer.append(&header.encode())?;
        Ok(writer)
    }

    fn write(&mut self, block: &BlockBuilder) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        let frame = Packed::rows(block).place(&mut bytes, self.index.bytes, Kind::Rows, self.salt);
        self.append(&bytes)?;
        self.index.add(frame);
        Ok(())
    }

    fn finish(mut self) -> Result<(u32, Index), Stop> {
        let index_at = self.index.bytes;
        let mut bytes = Vec::new();
        Packed::index(&self.index.frames).place(&mut bytes, index_at, Kind::Index, self.salt);
        bytes.extend_from_slice(&trailer(index_at));
        self.append(&bytes)?;
        self.file
            .sync()
            .map_err(|source| Stop::Failed(LogStoreError::io("sync", self.path, source)))?;
        Ok((self.salt, self.index))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.file
            .append(bytes)
            .map_err(|source| Stop::Failed(LogStoreError::io("append to", self.path, source)))?;
        self.index.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// Puts the sealed file in the place of its sources, for readers in one step.
fn publish(store: &LogStore, class: &Class, run: &[Arc<DayFile>], sealed: DayFile) {
    store
        .total_bytes
        .fetch_add(sealed.index().bytes, Ordering::Relaxed);
    let mut shelf = class.shelf();
    for file in run {
        if !file.name.sealed {
            let frames = file.index().frames.len() as u64;
            store.unsealed_frames.fetch_sub(frames, Ordering::Relaxed);
        }
        shelf.files.remove(&file.name);
        shelf.replaced.push(file.clone());
    }
    shelf.files.insert(sealed.name, Arc::new(sealed));
}

//! Reading blocks: the footer at start-up, the index when a query first needs it, chunks by the extent.
//!
//! A damaged chunk costs its samples, a damaged index its block; neither costs the query. Both are counted, because a gap
//! that nobody hears of is worse than an error.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::Labels;
use world::Disk;

use super::index::{ChunkEntry, Extent, Index};
use super::{CHECKSUM_LEN, FOOTER_LEN, Footer, HEADER_LEN, IndexCache, file_header};
use crate::tsdb::codec;

/// Extents that lie this close are read in one go: the gap costs less than a system call.
const GAP_MAX: u64 = 16 << 10;

/// The most bytes read in one go.
const READ_BYTES_MAX: u64 = 4 << 20;

/// Series whose chunks are read together; bounds what a query holds undecoded.
const SERIES_PER_READ: usize = 256;

/// A block that serves.
pub(in crate::tsdb) struct Block {
    pub(in crate::tsdb) number: u64,
    pub(in crate::tsdb) path: PathBuf,
    pub(in crate::tsdb) footer: Footer,
    pub(in crate::tsdb) file_len: u64,
    /// Unlinked; a query that still holds it sees no samples any more.
    retired: AtomicBool,
    /// Its index is broken; `maintain` moves it aside.
    damaged: AtomicBool,
}

/// Whether reading may go on, or the caller has enough.
pub(in crate::tsdb) enum ReadOutcome {
    /// All was read.
    Done,
    /// The visitor said stop.
    Stopped,
}

/// Samples of one series from a block, for the visitor: labels, times, values.
type Visit<'a> = dyn FnMut(Labels, Vec<i64>, Vec<f64>) -> bool + 'a;

impl Block {
    /// A block that was just written.
    pub(in crate::tsdb) fn new(number: u64, path: &Path, footer: Footer, file_len: u64) -> Block {
        Block {
            number,
            path: path.to_owned(),
            footer,
            file_len,
            retired: AtomicBool::new(false),
            damaged: AtomicBool::new(false),
        }
    }

    /// Opens a block by header and footer. `Ok(None)`: the file is damaged.
    pub(in crate::tsdb) fn open(
        disk: &dyn Disk,
        number: u64,
        path: &Path,
    ) -> io::Result<Option<Block>> {
        let file_len = disk.len(path)?;
        let Some(footer_offset) = file_len.checked_sub(FOOTER_LEN as u64) else {
            return Ok(None);
        };
        if disk.read_at(path, 0, HEADER_LEN)? != file_header() {
            return Ok(None);
        }
        let footer = disk.read_at(path, footer_offset, FOOTER_LEN)?;
        Ok(Footer::decode(&footer, file_len)
            .map(|footer| Block::new(number, path, footer, file_len)))
    }

    /// Marks the block as unlinked.
    pub(in crate::tsdb) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// Whether its index was found broken.
    pub(in crate::tsdb) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Acquire)
    }

    /// Whether a range touches the block.
    pub(in crate::tsdb) fn overlaps(&self, from: i64, to: i64) -> bool {
        self.footer.max >= from && self.footer.min <= to
    }

    /// The index, from memory or from disk. `Ok(None)`: the block is gone or damaged and has nothing to say.
    pub(in crate::tsdb) fn index(
        &self,
        disk: &dyn Disk,
        cache: &IndexCache,
    ) -> io::Result<Option<Arc<Index>>> {
        if self.is_damaged() {
            return Ok(None);
        }
        if let Some(index) = cache.get(self.number) {
            return Ok(Some(index));
        }
        let Some(bytes) = self.read(
            disk,
            self.footer.index_offset,
            self.footer.index_len as usize,
        )?
        else {
            return Ok(None);
        };
        let sound = crc32fast::hash(&bytes) == self.footer.index_checksum;
        let index = sound
            .then(|| Index::decode(&bytes, self.footer.index_offset))
            .flatten();
        let Some(index) = index.filter(|index| index.series_count() == self.footer.series as usize)
        else {
            self.damaged.store(true, Ordering::Release);
            return Ok(None);
        };
        let index = Arc::new(index);
        cache.put(self.number, index.clone());
        Ok(Some(index))
    }

    /// Visits the samples in `from..=to` of some series. `chunks_damaged` counts what had to be left out.
    pub(in crate::tsdb) fn read_series(
        &self,
        disk: &dyn Disk,
        index: &Index,
        series: &[u32],
        (from, to): (i64, i64),
        chunks_damaged: &mut u64,
        visit: &mut Visit<'_>,
    ) -> io::Result<ReadOutcome> {
        let wanted = |chunk: &&ChunkEntry| {
            let column = index.column(chunk.times);
            column.max >= from && column.min <= to
        };
        // Columns of times by number; `None` for a damaged one.
        let mut columns: HashMap<u32, Option<Vec<i64>>> = HashMap::new();
        for group in series.chunks(SERIES_PER_READ) {
            let chunks: Vec<ChunkEntry> = group
                .iter()
                .flat_map(|series| index.chunks(*series).iter().filter(wanted).copied())
                .collect();
            let mut extents: Vec<Extent> = chunks.iter().map(|chunk| chunk.values).collect();
            extents.extend(
                chunks
                    .iter()
                    .filter(|chunk| !columns.contains_key(&chunk.times))
                    .map(|chunk| index.column(chunk.times).extent),
            );
            let bytes = Extents::read(self, disk, extents)?;
            for series in group {
                let mut times = Vec::new();
                let mut values = Vec::new();
                for chunk in index.chunks(*series).iter().filter(wanted) {
                    let column = columns.entry(chunk.times).or_insert_with(|| {
                        let column = index.column(chunk.times);
                        bytes
                            .sound(column.extent)
                            .and_then(|coded| codec::decode_times(coded, column.count as usize))
                    });
                    let decoded = column.as_ref().and_then(|column| {
                        let coded = bytes.sound(chunk.values)?;
                        Some((column, codec::decode_values(coded, column.len())?))
                    });
                    let Some((column, column_values)) = decoded else {
                        *chunks_damaged += 1;
                        continue;
                    };
                    let start = column.partition_point(|at| *at < from);
                    let end = column.partition_point(|at| *at <= to).max(start);
                    times.extend_from_slice(&column[start..end]);
                    values.extend_from_slice(&column_values[start..end]);
                }
                if !times.is_empty() && !visit(index.labels(*series), times, values) {
                    return Ok(ReadOutcome::Stopped);
                }
            }
        }
        Ok(ReadOutcome::Done)
    }

    /// Reads bytes of the file; `None` when the file was unlinked meanwhile.
    fn read(&self, disk: &dyn Disk, offset: u64, len: usize) -> io::Result<Option<Vec<u8>>> {
        match disk.read_at(&self.path, offset, len) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && self.retired.load(Ordering::Acquire) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Bytes of many extents, read in few goes.
struct Extents {
    /// Pieces of the file, by offset.
    pieces: Vec<(u64, Vec<u8>)>,
}

impl Extents {
    fn read(block: &Block, disk: &dyn Disk, mut extents: Vec<Extent>) -> io::Result<Extents> {
        extents.sort_unstable();
        extents.dedup();
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for extent in extents {
            let end = extent.offset + u64::from(extent.len);
            match ranges.last_mut() {
                Some((start, last_end))
                    if extent.offset <= *last_end + GAP_MAX && end - *start <= READ_BYTES_MAX =>
                {
                    *last_end = end.max(*last_end);
                }
                Some(_) | None => ranges.push((extent.offset, end)),
            }
        }
        let mut pieces = Vec::with_capacity(ranges.len());
        for (start, end) in ranges {
            if let Some(bytes) = block.read(disk, start, (end - start) as usize)? {
                pieces.push((start, bytes));
            }
        }
        Ok(Extents { pieces })
    }

    /// The content of a chunk if its checksum is right.
    fn sound(&self, extent: Extent) -> Option<&[u8]> {
        let piece = self
            .pieces
            .partition_point(|(start, _)| *start <= extent.offset)
            .checked_sub(1)?;
        let (start, bytes) = &self.pieces[piece];
        let offset = (extent.offset - start) as usize;
        let chunk = bytes.get(offset..offset + extent.len as usize)?;
        let (checksum, content) = chunk.split_at_checked(CHECKSUM_LEN)?;
        (crc32fast::hash(content).to_le_bytes() == *checksum).then_some(content)
    }
}

//! Writing a block: series by series into a temporary file, which becomes a block by being renamed.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use model::Labels;
use world::{AppendFile, Disk};

use super::index::{ChunkEntry, Extent, IndexBuilder, TimeColumn};
use super::{Footer, HEADER_LEN, file_header};
use crate::tsdb::codec::{self, CHUNK_SAMPLES_MAX};

/// Bytes collected before they are written: few system calls, little memory.
const BUFFER_BYTES: usize = 1 << 20;

/// A block that is being written.
pub(in crate::tsdb) struct BlockWriter {
    file: Box<dyn AppendFile>,
    temporary: PathBuf,
    path: PathBuf,
    buffer: Vec<u8>,
    written: u64,
    index: IndexBuilder,
    /// Numbers of columns by length and bytes: a steady column codes alike at any length.
    columns: HashMap<(usize, Vec<u8>), u32>,
    samples: u64,
    min: i64,
    max: i64,
}

impl BlockWriter {
    /// Begins a block that will stand at `path`.
    pub(in crate::tsdb) fn create(disk: &dyn Disk, path: &Path) -> io::Result<BlockWriter> {
        let temporary = PathBuf::from(format!("{}.tmp", path.display()));
        if disk.len(&temporary).is_ok() {
            disk.remove(&temporary)?;
        }
        let file = disk.open_append(&temporary)?;
        Ok(BlockWriter {
            file,
            temporary,
            path: path.to_owned(),
            buffer: file_header(),
            written: 0,
            index: IndexBuilder::default(),
            columns: HashMap::new(),
            samples: 0,
            min: i64::MAX,
            max: i64::MIN,
        })
    }

    /// Adds a series with its samples. Series come in order of their labels.
    pub(in crate::tsdb) fn add(
        &mut self,
        labels: &Labels,
        times: &[i64],
        values: &[f64],
    ) -> io::Result<()> {
        let mut chunks = Vec::new();
        for (times, values) in times
            .chunks(CHUNK_SAMPLES_MAX)
            .zip(values.chunks(CHUNK_SAMPLES_MAX))
        {
            let times = self.column(times);
            let values = self.put_chunk(&codec::encode_values(values));
            chunks.push(ChunkEntry { times, values });
        }
        if let (Some(first), Some(last)) = (times.first(), times.last()) {
            self.min = self.min.min(*first);
            self.max = self.max.max(*last);
            self.samples += times.len() as u64;
            self.index.add_series(labels, chunks);
        }
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// The number of a column of times, stored now if no series had the same times before.
    fn column(&mut self, times: &[i64]) -> u32 {
        let key = (times.len(), codec::encode_times(times));
        if let Some(number) = self.columns.get(&key) {
            return *number;
        }
        let extent = self.put_chunk(&key.1);
        let number = self.index.add_column(TimeColumn {
            extent,
            count: times.len() as u32,
            min: times[0],
            max: times[times.len() - 1],
        });
        self.columns.insert(key, number);
        number
    }

    fn put_chunk(&mut self, bytes: &[u8]) -> Extent {
        let offset = self.written + self.buffer.len() as u64;
        self.buffer
            .extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
        self.buffer.extend_from_slice(bytes);
        Extent {
            offset,
            len: (super::CHECKSUM_LEN + bytes.len()) as u32,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.append(&self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes index and footer, syncs and renames. `None`: there was no sample, and there is no block.
    fn finish(&mut self, disk: &dyn Disk) -> io::Result<Option<(Footer, u64)>> {
        if self.samples == 0 {
            return Ok(None);
        }
        let index = self.index.encode();
        let footer = Footer {
            index_offset: self.written + self.buffer.len() as u64,
            index_len: index.len() as u64,
            index_checksum: crc32fast::hash(&index),
            series: self.index.series_count() as u32,
            samples: self.samples,
            min: self.min,
            max: self.max,
        };
        self.buffer.extend_from_slice(&index);
        self.buffer.extend_from_slice(&footer.encode());
        self.flush()?;
        self.file.sync()?;
        disk.rename(&self.temporary, &self.path)?;
        disk.sync_dir(self.path.parent().unwrap_or_else(|| Path::new(".")))?;
        debug_assert!(
            self.written > HEADER_LEN as u64,
            "a block with samples has chunks"
        );
        Ok(Some((footer, self.written)))
    }
}

/// Ends a block after `outcome` of writing its series. On any error no trace is left, as far as the disk obeys: a
/// rename whose directory did not sync is undone too, so that a block is either served or gone.
pub(in crate::tsdb) fn finish_block(
    disk: &dyn Disk,
    mut writer: BlockWriter,
    outcome: io::Result<()>,
) -> io::Result<Option<(Footer, u64)>> {
    let finished = outcome.and_then(|()| writer.finish(disk));
    if !matches!(finished, Ok(Some(_))) {
        let _ = disk.remove(&writer.temporary);
        if finished.is_err() {
            let _ = disk.remove(&writer.path);
        }
    }
    finished
}

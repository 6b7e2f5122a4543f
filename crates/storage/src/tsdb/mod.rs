//! The time-series store: an embedded engine for the samples of one monitor.
//!
//! New samples go to the write-ahead log and then to the head in memory. `maintain` turns each finished span of time of
//! the head into an immutable block, rewrites the log as a checkpoint of what is left, and unlinks blocks past retention.
//!
//! * **Durability.** When `append` returns, the bytes are with the operating system, so a killed process loses nothing.
//!   What was appended since the last `sync` may be lost with the power: the monitor syncs once a second. No query ever
//!   sees a sample that is not yet that safe, except on a full disk, where serving from memory beats going blind.
//! * **Order.** The samples of a series come in order of time; an older one is refused and counted. A block is cut at the
//!   newest sample that it holds, and nothing before that is accepted any more, so blocks and head never overlap.
//! * **Columns.** Times and values are separate columns everywhere, and the time column of a scrape is shared by all its
//!   series. That is where the bytes per sample come from; formats are in `docs/on-disk-format-metrics.md`.
//!
//! Locks, in the order in which they are taken: maintenance, writer, state. Queries take the state's read lock only for
//! as long as it takes to copy references, and decode afterwards.
//!
//! Reading order: [`options`](Options) and errors, `head`, `wal`, `block`, then what joins them: `open`, `append`,
//! `maintain`, `query`.

mod append;
mod block;
mod codec;
mod error;
mod head;
mod maintain;
mod open;
mod options;
mod postings;
mod query;
mod wal;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use model::Timestamp;
use world::Disk;

use append::Writer;
use block::{Block, IndexCache};
use head::Head;
use maintain::Maintenance;

pub use error::StoreError;
pub use head::SeriesRef;
pub use options::{Appended, Counts, Maintained, Options, Recovery, Stats};

/// Why a lock cannot be poisoned, for `expect`.
const LOCKS: &str = "no code panics while it holds a lock of the store";

/// The store. All methods take `&self`: share it behind an `Arc`.
pub struct Tsdb {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    options: Options,
    maintenance: Mutex<Maintenance>,
    writer: Mutex<Writer>,
    state: RwLock<State>,
    index_cache: IndexCache,
    counts: Mutex<Counts>,
}

/// What queries see.
struct State {
    head: Head,
    /// Ordered by their oldest sample.
    blocks: Vec<Arc<Block>>,
}

impl Tsdb {
    /// Figures about the store.
    pub fn stats(&self) -> Stats {
        let (wal_bytes, wal_segments, samples_not_durable, poisoned) = {
            let writer = self.writer();
            (
                writer.wal.bytes(),
                writer.wal.file_count() as u64,
                writer.not_durable,
                writer.poisoned,
            )
        };
        let mut counts = *self.counts();
        let state = self.state();
        let blocks = &state.blocks;
        counts.blocks_damaged += blocks.iter().filter(|block| block.is_damaged()).count() as u64;
        let head_range = state.head.range();
        let oldest = blocks
            .iter()
            .map(|block| block.footer.min)
            .chain(head_range.map(|range| range.0))
            .min();
        let newest = blocks
            .iter()
            .map(|block| block.footer.max)
            .chain(head_range.map(|range| range.1))
            .max();
        Stats {
            series: state.head.series_count() as u64,
            samples_head: state.head.sample_count(),
            blocks: blocks.len() as u64,
            samples_blocks: blocks.iter().map(|block| block.footer.samples).sum(),
            bytes_on_disk: blocks.iter().map(|block| block.file_len).sum::<u64>() + wal_bytes,
            wal_bytes,
            wal_segments,
            oldest: oldest.map(Timestamp::from_millis),
            newest: newest.map(Timestamp::from_millis),
            samples_not_durable,
            poisoned,
            index_cache_bytes: self.index_cache.bytes() as u64,
            counts,
        }
    }

    /// Syncs and ends. Not needed for correctness: the next start recovers from a killed process just as well.
    ///
    /// # Errors
    /// As [`sync`](Tsdb::sync).
    pub fn close(self) -> Result<(), StoreError> {
        self.sync()
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().expect(LOCKS)
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().expect(LOCKS)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().expect(LOCKS)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().expect(LOCKS)
    }
}

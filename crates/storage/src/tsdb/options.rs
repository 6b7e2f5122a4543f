//! What a caller decides about a store, and what the store tells back: options, reports and counters.

use std::time::Duration;

use model::Timestamp;

/// How a store behaves. The defaults fit a small company: some 10,000 targets' worth of series for a year.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long samples are kept; whole blocks older than this are unlinked by `maintain`.
    pub retention: Duration,
    /// The length of time that one immutable block covers. Aligned to the Unix epoch.
    pub block_span: Duration,
    /// How long after its end a span is left in the head, so that late writers still reach it.
    pub cut_delay: Duration,
    /// The most series that may be in the head at once; past it [`series_ref`](super::Tsdb::series_ref) refuses new ones.
    pub series_max: usize,
    /// The most samples in the head. Only a disk that stays full for long reaches it; then appends are refused, not memory.
    pub head_samples_max: u64,
    /// A log segment longer than this is closed and the next one begun.
    pub segment_bytes: u64,
    /// Memory for the indexes of blocks; the least recently used ones are dropped past it.
    pub index_cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            retention: Duration::from_secs(396 * 24 * 60 * 60),
            block_span: Duration::from_secs(2 * 60 * 60),
            cut_delay: Duration::from_secs(15 * 60),
            series_max: 1_000_000,
            head_samples_max: 400_000_000,
            segment_bytes: 64 << 20,
            index_cache_bytes: 64 << 20,
        }
    }
}

/// What opening found. Everything that is not zero from `blocks_quarantined` on is worth a log line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Blocks that serve.
    pub blocks_opened: u64,
    /// Log files read: the checkpoint and the segments after it.
    pub wal_segments: u64,
    /// Log records replayed.
    pub wal_records: u64,
    /// Samples that the log brought back into the head.
    pub samples_replayed: u64,
    /// Series in the head after the replay.
    pub series: u64,
    /// Blocks moved aside because they are damaged; their samples are missing from answers.
    pub blocks_quarantined: u64,
    /// Log files moved aside because their header is damaged.
    pub wal_quarantined: u64,
    /// Bytes of half-written records cut from the ends of segments: the usual trace of a crash.
    pub torn_bytes: u64,
    /// Damaged records in the middle of a segment: decay, not a crash.
    pub wal_records_damaged: u64,
    /// Samples that could not be used because the record that names their series was damaged.
    pub samples_without_series: u64,
    /// Left-over files of unfinished work that were removed.
    pub leftovers_removed: u64,
}

/// What became of one append batch. The sum of all fields is the length of the batch.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Samples that are now in the store.
    pub stored: u64,
    /// Samples that were there already with the same value; nothing to do.
    pub repeated: u64,
    /// Refused: older than the newest sample of the series.
    pub out_of_order: u64,
    /// Refused: the series has another value at this very time.
    pub duplicate: u64,
    /// Refused: the time lies in a span that has been made into a block.
    pub too_old: u64,
}

/// What one run of `maintain` did.
#[derive(Clone, Debug, Default)]
pub struct Maintained {
    /// Blocks made from the head.
    pub blocks_cut: u64,
    /// Samples that moved from the head into blocks.
    pub samples_cut: u64,
    /// Blocks unlinked because they are past retention.
    pub blocks_deleted: u64,
    /// Bytes given back by unlinked blocks.
    pub bytes_deleted: u64,
    /// Samples dropped from the head because they are past retention.
    pub samples_dropped: u64,
    /// Series that left memory.
    pub series_dropped: u64,
    /// Blocks moved aside because a read found them damaged.
    pub blocks_quarantined: u64,
    /// Whether the log was rewritten as a checkpoint and its old segments removed.
    pub checkpoint: bool,
    /// Whether cutting or the checkpoint waits for space on the disk. Nothing is lost; the next run tries again.
    pub disk_full: bool,
}

/// Figures about a store, for its own metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series in the head.
    pub series: u64,
    /// Samples in the head.
    pub samples_head: u64,
    /// Blocks that serve.
    pub blocks: u64,
    /// Samples in blocks.
    pub samples_blocks: u64,
    /// Bytes of blocks and log together.
    pub bytes_on_disk: u64,
    /// Bytes of the log alone.
    pub wal_bytes: u64,
    /// Files of the log.
    pub wal_segments: u64,
    /// Time of the oldest sample.
    pub oldest: Option<Timestamp>,
    /// Time of the newest sample.
    pub newest: Option<Timestamp>,
    /// Samples that are served from memory but not on disk, because the disk is full.
    pub samples_not_durable: u64,
    /// Whether the writer refuses appends until [`recover_writer`](super::Tsdb::recover_writer).
    pub poisoned: bool,
    /// Bytes of block indexes held in memory.
    pub index_cache_bytes: u64,
    /// What happened since opening.
    pub counts: Counts,
}

/// Counts since opening; they only grow.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Samples stored.
    pub appended: u64,
    /// Samples refused as out of order.
    pub out_of_order: u64,
    /// Samples refused because the time holds another value.
    pub duplicate: u64,
    /// Samples refused because their span is a block already.
    pub too_old: u64,
    /// New series refused because `series_max` was reached.
    pub series_refused: u64,
    /// Append calls refused by a poisoned writer.
    pub appends_rejected: u64,
    /// Times that the writer was poisoned by a failed write or sync.
    pub poisonings: u64,
    /// Times that the disk was found full.
    pub disk_full: u64,
    /// Blocks found damaged.
    pub blocks_damaged: u64,
    /// Chunks that a read skipped because their checksum is wrong.
    pub chunks_damaged: u64,
    /// Old log or block files that could not be removed and will be tried again.
    pub removals_failed: u64,
}

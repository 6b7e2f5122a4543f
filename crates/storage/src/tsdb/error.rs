//! What can go wrong in the store, sorted by what the caller should do about it.

use std::{fmt, io};

use super::head::SeriesRef;

/// Why the store did not do what was asked. Each variant says what to do.
#[derive(Debug)]
pub enum StoreError {
    /// The head holds as many series as allowed. Drop the new series and tell the operator which target grows; samples of
    /// known series still go in.
    SeriesLimit {
        /// The bound, `Options::series_max`.
        limit: usize,
    },
    /// The series left memory since its reference was handed out (it had no samples for a whole block span). Nothing of
    /// the batch was stored: ask [`series_ref`](super::Tsdb::series_ref) again and repeat.
    UnknownSeries(SeriesRef),
    /// Too many label bytes to write down. Fix the series.
    LabelsTooLong,
    /// The head is full because the disk has been full for long. Free space; appends are refused until `maintain` succeeds.
    HeadFull {
        /// The bound, `Options::head_samples_max`.
        limit: u64,
    },
    /// The disk is full: samples are served from memory and counted as not durable. Free space; the store resumes by itself.
    DiskFull {
        /// Samples that a crash would lose now.
        not_durable: u64,
    },
    /// An earlier write or sync failed, so this writer is not to be trusted. Call
    /// [`recover_writer`](super::Tsdb::recover_writer); if that fails too, tell the operator that the disk is broken.
    Poisoned,
    /// The disk failed just now. For an append or a sync the writer is poisoned from here on; other calls may be repeated.
    Io {
        /// What the store was doing.
        doing: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A file's bytes are not what was written. The store has set it aside and goes on without it.
    Damaged {
        /// Which file and what is wrong with it.
        what: String,
    },
}

impl StoreError {
    /// Turns an input/output error into a [`StoreError::Io`] that says what was going on; for `map_err`.
    pub(super) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> StoreError {
        move |source| StoreError::Io { doing, source }
    }

    /// Whether the disk had no space.
    pub(super) fn is_full(&self) -> bool {
        match self {
            StoreError::Io { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            StoreError::DiskFull { .. } => true,
            StoreError::SeriesLimit { .. }
            | StoreError::UnknownSeries(_)
            | StoreError::LabelsTooLong
            | StoreError::HeadFull { .. }
            | StoreError::Poisoned
            | StoreError::Damaged { .. } => false,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::SeriesLimit { limit } => {
                write!(
                    f,
                    "the store holds {limit} series, the most it may; the new series was refused"
                )
            }
            StoreError::UnknownSeries(_) => {
                f.write_str("the series has left memory; resolve its labels again")
            }
            StoreError::LabelsTooLong => f.write_str("the label set is too long to store"),
            StoreError::HeadFull { limit } => {
                write!(
                    f,
                    "the head holds {limit} samples, the most it may, and cannot be written to disk"
                )
            }
            StoreError::DiskFull { not_durable } => {
                write!(
                    f,
                    "the disk is full; {not_durable} samples are in memory only"
                )
            }
            StoreError::Poisoned => {
                f.write_str("the writer stopped after a failed write; it must be recovered first")
            }
            StoreError::Io { doing, .. } => write!(f, "could not {doing}"),
            StoreError::Damaged { what } => write!(f, "damaged data: {what}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StoreError::Io { source, .. } => Some(source),
            StoreError::SeriesLimit { .. }
            | StoreError::UnknownSeries(_)
            | StoreError::LabelsTooLong
            | StoreError::HeadFull { .. }
            | StoreError::DiskFull { .. }
            | StoreError::Poisoned
            | StoreError::Damaged { .. } => None,
        }
    }
}

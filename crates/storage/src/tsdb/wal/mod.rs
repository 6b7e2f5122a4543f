//! The write-ahead log: what was acknowledged since the last block, in the order in which it came.
//!
//! The log is a row of segment files. A segment stands alone: it names each series the first time it uses it, so that a
//! writer in trouble can simply begin a new segment, and a damaged one costs nothing but itself. One append batch is one
//! record and one write; a record per series would multiply both the bytes and the checksums by the size of a scrape.
//!
//! A checkpoint is a segment that holds the whole head, in columns. Once it is safely on disk it replaces every file with
//! a number up to its own. Rewriting the head costs about a byte a sample every two hours; the alternative, tracking which
//! old record still matters, costs code at the one place where a mistake loses data.

mod frame;
mod record;
mod replay;
mod writer;

pub(super) use record::{RunsRecord, encode_batch};
pub(super) use replay::replay;
pub(super) use replay::{none_when_missing, quarantined, remove_leftover};
pub(super) use writer::Wal;

use std::path::{Path, PathBuf};

/// What a log file is called: its number and whether it is a checkpoint.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WalName {
    pub(super) number: u64,
    pub(super) checkpoint: bool,
}

impl WalName {
    /// Reads a file name; `None` for anything else in the directory.
    pub(super) fn parse(name: &str) -> Option<WalName> {
        let (number, kind) = name.split_once('.')?;
        let checkpoint = match kind {
            "wal" => false,
            "checkpoint" => true,
            _ => return None,
        };
        Some(WalName {
            number: number.parse().ok()?,
            checkpoint,
        })
    }

    /// The file's path.
    pub(super) fn path(self, dir: &Path) -> PathBuf {
        let kind = if self.checkpoint { "checkpoint" } else { "wal" };
        dir.join(format!("{:08}.{kind}", self.number))
    }
}

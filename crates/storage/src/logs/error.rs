//! What can go wrong in the log store, by what the caller should do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why the log store refused or failed.
#[derive(Debug)]
pub enum LogStoreError {
    /// The options are impossible (a class's name, a period, a bound). Fix the plan.
    InvalidOptions(String),
    /// The plan names no such retention class. Fix the request or the plan.
    UnknownClass(String),
    /// The query is not answerable within the bounds. Fix the request.
    InvalidQuery(String),
    /// The store has reached a bound of its options; nothing of the batch was stored. Tell a person: raise the bound or log
    /// less; retry the batch later (lines are never deleted before their time to make room).
    OverBudget(Budget),
    /// No space on the disk; nothing of the batch is visible. Retry the batch once there is space: `maintain` frees what
    /// is due without needing any.
    StorageFull {
        /// The file that was written.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The disk failed. After an append: retry the batch, it goes to a new file (its lines may then be there twice). After a
    /// sync: what was appended since the last good sync may not survive a power loss; go on, new lines go to new files.
    /// If it happens again, tell a person.
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Which bound of the options was reached.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Budget {
    /// `Options::day_bytes_max`.
    DayBytes,
    /// `Options::total_bytes_max`.
    TotalBytes,
    /// `Options::unsealed_frames_max`: `maintain` was not called for long, or fails.
    UnsealedFrames,
}

impl LogStoreError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> LogStoreError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                LogStoreError::StorageFull { path, source }
            }
            _ => LogStoreError::Io {
                action,
                path,
                source,
            },
        }
    }
}

impl fmt::Display for LogStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogStoreError::InvalidOptions(what) => write!(f, "log store options: {what}"),
            LogStoreError::UnknownClass(class) => write!(f, "no retention class {class:?}"),
            LogStoreError::InvalidQuery(what) => write!(f, "log query: {what}"),
            LogStoreError::OverBudget(Budget::DayBytes) => {
                f.write_str("a class has reached its bytes for one day")
            }
            LogStoreError::OverBudget(Budget::TotalBytes) => {
                f.write_str("the log store has reached its total bytes")
            }
            LogStoreError::OverBudget(Budget::UnsealedFrames) => {
                f.write_str("too many small frames wait to be sealed")
            }
            LogStoreError::StorageFull { path, .. } => {
                write!(f, "no space left for {}", path.display())
            }
            LogStoreError::Io { action, path, .. } => {
                write!(f, "could not {action} {}", path.display())
            }
        }
    }
}

impl std::error::Error for LogStoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LogStoreError::StorageFull { source, .. } | LogStoreError::Io { source, .. } => {
                Some(source)
            }
            LogStoreError::InvalidOptions(_)
            | LogStoreError::UnknownClass(_)
            | LogStoreError::InvalidQuery(_)
            | LogStoreError::OverBudget(_) => None,
        }
    }
}

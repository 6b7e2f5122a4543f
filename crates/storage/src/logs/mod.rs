//! The log store: lines by retention class and UTC day, written before they are acknowledged, deleted by unlinking.
//!
//! Why own files and not a database: each class keeps its lines for another length of time. When a file holds one class and
//! one day, the end of a retention period is the removal of a file: no rewrite, no free space needed, and a directory
//! listing proves what is still there. (Rejected: one store with one period for all, which keeps everything as long as the
//! rarest class; and deletion by rewriting, which fails on the full disk that it should relieve.)
//!
//! Three layers, each replaceable without the others: `block` turns rows into bytes and back (a columnar form comes
//! later); `frame` and `day_file` put blocks on disk with checksums; `query` merges blocks by time.
//!
//! Reading order: [`LogStore`] in `store`, then `day_file`, `frame`, `block`, `walk`, `recovery`, `seal`, `retention`, `query`. The bytes are drawn in
//! `docs/on-disk-format-logs.md`.

mod block;
mod day;
mod day_file;
mod error;
mod frame;
mod options;
mod query;
mod recovery;
mod retention;
mod seal;
mod shelf;
mod stats;
mod store;
mod walk;
mod writer;

pub use error::{Budget, LogStoreError};
pub use options::{Options, Retention};
pub use recovery::{Damage, Recovery, RetentionChange};
pub use stats::{ClassStats, Counters};
pub use store::{Accepted, LogStore, Maintained};

//! Logs: lines come in over HTTP and from followed files, are classed by the plan, and are kept as long as their class says.

mod backend;
mod counts;
mod decode;
mod follow;
mod intake;
mod tally;

pub use backend::{ClassFigures, EmbeddedLogs, LevelCount, LogsBackend, LogsError, Stored};
pub(crate) use counts::{COUNT_INTERVAL, LineCounts};
pub use decode::{DecodeError, decode_json_line, decode_plain_line};
pub use follow::Follower;
pub(crate) use intake::class_of;
pub use intake::{Intake, IntakeReport, Taken};

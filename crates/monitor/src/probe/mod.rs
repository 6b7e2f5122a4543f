//! Probes: health endpoints asked on their interval, as samples and as a board.

mod answer;
mod board;
mod run;

pub(crate) use answer::read as read_answer;
pub use answer::{Dependency, Verdict};
pub(crate) use board::counts_still;
pub use board::{ProbeBoard, ProbeState, ProbeStatus};
pub use run::Prober;
pub(crate) use run::{ANSWER_BYTES_MAX, DEPENDENCY_UP, HTTP_STATUS_CODE};

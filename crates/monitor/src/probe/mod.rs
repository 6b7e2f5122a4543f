//! Probes: health endpoints asked on their interval, as samples and as a board.

mod answer;
mod board;
mod run;

pub use answer::{Dependency, Verdict};
pub use board::{ProbeBoard, ProbeState, ProbeStatus};
pub(crate) use run::DEPENDENCY_UP;
pub use run::Prober;

//! The pipeline campaign: alert, incident, escalation, outbox and channel under faults, thousands of seeded scenarios in a
//! minute.
//!
//! What runs is real: the desk, the SQLite store (in memory), the outbox. What a scrape would bring is scripted, so that a
//! scenario of an hour costs milliseconds. Reading order: [`Scenario`] (what is drawn from a seed), [`run`] (plays it and
//! remembers what was seen from outside), [`check`] (judges that by named invariants), [`Mutant`] (planted defects, which
//! must be caught).
//!
//! Two modes (after TigerBeetle): under *safety* anything may fail for any time and only what must never happen is judged;
//! under *liveness* faults are bounded and deadlines are judged too. Unbounded faults would hide a missed deadline, bounded
//! ones a broken promise.

mod checker;
mod draw;
mod faulty_store;
mod mutants;
mod play;
mod receivers;
mod record;
mod scenario;
mod watch;

pub use checker::{Invariant, Violation, check};
pub use faulty_store::{Placed, StoreFault};
pub use mutants::Mutant;
pub use play::{run, run_with};
pub use receivers::{Answer, ChannelFault, Lasting};
pub use record::*;
pub use scenario::*;

//! How much of a plan is true: what was observed in, shares and holes out.
//!
//! Pure like the rest of the crate: the caller gathers [`Observed`] from its boards and stores and says what time it is.
//! [`report`] compares that with the plan, part by part (`metrics`, `paths`, `logs`, `dependencies`, `alerts`); each part
//! adds shares and [`Hole`]s. What is not known (a target that is down) is a state of its own and counts neither as covered
//! nor as missing. [`HoleMemory`] says since when each hole is known.

mod alerts;
mod dependencies;
mod logs;
mod memory;
mod metrics;
mod observed;
mod paths;
mod reads;
mod report;

#[cfg(test)]
mod tests;

pub use memory::{HoleKey, HoleMemory};
pub use observed::*;
pub use report::*;

use crate::{Contacts, Plan};

/// Compares the plan with what was observed. The holes' [`Hole::since`] is filled where the observation itself says it;
/// [`HoleMemory::step`] fills the rest.
pub fn report(plan: &Plan, contacts: &Contacts, observed: &Observed) -> Report {
    let mut report = Report::new(observed.now);
    metrics::add(plan, observed, &mut report);
    paths::add(plan, observed, &mut report);
    alerts::add(plan, contacts, observed, &mut report);
    dependencies::add(plan, observed, &mut report);
    logs::add(plan, observed, &mut report);
    report
}

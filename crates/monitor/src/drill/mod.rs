//! Drills: an alert is made to fire on purpose, and everything that follows is held against what the plan promises: pending,
//! firing, an incident, pages, levels, acknowledgement, end.
//!
//! A *virtual* drill makes series and plays rule, desk and outbox over a store and a clock of their own; nothing real is touched
//! (`witness` finds series, `stage` plays). A *real* drill breaks the service by its own fault switch and follows what the
//! running Belfry does.

mod asking;
mod json;
mod page;
mod real_drill;
mod runner;
mod sink;
mod stage;
mod steps;
mod virtual_drill;
mod witness;

pub(crate) use asking::{Asked, ask};
pub use asking::{DrillRefused, DrillRequest};
pub(crate) use json::step_json;
pub(crate) use runner::{DrillRunner, end_faults};

use model::Timestamp;
use plan::{Contacts, Plan};

use crate::incident::{DrillOutcome, DrillStep};

/// How a drill came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillReport {
    /// The alert.
    pub alert: String,
    /// Whether everything came as promised.
    pub outcome: DrillOutcome,
    /// Why, in a sentence.
    pub reason: String,
    /// What was looked at, in order.
    pub steps: Vec<DrillStep>,
}

impl DrillReport {
    /// Whether everything came as promised.
    pub fn passed(&self) -> bool {
        self.outcome == DrillOutcome::Passed
    }
}

/// Drills an alert of a plan virtually; `None` when the plan has no such alert. Without contacts somebody stands in for each role.
///
/// Finding series takes up to seconds of a processor: not for the threads that serve requests.
pub async fn drill_virtually(
    plan: &Plan,
    contacts: &Contacts,
    alert: &str,
    at: Timestamp,
) -> Option<DrillReport> {
    let group = virtual_drill::group_of(plan, alert)?;
    let report = match virtual_drill::prepare(plan, group, at) {
        Ok(prepared) => {
            let played = virtual_drill::play(plan, contacts, &prepared, at).await;
            let (outcome, reason) = steps::verdict(&played.steps);
            DrillReport {
                alert: alert.to_owned(),
                outcome,
                reason,
                steps: played.steps,
            }
        }
        Err(why) => DrillReport {
            alert: alert.to_owned(),
            outcome: DrillOutcome::Failed,
            reason: why,
            steps: Vec::new(),
        },
    };
    Some(report)
}

//! Drills as the store keeps them: the ledger that says which alerts were seen to work, and when. Also what a restart goes by:
//! a fault that a drill injected is ended from here.

use std::time::Duration;

use alerting::{DrillPages, IncidentId};
use model::Timestamp;
use plan::RequestStep;

/// The number of a drill.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DrillId(pub i64);

/// How a drill makes its alert fire.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DrillMode {
    /// With series made for it, on a clock of its own, apart from what is real.
    Virtual,
    /// With a fault of the service.
    Real,
}

impl DrillMode {
    /// Both.
    pub const ALL: [DrillMode; 2] = [DrillMode::Virtual, DrillMode::Real];

    /// The word of the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            DrillMode::Virtual => "virtual",
            DrillMode::Real => "real",
        }
    }
}

/// Where a drill is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DrillState {
    /// Asked for. No fault was injected.
    Queued,
    /// Under way. A fault may have been injected.
    Running,
    /// Ended.
    Done,
}

impl DrillState {
    /// All states.
    pub const ALL: [DrillState; 3] = [DrillState::Queued, DrillState::Running, DrillState::Done];

    /// The word of the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            DrillState::Queued => "queued",
            DrillState::Running => "running",
            DrillState::Done => "done",
        }
    }
}

/// How a step of a drill, or the whole of it, came out.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DrillOutcome {
    /// As promised.
    Passed,
    /// Not as promised.
    Failed,
    /// Not looked at, because something before it failed.
    Skipped,
}

impl DrillOutcome {
    /// All outcomes.
    pub const ALL: [DrillOutcome; 3] = [
        DrillOutcome::Passed,
        DrillOutcome::Failed,
        DrillOutcome::Skipped,
    ];

    /// The word of the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            DrillOutcome::Passed => "passed",
            DrillOutcome::Failed => "failed",
            DrillOutcome::Skipped => "skipped",
        }
    }
}

/// One thing that a drill looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillStep {
    /// What: `pending`, `firing`, `level 1 accepted`, …
    pub what: String,
    /// The latest at which it was promised, in milliseconds since the drill began; `None` for what has no time.
    pub promised_ms: Option<i64>,
    /// When it was seen, likewise.
    pub observed_ms: Option<i64>,
    /// How it came out.
    pub outcome: DrillOutcome,
    /// What was seen, in a sentence.
    pub text: String,
}

/// One drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drill {
    /// Its number.
    pub id: DrillId,
    /// The alert.
    pub alert: String,
    /// How it is made to fire.
    pub mode: DrillMode,
    /// Whom its pages go to.
    pub pages: DrillPages,
    /// Who asked.
    pub by: String,
    /// When they asked.
    pub asked_at: Timestamp,
    /// Where it is.
    pub state: DrillState,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it came out, once it ended.
    pub outcome: Option<DrillOutcome>,
    /// Why, in a sentence.
    pub reason: String,
    /// The incident that it opened among the real ones.
    pub incident: Option<IncidentId>,
    /// What ends its fault, for a real one: kept here, so that a restart with another plan ends it all the same.
    pub end: Option<RequestStep>,
    /// How long after that the alert has ended at the latest.
    pub calm_within: Duration,
    /// What it looked at, in order.
    pub steps: Vec<DrillStep>,
}

//! Runs of procedure steps as the store keeps them: what was found, what was done, by whom. A run is a row before it is
//! an action, so that a step that changes something is known to have begun whatever happens then.

use alerting::{IncidentId, TimelineKind};
use model::Timestamp;

/// The number of a run.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

/// A step to be run, or ticked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// The step's place in its procedure, counted from 0.
    pub step: usize,
    /// Its title, as it was then.
    pub title: String,
    /// Its kind (a word of [`plan::StepKind`]).
    pub kind: String,
    /// Whether it changes something.
    pub changes: bool,
    /// Who wants it; empty for Belfry itself.
    pub by: String,
    /// Whether it is only recorded as done by a person.
    pub ticked: bool,
}

/// Where a run is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Waiting.
    Queued,
    /// Under way.
    Running,
    /// Ended well.
    Done,
    /// Ended badly.
    Failed,
    /// Done by a person.
    Ticked,
    /// Cut off by a crash; whether it took effect is not known.
    Interrupted,
}

impl RunState {
    /// All states.
    pub const ALL: [RunState; 6] = [
        RunState::Queued,
        RunState::Running,
        RunState::Done,
        RunState::Failed,
        RunState::Ticked,
        RunState::Interrupted,
    ];

    /// The word of the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            RunState::Queued => "queued",
            RunState::Running => "running",
            RunState::Done => "done",
            RunState::Failed => "failed",
            RunState::Ticked => "ticked",
            RunState::Interrupted => "interrupted",
        }
    }
}

/// A run as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRun {
    /// Its number.
    pub id: RunId,
    /// Its incident.
    pub incident: IncidentId,
    /// The step's place in its procedure, counted from 0.
    pub step: usize,
    /// Its title.
    pub title: String,
    /// Its kind.
    pub kind: String,
    /// Whether it changes something.
    pub changes: bool,
    /// Where it is.
    pub state: RunState,
    /// Who wanted it; empty for Belfry itself.
    pub by: String,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What was found or why it failed, in a line.
    pub summary: String,
    /// What was found, as JSON text; empty for nothing more.
    pub detail: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOutcome {
    /// The new state.
    pub state: RunState,
    /// What was found or why it failed, in a line.
    pub summary: String,
    /// What was found, as JSON text; empty for nothing more.
    pub detail: String,
    /// What is written to the incident's timeline.
    pub timeline: Option<(TimelineKind, String)>,
}

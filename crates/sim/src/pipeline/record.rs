//! What was seen of a run from outside: by the receivers, by whoever pressed buttons, by whoever looked at the list of
//! incidents every second.

use std::time::Duration;

use alerting::IncidentId;
use model::Labels;
use monitor::incident::IncidentDetail;

use super::scenario::Action;

/// Orders what happens in one instant.
pub type Sequence = u64;

/// A request that reached a receiver.
#[derive(Clone, Debug)]
pub struct AttemptSeen {
    /// In which order.
    pub sequence: Sequence,
    /// When it came.
    pub at: Duration,
    /// Whom it is for.
    pub person: String,
    /// By which of their channels, counted from 0.
    pub channel: usize,
    /// Its key.
    pub key: String,
    /// `firing` or `resolved`.
    pub status: String,
    /// The level.
    pub level: usize,
    /// The reason's word.
    pub reason: String,
    /// The incident.
    pub incident: i64,
    /// Incidents that a summary lists, with their states.
    pub summary_of: Vec<(i64, String)>,
    /// When the receiver took it, with its place in the order.
    pub accepted: Option<(Sequence, Duration)>,
    /// Whether the receiver could finish its answer.
    pub answered: bool,
}

/// What an evaluation said of an instance, before anything could tamper with it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The condition holds.
    Holds,
    /// It does not.
    DoesNotHold,
    /// Complete scrapes bring no value.
    NoValue,
    /// Nothing is known.
    Unknown,
}

/// One evaluation.
#[derive(Clone, Debug)]
pub struct EvaluationSeen {
    /// In which order.
    pub sequence: Sequence,
    /// When.
    pub at: Duration,
    /// Which rule.
    pub rule: usize,
    /// What it said, by instance.
    pub verdicts: Vec<Verdict>,
    /// Whether the desk took it.
    pub taken: bool,
}

/// Something that somebody did.
#[derive(Clone, Debug)]
pub struct ActionSeen {
    /// In which order it was answered.
    pub sequence: Sequence,
    /// When.
    pub at: Duration,
    /// What.
    pub action: Action,
    /// To which incident.
    pub incident: Option<i64>,
    /// Whether the answer was good.
    pub done: bool,
}

/// Where an incident is, as the desk says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Escalation runs.
    Open,
    /// Somebody has it, or its pages are held back.
    Resting,
    /// Over.
    Resolved,
}

/// A change of what the desk shows.
#[derive(Clone, Debug)]
pub struct StateSeen {
    /// In which order.
    pub sequence: Sequence,
    /// When.
    pub at: Duration,
    /// Which incident.
    pub incident: i64,
    /// Where it is now.
    pub shown: Shown,
}

/// Everything that was seen.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Requests to receivers.
    pub attempts: Vec<AttemptSeen>,
    /// Evaluations.
    pub evaluations: Vec<EvaluationSeen>,
    /// What people did.
    pub actions: Vec<ActionSeen>,
    /// What the desk showed.
    pub states: Vec<StateSeen>,
    /// When the process was away.
    pub away: Vec<(Duration, Duration)>,
    /// Times at which the clock was set and the process died before it could notice.
    pub unnoticed: Vec<Duration>,
    /// When the clock was set, and by how many milliseconds.
    pub jumps: Vec<(Duration, i64)>,
    /// When the store failed.
    pub store_failures: Vec<Duration>,
    /// What the store holds in the end, the oldest incident first.
    pub incidents: Vec<IncidentDetail>,
}

impl Record {
    /// The end state of an incident.
    pub fn incident(&self, id: i64) -> Option<&IncidentDetail> {
        let id = IncidentId(id);
        self.incidents
            .iter()
            .find(|detail| detail.incident.id() == id)
    }

    /// Whether an incident holds an alert.
    pub fn has_alert(detail: &IncidentDetail, labels: &Labels) -> bool {
        detail.incident.members.contains_key(labels)
    }

    /// As text, to the last detail: what a second run of the same seed must repeat.
    pub fn trace(&self) -> String {
        format!("{self:#?}")
    }
}

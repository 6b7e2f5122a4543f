//! What can happen to an incident: what alerts do, what people do, what holds pages back, and that time passes.

use model::Labels;

use crate::{ForeignAlert, Hold, Incident, IncidentId, ResolveReason, TimelineKind};

/// What can happen to an incident.
#[derive(Clone, Debug, PartialEq)]
pub enum IncidentInput {
    /// An alert of its group fired (the first one opens it).
    AlertFired {
        /// Which.
        labels: Labels,
        /// Its value.
        value: f64,
        /// The rule's summary, filled in.
        summary: String,
        /// What is kept of it if another program sent it.
        foreign: Option<ForeignAlert>,
    },
    /// An alert of its group resolved.
    AlertResolved {
        /// Which.
        labels: Labels,
        /// Why.
        reason: ResolveReason,
    },
    /// Nothing is known about an alert any more.
    AlertLostData {
        /// Which.
        labels: Labels,
    },
    /// Data came back.
    AlertDataCameBack {
        /// Which.
        labels: Labels,
    },
    /// Somebody opens it by hand.
    OpenByHand {
        /// Who.
        by: String,
        /// What is the matter.
        text: String,
    },
    /// Somebody takes it.
    Acknowledge {
        /// Who.
        by: String,
        /// What they said, possibly nothing.
        note: String,
    },
    /// Somebody ends it.
    Resolve {
        /// Who.
        by: String,
        /// What they said, possibly nothing.
        note: String,
    },
    /// It becomes part of another one.
    MergeInto {
        /// Who decided so.
        by: String,
        /// Which.
        other: IncidentId,
    },
    /// Another one became part of it.
    TakeIn {
        /// Who decided so.
        by: String,
        /// The other one.
        other: Box<Incident>,
    },
    /// Something holds its pages back now, or nothing does.
    Hold(Option<Hold>),
    /// Somebody writes something down, or something is written down for them.
    Note {
        /// What kind of entry.
        kind: TimelineKind,
        /// What.
        text: String,
    },
    /// It was a drill and is one no longer: from now on it is told as if it opened now.
    TurnReal {
        /// Why.
        why: String,
    },
    /// Time passed.
    Tick,
}

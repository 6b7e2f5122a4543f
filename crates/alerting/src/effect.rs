//! What follows from an input: entries in the timeline, and pages with the reason why they are sent.

use model::Timestamp;

use crate::TimelineKind;

/// Why a page is sent.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PageReason {
    /// Its level's time has come.
    Escalation,
    /// Further alerts joined.
    Joined,
    /// An acknowledgement expired.
    AcknowledgementExpired,
    /// A silence or a maintenance window ended while it still fires.
    HoldEnded,
    /// It is over.
    Resolved,
    /// Many pages at once, as one.
    Summary,
}

impl PageReason {
    /// All reasons.
    pub const ALL: [PageReason; 6] = [
        PageReason::Escalation,
        PageReason::Joined,
        PageReason::AcknowledgementExpired,
        PageReason::HoldEnded,
        PageReason::Resolved,
        PageReason::Summary,
    ];

    /// The word that the API and the store use.
    pub fn as_str(self) -> &'static str {
        match self {
            PageReason::Escalation => "escalation",
            PageReason::Joined => "joined",
            PageReason::AcknowledgementExpired => "acknowledgement_expired",
            PageReason::HoldEnded => "hold_ended",
            PageReason::Resolved => "resolved",
            PageReason::Summary => "summary",
        }
    }

    /// The reason of a word; `None` for a word that is none.
    pub fn from_word(word: &str) -> Option<PageReason> {
        PageReason::ALL
            .into_iter()
            .find(|reason| reason.as_str() == word)
    }
}

/// What the shell must do, in this order and in one transaction with the changed incident.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write it down.
    Timeline(TimelineKind, String),
    /// Tell everybody who fills one of these roles that it fires.
    Page {
        /// Which level, counted from 1.
        level: usize,
        /// Whom.
        roles: Vec<String>,
        /// Why.
        reason: PageReason,
        /// When it was promised.
        due: Timestamp,
    },
    /// Tell everybody who was told that it fires that it is over.
    PageResolved,
}

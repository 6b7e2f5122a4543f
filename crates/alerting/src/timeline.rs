//! What an incident's timeline is made of: the kinds of its entries, and the incident's number.

use std::fmt;

/// The number of an incident.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(pub i64);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The kind of an entry in the incident's timeline.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TimelineKind {
    /// It opened.
    Opened,
    /// Another alert joined or one of several ended.
    Changed,
    /// A level was told.
    Escalated,
    /// A page was accepted by its receiver.
    Delivered,
    /// A page was refused; it is tried again.
    DeliveryFailed,
    /// A page could not be delivered at all, or a level reached nobody.
    GivenUp,
    /// Somebody took it.
    Acknowledged,
    /// What somebody took is nobody's again.
    AcknowledgementExpired,
    /// Its pages are held back.
    Held,
    /// They no longer are.
    Released,
    /// Data is missing.
    NoData,
    /// Data came back.
    DataBack,
    /// A step of the procedure began, ended or was ticked.
    Step,
    /// It ended.
    Resolved,
    /// Somebody wrote something.
    Note,
    /// It is a drill, or no longer one.
    Drill,
}

impl TimelineKind {
    /// All kinds.
    pub const ALL: [TimelineKind; 16] = [
        TimelineKind::Opened,
        TimelineKind::Changed,
        TimelineKind::Escalated,
        TimelineKind::Delivered,
        TimelineKind::DeliveryFailed,
        TimelineKind::GivenUp,
        TimelineKind::Acknowledged,
        TimelineKind::AcknowledgementExpired,
        TimelineKind::Held,
        TimelineKind::Released,
        TimelineKind::NoData,
        TimelineKind::DataBack,
        TimelineKind::Step,
        TimelineKind::Resolved,
        TimelineKind::Note,
        TimelineKind::Drill,
    ];

    /// The word that the API and the store use.
    pub fn as_str(self) -> &'static str {
        match self {
            TimelineKind::Opened => "opened",
            TimelineKind::Changed => "changed",
            TimelineKind::Escalated => "escalated",
            TimelineKind::Delivered => "delivered",
            TimelineKind::DeliveryFailed => "delivery_failed",
            TimelineKind::GivenUp => "given_up",
            TimelineKind::Acknowledged => "acknowledged",
            TimelineKind::AcknowledgementExpired => "acknowledgement_expired",
            TimelineKind::Held => "held",
            TimelineKind::Released => "released",
            TimelineKind::NoData => "no_data",
            TimelineKind::DataBack => "data_back",
            TimelineKind::Step => "step",
            TimelineKind::Resolved => "resolved",
            TimelineKind::Note => "note",
            TimelineKind::Drill => "drill",
        }
    }
}

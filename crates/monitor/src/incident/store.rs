//! The seam to whatever remembers incidents, in domain verbs. Every method takes `now`; no adapter reads a clock.
//!
//! One [`Change`] is one transaction: the rule's instances, the incidents that changed, what is written to their timelines
//! and the pages that follow from it are all there or none is. A page is a row before it is a request, so a crash
//! between deciding and sending loses nothing.

use std::collections::BTreeMap;
use std::fmt;

use alerting::{Incident, IncidentId, RuleState, TimelineKind};
use model::Timestamp;

/// The store failed. Keep the old state, count it, try again at the next tick.
#[derive(Debug)]
pub struct IncidentStoreError(pub String);

impl fmt::Display for IncidentStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the incident store failed: {}", self.0)
    }
}

impl std::error::Error for IncidentStoreError {}

/// What a start needs to go on where the last run stopped.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Rules with instances, by the rule's name.
    pub rules: BTreeMap<String, RuleState>,
    /// Incidents that are not resolved.
    pub open: Vec<Incident>,
    /// The number of the next incident.
    pub next_id: i64,
}

/// Everything that changes together.
#[derive(Debug, Default)]
pub struct Change {
    /// A rule whose instances changed.
    pub rule: Option<(String, RuleState)>,
    /// Incidents that changed.
    pub incidents: Vec<IncidentChange>,
}

/// What changes about one incident.
#[derive(Debug)]
pub struct IncidentChange {
    /// Its new state.
    pub incident: Incident,
    /// What is written down.
    pub timeline: Vec<(TimelineKind, String)>,
    /// Pages that must be sent.
    pub pages: Vec<NewPage>,
    /// Whether everybody who was paged must be told that it is over.
    pub page_resolved: bool,
}

/// A page to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPage {
    /// The level that is told, counted from 1.
    pub level: usize,
    /// Whom.
    pub person: String,
    /// By which kind of channel (`webhook`, `log`).
    pub channel: String,
}

/// The number of a page.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageId(pub i64);

/// What a page says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// It fires.
    Firing,
    /// It is over.
    Resolved,
}

impl PageKind {
    /// The word of the API and of Alertmanager's payload.
    pub fn as_str(self) -> &'static str {
        match self {
            PageKind::Firing => "firing",
            PageKind::Resolved => "resolved",
        }
    }
}

/// Where a page is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PageState {
    /// Waiting for its (next) attempt.
    Queued,
    /// Accepted by the receiver.
    Delivered,
    /// Not delivered in a day.
    GivenUp,
}

impl PageState {
    /// The word of the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            PageState::Queued => "queued",
            PageState::Delivered => "delivered",
            PageState::GivenUp => "given_up",
        }
    }
}

/// A page as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its number; with the incident's it makes the idempotency key.
    pub id: PageId,
    /// Its incident.
    pub incident: IncidentId,
    /// The level, counted from 1.
    pub level: usize,
    /// What it says.
    pub kind: PageKind,
    /// Whom.
    pub person: String,
    /// By which kind of channel.
    pub channel: String,
    /// Where it is.
    pub state: PageState,
    /// Attempts so far.
    pub attempts: u32,
    /// When it was decided.
    pub queued_at: Timestamp,
    /// When it is tried next.
    pub next_attempt_at: Timestamp,
    /// When it was accepted.
    pub delivered_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

/// What an attempt to deliver changed.
#[derive(Clone, Debug)]
pub struct PageOutcome {
    /// The new state.
    pub state: PageState,
    /// When to try again, for a page that stays queued.
    pub next_attempt_at: Timestamp,
    /// Why it failed.
    pub error: Option<String>,
    /// What is written to the incident's timeline, if anything.
    pub timeline: Option<(TimelineKind, String)>,
}

/// One line of an incident's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// What kind (one of [`TimelineKind`]'s words).
    pub kind: String,
    /// What.
    pub text: String,
}

/// An incident with everything that was written down about it.
#[derive(Clone, Debug)]
pub struct IncidentDetail {
    /// The incident.
    pub incident: Incident,
    /// Its timeline, the oldest entry first.
    pub timeline: Vec<TimelineEntry>,
    /// Its pages, the oldest first.
    pub pages: Vec<Page>,
}

/// Which incidents are wanted.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum IncidentFilter {
    /// Not resolved.
    Open,
    /// Resolved.
    Resolved,
    /// All.
    All,
}

/// Remembers incidents, rule instances and pages.
pub trait IncidentStore: Send {
    /// What a start needs.
    ///
    /// # Errors
    /// [`IncidentStoreError`], for this and every other method.
    fn load(&mut self) -> Result<Loaded, IncidentStoreError>;

    /// Writes that Belfry was alive; once a minute. [`RuleState::evaluated_at`] is restored from it.
    fn touch(&mut self, now: Timestamp) -> Result<(), IncidentStoreError>;

    /// Records a change as one transaction that survives kill -9 and power loss when this returns.
    fn record(&mut self, change: &Change, now: Timestamp) -> Result<(), IncidentStoreError>;

    /// Pages whose time has come, the oldest first. A page that says "resolved" comes only after every page to the same
    /// person about the same incident that says "firing".
    fn due_pages(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Page>, IncidentStoreError>;

    /// How many pages wait, and since when the oldest does.
    fn queue(&mut self) -> Result<(u64, Option<Timestamp>), IncidentStoreError>;

    /// Records how an attempt ended.
    fn record_attempt(
        &mut self,
        page: PageId,
        outcome: &PageOutcome,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError>;

    /// Incidents, the newest first.
    fn incidents(
        &mut self,
        filter: IncidentFilter,
        limit: usize,
    ) -> Result<Vec<Incident>, IncidentStoreError>;

    /// One incident with its timeline and pages.
    fn detail(&mut self, id: IncidentId) -> Result<Option<IncidentDetail>, IncidentStoreError>;
}

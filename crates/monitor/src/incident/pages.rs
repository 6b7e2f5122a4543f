//! Pages as the store keeps them: one row for each person, level and channel that is to be told.

use alerting::{IncidentId, PageReason, TimelineKind};
use model::Timestamp;

/// The channel of pages of drills that go to nobody: what is sent there is accepted and logged. No person's channel can have
/// this name, since those begin with their kind.
pub const DRILL_SINK: &str = "drill";

/// A page to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPage {
    /// The level that is told, counted from 1.
    pub level: usize,
    /// Whom.
    pub person: String,
    /// By which channel (a name of [`plan::Person::channel_names`]).
    pub channel: String,
    /// Why.
    pub reason: PageReason,
    /// When it was promised.
    pub due_at: Timestamp,
    /// When it may be sent: a little later than it is decided where evidence is being gathered.
    pub send_at: Timestamp,
    /// Whether it waits to become a line of a summary.
    pub in_summary: bool,
}

/// A summary to be queued: it carries every page of the person that waits for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSummary {
    /// Whom.
    pub person: String,
    /// By which channel.
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
    /// Waiting to be a line of a summary.
    InSummary,
    /// Accepted by the receiver.
    Delivered,
    /// Another channel of the person accepted it.
    Replaced,
    /// Not delivered in a day.
    GivenUp,
}

impl PageState {
    /// All states.
    pub const ALL: [PageState; 5] = [
        PageState::Queued,
        PageState::InSummary,
        PageState::Delivered,
        PageState::Replaced,
        PageState::GivenUp,
    ];

    /// The word of the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            PageState::Queued => "queued",
            PageState::InSummary => "in_summary",
            PageState::Delivered => "delivered",
            PageState::Replaced => "replaced",
            PageState::GivenUp => "given_up",
        }
    }
}

/// A page as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its number.
    pub id: PageId,
    /// The first page of the same content to the same person: its own number, or that of the page whose channel failed.
    pub root: PageId,
    /// Its incident.
    pub incident: IncidentId,
    /// The level, counted from 1.
    pub level: usize,
    /// Why it is sent.
    pub reason: PageReason,
    /// Whom.
    pub person: String,
    /// By which channel.
    pub channel: String,
    /// Where it is.
    pub state: PageState,
    /// Attempts so far.
    pub attempts: u32,
    /// When it was promised.
    pub due_at: Timestamp,
    /// When it was decided.
    pub queued_at: Timestamp,
    /// When it is tried next.
    pub next_attempt_at: Timestamp,
    /// When it was accepted.
    pub delivered_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// What the receiver said when it accepted.
    pub receipt: Option<String>,
}

impl Page {
    /// What it says.
    pub fn kind(&self) -> PageKind {
        match self.reason {
            PageReason::Resolved => PageKind::Resolved,
            PageReason::Escalation
            | PageReason::Joined
            | PageReason::AcknowledgementExpired
            | PageReason::HoldEnded
            | PageReason::Summary => PageKind::Firing,
        }
    }

    /// By which a receiver tells a repetition from a new page.
    pub fn idempotency_key(&self) -> String {
        format!("belfry-{}-{}", self.incident, self.root.0)
    }
}

/// What waits to be sent.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct PageQueue {
    /// How many pages.
    pub waiting: u64,
    /// Since when the oldest of them does.
    pub oldest: Option<Timestamp>,
    /// When the next attempt is due.
    pub next_at: Option<Timestamp>,
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
    /// What the receiver said when it accepted.
    pub receipt: Option<String>,
    /// How long the attempt took, in milliseconds.
    pub took_ms: u64,
    /// What is written to the incident's timeline, if anything.
    pub timeline: Option<(TimelineKind, String)>,
    /// The person's next channel, to be tried beside this one from now on. Queued once, however often it is asked for.
    pub fall_back_to: Option<String>,
}

/// One attempt to deliver a page.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryAttempt {
    /// The page, as it is now.
    pub page: Page,
    /// When the attempt ended.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Why it failed; `None` when it was accepted.
    pub error: Option<String>,
    /// What the receiver said when it accepted.
    pub receipt: Option<String>,
}

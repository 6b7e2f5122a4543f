//! The seam to whatever remembers incidents, in domain verbs. No adapter reads a clock: times come in.
//!
//! One [`Change`] is one transaction: the rule's instances, the incidents that changed, what is written to their timelines,
//! the pages and step runs that follow from it are all there or none is. A page is a row before it is a request, so a crash
//! between deciding and sending loses nothing.

use std::collections::BTreeMap;
use std::fmt;

use alerting::{Incident, IncidentId, RuleState, Silence, TimelineKind};
use model::{Labels, Timestamp};
use plan::RotaOverride;

use super::drills::*;
use super::pages::*;
use super::runs::*;

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
    /// Silences that hold or will.
    pub silences: Vec<Silence>,
    /// Exceptions to rotas that were made at run time and have not passed.
    pub overrides: Vec<StoredOverride>,
    /// People for whom pages wait that no summary carries yet.
    pub waiting_for_summary: Vec<String>,
    /// Drills that have not ended, the oldest first.
    pub drills: Vec<Drill>,
}

/// Everything that changes together.
#[derive(Debug, Default)]
pub struct Change {
    /// By how many milliseconds the machine's clock was set: the times of waiting pages move with everything else, or a
    /// failure in between would move them twice.
    pub clock_set_by_ms: i64,
    /// Rules whose instances changed.
    pub rules: Vec<RuleChange>,
    /// Incidents that changed.
    pub incidents: Vec<IncidentChange>,
    /// Summaries that are due.
    pub summaries: Vec<NewSummary>,
}

/// What changes about one rule.
#[derive(Debug)]
pub struct RuleChange {
    /// Which.
    pub name: String,
    /// Its instances.
    pub state: RuleState,
    /// What is written to its history.
    pub history: Vec<HistoryEntry>,
}

/// What changes about one incident.
#[derive(Debug)]
pub struct IncidentChange {
    /// Its new state.
    pub incident: Incident,
    /// The alerts of it that changed; others are as they were.
    pub touched: Vec<Labels>,
    /// What is written down.
    pub timeline: Vec<(TimelineKind, String)>,
    /// Pages that must be sent.
    pub pages: Vec<NewPage>,
    /// Steps that run by themselves.
    pub runs: Vec<NewRun>,
}

impl IncidentChange {
    /// A change without consequences, to be filled.
    pub fn new(incident: Incident) -> IncidentChange {
        IncidentChange {
            incident,
            touched: Vec::new(),
            timeline: Vec::new(),
            pages: Vec::new(),
            runs: Vec::new(),
        }
    }
}

/// One thing that happened to an alert: when and why it fired or did not.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryEntry {
    /// The rule.
    pub rule: String,
    /// Which of its alerts.
    pub labels: Labels,
    /// When.
    pub at: Timestamp,
    /// What (a word of [`alerting::TransitionKind`]).
    pub kind: String,
    /// The value at that time; NaN for none.
    pub value: f64,
    /// Why, in a sentence.
    pub why: String,
}

/// Which history is wanted.
#[derive(Clone, Debug)]
pub struct HistoryFilter {
    /// Of which rule; `None` for all.
    pub rule: Option<String>,
    /// From when …
    pub from: Timestamp,
    /// … until when, inclusive.
    pub until: Timestamp,
    /// The most entries.
    pub limit: usize,
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
    /// The steps of its procedure that ran, run or were ticked, the oldest first.
    pub runs: Vec<StepRun>,
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
    /// Those that opened in a span: from, inclusive, until, exclusive.
    OpenedWithin(Timestamp, Timestamp),
}

/// An exception to a rota that somebody made at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOverride {
    /// Its number.
    pub id: i64,
    /// The rota.
    pub rota: String,
    /// Who, from when until when.
    pub turn: RotaOverride,
    /// Who made it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Something new that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// When.
    pub at: Timestamp,
    /// Of what.
    pub service: String,
    /// Where; empty when it was said without one.
    pub instance: String,
    /// Which version, as it was said or as the labels of its build metric say.
    pub version: String,
    /// Who deployed it; empty when Belfry saw it by itself.
    pub by: String,
    /// What they said.
    pub note: String,
}

/// A job that reports, as the store remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHeartbeat {
    /// Its name.
    pub name: String,
    /// Since when it is expected.
    pub expected_since: Timestamp,
    /// When it last reported.
    pub last_at: Option<Timestamp>,
}

/// Remembers incidents, rule instances, pages and what people decided about them.
pub trait IncidentStore: Send {
    /// What a start needs. Step runs that a crash cut off are settled: those that change nothing run again, others are
    /// marked as interrupted.
    ///
    /// # Errors
    /// [`IncidentStoreError`], for this and every other method.
    fn load(&mut self, now: Timestamp) -> Result<Loaded, IncidentStoreError>;

    /// Writes that Belfry was alive; once a minute. [`RuleState::evaluated_at`] is restored from it.
    fn touch(&mut self, now: Timestamp) -> Result<(), IncidentStoreError>;

    /// Records a change as one transaction that survives kill -9 and power loss when this returns.
    fn record(&mut self, change: &Change, now: Timestamp) -> Result<(), IncidentStoreError>;

    /// Pages whose time has come, critical ones first, then the oldest. A page that says "resolved" comes only after every
    /// page to the same person about the same incident that says "firing"; one that says "firing" waits while somebody has
    /// the incident or its pages are held back.
    fn due_pages(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Page>, IncidentStoreError>;

    /// How many pages wait, since when the oldest does, and when the next one is due.
    fn queue(&mut self) -> Result<PageQueue, IncidentStoreError>;

    /// Records how an attempt ended, with what follows: a page by the person's next channel, other channels' pages that
    /// are no longer needed, the pages that a summary carried.
    fn record_attempt(
        &mut self,
        page: PageId,
        outcome: &PageOutcome,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError>;

    /// Lets the pages of an incident go that wait for its evidence.
    fn release_pages(
        &mut self,
        incident: IncidentId,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError>;

    /// The pages that a summary carries.
    fn pages_in_summary(&mut self, summary: PageId) -> Result<Vec<Page>, IncidentStoreError>;

    /// Attempts to deliver, the newest first.
    fn attempts(
        &mut self,
        incident: Option<IncidentId>,
        limit: usize,
    ) -> Result<Vec<DeliveryAttempt>, IncidentStoreError>;

    /// Incidents, the newest first.
    fn incidents(
        &mut self,
        filter: IncidentFilter,
        limit: usize,
    ) -> Result<Vec<Incident>, IncidentStoreError>;

    /// One incident with its timeline, pages and runs.
    fn detail(&mut self, id: IncidentId) -> Result<Option<IncidentDetail>, IncidentStoreError>;

    /// When and why alerts fired or did not, the newest first.
    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<HistoryEntry>, IncidentStoreError>;

    /// Queues a step for running, or records that it was ticked. `None` when the step runs already, or ran and changes
    /// something: such a step runs once.
    fn queue_run(
        &mut self,
        incident: IncidentId,
        run: &NewRun,
        now: Timestamp,
    ) -> Result<Option<RunId>, IncidentStoreError>;

    /// Steps that wait to be run, the oldest first.
    fn queued_runs(&mut self, limit: usize) -> Result<Vec<StepRun>, IncidentStoreError>;

    /// Marks a step as running.
    fn start_run(&mut self, run: RunId, now: Timestamp) -> Result<(), IncidentStoreError>;

    /// Records how a step ended.
    fn finish_run(
        &mut self,
        run: RunId,
        outcome: &RunOutcome,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError>;

    /// Silences that ended at or after a time, the newest first.
    fn silences(
        &mut self,
        ended_after: Timestamp,
        limit: usize,
    ) -> Result<Vec<Silence>, IncidentStoreError>;

    /// Writes silences, all or none, replacing those with their ids.
    fn put_silences(&mut self, silences: &[Silence]) -> Result<(), IncidentStoreError>;

    /// Writes an exception to a rota; its number.
    fn put_override(&mut self, added: &StoredOverride) -> Result<i64, IncidentStoreError>;

    /// Ends an exception to a rota at a time; whether it was there.
    fn end_override(&mut self, id: i64, at: Timestamp) -> Result<bool, IncidentStoreError>;

    /// Writes a deployment down.
    fn put_deployment(&mut self, deployment: &Deployment) -> Result<(), IncidentStoreError>;

    /// Deployments in a span, both ends inclusive, the newest first.
    fn deployments(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Deployment>, IncidentStoreError>;

    /// Expects these jobs from now on, those that are new, and forgets others; what is remembered of each.
    fn expect_heartbeats(
        &mut self,
        names: &[String],
        now: Timestamp,
    ) -> Result<Vec<StoredHeartbeat>, IncidentStoreError>;

    /// A job reported.
    fn beat(&mut self, name: &str, now: Timestamp) -> Result<(), IncidentStoreError>;

    /// Writes a new drill down; its number. The one in `drill` is not looked at.
    fn add_drill(&mut self, drill: &Drill) -> Result<DrillId, IncidentStoreError>;

    /// Writes down how a drill stands. Survives kill -9 and power loss when this returns.
    fn put_drill(&mut self, drill: &Drill) -> Result<(), IncidentStoreError>;

    /// One drill.
    fn drill(&mut self, id: DrillId) -> Result<Option<Drill>, IncidentStoreError>;

    /// Drills, of one alert or of all, the newest first.
    fn drills(
        &mut self,
        alert: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Drill>, IncidentStoreError>;

    /// Drills that have not ended, the oldest first.
    fn open_drills(&mut self) -> Result<Vec<Drill>, IncidentStoreError>;

    /// When the last drill of each alert that passed one ended.
    fn drills_passed(&mut self) -> Result<BTreeMap<String, Timestamp>, IncidentStoreError>;

    /// Forgets what happened before a time: history, attempts, and incidents that were resolved.
    fn forget_before(&mut self, before: Timestamp) -> Result<(), IncidentStoreError>;
}

//! The seam to the store, wrapped: calls that fail, deaths before and after a commit, and what a mutant does there.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::{Incident, IncidentId, Silence};
use model::Timestamp;
use monitor::incident::{
    Change, DeliveryAttempt, Deployment, Drill, DrillId, HistoryEntry, HistoryFilter,
    IncidentDetail, IncidentFilter, IncidentStore, IncidentStoreError, Loaded, NewRun, Page,
    PageId, PageOutcome, PageQueue, PageState, RunId, RunOutcome, StepRun, StoredHeartbeat,
    StoredOverride,
};
use std::time::Duration;

use super::mutants::Tampering;
use super::watch::Watch;

/// A step on the way of a page at which the process can die.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Placed {
    /// Pages are decided, nothing is written.
    BeforeCommit,
    /// They are written, nothing is sent.
    BeforeSend,
    /// The receiver took one, its answer is on the way.
    Accepted,
    /// The answer is here, nothing is written.
    BeforeOutcome,
    /// It is written.
    AfterOutcome,
}

/// When the store fails.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// From the n-th call on (counted from 1 over the whole run), so many calls.
    Calls(u64, u64),
    /// From, until.
    During(Duration, Duration),
}

type Outcome<T> = Result<T, IncidentStoreError>;

/// A store that fails where it is told to.
pub(super) struct FaultyStore<S> {
    pub(super) inner: S,
    pub(super) watch: Arc<Watch>,
    pub(super) tampering: Tampering,
}

impl<S: IncidentStore> FaultyStore<S> {
    fn call<T>(&mut self, work: impl FnOnce(&mut S) -> Outcome<T>) -> Outcome<T> {
        if self.watch.store_fails() {
            return Err(IncidentStoreError("simulated failure".to_owned()));
        }
        work(&mut self.inner)
    }

    /// Work with a death before it and one after it.
    fn call_between(
        &mut self,
        deaths: Option<(Placed, Placed)>,
        work: impl FnOnce(&mut S) -> Outcome<()>,
    ) -> Outcome<()> {
        if deaths.is_some_and(|(before, _)| self.watch.dies(before)) {
            return Err(IncidentStoreError("the process died".to_owned()));
        }
        self.call(work)?;
        if let Some((_, after)) = deaths {
            self.watch.dies(after);
        }
        Ok(())
    }
}

impl<S: IncidentStore> IncidentStore for FaultyStore<S> {
    fn load(&mut self, now: Timestamp) -> Outcome<Loaded> {
        let mut loaded = self.inner.load(now)?;
        self.tampering.loaded(&mut loaded, now);
        Ok(loaded)
    }

    fn touch(&mut self, now: Timestamp) -> Outcome<()> {
        self.call(|inner| inner.touch(now))
    }

    fn record(&mut self, change: &Change, now: Timestamp) -> Outcome<()> {
        self.watch.recorded();
        let pages = change
            .incidents
            .iter()
            .any(|changed| !changed.pages.is_empty());
        let deaths = (pages || !change.summaries.is_empty())
            .then_some((Placed::BeforeCommit, Placed::BeforeSend));
        self.call_between(deaths, |inner| inner.record(change, now))?;
        if change.clock_set_by_ms != 0 {
            self.watch.noticed_clock();
        }
        Ok(())
    }

    fn due_pages(&mut self, now: Timestamp, limit: usize) -> Outcome<Vec<Page>> {
        let pages = self.call(|inner| inner.due_pages(now, limit))?;
        self.tampering.due(&mut self.inner, &pages, now)?;
        Ok(pages)
    }

    fn queue(&mut self) -> Outcome<PageQueue> {
        self.call(S::queue)
    }

    fn record_attempt(
        &mut self,
        page: PageId,
        outcome: &PageOutcome,
        now: Timestamp,
    ) -> Outcome<()> {
        let outcome = self.tampering.outcome(page, outcome, now);
        let deaths = (outcome.state == PageState::Delivered)
            .then_some((Placed::BeforeOutcome, Placed::AfterOutcome));
        self.call_between(deaths, |inner| inner.record_attempt(page, &outcome, now))
    }

    fn release_pages(&mut self, incident: IncidentId, now: Timestamp) -> Outcome<()> {
        self.call(|inner| inner.release_pages(incident, now))
    }

    fn pages_in_summary(&mut self, summary: PageId) -> Outcome<Vec<Page>> {
        self.call(|inner| inner.pages_in_summary(summary))
    }

    fn attempts(
        &mut self,
        incident: Option<IncidentId>,
        limit: usize,
    ) -> Outcome<Vec<DeliveryAttempt>> {
        self.call(|inner| inner.attempts(incident, limit))
    }

    fn incidents(&mut self, filter: IncidentFilter, limit: usize) -> Outcome<Vec<Incident>> {
        self.call(|inner| inner.incidents(filter, limit))
    }

    fn detail(&mut self, id: IncidentId) -> Outcome<Option<IncidentDetail>> {
        self.call(|inner| inner.detail(id))
    }

    fn history(&mut self, filter: &HistoryFilter) -> Outcome<Vec<HistoryEntry>> {
        self.call(|inner| inner.history(filter))
    }

    fn queue_run(
        &mut self,
        incident: IncidentId,
        run: &NewRun,
        now: Timestamp,
    ) -> Outcome<Option<RunId>> {
        self.call(|inner| inner.queue_run(incident, run, now))
    }

    fn queued_runs(&mut self, limit: usize) -> Outcome<Vec<StepRun>> {
        self.call(|inner| inner.queued_runs(limit))
    }

    fn start_run(&mut self, run: RunId, now: Timestamp) -> Outcome<()> {
        self.call(|inner| inner.start_run(run, now))
    }

    fn finish_run(&mut self, run: RunId, outcome: &RunOutcome, now: Timestamp) -> Outcome<()> {
        self.call(|inner| inner.finish_run(run, outcome, now))
    }

    fn silences(&mut self, ended_after: Timestamp, limit: usize) -> Outcome<Vec<Silence>> {
        self.call(|inner| inner.silences(ended_after, limit))
    }

    fn put_silences(&mut self, silences: &[Silence]) -> Outcome<()> {
        self.call(|inner| inner.put_silences(silences))
    }

    fn put_override(&mut self, added: &StoredOverride) -> Outcome<i64> {
        self.call(|inner| inner.put_override(added))
    }

    fn end_override(&mut self, id: i64, at: Timestamp) -> Outcome<bool> {
        self.call(|inner| inner.end_override(id, at))
    }

    fn put_deployment(&mut self, deployment: &Deployment) -> Outcome<()> {
        self.call(|inner| inner.put_deployment(deployment))
    }

    fn deployments(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Outcome<Vec<Deployment>> {
        self.call(|inner| inner.deployments(from, until, limit))
    }

    fn expect_heartbeats(
        &mut self,
        names: &[String],
        now: Timestamp,
    ) -> Outcome<Vec<StoredHeartbeat>> {
        self.call(|inner| inner.expect_heartbeats(names, now))
    }

    fn beat(&mut self, name: &str, now: Timestamp) -> Outcome<()> {
        self.call(|inner| inner.beat(name, now))
    }

    fn add_drill(&mut self, drill: &Drill) -> Outcome<DrillId> {
        self.call(|inner| inner.add_drill(drill))
    }

    fn put_drill(&mut self, drill: &Drill) -> Outcome<()> {
        self.call(|inner| inner.put_drill(drill))
    }

    fn drill(&mut self, id: DrillId) -> Outcome<Option<Drill>> {
        self.call(|inner| inner.drill(id))
    }

    fn drills(&mut self, alert: Option<&str>, limit: usize) -> Outcome<Vec<Drill>> {
        self.call(|inner| inner.drills(alert, limit))
    }

    fn open_drills(&mut self) -> Outcome<Vec<Drill>> {
        self.call(|inner| inner.open_drills())
    }

    fn drills_passed(&mut self) -> Outcome<BTreeMap<String, Timestamp>> {
        self.call(|inner| inner.drills_passed())
    }

    fn forget_before(&mut self, before: Timestamp) -> Outcome<()> {
        self.call(|inner| inner.forget_before(before))
    }
}

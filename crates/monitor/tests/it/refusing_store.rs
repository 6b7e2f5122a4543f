//! A store that refuses the verbs that a test says, as a full disk or a locked file does.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::{Incident, IncidentId, Silence};
use model::Timestamp;
use monitor::incident::*;

/// Whether a verb, by its name, is refused now.
pub(crate) type Refuses = Arc<dyn Fn(&str) -> bool + Send + Sync>;

pub(crate) struct RefusingStore<S> {
    pub(crate) inner: S,
    pub(crate) refuses: Refuses,
}

impl<S> RefusingStore<S> {
    fn check(&self, verb: &str) -> Result<(), IncidentStoreError> {
        if (self.refuses)(verb) {
            return Err(IncidentStoreError("database or disk is full".to_owned()));
        }
        Ok(())
    }
}

impl<S: IncidentStore> IncidentStore for RefusingStore<S> {
    fn load(&mut self, now: Timestamp) -> Result<Loaded, IncidentStoreError> {
        self.check("load")?;
        self.inner.load(now)
    }

    fn touch(&mut self, now: Timestamp) -> Result<(), IncidentStoreError> {
        self.check("touch")?;
        self.inner.touch(now)
    }

    fn record(&mut self, change: &Change, now: Timestamp) -> Result<(), IncidentStoreError> {
        self.check("record")?;
        self.inner.record(change, now)
    }

    fn due_pages(&mut self, now: Timestamp, limit: usize) -> Result<Vec<Page>, IncidentStoreError> {
        self.check("due_pages")?;
        self.inner.due_pages(now, limit)
    }

    fn queue(&mut self) -> Result<PageQueue, IncidentStoreError> {
        self.check("queue")?;
        self.inner.queue()
    }

    fn record_attempt(
        &mut self,
        page: PageId,
        outcome: &PageOutcome,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError> {
        self.check("record_attempt")?;
        self.inner.record_attempt(page, outcome, now)
    }

    fn release_pages(
        &mut self,
        incident: IncidentId,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError> {
        self.check("release_pages")?;
        self.inner.release_pages(incident, now)
    }

    fn pages_in_summary(&mut self, summary: PageId) -> Result<Vec<Page>, IncidentStoreError> {
        self.check("pages_in_summary")?;
        self.inner.pages_in_summary(summary)
    }

    fn attempts(
        &mut self,
        incident: Option<IncidentId>,
        limit: usize,
    ) -> Result<Vec<DeliveryAttempt>, IncidentStoreError> {
        self.check("attempts")?;
        self.inner.attempts(incident, limit)
    }

    fn incidents(
        &mut self,
        filter: IncidentFilter,
        limit: usize,
    ) -> Result<Vec<Incident>, IncidentStoreError> {
        self.check("incidents")?;
        self.inner.incidents(filter, limit)
    }

    fn detail(&mut self, id: IncidentId) -> Result<Option<IncidentDetail>, IncidentStoreError> {
        self.check("detail")?;
        self.inner.detail(id)
    }

    fn history(&mut self, filter: &HistoryFilter) -> Result<Vec<HistoryEntry>, IncidentStoreError> {
        self.check("history")?;
        self.inner.history(filter)
    }

    fn queue_run(
        &mut self,
        incident: IncidentId,
        run: &NewRun,
        now: Timestamp,
    ) -> Result<Option<RunId>, IncidentStoreError> {
        self.check("queue_run")?;
        self.inner.queue_run(incident, run, now)
    }

    fn queued_runs(&mut self, limit: usize) -> Result<Vec<StepRun>, IncidentStoreError> {
        self.check("queued_runs")?;
        self.inner.queued_runs(limit)
    }

    fn start_run(&mut self, run: RunId, now: Timestamp) -> Result<(), IncidentStoreError> {
        self.check("start_run")?;
        self.inner.start_run(run, now)
    }

    fn finish_run(
        &mut self,
        run: RunId,
        outcome: &RunOutcome,
        now: Timestamp,
    ) -> Result<(), IncidentStoreError> {
        self.check("finish_run")?;
        self.inner.finish_run(run, outcome, now)
    }

    fn silences(
        &mut self,
        ended_after: Timestamp,
        limit: usize,
    ) -> Result<Vec<Silence>, IncidentStoreError> {
        self.check("silences")?;
        self.inner.silences(ended_after, limit)
    }

    fn put_silences(&mut self, silences: &[Silence]) -> Result<(), IncidentStoreError> {
        self.check("put_silences")?;
        self.inner.put_silences(silences)
    }

    fn put_override(&mut self, added: &StoredOverride) -> Result<i64, IncidentStoreError> {
        self.check("put_override")?;
        self.inner.put_override(added)
    }

    fn end_override(&mut self, id: i64, at: Timestamp) -> Result<bool, IncidentStoreError> {
        self.check("end_override")?;
        self.inner.end_override(id, at)
    }

    fn put_deployment(&mut self, deployment: &Deployment) -> Result<(), IncidentStoreError> {
        self.check("put_deployment")?;
        self.inner.put_deployment(deployment)
    }

    fn deployments(
        &mut self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Deployment>, IncidentStoreError> {
        self.check("deployments")?;
        self.inner.deployments(from, until, limit)
    }

    fn expect_heartbeats(
        &mut self,
        names: &[String],
        now: Timestamp,
    ) -> Result<Vec<StoredHeartbeat>, IncidentStoreError> {
        self.check("expect_heartbeats")?;
        self.inner.expect_heartbeats(names, now)
    }

    fn beat(&mut self, name: &str, now: Timestamp) -> Result<(), IncidentStoreError> {
        self.check("beat")?;
        self.inner.beat(name, now)
    }

    fn add_drill(&mut self, drill: &Drill) -> Result<DrillId, IncidentStoreError> {
        self.check("add_drill")?;
        self.inner.add_drill(drill)
    }

    fn put_drill(&mut self, drill: &Drill) -> Result<(), IncidentStoreError> {
        self.check("put_drill")?;
        self.inner.put_drill(drill)
    }

    fn drill(&mut self, id: DrillId) -> Result<Option<Drill>, IncidentStoreError> {
        self.check("drill")?;
        self.inner.drill(id)
    }

    fn drills(
        &mut self,
        alert: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Drill>, IncidentStoreError> {
        self.check("drills")?;
        self.inner.drills(alert, limit)
    }

    fn open_drills(&mut self) -> Result<Vec<Drill>, IncidentStoreError> {
        self.check("open_drills")?;
        self.inner.open_drills()
    }

    fn drills_passed(&mut self) -> Result<BTreeMap<String, Timestamp>, IncidentStoreError> {
        self.check("drills_passed")?;
        self.inner.drills_passed()
    }

    fn forget_before(&mut self, before: Timestamp) -> Result<(), IncidentStoreError> {
        self.check("forget_before")?;
        self.inner.forget_before(before)
    }
}

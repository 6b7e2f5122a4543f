//! The loop that runs steps: takes what is queued, marks it as begun before it begins, and settles it. Several run at once;
//! a step that changes something waits for those before it in its procedure, so that the evidence is of the time before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alerting::{IncidentId, TimelineKind};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::Timestamp;
use plan::{Step, StepKind};
use world::World;

use super::{Failure, Finding, Moment, act, look};
use crate::incident::{Desk, IncidentStoreError, RunId, RunOutcome, RunState, StepRun};
use crate::logs::LogsBackend;
use crate::metrics::MetricsBackend;
use crate::self_metrics::SelfMetrics;
use crate::setup::{CurrentSetup, Environment};

/// Steps that run at once: a hanging one holds its place for as long as its time-out, others must not wait for it.
const RUNS_AT_ONCE: usize = 16;
/// How many queued runs are looked at.
const LOOKED_AT_MAX: usize = 256;
/// The longest wait between two looks, in case a wake-up was missed.
const POLL: Duration = Duration::from_secs(5);

/// Runs steps of procedures for ever.
pub struct Runner {
    /// Time, network, programs.
    pub world: World,
    /// Where runs are.
    pub desk: Arc<Desk>,
    /// What steps say.
    pub setup: Arc<CurrentSetup>,
    /// Secrets.
    pub environment: Environment,
    /// Metrics.
    pub metrics_backend: Arc<dyn MetricsBackend>,
    /// Logs.
    pub logs: Arc<dyn LogsBackend>,
    /// Counters.
    pub metrics: Arc<SelfMetrics>,
}

impl Runner {
    /// Runs until dropped. A step that is cut off is settled at the next start.
    pub async fn run(self) {
        let queued = self.desk.runs_queued();
        let mut running = FuturesUnordered::new();
        let mut in_flight: BTreeMap<RunId, StepRun> = BTreeMap::new();
        loop {
            // Interest before the look: a step queued between the two still wakes this loop.
            let woken = queued.notified();
            for run in self.queued(&in_flight).await {
                if running.len() >= RUNS_AT_ONCE {
                    break;
                }
                in_flight.insert(run.id, run.clone());
                running.push(self.run_one(run));
            }
            tokio::select! {
                // Results first: they free places.
                biased;
                Some(id) = running.next(), if !running.is_empty() => {
                    in_flight.remove(&id);
                }
                () = woken => {}
                () = self.world.clock.sleep(POLL) => {}
            }
        }
    }

    /// Runs that may begin now.
    async fn queued(&self, in_flight: &BTreeMap<RunId, StepRun>) -> Vec<StepRun> {
        // A failing store is counted by the desk; the next look tries again.
        let queued = self
            .desk
            .with_store(|store| store.queued_runs(LOOKED_AT_MAX))
            .await
            .unwrap_or_default();
        let is_before = |earlier: &StepRun, run: &StepRun| {
            earlier.incident == run.incident && earlier.step < run.step
        };
        let may_begin = |run: &&StepRun| {
            let mut others = queued.iter().chain(in_flight.values());
            let waits = run.changes && others.any(|earlier| is_before(earlier, run));
            !in_flight.contains_key(&run.id) && !waits
        };
        queued.iter().filter(may_begin).cloned().collect()
    }

    async fn run_one(&self, run: StepRun) -> RunId {
        let (id, incident) = (run.id, run.incident);
        if self.settle_one(&run).await.is_err() {
            // The store refused: the run is still queued, or begun. The pause keeps the loop from spinning.
            self.world.clock.sleep(POLL).await;
        }
        self.release_pages(incident).await;
        id
    }

    async fn settle_one(&self, run: &StepRun) -> Result<(), IncidentStoreError> {
        let id = run.id;
        let now = self.now();
        // Written before it is done: a crash from here on leaves "began", never "did not".
        self.desk
            .with_store(move |store| store.start_run(id, now))
            .await?;
        let outcome = self.perform(run).await;
        let (state, finding) = match outcome {
            Ok(finding) => (RunState::Done, finding),
            Err(why) => {
                self.metrics.step_failures.inc();
                let detail = serde_json::Value::Null;
                (
                    RunState::Failed,
                    Finding {
                        summary: why,
                        detail,
                    },
                )
            }
        };
        self.metrics.steps.inc();
        // What was found says by itself that it went well.
        let failed = if state == RunState::Failed {
            "failed: "
        } else {
            ""
        };
        let text = format!(
            "step {} ({}): {failed}{}",
            run.step + 1,
            run.title.trim_end_matches('.'),
            finding.summary
        );
        let outcome = RunOutcome {
            state,
            summary: finding.summary,
            detail: finding.detail.to_string(),
            timeline: Some((TimelineKind::Step, text)),
        };
        let now = self.now();
        loop {
            let outcome = outcome.clone();
            let recorded = self
                .desk
                .with_store(move |store| store.finish_run(id, &outcome, now))
                .await;
            if recorded.is_ok() {
                return Ok(());
            }
            self.world.clock.sleep(POLL).await;
        }
    }

    async fn perform(&self, run: &StepRun) -> Result<Finding, Failure> {
        let incident = run.incident;
        let detail = self
            .desk
            .with_store(move |store| store.detail(incident))
            .await
            .map_err(|error| error.to_string())?
            .ok_or("the incident of this step is not in the store")?;
        let setup = self.setup.get();
        let procedure = detail.incident.head.procedure.as_deref();
        let step = procedure
            .and_then(|id| setup.plan.procedure(id))
            .and_then(|procedure| procedure.steps.get(run.step))
            .filter(|step| step.title == run.title)
            .ok_or("the plan was changed and no longer has this step")?;
        let moment = Moment {
            incident: &detail.incident,
            now: self.now(),
        };
        match world::timeout(step.timeout, self.perform_step(step, &moment)).await {
            Ok(outcome) => outcome,
            Err(world::Elapsed) => Err(format!(
                "not done within {}",
                model::format_duration(step.timeout)
            )),
        }
    }

    async fn perform_step(&self, step: &Step, moment: &Moment<'_>) -> Result<Finding, Failure> {
        let timeout = step.timeout;
        match &step.kind {
            StepKind::Manual => Err("a person does this step".to_owned()),
            StepKind::Query(expr) => look::query(&*self.metrics_backend, expr, moment).await,
            StepKind::Compare { expr, before } => {
                look::compare(&*self.metrics_backend, expr, *before, moment).await
            }
            StepKind::Logs(search) => look::logs(&*self.logs, search, moment).await,
            StepKind::Deployments(within) => look::deployments(&self.desk, *within, moment).await,
            StepKind::Check(name) => {
                let setup = self.setup.get();
                let probe = setup.plan.probes.iter().find(|probe| probe.name == *name);
                let probe = probe.ok_or_else(|| format!("the plan has no probe {name}"))?;
                look::check(&self.world, probe, timeout).await
            }
            StepKind::Request(request) => {
                act::request(&self.world, &self.environment, request, timeout, moment).await
            }
            StepKind::Command(command) => act::command(&self.world, command, timeout, moment).await,
        }
    }

    /// Lets an incident's pages go once nothing that could still be said in them is under way.
    async fn release_pages(&self, incident: IncidentId) {
        let now = self.now();
        let released = self
            .desk
            .with_store(move |store| {
                let waits = |run: &StepRun| {
                    !run.changes && matches!(run.state, RunState::Queued | RunState::Running)
                };
                let detail = store.detail(incident)?;
                let is_complete = detail.is_none_or(|detail| !detail.runs.iter().any(waits));
                if is_complete {
                    store.release_pages(incident, now)?;
                }
                Ok(is_complete)
            })
            .await;
        // A page that is not released goes by itself within seconds.
        if released.unwrap_or(false) {
            self.desk.queued().notify_one();
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from(self.world.clock.now())
    }
}

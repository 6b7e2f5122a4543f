//! The loop of one rule group.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alerting::Evaluation;
use model::Timestamp;
use plan::{AlertRule, RuleGroup};
use telemetry::log::Logger;
use world::{Ticker, World};

use super::evaluate::evaluate;
use super::series::AlertSeries;
use super::{Needs, RuleBoard, RuleReport};
use crate::incident::Desk;
use crate::metrics::{MetricsBackend, Recorder};
use crate::probe::ProbeBoard;
use crate::scrape::{ScrapeBoard, spread};
use crate::self_metrics::SelfMetrics;

/// The one job that every rule of a group reads, if it has one target, which is scraped as often as the group is evaluated:
/// the group is then judged after its scrapes. `targets` are jobs with their intervals.
pub(crate) fn followed_job<'g, 't>(
    group: &'g RuleGroup,
    targets: impl Iterator<Item = (&'t str, Duration)>,
) -> Option<&'g str> {
    let job = group.rules.first()?.sources.first()?;
    let only = |rule: &AlertRule| rule.sources.as_slice() == std::slice::from_ref(job);
    let mut of_job = targets.filter(|(own, _)| own == job);
    let is_single = of_job
        .next()
        .is_some_and(|(_, interval)| interval == group.interval);
    (is_single && of_job.next().is_none() && group.rules.iter().all(only)).then_some(job)
}

/// Evaluates one group for ever.
pub struct RuleGroupLoop {
    /// The group.
    pub group: RuleGroup,
    /// Time.
    pub world: World,
    /// Where expressions are answered.
    pub backend: Arc<dyn MetricsBackend>,
    /// Whether sources are complete.
    pub scrapes: Arc<ScrapeBoard>,
    /// Whether probes are answered.
    pub probes: Arc<ProbeBoard>,
    /// Where what was found is shown.
    pub board: Arc<RuleBoard>,
    /// Who is told.
    pub desk: Arc<Desk>,
    /// Counters.
    pub metrics: Arc<SelfMetrics>,
    /// Belfry's own log.
    pub log: Logger,
    /// Where the rules' states become samples.
    pub recorder: Arc<Recorder>,
    /// What each rule showed last.
    pub shown: Mutex<BTreeMap<String, AlertSeries>>,
}

impl RuleGroupLoop {
    /// Evaluates until dropped: right after each scrape where all rules read one job, else on the grid. A value is then a
    /// second old when it is judged, and not up to an interval.
    pub async fn run(self) {
        match self.followed_job() {
            Some(job) => self.run_after_scrapes(&job).await,
            None => self.run_on_grid().await,
        }
    }

    fn followed_job(&self) -> Option<String> {
        let targets = self.scrapes.targets();
        let targets = targets
            .iter()
            .map(|target| (target.job.as_str(), target.interval));
        followed_job(&self.group, targets).map(str::to_owned)
    }

    async fn run_after_scrapes(&self, job: &str) {
        let mut finished = self.scrapes.finished(job);
        // A scrape may take its whole interval; past that the loop is in trouble, and rules go on without it.
        let patience = self.group.interval * 2;
        loop {
            let scraped = tokio::select! {
                // The scrape first: a value that is there is judged, however late.
                biased;
                changed = finished.changed() => changed.is_ok(),
                () = self.world.clock.sleep(patience) => false,
            };
            let at = if scraped {
                *finished.borrow_and_update()
            } else {
                self.metrics.evaluations_missed.inc();
                Timestamp::from(self.world.clock.now())
            };
            self.evaluate_once(at).await;
        }
    }

    async fn run_on_grid(&self) {
        let offset = spread(&self.group.name, self.group.interval);
        let mut ticker = Ticker::new(self.world.clock.clone(), self.group.interval, offset);
        loop {
            let tick = ticker.tick().await;
            self.metrics.evaluations_missed.add(tick.missed);
            self.evaluate_once(Timestamp::from(tick.at)).await;
        }
    }

    /// Evaluates every rule of the group once.
    pub async fn evaluate_once(&self, at: Timestamp) {
        for rule in &self.group.rules {
            self.evaluate_rule(rule, at).await;
        }
        self.metrics.last_evaluation.set(at.as_secs_f64());
    }

    /// Whether an answer without a value means that there is none.
    fn is_complete(&self, rule: &AlertRule, at: Timestamp) -> bool {
        let needs = Needs::of(rule);
        self.scrapes.complete(needs.jobs, at)
            && (!needs.all_targets || self.scrapes.all_complete(at))
            && (!needs.all_probes || self.probes.all_answered(at))
    }

    async fn evaluate_rule(&self, rule: &AlertRule, at: Timestamp) {
        let started = self.world.clock.monotonic();
        let complete = self.is_complete(rule, at);
        let found = evaluate(rule, &*self.backend, complete, at).await;
        let duration = self.world.clock.monotonic() - started;
        self.metrics.evaluations.inc();
        let (evaluation, report) = match found {
            Ok(found) => (
                found.evaluation,
                RuleReport {
                    at: Some(at),
                    duration,
                    error: None,
                    why: found.why,
                },
            ),
            Err(error) => {
                self.metrics.evaluation_failures.inc();
                let why = "nothing is known: the expression could not be evaluated".to_owned();
                (
                    Evaluation::Failed,
                    RuleReport {
                        at: Some(at),
                        duration,
                        error: Some(error.to_string()),
                        why,
                    },
                )
            }
        };
        let why = report.why.clone();
        self.board
            .update(&rule.name, report, self.world.clock.monotonic());
        // The next round derives the same change again.
        if let Err(error) = self.desk.evaluate(rule, &evaluation, &why, at).await {
            self.log
                .error("an evaluation could not be recorded")
                .field("rule", rule.name.as_str())
                .field("error", error.to_string().as_str())
                .emit();
        }
        self.show(rule, at).await;
    }

    /// Writes the rule's instances as samples.
    async fn show(&self, rule: &AlertRule, at: Timestamp) {
        let state = self.desk.rule_state(&rule.name).await;
        let samples = {
            let mut shown = self
                .shown
                .lock()
                .expect("no code panics while it holds this lock");
            shown
                .entry(rule.name.clone())
                .or_default()
                .samples(rule, &state)
        };
        if !samples.is_empty() && self.recorder.record(at, samples).await.is_err() {
            self.metrics.own_samples_lost.inc();
        }
    }
}

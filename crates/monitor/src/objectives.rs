//! Success criteria: the present value of every promised target, what is left of its error budget, and uptime of every probe.
//!
//! Windows are long (30 days), so values are computed once a minute by ordinary PromQL and served from memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::{Labels, Timestamp, format_duration};
use plan::{Objective, Probe};
use promql::Value;
use world::{Ticker, World};

use crate::budgets::{self, BudgetState};
use crate::metrics::{MetricsBackend, Recorder, series};
use crate::self_metrics::SelfMetrics;
use crate::setup::CurrentSetup;

/// How often values are computed.
const COMPUTE_EVERY: Duration = Duration::from_secs(60);
/// Soon after a start, so that a newcomer sees values at once.
const FIRST_AFTER: Duration = Duration::from_secs(20);
/// The windows that the health page shows.
const UPTIME_WINDOWS: [(&str, Duration); 3] = [
    ("day", Duration::from_secs(24 * 3600)),
    ("week", Duration::from_secs(7 * 24 * 3600)),
    ("month", Duration::from_secs(30 * 24 * 3600)),
];

/// The state of one objective.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub(crate) struct ObjectiveValue {
    /// The present value; `None` when there is nothing to measure.
    pub value: Option<f64>,
    /// Whether the target is met.
    pub met: Option<bool>,
    /// For uptime: the share of due probes that never happened.
    pub unprobed: Option<f64>,
}

/// Computes and remembers values.
pub(crate) struct Objectives {
    world: World,
    setup: Arc<CurrentSetup>,
    backend: Arc<dyn MetricsBackend>,
    recorder: Arc<Recorder>,
    metrics: Arc<SelfMetrics>,
    values: Mutex<BTreeMap<String, ObjectiveValue>>,
    budgets: Mutex<BTreeMap<String, BudgetState>>,
    uptimes: Mutex<BTreeMap<(String, &'static str), f64>>,
}

impl Objectives {
    /// Nothing computed yet.
    pub(crate) fn new(
        world: World,
        setup: Arc<CurrentSetup>,
        backend: Arc<dyn MetricsBackend>,
        recorder: Arc<Recorder>,
        metrics: Arc<SelfMetrics>,
    ) -> Objectives {
        Objectives {
            world,
            setup,
            backend,
            recorder,
            metrics,
            values: Mutex::default(),
            budgets: Mutex::default(),
            uptimes: Mutex::default(),
        }
    }

    /// Computes until dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        self.world.clock.sleep(FIRST_AFTER).await;
        let mut ticker = Ticker::new(
            self.world.clock.clone(),
            COMPUTE_EVERY,
            Duration::from_secs(45),
        );
        loop {
            self.compute(Timestamp::from(self.world.clock.now())).await;
            ticker.tick().await;
        }
    }

    /// The last computed value of an objective.
    pub(crate) fn value(&self, id: &str) -> ObjectiveValue {
        self.values
            .lock()
            .expect("no code panics while it holds this lock")
            .get(id)
            .copied()
            .unwrap_or_default()
    }

    /// The last computed state of an objective's error budget; `None` where it has none, or before the first time.
    pub(crate) fn budget(&self, id: &str) -> Option<BudgetState> {
        let budgets = self
            .budgets
            .lock()
            .expect("no code panics while it holds this lock");
        budgets.get(id).cloned()
    }

    /// The last computed uptime of a probe over a window (`day`, `week`, `month`).
    pub(crate) fn uptime(&self, probe: &str, window: &'static str) -> Option<f64> {
        let uptimes = self
            .uptimes
            .lock()
            .expect("no code panics while it holds this lock");
        uptimes.get(&(probe.to_owned(), window)).copied()
    }

    async fn compute(&self, now: Timestamp) {
        let setup = self.setup.get();
        let mut samples: Vec<(Labels, f64)> = Vec::new();
        let mut states = BTreeMap::new();
        for objective in &setup.plan.objectives {
            let value = self
                .compute_objective(objective, &setup.plan.probes, now)
                .await;
            self.values
                .lock()
                .expect("no code panics while it holds this lock")
                .insert(objective.id.clone(), value);
            let labels = [("objective", objective.id.as_str())];
            samples.push((series("belfry_objective_target", &labels), objective.target));
            if let Some(value) = value.value {
                samples.push((series("belfry_objective_value", &labels), value));
            }
            if let Some(state) = budgets::compute(objective, &*self.backend, now).await {
                samples.extend(state.samples(&objective.id));
                states.insert(objective.id.clone(), state);
            }
        }
        // Replaced whole, so that an objective which left the plan or lost its events leaves nothing behind.
        *self
            .budgets
            .lock()
            .expect("no code panics while it holds this lock") = states;
        if self.recorder.record(now, samples).await.is_err() {
            self.metrics.own_samples_lost.inc();
        }
        for probe in &setup.plan.probes {
            for (window, length) in UPTIME_WINDOWS {
                let query = format!(
                    "avg_over_time(probe_success{{probe={:?}}}[{}])",
                    probe.name,
                    format_duration(length)
                );
                let uptime = self.number(&query, now).await;
                let mut uptimes = self
                    .uptimes
                    .lock()
                    .expect("no code panics while it holds this lock");
                let key = (probe.name.clone(), window);
                match uptime {
                    Some(uptime) => uptimes.insert(key, uptime),
                    None => uptimes.remove(&key),
                };
            }
        }
    }

    async fn compute_objective(
        &self,
        objective: &Objective,
        probes: &[Probe],
        now: Timestamp,
    ) -> ObjectiveValue {
        let value = self
            .number(&objective.expr.text, now)
            .await
            .filter(|value| !value.is_nan());
        let met = value.map(|value| {
            if objective.below {
                value < objective.target
            } else {
                value > objective.target
            }
        });
        let unprobed = match probe_of(objective, probes) {
            Some(probe) => self.unprobed(probe, objective.window, now).await,
            None => None,
        };
        ObjectiveValue {
            value,
            met,
            unprobed,
        }
    }

    /// The share of due probes that never happened, counted from the first one in the window.
    async fn unprobed(&self, probe: &Probe, window: Duration, now: Timestamp) -> Option<f64> {
        let selector = format!("probe_success{{probe={:?}}}", probe.name);
        let length = format_duration(window);
        let done = self
            .number(&format!("count_over_time({selector}[{length}])"), now)
            .await?;
        let first = self
            .number(&format!("ts_of_first_over_time({selector}[{length}])"), now)
            .await;
        // An engine without that function leaves the share unknown rather than wrong.
        let elapsed = now.as_secs_f64() - first?;
        let due = (elapsed / probe.interval.as_secs_f64()).floor() + 1.0;
        Some((1.0 - done / due).clamp(0.0, 1.0))
    }

    async fn number(&self, query: &str, now: Timestamp) -> Option<f64> {
        let expr = promql::parse(query).ok()?;
        match self.backend.query(Arc::new(expr), now).await.ok()?.value {
            Value::Scalar(value) => Some(value),
            Value::Vector(samples) => samples.first().map(|sample| sample.value),
            Value::String(_) | Value::Matrix(_) => None,
        }
    }
}

/// The probe whose successes an objective counts, if it is about one: named by `probe` or by `kind`.
fn probe_of<'a>(objective: &Objective, probes: &'a [Probe]) -> Option<&'a Probe> {
    let selectors = objective.expr.parsed.selectors();
    let about = selectors
        .iter()
        .find(|selector| selector.name == Some("probe_success"))?;
    let wanted = |label: &str| {
        about
            .matchers
            .iter()
            .find(|matcher| matcher.name() == label)
    };
    probes.iter().find(|probe| {
        let own = [
            ("probe", probe.name.as_str()),
            ("kind", probe.kind.as_str()),
        ];
        let mut stated = own
            .iter()
            .filter_map(|(label, value)| Some((wanted(label)?, value)))
            .peekable();
        stated.peek().is_some() && stated.all(|(matcher, value)| matcher.matches(value))
    })
}

//! Which of the plan's metrics really arrive, as samples: the contract between the plan and the targets.
//!
//! While a target's scrapes fail nothing is written about its metrics: that it is down is another alert's matter.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::{Labels, Timestamp};
use plan::{Metric, PLAN_METRIC_PRESENT};
use world::{Ticker, World};

use crate::metrics::{Recorder, series};
use crate::scrape::{ScrapeBoard, TargetStatus};
use crate::self_metrics::SelfMetrics;
use crate::setup::CurrentSetup;

/// How often the contract is checked: the plan's interval for metrics collection.
const CHECK_EVERY: Duration = Duration::from_secs(15);

/// Compares what arrives with what the plan declares, until dropped.
pub(crate) async fn run(
    world: World,
    setup: Arc<CurrentSetup>,
    scrapes: Arc<ScrapeBoard>,
    recorder: Arc<Recorder>,
    metrics: Arc<SelfMetrics>,
) {
    let mut ticker = Ticker::new(world.clock.clone(), CHECK_EVERY, Duration::from_secs(7));
    loop {
        let at = Timestamp::from(ticker.tick().await.at);
        let samples = samples(&setup.get().plan.metrics, &scrapes, at);
        if recorder.record(at, samples).await.is_err() {
            metrics.own_samples_lost.inc();
        }
    }
}

/// One sample a metric and target: two instances of a job are two promises.
fn samples(declared: &[Metric], scrapes: &ScrapeBoard, at: Timestamp) -> Vec<(Labels, f64)> {
    let targets = scrapes.targets();
    let mut samples = Vec::new();
    for metric in declared {
        let Some(source) = &metric.source else {
            continue;
        };
        for target in targets
            .iter()
            .filter(|target| target.job == *source && target.is_complete(at))
        {
            let labels = [
                ("metric", metric.name.as_str()),
                ("group", metric.group.as_str()),
                ("required", if metric.required { "true" } else { "false" }),
                ("job", target.job.as_str()),
                ("instance", target.instance.as_str()),
            ];
            let present = if exposes(target, &metric.name) {
                1.0
            } else {
                0.0
            };
            samples.push((series(PLAN_METRIC_PRESENT, &labels), present));
        }
    }
    samples
}

/// A histogram shows as its buckets; a counter may carry `_total` in OpenMetrics and not in the text format.
fn exposes(target: &TargetStatus, name: &str) -> bool {
    let has = |names: &BTreeSet<String>, name: &str| names.contains(name);
    has(&target.names, name)
        || has(&target.names, &format!("{name}_bucket"))
        || has(&target.names, &format!("{name}_total"))
}

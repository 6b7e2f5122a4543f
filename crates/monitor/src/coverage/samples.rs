//! A report as samples.

use model::Labels;
use plan::coverage::{HoleMemory, MetricReport, MetricState, Report};
use plan::{
    COVERAGE_HOLE_SINCE, COVERAGE_RATIO, COVERAGE_TARGET, CRITICAL_PATH_COVERED, PLAN_METRIC_STATE,
};

use crate::metrics::series;

/// The most metrics, counted by target, whose states are written: each is seven series.
const METRICS_MAX: usize = 1_000;

/// The most holes that are written.
const HOLES_MAX: usize = 500;

pub(super) fn of(report: &Report, memory: &HoleMemory) -> Vec<(Labels, f64)> {
    let mut samples = Vec::new();
    for share in &report.shares {
        let labels = [("group", share.group), ("aspect", share.aspect)];
        if let Some(ratio) = share.ratio() {
            samples.push((series(COVERAGE_RATIO, &labels), ratio));
        }
        if let Some(target) = share.target {
            samples.push((series(COVERAGE_TARGET, &labels), target));
        }
    }
    for path in &report.paths {
        let labels = [("path", path.name.as_str())];
        let covered = zero_or_one(path.covered);
        samples.push((series(CRITICAL_PATH_COVERED, &labels), covered));
    }
    let at_targets = report
        .metrics
        .iter()
        .flat_map(|metric| metric.states.iter().map(move |own| (metric, own)));
    for (metric, own) in at_targets.take(METRICS_MAX) {
        let place = (own.job.as_str(), own.instance.as_str());
        samples.extend(states(metric, place, &own.state));
    }
    for (key, since) in memory.told().take(HOLES_MAX) {
        let labels = [
            ("kind", key.kind.as_str()),
            ("about", key.about.as_str()),
            ("place", key.place.as_str()),
        ];
        let since = since.map_or(0.0, |since| since.as_secs_f64());
        samples.push((series(COVERAGE_HOLE_SINCE, &labels), since));
    }
    samples
}

/// Every state of a metric at one target: the present one as 1, the others as 0, so that a rule sees a state end.
fn states<'r>(
    metric: &'r MetricReport,
    (job, instance): (&'r str, &'r str),
    state: &'r MetricState,
) -> impl Iterator<Item = (Labels, f64)> + 'r {
    MetricState::WORDS.iter().map(move |word| {
        let labels = [
            ("metric", metric.name.as_str()),
            ("group", metric.group.as_str()),
            ("required", if metric.required { "true" } else { "false" }),
            ("job", job),
            ("instance", instance),
            ("state", word),
        ];
        let is = zero_or_one(state.as_str() == *word);
        (series(PLAN_METRIC_STATE, &labels), is)
    })
}

fn zero_or_one(is: bool) -> f64 {
    f64::from(u8::from(is))
}

//! Which series expressions read, and whose they are.

use std::collections::BTreeMap;

use promql::SelectorRef;

use crate::{Expression, Metric, MetricType, Plan};

/// The plan's metrics by the names of their series.
pub(super) struct Declared<'p> {
    by_series: BTreeMap<String, &'p Metric>,
}

impl<'p> Declared<'p> {
    pub(super) fn of(plan: &'p Plan) -> Declared<'p> {
        let mut by_series = BTreeMap::new();
        for metric in &plan.metrics {
            for suffix in series_suffixes(metric.metric_type) {
                by_series.insert(format!("{}{suffix}", metric.name), metric);
            }
        }
        Declared { by_series }
    }

    /// The metric that a series of this name belongs to.
    pub(super) fn metric(&self, series: &str) -> Option<&'p Metric> {
        self.by_series.get(series).copied()
    }

    /// Names of the metrics that an expression reads.
    pub(super) fn read_by(&self, expression: &Expression) -> Vec<&'p str> {
        let selectors = expression.parsed.selectors();
        let names = selectors.iter().filter_map(|selector| selector.name);
        names
            .filter_map(|name| self.metric(name))
            .map(|metric| metric.name.as_str())
            .collect()
    }
}

/// What may stand after a metric's name in the names of its series.
fn series_suffixes(metric_type: MetricType) -> &'static [&'static str] {
    match metric_type {
        MetricType::Counter | MetricType::Gauge => &[""],
        MetricType::Histogram => &["", "_bucket", "_sum", "_count"],
        MetricType::Summary => &["", "_sum", "_count"],
    }
}

/// Labels that a selector demands: without them no series is selected.
pub(super) fn demanded_labels<'s>(
    selector: &'s SelectorRef<'_>,
) -> impl Iterator<Item = &'s str> + 's {
    selector
        .matchers
        .iter()
        .filter(|matcher| !matcher.matches(""))
        .map(|matcher| matcher.name())
        .filter(|name| *name != model::METRIC_NAME)
}

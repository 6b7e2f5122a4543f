//! `ALERTS` and `ALERTS_FOR_STATE`: what every rule's instances are, as samples, in the shape that Prometheus gives them, so that
//! dashboards made for it draw alerts of Belfry.

use std::collections::BTreeSet;

use alerting::{Phase, RuleState};
use model::{Labels, METRIC_NAME, stale_marker};
use plan::AlertRule;

use super::with_labels_of;

/// What one rule showed last, to end what it no longer shows.
#[derive(Debug, Default)]
pub struct AlertSeries {
    shown: BTreeSet<Labels>,
}

impl AlertSeries {
    /// The samples of a rule's instances now, and markers for those that ended.
    pub(crate) fn samples(&mut self, rule: &AlertRule, state: &RuleState) -> Vec<(Labels, f64)> {
        let mut samples = Vec::with_capacity(2 * state.instances.len());
        for (labels, instance) in &state.instances {
            let phase = match instance.phase {
                Phase::Pending => "pending",
                Phase::Firing { .. } => "firing",
            };
            samples.push((of(rule, "ALERTS", labels, Some(phase)), 1.0));
            samples.push((
                of(rule, "ALERTS_FOR_STATE", labels, None),
                instance.since.as_secs_f64(),
            ));
        }
        let now: BTreeSet<Labels> = samples.iter().map(|(labels, _)| labels.clone()).collect();
        samples.extend(
            self.shown
                .difference(&now)
                .map(|labels| (labels.clone(), stale_marker())),
        );
        self.shown = now;
        samples
    }
}

fn of(rule: &AlertRule, name: &str, labels: &Labels, phase: Option<&str>) -> Labels {
    let mut builder = with_labels_of(rule, labels);
    builder
        .set(METRIC_NAME, name)
        .set("alertname", &rule.name)
        .set("severity", rule.severity.as_str());
    if let Some(phase) = phase {
        builder.set("alertstate", phase);
    }
    builder.build()
}

//! Which declared metrics an alert guards and a dashboard shows, and what a change of the plan does to that.

use std::collections::BTreeSet;

use crate::check::metric_of;
use crate::expression::names_read;
use crate::{Expression, MetricType, Plan};

/// Metrics of a plan that something reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guarded {
    /// All that are declared.
    pub declared: BTreeSet<String>,
    /// Those that a rule reads.
    pub by_alerts: BTreeSet<String>,
    /// Those that a panel shows.
    pub on_dashboards: BTreeSet<String>,
}

impl Guarded {
    /// What a plan's rules and panels read.
    pub fn of(plan: &Plan) -> Guarded {
        let rules = plan.rules().map(|(_, rule)| &rule.expr);
        let panels = plan.dashboards.iter().flat_map(|own| &own.panels);
        let queries = panels.flat_map(|panel| &panel.queries);
        Guarded {
            declared: plan.metrics.iter().map(|own| own.name.clone()).collect(),
            by_alerts: metrics_read(plan, rules),
            on_dashboards: metrics_read(plan, queries.map(|query| &query.expr)),
        }
    }

    /// The share of the declared metrics that a rule reads, 0..=1; all of none.
    pub fn alerted_share(&self) -> f64 {
        share(self.by_alerts.len(), self.declared.len())
    }

    /// The share of the declared metrics that a panel shows, 0..=1; all of none.
    pub fn shown_share(&self) -> f64 {
        share(self.on_dashboards.len(), self.declared.len())
    }
}

/// What a change does to coverage.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverageEffect {
    /// Before.
    pub old: Guarded,
    /// After.
    pub new: Guarded,
}

impl CoverageEffect {
    /// Metrics that an alert guarded and none does now.
    pub fn unguarded(&self) -> impl Iterator<Item = &str> {
        left(&self.old.by_alerts, &self.new.by_alerts, &self.new.declared)
    }

    /// Metrics that a dashboard showed and none does now.
    pub fn unshown(&self) -> impl Iterator<Item = &str> {
        left(
            &self.old.on_dashboards,
            &self.new.on_dashboards,
            &self.new.declared,
        )
    }
}

pub(super) fn effect(old: &Plan, new: &Plan) -> CoverageEffect {
    CoverageEffect {
        old: Guarded::of(old),
        new: Guarded::of(new),
    }
}

fn left<'s>(
    old: &'s BTreeSet<String>,
    new: &'s BTreeSet<String>,
    declared: &'s BTreeSet<String>,
) -> impl Iterator<Item = &'s str> {
    let lost = old.difference(new);
    lost.filter(|name| declared.contains(*name))
        .map(String::as_str)
}

fn share(some: usize, all: usize) -> f64 {
    if all == 0 {
        1.0
    } else {
        some as f64 / all as f64
    }
}

/// The declared metrics that expressions read, histograms by any of their series.
fn metrics_read<'e>(
    plan: &Plan,
    expressions: impl Iterator<Item = &'e Expression>,
) -> BTreeSet<String> {
    let types: Vec<(String, Option<MetricType>)> = plan
        .metrics
        .iter()
        .map(|metric| (metric.name.clone(), Some(metric.metric_type)))
        .collect();
    let declared = |name: String| {
        let exact = types.iter().any(|(own, _)| *own == name);
        if exact {
            Some(name)
        } else {
            metric_of(&name, &types).map(str::to_owned)
        }
    };
    expressions
        .flat_map(names_read)
        .flatten()
        .filter_map(declared)
        .collect()
}

//! Which scrapes a rule depends on: an empty answer counts only when all of them were complete.

use super::series_read::metric_of;
use crate::expression::names_read;
use crate::series::{Writer, writer};
use crate::{Expression, MetricType, Plan};

pub(super) fn fill(mut plan: Plan) -> Plan {
    let mut groups = std::mem::take(&mut plan.rule_groups);
    for rule in groups.iter_mut().flat_map(|group| &mut group.rules) {
        rule.sources = of(&plan, &rule.expr);
    }
    plan.rule_groups = groups;
    plan
}

/// The jobs that an expression reads: names, sorted, each once.
pub(crate) fn of(plan: &Plan, expression: &Expression) -> Vec<String> {
    let types: Vec<(String, Option<MetricType>)> = plan
        .metrics
        .iter()
        .map(|metric| (metric.name.clone(), Some(metric.metric_type)))
        .collect();
    let mut jobs: Vec<String> = Vec::new();
    for name in names_read(expression) {
        let metric = name.as_deref().and_then(|name| {
            let exact = plan.metrics.iter().find(|metric| metric.name == name);
            let owner = metric_of(name, &types);
            exact.or_else(|| {
                plan.metrics
                    .iter()
                    .find(|metric| Some(&*metric.name) == owner)
            })
        });
        match (metric, name) {
            (Some(metric), _) => jobs.extend(metric.source.clone()),
            (None, Some(name)) if writer(&name) != Writer::Target => {}
            // A selector without a name may read anything, so it depends on every scrape.
            (None, _) => jobs.extend(plan.targets.iter().map(|target| target.job.clone())),
        }
    }
    jobs.sort();
    jobs.dedup();
    jobs
}

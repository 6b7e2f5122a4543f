//! Metrics that nobody would miss: read by no alert and no objective, on no dashboard, without a meaning.
//!
//! Only required metrics count. One that may be absent is there for diagnosis, and asking for an alert on each would teach
//! people to waive without reading.

use std::collections::BTreeSet;

use super::finding::Findings;
use super::infer::metric_of;
use crate::context::Kind;
use crate::diagnostics::quote;
use crate::{Code, Expression, Metric, Plan};

pub(super) fn check(findings: &mut Findings<'_, '_>, plan: &Plan) {
    let guarding = plan
        .rules()
        .map(|(_, rule)| &rule.expr)
        .chain(plan.objectives.iter().map(|objective| &objective.expr));
    let guarded = read_by(plan, guarding);
    let panels = plan.dashboards.iter().flat_map(|board| &board.panels);
    let queries = panels.flat_map(|panel| &panel.queries);
    let shown = read_by(plan, queries.map(|query| &query.expr));
    for metric in &plan.metrics {
        let name = metric.name.as_str();
        if metric.required && !guarded.contains(name) {
            let message = format!("no alert and no objective reads {}", quote(name));
            let help = "add a rule that says when it is wrong";
            add(findings, Code::MetricUnguarded, metric, message, help);
        }
        if metric.required && !shown.contains(name) {
            let message = format!("no dashboard shows {}", quote(name));
            let help = "add a panel that shows it";
            add(findings, Code::MetricNotShown, metric, message, help);
        }
        if metric.meaning.trim().is_empty() {
            let message = format!("nothing says what {} means", quote(name));
            let help = "write `meaning:` with a sentence for people";
            add(findings, Code::MetricWithoutMeaning, metric, message, help);
        }
    }
}

fn read_by<'p>(
    plan: &'p Plan,
    expressions: impl Iterator<Item = &'p Expression>,
) -> BTreeSet<&'p str> {
    expressions
        .flat_map(|expression| expression.parsed.selectors())
        .filter_map(|selector| metric_of(plan, selector.name?))
        .map(|metric| metric.name.as_str())
        .collect()
}

fn add(findings: &mut Findings<'_, '_>, code: Code, metric: &Metric, message: String, help: &str) {
    findings.about(code, (Kind::Metric, &metric.name), message, help);
}

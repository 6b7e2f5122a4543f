//! What an alert is worth to whoever gets it: told to somebody, with something to do, seen on a dashboard, said once, and
//! not set off by one bad sample.

use std::collections::BTreeSet;

use promql::ExprKind;

use super::finding::Findings;
use super::infer::{Inferred, Nature, metric_of};
use super::sites::{Purpose, Site};
use crate::context::Kind;
use crate::diagnostics::quote;
use crate::{AlertRule, Code, Plan, Severity};

pub(super) fn check(findings: &mut Findings<'_, '_>, plan: &Plan, sites: &[Site<'_>]) {
    let shown = shown_metrics(plan, sites);
    let alerts: Vec<(&Site<'_>, &AlertRule)> = sites
        .iter()
        .filter_map(|site| Some((site, site.rule()?)))
        .collect();
    for (index, (site, rule)) in alerts.iter().enumerate() {
        told(findings, rule);
        on_dashboard(findings, plan, (site, rule), &shown);
        hasty(findings, site, rule);
        let before = alerts[..index].iter().map(|(_, earlier)| *earlier);
        said_before(findings, site, rule, before);
    }
}

/// Whether it tells somebody, and what to do.
fn told(findings: &mut Findings<'_, '_>, rule: &AlertRule) {
    let about = (Kind::Alert, rule.name.as_str());
    if rule.procedure.is_none() {
        let message = format!("the alert {} says nothing of what to do", quote(&rule.name));
        let help = "write `procedure:` with the id of one";
        findings.about(Code::AlertWithoutProcedure, about, message, help);
    }
    // A critical alert without a policy is an error.
    if rule.escalation.is_none() {
        let message = format!("the alert {} tells nobody", quote(&rule.name));
        let help = "write `escalation:` with the name of a policy";
        findings.about(Code::AlertWithoutEscalation, about, message, help);
    }
}

/// The declared metrics that panels read.
fn shown_metrics<'p>(plan: &'p Plan, sites: &[Site<'p>]) -> BTreeSet<&'p str> {
    sites
        .iter()
        .filter(|site| matches!(site.purpose, Purpose::Panel(..)))
        .flat_map(|site| declared_metrics(plan, site))
        .collect()
}

/// The metrics of the plan that an expression reads. Belfry's own series are none: it shows them on pages of its own.
pub(super) fn declared_metrics<'p>(plan: &'p Plan, site: &Site<'p>) -> BTreeSet<&'p str> {
    let selectors = site.expression.parsed.selectors();
    selectors
        .iter()
        .filter_map(|selector| metric_of(plan, selector.name?))
        .map(|metric| metric.name.as_str())
        .collect()
}

fn on_dashboard(
    findings: &mut Findings<'_, '_>,
    plan: &Plan,
    (site, rule): (&Site<'_>, &AlertRule),
    shown: &BTreeSet<&str>,
) {
    let read = declared_metrics(plan, site);
    if read.is_empty() || read.iter().any(|name| shown.contains(name)) {
        return;
    }
    let message = format!(
        "no dashboard shows what the alert {} looks at",
        quote(&rule.name)
    );
    let help = "add a panel with its expression and a line at its threshold";
    let about = (Kind::Alert, rule.name.as_str());
    findings.about(Code::AlertNotShown, about, message, help);
}

/// A critical alert that one sample sets off: everything that it reads is a gauge's latest value.
fn hasty(findings: &mut Findings<'_, '_>, site: &Site<'_>, rule: &AlertRule) {
    if rule.severity != Severity::Critical || !rule.hold.is_zero() {
        return;
    }
    let mut leaves = Vec::new();
    site.root.visit(&mut |part| {
        if let ExprKind::Selector(_) | ExprKind::Matrix(..) = part.expr.kind() {
            leaves.push(is_latest_gauge(part));
        }
    });
    let in_subquery = {
        let mut found = false;
        site.root.visit(&mut |part| {
            found |= matches!(part.expr.kind(), ExprKind::Subquery(_));
        });
        found
    };
    if leaves.is_empty() || in_subquery || !leaves.into_iter().all(|latest| latest) {
        return;
    }
    let message = "a single sample sets off this critical alert";
    let help = "write `for: 1m` or longer, so that one hiccup wakes nobody";
    let at = site.part(site.root.expr.span());
    findings.in_expression(Code::HastyCritical, site.name, at, message, help);
}

fn is_latest_gauge(part: &Inferred<'_>) -> bool {
    matches!(part.expr.kind(), ExprKind::Selector(_)) && part.facts.nature == Nature::Gauge
}

/// The same expression at the same severity: whoever fixes one of them tells everybody twice.
fn said_before<'r>(
    findings: &mut Findings<'_, '_>,
    site: &Site<'_>,
    rule: &AlertRule,
    mut before: impl Iterator<Item = &'r AlertRule>,
) {
    let expr = rule.expr.parsed.without_parens();
    let same = before.find(|earlier| {
        earlier.severity == rule.severity && earlier.expr.parsed.without_parens() == expr
    });
    let Some(same) = same else {
        return;
    };
    let message = format!(
        "the alert {} has this expression already",
        quote(&same.name)
    );
    let help = "take one of them away, or give them different severities";
    let at = site.part(site.root.expr.span());
    findings.in_expression(Code::SameExpression, site.name, at, message, help);
}

//! Whether what is promised is watched: objectives that can be missed while every alert stays silent, critical paths that
//! wake nobody.

use std::collections::BTreeSet;

use promql::BinaryOp;

use super::alerts::declared_metrics;
use super::conditions::{Comparison, conditions};
use super::finding::Findings;
use super::infer::{Nature, Values, name_of, selector_of};
use super::sites::{Purpose, Site};
use crate::context::Kind;
use crate::diagnostics::quote;
use crate::{Code, CriticalPath, Objective, Plan, Severity};

/// How many times faster than promised an error budget may go before an alert must see it. Fourteen and a bit is the
/// fastest rate that the usual alerts on several windows page at: two percent of a month's budget in an hour.
const BURN_MAX: f64 = 14.4;

/// Rounding of what people write: `14.4 * 0.001` is a little more than 0.0144.
const ROUNDING: f64 = 1.0 + 1e-9;

pub(super) fn check(findings: &mut Findings<'_, '_>, plan: &Plan, sites: &[Site<'_>]) {
    for site in sites {
        // Alerts on the burn rate of its budget watch an objective by their making.
        if let Purpose::Objective(objective) = site.purpose
            && objective.burn_alerts.is_none()
        {
            watched(findings, plan, sites, (site, objective));
        }
    }
    for path in &plan.critical_paths {
        wakes_somebody(findings, plan, path);
    }
}

fn watched(
    findings: &mut Findings<'_, '_>,
    plan: &Plan,
    sites: &[Site<'_>],
    (site, objective): (&Site<'_>, &Objective),
) {
    let promised = series_read(plan, site);
    if promised.is_empty() {
        return;
    }
    let guards: Vec<&Site<'_>> = sites
        .iter()
        .filter(|other| other.rule().is_some())
        .filter(|other| !series_read(plan, other).is_disjoint(&promised))
        .collect();
    let about = (Kind::Objective, objective.id.as_str());
    if guards.is_empty() {
        let message = format!(
            "no alert reads what the objective {} promises",
            quote(&objective.id)
        );
        let help = "add a rule on the same metrics, at the target or a little past it";
        findings.about(Code::ObjectiveUnguarded, about, message, help);
        return;
    }
    if guards.iter().any(|guard| sees(guard, site, objective)) {
        return;
    }
    let names: Vec<&str> = guards.iter().map(|guard| guard.name).collect();
    let message = format!(
        "the objective {} can be missed without an alert: {}",
        quote(&objective.id),
        why_blind(&guards, site, objective, &names)
    );
    let help = "add a rule in the objective's unit, at the target or a little past it";
    findings.about(Code::ObjectiveBlind, about, message, help);
}

/// What an expression reads: the plan's metrics, and Belfry's own series by name.
fn series_read<'p>(plan: &'p Plan, site: &Site<'p>) -> BTreeSet<&'p str> {
    let mut read = declared_metrics(plan, site);
    site.root.visit(&mut |part| {
        let own = selector_of(part.expr).and_then(name_of);
        read.extend(own.filter(|name| name.starts_with("probe_") || *name == "up"));
    });
    read
}

/// Whether an alert would notice that an objective is missed.
fn sees(guard: &Site<'_>, site: &Site<'_>, objective: &Objective) -> bool {
    conditions(&guard.root).into_iter().any(|condition| {
        let Some(comparison) = Comparison::of(condition) else {
            // What is not a comparison (`absent`) is no measure of a promise.
            return false;
        };
        if is_failure_itself(&comparison) {
            return true;
        }
        let same_unit = comparison.side.facts.unit == site.root.facts.unit
            || comparison.side.facts.nature == Nature::Unknown;
        let Some(number) = comparison.number else {
            // Compared with another series: nobody can say how strict that is.
            return true;
        };
        same_unit && strict_enough(comparison.op, number, objective)
    })
}

/// `probe_success == 0`: the alert looks at each failure that the objective counts.
fn is_failure_itself(comparison: &Comparison<'_, '_>) -> bool {
    let is_flag = comparison.side.facts.values == Values::FLAG;
    let is_down = match comparison.op {
        BinaryOp::Equal => comparison.number == Some(0.0),
        BinaryOp::Less => comparison.number.is_some_and(|number| number <= 1.0),
        BinaryOp::NotEqual => comparison.number == Some(1.0),
        _ => false,
    };
    is_flag && is_down
}

/// Whether a threshold is at the target, or for shares within what the fastest burn-rate alert would see.
fn strict_enough(op: BinaryOp, number: f64, objective: &Objective) -> bool {
    let above = matches!(op, BinaryOp::Greater | BinaryOp::GreaterEqual);
    let below = matches!(op, BinaryOp::Less | BinaryOp::LessEqual);
    let shares = objective.unit == "ratio";
    match (objective.below, shares) {
        (true, false) => above && number <= objective.target,
        (true, true) => above && number <= objective.target * BURN_MAX * ROUNDING,
        (false, false) => below && number >= objective.target,
        (false, true) => {
            let budget = 1.0 - objective.target;
            let failing = |share: f64| share <= budget * BURN_MAX * ROUNDING;
            (below && failing(1.0 - number)) || (above && failing(number))
        }
    }
}

fn why_blind(
    guards: &[&Site<'_>],
    site: &Site<'_>,
    objective: &Objective,
    names: &[&str],
) -> String {
    let listed = crate::diagnostics::all(names);
    let in_unit = guards.iter().any(|guard| {
        conditions(&guard.root)
            .into_iter()
            .filter_map(Comparison::of)
            .any(|comparison| comparison.side.facts.unit == site.root.facts.unit)
    });
    if in_unit {
        let sign = if objective.below { "<" } else { ">" };
        format!(
            "the target is {sign} {}, and {listed} fires later than that",
            objective.target
        )
    } else {
        format!("{listed} measures something in another unit")
    }
}

/// A path that is called critical must wake somebody.
fn wakes_somebody(findings: &mut Findings<'_, '_>, plan: &Plan, path: &CriticalPath) {
    let pages = plan
        .rules()
        .any(|(_, rule)| rule.severity == Severity::Critical && path.alerts.contains(&rule.name));
    if pages {
        return;
    }
    let message = format!(
        "the critical path {} is guarded by warnings alone, which wake nobody",
        quote(&path.name)
    );
    let help = "make one of its alerts critical, or add one that is";
    let about = (Kind::CriticalPath, path.name.as_str());
    findings.about(Code::CriticalPathOnlyWarns, about, message, help);
}

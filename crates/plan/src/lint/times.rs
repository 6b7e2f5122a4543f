//! Lengths of time that do not fit how often something is measured.

use std::time::Duration;

use model::format_duration;
use promql::ExprKind;

use super::finding::Findings;
use super::infer::{Inferred, interval_of, selector_of};
use super::sites::{Purpose, Site};
use crate::context::Kind;
use crate::{AlertRule, Code, Plan, RuleGroup};

/// How many scrapes a range must hold: with four one may fail and another come late, and two are left to tell a rate.
const SCRAPES_MIN: u32 = 4;

/// How many for functions of the last two samples.
const SCRAPES_OF_LAST_TWO_MIN: u32 = 2;

pub(super) fn check(findings: &mut Findings<'_, '_>, plan: &Plan, site: &Site<'_>) {
    site.root.visit(&mut |part| match part.expr.kind() {
        ExprKind::Call(call) => ranges(findings, plan, site, (call.function.name, part)),
        ExprKind::Subquery(_) => steps(findings, plan, site, part),
        _ => {}
    });
    if let Purpose::Alert(group, rule) = site.purpose {
        holds(findings, group, rule);
    }
}

fn ranges(
    findings: &mut Findings<'_, '_>,
    plan: &Plan,
    site: &Site<'_>,
    (function, call): (&str, &Inferred<'_>),
) {
    let scrapes = match function {
        "rate" | "increase" | "delta" | "deriv" | "predict_linear" => SCRAPES_MIN,
        "irate" | "idelta" => SCRAPES_OF_LAST_TWO_MIN,
        _ => return,
    };
    let Some(window) = call.parts.first() else {
        return;
    };
    let ExprKind::Matrix(selector, range) = window.expr.kind() else {
        return;
    };
    let Some(interval) = interval_of(plan, selector) else {
        return;
    };
    let least = interval.saturating_mul(scrapes);
    if *range >= least {
        return;
    }
    let message = format!(
        "`{function}` over {} of what is measured every {} has too little to go by",
        format_duration(*range),
        format_duration(interval)
    );
    let help = format!("take at least {}", format_duration(least));
    let at = site.part(window.expr.span());
    findings.in_expression(Code::RangeTooShort, site.name, at, message, help);
}

fn steps(findings: &mut Findings<'_, '_>, plan: &Plan, site: &Site<'_>, part: &Inferred<'_>) {
    let ExprKind::Subquery(subquery) = part.expr.kind() else {
        return;
    };
    let (Some(step), Some(interval)) = (subquery.step, slowest(plan, part)) else {
        return;
    };
    if step >= interval {
        return;
    }
    let message = format!(
        "steps of {} over what is measured every {} see the same samples again and again",
        format_duration(step),
        format_duration(interval)
    );
    let help = format!("take steps of at least {}", format_duration(interval));
    let at = site.part(part.expr.span());
    findings.in_expression(Code::SubqueryTooFine, site.name, at, message, help);
}

/// The longest interval of what a part reads; `None` where that is not known of everything.
fn slowest(plan: &Plan, part: &Inferred<'_>) -> Option<Duration> {
    intervals(plan, part)?.into_iter().max()
}

fn intervals(plan: &Plan, part: &Inferred<'_>) -> Option<Vec<Duration>> {
    let mut found = Some(Vec::new());
    part.visit(&mut |part| {
        let Some(selector) = selector_of(part.expr) else {
            return;
        };
        match (&mut found, interval_of(plan, selector)) {
            (Some(found), Some(interval)) => found.push(interval),
            (found, _) => *found = None,
        }
    });
    found
}

/// `for` and `keep_firing_for` are measured in whole evaluations.
fn holds(findings: &mut Findings<'_, '_>, group: &RuleGroup, rule: &AlertRule) {
    for (key, length) in [("for", rule.hold), ("keep_firing_for", rule.keep_firing)] {
        if length.is_zero() || length >= group.interval {
            continue;
        }
        let message = format!(
            "`{key}: {}` ends before the next evaluation, {} later",
            format_duration(length),
            format_duration(group.interval)
        );
        let help = format!(
            "take at least {}, or leave `{key}` out",
            format_duration(group.interval)
        );
        let about = (Kind::Alert, rule.name.as_str());
        findings.about(Code::ForBelowInterval, about, message, help);
    }
}

/// Rule groups that look more often than there is anything new.
pub(super) fn check_groups(findings: &mut Findings<'_, '_>, plan: &Plan) {
    for group in &plan.rule_groups {
        let read = group.rules.iter().map(|rule| {
            let selectors = &rule.expr.parsed;
            intervals(plan, &super::infer::infer(plan, selectors))
        });
        // One figure of unknown interval may well be the fast one.
        let Some(read) = read.collect::<Option<Vec<_>>>() else {
            continue;
        };
        let Some(fastest) = read.into_iter().flatten().min() else {
            continue;
        };
        if group.interval >= fastest {
            continue;
        }
        let message = format!(
            "the group is evaluated every {}, but nothing that it reads is measured more often than every {}",
            format_duration(group.interval),
            format_duration(fastest)
        );
        let help = format!("write `interval: {}`", format_duration(fastest));
        let about = (Kind::RuleGroup, group.name.as_str());
        findings.about(Code::GroupFasterThanScrape, about, message, help);
    }
}

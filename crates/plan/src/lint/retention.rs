//! What is gone before somebody looks: samples past their retention, log lines past theirs.

use std::time::Duration;

use model::{Level, format_duration};
use promql::{Expr, ExprKind};

use super::finding::Findings;
use super::sites::{Purpose, Site};
use crate::context::Kind;
use crate::diagnostics::quote;
use crate::limits::LOGS_BEFORE_INCIDENT;
use crate::{Code, LogClass, Plan, Procedure, StepKind};

pub(super) fn check(findings: &mut Findings<'_, '_>, plan: &Plan, site: &Site<'_>) {
    let mut back = look_back(&site.expression.parsed);
    if let Purpose::Objective(objective) = site.purpose {
        back = back.max(objective.window);
    }
    if let Purpose::Step = site.purpose {
        back = back.saturating_add(compared_before(plan, site));
    }
    if back <= plan.metrics_retention {
        return;
    }
    let message = format!(
        "this looks back {}, but samples are kept for {}",
        format_duration(back),
        format_duration(plan.metrics_retention)
    );
    let help = "keep samples for longer (`metrics_retention`), or look back less far";
    let at = site.part(site.root.expr.span());
    findings.in_expression(Code::RetentionBelowLookBack, site.name, at, message, help);
}

/// How far back an expression looks: ranges, offsets and subqueries one after another.
fn look_back(expr: &Expr) -> Duration {
    let offset = |offset_ms: i64| Duration::from_millis(u64::try_from(offset_ms).unwrap_or(0));
    match expr.kind() {
        ExprKind::Selector(selector) => offset(selector.offset_ms),
        ExprKind::Matrix(selector, range) => range.saturating_add(offset(selector.offset_ms)),
        ExprKind::Subquery(subquery) => subquery
            .range
            .saturating_add(offset(subquery.offset_ms))
            .saturating_add(look_back(&subquery.expr)),
        ExprKind::Number(_) | ExprKind::String(_) => Duration::ZERO,
        ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => look_back(inner),
        ExprKind::Binary(binary) => look_back(&binary.left).max(look_back(&binary.right)),
        ExprKind::Aggregate(aggregate) => look_back(&aggregate.expr),
        ExprKind::Call(call) => {
            let of_arguments = call.arguments.iter().map(look_back);
            of_arguments.max().unwrap_or_default()
        }
    }
}

/// How long before now a comparison's second value is taken.
fn compared_before(plan: &Plan, site: &Site<'_>) -> Duration {
    let steps = plan
        .procedures
        .iter()
        .flat_map(|procedure| &procedure.steps);
    let before = steps.filter_map(|step| match &step.kind {
        StepKind::Compare { expr, before } if std::ptr::eq(expr, site.expression) => Some(*before),
        _ => None,
    });
    before.max().unwrap_or_default()
}

/// Log searches of procedures: what they look for must still be there when a responder follows them.
pub(super) fn check_logs(findings: &mut Findings<'_, '_>, plan: &Plan) {
    for procedure in &plan.procedures {
        let needed = needed_logs(plan, procedure);
        for step in &procedure.steps {
            let StepKind::Logs(search) = &step.kind else {
                continue;
            };
            let Some(class) = shortest(plan, search).filter(|class| class.keep < needed) else {
                continue;
            };
            let message = format!(
                "the search {} looks back {} from when the alert fires, but the class {} keeps lines for {}",
                quote(search),
                format_duration(needed),
                quote(&class.name),
                format_duration(class.keep)
            );
            let help = "keep the class for longer, or search for what is kept";
            let about = (Kind::Procedure, procedure.id.as_str());
            findings.about(Code::LogsGoneBeforeRead, about, message, help);
        }
    }
}

/// The longest time between what led to an alert and the procedure's search for it.
fn needed_logs(plan: &Plan, procedure: &Procedure) -> Duration {
    let led_by = plan
        .rules()
        .filter(|(_, rule)| rule.procedure.as_deref() == Some(procedure.id.as_str()));
    let longest = led_by.map(|(_, rule)| rule.hold).max().unwrap_or_default();
    longest.saturating_add(LOGS_BEFORE_INCIDENT)
}

/// Of the classes that a search names by level, the one that keeps its lines for the shortest time. A search that names no
/// level takes what there is.
fn shortest<'p>(plan: &'p Plan, search: &str) -> Option<&'p LogClass> {
    let levels: Vec<Level> = search
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("level:"))
        .flat_map(|names| names.split(['|', ',']))
        .filter_map(|name| name.trim_matches(['(', ')', '"']).parse::<Level>().ok())
        .collect();
    let named = |class: &&LogClass| class.level.is_some_and(|level| levels.contains(&level));
    plan.logs
        .classes
        .iter()
        .filter(named)
        .min_by_key(|class| class.keep)
}

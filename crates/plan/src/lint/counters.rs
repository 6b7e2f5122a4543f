//! Counters and gauges under functions of the other: `rate` of what also falls, the bare value of what only rises.

use promql::{AggregateOp, BinaryOp, Expr, ExprKind};

use super::finding::Findings;
use super::infer::{Inferred, Nature, name_of, selector_of};
use super::sites::{Purpose, Site};
use crate::Code;
use crate::diagnostics::quote;

pub(super) fn check(findings: &mut Findings<'_, '_>, site: &Site<'_>) {
    site.root.visit(&mut |part| call(findings, site, part));
    // A total so far is a fair figure for a reader, and a wrong one for a line over time or an alert.
    let reads_totals = match site.purpose {
        Purpose::Alert(..) | Purpose::Objective(_) => false,
        Purpose::Panel(kind, _) => kind.shows_one_moment(),
        Purpose::Step => true,
    };
    if !reads_totals {
        bare(findings, site, &site.root);
    }
}

/// Functions over a window.
fn call(findings: &mut Findings<'_, '_>, site: &Site<'_>, part: &Inferred<'_>) {
    let ExprKind::Call(call) = part.expr.kind() else {
        return;
    };
    let Some(window) = part.parts.first() else {
        return;
    };
    let (function, inner) = (call.function.name, &window.facts);
    match function {
        "rate" | "irate" | "increase" if is_of_aggregate(window) => {
            let message = format!(
                "`{function}` of counters that were put together before: one restart looks like a flood"
            );
            let help = format!("apply `{function}` to each series first, then aggregate");
            let at = site.part(part.expr.span());
            findings.in_expression(Code::RateOfAggregate, site.name, at, message, help);
        }
        "rate" | "irate" | "increase" if is_gauge_like(inner.nature) => {
            let what = quote(&subject(site, window));
            let message = format!(
                "{what} also falls, and `{function}` takes every fall for a restart from zero"
            );
            let help = "use `delta`, `deriv` or `max_over_time`, or correct the metric's type";
            let at = site.part(part.expr.span());
            findings.in_expression(Code::RateOfGauge, site.name, at, message, help);
        }
        "delta" | "idelta" | "deriv" | "predict_linear" | "double_exponential_smoothing"
            if inner.is_cumulative() =>
        {
            let what = quote(&subject(site, window));
            let message = format!(
                "{what} is a counter, and `{function}` takes a restart for a fall to nothing"
            );
            let help = "use `increase` or `rate`, which know restarts";
            let at = site.part(part.expr.span());
            findings.in_expression(Code::DeltaOfCounter, site.name, at, message, help);
        }
        _ => {}
    }
}

fn is_gauge_like(nature: Nature) -> bool {
    matches!(nature, Nature::Gauge | Nature::Quantile | Nature::Growth)
}

/// A subquery over anything but a bare counter.
fn is_of_aggregate(window: &Inferred<'_>) -> bool {
    let [inner] = window.parts.as_slice() else {
        return false;
    };
    let is_subquery = matches!(window.expr.kind(), ExprKind::Subquery(_));
    let of_several = matches!(
        inner.bare().expr.kind(),
        ExprKind::Aggregate(_) | ExprKind::Binary(_)
    );
    let sums_counters = inner.facts.is_cumulative() || adds_counters(inner.bare());
    is_subquery && of_several && sums_counters
}

fn adds_counters(part: &Inferred<'_>) -> bool {
    matches!(part.expr.kind(), ExprKind::Binary(binary) if binary.op == BinaryOp::Add)
        && part.parts.iter().all(|side| side.facts.is_cumulative())
}

/// What a window is about, for a message: the metric's name where there is one.
fn subject(site: &Site<'_>, window: &Inferred<'_>) -> String {
    let named = selector_of(window.expr).and_then(name_of);
    named.map_or_else(|| site.text(window.expr.span()).to_owned(), str::to_owned)
}

/// Looks for counters whose bare value is used.
fn bare(findings: &mut Findings<'_, '_>, site: &Site<'_>, part: &Inferred<'_>) {
    let is_bare = match part.expr.kind() {
        ExprKind::Selector(_) => part.facts.is_cumulative(),
        ExprKind::Call(call) if flattens(call.function.name) => part.parts.iter().any(|window| {
            matches!(window.expr.kind(), ExprKind::Matrix(..)) && window.facts.is_cumulative()
        }),
        _ => false,
    };
    if is_bare {
        let name = part
            .expr
            .selectors()
            .first()
            .and_then(|selector| selector.name);
        let name = name.unwrap_or("a counter");
        let message = format!(
            "{} is a counter: its value only says how much there was since the last restart",
            quote(name)
        );
        let help = format!("read how fast it grows: `rate({name}[5m])` or `increase({name}[1h])`");
        let at = site.part(part.expr.span());
        findings.in_expression(Code::CounterWithoutRate, site.name, at, message, help);
        return;
    }
    if asks_only_presence(part.expr) || tells_what_is_gone(part.expr) {
        return;
    }
    let skipped = presence_side(part.expr);
    for (index, inner) in part.parts.iter().enumerate() {
        if Some(index) != skipped {
            bare(findings, site, inner);
        }
    }
}

/// Functions that look at the values in a window one by one.
fn flattens(function: &str) -> bool {
    matches!(
        function,
        "avg_over_time"
            | "min_over_time"
            | "max_over_time"
            | "sum_over_time"
            | "quantile_over_time"
            | "stddev_over_time"
            | "stdvar_over_time"
    )
}

/// Whether only the being there of series counts, not their values. Quantiles of bare buckets have a finding of their own.
fn asks_only_presence(expr: &Expr) -> bool {
    match expr.kind() {
        ExprKind::Aggregate(aggregate) => {
            matches!(aggregate.op, AggregateOp::Count | AggregateOp::Group)
        }
        ExprKind::Call(call) => matches!(
            call.function.name,
            "absent"
                | "absent_over_time"
                | "timestamp"
                | "count_over_time"
                | "present_over_time"
                | "histogram_quantile"
                | "histogram_fraction"
        ),
        _ => false,
    }
}

/// `x offset 5m unless x`: which series were there and no longer are. Nobody reads their values.
fn tells_what_is_gone(expr: &Expr) -> bool {
    let ExprKind::Binary(binary) = expr.kind() else {
        return false;
    };
    let is_selector = |side: &Expr| matches!(side.kind(), ExprKind::Selector(_));
    binary.op == BinaryOp::Unless && is_selector(&binary.left) && is_selector(&binary.right)
}

/// The side of a set operation of which only labels count.
fn presence_side(expr: &Expr) -> Option<usize> {
    match expr.kind() {
        ExprKind::Binary(binary) if matches!(binary.op, BinaryOp::And | BinaryOp::Unless) => {
            Some(1)
        }
        _ => None,
    }
}

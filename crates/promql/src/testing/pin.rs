//! Fixes a query to one time: an expression with `@ t` on every selector must answer the same at any evaluation time.

use crate::ast::{At, Expr, ExprKind};

/// Functions whose answer depends on the evaluation time itself, so that pinning selectors does not pin them.
const TIME_DEPENDENT: [&str; 15] = [
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
    "end",
    "hour",
    "minute",
    "month",
    "predict_linear",
    "range",
    "start",
    "step",
    "time",
    "timestamp",
    "year",
];

/// Functions that speak of the query's own range, so that an instant and a range query differ on purpose.
const RANGE_DEPENDENT: [&str; 4] = ["end", "range", "start", "step"];

/// The expression pinned to `at`, or `None` where that would not pin its answer.
pub(super) fn pinned(expr: &Expr, at: i64) -> Option<Expr> {
    if calls_any(expr, &TIME_DEPENDENT) {
        return None;
    }
    let mut pinned = expr.clone();
    pin(&mut pinned, at);
    Some(pinned)
}

/// Whether an instant and a range query may differ on purpose.
pub(super) fn depends_on_range(expr: &Expr) -> bool {
    calls_any(expr, &RANGE_DEPENDENT)
}

fn calls_any(expr: &Expr, names: &[&str]) -> bool {
    let mut found = false;
    expr.visit(&mut |expr| {
        if let ExprKind::Call(call) = expr.kind() {
            found |= names.contains(&call.function.name);
        }
    });
    found
}

fn pin(expr: &mut Expr, at: i64) {
    match &mut expr.kind {
        ExprKind::Number(_) | ExprKind::String(_) => {}
        ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => pin(inner, at),
        ExprKind::Binary(binary) => {
            pin(&mut binary.left, at);
            pin(&mut binary.right, at);
        }
        ExprKind::Selector(selector) | ExprKind::Matrix(selector, _) => {
            selector.at.get_or_insert(At::Millis(at));
        }
        // What stands inside moves with the subquery's own steps.
        ExprKind::Subquery(subquery) => {
            subquery.at.get_or_insert(At::Millis(at));
        }
        ExprKind::Aggregate(aggregate) => {
            if let Some(parameter) = &mut aggregate.parameter {
                pin(parameter, at);
            }
            pin(&mut aggregate.expr, at);
        }
        ExprKind::Call(call) => call
            .arguments
            .iter_mut()
            .for_each(|argument| pin(argument, at)),
    }
}

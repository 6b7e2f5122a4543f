//! Which quotients are a part of a whole. A quotient of two figures of one unit may be anything (now over an hour ago); it is
//! a share where the divisor surely holds what is divided, or where names say so.

use promql::{BinaryOp, Expr, ExprKind, VectorSelector};

use super::{Inferred, Nature, Share, name_of};

/// Words in the name of a part.
const PART_WORDS: [&str; 20] = [
    "error",
    "errors",
    "failed",
    "failures",
    "failure",
    "fail",
    "hits",
    "misses",
    "rejected",
    "dropped",
    "timeouts",
    "used",
    "usage",
    "success",
    "successes",
    "available",
    "free",
    "size",
    "retries",
    "5xx",
];

/// Words in the name of a whole.
const WHOLE_WORDS: [&str; 11] = [
    "requests",
    "total",
    "limit",
    "capacity",
    "max",
    "size",
    "operations",
    "lookups",
    "attempts",
    "calls",
    "runs",
];

/// Whether an operation gives a part of a whole.
pub(super) fn of_operation(op: BinaryOp, left: &Inferred<'_>, right: &Inferred<'_>) -> Share {
    match op {
        BinaryOp::Divide => of_quotient(left, right),
        // What is left of the whole.
        BinaryOp::Subtract if left.number() == Some(1.0) => right.facts.share,
        _ => Share::No,
    }
}

fn of_quotient(left: &Inferred<'_>, right: &Inferred<'_>) -> Share {
    let (part, whole) = (left.bare().expr, right.bare().expr);
    if is_among(part, whole) || is_narrower(part, whole) {
        return Share::Surely;
    }
    let alike = left.facts.unit == right.facts.unit
        && matches!(
            left.facts.nature,
            Nature::Gauge | Nature::Growth | Nature::Counter | Nature::Computed
        );
    if alike && names_say_so(part, whole) {
        Share::Likely
    } else {
        Share::No
    }
}

/// `a / (a + b)`, where neither is below zero as nothing that is counted is.
fn is_among(part: &Expr, whole: &Expr) -> bool {
    let ExprKind::Binary(binary) = whole.without_parens().kind() else {
        return false;
    };
    let side = |side: &Expr| side.without_parens() == part || is_among(part, side);
    binary.op == BinaryOp::Add && (side(&binary.left) || side(&binary.right))
}

/// The same calculation on both sides, of fewer series on the left: `sum(rate(x{code="5"}[5m])) / sum(rate(x[5m]))`.
fn is_narrower(part: &Expr, whole: &Expr) -> bool {
    let (part, whole) = (part.without_parens(), whole.without_parens());
    match (part.kind(), whole.kind()) {
        (ExprKind::Aggregate(left), ExprKind::Aggregate(right)) => {
            left.op == right.op
                && matches!(
                    left.op,
                    promql::AggregateOp::Sum | promql::AggregateOp::Count
                )
                && is_narrower(&left.expr, &right.expr)
        }
        (ExprKind::Call(left), ExprKind::Call(right)) => {
            let same = left.function == right.function
                && matches!(left.function.name, "rate" | "increase" | "irate")
                && left.arguments.len() == right.arguments.len();
            same && left
                .arguments
                .iter()
                .zip(&right.arguments)
                .all(|(left, right)| is_narrower(left, right))
        }
        (ExprKind::Selector(left), ExprKind::Selector(right)) => selects_fewer(left, right),
        (ExprKind::Matrix(left, left_range), ExprKind::Matrix(right, right_range)) => {
            left_range == right_range && selects_fewer(left, right)
        }
        _ => false,
    }
}

/// The same metric at the same time, with all conditions of the other and more.
fn selects_fewer(part: &VectorSelector, whole: &VectorSelector) -> bool {
    part.offset_ms == whole.offset_ms
        && part.at == whole.at
        && name_of(part).is_some()
        && name_of(part) == name_of(whole)
        && part.matchers.len() > whole.matchers.len()
        && whole
            .matchers
            .iter()
            .all(|matcher| part.matchers.contains(matcher))
}

/// `failed / requests`, `used / limit`, `hits / lookups`.
fn names_say_so(part: &Expr, whole: &Expr) -> bool {
    let (Some(part), Some(whole)) = (only_name(part), only_name(whole)) else {
        return false;
    };
    let (part, whole) = (words(&part), words(&whole));
    let rest: Vec<&str> = part
        .iter()
        .copied()
        .filter(|word| !PART_WORDS.contains(word))
        .collect();
    let names_part = rest.len() < part.len();
    let names_whole = whole.iter().any(|word| WHOLE_WORDS.contains(word));
    // `orders_failed / orders` is one too.
    part != whole && names_part && (names_whole || rest == whole)
}

/// The words of a name. The ending of a counter says nothing of a whole.
fn words(name: &str) -> Vec<&str> {
    let bare = name.strip_suffix("_total").unwrap_or(name);
    bare.split('_').collect()
}

/// The name of the only series that an expression reads, in small letters.
fn only_name(expr: &Expr) -> Option<String> {
    match expr.selectors().as_slice() {
        [only] => only.name.map(str::to_ascii_lowercase),
        _ => None,
    }
}

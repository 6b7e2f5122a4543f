//! Conditions that decide nothing: never true, always true, or not there at all.

use promql::{Binary, BinaryOp, ExprKind, ValueType};

use super::finding::Findings;
use super::infer::{Inferred, Nature, mirrored, name_of, selector_of};
use super::shares::is_percent_of_share;
use super::sites::{Purpose, Site};
use crate::Code;
use crate::diagnostics::quote;

/// A comparison of something with something, the first being a vector.
pub(super) struct Comparison<'i, 'e> {
    /// What is compared.
    pub(super) side: &'i Inferred<'e>,
    /// How, read from that side.
    pub(super) op: BinaryOp,
    /// With what.
    pub(super) other: &'i Inferred<'e>,
    /// With which number, where it is one.
    pub(super) number: Option<f64>,
}

impl<'i, 'e> Comparison<'i, 'e> {
    /// The comparison that a part is, if it is one.
    pub(super) fn of(part: &'i Inferred<'e>) -> Option<Comparison<'i, 'e>> {
        let ExprKind::Binary(binary) = part.expr.kind() else {
            return None;
        };
        let [left, right] = part.parts.as_slice() else {
            return None;
        };
        if !binary.op.is_comparison() {
            return None;
        }
        let turned = left.facts.nature == Nature::Number;
        let (side, op, other) = if turned {
            (right, mirrored(binary.op), left)
        } else {
            (left, binary.op, right)
        };
        Some(Comparison {
            side,
            op,
            other,
            number: other.number(),
        })
    }
}

/// The parts of an alert's expression on which it depends whether there is an alert: both sides of `and` and `or`, the first
/// of `unless`.
pub(super) fn conditions<'i, 'e>(part: &'i Inferred<'e>) -> Vec<&'i Inferred<'e>> {
    let part = part.bare();
    match (part.expr.kind(), part.parts.as_slice()) {
        (ExprKind::Binary(binary), [left, right]) => match binary.op {
            BinaryOp::And | BinaryOp::Or => [conditions(left), conditions(right)].concat(),
            BinaryOp::Unless => conditions(left),
            _ => vec![part],
        },
        _ => vec![part],
    }
}

pub(super) fn check(findings: &mut Findings<'_, '_>, site: &Site<'_>) {
    site.root.visit(&mut |part| {
        with_nan(findings, site, part);
        never(findings, site, part);
    });
    match site.purpose {
        Purpose::Alert(..) => {
            for condition in conditions(&site.root) {
                always(findings, site, condition);
            }
            without(findings, site);
        }
        Purpose::Objective(objective) => kept(findings, site, objective),
        Purpose::Panel(..) | Purpose::Step => {}
    }
}

fn is_nan(part: &Inferred<'_>) -> bool {
    matches!(part.bare().expr.kind(), ExprKind::Number(number) if number.0.is_nan())
}

fn with_nan(findings: &mut Findings<'_, '_>, site: &Site<'_>, part: &Inferred<'_>) {
    let Some(comparison) = Comparison::of(part) else {
        return;
    };
    if !is_nan(comparison.side) && !is_nan(comparison.other) {
        return;
    }
    let message = "NaN is equal to nothing, not even to itself";
    let help = "write `x != x` for series that are NaN, and `x == x` for those that are not";
    let at = site.part(part.expr.span());
    findings.in_expression(Code::ComparedWithNan, site.name, at, message, help);
}

/// What a comparison always says, unless another finding says better what is wrong with it.
fn verdict(part: &Inferred<'_>) -> Option<bool> {
    let comparison = Comparison::of(part)?;
    let explained = is_nan(comparison.side)
        || is_nan(comparison.other)
        || comparison
            .number
            .is_some_and(|number| is_percent_of_share(&comparison.side.facts, number));
    if explained || part.expr.value_type() == ValueType::Scalar {
        return None;
    }
    let (side, other) = (&comparison.side.facts, &comparison.other.facts);
    side.values.compared(comparison.op, other.values)
}

fn never(findings: &mut Findings<'_, '_>, site: &Site<'_>, part: &Inferred<'_>) {
    if verdict(part) != Some(false) {
        return;
    }
    let message = format!("this is never true: {}", reach(site, part));
    let help = "correct the threshold, its unit or its side";
    let at = site.part(part.expr.span());
    findings.in_expression(Code::NeverTrue, site.name, at, message, help);
}

fn always(findings: &mut Findings<'_, '_>, site: &Site<'_>, condition: &Inferred<'_>) {
    // `count(x > 5) > 0` and `absent(x) == 1`: whether there is anything to compare is the condition.
    let decided_below = condition.parts.iter().any(can_be_silent);
    if verdict(condition) != Some(true) || decided_below {
        return;
    }
    let message = format!("this is always true: {}", reach(site, condition));
    let help = "correct the threshold, its unit or its side";
    let at = site.part(condition.expr.span());
    findings.in_expression(Code::AlwaysTrue, site.name, at, message, help);
}

/// What the compared side can be, in words.
fn reach(site: &Site<'_>, part: &Inferred<'_>) -> String {
    let Some(comparison) = Comparison::of(part) else {
        return String::new();
    };
    let what = quote(site.text(comparison.side.expr.span()));
    let values = comparison.side.facts.values;
    match (values.low.is_finite(), values.high.is_finite()) {
        (true, true) if values.low == values.high => format!("{what} is {}", values.low),
        (true, true) if values.whole && values.low + 1.0 == values.high => {
            format!("{what} is {} or {}", values.low, values.high)
        }
        (true, true) => format!("{what} is from {} to {}", values.low, values.high),
        (true, false) => format!("{what} is never below {}", values.low),
        (false, true) => format!("{what} is never above {}", values.high),
        (false, false) => format!("{what} cannot be that"),
    }
}

/// An objective that is kept or missed whatever happens.
fn kept(findings: &mut Findings<'_, '_>, site: &Site<'_>, objective: &crate::Objective) {
    let op = if objective.below {
        BinaryOp::Less
    } else {
        BinaryOp::Greater
    };
    let target = super::infer::Values::of(objective.target);
    let (code, verb) = match site.root.facts.values.compared(op, target) {
        Some(true) => (Code::AlwaysTrue, "kept"),
        Some(false) => (Code::NeverTrue, "missed"),
        None => return,
    };
    let message = format!("whatever happens, the target of this objective is {verb}");
    let help = "correct the target, the unit or the side on which good lies";
    let at = site.part(site.root.expr.span());
    findings.in_expression(code, site.name, at, message, help);
}

/// An alert whose expression yields values when nothing is wrong.
fn without(findings: &mut Findings<'_, '_>, site: &Site<'_>) {
    if can_be_silent(&site.root) {
        return;
    }
    let by_bool = conditions(&site.root).into_iter().find(|condition| {
        matches!(condition.expr.kind(), ExprKind::Binary(binary) if binary.returns_bool)
    });
    let at = site.part(by_bool.map_or(site.root.expr.span(), |part| part.expr.span()));
    let (message, help) = match by_bool {
        Some(_) => (
            "with `bool` this yields 0 as well as 1, and an alert fires for any value",
            "take `bool` away: a comparison without it yields only what passes",
        ),
        None => (
            "this always yields a value, so the alert always fires",
            "compare it with a threshold, as in `… > 5`",
        ),
    };
    findings.in_expression(Code::AlertWithoutCondition, site.name, at, message, help);
}

fn says_absent(part: &Inferred<'_>) -> bool {
    matches!(part.expr.kind(), ExprKind::Call(call)
        if matches!(call.function.name, "absent" | "absent_over_time"))
}

/// Whether an expression can yield nothing while what it reads is there.
fn can_be_silent(part: &Inferred<'_>) -> bool {
    match part.expr.kind() {
        ExprKind::Binary(binary) => filters(binary, &part.parts),
        ExprKind::Call(_) if says_absent(part) => true,
        // Alerts are there only while they are pending or fire.
        ExprKind::Selector(_) | ExprKind::Matrix(..) => selector_of(part.expr)
            .and_then(name_of)
            .is_some_and(|name| name.starts_with("ALERTS")),
        ExprKind::Number(_)
        | ExprKind::String(_)
        | ExprKind::Paren(_)
        | ExprKind::Unary(..)
        | ExprKind::Subquery(_)
        | ExprKind::Aggregate(_)
        | ExprKind::Call(_) => part.parts.iter().any(can_be_silent),
    }
}

fn filters(binary: &Binary, parts: &[Inferred<'_>]) -> bool {
    match binary.op {
        BinaryOp::Unless => true,
        BinaryOp::Or => parts.iter().all(can_be_silent),
        op if op.is_comparison() && !binary.returns_bool => true,
        _ => parts.iter().any(can_be_silent),
    }
}

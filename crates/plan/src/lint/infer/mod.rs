//! What can be told about a PromQL expression without running it: for every part of it the labels of its series, whether
//! they are counters, gauges, buckets or rates, their unit and their possible values.
//!
//! One pass from the leaves to the root gives a tree beside the expression's own; every check walks that tree. What is not
//! known stays unknown and forbids nothing: a finding must never come from a guess about a series that the plan does not
//! describe.

mod calls;
mod catalogue;
mod labels;
mod operations;
mod shares;
mod unit;
mod values;

use std::time::Duration;

use model::{METRIC_NAME, MatchOp};
use promql::{Expr, ExprKind, UnaryOp, VectorSelector};

pub(crate) use catalogue::{interval, metric_of, series};
pub(crate) use labels::LabelSet;
pub(crate) use operations::mirrored;
pub(crate) use unit::Unit;
pub(crate) use values::Values;

use crate::Plan;

/// What kind of figure an expression gives.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// A number that is written in the expression, or comes from its time.
    Number,
    /// Goes up, and back to zero at a restart.
    Counter,
    /// Counters by `le`.
    Buckets,
    /// Goes up and down.
    Gauge,
    /// A quantile, of a summary or of buckets.
    Quantile,
    /// How much a counter grew.
    Growth,
    /// How much buckets grew.
    BucketGrowth,
    /// What a calculation gives.
    Computed,
    /// Nobody can tell.
    Unknown,
}

/// Whether a figure is a part of a whole, from 0 to 1.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Share {
    /// Not known to be one.
    No,
    /// By the names of what is divided.
    Likely,
    /// By what is divided, or because the plan says so.
    Surely,
}

/// What is known about the series of an expression.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) nature: Nature,
    pub(crate) unit: Unit,
    pub(crate) values: Values,
    pub(crate) labels: LabelSet,
    pub(crate) share: Share,
}

impl Facts {
    /// Only the labels are known.
    pub(crate) fn of(labels: LabelSet) -> Facts {
        Facts {
            nature: Nature::Unknown,
            unit: Unit::Unknown,
            values: Values::ANY,
            labels,
            share: Share::No,
        }
    }

    /// Nothing is known.
    pub(crate) fn unknown() -> Facts {
        Facts::of(LabelSet::any())
    }

    /// A number.
    pub(crate) fn number(values: Values) -> Facts {
        Facts {
            nature: Nature::Number,
            values,
            ..Facts::of(LabelSet::none())
        }
    }

    /// Whether it is what a counter counts since its start, whole or by bucket.
    pub(crate) fn is_cumulative(&self) -> bool {
        matches!(self.nature, Nature::Counter | Nature::Buckets)
    }
}

/// A part of an expression with what is known about it.
pub(crate) struct Inferred<'e> {
    pub(crate) expr: &'e Expr,
    pub(crate) facts: Facts,
    /// The parts of it, in the order of the text.
    pub(crate) parts: Vec<Inferred<'e>>,
}

impl<'e> Inferred<'e> {
    /// Calls `visitor` with this part and everything below it, parents first.
    pub(crate) fn visit(&self, visitor: &mut dyn FnMut(&Inferred<'e>)) {
        visitor(self);
        for part in &self.parts {
            part.visit(visitor);
        }
    }

    /// Without the parentheses around it.
    pub(crate) fn bare(&self) -> &Inferred<'e> {
        match (self.expr.kind(), self.parts.as_slice()) {
            (ExprKind::Paren(_), [inner]) => inner.bare(),
            _ => self,
        }
    }

    /// The number, where it is one that is written in the expression or computed from such.
    pub(crate) fn number(&self) -> Option<f64> {
        let values = self.facts.values;
        (self.facts.nature == Nature::Number)
            .then(|| values.single())
            .flatten()
    }
}

/// What can be told about an expression of the plan.
pub(crate) fn infer<'e>(plan: &Plan, expr: &'e Expr) -> Inferred<'e> {
    let part = |expr: &'e Expr| infer(plan, expr);
    let (facts, parts) = match expr.kind() {
        ExprKind::Number(number) => (Facts::number(Values::of(number.0)), Vec::new()),
        ExprKind::String(_) => (Facts::number(Values::ANY), Vec::new()),
        ExprKind::Paren(inner) => {
            let inner = part(inner);
            (inner.facts.clone(), vec![inner])
        }
        ExprKind::Unary(op, inner) => {
            let inner = part(inner);
            (signed(*op, &inner.facts), vec![inner])
        }
        ExprKind::Binary(binary) => {
            let (left, right) = (part(&binary.left), part(&binary.right));
            (operations::binary(binary, &left, &right), vec![left, right])
        }
        ExprKind::Selector(selector) | ExprKind::Matrix(selector, _) => {
            (selected(plan, selector), Vec::new())
        }
        ExprKind::Subquery(subquery) => {
            let inner = part(&subquery.expr);
            (inner.facts.clone(), vec![inner])
        }
        ExprKind::Aggregate(aggregate) => {
            let inner = part(&aggregate.expr);
            let parameter = aggregate.parameter.as_ref().map(part);
            let facts = operations::aggregate(aggregate, parameter.as_ref(), &inner.facts);
            (facts, parameter.into_iter().chain([inner]).collect())
        }
        ExprKind::Call(call) => {
            let arguments: Vec<Inferred<'e>> = call.arguments.iter().map(part).collect();
            (calls::call(call.function.name, &arguments), arguments)
        }
    };
    Inferred { expr, facts, parts }
}

fn signed(op: UnaryOp, inner: &Facts) -> Facts {
    match op {
        UnaryOp::Plus => inner.clone(),
        UnaryOp::Minus => Facts {
            nature: match inner.nature {
                Nature::Number => Nature::Number,
                _ => Nature::Computed,
            },
            values: inner.values.negated(),
            share: Share::No,
            ..inner.clone()
        },
    }
}

fn selected(plan: &Plan, selector: &VectorSelector) -> Facts {
    let mut facts = match name_of(selector) {
        Some(name) => series(plan, name),
        None => Facts::unknown(),
    };
    for matcher in &selector.matchers {
        if matcher.name() == METRIC_NAME {
            continue;
        }
        let absent = matcher.op() == MatchOp::Equal && matcher.value().is_empty();
        if absent {
            facts.labels = facts.labels.without(matcher.name());
        } else if matcher.op() == MatchOp::Equal {
            facts.labels = facts.labels.with_value(matcher.name(), matcher.value());
        } else if !matcher.matches_empty() {
            facts.labels = facts.labels.with(matcher.name());
        }
    }
    facts
}

/// The metric's name, where a selector fixes one.
pub(crate) fn name_of(selector: &VectorSelector) -> Option<&str> {
    selector.name.as_deref().or_else(|| {
        let of_name = |matcher: &&model::Matcher| {
            matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal
        };
        selector
            .matchers
            .iter()
            .find(of_name)
            .map(|matcher| matcher.value())
    })
}

/// The selector of a part that is one.
pub(crate) fn selector_of(expr: &Expr) -> Option<&VectorSelector> {
    match expr.kind() {
        ExprKind::Selector(selector) | ExprKind::Matrix(selector, _) => Some(selector),
        _ => None,
    }
}

/// How often a new sample of a selector's series arrives, where the plan says so.
pub(crate) fn interval_of(plan: &Plan, selector: &VectorSelector) -> Option<Duration> {
    let fixed = |label: &str| {
        let matcher = selector
            .matchers
            .iter()
            .find(|matcher| matcher.name() == label && matcher.op() == MatchOp::Equal);
        matcher.map(|matcher| matcher.value())
    };
    interval(plan, name_of(selector)?, fixed)
}

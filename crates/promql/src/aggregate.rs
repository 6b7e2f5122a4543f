//! Aggregations: many series become one per group, or the group's most fitting few.
//!
//! Source of each operator's meaning: Prometheus, "Operators", "Aggregation operators".

use std::cmp::Ordering;
use std::collections::HashMap;

use model::{Labels, METRIC_NAME};

use crate::ast::{Aggregate, Expr, Grouping};
use crate::evaluator::Evaluator;
use crate::float::format_label;
use crate::functions::string;
use crate::histogram::check_quantile;
use crate::operators::AggregateOp;
use crate::query::EvalError;
use crate::sample::{InstantSample, InstantVector};
use crate::sum::{Mean, Sum, quantile, variance};

/// One group with its samples, in the order of the input.
struct Group {
    labels: Labels,
    samples: InstantVector,
}

/// Evaluates an aggregation at `at` (milliseconds).
pub(crate) fn aggregate(
    evaluator: &Evaluator<'_>,
    aggregate: &Aggregate,
    at: i64,
) -> Result<InstantVector, EvalError> {
    match aggregate.op {
        AggregateOp::Topk | AggregateOp::Bottomk | AggregateOp::Limitk => {
            let count = parameter_count(evaluator, parameter(aggregate), at)?;
            let groups = groups(evaluator.vector(&aggregate.expr, at)?, &aggregate.grouping);
            Ok(pick(groups, aggregate.op, count))
        }
        AggregateOp::LimitRatio => {
            let ratio = parameter_ratio(evaluator, parameter(aggregate), at)?;
            let vector = evaluator.vector(&aggregate.expr, at)?;
            Ok(vector
                .into_iter()
                .filter(|sample| in_ratio(&sample.labels, ratio))
                .collect())
        }
        AggregateOp::CountValues => {
            let label = string(parameter(aggregate));
            if label.is_empty() {
                return Err(EvalError::BadExpression {
                    span: parameter(aggregate).span(),
                    message: format!("invalid label name {label:?}"),
                });
            }
            let vector = evaluator.vector(&aggregate.expr, at)?;
            Ok(count_values(vector, &aggregate.grouping, label))
        }
        AggregateOp::Quantile => {
            let q = evaluator.scalar(parameter(aggregate), at)?;
            check_quantile(evaluator, q, parameter(aggregate).span());
            fold(evaluator, aggregate, at, |values| {
                quantile(q, &mut values.to_vec())
            })
        }
        AggregateOp::Avg => fold(evaluator, aggregate, at, mean),
        AggregateOp::Count => fold(evaluator, aggregate, at, |values| values.len() as f64),
        AggregateOp::Group => fold(evaluator, aggregate, at, |_| 1.0),
        AggregateOp::Max => fold(evaluator, aggregate, at, |values| {
            extreme(values, |new, best| new > best)
        }),
        AggregateOp::Min => fold(evaluator, aggregate, at, |values| {
            extreme(values, |new, best| new < best)
        }),
        AggregateOp::Stddev => fold(evaluator, aggregate, at, |values| stdvar(values).sqrt()),
        AggregateOp::Stdvar => fold(evaluator, aggregate, at, stdvar),
        AggregateOp::Sum => fold(evaluator, aggregate, at, sum),
    }
}

fn fold(
    evaluator: &Evaluator<'_>,
    aggregate: &Aggregate,
    at: i64,
    value: impl Fn(&[f64]) -> f64,
) -> Result<InstantVector, EvalError> {
    let groups = groups(evaluator.vector(&aggregate.expr, at)?, &aggregate.grouping);
    let folded = groups.into_iter().map(|group| {
        let values: Vec<f64> = group.samples.iter().map(|sample| sample.value).collect();
        InstantSample {
            labels: group.labels,
            drop_name: group.samples[0].drop_name,
            value: value(&values),
        }
    });
    Ok(folded.collect())
}

/// Splits a vector into groups, in the order of first appearance. No group is empty.
fn groups(vector: InstantVector, grouping: &Grouping) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut index: HashMap<Labels, usize> = HashMap::new();
    for sample in vector {
        let labels = group_labels(&sample.labels, grouping);
        let position = *index.entry(labels.clone()).or_insert_with(|| {
            groups.push(Group {
                labels,
                samples: Vec::new(),
            });
            groups.len() - 1
        });
        groups[position].samples.push(sample);
    }
    groups
}

fn group_labels(labels: &Labels, grouping: &Grouping) -> Labels {
    match grouping {
        Grouping::By(kept) if kept.is_empty() => Labels::empty(),
        Grouping::By(kept) => labels.filter(|name| kept.iter().any(|label| label == name)),
        Grouping::Without(dropped) => {
            labels.filter(|name| name != METRIC_NAME && !dropped.iter().any(|label| label == name))
        }
    }
}

/// The samples that `topk`, `bottomk` or `limitk` keep, group by group.
fn pick(groups: Vec<Group>, op: AggregateOp, count: usize) -> InstantVector {
    let mut picked = Vec::new();
    for mut group in groups {
        match op {
            AggregateOp::Topk => group.samples.sort_by(|a, b| nan_last(-a.value, -b.value)),
            AggregateOp::Bottomk => group.samples.sort_by(|a, b| nan_last(a.value, b.value)),
            _ => {}
        }
        picked.extend(group.samples.into_iter().take(count));
    }
    picked
}

fn nan_last(a: f64, b: f64) -> Ordering {
    a.is_nan()
        .cmp(&b.is_nan())
        .then_with(|| a.partial_cmp(&b).unwrap_or(Ordering::Equal))
}

fn count_values(vector: InstantVector, grouping: &Grouping, label: &str) -> InstantVector {
    let mut counts: Vec<InstantSample> = Vec::new();
    let mut index: HashMap<Labels, usize> = HashMap::new();
    for sample in vector {
        let labels =
            group_labels(&sample.labels, grouping).with(label, &format_label(sample.value));
        let position = *index.entry(labels.clone()).or_insert_with(|| {
            counts.push(InstantSample {
                labels,
                drop_name: sample.drop_name && label != METRIC_NAME,
                value: 0.0,
            });
            counts.len() - 1
        });
        counts[position].value += 1.0;
    }
    counts
}

/// The parser has checked that operators with a parameter have one; the expression stands in, unreachably.
fn parameter(aggregate: &Aggregate) -> &Expr {
    aggregate.parameter.as_ref().unwrap_or(&aggregate.expr)
}

fn parameter_count(
    evaluator: &Evaluator<'_>,
    parameter: &Expr,
    at: i64,
) -> Result<usize, EvalError> {
    let value = evaluator.scalar(parameter, at)?;
    let bad = |message: String| EvalError::BadExpression {
        span: parameter.span(),
        message,
    };
    if value.is_nan() {
        return Err(bad("Parameter value is NaN".to_owned()));
    }
    if value.abs() >= i64::MAX as f64 {
        let shown = format_label(value);
        return Err(bad(format!("Scalar value {shown} overflows int64")));
    }
    Ok(value.max(0.0) as usize)
}

fn parameter_ratio(evaluator: &Evaluator<'_>, parameter: &Expr, at: i64) -> Result<f64, EvalError> {
    let ratio = evaluator.scalar(parameter, at)?;
    if ratio.is_nan() {
        return Err(EvalError::BadExpression {
            span: parameter.span(),
            message: "Ratio value is NaN".to_owned(),
        });
    }
    let capped = ratio.clamp(-1.0, 1.0);
    if capped != ratio {
        evaluator.warn(
            parameter.span(),
            format!(
                "ratio value should be between -1 and 1, got {}, capping to {capped}",
                format_label(ratio)
            ),
        );
    }
    Ok(capped)
}

/// Whether a series belongs to a ratio. A hash places each series in 0 to 1; a negative ratio keeps the upper end, so
/// that `r` and `-(1 - r)` split any vector in two.
fn in_ratio(labels: &Labels, ratio: f64) -> bool {
    // FNV-1a: short, stable across runs and machines.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for (name, value) in labels.iter() {
        for byte in name
            .bytes()
            .chain([0xff])
            .chain(value.bytes())
            .chain([0xff])
        {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    let place = hash as f64 / u64::MAX as f64;
    if ratio >= 0.0 {
        place < ratio
    } else {
        place >= 1.0 + ratio
    }
}

fn sum(values: &[f64]) -> f64 {
    let mut sum = Sum::default();
    values.iter().for_each(|value| sum.add(*value));
    sum.value()
}

fn mean(values: &[f64]) -> f64 {
    let mut mean = Mean::default();
    values.iter().for_each(|value| mean.add(*value));
    mean.value()
}

fn stdvar(values: &[f64]) -> f64 {
    variance(values.iter().copied()).unwrap_or(f64::NAN)
}

/// The value that `better` prefers; any number is better than NaN.
fn extreme(values: &[f64], better: impl Fn(f64, f64) -> bool) -> f64 {
    let pick = |best: f64, value: &f64| {
        if best.is_nan() || better(*value, best) {
            *value
        } else {
            best
        }
    };
    values.iter().fold(f64::NAN, pick)
}

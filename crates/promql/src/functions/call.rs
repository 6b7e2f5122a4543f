//! Evaluates one call at one step: fetches the arguments and hands them to the function's body.

use model::{METRIC_NAME, Timestamp};

use super::calendar::Date;
use super::{Body, Special, labels, sorting};
use crate::ValueType;
use crate::ast::{Call, Expr, ExprKind};
use crate::evaluator::{Evaluator, StepValue};
use crate::histogram;
use crate::query::EvalError;
use crate::sample::{InstantSample, InstantVector};
use crate::sum::quantile;
use crate::window::Window;

/// Metric names end like this when they follow the conventions for counters.
const COUNTER_SUFFIXES: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];

/// Evaluates a call at `at` (milliseconds).
pub(crate) fn call(
    evaluator: &Evaluator<'_>,
    expr: &Expr,
    call: &Call,
    at: i64,
) -> Result<StepValue, EvalError> {
    let arguments = &call.arguments;
    let vector = match call.function.body {
        Body::Math(body) => map_values(evaluator.vector(&arguments[0], at)?, |v| Some(body(v))),
        Body::MathWith(body) => {
            let scalars = scalars(evaluator, &arguments[1..], at)?;
            map_values(evaluator.vector(&arguments[0], at)?, |v| body(v, &scalars))
        }
        Body::Calendar(body) => {
            let times = match arguments.first() {
                Some(argument) => evaluator.vector(argument, at)?,
                None => vec![InstantSample::unlabelled(seconds(at))],
            };
            map_values(times, |v| Some(body(&Date::from_seconds(v))))
        }
        Body::Window(body) => reduce(evaluator, &arguments[0], at, false, |window| {
            Ok(body(window))
        })?,
        Body::WindowKeepingName(body) => reduce(evaluator, &arguments[0], at, true, |window| {
            Ok(body(window))
        })?,
        Body::Counter(body) => {
            let vector = reduce(evaluator, &arguments[0], at, false, |window| {
                Ok(body(window))
            })?;
            note_non_counters(evaluator, &arguments[0], &vector);
            vector
        }
        Body::WindowWith(body) => {
            let scalars = scalars(evaluator, &arguments[1..], at)?;
            reduce(evaluator, &arguments[0], at, false, |window| {
                body(window, &scalars).map_err(|message| EvalError::BadExpression {
                    span: expr.span(),
                    message,
                })
            })?
        }
        Body::Scalars(body) => {
            let left = evaluator.scalar(&arguments[0], at)?;
            let right = evaluator.scalar(&arguments[1], at)?;
            return Ok(StepValue::Scalar(body(left, right)));
        }
        Body::Special(special) => return call_special(evaluator, expr, call, special, at),
    };
    Ok(StepValue::Vector(vector))
}

fn call_special(
    evaluator: &Evaluator<'_>,
    expr: &Expr,
    call: &Call,
    special: Special,
    at: i64,
) -> Result<StepValue, EvalError> {
    let arguments = &call.arguments;
    let query = &evaluator.query;
    let vector = match special {
        Special::Pi => return Ok(StepValue::Scalar(std::f64::consts::PI)),
        Special::Time => return Ok(StepValue::Scalar(seconds(at))),
        Special::Start => return Ok(StepValue::Scalar(seconds(query.start))),
        Special::End => return Ok(StepValue::Scalar(seconds(query.end))),
        Special::Step => return Ok(StepValue::Scalar(seconds(query.step))),
        Special::Range => {
            return Ok(StepValue::Scalar(seconds(
                query.end.saturating_sub(query.start),
            )));
        }
        Special::Scalar => {
            let vector = evaluator.vector(&arguments[0], at)?;
            let single = vector.first().filter(|_| vector.len() == 1);
            return Ok(StepValue::Scalar(single.map_or(f64::NAN, |s| s.value)));
        }
        Special::Vector => vec![InstantSample::unlabelled(
            evaluator.scalar(&arguments[0], at)?,
        )],
        Special::Timestamp => timestamp(evaluator, &arguments[0], at)?,
        Special::Absent => {
            let present = !evaluator.vector(&arguments[0], at)?.is_empty();
            absent(&arguments[0], present)
        }
        Special::AbsentOverTime => {
            let mut present = false;
            evaluator.windows(&arguments[0], at, |_, window| {
                present |= !window.values.is_empty();
                Ok(())
            })?;
            absent(&arguments[0], present)
        }
        Special::QuantileOverTime => quantile_over_time(evaluator, arguments, at)?,
        Special::LabelReplace => label_replace(evaluator, expr, arguments, at)?,
        Special::LabelJoin => label_join(evaluator, expr, arguments, at)?,
        Special::Sort | Special::SortDesc | Special::SortByLabel | Special::SortByLabelDesc => {
            sort(evaluator, expr, arguments, special, at)?
        }
        Special::HistogramQuantile => {
            let q = evaluator.scalar(&arguments[0], at)?;
            histogram::check_quantile(evaluator, q, arguments[0].span());
            let groups = histogram::groups(evaluator, &arguments[1], at)?;
            histogram::quantiles(evaluator, groups, &[(q, None)], arguments[1].span())?
        }
        Special::HistogramQuantiles => histogram_quantiles(evaluator, expr, arguments, at)?,
        Special::HistogramFraction => {
            let lower = evaluator.scalar(&arguments[0], at)?;
            let upper = evaluator.scalar(&arguments[1], at)?;
            let groups = histogram::groups(evaluator, &arguments[2], at)?;
            histogram::fractions(groups, lower, upper)
        }
        Special::NativeHistogram => {
            evaluator.vector(&arguments[0], at)?;
            Vec::new()
        }
    };
    Ok(StepValue::Vector(vector))
}

fn seconds(millis: i64) -> f64 {
    Timestamp::from_millis(millis).as_secs_f64()
}

fn scalars(evaluator: &Evaluator<'_>, arguments: &[Expr], at: i64) -> Result<Vec<f64>, EvalError> {
    arguments
        .iter()
        .map(|argument| evaluator.scalar(argument, at))
        .collect()
}

fn map_values(vector: InstantVector, body: impl Fn(f64) -> Option<f64>) -> InstantVector {
    vector
        .into_iter()
        .filter_map(|sample| {
            Some(InstantSample {
                value: body(sample.value)?,
                drop_name: true,
                labels: sample.labels,
            })
        })
        .collect()
}

/// Reduces every window of a range vector to one value.
fn reduce(
    evaluator: &Evaluator<'_>,
    argument: &Expr,
    at: i64,
    keep_name: bool,
    body: impl Fn(&Window<'_>) -> Result<Option<f64>, EvalError>,
) -> Result<InstantVector, EvalError> {
    let mut vector = Vec::new();
    evaluator.windows(argument, at, |column, window| {
        if let Some(value) = body(window)? {
            vector.push(InstantSample {
                labels: column.labels.clone(),
                drop_name: column.drop_name || !keep_name,
                value,
            });
        }
        Ok(())
    })?;
    Ok(vector)
}

fn note_non_counters(evaluator: &Evaluator<'_>, argument: &Expr, vector: &InstantVector) {
    for sample in vector {
        let name = sample.labels.metric_name();
        let conventional = COUNTER_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
        if !name.is_empty() && !conventional {
            evaluator.info(
                argument.span(),
                format!(
                    "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {name:?}"
                ),
            );
        }
    }
}

fn timestamp(
    evaluator: &Evaluator<'_>,
    argument: &Expr,
    at: i64,
) -> Result<InstantVector, EvalError> {
    let inner = argument.without_parens();
    if let ExprKind::Selector(selector) = &inner.kind {
        let times = evaluator.latest(inner, selector, at, |time, _| time.as_secs_f64())?;
        return Ok(map_values(times, Some));
    }
    let vector = evaluator.vector(argument, at)?;
    Ok(map_values(vector, |_| Some(seconds(at))))
}

fn absent(argument: &Expr, present: bool) -> InstantVector {
    if present {
        return Vec::new();
    }
    vec![InstantSample {
        labels: labels::of_absent(argument),
        drop_name: false,
        value: 1.0,
    }]
}

fn quantile_over_time(
    evaluator: &Evaluator<'_>,
    arguments: &[Expr],
    at: i64,
) -> Result<InstantVector, EvalError> {
    let q = evaluator.scalar(&arguments[0], at)?;
    let vector = reduce(evaluator, &arguments[1], at, false, |window| {
        let mut values = window.values.to_vec();
        Ok((!values.is_empty()).then(|| quantile(q, &mut values)))
    })?;
    if !vector.is_empty() {
        histogram::check_quantile(evaluator, q, arguments[0].span());
    }
    Ok(vector)
}

fn label_replace(
    evaluator: &Evaluator<'_>,
    expr: &Expr,
    arguments: &[Expr],
    at: i64,
) -> Result<InstantVector, EvalError> {
    let target = target_label(&arguments[1])?;
    let pattern = evaluator.pattern(string(&arguments[4]), arguments[4].span())?;
    let vector = labels::replace(
        evaluator.vector(&arguments[0], at)?,
        target,
        string(&arguments[2]),
        string(&arguments[3]),
        &pattern,
    );
    refuse_duplicates(vector, expr)
}

fn label_join(
    evaluator: &Evaluator<'_>,
    expr: &Expr,
    arguments: &[Expr],
    at: i64,
) -> Result<InstantVector, EvalError> {
    let target = target_label(&arguments[1])?;
    let sources: Vec<&str> = arguments[3..].iter().map(string).collect();
    let vector = evaluator.vector(&arguments[0], at)?;
    let vector = labels::join(vector, target, string(&arguments[2]), &sources);
    refuse_duplicates(vector, expr)
}

fn refuse_duplicates(vector: InstantVector, expr: &Expr) -> Result<InstantVector, EvalError> {
    if labels::has_duplicates(&vector) {
        return Err(EvalError::DuplicateSeries { span: expr.span() });
    }
    Ok(vector)
}

/// The label that a function writes. Any text names a label since Prometheus 3, except the empty one.
fn target_label(argument: &Expr) -> Result<&str, EvalError> {
    let label = string(argument);
    if label.is_empty() {
        return Err(EvalError::BadExpression {
            span: argument.span(),
            message: format!("invalid label name {label:?}"),
        });
    }
    Ok(label)
}

/// The text of a string argument; the parser has checked that it is one.
pub(crate) fn string(argument: &Expr) -> &str {
    match &argument.without_parens().kind {
        ExprKind::String(text) => text,
        _ => "",
    }
}

fn sort(
    evaluator: &Evaluator<'_>,
    expr: &Expr,
    arguments: &[Expr],
    special: Special,
    at: i64,
) -> Result<InstantVector, EvalError> {
    let mut vector = evaluator.vector(&arguments[0], at)?;
    if evaluator.query.is_range {
        let message =
            "sort is ineffective for range queries since results are always ordered by labels";
        evaluator.warn(expr.span(), message);
        return Ok(vector);
    }
    let names: Vec<&str> = arguments[1..].iter().map(string).collect();
    match special {
        Special::SortDesc => sorting::by_value(&mut vector, true),
        Special::SortByLabel => sorting::by_label(&mut vector, &names, false),
        Special::SortByLabelDesc => sorting::by_label(&mut vector, &names, true),
        _ => sorting::by_value(&mut vector, false),
    }
    Ok(vector)
}

fn histogram_quantiles(
    evaluator: &Evaluator<'_>,
    expr: &Expr,
    arguments: &[Expr],
    at: i64,
) -> Result<InstantVector, EvalError> {
    let label = target_label(&arguments[1])?;
    let mut wanted = Vec::new();
    for argument in &arguments[2..] {
        debug_assert_eq!(argument.value_type(), ValueType::Scalar);
        let q = evaluator.scalar(argument, at)?;
        histogram::check_quantile(evaluator, q, argument.span());
        wanted.push((q, Some(label)));
    }
    let groups = histogram::groups(evaluator, &arguments[0], at)?;
    let vector = histogram::quantiles(evaluator, groups, &wanted, arguments[0].span())?;
    // Writing over a label that told series apart must not pass silently.
    let bare: InstantVector = vector
        .iter()
        .map(|sample| InstantSample {
            labels: sample.labels.without(METRIC_NAME),
            ..sample.clone()
        })
        .collect();
    refuse_duplicates(bare, expr)?;
    Ok(vector)
}

//! The two questions that a caller may ask, and their answers.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::time::Duration;

use model::{Labels, METRIC_NAME, SeriesSource, SourceError, Timestamp};

use crate::annotation::Annotations;
use crate::ast::{Expr, ExprKind};
use crate::evaluator::{Evaluator, QueryTimes, StepValue, millis};
use crate::{Annotation, Limits, Span, ValueType};

/// What a query gives, with remarks about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The result.
    pub value: Value,
    /// Probably wrong: look at the query or the data.
    pub warnings: Vec<Annotation>,
    /// Worth knowing.
    pub infos: Vec<Annotation>,
}

/// The result of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One number.
    Scalar(f64),
    /// One text.
    String(String),
    /// One number per series; ordered only where the query sorts.
    Vector(Vec<VectorSample>),
    /// Points per series, ordered by labels. A range query always gives this.
    Matrix(Vec<MatrixSeries>),
}

/// One series of an instant vector.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSample {
    /// What names the series.
    pub labels: Labels,
    /// The time of the evaluation.
    pub at: Timestamp,
    /// Its value then.
    pub value: f64,
}

/// One series of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSeries {
    /// What names the series.
    pub labels: Labels,
    /// Times, strictly increasing, with values.
    pub points: Vec<(Timestamp, f64)>,
}

/// Why a query that parses has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvalError {
    /// An argument does not fit, for example a broken pattern. Fix the query.
    BadExpression {
        /// The part that is wrong.
        span: Span,
        /// What is wrong with it.
        message: String,
    },
    /// Series of both sides do not pair up one to one, or one to many as asked. Fix the matching in the query.
    Matching {
        /// The operation.
        span: Span,
        /// Which series meet.
        message: String,
    },
    /// Two series of a result have the same labels. Keep a label that tells them apart.
    DuplicateSeries {
        /// The expression that gives them.
        span: Span,
    },
    /// The range ends before it starts, or its step is nothing. Fix the request.
    BadRange(String),
    /// The query needs more samples than allowed. Narrow its matchers or its range.
    TooManySamples {
        /// [`Limits::samples_max`]
        limit: usize,
    },
    /// The query's windows overlap too often. Shorten its windows or lengthen its step.
    TooManyVisits {
        /// [`Limits::visits_max`]
        limit: u64,
    },
    /// The answer would have more points per series than allowed. Lengthen the step.
    TooManyPoints {
        /// [`Limits::points_max`]
        limit: usize,
    },
    /// The store could not answer. Retry later.
    Source(SourceError),
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvalError::BadExpression { message, .. } | EvalError::Matching { message, .. } => {
                f.write_str(message)
            }
            EvalError::DuplicateSeries { .. } => f.write_str(
                "vector cannot contain metrics with the same labelset; keep a label that tells them apart",
            ),
            EvalError::BadRange(message) => f.write_str(message),
            EvalError::TooManySamples { limit } => write!(
                f,
                "the query needs more than {limit} samples; narrow its matchers or its range"
            ),
            EvalError::TooManyVisits { limit } => write!(
                f,
                "the query's windows visit more than {limit} samples; shorten the windows or lengthen the step"
            ),
            EvalError::TooManyPoints { limit } => write!(
                f,
                "the answer would have more than {limit} points per series; lengthen the step"
            ),
            EvalError::Source(_) => f.write_str("the metrics store could not answer"),
        }
    }
}

impl std::error::Error for EvalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            EvalError::Source(error) => Some(error),
            EvalError::BadExpression { .. }
            | EvalError::Matching { .. }
            | EvalError::DuplicateSeries { .. }
            | EvalError::BadRange(_)
            | EvalError::TooManySamples { .. }
            | EvalError::TooManyVisits { .. }
            | EvalError::TooManyPoints { .. } => None,
        }
    }
}

impl EvalError {
    /// The part of the query that the error is about, where it is about one.
    pub fn span(&self) -> Option<Span> {
        match self {
            EvalError::BadExpression { span, .. }
            | EvalError::Matching { span, .. }
            | EvalError::DuplicateSeries { span } => Some(*span),
            EvalError::BadRange(_)
            | EvalError::TooManySamples { .. }
            | EvalError::TooManyVisits { .. }
            | EvalError::TooManyPoints { .. }
            | EvalError::Source(_) => None,
        }
    }
}

/// Evaluates an expression at one time.
///
/// # Errors
/// [`EvalError`]; each variant says what to do.
pub fn instant(
    source: &dyn SeriesSource,
    expr: &Expr,
    at: Timestamp,
    limits: &Limits,
) -> Result<Answer, EvalError> {
    let millis = at.as_millis();
    let query = QueryTimes {
        start: millis,
        end: millis,
        step: 0,
        is_range: false,
    };
    if let ExprKind::String(text) = &expr.without_parens().kind {
        return Ok(answer(Value::String(text.clone()), Annotations::default()));
    }
    let evaluator = Evaluator::new(source, limits, query, expr)?;
    let value = if expr.value_type() == ValueType::Matrix {
        Value::Matrix(windows(&evaluator, expr, millis)?)
    } else {
        match evaluator.step(expr, millis)? {
            StepValue::Scalar(value) => Value::Scalar(value),
            StepValue::Vector(vector) => {
                evaluator.spend(vector.len())?;
                let samples = vector.iter().map(|sample| VectorSample {
                    labels: sample.final_labels(),
                    at,
                    value: sample.value,
                });
                Value::Vector(unique(samples.collect(), expr)?)
            }
        }
    };
    Ok(answer(value, evaluator.into_annotations()))
}

/// Evaluates an expression at `from`, `from + step`, … up to `to`. The value is always [`Value::Matrix`].
///
/// # Errors
/// [`EvalError`]; each variant says what to do.
pub fn range(
    source: &dyn SeriesSource,
    expr: &Expr,
    from: Timestamp,
    to: Timestamp,
    step: Duration,
    limits: &Limits,
) -> Result<Answer, EvalError> {
    let query = QueryTimes {
        start: from.as_millis(),
        end: to.as_millis(),
        step: millis(step),
        is_range: true,
    };
    let steps = check_range(expr, &query, limits)?;
    let evaluator = Evaluator::new(source, limits, query, expr)?;
    let mut series: BTreeMap<Labels, Vec<(Timestamp, f64)>> = BTreeMap::new();
    for number in 0..steps {
        let millis = query.start + number * query.step;
        let at = Timestamp::from_millis(millis);
        let vector = evaluator.step(expr, millis)?.into_vector();
        evaluator.spend(vector.len())?;
        for sample in vector {
            let points = series.entry(sample.final_labels()).or_default();
            if points.last().is_some_and(|(last, _)| *last == at) {
                return Err(EvalError::DuplicateSeries { span: expr.span() });
            }
            points.push((at, sample.value));
        }
    }
    let series = series
        .into_iter()
        .map(|(labels, points)| MatrixSeries { labels, points });
    Ok(answer(
        Value::Matrix(series.collect()),
        evaluator.into_annotations(),
    ))
}

/// The number of steps, when the request makes sense.
fn check_range(expr: &Expr, query: &QueryTimes, limits: &Limits) -> Result<i64, EvalError> {
    if !matches!(expr.value_type(), ValueType::Scalar | ValueType::Vector) {
        return Err(EvalError::BadExpression {
            span: expr.span(),
            message: format!(
                "a range query needs a scalar or an instant vector, and this is {}",
                expr.value_type()
            ),
        });
    }
    if query.step <= 0 {
        let message = "the step must be at least one millisecond";
        return Err(EvalError::BadRange(message.to_owned()));
    }
    if query.end < query.start {
        let message = "the range ends before it starts";
        return Err(EvalError::BadRange(message.to_owned()));
    }
    let steps = (query.end.saturating_sub(query.start) / query.step).saturating_add(1);
    if usize::try_from(steps).map_or(true, |steps| steps > limits.points_max) {
        return Err(EvalError::TooManyPoints {
            limit: limits.points_max,
        });
    }
    Ok(steps)
}

fn windows(
    evaluator: &Evaluator<'_>,
    expr: &Expr,
    at: i64,
) -> Result<Vec<MatrixSeries>, EvalError> {
    let mut series: BTreeMap<Labels, Vec<(Timestamp, f64)>> = BTreeMap::new();
    evaluator.windows(expr, at, |column, window| {
        evaluator.spend(window.values.len())?;
        let labels = if column.drop_name {
            column.labels.without(METRIC_NAME)
        } else {
            column.labels.clone()
        };
        let times = window.times.iter().copied();
        let points = times.zip(window.values.iter().copied()).collect();
        match series.insert(labels, points) {
            None => Ok(()),
            Some(_) => Err(EvalError::DuplicateSeries { span: expr.span() }),
        }
    })?;
    let series = series
        .into_iter()
        .map(|(labels, points)| MatrixSeries { labels, points });
    Ok(series.collect())
}

fn unique(samples: Vec<VectorSample>, expr: &Expr) -> Result<Vec<VectorSample>, EvalError> {
    let mut seen = HashSet::with_capacity(samples.len());
    if samples.iter().all(|sample| seen.insert(&sample.labels)) {
        return Ok(samples);
    }
    Err(EvalError::DuplicateSeries { span: expr.span() })
}

fn answer(value: Value, annotations: Annotations) -> Answer {
    Answer {
        value,
        warnings: annotations.warnings,
        infos: annotations.infos,
    }
}

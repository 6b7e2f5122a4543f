//! One rule at one time: its expression, and what the expression compares.

use std::sync::Arc;

use alerting::Evaluation;
use model::{Labels, METRIC_NAME, Timestamp};
use plan::AlertRule;
use promql::{Expr, ExprKind, Value};

use super::template::readable;
use crate::metrics::{BackendError, MetricsBackend};

/// The left side of a comparison, if the expression is one.
///
/// Its values tell "the condition is false" from "there is no value", which an empty answer alone cannot.
pub fn subject_of(expr: &Expr) -> Option<&Expr> {
    match expr.kind() {
        ExprKind::Paren(inner) => subject_of(inner),
        ExprKind::Binary(binary) if binary.op.is_comparison() && !binary.returns_bool => {
            // `5 < x` compares the right side with a constant.
            let is_constant = |side: &Expr| side.value_type() == promql::ValueType::Scalar;
            match (is_constant(&binary.left), is_constant(&binary.right)) {
                (true, false) => Some(&binary.right),
                (false, _) => Some(&binary.left),
                (true, true) => None,
            }
        }
        _ => None,
    }
}

/// What an evaluation found, and a sentence about it.
pub(crate) struct Found {
    pub(crate) evaluation: Evaluation,
    pub(crate) why: String,
}

impl Found {
    /// What follows from the values for which the condition holds and those that it compares.
    pub(crate) fn new(
        active: Vec<(Labels, f64)>,
        subject: Option<Vec<(Labels, f64)>>,
        complete: bool,
    ) -> Found {
        let why = explain(&active, subject.as_deref(), complete);
        Found {
            evaluation: Evaluation::Done {
                active,
                subject,
                complete,
            },
            why,
        }
    }
}

/// Evaluates a rule.
pub(super) async fn evaluate(
    rule: &AlertRule,
    backend: &dyn MetricsBackend,
    complete: bool,
    at: Timestamp,
) -> Result<Found, BackendError> {
    let active = vector(backend, &rule.expr.parsed, at).await?;
    let subject = match subject_of(&rule.expr.parsed) {
        Some(subject) => Some(vector(backend, subject, at).await?),
        None => None,
    };
    Ok(Found::new(active, subject, complete))
}

async fn vector(
    backend: &dyn MetricsBackend,
    expr: &Expr,
    at: Timestamp,
) -> Result<Vec<(Labels, f64)>, BackendError> {
    let answer = backend.query(Arc::new(expr.clone()), at).await?;
    Ok(nameless(vector_with_names(answer)?))
}

/// Samples without the names of their series, which are no part of an alert.
pub(crate) fn nameless(samples: Vec<(Labels, f64)>) -> Vec<(Labels, f64)> {
    let without = |(labels, value): (Labels, f64)| (labels.without(METRIC_NAME), value);
    samples.into_iter().map(without).collect()
}

/// An answer as labels and values; a number is one value without labels.
pub(crate) fn vector_with_names(
    answer: promql::Answer,
) -> Result<Vec<(Labels, f64)>, BackendError> {
    match answer.value {
        Value::Vector(samples) => Ok(samples
            .into_iter()
            .map(|sample| (sample.labels, sample.value))
            .collect()),
        Value::Scalar(value) => Ok(vec![(Labels::empty(), value)]),
        Value::String(_) | Value::Matrix(_) => Err(BackendError::BadQuery(
            "an alert's expression must give an instant vector".to_owned(),
        )),
    }
}

fn explain(active: &[(Labels, f64)], subject: Option<&[(Labels, f64)]>, complete: bool) -> String {
    let values = |list: &[(Labels, f64)]| {
        let shown: Vec<String> = list
            .iter()
            .take(3)
            .map(|(_, value)| readable(*value))
            .collect();
        let more = if list.len() > 3 {
            format!(" and {} more", list.len() - 3)
        } else {
            String::new()
        };
        format!("{}{more}", shown.join(", "))
    };
    if !active.is_empty() {
        return format!("the condition holds: {}", values(active));
    }
    match subject {
        Some(subject) if subject.iter().any(|(_, value)| !value.is_nan()) => {
            format!("the condition does not hold: {}", values(subject))
        }
        Some([]) if complete => {
            "there is no value: the scrapes are complete, but the expression yields nothing"
                .to_owned()
        }
        Some(_) if complete => {
            "the value is NaN: nothing happened that could be measured".to_owned()
        }
        _ if !complete => {
            "nothing is known: the last scrape of a source failed or is overdue".to_owned()
        }
        _ => "the condition does not hold".to_owned(),
    }
}

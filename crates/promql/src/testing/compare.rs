//! When an answer is what a case expects: labels exactly, values to a part in a million.

use std::collections::BTreeMap;

use model::{Labels, Timestamp, is_stale};

use super::points::Point;
use super::script::{Eval, Notes, When};
use crate::{Annotation, Value};

/// How far values may differ, relatively.
const TOLERANCE: f64 = 1e-6;

/// Points of one series by time.
type Points = BTreeMap<i64, f64>;

/// Whether two values count as equal: NaN equals NaN, the stale marker only itself.
pub(super) fn equal(a: f64, b: f64) -> bool {
    if is_stale(a) || is_stale(b) {
        return is_stale(a) && is_stale(b);
    }
    if a.is_nan() || b.is_nan() {
        return a.is_nan() && b.is_nan();
    }
    if a == b {
        return true;
    }
    let sum = a.abs() + b.abs();
    let difference = (a - b).abs();
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

/// Compares a value with what the case expects; the error says what differs.
pub(super) fn value(eval: &Eval, value: &Value) -> Result<(), String> {
    match value {
        Value::Scalar(found) => match eval.scalar {
            Some(expected) if equal(expected, *found) => Ok(()),
            Some(expected) => Err(format!("expected {expected}, got {found}")),
            None => Err(format!("expected series, got the scalar {found}")),
        },
        Value::String(found) => match &eval.string {
            Some(expected) if expected == found => Ok(()),
            Some(expected) => Err(format!("expected {expected:?}, got {found:?}")),
            None => Err(format!("expected no string, got {found:?}")),
        },
        Value::Vector(_) | Value::Matrix(_) if eval.scalar.is_some() || eval.string.is_some() => {
            Err("expected a scalar or a string, got series".to_owned())
        }
        Value::Vector(samples) => {
            let found: Vec<(Labels, f64)> = samples
                .iter()
                .map(|sample| (sample.labels.clone(), sample.value))
                .collect();
            vector(eval, &found)
        }
        Value::Matrix(series) => {
            let found = series.iter().map(|series| {
                let points = series.points.iter();
                let points = points.map(|(at, value)| (at.as_millis(), *value)).collect();
                (series.labels.clone(), points)
            });
            matrix(eval, found.collect())
        }
    }
}

/// The values of a range query at one step, as an instant query would give them.
pub(super) fn at_step(value: &Value, at: Timestamp) -> Vec<(Labels, f64)> {
    let Value::Matrix(series) = value else {
        return Vec::new();
    };
    let found = series.iter().filter_map(|series| {
        let point = series.points.iter().find(|(time, _)| *time == at)?;
        Some((series.labels.clone(), point.1))
    });
    found.collect()
}

/// Compares series of one time.
pub(super) fn vector(eval: &Eval, found: &[(Labels, f64)]) -> Result<(), String> {
    if eval.range_vector.is_some() {
        return Err("expected a range vector, got an instant vector".to_owned());
    }
    let mut expected = Vec::new();
    for (labels, points) in &eval.series {
        match points.as_slice() {
            [Point::Float(value)] => expected.push((labels.clone(), *value)),
            _ => return Err(format!("{labels} needs one value for an instant query")),
        }
    }
    let mut found = found.to_vec();
    if !eval.ordered {
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        found.sort_by(|a, b| a.0.cmp(&b.0));
    }
    let same = expected.len() == found.len()
        && expected
            .iter()
            .zip(&found)
            .all(|(a, b)| a.0 == b.0 && equal(a.1, b.1));
    if same {
        return Ok(());
    }
    Err(format!("expected {expected:?}, got {found:?}"))
}

fn matrix(eval: &Eval, found: BTreeMap<Labels, Points>) -> Result<(), String> {
    let (from, step) = match (eval.range_vector, eval.when) {
        (Some((from, _, step)), _) | (None, When::Range { from, step, .. }) => (from, step),
        (None, When::Instant(_)) => {
            return Err("got a range vector for an instant query".to_owned());
        }
    };
    let mut expected: BTreeMap<Labels, Points> = BTreeMap::new();
    for (labels, points) in &eval.series {
        let timed = points.iter().enumerate().filter_map(|(index, point)| {
            let Point::Float(value) = point else {
                return None;
            };
            Some((from + index as i64 * step, *value))
        });
        let timed: Points = timed.collect();
        if !timed.is_empty() {
            expected.insert(labels.clone(), timed);
        }
    }
    let same_points = |a: &Points, b: &Points| {
        a.len() == b.len()
            && a.iter()
                .zip(b)
                .all(|(a, b)| a.0 == b.0 && equal(*a.1, *b.1))
    };
    let same = expected.len() == found.len()
        && expected
            .iter()
            .zip(&found)
            .all(|(a, b)| a.0 == b.0 && same_points(a.1, b.1));
    if same {
        return Ok(());
    }
    Err(format!("expected {expected:?}, got {found:?}"))
}

/// Compares annotations with what is expected of them.
pub(super) fn notes(
    kind: &str,
    expected: &Notes,
    found: &[Annotation],
    query: &str,
) -> Result<(), String> {
    let texts: Vec<String> = found
        .iter()
        .map(|annotation| annotation.with_position(query))
        .collect();
    if expected.none && !texts.is_empty() {
        return Err(format!("expected no {kind}, got {texts:?}"));
    }
    if expected.some.is_empty() {
        return Ok(());
    }
    if texts.is_empty() {
        return Err(format!("expected {kind}, got none"));
    }
    for text in &texts {
        if !expected.some.iter().any(|expected| expected.matches(text)) {
            return Err(format!("unexpected {kind}: {text}"));
        }
    }
    Ok(())
}

//! Functions that reduce one window to one value. A window without samples has no value.

use crate::sum::{Mean, Sum, quantile, variance};
use crate::window::Window;

pub(super) fn avg(window: &Window<'_>) -> Option<f64> {
    let mut mean = Mean::default();
    for value in window.values {
        mean.add(*value);
    }
    (!window.values.is_empty()).then(|| mean.value())
}

pub(super) fn sum(window: &Window<'_>) -> Option<f64> {
    let mut sum = Sum::default();
    for value in window.values {
        sum.add(*value);
    }
    (!window.values.is_empty()).then(|| sum.value())
}

pub(super) fn count(window: &Window<'_>) -> Option<f64> {
    (!window.values.is_empty()).then_some(window.values.len() as f64)
}

pub(super) fn present(window: &Window<'_>) -> Option<f64> {
    (!window.values.is_empty()).then_some(1.0)
}

pub(super) fn first(window: &Window<'_>) -> Option<f64> {
    window.values.first().copied()
}

pub(super) fn last(window: &Window<'_>) -> Option<f64> {
    window.values.last().copied()
}

pub(super) fn max(window: &Window<'_>) -> Option<f64> {
    Some(window.values[extreme(window, |new, best| new > best)?])
}

pub(super) fn min(window: &Window<'_>) -> Option<f64> {
    Some(window.values[extreme(window, |new, best| new < best)?])
}

pub(super) fn ts_of_first(window: &Window<'_>) -> Option<f64> {
    window.times.first().map(|time| time.as_secs_f64())
}

pub(super) fn ts_of_last(window: &Window<'_>) -> Option<f64> {
    window.times.last().map(|time| time.as_secs_f64())
}

pub(super) fn ts_of_max(window: &Window<'_>) -> Option<f64> {
    Some(window.times[extreme(window, |new, best| new >= best)?].as_secs_f64())
}

pub(super) fn ts_of_min(window: &Window<'_>) -> Option<f64> {
    Some(window.times[extreme(window, |new, best| new <= best)?].as_secs_f64())
}

/// The place of the value that `better` prefers; any number is better than NaN.
fn extreme(window: &Window<'_>, better: impl Fn(f64, f64) -> bool) -> Option<usize> {
    let mut best = 0;
    for (index, value) in window.values.iter().enumerate().skip(1) {
        if better(*value, window.values[best]) || window.values[best].is_nan() {
            best = index;
        }
    }
    (!window.values.is_empty()).then_some(best)
}

pub(super) fn stdvar(window: &Window<'_>) -> Option<f64> {
    variance(window.values.iter().copied())
}

pub(super) fn stddev(window: &Window<'_>) -> Option<f64> {
    stdvar(window).map(f64::sqrt)
}

/// The median of the distances from the median. NaN anywhere leaves no median.
pub(super) fn mad(window: &Window<'_>) -> Option<f64> {
    if window.values.is_empty() {
        return None;
    }
    if window.values.iter().any(|value| value.is_nan()) {
        return Some(f64::NAN);
    }
    let mut values = window.values.to_vec();
    let median = quantile(0.5, &mut values);
    let mut distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    Some(quantile(0.5, &mut distances))
}

/// How often the value changed; from NaN to NaN it did not.
pub(super) fn changes(window: &Window<'_>) -> Option<f64> {
    count_pairs(window, |before, after| {
        before != after && !(before.is_nan() && after.is_nan())
    })
}

/// How often a counter fell, which means that it was reset.
pub(super) fn resets(window: &Window<'_>) -> Option<f64> {
    count_pairs(window, |before, after| after < before)
}

fn count_pairs(window: &Window<'_>, counts: impl Fn(f64, f64) -> bool) -> Option<f64> {
    let pairs = window.values.windows(2);
    let count = pairs.filter(|pair| counts(pair[0], pair[1])).count();
    (!window.values.is_empty()).then_some(count as f64)
}

/// Holt's linear smoothing. Source: NIST/SEMATECH e-Handbook of Statistical Methods, 6.4.3.3.
pub(super) fn double_exponential_smoothing(
    window: &Window<'_>,
    scalars: &[f64],
) -> Result<Option<f64>, String> {
    let (smoothing, trend_factor) = (scalars[0], scalars[1]);
    for (name, factor) in [("smoothing", smoothing), ("trend", trend_factor)] {
        if !(factor > 0.0 && factor < 1.0) {
            return Err(format!(
                "the {name} factor must lie between 0 and 1, got {factor}"
            ));
        }
    }
    if window.values.len() < 2 {
        return Ok(None);
    }
    let mut level = window.values[0];
    let mut trend = window.values[1] - window.values[0];
    for value in &window.values[1..] {
        let before = level;
        level = smoothing * value + (1.0 - smoothing) * (level + trend);
        trend = trend_factor * (level - before) + (1.0 - trend_factor) * trend;
    }
    Ok(Some(level))
}

//! How fast something changes: `rate` and its family, regression.
//!
//! Source of the extrapolation: the Prometheus documentation of `rate` and "Functions", `increase`: the samples rarely
//! touch both ends of the window, so the change is stretched to the ends, at most by half a sampling interval where the
//! series seems to begin or end inside, and for counters never below zero.

use crate::sum::Sum;
use crate::window::Window;

/// A gap to the end of the window that is longer than this many sampling intervals means that the series ends there.
const GAP_INTERVALS_MAX: f64 = 1.1;

pub(super) fn rate(window: &Window<'_>) -> Option<f64> {
    let seconds = (window.end - window.start) as f64 / 1000.0;
    Some(increase(window)? / seconds)
}

pub(super) fn increase(window: &Window<'_>) -> Option<f64> {
    let first = *window.values.first()?;
    let mut change = window.values.last()? - first;
    for pair in window.values.windows(2) {
        if pair[1] < pair[0] {
            // A counter that falls was reset to zero; what it had reached still counts.
            change += pair[0];
        }
    }
    extrapolate(window, change, |sampled| {
        // Where the counter would have been zero, going back at the measured pace.
        (change > 0.0 && first >= 0.0).then(|| sampled * (first / change))
    })
}

pub(super) fn delta(window: &Window<'_>) -> Option<f64> {
    let change = window.values.last()? - window.values.first()?;
    extrapolate(window, change, |_| None)
}

fn extrapolate(
    window: &Window<'_>,
    change: f64,
    seconds_to_zero: impl Fn(f64) -> Option<f64>,
) -> Option<f64> {
    let count = window.times.len();
    if count < 2 {
        return None;
    }
    let sampled = window.seconds_between(0, count - 1);
    let interval = sampled / (count - 1) as f64;
    let gap_max = interval * GAP_INTERVALS_MAX;
    let capped = |gap: f64| if gap >= gap_max { interval / 2.0 } else { gap };
    let mut to_start = capped((window.times[0].as_millis() - window.start) as f64 / 1000.0);
    if let Some(zero) = seconds_to_zero(sampled) {
        to_start = to_start.min(zero);
    }
    let to_end = capped((window.end - window.times[count - 1].as_millis()) as f64 / 1000.0);
    Some(change * ((sampled + to_start + to_end) / sampled))
}

pub(super) fn irate(window: &Window<'_>) -> Option<f64> {
    let count = window.values.len();
    if count < 2 {
        return None;
    }
    let (before, last) = (window.values[count - 2], window.values[count - 1]);
    let change = if last < before { last } else { last - before };
    Some(change / window.seconds_between(count - 2, count - 1))
}

pub(super) fn idelta(window: &Window<'_>) -> Option<f64> {
    let count = window.values.len();
    (count >= 2).then(|| window.values[count - 1] - window.values[count - 2])
}

pub(super) fn deriv(window: &Window<'_>) -> Option<f64> {
    // Times relative to the first sample: large epoch seconds would eat the precision.
    let origin = window.times.first()?.as_millis();
    regression(window, origin).map(|line| line.slope)
}

pub(super) fn predict_linear(window: &Window<'_>, scalars: &[f64]) -> Result<Option<f64>, String> {
    let line = regression(window, window.at);
    Ok(line.map(|line| line.slope * scalars[0] + line.intercept))
}

struct Line {
    slope: f64,
    intercept: f64,
}

/// The least-squares line through a window, with its intercept at `origin` (milliseconds).
fn regression(window: &Window<'_>, origin: i64) -> Option<Line> {
    let count = window.values.len();
    if count < 2 {
        return None;
    }
    let first = window.values[0];
    if window.values.iter().all(|value| *value == first) {
        let intercept = if first.is_infinite() { f64::NAN } else { first };
        let slope = if first.is_infinite() { f64::NAN } else { 0.0 };
        return Some(Line { slope, intercept });
    }
    let (mut x_sum, mut y_sum) = (Sum::default(), Sum::default());
    let (mut xy_sum, mut x2_sum) = (Sum::default(), Sum::default());
    for (time, y) in window.times.iter().zip(window.values) {
        let x = time.as_millis().saturating_sub(origin) as f64 / 1000.0;
        x_sum.add(x);
        y_sum.add(*y);
        xy_sum.add(x * y);
        x2_sum.add(x * x);
    }
    let n = count as f64;
    let (x, y) = (x_sum.value(), y_sum.value());
    let covariance = xy_sum.value() - x * y / n;
    let variance = x2_sum.value() - x * x / n;
    let slope = covariance / variance;
    Some(Line {
        slope,
        intercept: y / n - slope * x / n,
    })
}

//! Functions of one value. NaN wins over everything, as in IEEE 754 `maximum` and `minimum`.

/// The larger of two; NaN when either is.
pub(super) fn max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

/// The smaller of two; NaN when either is.
pub(super) fn min(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.min(b)
    }
}

pub(super) fn clamp(value: f64, bounds: &[f64]) -> Option<f64> {
    let (low, high) = (bounds[0], bounds[1]);
    // An empty range holds nothing.
    (low <= high || low.is_nan() || high.is_nan()).then(|| max(low, min(high, value)))
}

pub(super) fn clamp_max(value: f64, bounds: &[f64]) -> Option<f64> {
    Some(min(bounds[0], value))
}

pub(super) fn clamp_min(value: f64, bounds: &[f64]) -> Option<f64> {
    Some(max(bounds[0], value))
}

/// To the nearest multiple, ties upwards. Dividing by the inverse keeps `round(x, 0.1)` free of binary dust.
pub(super) fn round(value: f64, nearest: &[f64]) -> Option<f64> {
    let inverse = 1.0 / nearest.first().copied().unwrap_or(1.0);
    Some((value * inverse + 0.5).floor() / inverse)
}

pub(super) fn sgn(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

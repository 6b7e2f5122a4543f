//! Sums that lose little: adding a small number to a large one keeps the lost digits apart and adds them at the end.
//!
//! Source of the formula: Neumaier's variant of Kahan summation ("Rundungsfehleranalyse einiger Verfahren zur Summation
//! endlicher Summen", 1974). Prometheus uses it for `sum`, `avg` and their `_over_time` forms.

/// A running sum with the digits that it could not hold.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    pub(crate) fn starting_at(value: f64) -> Sum {
        Sum {
            total: value,
            lost: 0.0,
        }
    }

    pub(crate) fn add(&mut self, value: f64) {
        let total = self.total + value;
        if total.is_infinite() {
            // The difference below would be NaN; the digits no longer matter.
            self.lost = 0.0;
        } else if self.total.abs() >= value.abs() {
            self.lost += (self.total - total) + value;
        } else {
            self.lost += (value - total) + self.total;
        }
        self.total = total;
    }

    pub(crate) fn value(self) -> f64 {
        self.total + self.lost
    }

    fn scaled(self, factor: f64) -> Sum {
        Sum {
            total: self.total * factor,
            lost: self.lost * factor,
        }
    }
}

/// A mean that adds up and divides once, and falls back to a running mean where the sum does not fit into a float.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Mean {
    sum: Sum,
    running: Option<Sum>,
    count: f64,
}

impl Mean {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.sum = Sum::starting_at(value);
            return;
        }
        let running = match self.running {
            None => {
                let mut sum = self.sum;
                sum.add(value);
                if sum.value().is_finite() || self.sum.total.is_infinite() || !value.is_finite() {
                    self.sum = sum;
                    return;
                }
                // The sum overflows here although no part is infinite: go on with the mean so far.
                self.sum.scaled(1.0 / (self.count - 1.0))
            }
            Some(running) => running,
        };
        self.running = Some(step(running, value, self.count));
    }

    pub(crate) fn value(self) -> f64 {
        match self.running {
            Some(running) => running.value(),
            None => self.sum.total / self.count + self.sum.lost / self.count,
        }
    }
}

/// The mean of `count` values from the mean of all but the last.
fn step(mean: Sum, value: f64, count: f64) -> Sum {
    if mean.total.is_infinite() {
        let same_infinity = value.is_infinite() && (mean.total > 0.0) == (value > 0.0);
        if same_infinity || value.is_finite() {
            return mean;
        }
    }
    let mut next = mean.scaled((count - 1.0) / count);
    next.add(value / count);
    next
}

/// Mean and variance of the values, by Welford's method with compensated sums. `None` where there is none.
/// Source: B. P. Welford, "Note on a method for calculating corrected sums of squares and products", 1962.
pub(crate) fn variance(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut count = 0.0;
    let mut mean = Sum::default();
    let mut squares = Sum::default();
    for value in values {
        count += 1.0;
        let delta = value - mean.value();
        mean.add(delta / count);
        squares.add(delta * (value - mean.value()));
    }
    (count > 0.0).then(|| squares.value() / count)
}

/// The quantile of unsorted values, linear between neighbours; NaN sorts below everything.
/// Source: Prometheus, "Aggregation operators", `quantile`.
pub(crate) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (true, true) => std::cmp::Ordering::Equal,
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
        (false, false) => a.total_cmp(b),
    });
    let rank = q * (values.len() - 1) as f64;
    let lower = rank.floor();
    let upper = (lower + 1.0).min((values.len() - 1) as f64);
    let weight = rank - lower;
    values[lower as usize] * (1.0 - weight) + values[upper as usize] * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_small_parts() {
        let mut sum = Sum::default();
        for value in [1.0, 1e100, 1.0, -1e100] {
            sum.add(value);
        }
        assert_eq!(sum.value(), 2.0);
    }

    #[test]
    fn mean_survives_overflow() {
        let mut mean = Mean::default();
        for value in [f64::MAX, f64::MAX, f64::MAX] {
            mean.add(value);
        }
        assert!((mean.value() / f64::MAX - 1.0).abs() < 1e-12);
    }

    #[test]
    fn quantiles() {
        assert_eq!(quantile(0.5, &mut [4.0, 0.0, 1.0]), 1.0);
        assert_eq!(quantile(0.8, &mut [0.0, 1.0, f64::NAN]), 0.6000000000000001);
        assert!(quantile(0.5, &mut []).is_nan());
    }
}

//! Histograms with fixed bounds.
//!
//! Fixed rather than adaptive (sparse) ones: the plan's thresholds must be bucket bounds, and every tool reads them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::instrument::{AtomicFloat, Instrument, Kind, Reading};

/// The most buckets of one histogram: each is a series for every label set.
const BOUNDS_MAX: usize = 64;

/// Observations counted by size. Bounds are inclusive upper ends.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bounds: Arc<[f64]>,
    /// One more than bounds: the last counts what lies above all of them.
    counts: Box<[AtomicU64]>,
    sum: AtomicFloat,
}

impl Histogram {
    /// A histogram that no registry shows.
    ///
    /// # Panics
    /// When the bounds are not finite and rising, or more than 64: a mistake in the program.
    pub fn detached(bounds: &[f64]) -> Histogram {
        assert!(
            bounds.len() <= BOUNDS_MAX,
            "at most {BOUNDS_MAX} histogram bounds"
        );
        assert!(
            bounds.iter().all(|bound| bound.is_finite())
                && bounds.windows(2).all(|pair| pair[0] < pair[1]),
            "histogram bounds rise and are finite: {bounds:?}"
        );
        Histogram(Arc::new(Inner {
            bounds: bounds.into(),
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicFloat::default(),
        }))
    }

    /// Counts one observation. NaN is ignored: it would make the sum useless for ever.
    pub fn observe(&self, value: f64) {
        if value.is_nan() {
            return;
        }
        let bucket = self.0.bounds.partition_point(|bound| *bound < value);
        self.0.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.0.sum.add(value);
    }

    /// Counts a length of time, in seconds.
    pub fn observe_duration(&self, length: Duration) {
        self.observe(length.as_secs_f64());
    }

    /// Starts measuring at `start`, a reading of any clock that never goes back.
    pub fn start(&self, start: Duration) -> Timer {
        Timer {
            histogram: self.clone(),
            start,
        }
    }

    /// How many observations there were.
    pub fn count(&self) -> u64 {
        self.0
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum()
    }

    /// The sum of all observations.
    pub fn sum(&self) -> f64 {
        self.0.sum.get()
    }
}

impl Instrument for Histogram {
    const KIND: Kind = Kind::Histogram;

    fn read(&self) -> Reading {
        Reading::Buckets {
            bounds: self.0.bounds.clone(),
            counts: self
                .0
                .counts
                .iter()
                .map(|count| count.load(Ordering::Relaxed))
                .collect(),
            sum: self.sum(),
        }
    }
}

/// A running measurement; it takes the clock's readings from its owner, because this crate reads none.
#[derive(Debug)]
#[must_use = "a measurement counts only when it is stopped"]
pub struct Timer {
    histogram: Histogram,
    start: Duration,
}

impl Timer {
    /// Observes the time since the start and returns it.
    pub fn stop(self, now: Duration) -> Duration {
        let length = now.saturating_sub(self.start);
        self.histogram.observe_duration(length);
        length
    }
}

/// `count` bounds, each `factor` times the one before.
pub fn exponential_bounds(first: f64, factor: f64, count: usize) -> Vec<f64> {
    std::iter::successors(Some(first), |bound| Some(bound * factor))
        .take(count)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_inclusive_and_nothing_is_lost() {
        let histogram = Histogram::detached(&[0.5, 2.0]);
        for value in [0.0, 0.5, 0.50001, 2.0, 2.1, f64::INFINITY, f64::NAN, -1.0] {
            histogram.observe(value);
        }
        let Reading::Buckets { counts, .. } = histogram.read() else {
            panic!("a histogram reads as buckets");
        };
        assert_eq!(counts, [3, 2, 2]);
        assert_eq!(histogram.count(), 7);
    }

    #[test]
    fn a_timer_observes_the_difference() {
        let histogram = Histogram::detached(&[1.0]);
        let timer = histogram.start(Duration::from_secs(5));
        assert_eq!(
            timer.stop(Duration::from_millis(7500)),
            Duration::from_millis(2500)
        );
        assert_eq!(histogram.sum(), 2.5);
    }

    #[test]
    fn exponential() {
        assert_eq!(exponential_bounds(1.0, 4.0, 4), [1.0, 4.0, 16.0, 64.0]);
    }
}

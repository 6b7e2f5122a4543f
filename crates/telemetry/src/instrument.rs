//! Counters and gauges: shared cells that any thread updates without a lock.
//!
//! Every handle is a reference-counted atomic, so a subsystem holds clones and never looks an instrument up by name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What an instrument measures, as the exposition formats name it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up only.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations counted in buckets.
    Histogram,
    /// Constant labels with the value 1. Plain text knows no such type and shows a gauge.
    Info,
}

/// What an instrument reads at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reading {
    Integer(u64),
    Float(f64),
    /// `counts` has one more entry than `bounds`: the observations above the last one. Not cumulative.
    Buckets {
        bounds: Arc<[f64]>,
        counts: Vec<u64>,
        sum: f64,
    },
}

/// An instrument as the registry sees it.
pub(crate) trait Instrument: Clone + Send + Sync + 'static {
    const KIND: Kind;
    fn read(&self) -> Reading;
}

/// A count of things that happened. Starts at 0.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// A counter that no registry shows.
    pub fn detached() -> Counter {
        Counter::default()
    }

    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `amount`.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Instrument for Counter {
    const KIND: Kind = Kind::Counter;

    fn read(&self) -> Reading {
        Reading::Integer(self.get())
    }
}

/// A sum of amounts that are not whole: seconds spent, for example. Starts at 0.
#[derive(Clone, Debug, Default)]
pub struct FloatCounter(AtomicFloat);

impl FloatCounter {
    /// A counter that no registry shows.
    pub fn detached() -> FloatCounter {
        FloatCounter::default()
    }

    /// Adds `amount`; negative amounts and NaN are ignored, because a counter that falls reads as a restart.
    pub fn add(&self, amount: f64) {
        if amount > 0.0 {
            self.0.add(amount);
        }
    }

    /// The sum so far.
    pub fn get(&self) -> f64 {
        self.0.get()
    }
}

impl Instrument for FloatCounter {
    const KIND: Kind = Kind::Counter;

    fn read(&self) -> Reading {
        Reading::Float(self.get())
    }
}

/// A value that goes up and down. Starts at 0.
#[derive(Clone, Debug, Default)]
pub struct Gauge(AtomicFloat);

impl Gauge {
    /// A gauge that no registry shows.
    pub fn detached() -> Gauge {
        Gauge::default()
    }

    /// Sets the value.
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }

    /// Adds `amount`, which may be negative.
    pub fn add(&self, amount: f64) {
        self.0.add(amount);
    }

    /// Adds one.
    pub fn inc(&self) {
        self.add(1.0);
    }

    /// Takes one away.
    pub fn dec(&self) {
        self.add(-1.0);
    }

    /// The value now.
    pub fn get(&self) -> f64 {
        self.0.get()
    }
}

impl Instrument for Gauge {
    const KIND: Kind = Kind::Gauge;

    fn read(&self) -> Reading {
        Reading::Float(self.get())
    }
}

/// A shared `f64`, kept as its bits.
#[derive(Clone, Debug, Default)]
pub(crate) struct AtomicFloat(Arc<AtomicU64>);

impl AtomicFloat {
    pub(crate) fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn add(&self, amount: f64) {
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bits| {
                Some((f64::from_bits(bits) + amount).to_bits())
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_lose_no_update() {
        let (counter, sum, gauge) = (
            Counter::detached(),
            FloatCounter::detached(),
            Gauge::detached(),
        );
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        counter.inc();
                        sum.add(0.5);
                        gauge.inc();
                        gauge.dec();
                    }
                });
            }
        });
        assert_eq!(counter.get(), 4000);
        assert_eq!(sum.get(), 2000.0);
        assert_eq!(gauge.get(), 0.0);
    }

    #[test]
    fn a_counter_never_falls() {
        let sum = FloatCounter::detached();
        sum.add(2.0);
        sum.add(-1.0);
        sum.add(f64::NAN);
        assert_eq!(sum.get(), 2.0);
    }
}

//! What one query may cost. The defaults suit an interactive server; a caller lowers them for untrusted users.

use std::time::Duration;

/// Bounds of one evaluation. Passing one is an error of the query, never a crash of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most samples that may be loaded, produced by subqueries and answered, together. Sixteen bytes each.
    pub samples_max: usize,
    /// The most samples that windows of range functions may visit, together: bounds time where `samples_max` bounds memory.
    pub visits_max: u64,
    /// The most points of one series in the answer of a range query (Prometheus: 11,000).
    pub points_max: usize,
    /// How long the last sample of a series stands for its present value (Prometheus: 5 minutes).
    pub lookback: Duration,
    /// The step of a subquery that names none, such as `[1h:]` (Prometheus: the evaluation interval, 1 minute).
    pub subquery_step: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            samples_max: 50_000_000,
            visits_max: 5_000_000_000,
            points_max: 11_000,
            lookback: Duration::from_secs(300),
            subquery_step: Duration::from_secs(60),
        }
    }
}

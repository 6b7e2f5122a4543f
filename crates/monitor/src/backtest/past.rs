//! The seam to a store of samples that is asked about the past.

use std::fmt;
use std::time::Duration;

use model::{Labels, Timestamp};
use promql::MatrixSeries;
use world::BoxFuture;

/// Why the past does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PastError {
    /// The query has no answer over this span: ask for less of it; a query that fails at a single instant fails there.
    NoAnswer(String),
    /// The query is not understood, or nobody answers: stop and show it.
    Broken(String),
}

impl fmt::Display for PastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (PastError::NoAnswer(text) | PastError::Broken(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for PastError {}

/// A store of samples that answers PromQL about the past.
pub trait Past: Send + Sync {
    /// What an expression gave at `from`, `from + step`, … up to `to`. At most 2,000 instants.
    fn range<'a>(
        &'a self,
        expr: &'a str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> BoxFuture<'a, Result<Vec<MatrixSeries>, PastError>>;

    /// The samples of series in the span before a time, as they are stored: the answer to `selector[span]`.
    fn samples<'a>(
        &'a self,
        selector: &'a str,
        until: Timestamp,
        span: Duration,
    ) -> BoxFuture<'a, Result<Vec<MatrixSeries>, PastError>>;

    /// The series that a selector finds in a span.
    fn series<'a>(
        &'a self,
        selector: &'a str,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Labels>, PastError>>;
}

/// The most instants of one question: well below the 11,000 points that Prometheus and Belfry give at most, so that a
/// question about many series stays within memory.
pub(super) const POINTS_MAX: usize = 2_000;

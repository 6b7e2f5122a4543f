//! The metrics backend: where samples go and PromQL is answered.
//!
//! The seam is at *query* level because a remote engine answers PromQL, not chunks. Samples are appended by handle, so that
//! a scraper resolves a series once and the store never hashes its labels again.

mod embedded;
mod recorder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use model::{Labels, Matcher, Timestamp};
use world::BoxFuture;

pub use embedded::EmbeddedMetrics;
pub use recorder::{Recorder, series};

/// A series as the backend knows it. Valid for as long as the backend.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct SeriesHandle(pub u64);

/// What became of a batch.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Samples stored.
    pub stored: u64,
    /// Samples refused because a newer one of their series is there, or another value at the same time.
    pub refused: u64,
}

/// Why the backend could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendError {
    /// The query is wrong; tell the user, who fixes it.
    BadQuery(String),
    /// The query asks for more than the limits allow; tell the user, who narrows it.
    TooMuch(String),
    /// The store failed or is full; log it and try again.
    Unavailable(String),
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (BackendError::BadQuery(text)
        | BackendError::TooMuch(text)
        | BackendError::Unavailable(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for BackendError {}

/// Where samples go and PromQL is answered.
pub trait MetricsBackend: Send + Sync {
    /// The handle of a series, made when it is new.
    ///
    /// # Errors
    /// [`BackendError::Unavailable`] when no further series fits.
    fn resolve(&self, labels: &Labels) -> Result<SeriesHandle, BackendError>;

    /// Stores samples. On success they survive kill -9, and only then can queries see them.
    fn append(
        &self,
        batch: Vec<(SeriesHandle, Timestamp, f64)>,
    ) -> BoxFuture<'_, Result<Appended, BackendError>>;

    /// Answers an expression at one time.
    fn query(
        &self,
        expr: Arc<promql::Expr>,
        at: Timestamp,
    ) -> BoxFuture<'_, Result<promql::Answer, BackendError>>;

    /// Answers an expression at every step of a range.
    fn query_range(
        &self,
        expr: Arc<promql::Expr>,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> BoxFuture<'_, Result<promql::Answer, BackendError>>;

    /// Series that satisfy all matchers and have samples in the range.
    fn series(
        &self,
        matchers: Vec<Matcher>,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<Labels>, BackendError>>;

    /// Makes what was appended survive power loss. Called once a second.
    fn sync(&self) -> BoxFuture<'_, Result<(), BackendError>>;

    /// Seals, compacts, forgets what is past its retention.
    fn maintain(&self, now: Timestamp) -> BoxFuture<'_, Result<(), BackendError>>;

    /// Figures for Belfry's own metrics and pages.
    fn figures(&self) -> StoreFigures;
}

/// How large the store is.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreFigures {
    /// Active series.
    pub series: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// The oldest sample.
    pub oldest: Option<Timestamp>,
}

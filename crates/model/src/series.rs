//! Samples and the seam through which PromQL reads them.

use std::fmt;

use crate::{Labels, Matcher, Timestamp};

/// The bit pattern of the marker that ends a series. Source: Prometheus remote-write specification, "Stale markers".
pub const STALE_NAN_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The value that says "this series ended here".
pub fn stale_marker() -> f64 {
    f64::from_bits(STALE_NAN_BITS)
}

/// Whether a value is the stale marker. An ordinary NaN is not.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN_BITS
}

/// One value at one time.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// What; may be NaN or the stale marker.
    pub value: f64,
}

/// One series with the samples that a selection asked for, as two columns of equal length, ordered by time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What names the series, `__name__` included.
    pub labels: Labels,
    /// Times, strictly increasing.
    pub timestamps: Vec<Timestamp>,
    /// Values, stale markers included: the evaluator needs to see where a series ended.
    pub values: Vec<f64>,
}

/// What to read: all series that satisfy every matcher, with their samples in `from..=to`.
#[derive(Copy, Clone, Debug)]
pub struct Selection<'a> {
    /// All must hold. At least one must refuse the empty string (the caller checks).
    pub matchers: &'a [Matcher],
    /// The first time wanted.
    pub from: Timestamp,
    /// The last time wanted.
    pub to: Timestamp,
    /// The most samples that may be read; past it the source answers [`SourceError::TooManySamples`].
    pub samples_max: usize,
}

/// Why a source could not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceError {
    /// The selection holds more samples than the caller allowed: narrow the query.
    TooManySamples {
        /// The bound that was passed.
        limit: usize,
    },
    /// The store failed; the text is for the log, not for the user. Retry later.
    Unavailable(String),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceError::TooManySamples { limit } => write!(
                f,
                "the query would load more than {limit} samples; narrow its matchers or its time range"
            ),
            SourceError::Unavailable(reason) => write!(f, "the metrics store failed: {reason}"),
        }
    }
}

impl std::error::Error for SourceError {}

/// What PromQL reads from. Knows nothing of PromQL: matchers and times in, columns out.
pub trait SeriesSource {
    /// All series of a selection that have at least one sample in its range, ordered by labels.
    ///
    /// # Errors
    /// [`SourceError`]: too many samples (narrow the query) or a failing store (retry).
    fn select(&self, selection: &Selection<'_>) -> Result<Vec<Series>, SourceError>;
}

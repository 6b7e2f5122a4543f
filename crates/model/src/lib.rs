//! The vocabulary that every Belfry crate speaks: time, labels, samples, log entries and the two read seams.
//!
//! Promise: no IO, no async, no clock. A type lives here only if at least two crates exchange it.
//!
//! Reading order: [`Timestamp`], [`Labels`], [`Matcher`], [`Series`] with [`SeriesSource`], then
//! [`LogEntry`] with [`LogSource`], and at the end the [`exposition`] parser.

mod duration;
pub mod exposition;
mod labels;
mod log;
mod matcher;
mod series;
mod time;

pub use duration::{DurationError, format_duration, parse_duration};
pub use labels::{Labels, LabelsBuilder, METRIC_NAME, is_label_name, is_metric_name};
pub use log::{Level, LogEntry, LogQuery, LogSource, LogTime, StoredEntry};
pub use matcher::{MatchOp, Matcher, MatcherError};
pub use series::{
    STALE_NAN_BITS, Sample, Selection, Series, SeriesSource, SourceError, is_stale, stale_marker,
};
pub use time::Timestamp;

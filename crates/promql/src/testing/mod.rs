//! Runs `.test` files: data and queries with expected answers, as text. Our own corpus and the conformance cases of the
//! Prometheus project share this language; `belfry promql-test` shows it to users for their own rules.
//!
//! Reading files is the caller's business, since this crate does no IO.

mod compare;
mod memory;
mod pin;
mod points;
mod run;
mod script;

use std::fmt;

use model::Labels;

pub use memory::MemorySource;
pub use run::run;

use points::Point;

/// Reads a series as test files write it, its name with labels and its points apart: `up{job="a"}` and `1 _x3 stale`.
/// The points lie one step apart; `None` is one without a sample.
///
/// # Errors
/// What is wrong with it, in a sentence. Native histograms are refused: the sample model has none.
pub fn series(series: &str, values: &str) -> Result<(Labels, Vec<Option<f64>>), String> {
    let labels = labels(series)?;
    let value = |point| match point {
        Point::Gap => Ok(None),
        Point::Float(value) => Ok(Some(value)),
        Point::NativeHistogram => Err("native histograms are not supported".to_owned()),
    };
    let points = points::points(values)?.into_iter().map(value);
    Ok((labels, points.collect::<Result<_, _>>()?))
}

/// Reads a series' name and labels: `up{job="a"}`.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub fn labels(text: &str) -> Result<Labels, String> {
    script::labels(text)
}

/// What one file gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Cases that gave what they expect.
    pub passed: usize,
    /// All cases that could be judged.
    pub total: usize,
    /// Cases over native histograms, which are not supported; neither passed nor in the total.
    pub native_histogram: usize,
    /// The cases of the total that did not pass.
    pub failures: Vec<Failure>,
}

/// One case that did not give what it expects.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The line of its `eval`, counted from 1.
    pub line: usize,
    /// Its query.
    pub query: String,
    /// What was expected and what came.
    pub reason: String,
}

/// A file that is not in the language. Fix the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ScriptError {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.query, self.reason)
    }
}

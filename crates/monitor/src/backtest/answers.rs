//! What an expression gave at each instant of a part of the past, asked in as few questions as it takes.

use std::collections::{BTreeMap, BTreeSet};

use model::{Labels, METRIC_NAME, Timestamp};

use super::instants::{Run, runs};
use super::past::{POINTS_MAX, Past, PastError};

/// The answers of one expression.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Labels without names, and values; an instant that is not here gave nothing.
    vectors: BTreeMap<Timestamp, Vec<(Labels, f64)>>,
    /// Instants at which it has no answer.
    failed: BTreeSet<Timestamp>,
}

impl Answers {
    /// Asks about these instants, which rise.
    pub(super) async fn fetch(
        past: &dyn Past,
        expr: &str,
        instants: &[Timestamp],
    ) -> Result<Answers, PastError> {
        let mut answers = Answers::default();
        let mut waiting: Vec<Run> = runs(instants, POINTS_MAX);
        // Later parts first, since the next one is taken off the end.
        waiting.reverse();
        while let Some(run) = waiting.pop() {
            match past.range(expr, run.from, run.until(), run.step).await {
                Ok(matrix) => {
                    for series in matrix {
                        let labels = series.labels.without(METRIC_NAME);
                        for (at, value) in series.points {
                            let vector = answers.vectors.entry(at).or_default();
                            vector.push((labels.clone(), value));
                        }
                    }
                }
                Err(PastError::NoAnswer(_)) => match run.halves() {
                    Some([first, second]) => waiting.extend([second, first]),
                    None => {
                        answers.failed.insert(run.from);
                    }
                },
                Err(error @ PastError::Broken(_)) => return Err(error),
            }
        }
        Ok(answers)
    }

    /// What it gave at an instant; `None` where it has no answer.
    pub(super) fn at(&self, at: Timestamp) -> Option<Vec<(Labels, f64)>> {
        if self.failed.contains(&at) {
            return None;
        }
        Some(self.vectors.get(&at).cloned().unwrap_or_default())
    }
}

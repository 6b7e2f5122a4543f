//! A store in memory, for tests: a sorted map, no more.

use std::collections::BTreeMap;

use model::{Labels, Matcher, Selection, Series, SeriesSource, SourceError, Timestamp};

/// Series in memory.
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    series: BTreeMap<Labels, BTreeMap<Timestamp, f64>>,
}

impl MemorySource {
    /// Adds a sample; the last one of a time wins.
    pub fn insert(&mut self, labels: &Labels, at: Timestamp, value: f64) {
        match self.series.get_mut(labels) {
            Some(samples) => {
                samples.insert(at, value);
            }
            None => {
                self.series
                    .insert(labels.clone(), BTreeMap::from([(at, value)]));
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.series.clear();
    }
}

/// Whether a series satisfies every matcher.
pub(super) fn matches(labels: &Labels, matchers: &[Matcher]) -> bool {
    matchers
        .iter()
        .all(|matcher| matcher.matches(labels.get(matcher.name()).unwrap_or("")))
}

impl SeriesSource for MemorySource {
    fn select(&self, selection: &Selection<'_>) -> Result<Vec<Series>, SourceError> {
        let mut found = Vec::new();
        let mut count = 0;
        if selection.from > selection.to {
            return Ok(found);
        }
        for (labels, samples) in &self.series {
            if !matches(labels, selection.matchers) {
                continue;
            }
            let wanted = samples.range(selection.from..=selection.to);
            let (timestamps, values): (Vec<_>, Vec<_>) =
                wanted.map(|(at, value)| (*at, *value)).unzip();
            count += values.len();
            if count > selection.samples_max {
                return Err(SourceError::TooManySamples {
                    limit: selection.samples_max,
                });
            }
            if !values.is_empty() {
                found.push(Series {
                    labels: labels.clone(),
                    timestamps,
                    values,
                });
            }
        }
        Ok(found)
    }
}

//! How many lines came in, by service, level and category: what `log_lines_total` shows and rules about logs read.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Labels, Level, LogEntry};

use crate::metrics::series;

/// How often counts become samples: the plan's interval for metrics collection.
pub(crate) const COUNT_INTERVAL: Duration = Duration::from_secs(15);

/// The most (service, level, category) triples that are counted apart; lines of further ones count under `other`.
const COUNTED_MAX: usize = 500;

type CountKey = (String, Level, String);

/// Lines so far.
#[derive(Debug, Default)]
pub(crate) struct LineCounts {
    counts: BTreeMap<CountKey, u64>,
}

impl LineCounts {
    /// Counts lines.
    pub(crate) fn add(&mut self, entries: &[LogEntry]) {
        for entry in entries {
            let category = entry.category.clone().unwrap_or_default();
            let key = (entry.service.clone(), entry.level, category);
            let known = self.counts.len() < COUNTED_MAX || self.counts.contains_key(&key);
            let key = if known {
                key
            } else {
                ("other".to_owned(), key.1, String::new())
            };
            *self.counts.entry(key).or_default() += 1;
        }
    }

    /// Whether no line came yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The counts as samples.
    pub(crate) fn samples(&self) -> Vec<(Labels, f64)> {
        let sample = |((service, level, category), lines): (&CountKey, &u64)| {
            let labels = [
                ("service", service.as_str()),
                ("level", level.as_str()),
                ("category", category.as_str()),
            ];
            (series("log_lines_total", &labels), *lines as f64)
        };
        self.counts.iter().map(sample).collect()
    }
}

//! Lines by the plan's log categories: when the last one came, how many in a day, and under which class they are kept.
//! Counted as they come in, because looking for the last line of a category that no longer comes would read the whole store.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use model::{Labels, LogEntry, Timestamp};
use plan::coverage::ObservedCategory;
use plan::{LOG_CATEGORY_LAST_LINE, LOG_CATEGORY_LINES, LogCategory};

use crate::metrics::series;

const HOUR_MS: i64 = 3_600_000;
const HOURS_OF_A_DAY: i64 = 24;

/// Counts by category.
#[derive(Default)]
pub(crate) struct CategoryTally {
    counts: Mutex<BTreeMap<String, Tallied>>,
}

#[derive(Clone, Default)]
struct Tallied {
    lines: u64,
    last_line: Option<Timestamp>,
    class: Option<String>,
    /// Lines by hour since 1970; those of the last day.
    hours: BTreeMap<i64, u64>,
}

impl CategoryTally {
    /// Counts lines that are kept under a class.
    pub(crate) fn add(
        &self,
        categories: &[LogCategory],
        class: &str,
        entries: &[LogEntry],
        now: Timestamp,
    ) {
        for category in categories {
            let mut own = entries
                .iter()
                .filter(|entry| category.has(entry))
                .peekable();
            if own.peek().is_none() {
                continue;
            }
            let mut counts = self.lock();
            let tallied = counts.entry(category.name.clone()).or_default();
            for entry in own {
                // A sender's clock may be ahead; nothing came later than now.
                let at = entry.at.to_timestamp().min(now);
                tallied.lines += 1;
                *tallied.hours.entry(hour(at)).or_default() += 1;
                if tallied.last_line.is_none_or(|last| last <= at) {
                    tallied.last_line = Some(at);
                    tallied.class = Some(class.to_owned());
                }
            }
            tallied.forget_before(now);
        }
    }

    /// Takes over what an earlier run counted: the newest line of a category, and lines by the time of their hour.
    pub(crate) fn restore(
        &self,
        category: &str,
        last_line: Timestamp,
        hours: &[(Timestamp, u64)],
        now: Timestamp,
    ) {
        let mut counts = self.lock();
        let tallied = counts.entry(category.to_owned()).or_default();
        tallied.last_line = tallied.last_line.max(Some(last_line));
        for (at, lines) in hours {
            *tallied.hours.entry(hour(*at)).or_default() += lines;
        }
        tallied.forget_before(now);
    }

    /// What is known of each category that had a line.
    pub(crate) fn observed(&self, now: Timestamp) -> BTreeMap<String, ObservedCategory> {
        let first = hour(now) - HOURS_OF_A_DAY;
        let observed = |(name, own): (&String, &Tallied)| {
            let observed = ObservedCategory {
                last_line: own.last_line,
                lines_last_day: own.hours.range(first + 1..).map(|(_, lines)| lines).sum(),
                class: own.class.clone(),
            };
            (name.clone(), observed)
        };
        self.lock().iter().map(observed).collect()
    }

    /// Every declared category as samples; those that had no line yet with zero, so that the first line is an increase.
    pub(crate) fn samples(&self, categories: &[LogCategory]) -> Vec<(Labels, f64)> {
        let mut counts = self.lock();
        counts.retain(|name, _| categories.iter().any(|own| own.name == *name));
        let mut samples = Vec::with_capacity(2 * categories.len());
        for category in categories {
            let tallied = counts.get(&category.name).cloned().unwrap_or_default();
            let labels = [("category", category.name.as_str())];
            samples.push((series(LOG_CATEGORY_LINES, &labels), tallied.lines as f64));
            if let Some(last) = tallied.last_line {
                let last = last.as_secs_f64();
                samples.push((series(LOG_CATEGORY_LAST_LINE, &labels), last));
            }
        }
        samples
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Tallied>> {
        self.counts
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl Tallied {
    fn forget_before(&mut self, now: Timestamp) {
        let first = hour(now) - HOURS_OF_A_DAY;
        self.hours.retain(|hour, _| *hour > first);
    }
}

fn hour(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(HOUR_MS)
}

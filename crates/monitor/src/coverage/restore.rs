//! What an earlier run knew, from its own samples: since when holes are open, and when lines of each category last came.
//!
//! What the store cannot say is not known: then a hole is "known since this start", never a guess.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Labels, Timestamp, format_duration};
use plan::coverage::{HoleKey, HoleKind, HoleMemory, Since};
use plan::{COVERAGE_HOLE_SINCE, LOG_CATEGORY_LAST_LINE, LOG_CATEGORY_LINES};
use promql::Value;

use super::Coverage;

/// How long Belfry may have been away for a hole to count as the same one.
const HOLES_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// How long ago the last line of a category may have been noted.
const LINES_WITHIN: Duration = Duration::from_secs(7 * 24 * 3600);

const HOUR: Duration = Duration::from_secs(3600);

impl Coverage {
    /// Holes that were open when the last run ended. A hole that had closed was written as zero.
    pub(super) async fn restored_memory(&self, now: Timestamp) -> HoleMemory {
        let query = last_of(COVERAGE_HOLE_SINCE, HOLES_WITHIN);
        let mut open = BTreeMap::new();
        for (labels, since) in self.ask(&query, now).await {
            let label = |name: &str| labels.get(name).unwrap_or("").to_owned();
            let Some(kind) = HoleKind::from_text(&label("kind")).filter(|_| since > 0.0) else {
                continue;
            };
            let key = HoleKey {
                kind,
                about: label("about"),
                place: label("place"),
            };
            let since = Since {
                at: Timestamp::from_secs_f64(since),
                or_earlier: false,
            };
            open.insert(key, since);
        }
        HoleMemory::new(self.started_at, open)
    }

    /// The newest line of each category, and its lines of the last day by hour.
    pub(super) async fn restore_categories(&self, now: Timestamp) {
        let hours = self.lines_by_hour(now).await;
        let query = last_of(LOG_CATEGORY_LAST_LINE, LINES_WITHIN);
        for (labels, last_line) in self.ask(&query, now).await {
            let category = labels.get("category").unwrap_or("");
            let of_day = hours.get(category).map_or(&[][..], Vec::as_slice);
            let last_line = Timestamp::from_secs_f64(last_line);
            let tally = &self.sources.intake.categories;
            tally.restore(category, last_line, of_day, now);
        }
    }

    async fn lines_by_hour(&self, now: Timestamp) -> BTreeMap<String, Vec<(Timestamp, u64)>> {
        let mut found: BTreeMap<String, Vec<(Timestamp, u64)>> = BTreeMap::new();
        let Ok(expr) = promql::parse(&format!("increase({LOG_CATEGORY_LINES}[1h])")) else {
            return found;
        };
        let backend = &self.sources.metrics_backend;
        let from = now - 23 * HOUR;
        let answer = backend.query_range(Arc::new(expr), from, now, HOUR).await;
        let Ok(Value::Matrix(all)) = answer.map(|answer| answer.value) else {
            return found;
        };
        for one in all {
            let category = one.labels.get("category").unwrap_or("").to_owned();
            let hours = one.points.iter().map(|(at, lines)| {
                // The increase up to a time belongs to the hour before it.
                (*at - HOUR / 2, lines.round().max(0.0) as u64)
            });
            found.entry(category).or_default().extend(hours);
        }
        found
    }

    async fn ask(&self, query: &str, now: Timestamp) -> Vec<(Labels, f64)> {
        let Ok(expr) = promql::parse(query) else {
            return Vec::new();
        };
        let answer = self
            .sources
            .metrics_backend
            .query(Arc::new(expr), now)
            .await;
        match answer.map(|answer| answer.value) {
            Ok(Value::Vector(samples)) => samples
                .into_iter()
                .map(|sample| (sample.labels, sample.value))
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn last_of(name: &str, within: Duration) -> String {
    format!("last_over_time({name}[{}])", format_duration(within))
}

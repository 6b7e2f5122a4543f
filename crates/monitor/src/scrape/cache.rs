//! What a target exposed last time: raw series text to series handle.
//!
//! A line that is known is neither parsed into labels nor hashed as labels again; and what is missing compared with the
//! last scrape is what has become stale.

use std::collections::{BTreeSet, HashMap};

use model::exposition::parse_series;
use model::{Labels, LabelsBuilder, METRIC_NAME, is_label_name};

use crate::metrics::{BackendError, MetricsBackend, SeriesHandle};

/// Series of one target, by their text in the body.
#[derive(Default)]
pub(super) struct ScrapeCache {
    series: HashMap<Box<str>, Known>,
    scrape: u64,
    /// Names of the metrics in the last whole scrape; made anew only when series came or went.
    names: BTreeSet<String>,
    names_changed: bool,
}

struct Known {
    handle: SeriesHandle,
    name: Box<str>,
    last_scrape: u64,
}

/// Why a series text did not become a series.
pub(super) enum LookupError {
    /// The text is malformed: the scrape fails.
    Malformed(String),
    /// The backend takes no further series.
    Backend(BackendError),
}

impl ScrapeCache {
    /// Starts a scrape.
    pub(super) fn begin(&mut self) {
        self.scrape += 1;
    }

    /// The handle of a series text.
    pub(super) fn lookup(
        &mut self,
        text: &str,
        target_labels: &[(&str, &str)],
        backend: &dyn MetricsBackend,
    ) -> Result<SeriesHandle, LookupError> {
        if let Some(known) = self.series.get_mut(text) {
            // A series that was away comes back: the set of names may have changed.
            self.names_changed |= known.last_scrape + 1 < self.scrape;
            known.last_scrape = self.scrape;
            return Ok(known.handle);
        }
        let exposed = parse_series(text).map_err(LookupError::Malformed)?;
        let labels = with_target_labels(&exposed, target_labels);
        let handle = backend.resolve(&labels).map_err(LookupError::Backend)?;
        let known = Known {
            handle,
            name: exposed.metric_name().into(),
            last_scrape: self.scrape,
        };
        self.series.insert(text.into(), known);
        self.names_changed = true;
        Ok(handle)
    }

    /// Ends a whole scrape: forgets and returns the series that it no longer had.
    pub(super) fn take_vanished(&mut self) -> Vec<SeriesHandle> {
        let scrape = self.scrape;
        let mut vanished: Vec<SeriesHandle> = self
            .series
            .extract_if(|_, known| known.last_scrape != scrape)
            .map(|(_, known)| known.handle)
            .collect();
        // A hash map's order is not the same in two runs, and this order reaches the log.
        vanished.sort_by_key(|handle| handle.0);
        if self.names_changed || !vanished.is_empty() {
            self.names = self
                .series
                .values()
                .map(|known| known.name.to_string())
                .collect();
            self.names_changed = false;
        }
        vanished
    }

    /// Ends a failed scrape: everything that was there is stale.
    pub(super) fn take_all(&mut self) -> Vec<SeriesHandle> {
        self.names.clear();
        let mut all: Vec<SeriesHandle> = std::mem::take(&mut self.series)
            .into_values()
            .map(|known| known.handle)
            .collect();
        all.sort_by_key(|handle| handle.0);
        all
    }

    /// Names of the metrics in the last whole scrape.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }
}

/// Adds `job` and `instance`. A label of the same name that the target exposes is kept as `exported_…`, as Prometheus does.
fn with_target_labels(exposed: &Labels, target_labels: &[(&str, &str)]) -> Labels {
    let mut builder = LabelsBuilder::from(exposed);
    for (name, value) in target_labels {
        debug_assert!(
            is_label_name(name) && *name != METRIC_NAME,
            "target labels are Belfry's own"
        );
        if let Some(own) = exposed.get(name) {
            builder.set(&format!("exported_{name}"), own);
        }
        builder.set(name, value);
    }
    builder.build()
}

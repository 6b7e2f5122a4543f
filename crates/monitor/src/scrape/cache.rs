//! What a target exposed last time: raw series text to series handle.
//!
//! A line that is known is neither parsed into labels nor hashed as labels again; and what is missing compared with the
//! last scrape is what has become stale.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use model::exposition::{Family, parse_series};
use model::{Labels, LabelsBuilder, METRIC_NAME, Timestamp, is_label_name};
use plan::coverage::Exposed;

use super::families::{Headers, Shape, exposed};
use crate::metrics::{BackendError, MetricsBackend, SeriesHandle};

/// Series of one target, by their text in the body.
#[derive(Default)]
pub(super) struct ScrapeCache {
    series: HashMap<Box<str>, Known>,
    scrape: u64,
    /// Names of the metrics in the last whole scrape; made anew only when series came or went.
    names: BTreeSet<String>,
    /// Names with label names, each once: thousands of series have a few of them.
    shapes: HashSet<Arc<Shape>>,
    /// What the body said about families.
    headers: Headers,
    /// Families of the last whole scrape; made anew like `names`, and when what the body says about them changed.
    exposed: Arc<Exposed>,
    changed: bool,
    last_whole: Timestamp,
}

struct Known {
    handle: SeriesHandle,
    shape: Arc<Shape>,
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
    /// Starts a scrape whose body says this about families.
    pub(super) fn begin(&mut self, families: &[Family<'_>]) {
        self.scrape += 1;
        self.changed |= self.headers.replace(families);
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
            self.changed |= known.last_scrape + 1 < self.scrape;
            known.last_scrape = self.scrape;
            return Ok(known.handle);
        }
        let exposed = parse_series(text).map_err(LookupError::Malformed)?;
        let labels = with_target_labels(&exposed, target_labels);
        let handle = backend.resolve(&labels).map_err(LookupError::Backend)?;
        let known = Known {
            handle,
            shape: self.shape(&exposed),
            last_scrape: self.scrape,
        };
        self.series.insert(text.into(), known);
        self.changed = true;
        Ok(handle)
    }

    fn shape(&mut self, exposed: &Labels) -> Arc<Shape> {
        let shape = Shape::of(exposed);
        if let Some(known) = self.shapes.get(&shape) {
            return known.clone();
        }
        let shape = Arc::new(shape);
        self.shapes.insert(shape.clone());
        shape
    }

    /// Ends a whole scrape: forgets and returns the series that it no longer had.
    pub(super) fn take_vanished(&mut self, at: Timestamp) -> Vec<SeriesHandle> {
        let scrape = self.scrape;
        let mut vanished: Vec<SeriesHandle> = self
            .series
            .extract_if(|_, known| known.last_scrape != scrape)
            .map(|(_, known)| known.handle)
            .collect();
        // A hash map's order is not the same in two runs, and this order reaches the log.
        vanished.sort_by_key(|handle| handle.0);
        if self.changed || !vanished.is_empty() {
            self.look_anew();
        }
        self.last_whole = at;
        vanished
    }

    fn look_anew(&mut self) {
        let mut counts: HashMap<&Shape, usize> = HashMap::new();
        for known in self.series.values() {
            *counts.entry(&known.shape).or_default() += 1;
        }
        self.names = counts.keys().map(|shape| shape.name.to_string()).collect();
        let before = (&*self.exposed, self.last_whole);
        self.exposed = Arc::new(exposed(&self.headers, &counts, before));
        self.changed = false;
        // Those of series that are gone are held by nobody else.
        self.shapes.retain(|shape| Arc::strong_count(shape) > 1);
    }

    /// Ends a failed scrape: everything that was there is stale.
    pub(super) fn take_all(&mut self) -> Vec<SeriesHandle> {
        self.names.clear();
        self.changed = true;
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

    /// Families of the last whole scrape.
    pub(super) fn exposed(&self) -> Arc<Exposed> {
        self.exposed.clone()
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

//! Writes samples that Belfry itself makes: probes, host figures, log counts, its own state.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use model::{Labels, LabelsBuilder, METRIC_NAME, Timestamp};
use plan::coverage::OwnSeries;

use super::{BackendError, MetricsBackend, SeriesHandle};

/// The most series one recorder remembers; past it, new ones are resolved each time.
const REMEMBERED_MAX: usize = 20_000;

/// The most names of which it is remembered when they were last written: far more than Belfry has.
const NAMES_MAX: usize = 2_000;

/// Appends named samples through a cache of series handles.
pub struct Recorder {
    backend: Arc<dyn MetricsBackend>,
    handles: Mutex<HashMap<Labels, SeriesHandle>>,
    written: Mutex<BTreeMap<String, OwnSeries>>,
}

impl Recorder {
    /// A recorder into a backend.
    pub fn new(backend: Arc<dyn MetricsBackend>) -> Recorder {
        Recorder {
            backend,
            handles: Mutex::default(),
            written: Mutex::default(),
        }
    }

    /// What was written since the start, by name: when last, and with which labels.
    pub fn written(&self) -> BTreeMap<String, OwnSeries> {
        self.written
            .lock()
            .expect("no code panics while it holds this lock")
            .clone()
    }

    /// Appends samples of one time.
    ///
    /// # Errors
    /// The backend's; some or all of the samples are then lost, which the caller counts.
    pub async fn record(
        &self,
        at: Timestamp,
        samples: Vec<(Labels, f64)>,
    ) -> Result<(), BackendError> {
        let mut batch = Vec::with_capacity(samples.len());
        let mut refused = None;
        self.note(at, &samples);
        for (labels, value) in samples {
            // One series that the store takes no more must not cost the others.
            match self.handle(labels) {
                Ok(handle) => batch.push((handle, at, value)),
                Err(error) => refused = Some(error),
            }
        }
        self.backend.append(batch).await?;
        refused.map_or(Ok(()), Err)
    }

    fn note(&self, at: Timestamp, samples: &[(Labels, f64)]) {
        let mut written = self
            .written
            .lock()
            .expect("no code panics while it holds this lock");
        for (labels, _) in samples {
            let name = labels.metric_name();
            if !written.contains_key(name) {
                if written.len() >= NAMES_MAX {
                    continue;
                }
                written.insert(name.to_owned(), OwnSeries::default());
            }
            let Some(known) = written.get_mut(name) else {
                continue;
            };
            known.last_at = at;
            for (label, _) in labels.iter().filter(|(label, _)| *label != METRIC_NAME) {
                if !known.labels.contains(label) {
                    known.labels.insert(label.to_owned());
                }
            }
        }
    }

    fn handle(&self, labels: Labels) -> Result<SeriesHandle, BackendError> {
        let mut handles = self
            .handles
            .lock()
            .expect("no code panics while it holds this lock");
        if let Some(handle) = handles.get(&labels) {
            return Ok(*handle);
        }
        let handle = self.backend.resolve(&labels)?;
        if handles.len() < REMEMBERED_MAX {
            handles.insert(labels, handle);
        }
        Ok(handle)
    }
}

/// Labels of a series that Belfry writes.
pub fn series(name: &str, labels: &[(&str, &str)]) -> Labels {
    let mut builder = LabelsBuilder::default();
    builder.set(METRIC_NAME, name);
    for (label, value) in labels {
        builder.set(label, cut(value));
    }
    builder.build()
}

/// The longest label value that Belfry writes, in bytes: some come from outside (a dependency's name, a service's).
const VALUE_BYTES_MAX: usize = 200;

fn cut(value: &str) -> &str {
    let end = (0..=VALUE_BYTES_MAX.min(value.len()))
        .rev()
        .find(|end| value.is_char_boundary(*end));
    &value[..end.unwrap_or(0)]
}

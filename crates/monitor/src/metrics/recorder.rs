//! Writes samples that Belfry itself makes: probes, host figures, log counts, its own state.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use model::{Labels, LabelsBuilder, METRIC_NAME, Timestamp};

use super::{BackendError, MetricsBackend, SeriesHandle};

/// The most series one recorder remembers; past it, new ones are resolved each time.
const REMEMBERED_MAX: usize = 20_000;

/// Appends named samples through a cache of series handles.
pub struct Recorder {
    backend: Arc<dyn MetricsBackend>,
    handles: Mutex<HashMap<Labels, SeriesHandle>>,
}

impl Recorder {
    /// A recorder into a backend.
    pub fn new(backend: Arc<dyn MetricsBackend>) -> Recorder {
        Recorder {
            backend,
            handles: Mutex::default(),
        }
    }

    /// Appends samples of one time.
    ///
    /// # Errors
    /// The backend's; the samples are then lost, which the caller counts.
    pub async fn record(
        &self,
        at: Timestamp,
        samples: Vec<(Labels, f64)>,
    ) -> Result<(), BackendError> {
        let batch = samples
            .into_iter()
            .map(|(labels, value)| Ok((self.handle(labels)?, at, value)))
            .collect::<Result<Vec<_>, BackendError>>()?;
        self.backend.append(batch).await.map(|_| ())
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
        builder.set(label, value);
    }
    builder.build()
}

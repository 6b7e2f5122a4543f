//! The one place that spawns. Every task has a name, sees one signal for its end, and is joined.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The running tasks of a service.
pub(crate) struct Tasks {
    stop: watch::Sender<bool>,
    running: Mutex<Vec<(&'static str, JoinHandle<()>)>>,
}

/// Told to a task: resolves when the service stops.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Waits for the end; returns at once when it has come.
    pub(crate) async fn wait(&mut self) {
        // An error means that the sender is gone, and then the service is.
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }
}

impl Tasks {
    pub(crate) fn new() -> Tasks {
        Tasks {
            stop: watch::Sender::new(false),
            running: Mutex::default(),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that spawns: named, held, joined"
    )]
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let handle = tokio::spawn(work);
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((name, handle));
    }

    pub(crate) fn stop_signal(&self) -> Stop {
        Stop(self.stop.subscribe())
    }

    /// Tells every task to end and waits for it; returns the names of those that did not within `bound`.
    pub(crate) async fn stop_and_join(&self, bound: Duration) -> Vec<&'static str> {
        self.stop.send_replace(true);
        let running =
            std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        let mut late = Vec::new();
        for (name, mut handle) in running {
            if world::timeout(bound, &mut handle).await.is_err() {
                handle.abort();
                late.push(name);
            }
        }
        late
    }
}

//! Named background tasks, spawned and ended in one place.
//!
//! Every loop of the program is a task here: shutdown signals them all, waits for them, and says which did not end in
//! time. A task that panics is reported and ends the program's readiness, because a monitor that silently lost a loop is
//! worse than one that stopped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// Spawns named tasks and joins them at the end.
pub(crate) struct Tasks {
    running: Mutex<JoinSet<()>>,
    names: Arc<Mutex<BTreeMap<Id, String>>>,
    /// Tasks that ended by themselves: once broken, broken until a restart.
    ended: Mutex<Vec<String>>,
    stop: CancellationToken,
}

impl Default for Tasks {
    fn default() -> Tasks {
        Tasks {
            running: Mutex::default(),
            names: Arc::default(),
            ended: Mutex::default(),
            stop: CancellationToken::new(),
        }
    }
}

impl Tasks {
    /// A token that is cancelled when shutdown begins.
    pub(crate) fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task that runs until it ends by itself; it should watch [`Tasks::stop_token`].
    pub(crate) fn spawn(&self, name: &str, work: impl Future<Output = ()> + Send + 'static) {
        let mut running = self
            .running
            .lock()
            .expect("no code panics while it holds this lock");
        let handle = running.spawn(work);
        self.names
            .lock()
            .expect("no code panics while it holds this lock")
            .insert(handle.id(), name.to_owned());
    }

    /// Starts a loop that is dropped at its next wait when shutdown begins. For loops that hold nothing that would be lost.
    pub(crate) fn spawn_until_stop(
        &self,
        name: &str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let stop = self.stop_token();
        self.spawn(name, async move {
            tokio::select! {
                // Stop first, so that a busy loop ends too.
                biased;
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Names of tasks that ended although nobody asked them to: each is a bug or a panic.
    pub(crate) fn ended_early(&self) -> Vec<String> {
        if self.stop.is_cancelled() {
            return Vec::new();
        }
        let mut running = self
            .running
            .lock()
            .expect("no code panics while it holds this lock");
        let mut ended = self
            .ended
            .lock()
            .expect("no code panics while it holds this lock");
        while let Some(outcome) = running.try_join_next_with_id() {
            let id = match &outcome {
                Ok((id, ())) => *id,
                Err(error) => error.id(),
            };
            let names = self
                .names
                .lock()
                .expect("no code panics while it holds this lock");
            let how = if outcome.is_err() {
                "panicked"
            } else {
                "ended"
            };
            ended.push(format!(
                "{} {how}",
                names.get(&id).map_or("a task", String::as_str)
            ));
        }
        ended.clone()
    }

    /// Signals all tasks and waits for them; returns the names of those that did not end within `bound`.
    pub(crate) async fn shut_down(&self, bound: Duration) -> Vec<String> {
        self.stop.cancel();
        let mut running = std::mem::take(
            &mut *self
                .running
                .lock()
                .expect("no code panics while it holds this lock"),
        );
        let mut names = std::mem::take(
            &mut *self
                .names
                .lock()
                .expect("no code panics while it holds this lock"),
        );
        let all_ended = async {
            while let Some(outcome) = running.join_next_with_id().await {
                let id = outcome.map_or_else(|error| error.id(), |(id, ())| id);
                names.remove(&id);
            }
        };
        match world::timeout(bound, all_ended).await {
            Ok(()) => Vec::new(),
            Err(world::Elapsed) => names.into_values().collect(),
        }
    }
}

/// Runs work to its end even when whoever waits for it goes away: a client that hangs up, a loop that is replaced by a
/// reload. Changes of state must not stop between the store and the memory.
pub(crate) async fn run_to_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    #[expect(clippy::disallowed_methods, reason = "this is the place that spawns")]
    let running = tokio::spawn(work);
    match running.await {
        Ok(outcome) => outcome,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

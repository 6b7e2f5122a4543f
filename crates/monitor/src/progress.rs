//! Whether every loop makes progress. A process that runs is not a monitor that works: a loop may wait for ever for a lock or
//! an answer, and nobody sees it.
//!
//! Every loop of Belfry waits by its clock between two turns. So each gets a clock of its own that notes, when it waits, by when
//! it must come back; one that does not has stalled. Then the dead-man's switch is no longer fed, Belfry is not ready, and
//! `belfry_loops_stalled` says so. No loop needs a line of code for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use world::{BoxFuture, Clock, World};

/// How much later than its wait ended a loop may come back to wait again: the work of one turn on a busy machine. With the
/// switch's own interval, a stall shows outside within a minute.
pub(crate) const TURN_MAX: Duration = Duration::from_secs(30);

/// By when each loop must wait again.
#[derive(Default)]
pub struct Progress {
    due: Mutex<BTreeMap<u64, Promise>>,
}

struct Promise {
    name: String,
    /// On the clock that never goes back.
    due: Duration,
}

impl Progress {
    /// The world for one loop, which may work for `turn_max` between two waits. The loop is watched until it drops the world.
    pub(crate) fn watch(
        self: &Arc<Progress>,
        world: &World,
        name: &str,
        turn_max: Duration,
    ) -> World {
        let mut promises = self.lock();
        let id = promises.last_key_value().map_or(0, |(id, _)| id + 1);
        let promise = Promise {
            name: name.to_owned(),
            due: world.clock.monotonic() + turn_max,
        };
        promises.insert(id, promise);
        drop(promises);
        World {
            clock: Arc::new(WatchedClock {
                inner: world.clock.clone(),
                progress: self.clone(),
                id,
                turn_max,
            }),
            ..world.clone()
        }
    }

    /// The names of loops that should have waited again by `now` (a time of [`Clock::monotonic`]).
    pub fn stalled(&self, now: Duration) -> Vec<String> {
        self.lock()
            .values()
            .filter(|promise| now > promise.due)
            .map(|promise| promise.name.clone())
            .collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Promise>> {
        self.due
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

struct WatchedClock {
    inner: Arc<dyn Clock>,
    progress: Arc<Progress>,
    id: u64,
    turn_max: Duration,
}

impl Clock for WatchedClock {
    fn now(&self) -> SystemTime {
        self.inner.now()
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        let due = (self.inner.monotonic() + length).saturating_add(self.turn_max);
        if let Some(promise) = self.progress.lock().get_mut(&self.id) {
            promise.due = due;
        }
        self.inner.sleep(length)
    }
}

impl Drop for WatchedClock {
    fn drop(&mut self) {
        self.progress.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use world::sim::SimWorld;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_does_not_come_back_has_stalled() {
        let world = SimWorld::new(1, SystemTime::UNIX_EPOCH).world();
        let progress = Arc::new(Progress::default());
        let watched = progress.watch(&world, "scrape", TURN_MAX);
        let stalled = || progress.stalled(world.clock.monotonic());
        watched.clock.sleep(Duration::from_secs(600)).await;
        assert!(stalled().is_empty(), "a long wait is no stall");
        // The turn hangs: no further wait.
        world.clock.sleep(TURN_MAX).await;
        assert!(stalled().is_empty());
        world.clock.sleep(Duration::from_secs(1)).await;
        assert_eq!(stalled(), ["scrape"]);
        let _waits = watched.clock.sleep(Duration::from_secs(5));
        assert!(stalled().is_empty(), "it is back");
        drop(watched);
        world.clock.sleep(Duration::from_secs(600)).await;
        assert!(stalled().is_empty(), "a loop that ended is not watched");
    }
}

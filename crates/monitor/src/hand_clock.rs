//! A clock that is moved by hand, for what is played instead of waited for: rehearsals and drills on a time of their own.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use model::Timestamp;
use world::{BoxFuture, Clock};

/// Wall and elapsed time, moved together.
pub(crate) struct HandClock {
    millis: AtomicI64,
    started: Timestamp,
}

impl HandClock {
    /// A clock that stands at a time.
    pub(crate) fn starting_at(at: Timestamp) -> HandClock {
        HandClock {
            millis: AtomicI64::new(at.as_millis()),
            started: at,
        }
    }

    /// Lets it be that time.
    pub(crate) fn set(&self, now: Timestamp) {
        self.millis.store(now.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> SystemTime {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst)).into()
    }

    fn monotonic(&self) -> Duration {
        Timestamp::from(self.now()).since(self.started)
    }

    fn sleep(&self, _length: Duration) -> BoxFuture<'static, ()> {
        // Nothing that is played waits: time is moved from outside.
        Box::pin(std::future::ready(()))
    }
}

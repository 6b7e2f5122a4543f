//! Simulated time: an epoch plus tokio's paused clock, plus whatever jumps a test makes.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::{BoxFuture, Clock};

/// A wall clock that moves with tokio's (paused) time and can be made to jump.
pub struct SimClock {
    epoch: SystemTime,
    started: Instant,
    jumped_ms: AtomicI64,
}

impl SimClock {
    /// A clock that reads `epoch` now. Call inside a tokio runtime.
    pub fn starting_at(epoch: SystemTime) -> SimClock {
        SimClock {
            epoch,
            started: Instant::now(),
            jumped_ms: AtomicI64::new(0),
        }
    }

    /// Sets the wall clock forward (or back) without any time passing.
    pub fn jump(&self, millis: i64) {
        self.jumped_ms.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> SystemTime {
        let at = self.epoch + self.started.elapsed();
        let jumped = self.jumped_ms.load(Ordering::SeqCst);
        let length = Duration::from_millis(jumped.unsigned_abs());
        if jumped >= 0 {
            at + length
        } else {
            at - length
        }
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(length))
    }
}

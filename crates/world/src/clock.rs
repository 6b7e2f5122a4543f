//! Time: reading it, waiting for it, ticking on a grid.
//!
//! Both forms wait on tokio's timer; the simulated one runs on tokio's paused clock, so `sleep` needs no second
//! implementation. Wall time and elapsed time are kept apart because the wall clock may jump.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::BoxFuture;

/// The longest single wait for a wall-clock time, so that a clock that was set while we slept is noticed soon.
const WALL_WAIT_MAX: Duration = Duration::from_secs(5);

/// What time it is, and waiting.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> SystemTime;

    /// Time since some fixed start; never goes back. For measuring lengths.
    fn monotonic(&self) -> Duration;

    /// Waits for a length of time.
    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()>;

    /// Waits until the wall clock reads at least `at`; right when the wall clock is set in the meantime.
    fn sleep_until(&self, at: SystemTime) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            while let Ok(rest) = at.duration_since(self.now()) {
                if rest.is_zero() {
                    return;
                }
                self.sleep(rest.min(WALL_WAIT_MAX)).await;
            }
        })
    }
}

/// The machine's clock.
pub struct SystemClock {
    started: Instant,
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(length))
    }
}

/// The bound of [`timeout`] passed before the work ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("timed out")
    }
}

impl std::error::Error for Elapsed {}

/// Bounds the time of some work.
///
/// # Errors
/// [`Elapsed`] when `bound` passes first; the work is dropped.
pub async fn timeout<T>(bound: Duration, work: impl Future<Output = T>) -> Result<T, Elapsed> {
    tokio::time::timeout(bound, work).await.map_err(|_| Elapsed)
}

/// One tick of a [`Ticker`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// The grid time that this tick stands for; use it as the time of what is done now.
    pub at: SystemTime,
    /// Grid times that passed without a tick since the last one. They are skipped, never made up: count them.
    pub missed: u64,
}

/// Ticks at `offset + n * interval` of the wall clock, so that two processes (or two runs) agree on the times.
///
/// Missed ticks are skipped and reported. A wall clock that is set back makes the ticker start anew from the new time
/// instead of waiting for hours.
pub struct Ticker {
    clock: Arc<dyn Clock>,
    interval_ms: i64,
    offset_ms: i64,
    last: Option<i64>,
}

impl Ticker {
    /// A ticker on the grid `offset + n * interval`. The interval is at least a millisecond.
    pub fn new(clock: Arc<dyn Clock>, interval: Duration, offset: Duration) -> Ticker {
        let interval_ms = (interval.as_millis() as i64).max(1);
        Ticker {
            clock,
            interval_ms,
            offset_ms: offset.as_millis() as i64 % interval_ms,
            last: None,
        }
    }

    /// The distance between two ticks.
    pub fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms as u64)
    }

    /// Waits for the next grid time.
    pub async fn tick(&mut self) -> Tick {
        loop {
            let now = unix_millis(self.clock.now());
            if self.last.is_some_and(|last| now < last - self.interval_ms) {
                self.last = None;
            }
            let (next, missed) = self.next_after(now);
            if self.wait_until(next).await == Waited::ClockWasSetBack {
                self.last = None;
                continue;
            }
            // A clock that was set forward while we slept made this grid time an old one; whatever is dated with it would
            // seem to be as old. The grid starts anew, as it does for one that was set back.
            if unix_millis(self.clock.now()) - next >= self.interval_ms {
                self.last = None;
                continue;
            }
            self.last = Some(next);
            return Tick {
                at: system_time(next),
                missed,
            };
        }
    }

    /// The next grid time at `now`, and how many were missed since the last one.
    fn next_after(&self, now: i64) -> (i64, u64) {
        let on_time = self.last.map(|last| last + self.interval_ms);
        // The grid time at or before `now`; after a long pause we take that one and report the others as missed.
        let latest = now - (now - self.offset_ms).rem_euclid(self.interval_ms);
        let next = match on_time {
            Some(due) if due >= now => due,
            Some(due) => due.max(latest),
            None if latest == now => now,
            None => latest + self.interval_ms,
        };
        let missed = on_time.map_or(0, |due| ((next - due) / self.interval_ms).max(0) as u64);
        (next, missed)
    }

    /// Waits in slices, because the wall clock may be set while we sleep, and a clock that was set back by an hour must not
    /// make a loop sleep for that hour.
    async fn wait_until(&self, next: i64) -> Waited {
        loop {
            let rest = next - unix_millis(self.clock.now());
            if rest <= 0 {
                return Waited::Whole;
            }
            if rest > self.interval_ms {
                return Waited::ClockWasSetBack;
            }
            self.clock
                .sleep(Duration::from_millis(rest as u64).min(WALL_WAIT_MAX))
                .await;
        }
    }
}

#[derive(PartialEq, Eq)]
enum Waited {
    Whole,
    ClockWasSetBack,
}

fn unix_millis(at: SystemTime) -> i64 {
    match at.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_millis() as i64,
        Err(before) => -(before.duration().as_millis() as i64),
    }
}

fn system_time(unix_millis: i64) -> SystemTime {
    let length = Duration::from_millis(unix_millis.unsigned_abs());
    if unix_millis >= 0 {
        UNIX_EPOCH + length
    } else {
        UNIX_EPOCH - length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::SimClock;

    #[tokio::test(start_paused = true)]
    async fn ticks_on_the_grid_and_reports_missed_ones() {
        let clock = Arc::new(SimClock::starting_at(system_time(100_007)));
        let mut ticker = Ticker::new(
            clock.clone(),
            Duration::from_secs(10),
            Duration::from_secs(3),
        );
        let millis = |tick: Tick| (unix_millis(tick.at), tick.missed);
        assert_eq!(millis(ticker.tick().await), (103_000, 0));
        assert_eq!(millis(ticker.tick().await), (113_000, 0));
        clock.sleep(Duration::from_secs(35)).await;
        assert_eq!(
            millis(ticker.tick().await),
            (143_000, 2),
            "148 s: the tick of 143 s is late, two are gone"
        );
        assert_eq!(millis(ticker.tick().await), (153_000, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_set_back_starts_the_grid_anew() {
        let clock = Arc::new(SimClock::starting_at(system_time(1_000_000)));
        let mut ticker = Ticker::new(clock.clone(), Duration::from_secs(10), Duration::ZERO);
        ticker.tick().await;
        clock.jump(-600_000);
        let tick = ticker.tick().await;
        assert_eq!(unix_millis(tick.at), 400_000);
        clock.jump(600_000);
        let tick = ticker.tick().await;
        assert_eq!(unix_millis(tick.at), 1_000_000);
        assert_eq!(tick.missed, 59);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_set_forward_while_waiting_gives_no_old_tick() {
        let clock = Arc::new(SimClock::starting_at(system_time(1_000_000)));
        let mut ticker = Ticker::new(clock.clone(), Duration::from_secs(10), Duration::ZERO);
        ticker.tick().await;
        let setting = async {
            clock.sleep(Duration::from_secs(3)).await;
            clock.jump(3_600_000);
        };
        let (tick, ()) = tokio::join!(ticker.tick(), setting);
        assert_eq!((unix_millis(tick.at), tick.missed), (4_610_000, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_set_back_while_waiting_does_not_stall() {
        let clock = Arc::new(SimClock::starting_at(system_time(1_000_000)));
        let mut ticker = Ticker::new(clock.clone(), Duration::from_secs(10), Duration::ZERO);
        ticker.tick().await;
        let before = clock.monotonic();
        let setting = async {
            clock.sleep(Duration::from_secs(3)).await;
            clock.jump(-3_600_000);
        };
        let (tick, ()) = tokio::join!(ticker.tick(), setting);
        assert!(
            clock.monotonic() - before < Duration::from_secs(30),
            "{:?}",
            clock.monotonic() - before
        );
        assert!(unix_millis(tick.at) < 0 && unix_millis(tick.at) % 10_000 == 0);
    }
}

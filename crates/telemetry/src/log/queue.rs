//! Lines on their way to another machine.
//!
//! Bounded, because a receiver that is away for an hour must not fill the sender's memory. A full queue drops what comes
//! and counts it; the last quarter is kept for lines above DEBUG, so that a burst of detail cannot push out an error.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Level, Sink};
use crate::{Children, Counter, Gauge, Registry};

/// Lines held at most: about a minute of a busy service.
const LINES_MAX: usize = 20_000;
/// Bytes held at most.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// The queue between a logger and whoever sends its lines. Cheap to clone.
#[derive(Clone)]
pub struct ShipQueue(Arc<Inner>);

struct Inner {
    held: Mutex<Held>,
    lines_max: usize,
    bytes_max: usize,
    /// Called when `wake_at` lines are waiting.
    wake: Box<dyn Fn() + Send + Sync>,
    wake_at: usize,
    dropped_full: Counter,
    dropped_refused: Counter,
    shipped: Counter,
    waiting: Gauge,
}

#[derive(Default)]
struct Held {
    lines: VecDeque<String>,
    bytes: usize,
}

impl ShipQueue {
    /// A queue that calls `wake` whenever `wake_at` lines are waiting. Declares `log_ship_lines_total`,
    /// `log_ship_lines_dropped_total{reason}` and `log_ship_queue_lines`.
    pub fn new(
        registry: &Registry,
        wake_at: usize,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> ShipQueue {
        ShipQueue::with_bounds(registry, wake_at, wake, LINES_MAX, BYTES_MAX)
    }

    fn with_bounds(
        registry: &Registry,
        wake_at: usize,
        wake: impl Fn() + Send + Sync + 'static,
        lines_max: usize,
        bytes_max: usize,
    ) -> ShipQueue {
        let dropped = registry.counter_family(
            "log_ship_lines_dropped_total",
            "Log lines that never reached the receiver: the queue was full, or the receiver refused them.",
            &["reason"],
            Children::Closed(&[&["queue_full"], &["refused"]]),
        );
        ShipQueue(Arc::new(Inner {
            held: Mutex::default(),
            lines_max,
            bytes_max,
            wake: Box::new(wake),
            wake_at,
            dropped_full: dropped.handle(&["queue_full"]),
            dropped_refused: dropped.handle(&["refused"]),
            shipped: registry.counter(
                "log_ship_lines_total",
                "Log lines that the receiver acknowledged.",
            ),
            waiting: registry.gauge("log_ship_queue_lines", "Log lines waiting to be sent."),
        }))
    }

    /// A sink that feeds this queue. It never waits.
    pub fn sink(&self) -> Sink {
        let queue = self.clone();
        Sink::closure(move |level, line| {
            queue.push(level, line);
        })
    }

    /// Adds a line; `false` when it was dropped.
    pub fn push(&self, level: Level, line: &str) -> bool {
        let waiting = {
            let mut held = self.lock();
            let part = |bound: usize| match level {
                Level::Debug => bound / 4 * 3,
                Level::Info | Level::Warn | Level::Error => bound,
            };
            if held.lines.len() >= part(self.0.lines_max)
                || held.bytes + line.len() > part(self.0.bytes_max)
            {
                drop(held);
                self.0.dropped_full.inc();
                return false;
            }
            held.bytes += line.len();
            held.lines.push_back(line.to_owned());
            held.lines.len()
        };
        self.0.waiting.set(waiting as f64);
        if waiting >= self.0.wake_at && waiting.is_multiple_of(self.0.wake_at) {
            (self.0.wake)();
        }
        true
    }

    /// Takes the oldest lines, at least one if there is any, up to both bounds.
    pub fn take(&self, lines_max: usize, bytes_max: usize) -> Vec<String> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut held = self.lock();
        while batch.len() < lines_max
            && let Some(line) = held.lines.front()
            && (batch.is_empty() || bytes + line.len() <= bytes_max)
        {
            bytes += line.len();
            batch.extend(held.lines.pop_front());
        }
        held.bytes -= bytes;
        self.0.waiting.set(held.lines.len() as f64);
        batch
    }

    /// How many lines are waiting.
    pub fn len(&self) -> usize {
        self.lock().lines.len()
    }

    /// Whether no line is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts lines that the receiver acknowledged.
    pub fn count_shipped(&self, lines: usize) {
        self.0.shipped.add(lines as u64);
    }

    /// Counts lines that the receiver will never take.
    pub fn count_refused(&self, lines: usize) {
        self.0.dropped_refused.add(lines as u64);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_full_queue_drops_detail_first_and_counts() {
        let registry = Registry::new();
        let queue = ShipQueue::with_bounds(&registry, 100, || {}, 4, 1000);
        let kept = [
            queue.push(Level::Debug, "1"),
            queue.push(Level::Debug, "2"),
            queue.push(Level::Debug, "3"),
            queue.push(Level::Debug, "dropped"),
            queue.push(Level::Error, "4"),
            queue.push(Level::Error, "dropped"),
        ];
        assert_eq!(kept, [true, true, true, false, true, false]);
        assert_eq!(queue.take(10, 1000), ["1", "2", "3", "4"]);
        let text = registry.render(crate::Format::Text004);
        assert!(
            text.contains("log_ship_lines_dropped_total{reason=\"queue_full\"} 2\n"),
            "{text}"
        );
    }

    #[test]
    fn batches_obey_both_bounds() {
        let queue = ShipQueue::with_bounds(&Registry::new(), 100, || {}, 100, 1000);
        for _ in 0..6 {
            queue.push(Level::Info, "0123456789");
        }
        assert_eq!(queue.take(2, 1000).len(), 2);
        assert_eq!(queue.take(10, 25).len(), 2);
        assert_eq!(queue.take(10, 5).len(), 1, "a long line goes alone");
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn whole_batches_wake() {
        let woken = Arc::new(AtomicUsize::new(0));
        let count = woken.clone();
        let wake = move || {
            count.fetch_add(1, Ordering::Relaxed);
        };
        let queue = ShipQueue::new(&Registry::new(), 3, wake);
        for _ in 0..7 {
            queue.push(Level::Info, "x");
        }
        assert_eq!(woken.load(Ordering::Relaxed), 2);
    }
}

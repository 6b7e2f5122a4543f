//! Columns of samples and the windows that range functions look through. A window is open on the left: a sample
//! exactly `range` old is outside (Prometheus 3).

use std::time::Duration;

use model::{Labels, Timestamp, is_stale};

/// One series as the evaluator holds it for the whole query.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) labels: Labels,
    pub(crate) drop_name: bool,
    pub(crate) times: Vec<Timestamp>,
    pub(crate) values: Vec<f64>,
}

/// The samples of one series in `(start, end]`.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Window<'a> {
    pub(crate) times: &'a [Timestamp],
    pub(crate) values: &'a [f64],
    /// The excluded left end, in milliseconds.
    pub(crate) start: i64,
    /// The included right end, in milliseconds.
    pub(crate) end: i64,
    /// The time of the evaluation, which `@` and `offset` do not move.
    pub(crate) at: i64,
}

impl Column {
    /// The value that stands for the series at `at`: the last one younger than `lookback`, unless the series ended.
    pub(crate) fn latest(&self, at: i64, lookback: Duration) -> Option<(Timestamp, f64)> {
        let at = Timestamp::from_millis(at);
        let index = self
            .times
            .partition_point(|time| *time <= at)
            .checked_sub(1)?;
        let (time, value) = (self.times[index], self.values[index]);
        (time > at - lookback && !is_stale(value)).then_some((time, value))
    }

    /// The samples in `(start, end]`.
    pub(crate) fn window(&self, start: i64, end: i64, at: i64) -> Window<'_> {
        let first = self.index_after(start);
        let last = self.index_after(end).max(first);
        Window {
            times: &self.times[first..last],
            values: &self.values[first..last],
            start,
            end,
            at,
        }
    }

    /// Removes the markers that end a series; windows see samples only.
    pub(crate) fn without_stale_markers(mut self) -> Column {
        if self.values.iter().any(|value| is_stale(*value)) {
            let kept: Vec<(Timestamp, f64)> = self
                .times
                .iter()
                .copied()
                .zip(self.values.iter().copied())
                .filter(|(_, value)| !is_stale(*value))
                .collect();
            (self.times, self.values) = kept.into_iter().unzip();
        }
        self
    }

    fn index_after(&self, millis: i64) -> usize {
        let limit = Timestamp::from_millis(millis);
        self.times.partition_point(|time| *time <= limit)
    }
}

impl Window<'_> {
    /// Seconds between two samples of the window.
    pub(crate) fn seconds_between(&self, earlier: usize, later: usize) -> f64 {
        let (earlier, later) = (
            self.times[earlier].as_millis(),
            self.times[later].as_millis(),
        );
        later.saturating_sub(earlier) as f64 / 1000.0
    }
}

//! A test's data, let in as its time passes: what lies ahead is not there yet, not even for an `offset -5m`.

use std::time::Duration;

use model::{Labels, LogEntry, LogTime, Timestamp};
use plan::{LogClass, Plan, TestCase, TestLogLines};
use promql::testing::MemorySource;

use super::TestError;
use crate::logs::{COUNT_INTERVAL, LineCounts, class_of};

/// Series and log lines that come in.
pub(super) struct Data<'t> {
    series: Vec<Incoming<'t>>,
    interval: Duration,
    starts_at: Timestamp,
    lines: Lines,
}

struct Incoming<'t> {
    labels: &'t Labels,
    points: &'t [Option<f64>],
    /// How many points are in.
    taken: usize,
}

/// Log lines, which become `log_lines_total` on the live intake's grid.
struct Lines {
    /// The latest first, so that the next one is taken off the end.
    waiting: Vec<(Timestamp, LogEntry)>,
    counts: LineCounts,
    counted_at: Option<Timestamp>,
}

impl<'t> Data<'t> {
    pub(super) fn new(case: &'t TestCase, plan: Option<&Plan>) -> Result<Data<'t>, TestError> {
        let series = case.series.iter().map(|series| Incoming {
            labels: &series.labels,
            points: &series.points,
            taken: 0,
        });
        Ok(Data {
            series: series.collect(),
            interval: case.interval,
            starts_at: case.starts_at,
            lines: Lines::new(case, plan)?,
        })
    }

    /// Lets everything up to `until` in; `taken` sees every sample.
    pub(super) fn take_until(
        &mut self,
        until: Timestamp,
        source: &mut MemorySource,
        mut taken: impl FnMut(&Labels, Timestamp, f64),
    ) {
        let mut take = |labels: &Labels, at: Timestamp, value: f64| {
            source.insert(labels, at, value);
            taken(labels, at, value);
        };
        for series in &mut self.series {
            while let Some(point) = series.points.get(series.taken) {
                let at = self.starts_at + self.interval * series.taken as u32;
                if at > until {
                    break;
                }
                if let Some(value) = point {
                    take(series.labels, at, *value);
                }
                series.taken += 1;
            }
        }
        self.lines.take_until(self.starts_at, until, take);
    }
}

impl Lines {
    fn new(case: &TestCase, plan: Option<&Plan>) -> Result<Lines, TestError> {
        let mut waiting = Vec::new();
        for lines in &case.log_lines {
            let Some(plan) = plan else {
                let why = "log lines need a plan, which says how lines are classed";
                return Err(TestError(why.to_owned()));
            };
            waiting.extend(entries(case, lines, plan));
        }
        waiting.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        Ok(Lines {
            waiting,
            counts: LineCounts::default(),
            counted_at: None,
        })
    }

    fn take_until(
        &mut self,
        starts_at: Timestamp,
        until: Timestamp,
        mut take: impl FnMut(&Labels, Timestamp, f64),
    ) {
        let grid = COUNT_INTERVAL.as_millis() as i64;
        loop {
            let first = starts_at.as_millis() + (-starts_at.as_millis()).rem_euclid(grid);
            let next = self
                .counted_at
                .map_or(first, |last| last.as_millis() + grid);
            let next = Timestamp::from_millis(next);
            if next > until || (self.waiting.is_empty() && self.counts.is_empty()) {
                return;
            }
            while let Some((_, entry)) = self.waiting.pop_if(|(at, _)| *at <= next) {
                self.counts.add(&[entry]);
            }
            for (labels, value) in self.counts.samples() {
                take(&labels, next, value);
            }
            self.counted_at = Some(next);
        }
    }
}

/// The lines of one entry that the plan has a class for; others are not counted when it is real either.
fn entries(case: &TestCase, lines: &TestLogLines, plan: &Plan) -> Vec<(Timestamp, LogEntry)> {
    let classes: &[LogClass] = &plan.logs.classes;
    let entry = LogEntry {
        at: LogTime::default(),
        level: lines.level,
        category: lines.category.clone(),
        service: lines.service.clone().unwrap_or(plan.service.clone()),
        message: String::new(),
        fields: Vec::new(),
    };
    if class_of(classes, &entry).is_none() {
        return Vec::new();
    }
    let first = case.starts_at + lines.at;
    (0..lines.count)
        .map(|index| (first + lines.every * index, entry.clone()))
        .collect()
}

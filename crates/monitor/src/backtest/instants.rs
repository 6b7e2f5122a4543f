//! When groups were evaluated: after each scrape of the one job that they read, whose times the samples of `up` keep, or on
//! the group's grid; and not while Belfry itself did not run, where its own samples tell.

use std::time::Duration;

use model::Timestamp;
use plan::{Plan, RuleGroup};

use crate::rules::followed_job;
use crate::scrape::spread;

/// Belfry's own samples come so often. An instant without one this near on either side was one without Belfry.
const OWN_SAMPLES_EVERY: Duration = Duration::from_secs(15);

/// When a group is evaluated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Schedule {
    /// After each scrape of this job.
    AfterScrapes(String),
    /// So often, so long after the start of each interval.
    Grid {
        interval: Duration,
        offset: Duration,
    },
}

impl Schedule {
    /// That of a group. `step` puts every group on one grid.
    pub(super) fn of(plan: &Plan, group: &RuleGroup, step: Option<Duration>) -> Schedule {
        if let Some(interval) = step {
            let offset = Duration::ZERO;
            return Schedule::Grid { interval, offset };
        }
        let targets = plan.targets.iter();
        let targets = targets.map(|target| (target.job.as_str(), target.interval));
        match followed_job(group, targets) {
            Some(job) => Schedule::AfterScrapes(job.to_owned()),
            None => Schedule::grid_of(group),
        }
    }

    /// The grid of a group, for what has no scrapes to follow.
    pub(super) fn grid_of(group: &RuleGroup) -> Schedule {
        Schedule::Grid {
            interval: group.interval,
            offset: spread(&group.name, group.interval),
        }
    }
}

/// The times of a grid within a span, both ends inclusive.
pub(super) fn on_grid(
    interval: Duration,
    offset: Duration,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Timestamp> {
    let (interval, offset) = (interval.as_millis() as i64, offset.as_millis() as i64);
    let first = from.as_millis() + (offset - from.as_millis()).rem_euclid(interval);
    let times = (first..=until.as_millis()).step_by(interval as usize);
    times.map(Timestamp::from_millis).collect()
}

/// Leaves only the times at which Belfry ran; `alive` are those of its own samples, rising.
pub(super) fn while_alive(mut times: Vec<Timestamp>, alive: &[Timestamp]) -> Vec<Timestamp> {
    times.retain(|at| {
        let next = alive.partition_point(|own| own < at);
        let near = |own: Option<&Timestamp>| {
            own.is_some_and(|own| own.since(*at).max(at.since(*own)) <= OWN_SAMPLES_EVERY)
        };
        near(alive.get(next)) || near(next.checked_sub(1).and_then(|last| alive.get(last)))
    });
    times
}

/// Times that lie the same distance apart: one question instead of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) from: Timestamp,
    pub(super) step: Duration,
    pub(super) count: usize,
}

impl Run {
    pub(super) fn until(self) -> Timestamp {
        self.from + self.step * (self.count as u32 - 1)
    }

    /// Two halves; a single instant has none.
    pub(super) fn halves(self) -> Option<[Run; 2]> {
        let first = self.count / 2;
        (first > 0).then(|| {
            let rest = Run {
                from: self.from + self.step * first as u32,
                count: self.count - first,
                ..self
            };
            [
                Run {
                    count: first,
                    ..self
                },
                rest,
            ]
        })
    }
}

/// Rising times as runs of at most so many.
pub(super) fn runs(times: &[Timestamp], count_max: usize) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for at in times {
        match runs.last_mut() {
            Some(run) if run.count == 1 => {
                run.step = at.since(run.from);
                run.count = 2;
            }
            Some(run) if run.count < count_max && *at == run.until() + run.step => run.count += 1,
            _ => runs.push(Run {
                from: *at,
                step: Duration::from_millis(1),
                count: 1,
            }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(millis: &[i64]) -> Vec<Timestamp> {
        millis.iter().copied().map(Timestamp::from_millis).collect()
    }

    #[test]
    fn a_grid_begins_at_its_offset() {
        let (interval, offset) = (Duration::from_secs(15), Duration::from_secs(4));
        let found = on_grid(
            interval,
            offset,
            Timestamp::from_millis(4_001),
            Timestamp::from_millis(49_000),
        );
        assert_eq!(found, times(&[19_000, 34_000, 49_000]));
    }

    #[test]
    fn runs_are_split_where_the_distance_changes() {
        let check = |millis: &[i64], expect: &[(i64, u64, usize)]| {
            let found = runs(&times(millis), 3);
            let found: Vec<_> = found
                .iter()
                .map(|run| (run.from.as_millis(), run.step.as_millis() as u64, run.count))
                .collect();
            assert_eq!(found, expect, "{millis:?}");
        };
        check(&[], &[]);
        check(&[7], &[(7, 1, 1)]);
        check(&[0, 15, 30], &[(0, 15, 3)]);
        check(&[0, 15, 30, 45], &[(0, 15, 3), (45, 1, 1)]);
        check(&[0, 7, 22, 37], &[(0, 7, 2), (22, 15, 2)]);
    }

    #[test]
    fn halves_cover_the_run() {
        let run = runs(&times(&[0, 10, 20]), 9)[0];
        let [first, second] = run.halves().unwrap();
        assert_eq!((first.count, first.until()), (1, Timestamp::from_millis(0)));
        assert_eq!(
            (second.from, second.until()),
            (Timestamp::from_millis(10), Timestamp::from_millis(20))
        );
        assert!(first.halves().is_none());
    }

    #[test]
    fn nothing_is_evaluated_while_belfry_does_not_run() {
        let alive = times(&[0, 15_000, 120_000]);
        let found = while_alive(times(&[10_000, 29_000, 40_000, 104_000, 106_000]), &alive);
        assert_eq!(found, times(&[10_000, 29_000, 106_000]));
    }
}

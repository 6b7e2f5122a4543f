//! Series as functions of time: what each family does from when on. A source that the evaluator reads, and what a drill writes
//! into its store, one and the same.

use std::time::Duration;

use model::{
    Labels, Matcher, Selection, Series, SeriesSource, SourceError, Timestamp, stale_marker,
};

use super::families::{Family, Kind};
use super::shape::Shape;

/// What all families do from a time on.
#[derive(Clone, Debug)]
struct Phase {
    from: Timestamp,
    shapes: Vec<Shape>,
}

/// Families that do one thing after another, seen once an interval.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    /// Every series, with the number of its family, ordered by labels.
    series: Vec<(Labels, usize, Part)>,
    interval: Duration,
    phases: Vec<Phase>,
}

/// Which series of a family, for its value.
#[derive(Copy, Clone, Debug)]
enum Part {
    Whole,
    Bucket(f64),
    Sum,
    Count,
}

impl Signals {
    /// Families that do this from a time on, seen once an interval from then on.
    pub(super) fn new(
        families: &[Family],
        interval: Duration,
        from: Timestamp,
        shapes: &[Shape],
    ) -> Signals {
        let mut series: Vec<(Labels, usize, Part)> = families
            .iter()
            .enumerate()
            .flat_map(|(index, family)| {
                let parts = parts(family).into_iter();
                parts.map(move |(labels, part)| (labels, index, part))
            })
            .collect();
        series.sort_by(|one, other| one.0.cmp(&other.0));
        Signals {
            series,
            interval,
            phases: vec![Phase {
                from,
                shapes: shapes.to_vec(),
            }],
        }
    }

    /// From `from` on, which is after every change before it, the families do this.
    pub(crate) fn change(&mut self, from: Timestamp, shapes: &[Shape]) {
        self.phases.push(Phase {
            from,
            shapes: shapes.to_vec(),
        });
    }

    /// The first time at which there are samples.
    fn begin(&self) -> Timestamp {
        self.phases[0].from
    }

    /// The times with samples in a span, both ends inclusive.
    pub(crate) fn times(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = Timestamp> + use<> {
        let step = i64::try_from(self.interval.as_millis()).unwrap_or(i64::MAX);
        let begin = self.begin().as_millis();
        let first = (from.as_millis() - begin).max(0);
        let first = first.div_euclid(step) + i64::from(first.rem_euclid(step) != 0);
        let last = (to.as_millis() - begin).div_euclid(step);
        (first..=last).map(move |index| Timestamp::from_millis(begin + index * step))
    }

    /// The samples of a time. What has just vanished has a marker, as a scrape writes it.
    pub(crate) fn samples(&self, at: Timestamp) -> Vec<(Labels, f64)> {
        let present = self.series.iter().filter_map(|(labels, family, part)| {
            let value = self.value(*family, *part, at)?;
            Some((labels.clone(), value))
        });
        present.collect()
    }

    fn value(&self, family: usize, part: Part, at: Timestamp) -> Option<f64> {
        let present = self.phases.iter().rposition(|phase| phase.from <= at)?;
        let phase = &self.phases[present];
        let inside = at.since(phase.from).as_secs_f64();
        let seconds = at.as_millis().div_euclid(1_000) as f64;
        match phase.shapes[family] {
            Shape::Absent => {
                let before = self.phases[..present].last();
                let was_there = before.is_some_and(|own| own.shapes[family] != Shape::Absent);
                let just_now = at.since(phase.from) < self.interval;
                (was_there && just_now).then(stale_marker)
            }
            Shape::Constant(value) => Some(value),
            Shape::Now => Some(seconds),
            Shape::Flapping => {
                let index = at.since(self.begin()).as_millis() / self.interval.as_millis().max(1);
                Some(if index.is_multiple_of(2) { 1.0 } else { 0.0 })
            }
            shape @ (Shape::Growing(_) | Shape::Observing(..)) => {
                let before = self.grown_before(family, part, present);
                Some(before + speed(shape, part) * inside)
            }
        }
    }

    /// How much a family had grown when a phase began.
    fn grown_before(&self, family: usize, part: Part, phase: usize) -> f64 {
        let pairs = self.phases[..=phase].windows(2);
        pairs
            .map(|pair| {
                let length = pair[1].from.since(pair[0].from).as_secs_f64();
                speed(pair[0].shapes[family], part) * length
            })
            .sum()
    }
}

/// The series of a family.
fn parts(family: &Family) -> Vec<(Labels, Part)> {
    let Kind::Histogram(bounds) = &family.kind else {
        return vec![(family.series("", None), Part::Whole)];
    };
    let buckets = bounds.iter().map(|bound| {
        let labels = family.series("_bucket", Some(*bound));
        (labels, Part::Bucket(*bound))
    });
    let both = [
        (family.series("_sum", None), Part::Sum),
        (family.series("_count", None), Part::Count),
    ];
    buckets.chain(both).collect()
}

/// By how much a series grows a second.
fn speed(shape: Shape, part: Part) -> f64 {
    match (shape, part) {
        (Shape::Growing(by), _) => by,
        (Shape::Observing(value, often), Part::Bucket(bound)) if value <= bound => often,
        (Shape::Observing(_, often), Part::Count | Part::Whole) => often,
        (Shape::Observing(value, often), Part::Sum) => value * often,
        (Shape::Observing(..), Part::Bucket(_))
        | (Shape::Absent | Shape::Constant(_) | Shape::Now | Shape::Flapping, _) => 0.0,
    }
}

impl SeriesSource for Signals {
    fn select(&self, selection: &Selection<'_>) -> Result<Vec<Series>, SourceError> {
        let times: Vec<Timestamp> = self.times(selection.from, selection.to).collect();
        let mut found = Vec::new();
        let mut count = 0;
        for (labels, family, part) in &self.series {
            let is_asked = |own: &Matcher| own.matches(labels.get(own.name()).unwrap_or_default());
            if !selection.matchers.iter().all(is_asked) {
                continue;
            }
            let (timestamps, values): (Vec<_>, Vec<_>) = times
                .iter()
                .filter_map(|at| Some((*at, self.value(*family, *part, *at)?)))
                .unzip();
            count += values.len();
            if count > selection.samples_max {
                return Err(SourceError::TooManySamples {
                    limit: selection.samples_max,
                });
            }
            if !values.is_empty() {
                found.push(Series {
                    labels: labels.clone(),
                    timestamps,
                    values,
                });
            }
        }
        Ok(found)
    }
}

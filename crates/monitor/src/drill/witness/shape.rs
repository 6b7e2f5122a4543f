//! What a series of a drill can do, and which of it is worth trying for a metric of a type.

use plan::MetricType;

use super::families::{Family, Kind};

/// The most shapes that are tried for one family of series.
const CANDIDATES_MAX: usize = 40;
/// How fast things grow that shall grow fast, a second.
const FAST: f64 = 1_000.0;
/// A value that is larger than any threshold that people write.
const LARGE: f64 = 1e12;
/// One that is smaller, and not nothing.
const SMALL: f64 = 1e-6;

/// What the series of one family do.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// They are not there.
    Absent,
    /// They have this value.
    Constant(f64),
    /// They grow by so much a second.
    Growing(f64),
    /// Their value is the time, in seconds since 1970.
    Now,
    /// They are 1 and 0 in turn.
    Flapping,
    /// A histogram observes this value so often a second.
    Observing(f64, f64),
}

impl Shape {
    /// In words, after the metric's name.
    pub(crate) fn in_words(self) -> String {
        match self {
            Shape::Absent => "is absent".to_owned(),
            Shape::Constant(value) => format!("is {value}"),
            Shape::Growing(0.0) => "stands still".to_owned(),
            Shape::Growing(by) if by < 0.0 => format!("falls by {} a second", -by),
            Shape::Growing(by) => format!("grows by {by} a second"),
            Shape::Now => "is the present time".to_owned(),
            Shape::Flapping => "is 1 and 0 in turn".to_owned(),
            Shape::Observing(_, 0.0) => "observes nothing".to_owned(),
            Shape::Observing(value, 1.0) => format!("observes {value} once a second"),
            Shape::Observing(value, often) => {
                format!("observes {value} {often} times a second")
            }
        }
    }
}

/// The shapes that are tried for a family, the likeliest first. `numbers` are those that the expression names: what lies beside
/// a threshold says most.
pub(super) fn candidates(family: &Family, numbers: &[f64]) -> Vec<Shape> {
    let mut found = Vec::new();
    match &family.kind {
        Kind::Histogram(bounds) => observing(&mut found, numbers, bounds),
        Kind::Simple => match family.metric_type {
            Some(MetricType::Counter) => {
                growing(&mut found, numbers);
                constant(&mut found, numbers);
                found.push(Shape::Flapping);
            }
            Some(MetricType::Gauge | MetricType::Histogram | MetricType::Summary) => {
                constant(&mut found, numbers);
                changing(&mut found);
            }
            None => {
                constant(&mut found, numbers);
                changing(&mut found);
                growing(&mut found, numbers);
            }
        },
    }
    found.push(Shape::Absent);
    let mut tried: Vec<Shape> = Vec::new();
    for shape in found {
        if !tried.contains(&shape) {
            tried.push(shape);
        }
    }
    // Absence says something of its own; it must not be what is cut.
    if tried.len() > CANDIDATES_MAX {
        tried.truncate(CANDIDATES_MAX - 1);
        tried.push(Shape::Absent);
    }
    tried
}

fn growing(found: &mut Vec<Shape>, numbers: &[f64]) {
    found.extend([Shape::Growing(1.0), Shape::Growing(0.0)]);
    for number in numbers {
        found.extend([number * 2.0, number / 2.0].map(|by| Shape::Growing(by.abs())));
    }
    found.push(Shape::Growing(FAST));
}

fn constant(found: &mut Vec<Shape>, numbers: &[f64]) {
    let mut push = |value: f64| found.push(Shape::Constant(value));
    push(1.0);
    push(0.0);
    for number in numbers {
        for value in [
            number + number / 10.0,
            number - number / 10.0,
            *number,
            number + 1.0,
            number - 1.0,
        ] {
            push(value);
        }
    }
    for value in [LARGE, SMALL, -1.0, -LARGE, 100.0] {
        push(value);
    }
}

fn changing(found: &mut Vec<Shape>) {
    found.extend([
        Shape::Now,
        Shape::Growing(1.0),
        Shape::Growing(-1.0),
        Shape::Growing(FAST),
        Shape::Growing(-FAST),
        Shape::Flapping,
    ]);
}

fn observing(found: &mut Vec<Shape>, numbers: &[f64], bounds: &[f64]) {
    let finite = bounds.iter().filter(|bound| bound.is_finite());
    let slow = finite.clone().next_back().map_or(1.0, |last| last * 2.0);
    let fast = finite.clone().next().map_or(1.0, |first| first / 2.0);
    let mut values = Vec::new();
    for number in numbers {
        values.extend([number * 1.5, number / 2.0]);
    }
    values.extend([fast, slow]);
    for often in [1.0, FAST] {
        found.extend(values.iter().map(|value| Shape::Observing(*value, often)));
        if often == 1.0 {
            found.push(Shape::Observing(fast, 0.0));
        }
    }
}

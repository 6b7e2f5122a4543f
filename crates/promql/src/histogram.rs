//! Quantiles and fractions of classic histograms: cumulative `_bucket` series told apart by `le`.
//!
//! Source of the interpolation: the Prometheus documentation of `histogram_quantile` and `histogram_fraction`:
//! observations are spread evenly within a bucket; the lowest bucket starts at 0 when its bound is positive; nothing is
//! known inside a bucket with an infinite bound.

use std::collections::HashMap;

use model::Labels;

use crate::Span;
use crate::ast::Expr;
use crate::evaluator::Evaluator;
use crate::float::{format_open_metrics, parse_float};
use crate::query::EvalError;
use crate::sample::{InstantSample, InstantVector};

/// The label that holds a bucket's upper bound.
const BOUND: &str = "le";

/// Counts may fall from one bucket to the next by this much, relatively, without being an error of the data:
/// sums of floats are not exact.
const SMALL_DELTA: f64 = 1e-12;

/// One histogram at one step.
pub(crate) struct Histogram {
    labels: Labels,
    buckets: Vec<Bucket>,
}

#[derive(Copy, Clone, Debug)]
struct Bucket {
    upper: f64,
    count: f64,
}

/// Warns when a quantile lies outside of 0 to 1.
pub(crate) fn check_quantile(evaluator: &Evaluator<'_>, q: f64, span: Span) {
    if !(0.0..=1.0).contains(&q) {
        let shown = crate::float::format_label(q);
        evaluator.warn(
            span,
            format!("quantile value should be between 0 and 1, got {shown}"),
        );
    }
}

/// Collects the buckets of an instant vector into histograms, in the order of first appearance.
pub(crate) fn groups(
    evaluator: &Evaluator<'_>,
    argument: &Expr,
    at: i64,
) -> Result<Vec<Histogram>, EvalError> {
    let mut histograms: Vec<Histogram> = Vec::new();
    let mut index: HashMap<Labels, usize> = HashMap::new();
    for sample in evaluator.vector(argument, at)? {
        let bound = sample.labels.get(BOUND).unwrap_or("");
        let Some(upper) = parse_float(bound) else {
            let name = sample.labels.metric_name();
            let message = format!(
                "bucket label \"le\" is missing or has a malformed value of {bound:?} for metric name {name:?}"
            );
            evaluator.warn(argument.span(), message);
            continue;
        };
        let labels = sample.labels.without(BOUND);
        let position = *index.entry(labels.clone()).or_insert_with(|| {
            histograms.push(Histogram {
                labels,
                buckets: Vec::new(),
            });
            histograms.len() - 1
        });
        histograms[position].buckets.push(Bucket {
            upper,
            count: sample.value,
        });
    }
    Ok(histograms)
}

/// The wanted quantiles of each histogram; a quantile with a label name is written into that label.
pub(crate) fn quantiles(
    evaluator: &Evaluator<'_>,
    histograms: Vec<Histogram>,
    wanted: &[(f64, Option<&str>)],
    span: Span,
) -> Result<InstantVector, EvalError> {
    let mut vector = Vec::new();
    for mut histogram in histograms {
        sort_and_merge(&mut histogram.buckets);
        let fixed = make_monotonic(&mut histogram.buckets);
        for (q, label) in wanted {
            let labels = match label {
                Some(label) => histogram.labels.with(label, &format_open_metrics(*q)),
                None => histogram.labels.clone(),
            };
            vector.push(InstantSample {
                labels,
                drop_name: true,
                value: quantile(*q, &histogram.buckets),
            });
        }
        if fixed {
            let name = histogram.labels.metric_name();
            let message = format!(
                "input to histogram_quantile needed to be fixed for monotonicity for metric name {name:?}; its buckets were not read at the same moment"
            );
            evaluator.info(span, message);
        }
    }
    Ok(vector)
}

/// The fraction of observations between two bounds, of each histogram.
pub(crate) fn fractions(histograms: Vec<Histogram>, lower: f64, upper: f64) -> InstantVector {
    histograms
        .into_iter()
        .map(|mut histogram| {
            sort_and_merge(&mut histogram.buckets);
            make_monotonic(&mut histogram.buckets);
            InstantSample {
                value: fraction(lower, upper, &histogram.buckets),
                drop_name: true,
                labels: histogram.labels,
            }
        })
        .collect()
}

/// Orders by bound; bounds that are spelled differently but equal become one bucket.
fn sort_and_merge(buckets: &mut Vec<Bucket>) {
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    buckets.dedup_by(|next, kept| {
        let same = next.upper == kept.upper;
        if same {
            kept.count += next.count;
        }
        same
    });
}

/// Cumulative counts never fall; raises those that do. Answers whether one fell by more than rounding.
fn make_monotonic(buckets: &mut [Bucket]) -> bool {
    let mut fixed = false;
    let mut highest = f64::NEG_INFINITY;
    for bucket in buckets {
        if bucket.count < highest {
            fixed |= highest - bucket.count > SMALL_DELTA * (highest.abs() + bucket.count.abs());
            bucket.count = highest;
        } else if bucket.count > highest {
            highest = bucket.count;
        }
    }
    fixed
}

fn has_infinite_end(buckets: &[Bucket]) -> bool {
    buckets
        .last()
        .is_some_and(|bucket| bucket.upper == f64::INFINITY)
}

fn quantile(q: f64, buckets: &[Bucket]) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    if buckets.len() < 2 || !has_infinite_end(buckets) {
        return f64::NAN;
    }
    let last = buckets.len() - 1;
    let observations = buckets[last].count;
    if observations == 0.0 || observations.is_nan() {
        return f64::NAN;
    }
    let rank = q * observations;
    let index = buckets[..last].partition_point(|bucket| bucket.count < rank);
    if index == last {
        return buckets[last - 1].upper;
    }
    let upper = buckets[index].upper;
    if index == 0 && upper <= 0.0 {
        return upper;
    }
    let (lower, before) = match index {
        0 => (0.0, 0.0),
        _ => (buckets[index - 1].upper, buckets[index - 1].count),
    };
    let inside = buckets[index].count - before;
    lower + (upper - lower) * ((rank - before) / inside)
}

fn fraction(lower: f64, upper: f64, buckets: &[Bucket]) -> f64 {
    if !has_infinite_end(buckets) || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    let observations = buckets[buckets.len() - 1].count;
    if observations == 0.0 || observations.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank(upper, buckets) - rank(lower, buckets)) / observations
}

/// How many observations lie at or below a value.
fn rank(value: f64, buckets: &[Bucket]) -> f64 {
    let last = buckets.len() - 1;
    if value == f64::INFINITY {
        return buckets[last].count;
    }
    if value == f64::NEG_INFINITY {
        return 0.0;
    }
    let index = buckets.partition_point(|bucket| bucket.upper < value);
    let bucket = buckets[index];
    let (lower, before) = match index {
        0 if bucket.upper > 0.0 => (0.0, 0.0),
        0 => (f64::NEG_INFINITY, 0.0),
        _ => (buckets[index - 1].upper, buckets[index - 1].count),
    };
    if value <= lower {
        return before;
    }
    if lower == f64::NEG_INFINITY {
        return bucket.count;
    }
    if bucket.upper == f64::INFINITY {
        return before;
    }
    before + (bucket.count - before) * ((value - lower) / (bucket.upper - lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(list: &[(f64, f64)]) -> Vec<Bucket> {
        list.iter()
            .map(|(upper, count)| Bucket {
                upper: *upper,
                count: *count,
            })
            .collect()
    }

    #[test]
    fn interpolates() {
        let list = buckets(&[(1.0, 1.0), (2.0, 3.0), (f64::INFINITY, 4.0)]);
        assert_eq!(quantile(0.5, &list), 1.5);
        assert_eq!(quantile(1.0, &list), 2.0);
        assert_eq!(fraction(0.5, 2.0, &list), 0.625);
    }

    #[test]
    fn no_answer_without_infinite_bucket() {
        assert!(quantile(0.5, &buckets(&[(1.0, 1.0), (2.0, 3.0)])).is_nan());
        assert!(quantile(0.5, &[]).is_nan());
    }
}

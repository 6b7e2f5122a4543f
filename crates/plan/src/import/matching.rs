//! Which declared metric a phrase speaks of: the one whose name shares its words. Nothing of any application is known here;
//! a metric that no word points to is not found.

use crate::MetricType;

use super::reading::{MetricDraft, Reading};
use super::words;

/// The metric that has the most of these things in its name, and of those the one that speaks of the least else. At least
/// half of the things must be there. Of equals one without labels is taken, then the first.
pub(super) fn find<'r>(
    reading: &'r Reading<'_>,
    things: &[String],
    fits: impl Fn(&MetricDraft, &[String]) -> bool,
) -> Option<&'r MetricDraft> {
    let mut best: Option<(usize, usize, bool, &MetricDraft)> = None;
    for metric in &reading.metrics {
        let own = words::things(&metric.name);
        let shared = things.iter().filter(|thing| own.contains(thing)).count();
        if shared == 0 || shared * 2 < things.len() || !fits(metric, &own) {
            continue;
        }
        let (other, split) = (own.len() - shared, !metric.labels.is_empty());
        let better = best.is_none_or(|(most, least, is_split, _)| {
            (shared, least, is_split) > (most, other, split)
        });
        if better {
            best = Some((shared, other, split, metric));
        }
    }
    best.map(|(_, _, _, metric)| metric)
}

/// A metric of this type.
pub(super) fn of_type<'r>(
    reading: &'r Reading<'_>,
    things: &[String],
    metric_type: MetricType,
) -> Option<&'r MetricDraft> {
    find(reading, things, |metric, _| {
        metric.metric_type == metric_type
    })
}

/// A counter that has this word in its name besides.
pub(super) fn counter_of<'r>(
    reading: &'r Reading<'_>,
    things: &[String],
    word: &str,
) -> Option<&'r MetricDraft> {
    let mut things = things.to_vec();
    if !things.iter().any(|thing| thing == word) {
        things.push(word.to_owned());
    }
    let has_word = |own: &[String]| own.iter().any(|thing| thing == word);
    find(reading, &things, |metric, own| {
        metric.metric_type == MetricType::Counter && has_word(own)
    })
}

/// A counter of what went well, or of all of it: none of errors.
pub(super) fn good_counter<'r>(
    reading: &'r Reading<'_>,
    things: &[String],
) -> Option<&'r MetricDraft> {
    find(reading, things, |metric, own| {
        metric.metric_type == MetricType::Counter && !own.iter().any(|thing| thing == "error")
    })
}

/// The counter of all events of which another counts the errors: it shares the most of the other words, the protocol's
/// included (`http_errors_total`, `http_requests_total`), or it counts requests.
pub(super) fn all_events<'r>(
    reading: &'r Reading<'_>,
    errors: &MetricDraft,
) -> Option<&'r MetricDraft> {
    let about: Vec<String> = words::split(&errors.name)
        .iter()
        .map(|word| words::canonical(word))
        .collect();
    let about: Vec<&String> = about
        .iter()
        .filter(|word| *word != "error" && *word != "total")
        .collect();
    let mut best: Option<(usize, bool, &MetricDraft)> = None;
    for metric in &reading.metrics {
        let own: Vec<String> = words::split(&metric.name)
            .iter()
            .map(|word| words::canonical(word))
            .collect();
        if metric.metric_type != MetricType::Counter || own.iter().any(|word| word == "error") {
            continue;
        }
        let shared = about.iter().filter(|word| own.contains(word)).count();
        let requests = own.iter().any(|word| word == "request");
        let possible = shared > 0 || (about.is_empty() && requests);
        if possible
            && best.is_none_or(|(most, is_requests, _)| (shared, requests) > (most, is_requests))
        {
            best = Some((shared, requests, metric));
        }
    }
    best.map(|(_, _, metric)| metric)
}

/// Two gauges of which one says how much there may be of the other: `x_size_bytes` and `x_limit_bytes`.
pub(super) fn used_and_limit<'r>(
    reading: &'r Reading<'_>,
    things: &[String],
) -> Option<(&'r MetricDraft, &'r MetricDraft)> {
    const USED: [&str; 4] = ["usage", "size", "length", "activ"];
    let is_limit = |own: &[String]| own.iter().any(|thing| thing == "limit");
    let gauge = |metric: &MetricDraft| metric.metric_type == MetricType::Gauge;
    let limit = find(reading, things, |metric, own| {
        gauge(metric) && is_limit(own)
    })?;
    let used = find(reading, things, |metric, own| {
        let is_used = own.iter().any(|thing| USED.contains(&thing.as_str()));
        gauge(metric) && is_used && !is_limit(own) && metric.unit == limit.unit
    })?;
    Some((used, limit))
}

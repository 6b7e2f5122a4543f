//! What the plan and Belfry know about a series by its name: what kind of figure it is, its unit, its labels, its possible
//! values, and how often a new sample of it arrives.

use std::time::Duration;

use super::{Facts, LabelSet, Nature, Share, Unit, Values};
use crate::series::BELFRY_SERIES;
use crate::{Metric, MetricType, Plan};

/// Labels of everything that is scraped.
const SCRAPED: [&str; 2] = ["job", "instance"];

/// Which part of a metric a series is.
enum Part {
    Whole,
    Buckets,
    SumOrCount { is_sum: bool },
}

/// What is known about the series of a name.
pub(crate) fn series(plan: &Plan, name: &str) -> Facts {
    if let Some((metric, part)) = declared(plan, name) {
        return of_metric(metric, &part);
    }
    of_belfry(name).unwrap_or_else(Facts::unknown)
}

/// The declared metric that a series belongs to.
pub(crate) fn metric_of<'p>(plan: &'p Plan, series: &str) -> Option<&'p Metric> {
    declared(plan, series).map(|(metric, _)| metric)
}

fn declared<'p>(plan: &'p Plan, name: &str) -> Option<(&'p Metric, Part)> {
    if let Some(metric) = plan.metrics.iter().find(|metric| metric.name == name) {
        return Some((metric, Part::Whole));
    }
    plan.metrics.iter().find_map(|metric| {
        let suffix = name.strip_prefix(metric.name.as_str())?;
        let part = match (metric.metric_type, suffix) {
            (MetricType::Histogram, "_bucket") => Part::Buckets,
            (MetricType::Histogram | MetricType::Summary, "_sum") => {
                Part::SumOrCount { is_sum: true }
            }
            (MetricType::Histogram | MetricType::Summary, "_count") => {
                Part::SumOrCount { is_sum: false }
            }
            _ => return None,
        };
        Some((metric, part))
    })
}

fn of_metric(metric: &Metric, part: &Part) -> Facts {
    let own = metric.labels.iter().map(String::as_str);
    let scraped: &[&str] = if metric.source.is_some() {
        &SCRAPED
    } else {
        &[]
    };
    let written = listed(&metric.name).unwrap_or(&[]);
    let labels = LabelSet::of(
        own.chain(scraped.iter().copied())
            .chain(written.iter().copied()),
    );
    let unit = Unit::Plain(metric.unit.clone());
    match (metric.metric_type, part) {
        (_, Part::Buckets) => Facts {
            nature: Nature::Buckets,
            unit,
            values: Values::FROM_ZERO,
            ..Facts::of(labels.with("le"))
        },
        (_, Part::SumOrCount { is_sum }) => Facts {
            nature: Nature::Counter,
            unit: if *is_sum { unit } else { Unit::count() },
            values: Values::FROM_ZERO,
            ..Facts::of(labels)
        },
        (MetricType::Counter, Part::Whole) => Facts {
            nature: Nature::Counter,
            unit,
            values: Values::FROM_ZERO,
            ..Facts::of(labels)
        },
        (MetricType::Gauge, Part::Whole) => gauge(unit, labels),
        (MetricType::Summary, Part::Whole) => Facts {
            nature: Nature::Quantile,
            unit,
            ..Facts::of(labels.with("quantile"))
        },
        // Nothing has the bare name of a histogram; reading says so.
        (MetricType::Histogram, Part::Whole) => Facts::unknown(),
    }
}

fn gauge(unit: Unit, labels: LabelSet) -> Facts {
    let is_ratio = unit.is_ratio();
    let values = match &unit {
        Unit::Plain(unit) if unit == "ratio" => Values::SHARE,
        Unit::Plain(unit) if unit == "bytes" || unit == "percent" => Values::FROM_ZERO,
        Unit::Plain(_) | Unit::PerSecond(_) | Unit::Unknown => Values::ANY,
    };
    Facts {
        nature: Nature::Gauge,
        unit,
        values,
        share: if is_ratio { Share::Surely } else { Share::No },
        ..Facts::of(labels)
    }
}

fn listed(name: &str) -> Option<&'static [&'static str]> {
    let found = BELFRY_SERIES.iter().find(|(own, _)| *own == name);
    found.map(|(_, labels)| *labels)
}

/// What Belfry itself writes.
fn of_belfry(name: &str) -> Option<Facts> {
    let labels = match listed(name) {
        Some(labels) => LabelSet::of(labels),
        None if name.starts_with("belfry_") => LabelSet::any(),
        None => return None,
    };
    let is_counter = name.ends_with("_total") && name != "host_memory_total_bytes";
    let values = match name {
        "up" | "probe_success" | "probe_dependency_up" | crate::series::PLAN_METRIC_PRESENT => {
            Values::FLAG
        }
        "ALERTS" => Values::of(1.0),
        "probe_http_status_code" => Values::whole(0.0, 599.0),
        _ => Values::FROM_ZERO,
    };
    let nature = match (is_counter, listed(name).is_some()) {
        (true, _) => Nature::Counter,
        (false, true) => Nature::Gauge,
        // Belfry's own figures are many and documented elsewhere.
        (false, false) => Nature::Unknown,
    };
    Some(Facts {
        nature,
        unit: unit_of(name),
        values,
        ..Facts::of(labels)
    })
}

/// The unit that a name of Belfry's ends with.
fn unit_of(name: &str) -> Unit {
    let bare = name.strip_suffix("_total").unwrap_or(name);
    match bare.rsplit_once('_') {
        Some((_, unit @ ("seconds" | "bytes"))) => Unit::Plain(unit.to_owned()),
        Some(_) | None => Unit::count(),
    }
}

/// How often a new sample of a series arrives, where the plan says so. `fixed` gives the value of a label that a selector
/// fixes.
pub(crate) fn interval<'m>(
    plan: &Plan,
    name: &str,
    fixed: impl Fn(&str) -> Option<&'m str>,
) -> Option<Duration> {
    let of_jobs = |job: Option<&str>| {
        plan.targets
            .iter()
            .filter(|target| job.is_none_or(|job| target.job == job))
            .map(|target| target.interval)
            .max()
    };
    if let Some(metric) = metric_of(plan, name)
        && metric.source.is_some()
    {
        return of_jobs(metric.source.as_deref());
    }
    if name == "up" || name.starts_with("scrape_") {
        return of_jobs(fixed("job"));
    }
    if name.starts_with("host_") {
        return plan.host.as_ref().map(|host| host.interval);
    }
    if name.starts_with("probe_") {
        let (probe, kind) = (fixed("probe"), fixed("kind"));
        let meant = plan.probes.iter().filter(|own| {
            probe.is_none_or(|probe| own.name == probe)
                && kind.is_none_or(|kind| own.kind.as_str() == kind)
                && (name != "probe_dependency_up" || !own.dependencies.is_empty())
        });
        return meant.map(|own| own.interval).max();
    }
    None
}

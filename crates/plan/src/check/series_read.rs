//! Every series that an expression reads must come from somewhere: a declared metric, or Belfry itself.
//!
//! An alert over a misspelt name never fires and looks healthy for ever, so this is an error and not a hint.

use crate::context::{Context, Kind, SeriesRead};
use crate::diagnostics::{Finding, quote};
use crate::series::{BELFRY_SERIES, Writer, writer};
use crate::suggest::did_you_mean;
use crate::{Code, MetricType};

/// Suffixes under which a histogram's series are read, and a summary's.
const HISTOGRAM_SUFFIXES: [&str; 3] = ["_bucket", "_sum", "_count"];
const SUMMARY_SUFFIXES: [&str; 2] = ["_sum", "_count"];

pub(super) fn check(context: &mut Context<'_>) {
    let reads = std::mem::take(&mut context.reads);
    for read in &reads {
        check_one(context, read);
    }
}

fn check_one(context: &mut Context<'_>, read: &SeriesRead) {
    let declared = context
        .metric_types
        .iter()
        .find(|(name, _)| *name == read.name);
    match declared {
        Some((_, Some(MetricType::Histogram))) => bare_histogram(context, read),
        Some(_) => {}
        None if metric_of(&read.name, &context.metric_types).is_some() => {}
        None => match writer(&read.name) {
            Writer::Belfry => {}
            Writer::BelfryUnlisted => unlisted(context, read),
            Writer::Target => unknown(context, read),
        },
    }
}

/// The declared metric that a series with a suffix belongs to.
pub(crate) fn metric_of<'m>(
    series: &str,
    metrics: &'m [(String, Option<MetricType>)],
) -> Option<&'m str> {
    metrics.iter().find_map(|(name, metric_type)| {
        let suffixes: &[&str] = match metric_type {
            Some(MetricType::Histogram) | None => &HISTOGRAM_SUFFIXES,
            Some(MetricType::Summary) => &SUMMARY_SUFFIXES,
            Some(MetricType::Counter | MetricType::Gauge) => &[],
        };
        let suffix = series.strip_prefix(name.as_str())?;
        suffixes.contains(&suffix).then_some(name.as_str())
    })
}

fn bare_histogram(context: &mut Context<'_>, read: &SeriesRead) {
    let name = &read.name;
    let message = format!(
        "{} is a histogram, and no series has its bare name",
        quote(name)
    );
    let help = format!("read `{name}_bucket`, `{name}_sum` or `{name}_count`");
    context.error(Code::UnknownMetric, &read.span, message, "histogram", help);
}

fn unlisted(context: &mut Context<'_>, read: &SeriesRead) {
    let message = format!("this Belfry is not known to write {}", quote(&read.name));
    let meant = did_you_mean(&read.name, BELFRY_SERIES.iter().map(|(name, _)| *name));
    let help = if meant.is_empty() {
        "declare it under `metrics` if a target exposes it".to_owned()
    } else {
        meant
    };
    let finding = Finding {
        code: Code::UnknownBelfrySeries,
        message,
        label: String::new(),
        help,
    };
    context.report.warning(&read.span, finding);
}

fn unknown(context: &mut Context<'_>, read: &SeriesRead) {
    let message = format!("nothing in the plan exposes {}", quote(&read.name));
    let mut possible: Vec<String> = context.names(Kind::Metric).map(str::to_owned).collect();
    for (name, metric_type) in &context.metric_types {
        if *metric_type == Some(MetricType::Histogram) {
            possible.extend(HISTOGRAM_SUFFIXES.map(|suffix| format!("{name}{suffix}")));
        }
    }
    possible.extend(BELFRY_SERIES.iter().map(|(name, _)| (*name).to_owned()));
    let meant = did_you_mean(&read.name, possible.iter().map(String::as_str));
    let help = if meant.is_empty() {
        "declare it under `metrics`, or correct the name".to_owned()
    } else {
        meant
    };
    context.error(
        Code::UnknownMetric,
        &read.span,
        message,
        "unknown metric",
        help,
    );
}

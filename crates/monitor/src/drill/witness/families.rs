//! Which series an expression is about: one family for each metric and set of labels that its selectors ask for.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{LabelsBuilder, METRIC_NAME, Matcher};
use plan::{AlertRule, BELFRY_SERIES, Metric, MetricType, Plan};
use promql::{Expr, ExprKind, SelectorRef};

use super::example::value_for;

/// The label that tells series of a drill from all others, and its value.
pub(crate) const DRILL_LABEL: (&str, &str) = ("drill", "virtual");
/// What stands in labels that the expression does not ask about.
const LABEL_VALUE: &str = "drill";
/// The bounds that histograms have which the expression does not name: those of most client libraries.
const USUAL_BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// The most numbers of an expression that are looked at.
const NUMBERS_MAX: usize = 6;

/// Series that do the same.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    /// The metric, for a histogram without its ending.
    pub(crate) name: String,
    /// What kind it is.
    pub(crate) kind: Kind,
    /// The type that the plan declares, or that the name tells.
    pub(crate) metric_type: Option<MetricType>,
    /// The labels, without the name and `le`.
    pub(crate) labels: BTreeMap<String, String>,
}

/// How many series a family has.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// One.
    Simple,
    /// A bucket for each of these bounds, in order, the last of them infinite; a sum and a count.
    Histogram(Vec<f64>),
}

impl Family {
    /// A series of the family: with an ending of the name, and perhaps a bound.
    pub(super) fn series(&self, ending: &str, bound: Option<f64>) -> model::Labels {
        let mut builder = LabelsBuilder::default();
        for (name, value) in &self.labels {
            builder.set(name, value);
        }
        if let Some(bound) = bound {
            builder.set("le", &bound_text(bound));
        }
        builder.set(METRIC_NAME, &format!("{}{ending}", self.name));
        builder.build()
    }
}

fn bound_text(bound: f64) -> String {
    if bound.is_infinite() {
        "+Inf".to_owned()
    } else {
        bound.to_string()
    }
}

/// The families of a rule's expression.
pub(super) fn families(plan: &Plan, rule: &AlertRule) -> Vec<Family> {
    let expr = &rule.expr.parsed;
    let numbers = numbers(expr);
    let mut found: Vec<Family> = Vec::new();
    for selector in expr.selectors() {
        let Some(family) = family(plan, &selector, &numbers) else {
            continue;
        };
        let is_known = |own: &Family| own.name == family.name && own.labels == family.labels;
        if !found.iter().any(is_known) {
            found.push(family);
        }
    }
    found
}

/// The numbers that an expression names, those of thresholds among them, each once.
pub(super) fn numbers(expr: &Expr) -> Vec<f64> {
    let mut found: Vec<f64> = Vec::new();
    expr.visit(&mut |expr| {
        if let ExprKind::Number(number) = expr.kind()
            && number.0.is_finite()
            && !found.contains(&number.0)
        {
            found.push(number.0);
        }
    });
    // A comparison ends in its threshold: the last is the likeliest.
    found.reverse();
    found.truncate(NUMBERS_MAX);
    found
}

/// How far back an expression looks.
pub(crate) fn window(expr: &Expr) -> Duration {
    let back = |offset_ms: i64| Duration::from_millis(offset_ms.max(0) as u64);
    let selectors = expr.selectors();
    let longest = selectors
        .iter()
        .map(|own| own.range.unwrap_or_default() + back(own.offset_ms))
        .max();
    let mut around = Duration::ZERO;
    expr.visit(&mut |expr| {
        if let ExprKind::Subquery(subquery) = expr.kind() {
            around += subquery.range + back(subquery.offset_ms);
        }
    });
    longest.unwrap_or_default() + around
}

fn family(plan: &Plan, selector: &SelectorRef<'_>, numbers: &[f64]) -> Option<Family> {
    let named = selector
        .matchers
        .iter()
        .find(|own| own.name() == METRIC_NAME);
    let written = match selector.name {
        Some(name) => name.to_owned(),
        None => value_for(named?, "")?,
    };
    let declared = |name: &str| plan.metrics.iter().find(|metric| metric.name == name);
    let of_histogram = ["_bucket", "_count", "_sum"].iter().find_map(|ending| {
        let metric = declared(written.strip_suffix(ending)?)?;
        (metric.metric_type == MetricType::Histogram).then_some(metric)
    });
    let metric = of_histogram.or_else(|| declared(&written));
    let kind = if of_histogram.is_some() {
        Kind::Histogram(bounds(selector.matchers, numbers))
    } else {
        Kind::Simple
    };
    let by_name = written.ends_with("_total").then_some(MetricType::Counter);
    Some(Family {
        labels: labels(plan, metric, &written, selector.matchers)?,
        metric_type: metric.map(|own| own.metric_type).or(by_name),
        name: metric.map_or(written, |own| own.name.clone()),
        kind,
    })
}

/// The labels of the series: what the metric has, changed to what the selector asks for. `None` where nothing can satisfy it.
fn labels(
    plan: &Plan,
    metric: Option<&Metric>,
    written: &str,
    matchers: &[Matcher],
) -> Option<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    let job = metric.and_then(|own| own.source.clone());
    let usual_job = job.or_else(|| plan.targets.first().map(|target| target.job.clone()));
    let own = BELFRY_SERIES.iter().find(|(name, _)| *name == written);
    let own = own.map_or(&[][..], |(_, labels)| labels);
    let split = metric.map_or(&[][..], |own| own.labels.as_slice());
    let names = split.iter().map(String::as_str).chain(own.iter().copied());
    for name in names {
        labels.insert(name.to_owned(), LABEL_VALUE.to_owned());
    }
    if metric.is_some() || labels.contains_key("job") {
        labels.insert("job".to_owned(), usual_job.unwrap_or_default());
        labels.insert("instance".to_owned(), LABEL_VALUE.to_owned());
    }
    labels.insert(DRILL_LABEL.0.to_owned(), DRILL_LABEL.1.to_owned());
    let asked = matchers
        .iter()
        .filter(|own| own.name() != METRIC_NAME && own.name() != "le");
    for matcher in asked {
        let before = labels.get(matcher.name()).cloned().unwrap_or_default();
        let value = value_for(matcher, &before)?;
        if value.is_empty() {
            labels.remove(matcher.name());
        } else {
            labels.insert(matcher.name().to_owned(), value);
        }
    }
    Some(labels)
}

/// The bounds of a histogram: the usual ones, what the selector names, and what lies around the expression's numbers, so that a
/// quantile can fall on either side of a threshold.
fn bounds(matchers: &[Matcher], numbers: &[f64]) -> Vec<f64> {
    let named = matchers
        .iter()
        .filter(|own| own.name() == "le")
        .flat_map(|own| own.value().split('|'))
        .filter_map(|text| text.replace('\\', "").parse::<f64>().ok());
    let around = numbers
        .iter()
        .flat_map(|number| [number / 2.0, *number, number * 2.0])
        .filter(|bound| *bound > 0.0);
    let mut bounds: Vec<f64> = USUAL_BOUNDS
        .into_iter()
        .chain(named)
        .chain(around)
        .collect();
    bounds.push(f64::INFINITY);
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    bounds
}

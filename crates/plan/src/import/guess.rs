//! What a metric's name and the expressions that read it tell of its type and unit, where nobody says it.

use promql::{Expr, ExprKind};

use crate::MetricType;

/// Functions whose argument is a counter.
const OF_COUNTERS: [&str; 4] = ["rate", "irate", "increase", "resets"];

/// The type that a metric of this name has by Prometheus' own rules of naming.
pub(super) fn type_by_name(name: &str) -> MetricType {
    if name.ends_with("_total") {
        MetricType::Counter
    } else if name.ends_with("_duration_seconds") || name.ends_with("_latency_seconds") {
        MetricType::Histogram
    } else {
        MetricType::Gauge
    }
}

/// A unit and, where the name does not say it, why it is taken.
pub(super) struct Unit {
    pub(super) name: &'static str,
    pub(super) why: Option<&'static str>,
}

/// The unit by the end of the name.
pub(super) fn unit(name: &str, metric_type: MetricType) -> Unit {
    let name = name.strip_suffix("_total").unwrap_or(name);
    let said = |name| Unit { name, why: None };
    if name.ends_with("_seconds") {
        said("seconds")
    } else if name.ends_with("_bytes") {
        said("bytes")
    } else if name.ends_with("_ratio") {
        said("ratio")
    } else if name.ends_with("_rate") && metric_type == MetricType::Gauge {
        let why = Some("a gauge that is a rate is a share; a number of events would be a counter");
        Unit { name: "ratio", why }
    } else if name.ends_with("_duration") || name.ends_with("_latency") {
        let why = Some("lengths of time are in seconds where a name does not say otherwise");
        Unit {
            name: "seconds",
            why,
        }
    } else {
        said("")
    }
}

/// A metric that an expression reads, with the type that the reading needs and why.
pub(super) struct Read {
    pub(super) name: String,
    pub(super) metric_type: MetricType,
    pub(super) why: &'static str,
}

/// The metrics that an expression reads, each once, in the order of the text. Series of one histogram are one metric.
pub(super) fn metrics_read(expr: &Expr) -> Vec<Read> {
    let mut found: Vec<Read> = Vec::new();
    let mut counters: Vec<*const Expr> = Vec::new();
    expr.visit(&mut |own| {
        if let ExprKind::Call(call) = own.kind()
            && OF_COUNTERS.contains(&call.function.name)
        {
            counters.extend(call.arguments.iter().map(std::ptr::from_ref));
        }
        let (ExprKind::Selector(selector) | ExprKind::Matrix(selector, _)) = own.kind() else {
            return;
        };
        let Some(name) = fixed_name(selector) else {
            return;
        };
        let under_rate = counters.contains(&std::ptr::from_ref(own));
        let quantile = selector
            .matchers
            .iter()
            .any(|matcher| matcher.name() == "quantile");
        let read = read(name, under_rate, quantile);
        match found.iter_mut().find(|known| known.name == read.name) {
            // A bucket is the surest sign, a name alone the weakest.
            Some(known) if rank(read.metric_type) > rank(known.metric_type) => *known = read,
            Some(_) => {}
            None => found.push(read),
        }
    });
    found
}

fn fixed_name(selector: &promql::VectorSelector) -> Option<&str> {
    selector.name.as_deref().or_else(|| {
        let fixed = selector.matchers.iter().find(|matcher| {
            matcher.name() == model::METRIC_NAME && matcher.op() == model::MatchOp::Equal
        });
        fixed.map(model::Matcher::value)
    })
}

/// How sure a sign each type is.
pub(super) fn rank(metric_type: MetricType) -> usize {
    match metric_type {
        MetricType::Gauge => 0,
        MetricType::Counter => 1,
        MetricType::Summary => 2,
        MetricType::Histogram => 3,
    }
}

fn read(name: &str, under_rate: bool, quantile: bool) -> Read {
    let of = |name: &str, metric_type, why| Read {
        name: name.to_owned(),
        metric_type,
        why,
    };
    if let Some(whole) = name.strip_suffix("_bucket") {
        return of(whole, MetricType::Histogram, "its buckets are read");
    }
    if quantile {
        return of(
            name,
            MetricType::Summary,
            "it is read by the label `quantile`",
        );
    }
    if name.ends_with("_total") {
        return of(name, MetricType::Counter, "its name ends in `_total`");
    }
    if under_rate
        && let Some(whole) = name
            .strip_suffix("_sum")
            .or_else(|| name.strip_suffix("_count"))
    {
        return of(
            whole,
            MetricType::Summary,
            "the rate of its `_sum` or `_count` is read",
        );
    }
    if under_rate {
        return of(name, MetricType::Counter, "its rate is read");
    }
    of(name, MetricType::Gauge, "its value is read as it is")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_from_use() {
        let check = |text: &str, expect: &str| {
            let parsed = promql::parse(text).expect("the expression is PromQL");
            let read = metrics_read(&parsed);
            let read: Vec<String> = read
                .iter()
                .map(|own| format!("{} {}", own.name, own.metric_type.as_str()))
                .collect();
            assert_eq!(read.join(", "), expect, "{text}");
        };
        check("rate(a[5m]) / b > 1", "a counter, b gauge");
        check("a_total > 1", "a_total counter");
        check(
            "histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m])))",
            "a histogram",
        );
        check("rate(a_sum[5m]) / rate(a_count[5m])", "a summary");
        check("rate(a_sum[5m]) + rate(a_bucket[5m])", "a histogram");
        check("a{quantile=\"0.9\"}", "a summary");
        check("{__name__=\"a\"} + a", "a gauge");
        check("increase(a[5m]) > a", "a counter");
        check("deriv(a[5m]) > 0", "a gauge");
    }
}

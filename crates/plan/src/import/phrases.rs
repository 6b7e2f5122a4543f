//! What a few words of a dashboard ask for ("Error rate percentage", "Orders taken per minute"), as queries over declared
//! metrics.

use crate::{MetricGroup, MetricType};

use super::matching::{self, all_events, counter_of, good_counter, of_type, used_and_limit};
use super::reading::{MetricDraft, Reading};
use super::{quantities, words};

/// Quantiles where a phrase asks for percentiles, and where it asks how long something takes.
const PERCENTILES: [&str; 4] = ["0.5", "0.9", "0.95", "0.99"];
const DURATIONS: [&str; 2] = ["0.5", "0.95"];
/// A latency is asked as what most requests keep to.
const LATENCY: [&str; 1] = ["0.95"];
/// How many bars show the most frequent.
const MOST_FREQUENT: usize = 10;

/// The share of the machine's processors that work.
pub(super) const CPU_UTILIZATION: &str = r#"1 - sum(rate(host_cpu_seconds_total{mode="idle"}[5m])) / sum(rate(host_cpu_seconds_total[5m]))"#;
const MEMORY_UTILIZATION: &str = "1 - host_memory_available_bytes / host_memory_total_bytes";

/// What a panel draws.
pub(super) struct Drawn {
    pub(super) kind: &'static str,
    pub(super) unit: &'static str,
    /// Expressions with their legends.
    pub(super) queries: Vec<(String, String)>,
    /// Why these.
    pub(super) why: String,
    pub(super) reads_host: bool,
}

impl Drawn {
    fn new(kind: &'static str, unit: &'static str, why: impl Into<String>) -> Drawn {
        Drawn {
            kind,
            unit,
            queries: Vec::new(),
            why: why.into(),
            reads_host: false,
        }
    }

    fn query(mut self, expr: impl Into<String>, legend: impl Into<String>) -> Drawn {
        self.queries.push((expr.into(), legend.into()));
        self
    }

    fn of_host(mut self) -> Drawn {
        self.reads_host = true;
        self
    }
}

/// Words that say what is asked of the things that the others name.
const MEASURES: [&str; 24] = [
    "rate",
    "ratio",
    "percentage",
    "percent",
    "percentile",
    "percentiles",
    "quantile",
    "quantiles",
    "median",
    "success",
    "successful",
    "popular",
    "top",
    "most",
    "throughput",
    "share",
    "distribution",
    "trend",
    "trends",
    "overview",
    "total",
    "level",
    "levels",
    "status",
];

/// The queries that a phrase asks for, or why there are none.
pub(super) fn drawn(reading: &Reading<'_>, phrase: &str) -> Result<Drawn, String> {
    let has = |wanted: &[&str]| words::has(phrase, wanted);
    let subject = subject(phrase, &[]);
    let names = |thing: &str| subject.iter().any(|own| own == thing);
    let share = has(&["ratio", "percentage", "percent", "share"]) || phrase.contains('%');
    let per = per(phrase);
    if names("utilization") {
        let none = "no two declared gauges are what is used and how much there may be";
        return utilization(reading, phrase)
            .or_else(|| machine(phrase))
            .ok_or_else(|| none.to_owned());
    }
    let found = if names("hit") && (names("miss") || has(&["rate", "ratio"])) {
        hits_and_misses(reading, phrase)
    } else if has(&["success", "successful"]) {
        success(reading, phrase)
    } else if names("error") && (share || (has(&["rate"]) && per.is_none())) {
        error_share(reading, &subject)
    } else if !quantities::quantiles(phrase).is_empty() {
        let named = quantities::quantiles(phrase);
        quantiles(
            reading,
            &subject,
            &named.iter().map(String::as_str).collect::<Vec<&str>>(),
        )
    } else if has(&["percentile", "percentiles", "quantile", "quantiles"]) {
        quantiles(reading, &subject, &PERCENTILES)
    } else if has(&["latency"]) {
        quantiles(reading, &subject, &LATENCY)
    } else if names("duration") {
        quantiles(reading, &subject, &DURATIONS)
    } else {
        None
    };
    found
        .or_else(|| per.and_then(|unit| rate(reading, &subject, unit)))
        .or_else(|| {
            has(&["popular", "top", "most"])
                .then(|| most_frequent(reading, &subject))
                .flatten()
        })
        .or_else(|| gauge(reading, &subject))
        .or_else(|| machine(phrase))
        .or_else(|| {
            has(&["rate", "throughput"])
                .then(|| rate(reading, &subject, Per::Second))
                .flatten()
        })
        .or_else(|| counter(reading, &subject))
        .or_else(|| quantiles(reading, &subject, &DURATIONS))
        .ok_or_else(|| "no declared metric speaks of what it names".to_owned())
}

/// The things that a phrase names, without the words that say what is asked of them.
pub(super) fn subject(phrase: &str, without: &[&str]) -> Vec<String> {
    let plain = phrase.split('(').next().unwrap_or(phrase);
    let mut kept = Vec::new();
    let mut after_per = false;
    for word in words::split(plain) {
        // The second of "orders per second" is nothing that is measured.
        let unit = std::mem::replace(&mut after_per, word == "per");
        if !unit && !MEASURES.contains(&word.as_str()) && quantities::quantiles(&word).is_empty() {
            kept.push(word);
        }
    }
    let mut things = words::things(&kept.join(" "));
    things.retain(|thing| !without.contains(&thing.as_str()));
    things
}

/// In what time events are counted.
#[derive(Copy, Clone)]
enum Per {
    Second,
    Minute,
}

fn per(phrase: &str) -> Option<Per> {
    let small = phrase.to_lowercase();
    let says = |ways: &[&str]| ways.iter().any(|way| small.contains(way));
    if says(&["per second", "/sec", "/s)", "/ s", "per sec", "rps", "qps"]) {
        return Some(Per::Second);
    }
    says(&["per minute", "/min", "per min", "rpm"]).then_some(Per::Minute)
}

/// The window of rates: what people do is rarer than what programs do.
fn window(metric: &MetricDraft) -> &'static str {
    match metric.group {
        MetricGroup::Business => "1h",
        MetricGroup::Application | MetricGroup::Infrastructure => "5m",
    }
}

fn legend(metric: &MetricDraft) -> String {
    let labels: Vec<String> = metric
        .labels
        .iter()
        .map(|label| format!("{{{{{label}}}}}"))
        .collect();
    labels.join(" ")
}

/// A sum by the metric's own labels, where it has some.
fn by_labels(metric: &MetricDraft, expr: &str) -> String {
    if metric.labels.is_empty() {
        return expr.to_owned();
    }
    format!("sum by ({}) ({expr})", metric.labels.join(", "))
}

fn hits_and_misses(reading: &Reading<'_>, phrase: &str) -> Option<Drawn> {
    let about = subject(phrase, &["hit", "miss"]);
    let hits = counter_of(reading, &about, "hit")?;
    let misses = counter_of(reading, &about, "miss")?;
    let (h, m) = (
        format!("rate({}[5m])", hits.name),
        format!("rate({}[5m])", misses.name),
    );
    let why = format!(
        "shares of `{}` and `{}` in their sum",
        hits.name, misses.name
    );
    let drawn = Drawn::new("stacked", "ratio", why);
    Some(
        drawn
            .query(format!("{h} / ({h} + {m})"), "hits")
            .query(format!("{m} / ({h} + {m})"), "misses"),
    )
}

fn success(reading: &Reading<'_>, phrase: &str) -> Option<Drawn> {
    let about = subject(phrase, &[]);
    let errors = counter_of(reading, &about, "error")?;
    let good = good_counter(reading, &about)?;
    let (g, e) = (
        format!("rate({}[5m])", good.name),
        format!("rate({}[5m])", errors.name),
    );
    let why = format!(
        "`{}` of itself and `{}`, if the first counts what succeeded",
        good.name, errors.name
    );
    Some(Drawn::new("line", "ratio", why).query(format!("{g} / ({g} + {e})"), ""))
}

fn error_share(reading: &Reading<'_>, subject: &[String]) -> Option<Drawn> {
    let (errors, all) = errors_and_all(reading, subject)?;
    let why = share_in_words(errors, all);
    Some(Drawn::new("line", "ratio", why).query(
        format!("rate({}[5m]) / rate({}[5m])", errors.name, all.name),
        "",
    ))
}

/// What a share of errors is of. Requests are all requests; of other events one may count only what went well.
pub(super) fn share_in_words(errors: &MetricDraft, all: &MetricDraft) -> String {
    let requests = words::things(&all.name)
        .iter()
        .any(|thing| thing == "request");
    let doubt = if requests {
        ""
    } else {
        ", if the second counts all of them"
    };
    format!("`{}` of `{}`{doubt}", errors.name, all.name)
}

/// The counter of errors that a phrase speaks of, and that of all events.
pub(super) fn errors_and_all<'r>(
    reading: &'r Reading<'_>,
    subject: &[String],
) -> Option<(&'r MetricDraft, &'r MetricDraft)> {
    let errors = counter_of(reading, subject, "error")?;
    Some((errors, all_events(reading, errors)?))
}

fn quantiles(reading: &Reading<'_>, subject: &[String], quantiles: &[&str]) -> Option<Drawn> {
    let metric = of_type(reading, subject, MetricType::Histogram)?;
    let window = window(metric);
    let unit = if metric.unit.is_empty() {
        "count"
    } else {
        metric.unit
    };
    let what = if let [only] = quantiles {
        format!("the {only} quantile")
    } else {
        "quantiles".to_owned()
    };
    let mut drawn = Drawn::new(
        "line",
        unit,
        format!("{what} of `{}` over {window}", metric.name),
    );
    for quantile in quantiles {
        let expr = format!(
            "histogram_quantile({quantile}, rate({}_bucket[{window}]))",
            metric.name
        );
        let percent = quantile.trim_start_matches("0.");
        let zero = if percent.len() == 1 { "0" } else { "" };
        let legend = format!("p{percent}{zero}");
        drawn = drawn.query(
            expr,
            if quantiles.len() > 1 {
                legend
            } else {
                String::new()
            },
        );
    }
    Some(drawn)
}

fn rate(reading: &Reading<'_>, subject: &[String], per: Per) -> Option<Drawn> {
    of_type(reading, subject, MetricType::Counter).map(|metric| rate_of(metric, per))
}

fn rate_of(metric: &MetricDraft, per: Per) -> Drawn {
    let rate = by_labels(metric, &format!("rate({}[5m])", metric.name));
    let (unit, expr) = match per {
        Per::Second => ("per_second", rate),
        Per::Minute => ("per_minute", format!("{rate} * 60")),
    };
    let kind = if metric.labels.is_empty() {
        "line"
    } else {
        "stacked"
    };
    Drawn::new(kind, unit, format!("the rate of `{}`", metric.name)).query(expr, legend(metric))
}

fn most_frequent(reading: &Reading<'_>, subject: &[String]) -> Option<Drawn> {
    let metric = labelled_counter(reading, subject)?;
    let (sum, window) = increase(metric);
    let why = format!(
        "the {MOST_FREQUENT} largest increases of `{}` in {window}",
        metric.name
    );
    Some(
        Drawn::new("bars", "count", why)
            .query(format!("topk({MOST_FREQUENT}, {sum})"), legend(metric)),
    )
}

fn labelled_counter<'r>(reading: &'r Reading<'_>, subject: &[String]) -> Option<&'r MetricDraft> {
    matching::find(reading, subject, |metric, _| {
        metric.metric_type == MetricType::Counter && !metric.labels.is_empty()
    })
}

fn increase(metric: &MetricDraft) -> (String, &'static str) {
    let window = window(metric);
    (
        by_labels(metric, &format!("increase({}[{window}])", metric.name)),
        window,
    )
}

fn utilization(reading: &Reading<'_>, phrase: &str) -> Option<Drawn> {
    let about = subject(phrase, &["utilization"]);
    if let Some((used, limit)) = used_and_limit(reading, &about) {
        let why = format!("`{}` of `{}`", used.name, limit.name);
        return Some(
            Drawn::new("line", "ratio", why).query(format!("{} / {}", used.name, limit.name), ""),
        );
    }
    if words::has(phrase, &["memory", "ram"]) {
        let why = "the machine's memory, which Belfry reads itself";
        return Some(
            Drawn::new("line", "ratio", why)
                .query(MEMORY_UTILIZATION, "machine")
                .of_host(),
        );
    }
    None
}

/// A gauge that has all the things that the phrase names: half of them is not enough for a value as it is.
fn gauge(reading: &Reading<'_>, subject: &[String]) -> Option<Drawn> {
    let metric = matching::find(reading, subject, |metric, own| {
        metric.metric_type == MetricType::Gauge && subject.iter().all(|thing| own.contains(thing))
    })?;
    let unit = if metric.unit.is_empty() {
        "count"
    } else {
        metric.unit
    };
    let drawn = Drawn::new("line", unit, format!("`{}` as it is", metric.name));
    Some(drawn.query(metric.name.as_str(), legend(metric)))
}

/// A counter that has all the things that the phrase names: by its labels where it has some, else its rate.
fn counter(reading: &Reading<'_>, subject: &[String]) -> Option<Drawn> {
    let counter = |labelled: bool| {
        matching::find(reading, subject, |metric, own| {
            let all = subject.iter().all(|thing| own.contains(thing));
            metric.metric_type == MetricType::Counter && all && metric.labels.is_empty() != labelled
        })
    };
    let Some(metric) = counter(true) else {
        return counter(false).map(|metric| rate_of(metric, Per::Second));
    };
    let (sum, window) = increase(metric);
    let why = format!(
        "the increase of `{}` in {window}, by its labels",
        metric.name
    );
    Some(Drawn::new("bars", "count", why).query(sum, legend(metric)))
}

/// What no program tells of the machine, Belfry does.
fn machine(phrase: &str) -> Option<Drawn> {
    let has = |wanted: &[&str]| words::has(phrase, wanted);
    let why =
        "the machine's own figures, which Belfry reads itself; the document names no metric of it";
    let drawn = |kind, unit| Drawn::new(kind, unit, why).of_host();
    if has(&["cpu", "processor", "processors"]) {
        return Some(drawn("line", "ratio").query(CPU_UTILIZATION, "machine"));
    }
    if has(&["memory", "ram"]) {
        let used = "host_memory_total_bytes - host_memory_available_bytes";
        return Some(drawn("line", "bytes").query(used, "machine"));
    }
    if has(&["disk", "disks", "filesystem"])
        && has(&["space", "usage", "free", "full", "capacity", "utilization"])
    {
        let used = "1 - host_filesystem_available_bytes / host_filesystem_size_bytes";
        return Some(drawn("bars", "ratio").query(used, "{{mountpoint}}"));
    }
    if has(&["disk", "disks", "io", "iops"]) {
        let read = "sum by (device) (rate(host_disk_read_bytes_total[5m]))";
        let written = "sum by (device) (rate(host_disk_written_bytes_total[5m]))";
        let drawn = drawn("line", "bytes_per_second");
        return Some(
            drawn
                .query(read, "read {{device}}")
                .query(written, "written {{device}}"),
        );
    }
    if has(&["network", "bandwidth"]) {
        let received = "sum by (interface) (rate(host_network_receive_bytes_total[5m]))";
        let sent = "sum by (interface) (rate(host_network_transmit_bytes_total[5m]))";
        let drawn = drawn("line", "bytes_per_second");
        return Some(
            drawn
                .query(received, "received {{interface}}")
                .query(sent, "sent {{interface}}"),
        );
    }
    if has(&["load"]) {
        return Some(drawn("line", "count").query("host_load1", "load"));
    }
    None
}

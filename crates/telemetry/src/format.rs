//! The two exposition formats, from one snapshot.
//!
//! Plain text 0.0.4 shows every name exactly as it was registered. OpenMetrics 1.0 demands `_total` on a counter's samples
//! and its absence from the family's name; readers that know both spellings see one metric.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::instrument::{Kind, Reading};
use crate::registry::Snapshot;

/// Base units that a name may end in; OpenMetrics wants them declared.
const UNITS: [&str; 3] = ["seconds", "bytes", "ratio"];

/// How many parts of an `Accept` header are read; more is nonsense or an attack.
const ACCEPT_PARTS_MAX: usize = 32;

/// An exposition format.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' plain text, version 0.0.4.
    Text004,
    /// OpenMetrics text, version 1.0.0.
    OpenMetrics1,
}

impl Format {
    /// The value of the answer's `Content-Type` header.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Text004 => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics1 => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The format that a request's `Accept` header asks for: OpenMetrics only when it is named, plain text otherwise.
pub fn negotiate(accept: Option<&str>) -> Format {
    let mut best: Option<(f32, Format)> = None;
    for part in accept.unwrap_or("").split(',').take(ACCEPT_PARTS_MAX) {
        let Some((quality, format)) = accepted(part) else {
            continue;
        };
        // On a tie the first one named wins.
        if quality > 0.0 && best.is_none_or(|(most, _)| quality > most) {
            best = Some((quality, format));
        }
    }
    best.map_or(Format::Text004, |(_, format)| format)
}

fn accepted(part: &str) -> Option<(f32, Format)> {
    let mut pieces = part.split(';').map(str::trim);
    let media = pieces.next()?.to_ascii_lowercase();
    let (mut quality, mut version) = (1.0, None);
    for piece in pieces {
        match piece.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("q") => {
                quality = value.trim().parse().ok()?;
            }
            Some((name, value)) if name.trim().eq_ignore_ascii_case("version") => {
                version = Some(value.trim().trim_matches('"').to_owned());
            }
            Some(_) | None => {}
        }
    }
    let format = match (media.as_str(), version.as_deref()) {
        ("application/openmetrics-text", None | Some("1.0.0")) => Format::OpenMetrics1,
        ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", None) => Format::Text004,
        _ => return None,
    };
    Some((quality, format))
}

pub(crate) fn render(format: Format, metrics: &BTreeMap<String, Snapshot>) -> String {
    let mut text = String::with_capacity(16 * 1024);
    for (name, metric) in metrics {
        header(&mut text, format, name, metric);
        for (labels, reading) in &metric.samples {
            samples(&mut text, format, name, metric.kind, labels, reading);
        }
    }
    if format == Format::OpenMetrics1 {
        text.push_str("# EOF\n");
    }
    text
}

fn header(text: &mut String, format: Format, name: &str, metric: &Snapshot) {
    let family = family_name(format, name, metric.kind);
    let kind = match (metric.kind, format) {
        (Kind::Counter, _) => "counter",
        (Kind::Gauge, _) | (Kind::Info, Format::Text004) => "gauge",
        (Kind::Histogram, _) => "histogram",
        (Kind::Info, Format::OpenMetrics1) => "info",
    };
    text.push_str("# HELP ");
    text.push_str(family);
    text.push(' ');
    escape(text, &metric.help, format == Format::OpenMetrics1);
    text.push_str("\n# TYPE ");
    text.push_str(family);
    text.push(' ');
    text.push_str(kind);
    text.push('\n');
    if format == Format::OpenMetrics1
        && let Some(unit) = unit(family)
    {
        text.push_str("# UNIT ");
        text.push_str(family);
        text.push(' ');
        text.push_str(unit);
        text.push('\n');
    }
}

fn family_name(format: Format, name: &str, kind: Kind) -> &str {
    let suffix = match (format, kind) {
        (Format::OpenMetrics1, Kind::Counter) => "_total",
        (Format::OpenMetrics1, Kind::Info) => "_info",
        (Format::OpenMetrics1, Kind::Gauge | Kind::Histogram) | (Format::Text004, _) => "",
    };
    name.strip_suffix(suffix).unwrap_or(name)
}

fn unit(family: &str) -> Option<&'static str> {
    UNITS.into_iter().find(|unit| {
        family
            .strip_suffix(unit)
            .is_some_and(|rest| rest.ends_with('_'))
    })
}

fn samples(
    text: &mut String,
    format: Format,
    name: &str,
    kind: Kind,
    labels: &[(String, String)],
    reading: &Reading,
) {
    match reading {
        Reading::Integer(value) => {
            series(
                text,
                family_name(format, name, kind),
                suffix(format, name, kind),
                labels,
                None,
            );
            let _ = writeln!(text, " {value}");
        }
        Reading::Float(value) => {
            series(
                text,
                family_name(format, name, kind),
                suffix(format, name, kind),
                labels,
                None,
            );
            text.push(' ');
            number(text, *value);
            text.push('\n');
        }
        Reading::Buckets {
            bounds,
            counts,
            sum,
        } => buckets(text, format, name, labels, bounds, counts, *sum),
    }
}

/// What follows the family's name in a sample's name.
fn suffix(format: Format, name: &str, kind: Kind) -> &'static str {
    match (format, kind) {
        (Format::OpenMetrics1, Kind::Counter) => "_total",
        (Format::OpenMetrics1, Kind::Info) if name.ends_with("_info") => "_info",
        _ => "",
    }
}

fn buckets(
    text: &mut String,
    format: Format,
    name: &str,
    labels: &[(String, String)],
    bounds: &[f64],
    counts: &[u64],
    sum: f64,
) {
    let mut total = 0;
    for (index, count) in counts.iter().enumerate() {
        total += count;
        let mut bound = String::new();
        match bounds.get(index) {
            // OpenMetrics' canonical form of a whole number has a fraction.
            Some(value) if format == Format::OpenMetrics1 && value.fract() == 0.0 => {
                let _ = write!(bound, "{value:.1}");
            }
            Some(value) => number(&mut bound, *value),
            None => bound.push_str("+Inf"),
        }
        series(text, name, "_bucket", labels, Some(&bound));
        let _ = writeln!(text, " {total}");
    }
    series(text, name, "_sum", labels, None);
    text.push(' ');
    number(text, sum);
    text.push('\n');
    series(text, name, "_count", labels, None);
    let _ = writeln!(text, " {total}");
}

fn series(
    text: &mut String,
    name: &str,
    suffix: &str,
    labels: &[(String, String)],
    bound: Option<&str>,
) {
    text.push_str(name);
    text.push_str(suffix);
    let bound = bound.map(|bound| ("le", bound));
    let all = labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .chain(bound);
    let mut separator = '{';
    for (name, value) in all {
        text.push(separator);
        text.push_str(name);
        text.push_str("=\"");
        escape(text, value, true);
        text.push('"');
        separator = ',';
    }
    if separator == ',' {
        text.push('}');
    }
}

fn escape(text: &mut String, raw: &str, quotes: bool) {
    for letter in raw.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            _ => text.push(letter),
        }
    }
}

fn number(text: &mut String, value: f64) {
    if value.is_nan() {
        text.push_str("NaN");
    } else if value.is_infinite() {
        text.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        let _ = write!(text, "{value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Children, Registry};

    fn registry() -> Registry {
        let registry = Registry::new();
        registry
            .counter("jobs_done_total", "Jobs\nthat \\ are \"done\".")
            .add(3);
        registry.gauge("hit_rate", "Share.").set(f64::NAN);
        registry.info("app_build_info", "Build.", &[("version", "1.2")]);
        let seconds = registry.histogram("wait_seconds", "Waits.", &[0.5, 2.0]);
        seconds.observe(0.25);
        seconds.observe(7.0);
        registry.collector(|collected| {
            collected.counter_with("kinds_made", "Kinds.", &[("type", "a\"b\\c\nd")], 4);
        });
        registry
    }

    #[test]
    fn plain_text_keeps_every_name() {
        let expect = r#"# HELP app_build_info Build.
# TYPE app_build_info gauge
app_build_info{version="1.2"} 1
# HELP hit_rate Share.
# TYPE hit_rate gauge
hit_rate NaN
# HELP jobs_done_total Jobs\nthat \\ are "done".
# TYPE jobs_done_total counter
jobs_done_total 3
# HELP kinds_made Kinds.
# TYPE kinds_made counter
kinds_made{type="a\"b\\c\nd"} 4
# HELP wait_seconds Waits.
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.5"} 1
wait_seconds_bucket{le="2"} 1
wait_seconds_bucket{le="+Inf"} 2
wait_seconds_sum 7.25
wait_seconds_count 2
"#;
        assert_eq!(registry().render(Format::Text004), expect);
    }

    #[test]
    fn open_metrics_ends_counters_in_total() {
        let expect = r#"# HELP app_build Build.
# TYPE app_build info
app_build_info{version="1.2"} 1
# HELP hit_rate Share.
# TYPE hit_rate gauge
hit_rate NaN
# HELP jobs_done Jobs\nthat \\ are \"done\".
# TYPE jobs_done counter
jobs_done_total 3
# HELP kinds_made Kinds.
# TYPE kinds_made counter
kinds_made_total{type="a\"b\\c\nd"} 4
# HELP wait_seconds Waits.
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
wait_seconds_bucket{le="0.5"} 1
wait_seconds_bucket{le="2.0"} 1
wait_seconds_bucket{le="+Inf"} 2
wait_seconds_sum 7.25
wait_seconds_count 2
# EOF
"#;
        assert_eq!(registry().render(Format::OpenMetrics1), expect);
    }

    #[test]
    fn children_come_in_the_same_order_whatever_came_first() {
        let text = |order: [&str; 3]| {
            let registry = Registry::new();
            let family = registry.counter_family("a_total", "A.", &["x"], Children::AtMost(3));
            for value in order {
                family.handle(&[value]).inc();
            }
            registry.render(Format::Text004)
        };
        assert_eq!(text(["c", "a", "b"]), text(["b", "c", "a"]));
    }

    #[test]
    fn negotiation() {
        let check =
            |accept: Option<&str>, expect| assert_eq!(negotiate(accept), expect, "{accept:?}");
        check(None, Format::Text004);
        check(Some(""), Format::Text004);
        check(Some("*/*"), Format::Text004);
        check(Some("application/openmetrics-text"), Format::OpenMetrics1);
        check(
            Some("text/plain;q=0.4, application/openmetrics-text; version=1.0.0 ;q=0.5"),
            Format::OpenMetrics1,
        );
        check(
            Some("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4"),
            Format::Text004,
        );
        check(
            Some(
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            ),
            Format::OpenMetrics1,
        );
        check(
            Some("application/openmetrics-text;version=9.0.0"),
            Format::Text004,
        );
        check(Some("application/openmetrics-text;q=0"), Format::Text004);
        check(
            Some("application/openmetrics-text;q=x, */*"),
            Format::Text004,
        );
        check(Some(&"text/html,".repeat(10_000)), Format::Text004);
    }
}

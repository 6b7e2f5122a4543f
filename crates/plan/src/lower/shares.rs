//! Events as PromQL: how many there were in a window, and which share of them was bad.

use std::time::Duration;

use crate::{EventSelector, Events};

impl Events {
    /// PromQL for the share of events of the last `window` that were bad, 0 to 1, as one series without labels. NaN where
    /// there were none; nothing where nothing is known.
    pub fn bad_share(&self, window: Duration) -> String {
        match self {
            Events::BadOfTotal { bad, total } => {
                let total = total.sum("rate", window);
                format!("{} / {total}", bad.sum_or_zero("rate", window, &total))
            }
            Events::GoodOfTotal { good, total } => {
                let total = total.sum("rate", window);
                let good = good.sum_or_zero("rate", window, &total);
                format!("(1 - {good} / {total})")
            }
            Events::GoodAndBad { good, bad } => {
                let (good, bad) = both(good, bad, "rate", window);
                format!("{bad} / ({good} + {bad})")
            }
            Events::Histogram { histogram, bounds } => {
                let good = histogram.series("_bucket", &le(bounds));
                let (good, total) = (
                    sum("rate", &good, window),
                    histogram.observations("rate", window),
                );
                format!("(1 - {good} / {total})")
            }
            Events::Gauge { gauge } => {
                let good = gauge.sum("sum_over_time", window);
                let total = gauge.sum("count_over_time", window);
                format!("(1 - {good} / {total})")
            }
        }
    }

    /// PromQL for the number of events of the last `window`, as one series without labels.
    pub fn count(&self, window: Duration) -> String {
        match self {
            Events::BadOfTotal { total, .. } | Events::GoodOfTotal { total, .. } => {
                total.sum("increase", window)
            }
            Events::GoodAndBad { good, bad } => {
                let (good, bad) = both(good, bad, "increase", window);
                format!("({good} + {bad})")
            }
            Events::Histogram { histogram, .. } => histogram.observations("increase", window),
            Events::Gauge { gauge } => gauge.sum("count_over_time", window),
        }
    }

    /// The series of a histogram's observations that are good, as PromQL selects them; `None` for other events.
    pub fn good_observations(&self) -> Option<String> {
        match self {
            Events::Histogram { histogram, bounds } => {
                Some(histogram.series("_bucket", &le(bounds)))
            }
            Events::BadOfTotal { .. }
            | Events::GoodOfTotal { .. }
            | Events::GoodAndBad { .. }
            | Events::Gauge { .. } => None,
        }
    }

    /// What an event is, for people: `orders_total`, "observation of …", "sample of …".
    pub fn in_words(&self) -> String {
        match self {
            Events::BadOfTotal { bad, total } => {
                format!("bad: {}, all: {}", bad.series("", ""), total.series("", ""))
            }
            Events::GoodOfTotal { good, total } => {
                format!(
                    "good: {}, all: {}",
                    good.series("", ""),
                    total.series("", "")
                )
            }
            Events::GoodAndBad { good, bad } => {
                format!("good: {}, bad: {}", good.series("", ""), bad.series("", ""))
            }
            Events::Histogram { histogram, bounds } => {
                let bound = bounds.first().map_or("", String::as_str);
                format!(
                    "observations of {}, bad above {bound}",
                    histogram.series("", "")
                )
            }
            Events::Gauge { gauge } => {
                format!(
                    "samples of {}, 1 is good and 0 is bad",
                    gauge.series("", "")
                )
            }
        }
    }
}

impl EventSelector {
    /// The series as PromQL selects them, with more behind the name and between the braces.
    pub fn series(&self, suffix: &str, matcher: &str) -> String {
        let matchers: Vec<&str> = [self.matchers.as_str(), matcher]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        if matchers.is_empty() {
            return format!("{}{suffix}", self.name);
        }
        format!("{}{suffix}{{{}}}", self.name, matchers.join(", "))
    }

    fn sum(&self, function: &str, window: Duration) -> String {
        sum(function, &self.series("", ""), window)
    }

    fn observations(&self, function: &str, window: Duration) -> String {
        sum(function, &self.series("_count", ""), window)
    }

    /// The sum, and 0 where no series satisfies the matchers but `other` is there: a split that nothing fell into yet, such
    /// as a status that never came, has no series. A metric that is read whole and is absent is missing, not zero.
    fn sum_or_zero(&self, function: &str, window: Duration, other: &str) -> String {
        let sum = self.sum(function, window);
        if self.matchers.is_empty() {
            sum
        } else {
            format!("({sum} or 0 * {other})")
        }
    }
}

/// Good and bad events, each 0 where only the other has series.
fn both(
    good: &EventSelector,
    bad: &EventSelector,
    function: &str,
    window: Duration,
) -> (String, String) {
    (
        good.sum_or_zero(function, window, &bad.sum(function, window)),
        bad.sum_or_zero(function, window, &good.sum(function, window)),
    )
}

fn sum(function: &str, series: &str, window: Duration) -> String {
    format!(
        "sum({function}({series}[{}]))",
        model::format_duration(window)
    )
}

/// The matcher of a bucket by every way in which its bound may be written.
fn le(bounds: &[String]) -> String {
    match bounds {
        [only] => format!("le=\"{only}\""),
        several => {
            let patterns: Vec<String> = several
                .iter()
                .map(|bound| bound.replace('.', "\\\\.").replace('+', "\\\\+"))
                .collect();
            format!("le=~\"{}\"", patterns.join("|"))
        }
    }
}

/// How programs may write a bucket's bound: `1` by most, `1.0` by OpenMetrics and by Prometheus 3, an exponent for very
/// large and very small ones.
pub(crate) fn bounds_as_written(bound: f64) -> Vec<String> {
    let mut written = vec![bound.to_string()];
    if bound.fract() == 0.0 {
        written.push(format!("{bound}.0"));
    }
    // Go writes exponents below 1e-4 and from 1e6 on.
    if !(1e-4..1e6).contains(&bound) {
        let (mantissa, exponent) = exponent(bound);
        let sign = if exponent < 0 { '-' } else { '+' };
        written.push(format!("{mantissa}e{sign}{:02}", exponent.abs()));
    }
    written
}

/// The shortest mantissa and the exponent of a number above zero.
fn exponent(number: f64) -> (String, i32) {
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.to_owned(), exponent.parse().unwrap_or(0))
}

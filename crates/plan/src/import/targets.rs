//! What a document promises ("95th percentile < 500ms", "Uptime: > 99.9%"), as objectives over declared metrics.

use crate::MetricType;

use super::outline::Map;
use super::phrases::{self, errors_and_all, share_in_words};
use super::quantities::Quantity;
use super::reading::Reading;
use super::topic::Topic;
use super::{clean, matching, quantities, words};

/// The time over which targets are promised where a document does not say.
const WINDOW: &str = "30d";
/// The quantile of a length of time that names none.
const QUANTILE: &str = "0.95";
const NAME_CHARS_MAX: usize = 60;
/// How targets say on which side good lies.
const SIDES: [char; 4] = ['<', '>', '≤', '≥'];

pub(super) fn read(reading: &mut Reading<'_>) {
    let mut ids: Vec<String> = Vec::new();
    for at in reading.statements(Topic::Targets) {
        if !reading.room(at, ids.len()) {
            continue;
        }
        match target(reading, at) {
            Ok((name, why, map)) => {
                let slug = words::slug(&name, NAME_CHARS_MAX);
                let wanted = if slug.is_empty() {
                    "objective".to_owned()
                } else {
                    slug
                };
                let id = Reading::fresh(wanted, |id| ids.iter().any(|own| own == id));
                reading.map(at, format!("objectives.{id}"));
                reading.note(Some(at), format!("`{id}` is {why}"));
                let mut entries = Map::new().from([at]).text("id", id.as_str());
                entries.entries.extend(map.entries);
                reading.objectives.push(entries);
                ids.push(id);
            }
            Err(reason) => reading.unread(at, reason),
        }
    }
    if !ids.is_empty() {
        reading.note(
            None,
            format!("targets are promised over {WINDOW}, unless the document names another time"),
        );
    }
}

/// The name of a target, what it is in words, and its keys without the id: "Response time: 95th percentile < 500ms".
fn target(reading: &Reading<'_>, at: usize) -> Result<(String, String, Map), String> {
    let statement = reading.lines[at].statement();
    let (name, rest) = clean::at_colon(&statement).unwrap_or_else(|| {
        let (name, rest) = statement.split_at(statement.find(SIDES).unwrap_or(statement.len()));
        (name.trim(), rest)
    });
    let side = rest
        .find(SIDES)
        .ok_or("it does not say on which side of a value good lies (`<` or `>`)")?;
    let (qualifier, bound) = rest.split_at(side);
    let written = quantities::quantities(bound);
    let value = written.first().ok_or("it has no value")?;
    let window = written
        .iter()
        .skip(1)
        .find_map(Quantity::length)
        .unwrap_or_else(|| WINDOW.to_owned());
    let (unit, limit) = match (quantities::share(bound), value.length()) {
        (Some(share), _) => (Unit::Ratio, share),
        (None, Some(length)) => (Unit::Seconds, length),
        (None, None) => (Unit::Count, value.number.clone()),
    };
    let whole = format!("{name} {qualifier}");
    // The name says what it is; only where it does not, what follows it may.
    let measured = measured(reading, name, &whole, unit, &window)
        .or_else(|reason| measured(reading, &whole, &whole, unit, &window).map_err(|_| reason));
    let (expr, why) = measured?;
    let qualifier = qualifier.trim();
    let title = if qualifier.is_empty() {
        name.to_owned()
    } else {
        format!("{name} ({qualifier})")
    };
    let sign = if bound.starts_with(['<', '≤']) {
        "<"
    } else {
        ">"
    };
    let map = Map::new()
        .text("title", title)
        .text("expr", expr)
        .text("unit", unit.as_str())
        .text("target", format!("{sign} {limit}"))
        .text("window", window);
    Ok((clean::title(name), why, map))
}

/// What a target's value is counted in.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Unit {
    Ratio,
    Seconds,
    Count,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Unit::Ratio => "ratio",
            Unit::Seconds => "seconds",
            Unit::Count => "count",
        }
    }
}

/// An expression and what it is in words.
type Measured = Result<(String, String), String>;

fn measured(reading: &Reading<'_>, name: &str, whole: &str, unit: Unit, window: &str) -> Measured {
    let subject = phrases::subject(name, &[]);
    match unit {
        Unit::Seconds => quantile(reading, &subject, whole, window),
        Unit::Ratio => share(reading, name, &subject, window)
            .unwrap_or_else(|| average(reading, &subject, window)),
        Unit::Count => average(reading, &subject, window),
    }
}

fn quantile(reading: &Reading<'_>, subject: &[String], whole: &str, window: &str) -> Measured {
    let metric = matching::of_type(reading, subject, MetricType::Histogram);
    let metric = metric.ok_or("no declared histogram speaks of what it names")?;
    let named = quantities::quantiles(whole).into_iter().next();
    let chosen = if named.is_some() {
        ""
    } else {
        ", since it does not name one"
    };
    let quantile = named.unwrap_or_else(|| QUANTILE.to_owned());
    let expr = format!(
        "histogram_quantile({quantile}, rate({}_bucket[{window}]))",
        metric.name
    );
    Ok((
        expr,
        format!("the {quantile} quantile of `{}`{chosen}", metric.name),
    ))
}

/// A share of events, where the words name one; of what no events are counted there may still be a gauge.
fn share(reading: &Reading<'_>, name: &str, subject: &[String], window: &str) -> Option<Measured> {
    let has = |wanted: &[&str]| words::has(name, wanted);
    let names = |thing: &str| subject.iter().any(|own| own == thing);
    if has(&["uptime", "availability"]) {
        return Some(uptime(reading, window));
    }
    if names("error") {
        let found = errors_and_all(reading, subject).map(|(errors, all)| {
            let expr = format!(
                "increase({}[{window}]) / increase({}[{window}])",
                errors.name, all.name
            );
            (expr, share_in_words(errors, all))
        });
        return Some(
            found
                .ok_or_else(|| "no two declared counters are its errors and all events".to_owned()),
        );
    }
    if names("hit") {
        let about = phrases::subject(name, &["hit", "miss"]);
        let hits = matching::counter_of(reading, &about, "hit")?;
        let misses = matching::counter_of(reading, &about, "miss")?;
        let why = format!("`{}` of itself and `{}`", hits.name, misses.name);
        return Some(Ok((of_both(&hits.name, &misses.name, window), why)));
    }
    if has(&["success", "successful"]) {
        let errors = matching::counter_of(reading, subject, "error")?;
        let good = matching::good_counter(reading, subject)?;
        let why = format!(
            "`{}` of itself and `{}`, if the first counts what succeeded",
            good.name, errors.name
        );
        return Some(Ok((of_both(&good.name, &errors.name, window), why)));
    }
    None
}

fn uptime(reading: &Reading<'_>, window: &str) -> Measured {
    let probe = reading.probe_of(&["readiness", "liveness", "health"]);
    let kind = probe
        .map(|own| own.kind)
        .ok_or("uptime needs a health endpoint, and the document names none")?;
    let expr = format!("avg_over_time(probe_success{{kind=\"{kind}\"}}[{window}])");
    Ok((expr, format!("the share of successful {kind} probes")))
}

/// One counter of itself and another.
fn of_both(one: &str, other: &str, window: &str) -> String {
    let (one, other) = (
        format!("increase({one}[{window}])"),
        format!("increase({other}[{window}])"),
    );
    format!("{one} / ({one} + {other})")
}

fn average(reading: &Reading<'_>, subject: &[String], window: &str) -> Measured {
    let gauge = matching::find(reading, subject, |metric, own| {
        metric.metric_type == MetricType::Gauge && subject.iter().all(|thing| own.contains(thing))
    });
    let gauge = gauge.ok_or("no declared metric speaks of what it names")?;
    Ok((
        format!("avg_over_time({}[{window}])", gauge.name),
        format!("the average of `{}`", gauge.name),
    ))
}

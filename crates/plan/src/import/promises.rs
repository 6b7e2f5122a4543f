//! What a document promises: targets ("95th percentile < 500ms"), coverage ("90% coverage"), critical paths.

use crate::MetricType;

use super::outline::Map;
use super::phrases::{self, errors_and_all};
use super::reading::Reading;
use super::topic::Topic;
use super::{clean, matching, quantities, words};

/// The time over which targets are promised where a document does not say.
const WINDOW: &str = "30d";
const NAME_CHARS_MAX: usize = 60;

pub(super) fn read_targets(reading: &mut Reading<'_>) {
    let mut ids: Vec<String> = Vec::new();
    for at in reading.statements(Topic::Targets) {
        if !reading.room(at, ids.len()) {
            continue;
        }
        match target(reading, at) {
            Ok(target) => {
                let slug = words::slug(&target.name, NAME_CHARS_MAX);
                let wanted = if slug.is_empty() {
                    "objective".to_owned()
                } else {
                    slug
                };
                let id = Reading::fresh(wanted, |id| ids.iter().any(|own| own == id));
                reading.map(at, format!("objectives.{id}"));
                reading.note(Some(at), format!("`{id}` is {}", target.why));
                ids.push(id.clone());
                reading.objectives.push(target.map(at, &id));
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

struct Target {
    name: String,
    title: String,
    expr: String,
    unit: &'static str,
    target: String,
    window: String,
    why: String,
}

impl Target {
    fn map(self, at: usize, id: &str) -> Map {
        let map = Map::new()
            .from([at])
            .text("id", id)
            .text("title", self.title)
            .text("expr", self.expr);
        map.text("unit", self.unit)
            .text("target", self.target)
            .text("window", self.window)
    }
}

/// "Response time: 95th percentile < 500ms".
fn target(reading: &Reading<'_>, at: usize) -> Result<Target, String> {
    let statement = reading.lines[at].statement();
    let (name, rest) = clean::at_colon(&statement).unwrap_or_else(|| {
        let end = statement
            .find(['<', '>', '≤', '≥'])
            .unwrap_or(statement.len());
        (statement[..end].trim(), &statement[end..])
    });
    let sides = rest
        .find(['<', '>', '≤', '≥'])
        .ok_or("it does not say on which side of a value good lies (`<` or `>`)")?;
    let (qualifier, bound) = rest.split_at(sides);
    let below = bound.starts_with(['<', '≤']);
    let side = if below { "<" } else { ">" };
    let written = quantities::quantities(bound);
    let value = written.first().ok_or("it has no value")?;
    let share = quantities::share(bound);
    let length = value.length();
    let window = written
        .iter()
        .skip(1)
        .find_map(quantities::Quantity::length);
    let window = window.unwrap_or_else(|| WINDOW.to_owned());
    let (expr, why) = measured(
        reading,
        name,
        qualifier,
        &window,
        share.is_some(),
        length.is_some(),
    )?;
    let (unit, value) = match (share, length) {
        (Some(share), _) => ("ratio", share),
        (None, Some(length)) => ("seconds", length),
        (None, None) => ("count", value.number.clone()),
    };
    let qualifier = qualifier.trim();
    let title = if qualifier.is_empty() {
        name.to_owned()
    } else {
        format!("{name} ({qualifier})")
    };
    Ok(Target {
        name: clean::title(name),
        title,
        expr,
        unit,
        target: format!("{side} {value}"),
        window,
        why,
    })
}

/// The expression of a target and what it is in words.
fn measured(
    reading: &Reading<'_>,
    name: &str,
    qualifier: &str,
    window: &str,
    share: bool,
    length: bool,
) -> Result<(String, String), String> {
    let has = |wanted: &[&str]| words::has(name, wanted);
    let subject = phrases::subject(name, &[]);
    if share && has(&["uptime", "availability"]) {
        let probe = reading.probe_of(&["readiness", "liveness", "health"]);
        let kind = probe
            .map(|own| own.kind)
            .ok_or("uptime needs a health endpoint, and the document names none")?;
        let expr = format!("avg_over_time(probe_success{{kind=\"{kind}\"}}[{window}])");
        return Ok((expr, format!("the share of successful {kind} probes")));
    }
    if length {
        let metric = matching::of_type(reading, &subject, MetricType::Histogram);
        let metric = metric.ok_or("no declared histogram speaks of what it names")?;
        let (quantile, said) = quantile(&format!("{name} {qualifier}"));
        let expr = format!(
            "histogram_quantile({quantile}, rate({}_bucket[{window}]))",
            metric.name
        );
        let chosen = if said {
            ""
        } else {
            ", since it does not name one"
        };
        return Ok((
            expr,
            format!("the {quantile} quantile of `{}`{chosen}", metric.name),
        ));
    }
    if share && subject.iter().any(|thing| thing == "error") {
        let (errors, all) = errors_and_all(reading, &subject)
            .ok_or("no two declared counters are its errors and all events")?;
        let expr = format!(
            "increase({}[{window}]) / increase({}[{window}])",
            errors.name, all.name
        );
        return Ok((expr, format!("`{}` of `{}`", errors.name, all.name)));
    }
    if share && subject.iter().any(|thing| thing == "hit") {
        let about = phrases::subject(name, &["hit", "miss"]);
        let hits = matching::counter_of(reading, &about, "hit");
        let misses = matching::counter_of(reading, &about, "miss");
        if let (Some(hits), Some(misses)) = (hits, misses) {
            let (h, m) = (
                format!("increase({}[{window}])", hits.name),
                format!("increase({}[{window}])", misses.name),
            );
            return Ok((
                format!("{h} / ({h} + {m})"),
                format!("`{}` of itself and `{}`", hits.name, misses.name),
            ));
        }
    }
    if share && has(&["success", "successful"]) {
        let errors = matching::counter_of(reading, &subject, "error");
        let good = matching::good_counter(reading, &subject);
        if let (Some(errors), Some(good)) = (errors, good) {
            let (g, e) = (
                format!("increase({}[{window}])", good.name),
                format!("increase({}[{window}])", errors.name),
            );
            let why = format!(
                "`{}` of itself and `{}`, if the first counts what succeeded",
                good.name, errors.name
            );
            return Ok((format!("{g} / ({g} + {e})"), why));
        }
    }
    let gauge = matching::find(reading, &phrases::subject(name, &[]), |metric, own| {
        metric.metric_type == MetricType::Gauge && subject.iter().all(|thing| own.contains(thing))
    });
    let gauge = gauge.ok_or("no declared metric speaks of what it names")?;
    Ok((
        format!("avg_over_time({}[{window}])", gauge.name),
        format!("the average of `{}`", gauge.name),
    ))
}

/// The quantile that a text names ("95th percentile", "p99", "median"), and whether it does.
fn quantile(text: &str) -> (String, bool) {
    let words = words::split(text);
    let named = words.iter().find_map(|word| {
        let digits = word.strip_prefix('p').or_else(|| word.strip_suffix("th"))?;
        let fits =
            (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| digits.to_owned())
    });
    let median = words.iter().any(|word| word == "median");
    match named {
        Some(digits) => {
            let trimmed = digits.trim_end_matches('0');
            (
                format!("0.{}", if trimmed.is_empty() { "0" } else { trimmed }),
                true,
            )
        }
        None if median => ("0.5".to_owned(), true),
        None => ("0.95".to_owned(), false),
    }
}

pub(super) fn read_coverage(reading: &mut Reading<'_>) {
    let mut alert_line = None;
    for at in reading.statements(Topic::Coverage) {
        let statement = reading.lines[at].statement();
        let (what, rest) = clean::at_colon(&statement).unwrap_or((&statement, &statement));
        let groups = ["application", "infrastructure", "business"];
        let group = groups.iter().find(|group| words::has(what, &[**group]));
        match (group, quantities::share(rest)) {
            (Some(group), Some(share)) => {
                if reading.coverage.entries.iter().any(|own| own.key == *group) {
                    reading.explain(at, format!("the coverage of {group} is read already"));
                    continue;
                }
                reading.map(at, format!("coverage.{group}"));
                let coverage = std::mem::take(&mut reading.coverage);
                reading.coverage = coverage.from([at]).text(group, share);
            }
            (None, _) if words::has(what, &["alert", "alerts", "alerting", "paths", "path"]) => {
                alert_line = Some(at)
            }
            (_, None) => reading.unread(at, "it has no share, such as `90%`"),
            (None, Some(_)) => reading.unread(
                at,
                "it is neither of application, infrastructure or business metrics nor of alerts",
            ),
        }
    }
    read_paths(reading);
    if let Some(at) = alert_line {
        paths_of_critical_alerts(reading, at);
    }
}

/// "Placing an order: HighErrorRate, PaymentsDown".
fn read_paths(reading: &mut Reading<'_>) {
    for at in reading.statements(Topic::Paths) {
        let statement = reading.lines[at].statement();
        let Some((name, rest)) = clean::at_colon(&statement) else {
            continue;
        };
        let named = rest.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        let alerts = reading.alerts.iter().map(|own| own.name.clone());
        let known: Vec<String> = alerts
            .filter(|alert| named.clone().any(|word| word == alert))
            .collect();
        if known.is_empty() {
            reading.unread(at, "it names no alert of the document");
        } else if reading.room(at, reading.critical_paths.len()) {
            push_path(reading, at, name, known);
        }
    }
}

fn push_path(reading: &mut Reading<'_>, at: usize, name: &str, alerts: Vec<String>) {
    reading.map(at, format!("critical_paths.{name}"));
    let path = Map::new()
        .from([at])
        .text("name", name)
        .texts("alerts", alerts);
    reading.critical_paths.push(path);
}

/// "All critical paths monitored": where no path is named, each critical alert guards one.
fn paths_of_critical_alerts(reading: &mut Reading<'_>, at: usize) {
    if !reading.critical_paths.is_empty() {
        return reading.map(at, "critical_paths");
    }
    let critical: Vec<String> = reading
        .alerts
        .iter()
        .filter(|own| own.critical)
        .map(|own| own.name.clone())
        .collect();
    if critical.is_empty() {
        return reading.unread(
            at,
            "the document names neither a critical path nor a critical alert",
        );
    }
    let text = "the document names no critical path; each critical alert is taken as guarding one of its name. Name the paths as your users know them";
    reading.note(Some(at), text);
    for name in critical {
        push_path(reading, at, &name.clone(), vec![name]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_as_people_name_them() {
        let check = |text: &str, expect: &str| assert_eq!(quantile(text).0, expect, "{text}");
        check("95th percentile", "0.95");
        check("p99", "0.99");
        check("p999", "0.999");
        check("p50", "0.5");
        check("median", "0.5");
        check("fast", "0.95");
    }
}

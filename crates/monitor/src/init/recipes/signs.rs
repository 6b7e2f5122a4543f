//! Signs in a name: a gauge that says whether something works, a counter of failures, a queue with a capacity. And a
//! chart for what nothing else shows, so that a first look sees everything that moves.

use plan::MetricType;

use super::DETAILS;
use crate::init::draft::{Draft, DraftPanel, DraftRule, Subject, Urgency};
use crate::init::survey::Survey;

/// The most rules about counters of failures: a newcomer reads a dozen rules, not a hundred.
const FAILURE_RULES_MAX: usize = 6;
/// The most charts of what is left.
const REST_PANELS_MAX: usize = 12;
/// The most lines of one of them.
const REST_QUERIES_MAX: usize = 6;

const WORKS: [&str; 3] = ["_successful", "_success", "_healthy"];
const FAILS: [&str; 4] = [
    "_errors_total",
    "_failures_total",
    "_failed_total",
    "_corruptions_total",
];
const LENGTHS: [&str; 3] = ["_queue_length", "_queue_size", "_in_use"];
const CAPACITIES: [&str; 3] = ["_queue_capacity", "_queue_limit", "_max"];

pub(super) fn add(draft: &mut Draft, survey: &Survey) {
    add_switches(draft, survey);
    add_queues(draft, survey);
    add_failures(draft, survey);
}

/// `…_up` of an exporter and `…_successful`: 0 says that it does not work. Of the second kind only what works now: of a list
/// of things that were tried, some never succeed.
fn add_switches(draft: &mut Draft, survey: &Survey) {
    let names: Vec<String> = survey
        .of_type(MetricType::Gauge)
        .filter(|(name, family)| {
            let is_up = name.ends_with("_up") && !family.labels.contains_key("device");
            let is_01 = |value: f64| value == 0.0 || value == 1.0;
            let (smallest, largest) = family.values;
            let works = smallest == 1.0 && largest == 1.0;
            (is_up && is_01(smallest) && is_01(largest))
                || (works && WORKS.iter().any(|end| name.ends_with(end)))
        })
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in names {
        let down = name.ends_with("_up");
        draft.rules.push(DraftRule {
            name: alert_name(&name, if down { "Down" } else { "Fails" }),
            expr: format!("{name} == 0"),
            hold: if down { "1m" } else { "5m" },
            urgency: if down {
                Urgency::Critical
            } else {
                Urgency::Warning
            },
            subject: if down {
                Subject::Presence
            } else {
                Subject::Failures
            },
            summary: format!("{name} of {{{{ $labels.instance }}}} is 0"),
            description: if down {
                "The exporter answers, but what it watches does not.".to_owned()
            } else {
                "The service says that this did not succeed.".to_owned()
            },
        });
    }
}

fn add_queues(draft: &mut Draft, survey: &Survey) {
    let pairs: Vec<(String, String)> = survey
        .of_type(MetricType::Gauge)
        .filter_map(|(name, _)| {
            let base = LENGTHS.iter().find_map(|end| name.strip_suffix(end))?;
            let capacity = CAPACITIES
                .iter()
                .map(|end| format!("{base}{end}"))
                .find(|capacity| survey.has(capacity))?;
            Some((name.to_owned(), capacity))
        })
        .collect();
    for (length, capacity) in pairs {
        draft.rules.push(DraftRule {
            name: alert_name(&length, "NearLimit"),
            expr: format!("{length} / {capacity} > 0.8"),
            hold: "5m",
            urgency: Urgency::Warning,
            subject: Subject::Resources,
            summary: format!("{length} is at {{{{ $value | humanizePercentage }}}} of its limit"),
            description: "What does not fit any more is refused or dropped.".to_owned(),
        });
    }
}

fn add_failures(draft: &mut Draft, survey: &Survey) {
    let names: Vec<String> = failure_counters(survey)
        .filter(|name| !draft.rules.iter().any(|rule| rule.expr.contains(name)))
        .take(FAILURE_RULES_MAX)
        .map(str::to_owned)
        .collect();
    for name in names {
        draft.rules.push(DraftRule {
            name: alert_name(&name, ""),
            expr: format!("sum without (instance) (rate({name}[5m])) > 0"),
            hold: "10m",
            urgency: Urgency::Warning,
            subject: Subject::Failures,
            summary: format!("{name} has grown for ten minutes"),
            description: help_of(survey, &name),
        });
    }
    let all: Vec<&str> = failure_counters(survey).collect();
    add_charts(draft, survey, "Failures", &all);
}

fn failure_counters(survey: &Survey) -> impl Iterator<Item = &str> {
    let counters = survey.of_type(MetricType::Counter).map(|(name, _)| name);
    counters.filter(|name| FAILS.iter().any(|end| name.ends_with(end)))
}

/// Charts of the counters and histograms that nothing shows yet, by the beginning of their names.
pub(super) fn add_the_rest(draft: &mut Draft, survey: &Survey) {
    let counters = survey.of_type(MetricType::Counter).map(|(name, _)| name);
    let left: Vec<&str> = counters
        .filter(|name| !draft.shows(name, survey) && !about_the_runtime(name))
        .collect();
    let mut themes: Vec<(String, Vec<&str>)> = Vec::new();
    for name in left {
        let theme: String = name.split('_').take(2).collect::<Vec<_>>().join(" ");
        match themes.iter_mut().find(|(own, _)| *own == theme) {
            Some((_, names)) => names.push(name),
            None => themes.push((theme, vec![name])),
        }
    }
    for (theme, names) in themes {
        add_charts(draft, survey, &theme, &names);
    }
}

fn add_charts(draft: &mut Draft, survey: &Survey, title: &str, names: &[&str]) {
    let charts: Vec<&[&str]> = names.chunks(REST_QUERIES_MAX).collect();
    for (index, names) in charts.iter().enumerate() {
        let shown = draft.dashboards.iter().find(|board| board.id == DETAILS);
        if shown.is_none_or(|board| board.panels.len() >= REST_PANELS_MAX) {
            return;
        }
        let part = if charts.len() > 1 {
            format!(" ({} of {})", index + 1, charts.len())
        } else {
            String::new()
        };
        let queries = names
            .iter()
            .filter(|name| survey.has(name))
            .map(|name| (format!("sum(rate({name}[5m]))"), (*name).to_owned()))
            .collect();
        draft.panel(
            DETAILS,
            DraftPanel {
                title: format!("{title}, a second{part}"),
                kind: "line",
                unit: "per_second",
                queries,
            },
        );
    }
}

fn about_the_runtime(name: &str) -> bool {
    [
        "go_",
        "process_",
        "python_",
        "nodejs_",
        "jvm_",
        "promhttp_",
        "scrape_",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

fn help_of(survey: &Survey, name: &str) -> String {
    let help = survey.family(name).map_or("", |(_, family)| &family.help);
    if help.is_empty() {
        return "The service counts failures here.".to_owned();
    }
    help.to_owned()
}

/// `cache_reload_errors_total` → `CacheReloadErrors`, with `more` behind it.
fn alert_name(metric: &str, more: &str) -> String {
    let ends = WORKS.iter().chain(&["_length", "_total", "_up"]);
    let base = ends
        .clone()
        .find_map(|end| metric.strip_suffix(*end))
        .unwrap_or(metric);
    let words = base.split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.chain([more.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_alerts() {
        let check = |metric: &str, more: &str, expect: &str| {
            assert_eq!(alert_name(metric, more), expect, "{metric}");
        };
        check("cache_reload_errors_total", "", "CacheReloadErrors");
        check("redis_up", "Down", "RedisDown");
        check(
            "config_last_reload_successful",
            "Fails",
            "ConfigLastReloadFails",
        );
        check(
            "notifications_queue_length",
            "NearLimit",
            "NotificationsQueueNearLimit",
        );
    }
}

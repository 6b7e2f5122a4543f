//! What was found, as a plan: sections in the order in which people read them, each part under the lines it comes from.

use super::outline::Map;
use super::reading::{AlertDraft, MetricDraft, Reading};
use super::response::{POLICY, assign_procedures};
use super::{base_url, lines_in_words};

const ALERTS: &str =
    "Alerts. `critical` pages at once and escalates; `warning` tells the first level once.";
const DASHBOARDS: &str = "Dashboards. The document names panels in words; the account says why each draws what it draws.";

/// The whole plan.
pub(super) fn plan(reading: &mut Reading<'_>) -> Map {
    let base_url = base_url(reading);
    let file = if reading.options.file.is_empty() {
        "a document"
    } else {
        &reading.options.file
    };
    let head = format!(
        "The monitoring plan of {}, imported from {file} by `belfry import`. Line numbers are those of that document; what \
         the import chose where it is silent stands in the account that the import prints. docs/plan.md describes the keys.",
        reading.service
    );
    let procedures = assign_procedures(reading);
    let rule_groups = rule_groups(reading, &procedures);
    let service = reading.service.clone();
    let interval = reading.interval().to_owned();
    let target = Map::new()
        .text("job", service.as_str())
        .text("url", format!("{base_url}{}", reading.metrics_path))
        .text("interval", interval.as_str());
    let host = if reading.needs_host {
        Map::new().text("interval", interval.as_str())
    } else {
        Map::new()
    };
    if reading.needs_host {
        let text = "something reads the machine's own figures, so `host` collects them; that is right where Belfry runs \
                    on the service's machine";
        reading.note(None, text);
    }
    let probes = probes(reading, &base_url);
    let policies = policies(reading);
    let logs = Map::new()
        .maps("classes", std::mem::take(&mut reading.log_classes))
        .maps("categories", std::mem::take(&mut reading.log_categories));
    let dashboards = with_lines(std::mem::take(&mut reading.dashboards));
    Map::new()
        .comment(head)
        .text("format", "1")
        .text("service", service)
        .text("title", reading.title.as_str())
        .text("metrics_retention", reading.metrics_retention.as_str())
        .section("targets", "What is scraped.", vec![target])
        .map(
            "host",
            "The machine that the service runs on, read by Belfry itself.",
            host,
        )
        .section(
            "metrics",
            "The metrics that must exist.",
            metrics(&reading.metrics),
        )
        .section("rule_groups", ALERTS, rule_groups)
        .section("dashboards", DASHBOARDS, dashboards)
        .map(
            "logs",
            "Logs: how long which lines stay, and what kinds of lines there are.",
            logs,
        )
        .section(
            "probes",
            "Health endpoints, and how often each is asked.",
            probes,
        )
        .section("escalation_policies", "Who is told when.", policies)
        .section(
            "procedures",
            "What the responder does.",
            procedure_maps(reading),
        )
        .section(
            "objectives",
            "What is promised.",
            with_lines(std::mem::take(&mut reading.objectives)),
        )
        .map(
            "coverage",
            "How much of each group of metrics must really arrive.",
            std::mem::take(&mut reading.coverage),
        )
        .section(
            "critical_paths",
            "Paths that must be guarded by an alert.",
            std::mem::take(&mut reading.critical_paths),
        )
}

/// Each item under the lines that it comes from.
fn with_lines(maps: Vec<Map>) -> Vec<Map> {
    let commented = maps.into_iter().map(|map| {
        let lines = map.lines();
        if lines.is_empty() {
            map
        } else {
            map.comment(format!("{}.", lines_in_words(&lines)))
        }
    });
    commented.collect()
}

/// The metrics, with a comment where a title of the document begins.
fn metrics(metrics: &[MetricDraft]) -> Vec<Map> {
    let mut maps: Vec<Map> = Vec::new();
    let mut under: Option<&str> = None;
    for (at, metric) in metrics.iter().enumerate() {
        let map = Map::new()
            .from(metric.line)
            .text("name", metric.name.as_str())
            .text("type", metric.metric_type.as_str())
            .text("unit", metric.unit)
            .text("meaning", metric.meaning.as_str())
            .text("group", metric.group.as_str())
            .texts("labels", metric.labels.clone());
        let begins = under != Some(metric.under.as_str());
        under = Some(&metric.under);
        maps.push(if begins {
            map.comment(title_of_run(&metrics[at..]))
        } else {
            map
        });
    }
    maps
}

fn title_of_run(metrics: &[MetricDraft]) -> String {
    let under = &metrics[0].under;
    let run = metrics.iter().take_while(|own| own.under == *under);
    let lines: Vec<usize> = run.filter_map(|own| own.line).collect();
    match (under.is_empty(), lines.is_empty()) {
        (_, true) => format!("{under}."),
        (true, false) => format!("{}.", lines_in_words(&lines)),
        (false, false) => format!("{under}: {}.", lines_in_words(&lines).to_lowercase()),
    }
}

fn rule_groups(reading: &mut Reading<'_>, procedures: &[Option<String>]) -> Vec<Map> {
    let has_policy = !reading.levels.is_empty();
    let interval = reading.interval().to_owned();
    let mut groups: Vec<(String, Vec<Map>)> = Vec::new();
    for (alert, procedure) in reading.alerts.iter().zip(procedures) {
        let rule = rule(alert, procedure.as_deref(), has_policy);
        match groups.iter_mut().find(|(name, _)| *name == alert.group) {
            Some((_, rules)) => rules.push(rule),
            None => groups.push((alert.group.clone(), vec![rule])),
        }
    }
    let groups = groups.into_iter();
    groups
        .map(|(name, rules)| {
            Map::new()
                .text("name", name)
                .text("interval", interval.as_str())
                .maps("rules", rules)
        })
        .collect()
}

fn rule(alert: &AlertDraft, procedure: Option<&str>, has_policy: bool) -> Map {
    let mut labels = Map::new();
    for (name, value) in &alert.labels {
        labels = labels.text(name, value.as_str());
    }
    let mut map = Map::new().from(alert.lines.iter().copied());
    map = map.comment(format!("{}.", lines_in_words(&alert.lines)));
    for remark in &alert.remarks {
        map = map.comment(format!("Look at this: {remark}."));
    }
    map.text("alert", alert.name.as_str())
        .text("expr", alert.expr.as_str())
        .text("for", alert.hold.as_str())
        .text("keep_firing_for", alert.keep_firing.as_str())
        .text(
            "severity",
            if alert.critical {
                "critical"
            } else {
                "warning"
            },
        )
        .map("labels", "", labels)
        .text("summary", alert.summary.as_str())
        .text("description", alert.description.as_str())
        .text("procedure", procedure.unwrap_or(""))
        .text("escalation", if has_policy { POLICY } else { "" })
}

fn probes(reading: &Reading<'_>, base_url: &str) -> Vec<Map> {
    let probes = reading.probes.iter().map(|probe| {
        Map::new()
            .comment(format!("{}.", lines_in_words(&probe.lines)))
            .from(probe.lines.iter().copied())
            .text("name", probe.kind)
            .text("kind", probe.kind)
            .text("url", format!("{base_url}{}", probe.path))
            .text("interval", probe.interval.as_str())
            .texts("dependencies", probe.dependencies.clone())
    });
    probes.collect()
}

fn policies(reading: &mut Reading<'_>) -> Vec<Map> {
    let levels = std::mem::take(&mut reading.levels);
    if levels.is_empty() {
        return Vec::new();
    }
    if !reading.alerts.is_empty() {
        reading.note(
            None,
            format!("there is one escalation, named `{POLICY}` here, and every alert follows it"),
        );
    }
    let lines: Vec<usize> = levels.iter().flat_map(Map::lines).collect();
    let policy = Map::new().text("name", POLICY).maps("levels", levels);
    vec![if lines.is_empty() {
        policy
    } else {
        policy.comment(format!("{}.", lines_in_words(&lines)))
    }]
}

fn procedure_maps(reading: &mut Reading<'_>) -> Vec<Map> {
    let procedures = std::mem::take(&mut reading.procedures).into_iter();
    procedures
        .map(|own| {
            Map::new()
                .comment(format!("{}.", lines_in_words(&own.lines)))
                .from(own.lines)
                .text("id", own.id)
                .text("title", own.title)
                .maps("steps", own.steps)
        })
        .collect()
}

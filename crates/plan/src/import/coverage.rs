//! How much of what a document declares must be covered ("Business metrics: 90%"), and the critical paths.

use super::outline::Map;
use super::reading::Reading;
use super::topic::Topic;
use super::{clean, quantities, words};

pub(super) fn read(reading: &mut Reading<'_>) {
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
    let text = "the document names no critical path; each critical alert is taken as guarding one of its name. \
                Name the paths as your users know them";
    reading.note(Some(at), text);
    for name in critical {
        push_path(reading, at, &name.clone(), vec![name]);
    }
}

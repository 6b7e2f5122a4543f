//! Belfry's own words: what an engineer who was just woken up needs, in the order in which they need it. What is wrong, since
//! when and how badly stand in the first line; why they are told in the second; then what was found, what to do, and where.

use std::fmt::Write;

use super::cut;
use super::facts::{AlertFacts, Facts};

/// The longest list of an alert's labels, in characters: with all of it 20 alerts stay below what a message may hold.
const LABELS_CHARS_MAX: usize = 600;

/// The subject.
pub(super) fn own_subject(facts: &Facts) -> String {
    if facts.reason == "summary" {
        return format!(
            "[SUMMARY] {} incidents of {}",
            facts.summary_count, facts.service
        );
    }
    let head = if facts.kind == "resolved" {
        "RESOLVED".to_owned()
    } else {
        facts.severity.to_uppercase()
    };
    let title = said(&facts.title, &facts.summary);
    format!(
        "[{head}] {title} ({}, incident {})",
        facts.service, facts.incident.id
    )
}

/// The text.
pub(super) fn own_body(facts: &Facts) -> String {
    let mut text = String::new();
    if facts.reason == "summary" {
        summary(&mut text, facts);
        return text;
    }
    first_line(&mut text, facts);
    line(
        &mut text,
        format_args!(
            "{}, incident {}. You are told because {}.",
            facts.service, facts.incident.id, facts.why
        ),
    );
    if let Some(who) = &facts.incident.acknowledged_by {
        line(&mut text, format_args!("{who} has it."));
    }
    alerts(&mut text, facts);
    found(&mut text, facts);
    what_to_do(&mut text, facts);
    text
}

fn first_line(text: &mut String, facts: &Facts) {
    let incident = &facts.incident;
    let title = said(&facts.title, &facts.summary);
    if facts.kind == "resolved" {
        let at = incident.resolved_at.as_deref().unwrap_or("");
        let opened = &incident.opened_at;
        line(
            text,
            format_args!("RESOLVED: {title}. It began {opened} and ended {at}."),
        );
        return;
    }
    let severity = facts.severity.to_uppercase();
    let since = &incident.opened_at;
    let age = match incident.open_seconds {
        0..60 => String::new(),
        seconds => format!(" ({} min)", seconds / 60),
    };
    let measured = facts.alerts.first().map_or_else(String::new, measured);
    line(
        text,
        format_args!("{severity}: {title}. Since {since}{age}{measured}."),
    );
}

/// `, value 0.07, threshold > 0.05`
fn measured(alert: &AlertFacts) -> String {
    let mut text = String::new();
    if !alert.value.is_empty() {
        let _ = write!(text, ", value {}", alert.value);
    }
    if !alert.threshold.is_empty() {
        let _ = write!(text, ", threshold {}", alert.threshold);
    }
    if alert.no_data {
        text.push_str(", no data at present");
    }
    text
}

fn alerts(text: &mut String, facts: &Facts) {
    if facts.alerts.len() + facts.alerts_left_out as usize <= 1 {
        if let Some(alert) = facts.alerts.first() {
            line(text, format_args!("Alert: {}", labels(alert)));
        }
        return;
    }
    line(
        text,
        format_args!("\nAlerts ({} firing):", facts.alerts_firing),
    );
    for alert in &facts.alerts {
        let state = if alert.firing { "firing" } else { "over" };
        let measured = measured(alert);
        line(
            text,
            format_args!(
                "- {state}: {}{measured}\n  {}",
                alert.summary,
                labels(alert)
            ),
        );
    }
    if facts.alerts_left_out > 0 {
        line(text, format_args!("- and {} more", facts.alerts_left_out));
    }
}

fn labels(alert: &AlertFacts) -> String {
    let told = |name: &str| !matches!(name, "alertname" | "severity" | "service");
    let pairs: Vec<String> = alert
        .labels
        .iter()
        .filter(|(name, _)| told(name))
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    cut(
        &format!("{}{{{}}}", alert.name, pairs.join(", ")),
        LABELS_CHARS_MAX,
    )
}

fn found(text: &mut String, facts: &Facts) {
    if facts.evidence.is_empty() {
        return;
    }
    line(text, format_args!("\nFound so far:"));
    for finding in &facts.evidence {
        let failed = if finding.state == "failed" {
            "FAILED: "
        } else {
            ""
        };
        line(
            text,
            format_args!(
                "{}. {}: {failed}{}",
                finding.step, finding.title, finding.finding
            ),
        );
    }
}

fn what_to_do(text: &mut String, facts: &Facts) {
    if facts.kind == "resolved" {
        line(
            text,
            format_args!("\nWhat happened: {}", facts.links.incident),
        );
        return;
    }
    if let Some(procedure) = &facts.procedure {
        line(text, format_args!("\nWhat to do: {}", procedure.title));
        for (index, step) in procedure.steps.iter().enumerate() {
            line(text, format_args!("{}. {step}", index + 1));
        }
    }
    line(
        text,
        format_args!("\nAcknowledge and go on: {}", facts.links.incident),
    );
}

fn summary(text: &mut String, facts: &Facts) {
    let count = facts.summary_count;
    line(
        text,
        format_args!(
            "{count} incidents of {} at once. You are told because {}.\n",
            facts.service, facts.why
        ),
    );
    for carried in &facts.summary_of {
        let severity = carried.severity.to_uppercase();
        let title = said(&carried.title, &carried.summary);
        line(
            text,
            format_args!(
                "- {severity}, {}: {title}\n  {}",
                carried.state, carried.url
            ),
        );
    }
    let left_out = count.saturating_sub(facts.summary_of.len());
    if left_out > 0 {
        line(text, format_args!("- and {left_out} more"));
    }
    line(
        text,
        format_args!("\nAll incidents: {}/incidents", facts.links.belfry),
    );
}

/// `HighErrorRate: 7% of requests fail`, without the second half where there is none.
fn said(title: &str, summary: &str) -> String {
    if summary.is_empty() || summary == title {
        title.to_owned()
    } else {
        format!("{title}: {}", summary.trim_end_matches('.'))
    }
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{arguments}");
}

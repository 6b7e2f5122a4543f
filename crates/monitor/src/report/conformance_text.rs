//! The escalation report as Markdown.

use std::time::Duration;

use super::conformance::{
    ACCEPTED_WITHIN, Conformance, IncidentConformance, Kept, LevelConformance, Reported,
    TOLD_WITHIN,
};
use super::markdown::{escaped, head, row, utc};

/// The report under a title such as `November 2026`.
pub(crate) fn conformance_markdown(title: &str, report: &Conformance) -> String {
    let mut text = format!("# Escalation report: {}\n\n", escaped(title));
    text.push_str(&head(&["promise", "kept", "of", "share"]));
    let told = format!("level told within {} s", TOLD_WITHIN.as_secs());
    let accepted = format!(
        "page accepted within {} min",
        ACCEPTED_WITHIN.as_secs() / 60
    );
    text.push_str(&kept(&told, report.told));
    text.push_str(&kept(&accepted, report.accepted));
    text.push_str(&kept(
        "acknowledged before the next level was due",
        report.acknowledged,
    ));
    if let Some(latest) = report.latest {
        text.push_str(&format!(
            "\nThe latest level was told {} late.\n",
            length(latest)
        ));
    }
    if report.incidents.is_empty() {
        text.push_str("\nNo incident opened in this time.\n");
        return text;
    }
    text.push_str("\n## Incidents\n\n");
    let names = [
        "incident",
        "level",
        "roles",
        "promised (UTC)",
        "told",
        "late by",
        "accepted after",
        "people",
        "acknowledged before the next",
    ];
    text.push_str(&head(&names));
    for incident in &report.incidents {
        for level in &incident.levels {
            text.push_str(&line(incident, level));
        }
        if incident.levels.is_empty() {
            text.push_str(&row(&[&name(incident), "none", "", "", "", "", "", "", ""]));
        }
    }
    text
}

fn kept(promise: &str, kept: Kept) -> String {
    let share = kept
        .ratio()
        .map_or_else(|| "–".to_owned(), |ratio| format!("{:.1} %", ratio * 100.0));
    row(&[
        promise,
        &kept.in_time.to_string(),
        &kept.of.to_string(),
        &share,
    ])
}

fn name(incident: &IncidentConformance) -> String {
    format!("{} {}", incident.id, escaped(&incident.title))
}

fn line(incident: &IncidentConformance, level: &LevelConformance) -> String {
    let told = match level.state {
        Reported::Told => level.told_at.map_or_else(String::new, utc),
        Reported::ReachedNobody => "reached nobody".to_owned(),
        Reported::Pending => "not yet".to_owned(),
        Reported::NotNeeded => "not needed".to_owned(),
    };
    let acknowledged = match level.acknowledged_before_next {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "–",
    };
    row(&[
        &name(incident),
        &level.level.to_string(),
        &escaped(&level.roles.join(", ")),
        &level.promised_at.map_or_else(String::new, utc),
        &told,
        &judged(level.late_by(), level.told_in_time),
        &judged(level.accepted_after(), level.accepted_in_time),
        &escaped(&level.people.join(", ")),
        acknowledged,
    ])
}

/// A length of time, loud where it is too long.
fn judged(took: Option<Duration>, in_time: Option<bool>) -> String {
    match (took, in_time) {
        (Some(took), Some(false)) => format!("**{}**", length(took)),
        (Some(took), _) => length(took),
        (None, Some(false)) => "**never**".to_owned(),
        (None, _) => String::new(),
    }
}

fn length(length: Duration) -> String {
    format!("{:.1} s", length.as_secs_f64())
}

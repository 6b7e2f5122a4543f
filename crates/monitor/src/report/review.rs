//! The post-incident review: everything that was written down about an incident, in order, with empty sections for what only
//! people know. Markdown, so that it goes into whatever a team keeps its reviews in.

use alerting::{Incident, Member, TimelineKind};
use model::Timestamp;

use super::markdown::{escaped, head, row, utc};
use crate::incident::{DeliveryAttempt, IncidentDetail, RunState, StepRun};

/// How many alerts the impact names; the rest is counted.
const ALERTS_MAX: usize = 5;

/// The review of an incident. `attempts` are those to deliver its pages, the oldest first.
pub(crate) fn review_markdown(
    detail: &IncidentDetail,
    attempts: &[DeliveryAttempt],
    now: Timestamp,
) -> String {
    let incident = &detail.incident;
    let title = escaped(&incident.head.title);
    let mut text = format!("# Incident {}: {title}\n\n", incident.id());
    text.push_str(&facts(detail, now));
    text.push_str(&format!("\n**Impact:** {}\n", impact(incident)));
    text.push_str("\n## Timeline\n\n");
    text.push_str(&head(&["time (UTC)", "what", "text"]));
    for entry in &detail.timeline {
        let kind = entry.kind.replace('_', " ");
        text.push_str(&row(&[
            &utc(entry.at),
            &escaped(&kind),
            &escaped(&entry.text),
        ]));
    }
    text.push_str("\n## Evidence\n\n");
    text.push_str(&evidence(&detail.runs));
    text.push_str("\n## Deliveries\n\n");
    text.push_str(&deliveries(attempts));
    for section in ["Cause", "What went well", "What went badly", "Actions"] {
        text.push_str(&format!("\n## {section}\n\n"));
    }
    text
}

fn facts(detail: &IncidentDetail, now: Timestamp) -> String {
    let incident = &detail.incident;
    let end = incident.resolved.as_ref().map_or(now, |own| own.at);
    let lasted = length(incident.head.opened_at, end);
    let resolved = match &incident.resolved {
        Some(own) => format!("{}: {}", utc(own.at), escaped(own.reason.in_words())),
        None => "not yet".to_owned(),
    };
    let told: Vec<String> = incident
        .told
        .iter()
        .map(|(person, level)| format!("{} (level {level})", escaped(person)))
        .collect();
    let procedure = incident.head.procedure.as_deref().unwrap_or("none");
    let facts = [
        ("severity", incident.head.severity.as_str().to_owned()),
        ("opened", utc(incident.head.opened_at)),
        ("acknowledged", acknowledged(detail)),
        ("resolved", resolved),
        ("duration", lasted),
        (
            "people told",
            if told.is_empty() {
                "nobody".to_owned()
            } else {
                told.join(", ")
            },
        ),
        ("procedure", escaped(procedure)),
    ];
    let mut table = head(&["", ""]);
    for (name, value) in facts {
        table.push_str(&row(&[name, &value]));
    }
    table
}

/// The first acknowledgement: one that expired was one all the same.
fn acknowledged(detail: &IncidentDetail) -> String {
    let Some(at) = detail.incident.first_acknowledged_at else {
        return "never".to_owned();
    };
    let after = length(detail.incident.head.opened_at, at);
    let first = detail
        .timeline
        .iter()
        .find(|entry| entry.kind == TimelineKind::Acknowledged.as_str());
    let by = first.map_or_else(|| "acknowledged".to_owned(), |entry| escaped(&entry.text));
    format!("{}, after {after}: {by}", utc(at))
}

fn impact(incident: &Incident) -> String {
    let count = incident.members.len() as u64 + incident.left_out;
    if count == 0 {
        return "opened by hand; say here what users noticed.".to_owned();
    }
    let mut summaries: Vec<String> = incident.members.values().map(summary).collect();
    summaries.dedup();
    let more = summaries.len().saturating_sub(ALERTS_MAX);
    summaries.truncate(ALERTS_MAX);
    let mut impact = summaries.join("; ");
    if more > 0 {
        impact.push_str(&format!("; and {more} more"));
    }
    let alerts = if count == 1 { "alert" } else { "alerts" };
    format!("{impact} ({count} {alerts}). Say here what users noticed.")
}

fn summary(member: &Member) -> String {
    match member.summary.trim() {
        "" => "an alert without a summary".to_owned(),
        text => escaped(text),
    }
}

fn evidence(runs: &[StepRun]) -> String {
    if runs.is_empty() {
        return "No step of a procedure ran.\n".to_owned();
    }
    let mut table = head(&["step", "title", "time (UTC)", "by", "state", "finding"]);
    for run in runs {
        let at = run.finished_at.or(run.started_at).unwrap_or(run.queued_at);
        let by = if run.by.is_empty() { "Belfry" } else { &run.by };
        let state = match run.state {
            RunState::Queued => "waiting",
            RunState::Running => "running",
            RunState::Done => "done",
            RunState::Failed => "failed",
            RunState::Ticked => "ticked",
            RunState::Interrupted => "cut off",
        };
        let number = (run.step + 1).to_string();
        let (title, by, found) = (escaped(&run.title), escaped(by), escaped(&run.summary));
        table.push_str(&row(&[&number, &title, &utc(at), &by, state, &found]));
    }
    table
}

fn deliveries(attempts: &[DeliveryAttempt]) -> String {
    if attempts.is_empty() {
        return "Nobody was told.\n".to_owned();
    }
    let mut table = head(&["time (UTC)", "person", "channel", "level", "why", "outcome"]);
    for attempt in attempts {
        let outcome = match (&attempt.error, &attempt.receipt) {
            (Some(error), _) => format!("failed: {}", escaped(error)),
            (None, Some(receipt)) if !receipt.is_empty() => {
                format!("accepted: {}", escaped(receipt))
            }
            (None, _) => "accepted".to_owned(),
        };
        let page = &attempt.page;
        table.push_str(&row(&[
            &utc(attempt.at),
            &escaped(&page.person),
            &escaped(&page.channel),
            &page.level.to_string(),
            &page.reason.as_str().replace('_', " "),
            &outcome,
        ]));
    }
    table
}

/// From one time to another, to the second.
fn length(from: Timestamp, until: Timestamp) -> String {
    let seconds = until.since(from).as_secs();
    model::format_duration(std::time::Duration::from_secs(seconds))
}

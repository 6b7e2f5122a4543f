//! Incidents as JSON: a line of the list, and one with everything about it.

use alerting::{Hold, Incident, IncidentState, PageReason};
use plan::{Procedure, Step, StepKind};
use serde_json::{Value, json};

use super::labels_json;
use crate::incident::{IncidentDetail, Page, StepRun};
use crate::notify::annotations;
use crate::setup::Setup;
use crate::time_text::rfc3339;

/// One line of a list.
pub(super) fn summary(incident: &Incident) -> Value {
    let next = incident.next_level();
    let head = &incident.head;
    let acknowledged = incident.acknowledged.as_ref();
    let resolved = incident.resolved.as_ref();
    json!({
        "id": head.id.0,
        "title": head.title,
        "alert": head.title,
        "group": head.group,
        "severity": head.severity.as_str(),
        "labels": incident.members.keys().next().map(labels_json),
        "state": incident.state().as_str(),
        "opened_at": rfc3339(head.opened_at),
        "acknowledged_at": acknowledged.map(|own| rfc3339(own.at)),
        "acknowledged_by": acknowledged.map(|own| own.by.as_str()),
        "acknowledged_until": acknowledged.and_then(|own| own.until).map(rfc3339),
        "resolved_at": resolved.map(|own| rfc3339(own.at)),
        "resolve_reason": resolved.map(|own| own.reason.as_str()),
        "held": incident.held.as_ref().map(hold),
        "no_data": incident.no_data(),
        "drill": incident.drill.is_some(),
        "level": incident.levels_told,
        "next_level": next.map(|(level, _)| level),
        "next_level_at": next.map(|(_, at)| rfc3339(at)),
        "alerts_firing": incident.firing().count(),
        "alerts_left_out": incident.left_out,
        "summary": incident.members.values().next().map(|member| member.summary.as_str()).unwrap_or_default(),
    })
}

/// What holds pages back.
pub(super) fn hold(hold: &Hold) -> Value {
    json!({"kind": hold.kind.as_str(), "id": hold.id, "why": hold.to_string()})
}

/// One with everything about it.
pub(super) fn whole(setup: &Setup, found: &IncidentDetail) -> Value {
    let incident = &found.incident;
    let mut body = summary(incident);
    let timeline = found
        .timeline
        .iter()
        .map(|entry| json!({"at": rfc3339(entry.at), "kind": entry.kind, "text": entry.text}));
    let alerts = incident.members.iter().map(|(labels, member)| {
        json!({
            "labels": labels_json(labels),
            "annotations": annotations(&setup.plan, labels, member),
            "state": if member.resolved_at.is_some() { "resolved" } else { "firing" },
            "value": member.value,
            "summary": member.summary,
            "no_data": member.no_data,
            "started_at": rfc3339(member.started_at),
            "resolved_at": member.resolved_at.map(rfc3339),
        })
    });
    body["timeline"] = timeline.collect();
    body["ladder"] = ladder(found);
    body["pages"] = found.pages.iter().map(page).collect();
    body["alerts"] = alerts.collect();
    body["procedure"] = procedure(setup, found);
    body
}

fn ladder(found: &IncidentDetail) -> Value {
    let incident = &found.incident;
    let told = |level: usize| {
        let of_level = |page: &&Page| page.level == level && page.reason == PageReason::Escalation;
        found
            .pages
            .iter()
            .filter(of_level)
            .map(|page| page.queued_at)
            .min()
    };
    let rungs = incident
        .head
        .levels
        .iter()
        .enumerate()
        .map(|(index, level)| {
            let number = index + 1;
            // One that nobody will be told at has no due time: it would be a promise that nobody keeps.
            let will_be_told = number <= incident.levels_told
                || (incident.state() == IncidentState::Open && incident.held.is_none());
            let due = will_be_told.then(|| rfc3339(incident.due_at(level)));
            json!({
                "level": number,
                "after_seconds": level.after.as_secs_f64(),
                "roles": level.roles,
                "due_at": due,
                "notified_at": told(number).map(rfc3339),
            })
        });
    rungs.collect()
}

/// A page with its receipt.
pub(super) fn page(page: &Page) -> Value {
    json!({
        "id": page.id.0,
        "level": page.level,
        "person": page.person,
        "channel": page.channel,
        "kind": page.kind().as_str(),
        "reason": page.reason.as_str(),
        "state": page.state.as_str(),
        "attempts": page.attempts,
        "last_error": page.last_error,
        "promised_at": rfc3339(page.due_at),
        "queued_at": rfc3339(page.queued_at),
        "due_at": rfc3339(page.next_attempt_at),
        "delivered_at": page.delivered_at.map(rfc3339),
        "receipt": page.receipt,
    })
}

fn procedure(setup: &Setup, found: &IncidentDetail) -> Value {
    let id = found.incident.head.procedure.as_deref();
    let Some(procedure) = id.and_then(|id| setup.plan.procedure(id)) else {
        return Value::Null;
    };
    json!({"id": procedure.id, "title": procedure.title, "steps": steps(procedure, &found.runs)})
}

fn steps(procedure: &Procedure, runs: &[StepRun]) -> Value {
    let steps = procedure.steps.iter().enumerate().map(|(index, step)| {
        let of_step = runs.iter().filter(|run| run.step == index);
        json!({
            "number": index + 1,
            "title": step.title,
            "kind": step.kind.as_str(),
            "query": asked(step),
            "changes": step.changes,
            "automatic": step.automatic,
            "timeout_seconds": step.timeout.as_secs_f64(),
            "runs": of_step.map(run).collect::<Vec<_>>(),
        })
    });
    steps.collect()
}

/// What a step asks or calls, in words.
fn asked(step: &Step) -> String {
    match &step.kind {
        StepKind::Manual => String::new(),
        StepKind::Query(expr) => expr.text.clone(),
        StepKind::Compare { expr, before } => {
            format!(
                "{} against {} before",
                expr.text,
                model::format_duration(*before)
            )
        }
        StepKind::Logs(search) => search.clone(),
        StepKind::Check(probe) => probe.clone(),
        StepKind::Deployments(within) => {
            format!("deployments within {}", model::format_duration(*within))
        }
        StepKind::Request(request) => format!("{} {}", request.method, request.url),
        StepKind::Command(command) => command.argv.join(" "),
    }
}

fn run(run: &StepRun) -> Value {
    // What the store holds is what the runner wrote; text that is no JSON is shown as it is.
    let detail: Value =
        serde_json::from_str(&run.detail).unwrap_or_else(|_| Value::from(run.detail.as_str()));
    json!({
        "id": run.id.0,
        "state": run.state.as_str(),
        "by": run.by,
        "queued_at": rfc3339(run.queued_at),
        "started_at": run.started_at.map(rfc3339),
        "finished_at": run.finished_at.map(rfc3339),
        "summary": run.summary,
        "detail": detail,
    })
}

//! Incidents: the list, one with everything about it, and what a person can do.

use std::sync::Arc;

use alerting::{Incident, IncidentId, IncidentState};
use axum::Json;
use axum::extract::{Path, Query, State};
use plan::StepKind;
use serde::Deserialize;
use serde_json::{Value, json};

use super::labels_json;
use crate::app::App;
use crate::http::error::Problem;
use crate::incident::{IncidentDetail, IncidentFilter, Page};
use crate::setup::Setup;
use crate::time_text::rfc3339;

/// The most incidents in one answer.
const LIST_MAX: usize = 1_000;
/// The longest name and text that a person may send, in characters.
const NAME_LENGTH_MAX: usize = 100;
const TEXT_LENGTH_MAX: usize = 5_000;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    state: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct AcknowledgeBody {
    by: String,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
pub(super) struct NoteBody {
    by: String,
    text: String,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let filter = match query.state.as_deref() {
        None | Some("all") => IncidentFilter::All,
        Some("open") => IncidentFilter::Open,
        Some("resolved") => IncidentFilter::Resolved,
        Some(other) => {
            return Err(Problem::bad_request(format!(
                "state `{other}` is not one of open, resolved, all"
            )));
        }
    };
    let limit = query.limit.unwrap_or(100).min(LIST_MAX);
    let incidents = app
        .desk
        .with_store(move |store| store.incidents(filter, limit))
        .await?;
    Ok(Json(incidents.iter().map(summary).collect()))
}

pub(super) async fn detail(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
) -> Result<Json<Value>, Problem> {
    let found = app
        .desk
        .with_store(move |store| store.detail(IncidentId(id)))
        .await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no incident {id}")))?;
    Ok(Json(whole(&app.setup.get(), &found)))
}

pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    Json(body): Json<AcknowledgeBody>,
) -> Result<Json<Value>, Problem> {
    let by = name(&body.by)?;
    let note = text(&body.note)?;
    app.desk
        .acknowledge(IncidentId(id), by, note, app.now())
        .await?;
    detail(State(app), Path(id)).await
}

pub(super) async fn note(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    Json(body): Json<NoteBody>,
) -> Result<Json<Value>, Problem> {
    let by = name(&body.by)?;
    let text = text(&body.text)?;
    if text.is_empty() {
        return Err(Problem::bad_request("a note needs a text"));
    }
    app.desk.note(IncidentId(id), by, text, app.now()).await?;
    detail(State(app), Path(id)).await
}

fn name(by: &str) -> Result<&str, Problem> {
    let by = by.trim();
    if by.is_empty() || by.chars().count() > NAME_LENGTH_MAX {
        return Err(Problem::bad_request(format!(
            "`by` must be a name of 1 to {NAME_LENGTH_MAX} characters"
        )));
    }
    Ok(by)
}

fn text(text: &str) -> Result<&str, Problem> {
    if text.chars().count() > TEXT_LENGTH_MAX {
        return Err(Problem::bad_request(format!(
            "the text is longer than {TEXT_LENGTH_MAX} characters"
        )));
    }
    Ok(text.trim())
}

fn summary(incident: &Incident) -> Value {
    let next = incident.next_level();
    json!({
        "id": incident.id.0,
        "title": incident.alert,
        "alert": incident.alert,
        "severity": incident.severity.as_str(),
        "labels": incident.members.keys().next().map(labels_json),
        "state": incident.state().as_str(),
        "opened_at": rfc3339(incident.opened_at),
        "acknowledged_at": incident.acknowledged.as_ref().map(|acknowledged| rfc3339(acknowledged.at)),
        "acknowledged_by": incident.acknowledged.as_ref().map(|acknowledged| acknowledged.by.as_str()),
        "resolved_at": incident.resolved.map(|resolved| rfc3339(resolved.at)),
        "resolve_reason": incident.resolved.map(|resolved| resolved.reason.as_str()),
        "no_data": incident.no_data(),
        "level": incident.levels_told,
        "next_level": next.map(|(level, _)| level),
        "next_level_at": next.map(|(_, at)| rfc3339(at)),
        "summary": incident.members.values().next().map(|member| member.summary.as_str()).unwrap_or_default(),
    })
}

fn whole(setup: &Setup, found: &IncidentDetail) -> Value {
    let incident = &found.incident;
    let mut body = summary(incident);
    let timeline = found
        .timeline
        .iter()
        .map(|entry| json!({"at": rfc3339(entry.at), "kind": entry.kind, "text": entry.text}));
    let alerts = incident.members.iter().map(|(labels, member)| {
        json!({
            "labels": labels_json(labels),
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
    body["procedure"] = procedure(setup, incident);
    body
}

fn ladder(found: &IncidentDetail) -> Value {
    let incident = &found.incident;
    let told = |level: usize| {
        found
            .pages
            .iter()
            .filter(|page| page.level == level)
            .map(|page| page.queued_at)
            .min()
    };
    let rungs = incident.levels.iter().enumerate().map(|(index, level)| {
        let number = index + 1;
        // A resolved or acknowledged incident tells no further level: a due time would be a promise nobody keeps.
        let will_be_told =
            number <= incident.levels_told || incident.state() == IncidentState::Open;
        let due = will_be_told.then(|| rfc3339(incident.opened_at + level.after));
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

fn page(page: &Page) -> Value {
    json!({
        "id": page.id.0,
        "level": page.level,
        "person": page.person,
        "channel": page.channel,
        "kind": page.kind.as_str(),
        "state": page.state.as_str(),
        "attempts": page.attempts,
        "last_error": page.last_error,
        "due_at": rfc3339(page.next_attempt_at),
        "delivered_at": page.delivered_at.map(rfc3339),
    })
}

fn procedure(setup: &Setup, incident: &Incident) -> Value {
    let rule = setup
        .plan
        .rules()
        .map(|(_, rule)| rule)
        .find(|rule| rule.name == incident.alert);
    let Some(procedure) = rule
        .and_then(|rule| rule.procedure.as_deref())
        .and_then(|id| setup.plan.procedure(id))
    else {
        return Value::Null;
    };
    let steps = procedure.steps.iter().map(|step| {
        let query = match &step.kind {
            StepKind::Query(expr) | StepKind::Compare { expr, .. } => expr.text.as_str(),
            StepKind::Logs(search) => search,
            StepKind::Check(probe) => probe,
            StepKind::Manual
            | StepKind::Deployments(_)
            | StepKind::Request(_)
            | StepKind::Command(_) => "",
        };
        json!({"title": step.title, "kind": step.kind.as_str(), "query": query})
    });
    json!({"id": procedure.id, "title": procedure.title, "steps": steps.collect::<Vec<_>>()})
}

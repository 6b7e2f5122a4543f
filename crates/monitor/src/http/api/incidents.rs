//! Incidents: the list, one with everything about it, and what a person can do.

use std::sync::Arc;

use alerting::IncidentId;
use axum::Json;
use axum::extract::{Path, Query, State};
use plan::Severity;
use serde::Deserialize;
use serde_json::{Value, json};

use super::acting::{name, text};
use super::incident_json::{summary, whole};
use crate::app::App;
use crate::http::error::Problem;
use crate::incident::{IncidentDetail, IncidentFilter, ManualIncident, NewRun};
use crate::notify::{PageContext, words};

/// The most incidents in one answer.
const LIST_MAX: usize = 1_000;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    state: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct OpenBody {
    by: String,
    title: String,
    #[serde(default)]
    text: String,
    severity: Option<String>,
    escalation: Option<String>,
    procedure: Option<String>,
}

/// Acknowledging and resolving.
#[derive(Deserialize)]
pub(super) struct TakeBody {
    by: String,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
pub(super) struct MergeBody {
    by: String,
    into: i64,
}

#[derive(Deserialize)]
pub(super) struct StepBody {
    by: String,
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
    let found = found(&app, id).await?;
    Ok(Json(whole(&app.setup.get(), &found)))
}

pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    Json(body): Json<TakeBody>,
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

/// What the incident's last page says to people, by the templates of the plan in force.
pub(super) async fn message(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
) -> Result<Json<Value>, Problem> {
    let found = found(&app, id).await?;
    let page = found
        .pages
        .last()
        .ok_or_else(|| Problem::not_found(format!("nobody was told of incident {id}")))?;
    let (subject, body) = words(&PageContext {
        setup: &app.setup.get(),
        detail: &found,
        page,
        external_url: &app.external_url(),
        summary_of: &[],
    });
    Ok(Json(
        json!({"person": page.person, "subject": subject, "body": body}),
    ))
}

/// Opens an incident by hand.
pub(super) async fn open(
    State(app): State<Arc<App>>,
    Json(body): Json<OpenBody>,
) -> Result<Json<Value>, Problem> {
    let title = text(&body.title)?;
    if title.is_empty() {
        return Err(Problem::bad_request("an incident needs a title"));
    }
    let severity = match body.severity.as_deref() {
        None | Some("critical") => Severity::Critical,
        Some("warning") => Severity::Warning,
        Some(other) => {
            return Err(Problem::bad_request(format!(
                "severity `{other}` is not one of critical, warning"
            )));
        }
    };
    let manual = ManualIncident {
        title: title.to_owned(),
        text: text(&body.text)?.to_owned(),
        severity,
        escalation: body.escalation,
        procedure: body.procedure,
        by: name(&body.by)?.to_owned(),
    };
    let id = app.desk.open_by_hand(&manual, app.now()).await?;
    detail(State(app), Path(id.0)).await
}

pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    Json(body): Json<TakeBody>,
) -> Result<Json<Value>, Problem> {
    let by = name(&body.by)?;
    let note = text(&body.note)?;
    app.desk
        .resolve(IncidentId(id), by, note, app.now())
        .await?;
    detail(State(app), Path(id)).await
}

/// Makes the incident part of another one; answers with the other one.
pub(super) async fn merge(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
    Json(body): Json<MergeBody>,
) -> Result<Json<Value>, Problem> {
    let by = name(&body.by)?;
    app.desk
        .merge(IncidentId(id), IncidentId(body.into), by, app.now())
        .await?;
    detail(State(app), Path(body.into)).await
}

pub(super) async fn run_step(
    State(app): State<Arc<App>>,
    Path((id, step)): Path<(i64, usize)>,
    Json(body): Json<StepBody>,
) -> Result<Json<Value>, Problem> {
    act_on_step(app, id, step, &body, false).await
}

pub(super) async fn tick_step(
    State(app): State<Arc<App>>,
    Path((id, step)): Path<(i64, usize)>,
    Json(body): Json<StepBody>,
) -> Result<Json<Value>, Problem> {
    act_on_step(app, id, step, &body, true).await
}

/// Steps are counted from 1 in addresses, as people count them.
async fn act_on_step(
    app: Arc<App>,
    id: i64,
    number: usize,
    body: &StepBody,
    ticked: bool,
) -> Result<Json<Value>, Problem> {
    let by = name(&body.by)?.to_owned();
    let incident = found(&app, id).await?.incident;
    let setup = app.setup.get();
    let step = incident
        .head
        .procedure
        .as_deref()
        .and_then(|id| setup.plan.procedure(id))
        .and_then(|procedure| procedure.steps.get(number.checked_sub(1)?))
        .ok_or_else(|| Problem::not_found(format!("incident {id} has no step {number}")))?;
    if !ticked && matches!(step.kind, plan::StepKind::Manual) {
        return Err(Problem::bad_request(
            "this step is done by a person; tick it when it is done",
        ));
    }
    let run = NewRun {
        step: number - 1,
        title: step.title.clone(),
        kind: step.kind.as_str().to_owned(),
        changes: step.changes,
        by,
        ticked,
    };
    let now = app.now();
    let queued = app
        .desk
        .with_store(move |store| store.queue_run(IncidentId(id), &run, now))
        .await?;
    if queued.is_none() {
        return Err(Problem::conflict(
            "this step runs already, or it changes something and has run: such a step runs once",
        ));
    }
    app.desk.runs_queued().notify_one();
    detail(State(app), Path(id)).await
}

/// An incident with everything about it.
async fn found(app: &App, id: i64) -> Result<IncidentDetail, Problem> {
    let found = app
        .desk
        .with_store(move |store| store.detail(IncidentId(id)))
        .await?;
    found.ok_or_else(|| Problem::not_found(format!("there is no incident {id}")))
}

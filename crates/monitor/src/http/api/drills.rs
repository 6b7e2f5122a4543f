//! Drills: asking for one, how each stands and came out, and which alerts are proven.

use std::sync::Arc;

use alerting::DrillPages;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::acting::name;
use crate::app::App;
use crate::drill::{DrillRefused, DrillRequest, step_json};
use crate::http::error::Problem;
use crate::incident::{Drill, DrillId, DrillMode, DrillOutcome};
use crate::time_text::rfc3339;

/// The most drills in one answer.
const LIST_MAX: usize = 1_000;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    alert: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
pub(super) struct DrillBody {
    by: String,
    alert: String,
    mode: Option<String>,
    #[serde(default)]
    page: bool,
}

/// The ledger, and what it says of each alert of the plan.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let limit = query.limit.unwrap_or(100).min(LIST_MAX);
    let (drills, passed) = app
        .desk
        .with_store(move |store| {
            let drills = store.drills(query.alert.as_deref(), limit)?;
            Ok((drills, store.drills_passed()?))
        })
        .await?;
    let setup = app.setup.get();
    let plan = &setup.plan;
    let now = app.now();
    let alerts = plan.rules().map(|(_, rule)| {
        let at = passed.get(&rule.name).copied();
        json!({
            "alert": rule.name,
            "last_passed_at": at.map(rfc3339),
            "proven": at.is_some_and(|at| now.since(at) <= plan.drills.every),
            "can_be_caused": plan.drills.fault(&rule.name).is_some(),
        })
    });
    Ok(Json(json!({
        "every_seconds": plan.drills.every.as_secs(),
        "alerts": alerts.collect::<Vec<_>>(),
        "drills": drills.iter().map(drill_json).collect::<Vec<_>>(),
    })))
}

pub(super) async fn detail(
    State(app): State<Arc<App>>,
    Path(id): Path<i64>,
) -> Result<Json<Value>, Problem> {
    let found = app
        .desk
        .with_store(move |store| store.drill(DrillId(id)))
        .await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no drill {id}")))?;
    Ok(Json(drill_json(&found)))
}

/// Begins a drill.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Json(body): Json<DrillBody>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mode = match body.mode.as_deref() {
        None => None,
        Some("virtual") => Some(DrillMode::Virtual),
        Some("real") => Some(DrillMode::Real),
        Some(other) => {
            return Err(Problem::bad_request(format!(
                "mode `{other}` is not one of virtual, real"
            )));
        }
    };
    let request = DrillRequest {
        by: name(&body.by)?.to_owned(),
        alert: body.alert,
        mode,
        pages: if body.page {
            DrillPages::People
        } else {
            DrillPages::Sink
        },
    };
    let drill = app.drill(request).await.map_err(refused)?;
    Ok((StatusCode::ACCEPTED, Json(drill_json(&drill))))
}

fn refused(why: DrillRefused) -> Problem {
    let text = why.to_string();
    match why {
        DrillRefused::UnknownAlert(_) => Problem::not_found(text),
        DrillRefused::NoFault(_) => Problem::bad_request(text),
        DrillRefused::Taken(_) => Problem::conflict(text),
        DrillRefused::Full => Problem::busy(text),
        DrillRefused::Store(error) => error.into(),
    }
}

fn drill_json(drill: &Drill) -> Value {
    json!({
        "id": drill.id.0,
        "alert": drill.alert,
        "mode": drill.mode.as_str(),
        "pages": drill.pages.as_str(),
        "by": drill.by,
        "asked_at": rfc3339(drill.asked_at),
        "state": drill.state.as_str(),
        "ended_at": drill.ended_at.map(rfc3339),
        "outcome": drill.outcome.map(DrillOutcome::as_str),
        "reason": drill.reason,
        "incident": drill.incident.map(|id| id.0),
        "steps": drill.steps.iter().map(step_json).collect::<Vec<_>>(),
    })
}

//! The delivery log: every attempt to tell somebody, with what the receiver said.

use std::sync::Arc;

use alerting::IncidentId;
use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::{Value, json};

use super::incident_json::page;
use super::parameters::Parameters;
use crate::app::App;
use crate::http::error::Problem;
use crate::incident::DeliveryAttempt;
use crate::time_text::rfc3339;

/// How many attempts an answer has when none is asked for, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 5_000;

pub(super) async fn list(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::read(query.as_deref())?;
    let incident = parameters.number("incident")?.map(IncidentId);
    let limit = parameters.limit(LIMIT, LIMIT_MAX)?;
    let attempts = app
        .desk
        .with_store(move |store| store.attempts(incident, limit))
        .await?;
    Ok(Json(attempts.iter().map(attempt).collect()))
}

fn attempt(attempt: &DeliveryAttempt) -> Value {
    json!({
        "at": rfc3339(attempt.at),
        "took_seconds": attempt.took_ms as f64 / 1000.0,
        "accepted": attempt.error.is_none(),
        "error": attempt.error,
        "receipt": attempt.receipt,
        "incident": attempt.page.incident.0,
        "page": page(&attempt.page),
    })
}

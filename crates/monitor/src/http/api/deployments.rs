//! What was deployed when: told by whoever deploys, read by procedures and people who ask what changed shortly before.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use model::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::acting::text;
use super::parameters::Parameters;
use super::timed::{GivenTime, given};
use crate::app::App;
use crate::http::error::Problem;
use crate::incident::Deployment;
use crate::time_text::rfc3339;

/// The longest version, service, instance and name, in characters.
const WORD_LENGTH_MAX: usize = 200;
/// By how much the clock of whoever deploys may be ahead of ours.
const AHEAD_MAX: Duration = Duration::from_secs(5 * 60);
/// How many deployments an answer has when none is asked for, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

#[derive(Deserialize)]
pub(in crate::http) struct DeploymentBody {
    version: String,
    service: Option<String>,
    #[serde(default)]
    instance: String,
    at: Option<GivenTime>,
    #[serde(default)]
    by: String,
    #[serde(default)]
    note: String,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::read(query.as_deref())?;
    let from = parameters.time("from")?.unwrap_or(Timestamp::MIN);
    let until = parameters.time("until")?.unwrap_or(Timestamp::MAX);
    let limit = parameters.limit(LIMIT, LIMIT_MAX)?;
    let found = app
        .desk
        .with_store(move |store| store.deployments(from, until, limit))
        .await?;
    Ok(Json(found.iter().map(deployment_json).collect()))
}

/// Somebody deployed something.
pub(in crate::http) async fn tell(
    State(app): State<Arc<App>>,
    Json(body): Json<DeploymentBody>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let now = app.now();
    let at = match &body.at {
        Some(at) => given("at", at)?,
        None => now,
    };
    if at > now + AHEAD_MAX {
        return Err(Problem::bad_request(
            "`at` lies in the future; tell of a deployment when it happens",
        ));
    }
    let version = word("version", &body.version)?;
    if version.is_empty() {
        return Err(Problem::bad_request("`version` must say what was deployed"));
    }
    let service = match &body.service {
        Some(service) => word("service", service)?,
        None => app.setup.get().plan.service.clone(),
    };
    let deployment = Deployment {
        at,
        service,
        instance: word("instance", &body.instance)?,
        version,
        by: word("by", &body.by)?,
        note: text(&body.note)?.to_owned(),
    };
    let written = deployment.clone();
    app.desk
        .with_store(move |store| store.put_deployment(&written))
        .await?;
    Ok((StatusCode::CREATED, Json(deployment_json(&deployment))))
}

/// A text of one line, possibly empty.
fn word(name: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().count() > WORD_LENGTH_MAX || text.contains(char::is_control) {
        return Err(Problem::bad_request(format!(
            "`{name}` must be one line of at most {WORD_LENGTH_MAX} characters"
        )));
    }
    Ok(text.to_owned())
}

fn deployment_json(deployment: &Deployment) -> Value {
    json!({
        "at": rfc3339(deployment.at),
        "service": deployment.service,
        "instance": deployment.instance,
        "version": deployment.version,
        "by": deployment.by,
        "note": deployment.note,
    })
}

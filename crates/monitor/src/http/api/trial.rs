//! Test pages to people.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::acting::name;
use crate::app::App;
use crate::http::error::Problem;
use crate::notify::try_contact;

#[derive(Deserialize)]
pub(super) struct TrialBody {
    by: String,
    person: String,
    channel: Option<String>,
}

/// Sends a test page by one of a person's channels, or by each; answers what became of them.
pub(super) async fn test_contact(
    State(app): State<Arc<App>>,
    Json(body): Json<TrialBody>,
) -> Result<Json<Value>, Problem> {
    let by = name(&body.by)?;
    let setup = app.setup.get();
    let person = setup
        .contacts
        .person(&body.person)
        .ok_or_else(|| Problem::not_found(format!("nobody is called `{}`", body.person)))?;
    let only = body.channel.as_deref();
    if let Some(channel) = only.filter(|name| person.channel(name).is_none()) {
        return Err(Problem::not_found(format!(
            "{} has no channel `{channel}`; there are {}",
            person.name,
            person.channel_names().join(", ")
        )));
    }
    let trials = try_contact(
        &app.world,
        &app.environment,
        &setup,
        &app.external_url(),
        person,
        only,
    )
    .await;
    app.log
        .info("a contact was tested")
        .field("person", person.name.as_str())
        .field("by", by)
        .emit();
    let results: Vec<Value> = trials
        .iter()
        .map(|trial| {
            json!({
                "channel": trial.channel,
                "ok": trial.outcome.is_ok(),
                "receipt": trial.outcome.as_ref().ok(),
                "error": trial.outcome.as_ref().err(),
                "took_ms": trial.took_ms,
            })
        })
        .collect();
    Ok(Json(json!({"person": person.name, "results": results})))
}

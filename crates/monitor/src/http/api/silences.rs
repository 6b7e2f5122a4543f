//! Silences: who decided not to be told about what, until when, and what another one would hide.

use std::sync::Arc;
use std::time::Duration;

use alerting::Silence;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use model::{MatchOp, Matcher, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::acting::{name, text};
use super::matchers::{MATCHERS_MAX, matcher, parse_matcher};
use super::parameters::Parameters;
use super::silence_preview::preview_json;
use super::timed::{GivenTime, given};
use crate::app::App;
use crate::http::error::Problem;
use crate::time_text::rfc3339;

/// The most silences in one answer.
const LIST_MAX: usize = 1_000;

#[derive(Deserialize)]
pub(super) struct SilenceBody {
    by: String,
    reason: String,
    matchers: Vec<MatcherBody>,
    starts_at: Option<GivenTime>,
    ends_at: Option<GivenTime>,
    duration: Option<String>,
    /// That of a silence to be changed.
    id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct PreviewBody {
    matchers: Vec<MatcherBody>,
}

/// A matcher as text or in its parts.
#[derive(Deserialize)]
#[serde(untagged)]
enum MatcherBody {
    Text(String),
    Parts {
        name: String,
        #[serde(default = "equal")]
        op: String,
        value: String,
    },
}

fn equal() -> String {
    "=".to_owned()
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::read(query.as_deref())?;
    let now = app.now();
    let ended_after = match parameters.get("state") {
        // The end is exclusive, and the store's question is not.
        None | Some("active") => now + Duration::from_millis(1),
        Some("all") => Timestamp::MIN,
        Some(other) => {
            return Err(Problem::bad_request(format!(
                "state `{other}` is not one of active, all"
            )));
        }
    };
    let silences = app
        .desk
        .with_store(move |store| store.silences(ended_after, LIST_MAX))
        .await?;
    let shown = silences.iter().map(|silence| silence_json(silence, now));
    Ok(Json(shown.collect()))
}

/// Makes a silence, or changes one that holds or will.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    Json(body): Json<SilenceBody>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let now = app.now();
    let reason = text(&body.reason)?;
    if reason.is_empty() {
        return Err(Problem::bad_request(
            "say in `reason` why nobody need be told",
        ));
    }
    let starts_at = match &body.starts_at {
        Some(at) => given("starts_at", at)?,
        None => now,
    };
    let ends_at = match (&body.ends_at, &body.duration) {
        (Some(at), None) => given("ends_at", at)?,
        (None, Some(length)) => {
            let length = model::parse_duration(length)
                .map_err(|error| Problem::bad_request(format!("`duration`: {error}")))?;
            starts_at.max(now) + length
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::bad_request(
                "say when it ends: `ends_at` or `duration`, one of the two",
            ));
        }
    };
    let silence = Silence {
        id: body.id.unwrap_or_default(),
        matchers: matchers(&body.matchers)?,
        starts_at,
        ends_at,
        author: name(&body.by)?.to_owned(),
        reason: reason.to_owned(),
        updated_at: now,
    };
    let id = app.desk.put_silence(silence, now).await?;
    let silences = app.desk.silences().await;
    let made = silences.iter().find(|silence| silence.id == id);
    let made = made.map(|silence| silence_json(silence, now));
    Ok((StatusCode::CREATED, Json(made.unwrap_or(Value::Null))))
}

/// Ends a silence now.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    if app.desk.end_silence(&id, app.now()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found(
            "there is no such silence that holds or will",
        ))
    }
}

/// What a silence with these matchers would hide now. Nothing changes.
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    Json(body): Json<PreviewBody>,
) -> Result<Json<Value>, Problem> {
    let matchers = matchers(&body.matchers)?;
    let shown = app.desk.firing_alerts(app.now()).await;
    let open = app.desk.open_incidents().await;
    let setup = app.setup.get();
    Ok(Json(preview_json(&setup.plan, &matchers, &shown, &open)))
}

fn matchers(bodies: &[MatcherBody]) -> Result<Vec<Matcher>, Problem> {
    if bodies.is_empty() || bodies.len() > MATCHERS_MAX {
        return Err(Problem::bad_request(format!(
            "a silence needs 1 to {MATCHERS_MAX} matchers"
        )));
    }
    let read = |body: &MatcherBody| match body {
        MatcherBody::Text(text) => parse_matcher(text),
        MatcherBody::Parts { name, op, value } => {
            let op = MatchOp::from_symbol(op)
                .ok_or_else(|| format!("`{op}` is not one of the operators =, !=, =~, !~"))?;
            matcher(name, op, value)
        }
    };
    let matchers: Result<Vec<Matcher>, String> = bodies.iter().map(read).collect();
    matchers.map_err(Problem::bad_request)
}

fn silence_json(silence: &Silence, now: Timestamp) -> Value {
    let state = if silence.ends_at <= now {
        "ended"
    } else if silence.is_active(now) {
        "active"
    } else {
        "pending"
    };
    json!({
        "id": silence.id,
        "state": state,
        "matchers": silence.matchers.iter().map(matcher_json).collect::<Vec<_>>(),
        "starts_at": rfc3339(silence.starts_at),
        "ends_at": rfc3339(silence.ends_at),
        "by": silence.author,
        "reason": silence.reason,
        "updated_at": rfc3339(silence.updated_at),
    })
}

fn matcher_json(matcher: &Matcher) -> Value {
    json!({
        "name": matcher.name(),
        "op": matcher.op().as_str(),
        "value": matcher.value(),
        "text": matcher.to_string(),
    })
}

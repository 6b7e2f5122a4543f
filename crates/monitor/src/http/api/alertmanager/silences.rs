//! Silences in Alertmanager's shape. They are the same as Belfry's own: what `amtool` makes, the web app shows.

use std::sync::Arc;
use std::time::Duration;

use alerting::Silence;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use model::{MatchOp, Matcher, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::alerts::matchers;
use super::refusal::Refusal;
use crate::app::App;
use crate::http::api::acting;
use crate::http::api::matchers::{MATCHERS_MAX, matcher};
use crate::http::api::parameters::{Parameters, time};
use crate::time_text::rfc3339;

/// How long silences are shown after they ended: as long as Alertmanager keeps them.
const SHOWN_AFTER_END: Duration = Duration::from_secs(120 * 3600);
/// The most silences in one answer.
const LIST_MAX: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostedSilence {
    #[serde(default)]
    id: String,
    matchers: Vec<PostedMatcher>,
    starts_at: String,
    ends_at: String,
    created_by: String,
    comment: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostedMatcher {
    name: String,
    value: String,
    is_regex: bool,
    is_equal: Option<bool>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let parameters = Parameters::read(query.as_deref())?;
    let wanted = matchers(&parameters)?;
    let creators: Vec<&str> = parameters.all("creator").collect();
    let now = app.now();
    let mut silences = stored(&app, now).await?;
    silences.retain(|silence| {
        let has = |matcher: &Matcher| silence.matchers.contains(matcher);
        wanted.iter().all(has)
            && (creators.is_empty() || creators.contains(&silence.author.as_str()))
    });
    silences.sort_by_key(|silence| place(silence, now));
    let shown = silences.iter().map(|silence| silence_json(silence, now));
    Ok(Json(shown.collect()))
}

pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let now = app.now();
    match find(&app, &id, now).await? {
        Some(silence) => Ok(Json(silence_json(&silence, now))),
        None => Err(not_there(&id)),
    }
}

/// Makes or changes a silence. With the id of one that ended a new one is made, as in Alertmanager.
pub(super) async fn put(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let posted: PostedSilence = serde_json::from_slice(&body)
        .map_err(|error| Refusal::bad_request(format!("the body is no silence: {error}")))?;
    let now = app.now();
    let mut silence = read(posted)?;
    if !silence.id.is_empty() {
        let old = find(&app, &silence.id, now).await?;
        let old = old.ok_or_else(|| not_there(&silence.id))?;
        if old.ends_at <= now {
            silence.id = String::new();
        }
    }
    let id = app.desk.put_silence(silence, now).await?;
    Ok(Json(json!({"silenceID": id})))
}

/// Ends a silence. One that ended already is as it should be.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let now = app.now();
    let ended = app.desk.end_silence(&id, now).await?;
    if !ended && find(&app, &id, now).await?.is_none() {
        return Err(not_there(&id));
    }
    Ok(StatusCode::OK)
}

fn not_there(id: &str) -> Refusal {
    Refusal::not_found(format!("there is no silence {id}"))
}

async fn stored(app: &App, now: Timestamp) -> Result<Vec<Silence>, Refusal> {
    let since = now - SHOWN_AFTER_END;
    let found = app
        .desk
        .with_store(move |store| store.silences(since, LIST_MAX))
        .await?;
    Ok(found)
}

async fn find(app: &App, id: &str, now: Timestamp) -> Result<Option<Silence>, Refusal> {
    let found = stored(app, now).await?;
    Ok(found.into_iter().find(|silence| silence.id == id))
}

fn read(posted: PostedSilence) -> Result<Silence, Refusal> {
    if posted.matchers.is_empty() || posted.matchers.len() > MATCHERS_MAX {
        return Err(Refusal::bad_request(format!(
            "a silence needs 1 to {MATCHERS_MAX} matchers"
        )));
    }
    let matchers = posted
        .matchers
        .iter()
        .map(|posted| matcher(&posted.name, op(posted), &posted.value))
        .collect::<Result<_, _>>()
        .map_err(Refusal::bad_request)?;
    let author = acting::name(&posted.created_by)
        .map_err(|_| Refusal::bad_request("`createdBy` must be a name of 1 to 100 characters"))?;
    let reason = acting::text(&posted.comment)
        .map_err(|_| Refusal::bad_request("`comment` must be shorter than 5000 characters"))?;
    let starts_at = time("startsAt", &posted.starts_at)?;
    Ok(Silence {
        id: posted.id,
        matchers,
        starts_at,
        ends_at: time("endsAt", &posted.ends_at)?,
        author: author.to_owned(),
        reason: reason.to_owned(),
        updated_at: starts_at,
    })
}

/// `isEqual` came later than `isRegex`; where it is absent it is true.
fn op(posted: &PostedMatcher) -> MatchOp {
    match (posted.is_regex, posted.is_equal.unwrap_or(true)) {
        (false, true) => MatchOp::Equal,
        (false, false) => MatchOp::NotEqual,
        (true, true) => MatchOp::Regex,
        (true, false) => MatchOp::NotRegex,
    }
}

fn silence_json(silence: &Silence, now: Timestamp) -> Value {
    let matchers = silence.matchers.iter().map(|matcher| {
        json!({
            "name": matcher.name(),
            "value": matcher.value(),
            "isRegex": matches!(matcher.op(), MatchOp::Regex | MatchOp::NotRegex),
            "isEqual": matches!(matcher.op(), MatchOp::Equal | MatchOp::Regex),
        })
    });
    json!({
        "id": silence.id,
        "matchers": matchers.collect::<Vec<_>>(),
        "startsAt": rfc3339(silence.starts_at),
        "endsAt": rfc3339(silence.ends_at),
        "updatedAt": rfc3339(silence.updated_at),
        "createdBy": silence.author,
        "comment": silence.reason,
        "status": {"state": state(silence, now)},
    })
}

/// Alertmanager's word.
fn state(silence: &Silence, now: Timestamp) -> &'static str {
    if silence.ends_at <= now {
        "expired"
    } else if silence.starts_at > now {
        "pending"
    } else {
        "active"
    }
}

/// Alertmanager's order: active ones that end next, then those that begin next, then those that ended last.
fn place(silence: &Silence, now: Timestamp) -> (u8, i64) {
    match state(silence, now) {
        "active" => (1, silence.ends_at.as_millis()),
        "pending" => (2, silence.starts_at.as_millis()),
        _ => (3, -silence.ends_at.as_millis()),
    }
}

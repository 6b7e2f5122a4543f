//! Jobs that must report: `curl` at the end of a cron job tells that it ran, and a rule tells when it did not.
//!
//! GET reports as well as POST, because that is what `wget` and `curl` do without options. A browser can be made to send a
//! GET by any page, so one that says that it comes from another site is refused.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use model::Timestamp;
use plan::Heartbeat;
use serde_json::{Value, json};

use crate::app::App;
use crate::http::error::Problem;
use crate::incident::StoredHeartbeat;
use crate::time_text::rfc3339;

/// How many declared names an error lists.
const NAMES_MAX: usize = 20;
/// In which browsers say where a request comes from (source: Fetch Metadata Request Headers, W3C).
const FETCH_SITE: &str = "sec-fetch-site";

/// A job reports.
pub(in crate::http) async fn beat(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let site = headers.get(FETCH_SITE).map(|site| site.as_bytes());
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "requests from pages of another site are refused",
        ));
    }
    let names = declared(&app);
    if !names.contains(&name) {
        return Err(Problem::not_found(unknown(&names)));
    }
    let (now, beating) = (app.now(), name.clone());
    app.desk
        .with_store(move |store| {
            // A job may report before anybody has looked since the plan was put in force.
            store.expect_heartbeats(&names, now)?;
            store.beat(&beating, now)
        })
        .await?;
    Ok(Json(json!({"name": name, "at": rfc3339(now)})))
}

pub(super) async fn list(State(app): State<Arc<App>>) -> Result<Json<Value>, Problem> {
    let (names, now) = (declared(&app), app.now());
    let stored = app
        .desk
        .with_store(move |store| store.expect_heartbeats(&names, now))
        .await?;
    let setup = app.setup.get();
    let shown = setup.plan.heartbeats.iter().filter_map(|heartbeat| {
        let stored = stored.iter().find(|own| own.name == heartbeat.name)?;
        Some(heartbeat_json(heartbeat, stored, now))
    });
    Ok(Json(shown.collect()))
}

fn declared(app: &App) -> Vec<String> {
    let setup = app.setup.get();
    let names = setup.plan.heartbeats.iter().map(|own| own.name.clone());
    names.collect()
}

fn unknown(names: &[String]) -> String {
    if names.is_empty() {
        return "the plan declares no heartbeats".to_owned();
    }
    let more = names.len().saturating_sub(NAMES_MAX);
    let listed = names[..names.len() - more].join(", ");
    match more {
        0 => format!("the plan declares these heartbeats: {listed}"),
        more => format!("the plan declares these heartbeats: {listed} and {more} more"),
    }
}

fn heartbeat_json(heartbeat: &Heartbeat, stored: &StoredHeartbeat, now: Timestamp) -> Value {
    let since = stored.last_at.unwrap_or(stored.expected_since);
    let due_at = since + heartbeat.every;
    let late_at = due_at + heartbeat.grace;
    let state = match stored.last_at {
        _ if now > late_at => "late",
        Some(_) => "ok",
        None => "waiting",
    };
    json!({
        "name": heartbeat.name,
        "state": state,
        "every_seconds": heartbeat.every.as_secs_f64(),
        "grace_seconds": heartbeat.grace.as_secs_f64(),
        "expected_since": rfc3339(stored.expected_since),
        "last_at": stored.last_at.map(rfc3339),
        "due_at": rfc3339(due_at),
        "late_at": rfc3339(late_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let names = |count: usize| (0..count).map(|n| format!("job{n}")).collect::<Vec<_>>();
        assert_eq!(unknown(&names(0)), "the plan declares no heartbeats");
        assert!(unknown(&names(2)).ends_with(": job0, job1"));
        assert!(unknown(&names(22)).ends_with("job19 and 2 more"));
    }
}

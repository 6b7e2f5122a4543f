//! When and why each rule fired or did not.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use model::Timestamp;
use serde_json::{Value, json};

use super::labels_json;
use super::parameters::Parameters;
use crate::app::App;
use crate::http::error::Problem;
use crate::incident::{HistoryEntry, HistoryFilter};
use crate::time_text::rfc3339;

/// How many entries an answer has when none is asked for, and at most.
const LIMIT: usize = 200;
const LIMIT_MAX: usize = 5_000;

pub(super) async fn history(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let parameters = Parameters::read(query.as_deref())?;
    let filter = HistoryFilter {
        rule: parameters.get("rule").map(str::to_owned),
        from: parameters.time("from")?.unwrap_or(Timestamp::MIN),
        until: parameters.time("until")?.unwrap_or(Timestamp::MAX),
        limit: parameters.limit(LIMIT, LIMIT_MAX)?,
    };
    let entries = app
        .desk
        .with_store(move |store| store.history(&filter))
        .await?;
    Ok(Json(entries.iter().map(entry).collect()))
}

fn entry(entry: &HistoryEntry) -> Value {
    json!({
        "rule": entry.rule,
        "labels": labels_json(&entry.labels),
        "at": rfc3339(entry.at),
        "kind": entry.kind,
        "value": entry.value,
        "why": entry.why,
    })
}

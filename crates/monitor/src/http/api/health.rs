//! Every probe and what its last answer said.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::probe::{ProbeState, ProbeStatus};
use crate::time_text::rfc3339;

pub(super) async fn health(State(app): State<Arc<App>>) -> Json<Value> {
    Json(all(&app))
}

pub(super) fn all(app: &App) -> Value {
    app.probes
        .probes()
        .iter()
        .map(|probe| one(app, probe))
        .collect()
}

fn one(app: &App, probe: &ProbeStatus) -> Value {
    let state = probe.state(app.now());
    let known = state != ProbeState::Unknown;
    // What an unknown probe's dependencies last were is history, not health.
    let dependencies = probe.dependencies.iter().filter(|_| known).map(|dependency| {
        json!({"name": dependency.name, "status": dependency.verdict.as_str(), "detail": dependency.detail})
    });
    json!({
        "name": probe.name,
        "kind": probe.kind.as_str(),
        "url": probe.url,
        "interval_seconds": probe.interval.as_secs_f64(),
        "state": state.as_str(),
        "last_at": probe.last_at.map(rfc3339),
        "latency_seconds": probe.last_at.map(|_| probe.latency.as_secs_f64()),
        "http_status": probe.http_status,
        "output": probe.output,
        "dependencies": dependencies.collect::<Vec<_>>(),
        "uptime": {
            "day": app.objectives.uptime(&probe.name, "day"),
            "week": app.objectives.uptime(&probe.name, "week"),
            "month": app.objectives.uptime(&probe.name, "month"),
        },
        "recent": probe.recent.iter().map(|(at, ok)| json!({"at": rfc3339(*at), "ok": ok})).collect::<Vec<_>>(),
    })
}

//! The APIs: Prometheus' own shape, and Belfry's under `/api/belfry/v1` (docs/http-api.md).

mod acting;
pub(super) mod alertmanager;
mod alerts;
mod contacts;
mod coverage;
mod dashboards;
mod deliveries;
pub(super) mod deployments;
mod drills;
mod health;
pub(super) mod heartbeats;
mod history;
mod incident_json;
mod incidents;
pub(super) mod logs;
mod matchers;
mod month_report;
mod objectives;
mod on_call;
mod overview;
mod parameters;
mod plan_text;
pub(super) mod prometheus;
mod reports;
mod silence_preview;
mod silences;
mod timed;
mod trial;
mod windows;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::app::App;

/// Belfry's own API.
pub(super) fn belfry_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/overview", get(overview::overview))
        .route("/dashboards", get(dashboards::dashboards))
        .route("/alerts", get(alerts::alerts))
        .route("/alerts/history", get(history::history))
        .route("/incidents", get(incidents::list).post(incidents::open))
        .route("/incidents/{id}", get(incidents::detail))
        .route("/incidents/{id}/acknowledge", post(incidents::acknowledge))
        .route("/incidents/{id}/message", get(incidents::message))
        .route("/incidents/{id}/resolve", post(incidents::resolve))
        .route("/incidents/{id}/merge", post(incidents::merge))
        .route("/incidents/{id}/notes", post(incidents::note))
        .route("/incidents/{id}/review", get(reports::review))
        .route(
            "/incidents/{id}/steps/{step}/run",
            post(incidents::run_step),
        )
        .route(
            "/incidents/{id}/steps/{step}/tick",
            post(incidents::tick_step),
        )
        .route("/contacts/test", post(trial::test_contact))
        .route("/silences", get(silences::list).post(silences::put))
        .route("/silences/preview", post(silences::preview))
        .route("/silences/{id}", delete(silences::end))
        .route("/maintenance-windows", get(windows::list))
        .route("/on-call", get(on_call::on_call))
        .route("/on-call/overrides", post(on_call::add_override))
        .route("/on-call/overrides/{id}", delete(on_call::end_override))
        .route("/contacts", get(contacts::contacts))
        .route("/deliveries", get(deliveries::list))
        .route("/deployments", get(deployments::list))
        .route("/drills", get(drills::list).post(drills::begin))
        .route("/drills/{id}", get(drills::detail))
        .route("/heartbeats", get(heartbeats::list))
        .route("/escalation-report", get(reports::escalation))
        .route("/report", get(month_report::month))
        .route("/logs", get(logs::search))
        .route("/logs/histogram", get(logs::histogram))
        .route("/logs/retention", get(logs::retention))
        .route("/health", get(health::health))
        .route("/coverage", get(coverage::coverage))
        .route("/objectives", get(objectives::objectives))
        .route("/plan", get(plan_text::plan))
}

/// Labels as a JSON object.
fn labels_json(labels: &model::Labels) -> serde_json::Value {
    labels
        .iter()
        .map(|(name, value)| (name.to_owned(), serde_json::Value::from(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

//! Alertmanager's HTTP API, version 2, so that `amtool` and Prometheus' own alert sender work against Belfry, and users of
//! Prometheus can adopt only the half that reaches people.
//!
//! Source: Alertmanager, `api/v2/openapi.yaml`. Field names, orders and error bodies (a JSON string) are its own. What
//! Belfry sees otherwise: a receiver is a role of an escalation policy, and a group of alerts is an incident.

mod alerts;
mod configuration;
mod refusal;
mod silences;
mod taking_in;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::app::App;

/// The largest body of alerts: [`taking_in::ALERTS_MAX`] of them with 800 bytes each. Prometheus sends 64 at a time.
const ALERTS_BYTES_MAX: usize = 8 << 20;

/// The addresses under `/api/v2`.
pub(in crate::http) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/alerts",
            post(taking_in::post)
                .layer(DefaultBodyLimit::max(ALERTS_BYTES_MAX))
                .get(alerts::list),
        )
        .route("/alerts/groups", get(alerts::groups))
        .route("/silences", get(silences::list).post(silences::put))
        .route("/silence/{id}", get(silences::one).delete(silences::end))
        .route("/status", get(configuration::status))
        .route("/receivers", get(configuration::receivers))
}

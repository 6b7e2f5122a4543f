//! Prometheus' HTTP API, in its own envelope, so that Grafana and the official clients work unchanged.
//!
//! Source: Prometheus, "HTTP API". Values are strings, times are Unix seconds with milliseconds.

mod envelope;
mod metadata;
mod query;
mod state;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::app::App;

/// The addresses under `/api/v1`.
pub(in crate::http) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/query", get(query::instant).post(query::instant))
        .route("/api/v1/query_range", get(query::range).post(query::range))
        .route(
            "/api/v1/series",
            get(metadata::series).post(metadata::series),
        )
        .route(
            "/api/v1/labels",
            get(metadata::labels).post(metadata::labels),
        )
        .route("/api/v1/label/{name}/values", get(metadata::label_values))
        .route("/api/v1/metadata", get(metadata::metadata))
        .route("/api/v1/targets", get(state::targets))
        .route("/api/v1/rules", get(state::rules))
        .route("/api/v1/alerts", get(state::alerts))
        .route("/api/v1/status/buildinfo", get(state::build_info))
}

//! Belfry's own health, its metrics, and the reload.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::error::Problem;
use crate::app::App;

/// Belfry's own metrics, in the format that the scraper prefers.
pub(super) async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let format = telemetry::negotiate(accept);
    (
        [(header::CONTENT_TYPE, format.content_type())],
        app.metrics.registry.render(format),
    )
        .into_response()
}

/// The process lives and no loop of it has ended.
pub(super) async fn healthy(State(app): State<Arc<App>>) -> Response {
    match app.broken() {
        None => "Belfry is healthy.\n".into_response(),
        Some(why) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

/// The stores are open, the plan is in force, rules are evaluated.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.not_ready() {
        None => "Belfry is ready.\n".into_response(),
        Some(why) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

/// Reads the plan and the contacts anew. A broken plan changes nothing.
pub(super) async fn reload(State(app): State<Arc<App>>) -> Response {
    match app.reload().await {
        Ok(()) => "The plan was reloaded.\n".into_response(),
        Err(diagnostics) => Problem::bad_request(diagnostics).into_response(),
    }
}

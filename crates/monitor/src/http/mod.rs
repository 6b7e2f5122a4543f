//! Belfry's HTTP side: guard, Prometheus' API, Belfry's own API, the web app.
//!
//! Pages read and people act through here; nothing here decides. Every handler answers from the same stores and boards as
//! the loops use.

mod api;
mod error;
mod guard;
mod management;
mod web_app;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};

pub use guard::AllowedHosts;

use crate::app::App;

/// The largest body of a request that is not log ingest.
const BODY_BYTES_MAX: usize = 1 << 20;
/// The largest body of a log request.
const LOG_BODY_BYTES_MAX: usize = 16 << 20;

/// All of Belfry's addresses.
pub fn router(app: Arc<App>, hosts: AllowedHosts) -> Router {
    Router::new()
        .merge(api::prometheus::routes())
        .nest("/api/belfry/v1", api::belfry_routes())
        .nest("/api/v2", api::alertmanager::routes())
        .route(
            "/api/v1/logs",
            post(api::logs::ingest).layer(DefaultBodyLimit::max(LOG_BODY_BYTES_MAX)),
        )
        .route("/api/v1/deployments", post(api::deployments::tell))
        .route(
            "/api/v1/heartbeats/{name}",
            get(api::heartbeats::beat).post(api::heartbeats::beat),
        )
        .route("/metrics", get(management::metrics))
        .route("/-/healthy", get(management::healthy))
        .route("/-/ready", get(management::ready))
        .route("/-/reload", post(management::reload))
        .route("/api/{*rest}", any(error::no_such_address))
        .fallback(web_app::serve)
        .layer(axum::middleware::from_fn(error::in_bounded_time))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn(error::in_one_form))
        .layer(axum::middleware::from_fn_with_state(
            Arc::new(hosts),
            guard::guard,
        ))
        .with_state(app)
}

//! `/health`, `/health/detailed`, `/ready`: what a monitor and a load balancer ask.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use telemetry::health::{CONTENT_TYPE, Check, Health, Status};
use telemetry::{allocator, memory, process};

use crate::app::{App, Phase};
use crate::ship::ShipState;

/// A database that takes longer than this is as good as gone to those who wait for it.
pub(super) const DATABASE_BOUND: Duration = Duration::from_secs(2);
/// From this share of its limit on, memory is worth a look; the alert comes at 0.9.
const MEMORY_WARN_SHARE: f64 = 0.9;

/// Liveness: the database answers, the cache keeps what it is given.
pub(crate) async fn basic(State(app): State<App>) -> Response {
    answer(&required(&app, begin()).await)
}

/// The health of every part, with figures.
pub(crate) async fn detailed(State(app): State<App>) -> Response {
    let health = required(&app, begin().description("health of the QR-code service")).await;
    let health = cache_figures(&app, health);
    let health = memory_figures(&app, health);
    let health = external(&app, health);
    answer(&health)
}

/// Readiness: initialised, required parts there, not draining.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let health = match app.phase() {
        Phase::Starting => begin().because(Status::Fail, "starting"),
        Phase::Draining => begin().because(Status::Fail, "draining"),
        Phase::Ready => required(&app, begin()).await,
    };
    answer(&health)
}

fn begin() -> Health {
    Health::new("qr-service", env!("CARGO_PKG_VERSION"))
}

fn answer(health: &Health) -> Response {
    let status = StatusCode::from_u16(health.http_status()).unwrap_or(StatusCode::OK);
    let mut response = (status, health.to_json()).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response
}

async fn required(app: &App, health: Health) -> Health {
    let health = health.check(database(app).await);
    health.check(cache(app))
}

async fn database(app: &App) -> Check {
    let clock = &app.world.clock;
    let start = clock.monotonic();
    let result = world::timeout(DATABASE_BOUND, app.database.probe()).await;
    let length = clock.monotonic().saturating_sub(start);
    let (status, output) = match result {
        Ok(Ok(())) => (Status::Pass, ""),
        // The cause may name paths; who may read it reads the log.
        Ok(Err(error)) => {
            app.logger
                .error("the database does not answer")
                .field("cause", error.whole())
                .emit();
            (Status::Fail, "the database does not answer")
        }
        Err(world::Elapsed) => (Status::Fail, "the database takes too long"),
    };
    Check::required("database:responseTime", status)
        .component_type("datastore")
        .observed(length.as_secs_f64() * 1000.0, "ms")
        .time(clock.now())
        .output(output)
}

fn cache(app: &App) -> Check {
    let clock = &app.world.clock;
    let start = clock.monotonic();
    let status = match app.cache.probe() {
        Ok(()) => Status::Pass,
        Err(_) => Status::Fail,
    };
    let length = clock.monotonic().saturating_sub(start);
    Check::required("cache:responseTime", status)
        .component_type("component")
        .observed(length.as_secs_f64() * 1000.0, "ms")
        .time(clock.now())
        .output("the cache does not give back what it took")
}

fn cache_figures(app: &App, health: Health) -> Health {
    let (size, capacity) = (app.cache.size_bytes(), app.cache.capacity_bytes());
    let figure = |name: &str, value: f64, unit: &str| {
        Check::required(name, Status::Pass)
            .component_type("component")
            .observed(value, unit)
            .time(app.world.clock.now())
    };
    health
        .check(figure("cache:hitRate", app.cache.hit_rate(), "ratio"))
        .check(figure("cache:size", size as f64, "bytes"))
        .check(figure("cache:entries", app.cache.entries() as f64, "count"))
        .check(figure(
            "cache:utilization",
            size as f64 / capacity.max(1) as f64,
            "ratio",
        ))
}

fn memory_figures(app: &App, health: Health) -> Health {
    let used = process::resident_bytes();
    let limit = memory::memory_limit(app.config.memory_limit);
    let share = match (used, limit) {
        (Some(used), Some(limit)) => used as f64 / limit.bytes as f64,
        (None, _) | (_, None) => f64::NAN,
    };
    let status = match share > MEMORY_WARN_SHARE {
        true => Status::Warn,
        false => Status::Pass,
    };
    let figure = |name: &str, value: Option<u64>, status| {
        Check::optional(name, status)
            .component_type("system")
            .observed(value.map_or(f64::NAN, |value| value as f64), "bytes")
            .time(app.world.clock.now())
            .output("memory in use is close to its limit")
    };
    health
        .check(figure("memory:used", used, status))
        .check(figure(
            "memory:limit",
            limit.map(|limit| limit.bytes),
            Status::Pass,
        ))
        .check(figure(
            "memory:allocated",
            allocator::stats().map(|stats| stats.allocated),
            Status::Pass,
        ))
}

fn external(app: &App, health: Health) -> Health {
    let Some(shipper) = &app.shipper else {
        return health.note("no external service is configured");
    };
    let (status, output) = match shipper.state() {
        ShipState::Good | ShipState::Untried => (Status::Pass, String::new()),
        ShipState::Failing(why) => (Status::Warn, why),
    };
    health.check(
        Check::optional("log-receiver:delivery", status)
            .component_type("system")
            .observed(shipper.queue().len() as f64, "lines waiting")
            .time(app.world.clock.now())
            .output(&output),
    )
}

//! `/metrics` for monitors, `/admin/faults` for drills.

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use telemetry::negotiate;

use super::admit;
use super::observe::Context;
use super::problem::Problem;
use crate::app::App;
use crate::faults::{FaultChange, FaultSet};

pub(crate) async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let format = negotiate(accept);
    let mut response = app.registry.render(format).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("Accept"));
    response
}

pub(crate) async fn faults(
    State(app): State<App>,
    Extension(context): Extension<Context>,
) -> Result<Json<FaultSet>, Problem> {
    check_loopback(&app, &context)?;
    Ok(Json(app.faults.get()))
}

pub(crate) async fn set_faults(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Result<Json<FaultSet>, Problem> {
    check_loopback(&app, &context)?;
    let set: FaultSet = super::body::json(request).await?;
    put_in_force(&app, &context, set).await
}

/// Changes the faults that are named and leaves the others: drills that go on side by side must not end each other's.
pub(crate) async fn change_faults(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Result<Json<FaultSet>, Problem> {
    check_loopback(&app, &context)?;
    let change: FaultChange = super::body::json(request).await?;
    let _one_at_a_time = app.faults.changing().await;
    let set = change.applied_to(app.faults.get());
    put_in_force(&app, &context, set).await
}

async fn put_in_force(
    app: &App,
    context: &Context,
    set: FaultSet,
) -> Result<Json<FaultSet>, Problem> {
    if let Some((field, rule)) = set.problem() {
        return Err(Problem::field(field, &rule));
    }
    app.logger
        .warn("faults set")
        .request(&context.id)
        .field("faults", serde_json::to_string(&set).unwrap_or_default())
        .emit();
    app.cache.set_down(set.cache_down);
    let (faults, work) = (app.faults.clone(), set.clone());
    app.world.run_blocking(move || faults.set(work)).await;
    Ok(Json(set))
}

fn check_loopback(app: &App, context: &Context) -> Result<(), Problem> {
    if context.peer.is_loopback() {
        return Ok(());
    }
    admit::log_refusal(app, context, "the fault switch answers this machine only");
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "loopback-only",
        "Only from the machine itself",
        "the fault switch answers loopback addresses only",
    ))
}

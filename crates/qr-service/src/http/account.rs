//! Accounts and sessions: register, sign in, sign out, who am I.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use telemetry::log::{Level, rfc3339_micros};

use super::admit::{self, COOKIE, Identity, SECURITY};
use super::observe::Context;
use super::problem::Problem;
use crate::accounts::{self, PASSWORD_BYTES};
use crate::app::App;
use crate::metrics::Feature;
use crate::rate_limit::network;
use crate::sessions;
use crate::suspicion::Pattern;

/// No Debug: a password must not be printable by accident.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    name: String,
    password: String,
}

pub(crate) async fn register(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Result<Response, Problem> {
    let Credentials { name, password } = super::body::json(request).await?;
    if !accounts::is_name(&name) {
        let rule = "must have 3 to 64 small letters, digits or . _ @ + -";
        return Err(Problem::field("name", rule));
    }
    if !PASSWORD_BYTES.contains(&password.len()) {
        return Err(Problem::field("password", "must have 8 to 256 bytes"));
    }
    let stored = app.passwords.hash(password).await?;
    let made = accounts::create(&app.database, name.clone(), stored, app.now_ms()).await?;
    let Some(id) = made else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "name-taken",
            "The name is taken",
            "choose another name",
        ));
    };
    app.metrics.count_feature(Feature::Registration);
    app.logger
        .event_of(Level::Info, SECURITY, "account registered")
        .request(&context.id)
        .field("account", id)
        .field("peer", context.peer.to_string())
        .emit();
    let answer = (StatusCode::CREATED, Json(json!({ "id": id, "name": name })));
    Ok(answer.into_response())
}

pub(crate) async fn sign_in(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Result<Response, Problem> {
    let Credentials { name, password } = super::body::json(request).await?;
    // A password that no account can have is checked all the same, cut: every refusal takes one hash.
    let password: String = match password.len() <= *PASSWORD_BYTES.end() {
        true => password,
        false => String::new(),
    };
    let account = accounts::find(&app.database, name).await?;
    let account_id = account.as_ref().map(|account| account.id);
    let stored = account.map(|account| account.password);
    let is_right = app.passwords.verify(password, stored).await?;
    let Some(account_id) = account_id.filter(|_| is_right) else {
        note_refusal(&app, &context, account_id);
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "wrong-credentials",
            "Name or password is wrong",
            "check both; this answer does not tell which",
        ));
    };
    let now_ms = app.now_ms();
    let length_ms = app.session_length_ms();
    let (token, id, expires_ms) =
        sessions::start(&app.world, &app.database, account_id, now_ms, length_ms).await?;
    app.metrics.sign_ins_accepted.inc();
    app.metrics.count_feature(Feature::SignIn);
    app.active_users
        .note(account_id, app.world.clock.monotonic());
    app.logger
        .event_of(Level::Info, SECURITY, "signed in")
        .request(&context.id)
        .field("account", account_id)
        .field("session", &id)
        .field("peer", context.peer.to_string())
        .emit();
    let body = Json(json!({ "id": id, "expires_at": time_text(expires_ms) }));
    let mut response = (StatusCode::CREATED, body).into_response();
    set_cookie(
        &app,
        response.headers_mut(),
        token.reveal(),
        length_ms / 1000,
    );
    Ok(response)
}

pub(crate) async fn sign_out(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let session = needed(&app, &context, &identity)?;
    if let Some(token) = admit::token(&headers)
        && let Some(length_ms) = sessions::end(&app.database, &token, app.now_ms()).await?
    {
        app.metrics
            .session_seconds
            .observe(length_ms as f64 / 1000.0);
    }
    app.logger
        .event_of(Level::Info, SECURITY, "signed out")
        .request(&context.id)
        .field("account", session.account_id)
        .field("session", &session.public_id)
        .emit();
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&app, response.headers_mut(), "", 0);
    Ok(response)
}

pub(crate) async fn me(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    Extension(identity): Extension<Identity>,
) -> Result<Response, Problem> {
    let session = needed(&app, &context, &identity)?;
    let body = Json(json!({
        "name": session.account_name,
        "session": { "id": session.public_id, "expires_at": time_text(session.expires_ms) },
    }));
    Ok(body.into_response())
}

/// The session that the request needs; a request without one is a failed authorisation, and logged as such.
fn needed<'a>(
    app: &App,
    context: &Context,
    identity: &'a Identity,
) -> Result<&'a sessions::Session, Problem> {
    if matches!(identity, Identity::Anonymous) {
        admit::log_refusal(app, context, "no session");
    }
    identity.session()
}

fn note_refusal(app: &App, context: &Context, account: Option<i64>) {
    app.metrics.sign_ins_refused.inc();
    // Never the name that was typed: people type their password into the wrong field.
    app.logger
        .event_of(Level::Warn, SECURITY, "sign-in refused")
        .request(&context.id)
        .maybe("account", account)
        .field("peer", context.peer.to_string())
        .emit();
    let now = app.world.clock.monotonic();
    let patterns = [
        Some(Pattern::Address(network(context.peer))),
        account.map(Pattern::Account),
    ];
    for pattern in patterns.into_iter().flatten() {
        let Some(refusals) = app.suspicion.note_refusal(pattern, now) else {
            continue;
        };
        app.metrics.suspicious.inc();
        app.logger
            .event_of(Level::Warn, SECURITY, "suspicious activity")
            .request(&context.id)
            .field("pattern", pattern.as_str())
            .field("refusals", refusals)
            .maybe("account", account)
            .field("peer", context.peer.to_string())
            .emit();
    }
}

fn set_cookie(app: &App, headers: &mut HeaderMap, value: &str, seconds: i64) {
    let secure = match app.config.secure_cookies {
        true => "; Secure",
        false => "",
    };
    let cookie =
        format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
        cookie.set_sensitive(true);
        headers.insert(header::SET_COOKIE, cookie);
    }
}

fn time_text(unix_ms: i64) -> String {
    let at: SystemTime = UNIX_EPOCH + Duration::from_millis(unix_ms.max(0) as u64);
    rfc3339_micros(at)
}

//! `/admin/database`: how it stands, and why it cannot fail over. For the procedure "Database Issues".

use std::time::SystemTime;

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use serde::Serialize;
use telemetry::log::rfc3339_micros;

use super::super::body;
use super::super::health::DATABASE_BOUND;
use super::super::observe::Context;
use super::super::problem::Problem;
use crate::app::App;

const NO_FAIL_OVER: &str = "SQLite is one file that this process opens itself: there is no second server that could take over";

/// How the database stands.
#[derive(Serialize)]
pub(crate) struct Standing {
    engine: &'static str,
    engine_version: &'static str,
    role: &'static str,
    /// `open`, `failing`, or `untried` before the first operation.
    state: &'static str,
    since: String,
    last_error: Option<LastError>,
    can_fail_over: bool,
    can_fail_over_reason: &'static str,
    /// Null where the database is kept in memory.
    file: Option<String>,
    file_bytes: Option<u64>,
    wal_bytes: Option<u64>,
    /// Null, as the next two, where the database did not answer just now.
    journal_mode: Option<String>,
    schema_version: Option<i64>,
    round_trip_seconds: Option<f64>,
}

#[derive(Serialize)]
struct LastError {
    at: String,
    text: String,
}

pub(crate) async fn standing(State(app): State<App>) -> Json<Standing> {
    let clock = &app.world.clock;
    let start = clock.monotonic();
    let settings = match world::timeout(DATABASE_BOUND, app.database.settings()).await {
        Ok(settings) => settings.ok(),
        Err(world::Elapsed) => {
            let bound = DATABASE_BOUND.as_secs();
            app.database
                .note_failure(format!("no answer within {bound} s"));
            None
        }
    };
    let length = clock.monotonic().saturating_sub(start);
    let files = app.database.files().await;
    let standing = app.database.standing();
    Json(Standing {
        engine: "sqlite",
        engine_version: rusqlite::version(),
        role: "primary",
        state: standing.state.as_str(),
        since: rfc3339_micros(standing.since),
        last_error: standing
            .last_error
            .map(|(at, text): (SystemTime, String)| LastError {
                at: rfc3339_micros(at),
                text,
            }),
        can_fail_over: false,
        can_fail_over_reason: NO_FAIL_OVER,
        file: files.path.map(|path| path.display().to_string()),
        file_bytes: files.bytes,
        wal_bytes: files.wal_bytes,
        round_trip_seconds: settings.as_ref().map(|_| length.as_secs_f64()),
        schema_version: settings.as_ref().map(|settings| settings.schema_version),
        journal_mode: settings.map(|settings| settings.journal_mode),
    })
}

/// Always refuses, and says what to do instead: an answer that pretends would cost the responder the minutes that count.
pub(crate) async fn fail_over(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Result<StatusCode, Problem> {
    body::nothing(request).await?;
    super::log(
        &app,
        &context,
        "a fail-over was asked for and is impossible",
    )
    .emit();
    Err(Problem::new(
        StatusCode::CONFLICT,
        "cannot-fail-over",
        "This database cannot fail over",
        format!(
            "{NO_FAIL_OVER}. Instead: GET /admin/database for the last error; look at the disk (space, permissions, \
             whether the file is there); stop the service, put the newest backup in the file's place without the old -wal and \
             -shm beside it, and start it again; or start the service on another machine with a copy of the file. Codes are made without a database meanwhile."
        ),
    ))
}

//! `/admin/deployments`: what runs, since when, and what was started before. For "recent deployments".

use std::time::{Duration, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use telemetry::log::rfc3339_micros;

use super::super::health::DATABASE_BOUND;
use crate::app::{App, REVISION, VERSION};
use crate::deployments::{self, Deployment};

#[derive(Serialize)]
pub(crate) struct Deployments {
    current: Current,
    /// Null where the database cannot be asked; what runs now is known without it.
    recent: Option<Vec<Start>>,
    recent_error: Option<String>,
}

#[derive(Serialize)]
struct Current {
    version: &'static str,
    revision: &'static str,
    started_at: String,
    uptime_seconds: f64,
}

#[derive(Serialize)]
struct Start {
    version: String,
    revision: String,
    started_at: String,
    /// Whether the version or the revision is another than at the start before.
    changed: bool,
}

impl From<Deployment> for Start {
    fn from(start: Deployment) -> Start {
        let at = UNIX_EPOCH + Duration::from_millis(start.started_ms.max(0) as u64);
        Start {
            version: start.version,
            revision: start.revision,
            started_at: rfc3339_micros(at),
            changed: start.is_change,
        }
    }
}

pub(crate) async fn recent(State(app): State<App>) -> Json<Deployments> {
    let asking = deployments::recent(&app.database);
    let (recent, recent_error) = match world::timeout(DATABASE_BOUND, asking).await {
        Ok(Ok(starts)) => (Some(starts.into_iter().map(Start::from).collect()), None),
        Ok(Err(error)) => (None, Some(error.whole())),
        Err(world::Elapsed) => (None, Some("the database takes too long".to_owned())),
    };
    Json(Deployments {
        current: Current {
            version: VERSION,
            revision: REVISION,
            started_at: rfc3339_micros(app.started_at),
            uptime_seconds: app.uptime().as_secs_f64(),
        },
        recent,
        recent_error,
    })
}

//! The plan in force, as text, and what came of the last reload.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::time_text::rfc3339;

pub(super) async fn plan(State(app): State<Arc<App>>) -> Json<Value> {
    let setup = app.setup.get();
    Json(json!({
        "path": app.plan_path(),
        "text": setup.text,
        "loaded_at": rfc3339(setup.loaded_at),
        "reload_error": app.reload_error(),
    }))
}

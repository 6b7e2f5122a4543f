//! The plan in force, as the texts that it stands in, and what came of the last reload.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::time_text::rfc3339;

pub(super) async fn plan(State(app): State<Arc<App>>) -> Json<Value> {
    let setup = app.setup.get();
    let main = setup.files.first().map_or("", |file| &file.text);
    let files = setup.files.iter();
    let services = setup.plan.services.iter();
    Json(json!({
        "path": app.plan_path(),
        "text": main,
        "files": files.map(|file| json!({"path": file.name, "text": file.text})).collect::<Vec<_>>(),
        "services": services.map(|own| json!({"name": own.name, "title": own.title})).collect::<Vec<_>>(),
        "loaded_at": rfc3339(setup.loaded_at),
        "reload_error": app.reload_error(),
    }))
}

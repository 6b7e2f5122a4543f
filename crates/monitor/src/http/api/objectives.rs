//! Success criteria with their present values.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;

pub(super) async fn objectives(State(app): State<Arc<App>>) -> Json<Value> {
    Json(all(&app))
}

pub(super) fn all(app: &App) -> Value {
    let setup = app.setup.get();
    let objectives = setup.plan.objectives.iter().map(|objective| {
        let value = app.objectives.value(&objective.id);
        json!({
            "id": objective.id,
            "title": objective.title,
            "expr": objective.expr.text,
            "below": objective.below,
            "target": objective.target,
            "unit": objective.unit,
            "window_seconds": objective.window.as_secs_f64(),
            "value": value.value,
            "met": value.met,
            "unprobed_ratio": value.unprobed,
        })
    });
    objectives.collect()
}

//! The plan's dashboards, as data for whoever draws them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use plan::Panel;
use serde_json::{Value, json};

use crate::app::App;

pub(super) async fn dashboards(State(app): State<Arc<App>>) -> Json<Value> {
    let setup = app.setup.get();
    let dashboards = setup.plan.dashboards.iter().map(|dashboard| {
        json!({
            "id": dashboard.id,
            "title": dashboard.title,
            "panels": dashboard.panels.iter().map(panel).collect::<Vec<_>>(),
        })
    });
    Json(dashboards.collect())
}

fn panel(panel: &Panel) -> Value {
    let queries = panel
        .queries
        .iter()
        .map(|query| json!({"expr": query.expr.text, "legend": query.legend}));
    let thresholds = panel
        .thresholds
        .iter()
        .map(|line| json!({"value": line.value, "label": line.label}));
    json!({
        "title": panel.title,
        "description": panel.description,
        "kind": panel.kind.as_str(),
        "unit": panel.unit,
        "queries": queries.collect::<Vec<_>>(),
        "thresholds": thresholds.collect::<Vec<_>>(),
    })
}

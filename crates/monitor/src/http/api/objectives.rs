//! Success criteria with their present values and what is left of their error budgets.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use plan::{Budget, Objective};
use serde_json::{Value, json};

use crate::app::App;
use crate::budgets::{BudgetState, Standing};

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
            "budget": objective.budget.map(|budget| {
                budget_json(objective, budget, app.objectives.budget(&objective.id))
            }),
        })
    });
    objectives.collect()
}

fn budget_json(objective: &Objective, budget: Budget, state: Option<BudgetState>) -> Value {
    let known = state.as_ref().and_then(BudgetState::known);
    let (word, reason) = match state.as_ref().map(|state| &state.standing) {
        None => ("no_data", "it was not computed yet"),
        Some(Standing::NoData(reason)) => ("no_data", reason.as_str()),
        Some(Standing::NoTraffic) => ("no_traffic", "there were no events"),
        Some(Standing::Known { .. }) => ("known", ""),
    };
    let rates = state.iter().flat_map(|state| &state.burn_rates);
    let rates =
        rates.map(|(window, rate)| json!({"window_seconds": window.as_secs(), "rate": rate}));
    json!({
        "share": budget.share,
        "origin": objective.budget_in_words(),
        "state": word,
        "reason": if reason.is_empty() { Value::Null } else { json!(reason) },
        "events": known.as_ref().map(|known| known.events),
        "bad": known.as_ref().map(|known| known.bad),
        "allowed": known.as_ref().map(|known| known.allowed),
        "used_ratio": known.as_ref().map(|known| known.used),
        "left_ratio": known.as_ref().map(|known| known.left),
        "exhausted_in_seconds": state.as_ref().and_then(BudgetState::exhausted_in).map(|time| time.as_secs()),
        "burn_rates": rates.collect::<Vec<_>>(),
        "arithmetic": state.as_ref().map(BudgetState::arithmetic).unwrap_or_default(),
    })
}

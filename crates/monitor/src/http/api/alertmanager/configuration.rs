//! `GET /status` and `GET /receivers`: what Alertmanager's clients want to know of the server itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use plan::Plan;
use serde_json::{Value, json};

use crate::app::App;
use crate::time_text::rfc3339;

/// The receiver that stands in a configuration whose plan tells nobody: one without a receiver is not valid.
const NOBODY: &str = "nobody";

pub(super) async fn status(State(app): State<Arc<App>>) -> Json<Value> {
    let setup = app.setup.get();
    Json(json!({
        "cluster": {"status": "disabled", "peers": []},
        "versionInfo": {
            "version": env!("CARGO_PKG_VERSION"),
            "revision": "",
            "branch": "belfry",
            "buildUser": "",
            "buildDate": "",
            "goVersion": "",
        },
        "config": {"original": configuration(&setup.plan)},
        "uptime": rfc3339(app.started_at),
    }))
}

pub(super) async fn receivers(State(app): State<Arc<App>>) -> Json<Value> {
    let setup = app.setup.get();
    let roles = roles(&setup.plan).into_iter();
    Json(roles.map(|role| json!({"name": role})).collect())
}

/// Every role that an escalation policy names, in the plan's order.
fn roles(plan: &Plan) -> Vec<&str> {
    let mut roles = Vec::new();
    let levels = plan.escalation_policies.iter().flat_map(|own| &own.levels);
    for role in levels.flat_map(|level| &level.roles) {
        if !roles.contains(&role.as_str()) {
            roles.push(role);
        }
    }
    roles
}

/// What an Alertmanager with the same groups and receivers would be told. Its clients parse this text, so the plan itself,
/// which `/api/belfry/v1/plan` has, would be an error to them. YAML, in which JSON's strings are strings.
fn configuration(plan: &Plan) -> String {
    let mut roles = roles(plan);
    if roles.is_empty() {
        roles.push(NOBODY);
    }
    let text = |text: &str| Value::from(text).to_string();
    let group_by: Vec<String> = plan
        .incidents
        .group_by
        .iter()
        .map(|own| text(own))
        .collect();
    let receivers: String = roles
        .iter()
        .map(|role| format!("  - name: {}\n", text(role)))
        .collect();
    format!(
        "# Belfry runs a monitoring plan; this is what an Alertmanager with its groups and roles would read.\n\
         route:\n  receiver: {}\n  group_by: [{}]\nreceivers:\n{receivers}",
        text(roles[0]),
        group_by.join(", "),
    )
}

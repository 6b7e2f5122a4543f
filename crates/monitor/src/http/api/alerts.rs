//! Every rule with its state, its instances, and why it does or does not fire.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerting::{Hold, Instance, Phase, RuleState};
use axum::Json;
use axum::extract::State;
use model::Labels;
use plan::{AlertRule, Origin, RuleGroup};
use serde_json::{Value, json};

use super::incident_json::hold;
use super::labels_json;
use crate::app::App;
use crate::incident::alert_labels;
use crate::rules::fill_template;
use crate::time_text::rfc3339;

pub(super) async fn alerts(State(app): State<Arc<App>>) -> Json<Value> {
    let setup = app.setup.get();
    let states = app.desk.rule_states().await;
    let empty = RuleState::default();
    let firing = app.desk.firing_alerts(app.now()).await;
    let holds: BTreeMap<Labels, Hold> = firing
        .into_iter()
        .filter_map(|alert| Some((alert.identity, alert.hold?)))
        .collect();
    let rules = setup.plan.rules().map(|(group, rule)| {
        let state = states.get(&rule.name).unwrap_or(&empty);
        one(&app, group, rule, state, &holds)
    });
    Json(rules.collect())
}

fn one(
    app: &App,
    group: &RuleGroup,
    rule: &AlertRule,
    state: &RuleState,
    holds: &BTreeMap<Labels, Hold>,
) -> Value {
    let report = app.rule_board.report(&rule.name);
    json!({
        "name": rule.name,
        "group": group.name,
        "expr": rule.expr.text,
        "for_seconds": rule.hold.as_secs_f64(),
        "severity": rule.severity.as_str(),
        "added": rule.origin == Origin::Added,
        "summary": rule.summary,
        "procedure": rule.procedure,
        "escalation": rule.escalation,
        "state": rule_state(state),
        "last_evaluation": report.at.map(rfc3339),
        "evaluation_error": report.error,
        "why": report.why,
        "instances": state.instances.iter().map(|(labels, own)| {
            let mut shown = instance(rule, labels, own);
            shown["held"] = holds.get(&alert_labels(rule, labels)).map(hold).into();
            shown["flapping"] = state.is_flapping(labels).into();
            shown
        }).collect::<Vec<_>>(),
    })
}

/// The strongest state of a rule's instances: Prometheus' words.
pub(super) fn rule_state(state: &RuleState) -> &'static str {
    let fires = |instance: &Instance| matches!(instance.phase, Phase::Firing { .. });
    if state.instances.values().any(fires) {
        "firing"
    } else if state.instances.is_empty() {
        "inactive"
    } else {
        "pending"
    }
}

fn instance(rule: &AlertRule, labels: &Labels, instance: &Instance) -> Value {
    let (state, fired_at) = match instance.phase {
        Phase::Pending => ("pending", None),
        Phase::Firing { fired_at } => ("firing", Some(rfc3339(fired_at))),
    };
    json!({
        "labels": labels_json(labels),
        "state": state,
        "since": rfc3339(instance.since),
        "fired_at": fired_at,
        "value": instance.value,
        "no_data": instance.no_data_since.is_some(),
        "summary": fill_template(&rule.summary, labels, instance.value),
    })
}

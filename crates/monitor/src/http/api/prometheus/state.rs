//! `targets`, `rules`, `alerts`: what Prometheus' clients read about the running monitor.

use std::sync::Arc;

use alerting::{Instance, Phase, RuleState};
use axum::extract::State;
use model::Labels;
use plan::{AlertRule, RuleGroup};
use serde_json::{Value, json};

use super::envelope::{Answer, number};
use crate::app::App;
use crate::http::api::alerts::rule_state;
use crate::http::api::labels_json;
use crate::rules::fill_template;
use crate::scrape::TargetStatus;
use crate::time_text::rfc3339;

pub(super) async fn targets(State(app): State<Arc<App>>) -> Answer {
    let targets: Vec<Value> = app.scrapes.targets().iter().map(target).collect();
    Answer::data(json!({"activeTargets": targets, "droppedTargets": []}))
}

fn target(target: &TargetStatus) -> Value {
    let labels = json!({"job": target.job, "instance": target.instance});
    json!({
        "discoveredLabels": labels,
        "labels": labels,
        "scrapePool": target.job,
        "scrapeUrl": target.url,
        "globalUrl": target.url,
        "lastError": target.last_error.as_deref().unwrap_or(""),
        "lastScrape": target.last_scrape.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), rfc3339),
        "lastScrapeDuration": target.duration.as_secs_f64(),
        "health": target.health.as_str(),
        "scrapeInterval": model::format_duration(target.interval),
    })
}

pub(super) async fn rules(State(app): State<Arc<App>>) -> Answer {
    let setup = app.setup.get();
    let states = app.desk.rule_states().await;
    let groups = setup.plan.rule_groups.iter().map(|group| {
        let rules: Vec<Value> = group
            .rules
            .iter()
            .map(|rule| one_rule(&app, rule, states.get(&rule.name)))
            .collect();
        group_json(group, app.plan_path(), rules)
    });
    Answer::data(json!({"groups": groups.collect::<Vec<_>>()}))
}

fn group_json(group: &RuleGroup, file: &str, rules: Vec<Value>) -> Value {
    json!({"name": group.name, "file": file, "interval": group.interval.as_secs_f64(), "rules": rules})
}

fn one_rule(app: &App, rule: &AlertRule, state: Option<&RuleState>) -> Value {
    let report = app.rule_board.report(&rule.name);
    let empty = RuleState::default();
    let state = state.unwrap_or(&empty);
    let health = match (&report.at, &report.error) {
        (None, _) => "unknown",
        (Some(_), Some(_)) => "err",
        (Some(_), None) => "ok",
    };
    json!({
        "type": "alerting",
        "name": rule.name,
        "query": rule.expr.text,
        "duration": rule.hold.as_secs_f64(),
        "labels": {"severity": rule.severity.as_str()},
        "annotations": {"summary": rule.summary, "description": rule.description},
        "state": rule_state(state),
        "health": health,
        "lastError": report.error.unwrap_or_default(),
        "lastEvaluation": report.at.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), rfc3339),
        "evaluationTime": report.duration.as_secs_f64(),
        "alerts": state.instances.iter().map(|(labels, instance)| alert(rule, labels, instance)).collect::<Vec<_>>(),
    })
}

pub(super) async fn alerts(State(app): State<Arc<App>>) -> Answer {
    let setup = app.setup.get();
    let states = app.desk.rule_states().await;
    let alerts = setup.plan.rules().flat_map(|(_, rule)| {
        let instances = states
            .get(&rule.name)
            .map(|state| &state.instances)
            .into_iter()
            .flatten();
        instances.map(move |(labels, instance)| alert(rule, labels, instance))
    });
    Answer::data(json!({"alerts": alerts.collect::<Vec<_>>()}))
}

fn alert(rule: &AlertRule, labels: &Labels, instance: &Instance) -> Value {
    let mut all = labels_json(labels);
    all["alertname"] = rule.name.clone().into();
    all["severity"] = rule.severity.as_str().into();
    let state = match instance.phase {
        Phase::Pending => "pending",
        Phase::Firing { .. } => "firing",
    };
    json!({
        "labels": all,
        "annotations": {
            "summary": fill_template(&rule.summary, labels, instance.value),
            "description": fill_template(&rule.description, labels, instance.value),
        },
        "state": state,
        "activeAt": rfc3339(instance.since),
        "value": number(instance.value),
    })
}

pub(super) async fn build_info() -> Answer {
    // Clients such as Grafana choose features by this version of Prometheus' API.
    Answer::data(
        json!({"application": "Belfry", "version": "3.0.0", "belfryVersion": env!("CARGO_PKG_VERSION")}),
    )
}

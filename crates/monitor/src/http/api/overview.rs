//! Is anything wrong, since when, who has it: everything for one glance.

use std::sync::Arc;

use alerting::{Phase, RuleState};
use axum::Json;
use axum::extract::State;
use model::Timestamp;
use plan::Severity;
use serde_json::{Value, json};

use super::{health, objectives};
use crate::app::App;
use crate::scrape::{TargetHealth, TargetStatus};
use crate::time_text::rfc3339;

pub(super) async fn overview(State(app): State<Arc<App>>) -> Json<Value> {
    let setup = app.setup.get();
    let now = app.now();
    let rules = app.desk.rule_states().await;
    let open = app.desk.open_incidents().await;
    let targets = app.scrapes.targets();
    let unpageable = setup.unpageable();
    let state = if open
        .iter()
        .any(|incident| incident.head.severity == Severity::Critical)
    {
        "critical"
    } else if !open.is_empty() {
        "warning"
    } else if targets
        .iter()
        .any(|target| target.health != TargetHealth::Up)
    {
        "unknown"
    } else {
        "ok"
    };
    Json(json!({
        "service": setup.plan.service,
        "title": setup.plan.title,
        "now": rfc3339(now),
        "started_at": rfc3339(app.started_at),
        "state": state,
        "contacts": {"pageable": unpageable.is_none(), "notice": unpageable.unwrap_or_default()},
        "targets": targets.iter().map(target).collect::<Vec<_>>(),
        "alerts": alert_counts(rules.values()),
        "incidents_open": open.len(),
        "objectives": objectives::all(&app),
        "probes": health::all(&app),
    }))
}

fn target(target: &TargetStatus) -> Value {
    json!({
        "job": target.job,
        "instance": target.instance,
        "url": target.url,
        "health": target.health.as_str(),
        "last_scrape": target.last_scrape.map(rfc3339),
        "last_error": target.last_error,
        "duration_seconds": target.duration.as_secs_f64(),
        "samples": target.samples,
        "interval_seconds": target.interval.as_secs_f64(),
    })
}

fn alert_counts<'a>(rules: impl Iterator<Item = &'a RuleState>) -> Value {
    let (mut firing, mut pending, mut no_data) = (0, 0, 0);
    for instance in rules.flat_map(|rule| rule.instances.values()) {
        match instance.phase {
            Phase::Pending => pending += 1,
            Phase::Firing { .. } => firing += 1,
        }
        no_data += u32::from(instance.no_data_since.is_some());
    }
    json!({"firing": firing, "pending": pending, "no_data": no_data})
}

impl App {
    /// The time now, as all pages see it.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from(self.world.clock.now())
    }
}
